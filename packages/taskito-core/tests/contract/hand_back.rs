//! running -> pending with nothing spent.

use taskito_core::job::JobRow;
use taskito_core::state::State;

use crate::settlement::{assert_judges_each, assert_refused_without_the_claim};
use crate::support::{Hunger, job};
use crate::world::{World, assert_applied};

contract![
    a_job_handed_back_is_pending_again_and_nothing_is_spent,
    a_job_handed_back_keeps_its_place_in_the_queue,
    a_job_handed_back_is_no_suspect,
    handing_back_is_refused_without_the_claim,
    each_token_of_a_slice_is_judged_for_itself,
];

fn a_job_handed_back_is_pending_again_and_nothing_is_spent(world: &World) {
    let token = world.running(job("a"));
    let running = world.row(token.key);
    world.advance(300);
    assert_applied(world.hand_back(token));
    assert_eq!(
        world.row(token.key),
        JobRow {
            state: State::Pending,
            claimed_at: None,
            owner: None,
            ..running
        }
    );
    assert_eq!(world.attempts(token.key), []);
    assert_eq!(world.held(world.worker()), []);
}

fn a_job_handed_back_keeps_its_place_in_the_queue(world: &World) {
    let token = world.running(job("a"));
    world.advance(300);
    let younger = world.insert(job("a"));
    assert_applied(world.hand_back(token));
    assert_eq!(world.claimed(Hunger::endless()), [token.key, younger]);
}

fn a_job_handed_back_is_no_suspect(world: &World) {
    let token = world.running(job("a"));
    assert_applied(world.hand_back(token));
    assert_eq!(world.claimed(Hunger::endless().suspects(0)), [token.key]);
}

fn handing_back_is_refused_without_the_claim(world: &World) {
    assert_refused_without_the_claim(world, |token| world.hand_back(token));
}

fn each_token_of_a_slice_is_judged_for_itself(world: &World) {
    assert_judges_each(world, |tokens| {
        world.write(|t| t.hand_back(world.now(), tokens))
    });
}
