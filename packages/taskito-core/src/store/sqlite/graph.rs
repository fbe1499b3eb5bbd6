//! The questions about which job waits for which.

use std::collections::HashSet;

use rusqlite::named_params;

use super::SqliteStore;
use crate::error::Result;
use crate::id::Key;
use crate::store::Graph;

impl Graph for SqliteStore {
    fn dependencies(&self, job: Key) -> Result<Vec<Key>> {
        let mut parents: Vec<Key> = self.read(|connection| {
            connection
                .prepare_cached(include_str!("sql/dependencies.sql"))?
                .query_map(named_params! {":job": job}, |row| row.get(0))?
                .collect()
        })?;
        let mut seen = HashSet::new();
        parents.retain(|parent| seen.insert(*parent));
        Ok(parents)
    }

    fn dependents(&self, job: Key) -> Result<Vec<Key>> {
        self.read(|connection| {
            connection
                .prepare_cached(include_str!("sql/dependents.sql"))?
                .query_map(named_params! {":parent": job}, |row| row.get(0))?
                .collect()
        })
    }
}
