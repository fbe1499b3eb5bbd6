//! running -> scheduled with nothing spent.

use std::time::Duration;

use taskito_core::job::{JobRow, Wait};
use taskito_core::state::State;
use taskito_core::store::Rest;

use crate::settlement::{assert_judges_each, assert_refused_without_the_claim};
use crate::support::{Hunger, job};
use crate::world::{World, assert_applied};

contract![
    a_snoozed_job_is_scheduled_and_nothing_is_spent,
    a_snoozed_job_is_promoted_when_its_time_has_come,
    snoozing_is_refused_without_the_claim,
    each_rest_of_a_slice_is_judged_for_itself,
];

fn a_snoozed_job_is_scheduled_and_nothing_is_spent(world: &World) {
    let token = world.running(job("a"));
    let running = world.row(token.key);
    world.advance(300);
    assert_applied(world.snooze(token, world.later(1000)));
    assert_eq!(
        world.row(token.key),
        JobRow {
            state: State::Scheduled,
            run_at: world.later(1000),
            wait: Some(Wait::Snooze),
            wait_length: Duration::from_secs(1),
            claimed_at: None,
            owner: None,
            ..running
        }
    );
    assert_eq!(world.attempts(token.key), []);
    assert_eq!(world.held(world.worker()), []);
}

fn a_snoozed_job_is_promoted_when_its_time_has_come(world: &World) {
    let token = world.running(job("a"));
    assert_applied(world.snooze(token, world.later(1000)));
    world.advance(999);
    assert_eq!(world.promote(9), 0);
    world.advance(1);
    assert_eq!(world.promote(9), 1);
    assert_eq!(world.claimed(Hunger::endless()), [token.key]);
}

fn snoozing_is_refused_without_the_claim(world: &World) {
    assert_refused_without_the_claim(world, |token| world.snooze(token, world.later(1)));
}

fn each_rest_of_a_slice_is_judged_for_itself(world: &World) {
    assert_judges_each(world, |tokens| {
        let run_at = world.later(1000);
        let batch: Vec<_> = tokens.iter().map(|&token| Rest { token, run_at }).collect();
        world.write(|t| t.snooze(world.now(), &batch))
    });
}
