//! What passes over the desk: jobs from claim to outcome, and what the dispatcher is told.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::clock::Millis;
use crate::job::Claim;
use crate::outcome::Outcome;
use crate::rollup::Run;

use super::ledger::Entry;
use super::notes::Notes;
use super::pools::{Kind, Pools};
use super::task::Task;

/// A claimed job that no runner has taken yet.
pub(super) struct Ready {
    pub(super) claim: Claim,
    pub(super) task: Arc<Task>,
    pub(super) entry: Entry,
}

impl Ready {
    /// Ends it without a run.
    pub(super) fn settle(self, outcome: Outcome) -> Settled {
        Settled {
            claim: self.claim,
            task: self.task,
            entry: self.entry,
            outcome,
            run: Duration::ZERO,
            since: None,
            notify: false,
        }
    }
}

/// A job in the hands of a runner.
pub(super) struct Running {
    pub(super) claim: Claim,
    pub(super) task: Arc<Task>,
    pub(super) entry: Entry,
    pub(super) since: Instant,
    pub(super) stage: Stage,
    /// When the stage is over: the timeout, or the end of patience.
    pub(super) deadline: Option<Instant>,
}

/// How an attempt stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// Nothing is the matter.
    Current,
    /// It is to be cancelled.
    Cancelled,
    /// Another attempt of the job counts.
    Gone,
    /// It ran over its timeout; that is being said.
    Overdue,
}

impl Running {
    pub(super) fn kind(&self) -> Kind {
        self.task.kind()
    }

    /// Ends it. `notify` asks for an event after the commit.
    pub(super) fn settle(self, outcome: Outcome, notify: bool, now: Instant) -> Settled {
        Settled {
            run: now.saturating_duration_since(self.since),
            since: Some(self.since),
            claim: self.claim,
            task: self.task,
            entry: self.entry,
            outcome,
            notify,
        }
    }

    /// Ends it as having run over its timeout. Whoever was told of that is told of the end.
    pub(super) fn time_out(self, now: Instant) -> Settled {
        let outcome = Outcome::timed_out(&self.claim, &self.task.settings.policy);
        self.settle(outcome, true, now)
    }
}

/// An attempt that no longer counts while its function may still run.
pub(super) struct Abandoned {
    pub(super) kind: Kind,
    /// When a coroutine's slot is free all the same.
    pub(super) until: Option<Instant>,
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
    /// How long the attempt ran; nothing if it did not start.
    pub(super) run: Duration,
    /// When it started, if it did.
    pub(super) since: Option<Instant>,
    /// Whether an event is to say what became of it.
    pub(super) notify: bool,
}

impl Settled {
    /// Whether the breaker of its task learns how it ended.
    pub(super) fn is_judged(&self) -> bool {
        self.task.settings.limits.breaker.is_some()
    }

    /// When it ran, by the clock that stands at `now` at that instant; `None` if it did not.
    pub(super) fn run(&self, now: Millis, instant: Instant) -> Option<Run> {
        let ago = instant.saturating_duration_since(self.since?);
        let started_at = now.minus(ago);
        Some(Run::since(self.claim.run_at, started_at, self.run))
    }

    /// Whether anything follows from it beside its arrow.
    pub(super) fn has_consequences(&self) -> bool {
        self.notify || self.since.is_none() || self.is_judged()
    }

    /// Whether the attempt ran and came to an end here.
    pub(super) fn has_ended(&self) -> bool {
        self.since.is_some() && !matches!(self.outcome, Outcome::HandedBack)
    }

    /// Whether a worker died while running it before.
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

/// What changed without a settlement since the dispatcher looked.
#[derive(Clone, Copy, Default)]
pub(super) struct Changes {
    /// A task was registered.
    pub(super) renewed: bool,
    /// Runners became free.
    pub(super) relieved: bool,
}

/// What the dispatcher needs to know to plan its next transaction.
pub(super) struct Plan {
    pub(super) phase: Phase,
    pub(super) tasks: Arc<HashMap<Arc<str>, Arc<Task>>>,
    pub(super) settled: Vec<Settled>,
    pub(super) notes: Notes,
    /// Runners without a job, beyond the jobs that are ready for them.
    pub(super) free: Pools<usize>,
    /// How many run side by side. Threads count as one: each job takes a thread for itself.
    pub(super) parallel: Pools<u32>,
    /// Ready jobs, and how long it will take to get through them.
    pub(super) buffered: usize,
    pub(super) buffered_time: Duration,
    pub(super) suspects: usize,
    pub(super) running: usize,
    /// Whether all that runs will end soon, so that what is buffered behind it will not wait.
    pub(super) steady: Pools<bool>,
    pub(super) changes: Changes,
    /// When something is due without any news.
    pub(super) alarm: Option<Instant>,
}
