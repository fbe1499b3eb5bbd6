//! The laws of claims and of beginnings: who may hold a job, and when.

use std::collections::HashMap;

use taskito_core::id::Key;
use taskito_core::job::{Claim, JobRow, WorkerId};
use taskito_core::state::State;

use crate::laws::{Lawful, law};
use crate::record::{Begin, attempt, is_over, millis};
use crate::sight::Sight;
use crate::world::World;

/// How exactly waits are kept when the clock is set.
const SLACK: i64 = 250;

/// Takes note of the tokens that come back with claims that never began.
pub(crate) fn returns(world: &mut World, before: &Sight, after: &Sight) {
    for old in before.running() {
        let row = after.jobs.get(&old.key);
        let held = row.is_some_and(|row| (row.owner, row.fence) == (old.owner, old.fence));
        if !held && !world.record.has_begun((old.key, old.fence)) {
            world.rates.returns(old);
        }
    }
}

/// Holds a claim against the law, if there is a new one.
pub(crate) fn hold(world: &mut World, old: Option<&JobRow>, row: &JobRow, after: &Sight) -> Lawful {
    let claimed = old.map_or(0, |old| old.fence.0) < row.fence.0;
    if !claimed {
        return Ok(());
    }
    let Some((worker, code)) = world.acting.clone() else {
        return Err(format!("claimed without a worker: {row:?}"));
    };
    law!(
        row.state == State::Running,
        "claimed and not running: {row:?}"
    );
    law!(
        row.owner == Some(worker),
        "claimed for another worker: {row:?}"
    );
    law!(
        !is_over(row.expires_at, after.now),
        "claimed too late, at {:?}: {row:?}",
        after.now
    );
    law!(
        !after.is_paused(&row.queue),
        "claimed from a paused queue: {row:?}"
    );
    law!(
        row.waiting_on == 0,
        "claimed before its parents ended: {row:?}"
    );
    if let Some(waiting) = world.record.waiting.remove(&row.key) {
        let waited = world.uptime() - waiting.since;
        law!(
            waited + SLACK >= millis(waiting.length),
            "waited for {waited} ms instead of {:?}: {row:?}",
            waiting.length
        );
    }
    let queue = after.queues.get(&row.queue);
    let rates = [
        queue.and_then(|queue| queue.limit.rate.as_ref()),
        code.limits(&row.task).limit.rate.as_ref(),
    ];
    world.rates.claims(after.now, row, rates)
}

/// No more jobs run than may, and no worker holds two that killed one.
pub(crate) fn limits(world: &World, before: &Sight, after: &Sight) -> Lawful {
    let Some((worker, code)) = &world.acting else {
        return Ok(());
    };
    let fence = |key: &Key| before.jobs.get(key).map_or(0, |row| row.fence.0);
    let fresh = after.running().filter(|row| row.fence.0 > fence(&row.key));
    for row in fresh {
        let of_queue = after.running().filter(|other| other.queue == row.queue);
        let of_task = after
            .running()
            .filter(|other| (&other.task, &other.limit_key) == (&row.task, &row.limit_key));
        let queue = after
            .queues
            .get(&row.queue)
            .and_then(|queue| queue.limit.max_concurrent);
        for (most, count) in [
            (queue, of_queue.count()),
            (code.limits(&row.task).limit.max_concurrent, of_task.count()),
        ] {
            law!(
                most.is_none_or(|most| count <= most as usize),
                "{count} run at once: {row:?}"
            );
        }
        law!(
            row.losses == 0 || suspects(after, *worker) <= 1,
            "two suspects at once: {row:?}"
        );
    }
    let mut counts: HashMap<usize, u32> = HashMap::new();
    for (group, (limit, members)) in world.record.groups.iter().enumerate() {
        for row in after.running().filter(|row| members.contains(&row.key)) {
            let count = counts.entry(group).or_default();
            *count += 1;
            law!(*count <= *limit, "{count} of a group run at once: {row:?}");
        }
    }
    Ok(())
}

fn suspects(after: &Sight, worker: WorkerId) -> usize {
    let held = after.running().filter(|row| row.owner == Some(worker));
    held.filter(|row| row.losses > 0).count()
}

/// Holds the beginning of a function against the law and takes note of it.
pub(crate) fn begins(world: &mut World, worker: WorkerId, claim: &Claim) -> Lawful {
    let now = world.sight.now;
    let Some(row) = world.sight.jobs.get(&claim.token.key) else {
        return Err(format!("began and is not there: {claim:?}"));
    };
    law!(
        row.state == State::Running && row.fence == claim.token.fence && row.owner == Some(worker),
        "began under a claim that does not hold: {row:?}"
    );
    law!(
        !is_over(row.expires_at, now),
        "began too late, at {now:?}: {row:?}"
    );
    law!(
        !world.sight.is_paused(&row.queue),
        "began although its queue is paused: {row:?}"
    );
    law!(
        !row.cancel_requested,
        "began although it is to be cancelled: {row:?}"
    );
    law!(
        !world.record.has_begun(attempt(claim.token)),
        "began twice: {row:?}"
    );
    let begin = Begin {
        worker,
        at: world.uptime(),
        timeout: claim.timeout,
    };
    world.record.begins(claim.token, begin);
    Ok(())
}
