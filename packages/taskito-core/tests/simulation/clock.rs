//! The time of a history: it passes, and the clock is set, when the history says so.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use taskito_core::clock::{Clock, ManualClock, Millis};

/// A clock by which attempts and pauses are timed as well.
pub(crate) struct SimClock {
    begin: Instant,
    clock: ManualClock,
    /// By how much it was set in all, and the most that this ever was.
    set: AtomicI64,
    most: AtomicI64,
}

impl SimClock {
    pub(crate) fn at(now: Millis) -> Self {
        Self {
            begin: Instant::now(),
            clock: ManualClock::at(now),
            set: AtomicI64::new(0),
            most: AtomicI64::new(0),
        }
    }

    /// Lets so many milliseconds pass.
    pub(crate) fn pass(&self, millis: u64) {
        self.clock.advance(Duration::from_millis(millis));
    }

    /// Sets the clock by so many milliseconds while no time passes.
    pub(crate) fn set(&self, millis: i64) {
        self.clock.step(millis);
        let set = self.set.fetch_add(millis, Ordering::SeqCst) + millis;
        self.most.fetch_max(set, Ordering::SeqCst);
    }

    /// Sets it as far ahead as it ever was, so that all delays end that were counted from there.
    pub(crate) fn catch_up(&self) {
        let most = self.most.load(Ordering::SeqCst);
        self.set(most - self.set.load(Ordering::SeqCst));
    }
}

impl Clock for SimClock {
    fn now(&self) -> Millis {
        self.clock.now()
    }

    fn uptime(&self) -> i64 {
        self.clock.uptime()
    }

    fn instant(&self) -> Instant {
        self.begin + Duration::from_millis(self.instant_millis())
    }

    fn instant_millis(&self) -> u64 {
        // 0 means "not started" to a ledger.
        self.uptime().unsigned_abs() + 1
    }
}
