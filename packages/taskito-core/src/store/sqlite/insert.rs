//! Arrow `insert`.

use rusqlite::{OptionalExtension, Result, named_params, params};

use super::row::millis;
use super::transaction::SqliteTransaction;
use crate::clock::Millis;
use crate::id::Key;
use crate::job::{Inserted, JobSpec, NewJob};
use crate::state::State;

impl SqliteTransaction<'_> {
    pub(super) fn insert_jobs(&mut self, now: Millis, jobs: &[NewJob]) -> Result<Vec<Inserted>> {
        let mut insert = self
            .connection
            .prepare_cached(include_str!("sql/insert.sql"))?;
        let mut inserted = Vec::with_capacity(jobs.len());
        for job in jobs {
            let spec = &*job.spec;
            if let Some(key) = self.duplicate(spec)? {
                inserted.push(Inserted {
                    key,
                    deduplicated: true,
                });
                continue;
            }
            let lane = self
                .lanes
                .find_or_add(self.connection, &spec.queue, &spec.task)?;
            let run_at = now.plus(spec.delay);
            let state = if run_at > now {
                State::Scheduled
            } else {
                State::Pending
            };
            let key = self.with_new_key(now, |key| {
                insert.execute(params![
                    key,
                    lane,
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
                    0,
                    millis(spec.delay),
                    None::<&str>,
                    spec.expires.map(|expires| now.plus(expires)),
                    spec.result_ttl.map(millis),
                    None::<Key>,
                    spec.fire.as_ref().map(|fire| &fire.schedule),
                    spec.fire.as_ref().map(|fire| fire.time),
                    spec.limit_key,
                ])?;
                Ok(key)
            })?;
            self.tally.enters(lane, state);
            inserted.push(Inserted {
                key,
                deduplicated: false,
            });
        }
        Ok(inserted)
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
