//! The storage contract about what people do to single jobs, inside one transaction.

use crate::clock::Millis;
use crate::error::Result;
use crate::id::Key;

/// What operators and programs do from outside, besides the arrows.
pub trait Operations {
    /// A new pending job with the settings and arguments of another one, whatever became of
    /// that; its metadata says which. `None` when there is no such job.
    ///
    /// # Errors
    /// Storage failures.
    fn replay(&mut self, now: Millis, original: Key) -> Result<Option<Key>>;

    /// Removes dead letters; the jobs stay dead. How many there were.
    ///
    /// # Errors
    /// Storage failures.
    fn discard(&mut self, letters: &[Key]) -> Result<u32>;

    /// Gives a dead job a dead letter again, if it has none; whether it had none.
    ///
    /// # Errors
    /// Storage failures.
    fn restore_letter(&mut self, now: Millis, job: Key) -> Result<bool>;

    /// Says how far a job has come, from 0 to 100; whether there is such a job.
    ///
    /// # Errors
    /// Storage failures.
    fn set_progress(&mut self, job: Key, progress: u8) -> Result<bool>;
}
