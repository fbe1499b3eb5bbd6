//! The choice of jobs for a worker.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::{Draft, Job};
use crate::clock::Millis;
use crate::id::Key;
use crate::job::{Claim, Fence, Spot, Token, WorkerId};
use crate::limits::TaskLimits;
use crate::links::RootEnd;
use crate::state::State;
use crate::store::{Appetite, Start};

impl Draft<'_> {
    /// One job from each queue in turn, until nothing is left. A refused task leaves the line.
    pub(super) fn claim_in_turns(
        &mut self,
        now: Millis,
        worker: WorkerId,
        appetite: &mut dyn Appetite,
    ) -> Vec<Claim> {
        if !self.tables.workers.contains_key(&worker) {
            return Vec::new();
        }
        self.heal(now, appetite);
        let mut waiting = self.waiting(appetite);
        waiting.retain(|_, line| self.first(line, now, appetite).is_some());
        let mut queues: Vec<String> = waiting.keys().cloned().collect();
        let mut position = appetite.turn().checked_rem(queues.len()).unwrap_or(0);
        let mut claims = Vec::new();
        while let Some(line) = queues.get(position).and_then(|name| waiting.get_mut(name)) {
            let Some(key) = self.first(line, now, appetite) else {
                queues.remove(position);
                position = position.checked_rem(queues.len()).unwrap_or(0);
                continue;
            };
            let Some(job) = self.tables.jobs.get(&key) else {
                break;
            };
            let limits = appetite.limits(&job.row.task).clone();
            let start = self.start_of(key, &limits);
            let Some(job) = self.tables.jobs.get_mut(&key) else {
                break;
            };
            if !appetite.admit(&job.row.task, start) {
                let refused = job.row.task.clone();
                line.retain(|waiting| {
                    let job = self.tables.jobs.get(waiting);
                    job.is_some_and(|job| job.row.task != refused)
                });
                continue;
            }
            line.retain(|waiting| *waiting != key);
            if job.is_too_late(now) {
                job.expire(now);
                self.cascade(now, key, RootEnd::Cancelled);
                continue;
            }
            appetite.took(&job.row.task);
            if job.is_suspect() {
                appetite.took_suspect();
            }
            let mut claim = job.start(now, worker);
            claim.inputs = self.inputs(key);
            claims.push(claim);
            self.count_start(key, &limits, now);
            position = (position + 1) % queues.len();
        }
        self.tables.tell(now, appetite);
        claims
    }

    /// The pending jobs that the worker serves, by queue, each line in running order.
    fn waiting(&self, appetite: &dyn Appetite) -> BTreeMap<String, Vec<Key>> {
        let mut pending: Vec<&Job> = self
            .tables
            .jobs
            .values()
            .filter(|job| job.row.state == State::Pending)
            .filter(|job| appetite.serves(&job.row.queue, &job.row.task))
            .collect();
        pending.sort_by_key(|job| (Reverse(job.row.priority), job.row.run_at, job.row.key));
        let mut waiting: BTreeMap<String, Vec<Key>> = BTreeMap::new();
        for job in pending {
            let line = waiting.entry(job.row.queue.clone()).or_default();
            line.push(job.row.key);
        }
        waiting
    }

    /// The first job of a line that may be taken now.
    fn first(&self, line: &[Key], now: Millis, appetite: &dyn Appetite) -> Option<Key> {
        let may_start = |job: &Job| {
            let limits = appetite.limits(&job.row.task);
            self.tables.holds(job, limits, now).is_empty()
                && (!job.is_suspect() || appetite.admits_suspect())
        };
        line.iter()
            .copied()
            .find(|key| self.tables.jobs.get(key).is_some_and(may_start))
    }

    /// Whether a token is taken for a job.
    fn start_of(&self, job: Key, limits: &TaskLimits) -> Start {
        let job = self.tables.jobs.get(&job);
        let rated = job.is_some_and(|job| self.tables.is_rated(&job.row.queue));
        if rated || limits.limit.rate.is_some() {
            Start::AtOnce
        } else {
            Start::Soon
        }
    }
}

impl Job {
    fn is_suspect(&self) -> bool {
        self.row.losses > 0
    }

    fn start(&mut self, now: Millis, worker: WorkerId) -> Claim {
        self.row.state = State::Running;
        self.row.fence = Fence(self.row.fence.0 + 1);
        self.row.claimed_at = Some(now);
        self.row.owner = Some(worker);
        Claim {
            token: self.token(),
            queue: self.row.queue.as_str().into(),
            task: self.row.task.as_str().into(),
            run_at: self.row.run_at,
            payload: self.payload.clone(),
            inputs: None,
            retry_count: self.row.retry_count,
            max_retries: self.row.max_retries,
            losses: self.row.losses,
            timeout: self.row.timeout,
            expires_at: self.row.expires_at,
        }
    }

    /// The newest claim of this job.
    pub(super) fn token(&self) -> Token {
        Token {
            key: self.row.key,
            fence: self.row.fence,
            spot: Spot::of(self.lane),
        }
    }
}
