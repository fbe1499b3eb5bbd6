//! The questions about workflows.

use rusqlite::{Result, Row, named_params};

use super::SqliteStore;
use crate::error;
use crate::id::Key;
use crate::job::Stats;
use crate::links::Shape;
use crate::store::{Member, Tally, Tie, Workflows};

impl Workflows for SqliteStore {
    fn workflows(&self, before: Key, limit: u32) -> error::Result<Vec<Key>> {
        self.read(|connection| {
            connection
                .prepare_cached(include_str!("sql/workflows.sql"))?
                .query_map(named_params! {":before": before, ":limit": limit}, |row| {
                    row.get(0)
                })?
                .collect()
        })
    }

    fn tally(&self, workflow: Key, most: u32) -> error::Result<Tally> {
        self.read(|connection| {
            connection
                .prepare_cached(include_str!("sql/tally.sql"))?
                .query_row(named_params! {":workflow": workflow, ":most": most}, tally)
        })
    }

    fn members(&self, workflow: Key, after: Key, limit: u32) -> error::Result<Vec<Member>> {
        self.read(|connection| {
            connection
                .prepare_cached(include_str!("sql/members.sql"))?
                .query_map(
                    named_params! {":workflow": workflow, ":after": after, ":limit": limit},
                    member,
                )?
                .collect()
        })
    }

    fn ties(&self, workflow: Key, first: Key, last: Key) -> error::Result<Vec<Tie>> {
        self.read(|connection| {
            connection
                .prepare_cached(include_str!("sql/ties.sql"))?
                .query_map(
                    named_params! {":workflow": workflow, ":first": first, ":last": last},
                    tie,
                )?
                .collect()
        })
    }
}

fn tally(row: &Row<'_>) -> Result<Tally> {
    Ok(Tally {
        stats: Stats {
            pending: row.get(0)?,
            running: row.get(1)?,
            complete: row.get(2)?,
            dead: row.get(3)?,
            cancelled: row.get(4)?,
        },
        started_at: row.get(5)?,
        finished_at: row.get(6)?,
        failed: row.get(7)?,
    })
}

fn member(row: &Row<'_>) -> Result<Member> {
    let inputs: Option<String> = row.get(8)?;
    Ok(Member {
        key: row.get(0)?,
        queue: row.get(1)?,
        task: row.get(2)?,
        state: row.get(3)?,
        claimed_at: row.get(4)?,
        finished_at: row.get(5)?,
        letter: row.get(6)?,
        ended_by: row.get(7)?,
        inputs: inputs.as_deref().and_then(Shape::from_name),
    })
}

fn tie(row: &Row<'_>) -> Result<Tie> {
    Ok(Tie {
        job: row.get(0)?,
        parent: row.get(1)?,
        is_input: row.get(2)?,
    })
}
