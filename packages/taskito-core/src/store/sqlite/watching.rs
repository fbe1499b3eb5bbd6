//! The questions of those who watch.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension, Row, named_params, params};

use super::candidate::Candidate;
use super::{SqliteStore, row};
use crate::clock::Millis;
use crate::error::Result;
use crate::id::Key;
use crate::job::{JobRow, LaneId, StrandId};
use crate::rollup::{Period, Rollups};
use crate::store::{Arrivals, Census, Delayed, Watching};

/// Of jobs that are due and not promoted yet, so many are looked at to tell who is next.
const MOST_DUE: u32 = 1000;

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

    fn arrivals(&self, since: Millis, cap: u32) -> Result<Arrivals> {
        self.read(|connection| {
            let snapshot = connection.unchecked_transaction()?;
            arrivals(&snapshot, since, cap)
        })
    }

    fn delayed(&self, now: Millis, cap: u32) -> Result<Delayed> {
        self.read(|connection| {
            let snapshot = connection.unchecked_transaction()?;
            let mut due: BTreeMap<String, u32> = BTreeMap::new();
            let mut late = snapshot.prepare_cached(include_str!("sql/queues_of_due.sql"))?;
            let queues =
                late.query_map(named_params! {":now": now, ":cap": cap}, |row| row.get(0))?;
            for queue in queues {
                *due.entry(queue?).or_default() += 1;
            }
            let are_all_due = due.values().sum::<u32>() < cap;
            snapshot
                .prepare_cached(include_str!("sql/retrying.sql"))?
                .query_row(named_params! {":now": now, ":cap": cap}, |row| {
                    let seen: u32 = row.get(2)?;
                    Ok(Delayed {
                        due: due.clone(),
                        retrying: row.get(0)?,
                        next_retry: row.get(1)?,
                        is_whole: are_all_due && seen < cap,
                    })
                })
        })
    }

    fn deaths(&self, since: Millis, cap: u32) -> Result<u32> {
        self.read(|connection| {
            connection
                .prepare_cached(include_str!("sql/deaths.sql"))?
                .query_row(
                    named_params! {":from": Key::first_at(since), ":cap": cap},
                    |row| row.get(0),
                )
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

    fn next_jobs(&self, queue: &str, now: Millis, limit: u32) -> Result<Vec<JobRow>> {
        self.read(|connection| {
            let snapshot = connection.unchecked_transaction()?;
            let line = Line {
                connection: &snapshot,
                queue,
                now,
                limit,
            };
            line.jobs()
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

fn arrivals(connection: &Connection, since: Millis, cap: u32) -> rusqlite::Result<Arrivals> {
    let mut lanes: BTreeMap<LaneId, u64> = BTreeMap::new();
    let (mut first, mut number) = (since, 0);
    let mut newest = connection.prepare_cached(include_str!("sql/arrivals.sql"))?;
    let mut rows = newest.query(named_params! {
        ":from": Key::first_at(since), ":since": since, ":cap": cap,
    })?;
    while let Some(row) = rows.next()? {
        *lanes.entry(row.get(0)?).or_default() += 1;
        number += 1;
        if number == cap {
            first = row.get(1)?;
        }
    }
    let mut queues: BTreeMap<String, u64> = BTreeMap::new();
    let mut lane = connection.prepare_cached(include_str!("sql/lane.sql"))?;
    for (id, count) in lanes {
        *queues
            .entry(lane.query_row(params![id], |row| row.get(0))?)
            .or_default() += count;
    }
    Ok(Arrivals {
        since: first,
        queues: queues.into_iter().collect(),
    })
}

/// Those of a queue who are next.
struct Line<'a> {
    connection: &'a Connection,
    queue: &'a str,
    now: Millis,
    limit: u32,
}

impl Line<'_> {
    fn jobs(&self) -> rusqlite::Result<Vec<JobRow>> {
        let mut first = self.candidates()?;
        first.sort_by_key(|candidate| Reverse(candidate.rank()));
        first.truncate(self.limit as usize);
        let mut job = self
            .connection
            .prepare_cached(include_str!("sql/job.sql"))?;
        let mut jobs = Vec::with_capacity(first.len());
        for candidate in first {
            jobs.push(job.query_row(params![candidate.key], row::job)?);
        }
        // A claim that meets these cancels them.
        jobs.retain(|job| job.expires_at.is_none_or(|at| at > self.now));
        Ok(jobs)
    }

    /// The first of every line that a claim looks at, and what it would promote before.
    fn candidates(&self) -> rusqlite::Result<Vec<Candidate>> {
        let mut found = Vec::new();
        let mut due = self
            .connection
            .prepare_cached(include_str!("sql/due_of_queue.sql"))?;
        let due = due.query_map(
            named_params! {":queue": self.queue, ":now": self.now, ":cap": MOST_DUE},
            |row| Candidate::read(row, 0),
        )?;
        for candidate in due {
            found.push(candidate?);
        }
        let mut ready = self
            .connection
            .prepare_cached(include_str!("sql/ready_lanes_of.sql"))?;
        let lanes = ready.query_map(params![self.queue], |row| row.get(0))?;
        for lane in lanes {
            let lane: LaneId = lane?;
            self.read(include_str!("sql/next_in_lane.sql"), lane, &mut found)?;
            self.read(include_str!("sql/next_suspects.sql"), lane, &mut found)?;
            for strand in self.strands(lane)? {
                let mut next = self
                    .connection
                    .prepare_cached(include_str!("sql/next_few_in_strand.sql"))?;
                let jobs = next.query_map(params![lane, strand, self.limit], |row| {
                    Candidate::read(row, 0)
                })?;
                for candidate in jobs {
                    found.push(candidate?);
                }
            }
        }
        Ok(found)
    }

    fn read(
        &self,
        statement: &str,
        lane: LaneId,
        into: &mut Vec<Candidate>,
    ) -> rusqlite::Result<()> {
        let mut next = self.connection.prepare_cached(statement)?;
        let jobs = next.query_map(params![lane, self.limit], |row| Candidate::read(row, 0))?;
        for candidate in jobs {
            into.push(candidate?);
        }
        Ok(())
    }

    fn strands(&self, lane: LaneId) -> rusqlite::Result<Vec<StrandId>> {
        let mut next = self
            .connection
            .prepare_cached(include_str!("sql/next_ready_strands.sql"))?;
        let mut strands = Vec::new();
        for keyed in [true, false] {
            for strand in next.query_map(params![lane, keyed, self.limit], |row| row.get(0))? {
                strands.push(strand?);
            }
        }
        Ok(strands)
    }
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
