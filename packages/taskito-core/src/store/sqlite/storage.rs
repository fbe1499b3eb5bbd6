//! How the file is kept, for people who look after it.

use rusqlite::{Connection, OptionalExtension, named_params};

use super::SqliteStore;
use crate::clock::Millis;
use crate::error::Result;
use crate::id::Key;

/// How a database is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Storage {
    /// How commits are kept, as `SQLite` calls it.
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

    /// How many jobs that were stored before then are over, among the `most` oldest of them.
    ///
    /// # Errors
    /// Storage failures.
    pub fn outlived_by(&self, before: Millis, most: u32) -> Result<u32> {
        self.read(|connection| {
            connection
                .prepare_cached(include_str!("sql/outlived_by.sql"))?
                .query_row(
                    named_params! {":before": Key::first_at(before), ":limit": most},
                    |row| row.get(0),
                )
        })
    }
}

fn number(connection: &Connection, pragma: &str) -> rusqlite::Result<i64> {
    connection.pragma_query_value(None, pragma, |row| row.get(0))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use super::*;
    use crate::job::{JobSpec, NewJob};
    use crate::store::{JobStore, Sync};

    #[test]
    fn the_oldest_job_and_what_is_over_are_told() {
        let store = SqliteStore::new(":memory:", Sync::Relaxed);
        let now = store.now();
        let empty = store.storage().unwrap();
        assert_eq!((&*empty.journal_mode, empty.oldest_at), ("memory", None));
        assert!(empty.cache > 0);
        let jobs = ["a", "b", "c"].map(|task| NewJob::new(Arc::new(JobSpec::new(task)), vec![]));
        let keys = store.enqueue(jobs.into()).unwrap();
        assert!(store.storage().unwrap().oldest_at >= Some(now));
        let later = store.now().plus(Duration::from_secs(1));
        assert_eq!(store.outlived_by(later, 10).unwrap(), 0);
        for job in &keys[..2] {
            store
                .write(Sync::Relaxed, &mut |t| t.cancel(later, job.key).map(|_| ()))
                .unwrap();
        }
        assert_eq!(store.outlived_by(later, 10).unwrap(), 2);
        assert_eq!(store.outlived_by(later, 1).unwrap(), 1);
        assert_eq!(store.outlived_by(now, 10).unwrap(), 0);
    }
}
