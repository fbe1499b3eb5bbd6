//! When attempts begin, and what runs now.

use taskito_core::clock::{Clock, SystemClock};
use taskito_core::engine::{Event, RunningJob, reap_the_dead, running_now};
use taskito_core::rollup::Period;
use taskito_core::state::State;
use taskito_core::store::{Inspect, JobStore, Sync, Watching};

use crate::world::{LONG, World, done, event, failed, leave, take, task, until};

fn running(world: &World, limit: usize) -> Vec<RunningJob> {
    let path = world.store.file();
    running_now(&*world.store, path.as_deref(), &SystemClock, limit).unwrap()
}

#[test]
fn what_runs_is_told_with_its_worker_the_longest_first() {
    let world = World::new();
    let engine = world.worker(2);
    engine.start().unwrap();
    let keys = [0, 1, 2].map(|_| world.enqueue(task()));
    let first = take(&engine);
    let second = take(&engine);
    let told = running(&world, 10);
    let jobs: Vec<_> = told.iter().map(|one| one.job.key).collect();
    assert_eq!(jobs, [first.token.key, second.token.key]);
    assert!(keys.contains(&jobs[0]), "what waits here does not run yet");
    let worker = world.store.workers().unwrap().remove(0);
    assert!(told.iter().all(|one| one.worker == worker.key));
    let now = SystemClock.now();
    assert!(
        told.iter()
            .all(|one| one.job.created_at <= one.since && one.since <= now)
    );
    assert_eq!(running(&world, 1).len(), 1);
    engine.settle(first.token, done());
    world.reaches(first.token.key, State::Complete);
    until(|| {
        running(&world, 10)
            .iter()
            .all(|one| one.job.key != first.token.key)
    });
    engine.settle(second.token, done());
    leave(&engine);
    assert!(running(&world, 10).is_empty());
}

#[test]
fn a_worker_is_told_once_that_somebody_wants_it_to_leave() {
    let world = World::new();
    let engine = world.worker(1);
    engine.start().unwrap();
    let (worker, _) = engine.worker().unwrap();
    let ask = || {
        let mut asked = false;
        world
            .store
            .write(Sync::Relaxed, &mut |transaction| {
                asked = transaction.request_drain(worker)?;
                Ok(())
            })
            .unwrap();
        asked
    };
    assert!(ask());
    let asked = |event| matches!(event, Event::DrainRequested).then_some(());
    event(&engine, asked);
    assert!(ask());
    // It goes on until whoever tends it drains it.
    let job = world.enqueue(task());
    engine.settle(take(&engine).token, done());
    world.reaches(job, State::Complete);
    leave(&engine);
    let mut rest = std::iter::from_fn(|| Some(engine.events(LONG)).filter(|e| !e.is_empty()));
    assert!(!rest.any(|events| events.into_iter().any(|event| asked(event).is_some())));
    assert!(!ask(), "it has left");
}

#[test]
fn a_worker_says_how_many_attempts_ended_in_it() {
    let world = World::new();
    let engine = world.worker(2);
    engine.start().unwrap();
    let keys = [0; 3].map(|_| world.enqueue(task()));
    engine.settle(take(&engine).token, done());
    engine.settle(take(&engine).token, failed());
    world.reaches(keys[0], State::Complete);
    world.reaches(keys[1], State::Scheduled);
    let last = take(&engine);
    assert_eq!(last.token.key, keys[2]);
    // It says so when it begins to leave; what it hands back has not ended.
    engine.drain(LONG);
    until(|| world.store.workers().unwrap()[0].draining);
    assert_eq!(world.store.workers().unwrap()[0].ended, 2);
    leave(&engine);
}

#[test]
fn a_finished_job_knows_when_its_function_began() {
    let world = World::new();
    let engine = world.worker(1);
    engine.start().unwrap();
    let before = SystemClock.now();
    world.enqueue(task());
    let claim = take(&engine);
    let began = SystemClock.now();
    engine.settle(claim.token, done());
    world.reaches(claim.token.key, State::Complete);
    let job = world.job(claim.token.key);
    let started_at = job.started_at.unwrap();
    assert!(before <= started_at && started_at <= began.plus(std::time::Duration::from_millis(2)));
    assert!(Some(started_at) <= job.finished_at);
    leave(&engine);
}

#[test]
fn an_attempt_ends_in_the_rollup_of_its_commit() {
    let world = World::new();
    let engine = world.worker(1);
    engine.start().unwrap();
    for outcome in [done(), failed()] {
        world.enqueue(task());
        let claim = take(&engine);
        engine.settle(claim.token, outcome);
        until(|| world.job(claim.token.key).state != State::Running);
    }
    leave(&engine);
    let now = SystemClock.now();
    let period = Period {
        to: now.plus(std::time::Duration::from_secs(1)),
        ..Period::default()
    };
    let told = world.store.rollups(now, &period).unwrap();
    let sums = told.series[""].values().fold((0, 0, 0), |sum, it| {
        (sum.0 + it.done, sum.1 + it.failed, sum.2 + it.retried)
    });
    assert_eq!(sums, (1, 1, 1));
}

#[test]
fn a_lost_attempt_tells_when_it_began_as_the_ledger_has_it() {
    let world = World::new();
    let started = world.enqueue(task());
    let waiting = world.enqueue(task());
    let worker = world.dead_worker(2);
    world.write_ledger(worker, &[(started, true), (waiting, false)]);
    assert_eq!(running(&world, 10).len(), 1, "nobody has looked after it");
    assert_eq!(reap_the_dead(&world.site).unwrap(), 1);
    let lost = world.store.attempts(started).unwrap();
    assert!(lost[0].started_at.is_some_and(|at| at < lost[0].failed_at));
    assert_eq!(world.store.attempts(waiting).unwrap(), []);
}

#[test]
fn a_heartbeat_tells_how_much_memory_the_worker_occupies() {
    let world = World::new();
    let engine = world.worker(1);
    engine.start().unwrap();
    engine.register("another", taskito_core::retry::RetryPolicy::default());
    until(|| {
        let worker = world.store.workers().unwrap().remove(0);
        !cfg!(target_os = "linux") || worker.rss.is_some_and(|bytes| bytes > 1 << 20)
    });
    leave(&engine);
}
