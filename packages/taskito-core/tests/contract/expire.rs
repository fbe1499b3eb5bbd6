//! blocked, scheduled, pending -> cancelled, because it is too late to start.

use std::time::Duration;

use taskito_core::id::Key;
use taskito_core::job::{JobRow, NewJob};
use taskito_core::state::State;
use taskito_core::store::EXPIRED;

use crate::support::{Hunger, after, job, job_with};
use crate::world::{World, assert_applied};

contract![
    a_job_expires_at_the_very_millisecond_and_says_why,
    a_scheduled_job_expires_before_it_is_due,
    a_job_that_waits_for_its_next_attempt_expires,
    a_job_that_waits_for_another_expires,
    an_expired_job_takes_its_dependents_along,
    a_job_that_expires_at_its_claim_takes_its_dependents_along,
    a_running_job_does_not_expire,
    a_job_without_an_expiry_never_expires,
    the_longest_over_come_first_and_the_limit_holds,
    an_expired_job_frees_its_unique_key,
    a_claim_never_takes_an_expired_job,
    expired_jobs_hide_no_other_from_a_claim,
    an_expired_job_costs_a_claim_no_appetite,
    a_lost_job_that_expired_is_not_taken,
];

fn expiring(task: &str, millis: u64) -> NewJob {
    job_with(task, |spec| {
        spec.expires = Some(Duration::from_millis(millis));
    })
}

fn assert_expired(world: &World, key: Key) {
    let row = world.row(key);
    assert_eq!(row.state, State::Cancelled);
    assert_eq!(row.error.as_deref(), Some(EXPIRED));
    assert_eq!(row.finished_at, Some(world.now()));
}

fn a_job_expires_at_the_very_millisecond_and_says_why(world: &World) {
    let key = world.insert(expiring("a", 1000));
    let before = world.row(key);
    world.advance(999);
    assert_eq!(world.expire(10), 0);
    assert_eq!(world.row(key), before);
    world.advance(1);
    assert_eq!(world.expire(10), 1);
    assert_eq!(
        world.row(key),
        JobRow {
            state: State::Cancelled,
            finished_at: Some(world.now()),
            error: Some(EXPIRED.into()),
            ..before
        }
    );
    assert_eq!(world.expire(10), 0);
}

fn a_scheduled_job_expires_before_it_is_due(world: &World) {
    let key = world.insert(job_with("a", |spec| {
        spec.delay = Duration::from_secs(60);
        spec.expires = Some(Duration::from_secs(1));
    }));
    world.advance(1000);
    assert_eq!(world.expire(10), 1);
    assert_expired(world, key);
}

fn a_job_that_waits_for_its_next_attempt_expires(world: &World) {
    let token = world.running(expiring("a", 1000));
    assert_applied(world.retry(token, "e", world.later(500)));
    world.advance(1000);
    assert_eq!(world.expire(10), 1);
    assert_expired(world, token.key);
}

fn a_job_that_waits_for_another_expires(world: &World) {
    let parent = world.running(job("a"));
    let mut child = expiring("b", 500);
    child.links = after("b", &[parent.key]).links;
    let child = world.insert(child);
    let last = world.insert(after("c", &[child]));
    world.advance(500);
    assert_eq!(world.expire(9), 1);
    assert_expired(world, child);
    assert_taken_along(world, last, child);
    assert_applied(world.complete(parent, b"r"));
    assert_eq!(world.claimed(Hunger::endless()), []);
}

fn an_expired_job_takes_its_dependents_along(world: &World) {
    let parent = world.insert(expiring("a", 500));
    let mut child = expiring("b", 500);
    child.links = after("b", &[parent]).links;
    let child = world.insert(child);
    let other = world.insert(expiring("c", 500));
    world.advance(500);
    assert_eq!(world.expire(2), 2, "what was taken along is not counted");
    assert_expired(world, parent);
    assert_taken_along(world, child, parent);
    assert_expired(world, other);
}

fn a_job_that_expires_at_its_claim_takes_its_dependents_along(world: &World) {
    let parent = world.insert(expiring("a", 500));
    let child = world.insert(after("b", &[parent]));
    world.advance(500);
    assert_eq!(world.claimed(Hunger::endless()), []);
    assert_expired(world, parent);
    assert_taken_along(world, child, parent);
}

fn assert_taken_along(world: &World, job: Key, root: Key) {
    let row = world.row(job);
    assert_eq!(row.state, State::Cancelled);
    let error = format!("dependency cancelled: {}", world.text(root));
    assert_eq!(row.error, Some(error));
}

fn a_running_job_does_not_expire(world: &World) {
    let token = world.running(expiring("a", 1000));
    world.advance(5000);
    assert_eq!(world.expire(10), 0);
    assert_applied(world.complete(token, b"r"));
}

fn a_job_without_an_expiry_never_expires(world: &World) {
    let key = world.insert(job("a"));
    world.advance(1_000_000_000);
    assert_eq!(world.expire(10), 0);
    assert_eq!(world.claimed(Hunger::endless()), [key]);
}

fn the_longest_over_come_first_and_the_limit_holds(world: &World) {
    let [late, first, second] = [900, 100, 200].map(|millis| world.insert(expiring("a", millis)));
    world.advance(1000);
    assert_eq!(world.expire(0), 0);
    assert_eq!(world.expire(2), 2);
    assert_expired(world, first);
    assert_expired(world, second);
    assert_eq!(world.state(late), State::Pending);
    assert_eq!(world.expire(2), 1);
}

fn an_expired_job_frees_its_unique_key(world: &World) {
    let holder = || {
        job_with("a", |spec| {
            spec.unique_key = Some("k".into());
            spec.expires = Some(Duration::ZERO);
        })
    };
    let first = world.insert(holder());
    assert_eq!(world.expire(10), 1);
    assert_ne!(world.insert(holder()), first);
}

fn a_claim_never_takes_an_expired_job(world: &World) {
    let never = world.insert(expiring("a", 0));
    let late = world.insert(expiring("a", 1000));
    let last_moment = world.insert(expiring("a", 1001));
    world.advance(1000);
    assert_eq!(world.claimed(Hunger::endless()), [last_moment]);
    assert_expired(world, never);
    assert_expired(world, late);
    assert_eq!(world.row(late).fence.0, 0);
}

fn expired_jobs_hide_no_other_from_a_claim(world: &World) {
    // More than a claim looks at in one go.
    let late: Vec<NewJob> = (0..200).map(|_| expiring("a", 0)).collect();
    world.insert_all(&late);
    let [same_lane, other_lane] = ["a", "b"].map(|task| world.insert(job(task)));
    assert_eq!(world.claimed(Hunger::endless()), [same_lane, other_lane]);
}

fn an_expired_job_costs_a_claim_no_appetite(world: &World) {
    world.insert(expiring("a", 0));
    let key = world.insert(job("a"));
    assert_eq!(world.claimed(Hunger::of(1)), [key]);
}

fn a_lost_job_that_expired_is_not_taken(world: &World) {
    let token = world.running(expiring("a", 1000));
    assert_applied(world.lose(token, "e"));
    world.advance(1000);
    let mut hunger = Hunger::endless();
    assert!(world.claim(&mut hunger).is_empty());
    assert_eq!(hunger.suspects_taken, 0);
    assert_expired(world, token.key);
}
