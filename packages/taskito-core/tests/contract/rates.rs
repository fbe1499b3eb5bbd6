//! How fast jobs start: of a task, a limit key, a queue.

use taskito_core::id::Key;
use taskito_core::job::NewJob;
use taskito_core::limits::{Limit, QueueChange, TaskLimits};
use taskito_core::rate::Rate;
use taskito_core::store::Start;

use crate::support::{Hunger, job, job_with};
use crate::world::{World, assert_applied};

contract![
    jobs_of_a_task_start_no_faster_than_it_says,
    a_rate_counts_starts_and_not_what_became_of_them,
    every_attempt_takes_a_token,
    the_rate_of_a_task_counts_all_queues,
    a_task_without_tokens_holds_nobody_else_back,
    each_key_has_tokens_of_its_own,
    many_keys_open_as_their_tokens_come,
    jobs_without_a_key_share_tokens_that_keys_do_not_touch,
    a_key_keeps_its_count_when_none_of_its_jobs_waits,
    jobs_of_a_queue_start_no_faster_than_is_set,
    a_token_is_taken_only_by_what_starts,
    the_newest_settings_are_in_force_at_once,
    a_claim_that_never_started_gives_its_token_back,
    a_claim_that_never_started_gives_the_token_of_its_key_back,
    a_claim_that_never_started_gives_the_token_of_its_queue_back,
    whoever_is_held_back_is_told_when_the_next_token_comes,
    whoever_is_held_back_by_keys_is_told_when_the_first_token_comes,
    jobs_that_take_a_token_start_at_once,
    a_clock_that_was_set_back_does_not_keep_a_task_closed,
];

fn rate(text: &str) -> Rate {
    Rate::parse(text).unwrap()
}

fn at_rate(text: &str) -> TaskLimits {
    TaskLimits {
        limit: Limit {
            rate: Some(rate(text)),
            max_concurrent: None,
        },
        breaker: None,
    }
}

/// Wants everything, with a rate for jobs of the task `a`.
fn hunger(text: &str) -> Hunger {
    Hunger::endless().limit("a", at_rate(text))
}

fn keyed(task: &str, key: &str) -> NewJob {
    job_with(task, |spec| spec.limit_key = Some(key.into()))
}

fn in_queue(queue: &str, task: &str) -> NewJob {
    job_with(task, |spec| spec.queue = queue.into())
}

fn insert_all(world: &World, jobs: &[NewJob]) -> Vec<Key> {
    let inserted = world.insert_all(jobs);
    inserted.iter().map(|answer| answer.key).collect()
}

fn jobs_of_a_task_start_no_faster_than_it_says(world: &World) {
    let keys = insert_all(world, &vec![job("a"); 5]);
    assert_eq!(world.claimed(hunger("2/s")), keys[..2]);
    world.advance(499);
    assert_eq!(world.claimed(hunger("2/s")), []);
    world.advance(1);
    assert_eq!(world.claimed(hunger("2/s")), keys[2..3]);
    world.advance(60_000);
    assert_eq!(world.claimed(hunger("2/s")), keys[3..]);
}

fn a_rate_counts_starts_and_not_what_became_of_them(world: &World) {
    let keys = insert_all(world, &vec![job("a"); 2]);
    let claim = world.claim(&mut hunger("1/s")).remove(0);
    assert_applied(world.complete(claim.token, b"r"));
    assert_eq!(world.claimed(hunger("1/s")), []);
    world.advance(1000);
    assert_eq!(world.claimed(hunger("1/s")), keys[1..]);
}

fn every_attempt_takes_a_token(world: &World) {
    for job in [job("a"), keyed("a", "k")] {
        let key = world.insert(job);
        let claim = world.claim(&mut hunger("1/s")).remove(0);
        assert_applied(world.retry(claim.token, "e", world.later(100)));
        world.advance(100);
        assert_eq!(world.promote(9), 1);
        assert_eq!(world.claimed(hunger("1/s")), []);
        world.advance(900);
        assert_eq!(world.claimed(hunger("1/s")), [key]);
        world.advance(9000);
    }
}

fn the_rate_of_a_task_counts_all_queues(world: &World) {
    let [x, y] = ["x", "y"].map(|queue| world.insert(in_queue(queue, "a")));
    assert_eq!(world.claimed(hunger("1/s")), [x]);
    assert_eq!(world.claimed(hunger("1/s")), []);
    world.advance(1000);
    assert_eq!(world.claimed(hunger("1/s")), [y]);
}

fn a_task_without_tokens_holds_nobody_else_back(world: &World) {
    let urgent = job_with("a", |spec| spec.priority = 100);
    let keys = insert_all(world, &vec![urgent; 100]);
    let other = world.insert(job("b"));
    assert_eq!(world.claimed(hunger("1/h")), [keys[0], other]);
}

fn each_key_has_tokens_of_its_own(world: &World) {
    let jobs = ["k", "k", "l", "l"].map(|key| keyed("a", key));
    let keys = insert_all(world, &jobs);
    assert_eq!(world.claimed(hunger("1/s")), [keys[0], keys[2]]);
    world.advance(999);
    assert_eq!(world.claimed(hunger("1/s")), []);
    world.advance(1);
    assert_eq!(world.claimed(hunger("1/s")), [keys[1], keys[3]]);
}

fn many_keys_open_as_their_tokens_come(world: &World) {
    let mut firsts = Vec::new();
    let mut seconds = Vec::new();
    for number in 0..50 {
        let key = number.to_string();
        firsts.push(world.insert(keyed("a", &key)));
        seconds.push(world.insert(keyed("a", &key)));
        assert_eq!(world.claimed(hunger("1/s")), firsts[number..]);
        world.advance(1);
    }
    world.advance(950);
    for second in seconds {
        assert_eq!(world.claimed(hunger("1/s")), [second]);
        world.advance(1);
    }
}

fn jobs_without_a_key_share_tokens_that_keys_do_not_touch(world: &World) {
    let keys = insert_all(
        world,
        &[keyed("a", "k"), job("a"), job("a"), keyed("a", "l")],
    );
    assert_eq!(world.claimed(hunger("1/s")), [keys[0], keys[1], keys[3]]);
    world.advance(1000);
    assert_eq!(world.claimed(hunger("1/s")), [keys[2]]);
}

fn a_key_keeps_its_count_when_none_of_its_jobs_waits(world: &World) {
    world.insert(keyed("a", "k"));
    let claim = world.claim(&mut hunger("1/s")).remove(0);
    assert_applied(world.complete(claim.token, b"r"));
    // Others come and go meanwhile.
    for number in 0..20 {
        world.insert(keyed("a", &format!("other-{number}")));
    }
    assert_eq!(world.claimed(hunger("1/s")).len(), 20);
    let again = world.insert(keyed("a", "k"));
    assert_eq!(world.claimed(hunger("1/s")), []);
    world.advance(1000);
    assert_eq!(world.claimed(hunger("1/s")), [again]);
}

fn jobs_of_a_queue_start_no_faster_than_is_set(world: &World) {
    world.set_queue("x", &QueueChange::Rate(Some(rate("1/s"))));
    let keys = insert_all(world, &[in_queue("x", "a"), in_queue("x", "b"), job("a")]);
    assert_eq!(world.claimed(Hunger::endless()).len(), 2);
    assert_eq!(world.claimed(Hunger::endless()), []);
    world.advance(1000);
    assert_eq!(world.claimed(Hunger::endless()), [keys[1]]);
}

fn a_token_is_taken_only_by_what_starts(world: &World) {
    let keys = insert_all(world, &[job("a"), job("a")]);
    assert_eq!(world.claimed(Hunger::of(0).limit("a", at_rate("1/s"))), []);
    world.set_queue("default", &QueueChange::Pause);
    assert_eq!(world.claimed(hunger("1/s")), []);
    world.set_queue("default", &QueueChange::Resume);
    let expired = world.insert(job_with("a", |spec| {
        spec.priority = 9;
        spec.expires = Some(std::time::Duration::ZERO);
    }));
    assert_eq!(world.claimed(hunger("1/s")), keys[..1]);
    assert!(world.row(expired).finished_at.is_some());
}

fn the_newest_settings_are_in_force_at_once(world: &World) {
    let keys = insert_all(world, &vec![job("a"); 3]);
    assert_eq!(world.claimed(hunger("1/d")), keys[..1]);
    assert_eq!(world.claimed(hunger("10/s")), []);
    world.advance(100);
    assert_eq!(world.claimed(hunger("10/s")), keys[1..2]);
    assert_eq!(world.claimed(Hunger::endless()), keys[2..]);
}

fn a_claim_that_never_started_gives_its_token_back(world: &World) {
    world.insert(job("a"));
    let claim = world.claim(&mut hunger("1/h")).remove(0);
    assert_applied(world.hand_back(claim.token));
    assert_eq!(world.claimed(hunger("1/h")), []);
    world.put_back_tokens(claim.token);
    assert_eq!(world.claimed(hunger("1/h")), [claim.token.key]);
}

fn a_claim_that_never_started_gives_the_token_of_its_key_back(world: &World) {
    let jobs = [keyed("a", "k"), keyed("a", "k"), job("a"), job("a")];
    let keys = insert_all(world, &jobs);
    let claim = world.claim(&mut hunger("1/h")).remove(0);
    assert_eq!(claim.token.key, keys[0]);
    assert_eq!(world.claimed(hunger("1/h")), []);
    assert_applied(world.hand_back(claim.token));
    world.put_back_tokens(claim.token);
    assert_eq!(world.claimed(hunger("1/h")), [keys[0]]);
}

fn a_claim_that_never_started_gives_the_token_of_its_queue_back(world: &World) {
    world.set_queue("default", &QueueChange::Rate(Some(rate("1/h"))));
    world.insert(job("b"));
    let token = world.take().token;
    assert_applied(world.hand_back(token));
    assert_eq!(world.claimed(Hunger::endless()), []);
    world.put_back_tokens(token);
    assert_eq!(world.claimed(Hunger::endless()), [token.key]);
}

fn whoever_is_held_back_is_told_when_the_next_token_comes(world: &World) {
    insert_all(world, &vec![job("a"); 2]);
    let mut hungry = hunger("4/m");
    world.advance(-1);
    world.claim(&mut Hunger::of(1).limit("a", at_rate("1/m")));
    assert_eq!(world.claim(&mut hunger("1/m")).len(), 0);
    let mut again = hunger("1/m");
    assert!(
        !world
            .store()
            .has_prospects(world.now(), &mut again)
            .unwrap()
    );
    assert_eq!(again.opens_at, Some(world.later(60_000)));
    assert!(!again.held_back);
    world.claim(&mut again);
    assert_eq!(again.opens_at, Some(world.later(60_000)));
    assert!(
        world
            .store()
            .has_prospects(world.later(60_000), &mut hungry)
            .unwrap()
    );
}

fn whoever_is_held_back_by_keys_is_told_when_the_first_token_comes(world: &World) {
    insert_all(world, &[keyed("a", "k"), keyed("a", "k")]);
    assert_eq!(world.claimed(hunger("1/s")).len(), 1);
    world.advance(300);
    insert_all(world, &[keyed("a", "l"), keyed("a", "l")]);
    let mut hungry = hunger("1/s");
    assert_eq!(world.claim(&mut hungry).len(), 1);
    assert_eq!(hungry.opens_at, Some(world.later(700)));
    let mut again = hunger("1/s");
    assert!(
        !world
            .store()
            .has_prospects(world.now(), &mut again)
            .unwrap()
    );
    assert_eq!(again.opens_at, Some(world.later(700)));
}

fn jobs_that_take_a_token_start_at_once(world: &World) {
    world.set_queue("x", &QueueChange::Rate(Some(rate("9/s"))));
    let jobs = [job("a"), job("b"), in_queue("x", "b"), keyed("a", "k")];
    insert_all(world, &jobs);
    let mut hungry = hunger("9/s");
    world.claim(&mut hungry);
    let start = |(task, start): (&String, &Start)| match (task.as_str(), start) {
        ("a", Start::AtOnce) => 1,
        ("b", Start::AtOnce) => 10,
        ("b", Start::Soon) => 100,
        other => panic!("{other:?}"),
    };
    let starts: i32 = hungry.asked.iter().zip(&hungry.starts).map(start).sum();
    assert_eq!(starts, 112);
}

fn a_clock_that_was_set_back_does_not_keep_a_task_closed(world: &World) {
    let keys = insert_all(world, &vec![job("a"); 2]);
    world.advance(3_600_000);
    assert_eq!(world.claimed(hunger("1/s")), keys[..1]);
    world.advance(-3_600_000);
    assert_eq!(world.claimed(hunger("1/s")), []);
    world.advance(1000);
    assert_eq!(world.claimed(hunger("1/s")), keys[1..]);
}
