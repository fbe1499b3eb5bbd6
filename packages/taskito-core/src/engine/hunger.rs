//! How much a worker takes in one claim: a job per free runner, and a buffer of short ones.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use crate::limits::{NO_LIMITS, Opening, TaskLimits};
use crate::store::{Appetite, Start};

use super::patience::Restraint;
use super::pools::Pools;
use super::task::Task;

/// Jobs that may wait in memory, however short.
pub(super) const BUFFER_JOBS: usize = 512;

/// What this worker can take now.
pub(super) struct Hunger<'a> {
    /// Tasks it knows.
    pub(super) tasks: &'a HashMap<Arc<str>, Arc<Task>>,
    /// Queues it serves; empty is all.
    pub(super) queues: &'a [String],
    /// What each kind of runner can take.
    pub(super) shares: Pools<Share>,
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
    /// What limits held back.
    pub(super) restraint: Restraint,
}

/// What the runners of one kind can take now.
#[derive(Clone, Copy, Default)]
pub(super) struct Share {
    /// Runners without a job.
    pub(super) free: usize,
    /// Whether jobs may wait behind what runs.
    pub(super) steady: bool,
    /// How many run side by side, see [`Task::share_of_buffer`].
    pub(super) parallel: u32,
    /// Whether no more is wanted. Once so, nothing else of the kind is: jobs keep their order.
    pub(super) closed: bool,
}

impl Hunger<'_> {
    fn wants(&self, task: &Task, start: Start) -> bool {
        let share = &self.shares[task.kind()];
        let time = || task.share_of_buffer(share.parallel);
        let fits = || time().is_some_and(|time| time <= self.time);
        let can_wait =
            || start == Start::Soon && share.steady && self.buffered < BUFFER_JOBS && fits();
        !share.closed && self.room > 0 && (share.free > 0 || can_wait())
    }
}

impl Appetite for Hunger<'_> {
    fn serves(&self, queue: &str, task: &str) -> bool {
        let task = self.tasks.get(task);
        task.is_some_and(|task| !self.shares[task.kind()].closed)
            && (self.queues.is_empty() || self.queues.iter().any(|name| name == queue))
    }

    fn admit(&mut self, task: &str, start: Start) -> bool {
        let Some(task) = self.tasks.get(task) else {
            return false;
        };
        let wanted = self.wants(task, start);
        self.shares[task.kind()].closed |= !wanted;
        wanted
    }

    fn limits(&self, task: &str) -> &TaskLimits {
        self.tasks
            .get(task)
            .map_or(&NO_LIMITS, |task| &task.settings.limits)
    }

    fn held_back(&mut self, opening: Opening) {
        self.restraint.note(opening);
    }

    fn took(&mut self, task: &str) {
        let Some(task) = self.tasks.get(task) else {
            return;
        };
        let share = &mut self.shares[task.kind()];
        if share.free > 0 {
            share.free -= 1;
            // Nothing is buffered behind a job that may take long.
            share.steady &= task.is_brief();
        } else {
            let time = task.share_of_buffer(share.parallel).unwrap_or_default();
            self.time = self.time.saturating_sub(time);
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
