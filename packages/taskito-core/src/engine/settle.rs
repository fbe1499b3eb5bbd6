//! Applying outcomes: each is decided by pure code, then goes along its arrow with its kind.

use std::sync::Arc;
use std::time::Instant;

use crate::clock::Millis;
use crate::error::Result;
use crate::id::xorshift;
use crate::job::Token;
use crate::outcome::Settlement;
use crate::rollup::Run;
use crate::store::{Completion, End, Failure, Judgement, Rest, Transaction, Verdict};

use super::news::{Arrow, Event};
use super::slips::Settled;

/// A batch of settlements, sorted by arrow.
#[derive(Default)]
pub(super) struct Batch<'o> {
    settled: &'o [Settled],
    /// Where each is to go, in the order in which they came.
    arrows: Vec<Arrow>,
    completed: Vec<Completion<'o>>,
    retried: Vec<Failure<'o>>,
    snoozed: Vec<Rest>,
    buried: Vec<End<'o>>,
    aborted: Vec<End<'o>>,
    handed_back: Vec<Token>,
}

impl<'o> Batch<'o> {
    /// Decides what follows from each outcome. Both times are the present.
    pub(super) fn decide(settled: &'o [Settled], now: Millis, instant: Instant, seed: u64) -> Self {
        let mut batch = Self {
            settled,
            arrows: Vec::with_capacity(settled.len()),
            ..Self::default()
        };
        let mut random = seed | 1;
        for one in settled {
            random = xorshift(random);
            let policy = &one.task.settings.policy;
            let settlement = one.outcome.decide(&one.claim, policy, now, random);
            let arrow = batch.add(one, one.run(now, instant), settlement);
            batch.arrows.push(arrow);
        }
        batch
    }

    fn add(&mut self, one: &'o Settled, run: Option<Run>, settlement: Settlement<'o>) -> Arrow {
        let token = one.claim.token;
        match settlement {
            Settlement::Complete { result, preview } => {
                let run = run.unwrap_or_default();
                self.completed.push(Completion {
                    token,
                    result,
                    preview,
                    run,
                });
                Arrow::Complete
            }
            Settlement::Retry {
                run_at,
                error,
                cause,
            } => {
                self.retried.push(Failure {
                    token,
                    error,
                    cause,
                    run_at,
                    run: run.unwrap_or_default(),
                });
                Arrow::Retry
            }
            Settlement::Snooze { run_at } => {
                self.snoozed.push(Rest { token, run_at });
                Arrow::Snooze
            }
            Settlement::Bury { error, cause } => {
                self.buried.push(End {
                    token,
                    error,
                    cause,
                    run,
                });
                Arrow::Dead
            }
            Settlement::Abort { error } => {
                self.aborted.push(End {
                    token,
                    error,
                    cause: None,
                    run,
                });
                Arrow::Cancelled
            }
            Settlement::HandBack => {
                self.handed_back.push(token);
                Arrow::HandedBack
            }
        }
    }

    /// Follows the arrows; what to say about it once it is committed. Stale settlements change
    /// nothing, and that is as it should be.
    pub(super) fn apply(&self, now: Millis, store: &mut dyn Transaction) -> Result<Vec<Event>> {
        let mut completed = store.complete(now, &self.completed)?.into_iter();
        let mut retried = store.retry(now, &self.retried)?.into_iter();
        let mut snoozed = store.snooze(now, &self.snoozed)?.into_iter();
        let mut buried = store.bury(now, &self.buried)?.into_iter();
        let mut aborted = store.abort(now, &self.aborted)?.into_iter();
        let mut handed_back = store.hand_back(now, &self.handed_back)?.into_iter();
        if !self.settled.iter().any(Settled::has_consequences) {
            return Ok(Vec::new());
        }
        let mut consequences = Consequences::default();
        for (one, arrow) in self.settled.iter().zip(&self.arrows) {
            let verdict = match arrow {
                Arrow::Complete => completed.next(),
                Arrow::Retry => retried.next(),
                Arrow::Snooze => snoozed.next(),
                Arrow::Dead => buried.next(),
                Arrow::Cancelled => aborted.next(),
                Arrow::HandedBack => handed_back.next(),
                Arrow::Stale => None,
            };
            consequences.add(one, *arrow, verdict.unwrap_or(Verdict::Stale));
        }
        store.put_back_tokens(&consequences.unstarted)?;
        store.judge(now, &consequences.judgements)?;
        Ok(consequences.events)
    }
}

/// What follows from settlements beside the arrows.
#[derive(Default)]
struct Consequences {
    events: Vec<Event>,
    /// Claims whose tokens go back.
    unstarted: Vec<Token>,
    /// What breakers learn.
    judgements: Vec<Judgement>,
}

impl Consequences {
    fn add(&mut self, one: &Settled, arrow: Arrow, verdict: Verdict) {
        if one.notify {
            self.events.push(report(one, arrow, verdict));
        }
        let token = one.claim.token;
        if one.since.is_none() && verdict != Verdict::Stale {
            self.unstarted.push(token);
        }
        if one.is_judged()
            && verdict == Verdict::Applied
            && let Some(trial) = one.outcome.trial()
        {
            let task = Arc::clone(&one.claim.task);
            self.judgements.push(Judgement { task, token, trial });
        }
    }
}

fn report(one: &Settled, arrow: Arrow, verdict: Verdict) -> Event {
    let arrow = match verdict {
        Verdict::Applied => arrow,
        Verdict::Cancelled => Arrow::Cancelled,
        Verdict::Stale => Arrow::Stale,
    };
    Event::Settled {
        claim: one.claim.clone(),
        arrow,
        retry_count: one.claim.retry_count + u32::from(arrow == Arrow::Retry),
    }
}
