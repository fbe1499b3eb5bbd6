//! Questions that change nothing. Long, as all questions are here.

use std::time::Duration;

use taskito_core::id::Key;
use taskito_core::job::{JobFilter, LetterFilter, NewJob, Stats};
use taskito_core::state::{State, Status};

use crate::support::{Hunger, job, job_with};
use crate::world::{CLAIMED, NOBODY, World, all, assert_applied};

contract![
    an_empty_store_has_nothing_to_tell,
    a_database_has_an_id_that_stays_and_reads_its_keys,
    a_job_that_does_not_exist_is_not_found,
    the_state_of_a_job_is_told_alone,
    jobs_are_listed_newest_first,
    jobs_are_listed_by_status_queue_and_task,
    a_scheduled_job_is_listed_as_pending,
    jobs_are_listed_by_time_metadata_and_error,
    a_listing_goes_on_before_a_job_whatever_came_meanwhile,
    jobs_are_counted_as_they_are_listed,
    a_listing_can_be_paged,
    a_listing_of_none_is_empty,
    a_page_counts_only_what_the_filter_lets_through,
    a_job_keeps_its_payload_to_the_end,
    a_job_is_found_by_its_idempotency_key_whatever_its_task,
    only_a_complete_job_has_a_result,
    attempts_are_listed_oldest_first_and_by_job,
    dead_letters_are_listed_newest_first_and_paged,
    dead_letters_are_ordered_by_death_and_not_by_job,
    stats_count_every_job_once_wherever_it_stands,
    the_next_due_is_the_earliest_scheduled_job,
    there_are_prospects_while_a_served_job_is_pending,
];

fn in_lane(queue: &str, task: &str) -> NewJob {
    job_with(task, |spec| spec.queue = queue.into())
}

fn letters(limit: u32, offset: u32) -> LetterFilter {
    LetterFilter {
        limit,
        offset,
        ..LetterFilter::default()
    }
}

fn listed(world: &World, filter: &JobFilter) -> Vec<Key> {
    let rows = world.store().jobs(filter).unwrap();
    rows.iter().map(|row| row.key).collect()
}

fn an_empty_store_has_nothing_to_tell(world: &World) {
    let store = world.store();
    assert_eq!(store.jobs(&all()).unwrap(), []);
    assert_eq!(store.dead_letters(&letters(u32::MAX, 0)).unwrap(), []);
    assert_eq!(store.stats().unwrap(), Stats::default());
    assert!(store.workers().unwrap().is_empty());
    assert_eq!(store.next_due().unwrap(), None);
    let mut hunger = Hunger::endless();
    assert!(!store.has_prospects(world.now(), &mut hunger).unwrap());
}

fn a_database_has_an_id_that_stays_and_reads_its_keys(world: &World) {
    let database = world.store().database().unwrap();
    let key = world.insert(job("a"));
    assert_eq!(world.store().database().unwrap(), database);
    assert_eq!(Key::parse(&key.text(database), database), Some(key));
}

fn a_job_that_does_not_exist_is_not_found(world: &World) {
    world.insert(job("a"));
    assert_eq!(world.store().job(NOBODY).unwrap(), None);
    assert_eq!(world.store().state(NOBODY).unwrap(), None);
    assert_eq!(world.store().payload(NOBODY).unwrap(), None);
    assert_eq!(world.store().result(NOBODY).unwrap(), None);
    assert_eq!(world.store().attempts(NOBODY).unwrap(), []);
}

fn the_state_of_a_job_is_told_alone(world: &World) {
    for state in CLAIMED {
        let token = world.job_that_is(state);
        assert_eq!(world.store().state(token.key).unwrap(), Some(state));
        for job in world.jobs() {
            world.cancel(job.key);
        }
    }
}

fn jobs_are_listed_newest_first(world: &World) {
    let first = world.insert(job("a"));
    world.advance(10);
    let second = world.insert(in_lane("x", "b"));
    world.advance(-1000);
    let third = world.insert(job_with("a", |spec| spec.priority = 9));
    assert_eq!(listed(world, &all()), [third, second, first]);
    let rows = world.jobs();
    for key in [first, second, third] {
        assert!(rows.contains(&world.row(key)));
    }
}

fn jobs_are_listed_by_status_queue_and_task(world: &World) {
    let [ax, bx, ay, by] = [("x", "a"), ("x", "b"), ("y", "a"), ("y", "b")]
        .map(|(queue, task)| world.insert(in_lane(queue, task)));
    assert!(world.cancel(ax));
    assert!(world.cancel(by));
    let of = |status, queue: Option<&str>, task: Option<&str>| {
        listed(
            world,
            &JobFilter {
                status,
                queue: queue.map(Into::into),
                task: task.map(Into::into),
                ..all()
            },
        )
    };
    assert_eq!(of(None, Some("x"), None), [bx, ax]);
    assert_eq!(of(None, None, Some("a")), [ay, ax]);
    assert_eq!(of(None, Some("y"), Some("a")), [ay]);
    assert_eq!(of(Some(Status::Pending), None, None), [ay, bx]);
    assert_eq!(of(Some(Status::Cancelled), None, None), [by, ax]);
    assert_eq!(of(Some(Status::Pending), Some("x"), None), [bx]);
    assert_eq!(of(Some(Status::Pending), None, Some("b")), [bx]);
    assert_eq!(of(Some(Status::Cancelled), Some("x"), Some("a")), [ax]);
    assert_eq!(of(Some(Status::Cancelled), Some("x"), Some("b")), []);
    assert_eq!(of(Some(Status::Running), None, None), []);
    assert_eq!(of(None, Some("unknown"), None), []);
    assert_eq!(of(None, None, Some("unknown")), []);
}

fn a_scheduled_job_is_listed_as_pending(world: &World) {
    let scheduled = world.insert(job_with("a", |spec| spec.delay = Duration::from_secs(9)));
    let pending = world.insert(job("a"));
    let filter = JobFilter {
        status: Some(Status::Pending),
        ..all()
    };
    assert_eq!(listed(world, &filter), [pending, scheduled]);
}

fn jobs_are_listed_by_time_metadata_and_error(world: &World) {
    let first = world.insert(job_with("a", |spec| {
        spec.metadata = Some("Größe 10%".into());
    }));
    world.advance(1000);
    let second = world.insert(job_with("a", |spec| {
        spec.metadata = Some("größe 10_".into());
    }));
    let by = |change: &dyn Fn(&mut JobFilter)| {
        let mut filter = all();
        change(&mut filter);
        listed(world, &filter)
    };
    let [then, now] = [world.later(-1000), world.now()];
    assert_eq!(by(&|f| f.created_after = Some(now)), [second]);
    assert_eq!(by(&|f| f.created_after = Some(world.later(1))), []);
    assert_eq!(by(&|f| f.created_before = Some(now)), [first]);
    assert_eq!(by(&|f| f.created_before = Some(then)), []);
    assert_eq!(by(&|f| f.metadata = Some("Größe".into())), [first]);
    assert_eq!(by(&|f| f.metadata = Some("10%".into())), [first]);
    assert_eq!(by(&|f| f.metadata = Some("röße 1".into())), [second, first]);
    assert_eq!(by(&|f| f.error = Some(String::new())), []);
    assert_applied(world.bury(world.claim(&mut Hunger::of(1))[0].token, "boom: %_"));
    assert_eq!(by(&|f| f.error = Some("m: %_".into())), [first]);
    assert_eq!(by(&|f| f.error = Some("M: %_".into())), []);
}

fn a_listing_goes_on_before_a_job_whatever_came_meanwhile(world: &World) {
    let keys: Vec<Key> = (0..6).map(|_| world.insert(job("a"))).collect();
    let (mut before, mut seen) = (None, vec![]);
    loop {
        let page = JobFilter {
            before,
            limit: 2,
            ..JobFilter::default()
        };
        let rows = listed(world, &page);
        let Some(last) = rows.last() else { break };
        before = Some(*last);
        seen.extend(rows);
        world.advance(-1000);
        world.insert(job("new"));
    }
    seen.reverse();
    assert_eq!(seen, keys);
}

fn jobs_are_counted_as_they_are_listed(world: &World) {
    for (queue, task) in [("x", "a"), ("x", "b"), ("y", "a")] {
        world.insert(in_lane(queue, task));
    }
    let gone = world.insert(job_with("a", |spec| spec.metadata = Some("m".into())));
    assert!(world.cancel(gone));
    let filters: [&dyn Fn(&mut JobFilter); 8] = [
        &|_| {},
        &|f| f.status = Some(Status::Pending),
        &|f| f.status = Some(Status::Cancelled),
        &|f| f.queue = Some("x".into()),
        &|f| f.task = Some("a".into()),
        &|f| f.created_after = Some(world.now()),
        &|f| f.metadata = Some("m".into()),
        &|f| f.before = Some(gone),
    ];
    for (number, change) in filters.into_iter().enumerate() {
        let mut filter = all();
        change(&mut filter);
        let listed = listed(world, &filter).len() as u64;
        let paged = JobFilter {
            limit: 1,
            offset: 1,
            ..filter
        };
        assert_eq!(world.store().count(&paged).unwrap(), listed, "{number}");
    }
}

fn a_listing_can_be_paged(world: &World) {
    let mut keys: Vec<Key> = (0..5).map(|_| world.insert(job("a"))).collect();
    keys.reverse();
    for offset in 0..7 {
        for limit in 0..7 {
            let page = JobFilter {
                limit,
                offset,
                ..JobFilter::default()
            };
            let from = keys.len().min(offset as usize);
            let to = keys.len().min((offset + limit) as usize);
            assert_eq!(listed(world, &page), keys[from..to]);
        }
    }
}

fn a_listing_of_none_is_empty(world: &World) {
    world.insert(job("a"));
    assert_eq!(listed(world, &JobFilter::default()), []);
    assert_eq!(world.store().dead_letters(&letters(0, 0)).unwrap(), []);
}

fn a_page_counts_only_what_the_filter_lets_through(world: &World) {
    let mut matching = Vec::new();
    for number in 0..12 {
        let lane = if number % 3 == 0 { "x" } else { "y" };
        let key = world.insert(in_lane(lane, "a"));
        if number % 3 == 0 {
            matching.insert(0, key);
        }
    }
    let page = JobFilter {
        status: Some(Status::Pending),
        queue: Some("x".into()),
        limit: 2,
        offset: 1,
        ..JobFilter::default()
    };
    assert_eq!(listed(world, &page), matching[1..3]);
}

fn a_job_keeps_its_payload_to_the_end(world: &World) {
    for state in CLAIMED {
        let token = world.job_that_is(state);
        let task = world.row(token.key).task;
        let payload = world.store().payload(token.key).unwrap();
        assert_eq!(payload, Some(task.as_bytes().to_vec()));
        for job in world.jobs() {
            world.cancel(job.key);
        }
    }
}

fn a_job_is_found_by_its_idempotency_key_whatever_its_task(world: &World) {
    let keyed = |task: &str, key: &str| {
        let key = Some(key.into());
        world.insert(job_with(task, |spec| spec.idempotency_key = key))
    };
    let first = keyed("a", "one");
    keyed("b", "one");
    let other = keyed("b", "two");
    world.insert(job("a"));
    assert_eq!(world.store().keyed("one").unwrap(), Some(first));
    assert_eq!(world.store().keyed("two").unwrap(), Some(other));
    assert_eq!(world.store().keyed("three").unwrap(), None);
    assert!(world.cancel(other));
    assert_eq!(world.store().keyed("two").unwrap(), Some(other));
}

fn only_a_complete_job_has_a_result(world: &World) {
    for state in CLAIMED {
        let token = world.job_that_is(state);
        let result = world.store().result(token.key).unwrap();
        assert_eq!(result.is_some(), state == State::Complete);
        for job in world.jobs() {
            world.cancel(job.key);
        }
    }
}

fn attempts_are_listed_oldest_first_and_by_job(world: &World) {
    let keys = world.insert_all(&["a", "b"].map(job));
    for round in 0..3 {
        for claim in world.claim(&mut Hunger::endless()) {
            let error = format!("{} {round}", claim.task);
            assert_applied(world.retry(claim.token, &error, world.now()));
        }
        world.advance(10);
        assert_eq!(world.promote(10), 2);
    }
    for (answer, task) in keys.iter().zip(["a", "b"]) {
        let attempts = world.attempts(answer.key);
        let errors: Vec<&str> = attempts.iter().map(|row| &*row.error).collect();
        assert_eq!(errors, [0, 1, 2].map(|round| format!("{task} {round}")));
        assert!(attempts.windows(2).all(|pair| pair[0].key < pair[1].key));
    }
}

fn dead_letters_are_listed_newest_first_and_paged(world: &World) {
    let mut keys = Vec::new();
    for _ in 0..4 {
        let token = world.running(job("a"));
        assert_applied(world.bury(token, "e"));
        world.advance(10);
        keys.insert(0, token.key);
    }
    let letters = |limit, offset| -> Vec<Key> {
        let rows = world.store().dead_letters(&letters(limit, offset)).unwrap();
        rows.iter().map(|letter| letter.job).collect()
    };
    assert_eq!(letters(u32::MAX, 0), keys);
    assert_eq!(letters(2, 0), keys[..2]);
    assert_eq!(letters(2, 1), keys[1..3]);
    assert_eq!(letters(9, 3), keys[3..]);
    assert_eq!(letters(9, 4), []);
}

fn dead_letters_are_ordered_by_death_and_not_by_job(world: &World) {
    world.insert_all(&["a", "b", "c"].map(job));
    let claims = world.claim(&mut Hunger::endless());
    for index in [2, 0, 1] {
        assert_applied(world.bury(claims[index].token, "e"));
        world.advance(10);
    }
    let dead: Vec<_> = world.letters().iter().map(|letter| letter.job).collect();
    assert_eq!(dead, [1, 0, 2].map(|index: usize| claims[index].token.key));
}

fn stats_count_every_job_once_wherever_it_stands(world: &World) {
    let counts = [
        (State::Complete, 3),
        (State::Dead, 4),
        (State::Cancelled, 5),
        (State::Running, 6),
        (State::Scheduled, 1),
    ];
    for (state, count) in counts {
        for _ in 0..count {
            world.job_that_is(state);
        }
    }
    world.insert_all(&[in_lane("x", "a"), in_lane("y", "a")]);
    let stats = Stats {
        pending: 3,
        running: 6,
        complete: 3,
        dead: 4,
        cancelled: 5,
    };
    assert_eq!(world.store().stats().unwrap(), stats);
    world.advance(60_000);
    assert_eq!(world.promote(10), 1);
    assert_eq!(world.store().stats().unwrap(), stats);
    world.revive(world.letters()[0].key).unwrap();
    assert_eq!(
        world.store().stats().unwrap(),
        Stats {
            pending: 4,
            ..stats
        }
    );
}

fn the_next_due_is_the_earliest_scheduled_job(world: &World) {
    let delayed = |seconds| job_with("a", |spec| spec.delay = Duration::from_secs(seconds));
    let next = || world.store().next_due().unwrap();
    world.insert(job("pending"));
    assert_eq!(next(), None);
    world.insert(delayed(20));
    assert_eq!(next(), Some(world.later(20_000)));
    let early = world.insert(delayed(10));
    assert_eq!(next(), Some(world.later(10_000)));
    world.advance(10_000);
    assert_eq!(next(), Some(world.now()), "due and not yet promoted");
    assert_eq!(world.promote(10), 1);
    assert_eq!(world.state(early), State::Pending);
    assert_eq!(next(), Some(world.later(10_000)));
    for job in world.jobs() {
        world.cancel(job.key);
    }
    assert_eq!(next(), None);
}

fn there_are_prospects_while_a_served_job_is_pending(world: &World) {
    let prospects = |mut hunger: Hunger| {
        let answer = world.store().has_prospects(world.now(), &mut hunger);
        answer.unwrap()
    };
    let any = || prospects(Hunger::endless());
    world.insert(job_with("later", |spec| {
        spec.delay = Duration::from_secs(9);
    }));
    assert!(!any());
    let key = world.insert(in_lane("x", "a"));
    assert!(any());
    assert!(!prospects(Hunger::endless().without("x", "a")));
    let token = world.take().token;
    assert!(!any());
    assert_applied(world.hand_back(token));
    assert!(any());
    let token = world.take().token;
    assert_applied(world.lose(token, "e"));
    assert!(any());
    assert!(world.cancel(key));
    assert!(!any());
    world.advance(9000);
    world.promote(1);
    assert!(any());
}
