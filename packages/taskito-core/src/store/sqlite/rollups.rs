//! What became of attempts, by stretches of time: added to with each commit, folded later.

use std::collections::BTreeMap;

use rusqlite::{OptionalExtension, Result, Row, named_params, params};

use super::transaction::SqliteTransaction;
use super::{SqliteStore, row};
use crate::clock::Millis;
use crate::error;
use crate::histogram::Histogram;
use crate::job::LaneId;
use crate::rollup::{Period, Rollup, Rollups, Tier};

impl SqliteTransaction<'_> {
    /// Adds attempts to those of their lane and stretch.
    pub(super) fn add_to_rollup(
        &self,
        tier: Tier,
        at: Millis,
        lane: LaneId,
        new: &Rollup,
    ) -> Result<()> {
        let (step, at) = (row::millis(tier.step()), tier.floor(at));
        let known = self
            .connection
            .prepare_cached(include_str!("sql/find_rollup.sql"))?
            .query_row(params![step, at, lane], |row| read(row, 0))
            .optional()?;
        let statement = match known {
            Some(_) => include_str!("sql/replace_rollup.sql"),
            None => include_str!("sql/add_rollup.sql"),
        };
        let mut all = known.unwrap_or_default();
        all.merge(new);
        self.connection
            .prepare_cached(statement)?
            .execute(named_params! {
                ":step_ms": step, ":at": at, ":lane": lane,
                ":done": row::amount(all.done), ":failed": row::amount(all.failed),
                ":retried": row::amount(all.retried),
                ":wait": all.wait.packed(), ":run": all.run.packed(),
            })?;
        Ok(())
    }

    pub(super) fn fold_old_rollups(&mut self, now: Millis, limit: u32) -> Result<u32> {
        // What this transaction noted itself is a part of it.
        self.write_metrics()?;
        let mut folded = 0;
        for tier in Tier::ALL {
            folded += self.fold_tier(tier, now, limit - folded)?;
        }
        Ok(folded)
    }

    /// Adds the oldest stretches of a tier to those of the next and drops them.
    fn fold_tier(&self, tier: Tier, now: Millis, limit: u32) -> Result<u32> {
        let step = row::millis(tier.step());
        let old: Vec<(Millis, LaneId, Rollup)> = self
            .connection
            .prepare_cached(include_str!("sql/old_rollups.sql"))?
            .query_map(params![step, tier.end(now), limit], |row| {
                Ok((row.get(5)?, row.get(6)?, read(row, 0)?))
            })?
            .collect::<Result<_>>()?;
        if let Some(next) = tier.next() {
            let mut sums: BTreeMap<(Millis, LaneId), Rollup> = BTreeMap::new();
            for (at, lane, rollup) in &old {
                let sum = sums.entry((next.floor(*at), *lane)).or_default();
                sum.merge(rollup);
            }
            for ((at, lane), sum) in sums {
                self.add_to_rollup(next, at, lane, &sum)?;
            }
        }
        let mut drop = self
            .connection
            .prepare_cached(include_str!("sql/drop_rollup.sql"))?;
        for (at, lane, _) in &old {
            drop.execute(params![step, at, lane])?;
        }
        Ok(u32::try_from(old.len()).unwrap_or(u32::MAX))
    }
}

impl SqliteStore {
    pub(super) fn rollups_of(&self, now: Millis, period: &Period) -> error::Result<Rollups> {
        let mut rollups = Rollups::of(period, now);
        self.read(|connection| {
            // One state of the database: what is folded meanwhile is neither missed nor told twice.
            let snapshot = connection.unchecked_transaction()?;
            let mut known = snapshot.prepare_cached(include_str!("sql/rollups.sql"))?;
            for tier in Tier::ALL {
                let mut rows = known.query(named_params! {
                    ":step_ms": row::millis(tier.step()),
                    ":from": rollups.from, ":to": period.to,
                    ":queue": period.queue, ":task": period.task,
                })?;
                while let Some(row) = rows.next()? {
                    let (queue, task) = (row.get_ref(6)?.as_str()?, row.get_ref(7)?.as_str()?);
                    rollups.add(row.get(5)?, queue, task, &read(row, 0)?);
                }
            }
            Ok(())
        })?;
        Ok(rollups)
    }
}

/// From the columns `done, failed, retried, wait, run`.
fn read(row: &Row<'_>, index: usize) -> Result<Rollup> {
    let histogram =
        |index| -> Result<Histogram> { Ok(Histogram::unpacked(row.get_ref(index)?.as_blob()?)) };
    Ok(Rollup {
        done: row.get(index)?,
        failed: row.get(index + 1)?,
        retried: row.get(index + 2)?,
        wait: histogram(index + 3)?,
        run: histogram(index + 4)?,
    })
}
