//! -> pending, scheduled. Long, as one arrow is one file.

use std::time::Duration;

use taskito_core::clock::Millis;
use taskito_core::id::Key;
use taskito_core::job::{Fence, Inserted, JobRow, JobSpec, NewJob};
use taskito_core::state::State;

use crate::support::{Hunger, job, job_with};
use crate::world::{World, assert_applied};

contract![
    a_job_without_delay_is_pending_and_due_at_once,
    a_delayed_job_is_scheduled_for_the_end_of_its_delay,
    a_delay_below_a_millisecond_is_none,
    a_delay_beyond_the_end_of_time_is_stored,
    everything_said_about_a_job_is_stored,
    the_extremes_of_all_numbers_are_stored,
    names_may_hold_any_text,
    payloads_may_be_empty_or_large,
    answers_come_in_the_order_of_the_slice,
    an_empty_slice_inserts_nothing,
    keys_increase_from_job_to_job_even_when_the_clock_steps_back,
    a_unique_key_is_held_by_every_unfinished_job,
    a_unique_key_stays_held_while_a_job_waits_again,
    a_unique_key_is_free_once_its_job_is_finished,
    a_unique_key_is_shared_by_all_tasks_and_queues,
    an_idempotency_key_is_remembered_whatever_became_of_its_job,
    an_idempotency_key_belongs_to_one_task_in_all_queues,
    the_idempotency_key_is_asked_before_the_unique_key,
    a_duplicate_changes_nothing_about_the_job_it_found,
    a_job_refused_by_its_unique_key_leaves_its_idempotency_key_free,
    duplicates_within_one_slice_are_found,
    the_empty_text_is_a_key_like_any_other,
];

fn unique(task: &str, key: &str) -> NewJob {
    job_with(task, |spec| spec.unique_key = Some(key.into()))
}

fn idempotent(task: &str, key: &str) -> NewJob {
    job_with(task, |spec| spec.idempotency_key = Some(key.into()))
}

fn insert_one(world: &World, job: NewJob) -> Inserted {
    world.insert_all(&[job])[0]
}

#[track_caller]
fn assert_duplicate_of(found: Inserted, key: Key) {
    assert_eq!(
        found,
        Inserted {
            key,
            deduplicated: true
        }
    );
}

fn a_job_without_delay_is_pending_and_due_at_once(world: &World) {
    let key = world.insert(job("send"));
    assert_eq!(
        world.row(key),
        JobRow {
            key,
            queue: "default".into(),
            task: "send".into(),
            state: State::Pending,
            priority: 0,
            retry_count: 0,
            max_retries: 3,
            losses: 0,
            fence: Fence(0),
            created_at: world.now(),
            run_at: world.now(),
            claimed_at: None,
            started_at: None,
            finished_at: None,
            timeout: Duration::ZERO,
            unique_key: None,
            idempotency_key: None,
            metadata: None,
            headers: None,
            error: None,
            progress: None,
            cancel_requested: false,
            waiting_on: 0,
            ended_by: None,
            wait: None,
            wait_length: Duration::ZERO,
            expires_at: None,
            result_ttl: None,
            limit_key: None,
            workflow: None,
            group: None,
            fire: None,
            owner: None,
            failure: None,
            preview: None,
        }
    );
}

fn a_delayed_job_is_scheduled_for_the_end_of_its_delay(world: &World) {
    let key = world.insert(job_with("send", |spec| {
        spec.delay = Duration::from_millis(1);
    }));
    let row = world.row(key);
    assert_eq!(row.state, State::Scheduled);
    assert_eq!(row.created_at, world.now());
    assert_eq!(row.run_at, world.later(1));
    assert_eq!(world.claimed(Hunger::endless()), []);
}

fn a_delay_below_a_millisecond_is_none(world: &World) {
    let key = world.insert(job_with("send", |spec| {
        spec.delay = Duration::from_micros(999);
    }));
    assert_eq!(world.state(key), State::Pending);
    assert_eq!(world.row(key).run_at, world.now());
}

fn a_delay_beyond_the_end_of_time_is_stored(world: &World) {
    let key = world.insert(job_with("send", |spec| spec.delay = Duration::MAX));
    assert_eq!(world.row(key).run_at, Millis(i64::MAX));
    assert_eq!(world.promote(1), 0);
}

fn everything_said_about_a_job_is_stored(world: &World) {
    let key = world.insert(NewJob {
        payload: b"\x00\xffargs".to_vec(),
        ..job_with("send", |spec| {
            spec.queue = "mail".into();
            spec.priority = -5;
            spec.max_retries = 9;
            spec.timeout = Duration::from_millis(1500);
            spec.unique_key = Some("u".into());
            spec.idempotency_key = Some("i".into());
            spec.metadata = Some("m".into());
            spec.headers = Some(r#"{"trace": 1}"#.into());
        })
    });
    let row = world.row(key);
    assert_eq!(row.task, "send");
    assert_eq!(row.queue, "mail");
    assert_eq!(row.priority, -5);
    assert_eq!(row.max_retries, 9);
    assert_eq!(row.timeout, Duration::from_millis(1500));
    assert_eq!(row.unique_key.as_deref(), Some("u"));
    assert_eq!(row.idempotency_key.as_deref(), Some("i"));
    assert_eq!(row.metadata.as_deref(), Some("m"));
    assert_eq!(row.headers.as_deref(), Some(r#"{"trace": 1}"#));
    assert_eq!(world.take().payload, b"\x00\xffargs");
}

fn the_extremes_of_all_numbers_are_stored(world: &World) {
    for priority in [i32::MIN, i32::MAX] {
        let key = world.insert(job_with("send", |spec| {
            spec.priority = priority;
            spec.max_retries = u32::MAX;
            spec.timeout = Duration::from_millis(u64::try_from(i64::MAX).unwrap());
        }));
        let row = world.row(key);
        assert_eq!(row.priority, priority);
        assert_eq!(row.max_retries, u32::MAX);
        assert_eq!(
            row.timeout.as_millis(),
            u128::from(i64::MAX.cast_unsigned())
        );
    }
}

fn names_may_hold_any_text(world: &World) {
    for name in [
        "",
        "a.b:c/d",
        "'; DROP TABLE job; --",
        "naïve 🦀",
        "%_*?[a]",
        "a\nb",
    ] {
        let key = world.insert(job_with(name, |spec| {
            spec.queue = name.into();
            spec.metadata = Some(name.into());
        }));
        let claim = world.take();
        assert_eq!(claim.token.key, key);
        assert_eq!((&*claim.queue, &*claim.task), (name, name));
        assert_eq!(world.row(key).metadata.as_deref(), Some(name));
    }
}

fn payloads_may_be_empty_or_large(world: &World) {
    for payload in [vec![], vec![0xa5; 3_000_000]] {
        world.insert(NewJob {
            payload: payload.clone(),
            ..job("send")
        });
        assert!(world.take().payload == payload);
    }
}

fn answers_come_in_the_order_of_the_slice(world: &World) {
    let known = world.insert(unique("b", "k"));
    let answers = world.insert_all(&[job("a"), unique("b", "k"), job("c")]);
    assert_eq!(world.row(answers[0].key).task, "a");
    assert_duplicate_of(answers[1], known);
    assert_eq!(world.row(answers[2].key).task, "c");
    assert!(answers[0].key < answers[2].key);
    assert_eq!(answers.len(), 3);
}

fn an_empty_slice_inserts_nothing(world: &World) {
    assert_eq!(world.insert_all(&[]), []);
    assert_eq!(world.jobs(), []);
}

fn keys_increase_from_job_to_job_even_when_the_clock_steps_back(world: &World) {
    let mut last = world.insert(job("a"));
    for step in [0, 1, 1000, -500_000, 0, 7] {
        world.advance(step);
        for answer in world.insert_all(&[job("a"), job("b")]) {
            assert!(answer.key > last, "after a step of {step} ms");
            last = answer.key;
        }
    }
}

fn a_unique_key_is_held_by_every_unfinished_job(world: &World) {
    let pending = world.insert(unique("a", "k"));
    assert_duplicate_of(insert_one(world, unique("a", "k")), pending);
    world.take();
    assert_duplicate_of(insert_one(world, unique("a", "k")), pending);
    let scheduled = world.insert(job_with("a", |spec| {
        spec.unique_key = Some("other".into());
        spec.delay = Duration::from_secs(60);
    }));
    assert_duplicate_of(insert_one(world, unique("a", "other")), scheduled);
    assert_eq!(world.jobs().len(), 2);
}

fn a_unique_key_stays_held_while_a_job_waits_again(world: &World) {
    let token = world.running(unique("a", "k"));
    assert_applied(world.retry(token, "e", world.now()));
    assert_duplicate_of(insert_one(world, unique("a", "k")), token.key);
    assert_eq!(world.promote(1), 1);
    assert_applied(world.lose(world.take().token, "e"));
    assert_duplicate_of(insert_one(world, unique("a", "k")), token.key);
    assert_applied(world.hand_back(world.take().token));
    assert_duplicate_of(insert_one(world, unique("a", "k")), token.key);
}

fn a_unique_key_is_free_once_its_job_is_finished(world: &World) {
    let first = world.running(unique("a", "k"));
    assert_applied(world.complete(first, b""));
    let second = world.running(unique("a", "k"));
    assert_applied(world.bury(second, "e"));
    let third = world.running(unique("a", "k"));
    assert_applied(world.bury_lost(third, "e"));
    let fourth = world.insert(unique("a", "k"));
    assert!(world.cancel(fourth));
    world.insert(unique("a", "k"));
    assert_eq!(world.row(first.key).unique_key.as_deref(), Some("k"));
}

fn a_unique_key_is_shared_by_all_tasks_and_queues(world: &World) {
    let key = world.insert(unique("a", "k"));
    let elsewhere = job_with("b", |spec| {
        spec.queue = "mail".into();
        spec.unique_key = Some("k".into());
    });
    assert_duplicate_of(insert_one(world, elsewhere), key);
    world.insert(unique("a", "K"));
}

fn an_idempotency_key_is_remembered_whatever_became_of_its_job(world: &World) {
    let token = world.running(idempotent("a", "complete"));
    assert_applied(world.complete(token, b""));
    assert_duplicate_of(insert_one(world, idempotent("a", "complete")), token.key);

    let token = world.running(idempotent("a", "dead"));
    assert_applied(world.bury(token, "e"));
    assert_duplicate_of(insert_one(world, idempotent("a", "dead")), token.key);

    let key = world.insert(idempotent("a", "cancelled"));
    assert!(world.cancel(key));
    assert_duplicate_of(insert_one(world, idempotent("a", "cancelled")), key);

    let token = world.running(idempotent("a", "running"));
    assert_duplicate_of(insert_one(world, idempotent("a", "running")), token.key);

    let key = world.insert(idempotent("a", "pending"));
    assert_duplicate_of(insert_one(world, idempotent("a", "pending")), key);
}

fn an_idempotency_key_belongs_to_one_task_in_all_queues(world: &World) {
    let key = world.insert(idempotent("a", "k"));
    world.insert(idempotent("b", "k"));
    let elsewhere = job_with("a", |spec| {
        spec.queue = "mail".into();
        spec.idempotency_key = Some("k".into());
    });
    assert_duplicate_of(insert_one(world, elsewhere), key);
}

fn the_idempotency_key_is_asked_before_the_unique_key(world: &World) {
    let unique_job = world.insert(unique("a", "k"));
    let idempotent_job = world.insert(idempotent("a", "k"));
    let both = job_with("a", |spec| {
        spec.unique_key = Some("k".into());
        spec.idempotency_key = Some("k".into());
    });
    assert_duplicate_of(insert_one(world, both), idempotent_job);
    let other_task = job_with("b", |spec| {
        spec.unique_key = Some("k".into());
        spec.idempotency_key = Some("k".into());
    });
    assert_duplicate_of(insert_one(world, other_task), unique_job);
}

fn a_duplicate_changes_nothing_about_the_job_it_found(world: &World) {
    world.insert(job_with("a", |spec| {
        spec.unique_key = Some("u".into());
        spec.idempotency_key = Some("i".into());
    }));
    let before = world.sight();
    world.advance(1000);
    let change = |spec: &mut JobSpec| {
        spec.priority = 9;
        spec.metadata = Some("m".into());
        spec.delay = Duration::from_secs(1);
    };
    let by_unique = job_with("a", |spec| {
        change(spec);
        spec.unique_key = Some("u".into());
    });
    let by_idempotency = job_with("a", |spec| {
        change(spec);
        spec.idempotency_key = Some("i".into());
    });
    for answer in world.insert_all(&[by_unique, by_idempotency]) {
        assert!(answer.deduplicated);
    }
    assert_eq!(world.sight(), before);
}

fn a_job_refused_by_its_unique_key_leaves_its_idempotency_key_free(world: &World) {
    world.insert(unique("a", "u"));
    let both = job_with("a", |spec| {
        spec.unique_key = Some("u".into());
        spec.idempotency_key = Some("i".into());
    });
    assert!(insert_one(world, both).deduplicated);
    world.insert(idempotent("a", "i"));
}

fn duplicates_within_one_slice_are_found(world: &World) {
    let answers = world.insert_all(&[
        unique("a", "k"),
        idempotent("a", "k"),
        unique("b", "k"),
        idempotent("a", "k"),
    ]);
    assert!(!answers[0].deduplicated);
    assert!(!answers[1].deduplicated);
    assert_duplicate_of(answers[2], answers[0].key);
    assert_duplicate_of(answers[3], answers[1].key);
    assert_eq!(world.jobs().len(), 2);
}

fn the_empty_text_is_a_key_like_any_other(world: &World) {
    let key = world.insert(unique("a", ""));
    assert_duplicate_of(insert_one(world, unique("a", "")), key);
    let key = world.insert(idempotent("a", ""));
    assert_duplicate_of(insert_one(world, idempotent("a", "")), key);
}
