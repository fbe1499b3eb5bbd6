//! The storage contract about what is over: which finished jobs there are, and their deletion.

use std::time::Duration;

use crate::clock::Millis;
use crate::error::Result;
use crate::id::Key;
use crate::job::LaneId;
use crate::state::State;

/// What one who walks over all jobs sees of each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Passed {
    /// The job.
    pub key: Key,
    /// Its lane.
    pub lane: LaneId,
    /// Where it stands.
    pub state: State,
    /// When it reached a final state.
    pub finished_at: Option<Millis>,
    /// Its own time to live.
    pub result_ttl: Option<Duration>,
}

/// Deletion, inside one transaction.
pub trait Retention {
    /// finished -> gone, with result, history, log, edges and dead letter; how many. Stays
    /// what is not finished, or has an unfinished job depending on it.
    ///
    /// # Errors
    /// Storage failures.
    fn prune(&mut self, jobs: &[Key]) -> Result<u32>;

    /// Merges up to `limit` rows of run times between two keys by task and minute. From where to
    /// go on; `None` at the end.
    ///
    /// # Errors
    /// Storage failures.
    fn merge_metrics(&mut self, after: Key, before: Key, limit: u32) -> Result<Option<Key>>;

    /// Forgets up to `limit` rows of run times before a key; how many.
    ///
    /// # Errors
    /// Storage failures.
    fn forget_metrics(&mut self, before: Key, limit: u32) -> Result<u32>;

    /// Folds up to `limit` stretches of rollups that are kept no longer into the next longer ones,
    /// or forgets them; how many. See [`Tier`](crate::rollup::Tier).
    ///
    /// # Errors
    /// Storage failures.
    fn fold_rollups(&mut self, now: Millis, limit: u32) -> Result<u32>;
}

/// Questions of those who delete.
pub trait Survey {
    /// The jobs after that one, by key.
    ///
    /// # Errors
    /// Storage failures.
    fn walk(&self, after: Key, limit: u32) -> Result<Vec<Passed>>;

    /// Finished jobs whose own time to live is over and that may go, the longest over first.
    ///
    /// # Errors
    /// Storage failures.
    fn outlived(&self, now: Millis, limit: u32) -> Result<Vec<Key>>;

    /// When the next waiting job expires.
    ///
    /// # Errors
    /// Storage failures.
    fn next_expiry(&self) -> Result<Option<Millis>>;

    /// The lanes of a queue, of a task, or of both; of all if neither is given.
    ///
    /// # Errors
    /// Storage failures.
    fn lanes(&self, queue: Option<&str>, task: Option<&str>) -> Result<Vec<LaneId>>;
}
