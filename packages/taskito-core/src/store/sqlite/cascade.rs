//! What the end of a job means for those that wait for it: release, or the cascade.
//!
//! Nothing here calls itself, so chains may be as long as they like. A transaction in which
//! no job is blocked pays for one look at an index.

use std::time::Duration;

use rusqlite::{OptionalExtension, Result, named_params};

use super::row::{self, duration};
use super::transaction::SqliteTransaction;
use crate::clock::Millis;
use crate::id::Key;
use crate::job::Spot;
use crate::links::RootEnd;
use crate::state::State;

/// A blocked job and what its release must know.
struct Dependent {
    key: Key,
    spot: Spot,
    waiting_on: u32,
    delay: Duration,
}

impl SqliteTransaction<'_> {
    /// blocked -> pending or scheduled, for every job whose last unfinished parent was `parent`.
    pub(super) fn release(&mut self, now: Millis, parent: Key) -> Result<()> {
        if !self.any_blocked()? || self.is_childless(parent)? {
            return Ok(());
        }
        for dependent in self.dependents(parent)? {
            if dependent.waiting_on > 1 {
                self.connection
                    .prepare_cached(include_str!("sql/wait_less.sql"))?
                    .execute(named_params! {":id": dependent.key})?;
                continue;
            }
            let run_at = now.plus(dependent.delay);
            let state = if run_at > now {
                State::Scheduled
            } else {
                State::Pending
            };
            self.connection
                .prepare_cached(include_str!("sql/release.sql"))?
                .execute(named_params! {
                    ":id": dependent.key, ":state": state, ":run_at": run_at,
                })?;
            self.tally.moves(dependent.spot, State::Blocked, state);
        }
        Ok(())
    }

    /// blocked -> cancelled, for every job that depends on `root`, which has just ended without
    /// a result, directly or through others.
    pub(super) fn cascade(&mut self, now: Millis, root: Key, end: RootEnd) -> Result<()> {
        if !self.any_blocked()? {
            return Ok(());
        }
        let error = end.error(root, self.database);
        let mut ended = vec![root];
        while let Some(parent) = ended.pop() {
            for dependent in self.dependents(parent)? {
                self.cancel_dependent(now, dependent.key, dependent.spot, (root, &error))?;
                ended.push(dependent.key);
            }
        }
        Ok(())
    }

    /// blocked -> cancelled, for one job, because of the root with that error.
    pub(super) fn cancel_dependent(
        &mut self,
        now: Millis,
        job: Key,
        spot: Spot,
        (root, error): (Key, &str),
    ) -> Result<()> {
        self.connection
            .prepare_cached(include_str!("sql/cancel_dependent.sql"))?
            .execute(named_params! {
                ":id": job, ":now": now, ":root": root, ":error": error,
            })?;
        self.tally.moves(spot, State::Blocked, State::Cancelled);
        Ok(())
    }

    /// Whether any job is blocked; asked once in a transaction.
    fn any_blocked(&mut self) -> Result<bool> {
        if let Some(known) = self.blocked {
            return Ok(known);
        }
        let found = self
            .connection
            .prepare_cached(include_str!("sql/any_blocked.sql"))?
            .query_row([], |_| Ok(()))
            .optional()?
            .is_some();
        self.blocked = Some(found);
        Ok(found)
    }

    /// Whether no job ever waited for this one. One look at the index tells it of all jobs up to
    /// the next that has children, so a batch seldom looks twice.
    fn is_childless(&mut self, job: Key) -> Result<bool> {
        if self
            .childless
            .as_ref()
            .is_some_and(|keys| keys.contains(&job))
        {
            return Ok(true);
        }
        let next: Option<Key> = self
            .connection
            .prepare_cached(include_str!("sql/next_parent.sql"))?
            .query_row(named_params! {":key": job}, |row| row.get(0))
            .optional()?;
        let next = next.unwrap_or(Key(i64::MAX));
        self.childless = Some(job..next);
        Ok(job < next)
    }

    /// The blocked jobs that wait for `parent`, each once.
    fn dependents(&self, parent: Key) -> Result<Vec<Dependent>> {
        let mut dependents: Vec<Dependent> = self
            .connection
            .prepare_cached(include_str!("sql/blocked_by.sql"))?
            .query_map(named_params! {":parent": parent}, |row| {
                Ok(Dependent {
                    key: row.get(0)?,
                    spot: row::spot(row, 1)?,
                    waiting_on: row.get(3)?,
                    delay: duration(row, 4)?,
                })
            })?
            .collect::<Result<_>>()?;
        dependents.dedup_by_key(|dependent| dependent.key);
        Ok(dependents)
    }
}
