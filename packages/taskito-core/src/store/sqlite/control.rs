//! Arrows that people and programs pull from outside: cancel, `cancel_request`, revive.

use rusqlite::{OptionalExtension, Result, named_params};

use super::transaction::SqliteTransaction;
use crate::clock::Millis;
use crate::id::Key;
use crate::job::LaneId;
use crate::links::RootEnd;
use crate::state::State;

impl SqliteTransaction<'_> {
    pub(super) fn cancel_job(&mut self, now: Millis, job: Key) -> Result<bool> {
        let waiting: Option<(LaneId, State)> = self
            .connection
            .prepare_cached(include_str!("sql/waiting_state.sql"))?
            .query_row(named_params! {":id": job}, |row| {
                Ok((row.get(0)?, row.get(1)?))
            })
            .optional()?;
        let Some((lane, state)) = waiting else {
            return Ok(false);
        };
        self.connection
            .prepare_cached(include_str!("sql/cancel.sql"))?
            .execute(named_params! {":id": job, ":now": now})?;
        self.tally.moves(lane, state, State::Cancelled);
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

    pub(super) fn revive_job(&mut self, now: Millis, letter: Key) -> Result<Option<Key>> {
        let mut revive = self
            .connection
            .prepare_cached(include_str!("sql/revive.sql"))?;
        let revived = self.with_new_key(now, |key| {
            revive
                .query_row(
                    named_params! {":id": key, ":dead_letter": letter, ":now": now},
                    |row| Ok((key, row.get(0)?)),
                )
                .optional()
        })?;
        let Some((key, lane)) = revived else {
            return Ok(None);
        };
        self.connection
            .prepare_cached(include_str!("sql/drop_letter.sql"))?
            .execute(named_params! {":dead_letter": letter})?;
        self.tally.enters(lane, State::Pending);
        Ok(Some(key))
    }
}
