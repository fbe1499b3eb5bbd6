//! running -> pending after a loss.

use taskito_core::job::{AttemptRow, Fence, JobRow, Mishap};
use taskito_core::state::State;
use taskito_core::store::End;

use crate::settlement::{assert_judges_each, assert_refused_without_the_claim};
use crate::support::{Hunger, job};
use crate::world::{World, assert_applied};

contract![
    a_lost_job_is_pending_again_with_one_loss_more,
    the_lost_attempt_is_recorded,
    a_lost_job_keeps_its_place_in_the_queue,
    losses_add_up,
    losing_is_refused_without_the_claim,
    each_loss_of_a_slice_is_judged_for_itself,
];

fn a_lost_job_is_pending_again_with_one_loss_more(world: &World) {
    let token = world.running(job("a"));
    let running = world.row(token.key);
    world.advance(300);
    assert_applied(world.lose(token, "its worker died"));
    assert_eq!(
        world.row(token.key),
        JobRow {
            state: State::Pending,
            losses: 1,
            claimed_at: None,
            owner: None,
            ..running
        }
    );
    assert_eq!(world.held(world.worker()), []);
}

fn the_lost_attempt_is_recorded(world: &World) {
    let token = world.running(job("a"));
    let claimed_at = world.now();
    world.advance(300);
    assert_applied(world.lose(token, "its worker died"));
    let attempts = world.attempts(token.key);
    assert_eq!(
        attempts,
        [AttemptRow {
            key: attempts[0].key,
            job: token.key,
            attempt: 0,
            fence: Fence(1),
            mishap: Mishap::Lost,
            error: "its worker died".into(),
            claimed_at,
            started_at: None,
            failed_at: world.now(),
            worker: Some("host:42".into()),
            failure: None,
            error_type: None,
            message: None,
            frames: None,
        }]
    );
}

fn a_lost_job_keeps_its_place_in_the_queue(world: &World) {
    let token = world.running(job("a"));
    world.advance(300);
    let younger = world.insert(job("a"));
    assert_applied(world.lose(token, "its worker died"));
    assert_eq!(world.claimed(Hunger::endless()), [token.key, younger]);
}

fn losses_add_up(world: &World) {
    let key = world.insert(job("a"));
    for losses in 0..3 {
        let claim = world.take();
        assert_eq!((claim.losses, claim.retry_count), (losses, 0));
        assert_eq!(world.held(world.worker())[0].losses, losses);
        assert_applied(world.lose(claim.token, "its worker died"));
    }
    assert_eq!(world.row(key).losses, 3);
    assert_eq!(world.attempts(key).len(), 3);
    assert!(world.attempts(key).iter().all(|row| row.attempt == 0));
}

fn losing_is_refused_without_the_claim(world: &World) {
    assert_refused_without_the_claim(world, |token| world.lose(token, "stale"));
}

fn each_loss_of_a_slice_is_judged_for_itself(world: &World) {
    assert_judges_each(world, |tokens| {
        let batch: Vec<_> = tokens
            .iter()
            .map(|&token| End {
                cause: None,
                token,
                error: "e",
                run: None,
            })
            .collect();
        world.write(|t| t.lose(world.now(), &batch))
    });
    for job in world.jobs() {
        let expected = usize::from(job.state == State::Pending);
        assert_eq!(world.attempts(job.key).len(), expected);
    }
}
