//! Many threads at once where they hand over to one another: producers that share a commit,
//! runners that share a desk, and the doorbell between them.
#![cfg(feature = "model")]
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on should stop here"
)]

mod support;

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use taskito_core::engine::{Engine, Settings, Site};
use taskito_core::id::Key;
use taskito_core::job::NewJob;
use taskito_core::links::{Links, Parent};
use taskito_core::os::Waited;
use taskito_core::outcome::Outcome;
use taskito_core::retry::RetryPolicy;
use taskito_core::store::sqlite::SqliteStore;
use taskito_core::store::{Inspect, JobStore, Sync};

use support::{Directory, job, tied};

const PRODUCERS: usize = 8;
const CALLS: usize = 150;

fn store(directory: &Directory) -> Arc<SqliteStore> {
    Arc::new(SqliteStore::new(directory.path("jobs.db"), Sync::Relaxed))
}

/// A job that says whose it is.
fn marked(task: &str, producer: usize, call: usize) -> NewJob {
    NewJob {
        payload: format!("{producer} {call}").into_bytes(),
        ..job(task)
    }
}

/// Waits for something that happens in the end.
fn until(condition: impl Fn() -> bool) {
    let end = Instant::now() + Duration::from_secs(25);
    while !condition() {
        assert!(Instant::now() < end, "it did not happen");
        thread::sleep(Duration::from_millis(2));
    }
}

#[test]
fn producers_that_share_a_commit_get_their_own_answers() {
    let directory = Directory::new();
    let store = store(&directory);
    let stored: Mutex<HashMap<Key, String>> = Mutex::default();
    thread::scope(|scope| {
        for producer in 0..PRODUCERS {
            let (store, stored) = (&store, &stored);
            scope.spawn(move || {
                for call in 0..CALLS {
                    if call % 10 == producer {
                        // It breaks the transaction that it shares with others.
                        let after = vec![Parent::Unknown("nobody".into())];
                        let links = Links {
                            after,
                            ..Links::default()
                        };
                        assert!(store.enqueue(vec![tied("task", links)]).is_err());
                        continue;
                    }
                    let jobs = vec![marked("task", producer, call); 1 + call % 3];
                    let answers = store.enqueue(jobs).unwrap();
                    assert_eq!(answers.len(), 1 + call % 3);
                    let mut stored = stored.lock().unwrap();
                    for answer in answers {
                        let mark = format!("{producer} {call}");
                        assert!(stored.insert(answer.key, mark).is_none());
                    }
                }
            });
        }
    });
    let stored = stored.into_inner().unwrap();
    assert_eq!(store.stats().unwrap().pending, stored.len() as u64);
    for (key, mark) in stored {
        assert_eq!(store.payload(key).unwrap(), Some(mark.into_bytes()));
    }
    store.close();
}

#[test]
fn every_job_of_many_producers_is_run_once_by_one_of_many_threads() {
    let directory = Directory::new();
    let store = store(&directory);
    let runs = AtomicUsize::new(0);
    let workers: Vec<Engine> = (0..2)
        .map(|_| {
            let site = Site {
                store: Arc::clone(&store) as Arc<dyn JobStore>,
                gate: store.gate().unwrap(),
                clock: store.clock(),
                path: store.file(),
            };
            let settings = Settings {
                threads: 4,
                ..Settings::default()
            };
            let worker = Engine::new(site, settings);
            worker.register("task", RetryPolicy::default());
            worker.start().unwrap();
            worker
        })
        .collect();
    thread::scope(|scope| {
        for worker in workers.iter().flat_map(|worker| [worker; 4]) {
            let runs = &runs;
            scope.spawn(move || {
                while let Some(claim) = worker.next() {
                    runs.fetch_add(1, Ordering::Relaxed);
                    assert!(worker.settle(claim.token, Outcome::done(claim.payload)));
                }
            });
        }
        thread::scope(|scope| {
            for producer in 0..PRODUCERS {
                let store = &store;
                scope.spawn(move || {
                    for call in 0..CALLS {
                        store.enqueue(vec![marked("task", producer, call)]).unwrap();
                        // Now and then everybody falls asleep, and has to be woken.
                        if call % 50 == producer {
                            thread::sleep(Duration::from_millis(5));
                        }
                    }
                });
            }
        });
        let all = (PRODUCERS * CALLS) as u64;
        until(|| store.stats().unwrap().complete == all);
        for worker in &workers {
            worker.drain(Duration::ZERO);
        }
    });
    assert_eq!(runs.into_inner(), PRODUCERS * CALLS);
    for worker in &workers {
        assert_eq!(worker.join(Duration::from_secs(20)), Waited::Woken);
    }
    store.close();
}
