//! Named locks: a row for each that is held, and none for one that was given back.

use std::time::Duration;

use rusqlite::{OptionalExtension, Result, Statement, named_params};

use super::SqliteStore;
use super::row::{duration, millis};
use super::transaction::SqliteTransaction;
use crate::error;
use crate::lock::{LockFence, Moment};
use crate::store::{Leases, Locks};

impl Locks for SqliteTransaction<'_> {
    fn lock(
        &mut self,
        now: &Moment,
        name: &str,
        ttl: Duration,
    ) -> error::Result<Option<LockFence>> {
        let taken = self.take_lock(now, name, ttl);
        self.explained(taken)
    }

    fn renew(&mut self, now: &Moment, holders: &[LockFence]) -> error::Result<Vec<bool>> {
        let renewed = self.renew_locks(now, holders);
        self.explained(renewed)
    }

    fn unlock(&mut self, now: &Moment, holders: &[LockFence]) -> error::Result<Vec<bool>> {
        let unlocked = self.give_locks_back(now, holders);
        self.tally.unlocks();
        self.explained(unlocked)
    }
}

impl SqliteTransaction<'_> {
    fn take_lock(&self, now: &Moment, name: &str, ttl: Duration) -> Result<Option<LockFence>> {
        let (boot, uptime) = (&now.boot, now.uptime);
        self.connection
            .prepare_cached(include_str!("sql/drop_lapsed_lock.sql"))?
            .execute(named_params! {":name": name, ":boot": boot, ":uptime": uptime})?;
        self.connection
            .prepare_cached(include_str!("sql/drop_lapsed_locks.sql"))?
            .execute(named_params! {":boot": boot, ":uptime": uptime})?;
        let ttl = millis(ttl);
        self.connection
            .prepare_cached(include_str!("sql/lock.sql"))?
            .query_row(
                named_params! {
                    ":name": name, ":ttl_ms": ttl, ":boot": boot,
                    ":good_until": uptime.saturating_add(ttl),
                },
                |row| row.get(0).map(LockFence),
            )
            .optional()
    }

    fn renew_locks(&self, now: &Moment, holders: &[LockFence]) -> Result<Vec<bool>> {
        let mut renew = self
            .connection
            .prepare_cached(include_str!("sql/renew_lock.sql"))?;
        let mut renewed = Vec::with_capacity(holders.len());
        for holder in holders {
            let changed = renew.execute(named_params! {
                ":fence": holder.0, ":boot": now.boot, ":uptime": now.uptime,
            })?;
            renewed.push(changed == 1);
        }
        Ok(renewed)
    }

    fn give_locks_back(&self, now: &Moment, holders: &[LockFence]) -> Result<Vec<bool>> {
        let mut unlock = self
            .connection
            .prepare_cached(include_str!("sql/unlock.sql"))?;
        let mut one = |holder: &LockFence| unlock_one(&mut unlock, *holder, now);
        holders.iter().map(&mut one).collect()
    }
}

fn unlock_one(unlock: &mut Statement<'_>, holder: LockFence, now: &Moment) -> Result<bool> {
    let held = unlock
        .query_row(
            named_params! {":fence": holder.0, ":boot": now.boot, ":uptime": now.uptime},
            |row| row.get(0),
        )
        .optional()?;
    Ok(held.unwrap_or(false))
}

impl Leases for SqliteStore {
    fn lock_left(&self, now: &Moment, name: &str) -> error::Result<Option<Duration>> {
        self.read(|connection| {
            connection
                .prepare_cached(include_str!("sql/lock_left.sql"))?
                .query_row(
                    named_params! {":name": name, ":boot": now.boot, ":uptime": now.uptime},
                    |row| duration(row, 0),
                )
                .optional()
        })
    }
}
