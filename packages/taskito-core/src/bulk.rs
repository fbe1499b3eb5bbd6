//! Doing something to all jobs that match: what an operation is, and what is written down of it.

use std::time::Duration;

use crate::clock::Millis;
use crate::filter::Filter;
use crate::id::Key;

/// What is done to each job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// A dead letter is revived; other finished jobs are replayed.
    Retry,
    /// A waiting job is cancelled; a running one is asked to end.
    Cancel,
    /// A finished job is deleted.
    Delete,
}

impl Verb {
    /// All there are.
    pub const ALL: [Self; 3] = [Self::Retry, Self::Cancel, Self::Delete];

    /// The stored name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Retry => "retry",
            Self::Cancel => "cancel",
            Self::Delete => "delete",
        }
    }

    /// The verb with that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|verb| verb.name() == name)
    }
}

/// Where an operation stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Some process drives it, or will.
    Running,
    /// It came to the last job.
    Done,
    /// Somebody stopped it, or too many of its jobs failed.
    Stopped,
}

impl Phase {
    /// All there are.
    pub const ALL: [Self; 3] = [Self::Running, Self::Done, Self::Stopped];

    /// The stored name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Done => "done",
            Self::Stopped => "stopped",
        }
    }

    /// The phase with that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|phase| phase.name() == name)
    }
}

/// The jobs that a retry makes first, to see whether they complete.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Canary {
    /// So many.
    pub jobs: u32,
    /// They are waited for so long.
    pub wait: Duration,
}

/// What somebody wants done.
#[derive(Clone, Debug)]
pub struct NewOperation {
    /// To each job.
    pub verb: Verb,
    /// Which jobs.
    pub filter: Filter,
    /// The same as people write it.
    pub text: String,
    /// Who wants it.
    pub who: String,
    /// How many jobs there were when it was asked for, counted up to a limit.
    pub total: u64,
    /// At most so many jobs in a second; `None` is as fast as it goes.
    pub rate: Option<u32>,
    /// It stops when so many of the jobs that it made have failed.
    pub stop_after: Option<u32>,
    /// A retry goes on only when these have completed, each at its first attempt.
    pub canary: Option<Canary>,
}

/// An operation, under way or over.
#[derive(Clone, Debug)]
pub struct OperationRow {
    /// Its key; its time is when it began.
    pub key: Key,
    /// What was asked for.
    pub wanted: NewOperation,
    /// When it began; ages are as of then.
    pub started_at: Millis,
    /// The newest job at that time. Later ones never join.
    pub last: Key,
    /// All jobs up to this one are through.
    pub reached: Key,
    /// Jobs that something was done to.
    pub done: u64,
    /// Jobs that matched, but had moved on or could not be touched.
    pub skipped: u64,
    /// Where it stands.
    pub phase: Phase,
    /// Who drives it: a number that each driver draws for itself.
    pub driver: i64,
    /// Nobody else drives it until then.
    pub leased_until: Millis,
    /// When its rate lets it go on.
    pub next_at: Millis,
    /// When it gives its canary up, while it waits for it.
    pub waits_until: Option<Millis>,
    /// When it ended.
    pub ended_at: Option<Millis>,
    /// Why it ended before the last job.
    pub report: Option<String>,
}

/// How far a batch came.
#[derive(Clone, Debug)]
pub struct Advance {
    /// The operation.
    pub operation: Key,
    /// All jobs up to this one are through now.
    pub reached: Key,
    /// Jobs that something was done to.
    pub done: u64,
    /// Jobs that could not be touched.
    pub skipped: u64,
    /// Where the operation stands then.
    pub phase: Phase,
    /// Why, if it ended early.
    pub report: Option<String>,
    /// Who drives it.
    pub driver: i64,
    /// Nobody else drives it until then.
    pub leased_until: Millis,
    /// When its rate lets it go on.
    pub next_at: Millis,
    /// When it gives its canary up, if it waits for it now.
    pub waits_until: Option<Millis>,
}

/// The deed of one who marks an instant, as that of a deployment. Its subject is what they say.
pub const MARK: &str = "mark";

/// One thing that a person did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditRow {
    /// Its key.
    pub key: Key,
    /// When it was done.
    pub at: Millis,
    /// Who did it.
    pub who: String,
    /// What was done.
    pub deed: String,
    /// What it was done to: an id, a name, or a filter.
    pub subject: String,
    /// To how many.
    pub count: u64,
}
