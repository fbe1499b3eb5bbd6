//! pending -> running. Long, as one arrow is one file.

use std::time::Duration;

use taskito_core::id::Key;
use taskito_core::job::{Fence, JobRow, NewJob, WorkerId};
use taskito_core::state::State;

use crate::support::{Hunger, job, job_with, worker};
use crate::world::{CLAIMED, World, assert_applied};

contract![
    a_claimed_job_is_running_and_belongs_to_its_worker,
    a_claim_carries_all_it_takes_to_run_the_job,
    a_second_claim_of_a_job_has_a_higher_fence_and_its_history,
    nobody_but_pending_jobs_is_claimed,
    a_worker_that_is_not_on_the_roster_gets_nothing,
    a_job_is_claimed_once,
    higher_priority_comes_first_then_the_earlier_due_then_the_older,
    the_order_of_a_queue_is_one_over_all_its_tasks,
    a_promoted_job_keeps_its_place_by_due_time,
    a_lane_that_is_not_served_is_skipped,
    a_task_may_be_served_in_one_queue_and_not_in_another,
    unserved_jobs_hide_nobody,
    an_appetite_that_ends_leaves_the_rest_pending,
    nobody_is_asked_when_nothing_is_pending,
    admission_is_asked_in_running_order_and_a_refused_task_is_skipped,
    a_refusal_counts_for_one_queue,
    queues_take_turns_one_job_each,
    the_turn_says_which_queue_begins,
    queues_without_a_candidate_have_no_turn,
    a_turn_is_counted_over_the_served_queues_only,
    a_crowded_queue_does_not_starve_another,
    a_suspect_is_skipped_while_none_is_admitted,
    a_suspect_is_taken_in_its_place_and_the_next_one_waits,
    the_appetite_is_told_of_each_suspect_taken,
    all_suspects_of_a_lane_are_taken_in_order_if_they_are_admitted,
    suspects_hide_nobody,
    a_queue_of_suspects_has_no_turn_unless_they_are_admitted,
    a_suspect_taken_from_one_queue_makes_those_of_others_wait,
    many_lanes_are_merged_in_order,
    a_long_lane_is_claimed_in_order_whatever_the_appetite,
];

fn in_queue(queue: &str, task: &str) -> NewJob {
    job_with(task, |spec| spec.queue = queue.into())
}

fn with_priority(task: &str, priority: i32) -> NewJob {
    job_with(task, |spec| spec.priority = priority)
}

/// The keys, in the order of the jobs.
fn insert<const N: usize>(world: &World, jobs: [NewJob; N]) -> [Key; N] {
    jobs.map(|job| world.insert(job))
}

/// Jobs that lost a worker once and are pending again, beside the pending `others`.
fn suspects_among<const N: usize>(world: &World, jobs: [NewJob; N], others: &[Key]) -> [Key; N] {
    let keys = insert(world, jobs);
    for claim in world.claim(&mut Hunger::endless()) {
        if keys.contains(&claim.token.key) {
            assert_applied(world.lose(claim.token, "its worker died"));
        } else {
            assert!(others.contains(&claim.token.key));
            assert_applied(world.hand_back(claim.token));
        }
    }
    keys
}

fn a_claimed_job_is_running_and_belongs_to_its_worker(world: &World) {
    let key = world.insert(job("a"));
    let pending = world.row(key);
    world.advance(250);
    let claim = world.take();
    assert_eq!(claim.token.key, key);
    assert_eq!(
        world.row(key),
        JobRow {
            state: State::Running,
            fence: Fence(1),
            claimed_at: Some(world.now()),
            owner: Some(world.worker()),
            ..pending
        }
    );
    let held = world.held(world.worker());
    assert_eq!(held.len(), 1);
    assert_eq!(held[0].token, claim.token);
}

fn a_claim_carries_all_it_takes_to_run_the_job(world: &World) {
    world.insert(NewJob {
        payload: b"args".to_vec(),
        ..job_with("send", |spec| {
            spec.queue = "mail".into();
            spec.max_retries = 7;
            spec.timeout = Duration::from_millis(1500);
        })
    });
    let claim = world.take();
    assert_eq!(&*claim.queue, "mail");
    assert_eq!(&*claim.task, "send");
    assert_eq!(claim.payload, b"args");
    assert_eq!(claim.retry_count, 0);
    assert_eq!(claim.max_retries, 7);
    assert_eq!(claim.losses, 0);
    assert_eq!(claim.timeout, Duration::from_millis(1500));
    assert_eq!(claim.token.fence, Fence(1));
}

fn a_second_claim_of_a_job_has_a_higher_fence_and_its_history(world: &World) {
    let token = world.running(job("a"));
    assert_applied(world.retry(token, "e", world.now()));
    assert_eq!(world.promote(1), 1);
    let second = world.take();
    assert_eq!(second.token.fence, Fence(2));
    assert_eq!((second.retry_count, second.losses), (1, 0));
    assert_applied(world.lose(second.token, "e"));
    let third = world.take();
    assert_eq!(third.token.fence, Fence(3));
    assert_eq!((third.retry_count, third.losses), (1, 1));
    assert_applied(world.hand_back(third.token));
    assert_eq!(world.take().token.fence, Fence(4));
}

fn nobody_but_pending_jobs_is_claimed(world: &World) {
    for state in CLAIMED {
        if state != State::Pending {
            world.job_that_is(state);
        }
    }
    let before = world.sight();
    assert_eq!(world.claimed(Hunger::endless()), []);
    assert_eq!(world.sight(), before);
}

fn a_worker_that_is_not_on_the_roster_gets_nothing(world: &World) {
    let key = world.insert(job("a"));
    let left = world.write(|t| t.enlist(world.now(), &worker()));
    assert!(world.write(|t| t.dismiss(left)));
    for stranger in [left, WorkerId(99)] {
        let claims = world.write(|t| t.claim(world.now(), stranger, &mut Hunger::endless()));
        assert!(claims.is_empty());
    }
    assert_eq!(world.state(key), State::Pending);
    assert_eq!(world.take().token.fence, Fence(1));
}

fn a_job_is_claimed_once(world: &World) {
    world.insert(job("a"));
    assert_eq!(world.claimed(Hunger::endless()).len(), 1);
    assert_eq!(world.claimed(Hunger::endless()), []);
    let other = world.write(|t| t.enlist(world.now(), &worker()));
    let stolen = world.write(|t| t.claim(world.now(), other, &mut Hunger::endless()));
    assert!(stolen.is_empty());
}

fn higher_priority_comes_first_then_the_earlier_due_then_the_older(world: &World) {
    let [low, older, younger, high] = insert(
        world,
        [
            with_priority("a", -1),
            job("a"),
            job("a"),
            with_priority("a", 10),
        ],
    );
    world.advance(-1000);
    let earlier = world.insert(job("a"));
    assert!(earlier > high);
    assert_eq!(
        world.claimed(Hunger::endless()),
        [high, earlier, older, younger, low]
    );
}

fn the_order_of_a_queue_is_one_over_all_its_tasks(world: &World) {
    let [low, first, second, third, high] = insert(
        world,
        [
            with_priority("b", -1),
            job("b"),
            job("a"),
            job("b"),
            with_priority("c", 1),
        ],
    );
    assert_eq!(
        world.claimed(Hunger::endless()),
        [high, first, second, third, low]
    );
}

fn a_promoted_job_keeps_its_place_by_due_time(world: &World) {
    let delayed = world.insert(job_with("a", |spec| {
        spec.delay = Duration::from_millis(100);
    }));
    world.advance(50);
    let before = world.insert(job("b"));
    world.advance(100);
    let after = world.insert(job("b"));
    assert_eq!(world.promote(1), 1);
    assert_eq!(world.claimed(Hunger::endless()), [before, delayed, after]);
}

fn a_lane_that_is_not_served_is_skipped(world: &World) {
    let [_, served] = insert(world, [job("unknown"), job("known")]);
    let hunger = Hunger::endless().without("default", "unknown");
    assert_eq!(world.claimed(hunger), [served]);
    assert_eq!(world.store().stats().unwrap().pending, 1);
}

fn a_task_may_be_served_in_one_queue_and_not_in_another(world: &World) {
    let [_, served] = insert(world, [in_queue("x", "a"), in_queue("y", "a")]);
    assert_eq!(world.claimed(Hunger::endless().without("x", "a")), [served]);
}

fn unserved_jobs_hide_nobody(world: &World) {
    let crowd = vec![with_priority("unknown", 9); 2000];
    world.insert_all(&crowd);
    let served = world.insert(with_priority("known", -9));
    let hunger = Hunger::of(1).without("default", "unknown");
    assert_eq!(world.claimed(hunger), [served]);
}

fn an_appetite_that_ends_leaves_the_rest_pending(world: &World) {
    let [first, second, third] = insert(world, [job("a"), job("b"), job("a")]);
    assert_eq!(world.claimed(Hunger::of(0)), []);
    assert_eq!(world.claimed(Hunger::of(2)), [first, second]);
    assert_eq!(world.state(third), State::Pending);
    assert_eq!(world.row(third).fence, Fence(0));
    assert_eq!(world.claimed(Hunger::of(2)), [third]);
}

fn nobody_is_asked_when_nothing_is_pending(world: &World) {
    world.job_that_is(State::Scheduled);
    let mut hunger = Hunger::endless();
    assert!(world.claim(&mut hunger).is_empty());
    assert!(hunger.asked.is_empty());
}

fn admission_is_asked_in_running_order_and_a_refused_task_is_skipped(world: &World) {
    let [_, low, high, after, _] = insert(
        world,
        [
            with_priority("stop", 1),
            with_priority("low", 2),
            with_priority("high", 3),
            with_priority("after", 0),
            with_priority("stop", -1),
        ],
    );
    let mut hunger = Hunger::endless().until("stop");
    let claims = world.claim(&mut hunger);
    assert_eq!(
        claims
            .iter()
            .map(|claim| claim.token.key)
            .collect::<Vec<_>>(),
        [high, low, after]
    );
    assert_eq!(hunger.asked, ["high", "low", "stop", "after"]);
    assert_eq!(world.store().stats().unwrap().pending, 2);
}

fn a_refusal_counts_for_one_queue(world: &World) {
    let [x1, x2, _, y, _, z] = insert(
        world,
        [
            in_queue("x", "a"),
            in_queue("x", "a"),
            in_queue("y", "stop"),
            in_queue("y", "a"),
            in_queue("z", "stop"),
            in_queue("z", "a"),
        ],
    );
    let mut hunger = Hunger::endless().until("stop");
    let claims = world.claim(&mut hunger);
    assert_eq!(
        claims
            .iter()
            .map(|claim| claim.token.key)
            .collect::<Vec<_>>(),
        [x1, y, z, x2]
    );
    assert_eq!(hunger.asked, ["a", "stop", "a", "stop", "a", "a"]);
}

fn queues_take_turns_one_job_each(world: &World) {
    let [z1, z2, z3, x1, y1, y2] = insert(
        world,
        ["z", "z", "z", "x", "y", "y"].map(|queue| in_queue(queue, "a")),
    );
    assert_eq!(world.claimed(Hunger::endless()), [x1, y1, z1, y2, z2, z3]);
}

fn the_turn_says_which_queue_begins(world: &World) {
    for turn in [0, 1, 2, 3, 4, usize::MAX] {
        let keys = insert(world, ["x", "y", "z"].map(|queue| in_queue(queue, "a")));
        let first = turn % 3;
        let expected = [0, 1, 2].map(|step| keys[(first + step) % 3]);
        assert_eq!(
            world.claimed(Hunger::endless().turn(turn)),
            expected,
            "turn {turn}"
        );
    }
}

fn queues_without_a_candidate_have_no_turn(world: &World) {
    let [x, y, z] = insert(world, ["x", "y", "z"].map(|queue| in_queue(queue, "a")));
    world.cancel(y);
    assert_eq!(world.claimed(Hunger::of(1).turn(1)), [z]);
    assert_eq!(world.claimed(Hunger::of(1).turn(1)), [x]);
}

fn a_turn_is_counted_over_the_served_queues_only(world: &World) {
    let [_, y, z] = insert(
        world,
        [
            in_queue("x", "unknown"),
            in_queue("y", "a"),
            in_queue("z", "a"),
        ],
    );
    let hunger = |turn| Hunger::endless().without("x", "unknown").turn(turn);
    assert_eq!(world.claimed(hunger(1)), [z, y]);
}

fn a_crowded_queue_does_not_starve_another(world: &World) {
    world.insert_all(&vec![
        job_with("a", |spec| {
            spec.queue = "crowded".into();
            spec.priority = 100;
        });
        1000
    ]);
    let [first, second] = insert(world, [in_queue("quiet", "a"), in_queue("quiet", "b")]);
    let claimed = world.claimed(Hunger::of(4));
    assert!(claimed.contains(&first) && claimed.contains(&second));
    assert_eq!(claimed.len(), 4);
}

fn a_suspect_is_skipped_while_none_is_admitted(world: &World) {
    let [suspect] = suspects_among(world, [with_priority("killer", 9)], &[]);
    let innocent = world.insert(job("a"));
    let mut hunger = Hunger::endless().suspects(0);
    let claims = world.claim(&mut hunger);
    assert_eq!(claims.len(), 1);
    assert_eq!(claims[0].token.key, innocent);
    assert_eq!(hunger.asked, ["a"]);
    assert_eq!(hunger.suspects_taken, 0);
    assert_eq!(world.claimed(Hunger::endless().suspects(1)), [suspect]);
}

fn a_suspect_is_taken_in_its_place_and_the_next_one_waits(world: &World) {
    let first = world.insert(with_priority("a", 5));
    let [second] = suspects_among(world, [with_priority("b", 4)], &[first]);
    let [third] = suspects_among(world, [with_priority("b", 3)], &[first, second]);
    let fourth = world.insert(with_priority("a", 2));
    assert_eq!(
        world.claimed(Hunger::endless().suspects(1)),
        [first, second, fourth]
    );
    assert_eq!(world.state(third), State::Pending);
    assert_eq!(world.claimed(Hunger::endless().suspects(1)), [third]);
}

fn the_appetite_is_told_of_each_suspect_taken(world: &World) {
    suspects_among(world, [job("a"), job("b"), job("c")], &[]);
    let mut hunger = Hunger::endless().suspects(2);
    assert_eq!(world.claim(&mut hunger).len(), 2);
    assert_eq!(hunger.suspects_taken, 2);
    assert_eq!(hunger.asked, ["a", "b"]);
}

fn all_suspects_of_a_lane_are_taken_in_order_if_they_are_admitted(world: &World) {
    let [low, older, younger, high] = suspects_among(
        world,
        [
            with_priority("a", -1),
            job("a"),
            job("a"),
            with_priority("a", 10),
        ],
        &[],
    );
    assert_eq!(
        world.claimed(Hunger::endless().suspects(3)),
        [high, older, younger]
    );
    assert_eq!(world.claimed(Hunger::endless()), [low]);
}

fn suspects_hide_nobody(world: &World) {
    let crowd = vec![with_priority("killer", 9); 1000];
    world.insert_all(&crowd);
    for claim in world.claim(&mut Hunger::endless()) {
        assert_applied(world.lose(claim.token, "its worker died"));
    }
    let [a, b] = insert(world, [job("killer"), job("a")]);
    let claimed = world.claimed(Hunger::of(3).suspects(1));
    assert_eq!(claimed.len(), 3);
    assert_eq!(claimed[1..], [a, b]);
}

fn a_queue_of_suspects_has_no_turn_unless_they_are_admitted(world: &World) {
    let [suspect] = suspects_among(world, [in_queue("x", "a")], &[]);
    let [y, z] = insert(world, [in_queue("y", "a"), in_queue("z", "a")]);
    let order = |world: &World, hunger: Hunger| {
        let claims = world.claim(&mut hunger.clone());
        for claim in &claims {
            assert_applied(world.hand_back(claim.token));
        }
        claims
            .iter()
            .map(|claim| claim.token.key)
            .collect::<Vec<_>>()
    };
    assert_eq!(order(world, Hunger::endless().suspects(0).turn(1)), [z, y]);
    assert_eq!(
        order(world, Hunger::endless().suspects(1).turn(1)),
        [y, z, suspect]
    );
    assert_eq!(
        order(world, Hunger::endless().suspects(1).turn(0)),
        [suspect, y, z]
    );
}

fn a_suspect_taken_from_one_queue_makes_those_of_others_wait(world: &World) {
    let [x, y] = suspects_among(world, [in_queue("x", "a"), in_queue("y", "a")], &[]);
    let [x2, z] = insert(world, [in_queue("x", "b"), in_queue("z", "a")]);
    assert_eq!(world.claimed(Hunger::endless().suspects(1)), [x, z, x2]);
    assert_eq!(world.state(y), State::Pending);
}

fn many_lanes_are_merged_in_order(world: &World) {
    let mut expected = Vec::new();
    for number in 0..200 {
        let priority = number * 37 % 11;
        let task = format!("task-{}", number * 53 % 17);
        let key = world.insert(with_priority(&task, priority));
        expected.push((-priority, key));
    }
    expected.sort_unstable();
    let mut claimed = Vec::new();
    while let Some(key) = world.claimed(Hunger::of(1)).first() {
        claimed.push(*key);
    }
    let expected: Vec<Key> = expected.into_iter().map(|(_, key)| key).collect();
    assert_eq!(claimed, expected);
}

fn a_long_lane_is_claimed_in_order_whatever_the_appetite(world: &World) {
    let answers = world.insert_all(&vec![job("a"); 700]);
    let keys: Vec<Key> = answers.iter().map(|answer| answer.key).collect();
    let mut claimed = Vec::new();
    for appetite in [1, 63, 64, 65, 128, 300, 300] {
        claimed.extend(world.claimed(Hunger::of(appetite)));
    }
    assert_eq!(claimed, keys);
}
