//! Rows of circuit breakers.

use rusqlite::types::FromSqlError;
use rusqlite::{Connection, OptionalExtension, Result, Row, named_params};

use super::row::{duration, millis};
use crate::breaker::{Breaker, BreakerSettings, Probe};
use crate::clock::Millis;

/// The breaker of a task, if its code ever declared one.
pub(super) fn read(connection: &Connection, task: &str) -> Result<Option<Breaker>> {
    connection
        .prepare_cached(include_str!("sql/breaker.sql"))?
        .query_row(named_params! {":task": task}, |row| Ok(from_row(row)?.1))
        .optional()
}

/// All breakers by name of their task.
pub(super) fn read_all(connection: &Connection) -> Result<Vec<(String, Breaker)>> {
    connection
        .prepare_cached(include_str!("sql/breakers.sql"))?
        .query_map([], from_row)?
        .collect()
}

/// Writes all but the settings.
pub(super) fn write(connection: &Connection, task: &str, breaker: &Breaker) -> Result<()> {
    let failures: Vec<String> = breaker.failures.iter().map(|at| at.0.to_string()).collect();
    connection
        .prepare_cached(include_str!("sql/move_breaker.sql"))?
        .execute(named_params! {
            ":task": task,
            ":failures": failures.join(" "),
            ":last_failure_at": breaker.last_failure_at,
            ":opened_at": breaker.opened_at,
            ":probe": breaker.probe.map(|probe| probe.key),
            ":probe_fence": breaker.probe.map(|probe| probe.fence),
        })?;
    Ok(())
}

/// Whether this claim still runs.
pub(super) fn runs(connection: &Connection, claim: Probe) -> Result<bool> {
    let found = connection
        .prepare_cached(include_str!("sql/claim_runs.sql"))?
        .query_row(
            named_params! {":id": claim.key, ":fence": claim.fence},
            |_| Ok(()),
        )
        .optional()?;
    Ok(found.is_some())
}

fn from_row(row: &Row<'_>) -> Result<(String, Breaker)> {
    let probe = match (row.get(7)?, row.get(8)?) {
        (Some(key), Some(fence)) => Some(Probe { key, fence }),
        _ => None,
    };
    let breaker = Breaker {
        settings: BreakerSettings {
            threshold: row.get(1)?,
            window: duration(row, 2)?,
            cooldown: duration(row, 3)?,
        },
        failures: instants(row.get_ref(4)?.as_str()?)?,
        last_failure_at: row.get(5)?,
        opened_at: row.get(6)?,
        probe,
    };
    Ok((row.get(0)?, breaker))
}

fn instants(text: &str) -> Result<Vec<Millis>> {
    text.split_ascii_whitespace()
        .map(|word| {
            let millis = word.parse().map(Millis);
            millis.map_err(|error| FromSqlError::Other(Box::new(error)).into())
        })
        .collect()
}

/// Stores the settings; what it has seen stays.
pub(super) fn declare(
    connection: &Connection,
    task: &str,
    settings: &BreakerSettings,
) -> Result<()> {
    connection
        .prepare_cached(include_str!("sql/set_breaker.sql"))?
        .execute(named_params! {
            ":task": task,
            ":threshold": settings.threshold,
            ":window_ms": millis(settings.window),
            ":cooldown_ms": millis(settings.cooldown),
        })?;
    Ok(())
}

/// Removes the breaker of a task that declares none any more.
pub(super) fn forget(connection: &Connection, task: &str) -> Result<()> {
    connection
        .prepare_cached(include_str!("sql/drop_breaker.sql"))?
        .execute(named_params! {":task": task})?;
    Ok(())
}
