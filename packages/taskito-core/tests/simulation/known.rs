//! What histories have found, each told again by itself.

use std::time::Duration;

use taskito_core::engine::Pause;
use taskito_core::id::Key;
use taskito_core::job::JobSpec;
use taskito_core::limits::{Limit, TaskLimits};
use taskito_core::outcome::Outcome;
use taskito_core::rate::Rate;
use taskito_core::state::State;
use taskito_core::store::Inspect;

use crate::actor::Actor;
use crate::chance::Chance;
use crate::faulty::Fault;
use crate::support::job_with;
use crate::world::{Ground, World};

/// A world with one worker, which has looked for work and found none.
fn world(ground: &Ground) -> World {
    let mut world = World::empty(ground, &mut Chance::new(0, 0));
    hire(&mut world);
    rest(&mut world.actors[0]);
    world
}

/// A worker more, which serves every queue; its place.
fn hire(world: &mut World) -> usize {
    for seed in 0.. {
        world.hire(&mut Chance::new(seed, 1), None);
        let place = world.actors.len() - 1;
        if world.actors[place].serves_all() {
            return place;
        }
        world.kill(place);
    }
    unreachable!("no seed is the last")
}

fn enqueue(world: &World, task: &str, change: impl FnOnce(&mut JobSpec)) -> Key {
    let now = world.store().now();
    let job = job_with(task, change);
    let mut key = None;
    let stored = world.act(&mut |t| {
        key = Some(t.insert(now, std::slice::from_ref(&job))?[0].key);
        Ok(())
    });
    assert!(stored);
    key.unwrap()
}

/// Steps until the dispatcher pauses; what its last step came to.
fn rest(actor: &mut Actor) -> Pause {
    for _ in 0..20 {
        match actor.dispatch() {
            Pause::No => {}
            pause => return pause,
        }
    }
    panic!("the dispatcher does not come to rest");
}

fn state(world: &World, job: Key) -> State {
    world.store().state(job).unwrap().unwrap()
}

#[test]
fn a_claim_is_handed_back_if_its_commit_was_reported_as_failed() {
    let ground = Ground::new(2000);
    let mut world = world(&ground);
    let job = enqueue(&world, "plain", |_| {});
    let actor = &mut world.actors[0];
    actor.faulty.arm(Some(Fault::Answer));
    assert!(matches!(actor.dispatch(), Pause::Rest(_)));
    assert_eq!(state(&world, job), State::Running);
    rest(&mut world.actors[0]);
    let claim = world.actors[0].take().unwrap();
    assert_eq!((claim.token.key, claim.token.fence.0), (job, 2));
}

#[test]
fn what_a_question_that_failed_was_about_is_found_later() {
    let ground = Ground::new(2001);
    let mut world = world(&ground);
    enqueue(&world, "plain", |_| {});
    let actor = &mut world.actors[0];
    actor.faulty.arm(Some(Fault::Read));
    assert!(matches!(actor.dispatch(), Pause::Sleep(limit) if limit < Duration::from_secs(1)));
    rest(actor);
    assert!(actor.take().is_some());
}

#[test]
fn a_job_of_which_no_doorbell_told_starts_within_a_second() {
    let ground = Ground::new(2002);
    let mut world = world(&ground);
    enqueue(&world, "plain", |_| {});
    world.actors[0].stepped.miss_ring();
    assert!(!world.actors[0].may_dispatch());
    world.clock.pass(1000);
    rest(&mut world.actors[0]);
    assert!(world.actors[0].take().is_some());
}

#[test]
fn a_dispatcher_sleeps_while_a_rate_opens_for_threads_that_are_busy() {
    let ground = Ground::new(2003);
    let mut world = world(&ground);
    let actor = &mut world.actors[0];
    let mut rated = actor.code.tasks["rated"].clone();
    rated.limits = TaskLimits {
        limit: Limit {
            rate: Some(Rate::parse("1/s").unwrap()),
            max_concurrent: None,
        },
        breaker: None,
    };
    actor.stepped.engine().register("rated", rated);
    enqueue(&world, "rated", |_| {});
    enqueue(&world, "rated", |_| {});
    enqueue(&world, "plain", |_| {});
    rest(&mut world.actors[0]);
    assert_eq!([0; 2].map(|_| world.actors[0].take().is_some()), [true; 2]);
    rest(&mut world.actors[0]);
    world.clock.pass(1000);
    assert!(matches!(rest(&mut world.actors[0]), Pause::Sleep(_)));
}

#[test]
fn the_claim_after_one_that_had_started_is_no_loss_if_it_had_not() {
    let ground = Ground::new(2004);
    let mut world = world(&ground);
    let job = enqueue(&world, "plain", |spec| spec.max_retries = 0);
    rest(&mut world.actors[0]);
    let first = world.actors[0].take().unwrap();
    let delay = Duration::ZERO;
    let engine = world.actors[0].stepped.engine();
    engine.settle(first.token, Outcome::Snoozed { delay });
    // It dies after the commit that ends the first claim and brings the second.
    world.actors[0].faulty.arm(Some(Fault::Answer));
    world.actors[0].dispatch();
    let row = world.store().job(job).unwrap().unwrap();
    assert_eq!((row.state, row.fence.0), (State::Running, 2));
    world.kill(0);
    let place = hire(&mut world);
    world.actors[place].stepped.watch();
    let row = world.store().job(job).unwrap().unwrap();
    assert_eq!((row.state, row.losses), (State::Pending, 0));
}

#[test]
fn a_worker_that_was_taken_for_dead_claims_nothing_more_and_leaves() {
    let ground = Ground::new(2005);
    let mut world = world(&ground);
    world.actors[0].stepped.lose_certificate();
    let other = hire(&mut world);
    world.kill(other);
    let job = enqueue(&world, "plain", |_| {});
    rest(&mut world.actors[0]);
    assert_eq!(state(&world, job), State::Pending);
    world.actors[0].stepped.watch();
    assert_eq!(rest(&mut world.actors[0]), Pause::Over);
}

#[test]
fn a_wait_that_begins_before_a_step_of_the_clock_was_noticed_is_kept() {
    let ground = Ground::new(2006);
    let mut world = world(&ground);
    let job = enqueue(&world, "plain", |spec| {
        spec.timeout = Duration::from_millis(500);
    });
    rest(&mut world.actors[0]);
    assert!(world.actors[0].take().is_some());
    let other = hire(&mut world);
    rest(&mut world.actors[other]);
    // The first one is stuck, so the other one's watch settles what is over its time.
    world.clock.set(-20_000);
    world.clock.pass(6_000);
    world.actors[other].stepped.watch();
    assert_eq!(state(&world, job), State::Scheduled);
    rest(&mut world.actors[other]);
    let row = world.store().job(job).unwrap().unwrap();
    assert_eq!((row.state, row.fence.0), (State::Scheduled, 1));
    assert!(row.run_at > world.store().now());
}
