//! How the file is kept, for people who look after it.

use rusqlite::{Connection, OptionalExtension};

use super::SqliteStore;
use crate::clock::Millis;
use crate::error::Result;

/// How a database is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Storage {
    /// How commits are kept, as SQLite calls it.
    pub journal_mode: String,
    /// Bytes of pages that each connection may keep in memory.
    pub cache: u64,
    /// Bytes of the file that hold nothing now and are used again.
    pub unused: u64,
    /// When the oldest job was stored.
    pub oldest_at: Option<Millis>,
}

impl SqliteStore {
    /// How this database is stored.
    ///
    /// # Errors
    /// Storage failures.
    pub fn storage(&self) -> Result<Storage> {
        self.read(|connection| {
            let page = number(connection, "page_size")?;
            let cache = number(connection, "cache_size")?;
            Ok(Storage {
                journal_mode: connection
                    .pragma_query_value(None, "journal_mode", |row| row.get(0))?,
                // SQLite tells pages, or less than nothing for KiB.
                cache: cache.unsigned_abs() * if cache < 0 { 1024 } else { page.unsigned_abs() },
                unused: (number(connection, "freelist_count")? * page).unsigned_abs(),
                oldest_at: connection
                    .prepare_cached(include_str!("sql/oldest_job.sql"))?
                    .query_row([], |row| row.get(0))
                    .optional()?,
            })
        })
    }
}

fn number(connection: &Connection, pragma: &str) -> rusqlite::Result<i64> {
    connection.pragma_query_value(None, pragma, |row| row.get(0))
}
