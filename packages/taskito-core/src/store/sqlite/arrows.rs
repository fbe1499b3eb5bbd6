//! The storage contract on an open transaction: each arrow by its name.

use super::failure::explain;
use super::transaction::SqliteTransaction;
use crate::clock::Millis;
use crate::error::{Error, Result};
use crate::id::Key;
use crate::job::{Beat, Claim, Held, Inserted, Mishap, NewJob, NewWorker, Token, WorkerId};
use crate::store::{Appetite, Arrows, Completion, End, Failure, Rest, Retention, Roster, Verdict};

impl SqliteTransaction<'_> {
    /// Tells a failure by what the caller can do about it.
    pub(super) fn explained<T>(&self, answer: rusqlite::Result<T>) -> Result<T> {
        answer.map_err(|error| explain(self.path, &error))
    }
}

impl Arrows for SqliteTransaction<'_> {
    fn insert(&mut self, now: Millis, jobs: &[NewJob]) -> Result<Vec<Inserted>> {
        self.insert_jobs(now, jobs)
    }

    fn promote(&mut self, now: Millis, limit: u32) -> Result<u32> {
        let answer = self.promote_due(now, limit);
        self.explained(answer)
    }

    fn run_now(&mut self, now: Millis, job: Key) -> Result<bool> {
        let answer = self.promote_one(now, job);
        self.explained(answer)
    }

    fn claim(
        &mut self,
        now: Millis,
        worker: WorkerId,
        appetite: &mut dyn Appetite,
    ) -> Result<Vec<Claim>> {
        let answer = self.claim_jobs(now, worker, appetite);
        self.explained(answer)
    }

    fn complete(&mut self, now: Millis, batch: &[Completion<'_>]) -> Result<Vec<Verdict>> {
        let answer = self.complete_jobs(now, batch);
        self.explained(answer)
    }

    fn retry(&mut self, now: Millis, batch: &[Failure<'_>]) -> Result<Vec<Verdict>> {
        let answer = self.retry_jobs(now, batch);
        self.explained(answer)
    }

    fn snooze(&mut self, now: Millis, batch: &[Rest]) -> Result<Vec<Verdict>> {
        let answer = self.snooze_jobs(now, batch);
        self.explained(answer)
    }

    fn lose(&mut self, now: Millis, batch: &[End<'_>]) -> Result<Vec<Verdict>> {
        let answer = self.lose_jobs(now, batch);
        self.explained(answer)
    }

    fn hand_back(&mut self, now: Millis, batch: &[Token]) -> Result<Vec<Verdict>> {
        let answer = self.hand_back_jobs(now, batch);
        self.explained(answer)
    }

    fn bury(&mut self, now: Millis, batch: &[End<'_>]) -> Result<Vec<Verdict>> {
        let answer = self.bury_jobs(now, batch, Mishap::Failed);
        self.explained(answer)
    }

    fn bury_lost(&mut self, now: Millis, batch: &[End<'_>]) -> Result<Vec<Verdict>> {
        let answer = self.bury_jobs(now, batch, Mishap::Lost);
        self.explained(answer)
    }

    fn abort(&mut self, now: Millis, batch: &[End<'_>]) -> Result<Vec<Verdict>> {
        let answer = self.abort_jobs(now, batch);
        self.explained(answer)
    }

    fn cancel_request(&mut self, job: Key) -> Result<bool> {
        let answer = self.request_cancel(job);
        self.explained(answer)
    }

    fn cancel(&mut self, now: Millis, job: Key) -> Result<bool> {
        let answer = self.cancel_job(now, job);
        self.explained(answer)
    }

    fn expire(&mut self, now: Millis, limit: u32) -> Result<u32> {
        let answer = self.expire_due(now, limit);
        self.explained(answer)
    }

    fn revive(&mut self, now: Millis, letter: Key) -> Result<Option<Key>> {
        let answer = self.revive_job(now, letter);
        self.explained(answer)
    }
}

impl Retention for SqliteTransaction<'_> {
    fn prune(&mut self, jobs: &[Key]) -> Result<u32> {
        let answer = self.prune_jobs(jobs);
        self.explained(answer)
    }

    fn merge_metrics(&mut self, after: Key, before: Key, limit: u32) -> Result<Option<Key>> {
        let answer = self.merge_minutes(after, before, limit);
        self.explained(answer)
    }

    fn fold_rollups(&mut self, now: Millis, limit: u32) -> Result<u32> {
        let folded = self.fold_old_rollups(now, limit);
        self.explained(folded)
    }

    fn forget_metrics(&mut self, before: Key, limit: u32) -> Result<u32> {
        let answer = self.forget_before(before, limit);
        self.explained(answer)
    }
}

impl Roster for SqliteTransaction<'_> {
    fn enlist(&mut self, now: Millis, worker: &NewWorker) -> Result<WorkerId> {
        let answer = self.enlist_worker(now, worker);
        self.explained(answer)
    }

    fn beat(&mut self, now: Millis, worker: WorkerId, beat: &Beat) -> Result<()> {
        let answer = self.beat_worker(now, worker, beat);
        self.explained(answer)
    }

    fn request_drain(&mut self, worker: WorkerId) -> Result<bool> {
        let answer = self.ask_to_leave(worker);
        self.explained(answer)
    }

    fn held(&mut self, worker: WorkerId) -> Result<Vec<Held>> {
        let answer = self.held_by(worker);
        self.explained(answer)
    }

    fn dismiss(&mut self, worker: WorkerId) -> Result<bool> {
        if !self.held(worker)?.is_empty() {
            return Err(Error::Invalid {
                message: format!("worker {} still holds jobs", worker.0),
            });
        }
        let answer = self.dismiss_worker(worker);
        self.explained(answer)
    }
}
