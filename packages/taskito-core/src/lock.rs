//! Named locks: what their holders have in hand, and the clock by which they lose it.
//!
//! A lock lapses by the time that passes while the machine is awake. Every process on a
//! database shares that clock, and nobody can set it, so a step of the wall clock concerns no
//! lock. While the machine sleeps nobody could renew a lock or take one, and none lapses.

use std::sync::{Arc, OnceLock};

use crate::os;

/// What the holder of a lock has in hand: counts the acquisitions of all locks of a database
/// and never goes down, so that of one name does not either.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LockFence(pub i64);

/// An instant by the clock of the locks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moment {
    /// Which run of the machine. No holder outlives it.
    pub boot: Arc<str>,
    /// Milliseconds that the machine has been awake in this run.
    pub uptime: i64,
}

impl Moment {
    /// The present one.
    #[must_use]
    pub fn now() -> Self {
        static BOOT: OnceLock<Arc<str>> = OnceLock::new();
        Self {
            boot: Arc::clone(BOOT.get_or_init(|| os::boot_id().into())),
            uptime: i64::try_from(os::monotonic_millis()).unwrap_or(i64::MAX),
        }
    }
}
