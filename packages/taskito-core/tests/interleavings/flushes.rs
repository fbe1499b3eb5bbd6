//! Flushes that commits share: whoever is told that a job is stored, finds it flushed.

use std::sync::Arc;

use shuttle::thread;
use taskito_core::job::{Inserted, JobSpec, NewJob};

use crate::explore;
use crate::os;
use crate::store::sqlite::SqliteStore;

fn job() -> NewJob {
    NewJob::new(JobSpec::new("task").into(), Vec::new())
}

/// Fails unless what was acknowledged would survive power loss now.
fn assert_flushed(inserted: &[Inserted]) {
    let flushed = os::log().flushed();
    let lost = inserted.iter().find(|job| job.key.0 > flushed);
    assert!(
        lost.is_none(),
        "acknowledged, flushed up to {flushed}: {lost:?}"
    );
}

#[test]
fn no_commit_is_acknowledged_before_a_flush_that_began_after_it() {
    explore(8_000, || {
        let store = Arc::new(SqliteStore::default());
        let producers: Vec<_> = (0..4)
            .map(|_| {
                let store = Arc::clone(&store);
                thread::spawn(move || {
                    let inserted = store.enqueue(vec![job()]).unwrap();
                    assert_flushed(&inserted);
                })
            })
            .collect();
        for producer in producers {
            producer.join().unwrap();
        }
        assert_eq!(os::log().flushed(), 4);
    });
}

#[test]
fn a_flush_that_fails_acknowledges_nothing_and_holds_nobody_up() {
    explore(8_000, || {
        let store = Arc::new(SqliteStore::default());
        os::log().fail(1);
        let producers: Vec<_> = (0..3)
            .map(|_| {
                let store = Arc::clone(&store);
                thread::spawn(move || match store.enqueue(vec![job()]) {
                    Ok(inserted) => assert_flushed(&inserted),
                    Err(error) => assert!(error.to_string().contains("not flushed"), "{error}"),
                })
            })
            .collect();
        for producer in producers {
            producer.join().unwrap();
        }
        let inserted = store.enqueue(vec![job()]).unwrap();
        assert_flushed(&inserted);
        assert_eq!(inserted[0].key.0, 4);
    });
}
