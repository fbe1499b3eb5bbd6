//! Whether anything was committed since somebody last looked.

use std::sync::atomic::{AtomicU64, Ordering};

use rusqlite::Connection;

use super::{SqliteStore, connection, explain, lock};
use crate::error::{Error, Result};
use crate::fork;

/// How many connections of this process watched some database so far.
static WATCHES: AtomicU64 = AtomicU64::new(0);

/// A connection that does nothing but watch: `SQLite` counts what others commit for each.
pub(super) struct Watch {
    connection: Connection,
    number: u64,
}

impl SqliteStore {
    /// A number that changes with every commit of anybody, and means nothing else.
    ///
    /// Numbers of one process can be compared, also of different stores; those of different
    /// processes cannot. Costs some microseconds.
    ///
    /// # Errors
    /// Storage failures.
    pub fn change_counter(&self) -> Result<u64> {
        if self.pool.in_memory {
            return self.read(|connection| Ok(connection.total_changes()));
        }
        let explained = |error| explain(&self.path, &error);
        let _use = fork::begin_use();
        self.opened()?;
        let mut watch = lock(&self.pool.watch);
        if self.closed.load(Ordering::SeqCst) {
            return Err(Error::Closed {
                path: self.path.clone(),
            });
        }
        if watch.is_none() {
            *watch = Some(Watch {
                connection: connection::open_reader(&self.path)?,
                number: WATCHES.fetch_add(1, Ordering::Relaxed) + 1,
            });
        }
        let Some(watch) = &*watch else {
            return Ok(0);
        };
        let version: u32 = watch
            .connection
            .prepare_cached("PRAGMA data_version")
            .and_then(|mut statement| statement.query_row([], |row| row.get(0)))
            .map_err(|error| self.unless_stranded(explained(error)))?;
        Ok(watch.number << 32 | u64::from(version))
    }
}
