//! The questions of those who delete.

use rusqlite::{OptionalExtension, named_params, params};

use super::{SqliteStore, row};
use crate::clock::Millis;
use crate::error::Result;
use crate::id::Key;
use crate::job::LaneId;
use crate::store::{Passed, Survey};

impl Survey for SqliteStore {
    fn walk(&self, after: Key, limit: u32) -> Result<Vec<Passed>> {
        self.read(|connection| {
            connection
                .prepare_cached(include_str!("sql/walk.sql"))?
                .query_map(params![after, limit], row::passed)?
                .collect()
        })
    }

    fn outlived(&self, now: Millis, limit: u32) -> Result<Vec<Key>> {
        self.read(|connection| {
            connection
                .prepare_cached(include_str!("sql/outlived.sql"))?
                .query_map(named_params! {":now": now, ":limit": limit}, |row| {
                    row.get(0)
                })?
                .collect()
        })
    }

    fn next_expiry(&self) -> Result<Option<Millis>> {
        self.read(|connection| {
            connection
                .prepare_cached(include_str!("sql/next_expiry.sql"))?
                .query_row([], |row| row.get(0))
                .optional()
        })
    }

    fn lanes(&self, queue: Option<&str>, task: Option<&str>) -> Result<Vec<LaneId>> {
        self.read(|connection| {
            connection
                .prepare_cached(include_str!("sql/lanes.sql"))?
                .query_map(named_params! {":queue": queue, ":task": task}, |row| {
                    row.get(0)
                })?
                .collect()
        })
    }
}
