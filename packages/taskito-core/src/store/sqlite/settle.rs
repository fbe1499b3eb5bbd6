//! Arrows out of `running`: `complete`, `retry`, `snooze`, `lose`, `hand_back`, `bury`, `abort`.
//! All match on the fence.

use rusqlite::{Result, named_params, params};

use super::row::millis;
use super::transaction::SqliteTransaction;
use crate::cause::Fingerprint;
use crate::clock::Millis;
use crate::job::{Mishap, Token};
use crate::links::RootEnd;
use crate::outcome::CANCELLED_BY_REQUEST;
use crate::rollup::{Ending, Run};
use crate::state::State;
use crate::store::{Completion, End, Failure, Rest, Verdict};

impl SqliteTransaction<'_> {
    pub(super) fn complete_jobs(
        &mut self,
        now: Millis,
        batch: &[Completion<'_>],
    ) -> Result<Vec<Verdict>> {
        let mut complete = self
            .connection
            .prepare_cached(include_str!("sql/complete.sql"))?;
        let mut store_result = self
            .connection
            .prepare_cached(include_str!("sql/store_result.sql"))?;
        let mut verdicts = Vec::with_capacity(batch.len());
        for Completion {
            token,
            result,
            preview,
            run,
        } in batch
        {
            let moved = complete.execute(params![run.started_at, now, token.key, token.fence])?;
            if moved == 1 {
                self.stopwatch.note(now, token.spot.lane, run, Ending::Done);
                store_result.execute(params![token.key, result, preview])?;
                self.release(now, token.key)?;
            }
            verdicts.push(self.settled(token, moved, State::Complete));
        }
        Ok(verdicts)
    }

    pub(super) fn retry_jobs(
        &mut self,
        now: Millis,
        batch: &[Failure<'_>],
    ) -> Result<Vec<Verdict>> {
        let mut retry = self
            .connection
            .prepare_cached(include_str!("sql/retry.sql"))?;
        let mut verdicts = Vec::with_capacity(batch.len());
        for Failure {
            token,
            error,
            cause,
            run_at,
            run,
        } in batch
        {
            let end = End {
                token: *token,
                error,
                cause: *cause,
                run: Some(*run),
            };
            let failure = self.record_attempt(now, Mishap::Failed, &end)?;
            let moved = retry.execute(named_params! {
                ":id": token.key, ":fence": token.fence, ":run_at": run_at,
                ":wait_ms": millis(now.until(*run_at)), ":failure": failure,
            })?;
            let verdict = self.waits_again(now, token, Some(run), moved, State::Scheduled)?;
            let ending = match verdict {
                Verdict::Applied => Some(Ending::Retried),
                Verdict::Cancelled => Some(Ending::Failed),
                Verdict::Stale => None,
            };
            if let Some(ending) = ending {
                self.stopwatch.note(now, token.spot.lane, run, ending);
            }
            verdicts.push(verdict);
        }
        Ok(verdicts)
    }

    pub(super) fn snooze_jobs(&mut self, now: Millis, batch: &[Rest]) -> Result<Vec<Verdict>> {
        let mut snooze = self
            .connection
            .prepare_cached(include_str!("sql/snooze.sql"))?;
        let mut verdicts = Vec::with_capacity(batch.len());
        for Rest { token, run_at } in batch {
            let moved = snooze.execute(named_params! {
                ":id": token.key, ":fence": token.fence, ":run_at": run_at,
                ":wait_ms": millis(now.until(*run_at)),
            })?;
            verdicts.push(self.waits_again(now, token, None, moved, State::Scheduled)?);
        }
        Ok(verdicts)
    }

    pub(super) fn lose_jobs(&mut self, now: Millis, batch: &[End<'_>]) -> Result<Vec<Verdict>> {
        let mut lose = self
            .connection
            .prepare_cached(include_str!("sql/lose.sql"))?;
        let mut verdicts = Vec::with_capacity(batch.len());
        for end in batch {
            let End { token, run, .. } = end;
            self.record_attempt(
                now,
                Mishap::Lost,
                &End {
                    cause: None,
                    ..*end
                },
            )?;
            let moved = lose.execute(named_params! {":id": token.key, ":fence": token.fence})?;
            verdicts.push(self.waits_again(now, token, run.as_ref(), moved, State::Pending)?);
        }
        Ok(verdicts)
    }

    pub(super) fn hand_back_jobs(&mut self, now: Millis, batch: &[Token]) -> Result<Vec<Verdict>> {
        let mut hand_back = self
            .connection
            .prepare_cached(include_str!("sql/hand_back.sql"))?;
        let mut verdicts = Vec::with_capacity(batch.len());
        for token in batch {
            let moved =
                hand_back.execute(named_params! {":id": token.key, ":fence": token.fence})?;
            verdicts.push(self.waits_again(now, token, None, moved, State::Pending)?);
        }
        Ok(verdicts)
    }

    pub(super) fn abort_jobs(&mut self, now: Millis, batch: &[End<'_>]) -> Result<Vec<Verdict>> {
        let ends = batch.iter();
        ends.map(|end| self.abort_job(now, end)).collect()
    }

    pub(super) fn bury_jobs(
        &mut self,
        now: Millis,
        batch: &[End<'_>],
        mishap: Mishap,
    ) -> Result<Vec<Verdict>> {
        let mut bury = self.connection.prepare_cached(match mishap {
            Mishap::Failed => include_str!("sql/bury.sql"),
            Mishap::Lost => include_str!("sql/bury_lost.sql"),
        })?;
        let mut verdicts = Vec::with_capacity(batch.len());
        for end in batch {
            let End {
                token, error, run, ..
            } = end;
            let failure = self.record_attempt(now, mishap, end)?;
            let moved = self.with_new_key(now, |letter| {
                bury.execute(named_params! {
                    ":id": token.key, ":fence": token.fence, ":now": now, ":error": error,
                    ":dead_letter": letter, ":failure": failure,
                    ":started_at": run.map(|run| run.started_at),
                })
            })?;
            if moved == 1 {
                if let (Mishap::Failed, Some(run)) = (mishap, run) {
                    self.stopwatch
                        .note(now, token.spot.lane, run, Ending::Failed);
                }
                self.cascade(now, token.key, RootEnd::Dead)?;
            }
            verdicts.push(self.settled(token, moved, State::Dead));
        }
        Ok(verdicts)
    }

    /// Adds to the history of a job, and to the group that its failure belongs to, if it has a
    /// cause; which that is.
    fn record_attempt(
        &self,
        now: Millis,
        mishap: Mishap,
        end: &End<'_>,
    ) -> Result<Option<Fingerprint>> {
        let End {
            token,
            error,
            cause,
            run,
        } = end;
        let group = cause
            .map(|cause| self.group_of(token.spot.lane, cause))
            .transpose()?
            .flatten();
        let failure = group.as_ref().map(|(failure, _)| *failure);
        let mut record = self
            .connection
            .prepare_cached(include_str!("sql/record_attempt.sql"))?;
        let recorded = self.with_new_key(now, |key| {
            record.execute(named_params! {
                ":id": key, ":job": token.key, ":fence": token.fence,
                ":outcome": mishap, ":error": error, ":now": now, ":failure": failure,
                ":message": cause.map(|cause| &cause.message),
                ":frames": cause.and_then(|cause| cause.frames.as_ref()),
                ":started_at": run.map(|run| run.started_at),
            })
        })?;
        if recorded == 1
            && let (Some((failure, task)), Some(cause)) = (&group, cause)
        {
            self.note_failure(now, *failure, task, cause)?;
        }
        Ok(failure)
    }

    fn abort_job(&mut self, now: Millis, end: &End<'_>) -> Result<Verdict> {
        let End {
            token, error, run, ..
        } = end;
        let moved = self
            .connection
            .prepare_cached(include_str!("sql/abort.sql"))?
            .execute(named_params! {
                ":id": token.key, ":fence": token.fence, ":now": now, ":error": error,
                ":started_at": run.map(|run| run.started_at),
            })?;
        if moved == 1 {
            self.cascade(now, token.key, RootEnd::Cancelled)?;
        }
        Ok(self.settled(token, moved, State::Cancelled))
    }

    /// What became of a job that was to wait again. One that did not move although the claim
    /// holds it is to be cancelled.
    fn waits_again(
        &mut self,
        now: Millis,
        token: &Token,
        run: Option<&Run>,
        moved: usize,
        to: State,
    ) -> Result<Verdict> {
        if moved == 1 {
            return Ok(self.settled(token, moved, to));
        }
        let end = End {
            token: *token,
            error: CANCELLED_BY_REQUEST,
            cause: None,
            run: run.copied(),
        };
        Ok(match self.abort_job(now, &end)? {
            Verdict::Applied => Verdict::Cancelled,
            stale => stale,
        })
    }

    fn settled(&mut self, token: &Token, moved: usize, to: State) -> Verdict {
        if moved == 0 {
            return Verdict::Stale;
        }
        self.tally.moves(token.spot, State::Running, to);
        Verdict::Applied
    }
}
