//! Bringing a file to the newest schema, or refusing to touch it.

use std::path::Path;

use rusqlite::{Connection, TransactionBehavior, named_params};

use super::connection::{explain, run};
use crate::clock::Millis;
use crate::error::{Error, Result};
use crate::id::DatabaseId;
use crate::os;

/// The newest schema this engine knows: one per step.
pub const SCHEMA_VERSION: u8 = 1;

/// The ladder: step n leads from schema n to n + 1. Its end equals `schema.sql` (tested).
const STEPS: [&str; SCHEMA_VERSION as usize] = [include_str!("migrations/0001_first.sql")];

/// The newest schema as one text, for readers and for the test of the ladder.
pub const SCHEMA: &str = include_str!("schema.sql");

/// Creates or upgrades the schema in one transaction. A file that is newer or not ours is
/// left as it is.
pub(super) fn upgrade(connection: &mut Connection, path: &Path, now: Millis) -> Result<()> {
    let explained = |error: rusqlite::Error| explain(path, &error);
    if check(connection, path)? == i64::from(SCHEMA_VERSION) {
        return Ok(());
    }
    run(connection, path, "PRAGMA journal_mode = WAL")?;
    let transaction = connection
        .transaction_with_behavior(TransactionBehavior::Immediate)
        .map_err(explained)?;
    // Another process may have been faster.
    let version = check(&transaction, path)?;
    let reached = usize::try_from(version).unwrap_or(0);
    for step in &STEPS[reached..] {
        transaction.execute_batch(step).map_err(explained)?;
    }
    if version == 0 {
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

/// The schema number of a file, 0 for one that has nothing of ours yet.
fn check(connection: &Connection, path: &Path) -> Result<i64> {
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
             ('job', 'jobs', 'lane', 'attempt', 'worker', 'job_result')",
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
