//! The questions of those who watch, answered by looking at every row.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use super::{Draft, Job, ModelStore};
use crate::clock::Millis;
use crate::error::Result;
use crate::id::Key;
use crate::job::{JobRow, LaneId};
use crate::rollup::{Ending, Period, Rollup, Rollups, Run, Tier};
use crate::state::State;
use crate::store::{Arrivals, Census, Delayed, Watching};

/// One attempt that counts.
#[derive(Clone, Debug)]
pub(super) struct Ended {
    pub(super) lane: LaneId,
    pub(super) queue: String,
    pub(super) task: String,
    pub(super) at: Millis,
    pub(super) run: Run,
    pub(super) ending: Ending,
    /// Whether its run time is still known by itself.
    pub(super) is_measured: bool,
    /// How finely its end is still known to rollups; `None` when they have forgotten it.
    pub(super) tier: Option<Tier>,
}

impl Ended {
    /// The stretch in which it ended.
    fn stretch(&self) -> Option<(Tier, Millis)> {
        self.tier.map(|tier| (tier, tier.floor(self.at)))
    }
}

impl Draft<'_> {
    pub(super) fn fold(&mut self, now: Millis, limit: u32) -> u32 {
        let mut folded = 0;
        for tier in Tier::ALL {
            let ended = &mut self.tables.ended;
            let old: BTreeSet<(Millis, LaneId)> = ended
                .iter()
                .filter_map(|one| Some((one, one.stretch()?)))
                .filter(|(_, (of, at))| *of == tier && *at < tier.end(now))
                .map(|(one, (_, at))| (at, one.lane))
                .collect();
            let left = usize::try_from(limit - folded).unwrap_or(usize::MAX);
            let old: BTreeSet<_> = old.into_iter().take(left).collect();
            for one in ended.iter_mut() {
                if let Some((of, at)) = one.stretch()
                    && of == tier
                    && old.contains(&(at, one.lane))
                {
                    one.tier = tier.next();
                }
            }
            folded += u32::try_from(old.len()).unwrap_or(u32::MAX);
        }
        folded
    }
}

impl Watching for ModelStore {
    fn rollups(&self, now: Millis, period: &Period) -> Result<Rollups> {
        let mut rollups = Rollups::of(period, now);
        for one in &self.committed().ended {
            let Some((_, at)) = one.stretch() else {
                continue;
            };
            let wanted = |name: &Option<String>, of: &str| name.as_ref().is_none_or(|it| it == of);
            if at >= rollups.from
                && at < period.to
                && wanted(&period.queue, &one.queue)
                && wanted(&period.task, &one.task)
            {
                let mut alone = Rollup::default();
                alone.note(&one.run, one.ending);
                rollups.add(at, &one.queue, &one.task, &alone);
            }
        }
        Ok(rollups)
    }

    fn census(&self) -> Result<Vec<Census>> {
        let mut found: BTreeMap<(String, String), [u64; State::ALL.len()]> = BTreeMap::new();
        for row in self.committed().rows() {
            let counts = found
                .entry((row.queue.clone(), row.task.clone()))
                .or_default();
            counts[row.state as usize] += 1;
        }
        let census = |((queue, task), counts)| Census {
            queue,
            task,
            counts,
        };
        Ok(found.into_iter().map(census).collect())
    }

    fn arrivals(&self, since: Millis, cap: u32) -> Result<Arrivals> {
        let tables = self.committed();
        let came = |row: &&JobRow| row.created_at >= since;
        let mut newest: Vec<&JobRow> = tables.rows().filter(came).collect();
        newest.sort_by_key(|row| Reverse(row.key));
        newest.truncate(cap as usize);
        let first = newest.last().filter(|_| newest.len() == cap as usize);
        let first = first.map_or(since, |row| row.created_at);
        let mut queues: BTreeMap<String, u64> = BTreeMap::new();
        for row in newest {
            *queues.entry(row.queue.clone()).or_default() += 1;
        }
        Ok(Arrivals {
            since: first,
            queues: queues.into_iter().collect(),
        })
    }

    fn delayed(&self, now: Millis, cap: u32) -> Result<Delayed> {
        let tables = self.committed();
        let scheduled = || tables.rows().filter(|row| row.state == State::Scheduled);
        let mut due: BTreeMap<String, u32> = BTreeMap::new();
        let late = scheduled().filter(|row| row.run_at <= now);
        for row in late.take(cap as usize) {
            *due.entry(row.queue.clone()).or_default() += 1;
        }
        let are_all_due = due.values().sum::<u32>() < cap;
        let mut waits: Vec<&JobRow> = scheduled().filter(|row| row.wait.is_some()).collect();
        waits.sort_by_key(|row| (row.run_at.minus(row.wait_length), row.run_at, row.key));
        waits.truncate(cap as usize);
        let is_whole = are_all_due && waits.len() < cap as usize;
        waits.retain(|row| row.retry_count > 0 && row.run_at > now);
        Ok(Delayed {
            due,
            retrying: u32::try_from(waits.len()).unwrap_or(u32::MAX),
            next_retry: waits.iter().map(|row| row.run_at).min(),
            is_whole,
        })
    }

    fn deaths(&self, since: Millis, cap: u32) -> Result<u32> {
        let tables = self.committed();
        let letters = tables
            .letters
            .keys()
            .filter(|key| **key >= Key::first_at(since));
        Ok(u32::try_from(letters.count()).unwrap_or(u32::MAX).min(cap))
    }

    fn position(&self, job: Key, cap: u32) -> Result<Option<u32>> {
        let tables = self.committed();
        let pending = |job: &&Job| job.row.state == State::Pending;
        let Some(of) = tables.jobs.get(&job).filter(pending) else {
            return Ok(None);
        };
        let line = |job: &Job| (job.row.limit_key.clone(), job.row.group);
        let order = |job: &Job| (Reverse(job.row.priority), job.row.run_at, job.row.key);
        let before = tables.jobs.values().filter(pending).filter(|other| {
            let same_line = other.lane == of.lane && line(other) == line(of);
            other.row.losses == 0
                && other.row.queue == of.row.queue
                && (line(other) == (None, None) || same_line)
                && order(other) < order(of)
        });
        let count = u32::try_from(before.count()).unwrap_or(u32::MAX);
        Ok(Some(count.min(cap)))
    }

    fn next_jobs(&self, queue: &str, now: Millis, limit: u32) -> Result<Vec<JobRow>> {
        let tables = self.committed();
        let is_next = |row: &&JobRow| {
            let is_due = row.state == State::Scheduled && row.run_at <= now;
            row.queue == queue
                && (row.state == State::Pending || is_due)
                && row.expires_at.is_none_or(|at| at > now)
        };
        let mut rows: Vec<JobRow> = tables.rows().filter(is_next).cloned().collect();
        rows.sort_by_key(|row| (Reverse(row.priority), row.run_at, row.key));
        rows.truncate(limit as usize);
        Ok(rows)
    }
}
