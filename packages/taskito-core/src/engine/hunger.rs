//! How much a worker takes in one claim: a job per free runner, and a buffer of short ones.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use crate::store::Appetite;

use super::task::{BUFFER_TIME, Task};

/// Jobs that may wait in memory, however short.
pub(super) const BUFFER_JOBS: usize = 512;

/// What this worker can take now.
pub(super) struct Hunger<'a> {
    /// Tasks it knows.
    pub(super) tasks: &'a HashMap<Arc<str>, Arc<Task>>,
    /// Queues it serves; empty is all.
    pub(super) queues: &'a [String],
    /// Runners without a job.
    pub(super) free: usize,
    /// Places in the ledger.
    pub(super) room: usize,
    /// Jobs in the buffer.
    pub(super) buffered: usize,
    /// Time left in the buffer.
    pub(super) time: Duration,
    /// Lost jobs in its hands.
    pub(super) suspects: usize,
    /// Which queue has the first turn.
    pub(super) turn: usize,
    /// Whether the claim ended because no more was wanted: there may be more.
    pub(super) full: bool,
}

impl Hunger<'_> {
    fn pace(&self, task: &str) -> Option<Duration> {
        self.tasks.get(task).and_then(|task| task.pace())
    }

    fn wants(&self, task: &str) -> bool {
        let fits = || self.pace(task).is_some_and(|pace| pace <= self.time);
        self.room > 0 && (self.free > 0 || self.buffered < BUFFER_JOBS && fits())
    }
}

impl Appetite for Hunger<'_> {
    fn serves(&self, queue: &str, task: &str) -> bool {
        self.tasks.contains_key(task)
            && (self.queues.is_empty() || self.queues.iter().any(|name| name == queue))
    }

    fn admit(&mut self, task: &str) -> bool {
        let wanted = self.wants(task);
        self.full |= !wanted;
        wanted
    }

    fn took(&mut self, task: &str) {
        let pace = self.pace(task);
        if self.free > 0 {
            self.free -= 1;
            // Nothing is buffered behind a job that may take long.
            if pace.is_none_or(|pace| pace > BUFFER_TIME) {
                self.time = Duration::ZERO;
            }
        } else {
            self.time = self.time.saturating_sub(pace.unwrap_or_default());
        }
        self.room -= 1;
        self.buffered += 1;
    }

    fn admits_suspect(&self) -> bool {
        self.suspects == 0
    }

    fn took_suspect(&mut self) {
        self.suspects += 1;
    }

    fn turn(&self) -> usize {
        self.turn
    }
}
