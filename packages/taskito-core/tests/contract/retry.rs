//! running -> scheduled.

use std::time::Duration;

use taskito_core::job::{AttemptRow, Fence, JobRow, Mishap, Wait};
use taskito_core::rollup::Run;
use taskito_core::state::State;
use taskito_core::store::{Failure, Verdict};

use crate::settlement::{assert_judges_each, assert_refused_without_the_claim};
use crate::support::{Hunger, job};
use crate::world::{World, assert_applied};

contract![
    a_retried_job_is_scheduled_with_one_retry_spent,
    the_failed_attempt_is_recorded,
    a_retry_that_is_due_at_once_is_scheduled_too,
    attempts_are_numbered_by_the_retries_spent_before,
    retrying_is_refused_without_the_claim,
    each_failure_of_a_slice_is_judged_for_itself,
    each_failure_of_a_slice_has_its_own_error_and_time,
];

fn a_retried_job_is_scheduled_with_one_retry_spent(world: &World) {
    let token = world.running(job("a"));
    let running = world.row(token.key);
    world.advance(300);
    assert_applied(world.retry(token, "boom", world.later(1000)));
    assert_eq!(
        world.row(token.key),
        JobRow {
            state: State::Scheduled,
            retry_count: 1,
            run_at: world.later(1000),
            claimed_at: None,
            wait: Some(Wait::Backoff),
            wait_length: Duration::from_secs(1),
            owner: None,
            ..running
        }
    );
    assert_eq!(world.held(world.worker()), []);
    assert_eq!(world.letters(), []);
}

fn the_failed_attempt_is_recorded(world: &World) {
    let token = world.running(job("a"));
    let claimed_at = world.now();
    world.advance(300);
    assert_applied(world.retry(token, "boom", world.later(1000)));
    let attempts = world.attempts(token.key);
    assert_eq!(
        attempts,
        [AttemptRow {
            key: attempts[0].key,
            job: token.key,
            attempt: 0,
            fence: Fence(1),
            mishap: Mishap::Failed,
            error: "boom".into(),
            claimed_at,
            started_at: Some(Run::default().started_at),
            failed_at: world.now(),
            worker: Some("host:42".into()),
            failure: None,
            error_type: None,
            message: None,
            frames: None,
        }]
    );
    assert!(attempts[0].key > token.key);
}

fn a_retry_that_is_due_at_once_is_scheduled_too(world: &World) {
    let token = world.running(job("a"));
    assert_applied(world.retry(token, "boom", world.now()));
    assert_eq!(world.state(token.key), State::Scheduled);
    assert_eq!(world.claimed(Hunger::endless()), []);
    assert_eq!(world.promote(1), 1);
    assert_eq!(world.claimed(Hunger::endless()), [token.key]);
}

fn attempts_are_numbered_by_the_retries_spent_before(world: &World) {
    let key = world.insert(job("a"));
    for attempt in 0..4 {
        let claim = world.take();
        assert_eq!(claim.retry_count, attempt);
        world.advance(10);
        assert_applied(world.retry(claim.token, &format!("error {attempt}"), world.now()));
        assert_eq!(world.promote(1), 1);
    }
    let history: Vec<_> = world
        .attempts(key)
        .into_iter()
        .map(|row| (row.attempt, row.fence.0, row.error))
        .collect();
    assert_eq!(
        history,
        [
            (0, 1, "error 0".to_owned()),
            (1, 2, "error 1".to_owned()),
            (2, 3, "error 2".to_owned()),
            (3, 4, "error 3".to_owned()),
        ]
    );
}

fn retrying_is_refused_without_the_claim(world: &World) {
    assert_refused_without_the_claim(world, |token| world.retry(token, "stale", world.now()));
}

fn each_failure_of_a_slice_is_judged_for_itself(world: &World) {
    assert_judges_each(world, |tokens| {
        let batch: Vec<_> = tokens
            .iter()
            .map(|&token| Failure {
                cause: None,
                token,
                error: "e",
                run_at: world.later(1000),
                run: Run::default(),
            })
            .collect();
        world.write(|t| t.retry(world.now(), &batch))
    });
    for job in world.jobs() {
        let expected = usize::from(job.state == State::Scheduled);
        assert_eq!(world.attempts(job.key).len(), expected);
    }
}

fn each_failure_of_a_slice_has_its_own_error_and_time(world: &World) {
    let keys = world.insert_all(&["a", "b"].map(job));
    let claims = world.claim(&mut Hunger::endless());
    let batch = [
        Failure {
            cause: None,
            token: claims[0].token,
            error: "first",
            run_at: world.later(1),
            run: Run::default(),
        },
        Failure {
            cause: None,
            token: claims[1].token,
            error: "second",
            run_at: world.later(2),
            run: Run::default(),
        },
    ];
    let verdicts = world.write(|t| t.retry(world.now(), &batch));
    assert_eq!(verdicts, [Verdict::Applied; 2]);
    for (index, error) in ["first", "second"].into_iter().enumerate() {
        let key = keys[index].key;
        assert_eq!(world.attempts(key)[0].error, error);
        assert_eq!(world.row(key).run_at, batch[index].run_at);
    }
}
