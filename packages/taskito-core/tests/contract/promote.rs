//! scheduled -> pending.

use std::time::Duration;

use taskito_core::id::Key;
use taskito_core::job::JobRow;
use taskito_core::state::State;

use crate::support::{job, job_with};
use crate::world::{CLAIMED, World, assert_applied};

contract![
    a_job_is_promoted_at_the_very_millisecond_it_is_due,
    promotion_changes_nothing_but_the_state,
    nobody_but_scheduled_jobs_is_promoted,
    the_earliest_due_come_first_and_then_the_oldest,
    a_limit_of_zero_promotes_nothing,
    a_retried_job_is_promoted_like_any_other,
];

fn delayed(world: &World, millis: u64) -> Key {
    world.insert(job_with("a", |spec| {
        spec.delay = Duration::from_millis(millis);
    }))
}

fn a_job_is_promoted_at_the_very_millisecond_it_is_due(world: &World) {
    let key = delayed(world, 1000);
    world.advance(999);
    assert_eq!(world.promote(10), 0);
    assert_eq!(world.state(key), State::Scheduled);
    world.advance(1);
    assert_eq!(world.promote(10), 1);
    assert_eq!(world.state(key), State::Pending);
    assert_eq!(world.promote(10), 0);
}

fn promotion_changes_nothing_but_the_state(world: &World) {
    let key = delayed(world, 1000);
    let scheduled = world.row(key);
    world.advance(5000);
    assert_eq!(world.promote(1), 1);
    assert_eq!(
        world.row(key),
        JobRow {
            state: State::Pending,
            ..scheduled
        }
    );
}

fn nobody_but_scheduled_jobs_is_promoted(world: &World) {
    for state in CLAIMED {
        if state != State::Scheduled {
            world.job_that_is(state);
            for job in world.jobs() {
                world.cancel(job.key);
            }
        }
    }
    let cancelled = delayed(world, 1000);
    world.cancel(cancelled);
    world.insert(job("pending"));
    world.advance(5000);
    let before = world.sight();
    assert_eq!(world.promote(10), 0);
    assert_eq!(world.sight(), before);
}

fn the_earliest_due_come_first_and_then_the_oldest(world: &World) {
    let late = delayed(world, 3000);
    let older = delayed(world, 2000);
    let younger = delayed(world, 2000);
    let early = delayed(world, 1000);
    world.advance(5000);
    for expected in [early, older, younger, late] {
        assert_eq!(world.state(expected), State::Scheduled);
        assert_eq!(world.promote(1), 1);
        assert_eq!(world.state(expected), State::Pending);
    }
}

fn a_limit_of_zero_promotes_nothing(world: &World) {
    delayed(world, 1);
    world.advance(1);
    assert_eq!(world.promote(0), 0);
    assert_eq!(world.promote(u32::MAX), 1);
}

fn a_retried_job_is_promoted_like_any_other(world: &World) {
    let token = world.running(job("a"));
    assert_applied(world.retry(token, "e", world.later(500)));
    assert_eq!(world.promote(1), 0);
    world.advance(500);
    assert_eq!(world.promote(1), 1);
    assert_eq!(world.take().token.key, token.key);
}
