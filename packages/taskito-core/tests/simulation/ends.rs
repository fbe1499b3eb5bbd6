//! The laws of ends: a claim ends as its function did, or as its worker did, and only once.

use taskito_core::job::JobRow;
use taskito_core::outcome::CANCELLED_BY_REQUEST;
use taskito_core::state::State;
use taskito_core::store::{EXPIRED, Inspect};

use crate::laws::{Lawful, law};
use crate::record::{Report, is_over};
use crate::sight::Sight;
use crate::world::World;

/// Holds the end of a claim against the law, if one ended.
pub(crate) fn hold(world: &World, old: Option<&JobRow>, row: &JobRow, after: &Sight) -> Lawful {
    if old.is_some_and(|old| old.state == row.state) {
        return Ok(());
    }
    match row.state {
        State::Complete => complete(world, row),
        State::Dead => dead(world, row),
        State::Cancelled => cancelled(world, row, after),
        _ => Ok(()),
    }
}

/// The result is that of the newest claim.
fn complete(world: &World, row: &JobRow) -> Lawful {
    let result = world.store().result(row.key).unwrap().map(Report::Done);
    let report = world.record.reports.get(&(row.key, row.fence));
    law!(
        result.is_some() && report == result.as_ref(),
        "complete with {result:?}, but its function ended as {report:?}: {row:?}"
    );
    Ok(())
}

fn dead(world: &World, row: &JobRow) -> Lawful {
    let attempt = (row.key, row.fence);
    let error = row.error.as_deref().unwrap_or_default();
    let report = world.record.reports.get(&attempt);
    if error.starts_with("WorkerLostError") {
        law!(
            world.record.lost_its_worker(attempt) && (row.losses >= 3 || row.max_retries == 0),
            "buried as lost: {row:?}"
        );
    } else if error.starts_with("TaskTimeoutError") {
        law!(
            world.record.is_over_time(attempt, world.uptime())
                && row.retry_count == row.max_retries,
            "buried as timed out: {row:?}"
        );
    } else {
        law!(
            match report {
                Some(Report::Failed { retryable }) =>
                    !retryable || row.retry_count == row.max_retries,
                _ => false,
            },
            "buried, but its function ended as {report:?}: {row:?}"
        );
    }
    Ok(())
}

fn cancelled(world: &World, row: &JobRow, after: &Sight) -> Lawful {
    let report = world.record.reports.get(&(row.key, row.fence));
    let lawful = match row.error.as_deref() {
        None | Some(CANCELLED_BY_REQUEST) => world.record.unwanted.contains(&row.key),
        Some(EXPIRED) => is_over(row.expires_at, after.now),
        Some(error) if error.starts_with("dependency") => {
            let parents = world.record.parents.get(&row.key);
            parents.is_some_and(|parents| !parents.is_empty()) && row.ended_by.is_some()
        }
        Some(_) => report == Some(&Report::Cancelled),
    };
    law!(
        lawful,
        "cancelled for no reason, its function ended as {report:?}: {row:?}"
    );
    Ok(())
}
