//! The questions of those who watch.

use rusqlite::{Connection, OptionalExtension, Row, named_params, params};

use super::SqliteStore;
use super::inspect::Bounds;
use crate::clock::Millis;
use crate::error::Result;
use crate::id::Key;
use crate::job::{JobFilter, LaneId, StrandId};
use crate::rollup::{Period, Rollups};
use crate::store::{Census, Inspect, Watching};

impl Watching for SqliteStore {
    fn rollups(&self, now: Millis, period: &Period) -> Result<Rollups> {
        self.rollups_of(now, period)
    }

    fn census(&self) -> Result<Vec<Census>> {
        self.read(|connection| {
            connection
                .prepare_cached(include_str!("sql/census.sql"))?
                .query_map([], census)?
                .collect()
        })
    }

    fn position(&self, job: Key, cap: u32) -> Result<Option<u32>> {
        self.read(|connection| {
            let snapshot = connection.unchecked_transaction()?;
            match Place::find(&snapshot, job)? {
                Some(place) => place.position(&snapshot, cap).map(Some),
                None => Ok(None),
            }
        })
    }

    fn count_up_to(&self, filter: &JobFilter, cap: u32) -> Result<u64> {
        let bounds = Bounds::of(filter);
        if bounds.are_none() && filter.metadata.is_none() && filter.error.is_none() {
            return Ok(self.count(filter)?.min(u64::from(cap)));
        }
        self.read(|connection| {
            connection
                .prepare_cached(include_str!("sql/count_some_jobs.sql"))?
                .query_row(
                    named_params! {
                        ":from": bounds.from,
                        ":to": bounds.to,
                        ":status": bounds.states,
                        ":queue": filter.queue,
                        ":task": filter.task,
                        ":created_from": bounds.created_from,
                        ":created_to": bounds.created_to,
                        ":metadata": filter.metadata,
                        ":error": filter.error,
                        ":cap": cap,
                    },
                    |row| row.get(0),
                )
        })
    }

    fn retrying(&self, cap: u32) -> Result<u32> {
        self.read(|connection| {
            connection
                .prepare_cached(include_str!("sql/retrying.sql"))?
                .query_row(params![cap], |row| row.get(0))
        })
    }
}

fn census(row: &Row<'_>) -> rusqlite::Result<Census> {
    let mut counts = [0; _];
    for (index, count) in counts.iter_mut().enumerate() {
        *count = row.get(index + 2)?;
    }
    Ok(Census {
        queue: row.get(0)?,
        task: row.get(1)?,
        counts,
    })
}

/// Where a pending job waits.
struct Place {
    key: Key,
    queue: String,
    lane: LaneId,
    strand: Option<StrandId>,
    priority: i32,
    run_at: Millis,
}

impl Place {
    fn find(connection: &Connection, key: Key) -> rusqlite::Result<Option<Self>> {
        connection
            .prepare_cached(include_str!("sql/place.sql"))?
            .query_row(params![key], |row| {
                Ok(Self {
                    key,
                    queue: row.get(0)?,
                    lane: row.get(1)?,
                    strand: row.get(2)?,
                    priority: row.get(3)?,
                    run_at: row.get(4)?,
                })
            })
            .optional()
    }

    fn position(&self, connection: &Connection, cap: u32) -> rusqlite::Result<u32> {
        let mut ready = connection.prepare_cached(include_str!("sql/ready_lanes_of.sql"))?;
        let lanes = ready.query_map(params![self.queue], |row| row.get(0))?;
        let mut places: Vec<(LaneId, Option<StrandId>)> = lanes
            .map(|lane| Ok((lane?, None)))
            .collect::<rusqlite::Result<_>>()?;
        if self.strand.is_some() {
            places.push((self.lane, self.strand));
        }
        let mut before = connection.prepare_cached(include_str!("sql/before.sql"))?;
        let mut position: u32 = 0;
        for (lane, strand) in places {
            let here: u32 = before.query_row(
                named_params! {
                    ":lane": lane, ":strand": strand, ":priority": self.priority,
                    ":run_at": self.run_at, ":id": self.key, ":cap": cap - position,
                },
                |row| row.get(0),
            )?;
            position += here;
        }
        Ok(position)
    }
}
