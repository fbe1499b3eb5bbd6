//! Several connections of one process on one file: the locks that they take together are given back
//! together.
#![cfg(feature = "model")]
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on should stop here"
)]

mod support;

use std::sync::Barrier;
use std::thread;
use std::time::Duration;

use rusqlite::Connection;
use taskito_core::store::sqlite::SqliteStore;
use taskito_core::store::{Inspect, Sync};

use support::{Directory, job};

/// Connections of the engine's own `SQLite`, whose files are those of a store.
fn connections<const N: usize>(directory: &Directory) -> [Connection; N] {
    drop(SqliteStore::new(directory.path("jobs.db"), Sync::Relaxed));
    [(); N].map(|()| Connection::open(directory.path("other.db")).unwrap())
}

#[test]
fn whoever_reads_last_gives_back_what_the_first_has_locked() {
    let directory = Directory::new();
    let [first, last, writer] = connections(&directory);
    for reader in [&first, &last] {
        reader
            .execute_batch("BEGIN; SELECT * FROM sqlite_schema")
            .unwrap();
    }
    for reader in [&first, &last] {
        reader.execute_batch("COMMIT").unwrap();
    }
    writer.execute_batch("CREATE TABLE t (x)").unwrap();
}

#[test]
fn whoever_read_along_with_another_can_write() {
    let directory = Directory::new();
    let [first, last] = connections(&directory);
    for reader in [&first, &last] {
        reader
            .execute_batch("BEGIN; SELECT * FROM sqlite_schema")
            .unwrap();
    }
    first.execute_batch("COMMIT").unwrap();
    last.execute_batch("CREATE TABLE t (x); COMMIT").unwrap();
}

#[test]
fn one_that_was_closed_leaves_no_lock_behind_and_takes_none_along() {
    let directory = Directory::new();
    let [first, last, writer] = connections(&directory);
    for reader in [&first, &last] {
        reader
            .execute_batch("BEGIN; SELECT * FROM sqlite_schema")
            .unwrap();
    }
    drop(first);
    writer.busy_timeout(Duration::ZERO).unwrap();
    assert!(
        writer.execute_batch("CREATE TABLE t (x)").is_err(),
        "somebody reads"
    );
    last.execute_batch("COMMIT").unwrap();
    writer.execute_batch("CREATE TABLE t (x)").unwrap();
}

#[test]
fn a_new_database_is_opened_by_many_at_once() {
    for _ in 0..20 {
        let directory = Directory::new();
        let start = Barrier::new(4);
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    let store = SqliteStore::new(directory.path("jobs.db"), Sync::Relaxed);
                    start.wait();
                    store.enqueue(vec![job("add")]).unwrap();
                });
            }
        });
        let store = SqliteStore::new(directory.path("jobs.db"), Sync::Relaxed);
        assert_eq!(store.stats().unwrap().pending, 4);
    }
}
