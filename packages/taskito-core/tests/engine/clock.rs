//! The clock of the machine is set while jobs wait.

use std::sync::Arc;
use std::time::Duration;

use taskito_core::clock::{Clock, ManualClock, Millis, SystemClock};
use taskito_core::engine::Engine;
use taskito_core::id::Key;
use taskito_core::job::JobSpec;
use taskito_core::outcome::Outcome;
use taskito_core::retry::RetryPolicy;
use taskito_core::state::State;

use crate::world::{World, done, leave, take, task, until};

const HOUR: i64 = 3_600_000;

/// A world with a clock that can be set.
fn world_with_clock() -> (World, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::at(SystemClock.now()));
    let mut world = World::new();
    world.site.clock = Arc::clone(&clock) as Arc<dyn Clock>;
    (world, clock)
}

/// A job that waits for an hour since its first attempt.
fn retried(world: &World, engine: &Engine) -> Key {
    let job = world.enqueue(task());
    let claim = take(engine);
    let outcome = Outcome::Failed {
        error: "boom".into(),
        retryable: true,
        delay: Some(Duration::from_secs(3600)),
        cause: None,
    };
    engine.settle(claim.token, outcome);
    world.reaches(job, State::Scheduled);
    job
}

fn started(world: &World) -> Engine {
    let engine = world.worker(1);
    engine.start().unwrap();
    engine
}

#[test]
fn a_step_forward_does_not_end_a_wait() {
    let (world, clock) = world_with_clock();
    let engine = started(&world);
    let job = retried(&world, &engine);
    let due = world.job(job).run_at;
    clock.step(2 * HOUR);
    until(|| world.job(job).run_at == Millis(due.0 + 2 * HOUR));
    assert_eq!(world.job(job).state, State::Scheduled);
    clock.advance(Duration::from_secs(3600));
    assert_eq!(take(&engine).token.key, job);
}

#[test]
fn a_step_back_does_not_prolong_a_wait() {
    let (world, clock) = world_with_clock();
    let engine = started(&world);
    let job = retried(&world, &engine);
    let due = world.job(job).run_at;
    clock.advance(Duration::from_secs(1800));
    clock.step(-10 * HOUR);
    until(|| world.job(job).run_at == Millis(due.0 - 10 * HOUR));
    clock.advance(Duration::from_secs(1800));
    assert_eq!(take(&engine).token.key, job);
}

#[test]
fn of_two_workers_one_moves_the_waits() {
    let (world, clock) = world_with_clock();
    let first = started(&world);
    let job = retried(&world, &first);
    let due = world.job(job).run_at;
    first.register("first", RetryPolicy::default());
    let second = world.worker(1);
    second.register("second", RetryPolicy::default());
    second.start().unwrap();
    clock.step(-2 * HOUR);
    let moved = Millis(due.0 - 2 * HOUR);
    until(|| world.job(job).run_at == moved);
    // Whoever commits has looked at the clock.
    for (name, engine) in [("first", &first), ("second", &second)] {
        let other = world.enqueue(JobSpec::new(name));
        engine.settle(take(engine).token, done());
        world.reaches(other, State::Complete);
    }
    assert_eq!(world.job(job).run_at, moved);
}

#[test]
fn a_step_while_no_worker_lived_is_noticed_by_the_next() {
    let (world, clock) = world_with_clock();
    let engine = started(&world);
    let job = retried(&world, &engine);
    let due = world.job(job).run_at;
    leave(&engine);
    clock.step(2 * HOUR);
    let _next = started(&world);
    assert_eq!(world.job(job).run_at, Millis(due.0 + 2 * HOUR));
    assert_eq!(world.job(job).state, State::Scheduled);
}

#[test]
fn a_worker_with_another_clock_is_no_step() {
    let (world, clock) = world_with_clock();
    let engine = started(&world);
    let job = retried(&world, &engine);
    let due = world.job(job).run_at;
    let mut elsewhere = World::new();
    let slow = ManualClock::at(Millis(clock.now().0 - HOUR));
    elsewhere.site.clock = Arc::new(slow);
    elsewhere.site.store = Arc::clone(&world.site.store);
    elsewhere.site.path.clone_from(&world.site.path);
    elsewhere.site.gate = Arc::clone(&world.site.gate);
    let other = elsewhere.worker(1);
    other.start().unwrap();
    // It sees a wait of two hours that was meant to be one, by its own clock.
    until(|| world.job(job).run_at == Millis(due.0 - HOUR));
    leave(&other);
    leave(&engine);
}

#[test]
fn a_delay_follows_the_clock() {
    let (world, clock) = world_with_clock();
    let engine = started(&world);
    let delayed = world.enqueue(JobSpec {
        delay: Duration::from_secs(3600),
        ..task()
    });
    clock.step(HOUR + 2000);
    assert_eq!(take(&engine).token.key, delayed);
}
