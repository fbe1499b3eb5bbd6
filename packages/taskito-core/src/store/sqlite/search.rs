//! Searching jobs by a filter, stretch by stretch. States and lanes are told apart by the statement,
//! all else by [`Filter::meets`]; every store asks that, so they agree on what a filter means.

use std::collections::HashMap;
use std::time::Instant;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension, Result, Row, named_params};

use super::{SqliteStore, row};
use crate::call_text::Call;
use crate::cause::Fingerprint;
use crate::clock::Millis;
use crate::error;
use crate::filter::{Candidate, Filter};
use crate::id::{DatabaseId, Key};
use crate::job::{LaneId, WorkerId};
use crate::state::State;
use crate::store::bulk::{Direction, Found, Search, Sight};

/// How many jobs are looked at between two looks at the clock: few at first, as most lists are full
/// soon, then up to so many.
const STRETCHES: (u64, u64) = (500, 10_000);

/// As many jobs of groups of failures are.
const PORTION: usize = 500;

/// A lane, and how many of its jobs stand where.
struct LaneTotals {
    id: LaneId,
    queue: String,
    task: String,
    states: [u64; State::ALL.len()],
}

/// What one who compares jobs with a filter must know.
pub(super) struct Examiner<'a> {
    filter: &'a Filter,
    now: Millis,
    database: DatabaseId,
    lanes: HashMap<LaneId, LaneTotals>,
    workers: HashMap<WorkerId, String>,
}

impl<'a> Examiner<'a> {
    pub(super) fn new(
        connection: &Connection,
        filter: &'a Filter,
        now: Millis,
        database: DatabaseId,
    ) -> Result<Self> {
        let lanes = lanes(connection)?;
        Ok(Self {
            filter,
            now,
            database,
            lanes: lanes.into_iter().map(|lane| (lane.id, lane)).collect(),
            workers: if filter.reads_workers() {
                workers(connection, database)?
            } else {
                HashMap::new()
            },
        })
    }

    /// A job, if it meets the filter.
    pub(super) fn sight(&self, connection: &Connection, job: Key) -> Result<Option<Sight>> {
        let calls = self.filter.reads_calls();
        connection
            .prepare_cached(include_str!("sql/sight.sql"))?
            .query_row(named_params! {":id": job, ":calls": calls}, |row| {
                let sight = Sight {
                    state: row.get(2)?,
                    letter: row.get(14)?,
                };
                Ok(self.meets(row)?.then_some(sight))
            })
            .optional()
            .map(Option::flatten)
    }

    fn meets(&self, row: &Row<'_>) -> Result<bool> {
        let Some(lane) = self.lanes.get(&row.get(1)?) else {
            return Ok(false);
        };
        let owner: Option<WorkerId> = row.get(10)?;
        let worker = owner.and_then(|owner| self.workers.get(&owner));
        let job = Candidate {
            key: row.get(0)?,
            queue: &lane.queue,
            task: &lane.task,
            state: row.get(2)?,
            retry_count: row.get(3)?,
            created_at: row.get(4)?,
            run_at: row.get(5)?,
            claimed_at: row.get(6)?,
            finished_at: row.get(7)?,
            metadata: text(row.get_ref(8)?),
            error: text(row.get_ref(9)?),
            failure: row.get(11)?,
            call: Call {
                preview: text(row.get_ref(12)?),
                payload: text(row.get_ref(13)?),
            },
            worker: worker.map(String::as_str),
        };
        Ok(self.filter.meets(&job, self.now, self.database))
    }

    /// The states and lanes that jobs can have, each between blanks; `None` is all. How many jobs
    /// there are of those.
    fn prospects(&self) -> (Option<String>, Option<String>, u64) {
        let mut states = [false; State::ALL.len()];
        let (mut lanes, mut number) = (Vec::new(), 0);
        for lane in self.lanes.values() {
            let possible = lane.possible(self.filter);
            for state in possible.iter().copied() {
                states[state as usize] = true;
                number += lane.states[state as usize];
            }
            if !possible.is_empty() {
                lanes.push(lane.id.0.to_string());
            }
        }
        let named = State::ALL.into_iter().filter(|it| states[*it as usize]);
        let words: Vec<&str> = named.map(State::name).collect();
        let all_states = words.len() == State::ALL.len();
        let all_lanes = lanes.len() == self.lanes.len();
        (
            (!all_states).then(|| between_blanks(&words)),
            (!all_lanes).then(|| between_blanks(&lanes)),
            number,
        )
    }
}

impl LaneTotals {
    /// The states in which jobs of this lane may meet a filter.
    fn possible(&self, filter: &Filter) -> Vec<State> {
        let may = |state: &State| filter.may_meet(&self.queue, &self.task, *state);
        State::ALL.into_iter().filter(may).collect()
    }
}

fn between_blanks<T: std::borrow::Borrow<str>>(words: &[T]) -> String {
    format!(" {} ", words.join("  "))
}

impl SqliteStore {
    pub(super) fn search_jobs(&self, search: &Search<'_>) -> error::Result<Found> {
        let begin = Instant::now();
        let database = crate::store::Inspect::database(self)?;
        let (mut from, mut to) = search.filter.keys(search.now);
        from = from.max(Key(search.after.0.saturating_add(1)));
        to = to.min(Key(search.before.0.saturating_sub(1)));
        let examiner = self.read(|it| Examiner::new(it, search.filter, search.now, database))?;
        let (states, lanes, number) = examiner.prospects();
        let mut found = Found::default();
        // Jobs may come to match while an operation is under way; it meets them further on.
        let may_end_early = search.direction == Direction::NewestFirst;
        if may_end_early && number == 0 {
            return Ok(found);
        }
        if let Some(groups) = search.filter.failures() {
            let mut keys = self.read(|it| failed(it, groups, from, to))?;
            keys.sort_unstable();
            if search.direction == Direction::NewestFirst {
                keys.reverse();
            }
            return self.look_through(&keys, search, &examiner, begin);
        }
        let mut passed = 0;
        let mut length = STRETCHES.0;
        while from <= to {
            length = length
                .min(search.budget.saturating_sub(found.examined))
                .max(1);
            let stretch = Stretch {
                direction: search.direction,
                from,
                to,
                length,
                states: states.as_deref(),
                lanes: lanes.as_deref(),
                calls: search.filter.reads_calls(),
            };
            let end = self.read(|connection| {
                let end = stretch.end(connection)?;
                let bounded = stretch.until(end);
                passed += bounded.collect(connection, &examiner, search.limit, &mut found.keys)?;
                Ok(end)
            })?;
            if found.keys.len() >= search.limit as usize {
                found.next = found.keys.last().copied();
                return Ok(found);
            }
            let Some(end) = end else {
                return Ok(found);
            };
            found.examined += length;
            length = STRETCHES.1.min(length * 4);
            if may_end_early && passed >= number {
                return Ok(found);
            }
            if found.examined >= search.budget || begin.elapsed() >= search.patience {
                found.next = Some(end);
                return Ok(found);
            }
            match search.direction {
                Direction::NewestFirst => to = Key(end.0 - 1),
                Direction::OldestFirst => from = Key(end.0 + 1),
            }
        }
        Ok(found)
    }

    /// Those among a few jobs, in the order of the search, that meet its filter.
    fn look_through(
        &self,
        keys: &[Key],
        search: &Search<'_>,
        examiner: &Examiner<'_>,
        begin: Instant,
    ) -> error::Result<Found> {
        let mut found = Found::default();
        for some in keys.chunks(PORTION) {
            let full = self.read(|connection| {
                for key in some {
                    if examiner.sight(connection, *key)?.is_some() {
                        found.keys.push(*key);
                    }
                    if found.keys.len() >= search.limit as usize {
                        return Ok(true);
                    }
                }
                Ok(false)
            })?;
            if full {
                found.next = found.keys.last().copied();
                return Ok(found);
            }
            found.examined += some.len() as u64;
            if found.examined >= search.budget || begin.elapsed() >= search.patience {
                found.next = some.last().copied().filter(|end| keys.last() != Some(end));
                return Ok(found);
            }
        }
        Ok(found)
    }

    pub(super) fn count_by_lane(&self, filter: &Filter) -> error::Result<u64> {
        let lanes = self.read(lanes)?;
        let of_lane = |lane: &LaneTotals| -> u64 {
            let possible = lane.possible(filter).into_iter();
            possible.map(|state| lane.states[state as usize]).sum()
        };
        Ok(lanes.iter().map(of_lane).sum())
    }
}

/// Jobs with neighbouring keys.
#[derive(Clone, Copy)]
struct Stretch<'a> {
    direction: Direction,
    from: Key,
    to: Key,
    length: u64,
    states: Option<&'a str>,
    lanes: Option<&'a str>,
    calls: bool,
}

impl Stretch<'_> {
    /// The last of as many jobs as are looked at in one go; `None` if there are fewer.
    fn end(&self, connection: &Connection) -> Result<Option<Key>> {
        let statement = match self.direction {
            Direction::NewestFirst => include_str!("sql/stretch_newest.sql"),
            Direction::OldestFirst => include_str!("sql/stretch_oldest.sql"),
        };
        connection
            .prepare_cached(statement)?
            .query_row(
                named_params! {":from": self.from, ":to": self.to, ":length": self.length - 1},
                |row| row.get(0),
            )
            .optional()
    }

    fn until(self, end: Option<Key>) -> Self {
        match (self.direction, end) {
            (_, None) => self,
            (Direction::NewestFirst, Some(from)) => Self { from, ..self },
            (Direction::OldestFirst, Some(to)) => Self { to, ..self },
        }
    }

    /// Adds the jobs that meet the filter, up to `limit`; how many might have.
    fn collect(
        &self,
        connection: &Connection,
        examiner: &Examiner<'_>,
        limit: u32,
        keys: &mut Vec<Key>,
    ) -> Result<u64> {
        let statement = match self.direction {
            Direction::NewestFirst => include_str!("sql/search_newest.sql"),
            Direction::OldestFirst => include_str!("sql/search_oldest.sql"),
        };
        let mut statement = connection.prepare_cached(statement)?;
        let mut rows = statement.query(named_params! {
            ":from": self.from, ":to": self.to, ":states": self.states, ":lanes": self.lanes,
            ":calls": self.calls,
        })?;
        let mut passed = 0;
        while keys.len() < limit as usize
            && let Some(row) = rows.next()?
        {
            passed += 1;
            if examiner.meets(row)? {
                keys.push(row.get(0)?);
            }
        }
        Ok(passed)
    }
}

/// The jobs between two whose last failure is of one of the groups from one to another.
fn failed(
    connection: &Connection,
    (first, last): (Fingerprint, Fingerprint),
    from: Key,
    to: Key,
) -> Result<Vec<Key>> {
    connection
        .prepare_cached(include_str!("sql/failed_jobs.sql"))?
        .query_map(
            named_params! {":first": first, ":last": last, ":from": from, ":to": to},
            |row| row.get(0),
        )?
        .collect()
}

fn lanes(connection: &Connection) -> Result<Vec<LaneTotals>> {
    connection
        .prepare_cached(include_str!("sql/lane_totals.sql"))?
        .query_map([], |row| {
            let mut states = [0; State::ALL.len()];
            for (place, number) in states.iter_mut().enumerate() {
                *number = row.get(3 + place)?;
            }
            Ok(LaneTotals {
                id: row.get(0)?,
                queue: row.get(1)?,
                task: row.get(2)?,
                states,
            })
        })?
        .collect()
}

/// The names of each worker, parted by blanks: machine, process, id.
fn workers(connection: &Connection, database: DatabaseId) -> Result<HashMap<WorkerId, String>> {
    connection
        .prepare_cached(include_str!("sql/workers.sql"))?
        .query_map([], row::worker)?
        .map(|worker| {
            let worker = worker?;
            let (host, pid) = (&worker.about.hostname, worker.about.pid);
            let id = worker.key.text(database);
            Ok((worker.id, format!("{host} {host}:{pid} {id}")))
        })
        .collect()
}

/// Text, or bytes that are text.
fn text(value: ValueRef<'_>) -> Option<&str> {
    match value {
        ValueRef::Text(bytes) | ValueRef::Blob(bytes) => std::str::from_utf8(bytes).ok(),
        _ => None,
    }
}
