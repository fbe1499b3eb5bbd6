//! Waits that are elapsed time, and the clock that tells when they are over.

use std::time::Duration;

use super::{Draft, Tables};
use crate::clock::Millis;
use crate::error::Result;
use crate::job::JobRow;
use crate::state::State;
use crate::store::{NotedClock, Waits};

impl Waits for Draft<'_> {
    fn noted_clock(&mut self) -> Result<Option<NotedClock>> {
        Ok(self.tables.clock.clone())
    }

    fn note_clock(&mut self, clock: &NotedClock) -> Result<()> {
        self.tables.clock = Some(clock.clone());
        Ok(())
    }

    fn shift_waits(&mut self, step: i64) -> Result<u32> {
        let mut shifted = 0;
        for row in self.tables.waits() {
            row.run_at.0 += step;
            shifted += 1;
        }
        Ok(shifted)
    }

    fn shorten_waits(&mut self, now: Millis, slack: Duration) -> Result<u32> {
        let mut shortened = 0;
        for row in self.tables.waits() {
            if is_overlong(row, now, slack) {
                row.run_at = now.plus(row.wait_length);
                shortened += 1;
            }
        }
        Ok(shortened)
    }
}

/// Whether a job waits longer from now than its wait is long.
pub(super) fn is_overlong(row: &JobRow, now: Millis, slack: Duration) -> bool {
    let waits = row.state == State::Scheduled && row.wait.is_some();
    waits && row.run_at > now.plus(slack).plus(row.wait_length)
}

impl Tables {
    /// The jobs that wait for a retry or the end of a snooze.
    fn waits(&mut self) -> impl Iterator<Item = &mut JobRow> {
        let rows = self.jobs.values_mut().map(|job| &mut job.row);
        rows.filter(|row| row.state == State::Scheduled && row.wait.is_some())
    }
}
