//! Waits that are elapsed time, when the clock was set.

use std::time::Duration;

use taskito_core::id::Key;
use taskito_core::store::NotedClock;

use crate::support::{job, job_with};
use crate::world::{World, assert_applied};

contract![
    the_clock_is_unknown_until_it_is_noted,
    retries_and_snoozes_move_with_the_clock,
    delays_and_what_does_not_wait_stay,
    a_wait_that_another_clock_told_is_no_longer_than_it_should_be,
    a_wait_within_the_slack_is_left_alone,
];

const SLACK: Duration = Duration::from_millis(250);

fn shift(world: &World, step: i64) -> u32 {
    world.write(|t| t.shift_waits(step))
}

fn shorten(world: &World) -> u32 {
    world.write(|t| t.shorten_waits(world.now(), SLACK))
}

fn is_overlong(world: &World) -> bool {
    world.store().overlong_wait(world.now(), SLACK).unwrap()
}

/// A retry and a snooze, due in 10 s and 20 s.
fn waiting(world: &World) -> [Key; 2] {
    let retried = world.running(job("a"));
    assert_applied(world.retry(retried, "boom", world.later(10_000)));
    let snoozed = world.running(job("a"));
    assert_applied(world.snooze(snoozed, world.later(20_000)));
    [retried.key, snoozed.key]
}

/// What no step of the clock concerns.
fn others(world: &World) -> Vec<Key> {
    let promoted = world.running(job("a"));
    assert_applied(world.retry(promoted, "boom", world.now()));
    world.promote(1);
    let running = world.take();
    assert_applied(world.retry(running.token, "boom", world.now()));
    world.promote(1);
    world.take();
    let delayed = job_with("a", |spec| spec.delay = Duration::from_secs(60));
    vec![promoted.key, world.insert(job("b")), world.insert(delayed)]
}

fn due(world: &World, jobs: &[Key]) -> Vec<i64> {
    let now = world.now();
    let until = |job: &Key| world.row(*job).run_at.0 - now.0;
    jobs.iter().map(until).collect()
}

fn the_clock_is_unknown_until_it_is_noted(world: &World) {
    assert_eq!(world.write(|t| t.noted_clock()), None);
    for offset in [1_795_000_000_000, -5] {
        let clock = NotedClock {
            boot: "a boot".into(),
            offset,
        };
        world.write(|t| t.note_clock(&clock));
        assert_eq!(world.write(|t| t.noted_clock()), Some(clock));
    }
}

fn retries_and_snoozes_move_with_the_clock(world: &World) {
    let jobs = waiting(world);
    assert_eq!(shift(world, 3_600_000), 2);
    assert_eq!(due(world, &jobs), [3_610_000, 3_620_000]);
    assert_eq!(shift(world, -3_600_000), 2);
    assert_eq!(due(world, &jobs), [10_000, 20_000]);
    assert_eq!(world.store().next_due().unwrap(), Some(world.later(10_000)));
}

fn delays_and_what_does_not_wait_stay(world: &World) {
    let jobs = others(world);
    let before = due(world, &jobs);
    assert_eq!(shift(world, 3_600_000), 0);
    world.advance(-100_000);
    assert_eq!(shorten(world), 0);
    world.advance(100_000);
    assert_eq!(due(world, &jobs), before);
}

fn a_wait_that_another_clock_told_is_no_longer_than_it_should_be(world: &World) {
    world.advance(3_600_000);
    let jobs = waiting(world);
    assert!(!is_overlong(world));
    world.advance(-3_600_000);
    assert!(is_overlong(world));
    assert_eq!(shorten(world), 2);
    assert_eq!(due(world, &jobs), [10_000, 20_000]);
    assert!(!is_overlong(world));
    assert_eq!(shorten(world), 0);
}

fn a_wait_within_the_slack_is_left_alone(world: &World) {
    let jobs = waiting(world);
    world.advance(-250);
    assert!(!is_overlong(world));
    assert_eq!(shorten(world), 0);
    world.advance(-1);
    assert!(is_overlong(world));
    assert_eq!(shorten(world), 2);
    assert_eq!(due(world, &jobs), [10_000, 20_000]);
}
