//! Circuit breakers: what they see, what they let pass.

use std::time::Duration;

use taskito_core::breaker::{Breaker, BreakerSettings, BreakerState, Trial};
use taskito_core::job::Claim;
use taskito_core::limits::{Limit, TaskLimits};
use taskito_core::state::State;

use crate::support::{Hunger, job};
use crate::world::{World, assert_applied};

contract![
    a_task_without_a_breaker_has_none,
    enough_failures_open_it_and_nothing_starts,
    what_it_holds_back_spends_nothing,
    after_the_cooldown_one_job_is_tried,
    a_probe_that_succeeds_closes_it,
    a_probe_that_fails_opens_it_again,
    a_probe_without_verdict_lets_the_next_job_probe_at_once,
    the_breaker_counts_all_queues_and_keys,
    it_holds_back_no_other_task,
    a_worker_whose_code_has_no_breaker_goes_on,
    its_settings_are_those_announced_last_and_it_keeps_what_it_has_seen,
    a_task_that_declares_none_any_more_has_none,
    whoever_is_held_back_is_told_when_a_job_is_tried,
    while_a_probe_runs_its_end_is_waited_for,
];

const SETTINGS: BreakerSettings = BreakerSettings {
    threshold: 2,
    window: Duration::from_secs(60),
    cooldown: Duration::from_secs(300),
};

fn limits() -> TaskLimits {
    TaskLimits {
        limit: Limit::NONE,
        breaker: Some(SETTINGS),
    }
}

/// Wants everything, with a breaker for the task `a`.
fn hunger() -> Hunger {
    Hunger::endless().limit("a", limits())
}

fn breaker(world: &World) -> Breaker {
    let breakers = world.store().breakers().unwrap();
    assert_eq!(breakers.len(), 1);
    assert_eq!(breakers[0].0, "a");
    breakers[0].1.clone()
}

fn state(world: &World) -> BreakerState {
    breaker(world).state(world.now())
}

/// Runs the job that is next, which ends like this.
fn run(world: &World, trial: Trial) -> Claim {
    let mut claims = world.claim(&mut Hunger {
        jobs: 1,
        ..hunger()
    });
    let claim = claims.pop().expect("nothing starts");
    end(world, &claim, trial);
    claim
}

fn end(world: &World, claim: &Claim, trial: Trial) {
    assert_applied(match trial {
        Trial::Passed => world.complete(claim.token, b"r"),
        Trial::Failed => world.bury(claim.token, "e"),
    });
    world.judge("a", claim.token, trial);
}

/// A breaker that is open, with jobs that wait.
fn opened(world: &World) {
    world.announce("a", &limits());
    world.insert_all(&vec![job("a"); 6]);
    run(world, Trial::Failed);
    run(world, Trial::Failed);
    assert_eq!(state(world), BreakerState::Open);
}

fn a_task_without_a_breaker_has_none(world: &World) {
    world.announce("a", &TaskLimits::NONE);
    assert_eq!(world.store().breakers().unwrap(), []);
    world.insert(job("a"));
    let claim = world.claim(&mut Hunger::endless()).remove(0);
    end(world, &claim, Trial::Failed);
    assert_eq!(world.store().breakers().unwrap(), []);
}

fn enough_failures_open_it_and_nothing_starts(world: &World) {
    world.announce("a", &limits());
    world.insert_all(&vec![job("a"); 3]);
    run(world, Trial::Failed);
    assert_eq!(state(world), BreakerState::Closed);
    world.advance(1000);
    run(world, Trial::Failed);
    assert_eq!(state(world), BreakerState::Open);
    assert_eq!(breaker(world).opened_at, Some(world.now()));
    assert_eq!(breaker(world).last_failure_at, Some(world.now()));
    assert_eq!(world.claimed(hunger()), []);
}

fn what_it_holds_back_spends_nothing(world: &World) {
    opened(world);
    let before = world.jobs();
    world.advance(299_999);
    assert_eq!(world.claimed(hunger()), []);
    assert_eq!(world.jobs(), before);
}

fn after_the_cooldown_one_job_is_tried(world: &World) {
    opened(world);
    world.advance(300_000);
    assert_eq!(state(world), BreakerState::HalfOpen);
    assert_eq!(world.claimed(hunger()).len(), 1);
    world.advance(300_000);
    assert_eq!(world.claimed(hunger()), []);
}

fn a_probe_that_succeeds_closes_it(world: &World) {
    opened(world);
    world.advance(300_000);
    run(world, Trial::Passed);
    assert_eq!(state(world), BreakerState::Closed);
    assert_eq!(breaker(world).failures, []);
    assert_eq!(world.claimed(hunger()).len(), 3);
}

fn a_probe_that_fails_opens_it_again(world: &World) {
    opened(world);
    world.advance(400_000);
    run(world, Trial::Failed);
    assert_eq!(breaker(world).opened_at, Some(world.now()));
    world.advance(299_999);
    assert_eq!(world.claimed(hunger()), []);
    world.advance(1);
    run(world, Trial::Passed);
    assert_eq!(state(world), BreakerState::Closed);
}

fn a_probe_without_verdict_lets_the_next_job_probe_at_once(world: &World) {
    let later = world.later(999_999);
    let ends: [&dyn Fn(&Claim); 4] = [
        &|probe| assert_applied(world.hand_back(probe.token)),
        &|probe| assert_applied(world.retry(probe.token, "e", later)),
        &|probe| assert_applied(world.lose(probe.token, "e")),
        &|probe| assert_applied(world.bury_lost(probe.token, "e")),
    ];
    opened(world);
    world.advance(300_000);
    for end in ends {
        let probe = world.claim(&mut hunger()).remove(0);
        assert_eq!(world.claimed(hunger()), []);
        end(&probe);
        assert_eq!(state(world), BreakerState::HalfOpen);
    }
    assert_eq!(world.claimed(hunger()).len(), 1);
}

fn the_breaker_counts_all_queues_and_keys(world: &World) {
    world.announce("a", &limits());
    let with_key = crate::support::job_with("a", |spec| spec.limit_key = Some("k".into()));
    let elsewhere = crate::support::job_with("a", |spec| spec.queue = "x".into());
    let jobs = [with_key, elsewhere];
    world.insert_all(&jobs);
    run(world, Trial::Failed);
    run(world, Trial::Failed);
    world.insert_all(&jobs);
    assert_eq!(world.claimed(hunger()), []);
    world.advance(300_000);
    assert_eq!(world.claimed(hunger()).len(), 1);
}

fn it_holds_back_no_other_task(world: &World) {
    opened(world);
    let other = world.insert(job("b"));
    assert_eq!(world.claimed(hunger()), [other]);
}

fn a_worker_whose_code_has_no_breaker_goes_on(world: &World) {
    opened(world);
    assert_eq!(world.claimed(Hunger::endless()).len(), 4);
}

fn its_settings_are_those_announced_last_and_it_keeps_what_it_has_seen(world: &World) {
    opened(world);
    let patient = BreakerSettings {
        cooldown: Duration::from_secs(1),
        ..SETTINGS
    };
    let limits = TaskLimits {
        breaker: Some(patient),
        ..limits()
    };
    world.announce("a", &limits);
    assert_eq!(breaker(world).settings, patient);
    assert_eq!(state(world), BreakerState::Open);
    world.advance(1000);
    assert_eq!(state(world), BreakerState::HalfOpen);
}

fn a_task_that_declares_none_any_more_has_none(world: &World) {
    opened(world);
    world.announce("a", &TaskLimits::NONE);
    assert_eq!(world.store().breakers().unwrap(), []);
    assert_eq!(world.claimed(Hunger::endless()).len(), 4);
}

fn whoever_is_held_back_is_told_when_a_job_is_tried(world: &World) {
    opened(world);
    let tried_at = world.later(300_000);
    let mut hungry = hunger();
    assert!(
        !world
            .store()
            .has_prospects(world.now(), &mut hungry)
            .unwrap()
    );
    assert_eq!(hungry.opens_at, Some(tried_at));
    let mut hungry = hunger();
    assert!(world.claim(&mut hungry).is_empty());
    assert_eq!(hungry.opens_at, Some(tried_at));
    assert!(world.store().has_prospects(tried_at, &mut hungry).unwrap());
}

fn while_a_probe_runs_its_end_is_waited_for(world: &World) {
    opened(world);
    world.advance(300_000);
    let probe = world.claim(&mut hunger()).remove(0);
    let mut hungry = hunger();
    assert!(
        !world
            .store()
            .has_prospects(world.now(), &mut hungry)
            .unwrap()
    );
    assert!(hungry.held_back);
    assert_eq!(world.state(probe.token.key), State::Running);
}
