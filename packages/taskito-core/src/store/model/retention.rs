//! Deletion, and the questions of those who delete.

use super::watching::Ended;
use super::{Draft, Job, ModelStore, Tables};
use crate::clock::Millis;
use crate::error::Result;
use crate::id::Key;
use crate::job::LaneId;
use crate::rollup::{Ending, Run, Tier};
use crate::store::{Passed, Retention, Survey};

impl Retention for Draft<'_> {
    fn prune(&mut self, jobs: &[Key]) -> Result<u32> {
        let mut pruned = 0;
        for key in jobs {
            if self.tables.may_go(*key) {
                self.tables.jobs.remove(key);
                self.tables
                    .attempts
                    .retain(|_, attempt| attempt.job != *key);
                self.tables.letters.retain(|_, letter| letter.job != *key);
                self.tables.logs.retain(|_, line| line.job != *key);
                let replays = &mut self.tables.replays;
                replays.retain(|copy, (original, _)| copy != key && original != key);
                for child in self.tables.jobs.values_mut() {
                    child.parents.retain(|parent| parent != key);
                }
                pruned += 1;
                self.drop_idle_groups();
            }
        }
        Ok(pruned)
    }

    /// Nothing to do: every run is kept as it was.
    fn merge_metrics(&mut self, _after: Key, _before: Key, _limit: u32) -> Result<Option<Key>> {
        Ok(None)
    }

    fn forget_metrics(&mut self, before: Key, _limit: u32) -> Result<u32> {
        let is_old = |one: &&mut Ended| one.is_measured && Key::first_at(one.at) < before;
        let mut forgotten = 0;
        for one in self.tables.ended.iter_mut().filter(is_old) {
            one.is_measured = false;
            forgotten += 1;
        }
        Ok(forgotten)
    }

    fn fold_rollups(&mut self, now: Millis, limit: u32) -> Result<u32> {
        Ok(self.fold(now, limit))
    }
}

impl Draft<'_> {
    /// Notes the end of an attempt.
    pub(super) fn note_run(&mut self, now: Millis, job: Key, run: Run, ending: Ending) {
        if let Some(job) = self.tables.jobs.get(&job) {
            self.tables.ended.push(Ended {
                lane: job.lane,
                queue: job.row.queue.clone(),
                task: job.row.task.clone(),
                at: now,
                run,
                ending,
                is_measured: true,
                tier: Some(Tier::Seconds),
            });
        }
    }
}

impl Survey for ModelStore {
    fn walk(&self, after: Key, limit: u32) -> Result<Vec<Passed>> {
        let tables = self.committed();
        let jobs = tables.jobs.values().filter(|job| job.row.key > after);
        Ok(jobs
            .take(usize::try_from(limit).unwrap_or(usize::MAX))
            .map(|job| Passed {
                key: job.row.key,
                lane: job.lane,
                state: job.row.state,
                finished_at: job.row.finished_at,
                result_ttl: job.row.result_ttl,
            })
            .collect())
    }

    fn outlived(&self, now: Millis, limit: u32) -> Result<Vec<Key>> {
        let tables = self.committed();
        let mut due: Vec<(Millis, Key)> = tables
            .jobs
            .values()
            .filter_map(|job| Some((job.row.finished_at?.plus(job.row.result_ttl?), job.row.key)))
            .filter(|(end, key)| *end <= now && tables.may_go(*key))
            .collect();
        due.sort_unstable();
        due.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        Ok(due.into_iter().map(|(_, key)| key).collect())
    }

    fn next_expiry(&self) -> Result<Option<Millis>> {
        let tables = self.committed();
        let waiting = tables.jobs.values().filter(|job| job.waits());
        Ok(waiting.filter_map(|job| job.row.expires_at).min())
    }

    fn lanes(&self, queue: Option<&str>, task: Option<&str>) -> Result<Vec<LaneId>> {
        let tables = self.committed();
        let lanes = tables.lanes.iter().filter(|((of_queue, of_task), _)| {
            queue.is_none_or(|name| name == of_queue) && task.is_none_or(|name| name == of_task)
        });
        Ok(lanes.map(|(_, lane)| *lane).collect())
    }
}

impl Tables {
    /// Whether a job is finished, and none is left that depends on it.
    fn may_go(&self, key: Key) -> bool {
        let finished = |job: &Job| job.row.state.is_finished();
        let spare = || {
            let mut others = self.jobs.values();
            others.all(|other| finished(other) || !other.parents.contains(&key))
        };
        self.jobs.get(&key).is_some_and(finished) && spare()
    }
}
