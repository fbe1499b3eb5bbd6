//! Strands: the jobs of a lane that have the same limit key and group wait in a line of their
//! own. Only the heads of open strands take part in claims, so neither long strands nor many
//! closed ones make a claim slower. Long because all that moves a line of jobs is here.
//!
//! A strand is closed when a claim finds one of its limiters closed; the limiter's number stays
//! with it. Opening one too many costs a look, opening one too few would let a job wait: so
//! whenever a limiter may have room, the first that waits for it in each lane is opened.

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension, Result, Row, named_params, params};

use super::candidate::Candidate;
use super::limiter;
use super::transaction::SqliteTransaction;
use crate::clock::Millis;
use crate::job::{LaneId, StrandId};
use crate::limits::LimiterId;
use crate::rate::Bucket;
use crate::state::State;

/// Strands opened in one transaction because their time has come.
const OPEN_LIMIT: u32 = 1000;

/// One strand as it is stored.
#[derive(Clone, Debug)]
pub(super) struct Strand {
    pub(super) id: StrandId,
    pub(super) lane: LaneId,
    pub(super) key_limiter: Option<LimiterId>,
    pub(super) group: Option<LimiterId>,
    unfinished: i64,
    head: Option<Candidate>,
    closed: Option<Closed>,
}

/// Why a strand takes no part in claims.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Closed {
    /// The limiter that was found closed.
    pub(super) by: LimiterId,
    /// Until then, if it was its rate.
    pub(super) until: Option<Millis>,
}

/// What a transaction owes to a strand.
#[derive(Clone, Copy, Default)]
pub(super) struct Debt {
    unfinished: i64,
    running: i64,
    /// Whether another job may be its head now.
    stirred: bool,
    /// Whether a job of it ended, be it one that began in the same transaction.
    freed: bool,
}

/// What a transaction owes to a limiter.
#[derive(Clone, Copy, Default)]
struct Due {
    running: i64,
    users: i64,
    /// Whether it may let somebody in who waits.
    eases: bool,
}

impl Debt {
    /// One job more is in that state.
    pub(super) fn enters(&mut self, state: State) {
        self.count(state, 1);
    }

    /// One job less is in that state.
    pub(super) fn leaves(&mut self, state: State) {
        self.count(state, -1);
        self.freed |= state == State::Running;
    }

    fn count(&mut self, state: State, by: i64) {
        self.unfinished += if state.is_finished() { 0 } else { by };
        self.running += if state == State::Running { by } else { 0 };
        self.stirred |= state == State::Pending;
    }

    /// The head was brought up to date meanwhile.
    pub(super) fn settles(&mut self) {
        self.stirred = false;
    }
}

impl Strand {
    /// Whether its jobs have a limit key.
    pub(super) fn is_keyed(&self) -> bool {
        self.key_limiter.is_some()
    }

    pub(super) fn head(&self) -> Option<Candidate> {
        self.head
    }

    /// Reads one strand.
    pub(super) fn read(connection: &Connection, id: StrandId) -> Result<Self> {
        connection
            .prepare_cached(include_str!("sql/strand.sql"))?
            .query_row(params![id], |row| {
                let head: Option<i64> = row.get(4)?;
                let by: Option<LimiterId> = row.get(7)?;
                let until = row.get(8)?;
                Ok(Self {
                    id,
                    lane: row.get(0)?,
                    key_limiter: row.get(1)?,
                    group: row.get(2)?,
                    unfinished: row.get(3)?,
                    head: head.map(|_| Candidate::read(row, 4)).transpose()?,
                    closed: by.map(|by| Closed { by, until }),
                })
            })
    }

    /// The limiters that count its jobs: that of its key, those of its groups.
    pub(super) fn limiters(&self, connection: &Connection) -> Result<Vec<LimiterId>> {
        let mut limiters: Vec<LimiterId> = self.key_limiter.into_iter().collect();
        let mut group = self.group;
        while let Some(id) = group {
            limiters.push(id);
            group = limiter::limiter(connection, id)?.outer_group;
        }
        Ok(limiters)
    }

    /// Its pending job that runs first.
    fn first(&self, connection: &Connection) -> Result<Option<Candidate>> {
        connection
            .prepare_cached(include_str!("sql/next_in_strand.sql"))?
            .query_row(params![self.lane, self.id], |row| Candidate::read(row, 0))
            .optional()
    }

    fn write(&self, connection: &Connection) -> Result<()> {
        connection
            .prepare_cached(include_str!("sql/move_strand.sql"))?
            .execute(named_params! {
                ":id": self.id,
                ":unfinished": self.unfinished,
                ":head": self.head.map(|head| head.key),
                ":priority": self.head.map(|head| head.priority),
                ":run_at": self.head.map(|head| head.run_at),
                ":waits_for": self.closed.map(|closed| closed.by),
                ":opens_at": self.closed.and_then(|closed| closed.until),
            })?;
        Ok(())
    }
}

/// The strand of a lane that runs first among those thought to be open.
pub(super) fn next_ready(
    connection: &Connection,
    lane: LaneId,
    keyed: bool,
) -> Result<Option<StrandId>> {
    connection
        .prepare_cached(include_str!("sql/next_ready_strand.sql"))?
        .query_row(params![lane, keyed], |row| row.get(0))
        .optional()
}

/// When the next strand has a token again, as far as that is known.
pub(super) fn next_opening(connection: &Connection) -> Result<Option<Millis>> {
    connection
        .prepare_cached(include_str!("sql/next_opening.sql"))?
        .query_row([], |row| row.get(0))
        .optional()
}

/// A strand that waits for a limiter.
struct Waiter {
    strand: StrandId,
    lane: LaneId,
    keyed: bool,
    opens_at: Option<Millis>,
}

impl Waiter {
    fn read(row: &Row<'_>) -> Result<Self> {
        Ok(Self {
            strand: row.get(0)?,
            lane: row.get(1)?,
            keyed: row.get(2)?,
            opens_at: row.get(3)?,
        })
    }
}

impl SqliteTransaction<'_> {
    /// The strand for a new job with this limit key or group, added if there is none yet.
    pub(super) fn strand_for(
        &mut self,
        now: Millis,
        lane: LaneId,
        (task, limit_key): (&str, Option<&str>),
        group: Option<LimiterId>,
    ) -> Result<Option<StrandId>> {
        if limit_key.is_none() && group.is_none() {
            return Ok(None);
        }
        let key_limiter = limit_key
            .map(|key| self.key_limiter(now, task, key))
            .transpose()?;
        let place = named_params! {
            ":lane": lane, ":key_limiter": key_limiter, ":job_group": group,
        };
        let found = self
            .connection
            .prepare_cached(include_str!("sql/find_strand.sql"))?
            .query_row(place, |row| row.get(0))
            .optional()?;
        if found.is_some() {
            return Ok(found);
        }
        self.connection
            .prepare_cached(include_str!("sql/add_strand.sql"))?
            .execute(place)?;
        let id = StrandId(self.connection.last_insert_rowid());
        for limiter in key_limiter.into_iter().chain(group) {
            self.use_limiter(limiter)?;
        }
        Ok(Some(id))
    }

    /// The limiter of a limit key of a task.
    fn key_limiter(&self, now: Millis, task: &str, key: &str) -> Result<LimiterId> {
        let found = limiter::find_key_limiter(self.connection, task, Some(key))?;
        found.map_or_else(
            || self.add_key_limiter(now, task, Some(key)),
            |(id, _)| Ok(id),
        )
    }

    /// Adds the limiter of a key, or of the jobs of a task without one; forgets some old ones.
    pub(super) fn add_key_limiter(
        &self,
        now: Millis,
        task: &str,
        key: Option<&str>,
    ) -> Result<LimiterId> {
        self.connection
            .prepare_cached(include_str!("sql/drop_idle_limiters.sql"))?
            .execute(named_params! {":now_ns": Bucket::full_since(now)})?;
        self.connection
            .prepare_cached(include_str!("sql/add_key_limiter.sql"))?
            .execute(named_params! {":task": task, ":limit_key": key})?;
        Ok(LimiterId(self.connection.last_insert_rowid()))
    }

    /// Counts a strand or inner group more that a limiter is for.
    pub(super) fn use_limiter(&self, limiter: LimiterId) -> Result<()> {
        self.count_limiter(limiter, 0, 1)
    }

    fn count_limiter(&self, limiter: LimiterId, running: i64, users: i64) -> Result<()> {
        self.connection
            .prepare_cached(include_str!("sql/count_limiter.sql"))?
            .execute(named_params! {
                ":id": limiter, ":running": running, ":users": users,
            })?;
        Ok(())
    }

    /// Pays what this transaction owes to strands and limiters.
    pub(super) fn pay_strands(&mut self) -> Result<()> {
        let debts = self.tally.strand_debts();
        if debts.is_empty() {
            return Ok(());
        }
        let mut dues: BTreeMap<LimiterId, Due> = BTreeMap::new();
        for (id, debt) in debts {
            self.pay_strand(id, debt, &mut dues)?;
        }
        for (limiter, due) in &dues {
            if due.running != 0 || due.users != 0 {
                self.count_limiter(*limiter, due.running, due.users)?;
            }
        }
        for (limiter, due) in dues {
            if due.eases {
                self.open_waiters(limiter)?;
            }
            if due.users < 0 {
                self.drop_limiter(limiter)?;
            }
        }
        Ok(())
    }

    fn pay_strand(
        &mut self,
        id: StrandId,
        debt: Debt,
        dues: &mut BTreeMap<LimiterId, Due>,
    ) -> Result<()> {
        let mut strand = Strand::read(self.connection, id)?;
        if strand.is_keyed() {
            self.tally.runs_keyed(strand.lane, debt.running);
        }
        let before = strand.head;
        if debt.stirred {
            strand.head = strand.first(self.connection)?;
        }
        let rank = |head: Option<Candidate>| head.map(|head| head.rank());
        let falls_back = rank(strand.head) < rank(before);
        for limiter in strand.limiters(self.connection)? {
            let due = dues.entry(limiter).or_default();
            due.running += debt.running;
            due.eases |= debt.freed || falls_back;
        }
        strand.unfinished += debt.unfinished;
        if strand.unfinished == 0 {
            self.connection
                .prepare_cached(include_str!("sql/drop_strand.sql"))?
                .execute(params![id])?;
            for limiter in strand.key_limiter.into_iter().chain(strand.group) {
                dues.entry(limiter).or_default().users -= 1;
            }
            return Ok(());
        }
        // A better head may run before those that were let in instead of the old one.
        if rank(strand.head) > rank(before) && strand.closed.is_some_and(|c| c.until.is_none()) {
            strand.closed = None;
        }
        if debt.unfinished != 0 || strand.head != before {
            strand.write(self.connection)?;
        }
        Ok(())
    }

    /// Removes a limiter that nobody uses, and the groups around it if nothing else is in them.
    /// One with tokens to wait for stays until [`Self::add_key_limiter`] forgets it.
    fn drop_limiter(&mut self, limiter: LimiterId) -> Result<()> {
        let mut next = Some(limiter);
        while let Some(id) = next {
            let row = limiter::limiter(self.connection, id)?;
            let dropped = self
                .connection
                .prepare_cached(include_str!("sql/drop_limiter.sql"))?
                .execute(params![id])?;
            next = row.outer_group.filter(|_| dropped == 1);
            if let Some(outer) = next {
                self.count_limiter(outer, 0, -1)?;
            }
        }
        Ok(())
    }

    /// Opens the first strand of each lane that waits for a limiter.
    pub(super) fn open_waiters(&mut self, limiter: LimiterId) -> Result<()> {
        let mut place = (LaneId(i64::MIN), false);
        loop {
            let next = self
                .connection
                .prepare_cached(include_str!("sql/next_waiter.sql"))?
                .query_row(params![limiter, place.0, place.1], Waiter::read)
                .optional()?;
            let Some(waiter) = next else { return Ok(()) };
            self.open(&waiter)?;
            place = (waiter.lane, waiter.keyed);
        }
    }

    /// Opens the first strand of one lane that waits for a limiter; whether there was any.
    fn open_waiter(&mut self, limiter: LimiterId, lane: LaneId, keyed: bool) -> Result<bool> {
        let next = self
            .connection
            .prepare_cached(include_str!("sql/next_waiter_in_lane.sql"))?
            .query_row(params![limiter, lane, keyed], Waiter::read)
            .optional()?;
        next.map_or(Ok(false), |waiter| self.open(&waiter))
    }

    /// Opens a strand, unless it waits for a token: then all that wait for this limiter do.
    fn open(&mut self, waiter: &Waiter) -> Result<bool> {
        if waiter.opens_at.is_some() {
            return Ok(false);
        }
        self.reopen(waiter.strand)?;
        Ok(true)
    }

    /// Lets a strand take part in claims again.
    pub(super) fn reopen(&mut self, strand: StrandId) -> Result<()> {
        self.connection
            .prepare_cached(include_str!("sql/open_strand.sql"))?
            .execute(params![strand])?;
        self.tally.leaves_work();
        Ok(())
    }

    /// Opens strands whose rate has a token again; whether there may be more.
    pub(super) fn open_due_strands(&mut self, now: Millis) -> Result<bool> {
        let opened = self
            .connection
            .prepare_cached(include_str!("sql/open_due_strands.sql"))?
            .execute(named_params! {":now": now, ":limit": OPEN_LIMIT})?;
        Ok(opened >= OPEN_LIMIT as usize)
    }

    /// Brings a strand up to date during a claim: its head, and what closes it now. `open` are
    /// those of its limiters that are not closed: others that wait for them go first then.
    pub(super) fn advance(
        &mut self,
        strand: &mut Strand,
        closed: Option<Closed>,
        open: &[LimiterId],
    ) -> Result<()> {
        strand.head = strand.first(self.connection)?;
        strand.closed = closed.filter(|_| strand.head.is_some());
        strand.write(self.connection)?;
        self.tally.settles(strand.id);
        for limiter in open {
            self.open_waiter(*limiter, strand.lane, strand.is_keyed())?;
        }
        Ok(())
    }
}
