//! What those who watch a queue are told. Long, as all that they may ask is here.

use std::collections::BTreeMap;
use std::time::Duration;

use taskito_core::clock::Millis;
use taskito_core::id::Key;
use taskito_core::job::{JobRow, Token};
use taskito_core::rollup::{By, Period, Rollup, Rollups, Run};
use taskito_core::state::State;
use taskito_core::store::{Arrivals, Completion, Delayed, End, Failure};

use crate::support::{Hunger, after, job, job_with};
use crate::world::{NOBODY, World, assert_applied, misfenced};

contract![
    nothing_ended_where_nothing_ran,
    done_failed_and_retried_attempts_are_told_apart,
    a_failure_that_is_cancelled_is_not_retried,
    what_says_nothing_about_the_task_is_left_out,
    a_stale_settlement_is_left_out,
    waits_and_runs_have_their_percentiles,
    attempts_of_one_commit_and_of_many_tell_the_same,
    queues_and_tasks_can_be_told_apart_and_picked,
    only_the_period_counts,
    folding_changes_nothing_that_an_hour_shows,
    folding_takes_the_oldest_first_and_goes_on,
    after_ninety_days_all_is_forgotten,
    a_job_tells_when_its_last_attempt_began,
    an_attempt_that_failed_tells_when_it_began,
    every_lane_with_jobs_is_counted,
    arrivals_are_counted_by_queue_and_since_an_instant,
    of_many_arrivals_the_newest_are_counted,
    scheduled_jobs_are_told_apart_by_what_they_wait_for,
    scheduled_jobs_are_counted_up_to_a_cap,
    deaths_are_counted_from_an_instant_on,
    the_position_is_that_in_the_running_order,
    a_position_is_capped,
    only_pending_jobs_have_a_position,
    other_queues_and_lines_do_not_count,
    those_who_are_next_come_in_the_order_of_claims,
    those_who_are_next_are_of_one_queue_and_no_more_than_asked,
    who_may_not_start_any_more_is_not_next,
];

const HOUR: i64 = 3_600_000;

fn whole(world: &World) -> Period {
    Period {
        to: world.later(1),
        ..Period::default()
    }
}

fn told(world: &World, period: &Period) -> Rollups {
    world.store().rollups(world.now(), period).unwrap()
}

/// All that is known, in one.
fn sum(world: &World) -> Rollup {
    let mut sum = Rollup::default();
    for buckets in told(world, &whole(world)).series.values() {
        for rollup in buckets.values() {
            sum.merge(rollup);
        }
    }
    sum
}

fn counts(rollup: &Rollup) -> (u64, u64, u64) {
    (rollup.done, rollup.failed, rollup.retried)
}

/// A run that ended now.
fn run(world: &World, wait: u64, length: u64) -> Run {
    let [wait, length] = [wait, length].map(Duration::from_millis);
    let started_at = world.now().minus(length);
    Run::since(started_at.minus(wait), started_at, length)
}

fn complete(world: &World, token: Token, run: Run) {
    world.write(|t| t.complete(world.now(), &[done(token, run)]));
}

fn done(token: Token, run: Run) -> Completion<'static> {
    Completion {
        token,
        result: b"",
        preview: None,
        run,
    }
}

fn retry(world: &World, token: Token, run: Run) {
    let failure = Failure {
        token,
        error: "e",
        cause: None,
        run_at: world.now(),
        run,
    };
    world.write(|t| t.retry(world.now(), &[failure]));
}

fn end(token: Token, run: Option<Run>) -> End<'static> {
    End {
        token,
        error: "e",
        cause: None,
        run,
    }
}

fn ran(world: &World, task: &str, wait: u64, length: u64) {
    let token = world.running(job(task));
    complete(world, token, run(world, wait, length));
}

fn row(world: &World, key: Key) -> JobRow {
    world.store().job(key).unwrap().unwrap()
}

fn nothing_ended_where_nothing_ran(world: &World) {
    world.running(job("a"));
    world.insert(job("b"));
    assert_eq!(told(world, &whole(world)).series, BTreeMap::new());
}

fn done_failed_and_retried_attempts_are_told_apart(world: &World) {
    ran(world, "a", 0, 0);
    let token = world.running(job("a"));
    retry(world, token, run(world, 0, 0));
    world.promote(1);
    let token = world.take().token;
    let dead = end(token, Some(run(world, 0, 0)));
    world.write(|t| t.bury(world.now(), &[dead]));
    let all = sum(world);
    assert_eq!(counts(&all), (1, 2, 1));
    assert_eq!((all.wait.total(), all.run.total()), (3, 3));
}

fn a_failure_that_is_cancelled_is_not_retried(world: &World) {
    let token = world.running(job("a"));
    world.write(|t| t.cancel_request(token.key));
    let began = run(world, 0, 7);
    retry(world, token, began);
    assert_eq!(counts(&sum(world)), (0, 1, 0));
    let row = row(world, token.key);
    assert_eq!(row.state, State::Cancelled);
    assert_eq!(row.started_at, Some(began.started_at));
}

fn what_says_nothing_about_the_task_is_left_out(world: &World) {
    let some = || Some(run(world, 1, 1));
    let token = world.running(job("a"));
    world.hand_back(token);
    let token = world.take().token;
    world.write(|t| t.lose(world.now(), &[end(token, some())]));
    let token = world.take().token;
    world.write(|t| t.bury_lost(world.now(), &[end(token, some())]));
    let token = world.running(job("a"));
    world.write(|t| t.abort(world.now(), &[end(token, some())]));
    assert_eq!(counts(&sum(world)), (0, 0, 0));
}

fn a_stale_settlement_is_left_out(world: &World) {
    let token = misfenced(world.running(job("a")), -1);
    complete(world, token, run(world, 1, 1));
    retry(world, token, run(world, 1, 1));
    world.write(|t| t.bury(world.now(), &[end(token, Some(run(world, 1, 1)))]));
    assert_eq!(counts(&sum(world)), (0, 0, 0));
}

fn waits_and_runs_have_their_percentiles(world: &World) {
    for number in 1..=100 {
        ran(world, "a", number * 100, number);
    }
    let all = sum(world);
    for (histogram, scale) in [(&all.wait, 100.0), (&all.run, 1.0)] {
        for (share, exact) in [(0.5, 50.0), (0.95, 95.0), (0.99, 99.0)] {
            let ratio = histogram.percentile(share).unwrap() / (exact * scale);
            assert!((0.707..1.415).contains(&ratio), "{share}: {ratio}");
        }
    }
}

fn attempts_of_one_commit_and_of_many_tell_the_same(world: &World) {
    let claims = |count| {
        for _ in 0..count {
            world.insert(job("a"));
        }
        world.claim(&mut Hunger::endless())
    };
    let run = run(world, 30, 40);
    let many = claims(50);
    for claim in &many {
        complete(world, claim.token, run);
    }
    let apart = sum(world);
    world.advance(10_000);
    let batch: Vec<_> = claims(50)
        .iter()
        .map(|claim| done(claim.token, run))
        .collect();
    world.write(|t| t.complete(world.now(), &batch));
    let buckets = &told(world, &whole(world)).series[""];
    let mut twice = apart.clone();
    twice.merge(&apart);
    assert_eq!(sum(world), twice, "{buckets:?}");
}

fn queues_and_tasks_can_be_told_apart_and_picked(world: &World) {
    for (queue, task) in [("x", "a"), ("x", "b"), ("y", "a")] {
        let token = world.running(job_with(task, |spec| spec.queue = queue.into()));
        complete(world, token, run(world, 1, 1));
    }
    let done = |period: Period| -> Vec<(String, u64)> {
        let series = told(world, &period).series.into_iter();
        let done = |buckets: BTreeMap<_, Rollup>| buckets.values().map(|it| it.done).sum();
        series.map(|(name, it)| (name, done(it))).collect()
    };
    let of = |by, queue: Option<&str>, task: Option<&str>| {
        done(Period {
            by,
            queue: queue.map(Into::into),
            task: task.map(Into::into),
            ..whole(world)
        })
    };
    let pairs = |named: &[(&str, u64)]| -> Vec<(String, u64)> {
        named.iter().map(|(name, n)| ((*name).into(), *n)).collect()
    };
    assert_eq!(of(By::Queue, None, None), pairs(&[("x", 2), ("y", 1)]));
    assert_eq!(of(By::Task, None, None), pairs(&[("a", 2), ("b", 1)]));
    assert_eq!(of(By::Task, Some("x"), None), pairs(&[("a", 1), ("b", 1)]));
    assert_eq!(of(By::Nothing, None, Some("a")), pairs(&[("", 2)]));
    assert_eq!(of(By::Nothing, Some("z"), None), pairs(&[]));
}

fn only_the_period_counts(world: &World) {
    let begin = Millis(world.now().0.div_euclid(10_000) * 10_000);
    for _ in 0..6 {
        ran(world, "a", 0, 0);
        world.advance(10_000);
    }
    let period = Period {
        from: Millis(begin.0 + 20_000),
        to: Millis(begin.0 + 50_000),
        step: Duration::from_secs(20),
        ..Period::default()
    };
    let answer = told(world, &period);
    assert_eq!((answer.from, answer.step), (period.from, period.step));
    let done = answer.series[""].iter().map(|(at, it)| (at.0, it.done));
    let expected = [(begin.0 + 20_000, 2), (begin.0 + 40_000, 1)];
    assert_eq!(done.collect::<Vec<_>>(), expected);
}

fn by_hour(world: &World) -> Rollups {
    let period = Period {
        step: Duration::from_secs(3600),
        by: By::Task,
        ..whole(world)
    };
    told(world, &period)
}

fn folding_changes_nothing_that_an_hour_shows(world: &World) {
    for number in 0..60_u64 {
        for task in ["a", "b"] {
            ran(world, task, number * 50, number * number);
        }
        world.advance(7000);
    }
    let before = by_hour(world);
    for (hours, stretches) in [(0, 0), (3, 84), (3, 0), (60, 16), (60, 0)] {
        let later = world.later(hours * HOUR);
        let folded = world.write(|t| t.fold_rollups(later, 10_000));
        assert!(folded.abs_diff(stretches) <= 4, "{hours} h: {folded}");
        assert_eq!(by_hour(world).series, before.series, "{hours} h later");
    }
}

fn folding_takes_the_oldest_first_and_goes_on(world: &World) {
    for _ in 0..5 {
        ran(world, "a", 1, 1);
        world.advance(60_000);
    }
    let before = by_hour(world);
    let later = world.later(3 * HOUR);
    let portions: Vec<u32> = (0..4)
        .map(|_| world.write(|t| t.fold_rollups(later, 2)))
        .collect();
    assert_eq!(portions, [2, 2, 1, 0]);
    assert_eq!(by_hour(world).series, before.series);
}

fn after_ninety_days_all_is_forgotten(world: &World) {
    ran(world, "a", 1, 1);
    let later = world.later(91 * 24 * HOUR);
    let portions: Vec<u32> = (0..2)
        .map(|_| world.write(|t| t.fold_rollups(later, 100)))
        .collect();
    assert_eq!(portions, [3, 0], "through each tier and out");
    assert_eq!(told(world, &whole(world)).series, BTreeMap::new());
}

fn a_job_tells_when_its_last_attempt_began(world: &World) {
    let token = world.running(job("a"));
    assert_eq!(row(world, token.key).started_at, None);
    world.advance(1000);
    complete(world, token, run(world, 300, 600));
    let done = row(world, token.key);
    assert_eq!(done.started_at, Some(world.later(-600)));
    assert_eq!(done.claimed_at, Some(world.later(-1000)));

    let began = Some(run(world, 0, 50));
    let token = world.running(job("a"));
    world.write(|t| t.bury(world.now(), &[end(token, began)]));
    assert_eq!(row(world, token.key).started_at, Some(world.later(-50)));
    let token = world.running(job("a"));
    world.write(|t| t.bury_lost(world.now(), &[end(token, began)]));
    assert_eq!(row(world, token.key).started_at, Some(world.later(-50)));
    let token = world.running(job("a"));
    world.write(|t| t.abort(world.now(), &[end(token, began)]));
    assert_eq!(row(world, token.key).started_at, Some(world.later(-50)));
}

fn an_attempt_that_failed_tells_when_it_began(world: &World) {
    let token = world.running(job("a"));
    world.advance(500);
    retry(world, token, run(world, 0, 200));
    world.promote(1);
    let token = world.take().token;
    world.write(|t| t.lose(world.now(), &[end(token, Some(run(world, 0, 100)))]));
    let token = world.take().token;
    world.write(|t| t.lose(world.now(), &[end(token, None)]));
    let attempts = world.store().attempts(token.key).unwrap();
    let began: Vec<_> = attempts.iter().map(|attempt| attempt.started_at).collect();
    assert_eq!(
        began,
        [Some(world.later(-200)), Some(world.later(-100)), None]
    );
    assert_eq!(row(world, token.key).started_at, None, "it waits again");
}

fn every_lane_with_jobs_is_counted(world: &World) {
    let first = world.running(job("b"));
    world.insert(after("b", &[first.key]));
    world.insert(job_with("b", |spec| spec.delay = Duration::from_secs(9)));
    world.insert(job_with("a", |spec| spec.queue = "z".into()));
    let gone = world.insert(job("c"));
    assert!(world.write(|t| t.cancel(world.now(), gone)));
    assert_eq!(world.write(|t| t.prune(&[gone])), 1);
    let census = world.store().census().unwrap();
    let names: Vec<_> = census
        .iter()
        .map(|it| (it.queue.as_str(), it.task.as_str()))
        .collect();
    assert_eq!(names, [("default", "b"), ("z", "a")]);
    assert_eq!(census[0].counts, [1, 1, 0, 1, 0, 0, 0]);
    assert_eq!(census[1].of(State::Pending), 1);
}

/// Stores a job in a queue, a second after what was before.
fn arrive(world: &World, queue: &str) {
    world.advance(1000);
    world.insert(job_with("a", |spec| spec.queue = queue.into()));
}

fn arrivals(world: &World, since: Millis, cap: u32) -> Arrivals {
    world.store().arrivals(since, cap).unwrap()
}

fn arrivals_are_counted_by_queue_and_since_an_instant(world: &World) {
    assert_eq!(arrivals(world, Millis(0), 9).queues, []);
    for queue in ["late", "x", "y", "x"] {
        arrive(world, queue);
    }
    let all = arrivals(world, Millis(0), 9);
    let counted: Vec<_> = all.queues.iter().map(|(of, n)| (of.as_str(), *n)).collect();
    assert_eq!(counted, [("late", 1), ("x", 2), ("y", 1)]);
    assert_eq!(all.since, Millis(0));
    let last = arrivals(world, world.later(-1000), 9);
    assert_eq!(last.queues, [("x".into(), 1), ("y".into(), 1)]);
    assert_eq!(last.since, world.later(-1000));
}

fn of_many_arrivals_the_newest_are_counted(world: &World) {
    for queue in ["x", "y", "y", "x"] {
        arrive(world, queue);
    }
    let newest = arrivals(world, Millis(0), 3);
    assert_eq!(newest.queues, [("x".into(), 1), ("y".into(), 2)]);
    assert_eq!(newest.since, world.later(-2000));
}

fn position(world: &World, job: Key) -> Option<u32> {
    world.store().position(job, u32::MAX).unwrap()
}

fn the_position_is_that_in_the_running_order(world: &World) {
    let mut keys = Vec::new();
    for (task, priority) in [("a", 0), ("b", 5), ("a", 5), ("a", 0), ("b", -1), ("b", 0)] {
        keys.push(world.insert(job_with(task, |spec| spec.priority = priority)));
        world.advance(10);
    }
    let positions =
        |keys: &[Key]| -> Vec<_> { keys.iter().map(|it| position(world, *it)).collect() };
    let told = positions(&keys);
    let order = world.claimed(Hunger::endless());
    let expected: Vec<_> = keys
        .iter()
        .map(|key| order.iter().position(|it| it == key))
        .map(|place| place.map(|place| u32::try_from(place).unwrap()))
        .collect();
    assert_eq!(told, expected);
}

fn a_position_is_capped(world: &World) {
    for task in ["a", "b", "a", "b"] {
        world.insert(job(task));
    }
    let last = world.insert(job("a"));
    for (cap, told) in [(0, 0), (1, 1), (3, 3), (4, 4), (9, 4)] {
        assert_eq!(world.store().position(last, cap).unwrap(), Some(told));
    }
}

fn only_pending_jobs_have_a_position(world: &World) {
    let running = world.running(job("a")).key;
    let blocked = world.insert(after("a", &[running]));
    let scheduled = world.insert(job_with("a", |spec| spec.delay = Duration::from_secs(9)));
    for key in [running, blocked, scheduled, NOBODY] {
        assert_eq!(position(world, key), None);
    }
}

fn scheduled_jobs_are_told_apart_by_what_they_wait_for(world: &World) {
    let delayed = || world.store().delayed(world.now(), 100).unwrap();
    let nobody = Delayed {
        is_whole: true,
        ..Delayed::default()
    };
    assert_eq!(delayed(), nobody);
    world.insert(job("a"));
    for delay in [500, 9000] {
        world.insert(job_with("a", |spec| {
            spec.delay = Duration::from_millis(delay);
        }));
    }
    for wait in [2000, 1000] {
        let token = world.take().token;
        assert_applied(world.retry(token, "e", world.later(wait)));
        world.insert(job("a"));
    }
    let rested = world.take().token;
    assert_applied(world.snooze(rested, world.later(400)));
    let told = Delayed {
        retrying: 2,
        next_retry: Some(world.later(1000)),
        ..nobody.clone()
    };
    assert_eq!(delayed(), told, "who snoozed did not fail");
    let next_retry = Some(world.later(2000));
    world.advance(1000);
    let told = Delayed {
        due: BTreeMap::from([("default".into(), 3)]),
        retrying: 1,
        next_retry,
        ..nobody
    };
    assert_eq!(delayed(), told, "no worker promotes them");
    world.promote(100);
    let due = BTreeMap::new();
    assert_eq!(delayed(), Delayed { due, ..told });
}

fn scheduled_jobs_are_counted_up_to_a_cap(world: &World) {
    for _ in 0..3 {
        let token = world.running(job("a"));
        assert_applied(world.retry(token, "e", world.later(1000)));
    }
    let whole = |cap| world.store().delayed(world.now(), cap).unwrap().is_whole;
    assert_eq!([3, 4].map(whole), [false, true]);
    world.advance(1000);
    assert_eq!([3, 4].map(whole), [false, true]);
    let due = world.store().delayed(world.now(), 2).unwrap().due;
    assert_eq!(due["default"], 2);
}

fn deaths_are_counted_from_an_instant_on(world: &World) {
    let deaths = |since, cap| world.store().deaths(since, cap).unwrap();
    let noon = world.later(1000);
    for _ in 0..3 {
        assert_applied(world.bury(world.running(job("a")), "e"));
        world.advance(1000);
    }
    assert_eq!(
        [Millis(0), noon, world.now()].map(|at| deaths(at, 9)),
        [3, 2, 0]
    );
    assert_eq!(deaths(Millis(0), 2), 2);
    world.revive(world.letters()[0].key);
    assert_eq!(deaths(noon, 9), 1, "those that are left");
}

fn other_queues_and_lines_do_not_count(world: &World) {
    let keyed = |key: &str| job_with("a", |spec| spec.limit_key = Some(key.into()));
    world.insert(job_with("a", |spec| spec.queue = "other".into()));
    world.insert(keyed("k"));
    world.insert(keyed("l"));
    world.insert(job("a"));
    let plain = world.insert(job("b"));
    let keyed = world.insert(keyed("k"));
    assert_eq!(position(world, plain), Some(1));
    assert_eq!(
        position(world, keyed),
        Some(3),
        "two plain ones, one of its key"
    );
}

fn next(world: &World, limit: u32) -> Vec<Key> {
    let next = world.store().next_jobs("default", world.now(), limit);
    next.unwrap().iter().map(|job| job.key).collect()
}

fn those_who_are_next_come_in_the_order_of_claims(world: &World) {
    let lost = world.running(job_with("a", |spec| spec.priority = 3));
    for (task, priority, delay, key) in [
        ("a", 0, 0, None),
        ("b", 5, 0, None),
        ("a", 5, 0, Some("k")),
        ("a", 0, 0, Some("k")),
        ("b", 0, 0, Some("l")),
        ("b", -1, 0, None),
        ("a", 0, 35, None),
        ("b", 7, 20, Some("m")),
        ("a", 9, 9000, None),
        ("b", 0, 0, None),
    ] {
        world.insert(job_with(task, |spec| {
            spec.priority = priority;
            spec.delay = Duration::from_millis(delay);
            spec.limit_key = key.map(String::from);
        }));
        world.advance(10);
    }
    assert_applied(world.lose(lost, "gone"));
    let told = next(world, 100);
    assert_eq!(world.promote(100), 2);
    assert_eq!(
        next(world, 100),
        told,
        "what is due does not wait to be promoted"
    );
    assert_eq!(told, world.claimed(Hunger::endless()));
    assert_eq!(told.len(), 10);
}

fn those_who_are_next_are_of_one_queue_and_no_more_than_asked(world: &World) {
    let keys: Vec<Key> = ["a", "b", "a"].map(|task| world.insert(job(task))).into();
    world.insert(job_with("a", |spec| spec.queue = "other".into()));
    assert_eq!(next(world, 9), keys);
    assert_eq!(next(world, 2), keys[..2]);
    assert_eq!(next(world, 0), []);
}

fn who_may_not_start_any_more_is_not_next(world: &World) {
    world.insert(job_with("a", |spec| {
        spec.expires = Some(Duration::from_secs(1));
    }));
    let other = world.insert(job("a"));
    world.advance(1000);
    assert_eq!(next(world, 9), [other]);
    assert_eq!(world.claimed(Hunger::endless()), [other]);
}
