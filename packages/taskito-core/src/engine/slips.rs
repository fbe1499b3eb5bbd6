//! What passes over the desk: jobs from claim to outcome, and what the dispatcher is told.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::job::Claim;
use crate::outcome::Outcome;

use super::ledger::Entry;
use super::task::Task;

/// A claimed job that no runner has taken yet.
pub(super) struct Ready {
    pub(super) claim: Claim,
    pub(super) task: Arc<Task>,
    pub(super) entry: Entry,
}

/// A job in the hands of a runner.
pub(super) struct Running {
    pub(super) claim: Claim,
    pub(super) task: Arc<Task>,
    pub(super) entry: Entry,
    pub(super) since: Instant,
    /// When its timeout is over.
    pub(super) deadline: Option<Instant>,
}

/// A job whose outcome waits for the next commit.
pub(super) struct Settled {
    pub(super) claim: Claim,
    pub(super) task: Arc<Task>,
    #[expect(
        dead_code,
        reason = "kept until the commit: dropping it frees its place"
    )]
    pub(super) entry: Entry,
    pub(super) outcome: Outcome,
}

impl Settled {
    /// Whether a worker died while running this job before.
    pub(super) fn is_suspect(&self) -> bool {
        self.claim.losses > 0
    }
}

/// What a runner that does not wait finds.
pub enum Next {
    /// A job to run.
    Job(Claim),
    /// Nothing yet.
    Nothing,
    /// There will be nothing more.
    Ended,
}

/// How far the worker has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// Claims and runs.
    Serving,
    /// Claims nothing more; at the instant it hands back what still runs.
    Draining(Instant),
    /// Has left.
    Ended,
}

/// What the dispatcher needs to know to plan its next transaction.
pub(super) struct Plan {
    pub(super) phase: Phase,
    pub(super) tasks: Arc<HashMap<Arc<str>, Arc<Task>>>,
    pub(super) settled: Vec<Settled>,
    /// Runners without a job, beyond the jobs that are ready for them.
    pub(super) free: usize,
    /// Ready jobs, and how long they will take one after the other.
    pub(super) buffered: usize,
    pub(super) buffered_time: Duration,
    pub(super) suspects: usize,
    pub(super) running: usize,
    /// Whether all that runs will end soon, so that what is buffered behind it will not wait.
    pub(super) steady: bool,
    pub(super) renewed: bool,
    /// When the next timeout is over.
    pub(super) alarm: Option<Instant>,
    /// Whether a thread more is wanted since the last plan.
    pub(super) understaffed: bool,
}
