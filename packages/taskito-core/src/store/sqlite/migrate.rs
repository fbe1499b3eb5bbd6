//! Bringing a file to the newest schema, or refusing to touch it.

use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use rusqlite::{Connection, TransactionBehavior, named_params};

use super::connection::MEMORY;
use super::failure::{PATIENCE, explain, not_writable};
use crate::clock::Millis;
use crate::error::{Error, Result};
use crate::id::{DatabaseId, Key};
use crate::os;
use crate::store::gate::Gate;

/// The newest schema this engine knows: one per step.
pub const SCHEMA_VERSION: u8 = 1;

/// The ladder: step n leads from schema n to n + 1. Its end equals `schema.sql` (tested).
const STEPS: [&str; SCHEMA_VERSION as usize] = [include_str!("migrations/0001_first.sql")];

/// Between two tries on a busy file.
const NAP: Duration = Duration::from_millis(2);

/// The newest schema as one text, for readers and for the test of the ladder.
pub const SCHEMA: &str = include_str!("schema.sql");

/// Creates or upgrades the schema in one transaction, while `gate` keeps other processes from
/// doing the same. A file that is newer or not ours is left as it is.
pub(super) fn upgrade(
    connection: &mut Connection,
    path: &Path,
    now: Millis,
    gate: impl FnOnce() -> Result<Arc<Gate>>,
) -> Result<()> {
    let version = patiently(|| check(connection, path))?;
    if version == i64::from(SCHEMA_VERSION) && !keeps_a_journal(connection, path)? {
        return Ok(());
    }
    let gate = gate()?;
    let _turn = gate
        .turn(Instant::now() + PATIENCE)
        .map_err(|error| not_writable(path, &error))?
        .ok_or_else(|| Error::Busy {
            path: path.into(),
            holder: gate.holder(),
        })?;
    let explained = |error: rusqlite::Error| explain(path, &error);
    // SQLite does not wait when others look at the file while its journal changes.
    patiently(|| {
        connection
            .pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))
            .map_err(explained)
    })?;
    let transaction = connection
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .map_err(explained)?;
    // Another process may have been faster.
    let version = look(&transaction, path)?;
    let reached = usize::try_from(version).unwrap_or(0);
    for step in &STEPS[reached..] {
        transaction.execute_batch(step).map_err(explained)?;
    }
    if version == 0 {
        // Before anybody can store anything: a later commit flushes the file, not its names.
        if path.as_os_str() != MEMORY {
            os::flush_names(path).map_err(|error| not_writable(path, &error))?;
        }
        let database = DatabaseId::from_bits(os::random());
        transaction
            .execute(
                "INSERT INTO taskito (one, database, created_at) VALUES (1, :database, :now)",
                named_params! {":database": database.bits().cast_signed(), ":now": now},
            )
            .map_err(explained)?;
    }
    transaction
        .pragma_update(None, "user_version", SCHEMA_VERSION)
        .map_err(explained)?;
    transaction.commit().map_err(explained)
}

/// Tries again while the file is busy, as long as we wait for anything.
fn patiently<T>(mut attempt: impl FnMut() -> Result<T>) -> Result<T> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        match attempt() {
            Err(Error::Busy { .. }) if Instant::now() < deadline => thread::sleep(NAP),
            answer => return answer,
        }
    }
}

/// Whether a file is in the journal mode of a snapshot, in which readers and writers exclude each
/// other.
fn keeps_a_journal(connection: &Connection, path: &Path) -> Result<bool> {
    patiently(|| {
        connection
            .pragma_query_value(None, "journal_mode", |row| row.get(0))
            .map(|mode: String| mode == "delete")
            .map_err(|error| explain(path, &error))
    })
}

/// The schema number of a file, 0 for one that has nothing of ours yet. One transaction: the
/// answers to its questions belong together.
fn check(connection: &mut Connection, path: &Path) -> Result<i64> {
    let transaction = connection
        .transaction()
        .map_err(|error| explain(path, &error))?;
    look(&transaction, path)
}

fn look(connection: &Connection, path: &Path) -> Result<i64> {
    let explained = |error: rusqlite::Error| explain(path, &error);
    let version: i64 = connection
        .pragma_query_value(None, "user_version", |row| row.get(0))
        .map_err(explained)?;
    let ours: bool = connection
        .query_row(
            "SELECT count(*) FROM sqlite_schema WHERE type = 'table' AND name = 'taskito'",
            [],
            |row| row.get(0),
        )
        .map_err(explained)?;
    let taken: i64 = connection
        .query_row(
            "SELECT count(*) FROM sqlite_schema WHERE name IN
             ('job', 'jobs', 'lane', 'attempt', 'worker', 'job_result', 'metric', 'replay',
              'task_log', 'dependency', 'queue_setting', 'limiter', 'strand', 'task_limit',
              'breaker')",
            [],
            |row| row.get(0),
        )
        .map_err(explained)?;
    let foreign = |found: String| Error::Foreign {
        path: path.into(),
        found,
    };
    match (ours, version) {
        (true, version) if version > i64::from(SCHEMA_VERSION) => Err(Error::NewerSchema {
            path: path.into(),
            found: version,
            known: i64::from(SCHEMA_VERSION),
        }),
        (true, version) if version > 0 => Ok(version),
        (true, _) => Err(foreign("it has a table 'taskito' without a version".into())),
        (false, 0) if taken == 0 => Ok(0),
        (false, 0) => Err(foreign("it has tables with the names we use".into())),
        (false, version) => Err(foreign(format!("its user_version is {version}"))),
    }
}

/// The random id of an opened database.
pub(super) fn database_id(connection: &Connection, path: &Path) -> Result<DatabaseId> {
    let bits: i64 = connection
        .query_row("SELECT database FROM taskito WHERE one = 1", [], |row| {
            row.get(0)
        })
        .map_err(|error| explain(path, &error))?;
    Ok(DatabaseId::from_bits(bits.cast_unsigned()))
}

/// The newest key of a job in an opened database.
pub(super) fn newest_key(connection: &Connection, path: &Path) -> Result<Key> {
    connection
        .query_row("SELECT ifnull(max(id), 0) FROM job", [], |row| row.get(0))
        .map_err(|error| explain(path, &error))
}
