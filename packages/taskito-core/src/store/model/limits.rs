//! Limits, found by counting every row each time.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Draft, Job, ModelStore, Tables};
use crate::breaker::{Breaker, Probe, Trial};
use crate::clock::Millis;
use crate::error::Result;
use crate::id::Key;
use crate::job::{Stats, Token};
use crate::limits::{
    Hold, Limit, Limiter, LimiterId, Opening, QueueChange, QueueRow, Scope, TaskLimits,
};
use crate::links::GroupId;
use crate::rate::{Bucket, Interval};
use crate::state::{State, Status};
use crate::store::{Appetite, Judgement, Limits, Restraints};

/// What somebody set for a queue.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Setting {
    paused: bool,
    limit: Limit,
    bucket: Bucket,
}

/// What is known of limits.
#[derive(Clone, Debug, Default)]
pub(super) struct Restrictions {
    queues: BTreeMap<String, Setting>,
    /// Tokens of a task by limit key, and what one cost last.
    tokens: BTreeMap<(String, Option<String>), (Bucket, Interval)>,
    announced: BTreeMap<String, Limit>,
    breakers: BTreeMap<String, Breaker>,
}

impl Limits for Draft<'_> {
    fn set_queue(&mut self, queue: &str, change: &QueueChange) -> Result<()> {
        let queues = &mut self.tables.restrictions.queues;
        let setting = queues.entry(queue.to_owned()).or_default();
        match change {
            QueueChange::Pause => setting.paused = true,
            QueueChange::Resume => setting.paused = false,
            QueueChange::Rate(rate) => setting.limit.rate.clone_from(rate),
            QueueChange::MaxConcurrent(most) => setting.limit.max_concurrent = *most,
        }
        if !setting.paused && setting.limit.is_none() {
            queues.remove(queue);
        }
        Ok(())
    }

    fn announce(&mut self, tasks: &[(Arc<str>, TaskLimits)]) -> Result<()> {
        let known = &mut self.tables.restrictions;
        for (task, limits) in tasks {
            known
                .announced
                .insert(task.to_string(), limits.limit.clone());
            match limits.breaker {
                None => {
                    known.breakers.remove(&**task);
                }
                Some(settings) => {
                    let breaker = known.breakers.entry(task.to_string());
                    breaker.or_insert_with(|| Breaker::new(settings)).settings = settings;
                }
            }
        }
        Ok(())
    }

    fn put_back_tokens(&mut self, claims: &[Token]) -> Result<()> {
        for claim in claims {
            let Some(job) = self.tables.jobs.get(&claim.key) else {
                continue;
            };
            let known = &mut self.tables.restrictions;
            if let Some(setting) = known.queues.get_mut(&job.row.queue)
                && let Some(rate) = &setting.limit.rate
            {
                setting.bucket = setting.bucket.returned(rate.interval());
            }
            if let Some((bucket, interval)) = known.tokens.get_mut(&job.counted_as()) {
                *bucket = bucket.returned(*interval);
            }
        }
        Ok(())
    }

    fn judge(&mut self, now: Millis, attempts: &[Judgement]) -> Result<()> {
        for attempt in attempts {
            let breakers = &mut self.tables.restrictions.breakers;
            if let Some(breaker) = breakers.get_mut(&*attempt.task) {
                match attempt.trial {
                    Trial::Passed => breaker.succeeded(attempt.token.into()),
                    Trial::Failed => breaker.failed(attempt.token.into(), now),
                }
            }
        }
        Ok(())
    }
}

impl Restraints for ModelStore {
    fn restrained_queues(&self) -> Result<Vec<String>> {
        Ok(self
            .committed()
            .restrictions
            .queues
            .keys()
            .cloned()
            .collect())
    }

    fn queues(&self, now: Millis) -> Result<Vec<QueueRow>> {
        Ok(self.committed().queue_rows(now))
    }

    fn breakers(&self) -> Result<Vec<(String, Breaker)>> {
        let tables = self.committed();
        Ok(tables.restrictions.breakers.clone().into_iter().collect())
    }

    fn task_limits(&self) -> Result<Vec<(String, Limit)>> {
        let announced = self.committed().restrictions.announced.clone();
        Ok(announced
            .into_iter()
            .filter(|(_, limit)| !limit.is_none())
            .collect())
    }

    fn holds(&self, now: Millis, job: Key) -> Result<Vec<Hold>> {
        let tables = self.committed();
        let Some(job) = tables.jobs.get(&job).filter(|job| job.waits()) else {
            return Ok(Vec::new());
        };
        let known = &tables.restrictions;
        let announced = known.announced.get(&job.row.task);
        let limits = TaskLimits {
            limit: announced.cloned().unwrap_or_default(),
            breaker: known.breakers.get(&job.row.task).map(|b| b.settings),
        };
        Ok(tables.holds(job, &limits, now))
    }
}

impl Draft<'_> {
    /// What a claim meets is as it can be now from then on: see [`Bucket::healed`].
    pub(super) fn heal(&mut self, now: Millis, appetite: &dyn Appetite) {
        let met: Vec<(String, String)> = self
            .tables
            .served(appetite)
            .map(|job| (job.row.queue.clone(), job.row.task.clone()))
            .collect();
        let known = &mut self.tables.restrictions;
        for (queue, task) in met {
            if let Some(setting) = known.queues.get_mut(&queue)
                && let Some(rate) = &setting.limit.rate
            {
                setting.bucket = setting.bucket.healed(rate, now);
            }
            let limits = appetite.limits(&task);
            if let Some(breaker) = known.breakers.get_mut(&task)
                && limits.breaker.is_some()
            {
                *breaker = breaker.clone().healed(now);
            }
            if let Some(rate) = &limits.limit.rate
                && let Some((bucket, _)) = known.tokens.get_mut(&(task, None))
            {
                *bucket = bucket.healed(rate, now);
            }
        }
    }

    /// Counts a job that has just been claimed.
    pub(super) fn count_start(&mut self, job: Key, limits: &TaskLimits, now: Millis) {
        let tables = &mut self.tables;
        let Some(job) = tables.jobs.get(&job) else {
            return;
        };
        let known = &mut tables.restrictions;
        if let Some(setting) = known.queues.get_mut(&job.row.queue)
            && let Some(rate) = &setting.limit.rate
        {
            setting.bucket = setting.bucket.healed(rate, now).taken(rate, now);
        }
        if let Some(rate) = &limits.limit.rate {
            let tokens = known.tokens.entry(job.counted_as()).or_default();
            *tokens = (tokens.0.healed(rate, now).taken(rate, now), rate.interval());
        }
        if let Some(breaker) = known.breakers.get_mut(&job.row.task)
            && limits.breaker.is_some()
        {
            breaker.started(job.token().into());
        }
    }
}

impl Tables {
    /// Whether a claim would take something, and when at the earliest if it does not now.
    pub(super) fn prospects(&self, now: Millis, appetite: &mut dyn Appetite) -> bool {
        if self.any_claimable(now, appetite) {
            return true;
        }
        self.tell(now, appetite);
        false
    }

    /// Tells a worker that finds nothing more when to look again.
    pub(super) fn tell(&self, now: Millis, appetite: &mut dyn Appetite) {
        let later = self.times_to_try(now, appetite);
        let next = later
            .into_iter()
            .find(|at| self.any_claimable(*at, appetite));
        if let Some(at) = next {
            appetite.held_back(Opening::At(at));
        }
        let waits_for_an_end =
            |hold: Hold| matches!(hold, Hold::Full { .. } | Hold::Broken { until: None, .. });
        let held: Vec<Hold> = self
            .served(appetite)
            .flat_map(|job| self.holds(job, appetite.limits(&job.row.task), now))
            .collect();
        if held.into_iter().any(waits_for_an_end) {
            appetite.held_back(Opening::Later);
        }
    }

    fn any_claimable(&self, now: Millis, appetite: &dyn Appetite) -> bool {
        self.served(appetite).any(|job| {
            let holds = self.holds(job, appetite.limits(&job.row.task), now);
            holds.is_empty()
        })
    }

    /// The instants at which something opens, in order.
    fn times_to_try(&self, now: Millis, appetite: &dyn Appetite) -> Vec<Millis> {
        let mut times: Vec<Millis> = self
            .served(appetite)
            .flat_map(|job| self.holds(job, appetite.limits(&job.row.task), now))
            .filter_map(|hold| match hold {
                Hold::Rate { until, .. } => Some(until),
                Hold::Broken { until, .. } => until,
                Hold::Paused { .. } | Hold::Full { .. } => None,
            })
            .collect();
        times.sort_unstable();
        times
    }

    /// The pending jobs that a worker serves.
    fn served<'t>(&'t self, appetite: &dyn Appetite) -> impl Iterator<Item = &'t Job> {
        let pending = self
            .jobs
            .values()
            .filter(|job| job.row.state == State::Pending);
        let served: Vec<&Job> = pending
            .filter(|job| appetite.serves(&job.row.queue, &job.row.task))
            .collect();
        served.into_iter()
    }

    /// The limits that keep a job from starting now.
    pub(super) fn holds(&self, job: &Job, limits: &TaskLimits, now: Millis) -> Vec<Hold> {
        let known = &self.restrictions;
        let (queue, task) = (&job.row.queue, &job.row.task);
        let mut holds = Vec::new();
        if let Some(setting) = known.queues.get(queue) {
            if setting.paused {
                holds.push(Hold::Paused {
                    queue: queue.clone(),
                });
            }
            let running = self.running(|other| other.row.queue == *queue);
            let limiter = Limiter::found(setting.limit.clone(), running, setting.bucket, now);
            holds.extend(limiter.holds(Scope::Queue(queue.clone()), now));
        }
        if let Some(breaker) = known.breakers.get(task)
            && limits.breaker.is_some()
        {
            let probing = breaker.probe.is_some_and(|probe| self.is_running(probe));
            let opening = breaker.clone().healed(now).opening(now, probing);
            if opening != Opening::Now {
                holds.push(Hold::Broken {
                    task: task.clone(),
                    until: opening.at(),
                });
            }
        }
        let (bucket, _) = known
            .tokens
            .get(&job.counted_as())
            .copied()
            .unwrap_or_default();
        let running = self.running(|other| other.counted_as() == job.counted_as());
        let limiter = Limiter::found(limits.limit.clone(), running, bucket, now);
        holds.extend(limiter.holds(job.scope(), now));
        for group in self.groups_of(job) {
            let most = self.groups.get(&group).map(|(most, _)| *most);
            let running = self.running(|other| self.groups_of(other).contains(&group));
            let full = Bucket::default();
            let limiter = Limiter::found(Limit::of_group(most), running, full, now);
            holds.extend(limiter.holds(Scope::Group(LimiterId(group.0)), now));
        }
        holds
    }

    /// Whether the jobs of a queue take tokens of it.
    pub(super) fn is_rated(&self, queue: &str) -> bool {
        let setting = self.restrictions.queues.get(queue);
        setting.is_some_and(|setting| setting.limit.rate.is_some())
    }

    fn running(&self, counts: impl Fn(&Job) -> bool) -> u32 {
        let running = self
            .jobs
            .values()
            .filter(|job| job.row.state == State::Running);
        u32::try_from(running.filter(|job| counts(job)).count()).unwrap_or(u32::MAX)
    }

    fn is_running(&self, probe: Probe) -> bool {
        let job = self.jobs.get(&probe.key);
        job.is_some_and(|job| job.row.state == State::Running && job.row.fence == probe.fence)
    }

    /// The groups a job is in, the innermost first.
    fn groups_of(&self, job: &Job) -> Vec<GroupId> {
        let mut groups = Vec::new();
        let mut next = job.row.group;
        while let Some(group) = next {
            groups.push(group);
            next = self.groups.get(&group).and_then(|(_, outer)| *outer);
        }
        groups
    }

    fn queue_rows(&self, now: Millis) -> Vec<QueueRow> {
        let mut rows: BTreeMap<String, QueueRow> = BTreeMap::new();
        let names = self.rows().map(|row| &row.queue);
        for name in names.chain(self.restrictions.queues.keys()) {
            let setting = self
                .restrictions
                .queues
                .get(name)
                .cloned()
                .unwrap_or_default();
            let jobs = || self.rows().filter(|row| row.queue == *name);
            let mut stats = Stats::default();
            for row in jobs() {
                *match row.state.status() {
                    Status::Pending => &mut stats.pending,
                    Status::Running => &mut stats.running,
                    Status::Complete => &mut stats.complete,
                    Status::Dead => &mut stats.dead,
                    Status::Cancelled => &mut stats.cancelled,
                } += 1;
            }
            let due = jobs().filter(|row| match row.state {
                State::Pending => true,
                State::Scheduled => row.run_at <= now,
                _ => false,
            });
            let row = QueueRow {
                name: name.clone(),
                paused: setting.paused,
                limit: setting.limit,
                oldest_due_at: due.map(|row| row.run_at).min(),
                stats,
            };
            rows.insert(name.clone(), row);
        }
        rows.into_values().collect()
    }
}

impl Job {
    /// The task and limit key by which its task's limits count it.
    fn counted_as(&self) -> (String, Option<String>) {
        (self.row.task.clone(), self.row.limit_key.clone())
    }

    fn scope(&self) -> Scope {
        match self.counted_as() {
            (task, None) => Scope::Task(task),
            (task, Some(key)) => Scope::Key { task, key },
        }
    }
}
