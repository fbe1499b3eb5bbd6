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
    fn takes(&mut self, task: &str) -> bool {
        if self.room == 0 {
            return false;
        }
        let pace = self.tasks.get(task).and_then(|task| task.pace());
        if self.free > 0 {
            self.free -= 1;
            // Nothing is buffered behind a job that may take long.
            if pace.is_none_or(|pace| pace > BUFFER_TIME) {
                self.time = Duration::ZERO;
            }
        } else {
            let Some(pace) = pace.filter(|pace| *pace <= self.time) else {
                return false;
            };
            if self.buffered >= BUFFER_JOBS {
                return false;
            }
            self.time -= pace;
        }
        self.room -= 1;
        self.buffered += 1;
        true
    }
}

impl Appetite for Hunger<'_> {
    fn serves(&self, queue: &str, task: &str) -> bool {
        self.tasks.contains_key(task)
            && (self.queues.is_empty() || self.queues.iter().any(|name| name == queue))
    }

    fn admit(&mut self, task: &str) -> bool {
        let taken = self.takes(task);
        self.full |= !taken;
        taken
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
