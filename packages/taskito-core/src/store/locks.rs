//! The storage contract of named locks.

use std::time::Duration;

use crate::error::Result;
use crate::lock::{LockFence, Moment};

/// What happens to locks, inside one transaction. A lock lapses, which means that it is free,
/// when its holder has not renewed it for the time to live it asked for; also when the machine
/// was started anew, and when it would have been renewed in the future: then it is of an
/// earlier run of a machine that does not tell its runs apart.
pub trait Locks {
    /// free -> held for `ttl`, by a fence higher than all before. `None` while somebody holds
    /// it, be it the same program.
    ///
    /// # Errors
    /// Storage failures.
    fn lock(&mut self, now: &Moment, name: &str, ttl: Duration) -> Result<Option<LockFence>>;

    /// held -> held for its whole time to live from now; which of them were. A lock that has
    /// lapsed stays lost, also when nobody has taken it since.
    ///
    /// # Errors
    /// Storage failures.
    fn renew(&mut self, now: &Moment, holders: &[LockFence]) -> Result<Vec<bool>>;

    /// held -> free; which of them were held until now.
    ///
    /// # Errors
    /// Storage failures.
    fn unlock(&mut self, now: &Moment, holders: &[LockFence]) -> Result<Vec<bool>>;
}

/// Questions about locks.
pub trait Leases {
    /// How long a lock stays held unless its holder does something; `None` when it is free.
    ///
    /// # Errors
    /// Storage failures.
    fn lock_left(&self, now: &Moment, name: &str) -> Result<Option<Duration>>;
}
