//! How long attempts ran: noted with their settlement, merged later. Rollups cannot stand in for
//! these samples: `Queue.metrics` promises percentiles that are attempts, not estimates.

use std::collections::{BTreeMap, HashMap};

use rusqlite::{Result, named_params, params};

use super::transaction::SqliteTransaction;
use super::{SqliteStore, row};
use crate::clock::Millis;
use crate::error;
use crate::id::Key;
use crate::job::LaneId;
use crate::metric::{MOST_KEPT, Samples, Summary, pack};
use crate::rollup::{Ending, Rollup, Run, Tier};

/// Rows of this length are merged into one.
const MINUTE: i64 = 60_000;

/// What a transaction notes of attempts, for each lane.
#[derive(Default)]
pub(super) struct Stopwatch {
    /// When the attempts ended.
    at: Millis,
    /// Few lanes in one transaction: a list is faster than a map.
    lanes: Vec<Noted>,
}

/// Attempts of one lane.
struct Noted {
    lane: LaneId,
    /// Their run times, packed.
    samples: Vec<u8>,
    rollup: Rollup,
}

/// A row of attempts.
pub(super) struct Measured {
    pub(super) id: Key,
    pub(super) lane: LaneId,
    pub(super) at: Millis,
    pub(super) samples: Samples,
    pub(super) is_merged: bool,
}

impl Stopwatch {
    pub(super) fn note(&mut self, now: Millis, lane: LaneId, run: &Run, ending: Ending) {
        self.at = now;
        let known = self.lanes.iter().position(|noted| noted.lane == lane);
        let index = known.unwrap_or_else(|| {
            self.lanes.push(Noted {
                lane,
                samples: Vec::new(),
                rollup: Rollup::default(),
            });
            self.lanes.len() - 1
        });
        let noted = &mut self.lanes[index];
        pack(&mut noted.samples, run.length, ending != Ending::Done);
        noted.rollup.note(run, ending);
    }
}

impl SqliteTransaction<'_> {
    /// Writes what was noted of attempts.
    pub(super) fn write_metrics(&mut self) -> Result<()> {
        if self.stopwatch.lanes.is_empty() {
            return Ok(());
        }
        let Stopwatch { at, lanes } = std::mem::take(&mut self.stopwatch);
        let mut record = self
            .connection
            .prepare_cached(include_str!("sql/record_metric.sql"))?;
        for Noted {
            lane,
            samples,
            rollup,
        } in lanes
        {
            self.with_new_key(at, |key| record.execute(params![key, lane, at, samples]))?;
            self.add_to_rollup(Tier::Seconds, at, lane, &rollup)?;
        }
        Ok(())
    }

    pub(super) fn merge_minutes(
        &mut self,
        after: Key,
        before: Key,
        limit: u32,
    ) -> Result<Option<Key>> {
        let rows = self.measured(after, before, limit)?;
        let minute = |row: &Measured| row.at.0.div_euclid(MINUTE);
        let is_last = rows.len() < limit as usize;
        // The rows of the last minute go on behind the limit: they are merged again, next time.
        let last_minute = rows.last().map(minute);
        let complete = rows
            .iter()
            .rev()
            .find(|row| Some(minute(row)) != last_minute);
        let next = complete.map_or(after, |row| row.id);
        let last = rows.last().map(|row| row.id);
        let mut groups: BTreeMap<(i64, LaneId), Vec<Measured>> = BTreeMap::new();
        for row in rows {
            groups
                .entry((minute(&row), row.lane))
                .or_default()
                .push(row);
        }
        let mut merged = false;
        for group in groups.into_values() {
            merged |= self.merge_group(&group)?;
        }
        Ok(match last {
            _ if is_last => None,
            // Nothing became fewer: this minute has more tasks than fit the limit.
            Some(last) if next == after && !merged => Some(last),
            _ => Some(next),
        })
    }

    fn merge_group(&self, group: &[Measured]) -> Result<bool> {
        let [first, others @ ..] = group else {
            return Ok(false);
        };
        let is_long = !first.is_merged && first.samples.count > MOST_KEPT as u64;
        if others.is_empty() && !is_long {
            return Ok(false);
        }
        let parts: Vec<Samples> = group.iter().map(|row| row.samples.clone()).collect();
        let whole = Samples::merge(&parts);
        let latest = group.iter().map(|row| row.at).max().unwrap_or(first.at);
        self.connection
            .prepare_cached(include_str!("sql/merge_metric.sql"))?
            .execute(named_params! {
                ":id": first.id, ":at": latest, ":count": whole.count,
                ":failures": whole.failures, ":sum": row::amount(whole.sum),
                ":min": row::amount(whole.min), ":max": row::amount(whole.max),
                ":samples": whole.packed(),
            })?;
        let mut drop = self
            .connection
            .prepare_cached(include_str!("sql/drop_metric.sql"))?;
        for row in others {
            drop.execute(params![row.id])?;
        }
        Ok(true)
    }

    fn measured(&self, after: Key, before: Key, limit: u32) -> Result<Vec<Measured>> {
        self.connection
            .prepare_cached(include_str!("sql/metrics_to_merge.sql"))?
            .query_map(
                named_params! {":after": after, ":before": before, ":limit": limit},
                |row| {
                    Ok(Measured {
                        id: row.get(0)?,
                        lane: row.get(7)?,
                        at: row.get(8)?,
                        is_merged: row.get::<_, Option<i64>>(2)?.is_some(),
                        samples: row::samples(row, 1)?,
                    })
                },
            )?
            .collect()
    }

    pub(super) fn forget_before(&mut self, before: Key, limit: u32) -> Result<u32> {
        let forgotten = self
            .connection
            .prepare_cached(include_str!("sql/forget_metrics.sql"))?
            .execute(named_params! {":before": before, ":limit": limit})?;
        Ok(u32::try_from(forgotten).unwrap_or(u32::MAX))
    }
}

impl SqliteStore {
    /// The summaries of each task since then.
    pub(super) fn summaries(
        &self,
        since: Millis,
        task: Option<&str>,
    ) -> error::Result<Vec<(String, Summary)>> {
        let mut tasks: HashMap<String, Vec<Samples>> = HashMap::new();
        self.read(|connection| {
            let mut metrics = connection.prepare_cached(include_str!("sql/metrics.sql"))?;
            let mut rows = metrics.query(named_params! {
                ":from": Key::first_at(since), ":since": since, ":task": task,
            })?;
            while let Some(row) = rows.next()? {
                let samples = row::samples(row, 1)?;
                let task = row.get_ref(0)?.as_str()?;
                if let Some(parts) = tasks.get_mut(task) {
                    parts.push(samples);
                } else {
                    tasks.insert(task.to_owned(), vec![samples]);
                }
            }
            Ok(())
        })?;
        let told = |(task, parts): (String, Vec<Samples>)| Some((task, Samples::summary(&parts)?));
        let mut summaries: Vec<_> = tasks.into_iter().filter_map(told).collect();
        summaries.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
        Ok(summaries)
    }
}
