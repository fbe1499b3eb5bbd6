//! Attempts that run over their timeout.

use std::time::{Duration, Instant};

use taskito_core::engine::{Arrow, Event, Next};
use taskito_core::job::JobSpec;
use taskito_core::retry::RetryPolicy;
use taskito_core::state::State;
use taskito_core::store::Inspect;

use crate::world::{World, done, event, leave, overdue, settled, take, task, until};

#[test]
fn an_attempt_over_its_timeout_fails_and_its_thread_is_replaced() {
    let world = World::new();
    let engine = world.worker(1);
    engine.start().unwrap();
    let late = world.enqueue(JobSpec {
        max_retries: 0,
        timeout: Duration::from_millis(20),
        ..task()
    });
    let stuck = take(&engine);
    let hired = event(&engine, |event| match event {
        Event::Hire(count) => Some(count),
        _ => None,
    });
    assert_eq!(hired, 1);
    world.reaches(late, State::Dead);
    assert!(
        world
            .job(late)
            .error
            .unwrap()
            .starts_with("TaskTimeoutError: ")
    );
    assert_eq!(engine.abandoned(), 1);
    let next = world.enqueue(task());
    let claim = take(&engine);
    assert_eq!(claim.token.key, next);
    engine.settle(claim.token, done());
    engine.settle(stuck.token, done());
    world.reaches(next, State::Complete);
    assert_eq!(
        (engine.abandoned(), world.job(late).state),
        (0, State::Dead)
    );
}

#[test]
fn a_thread_that_comes_back_after_its_timeout_makes_one_too_many() {
    let world = World::new();
    let engine = world.worker(1);
    engine.start().unwrap();
    world.enqueue(JobSpec {
        timeout: Duration::from_millis(20),
        ..task()
    });
    let stuck = take(&engine);
    assert_eq!(overdue(&engine), stuck.token);
    engine.settle(stuck.token, done());
    assert!(engine.next().is_none(), "one thread is to leave");
    assert!(
        matches!(engine.try_next(), Next::Nothing | Next::Job(_)),
        "the other stays"
    );
}

#[test]
fn a_timeout_is_retried_only_if_the_task_wants_it() {
    let world = World::new();
    let engine = world.worker(1);
    let refuses = RetryPolicy {
        retries_timeouts: false,
        ..RetryPolicy::default()
    };
    engine.register("task", refuses);
    engine.start().unwrap();
    let late = world.enqueue(JobSpec {
        timeout: Duration::from_millis(20),
        ..task()
    });
    let _stuck = take(&engine);
    world.reaches(late, State::Dead);
    assert_eq!(world.job(late).retry_count, 0);
}

#[test]
fn a_timeout_is_settled_when_it_is_answered_and_then_told() {
    let world = World::new();
    let engine = world.worker(1);
    engine.register(
        "task",
        RetryPolicy {
            backoff: Duration::from_secs(60),
            ..RetryPolicy::default()
        },
    );
    engine.start().unwrap();
    let late = world.enqueue(JobSpec {
        timeout: Duration::from_millis(20),
        ..task()
    });
    let stuck = take(&engine);
    assert_eq!(overdue(&engine), stuck.token);
    assert!(engine.is_cancelled(stuck.token));
    assert!(!engine.settle(stuck.token, done()), "it came too late");
    assert_eq!(world.job(late).state, State::Running);
    assert!(engine.settle_overdue(stuck.token));
    assert_eq!(settled(&engine), (stuck.token, Arrow::Retry, 1));
    assert_eq!(world.job(late).retry_count, 1);
    assert!(!engine.settle_overdue(stuck.token));
}

#[test]
fn a_timeout_that_nobody_answers_is_settled_and_told_all_the_same() {
    let world = World::new();
    let engine = world.worker(1);
    engine.start().unwrap();
    let late = world.enqueue(JobSpec {
        max_retries: 0,
        timeout: Duration::from_millis(20),
        ..task()
    });
    let stuck = take(&engine);
    assert_eq!(overdue(&engine), stuck.token);
    assert_eq!(settled(&engine), (stuck.token, Arrow::Dead, 0));
    assert_eq!(world.job(late).state, State::Dead);
    assert!(!engine.settle_overdue(stuck.token));
}

#[test]
fn a_drain_that_is_over_times_out_what_was_overdue() {
    let world = World::new();
    let engine = world.worker(1);
    engine.start().unwrap();
    let late = world.enqueue(JobSpec {
        timeout: Duration::from_millis(20),
        ..task()
    });
    take(&engine);
    overdue(&engine);
    leave(&engine);
    assert_eq!(world.store.attempts(late).unwrap().len(), 1);
    assert_eq!(world.job(late).retry_count, 1);
}

#[test]
fn a_short_timeout_is_noticed_by_a_dispatcher_that_sleeps() {
    let notice = || {
        let world = World::new();
        let engine = world.worker(1);
        engine.start().unwrap();
        let job = world.enqueue(JobSpec {
            timeout: Duration::from_millis(20),
            ..task()
        });
        world.reaches(job, State::Running);
        until(|| world.site.gate.work().has_sleepers());
        let begin = Instant::now();
        take(&engine);
        overdue(&engine);
        begin.elapsed()
    };
    // One that slept on would do so each time.
    assert!((0..10).any(|_| notice() < Duration::from_millis(500)));
}

#[test]
fn a_thread_that_is_back_before_another_was_started_needs_none() {
    let world = World::new();
    let engine = world.worker(1);
    engine.start().unwrap();
    world.enqueue(JobSpec {
        timeout: Duration::from_millis(20),
        max_retries: 0,
        ..task()
    });
    let stuck = take(&engine);
    until(|| !engine.is_current(stuck.token));
    assert!(!engine.settle(stuck.token, done()));
    let mut hired = false;
    event(&engine, |event| {
        hired |= matches!(event, Event::Hire(_));
        matches!(event, Event::Settled { .. }).then_some(())
    });
    assert!(!hired, "the thread is back");
    let next = world.enqueue(task());
    assert_eq!(take(&engine).token.key, next);
}
