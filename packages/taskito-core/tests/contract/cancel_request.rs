//! A running job is to be cancelled: what follows, and from where.

use taskito_core::job::{JobRow, Mishap, Token};
use taskito_core::outcome::CANCELLED_BY_REQUEST;
use taskito_core::state::State;
use taskito_core::store::Verdict;

use crate::support::{after, job};
use crate::world::{CLAIMED, NOBODY, World, assert_applied};

contract![
    only_a_running_job_can_be_asked_to_stop,
    a_request_leaves_the_job_to_its_worker,
    a_second_request_changes_nothing,
    a_job_to_be_cancelled_is_not_retried,
    a_job_to_be_cancelled_is_not_snoozed,
    a_job_to_be_cancelled_is_not_lost,
    a_job_to_be_cancelled_is_not_handed_back,
    a_job_to_be_cancelled_takes_its_dependents_along,
    a_job_to_be_cancelled_may_complete_all_the_same,
    a_job_to_be_cancelled_may_die_all_the_same,
    a_stale_claim_does_not_cancel_for_the_new_one,
];

/// A running job whose cancellation was requested.
fn to_be_cancelled(world: &World) -> Token {
    let token = world.running(job("a"));
    assert!(world.cancel_request(token.key));
    world.advance(300);
    token
}

#[track_caller]
fn assert_cancelled(world: &World, token: Token, verdict: Verdict) {
    assert_eq!(verdict, Verdict::Cancelled);
    let row = world.row(token.key);
    assert_eq!(row.state, State::Cancelled);
    assert_eq!(row.error.as_deref(), Some(CANCELLED_BY_REQUEST));
    assert_eq!(row.finished_at, Some(world.now()));
    assert_eq!((row.retry_count, row.losses, row.owner), (0, 0, None));
    let stats = world.store().stats().unwrap();
    assert_eq!((stats.pending, stats.running, stats.cancelled), (0, 0, 1));
}

fn only_a_running_job_can_be_asked_to_stop(world: &World) {
    for state in CLAIMED {
        let token = world.job_that_is(state);
        let asked = state == State::Running;
        assert_eq!(world.cancel_request(token.key), asked, "{state:?}");
        assert_eq!(world.row(token.key).cancel_requested, asked, "{state:?}");
        world.cancel(token.key);
    }
    assert!(!world.cancel_request(NOBODY));
}

fn a_request_leaves_the_job_to_its_worker(world: &World) {
    let token = world.running(job("a"));
    let running = world.row(token.key);
    assert!(!world.held(world.worker())[0].cancel_requested);
    assert!(world.cancel_request(token.key));
    assert_eq!(
        world.row(token.key),
        JobRow {
            cancel_requested: true,
            ..running
        }
    );
    assert!(world.held(world.worker())[0].cancel_requested);
    let holdings = world.store().holdings(world.worker()).unwrap();
    assert_eq!(holdings, world.held(world.worker()));
}

fn a_second_request_changes_nothing(world: &World) {
    let token = to_be_cancelled(world);
    let before = world.sight();
    assert!(world.cancel_request(token.key));
    assert_eq!(world.sight(), before);
}

fn a_job_to_be_cancelled_is_not_retried(world: &World) {
    let token = to_be_cancelled(world);
    let verdict = world.retry(token, "boom", world.later(1));
    assert_cancelled(world, token, verdict);
    let attempts = world.attempts(token.key);
    assert_eq!((attempts.len(), &*attempts[0].error), (1, "boom"));
}

fn a_job_to_be_cancelled_is_not_snoozed(world: &World) {
    let token = to_be_cancelled(world);
    let verdict = world.snooze(token, world.later(1));
    assert_cancelled(world, token, verdict);
    assert_eq!(world.attempts(token.key), []);
}

fn a_job_to_be_cancelled_is_not_lost(world: &World) {
    let token = to_be_cancelled(world);
    let verdict = world.lose(token, "lost");
    assert_cancelled(world, token, verdict);
    let attempts = world.attempts(token.key);
    assert_eq!((attempts.len(), attempts[0].mishap), (1, Mishap::Lost));
}

fn a_job_to_be_cancelled_is_not_handed_back(world: &World) {
    let token = to_be_cancelled(world);
    let verdict = world.hand_back(token);
    assert_cancelled(world, token, verdict);
    assert_eq!(world.attempts(token.key), []);
}

fn a_job_to_be_cancelled_takes_its_dependents_along(world: &World) {
    let token = to_be_cancelled(world);
    let child = world.insert(after("child", &[token.key]));
    assert_eq!(world.hand_back(token), Verdict::Cancelled);
    assert_eq!(world.state(child), State::Cancelled);
}

fn a_job_to_be_cancelled_may_complete_all_the_same(world: &World) {
    let token = to_be_cancelled(world);
    assert_applied(world.complete(token, b"r"));
    assert_eq!(world.state(token.key), State::Complete);
}

fn a_job_to_be_cancelled_may_die_all_the_same(world: &World) {
    let token = to_be_cancelled(world);
    assert_applied(world.bury(token, "boom"));
    assert_eq!(world.state(token.key), State::Dead);
}

fn a_stale_claim_does_not_cancel_for_the_new_one(world: &World) {
    let stale = world.running(job("a"));
    assert_applied(world.hand_back(stale));
    let heir = world.take().token;
    assert!(world.cancel_request(heir.key));
    let before = world.sight();
    for verdict in [
        world.retry(stale, "e", world.now()),
        world.snooze(stale, world.now()),
        world.lose(stale, "e"),
        world.hand_back(stale),
    ] {
        assert_eq!(verdict, Verdict::Stale);
    }
    assert_eq!(world.sight(), before);
}
