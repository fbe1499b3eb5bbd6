//! What happened to an attempt, and the pure decision what follows from it.
//!
//! "What happens on retry" is decided here and applied by `retry` of the store.

use std::time::Duration;

use crate::breaker::Trial;
use crate::cause::Cause;
use crate::clock::Millis;
use crate::job::{Claim, Held, Token};
use crate::retry::RetryPolicy;

/// The loss with this number buries a job: it probably kills its workers.
pub const FATAL_LOSS: u32 = 3;

/// The error of a job that was cancelled while a worker held it.
pub const CANCELLED_BY_REQUEST: &str = "cancelled by request";

/// What happened to one attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The function returned.
    Done {
        /// Its serialized result.
        result: Vec<u8>,
        /// The same for people, if it says anything.
        preview: Option<String>,
    },
    /// The function raised.
    Failed {
        /// The traceback.
        error: String,
        /// Whether the task's filters allow another attempt.
        retryable: bool,
        /// The wait before that, if the task asked for one.
        delay: Option<Duration>,
        /// Why, in parts.
        cause: Option<Box<Cause>>,
    },
    /// The function wants to be called again later; nothing is spent.
    Snoozed {
        /// How long it waits.
        delay: Duration,
    },
    /// The function was called off, or called itself off.
    Cancelled {
        /// What is said about it.
        error: String,
    },
    /// It was not run to an end, and that is nobody's fault: nothing is spent.
    HandedBack,
}

/// What to do about one claim: the arrow and its arguments, borrowed from the outcome.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settlement<'o> {
    /// running -> complete.
    Complete {
        /// Serialized result.
        result: &'o [u8],
        /// The same for people.
        preview: Option<&'o str>,
    },
    /// running -> scheduled, one retry spent.
    Retry {
        /// When it is due again.
        run_at: Millis,
        /// The traceback.
        error: &'o str,
        /// Why, in parts.
        cause: Option<&'o Cause>,
    },
    /// running -> scheduled, nothing spent.
    Snooze {
        /// When it is due again.
        run_at: Millis,
    },
    /// running -> dead.
    Bury {
        /// The traceback.
        error: &'o str,
        /// Why, in parts.
        cause: Option<&'o Cause>,
    },
    /// running -> cancelled.
    Abort {
        /// What is said about it.
        error: &'o str,
    },
    /// running -> pending, nothing spent.
    HandBack,
}

impl Outcome {
    /// The function returned, and nobody says what it looks like.
    #[must_use]
    pub fn done(result: Vec<u8>) -> Self {
        Self::Done {
            result,
            preview: None,
        }
    }

    /// The failure of an attempt of `claim` that ran over its timeout.
    #[must_use]
    pub fn timed_out(claim: &Claim, policy: &RetryPolicy) -> Self {
        let error = format!(
            "TaskTimeoutError: task '{}' ran longer than its timeout of {} s",
            claim.task,
            claim.timeout.as_secs_f64()
        );
        Self::Failed {
            cause: Some(Cause::timed_out(&error).into()),
            error,
            retryable: policy.retries_timeouts,
            delay: None,
        }
    }

    /// What it says about the task; `None` if it says nothing.
    #[must_use]
    pub fn trial(&self) -> Option<Trial> {
        match self {
            Self::Done { .. } => Some(Trial::Passed),
            Self::Failed { .. } => Some(Trial::Failed),
            Self::Snoozed { .. } | Self::Cancelled { .. } | Self::HandedBack => None,
        }
    }

    /// An attempt that was called off from outside.
    #[must_use]
    pub fn cancelled_by_request() -> Self {
        Self::Cancelled {
            error: CANCELLED_BY_REQUEST.into(),
        }
    }

    /// Turns an outcome into the arrow to follow.
    #[must_use]
    pub fn decide(
        &self,
        claim: &Claim,
        policy: &RetryPolicy,
        now: Millis,
        random: u64,
    ) -> Settlement<'_> {
        match self {
            Self::Done { result, preview } => Settlement::Complete {
                result,
                preview: preview.as_deref(),
            },
            Self::Failed {
                error,
                retryable,
                delay,
                cause,
            } => {
                let cause = cause.as_deref();
                if *retryable && claim.retry_count < claim.max_retries {
                    let delay = delay.unwrap_or_else(|| policy.delay(claim.retry_count, random));
                    Settlement::Retry {
                        run_at: now.plus(delay),
                        error,
                        cause,
                    }
                } else {
                    Settlement::Bury { error, cause }
                }
            }
            Self::Snoozed { delay } => Settlement::Snooze {
                run_at: now.plus(*delay),
            },
            Self::Cancelled { error } => Settlement::Abort { error },
            Self::HandedBack => Settlement::HandBack,
        }
    }
}

/// What to do about a job whose worker died while running it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LossVerdict {
    /// It never started: back to pending, nothing spent.
    HandBack(Token),
    /// It goes back to pending with one loss more.
    Lose(Token, String),
    /// It may not be tried again.
    Bury(Token, String),
}

/// Decides about a dead worker's job. `started` says whether its function had begun.
#[must_use]
pub fn decide_loss(held: &Held, worker: &str, started: bool) -> LossVerdict {
    if !started {
        return LossVerdict::HandBack(held.token);
    }
    let number = held.losses + 1;
    let cause = format!("WorkerLostError: worker {worker} died while it ran this job");
    if held.max_retries == 0 {
        LossVerdict::Bury(
            held.token,
            format!("{cause}; max_retries=0 allows a single attempt"),
        )
    } else if number >= FATAL_LOSS {
        LossVerdict::Bury(
            held.token,
            format!(
                "{cause}; this was loss {number} of {FATAL_LOSS}, the job probably kills its workers"
            ),
        )
    } else {
        LossVerdict::Lose(
            held.token,
            format!("{cause}; loss {number} of {FATAL_LOSS}"),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::Key;
    use crate::job::{Fence, LaneId, Spot};

    fn token() -> Token {
        Token {
            key: Key(1),
            fence: Fence(1),
            spot: Spot::of(LaneId(1)),
        }
    }

    fn claim(retry_count: u32, max_retries: u32) -> Claim {
        Claim {
            token: token(),
            queue: "q".into(),
            task: "t".into(),
            run_at: Millis(0),
            payload: vec![],
            inputs: None,
            retry_count,
            max_retries,
            losses: 0,
            timeout: Duration::ZERO,
            expires_at: None,
        }
    }

    fn dead(error: &str) -> Settlement<'_> {
        Settlement::Bury { error, cause: None }
    }

    fn failed(retryable: bool) -> Outcome {
        Outcome::Failed {
            error: "boom".into(),
            retryable,
            delay: None,
            cause: None,
        }
    }

    #[test]
    fn a_failure_is_retried_while_the_budget_lasts() {
        let policy = RetryPolicy::default();
        let outcome = failed(true);
        let first = outcome.decide(&claim(0, 1), &policy, Millis(1000), 0);
        assert_eq!(
            first,
            Settlement::Retry {
                run_at: Millis(2000),
                error: "boom",
                cause: None
            }
        );
        let last = outcome.decide(&claim(1, 1), &policy, Millis(1000), 0);
        assert_eq!(last, dead("boom"));
    }

    #[test]
    fn a_failure_the_filters_refuse_is_buried_at_once() {
        let outcome = failed(false);
        let verdict = outcome.decide(&claim(0, 9), &RetryPolicy::default(), Millis(0), 0);
        assert_eq!(verdict, dead("boom"));
    }

    #[test]
    fn a_task_may_choose_its_wait_but_not_have_more_attempts() {
        let outcome = Outcome::Failed {
            error: "later".into(),
            retryable: true,
            delay: Some(Duration::from_secs(7)),
            cause: None,
        };
        let policy = RetryPolicy::default();
        let error = "later";
        let first = outcome.decide(&claim(0, 1), &policy, Millis(1000), 99);
        let run_at = Millis(8000);
        let cause = None;
        assert_eq!(
            first,
            Settlement::Retry {
                run_at,
                error,
                cause
            }
        );
        let last = outcome.decide(&claim(1, 1), &policy, Millis(1000), 99);
        assert_eq!(last, dead(error));
    }

    #[test]
    fn a_snooze_spends_nothing_and_has_no_end() {
        let outcome = Outcome::Snoozed {
            delay: Duration::from_secs(7),
        };
        let verdict = outcome.decide(&claim(1, 1), &RetryPolicy::default(), Millis(1000), 0);
        let run_at = Millis(8000);
        assert_eq!(verdict, Settlement::Snooze { run_at });
    }

    #[test]
    fn a_job_that_never_started_loses_nothing() {
        let held = Held {
            token: token(),
            max_retries: 0,
            losses: 2,
            cancel_requested: false,
        };
        assert_eq!(
            decide_loss(&held, "w", false),
            LossVerdict::HandBack(token())
        );
    }

    #[test]
    fn the_third_loss_buries_and_so_does_the_first_without_retries() {
        let held = |max_retries, losses| Held {
            token: token(),
            max_retries,
            losses,
            cancel_requested: false,
        };
        assert!(matches!(
            decide_loss(&held(3, 0), "w", true),
            LossVerdict::Lose(..)
        ));
        assert!(matches!(
            decide_loss(&held(3, 1), "w", true),
            LossVerdict::Lose(..)
        ));
        assert!(matches!(
            decide_loss(&held(3, 2), "w", true),
            LossVerdict::Bury(..)
        ));
        assert!(matches!(
            decide_loss(&held(0, 0), "w", true),
            LossVerdict::Bury(..)
        ));
    }
}
