//! How long attempts ran, as it is told.

use std::time::Duration;

use taskito_core::clock::Millis;
use taskito_core::id::Key;
use taskito_core::job::Token;
use taskito_core::metric::Summary;
use taskito_core::rollup::Run;
use taskito_core::store::{Completion, End, Failure};

use crate::support::{job, job_with};
use crate::world::{World, misfenced};

contract![
    nothing_is_told_of_tasks_that_did_not_run,
    completed_retried_and_dead_attempts_count,
    what_is_no_verdict_on_the_function_does_not_count,
    a_stale_settlement_does_not_count,
    attempts_of_a_task_count_over_all_queues,
    the_percentiles_are_those_of_the_documented_formulas,
    old_attempts_are_left_out_and_forgotten,
    merged_attempts_tell_the_same,
];

fn told(world: &World) -> Vec<(String, Summary)> {
    world.store().metrics(Millis(0), None).unwrap()
}

fn of(world: &World, task: &str) -> Summary {
    let mut all = world.store().metrics(Millis(0), Some(task)).unwrap();
    assert_eq!(all.len(), 1);
    all.remove(0).1
}

fn complete(world: &World, token: Token, micros: u64) {
    let done = Completion {
        preview: None,
        token,
        result: b"",
        run: lasting(Duration::from_micros(micros)),
    };
    world.write(|t| t.complete(world.now(), &[done]));
}

fn ran(world: &World, task: &str, micros: u64) {
    let token = world.running(job(task));
    complete(world, token, micros);
}

fn failure(token: Token, run_at: Millis, micros: u64) -> Failure<'static> {
    Failure {
        cause: None,
        token,
        error: "e",
        run_at,
        run: lasting(Duration::from_micros(micros)),
    }
}

fn end(token: Token, run: Option<Duration>) -> End<'static> {
    End {
        cause: None,
        token,
        error: "e",
        run: run.map(lasting),
    }
}

fn lasting(length: Duration) -> Run {
    Run {
        length,
        ..Run::default()
    }
}

fn nothing_is_told_of_tasks_that_did_not_run(world: &World) {
    world.running(job("a"));
    world.insert(job("b"));
    assert_eq!(told(world), []);
}

fn completed_retried_and_dead_attempts_count(world: &World) {
    ran(world, "a", 1500);
    let token = world.running(job("a"));
    world.write(|t| t.retry(world.now(), &[failure(token, world.now(), 500)]));
    world.promote(1);
    let token = world.take().token;
    let dead = end(token, Some(Duration::from_micros(2500)));
    world.write(|t| t.bury(world.now(), &[dead]));
    assert_eq!(
        of(world, "a"),
        Summary {
            count: 3,
            failures: 2,
            sum: 4500,
            min: 500,
            p50: 1500,
            p95: 2500,
            p99: 2500,
            max: 2500,
        }
    );
}

fn what_is_no_verdict_on_the_function_does_not_count(world: &World) {
    let token = world.running(job("a"));
    world.hand_back(token);
    let token = world.take().token;
    world.lose(token, "e");
    let token = world.take().token;
    world.write(|t| t.bury_lost(world.now(), &[end(token, None)]));
    let token = world.running(job("a"));
    world.write(|t| t.abort(world.now(), &[end(token, None)]));
    assert_eq!(told(world), []);
}

fn a_stale_settlement_does_not_count(world: &World) {
    let token = misfenced(world.running(job("a")), -1);
    complete(world, token, 1);
    world.write(|t| t.retry(world.now(), &[failure(token, world.now(), 1)]));
    world.write(|t| t.bury(world.now(), &[end(token, Some(Duration::ZERO))]));
    assert_eq!(told(world), []);
}

fn attempts_of_a_task_count_over_all_queues(world: &World) {
    for (queue, task) in [("x", "b"), ("y", "a"), ("x", "a")] {
        let token = world.running(job_with(task, |spec| spec.queue = queue.into()));
        complete(world, token, 1000);
    }
    let counts: Vec<_> = told(world)
        .into_iter()
        .map(|(task, it)| (task, it.count))
        .collect();
    assert_eq!(counts, [("a".to_owned(), 2), ("b".to_owned(), 1)]);
    assert_eq!(world.store().metrics(Millis(0), Some("c")).unwrap(), []);
}

fn the_percentiles_are_those_of_the_documented_formulas(world: &World) {
    for micros in (1..=100).rev() {
        ran(world, "a", micros);
    }
    let it = of(world, "a");
    assert_eq!((it.p50, it.p95, it.p99), (51, 96, 100));
    assert_eq!((it.min, it.max, it.sum), (1, 100, 5050));
}

fn old_attempts_are_left_out_and_forgotten(world: &World) {
    ran(world, "a", 1);
    world.advance(60_000);
    ran(world, "a", 2);
    let since = world.store().metrics(world.now(), None).unwrap();
    assert_eq!((since[0].1.count, since[0].1.min), (1, 2));
    assert_eq!(world.store().metrics(world.later(1), None).unwrap(), []);
    let now = Key::first_at(world.now());
    assert_eq!(world.write(|t| t.forget_metrics(now, 100)), 1);
    assert_eq!((of(world, "a").count, of(world, "a").min), (1, 2));
}

fn merged_attempts_tell_the_same(world: &World) {
    for round in 0..30 {
        for task in ["a", "b"] {
            ran(world, task, 1000 + round * 13 % 17);
        }
        world.advance(9000);
    }
    let before = told(world);
    for limit in [7, 1000] {
        let mut after = Some(Key::default());
        while let Some(key) = after {
            after = world.write(|t| t.merge_metrics(key, Key::LAST, limit));
        }
        assert_eq!(told(world), before);
    }
}
