//! The questions, answered by reading connections.

use std::time::Duration;

use rusqlite::{OptionalExtension, named_params, params};

use super::{SqliteStore, contender, row};
use crate::clock::Millis;
use crate::error::Result;
use crate::fork;
use crate::id::{DatabaseId, Key};
use crate::job::{
    AttemptRow, DeadRow, Held, JobFilter, JobRow, LetterFilter, LogFilter, LogRow, ReplayRow,
    Stats, Waiting, WorkerId, WorkerRow,
};
use crate::metric::Summary;
use crate::state::{State, Status};
use crate::store::{Appetite, Inspect};

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
        let bounds = Bounds::of(filter);
        self.read(|connection| {
            connection
                .prepare_cached(include_str!("sql/jobs.sql"))?
                .query_map(
                    named_params! {
                        ":from": bounds.from,
                        ":to": bounds.to,
                        ":status": bounds.states,
                        ":queue": filter.queue,
                        ":task": filter.task,
                        ":created_from": bounds.created_from,
                        ":created_to": bounds.created_to,
                        ":metadata": filter.metadata,
                        ":error": filter.error,
                        ":limit": filter.limit,
                        ":offset": filter.offset,
                    },
                    row::job,
                )?
                .collect()
        })
    }

    fn count(&self, filter: &JobFilter) -> Result<u64> {
        let bounds = Bounds::of(filter);
        if bounds.are_none() && filter.metadata.is_none() && filter.error.is_none() {
            let stats = self.stats_of(filter.queue.as_deref(), filter.task.as_deref())?;
            return Ok(filter
                .status
                .map_or(stats.total(), |status| stats.of(status)));
        }
        self.read(|connection| {
            connection
                .prepare_cached(include_str!("sql/count_jobs.sql"))?
                .query_row(
                    named_params! {
                        ":from": bounds.from,
                        ":to": bounds.to,
                        ":status": bounds.states,
                        ":queue": filter.queue,
                        ":task": filter.task,
                        ":created_from": bounds.created_from,
                        ":created_to": bounds.created_to,
                        ":metadata": filter.metadata,
                        ":error": filter.error,
                    },
                    |row| row.get(0),
                )
        })
    }

    fn waiting(&self, after: Key, limit: u32) -> Result<Vec<Waiting>> {
        self.read(|connection| {
            connection
                .prepare_cached(include_str!("sql/waiting.sql"))?
                .query_map(params![after, limit], row::waiting)?
                .collect()
        })
    }

    fn metrics(&self, since: Millis, task: Option<&str>) -> Result<Vec<(String, Summary)>> {
        self.summaries(since, task)
    }

    fn replays(&self, original: Key) -> Result<Vec<ReplayRow>> {
        self.read(|connection| {
            connection
                .prepare_cached(include_str!("sql/replays.sql"))?
                .query_map(params![original], row::replay)?
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

    fn keyed(&self, idempotency_key: &str) -> Result<Option<Key>> {
        self.read(|connection| {
            connection
                .prepare_cached(include_str!("sql/keyed.sql"))?
                .query_row(named_params! {":key": idempotency_key}, |row| row.get(0))
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

    fn dead_letters(&self, filter: &LetterFilter) -> Result<Vec<DeadRow>> {
        self.read(|connection| {
            connection
                .prepare_cached(include_str!("sql/dead_letters.sql"))?
                .query_map(
                    named_params! {
                        ":before": filter.before.unwrap_or(Key::LAST),
                        ":queue": filter.queue,
                        ":task": filter.task,
                        ":limit": filter.limit,
                        ":offset": filter.offset,
                    },
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

    fn query_logs(&self, filter: &LogFilter) -> Result<Vec<LogRow>> {
        self.read(|connection| {
            connection
                .prepare_cached(include_str!("sql/query_logs.sql"))?
                .query_map(
                    named_params! {
                        ":from": Key::first_at(filter.since),
                        ":since": filter.since,
                        ":task": filter.task,
                        ":level": filter.level,
                        ":limit": filter.limit,
                    },
                    row::log,
                )?
                .collect()
        })
    }

    fn oldest_letters(&self, after: Key, filter: &LetterFilter) -> Result<Vec<(Key, Millis)>> {
        self.read(|connection| {
            connection
                .prepare_cached(include_str!("sql/oldest_letters.sql"))?
                .query_map(
                    named_params! {
                        ":after": after,
                        ":queue": filter.queue,
                        ":task": filter.task,
                        ":limit": filter.limit,
                    },
                    |row| Ok((row.get(0)?, row.get(1)?)),
                )?
                .collect()
        })
    }

    fn stats(&self) -> Result<Stats> {
        self.stats_of(None, None)
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

    fn overlong_wait(&self, now: Millis, slack: Duration) -> Result<bool> {
        let found = self.read(|connection| {
            connection
                .prepare_cached(include_str!("sql/overlong_wait.sql"))?
                .query_row(named_params! {":latest": now.plus(slack)}, |_| Ok(()))
                .optional()
        })?;
        Ok(found.is_some())
    }

    fn next_due(&self) -> Result<Option<Millis>> {
        self.read(|connection| {
            connection
                .prepare_cached(include_str!("sql/next_due.sql"))?
                .query_row([], |row| row.get(0))
                .optional()
        })
    }

    fn has_prospects(&self, now: Millis, appetite: &mut dyn Appetite) -> Result<bool> {
        self.read(|connection| contender::has_prospects(connection, now, appetite))
    }
}

impl SqliteStore {
    fn stats_of(&self, queue: Option<&str>, task: Option<&str>) -> Result<Stats> {
        self.read(|connection| {
            connection
                .prepare_cached(include_str!("sql/stats.sql"))?
                .query_row(named_params! {":queue": queue, ":task": task}, |row| {
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
}

/// Between what a listing looks: both ends belong to it.
pub(super) struct Bounds {
    pub(super) from: Key,
    pub(super) to: Key,
    pub(super) created_from: Millis,
    pub(super) created_to: Millis,
    pub(super) states: Option<String>,
}

impl Bounds {
    pub(super) fn of(filter: &JobFilter) -> Self {
        let before = filter.before.unwrap_or(Key::LAST);
        Self {
            // No key is made before its time, so what came earlier need not be looked at.
            from: filter.created_after.map_or(Key(0), Key::first_at),
            to: Key(before.0.saturating_sub(1)),
            created_from: filter.created_after.unwrap_or(Millis(i64::MIN)),
            created_to: filter
                .created_before
                .map_or(Millis(i64::MAX), |at| Millis(at.0.saturating_sub(1))),
            states: filter.status.map(words),
        }
    }

    /// Whether they leave nothing out but states.
    pub(super) fn are_none(&self) -> bool {
        self.from == Key(0)
            && self.to.0 == Key::LAST.0 - 1
            && (self.created_from, self.created_to) == (Millis(i64::MIN), Millis(i64::MAX))
    }
}

/// The states that read as a status, each between blanks, as `jobs.sql` looks for them.
fn words(status: Status) -> String {
    let names: Vec<&str> = status.states().map(State::name).collect();
    format!(" {} ", names.join("  "))
}
