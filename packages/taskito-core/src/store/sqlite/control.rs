//! Arrows that people and programs pull from outside: cancel, `cancel_request`, `run_now`, revive.

use rusqlite::{OptionalExtension, Result, named_params};

use super::row;
use super::transaction::SqliteTransaction;
use crate::clock::Millis;
use crate::id::Key;
use crate::job::{LaneId, Spot};
use crate::links::RootEnd;
use crate::state::State;

impl SqliteTransaction<'_> {
    pub(super) fn cancel_job(&mut self, now: Millis, job: Key) -> Result<bool> {
        let waiting: Option<(Spot, State)> = self
            .connection
            .prepare_cached(include_str!("sql/waiting_state.sql"))?
            .query_row(named_params! {":id": job}, |row| {
                Ok((row::spot(row, 0)?, row.get(2)?))
            })
            .optional()?;
        let Some((spot, state)) = waiting else {
            return Ok(false);
        };
        self.connection
            .prepare_cached(include_str!("sql/cancel.sql"))?
            .execute(named_params! {":id": job, ":now": now})?;
        self.tally.moves(spot, state, State::Cancelled);
        self.cascade(now, job, RootEnd::Cancelled)?;
        Ok(true)
    }

    pub(super) fn request_cancel(&mut self, job: Key) -> Result<bool> {
        let running = self
            .connection
            .prepare_cached(include_str!("sql/cancel_request.sql"))?
            .execute(named_params! {":id": job})?
            == 1;
        self.tally.news.control |= running;
        Ok(running)
    }

    pub(super) fn promote_one(&mut self, now: Millis, job: Key) -> Result<bool> {
        let spot: Option<Spot> = self
            .connection
            .prepare_cached(include_str!("sql/run_now.sql"))?
            .query_row(named_params! {":id": job, ":now": now}, |row| {
                row::spot(row, 0)
            })
            .optional()?;
        if let Some(spot) = spot {
            self.tally.moves(spot, State::Scheduled, State::Pending);
        }
        Ok(spot.is_some())
    }

    pub(super) fn revive_job(&mut self, now: Millis, letter: Key) -> Result<Option<Key>> {
        let dead: Option<(LaneId, String, Option<String>)> = self
            .connection
            .prepare_cached(include_str!("sql/dead_job.sql"))?
            .query_row(named_params! {":dead_letter": letter}, |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?))
            })
            .optional()?;
        let Some((lane, task, limit_key)) = dead else {
            return Ok(None);
        };
        let strand = self.strand_for(now, lane, (&task, limit_key.as_deref()), None)?;
        let mut revive = self
            .connection
            .prepare_cached(include_str!("sql/revive.sql"))?;
        let key = self.with_new_key(now, |key| {
            revive.execute(named_params! {
                ":id": key, ":dead_letter": letter, ":now": now, ":strand": strand,
            })?;
            Ok(key)
        })?;
        self.connection
            .prepare_cached(include_str!("sql/drop_letter.sql"))?
            .execute(named_params! {":dead_letter": letter})?;
        self.tally.enters(Spot { lane, strand }, State::Pending);
        Ok(Some(key))
    }
}
