//! Time is an argument: instants in milliseconds and the clocks that tell them.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::os;

/// An instant: milliseconds since the Unix epoch, UTC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Millis(pub i64);

impl Millis {
    /// The instant `duration` later; never overflows.
    #[must_use]
    pub fn plus(self, duration: Duration) -> Self {
        let millis = i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
        Self(self.0.saturating_add(millis))
    }

    /// The instant `duration` earlier; never overflows.
    #[must_use]
    pub fn minus(self, duration: Duration) -> Self {
        let millis = i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
        Self(self.0.saturating_sub(millis))
    }

    /// How long it is until `later`; zero when that has passed.
    #[must_use]
    pub fn until(self, later: Self) -> Duration {
        let millis = later.0.saturating_sub(self.0);
        Duration::from_millis(u64::try_from(millis).unwrap_or(0))
    }
}

/// Tells the wall-clock time. Services get one so that tests can step it.
pub trait Clock: Send + Sync {
    /// The present instant.
    fn now(&self) -> Millis;

    /// Milliseconds since the machine started, on a clock that nobody can set.
    fn uptime(&self) -> i64;

    /// The present as attempts and pauses are timed: nobody can set that clock either, and it
    /// stands still while the machine sleeps. A simulation lets it pass as it likes.
    fn instant(&self) -> Instant {
        Instant::now()
    }

    /// The same in milliseconds that mean the same to all processes of the machine.
    fn instant_millis(&self) -> u64 {
        os::monotonic_millis()
    }
}

/// The clock of the operating system.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Millis {
        let since_epoch = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or(Duration::ZERO);
        Millis(0).plus(since_epoch)
    }

    fn uptime(&self) -> i64 {
        os::boot_millis()
    }
}

/// A clock that stands still until it is told to move.
#[derive(Debug, Default)]
pub struct ManualClock {
    uptime: AtomicI64,
    /// The wall clock minus the uptime.
    offset: AtomicI64,
}

impl ManualClock {
    /// A clock that stands at `now`.
    #[must_use]
    pub fn at(now: Millis) -> Self {
        Self {
            uptime: AtomicI64::new(0),
            offset: AtomicI64::new(now.0),
        }
    }

    /// Lets time pass; never beyond the end of time.
    pub fn advance(&self, by: Duration) {
        let offset = self.offset.load(Ordering::SeqCst);
        let later = |uptime: i64| Some(Millis(uptime + offset).plus(by).0 - offset);
        self.uptime
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, later)
            .ok();
    }

    /// Sets the clock by so many milliseconds, back if negative, while no time passes.
    pub fn step(&self, by: i64) {
        self.offset.fetch_add(by, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Millis {
        Millis(self.offset.load(Ordering::SeqCst) + self.uptime())
    }

    fn uptime(&self) -> i64 {
        self.uptime.load(Ordering::SeqCst)
    }
}
