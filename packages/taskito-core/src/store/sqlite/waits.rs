//! Waits that are elapsed time, and the clock that tells when they are over.

use std::time::Duration;

use rusqlite::{Result, named_params};

use super::transaction::SqliteTransaction;
use crate::clock::Millis;
use crate::error;
use crate::store::{NotedClock, Waits};

impl SqliteTransaction<'_> {
    fn read_clock(&self) -> Result<Option<NotedClock>> {
        self.connection
            .prepare_cached(include_str!("sql/noted_clock.sql"))?
            .query_row([], |row| {
                let boot: Option<String> = row.get(0)?;
                let offset: Option<i64> = row.get(1)?;
                Ok(boot
                    .zip(offset)
                    .map(|(boot, offset)| NotedClock { boot, offset }))
            })
    }

    /// Waits that changed concern workers: a job may be due sooner.
    fn waits_changed(&mut self, count: usize) -> u32 {
        self.tally.news.work |= count > 0;
        u32::try_from(count).unwrap_or(u32::MAX)
    }
}

impl Waits for SqliteTransaction<'_> {
    fn noted_clock(&mut self) -> error::Result<Option<NotedClock>> {
        let answer = self.read_clock();
        self.explained(answer)
    }

    fn note_clock(&mut self, clock: &NotedClock) -> error::Result<()> {
        let noted = self
            .connection
            .prepare_cached(include_str!("sql/note_clock.sql"))
            .and_then(|mut note| {
                note.execute(named_params! {
                    ":boot": clock.boot, ":clock_offset": clock.offset,
                })
            });
        self.explained(noted).map(|_| ())
    }

    fn shift_waits(&mut self, step: i64) -> error::Result<u32> {
        let shifted = self
            .connection
            .prepare_cached(include_str!("sql/shift_waits.sql"))
            .and_then(|mut shift| shift.execute(named_params! {":step": step}));
        let shifted = self.explained(shifted)?;
        Ok(self.waits_changed(shifted))
    }

    fn shorten_waits(&mut self, now: Millis, slack: Duration) -> error::Result<u32> {
        let shortened = self
            .connection
            .prepare_cached(include_str!("sql/shorten_waits.sql"))
            .and_then(|mut shorten| {
                shorten.execute(named_params! {":now": now, ":latest": now.plus(slack)})
            });
        let shortened = self.explained(shortened)?;
        Ok(self.waits_changed(shortened))
    }
}
