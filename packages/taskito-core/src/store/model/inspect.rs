//! The questions, answered by looking at every row.

use std::collections::BTreeMap;
use std::time::Duration;

use super::waits::is_overlong;
use super::{ModelStore, Tables};
use crate::clock::Millis;
use crate::error::Result;
use crate::id::{DatabaseId, Key};
use crate::job::{
    AttemptRow, DeadRow, Held, JobFilter, JobRow, LetterFilter, LogFilter, LogRow, ReplayRow,
    Stats, Waiting, WorkerId, WorkerRow,
};
use crate::metric::{Samples, Summary};
use crate::rollup::Ending;
use crate::state::{State, Status};
use crate::store::{Appetite, Inspect};

impl Inspect for ModelStore {
    fn database(&self) -> Result<DatabaseId> {
        Ok(self.database)
    }

    fn job(&self, job: Key) -> Result<Option<JobRow>> {
        let tables = self.committed();
        Ok(tables.jobs.get(&job).map(|job| tables.shown(&job.row)))
    }

    fn jobs(&self, filter: &JobFilter) -> Result<Vec<JobRow>> {
        let tables = self.committed();
        Ok(tables
            .rows()
            .rev()
            .filter(|row| lets_through(filter, row))
            .skip(index(filter.offset))
            .take(index(filter.limit))
            .map(|row| tables.shown(row))
            .collect())
    }

    fn count(&self, filter: &JobFilter) -> Result<u64> {
        let tables = self.committed();
        let rows = tables.rows().filter(|row| lets_through(filter, row));
        Ok(rows.count().try_into().unwrap_or(u64::MAX))
    }

    fn waiting(&self, after: Key, limit: u32) -> Result<Vec<Waiting>> {
        let tables = self.committed();
        let jobs = tables.jobs.values();
        Ok(jobs
            .filter(|job| job.waits() && job.row.key > after)
            .take(index(limit))
            .map(|job| Waiting {
                key: job.row.key,
                queue: job.row.queue.clone(),
                task: job.row.task.clone(),
                payload: job.payload.clone(),
                takes_inputs: job.inputs.is_some(),
            })
            .collect())
    }

    fn metrics(&self, since: Millis, task: Option<&str>) -> Result<Vec<(String, Summary)>> {
        let mut tasks: BTreeMap<String, Samples> = BTreeMap::new();
        for one in self.committed().ended.iter().filter(|one| one.is_measured) {
            if one.at >= since && task.is_none_or(|task| task == one.task) {
                let samples = tasks.entry(one.task.clone()).or_default();
                samples.observe(one.run.length, one.ending != Ending::Done);
            }
        }
        let told = |(task, all)| Some((task, Samples::summary(&[all])?));
        Ok(tasks.into_iter().filter_map(told).collect())
    }

    fn replays(&self, original: Key) -> Result<Vec<ReplayRow>> {
        let tables = self.committed();
        let error = |key: Key| tables.jobs.get(&key).and_then(|job| job.row.error.clone());
        let replays = tables.replays.iter().rev();
        Ok(replays
            .filter(|(_, (of, _))| *of == original)
            .map(|(replay, (_, at))| ReplayRow {
                replay: *replay,
                original,
                replayed_at: *at,
                original_error: error(original),
                replay_error: error(*replay),
            })
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

    fn keyed(&self, idempotency_key: &str) -> Result<Option<Key>> {
        let tables = self.committed();
        let mut rows = tables.jobs.values().map(|job| &job.row);
        let found = rows.find(|row| row.idempotency_key.as_deref() == Some(idempotency_key));
        Ok(found.map(|row| row.key))
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

    fn dead_letters(&self, filter: &LetterFilter) -> Result<Vec<DeadRow>> {
        Ok(self
            .committed()
            .letters
            .values()
            .rev()
            .filter(|letter| filter.before.is_none_or(|before| letter.key < before))
            .filter(|letter| is_of(filter, letter))
            .skip(index(filter.offset))
            .take(index(filter.limit))
            .cloned()
            .collect())
    }

    fn task_logs(&self, job: Key) -> Result<Vec<LogRow>> {
        let tables = self.committed();
        let lines = tables.logs.values().filter(|line| line.job == job);
        Ok(lines.cloned().collect())
    }

    fn query_logs(&self, filter: &LogFilter) -> Result<Vec<LogRow>> {
        let tables = self.committed();
        let lines = tables.logs.values().rev().filter(|line| {
            line.logged_at >= filter.since
                && filter.task.as_ref().is_none_or(|task| *task == line.task)
                && filter
                    .level
                    .as_ref()
                    .is_none_or(|level| *level == line.level)
        });
        Ok(lines.take(index(filter.limit)).cloned().collect())
    }

    fn oldest_letters(&self, after: Key, filter: &LetterFilter) -> Result<Vec<(Key, Millis)>> {
        Ok(self
            .committed()
            .letters
            .values()
            .filter(|letter| letter.key > after && is_of(filter, letter))
            .take(index(filter.limit))
            .map(|letter| (letter.key, letter.failed_at))
            .collect())
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

    fn overlong_wait(&self, now: Millis, slack: Duration) -> Result<bool> {
        let tables = self.committed();
        Ok(tables.rows().any(|row| is_overlong(row, now, slack)))
    }

    fn next_due(&self) -> Result<Option<Millis>> {
        Ok(self
            .committed()
            .rows()
            .filter(|row| row.state == State::Scheduled)
            .map(|row| row.run_at)
            .min())
    }

    fn has_prospects(&self, now: Millis, appetite: &mut dyn Appetite) -> Result<bool> {
        Ok(self.committed().prospects(now, appetite))
    }
}

impl Tables {
    /// All jobs as they read from outside, oldest first.
    pub(super) fn rows(&self) -> impl DoubleEndedIterator<Item = &JobRow> {
        self.jobs.values().map(|job| &job.row)
    }
}

fn lets_through(filter: &JobFilter, row: &JobRow) -> bool {
    let is = |wanted: &Option<String>, name: &String| wanted.as_ref().is_none_or(|w| w == name);
    let has = |wanted: &Option<String>, text: &Option<String>| {
        let Some(wanted) = wanted else { return true };
        text.as_ref()
            .is_some_and(|text| text.contains(wanted.as_str()))
    };
    filter
        .status
        .is_none_or(|status| status == row.state.status())
        && is(&filter.queue, &row.queue)
        && is(&filter.task, &row.task)
        && filter.created_after.is_none_or(|at| row.created_at >= at)
        && filter.created_before.is_none_or(|at| row.created_at < at)
        && has(&filter.metadata, &row.metadata)
        && has(&filter.error, &row.error)
        && filter.before.is_none_or(|before| row.key < before)
}

fn is_of(filter: &LetterFilter, letter: &DeadRow) -> bool {
    filter
        .queue
        .as_ref()
        .is_none_or(|queue| *queue == letter.queue)
        && filter.task.as_ref().is_none_or(|task| *task == letter.task)
}

fn index(number: u32) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}
