//! Applying outcomes: each is decided by pure code, then goes along its arrow with its kind.

use crate::clock::Millis;
use crate::error::Result;
use crate::id::xorshift;
use crate::job::Token;
use crate::outcome::Settlement;
use crate::store::{Completion, End, Failure, Transaction};

use super::slips::Settled;

/// A batch of settlements, sorted by arrow.
#[derive(Default)]
pub(super) struct Batch<'o> {
    completed: Vec<Completion<'o>>,
    retried: Vec<Failure<'o>>,
    buried: Vec<End<'o>>,
    handed_back: Vec<Token>,
}

impl<'o> Batch<'o> {
    /// Decides what follows from each outcome.
    pub(super) fn decide(settled: &'o [Settled], now: Millis, seed: u64) -> Self {
        let mut batch = Self::default();
        let mut random = seed | 1;
        for one in settled {
            random = xorshift(random);
            let token = one.claim.token;
            match one
                .outcome
                .decide(&one.claim, &one.task.policy, now, random)
            {
                Settlement::Complete { result } => {
                    batch.completed.push(Completion { token, result });
                }
                Settlement::Retry { run_at, error } => batch.retried.push(Failure {
                    token,
                    error,
                    run_at,
                }),
                Settlement::Bury { error } => batch.buried.push(End { token, error }),
                Settlement::HandBack => batch.handed_back.push(token),
            }
        }
        batch
    }

    /// Follows the arrows. Stale settlements change nothing, and that is as it should be.
    pub(super) fn apply(&self, now: Millis, transaction: &mut dyn Transaction) -> Result<()> {
        transaction.complete(now, &self.completed)?;
        transaction.retry(now, &self.retried)?;
        transaction.bury(now, &self.buried)?;
        transaction.hand_back(now, &self.handed_back)?;
        Ok(())
    }
}
