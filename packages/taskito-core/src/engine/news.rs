//! What whoever tends a worker waits for: that a thread is wanted, or that the worker has left.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use crate::os::{self, Waited};

/// A number that changes with each piece of news, and whether the last one was the end.
#[derive(Default)]
pub(super) struct News {
    number: AtomicU32,
    ended: AtomicBool,
}

impl News {
    /// Something happened.
    pub(super) fn tell(&self) {
        self.number.fetch_add(1, Ordering::SeqCst);
        os::wake_all(&self.number);
    }

    /// The worker has left the database.
    pub(super) fn end(&self) {
        self.ended.store(true, Ordering::SeqCst);
        self.tell();
    }

    pub(super) fn has_ended(&self) -> bool {
        self.ended.load(Ordering::SeqCst)
    }

    /// Read it before looking, then wait on it.
    pub(super) fn number(&self) -> u32 {
        self.number.load(Ordering::SeqCst)
    }

    /// Sleeps until there is news after `number`.
    pub(super) fn wait(&self, number: u32, limit: Duration) -> Waited {
        os::wait_on(&self.number, number, limit)
    }
}
