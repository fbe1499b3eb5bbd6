//! What `SqliteStore` offers beyond the contract: producers share commits, files outlive stores.

use std::thread;

use taskito_core::job::{Inserted, NewJob};
use taskito_core::state::State;
use taskito_core::store::sqlite::SqliteStore;
use taskito_core::store::{Inspect, JobStore, Sync};

use crate::support::{Directory, Hunger, START, after, job, job_with, worker};
use crate::world::NOBODY;

const PRODUCERS: usize = 8;
const ROUNDS: usize = 25;

/// Runs `produce` in several threads at once; what each answered.
fn producers<T: Send>(produce: impl Fn(usize) -> T + std::marker::Sync) -> Vec<T> {
    thread::scope(|scope| {
        let threads: Vec<_> = (0..PRODUCERS)
            .map(|number| {
                let produce = &produce;
                scope.spawn(move || produce(number))
            })
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .collect()
    })
}

#[test]
fn producers_at_once_are_each_answered_with_their_own_jobs() {
    let directory = Directory::new();
    let store = SqliteStore::new(directory.path("jobs.db"), Sync::Durable);
    let answers = producers(|number| {
        let task = |round, place| format!("{number}-{round}-{place}");
        let mut answers = Vec::new();
        for round in 0..ROUNDS {
            let jobs = (0..3).map(|place| job(&task(round, place))).collect();
            for (place, inserted) in store.enqueue(jobs).unwrap().iter().enumerate() {
                answers.push((inserted.key, task(round, place)));
            }
        }
        answers
    });
    let answers: Vec<_> = answers.into_iter().flatten().collect();
    assert_eq!(answers.len(), PRODUCERS * ROUNDS * 3);
    for (key, task) in answers {
        assert_eq!(store.job(key).unwrap().unwrap().task, task);
    }
    let stats = store.stats().unwrap();
    assert_eq!(stats.pending, (PRODUCERS * ROUNDS * 3) as u64);
}

#[test]
fn of_producers_with_one_unique_key_one_stores_a_job() {
    let directory = Directory::new();
    let store = SqliteStore::new(directory.path("jobs.db"), Sync::Relaxed);
    for round in 0..ROUNDS {
        let unique = |number: usize| -> NewJob {
            job_with(&number.to_string(), |spec| {
                spec.unique_key = Some(round.to_string());
            })
        };
        let answers: Vec<Inserted> = producers(|number| store.enqueue(vec![unique(number)]))
            .into_iter()
            .map(|answer| answer.unwrap()[0])
            .collect();
        let stored = answers.iter().filter(|answer| !answer.deduplicated);
        assert_eq!(stored.count(), 1);
        assert!(answers.iter().all(|answer| answer.key == answers[0].key));
    }
    assert_eq!(store.stats().unwrap().pending, ROUNDS as u64);
}

#[test]
fn a_producer_with_a_missing_dependency_does_no_harm_to_others() {
    let directory = Directory::new();
    let store = SqliteStore::new(directory.path("jobs.db"), Sync::Durable);
    let answers = producers(|number| {
        let parent = if number % 2 == 0 { &[][..] } else { &[NOBODY] };
        let enqueue = || store.enqueue(vec![job("a"), after("b", parent)]);
        (0..ROUNDS).map(|_| enqueue().is_ok()).collect::<Vec<_>>()
    });
    for (number, stored) in answers.iter().enumerate() {
        assert_eq!(*stored, [number % 2 == 0; ROUNDS]);
    }
    let stored = PRODUCERS / 2 * ROUNDS * 2;
    assert_eq!(store.stats().unwrap().pending, stored as u64);
}

#[test]
fn what_was_stored_is_there_when_the_file_is_opened_again() {
    let directory = Directory::new();
    let path = directory.path("jobs.db");
    let first = SqliteStore::new(&path, Sync::Durable);
    let key = first.enqueue(vec![job("a")]).unwrap()[0].key;
    let database = first.database().unwrap();
    let mut claims = Vec::new();
    first
        .write(Sync::Relaxed, &mut |t| {
            let owner = t.enlist(START, &worker())?;
            claims = t.claim(START, owner, &mut Hunger::endless())?;
            Ok(())
        })
        .unwrap();
    drop(first);
    let second = SqliteStore::new(&path, Sync::Durable);
    assert_eq!(second.database().unwrap(), database);
    assert_eq!(second.job(key).unwrap().unwrap().state, State::Running);
    second
        .write(Sync::Relaxed, &mut |t| {
            t.hand_back(START, &[claims[0].token]).map(drop)
        })
        .unwrap();
    assert_eq!(second.stats().unwrap().pending, 1);
}
