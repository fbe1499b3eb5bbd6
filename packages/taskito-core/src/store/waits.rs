//! The waits of retries and snoozes are elapsed time, while due times are told by a clock that
//! may be set: what to do when it was.

use std::time::Duration;

use crate::clock::Millis;
use crate::error::Result;

/// How the clock of a machine stood when it was last noted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NotedClock {
    /// Which run of the machine.
    pub boot: String,
    /// The wall clock minus the time since the machine started. Only setting the clock changes
    /// it.
    pub offset: i64,
}

impl NotedClock {
    /// Whether both are of one run of the machine, as far as that can be known.
    #[must_use]
    pub fn is_same_boot(&self, other: &Self) -> bool {
        !self.boot.is_empty() && self.boot == other.boot
    }
}

/// Waits and the clock, inside one transaction. Delays given at enqueue follow the clock and
/// are left alone.
pub trait Waits {
    /// The clock as it was last noted.
    ///
    /// # Errors
    /// Storage failures.
    fn noted_clock(&mut self) -> Result<Option<NotedClock>>;

    /// Notes how the clock stands.
    ///
    /// # Errors
    /// Storage failures.
    fn note_clock(&mut self, clock: &NotedClock) -> Result<()>;

    /// Moves the due times of all waiting retries and snoozes by so many milliseconds, as the
    /// clock was moved; how many.
    ///
    /// # Errors
    /// Storage failures.
    fn shift_waits(&mut self, step: i64) -> Result<u32>;

    /// Lets no retry or snooze wait longer than its own length, counted from now; how many
    /// would have, by more than `slack`.
    ///
    /// # Errors
    /// Storage failures.
    fn shorten_waits(&mut self, now: Millis, slack: Duration) -> Result<u32>;
}
