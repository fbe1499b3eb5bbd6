//! The storage contract about groups of failures. Arrows record failures; here is what people do
//! with the groups, and ask about them.

use crate::cause::{Fingerprint, GroupFilter, GroupRow, GroupState};
use crate::clock::Millis;
use crate::error::Result;
use crate::id::Key;
use crate::job::{AttemptRow, JobRow};

/// What people do with groups, inside one transaction.
pub trait Failures {
    /// Says what people make of a group; whether there is such a group.
    ///
    /// # Errors
    /// Storage failures.
    fn judge_group(&mut self, group: Fingerprint, state: GroupState) -> Result<bool>;
}

/// Questions about groups of failures.
pub trait Diagnosis {
    /// Groups, the one that failed last first.
    ///
    /// # Errors
    /// Storage failures.
    fn groups(&self, filter: &GroupFilter) -> Result<Vec<GroupRow>>;

    /// Groups that jobs are in now, dead or to be tried again, in the order of their fingerprints.
    ///
    /// # Errors
    /// Storage failures.
    fn failing_groups(&self, limit: u32) -> Result<Vec<GroupRow>>;

    /// One group.
    ///
    /// # Errors
    /// Storage failures.
    fn group(&self, group: Fingerprint) -> Result<Option<GroupRow>>;

    /// Jobs of a group: the dead with a letter, newest death first, then those that will be tried
    /// again, newest job first.
    ///
    /// # Errors
    /// Storage failures.
    fn group_jobs(&self, group: Fingerprint, limit: u32) -> Result<Vec<JobRow>>;

    /// The dead letters of a group after that one, oldest first, each with its job.
    ///
    /// # Errors
    /// Storage failures.
    fn group_letters(&self, group: Fingerprint, after: Key, limit: u32) -> Result<Vec<(Key, Key)>>;

    /// Failed attempts of a group, newest first.
    ///
    /// # Errors
    /// Storage failures.
    fn group_attempts(&self, group: Fingerprint, limit: u32) -> Result<Vec<AttemptRow>>;

    /// How many attempts of a group failed in each of so many hours from `since` on. A clock that
    /// was set back may move some of them to a later hour.
    ///
    /// # Errors
    /// Storage failures.
    fn group_hours(&self, group: Fingerprint, since: Millis, hours: u32) -> Result<Vec<u64>>;

    /// What a job returned, as its worker wrote it for people.
    ///
    /// # Errors
    /// Storage failures.
    fn result_preview(&self, job: Key) -> Result<Option<String>>;
}
