//! running -> dead, after a failure and after a loss.

use taskito_core::job::{AttemptRow, DeadRow, Fence, JobRow, Mishap, Token};
use taskito_core::state::State;
use taskito_core::store::{End, Verdict};

use crate::settlement::{assert_judges_each, assert_refused_without_the_claim};
use crate::support::job_with;
use crate::world::{World, assert_applied};

contract![
    a_buried_job_is_dead_with_its_error,
    a_job_buried_after_a_loss_is_dead_with_one_loss_more,
    the_last_attempt_is_recorded_as_failed,
    the_last_attempt_is_recorded_as_lost,
    a_buried_job_has_a_dead_letter,
    a_job_buried_after_a_loss_has_a_dead_letter,
    burying_is_refused_without_the_claim,
    burying_after_a_loss_is_refused_without_the_claim,
    each_failure_of_a_slice_is_judged_for_itself,
    each_loss_of_a_slice_is_judged_for_itself,
];

/// A running job that failed twice before.
fn worn_out(world: &World) -> Token {
    world.insert(job_with("send", |spec| {
        spec.queue = "mail".into();
        spec.metadata = Some("m".into());
    }));
    for _ in 0..2 {
        assert_applied(world.retry(world.take().token, "e", world.now()));
        assert_eq!(world.promote(1), 1);
    }
    let token = world.take().token;
    world.advance(300);
    token
}

fn a_buried_job_is_dead_with_its_error(world: &World) {
    let token = worn_out(world);
    let running = world.row(token.key);
    assert_applied(world.bury(token, "boom"));
    assert_eq!(
        world.row(token.key),
        JobRow {
            state: State::Dead,
            finished_at: Some(world.now()),
            error: Some("boom".into()),
            owner: None,
            ..running
        }
    );
    assert_eq!(world.store().result(token.key).unwrap(), None);
    assert_eq!(world.held(world.worker()), []);
}

fn a_job_buried_after_a_loss_is_dead_with_one_loss_more(world: &World) {
    let token = worn_out(world);
    let running = world.row(token.key);
    assert_applied(world.bury_lost(token, "its worker died"));
    assert_eq!(
        world.row(token.key),
        JobRow {
            state: State::Dead,
            losses: 1,
            finished_at: Some(world.now()),
            error: Some("its worker died".into()),
            owner: None,
            ..running
        }
    );
    assert_eq!(world.held(world.worker()), []);
}

fn the_last_attempt_is_recorded_as_failed(world: &World) {
    assert_last_attempt(world, Mishap::Failed, World::bury);
}

fn the_last_attempt_is_recorded_as_lost(world: &World) {
    assert_last_attempt(world, Mishap::Lost, World::bury_lost);
}

type Bury = fn(&World, Token, &str) -> Verdict;

fn assert_last_attempt(world: &World, mishap: Mishap, bury: Bury) {
    let token = worn_out(world);
    let claimed_at = world.row(token.key).claimed_at.unwrap();
    assert_applied(bury(world, token, "boom"));
    let attempts = world.attempts(token.key);
    assert_eq!(attempts.len(), 3);
    assert_eq!(
        attempts[2],
        AttemptRow {
            key: attempts[2].key,
            job: token.key,
            attempt: 2,
            fence: Fence(3),
            mishap,
            error: "boom".into(),
            claimed_at,
            started_at: None,
            failed_at: world.now(),
            worker: Some("host:42".into()),
            failure: None,
            error_type: None,
            message: None,
            frames: None,
        }
    );
}

fn a_buried_job_has_a_dead_letter(world: &World) {
    assert_letter(world, World::bury);
}

fn a_job_buried_after_a_loss_has_a_dead_letter(world: &World) {
    assert_letter(world, World::bury_lost);
}

fn assert_letter(world: &World, bury: Bury) {
    let token = worn_out(world);
    assert_applied(bury(world, token, "boom"));
    let letters = world.letters();
    assert_eq!(
        letters,
        [DeadRow {
            key: letters[0].key,
            job: token.key,
            queue: "mail".into(),
            task: "send".into(),
            error: "boom".into(),
            retry_count: 2,
            failed_at: world.now(),
            metadata: Some("m".into()),
        }]
    );
    assert!(letters[0].key > token.key);
}

fn burying_is_refused_without_the_claim(world: &World) {
    assert_refused_without_the_claim(world, |token| world.bury(token, "stale"));
}

fn burying_after_a_loss_is_refused_without_the_claim(world: &World) {
    assert_refused_without_the_claim(world, |token| world.bury_lost(token, "stale"));
}

fn each_failure_of_a_slice_is_judged_for_itself(world: &World) {
    assert_judges_each(world, |tokens| {
        let batch: Vec<_> = tokens.iter().map(end).collect();
        world.write(|t| t.bury(world.now(), &batch))
    });
    assert_one_letter_for_each_dead_job(world);
}

fn each_loss_of_a_slice_is_judged_for_itself(world: &World) {
    assert_judges_each(world, |tokens| {
        let batch: Vec<_> = tokens.iter().map(end).collect();
        world.write(|t| t.bury_lost(world.now(), &batch))
    });
    assert_one_letter_for_each_dead_job(world);
}

fn end(token: &Token) -> End<'static> {
    End {
        cause: None,
        token: *token,
        error: "e",
        run: None,
    }
}

fn assert_one_letter_for_each_dead_job(world: &World) {
    let letters = world.letters();
    assert_eq!(letters.len(), 3);
    for row in world.jobs() {
        let dead = usize::from(row.state == State::Dead);
        let of_this_job = letters.iter().filter(|letter| letter.job == row.key);
        assert_eq!(of_this_job.count(), dead);
        assert_eq!(world.attempts(row.key).len(), dead);
    }
    assert!(letters.windows(2).all(|pair| pair[0].key > pair[1].key));
}
