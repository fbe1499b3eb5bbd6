//! Opening a database file: what it must be, and how each connection is set up.

use std::fs::{DirBuilder, OpenOptions};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;
use std::sync::Arc;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use super::failure::{PATIENCE, explain, not_writable};
use super::log::ENDLESS;
use super::migrate;
use crate::clock::Millis;
use crate::error::{Error, Result};
use crate::os;
use crate::store::gate::Gate;

/// More than we have statements, so that none is ever prepared twice.
const STATEMENTS: usize = 200;

/// The path of a database that lives in memory.
pub(super) const MEMORY: &str = ":memory:";

/// Opens the connection that writes: makes or upgrades the file, in turn with other processes.
pub(super) fn open_writer(
    path: &Path,
    now: Millis,
    gate: impl FnOnce() -> Result<Arc<Gate>>,
) -> Result<Connection> {
    if path.as_os_str() != MEMORY {
        if let Some(kind) = os::network_file_system(path) {
            return Err(Error::Network {
                path: path.into(),
                kind,
            });
        }
        make_file(path)?;
    }
    let writes = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE;
    let mut connection = open(path, writes)?;
    migrate::upgrade(&mut connection, path, now, gate)?;
    Ok(connection)
}

/// Opens a connection that reads; the file is known to be ours. It could not write if it tried: it
/// has no file that may be written to, but for the index of the log, where readers leave marks.
pub(super) fn open_reader(path: &Path) -> Result<Connection> {
    let connection = open(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?;
    connection
        .pragma_update(None, "query_only", true)
        .map_err(|error| explain(path, &error))?;
    Ok(connection)
}

/// Opens a connection that moves the log into the file, and writes nothing else.
pub(super) fn open_tidier(path: &Path) -> Result<Connection> {
    open(path, OpenFlags::SQLITE_OPEN_READ_WRITE)
}

fn open(path: &Path, mode: OpenFlags) -> Result<Connection> {
    let flags = mode | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection =
        Connection::open_with_flags(path, flags).map_err(|error| explain(path, &error))?;
    let setup = || -> rusqlite::Result<()> {
        connection.busy_timeout(PATIENCE)?;
        connection.set_prepared_statement_cache_capacity(STATEMENTS);
        // The last one to leave must not touch the log behind another process's back.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
        // Plans do not depend on bound values: otherwise every binding of a value that a
        // partial index is compared with would prepare the statement again.
        connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
        // Moving the log into the file is flushed, commits are not: see flush.rs.
        connection.pragma_update(None, "synchronous", "NORMAL")?;
        connection.pragma_update(None, "temp_store", "MEMORY")?;
        // Only commits write to the log: see frames.rs.
        connection.pragma_update(None, "cache_spill", false)?;
        connection.pragma_update_and_check(None, "wal_autocheckpoint", ENDLESS, |_| Ok(()))
    };
    setup().map_err(|error| explain(path, &error))?;
    Ok(connection)
}

/// Makes the file and its directories for their owner alone, if they are missing.
fn make_file(path: &Path) -> Result<()> {
    if path.exists() {
        return Ok(());
    }
    let made = || -> std::io::Result<()> {
        if let Some(parent) = path.parent().filter(|dir| !dir.as_os_str().is_empty()) {
            DirBuilder::new()
                .recursive(true)
                .mode(0o700)
                .create(parent)?;
        }
        OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(path)?;
        Ok(())
    };
    match made() {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists || !path.exists() => {
            Err(not_writable(path, &error))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
mod tests {
    use super::*;
    use crate::store::Inspect;
    use crate::store::sqlite::SqliteStore;

    #[test]
    fn a_connection_that_reads_has_no_file_to_write_to() {
        let directory = std::env::temp_dir().join(format!("taskito-readers-{}", os::random()));
        let path = directory.join("jobs.db");
        let store = SqliteStore::new(&path, crate::store::Sync::Relaxed);
        assert_eq!(store.stats().unwrap().pending, 0);
        let reader = open_reader(&path).unwrap();
        assert!(reader.is_readonly(rusqlite::MAIN_DB).unwrap());
        reader.pragma_update(None, "query_only", false).unwrap();
        let error = reader.execute("DELETE FROM job", []).unwrap_err();
        let code = error.sqlite_error_code();
        assert_eq!(code, Some(rusqlite::ErrorCode::ReadOnly), "{error}");
        drop((reader, store));
        std::fs::remove_dir_all(directory).unwrap();
    }
}
