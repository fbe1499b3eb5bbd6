//! Coroutines beside threads.

use std::os::fd::RawFd;
use std::time::Duration;

use taskito_core::engine::{Arrow, Engine};
use taskito_core::job::{Claim, JobSpec};
use taskito_core::os::{Waited, wait_readable};
use taskito_core::outcome::Outcome;
use taskito_core::state::State;

use crate::world::{LONG, World, cancelled, done, leave, overdue, settled, take, task, until};

fn coroutine() -> JobSpec {
    JobSpec::new("async")
}

/// Waits for the bell, as an event loop does, and takes what it announces.
fn listen(engine: &Engine, bell: RawFd) -> Vec<Claim> {
    assert_eq!(wait_readable(&[bell], LONG), Waited::Woken);
    engine.next_coroutines().unwrap()
}

fn is_silent(bell: RawFd) -> bool {
    wait_readable(&[bell], Duration::ZERO) == Waited::TimedOut
}

#[test]
fn coroutines_take_no_thread() {
    let world = World::new();
    let engine = world.async_worker(2);
    let bell = engine.loop_bell().unwrap();
    engine.start().unwrap();
    let plain = world.enqueue(task());
    let thread = take(&engine);
    assert_eq!(thread.token.key, plain);
    let job = world.enqueue(coroutine());
    let claims = listen(&engine, bell);
    assert_eq!(claims[0].token.key, job);
    assert!(engine.settle(claims[0].token, done()));
    world.reaches(job, State::Complete);
    engine.settle(thread.token, done());
}

#[test]
fn a_pool_without_room_holds_back_nothing_of_the_other() {
    let world = World::new();
    let engine = world.async_worker(1);
    let bell = engine.loop_bell().unwrap();
    // At the head of the queue, where a thread is free for the first alone.
    for _ in 0..3 {
        world.enqueue(JobSpec {
            priority: 9,
            ..task()
        });
    }
    let first = world.enqueue(coroutine());
    engine.start().unwrap();
    let claim = listen(&engine, bell).remove(0);
    assert_eq!(claim.token.key, first);
    engine.settle(claim.token, done());
    let second = world.enqueue(coroutine());
    assert_eq!(listen(&engine, bell)[0].token.key, second);
}

#[test]
fn no_more_run_at_once_than_may() {
    let world = World::new();
    let engine = world.async_worker(2);
    let bell = engine.loop_bell().unwrap();
    engine.start().unwrap();
    let jobs: Vec<_> = (0..5).map(|_| world.enqueue(coroutine())).collect();
    let mut running = Vec::new();
    while running.len() < 2 {
        running.extend(listen(&engine, bell));
    }
    assert_eq!(engine.next_coroutines().unwrap().len(), 0);
    assert!(is_silent(bell));
    let mut order = Vec::new();
    for _ in 0..5 {
        if running.is_empty() {
            running = listen(&engine, bell);
        }
        let claim = running.remove(0);
        order.push(claim.token.key);
        engine.settle(claim.token, done());
        running.extend(engine.next_coroutines().unwrap());
        assert!(running.len() <= 2);
    }
    assert_eq!(order, jobs);
}

#[test]
fn a_worker_claims_no_more_coroutines_than_it_can_run() {
    let world = World::new();
    let engine = world.async_worker(2);
    engine.start().unwrap();
    let jobs: Vec<_> = (0..5).map(|_| world.enqueue(coroutine())).collect();
    world.reaches(jobs[1], State::Running);
    let states: Vec<_> = jobs.iter().map(|job| world.job(*job).state).collect();
    assert_eq!(states[2..], [State::Pending; 3]);
}

#[test]
fn a_coroutine_over_its_timeout_keeps_its_slot_until_it_ends() {
    let world = World::new();
    let engine = world.async_worker(1);
    let bell = engine.loop_bell().unwrap();
    engine.start().unwrap();
    let late = world.enqueue(JobSpec {
        max_retries: 0,
        timeout: Duration::from_millis(20),
        ..coroutine()
    });
    let next = world.enqueue(coroutine());
    let token = listen(&engine, bell)[0].token;
    assert_eq!(overdue(&engine), token);
    assert!(engine.settle_overdue(token));
    assert_eq!(settled(&engine), (token, Arrow::Dead, 0));
    assert_eq!(world.job(late).state, State::Dead);
    assert_eq!(engine.next_coroutines().unwrap().len(), 0);
    assert_eq!(engine.abandoned(), 0, "no thread is lost");
    assert!(!engine.settle(token, Outcome::cancelled_by_request()));
    assert_eq!(listen(&engine, bell)[0].token.key, next);
}

#[test]
fn a_coroutine_that_never_ends_frees_its_slot_after_a_while() {
    let world = World::new();
    let engine = world.async_worker(1);
    let bell = engine.loop_bell().unwrap();
    engine.start().unwrap();
    world.enqueue(JobSpec {
        max_retries: 0,
        timeout: Duration::from_millis(20),
        ..coroutine()
    });
    let token = listen(&engine, bell)[0].token;
    let next = world.enqueue(coroutine());
    overdue(&engine);
    engine.settle_overdue(token);
    assert_eq!(listen(&engine, bell)[0].token.key, next);
    assert!(!engine.settle(token, done()));
}

#[test]
fn a_drain_that_is_over_cancels_coroutines_and_hands_them_back() {
    let world = World::new();
    let engine = world.async_worker(1);
    let bell = engine.loop_bell().unwrap();
    engine.start().unwrap();
    let job = world.enqueue(coroutine());
    let token = listen(&engine, bell)[0].token;
    leave(&engine);
    assert_eq!(cancelled(&engine), token);
    assert!(engine.is_cancelled(token));
    assert_eq!(world.job(job).state, State::Pending);
    assert_eq!(wait_readable(&[bell], LONG), Waited::Woken);
    assert!(engine.next_coroutines().is_none());
}

#[test]
fn jobs_claimed_before_the_loop_listens_are_announced() {
    let world = World::new();
    let engine = world.async_worker(1);
    engine.start().unwrap();
    let job = world.enqueue(coroutine());
    world.reaches(job, State::Running);
    let bell = engine.loop_bell().unwrap();
    until(|| !is_silent(bell));
    assert_eq!(listen(&engine, bell)[0].token.key, job);
    assert!(is_silent(bell));
}

#[test]
fn brief_ones_wait_in_memory_behind_each_other() {
    let world = World::new();
    let engine = world.async_worker(2);
    let bell = engine.loop_bell().unwrap();
    engine.start().unwrap();
    let known = world.enqueue(coroutine());
    engine.settle(listen(&engine, bell)[0].token, done());
    world.reaches(known, State::Complete);
    let jobs: Vec<_> = (0..6).map(|_| world.enqueue(coroutine())).collect();
    for job in &jobs {
        world.reaches(*job, State::Running);
    }
    assert!(engine.next_coroutines().unwrap().len() <= 2);
}
