//! The questions, answered by looking at every row.

use std::collections::BTreeSet;

use super::{ModelStore, Tables};
use crate::clock::Millis;
use crate::error::Result;
use crate::id::{DatabaseId, Key};
use crate::job::{
    AttemptRow, DeadRow, Held, JobFilter, JobRow, LogRow, Stats, WorkerId, WorkerRow,
};
use crate::state::{State, Status};
use crate::store::Inspect;

impl Inspect for ModelStore {
    fn database(&self) -> Result<DatabaseId> {
        Ok(self.database)
    }

    fn job(&self, job: Key) -> Result<Option<JobRow>> {
        Ok(self.committed().jobs.get(&job).map(|job| job.row.clone()))
    }

    fn jobs(&self, filter: &JobFilter) -> Result<Vec<JobRow>> {
        Ok(self
            .committed()
            .rows()
            .rev()
            .filter(|row| {
                filter
                    .status
                    .is_none_or(|status| status == row.state.status())
            })
            .filter(|row| {
                filter
                    .queue
                    .as_ref()
                    .is_none_or(|queue| *queue == row.queue)
            })
            .filter(|row| filter.task.as_ref().is_none_or(|task| *task == row.task))
            .skip(index(filter.offset))
            .take(index(filter.limit))
            .cloned()
            .collect())
    }

    fn result(&self, job: Key) -> Result<Option<Vec<u8>>> {
        let tables = self.committed();
        Ok(tables.jobs.get(&job).and_then(|job| job.result.clone()))
    }

    fn payload(&self, job: Key) -> Result<Option<Vec<u8>>> {
        let tables = self.committed();
        Ok(tables.jobs.get(&job).map(|job| job.payload.clone()))
    }

    fn attempts(&self, job: Key) -> Result<Vec<AttemptRow>> {
        Ok(self
            .committed()
            .attempts
            .values()
            .filter(|attempt| attempt.job == job)
            .cloned()
            .collect())
    }

    fn dead_letters(&self, limit: u32, offset: u32) -> Result<Vec<DeadRow>> {
        Ok(self
            .committed()
            .letters
            .values()
            .rev()
            .skip(index(offset))
            .take(index(limit))
            .cloned()
            .collect())
    }

    fn task_logs(&self, job: Key) -> Result<Vec<LogRow>> {
        let tables = self.committed();
        let lines = tables.logs.values().filter(|line| line.job == job);
        Ok(lines.cloned().collect())
    }

    fn stats(&self) -> Result<Stats> {
        let mut stats = Stats::default();
        for row in self.committed().rows() {
            match row.state.status() {
                Status::Pending => stats.pending += 1,
                Status::Running => stats.running += 1,
                Status::Complete => stats.complete += 1,
                Status::Dead => stats.dead += 1,
                Status::Cancelled => stats.cancelled += 1,
            }
        }
        Ok(stats)
    }

    fn holdings(&self, worker: WorkerId) -> Result<Vec<Held>> {
        Ok(self.committed().held(worker))
    }

    fn workers(&self) -> Result<Vec<WorkerRow>> {
        let tables = self.committed();
        Ok(tables
            .workers
            .values()
            .map(|row| WorkerRow {
                running: u32::try_from(tables.held(row.id).len()).unwrap_or(u32::MAX),
                ..row.clone()
            })
            .collect())
    }

    fn next_due(&self) -> Result<Option<Millis>> {
        Ok(self
            .committed()
            .rows()
            .filter(|row| row.state == State::Scheduled)
            .map(|row| row.run_at)
            .min())
    }

    fn ready_lanes(&self) -> Result<Vec<(String, String)>> {
        let lanes: BTreeSet<(String, String)> = self
            .committed()
            .rows()
            .filter(|row| row.state == State::Pending)
            .map(|row| (row.queue.clone(), row.task.clone()))
            .collect();
        Ok(lanes.into_iter().collect())
    }
}

impl Tables {
    /// All jobs as they read from outside, oldest first.
    fn rows(&self) -> impl DoubleEndedIterator<Item = &JobRow> {
        self.jobs.values().map(|job| &job.row)
    }
}

fn index(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}
