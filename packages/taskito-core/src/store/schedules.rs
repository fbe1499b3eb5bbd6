//! The storage contract of schedules.

use crate::clock::Millis;
use crate::error::Result;
use crate::id::Key;
use crate::job::WorkerId;
use crate::schedule::{Plan, ScheduleRow, Ticked};

/// What happens to schedules, inside one transaction.
pub trait Schedules {
    /// Stores what a worker declares and notes on the roster that it does. One that is stored
    /// already takes the new settings. It keeps its next fire unless expression or time zone
    /// changed, and stays paused.
    ///
    /// # Errors
    /// Storage failures.
    fn declare(&mut self, now: Millis, worker: WorkerId, plans: &[Plan]) -> Result<()>;

    /// Stores those that are not stored yet.
    ///
    /// # Errors
    /// Storage failures.
    fn introduce(&mut self, now: Millis, plans: &[Plan]) -> Result<()>;

    /// Arrow `tick`: the fires of a schedule until now become jobs, and it moves on to its
    /// next fire.
    ///
    /// # Errors
    /// Storage failures, and an expression that only a newer version can read.
    fn tick(&mut self, now: Millis, name: &str) -> Result<Ticked>;

    /// Enqueues one job now, besides all fires. `None` when there is no such schedule.
    ///
    /// # Errors
    /// Storage failures.
    fn trigger(&mut self, now: Millis, name: &str) -> Result<Option<Key>>;

    /// Lets a schedule fire no more until it is resumed; whether there is such a schedule.
    ///
    /// # Errors
    /// Storage failures.
    fn pause_schedule(&mut self, name: &str) -> Result<bool>;

    /// Lets a paused schedule fire again, at first after now; whether there is such a schedule.
    ///
    /// # Errors
    /// Storage failures, and an expression that only a newer version can read.
    fn resume_schedule(&mut self, now: Millis, name: &str) -> Result<bool>;

    /// Removes a schedule; whether there was such a schedule.
    ///
    /// # Errors
    /// Storage failures.
    fn delete_schedule(&mut self, name: &str) -> Result<bool>;
}

/// Questions about schedules.
pub trait Timetable {
    /// All schedules by name.
    ///
    /// # Errors
    /// Storage failures.
    fn schedules(&self) -> Result<Vec<ScheduleRow>>;

    /// The next fire of each schedule that has one, the earliest first.
    ///
    /// # Errors
    /// Storage failures.
    fn fires(&self) -> Result<Vec<(String, Millis)>>;
}
