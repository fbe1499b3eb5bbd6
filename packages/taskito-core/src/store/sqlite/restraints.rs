//! The questions about limits.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension, Result, Row, named_params, params};

use super::bars::{Bar, Bars, Gauge, Subject};
use super::strand::Strand;
use super::{SqliteStore, breaker, limiter};
use crate::breaker::Breaker;
use crate::clock::Millis;
use crate::error;
use crate::id::Key;
use crate::job::{LaneId, Stats, StrandId};
use crate::limits::{Hold, Limit, Opening, QueueRow, Scope, TaskLimits};
use crate::store::Restraints;

impl Restraints for SqliteStore {
    fn restrained_queues(&self) -> error::Result<Vec<String>> {
        let settings = self.read(limiter::queue_settings)?;
        let names = settings.into_iter().map(|setting| setting.name.to_string());
        Ok(names.collect())
    }

    fn queues(&self, now: Millis) -> error::Result<Vec<QueueRow>> {
        self.read(|connection| {
            // One transaction: its answers belong together.
            let snapshot = connection.unchecked_transaction()?;
            queues(&snapshot, now)
        })
    }

    fn breakers(&self) -> error::Result<Vec<(String, Breaker)>> {
        self.read(breaker::read_all)
    }

    fn task_limits(&self) -> error::Result<Vec<(String, Limit)>> {
        self.read(limiter::all_announced)
    }

    fn holds(&self, now: Millis, job: Key) -> error::Result<Vec<Hold>> {
        self.read(|connection| {
            let snapshot = connection.unchecked_transaction()?;
            match Waiting::read(&snapshot, job)? {
                Some(waiting) => waiting.holds(&snapshot, now),
                None => Ok(Vec::new()),
            }
        })
    }
}

fn queues(connection: &Connection, now: Millis) -> Result<Vec<QueueRow>> {
    let mut queues: BTreeMap<String, QueueRow> = BTreeMap::new();
    for setting in limiter::queue_settings(connection)? {
        let row = entry(&mut queues, &setting.name);
        row.paused = setting.paused;
        row.limit = setting.limit;
    }
    let mut oldest = due_scheduled(connection, now)?;
    let lanes: Vec<LaneRow> = connection
        .prepare_cached(include_str!("sql/lane_counts.sql"))?
        .query_map([], LaneRow::read)?
        .collect::<Result<_>>()?;
    for lane in lanes {
        if lane.stats == Stats::default() {
            continue;
        }
        let due = match lane.due {
            0 => None,
            _ => oldest_pending(connection, lane.id)?,
        };
        let row = entry(&mut queues, &lane.queue);
        row.stats = row.stats.plus(&lane.stats);
        let ages = [row.oldest_due_at, due, oldest.remove(&lane.id)];
        row.oldest_due_at = ages.into_iter().flatten().min();
    }
    Ok(queues.into_values().collect())
}

fn entry<'q>(queues: &'q mut BTreeMap<String, QueueRow>, name: &str) -> &'q mut QueueRow {
    queues.entry(name.to_owned()).or_insert_with(|| QueueRow {
        name: name.to_owned(),
        paused: false,
        limit: Limit::NONE,
        oldest_due_at: None,
        stats: Stats::default(),
    })
}

/// A lane and how many of its jobs stand where.
struct LaneRow {
    id: LaneId,
    queue: String,
    stats: Stats,
    /// Jobs that are pending, not scheduled or blocked.
    due: u64,
}

impl LaneRow {
    fn read(row: &Row<'_>) -> Result<Self> {
        Ok(Self {
            id: row.get(0)?,
            queue: row.get(1)?,
            due: row.get(2)?,
            stats: Stats {
                pending: row.get(3)?,
                running: row.get(4)?,
                complete: row.get(5)?,
                dead: row.get(6)?,
                cancelled: row.get(7)?,
            },
        })
    }
}

/// Since when the oldest pending job of a lane is due. Those that wait in no strand are looked
/// at priority by priority; the others one by one.
fn oldest_pending(connection: &Connection, lane: LaneId) -> Result<Option<Millis>> {
    let mut oldest: Option<Millis> = connection
        .prepare_cached(include_str!("sql/oldest_apart.sql"))?
        .query_row(params![lane], |row| row.get(0))?;
    let mut next = connection.prepare_cached(include_str!("sql/oldest_below.sql"))?;
    let mut below = i64::from(i32::MAX) + 1;
    while let Some((priority, run_at)) = next
        .query_row(params![lane, below], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?
    {
        below = priority;
        oldest = oldest.into_iter().chain([run_at]).min();
    }
    Ok(oldest)
}

/// The first job of each lane that is due but not pending yet: no worker has looked.
fn due_scheduled(connection: &Connection, now: Millis) -> Result<HashMap<LaneId, Millis>> {
    let mut oldest = HashMap::new();
    let mut due = connection.prepare_cached(include_str!("sql/due_scheduled.sql"))?;
    let mut rows = due.query(named_params! {":now": now})?;
    while let Some(row) = rows.next()? {
        oldest.entry(row.get(0)?).or_insert(row.get(1)?);
    }
    Ok(oldest)
}

/// A job that may be held back.
struct Waiting {
    queue: Arc<str>,
    task: Arc<str>,
    limit_key: Option<String>,
    strand: Option<StrandId>,
}

impl Waiting {
    fn read(connection: &Connection, job: Key) -> Result<Option<Self>> {
        connection
            .prepare_cached(include_str!("sql/limited.sql"))?
            .query_row(params![job], |row| {
                Ok(Self {
                    queue: row.get(0)?,
                    task: row.get(1)?,
                    limit_key: row.get(2)?,
                    strand: row.get(3)?,
                })
            })
            .optional()
    }

    fn holds(&self, connection: &Connection, now: Millis) -> Result<Vec<Hold>> {
        let limits = TaskLimits {
            limit: limiter::announced(connection, &self.task)?,
            breaker: breaker::read(connection, &self.task)?.map(|breaker| breaker.settings),
        };
        let mut bars = Bars::read(connection, now)?;
        let lane = bars.of_lane(connection, (&self.queue, &self.task), &limits)?;
        let mut found = lane.all;
        if self.limit_key.is_none() {
            found.extend(lane.unkeyed);
        }
        if let Some(strand) = self.strand {
            let strand = Strand::read(connection, strand)?;
            let own = bars.of_strand(connection, &strand, &limits.limit)?;
            found.extend(own.iter().map(|bar| bar.bar));
        }
        let holds = found
            .into_iter()
            .map(|bar| self.holds_of(bars.get(bar), now));
        Ok(holds.flatten().collect())
    }

    fn holds_of(&self, bar: &Bar, now: Millis) -> Vec<Hold> {
        match &bar.gauge {
            Gauge::Shut => vec![Hold::Paused {
                queue: self.queue.to_string(),
            }],
            Gauge::Breaker { breaker, probing } => {
                let opening = breaker.opening(now, *probing);
                let broken = (opening != Opening::Now).then(|| Hold::Broken {
                    task: self.task.to_string(),
                    until: opening.at(),
                });
                broken.into_iter().collect()
            }
            Gauge::Limiter(limiter) => limiter.holds(self.scope(&bar.subject), now),
        }
    }

    fn scope(&self, subject: &Subject) -> Scope {
        match (subject, &self.limit_key) {
            (Subject::Paused(queue) | Subject::Queue(queue), _) => Scope::Queue(queue.to_string()),
            (Subject::Task(task) | Subject::Breaker(task), _) => Scope::Task(task.to_string()),
            (Subject::Key(_), Some(key)) => Scope::Key {
                task: self.task.to_string(),
                key: key.clone(),
            },
            (Subject::Key(id) | Subject::Group(id), _) => Scope::Group(*id),
        }
    }
}
