//! One write transaction: the lanes it knows, the counters it owes.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use rusqlite::{Connection, ErrorCode, OptionalExtension, Result, ffi, named_params, params};

use crate::clock::Millis;
use crate::id::{DatabaseId, Key, KeySource};
use crate::job::LaneId;
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

    /// Queue and task of a lane; `name` reads them when they are not known yet.
    pub(super) fn name(
        &mut self,
        id: LaneId,
        name: impl FnOnce() -> Result<(Arc<str>, Arc<str>)>,
    ) -> Result<Lane> {
        if !self.by_id.contains_key(&id) {
            let (queue, task) = name()?;
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
    owed: HashMap<LaneId, [i64; State::ALL.len()]>,
    pub(super) news: News,
}

/// Whom a commit concerns.
#[derive(Clone, Copy, Default)]
pub(super) struct News {
    /// Workers: a job waits.
    pub(super) work: bool,
    /// Those who wait for a result: a job is finished.
    pub(super) finished: bool,
    /// Workers: what they hold or may run was changed from outside.
    pub(super) control: bool,
}

impl Tally {
    /// One job of `lane` entered `state`.
    pub(super) fn enters(&mut self, lane: LaneId, state: State) {
        self.owed.entry(lane).or_default()[state as usize] += 1;
        match state {
            State::Scheduled | State::Pending => self.news.work = true,
            State::Blocked | State::Running => {}
            State::Complete | State::Dead | State::Cancelled => self.news.finished = true,
        }
    }

    /// One job of `lane` moved along an arrow.
    pub(super) fn moves(&mut self, lane: LaneId, from: State, to: State) {
        self.owed.entry(lane).or_default()[from as usize] -= 1;
        self.enters(lane, to);
    }

    /// One finished job of `lane` is gone.
    pub(super) fn leaves(&mut self, lane: LaneId, state: State) {
        self.owed.entry(lane).or_default()[state as usize] -= 1;
    }

    /// There was more to claim than this transaction came to.
    pub(super) fn leaves_work(&mut self) {
        self.news.work = true;
    }

    /// Pays: writes the counters.
    pub(super) fn write(&mut self, connection: &Connection) -> Result<()> {
        if self.owed.is_empty() {
            return Ok(());
        }
        let mut count = connection.prepare_cached(include_str!("sql/count.sql"))?;
        for (lane, owed) in self.owed.drain() {
            let [
                blocked,
                scheduled,
                pending,
                running,
                complete,
                dead,
                cancelled,
            ] = owed;
            count.execute(params![
                blocked, scheduled, pending, running, complete, dead, cancelled, lane
            ])?;
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
    /// Whether any job is blocked, once that was asked.
    pub(super) blocked: Option<bool>,
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
            blocked: None,
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

    /// Writes the counters; the caller commits and tells the news.
    pub(super) fn finish(mut self) -> Result<News> {
        self.tally.write(self.connection)?;
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
