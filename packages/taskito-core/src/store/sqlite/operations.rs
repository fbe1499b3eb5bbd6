//! What people do to single jobs, besides the arrows.

use std::sync::Arc;

use rusqlite::{OptionalExtension, Result, named_params, params};

use super::row;
use super::transaction::SqliteTransaction;
use crate::clock::Millis;
use crate::error;
use crate::id::Key;
use crate::job::NewJob;
use crate::store::Operations;

impl Operations for SqliteTransaction<'_> {
    fn replay(&mut self, now: Millis, original: Key) -> error::Result<Option<Key>> {
        let found = self.settings_of(original);
        let Some(job) = self.explained(found)? else {
            return Ok(None);
        };
        let copy = self.insert_jobs(now, &[job])?[0].key;
        let recorded = self.record_replay(now, original, copy);
        self.explained(recorded)?;
        Ok(Some(copy))
    }

    fn discard(&mut self, letters: &[Key]) -> error::Result<u32> {
        let discarded = self.discard_letters(letters);
        self.explained(discarded)
    }

    fn restore_letter(&mut self, now: Millis, job: Key) -> error::Result<bool> {
        let restored = self.give_letter(now, job);
        self.explained(restored)
    }

    fn set_progress(&mut self, job: Key, progress: u8) -> error::Result<bool> {
        let set = (|| {
            self.connection
                .prepare_cached(include_str!("sql/set_progress.sql"))?
                .execute(named_params! {":id": job, ":progress": progress})
        })();
        Ok(self.explained(set)? == 1)
    }
}

impl SqliteTransaction<'_> {
    /// A job like that one, to be inserted.
    fn settings_of(&self, original: Key) -> Result<Option<NewJob>> {
        let job = self
            .connection
            .prepare_cached(include_str!("sql/settings.sql"))?
            .query_row(params![original], row::settings)
            .optional()?;
        Ok(job.map(|(mut spec, payload, preview)| {
            spec.metadata = Some(original.said_to_be_replayed(self.database));
            NewJob {
                preview,
                ..NewJob::new(Arc::new(spec), payload)
            }
        }))
    }

    fn record_replay(&self, now: Millis, original: Key, copy: Key) -> Result<()> {
        self.connection
            .prepare_cached(include_str!("sql/record_replay.sql"))?
            .execute(named_params! {":replay": copy, ":original": original, ":now": now})?;
        Ok(())
    }

    fn give_letter(&self, now: Millis, job: Key) -> Result<bool> {
        let mut restore = self
            .connection
            .prepare_cached(include_str!("sql/restore_letter.sql"))?;
        let restored = self.with_new_key(now, |key| {
            restore.execute(named_params! {":id": job, ":dead_letter": key})
        })?;
        Ok(restored == 1)
    }

    fn discard_letters(&self, letters: &[Key]) -> Result<u32> {
        let mut drop = self
            .connection
            .prepare_cached(include_str!("sql/drop_letter.sql"))?;
        let mut discarded = 0;
        for letter in letters {
            let dropped = drop.execute(named_params! {":dead_letter": letter})?;
            discarded += u32::from(dropped == 1);
        }
        Ok(discarded)
    }
}
