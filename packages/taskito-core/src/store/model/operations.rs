//! What people do to single jobs, besides the arrows.

use std::sync::Arc;

use super::Draft;
use super::arrows::letter;
use crate::clock::Millis;
use crate::error::Result;
use crate::id::Key;
use crate::job::{JobSpec, NewJob};
use crate::state::State;
use crate::store::{Arrows, Operations};

impl Operations for Draft<'_> {
    fn replay(&mut self, now: Millis, original: Key) -> Result<Option<Key>> {
        let Some(job) = self.tables.jobs.get(&original) else {
            return Ok(None);
        };
        let again = JobSpec {
            queue: job.row.queue.as_str().into(),
            priority: job.row.priority,
            max_retries: job.row.max_retries,
            timeout: job.row.timeout,
            result_ttl: job.row.result_ttl,
            limit_key: job.row.limit_key.clone(),
            metadata: Some(original.said_to_be_replayed(self.database)),
            ..JobSpec::new(&job.row.task)
        };
        let again = NewJob {
            preview: job.row.preview.clone(),
            ..NewJob::new(Arc::new(again), job.payload.clone())
        };
        let copy = self.insert(now, &[again])?[0].key;
        self.tables.replays.insert(copy, (original, now));
        Ok(Some(copy))
    }

    fn discard(&mut self, letters: &[Key]) -> Result<u32> {
        let mut discarded = 0;
        for letter in letters {
            discarded += u32::from(self.tables.letters.remove(letter).is_some());
        }
        Ok(discarded)
    }

    fn restore_letter(&mut self, now: Millis, job: Key) -> Result<bool> {
        let key = self.keys.next(now);
        let has_letter = self.tables.letters.values().any(|letter| letter.job == job);
        let Some(dead) = self.tables.jobs.get(&job) else {
            return Ok(false);
        };
        let row = &dead.row;
        let (State::Dead, Some(died_at), false) = (row.state, row.finished_at, has_letter) else {
            return Ok(false);
        };
        let letter = letter(died_at, key, dead, row.error.as_deref().unwrap_or_default());
        self.tables.letters.insert(key, letter);
        Ok(true)
    }

    fn set_progress(&mut self, job: Key, progress: u8) -> Result<bool> {
        let found = self.tables.jobs.get_mut(&job);
        Ok(found.map(|job| job.row.progress = Some(progress)).is_some())
    }
}
