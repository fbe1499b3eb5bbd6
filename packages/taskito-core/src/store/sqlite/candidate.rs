//! Which of the jobs that could be claimed runs first.

use std::cmp::Reverse;

use rusqlite::{Result, Row};

use crate::id::Key;

/// What decides who runs first within a queue: the greatest goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Rank(i32, Reverse<i64>, Reverse<i64>);

/// A job that could be claimed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Candidate {
    pub(super) key: Key,
    pub(super) priority: i32,
    pub(super) run_at: i64,
}

impl Candidate {
    /// A row of `id, priority, run_at`, the first of which is at `index`.
    pub(super) fn read(row: &Row<'_>, index: usize) -> Result<Self> {
        Ok(Self {
            key: row.get(index)?,
            priority: row.get(index + 1)?,
            run_at: row.get(index + 2)?,
        })
    }

    pub(super) fn rank(&self) -> Rank {
        Rank(self.priority, Reverse(self.run_at), Reverse(self.key.0))
    }
}
