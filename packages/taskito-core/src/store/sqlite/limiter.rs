//! Rows of limits: limiters, and what is set for queues.

use std::sync::Arc;

use rusqlite::types::FromSqlError;
use rusqlite::{Connection, OptionalExtension, Result, Row, named_params, params};

use crate::limits::{Limit, LimiterId};
use crate::rate::{Bucket, Interval, Rate};

/// What somebody set for a queue.
#[derive(Clone, Debug)]
pub(super) struct QueueSetting {
    pub(super) name: Arc<str>,
    pub(super) paused: bool,
    pub(super) limit: Limit,
    pub(super) bucket: Bucket,
}

/// One limiter as it is stored.
pub(super) struct LimiterRow {
    /// The limit of a group; one of a key has that of its task.
    pub(super) max_running: Option<u32>,
    pub(super) outer_group: Option<LimiterId>,
    pub(super) running: u32,
    pub(super) bucket: Bucket,
    pub(super) interval: Interval,
}

/// Reads one limiter.
pub(super) fn limiter(connection: &Connection, id: LimiterId) -> Result<LimiterRow> {
    connection
        .prepare_cached(include_str!("sql/limiter.sql"))?
        .query_row(params![id], |row| {
            Ok(LimiterRow {
                max_running: row.get(0)?,
                outer_group: row.get(1)?,
                running: row.get(2)?,
                bucket: row.get(3)?,
                interval: row.get(4)?,
            })
        })
}

/// The limiter of a limit key of a task, or of its jobs without one, and its tokens.
pub(super) fn find_key_limiter(
    connection: &Connection,
    task: &str,
    key: Option<&str>,
) -> Result<Option<(LimiterId, Bucket)>> {
    connection
        .prepare_cached(include_str!("sql/find_key_limiter.sql"))?
        .query_row(named_params! {":task": task, ":limit_key": key}, |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .optional()
}

/// Writes the tokens of a limiter.
pub(super) fn fill_limiter(
    connection: &Connection,
    id: LimiterId,
    bucket: Bucket,
    interval: Interval,
) -> Result<()> {
    connection
        .prepare_cached(include_str!("sql/fill_limiter.sql"))?
        .execute(named_params! {
            ":id": id, ":arrival_ns": bucket, ":interval_ns": interval,
        })?;
    Ok(())
}

/// Writes the tokens of a queue.
pub(super) fn fill_queue(connection: &Connection, name: &str, bucket: Bucket) -> Result<()> {
    connection
        .prepare_cached(include_str!("sql/fill_queue.sql"))?
        .execute(named_params! {":name": name, ":arrival_ns": bucket})?;
    Ok(())
}

/// What is set for queues; those without settings are left out.
pub(super) fn queue_settings(connection: &Connection) -> Result<Vec<QueueSetting>> {
    connection
        .prepare_cached(include_str!("sql/queue_settings.sql"))?
        .query_map([], |row| {
            Ok(QueueSetting {
                name: row.get(0)?,
                paused: row.get(1)?,
                limit: Limit {
                    rate: stored_rate(row.get(2)?)?,
                    max_concurrent: row.get(3)?,
                },
                bucket: row.get(4)?,
            })
        })?
        .collect()
}

/// A rate as it is stored.
pub(super) fn stored_rate(text: Option<String>) -> Result<Option<Rate>> {
    text.map(|text| Rate::parse(&text))
        .transpose()
        .map_err(|error| FromSqlError::Other(error.to_string().into()).into())
}

/// How many jobs of a queue run.
pub(super) fn queue_running(connection: &Connection, queue: &str) -> Result<u32> {
    connection
        .prepare_cached(include_str!("sql/queue_running.sql"))?
        .query_row(named_params! {":queue": queue}, |row| row.get(0))
}

/// How many jobs of a task run that have no limit key.
pub(super) fn task_running(connection: &Connection, task: &str) -> Result<u32> {
    connection
        .prepare_cached(include_str!("sql/task_running.sql"))?
        .query_row(named_params! {":task": task}, |row| row.get(0))
}

/// What a worker said last about the limits of a task.
pub(super) fn announced(connection: &Connection, task: &str) -> Result<Limit> {
    let found = connection
        .prepare_cached(include_str!("sql/task_limit.sql"))?
        .query_row(named_params! {":task": task}, limit)
        .optional()?;
    Ok(found.unwrap_or_default())
}

/// What workers said last about the limits of all tasks that have any.
pub(super) fn all_announced(connection: &Connection) -> Result<Vec<(String, Limit)>> {
    connection
        .prepare_cached(include_str!("sql/task_limits.sql"))?
        .query_map([], |row| Ok((row.get(2)?, limit(row)?)))?
        .collect()
}

/// From the columns `rate, max_concurrent`.
fn limit(row: &Row<'_>) -> Result<Limit> {
    Ok(Limit {
        rate: stored_rate(row.get(0)?)?,
        max_concurrent: row.get(1)?,
    })
}

/// Stores what a worker says about the limits of a task.
pub(super) fn announce(connection: &Connection, task: &str, limit: &Limit) -> Result<()> {
    if limit.is_none() {
        connection
            .prepare_cached(include_str!("sql/drop_task_limit.sql"))?
            .execute(named_params! {":task": task})?;
        return Ok(());
    }
    connection
        .prepare_cached(include_str!("sql/set_task_limit.sql"))?
        .execute(named_params! {
            ":task": task,
            ":rate": limit.rate.as_ref().map(Rate::text),
            ":max_concurrent": limit.max_concurrent,
        })?;
    Ok(())
}
