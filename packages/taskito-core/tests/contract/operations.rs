//! What people do to single jobs: replay, discard, progress.

use std::time::Duration;

use taskito_core::job::{JobRow, LetterFilter};
use taskito_core::state::State;

use crate::support::{after, job, job_with};
use crate::world::{CLAIMED, NOBODY, World, assert_applied};

contract![
    a_replay_has_the_settings_and_arguments_of_its_source,
    every_job_can_be_replayed,
    a_replay_is_recorded_newest_first,
    a_record_goes_with_either_job,
    nobody_is_not_replayed,
    a_discarded_letter_leaves_the_job_dead,
    letters_are_listed_by_queue_and_task_from_both_ends,
    progress_can_be_said_of_every_job,
    waiting_jobs_come_with_their_arguments,
];

fn a_replay_has_the_settings_and_arguments_of_its_source(world: &World) {
    let source = world.insert(job_with("a", |spec| {
        spec.queue = "mail".into();
        spec.priority = 7;
        spec.delay = Duration::from_secs(60);
        spec.max_retries = 9;
        spec.timeout = Duration::from_secs(5);
        spec.unique_key = Some("u".into());
        spec.idempotency_key = Some("i".into());
        spec.metadata = Some("m".into());
        spec.headers = Some("{}".into());
        spec.limit_key = Some("l".into());
        spec.expires = Some(Duration::from_secs(90));
        spec.result_ttl = Some(Duration::from_secs(3600));
    }));
    world.advance(1000);
    let copy = world.replay(source).unwrap();
    let row = world.row(source);
    let id = source.text(world.store().database().unwrap());
    assert_eq!(
        world.row(copy),
        JobRow {
            key: copy,
            state: State::Pending,
            run_at: world.now(),
            created_at: world.now(),
            wait_length: Duration::ZERO,
            unique_key: None,
            idempotency_key: None,
            metadata: Some(format!("{{\"replayed_from\": \"{id}\"}}")),
            headers: None,
            expires_at: None,
            ..row
        }
    );
    assert_eq!(world.take().payload, b"a");
}

fn every_job_can_be_replayed(world: &World) {
    for state in CLAIMED {
        let token = world.job_that_is(state);
        let before = world.row(token.key);
        let copy = world.replay(token.key).unwrap();
        assert_eq!(world.row(token.key), before);
        assert_eq!(world.state(copy), State::Pending);
        for job in world.jobs() {
            world.cancel(job.key);
        }
    }
}

fn a_replay_is_recorded_newest_first(world: &World) {
    let source = world.running(job("a"));
    assert_applied(world.bury(source, "first error"));
    let first = world.replay(source.key).unwrap();
    let token = world.take().token;
    assert_applied(world.bury(token, "second error"));
    world.advance(1000);
    let second = world.replay(source.key).unwrap();
    let of_copy = world.replay(first).unwrap();
    let records = world.store().replays(source.key).unwrap();
    let replays: Vec<_> = records.iter().map(|record| record.replay).collect();
    assert_eq!(replays, [second, first]);
    assert_eq!(records[0].replayed_at, world.now());
    assert_eq!(records[0].replay_error, None);
    for record in &records {
        assert_eq!(record.original, source.key);
        assert_eq!(record.original_error.as_deref(), Some("first error"));
    }
    assert_eq!(records[1].replay_error.as_deref(), Some("second error"));
    assert_eq!(world.store().replays(first).unwrap()[0].replay, of_copy);
    assert_eq!(world.store().replays(NOBODY).unwrap(), []);
}

fn a_record_goes_with_either_job(world: &World) {
    let source = world.insert(job("a"));
    let [gone, kept] = [(); 2].map(|()| world.replay(source).unwrap());
    assert!(world.cancel(gone));
    assert_eq!(world.prune(&[gone]), 1);
    let records = world.store().replays(source).unwrap();
    assert_eq!((records.len(), records[0].replay), (1, kept));
    assert!(world.cancel(source));
    assert_eq!(world.prune(&[source]), 1);
    assert_eq!(world.store().replays(source).unwrap(), []);
}

fn nobody_is_not_replayed(world: &World) {
    assert_eq!(world.replay(NOBODY), None);
    assert_eq!(world.jobs(), []);
}

fn a_discarded_letter_leaves_the_job_dead(world: &World) {
    let token = world.job_that_is(State::Dead);
    let letter = world.letter(token.key).key;
    let before = world.row(token.key);
    assert_eq!(world.discard(&[letter, NOBODY, letter]), 1);
    assert_eq!(world.letters(), []);
    assert_eq!(world.row(token.key), before);
    assert_eq!(world.revive(letter), None);
}

fn letters_are_listed_by_queue_and_task_from_both_ends(world: &World) {
    let mut dead = vec![];
    for (queue, task) in [("x", "a"), ("x", "b"), ("y", "a"), ("y", "b")] {
        let token = world.running(job_with(task, |spec| spec.queue = queue.into()));
        assert_applied(world.bury(token, "e"));
        dead.push((world.letter(token.key).key, world.now()));
        world.advance(10);
    }
    let listed = |queue: Option<&str>, task: Option<&str>, before, limit| {
        let filter = LetterFilter {
            queue: queue.map(Into::into),
            task: task.map(Into::into),
            before,
            limit,
            offset: 0,
        };
        let newest = world.store().dead_letters(&filter).unwrap();
        let oldest = world.store().oldest_letters(NOBODY, &filter).unwrap();
        let keys: Vec<_> = newest.iter().map(|letter| letter.key).collect();
        (keys, oldest)
    };
    let [xa, xb, ya, yb] = [0, 1, 2, 3].map(|index: usize| dead[index]);
    let (newest, oldest) = listed(Some("x"), None, None, 9);
    assert_eq!((newest, oldest), (vec![xb.0, xa.0], vec![xa, xb]));
    let (newest, oldest) = listed(None, Some("b"), None, 1);
    assert_eq!((newest, oldest), (vec![yb.0], vec![xb]));
    let (newest, _) = listed(None, None, Some(ya.0), 9);
    assert_eq!(newest, [xb.0, xa.0]);
    let rest = world
        .store()
        .oldest_letters(xb.0, &crate::world::all_letters());
    assert_eq!(rest.unwrap(), [ya, yb]);
}

fn progress_can_be_said_of_every_job(world: &World) {
    for (state, progress) in CLAIMED.into_iter().zip([0, 1, 50, 99, 100, 7]) {
        let token = world.job_that_is(state);
        assert!(world.set_progress(token.key, progress));
        assert_eq!(world.row(token.key).progress, Some(progress));
        assert_eq!(world.state(token.key), state);
        for job in world.jobs() {
            world.cancel(job.key);
        }
    }
    assert!(!world.set_progress(NOBODY, 1));
}

fn waiting_jobs_come_with_their_arguments(world: &World) {
    let running = world.running(job("a"));
    let pending = world.insert(job("b"));
    let delayed = world.insert(job_with("c", |spec| spec.delay = Duration::from_secs(9)));
    let blocked = world.insert(after("d", &[running.key]));
    let waiting = world.store().waiting(NOBODY, 9).unwrap();
    let keys: Vec<_> = waiting.iter().map(|job| job.key).collect();
    assert_eq!(keys, [pending, delayed, blocked]);
    assert_eq!(
        (waiting[0].task.as_str(), &*waiting[0].payload),
        ("b", &b"b"[..])
    );
    assert_eq!(waiting[0].queue, "default");
    assert!(waiting.iter().all(|job| !job.takes_inputs));
    let rest = world.store().waiting(pending, 1).unwrap();
    assert_eq!(rest, waiting[1..2]);
}
