//! Arrow `expire`: jobs that did not start in time.

use rusqlite::{Result, named_params};

use super::row;
use super::transaction::SqliteTransaction;
use crate::clock::Millis;
use crate::id::Key;
use crate::job::Spot;
use crate::links::RootEnd;
use crate::state::State;
use crate::store::EXPIRED;

impl SqliteTransaction<'_> {
    pub(super) fn expire_due(&mut self, now: Millis, limit: u32) -> Result<u32> {
        let mut expired = 0;
        while expired < limit {
            let due = self.too_late(now, limit - expired)?;
            if due.is_empty() {
                break;
            }
            for (key, spot, state) in due {
                // A job that was taken along by an earlier one is not counted.
                expired += u32::from(self.expire_job(now, key, spot, state)?);
            }
        }
        Ok(expired)
    }

    fn too_late(&self, now: Millis, limit: u32) -> Result<Vec<(Key, Spot, State)>> {
        self.connection
            .prepare_cached(include_str!("sql/expired.sql"))?
            .query_map(named_params! {":now": now, ":limit": limit}, |row| {
                Ok((row.get(0)?, row::spot(row, 1)?, row.get(3)?))
            })?
            .collect()
    }

    /// Cancels a job that waits in `state`, if it is too late for it to start.
    pub(super) fn expire_job(
        &mut self,
        now: Millis,
        key: Key,
        spot: Spot,
        state: State,
    ) -> Result<bool> {
        let moved = self
            .connection
            .prepare_cached(include_str!("sql/expire.sql"))?
            .execute(named_params! {":id": key, ":now": now, ":error": EXPIRED})?;
        if moved == 1 {
            self.tally.moves(spot, state, State::Cancelled);
            self.cascade(now, key, RootEnd::Cancelled)?;
        }
        Ok(moved == 1)
    }
}
