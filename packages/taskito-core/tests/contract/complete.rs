//! running -> complete.

use taskito_core::job::JobRow;
use taskito_core::rollup::Run;
use taskito_core::state::State;
use taskito_core::store::Completion;

use crate::settlement::{assert_judges_each, assert_refused_without_the_claim};
use crate::support::{Hunger, job};
use crate::world::{World, assert_applied};

contract![
    a_complete_job_has_its_result_and_the_time_it_finished,
    a_job_that_failed_before_completes_without_an_error,
    results_may_be_empty_or_large,
    completing_is_refused_without_the_claim,
    each_completion_of_a_slice_is_judged_for_itself,
    each_completion_of_a_slice_has_its_own_result,
    of_two_completions_in_a_slice_the_first_counts,
];

fn a_complete_job_has_its_result_and_the_time_it_finished(world: &World) {
    let token = world.running(job("a"));
    let running = world.row(token.key);
    world.advance(300);
    assert_applied(world.complete(token, b"\x00result"));
    assert_eq!(
        world.row(token.key),
        JobRow {
            state: State::Complete,
            started_at: Some(Run::default().started_at),
            finished_at: Some(world.now()),
            owner: None,
            ..running
        }
    );
    assert_eq!(
        world.store().result(token.key).unwrap().as_deref(),
        Some(&b"\x00result"[..])
    );
    assert_eq!(world.attempts(token.key), []);
    assert_eq!(world.letters(), []);
    assert_eq!(world.held(world.worker()), []);
}

fn a_job_that_failed_before_completes_without_an_error(world: &World) {
    let token = world.running(job("a"));
    assert_applied(world.retry(token, "boom", world.now()));
    world.promote(1);
    assert_applied(world.complete(world.take().token, b"r"));
    let row = world.row(token.key);
    assert_eq!(row.state, State::Complete);
    assert_eq!(row.error, None);
    assert_eq!(row.retry_count, 1);
    assert_eq!(world.attempts(token.key).len(), 1);
}

fn results_may_be_empty_or_large(world: &World) {
    for result in [vec![], vec![0x5a; 3_000_000]] {
        let token = world.running(job("a"));
        assert_applied(world.complete(token, &result));
        assert!(world.store().result(token.key).unwrap() == Some(result));
    }
}

fn completing_is_refused_without_the_claim(world: &World) {
    assert_refused_without_the_claim(world, |token| world.complete(token, b"stale"));
}

fn each_completion_of_a_slice_is_judged_for_itself(world: &World) {
    assert_judges_each(world, |tokens| {
        let batch: Vec<_> = tokens
            .iter()
            .map(|&token| Completion {
                preview: None,
                token,
                result: b"r",
                run: Run::default(),
            })
            .collect();
        world.write(|t| t.complete(world.now(), &batch))
    });
}

fn each_completion_of_a_slice_has_its_own_result(world: &World) {
    world.insert_all(&["a", "b", "c"].map(job));
    let claims = world.claim(&mut Hunger::endless());
    let batch: Vec<_> = claims
        .iter()
        .map(|claim| Completion {
            preview: None,
            token: claim.token,
            result: claim.task.as_bytes(),
            run: Run::default(),
        })
        .collect();
    world.write(|t| t.complete(world.now(), &batch));
    for claim in &claims {
        assert_eq!(
            world.store().result(claim.token.key).unwrap().as_deref(),
            Some(claim.task.as_bytes())
        );
    }
}

fn of_two_completions_in_a_slice_the_first_counts(world: &World) {
    let token = world.running(job("a"));
    let batch = [&b"first"[..], &b"later"[..]].map(|result| Completion {
        preview: None,
        token,
        result,
        run: Run::default(),
    });
    world.write(|t| t.complete(world.now(), &batch));
    assert_eq!(
        world.store().result(token.key).unwrap().as_deref(),
        Some(&b"first"[..])
    );
}
