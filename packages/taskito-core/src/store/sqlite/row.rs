//! How our types read from and write to columns. Long because there are so many columns.

use std::time::Duration;

use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, ValueRef};
use rusqlite::{Result, Row};

use crate::cause::{Fingerprint, GroupRow, GroupState};
use crate::clock::Millis;
use crate::id::Key;
use crate::job::{
    AttemptRow, DeadRow, Fence, Fire, Held, JobRow, JobSpec, LaneId, LogRow, Mishap, NewWorker,
    ReplayRow, Spot, StrandId, Token, Wait, Waiting, WorkerId, WorkerRow,
};
use crate::limits::LimiterId;
use crate::links::{GroupId, Shape};
use crate::metric::Samples;
use crate::rate::{Bucket, Interval};
use crate::schedule::CatchUp;
use crate::state::State;
use crate::store::Passed;

macro_rules! integer_column {
    ($($type:ident),*) => {$(
        impl ToSql for $type {
            fn to_sql(&self) -> Result<ToSqlOutput<'_>> {
                Ok(ToSqlOutput::from(self.0))
            }
        }

        impl FromSql for $type {
            fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
                value.as_i64().map($type)
            }
        }
    )*};
}

integer_column!(
    Millis,
    Key,
    Fence,
    LaneId,
    StrandId,
    WorkerId,
    GroupId,
    LimiterId,
    Bucket,
    Interval,
    Fingerprint
);

impl ToSql for State {
    fn to_sql(&self) -> Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::from(self.name()))
    }
}

impl FromSql for State {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let name = value.as_str()?;
        Self::from_name(name)
            .ok_or_else(|| FromSqlError::Other(format!("unknown state '{name}'").into()))
    }
}

impl ToSql for Wait {
    fn to_sql(&self) -> Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::from(self.name()))
    }
}

impl FromSql for Wait {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let name = value.as_str()?;
        Self::from_name(name)
            .ok_or_else(|| FromSqlError::Other(format!("unknown wait '{name}'").into()))
    }
}

impl ToSql for Shape {
    fn to_sql(&self) -> Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::from(self.name()))
    }
}

impl FromSql for Shape {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let name = value.as_str()?;
        Self::from_name(name)
            .ok_or_else(|| FromSqlError::Other(format!("unknown inputs '{name}'").into()))
    }
}

impl ToSql for Mishap {
    fn to_sql(&self) -> Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::from(self.name()))
    }
}

impl FromSql for Mishap {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        match value.as_str()? {
            "failed" => Ok(Self::Failed),
            "lost" => Ok(Self::Lost),
            other => Err(FromSqlError::Other(
                format!("unknown outcome '{other}'").into(),
            )),
        }
    }
}

impl ToSql for GroupState {
    fn to_sql(&self) -> Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::from(self.name()))
    }
}

impl FromSql for GroupState {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let name = value.as_str()?;
        Self::from_name(name)
            .ok_or_else(|| FromSqlError::Other(format!("unknown group state '{name}'").into()))
    }
}

impl ToSql for CatchUp {
    fn to_sql(&self) -> Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::from(self.name()))
    }
}

impl FromSql for CatchUp {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let name = value.as_str()?;
        Self::from_name(name)
            .ok_or_else(|| FromSqlError::Other(format!("unknown catch-up '{name}'").into()))
    }
}

/// A duration as whole milliseconds.
pub(super) fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

/// Whole milliseconds as a duration.
pub(super) fn duration(row: &Row<'_>, index: usize) -> Result<Duration> {
    let millis: i64 = row.get(index)?;
    Ok(Duration::from_millis(u64::try_from(millis).unwrap_or(0)))
}

/// Whole milliseconds as a duration, or nothing.
pub(super) fn optional_duration(row: &Row<'_>, index: usize) -> Result<Option<Duration>> {
    let millis: Option<i64> = row.get(index)?;
    Ok(millis.map(|millis| Duration::from_millis(u64::try_from(millis).unwrap_or(0))))
}

/// A list of names as one text column: each ends with a line feed. Names are data and may hold
/// anything, so line feeds in them are escaped.
pub(super) fn join_names(names: &[String]) -> String {
    let mut joined = String::new();
    for name in names {
        joined.push_str(&name.replace('\\', "\\\\").replace('\n', "\\n"));
        joined.push('\n');
    }
    joined
}

pub(super) fn split_names(text: &str) -> Vec<String> {
    text.split_terminator('\n')
        .map(|name| {
            let mut plain = String::with_capacity(name.len());
            let mut letters = name.chars();
            while let Some(letter) = letters.next() {
                match letter {
                    '\\' if letters.clone().next() == Some('n') => {
                        letters.next();
                        plain.push('\n');
                    }
                    '\\' => plain.extend(letters.next()),
                    other => plain.push(other),
                }
            }
            plain
        })
        .collect()
}

/// A row of `job.sql` or `jobs.sql`.
pub(super) fn job(row: &Row<'_>) -> Result<JobRow> {
    Ok(JobRow {
        key: row.get(0)?,
        queue: row.get(1)?,
        task: row.get(2)?,
        state: row.get(3)?,
        priority: row.get(4)?,
        retry_count: row.get(5)?,
        max_retries: row.get(6)?,
        losses: row.get(7)?,
        fence: row.get(8)?,
        created_at: row.get(9)?,
        run_at: row.get(10)?,
        claimed_at: row.get(11)?,
        finished_at: row.get(12)?,
        timeout: duration(row, 13)?,
        unique_key: row.get(14)?,
        idempotency_key: row.get(15)?,
        metadata: row.get(16)?,
        headers: row.get(17)?,
        error: row.get(18)?,
        progress: row.get(19)?,
        cancel_requested: row.get(20)?,
        waiting_on: row.get(21)?,
        wait: row.get(22)?,
        wait_length: duration(row, 23)?,
        expires_at: row.get(24)?,
        result_ttl: optional_duration(row, 25)?,
        limit_key: row.get(26)?,
        workflow: row.get(27)?,
        fire: fire(row.get(28)?, row.get(29)?),
        owner: row.get(30)?,
        group: row.get(31)?,
        ended_by: row.get(32)?,
        started_at: row.get(33)?,
        failure: row.get(34)?,
        preview: row.get(35)?,
    })
}

fn fire(schedule: Option<String>, time: Option<Millis>) -> Option<Fire> {
    Some(Fire {
        schedule: schedule?,
        time: time?,
    })
}

/// A row of `attempts.sql`.
pub(super) fn attempt(row: &Row<'_>) -> Result<AttemptRow> {
    Ok(AttemptRow {
        key: row.get(0)?,
        job: row.get(1)?,
        attempt: row.get(2)?,
        fence: row.get(3)?,
        mishap: row.get(4)?,
        error: row.get(5)?,
        claimed_at: row.get(6)?,
        started_at: row.get(7)?,
        failed_at: row.get(8)?,
        worker: row.get(9)?,
        failure: row.get(10)?,
        error_type: row.get(11)?,
        message: row.get(12)?,
        frames: row.get(13)?,
    })
}

/// A row of `group.sql` or `groups.sql`.
pub(super) fn group(row: &Row<'_>) -> Result<GroupRow> {
    Ok(GroupRow {
        fingerprint: row.get(0)?,
        task: row.get(1)?,
        error_type: row.get(2)?,
        template: row.get(3)?,
        location: row.get(4)?,
        first_seen: row.get(5)?,
        last_seen: row.get(6)?,
        state: row.get(7)?,
        dead: row.get(8)?,
        retrying: row.get(9)?,
    })
}

/// Where a job waits, from the columns of its lane and strand.
pub(super) fn spot(row: &Row<'_>, index: usize) -> Result<Spot> {
    Ok(Spot {
        lane: row.get(index)?,
        strand: row.get(index + 1)?,
    })
}

/// A row of `dead_letters.sql`.
pub(super) fn dead_letter(row: &Row<'_>) -> Result<DeadRow> {
    Ok(DeadRow {
        key: row.get(0)?,
        job: row.get(1)?,
        queue: row.get(2)?,
        task: row.get(3)?,
        error: row.get(4)?,
        retry_count: row.get(5)?,
        failed_at: row.get(6)?,
        metadata: row.get(7)?,
    })
}

/// A row of `task_logs.sql`.
pub(super) fn log(row: &Row<'_>) -> Result<LogRow> {
    Ok(LogRow {
        key: row.get(0)?,
        job: row.get(1)?,
        task: row.get(2)?,
        level: row.get(3)?,
        message: row.get(4)?,
        extra: row.get(5)?,
        logged_at: row.get(6)?,
    })
}

/// A row of `held.sql`.
pub(super) fn held(row: &Row<'_>) -> Result<Held> {
    Ok(Held {
        token: Token {
            key: row.get(0)?,
            fence: row.get(1)?,
            spot: spot(row, 2)?,
        },
        max_retries: row.get(4)?,
        losses: row.get(5)?,
        cancel_requested: row.get(6)?,
    })
}

/// A row of `settings.sql`, with the arguments, for the function and for people.
pub(super) fn settings(row: &Row<'_>) -> Result<(JobSpec, Vec<u8>, Option<String>)> {
    let spec = JobSpec {
        queue: row.get(0)?,
        priority: row.get(2)?,
        max_retries: row.get(3)?,
        timeout: duration(row, 4)?,
        result_ttl: optional_duration(row, 5)?,
        limit_key: row.get(6)?,
        ..JobSpec::new(row.get_ref(1)?.as_str()?)
    };
    Ok((spec, row.get(7)?, row.get(8)?))
}

/// A row of `waiting.sql`.
pub(super) fn waiting(row: &Row<'_>) -> Result<Waiting> {
    Ok(Waiting {
        key: row.get(0)?,
        queue: row.get(1)?,
        task: row.get(2)?,
        payload: row.get(3)?,
        takes_inputs: row.get(4)?,
    })
}

/// A row of `replays.sql`.
pub(super) fn replay(row: &Row<'_>) -> Result<ReplayRow> {
    Ok(ReplayRow {
        replay: row.get(0)?,
        original: row.get(1)?,
        replayed_at: row.get(2)?,
        original_error: row.get(3)?,
        replay_error: row.get(4)?,
    })
}

/// Samples and, if they were merged, the numbers behind them.
pub(super) fn samples(row: &Row<'_>, index: usize) -> Result<Samples> {
    let raw = row.get_ref(index)?.as_blob()?;
    let Some(count) = row.get(index + 1)? else {
        return Ok(Samples::unpacked(raw));
    };
    let extremes = (row.get(index + 4)?, row.get(index + 5)?);
    let (failures, sum) = (row.get(index + 2)?, row.get(index + 3)?);
    Ok(Samples::merged(count, failures, sum, extremes, raw))
}

/// A number that is never negative, as large as a column can hold.
pub(super) fn amount(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// A row of `walk.sql`.
pub(super) fn passed(row: &Row<'_>) -> Result<Passed> {
    Ok(Passed {
        key: row.get(0)?,
        lane: row.get(1)?,
        state: row.get(2)?,
        finished_at: row.get(3)?,
        result_ttl: optional_duration(row, 4)?,
    })
}

/// A row of `workers.sql`.
pub(super) fn worker(row: &Row<'_>) -> Result<WorkerRow> {
    Ok(WorkerRow {
        id: row.get(0)?,
        key: row.get(1)?,
        about: NewWorker {
            hostname: row.get(2)?,
            pid: row.get(3)?,
            version: row.get(4)?,
            queues: split_names(row.get_ref(5)?.as_str()?),
            tasks: split_names(row.get_ref(6)?.as_str()?),
            concurrency: row.get(7)?,
        },
        draining: row.get(8)?,
        started_at: row.get(9)?,
        heartbeat_at: row.get(10)?,
        running: row.get(11)?,
        schedules: split_names(row.get_ref(12)?.as_str()?),
        abandoned: row.get(13)?,
        rss: row.get(14)?,
        drain_requested: row.get(15)?,
        ended: row.get(16)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_with_any_letter_survive() {
        let names: Vec<String> = ["", "a", "b\nc", "\\n", "\\", "d\\\n"]
            .map(String::from)
            .into();
        assert_eq!(split_names(&join_names(&names)), names);
        assert_eq!(split_names(&join_names(&[])), Vec::<String>::new());
    }
}
