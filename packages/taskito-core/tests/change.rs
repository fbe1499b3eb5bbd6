//! The number that tells whether anything was committed, and what a job was called with.
#![cfg(feature = "model")]
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on should stop here"
)]

mod support;

use std::collections::BTreeSet;

use taskito_core::store::Sync;
use taskito_core::store::sqlite::SqliteStore;

use support::{Directory, job};

#[test]
fn the_number_changes_with_every_commit_of_any_store_and_with_nothing_else() {
    let directory = Directory::new();
    let [own, other] = [(); 2].map(|()| SqliteStore::new(directory.path("jobs.db"), Sync::Relaxed));
    let mut seen = BTreeSet::new();
    for writer in [&own, &other, &other, &own] {
        assert!(seen.insert(own.change_counter().unwrap()));
        assert!(
            !seen.insert(own.change_counter().unwrap()),
            "nothing was committed"
        );
        writer.enqueue(vec![job("add")]).unwrap();
    }
    assert!(seen.insert(own.change_counter().unwrap()));
}

#[test]
fn numbers_of_two_stores_are_never_taken_for_each_other() {
    let directory = Directory::new();
    let [one, other] = [(); 2].map(|()| SqliteStore::new(directory.path("jobs.db"), Sync::Relaxed));
    assert_ne!(
        one.change_counter().unwrap(),
        other.change_counter().unwrap()
    );
}

#[test]
fn a_database_in_memory_has_one_as_well() {
    let store = SqliteStore::new(":memory:", Sync::Relaxed);
    let before = store.change_counter().unwrap();
    assert_eq!(store.change_counter().unwrap(), before);
    store.enqueue(vec![job("add")]).unwrap();
    assert_ne!(store.change_counter().unwrap(), before);
}

#[test]
fn a_closed_store_has_none() {
    let directory = Directory::new();
    let store = SqliteStore::new(directory.path("jobs.db"), Sync::Relaxed);
    store.change_counter().unwrap();
    store.close();
    assert!(store.change_counter().is_err());
}
