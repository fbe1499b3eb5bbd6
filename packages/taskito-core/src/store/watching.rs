//! Questions of those who watch a queue: numbers and curves, each bounded in what it costs.

use std::collections::BTreeMap;

use crate::clock::Millis;
use crate::error::Result;
use crate::id::Key;
use crate::job::JobRow;
use crate::rollup::{Period, Rollups};
use crate::state::State;

/// How many jobs of a queue and task stand where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Census {
    /// The queue.
    pub queue: String,
    /// The task.
    pub task: String,
    /// Their number in each state, in the order of [`State::ALL`]. Those that are ready are
    /// pending; those that wait for another attempt are among the scheduled.
    pub counts: [u64; State::ALL.len()],
}

impl Census {
    /// How many stand there.
    #[must_use]
    pub fn of(&self, state: State) -> u64 {
        self.counts[state as usize]
    }
}

/// How many jobs came to each queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arrivals {
    /// What came before is not counted.
    pub since: Millis,
    /// Queues with their number of jobs, by name; those to which none came are absent.
    pub queues: Vec<(String, u64)>,
}

/// Scheduled jobs, told apart by what they wait for. Counted up to a cap.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Delayed {
    /// Those of each queue that are due and that no worker has made pending yet.
    pub due: BTreeMap<String, u32>,
    /// Those that wait for another attempt: due later, with a retry spent.
    pub retrying: u32,
    /// When the first of these is due.
    pub next_retry: Option<Millis>,
    /// Whether these are all; else there are more than were looked at.
    pub is_whole: bool,
}

/// What a page that people look at asks again and again.
pub trait Watching {
    /// What became of attempts, in buckets.
    ///
    /// # Errors
    /// Storage failures.
    fn rollups(&self, now: Millis, period: &Period) -> Result<Rollups>;

    /// Every queue and task that has jobs, by their names; read from counters.
    ///
    /// # Errors
    /// Storage failures.
    fn census(&self) -> Result<Vec<Census>>;

    /// How many jobs were stored in each queue since an instant. Of more
    /// than `cap`, the newest are counted, and [`Arrivals::since`] is when the first of them came.
    /// Jobs that were deleted meanwhile are not known any more.
    ///
    /// # Errors
    /// Storage failures.
    fn arrivals(&self, since: Millis, cap: u32) -> Result<Arrivals>;

    /// What the scheduled jobs wait for. Looks at less than `cap` of each kind.
    ///
    /// # Errors
    /// Storage failures.
    fn delayed(&self, now: Millis, cap: u32) -> Result<Delayed>;

    /// How many dead letters there are of jobs that died at that instant or later, but not more
    /// than `cap`.
    ///
    /// # Errors
    /// Storage failures.
    fn deaths(&self, since: Millis, cap: u32) -> Result<u32>;

    /// How many jobs of its queue run before a pending job, but not more than `cap`; `None` if
    /// the job is not pending. Of jobs with a limit key or in a limited group, those before it
    /// in its own line count and no others.
    ///
    /// # Errors
    /// Storage failures.
    fn position(&self, job: Key, cap: u32) -> Result<Option<u32>>;

    /// The jobs of a queue that a worker would claim next, in that order, as if no limit held one
    /// back; those whose own limit was found closed may be missing.
    ///
    /// # Errors
    /// Storage failures.
    fn next_jobs(&self, queue: &str, now: Millis, limit: u32) -> Result<Vec<JobRow>>;
}
