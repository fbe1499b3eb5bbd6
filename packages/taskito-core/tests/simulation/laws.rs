//! The laws: what holds between any two steps, whatever failed. Each compares two looks at the
//! database with what really happened.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use taskito_core::id::Key;
use taskito_core::job::{JobRow, Stats, Wait};
use taskito_core::state::State;
use taskito_core::store::Inspect;

use crate::claims;
use crate::ends;
use crate::record::{Waiting, is_over};
use crate::sight::Sight;
use crate::world::World;

/// What a law answers: nothing, or how it was broken.
pub(crate) type Lawful = Result<(), String>;

/// How long workers that sweep keep jobs that say nothing about it.
pub(crate) const RESULT_TTL: Duration = Duration::from_secs(20);

/// How long after its end an attempt is settled by others, if its worker does not.
pub(crate) const RECOVERY: Duration = Duration::from_millis(5001);

/// Breaks a law unless something holds.
macro_rules! law {
    ($holds:expr, $($broken:tt)+) => {
        if !$holds {
            return Err(format!($($broken)+));
        }
    };
}
pub(crate) use law;

/// Holds what happened between the last look and this one against all laws.
pub(crate) fn hold(world: &mut World, after: &Sight) -> Lawful {
    let before = std::mem::take(&mut world.sight);
    promises(world, &before, after)?;
    numbers(after)?;
    unique(after)?;
    claims::returns(world, &before, after);
    for (key, row) in &after.jobs {
        let old = before.jobs.get(key);
        if old == Some(row) {
            continue;
        }
        arrow(old, row)?;
        due(old, row, after)?;
        claims::hold(world, old, row, after)?;
        ends::hold(world, old, row, after)?;
        history(world, row)?;
        waits(world, old, row);
    }
    families(world, after)?;
    claims::limits(world, &before, after)?;
    bells(&before, after)?;
    world.fires.hold(&before, after)
}

/// What was stored is there until it may be deleted.
fn promises(world: &mut World, before: &Sight, after: &Sight) -> Lawful {
    for (key, row) in &before.jobs {
        if after.jobs.contains_key(key) {
            continue;
        }
        let end = row.finished_at.unwrap_or(after.now);
        let ttl = row.result_ttl.unwrap_or(RESULT_TTL);
        law!(
            row.state.is_finished()
                && (world.record.doomed.contains(key) || is_over(Some(end.plus(ttl)), after.now)),
            "a job is gone: {row:?}"
        );
        world.record.gone.insert(*key);
    }
    for key in &world.record.promised {
        law!(
            after.jobs.contains_key(key) || world.record.gone.contains(key),
            "a job that was acknowledged is not there: {key:?}"
        );
    }
    Ok(())
}

/// Counters say what the rows say.
fn numbers(after: &Sight) -> Lawful {
    let mut counted = Stats::default();
    for row in after.jobs.values() {
        match row.state {
            State::Blocked | State::Scheduled | State::Pending => counted.pending += 1,
            State::Running => counted.running += 1,
            State::Complete => counted.complete += 1,
            State::Dead => counted.dead += 1,
            State::Cancelled => counted.cancelled += 1,
        }
    }
    law!(
        counted == after.stats,
        "{:?} instead of {counted:?}",
        after.stats
    );
    Ok(())
}

/// A unique key has one unfinished owner at most.
fn unique(after: &Sight) -> Lawful {
    let mut owners = HashSet::new();
    for row in after.unfinished() {
        if let Some(key) = &row.unique_key {
            law!(
                owners.insert(key),
                "two unfinished jobs hold unique key '{key}'"
            );
        }
    }
    Ok(())
}

/// A job moves along arrows, its fence only grows, and nothing follows its end.
fn arrow(old: Option<&JobRow>, row: &JobRow) -> Lawful {
    let Some(old) = old else {
        law!(row.fence.0 <= 1, "a new job was claimed before: {row:?}");
        return Ok(());
    };
    law!(old.fence <= row.fence, "a fence went down: {old:?} {row:?}");
    law!(
        old.retry_count <= row.retry_count && old.losses <= row.losses,
        "a count went down: {old:?} {row:?}"
    );
    if old.state.is_finished() {
        let same = JobRow {
            progress: row.progress,
            // It goes with the letter, and never comes back.
            failure: old.failure.filter(|_| row.failure.is_some()),
            ..old.clone()
        };
        law!(same == *row, "a finished job changed: {old:?} {row:?}");
    }
    // One step may follow several arrows, each of them on another claim.
    let claims = row.fence.0 - old.fence.0;
    law!(claims <= 1, "claimed {claims} times in one step: {row:?}");
    law!(
        row.state != State::Blocked || old.state == State::Blocked,
        "blocked again: {row:?}"
    );
    if claims == 0 && old.state == State::Running && row.state == State::Running {
        law!(
            (old.owner, old.claimed_at) == (row.owner, row.claimed_at),
            "another claim under the same fence: {old:?} {row:?}"
        );
    }
    Ok(())
}

/// A job does not run before it is due. Once it was, a clock that is set back changes nothing.
fn due(old: Option<&JobRow>, row: &JobRow, after: &Sight) -> Lawful {
    let waited = old.is_none_or(|old| matches!(old.state, State::Blocked | State::Scheduled));
    let waits = matches!(
        row.state,
        State::Blocked | State::Scheduled | State::Cancelled
    );
    law!(
        !waited || waits || row.run_at <= after.now,
        "pending before it is due, at {:?}: {row:?}",
        after.now
    );
    Ok(())
}

/// The history of a job has a record for each failure and each loss, and no other.
fn history(world: &World, row: &JobRow) -> Lawful {
    let attempts = world.store().attempts(row.key).unwrap();
    let mut counts: HashMap<&str, u32> = HashMap::new();
    for attempt in &attempts {
        *counts.entry(attempt.mishap.name()).or_default() += 1;
        law!(
            world.record.has_begun((row.key, attempt.fence)),
            "an attempt is on record that never began: {attempt:?}"
        );
    }
    let last = attempts.last().filter(|last| last.fence == row.fence);
    let ended_with = |mishap| u32::from(last.is_some_and(|last| last.mishap.name() == mishap));
    let counted = |mishap| counts.get(mishap).copied().unwrap_or_default();
    let (failed, losses) = (counted("failed"), counted("lost"));
    let lawful = match row.state {
        State::Dead => failed == row.retry_count + ended_with("failed") && losses == row.losses,
        // The attempt during which it was to be cancelled spent nothing.
        State::Cancelled => {
            (row.retry_count..=row.retry_count + ended_with("failed")).contains(&failed)
                && (row.losses..=row.losses + ended_with("lost")).contains(&losses)
        }
        _ => (failed, losses) == (row.retry_count, row.losses),
    };
    law!(lawful, "another number of attempts: {attempts:?}: {row:?}");
    Ok(())
}

/// Takes note of a wait that begins.
fn waits(world: &mut World, old: Option<&JobRow>, row: &JobRow) {
    let was_scheduled = old.is_some_and(|old| old.state == State::Scheduled);
    if row.state == State::Scheduled
        && !was_scheduled
        && matches!(row.wait, Some(Wait::Backoff | Wait::Snooze))
    {
        let waiting = Waiting {
            since: world.uptime(),
            length: row.wait_length,
        };
        world.record.waiting.insert(row.key, waiting);
    }
}

/// A job is blocked as long as it has an unfinished parent, and ends with one that ends in vain.
fn families(world: &World, after: &Sight) -> Lawful {
    for (key, parents) in &world.record.parents {
        let Some(row) = after.jobs.get(key) else {
            continue;
        };
        // A parent that is gone was finished, and nobody waited for it any more.
        let parents: Vec<&JobRow> = parents
            .iter()
            .filter_map(|key| after.jobs.get(key))
            .collect();
        let unfinished = parents
            .iter()
            .filter(|parent| !parent.state.is_finished())
            .count();
        let failed = parents
            .iter()
            .any(|parent| matches!(parent.state, State::Dead | State::Cancelled));
        match row.state {
            State::Cancelled => {}
            State::Blocked => law!(
                !failed && unfinished > 0 && unfinished == row.waiting_on as usize,
                "waits for {unfinished} parents: {row:?}"
            ),
            _ => law!(
                !failed && unfinished == 0,
                "does not wait for its parents: {row:?}"
            ),
        }
    }
    Ok(())
}

/// Whoever waits for news is told: for jobs to claim, and for jobs that ended.
fn bells(before: &Sight, after: &Sight) -> Lawful {
    let state = |key: &Key| before.jobs.get(key).map(|row| row.state);
    for (key, row) in &after.jobs {
        if state(key) == Some(row.state) {
            continue;
        }
        law!(
            !row.state.is_finished() || after.finished != before.finished,
            "nobody was told of an end: {row:?}"
        );
        law!(
            !matches!(row.state, State::Pending | State::Scheduled) || after.work != before.work,
            "nobody was told that a job waits: {row:?}"
        );
    }
    Ok(())
}
