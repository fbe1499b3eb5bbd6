//! What becomes of the jobs of dead workers.

use taskito_core::engine::{Event, Next, reap_the_dead};
use taskito_core::job::{JobSpec, Mishap};
use taskito_core::state::State;
use taskito_core::store::Inspect;

use crate::world::{LONG, World, done, event, take, task};

#[test]
fn what_a_dead_worker_had_started_is_lost_and_the_rest_goes_back() {
    let world = World::new();
    let started = world.enqueue(task());
    let unstarted = world.enqueue(task());
    let dead = world.dead_worker(2);
    world.write_ledger(dead, &[(started, true), (unstarted, false)]);
    assert_eq!(reap_the_dead(&world.site).unwrap(), 1);
    for (job, losses) in [(started, 1), (unstarted, 0)] {
        let row = world.job(job);
        assert_eq!(
            (row.state, row.losses, row.retry_count),
            (State::Pending, losses, 0)
        );
        assert_eq!(world.store.attempts(job).unwrap().len(), losses as usize);
    }
    let record = &world.store.attempts(started).unwrap()[0];
    assert_eq!(record.mishap, Mishap::Lost);
    assert!(
        record.error.starts_with("WorkerLostError: "),
        "{}",
        record.error
    );
    assert!(world.store.workers().unwrap().is_empty());
    assert_eq!(reap_the_dead(&world.site).unwrap(), 0);
}

#[test]
fn without_a_ledger_every_job_of_a_dead_worker_counts_as_started() {
    let world = World::new();
    let job = world.enqueue(task());
    world.dead_worker(1);
    reap_the_dead(&world.site).unwrap();
    assert_eq!(world.job(job).losses, 1);
}

#[test]
fn the_third_loss_buries_a_job() {
    let world = World::new();
    let job = world.enqueue(task());
    for _ in 0..3 {
        world.dead_worker(1);
        reap_the_dead(&world.site).unwrap();
    }
    let row = world.job(job);
    assert_eq!(
        (row.state, row.losses, row.retry_count),
        (State::Dead, 3, 0)
    );
    assert!(row.error.unwrap().contains("loss 3 of 3"));
    assert_eq!(world.letters().len(), 1);
}

#[test]
fn a_living_worker_is_not_reaped() {
    let world = World::new();
    let engine = world.worker(1);
    engine.start().unwrap();
    let job = world.enqueue(task());
    let claim = take(&engine);
    assert_eq!(reap_the_dead(&world.site).unwrap(), 0);
    assert_eq!(world.job(job).state, State::Running);
    engine.settle(claim.token, done());
    world.reaches(job, State::Complete);
}

#[test]
fn starting_recovers_the_jobs_of_dead_workers() {
    let world = World::new();
    let job = world.enqueue(task());
    world.dead_worker(1);
    let engine = world.worker(1);
    engine.start().unwrap();
    let claim = take(&engine);
    assert_eq!((claim.token.key, claim.losses), (job, 1));
}

#[test]
fn a_worker_runs_one_suspect_at_a_time_and_others_beside_it() {
    let world = World::new();
    let suspects = [world.enqueue(task()), world.enqueue(task())];
    world.dead_worker(2);
    reap_the_dead(&world.site).unwrap();
    let innocent = world.enqueue(task());
    let engine = world.worker(3);
    engine.start().unwrap();
    let first = take(&engine);
    let second = take(&engine);
    assert_eq!((first.token.key, second.token.key), (suspects[0], innocent));
    assert!(matches!(engine.try_next(), Next::Nothing));
    assert_eq!(world.job(suspects[1]).state, State::Pending);
    engine.settle(first.token, done());
    let third = take(&engine);
    assert_eq!(third.token.key, suspects[1]);
    engine.settle(third.token, done());
    engine.settle(second.token, done());
    world.reaches(suspects[1], State::Complete);
}

#[test]
fn a_lost_job_that_is_buried_is_told_with_its_arguments_if_anybody_asks() {
    let world = World::new();
    let single = world.enqueue(JobSpec {
        max_retries: 0,
        ..task()
    });
    world.enqueue(task());
    world.dead_worker(2);
    let engine = world.worker(1);
    engine.want_lost();
    engine.start().unwrap();
    let (claim, error) = event(&engine, |event| match event {
        Event::Lost(claim, error) => Some((claim, error)),
        _ => None,
    });
    assert_eq!((claim.token.key, &*claim.payload), (single, &b"args"[..]));
    assert_eq!(world.job(single).error, Some(error));
    engine.drain(LONG);
    let mut rest = std::iter::from_fn(|| Some(engine.events(LONG)).filter(|e| !e.is_empty()));
    assert!(!rest.any(|events| events.iter().any(|event| matches!(event, Event::Lost(..)))));
}

#[test]
fn nobody_is_told_of_lost_jobs_unasked() {
    let world = World::new();
    let single = world.enqueue(JobSpec {
        max_retries: 0,
        ..task()
    });
    world.dead_worker(1);
    let engine = world.worker(1);
    engine.start().unwrap();
    assert_eq!(world.job(single).state, State::Dead);
    engine.drain(LONG);
    assert!(engine.events(LONG).is_empty());
}
