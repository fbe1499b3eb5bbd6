//! Groups of failures: noted by the arrows, counted in an index, asked about and judged.

use std::time::Duration;

use rusqlite::{OptionalExtension, Result, named_params};

use super::transaction::SqliteTransaction;
use super::{SqliteStore, row};
use crate::cause::{Cause, Fingerprint, GroupFilter, GroupRow, GroupState};
use crate::clock::Millis;
use crate::error;
use crate::id::Key;
use crate::job::{AttemptRow, JobRow, LaneId};
use crate::store::{Diagnosis, Failures};

const HOUR: Duration = Duration::from_secs(3600);

impl SqliteTransaction<'_> {
    /// The group of a failure in a lane, and the task of both; nothing for a lane that is not
    /// there, in which no claim is running.
    pub(super) fn group_of(
        &self,
        lane: LaneId,
        cause: &Cause,
    ) -> Result<Option<(Fingerprint, String)>> {
        let task: Option<String> = self
            .connection
            .prepare_cached(include_str!("sql/lane.sql"))?
            .query_row(named_params! {":id": lane}, |row| row.get(1))
            .optional()?;
        Ok(task.map(|task| (cause.fingerprint(&task), task)))
    }

    /// Notes that a group has failed once more.
    pub(super) fn note_failure(
        &self,
        now: Millis,
        group: Fingerprint,
        task: &str,
        cause: &Cause,
    ) -> Result<()> {
        self.connection
            .prepare_cached(include_str!("sql/note_failure.sql"))?
            .execute(named_params! {
                ":group": group, ":task": task, ":error_type": cause.error_type,
                ":template": cause.template, ":location": cause.location, ":now": now,
            })?;
        Ok(())
    }

    /// Deletes the groups that have no failures left.
    pub(super) fn drop_idle_groups(&self) -> Result<()> {
        self.connection
            .prepare_cached(include_str!("sql/drop_idle_groups.sql"))?
            .execute([])?;
        Ok(())
    }
}

impl Failures for SqliteTransaction<'_> {
    fn judge_group(&mut self, group: Fingerprint, state: GroupState) -> error::Result<bool> {
        let judged = self
            .connection
            .prepare_cached(include_str!("sql/judge_group.sql"))
            .and_then(|mut judge| judge.execute(named_params! {":group": group, ":state": state}));
        Ok(self.explained(judged)? == 1)
    }
}

impl Diagnosis for SqliteStore {
    fn groups(&self, filter: &GroupFilter) -> error::Result<Vec<GroupRow>> {
        self.read(|connection| {
            connection
                .prepare_cached(include_str!("sql/groups.sql"))?
                .query_map(
                    named_params! {
                        ":state": filter.state, ":task": filter.task, ":limit": filter.limit,
                    },
                    row::group,
                )?
                .collect()
        })
    }

    fn failing_groups(&self, limit: u32) -> error::Result<Vec<GroupRow>> {
        self.read(|connection| {
            connection
                .prepare_cached(include_str!("sql/failing_groups.sql"))?
                .query_map(named_params! {":limit": limit}, row::group)?
                .collect()
        })
    }

    fn group(&self, group: Fingerprint) -> error::Result<Option<GroupRow>> {
        self.read(|connection| {
            connection
                .prepare_cached(include_str!("sql/group.sql"))?
                .query_row(named_params! {":group": group}, row::group)
                .optional()
        })
    }

    fn group_jobs(&self, group: Fingerprint, limit: u32) -> error::Result<Vec<JobRow>> {
        self.read(|connection| {
            connection
                .prepare_cached(include_str!("sql/group_jobs.sql"))?
                .query_map(named_params! {":group": group, ":limit": limit}, row::job)?
                .collect()
        })
    }

    fn group_letters(
        &self,
        group: Fingerprint,
        after: Key,
        limit: u32,
    ) -> error::Result<Vec<(Key, Key)>> {
        self.read(|connection| {
            connection
                .prepare_cached(include_str!("sql/group_letters.sql"))?
                .query_map(
                    named_params! {":group": group, ":after": after, ":limit": limit},
                    |row| Ok((row.get(0)?, row.get(1)?)),
                )?
                .collect()
        })
    }

    fn group_attempts(&self, group: Fingerprint, limit: u32) -> error::Result<Vec<AttemptRow>> {
        self.read(|connection| {
            connection
                .prepare_cached(include_str!("sql/group_attempts.sql"))?
                .query_map(
                    named_params! {":group": group, ":limit": limit},
                    row::attempt,
                )?
                .collect()
        })
    }

    fn group_hours(
        &self,
        group: Fingerprint,
        since: Millis,
        hours: u32,
    ) -> error::Result<Vec<u64>> {
        self.read(|connection| {
            let mut count = connection.prepare_cached(include_str!("sql/count_failures.sql"))?;
            let mut begin = since;
            let mut counts = Vec::new();
            for _ in 0..hours {
                let end = begin.plus(HOUR);
                counts.push(count.query_row(
                    named_params! {
                        ":group": group, ":from": Key::first_at(begin), ":to": Key::first_at(end),
                    },
                    |row| row.get(0),
                )?);
                begin = end;
            }
            Ok(counts)
        })
    }

    fn result_preview(&self, job: Key) -> error::Result<Option<String>> {
        let found: Option<Option<String>> = self.read(|connection| {
            connection
                .prepare_cached(include_str!("sql/result_preview.sql"))?
                .query_row(named_params! {":job": job}, |row| row.get(0))
                .optional()
        })?;
        Ok(found.flatten())
    }
}
