//! The part of the contract about limits, pausing and breakers.

use std::sync::Arc;

use crate::breaker::{Breaker, Trial};
use crate::clock::Millis;
use crate::error::Result;
use crate::id::Key;
use crate::job::Token;
use crate::limits::{Hold, Limit, QueueChange, QueueRow, TaskLimits};

/// One attempt that says something about its task.
#[derive(Clone, Debug)]
pub struct Judgement {
    /// The task.
    pub task: Arc<str>,
    /// The claim.
    pub token: Token,
    /// How it ended.
    pub trial: Trial,
}

/// What sets limits and is counted by them, inside one transaction.
pub trait Limits {
    /// Changes the settings of a queue. The next claim goes by them, and workers look again at
    /// what they have claimed but not started.
    ///
    /// # Errors
    /// Storage failures.
    fn set_queue(&mut self, queue: &str, change: &QueueChange) -> Result<()>;

    /// Stores what the code of a worker that starts says about its tasks, for those who ask,
    /// and for breakers, which keep what they have seen.
    ///
    /// # Errors
    /// Storage failures.
    fn announce(&mut self, tasks: &[(Arc<str>, TaskLimits)]) -> Result<()>;

    /// Puts back the tokens of claims that never started. Called with the settlement that ends
    /// each claim, in the same transaction, for those that took effect.
    ///
    /// # Errors
    /// Storage failures.
    fn put_back_tokens(&mut self, claims: &[Token]) -> Result<()>;

    /// Tells breakers how attempts ended, in the order of their ends. Called with the
    /// settlements, in the same transaction, for those that took effect.
    ///
    /// # Errors
    /// Storage failures.
    fn judge(&mut self, now: Millis, attempts: &[Judgement]) -> Result<()>;
}

/// Questions about limits.
pub trait Restraints {
    /// Queues that are paused or limited.
    ///
    /// # Errors
    /// Storage failures.
    fn restrained_queues(&self) -> Result<Vec<String>>;

    /// Every queue that has jobs or settings, by name.
    ///
    /// # Errors
    /// Storage failures.
    fn queues(&self, now: Millis) -> Result<Vec<QueueRow>>;

    /// The breaker of every task that declares one, by name of the task.
    ///
    /// # Errors
    /// Storage failures.
    fn breakers(&self) -> Result<Vec<(String, Breaker)>>;

    /// The limits of every task that a worker announced last and that has any, by name of the task.
    ///
    /// # Errors
    /// Storage failures.
    fn task_limits(&self) -> Result<Vec<(String, Limit)>>;

    /// Which limits would keep this job from starting now, if it were due. Those of its task
    /// are the ones a worker announced last.
    ///
    /// # Errors
    /// Storage failures.
    fn holds(&self, now: Millis, job: Key) -> Result<Vec<Hold>>;
}
