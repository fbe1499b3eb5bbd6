//! running -> cancelled.

use taskito_core::job::JobRow;
use taskito_core::state::State;
use taskito_core::store::End;

use crate::settlement::{assert_judges_each, assert_refused_without_the_claim};
use crate::support::{after, job, job_with};
use crate::world::{World, assert_applied};

contract![
    an_aborted_job_is_cancelled_and_says_why,
    an_aborted_job_takes_its_dependents_along,
    an_aborted_job_frees_its_unique_key,
    aborting_is_refused_without_the_claim,
    each_end_of_a_slice_is_judged_for_itself,
];

fn an_aborted_job_is_cancelled_and_says_why(world: &World) {
    let token = world.running(job("a"));
    let running = world.row(token.key);
    world.advance(300);
    assert_applied(world.abort(token, "no longer needed"));
    assert_eq!(
        world.row(token.key),
        JobRow {
            state: State::Cancelled,
            finished_at: Some(world.now()),
            error: Some("no longer needed".into()),
            owner: None,
            ..running
        }
    );
    assert_eq!(world.attempts(token.key), []);
    assert_eq!(world.letters(), []);
    assert_eq!(world.held(world.worker()), []);
}

fn an_aborted_job_takes_its_dependents_along(world: &World) {
    let token = world.running(job("root"));
    let child = world.insert(after("child", &[token.key]));
    assert_applied(world.abort(token, "no longer needed"));
    let error = format!("dependency cancelled: {}", world.text(token.key));
    assert_eq!(world.row(child).error, Some(error));
    assert_eq!(world.state(child), State::Cancelled);
}

fn an_aborted_job_frees_its_unique_key(world: &World) {
    let unique = || job_with("a", |spec| spec.unique_key = Some("k".into()));
    let token = world.running(unique());
    assert_applied(world.abort(token, "no longer needed"));
    assert_ne!(world.insert(unique()), token.key);
}

fn aborting_is_refused_without_the_claim(world: &World) {
    assert_refused_without_the_claim(world, |token| world.abort(token, "stale"));
}

fn each_end_of_a_slice_is_judged_for_itself(world: &World) {
    assert_judges_each(world, |tokens| {
        let end = |&token| End {
            cause: None,
            token,
            error: "e",
            run: None,
        };
        let batch: Vec<_> = tokens.iter().map(end).collect();
        world.write(|t| t.abort(world.now(), &batch))
    });
}
