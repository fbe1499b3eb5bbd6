//! What a worker claims, hands out, settles and leaves behind.

use std::sync::Arc;
use std::time::Duration;

use taskito_core::clock::{Clock, ManualClock, SystemClock};
use taskito_core::engine::{Engine, Next, Settings};
use taskito_core::job::JobSpec;
use taskito_core::os::Waited;
use taskito_core::retry::RetryPolicy;
use taskito_core::state::State;
use taskito_core::store::{EXPIRED, Inspect};

use crate::world::{LONG, World, done, failed, leave, take, task, until};

#[test]
fn a_claimed_job_that_expires_before_it_starts_is_not_run() {
    let mut world = World::new();
    let clock = Arc::new(ManualClock::at(SystemClock.now()));
    world.site.clock = Arc::clone(&clock) as Arc<dyn Clock>;
    let engine = world.worker(1);
    let job = world.enqueue(JobSpec {
        expires: Some(Duration::from_secs(60)),
        ..task()
    });
    engine.start().unwrap();
    world.reaches(job, State::Running);
    clock.advance(Duration::from_secs(61));
    // It may take a moment from the commit of the claim until the job lies on the desk.
    until(|| {
        assert!(matches!(engine.try_next(), Next::Nothing));
        world.job(job).state == State::Cancelled
    });
    assert_eq!(world.job(job).error.as_deref(), Some(EXPIRED));
    leave(&engine);
}

#[test]
fn a_job_runs_and_its_result_is_stored() {
    let world = World::new();
    let engine = world.worker(1);
    engine.start().unwrap();
    let job = world.enqueue(task());
    let claim = engine.next().unwrap();
    assert_eq!((claim.token.key, &*claim.payload), (job, &b"args"[..]));
    engine.settle(claim.token, done());
    world.reaches(job, State::Complete);
    assert_eq!(world.store.result(job).unwrap().unwrap(), b"result");
    leave(&engine);
    assert!(world.store.workers().unwrap().is_empty());
}

#[test]
fn a_failed_job_is_tried_again_when_its_wait_is_over_and_then_buried() {
    let world = World::new();
    let engine = world.worker(1);
    let at_once = RetryPolicy {
        backoff: Duration::from_millis(5),
        ..RetryPolicy::default()
    };
    engine.register("task", at_once);
    engine.start().unwrap();
    let job = world.enqueue(JobSpec {
        max_retries: 1,
        ..task()
    });
    for retries in [0, 1] {
        let claim = take(&engine);
        assert_eq!(claim.retry_count, retries);
        engine.settle(claim.token, failed());
    }
    world.reaches(job, State::Dead);
    assert_eq!(world.store.attempts(job).unwrap().len(), 2);
    assert_eq!(world.letters()[0].job, job);
}

#[test]
fn draining_hands_back_what_did_not_start_and_waits_for_what_did() {
    let world = World::new();
    let engine = world.worker(2);
    engine.start().unwrap();
    let started = world.enqueue(task());
    let claim = take(&engine);
    let waiting = world.enqueue(task());
    world.reaches(waiting, State::Running);
    engine.drain(LONG);
    world.reaches(waiting, State::Pending);
    assert!(engine.next().is_none());
    assert_eq!(world.job(started).state, State::Running);
    engine.settle(claim.token, done());
    assert_eq!(engine.join(LONG), Waited::Woken);
    assert_eq!(world.job(started).state, State::Complete);
    assert!(world.store.attempts(waiting).unwrap().is_empty());
}

#[test]
fn a_job_handed_back_while_it_runs_belongs_to_its_next_claim() {
    let world = World::new();
    let first = world.worker(1);
    first.start().unwrap();
    let job = world.enqueue(task());
    let stale = take(&first);
    leave(&first);
    assert_eq!(world.job(job).state, State::Pending);
    let second = world.worker(1);
    second.start().unwrap();
    let fresh = take(&second);
    first.settle(stale.token, failed());
    second.settle(stale.token, failed());
    assert!(fresh.token.fence > stale.token.fence);
    second.settle(fresh.token, done());
    world.reaches(job, State::Complete);
    assert!(world.store.attempts(job).unwrap().is_empty());
    assert_eq!(world.job(job).retry_count, 0);
}

#[test]
fn a_task_registered_later_is_claimed_at_once() {
    let world = World::new();
    let engine = world.worker(1);
    engine.start().unwrap();
    let job = world.enqueue(JobSpec::new("later"));
    engine.register("later", RetryPolicy::default());
    assert_eq!(take(&engine).token.key, job);
}

#[test]
fn a_worker_takes_only_the_queues_it_was_given() {
    let world = World::new();
    let engine = Engine::new(
        world.site.clone(),
        Settings {
            threads: 2,
            queues: vec!["mail".into()],
            ..Settings::default()
        },
    );
    engine.register("task", RetryPolicy::default());
    engine.start().unwrap();
    let other = world.enqueue(task());
    let mail = world.enqueue(JobSpec {
        queue: "mail".into(),
        ..task()
    });
    assert_eq!(take(&engine).token.key, mail);
    assert!(matches!(engine.try_next(), Next::Nothing));
    assert_eq!(world.job(other).state, State::Pending);
}

#[test]
fn a_worker_that_was_never_started_ends_at_once() {
    let world = World::new();
    let engine = world.worker(1);
    engine.drain(LONG);
    assert_eq!(engine.join(LONG), Waited::Woken);
}

#[test]
fn a_second_start_is_refused() {
    let world = World::new();
    let engine = world.worker(1);
    engine.start().unwrap();
    assert!(engine.start().is_err());
}

#[test]
fn nothing_waits_in_memory_behind_a_job_that_may_take_long() {
    let world = World::new();
    let busy = world.worker(1);
    busy.register("short", RetryPolicy::default());
    busy.start().unwrap();
    for _ in 0..3 {
        let known = world.enqueue(JobSpec::new("short"));
        let claim = take(&busy);
        busy.settle(claim.token, done());
        world.reaches(known, State::Complete);
    }
    world.enqueue(task());
    let _long = take(&busy);
    for _ in 0..10 {
        world.enqueue(JobSpec::new("short"));
    }
    let helper = world.worker(1);
    helper.register("short", RetryPolicy::default());
    helper.start().unwrap();
    for _ in 0..10 {
        let claim = take(&helper);
        assert_eq!(&*claim.task, "short");
        helper.settle(claim.token, done());
    }
}
