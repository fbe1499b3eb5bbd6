//! The arrows of the state machine, one job at a time. Long, to be read side by side.

use std::sync::Arc;

use super::{Draft, Job};
use crate::cause::{Cause, Fingerprint};
use crate::clock::Millis;
use crate::error::Result;
use crate::id::Key;
use crate::job::{
    AttemptRow, Claim, DeadRow, Fence, Inserted, JobRow, JobSpec, LaneId, Mishap, NewJob, Token,
    Wait, WorkerId,
};
use crate::links::RootEnd;
use crate::outcome::CANCELLED_BY_REQUEST;
use crate::rollup::{Ending, Run};
use crate::state::State;
use crate::store::{Appetite, Arrows, Completion, EXPIRED, End, Failure, Rest, Verdict};

impl Arrows for Draft<'_> {
    fn insert(&mut self, now: Millis, jobs: &[NewJob]) -> Result<Vec<Inserted>> {
        self.insert_all(now, jobs)
    }

    fn promote(&mut self, now: Millis, limit: u32) -> Result<u32> {
        let mut promoted = 0;
        while promoted < limit {
            let due = self
                .tables
                .jobs
                .values_mut()
                .filter(|job| job.row.state == State::Scheduled && job.row.run_at <= now)
                .min_by_key(|job| (job.row.run_at, job.row.key));
            let Some(job) = due else { break };
            job.row.state = State::Pending;
            promoted += 1;
        }
        Ok(promoted)
    }

    fn run_now(&mut self, now: Millis, job: Key) -> Result<bool> {
        let job = self.tables.jobs.get_mut(&job);
        let scheduled = job.filter(|job| job.row.state == State::Scheduled);
        Ok(scheduled.is_some_and(|job| {
            job.row.state = State::Pending;
            job.row.run_at = job.row.run_at.min(now);
            true
        }))
    }

    fn claim(
        &mut self,
        now: Millis,
        worker: WorkerId,
        appetite: &mut dyn Appetite,
    ) -> Result<Vec<Claim>> {
        Ok(self.claim_in_turns(now, worker, appetite))
    }

    fn complete(&mut self, now: Millis, batch: &[Completion<'_>]) -> Result<Vec<Verdict>> {
        Ok(batch
            .iter()
            .map(|done| self.complete_one(now, done))
            .collect())
    }

    fn retry(&mut self, now: Millis, batch: &[Failure<'_>]) -> Result<Vec<Verdict>> {
        Ok(batch
            .iter()
            .map(|failure| self.retry_one(now, failure))
            .collect())
    }

    fn snooze(&mut self, now: Millis, batch: &[Rest]) -> Result<Vec<Verdict>> {
        Ok(batch
            .iter()
            .map(|rest| self.snooze_one(now, rest))
            .collect())
    }

    fn lose(&mut self, now: Millis, batch: &[End<'_>]) -> Result<Vec<Verdict>> {
        Ok(batch.iter().map(|end| self.lose_one(now, end)).collect())
    }

    fn hand_back(&mut self, now: Millis, batch: &[Token]) -> Result<Vec<Verdict>> {
        Ok(batch
            .iter()
            .map(|token| self.hand_back_one(now, *token))
            .collect())
    }

    fn bury(&mut self, now: Millis, batch: &[End<'_>]) -> Result<Vec<Verdict>> {
        Ok(batch
            .iter()
            .map(|end| self.bury_one(now, end, Mishap::Failed))
            .collect())
    }

    fn bury_lost(&mut self, now: Millis, batch: &[End<'_>]) -> Result<Vec<Verdict>> {
        Ok(batch
            .iter()
            .map(|end| self.bury_one(now, end, Mishap::Lost))
            .collect())
    }

    fn abort(&mut self, now: Millis, batch: &[End<'_>]) -> Result<Vec<Verdict>> {
        Ok(batch.iter().map(|end| self.abort_one(now, end)).collect())
    }

    fn cancel_request(&mut self, job: Key) -> Result<bool> {
        let job = self.tables.jobs.get_mut(&job);
        let running = job.filter(|job| job.row.state == State::Running);
        Ok(running.is_some_and(|job| {
            job.row.cancel_requested = true;
            true
        }))
    }

    fn cancel(&mut self, now: Millis, job: Key) -> Result<bool> {
        let Some(job) = self.tables.jobs.get_mut(&job) else {
            return Ok(false);
        };
        let waits = job.waits();
        if waits {
            job.row.state = State::Cancelled;
            job.row.finished_at = Some(now);
            let key = job.row.key;
            self.cascade(now, key, RootEnd::Cancelled);
        }
        Ok(waits)
    }

    fn expire(&mut self, now: Millis, limit: u32) -> Result<u32> {
        let mut expired = 0;
        while expired < limit {
            let late = self
                .tables
                .jobs
                .values_mut()
                .filter(|job| job.is_too_late(now))
                .min_by_key(|job| (job.row.expires_at, job.row.key));
            let Some(job) = late else { break };
            let key = job.expire(now);
            self.cascade(now, key, RootEnd::Cancelled);
            expired += 1;
        }
        Ok(expired)
    }

    fn revive(&mut self, now: Millis, letter: Key) -> Result<Option<Key>> {
        let Some(letter) = self.tables.letters.remove(&letter) else {
            return Ok(None);
        };
        let Some(dead) = self.tables.jobs.get(&letter.job) else {
            return Ok(None);
        };
        let again = NewJob {
            preview: dead.row.preview.clone(),
            ..NewJob::new(
                Arc::new(JobSpec {
                    task: dead.row.task.as_str().into(),
                    queue: dead.row.queue.as_str().into(),
                    priority: dead.row.priority,
                    max_retries: dead.row.max_retries,
                    timeout: dead.row.timeout,
                    result_ttl: dead.row.result_ttl,
                    limit_key: dead.row.limit_key.clone(),
                    metadata: dead.row.metadata.clone(),
                    headers: dead.row.headers.clone(),
                    ..JobSpec::new("")
                }),
                dead.payload.clone(),
            )
        };
        Ok(Some(self.add(now, &again).key))
    }
}

impl Draft<'_> {
    /// Stores a job as if it had no ties.
    pub(super) fn add(&mut self, now: Millis, job: &NewJob) -> Inserted {
        if let Some(key) = self.duplicate(&job.spec) {
            return Inserted {
                key,
                deduplicated: true,
            };
        }
        let key = self.keys.next(now);
        let lane = self.lane(&job.spec);
        let job = Job {
            row: JobRow {
                preview: job.preview.clone(),
                ..new_row(now, key, &job.spec)
            },
            payload: job.payload.clone(),
            lane,
            result: None,
            result_preview: None,
            parents: vec![],
            inputs: None,
        };
        self.tables.jobs.insert(key, job);
        Inserted {
            key,
            deduplicated: false,
        }
    }

    /// The job that stands in the way of a new one.
    fn duplicate(&self, spec: &JobSpec) -> Option<Key> {
        let rows = || self.tables.jobs.values().map(|job| &job.row);
        let same_request = rows().find(|row| {
            spec.idempotency_key.is_some()
                && row.idempotency_key == spec.idempotency_key
                && row.task == *spec.task
        });
        let same_work = rows().find(|row| {
            spec.unique_key.is_some()
                && row.unique_key == spec.unique_key
                && !row.state.is_finished()
        });
        same_request.or(same_work).map(|row| row.key)
    }

    fn lane(&mut self, spec: &JobSpec) -> LaneId {
        let lanes = &mut self.tables.lanes;
        let next = LaneId(lanes.values().map(|lane| lane.0).max().unwrap_or(0) + 1);
        let name = (spec.queue.to_string(), spec.task.to_string());
        *lanes.entry(name).or_insert(next)
    }

    fn complete_one(&mut self, now: Millis, done: &Completion<'_>) -> Verdict {
        let Some(job) = self.running(done.token) else {
            return Verdict::Stale;
        };
        job.row.state = State::Complete;
        job.row.started_at = Some(done.run.started_at);
        job.row.finished_at = Some(now);
        job.result = Some(done.result.to_vec());
        job.result_preview = done.preview.map(str::to_owned);
        job.row.owner = None;
        self.note_run(now, done.token.key, done.run, Ending::Done);
        self.release(now, done.token.key);
        Verdict::Applied
    }

    fn retry_one(&mut self, now: Millis, failure: &Failure<'_>) -> Verdict {
        let attempt_key = self.keys.next(now);
        let Some(job) = self.running(failure.token) else {
            return Verdict::Stale;
        };
        let run = Some(failure.run);
        let ending = if job.row.cancel_requested {
            Ending::Failed
        } else {
            Ending::Retried
        };
        let attempt = attempt(now, attempt_key, job, Mishap::Failed, failure.error, run);
        let group = self.record(attempt, failure.cause);
        self.note_run(now, failure.token.key, failure.run, ending);
        self.wait_again(now, failure.token, run, |row| {
            row.state = State::Scheduled;
            row.retry_count += 1;
            row.failure = group;
            row.run_at = failure.run_at;
            row.wait = Some(Wait::Backoff);
            row.wait_length = now.until(failure.run_at);
        })
    }

    fn snooze_one(&mut self, now: Millis, rest: &Rest) -> Verdict {
        self.wait_again(now, rest.token, None, |row| {
            row.state = State::Scheduled;
            row.run_at = rest.run_at;
            row.wait = Some(Wait::Snooze);
            row.wait_length = now.until(rest.run_at);
        })
    }

    fn lose_one(&mut self, now: Millis, end: &End<'_>) -> Verdict {
        let attempt_key = self.keys.next(now);
        let Some(job) = self.running(end.token) else {
            return Verdict::Stale;
        };
        let attempt = attempt(now, attempt_key, job, Mishap::Lost, end.error, end.run);
        self.record(attempt, None);
        self.wait_again(now, end.token, end.run, |row| {
            row.state = State::Pending;
            row.losses += 1;
        })
    }

    fn hand_back_one(&mut self, now: Millis, token: Token) -> Verdict {
        self.wait_again(now, token, None, |row| row.state = State::Pending)
    }

    fn abort_one(&mut self, now: Millis, end: &End<'_>) -> Verdict {
        let Some(job) = self.running(end.token) else {
            return Verdict::Stale;
        };
        job.row.state = State::Cancelled;
        job.row.started_at = end.run.map(|run| run.started_at);
        job.row.finished_at = Some(now);
        job.row.error = Some(end.error.to_owned());
        job.row.owner = None;
        self.cascade(now, end.token.key, RootEnd::Cancelled);
        Verdict::Applied
    }

    /// Moves a claimed job to where it waits, unless it is to be cancelled.
    fn wait_again(
        &mut self,
        now: Millis,
        token: Token,
        run: Option<Run>,
        change: impl FnOnce(&mut JobRow),
    ) -> Verdict {
        let Some(job) = self.running(token) else {
            return Verdict::Stale;
        };
        if job.row.cancel_requested {
            let error = CANCELLED_BY_REQUEST;
            self.abort_one(
                now,
                &End {
                    token,
                    error,
                    cause: None,
                    run,
                },
            );
            return Verdict::Cancelled;
        }
        change(&mut job.row);
        job.row.claimed_at = None;
        job.row.owner = None;
        Verdict::Applied
    }

    fn bury_one(&mut self, now: Millis, end: &End<'_>, mishap: Mishap) -> Verdict {
        let attempt_key = self.keys.next(now);
        let letter_key = self.keys.next(now);
        let Some(job) = self.running(end.token) else {
            return Verdict::Stale;
        };
        let attempt = attempt(now, attempt_key, job, mishap, end.error, end.run);
        let letter = letter(now, letter_key, job, end.error);
        let failure = self.record(attempt, end.cause);
        let Some(job) = self.running(end.token) else {
            return Verdict::Stale;
        };
        match mishap {
            Mishap::Failed => {}
            Mishap::Lost => job.row.losses += 1,
        }
        job.row.state = State::Dead;
        job.row.started_at = end.run.map(|run| run.started_at);
        job.row.finished_at = Some(now);
        job.row.error = Some(end.error.to_owned());
        job.row.owner = None;
        job.row.failure = failure;
        self.tables.letters.insert(letter_key, letter);
        if let (Mishap::Failed, Some(run)) = (mishap, end.run) {
            self.note_run(now, end.token.key, run, Ending::Failed);
        }
        self.cascade(now, end.token.key, RootEnd::Dead);
        Verdict::Applied
    }

    /// Adds to the history of a job; the group that its failure belongs to.
    fn record(&mut self, attempt: AttemptRow, cause: Option<&Cause>) -> Option<Fingerprint> {
        let owner = self.tables.jobs.get(&attempt.job)?.row.owner;
        let task = self.tables.jobs.get(&attempt.job)?.row.task.clone();
        let failure = cause.map(|cause| self.note_failure(attempt.failed_at, &task, cause));
        let worker = owner.and_then(|owner| self.tables.workers.get(&owner));
        let attempt = AttemptRow {
            worker: worker.map(|row| format!("{}:{}", row.about.hostname, row.about.pid)),
            failure,
            error_type: cause.map(|cause| cause.error_type.clone()),
            message: cause.map(|cause| cause.message.clone()),
            frames: cause.and_then(|cause| cause.frames.clone()),
            ..attempt
        };
        self.tables.attempts.insert(attempt.key, attempt);
        failure
    }

    /// The job of this claim, if the claim still holds it.
    pub(super) fn running(&mut self, token: Token) -> Option<&mut Job> {
        self.tables
            .jobs
            .get_mut(&token.key)
            .filter(|job| job.row.state == State::Running && job.row.fence == token.fence)
    }
}

impl Job {
    /// Whether it still waits and may not start any more.
    pub(super) fn is_too_late(&self, now: Millis) -> bool {
        self.waits() && self.row.expires_at.is_some_and(|expiry| expiry <= now)
    }

    pub(super) fn waits(&self) -> bool {
        matches!(
            self.row.state,
            State::Blocked | State::Scheduled | State::Pending
        )
    }

    pub(super) fn expire(&mut self, now: Millis) -> Key {
        self.row.state = State::Cancelled;
        self.row.finished_at = Some(now);
        self.row.error = Some(EXPIRED.into());
        self.row.key
    }
}

fn new_row(now: Millis, key: Key, spec: &JobSpec) -> JobRow {
    let run_at = now.plus(spec.delay);
    JobRow {
        key,
        queue: spec.queue.to_string(),
        task: spec.task.to_string(),
        state: if run_at > now {
            State::Scheduled
        } else {
            State::Pending
        },
        priority: spec.priority,
        retry_count: 0,
        max_retries: spec.max_retries,
        losses: 0,
        fence: Fence(0),
        created_at: now,
        run_at,
        claimed_at: None,
        started_at: None,
        finished_at: None,
        timeout: spec.timeout,
        unique_key: spec.unique_key.clone(),
        idempotency_key: spec.idempotency_key.clone(),
        metadata: spec.metadata.clone(),
        headers: spec.headers.clone(),
        error: None,
        progress: None,
        cancel_requested: false,
        waiting_on: 0,
        ended_by: None,
        wait: None,
        wait_length: spec.delay,
        expires_at: spec.expires.map(|expires| now.plus(expires)),
        result_ttl: spec.result_ttl,
        limit_key: spec.limit_key.clone(),
        workflow: None,
        group: None,
        fire: spec.fire.clone(),
        owner: None,
        failure: None,
        preview: None,
    }
}

fn attempt(
    now: Millis,
    key: Key,
    job: &Job,
    mishap: Mishap,
    error: &str,
    run: Option<Run>,
) -> AttemptRow {
    AttemptRow {
        key,
        job: job.row.key,
        attempt: job.row.retry_count,
        fence: job.row.fence,
        mishap,
        error: error.to_owned(),
        // A running job has always been claimed.
        claimed_at: job.row.claimed_at.unwrap_or(now),
        started_at: run.map(|run| run.started_at),
        failed_at: now,
        worker: None,
        failure: None,
        error_type: None,
        message: None,
        frames: None,
    }
}

pub(super) fn letter(now: Millis, key: Key, job: &Job, error: &str) -> DeadRow {
    DeadRow {
        key,
        job: job.row.key,
        queue: job.row.queue.clone(),
        task: job.row.task.clone(),
        error: error.to_owned(),
        retry_count: job.row.retry_count,
        failed_at: now,
        metadata: job.row.metadata.clone(),
    }
}
