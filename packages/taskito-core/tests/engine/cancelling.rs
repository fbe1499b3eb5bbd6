//! Running jobs that are to be cancelled, and attempts that count no more.

use taskito_core::engine::{Arrow, Engine, Next, reap_the_dead};
use taskito_core::id::Key;
use taskito_core::job::JobSpec;
use taskito_core::outcome::Outcome;
use taskito_core::state::State;
use taskito_core::store::{JobStore, Sync};

use crate::world::{World, cancelled, done, failed, leave, settled, take, task, until};

/// What an operator does.
fn request_cancel(world: &World, job: Key) {
    let mut running = false;
    world
        .store
        .write(Sync::Relaxed, &mut |transaction| {
            running = transaction.cancel_request(job)?;
            Ok(())
        })
        .unwrap();
    assert!(running);
}

fn assert_cancelled(world: &World, job: Key) {
    world.reaches(job, State::Cancelled);
    assert_eq!(
        world.job(job).error.as_deref(),
        Some("cancelled by request")
    );
}

#[test]
fn a_running_attempt_learns_of_the_request() {
    let world = World::new();
    let engine = world.worker(1);
    engine.start().unwrap();
    let job = world.enqueue(task());
    let claim = take(&engine);
    assert!(!engine.is_cancelled(claim.token));
    request_cancel(&world, job);
    assert_eq!(cancelled(&engine), claim.token);
    assert!(engine.is_cancelled(claim.token));
    assert!(engine.settle_and_tell(claim.token, Outcome::cancelled_by_request()));
    assert_eq!(settled(&engine), (claim.token, Arrow::Cancelled, 0));
    assert_cancelled(&world, job);
}

#[test]
fn an_attempt_that_never_looks_completes() {
    let world = World::new();
    let engine = world.worker(1);
    engine.start().unwrap();
    let job = world.enqueue(task());
    let claim = take(&engine);
    request_cancel(&world, job);
    until(|| engine.is_cancelled(claim.token));
    engine.settle(claim.token, done());
    world.reaches(job, State::Complete);
}

#[test]
fn a_failure_after_the_request_is_not_retried() {
    let world = World::new();
    let engine = world.worker(1);
    engine.start().unwrap();
    let job = world.enqueue(task());
    let claim = take(&engine);
    request_cancel(&world, job);
    engine.settle_and_tell(claim.token, failed());
    assert_eq!(settled(&engine), (claim.token, Arrow::Cancelled, 0));
    assert_cancelled(&world, job);
}

#[test]
fn a_job_that_waits_in_memory_is_cancelled_without_a_start() {
    let world = World::new();
    let engine = world.worker(1);
    engine.start().unwrap();
    let job = world.enqueue(task());
    world.reaches(job, State::Running);
    request_cancel(&world, job);
    // From here on nothing that was claimed before may start.
    assert!(matches!(engine.try_next(), Next::Nothing));
    assert_cancelled(&world, job);
}

#[test]
fn a_drain_cancels_what_it_would_hand_back() {
    let world = World::new();
    let engine = world.worker(1);
    engine.start().unwrap();
    let job = world.enqueue(task());
    let _claim = take(&engine);
    request_cancel(&world, job);
    leave(&engine);
    assert_cancelled(&world, job);
}

#[test]
fn an_attempt_of_which_another_took_the_job_is_told() {
    let world = World::new();
    let engine = world.worker(1);
    engine.start().unwrap();
    let job = world.enqueue(task());
    let claim = take(&engine);
    // As a reaper does that takes this worker for dead.
    let token = claim.token;
    world
        .store
        .write(Sync::Relaxed, &mut |transaction| {
            transaction.hand_back(world.site.clock.now(), &[token])?;
            Ok(())
        })
        .unwrap();
    world.dead_worker(1);
    reap_the_dead(&world.site).unwrap();
    assert_eq!(cancelled(&engine), token);
    assert!(engine.settle_and_tell(token, done()));
    assert_eq!(settled(&engine), (token, Arrow::Stale, 0));
    assert_ne!(world.job(job).state, State::Complete);
}

#[test]
fn a_settled_attempt_is_cancelled_for_whoever_still_asks() {
    let world = World::new();
    let engine = world.worker(1);
    engine.start().unwrap();
    world.enqueue(task());
    let claim = take(&engine);
    assert!(engine.settle(claim.token, done()));
    assert!(engine.is_cancelled(claim.token));
    assert!(!engine.settle(claim.token, done()));
}

/// A worker with a coroutine that was cancelled and goes on.
fn stubborn(world: &World) -> (Engine, Key) {
    let engine = world.async_worker(1);
    engine.start().unwrap();
    let job = world.enqueue(JobSpec::new("async"));
    until(|| {
        engine
            .next_coroutines()
            .is_some_and(|found| !found.is_empty())
    });
    request_cancel(world, job);
    (engine, job)
}

#[test]
fn a_coroutine_that_does_not_end_is_cancelled_without_it() {
    let world = World::new();
    let (engine, job) = stubborn(&world);
    let token = cancelled(&engine);
    assert_eq!(world.job(job).state, State::Running);
    assert_eq!(settled(&engine), (token, Arrow::Cancelled, 0));
    assert_cancelled(&world, job);
    assert!(!engine.settle(token, done()));
    let next = world.enqueue(JobSpec::new("async"));
    until(|| {
        engine
            .next_coroutines()
            .is_some_and(|found| !found.is_empty())
    });
    assert_eq!(world.job(next).state, State::Running);
}
