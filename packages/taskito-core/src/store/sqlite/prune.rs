//! Arrow `prune`: finished jobs go, with all that belongs to them.

use rusqlite::{OptionalExtension, Result, params};

use super::transaction::SqliteTransaction;
use crate::id::Key;
use crate::job::LaneId;
use crate::state::State;

/// What goes with a job besides its attempts, the job last.
const BELONGINGS: [&str; 7] = [
    include_str!("sql/prune_result.sql"),
    include_str!("sql/prune_logs.sql"),
    include_str!("sql/prune_parents.sql"),
    include_str!("sql/prune_children.sql"),
    include_str!("sql/prune_replays.sql"),
    include_str!("sql/prune_original.sql"),
    include_str!("sql/prune.sql"),
];

impl SqliteTransaction<'_> {
    pub(super) fn prune_jobs(&mut self, jobs: &[Key]) -> Result<u32> {
        let mut pruned = 0;
        let mut had_failed = false;
        for job in jobs {
            pruned += u32::from(self.prune_job(*job, &mut had_failed)?);
        }
        if had_failed {
            self.drop_idle_groups()?;
        }
        Ok(pruned)
    }

    fn prune_job(&mut self, job: Key, had_failed: &mut bool) -> Result<bool> {
        let prunable: Option<(LaneId, State)> = self
            .connection
            .prepare_cached(include_str!("sql/prunable.sql"))?
            .query_row(params![job], |row| Ok((row.get(0)?, row.get(1)?)))
            .optional()?;
        let Some((lane, state)) = prunable else {
            return Ok(false);
        };
        *had_failed |= self
            .connection
            .prepare_cached(include_str!("sql/prune_attempts.sql"))?
            .execute(params![job])?
            > 0;
        for statement in BELONGINGS {
            self.connection
                .prepare_cached(statement)?
                .execute(params![job])?;
        }
        self.tally.leaves(lane, state);
        Ok(true)
    }
}
