//! The questions, answered by reading connections.

use rusqlite::{OptionalExtension, named_params};

use super::{SqliteStore, row};
use crate::clock::Millis;
use crate::error::Result;
use crate::fork;
use crate::id::{DatabaseId, Key};
use crate::job::{
    AttemptRow, DeadRow, Held, JobFilter, JobRow, LogRow, Stats, WorkerId, WorkerRow,
};
use crate::state::{State, Status};
use crate::store::Inspect;

impl Inspect for SqliteStore {
    fn database(&self) -> Result<DatabaseId> {
        let _use = fork::begin_use();
        self.opened().map(|opened| opened.database)
    }

    fn job(&self, job: Key) -> Result<Option<JobRow>> {
        self.read(|connection| {
            connection
                .prepare_cached(include_str!("sql/job.sql"))?
                .query_row(named_params! {":id": job}, row::job)
                .optional()
        })
    }

    fn jobs(&self, filter: &JobFilter) -> Result<Vec<JobRow>> {
        self.read(|connection| {
            connection
                .prepare_cached(include_str!("sql/jobs.sql"))?
                .query_map(
                    named_params! {
                        ":status": filter.status.map(words),
                        ":queue": filter.queue,
                        ":task": filter.task,
                        ":limit": filter.limit,
                        ":offset": filter.offset,
                    },
                    row::job,
                )?
                .collect()
        })
    }

    fn state(&self, job: Key) -> Result<Option<State>> {
        self.read(|connection| {
            connection
                .prepare_cached(include_str!("sql/state_of.sql"))?
                .query_row(named_params! {":id": job}, |row| row.get(0))
                .optional()
        })
    }

    fn result(&self, job: Key) -> Result<Option<Vec<u8>>> {
        self.read(|connection| {
            connection
                .prepare_cached(include_str!("sql/result.sql"))?
                .query_row(named_params! {":job": job}, |row| row.get(0))
                .optional()
        })
    }

    fn payload(&self, job: Key) -> Result<Option<Vec<u8>>> {
        self.read(|connection| {
            connection
                .prepare_cached(include_str!("sql/payload.sql"))?
                .query_row(named_params! {":id": job}, |row| row.get(0))
                .optional()
        })
    }

    fn attempts(&self, job: Key) -> Result<Vec<AttemptRow>> {
        self.read(|connection| {
            connection
                .prepare_cached(include_str!("sql/attempts.sql"))?
                .query_map(named_params! {":job": job}, row::attempt)?
                .collect()
        })
    }

    fn dead_letters(&self, limit: u32, offset: u32) -> Result<Vec<DeadRow>> {
        self.read(|connection| {
            connection
                .prepare_cached(include_str!("sql/dead_letters.sql"))?
                .query_map(
                    named_params! {":limit": limit, ":offset": offset},
                    row::dead_letter,
                )?
                .collect()
        })
    }

    fn task_logs(&self, job: Key) -> Result<Vec<LogRow>> {
        self.read(|connection| {
            connection
                .prepare_cached(include_str!("sql/task_logs.sql"))?
                .query_map(named_params! {":job": job}, row::log)?
                .collect()
        })
    }

    fn stats(&self) -> Result<Stats> {
        self.read(|connection| {
            connection
                .prepare_cached(include_str!("sql/stats.sql"))?
                .query_row([], |row| {
                    Ok(Stats {
                        pending: row.get(0)?,
                        running: row.get(1)?,
                        complete: row.get(2)?,
                        dead: row.get(3)?,
                        cancelled: row.get(4)?,
                    })
                })
        })
    }

    fn holdings(&self, worker: WorkerId) -> Result<Vec<Held>> {
        self.read(|connection| {
            connection
                .prepare_cached(include_str!("sql/held.sql"))?
                .query_map(named_params! {":owner": worker}, row::held)?
                .collect()
        })
    }

    fn workers(&self) -> Result<Vec<WorkerRow>> {
        self.read(|connection| {
            connection
                .prepare_cached(include_str!("sql/workers.sql"))?
                .query_map([], row::worker)?
                .collect()
        })
    }

    fn next_due(&self) -> Result<Option<Millis>> {
        self.read(|connection| {
            connection
                .prepare_cached(include_str!("sql/next_due.sql"))?
                .query_row([], |row| row.get(0))
                .optional()
        })
    }

    fn ready_lanes(&self) -> Result<Vec<(String, String)>> {
        self.read(|connection| {
            connection
                .prepare_cached(include_str!("sql/ready_lanes.sql"))?
                .query_map([], |row| Ok((row.get(1)?, row.get(2)?)))?
                .collect()
        })
    }
}

/// The states that read as a status, each between blanks, as `jobs.sql` looks for them.
fn words(status: Status) -> String {
    let names: Vec<&str> = status.states().map(State::name).collect();
    format!(" {} ", names.join("  "))
}
