//! How many jobs run at once: of a task, a limit key, a group, a queue. Long, as every scope has
//! the same laws.

use taskito_core::id::Key;
use taskito_core::job::{NewJob, Token};
use taskito_core::limits::{Limit, QueueChange, TaskLimits};
use taskito_core::links::{Group, Links};
use taskito_core::state::State;
use taskito_core::store::Completion;

use crate::support::{Hunger, job, job_with, tied};
use crate::world::{World, assert_applied};

contract![
    no_more_jobs_of_a_task_run_than_it_says,
    a_job_that_ends_makes_room_however_it_ends,
    the_limit_of_a_task_counts_all_queues,
    the_limit_of_a_task_counts_what_other_claims_took,
    a_full_task_holds_nobody_else_back_whatever_the_priorities,
    what_is_held_back_keeps_its_place,
    each_key_has_a_count_of_its_own,
    jobs_without_a_key_share_a_count_that_keys_do_not_touch,
    a_key_is_counted_over_all_queues,
    the_same_key_of_two_tasks_are_two,
    the_empty_text_is_a_key,
    a_key_limits_nothing_when_its_task_has_no_limit,
    a_full_key_holds_no_other_key_back,
    the_head_of_a_key_is_its_best_job,
    jobs_of_different_keys_run_in_the_order_of_the_queue,
    a_key_that_is_full_in_one_queue_is_full_in_the_other,
    a_job_waits_for_its_key_also_after_a_retry,
    a_lost_job_waits_for_its_key_like_any_other,
    no_more_members_of_a_group_run_than_it_says,
    the_group_counts_members_of_all_tasks_and_queues,
    two_groups_do_not_count_each_other,
    an_inner_group_is_limited_by_both,
    a_member_with_a_key_needs_both,
    when_two_slots_of_a_group_are_free_two_members_start,
    a_member_that_is_cancelled_lets_the_next_one_in,
    a_member_with_a_higher_priority_that_comes_later_goes_first,
    a_member_held_back_by_its_key_lets_the_others_of_its_group_in,
    a_closed_queue_does_not_take_the_slot_of_a_key,
    a_group_whose_members_have_ended_is_forgotten,
    no_more_jobs_of_a_queue_run_than_is_set,
    the_limit_of_a_queue_counts_jobs_that_ran_before_it_was_set,
    taking_the_limit_of_a_queue_away_opens_it,
    all_limits_must_let_a_job_start,
    whoever_is_held_back_is_told_to_wait_for_an_end,
];

/// At most so many at once.
fn most(count: u32) -> TaskLimits {
    TaskLimits {
        limit: Limit {
            rate: None,
            max_concurrent: Some(count),
        },
        breaker: None,
    }
}

/// Wants everything, with a limit on jobs of the task `a`.
fn hunger(count: u32) -> Hunger {
    Hunger::endless().limit("a", most(count))
}

fn keyed(task: &str, key: &str) -> NewJob {
    job_with(task, |spec| spec.limit_key = Some(key.into()))
}

fn keyed_in(queue: &str, task: &str, key: &str) -> NewJob {
    job_with(task, |spec| {
        spec.queue = queue.into();
        spec.limit_key = Some(key.into());
    })
}

fn in_queue(queue: &str, task: &str) -> NewJob {
    job_with(task, |spec| spec.queue = queue.into())
}

fn with_priority(job: &NewJob, priority: i32) -> NewJob {
    let mut spec = (*job.spec).clone();
    spec.priority = priority;
    NewJob {
        spec: spec.into(),
        ..job.clone()
    }
}

/// The same job as a member of these groups, the outermost first.
fn member(job: NewJob, groups: &[(u32, u32)]) -> NewJob {
    let group = |&(number, limit): &(u32, u32)| Group { number, limit };
    let links = Links {
        groups: groups.iter().map(group).collect(),
        ..Links::default()
    };
    NewJob {
        links: tied("any", links).links,
        ..job
    }
}

fn insert_all(world: &World, jobs: &[NewJob]) -> Vec<Key> {
    let inserted = world.insert_all(jobs);
    inserted.iter().map(|answer| answer.key).collect()
}

/// Ends the newest claim of a job.
fn finish(world: &World, job: Key) {
    let held = world.held(world.worker());
    let held = held.iter().find(|held| held.token.key == job).unwrap();
    assert_applied(world.complete(held.token, b"r"));
}

fn no_more_jobs_of_a_task_run_than_it_says(world: &World) {
    let keys = insert_all(world, &vec![job("a"); 5]);
    assert_eq!(world.claimed(hunger(2)), keys[..2]);
    assert_eq!(world.claimed(hunger(2)), []);
    finish(world, keys[0]);
    assert_eq!(world.claimed(hunger(2)), keys[2..3]);
}

/// A way in which a claim ends.
type End<'e> = dyn Fn(&World, Token) + 'e;

fn a_job_that_ends_makes_room_however_it_ends(world: &World) {
    let later = world.later(60_000);
    let ends: [&End<'_>; 8] = [
        &|world, token| assert_applied(world.complete(token, b"r")),
        &|world, token| assert_applied(world.retry(token, "e", later)),
        &|world, token| assert_applied(world.snooze(token, later)),
        &|world, token| assert_applied(world.abort(token, "e")),
        &|world, token| assert_applied(world.bury(token, "e")),
        &|world, token| assert_applied(world.bury_lost(token, "e")),
        &|world, token| {
            assert_applied(world.lose(token, "e"));
            assert!(world.cancel(token.key));
        },
        &|world, token| {
            assert_applied(world.hand_back(token));
            assert!(world.cancel(token.key));
        },
    ];
    for make in [job("a"), keyed("a", "k"), member(job("a"), &[(1, 1)])] {
        for end in ends {
            let [first, second] = insert_all(world, &[make.clone(), make.clone()])[..] else {
                unreachable!("two were inserted");
            };
            let claim = world.claim(&mut hunger(1)).remove(0);
            assert_eq!(claim.token.key, first);
            assert_eq!(world.claimed(hunger(1)), []);
            end(world, claim.token);
            assert_eq!(world.claimed(hunger(1)), [second]);
            finish(world, second);
        }
    }
}

fn the_limit_of_a_task_counts_all_queues(world: &World) {
    let [x, y] = [in_queue("x", "a"), in_queue("y", "a")].map(|job| world.insert(job));
    assert_eq!(world.claimed(hunger(1)), [x]);
    assert_eq!(world.claimed(hunger(1)), []);
    finish(world, x);
    assert_eq!(world.claimed(hunger(1)), [y]);
}

fn the_limit_of_a_task_counts_what_other_claims_took(world: &World) {
    let keys = insert_all(world, &vec![job("a"); 3]);
    assert_eq!(world.claimed(Hunger::of(2)), keys[..2]);
    assert_eq!(world.claimed(hunger(2)), []);
    assert_eq!(world.claimed(hunger(3)), keys[2..]);
}

fn a_full_task_holds_nobody_else_back_whatever_the_priorities(world: &World) {
    let urgent = with_priority(&job("a"), 100);
    let keys = insert_all(world, &vec![urgent; 100]);
    let other = world.insert(with_priority(&job("b"), -100));
    assert_eq!(world.claimed(hunger(1)), [keys[0], other]);
}

fn what_is_held_back_keeps_its_place(world: &World) {
    let [first, second] = [job("a"), job("a")].map(|job| world.insert(job));
    world.claimed(hunger(1));
    let before = world.row(second);
    world.advance(5000);
    assert_eq!(world.claimed(hunger(1)), []);
    assert_eq!(world.row(second), before);
    let third = world.insert(job("a"));
    finish(world, first);
    assert_eq!(world.claimed(hunger(2)), [second, third]);
}

fn each_key_has_a_count_of_its_own(world: &World) {
    let jobs = ["k", "k", "l", "l"].map(|key| keyed("a", key));
    let keys = insert_all(world, &jobs);
    assert_eq!(world.claimed(hunger(1)), [keys[0], keys[2]]);
    assert_eq!(world.claimed(hunger(1)), []);
    finish(world, keys[2]);
    assert_eq!(world.claimed(hunger(1)), [keys[3]]);
    finish(world, keys[0]);
    assert_eq!(world.claimed(hunger(1)), [keys[1]]);
}

fn jobs_without_a_key_share_a_count_that_keys_do_not_touch(world: &World) {
    let keys = insert_all(
        world,
        &[keyed("a", "k"), job("a"), job("a"), keyed("a", "l")],
    );
    assert_eq!(world.claimed(hunger(1)), [keys[0], keys[1], keys[3]]);
    assert_eq!(world.claimed(hunger(1)), []);
    finish(world, keys[1]);
    assert_eq!(world.claimed(hunger(1)), [keys[2]]);
}

fn a_key_is_counted_over_all_queues(world: &World) {
    let [x, y] = ["x", "y"].map(|queue| world.insert(keyed_in(queue, "a", "k")));
    assert_eq!(world.claimed(hunger(1)), [x]);
    assert_eq!(world.claimed(hunger(1)), []);
    finish(world, x);
    assert_eq!(world.claimed(hunger(1)), [y]);
}

fn the_same_key_of_two_tasks_are_two(world: &World) {
    let keys = insert_all(world, &[keyed("a", "k"), keyed("b", "k"), keyed("b", "k")]);
    let both = hunger(1).limit("b", most(1));
    assert_eq!(world.claimed(both.clone()), keys[..2]);
    assert_eq!(world.claimed(both), []);
}

fn the_empty_text_is_a_key(world: &World) {
    let keys = insert_all(world, &[keyed("a", ""), keyed("a", ""), job("a")]);
    assert_eq!(world.claimed(hunger(1)), [keys[0], keys[2]]);
}

fn a_key_limits_nothing_when_its_task_has_no_limit(world: &World) {
    let keys = insert_all(world, &vec![keyed("a", "k"); 3]);
    assert_eq!(world.claimed(Hunger::endless()), keys);
}

fn a_full_key_holds_no_other_key_back(world: &World) {
    let urgent = with_priority(&keyed("a", "k"), 100);
    let keys = insert_all(world, &vec![urgent; 100]);
    let other = world.insert(with_priority(&keyed("a", "l"), -100));
    let plain = world.insert(with_priority(&job("a"), -200));
    assert_eq!(world.claimed(hunger(1)), [keys[0], other, plain]);
}

fn the_head_of_a_key_is_its_best_job(world: &World) {
    let [low, high] =
        [0, 7].map(|priority| world.insert(with_priority(&keyed("a", "k"), priority)));
    assert_eq!(world.claimed(hunger(1)), [high]);
    let higher = world.insert(with_priority(&keyed("a", "k"), 9));
    finish(world, high);
    assert_eq!(world.claimed(hunger(1)), [higher]);
    finish(world, higher);
    assert_eq!(world.claimed(hunger(1)), [low]);
}

fn jobs_of_different_keys_run_in_the_order_of_the_queue(world: &World) {
    let jobs = [("k", 1), ("l", 3), ("k", 2), ("m", 0)];
    let jobs = jobs.map(|(key, priority)| with_priority(&keyed("a", key), priority));
    let keys = insert_all(world, &jobs);
    let plain = world.insert(with_priority(&job("a"), 2));
    let order = [keys[1], keys[2], plain, keys[0], keys[3]];
    assert_eq!(world.claimed(hunger(9)), order);
}

fn a_key_that_is_full_in_one_queue_is_full_in_the_other(world: &World) {
    let x = world.insert(keyed_in("x", "a", "k"));
    let y = insert_all(world, &vec![keyed_in("y", "a", "k"); 3]);
    assert_eq!(world.claimed(hunger(2)), [x, y[0]]);
    let other = world.insert(keyed_in("y", "a", "l"));
    assert_eq!(world.claimed(hunger(2)), [other]);
}

fn a_job_waits_for_its_key_also_after_a_retry(world: &World) {
    let [first, second] = [keyed("a", "k"), keyed("a", "k")].map(|job| world.insert(job));
    let claim = world.claim(&mut hunger(1)).remove(0);
    assert_applied(world.retry(claim.token, "e", world.later(100)));
    assert_eq!(world.claimed(hunger(1)), [second]);
    world.advance(100);
    world.promote(9);
    assert_eq!(world.claimed(hunger(1)), []);
    finish(world, second);
    assert_eq!(world.claimed(hunger(1)), [first]);
}

fn a_lost_job_waits_for_its_key_like_any_other(world: &World) {
    let [lost, other] = [keyed("a", "k"), keyed("a", "k")].map(|job| world.insert(job));
    let claim = world.claim(&mut hunger(1)).remove(0);
    assert_applied(world.lose(claim.token, "e"));
    assert_eq!(world.claimed(hunger(1).suspects(0)), [other]);
    assert_eq!(world.claimed(hunger(1)), []);
    finish(world, other);
    assert_eq!(world.claimed(hunger(1)), [lost]);
    let next = world.insert(keyed("a", "k"));
    assert_eq!(world.claimed(hunger(1)), []);
    finish(world, lost);
    assert_eq!(world.claimed(hunger(1)), [next]);
}

fn no_more_members_of_a_group_run_than_it_says(world: &World) {
    let keys = insert_all(world, &vec![member(job("b"), &[(1, 2)]); 4]);
    assert_eq!(world.claimed(Hunger::endless()), keys[..2]);
    assert_eq!(world.claimed(Hunger::endless()), []);
    finish(world, keys[1]);
    assert_eq!(world.claimed(Hunger::endless()), keys[2..3]);
}

fn the_group_counts_members_of_all_tasks_and_queues(world: &World) {
    let jobs = [in_queue("x", "a"), in_queue("y", "b"), keyed("c", "k")];
    let keys = insert_all(world, &jobs.map(|job| member(job, &[(1, 1)])));
    for _ in 0..3 {
        let claimed = world.claimed(Hunger::endless());
        assert_eq!(claimed.len(), 1);
        assert_eq!(world.claimed(Hunger::endless()), []);
        finish(world, claimed[0]);
    }
    assert!(keys.iter().all(|key| world.state(*key) == State::Complete));
}

fn two_groups_do_not_count_each_other(world: &World) {
    let one = insert_all(world, &vec![member(job("b"), &[(1, 1)]); 2]);
    let other = insert_all(world, &vec![member(job("b"), &[(1, 1)]); 2]);
    assert_eq!(world.claimed(Hunger::endless()), [one[0], other[0]]);
}

fn an_inner_group_is_limited_by_both(world: &World) {
    let inner = member(job("b"), &[(1, 2), (2, 1)]);
    let outer = member(job("b"), &[(1, 2)]);
    let keys = insert_all(world, &[inner.clone(), inner, outer.clone(), outer]);
    assert_eq!(world.claimed(Hunger::endless()), [keys[0], keys[2]]);
    finish(world, keys[2]);
    assert_eq!(world.claimed(Hunger::endless()), [keys[3]]);
    finish(world, keys[0]);
    assert_eq!(world.claimed(Hunger::endless()), [keys[1]]);
}

fn a_member_with_a_key_needs_both(world: &World) {
    let alone = world.insert(keyed("a", "k"));
    assert_eq!(world.claimed(hunger(1)), [alone]);
    let jobs = ["k", "l", "m"].map(|key| member(keyed("a", key), &[(1, 1)]));
    let keys = insert_all(world, &jobs);
    assert_eq!(world.claimed(hunger(1)), [keys[1]]);
    finish(world, alone);
    assert_eq!(world.claimed(hunger(1)), []);
    finish(world, keys[1]);
    assert_eq!(world.claimed(hunger(1)), [keys[0]]);
}

fn when_two_slots_of_a_group_are_free_two_members_start(world: &World) {
    let jobs = ["k", "l", "m", "n"].map(|key| member(keyed("a", key), &[(1, 2)]));
    let keys = insert_all(world, &jobs);
    let claims = world.claim(&mut hunger(1));
    assert_eq!(claims.len(), 2);
    assert_eq!(world.claimed(hunger(1)), []);
    let ends: Vec<Completion<'_>> = claims
        .iter()
        .map(|claim| Completion {
            preview: None,
            token: claim.token,
            result: b"r",
            run: taskito_core::rollup::Run::default(),
        })
        .collect();
    world.write(|t| t.complete(world.now(), &ends));
    assert_eq!(world.claimed(hunger(1)), keys[2..]);
}

fn a_member_that_is_cancelled_lets_the_next_one_in(world: &World) {
    let jobs = ["k", "l", "m"].map(|key| member(keyed("a", key), &[(1, 1)]));
    let keys = insert_all(world, &jobs);
    assert_eq!(world.claimed(hunger(1)), keys[..1]);
    assert_eq!(world.claimed(hunger(1)), []);
    finish(world, keys[0]);
    assert!(world.cancel(keys[1]));
    assert_eq!(world.claimed(hunger(1)), keys[2..]);
}

fn a_member_with_a_higher_priority_that_comes_later_goes_first(world: &World) {
    let jobs = ["k", "l", "m"].map(|key| member(keyed("a", key), &[(1, 1)]));
    let late = member(
        job_with("a", |spec| {
            spec.limit_key = Some("m".into());
            spec.priority = 9;
            spec.delay = std::time::Duration::from_secs(1);
        }),
        &[(1, 1)],
    );
    let keys = insert_all(world, &[jobs.as_slice(), &[late]].concat());
    assert_eq!(world.claimed(hunger(1)), keys[..1]);
    assert_eq!(world.claimed(hunger(1)), []);
    finish(world, keys[0]);
    world.advance(1000);
    world.promote(9);
    assert_eq!(world.claimed(hunger(1)), [keys[3]]);
}

fn a_member_held_back_by_its_key_lets_the_others_of_its_group_in(world: &World) {
    let jobs = ["k", "l", "m"].map(|key| member(keyed("a", key), &[(1, 1)]));
    let keys = insert_all(world, &jobs);
    assert_eq!(world.claimed(hunger(1)), keys[..1]);
    // The second one waits for its group; now somebody takes its key.
    let alone = world.insert(keyed("a", "l"));
    assert_eq!(world.claimed(hunger(1)), [alone]);
    finish(world, keys[0]);
    assert_eq!(world.claimed(hunger(1)), keys[2..]);
    finish(world, alone);
    assert_eq!(world.claimed(hunger(1)), []);
    finish(world, keys[2]);
    assert_eq!(world.claimed(hunger(1)), keys[1..2]);
}

fn a_closed_queue_does_not_take_the_slot_of_a_key(world: &World) {
    let jobs = ["x", "x", "y"].map(|queue| keyed_in(queue, "a", "k"));
    let keys = insert_all(world, &jobs);
    assert_eq!(world.claimed(hunger(1)), keys[..1]);
    assert_eq!(world.claimed(hunger(1)), []);
    world.set_queue("x", &QueueChange::Pause);
    finish(world, keys[0]);
    assert_eq!(world.claimed(hunger(1)), keys[2..]);
}

fn a_group_whose_members_have_ended_is_forgotten(world: &World) {
    for _ in 0..3 {
        let keys = insert_all(world, &vec![member(job("b"), &[(1, 2), (2, 1)]); 2]);
        for key in keys {
            assert_eq!(world.claimed(Hunger::endless()), [key]);
            finish(world, key);
        }
        world.audit();
    }
}

fn no_more_jobs_of_a_queue_run_than_is_set(world: &World) {
    world.set_queue("x", &QueueChange::MaxConcurrent(Some(2)));
    let jobs = [
        in_queue("x", "a"),
        in_queue("x", "b"),
        keyed_in("x", "a", "k"),
    ];
    let keys = insert_all(world, &jobs);
    let other = world.insert(job("a"));
    let claimed = world.claimed(Hunger::endless());
    assert_eq!(claimed.len(), 3);
    assert!(claimed.contains(&other));
    assert_eq!(world.claimed(Hunger::endless()), []);
    finish(world, keys[0]);
    assert_eq!(world.claimed(Hunger::endless()), [keys[2]]);
}

fn the_limit_of_a_queue_counts_jobs_that_ran_before_it_was_set(world: &World) {
    let keys = insert_all(world, &vec![in_queue("x", "a"); 4]);
    assert_eq!(world.claimed(Hunger::of(3)), keys[..3]);
    world.set_queue("x", &QueueChange::MaxConcurrent(Some(2)));
    finish(world, keys[0]);
    assert_eq!(world.claimed(Hunger::endless()), []);
    finish(world, keys[1]);
    assert_eq!(world.claimed(Hunger::endless()), keys[3..]);
}

fn taking_the_limit_of_a_queue_away_opens_it(world: &World) {
    let keys = insert_all(world, &vec![in_queue("x", "a"); 3]);
    world.set_queue("x", &QueueChange::MaxConcurrent(Some(1)));
    assert_eq!(world.claimed(Hunger::endless()), keys[..1]);
    world.set_queue("x", &QueueChange::MaxConcurrent(None));
    assert_eq!(world.claimed(Hunger::endless()), keys[1..]);
}

fn all_limits_must_let_a_job_start(world: &World) {
    world.set_queue("x", &QueueChange::MaxConcurrent(Some(3)));
    let jobs = vec![member(keyed_in("x", "a", "k"), &[(1, 3)]); 3];
    let keys = insert_all(world, &jobs);
    assert_eq!(world.claimed(hunger(2)), keys[..2]);
    let plain = insert_all(world, &vec![in_queue("x", "b"); 2]);
    assert_eq!(world.claimed(hunger(2)), plain[..1]);
    finish(world, keys[0]);
    assert_eq!(world.claimed(hunger(2)), keys[2..]);
}

fn whoever_is_held_back_is_told_to_wait_for_an_end(world: &World) {
    insert_all(world, &[job("a"), job("a")]);
    let mut hungry = hunger(1);
    assert_eq!(world.claim(&mut hungry).len(), 1);
    assert!(hungry.held_back);
    assert_eq!(hungry.opens_at, None);
    let mut hungry = hunger(1);
    let any = world.store().has_prospects(world.now(), &mut hungry);
    assert!(!any.unwrap());
    assert!(hungry.held_back);
}
