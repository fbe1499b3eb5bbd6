//! Deleting many finished jobs in portions, so that other writers keep getting their turns.

use std::time::{Duration, Instant};

use crate::clock::Millis;
use crate::error::Result;
use crate::id::Key;
use crate::job::LaneId;
use crate::state::Status;

use super::{JobStore, Sync};

/// How many jobs are looked at in one portion.
const PORTION: u32 = 1000;
/// How long one transaction deletes before it makes way.
const HOLD: Duration = Duration::from_millis(10);
/// How many jobs are deleted between two looks at the clock.
const STEP: usize = 8;

/// Which finished jobs to delete.
#[derive(Clone, Debug)]
pub struct Purge {
    /// Only jobs that ended like this.
    pub status: Status,
    /// Only jobs that ended before.
    pub before: Millis,
    /// Only jobs of these lanes; `None` is all.
    pub lanes: Option<Vec<LaneId>>,
}

/// Deletes what `what` says among the next jobs after `after`. How many that were, and from
/// where to go on; `None` at the end.
///
/// # Errors
/// Storage failures; portions that went before stay deleted.
pub fn purge(
    store: &dyn JobStore,
    sync: Sync,
    what: &Purge,
    after: Key,
) -> Result<(u32, Option<Key>)> {
    let passed = store.walk(after, PORTION)?;
    let doomed: Vec<Key> = passed
        .iter()
        .filter(|job| {
            job.state.status() == what.status
                && job.finished_at.is_some_and(|end| end < what.before)
                && what
                    .lanes
                    .as_ref()
                    .is_none_or(|lanes| lanes.contains(&job.lane))
        })
        .map(|job| job.key)
        .collect();
    let full = passed.len() == PORTION as usize;
    let next = passed.last().filter(|_| full).map(|job| job.key);
    Ok((delete(store, sync, &doomed)?, next))
}

/// Deletes these jobs in as many short transactions as it takes; how many went.
pub(crate) fn delete(store: &dyn JobStore, sync: Sync, jobs: &[Key]) -> Result<u32> {
    let mut rest = jobs;
    let mut deleted = 0;
    while !rest.is_empty() {
        let (mut done, mut gone) = (0, 0);
        store.write(sync, &mut |transaction| {
            (done, gone) = (0, 0);
            let begin = Instant::now();
            for step in rest.chunks(STEP) {
                gone += transaction.prune(step)?;
                done += step.len();
                if begin.elapsed() >= HOLD {
                    break;
                }
            }
            Ok(())
        })?;
        rest = &rest[done..];
        deleted += gone;
    }
    Ok(deleted)
}
