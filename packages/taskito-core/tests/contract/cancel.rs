//! scheduled, pending -> cancelled.

use std::time::Duration;

use taskito_core::id::Key;
use taskito_core::job::JobRow;
use taskito_core::state::State;

use crate::support::{Hunger, job, job_with};
use crate::world::{NOBODY, World};

contract![
    a_pending_job_is_cancelled_at_once,
    a_scheduled_job_is_cancelled_at_once,
    a_cancelled_job_never_runs,
    a_job_that_waits_again_can_be_cancelled,
    cancelling_is_refused_for_running_and_finished_jobs,
    a_job_that_does_not_exist_is_not_cancelled,
];

fn a_pending_job_is_cancelled_at_once(world: &World) {
    let key = world.insert(job("a"));
    assert_cancels(world, key);
}

fn a_scheduled_job_is_cancelled_at_once(world: &World) {
    let key = world.insert(job_with("a", |spec| spec.delay = Duration::from_secs(9)));
    assert_cancels(world, key);
}

fn assert_cancels(world: &World, key: Key) {
    let before = world.row(key);
    world.advance(300);
    assert!(world.cancel(key));
    assert_eq!(
        world.row(key),
        JobRow {
            state: State::Cancelled,
            finished_at: Some(world.now()),
            ..before
        }
    );
    assert_eq!(world.row(key).error, None);
    assert_eq!(world.attempts(key), []);
    assert_eq!(world.letters(), []);
}

fn a_cancelled_job_never_runs(world: &World) {
    let pending = world.insert(job("a"));
    let scheduled = world.insert(job_with("a", |spec| spec.delay = Duration::from_secs(9)));
    assert!(world.cancel(pending));
    assert!(world.cancel(scheduled));
    world.advance(60_000);
    assert_eq!(world.promote(10), 0);
    assert_eq!(world.claimed(Hunger::endless()), []);
}

fn a_job_that_waits_again_can_be_cancelled(world: &World) {
    for state in [State::Scheduled, State::Pending] {
        let token = world.job_that_is(state);
        assert!(world.cancel(token.key));
        assert_eq!(world.row(token.key).fence, token.fence);
    }
}

fn cancelling_is_refused_for_running_and_finished_jobs(world: &World) {
    for state in [
        State::Running,
        State::Complete,
        State::Dead,
        State::Cancelled,
    ] {
        let token = world.job_that_is(state);
        world.advance(300);
        let before = world.sight();
        assert!(!world.cancel(token.key), "{}", state.name());
        assert_eq!(world.sight(), before, "{}", state.name());
    }
}

fn a_job_that_does_not_exist_is_not_cancelled(world: &World) {
    assert!(!world.cancel(NOBODY));
}
