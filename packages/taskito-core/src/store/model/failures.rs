//! Groups of failures, counted row by row each time.

use std::cmp::Reverse;
use std::time::Duration;

use super::{Draft, ModelStore, Tables};
use crate::cause::{Cause, Fingerprint, GroupFilter, GroupRow, GroupState};
use crate::clock::Millis;
use crate::error::Result;
use crate::id::Key;
use crate::job::{AttemptRow, JobRow};
use crate::state::State;
use crate::store::{Diagnosis, Failures};

const HOUR: Duration = Duration::from_secs(3600);

impl Failures for Draft<'_> {
    fn judge_group(&mut self, group: Fingerprint, state: GroupState) -> Result<bool> {
        let group = self.tables.failures.get_mut(&group);
        Ok(group.map(|group| group.state = state).is_some())
    }
}

impl Draft<'_> {
    /// Notes that a task failed for that cause.
    pub(super) fn note_failure(&mut self, now: Millis, task: &str, cause: &Cause) -> Fingerprint {
        let fingerprint = cause.fingerprint(task);
        let groups = self.tables.failures.entry(fingerprint);
        let group = groups.or_insert_with(|| GroupRow {
            fingerprint,
            task: task.to_owned(),
            error_type: cause.error_type.clone(),
            template: cause.template.clone(),
            location: cause.location.clone(),
            first_seen: now,
            last_seen: now,
            state: GroupState::Open,
            dead: 0,
            retrying: 0,
        });
        group.last_seen = now;
        if group.state == GroupState::Resolved {
            group.state = GroupState::Open;
        }
        fingerprint
    }

    /// Forgets the groups that have no attempts left.
    pub(super) fn drop_idle_groups(&mut self) {
        let attempts = &self.tables.attempts;
        self.tables.failures.retain(|fingerprint, group| {
            group.state == GroupState::Silenced
                || attempts
                    .values()
                    .any(|attempt| attempt.failure == Some(*fingerprint))
        });
    }
}

impl Tables {
    fn jobs_of(&self, group: Fingerprint) -> impl Iterator<Item = &JobRow> {
        self.rows()
            .filter(move |row| self.failure_of(row) == Some(group))
    }

    /// The group that a job counts in: that of its newest failure, while it waits for another
    /// attempt, runs, or has a letter.
    pub(super) fn failure_of(&self, row: &JobRow) -> Option<Fingerprint> {
        let has_letter = || self.letters.values().any(|letter| letter.job == row.key);
        row.failure
            .filter(|_| !row.state.is_finished() || has_letter())
    }

    fn counted(&self, group: &GroupRow) -> GroupRow {
        let jobs = || self.jobs_of(group.fingerprint);
        let dead = jobs().filter(|row| row.state == State::Dead).count();
        GroupRow {
            dead: dead as u64,
            retrying: (jobs().count() - dead) as u64,
            ..group.clone()
        }
    }

    /// A job as others see it.
    pub(super) fn shown(&self, row: &JobRow) -> JobRow {
        JobRow {
            failure: self.failure_of(row),
            ..row.clone()
        }
    }
}

impl Diagnosis for ModelStore {
    fn groups(&self, filter: &GroupFilter) -> Result<Vec<GroupRow>> {
        let tables = self.committed();
        let mut groups: Vec<GroupRow> = tables
            .failures
            .values()
            .filter(|group| filter.state.is_none_or(|state| group.state == state))
            .filter(|group| filter.task.as_ref().is_none_or(|task| group.task == *task))
            .map(|group| tables.counted(group))
            .collect();
        groups.sort_by_key(|group| Reverse((group.last_seen, group.fingerprint)));
        groups.truncate(filter.limit as usize);
        Ok(groups)
    }

    fn failing_groups(&self, limit: u32) -> Result<Vec<GroupRow>> {
        let tables = self.committed();
        let groups = tables.failures.values().map(|group| tables.counted(group));
        let mut groups: Vec<GroupRow> = groups
            .filter(|group| group.dead + group.retrying > 0)
            .collect();
        groups.sort_by_key(|group| group.fingerprint);
        groups.truncate(limit as usize);
        Ok(groups)
    }

    fn group(&self, group: Fingerprint) -> Result<Option<GroupRow>> {
        let tables = self.committed();
        let group = tables.failures.get(&group);
        Ok(group.map(|group| tables.counted(group)))
    }

    fn group_jobs(&self, group: Fingerprint, limit: u32) -> Result<Vec<JobRow>> {
        let tables = self.committed();
        let letter = |job: Key| {
            let mut letters = tables.letters.values();
            letters
                .find(|letter| letter.job == job)
                .map(|letter| letter.key)
        };
        let mut jobs: Vec<JobRow> = tables.jobs_of(group).map(|row| tables.shown(row)).collect();
        jobs.sort_by_key(|row| Reverse((letter(row.key), row.key)));
        jobs.truncate(limit as usize);
        Ok(jobs)
    }

    fn group_letters(&self, group: Fingerprint, after: Key, limit: u32) -> Result<Vec<(Key, Key)>> {
        let tables = self.committed();
        let letters = tables.letters.values();
        Ok(letters
            .filter(|letter| letter.key > after)
            .filter(|letter| tables.jobs_of(group).any(|row| row.key == letter.job))
            .take(limit as usize)
            .map(|letter| (letter.key, letter.job))
            .collect())
    }

    fn group_attempts(&self, group: Fingerprint, limit: u32) -> Result<Vec<AttemptRow>> {
        let tables = self.committed();
        let attempts = tables.attempts.values().rev();
        Ok(attempts
            .filter(|attempt| attempt.failure == Some(group))
            .take(limit as usize)
            .cloned()
            .collect())
    }

    fn group_hours(&self, group: Fingerprint, since: Millis, hours: u32) -> Result<Vec<u64>> {
        let tables = self.committed();
        let in_hour = |hour: u32| {
            let mut begin = since;
            for _ in 0..hour {
                begin = begin.plus(HOUR);
            }
            let attempts = tables.attempts.values();
            attempts
                .filter(|attempt| attempt.failure == Some(group))
                .filter(|attempt| attempt.failed_at >= begin)
                .filter(|attempt| attempt.failed_at < begin.plus(HOUR))
                .count() as u64
        };
        Ok((0..hours).map(in_hour).collect())
    }

    fn result_preview(&self, job: Key) -> Result<Option<String>> {
        let tables = self.committed();
        let job = tables.jobs.get(&job);
        Ok(job.and_then(|job| job.result_preview.clone()))
    }
}
