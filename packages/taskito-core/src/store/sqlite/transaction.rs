//! One write transaction: the lanes it knows, the counters it owes.

use std::collections::{BTreeMap, HashMap};
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use rusqlite::{Connection, ErrorCode, OptionalExtension, Result, Row, ffi, named_params, params};

use super::metrics::Stopwatch;
use super::strand::Debt;
use crate::clock::Millis;
use crate::id::{DatabaseId, Key, KeySource};
use crate::job::{LaneId, Spot, StrandId};
use crate::state::State;

/// So many keys in a row are never taken by chance: something else is wrong then.
const MOST_TRIES: u32 = 10_000;

/// The lanes of a database by number and by name. They are never removed, so a connection
/// remembers them; a rolled-back transaction forgets all, as it may have added some.
#[derive(Default)]
pub(super) struct Lanes {
    by_name: HashMap<Arc<str>, HashMap<Arc<str>, LaneId>>,
    by_id: HashMap<LaneId, Lane>,
}

/// Which jobs a lane holds.
#[derive(Clone)]
pub(super) struct Lane {
    pub(super) queue: Arc<str>,
    pub(super) task: Arc<str>,
}

impl Lane {
    /// From the columns `queue, task`.
    pub(super) fn read(row: &Row<'_>, index: usize) -> Result<Self> {
        Ok(Self {
            queue: row.get(index)?,
            task: row.get(index + 1)?,
        })
    }
}

impl Lanes {
    /// The lane of a queue and task, added if there is none yet.
    pub(super) fn find_or_add(
        &mut self,
        connection: &Connection,
        queue: &Arc<str>,
        task: &Arc<str>,
    ) -> Result<LaneId> {
        if let Some(lane) = self.by_name.get(task).and_then(|lanes| lanes.get(queue)) {
            return Ok(*lane);
        }
        let found = connection
            .prepare_cached(include_str!("sql/find_lane.sql"))?
            .query_row(named_params! {":queue": queue, ":task": task}, |row| {
                row.get(0)
            })
            .optional()?;
        let id = if let Some(id) = found {
            id
        } else {
            connection
                .prepare_cached(include_str!("sql/add_lane.sql"))?
                .execute(named_params! {":queue": queue, ":task": task})?;
            LaneId(connection.last_insert_rowid())
        };
        self.remember(id, queue, task);
        Ok(id)
    }

    /// Queue and task of a lane; `read` reads them when they are not known yet.
    pub(super) fn name(&mut self, id: LaneId, read: impl FnOnce() -> Result<Lane>) -> Result<Lane> {
        if !self.by_id.contains_key(&id) {
            let Lane { queue, task } = read()?;
            self.remember(id, &queue, &task);
        }
        Ok(self.by_id[&id].clone())
    }

    fn remember(&mut self, id: LaneId, queue: &Arc<str>, task: &Arc<str>) {
        self.by_name
            .entry(Arc::clone(task))
            .or_default()
            .insert(Arc::clone(queue), id);
        let lane = Lane {
            queue: Arc::clone(queue),
            task: Arc::clone(task),
        };
        self.by_id.insert(id, lane);
    }
}

/// What a transaction owes to the counters of each lane, and whom its commit concerns.
#[derive(Default)]
pub(super) struct Tally {
    owed: HashMap<LaneId, Owed>,
    strands: BTreeMap<StrandId, Debt>,
    pub(super) news: News,
}

/// What a transaction owes to the counters of a lane.
#[derive(Clone, Copy, Default)]
struct Owed {
    states: [i64; State::ALL.len()],
    keyed: i64,
}

/// Whom a commit concerns.
#[derive(Clone, Copy, Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "any of them may be concerned"
)]
pub(super) struct News {
    /// Workers: a job waits.
    pub(super) work: bool,
    /// Those who wait for a result: a job is finished.
    pub(super) finished: bool,
    /// Workers that are held back: a job ended that a limit may have counted.
    pub(super) freed: bool,
    /// Workers: what they hold or may run was changed from outside.
    pub(super) control: bool,
    /// Those who wait for a lock: one was given back.
    pub(super) unlocked: bool,
}

impl Tally {
    /// One job entered `state`.
    pub(super) fn enters(&mut self, spot: Spot, state: State) {
        self.owed.entry(spot.lane).or_default().states[state as usize] += 1;
        if let Some(strand) = spot.strand {
            self.strands.entry(strand).or_default().enters(state);
        }
        match state {
            State::Scheduled | State::Pending => self.news.work = true,
            State::Blocked | State::Running => {}
            State::Complete | State::Dead | State::Cancelled => self.news.finished = true,
        }
    }

    /// One job moved along an arrow.
    pub(super) fn moves(&mut self, spot: Spot, from: State, to: State) {
        self.owed.entry(spot.lane).or_default().states[from as usize] -= 1;
        self.news.freed |= from == State::Running;
        if let Some(strand) = spot.strand {
            self.strands.entry(strand).or_default().leaves(from);
        }
        self.enters(spot, to);
    }

    /// So many jobs of a lane more run that have a limit key.
    pub(super) fn runs_keyed(&mut self, lane: LaneId, count: i64) {
        self.owed.entry(lane).or_default().keyed += count;
    }

    /// The head of a strand was brought up to date.
    pub(super) fn settles(&mut self, strand: StrandId) {
        self.strands.entry(strand).or_default().settles();
    }

    /// What is owed to strands; the caller pays it.
    pub(super) fn strand_debts(&mut self) -> BTreeMap<StrandId, Debt> {
        std::mem::take(&mut self.strands)
    }

    /// Workers should look at what they hold and at what holds them back.
    pub(super) fn controls(&mut self) {
        self.news.control = true;
    }

    /// A lock was given back.
    pub(super) fn unlocks(&mut self) {
        self.news.unlocked = true;
    }

    /// One finished job of `lane` is gone.
    pub(super) fn leaves(&mut self, lane: LaneId, state: State) {
        self.owed.entry(lane).or_default().states[state as usize] -= 1;
    }

    /// There was more to claim than this transaction came to.
    pub(super) fn leaves_work(&mut self) {
        self.news.work = true;
    }

    /// Pays what is owed to lanes: writes the counters.
    fn write(&mut self, connection: &Connection) -> Result<()> {
        if self.owed.is_empty() {
            return Ok(());
        }
        let mut count = connection.prepare_cached(include_str!("sql/count.sql"))?;
        let mut count_ready = connection.prepare_cached(include_str!("sql/count_ready.sql"))?;
        for (lane, owed) in self.owed.drain() {
            let [
                blocked,
                scheduled,
                pending,
                running,
                complete,
                dead,
                cancelled,
            ] = owed.states;
            let keyed = owed.keyed;
            count.execute(params![
                blocked, scheduled, pending, running, complete, dead, cancelled, keyed, lane
            ])?;
            if pending != 0 {
                count_ready.execute(params![lane])?;
            }
        }
        Ok(())
    }
}

/// An open write transaction. Dropping it without [`Self::finish`] owes nothing to anybody:
/// the connection rolls back.
pub(super) struct SqliteTransaction<'c> {
    pub(super) connection: &'c Connection,
    pub(super) lanes: &'c mut Lanes,
    pub(super) keys: &'c KeySource,
    pub(super) path: &'c Path,
    pub(super) database: DatabaseId,
    pub(super) tally: Tally,
    pub(super) stopwatch: Stopwatch,
    /// Whether any job is blocked, once that was asked.
    pub(super) blocked: Option<bool>,
    /// Keys of which none is that of a parent, once that was asked.
    pub(super) childless: Option<Range<Key>>,
}

impl<'c> SqliteTransaction<'c> {
    pub(super) fn new(
        connection: &'c Connection,
        lanes: &'c mut Lanes,
        keys: &'c KeySource,
        path: &'c Path,
        database: DatabaseId,
    ) -> Self {
        Self {
            connection,
            lanes,
            keys,
            path,
            database,
            tally: Tally::default(),
            stopwatch: Stopwatch::default(),
            blocked: None,
            childless: None,
        }
    }

    /// Stores something under a new key; under another one when that key is taken.
    pub(super) fn with_new_key<T>(
        &self,
        now: Millis,
        mut store: impl FnMut(Key) -> Result<T>,
    ) -> Result<T> {
        let mut tries = 0;
        loop {
            match store(self.keys.next(now)) {
                Err(error) if is_taken_key(&error) && tries < MOST_TRIES => tries += 1,
                answer => return answer,
            }
        }
    }

    /// Brings every counter up to date.
    pub(super) fn pay(&mut self) -> Result<()> {
        self.pay_strands()?;
        self.tally.write(self.connection)
    }

    /// Writes run times and counters; the caller commits and tells the news.
    pub(super) fn finish(mut self) -> Result<News> {
        self.write_metrics()?;
        self.pay()?;
        Ok(self.tally.news)
    }
}

/// Whether another process drew the same key in the same millisecond. Keys are primary keys,
/// or the only unique value that the statement sets.
fn is_taken_key(error: &rusqlite::Error) -> bool {
    let rusqlite::Error::SqliteFailure(failure, _) = error else {
        return false;
    };
    failure.code == ErrorCode::ConstraintViolation
        && matches!(
            failure.extended_code,
            ffi::SQLITE_CONSTRAINT_PRIMARYKEY
                | ffi::SQLITE_CONSTRAINT_ROWID
                | ffi::SQLITE_CONSTRAINT_UNIQUE
        )
}
