//! scheduled -> pending, because somebody wants it now.

use std::time::Duration;

use taskito_core::job::{JobRow, NewJob};
use taskito_core::state::State;

use crate::support::{Hunger, after, job, job_with};
use crate::world::{CLAIMED, NOBODY, World, assert_applied};

contract![
    a_delayed_job_is_due_at_once,
    what_was_due_already_keeps_its_place,
    only_a_scheduled_job_can_be_run_now,
    a_blocked_job_waits_for_its_parents_all_the_same,
    a_retry_that_is_run_now_has_spent_what_it_had_spent,
    one_in_a_line_of_its_own_is_the_head_of_it,
];

fn a_delayed_job_is_due_at_once(world: &World) {
    let key = world.insert(job_with("a", |spec| spec.delay = Duration::from_secs(9)));
    let scheduled = world.row(key);
    world.advance(300);
    assert!(world.run_now(key));
    assert_eq!(
        world.row(key),
        JobRow {
            state: State::Pending,
            run_at: world.now(),
            ..scheduled
        }
    );
    assert_eq!(world.claimed(Hunger::endless()), [key]);
    world.advance(60_000);
    assert_eq!(world.promote(10), 0);
}

fn what_was_due_already_keeps_its_place(world: &World) {
    let key = world.insert(job_with("a", |spec| spec.delay = Duration::from_secs(1)));
    world.advance(1500);
    let later = world.insert(job("a"));
    world.advance(1500);
    assert!(world.run_now(key));
    assert_eq!(world.row(key).run_at, world.later(-2000));
    assert_eq!(world.claimed(Hunger::endless()), [key, later]);
}

fn only_a_scheduled_job_can_be_run_now(world: &World) {
    for state in CLAIMED {
        let token = world.job_that_is(state);
        let before = world.row(token.key);
        let hurried = state == State::Scheduled;
        assert_eq!(world.run_now(token.key), hurried, "{state:?}");
        assert_eq!(world.row(token.key) == before, !hurried, "{state:?}");
        world.cancel(token.key);
    }
    assert!(!world.run_now(NOBODY));
}

fn a_blocked_job_waits_for_its_parents_all_the_same(world: &World) {
    let parent = world.running(job("a"));
    let child = world.insert(NewJob {
        links: after("a", &[parent.key]).links,
        ..job_with("a", |spec| spec.delay = Duration::from_secs(1))
    });
    assert!(!world.run_now(child));
    assert_eq!(world.state(child), State::Blocked);
    assert_applied(world.complete(parent, b"r"));
    assert!(world.run_now(child));
}

fn a_retry_that_is_run_now_has_spent_what_it_had_spent(world: &World) {
    let token = world.running(job("a"));
    assert_applied(world.retry(token, "e", world.later(60_000)));
    assert!(world.run_now(token.key));
    let row = world.row(token.key);
    assert_eq!((row.retry_count, row.run_at), (1, world.now()));
    assert_eq!(world.take().token.key, token.key);
}

fn one_in_a_line_of_its_own_is_the_head_of_it(world: &World) {
    let delayed = |priority| {
        world.insert(job_with("a", |spec| {
            spec.limit_key = Some("k".into());
            spec.delay = Duration::from_secs(9);
            spec.priority = priority;
        }))
    };
    let [low, high] = [0, 5].map(delayed);
    assert!(world.run_now(low));
    assert!(world.run_now(high));
    assert_eq!(world.claimed(Hunger::endless()), [high, low]);
}
