//! What runs now, as the ledgers of workers say: no row is written for that.

use std::collections::HashMap;
use std::path::Path;

use crate::clock::{Clock, Millis};
use crate::error::Result;
use crate::id::Key;
use crate::job::{Fence, JobRow, WorkerRow};
use crate::state::State;
use crate::store::JobStore;

use super::ledger;

/// A job whose function has begun and not ended.
#[derive(Clone, Debug)]
pub struct RunningJob {
    /// The job.
    pub job: JobRow,
    /// The worker that runs it.
    pub worker: Key,
    /// When its function began.
    pub since: Millis,
}

/// Up to `limit` jobs that run now, the longest first. One that begins or ends at this moment
/// may be missing. Of a worker that keeps no ledger, as for a database in memory, all that it
/// holds counts as running since its claim.
///
/// # Errors
/// Storage failures.
pub fn running_now(
    store: &dyn JobStore,
    path: Option<&Path>,
    clock: &dyn Clock,
    limit: usize,
) -> Result<Vec<RunningJob>> {
    let now = clock.now();
    let mut started: Vec<Started> = Vec::new();
    for worker in store.workers()? {
        let claims = match ledger::started(path, worker.id) {
            Some(claims) => begun(claims, clock, now),
            None => claimed(store, &worker)?,
        };
        started.extend(claims.into_iter().map(|(claim, since)| Started {
            since,
            claim,
            worker: worker.key,
        }));
    }
    started.sort_unstable_by_key(|one| (one.since, one.claim.0));
    let mut running = Vec::new();
    for one in started {
        if running.len() == limit {
            break;
        }
        let (key, fence) = one.claim;
        let job = store.job(key)?;
        // An entry outlives its claim until the commit that brings the next one.
        let current = |job: &JobRow| job.state == State::Running && job.fence == fence;
        running.extend(job.filter(current).map(|job| RunningJob {
            job,
            worker: one.worker,
            since: one.since,
        }));
    }
    Ok(running)
}

/// A claim whose function has begun.
struct Started {
    since: Millis,
    claim: (Key, Fence),
    worker: Key,
}

type Since = Vec<((Key, Fence), Millis)>;

fn begun(claims: HashMap<(Key, Fence), u64>, clock: &dyn Clock, now: Millis) -> Since {
    let since = |start| ledger::on_the_wall(clock, now, start);
    let claims = claims.into_iter();
    claims.map(|(claim, start)| (claim, since(start))).collect()
}

fn claimed(store: &dyn JobStore, worker: &WorkerRow) -> Result<Since> {
    let mut claims = Vec::new();
    for held in store.holdings(worker.id)? {
        let job = store.job(held.token.key)?;
        if let Some(at) = job.and_then(|job| job.claimed_at) {
            claims.push(((held.token.key, held.token.fence), at));
        }
    }
    Ok(claims)
}
