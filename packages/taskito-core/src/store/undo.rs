//! Taking back what somebody did a moment ago, as far as nobody has acted upon it.

use std::sync::Arc;

use crate::bulk::Phase;
use crate::clock::Millis;
use crate::error::Result;
use crate::id::Key;
use crate::job::{JobRow, JobSpec, NewJob};
use crate::state::State;

use super::{JobStore, Sync};

/// No more jobs of an operation are taken back.
const MOST: u32 = 1000;

/// Takes back that a job was stored once more: the copy goes, unless it was ever claimed. The dead
/// letter of `original` is put back, if it was revived. Whether that could be done.
///
/// # Errors
/// Storage failures.
pub fn take_back(
    store: &dyn JobStore,
    now: Millis,
    copy: Key,
    original: Option<Key>,
) -> Result<bool> {
    if store.job(copy)?.is_none_or(|row| row.fence.0 > 0) {
        return Ok(false);
    }
    let mut done = false;
    store.write(Sync::Durable, &mut |transaction| {
        // One that a worker claimed meanwhile is not cancelled.
        done = transaction.cancel(now, copy)? && transaction.prune(&[copy])? == 1;
        if let Some(original) = original.filter(|_| done) {
            transaction.restore_letter(now, original)?;
        }
        Ok(())
    })?;
    Ok(done)
}

/// Takes back that a waiting job was cancelled: a new job takes its place, with the same settings,
/// arguments and due time. `None` when it ever ran, or has to do with other jobs.
///
/// # Errors
/// Storage failures.
pub fn reinstate(store: &dyn JobStore, now: Millis, cancelled: Key) -> Result<Option<Key>> {
    let (Some(mut row), Some(payload)) = (store.job(cancelled)?, store.payload(cancelled)?) else {
        return Ok(None);
    };
    let stands_alone = row.workflow.is_none()
        && row.group.is_none()
        && store.dependencies(cancelled)?.is_empty()
        && store.dependents(cancelled)?.is_empty();
    let was_waiting = row.state == State::Cancelled && row.error.is_none() && row.fence.0 == 0;
    if !stands_alone || !was_waiting {
        return Ok(None);
    }
    let preview = row.preview.take();
    let job = NewJob {
        preview,
        ..NewJob::new(Arc::new(spec_of(row, now)), payload)
    };
    let mut key = None;
    store.write(Sync::Durable, &mut |transaction| {
        key = None;
        if transaction.prune(&[cancelled])? == 1 {
            let inserted = transaction.insert(now, std::slice::from_ref(&job))?;
            key = inserted.first().map(|job| job.key);
        }
        Ok(())
    })?;
    Ok(key)
}

/// Takes back an operation that is over, as far as that can be done: new jobs that no worker has had
/// go, and cancelled ones wait again. Of how many jobs; `None` when there is nothing to take back.
///
/// # Errors
/// Storage failures; what was taken back until then stays so.
pub fn undo(store: &dyn JobStore, now: Millis, operation: Key, who: &str) -> Result<Option<u64>> {
    let Some(row) = store.operation(operation)? else {
        return Ok(None);
    };
    let touched = store.touched(operation, MOST)?;
    if row.phase == Phase::Running || touched.is_empty() {
        return Ok(None);
    }
    let mut number = 0;
    for (job, copy) in touched {
        let is_back = match copy {
            Some(copy) => {
                let mut replays = store.replays(job)?.into_iter();
                let is_replay = replays.any(|known| known.replay == copy);
                take_back(store, now, copy, (!is_replay).then_some(job))?
            }
            None => reinstate(store, now, job)?.is_some(),
        };
        number += u64::from(is_back);
    }
    store.write(Sync::Durable, &mut |transaction| {
        transaction.audit(now, who, "undo", &row.wanted.text, number)?;
        transaction.report_operation(operation, &format!("undone by {who}: {number} jobs"))
    })?;
    Ok(Some(number))
}

fn spec_of(row: JobRow, now: Millis) -> JobSpec {
    JobSpec {
        task: row.task.into(),
        queue: row.queue.into(),
        priority: row.priority,
        delay: now.until(row.run_at),
        max_retries: row.max_retries,
        timeout: row.timeout,
        unique_key: row.unique_key,
        idempotency_key: row.idempotency_key,
        metadata: row.metadata,
        headers: row.headers,
        limit_key: row.limit_key,
        expires: row.expires_at.map(|at| now.until(at)),
        result_ttl: row.result_ttl,
        fire: row.fire,
    }
}
