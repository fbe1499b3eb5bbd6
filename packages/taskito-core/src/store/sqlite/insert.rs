//! Arrow `insert`.

use rusqlite::{CachedStatement, OptionalExtension, Result, named_params, params};

use super::link::{Family, Place};
use super::row::millis;
use super::transaction::SqliteTransaction;
use crate::clock::Millis;
use crate::error;
use crate::id::Key;
use crate::job::{Inserted, JobSpec, NewJob, Spot};
use crate::limits::LimiterId;
use crate::links::GroupId;
use crate::state::State;

impl SqliteTransaction<'_> {
    pub(super) fn insert_jobs(
        &mut self,
        now: Millis,
        jobs: &[NewJob],
    ) -> error::Result<Vec<Inserted>> {
        let insert = self
            .connection
            .prepare_cached(include_str!("sql/insert.sql"));
        let mut insert = self.explained(insert)?;
        let mut family = Family::default();
        let mut inserted = Vec::with_capacity(jobs.len());
        for job in jobs {
            let duplicate = self.duplicate(&job.spec);
            if let Some(key) = self.explained(duplicate)? {
                inserted.push(Inserted {
                    key,
                    deduplicated: true,
                });
                continue;
            }
            let place = match &job.links {
                Some(links) => self.place(links, &inserted, &mut family)?,
                None => Place::default(),
            };
            let stored = self.insert_job(&mut insert, now, job, &place);
            let (key, spot) = self.explained(stored)?;
            if let Some(links) = &job.links {
                family.welcome(key, links);
                let tied = self.tie(now, key, spot, &place);
                self.explained(tied)?;
            }
            inserted.push(Inserted {
                key,
                deduplicated: false,
            });
        }
        Ok(inserted)
    }

    fn insert_job(
        &mut self,
        insert: &mut CachedStatement<'_>,
        now: Millis,
        job: &NewJob,
        place: &Place,
    ) -> Result<(Key, Spot)> {
        let spec = &*job.spec;
        let spot = self.spot_for(now, spec, place.group)?;
        let run_at = now.plus(spec.delay);
        let state = if place.waiting_on > 0 {
            State::Blocked
        } else if run_at > now {
            State::Scheduled
        } else {
            State::Pending
        };
        let key = self.with_new_key(now, |key| {
            insert.execute(params![
                key,
                spot.lane,
                state,
                spec.priority,
                run_at,
                now,
                spec.max_retries,
                millis(spec.timeout),
                spec.unique_key,
                spec.idempotency_key,
                spec.metadata,
                spec.headers,
                job.payload,
                job.preview,
                place.waiting_on,
                millis(spec.delay),
                place.shape,
                spec.expires.map(|expires| now.plus(expires)),
                spec.result_ttl.map(millis),
                place.workflow.map(|workflow| workflow.key(key)),
                spec.fire.as_ref().map(|fire| &fire.schedule),
                spec.fire.as_ref().map(|fire| fire.time),
                spec.limit_key,
                place.group,
                spot.strand,
            ])?;
            Ok(key)
        })?;
        self.tally.enters(spot, state);
        Ok((key, spot))
    }

    /// Where a new job waits.
    fn spot_for(&mut self, now: Millis, spec: &JobSpec, group: Option<GroupId>) -> Result<Spot> {
        let lane = self
            .lanes
            .find_or_add(self.connection, &spec.queue, &spec.task)?;
        let group = group.map(|group| LimiterId(group.0));
        let strand = self.strand_for(now, lane, (&spec.task, spec.limit_key.as_deref()), group)?;
        Ok(Spot { lane, strand })
    }

    /// The job that a new one would only repeat.
    fn duplicate(&self, spec: &JobSpec) -> Result<Option<Key>> {
        if let Some(key) = &spec.idempotency_key {
            let found = self
                .connection
                .prepare_cached(include_str!("sql/find_idempotent.sql"))?
                .query_row(named_params! {":key": key, ":task": spec.task}, |row| {
                    row.get(0)
                })
                .optional()?;
            if found.is_some() {
                return Ok(found);
            }
        }
        let Some(key) = &spec.unique_key else {
            return Ok(None);
        };
        self.connection
            .prepare_cached(include_str!("sql/find_unique.sql"))?
            .query_row(named_params! {":key": key}, |row| row.get(0))
            .optional()
    }
}
