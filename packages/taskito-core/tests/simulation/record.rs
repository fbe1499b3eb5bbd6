//! What really happened: what was acknowledged, which functions began, how they ended. The
//! product is measured by it, so nothing here is read from the database.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::time::Duration;

use taskito_core::clock::Millis;
use taskito_core::id::Key;
use taskito_core::job::{Fence, Token, WorkerId};

/// A claim of a job.
pub(crate) type Attempt = (Key, Fence);

/// How a function ended, as it was accepted from its runner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Report {
    Done(Vec<u8>),
    Failed { retryable: bool },
    Snoozed,
    Cancelled,
}

/// A function that began.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Begin {
    pub(crate) worker: WorkerId,
    /// In the time that nobody can set.
    pub(crate) at: i64,
    pub(crate) timeout: Duration,
}

/// A wait that a job was given.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Waiting {
    pub(crate) since: i64,
    pub(crate) length: Duration,
}

/// Everything that is known from outside.
#[derive(Default)]
pub(crate) struct Record {
    /// Jobs in the order in which they came, by key; their numbers in the log.
    numbers: HashMap<Key, usize>,
    /// Jobs of which a producer was told that they are stored.
    pub(crate) promised: BTreeSet<Key>,
    /// Jobs that were deleted as they may be.
    pub(crate) gone: HashSet<Key>,
    /// Limited groups: how many run at once, and who belongs to them.
    pub(crate) groups: Vec<(u32, HashSet<Key>)>,
    /// What jobs wait for.
    pub(crate) parents: HashMap<Key, BTreeSet<Key>>,
    /// Jobs that somebody asked to delete.
    pub(crate) doomed: HashSet<Key>,
    /// Jobs that somebody asked to cancel.
    pub(crate) unwanted: HashSet<Key>,
    pub(crate) begun: HashMap<Attempt, Begin>,
    pub(crate) reports: HashMap<Attempt, Report>,
    /// Workers whose certificates fell without a farewell, and when.
    pub(crate) dead: HashMap<WorkerId, i64>,
    /// Workers that were told to leave.
    pub(crate) leaving: HashSet<WorkerId>,
    pub(crate) waiting: HashMap<Key, Waiting>,
}

impl Record {
    /// The number of a job in the log.
    pub(crate) fn number(&mut self, key: Key) -> usize {
        let next = self.numbers.len();
        *self.numbers.entry(key).or_insert(next)
    }

    /// A function began.
    pub(crate) fn begins(&mut self, token: Token, begin: Begin) {
        self.begun.insert(attempt(token), begin);
    }

    /// Whether a function began under that claim.
    pub(crate) fn has_begun(&self, attempt: Attempt) -> bool {
        self.begun.contains_key(&attempt)
    }

    /// Whether the attempt ran for as long as it may.
    pub(crate) fn is_over_time(&self, attempt: Attempt, now: i64) -> bool {
        self.begun.get(&attempt).is_some_and(|begin| {
            !begin.timeout.is_zero() && now - begin.at >= millis(begin.timeout)
        })
    }

    /// Whether the worker that began it was taken for dead.
    pub(crate) fn lost_its_worker(&self, attempt: Attempt) -> bool {
        let begin = self.begun.get(&attempt);
        begin.is_some_and(|begin| self.dead.contains_key(&begin.worker))
    }
}

/// What identifies the attempt of a claim.
pub(crate) fn attempt(token: Token) -> Attempt {
    (token.key, token.fence)
}

pub(crate) fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

/// Whether an instant has come.
pub(crate) fn is_over(at: Option<Millis>, now: Millis) -> bool {
    at.is_some_and(|at| at <= now)
}
