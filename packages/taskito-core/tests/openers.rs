//! Several connections of one process on one file: the locks that they take together are given back
//! together.
#![cfg(all(feature = "model", target_os = "linux"))]
#![allow(
    unsafe_code,
    clippy::unwrap_used,
    reason = "a lock as the C library takes it; a test that cannot go on should stop here"
)]

mod support;

use std::fs;
use std::os::fd::AsRawFd;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::Barrier;
use std::thread;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};
use taskito_core::store::sqlite::SqliteStore;
use taskito_core::store::{Inspect, Sync};

use support::{Directory, job};

/// Connections of the engine's own `SQLite`, whose files are those of a store.
fn connections<const N: usize>(directory: &Directory) -> [Connection; N] {
    drop(SqliteStore::new(directory.path("jobs.db"), Sync::Relaxed));
    [(); N].map(|()| Connection::open(directory.path("other.db")).unwrap())
}

fn begin_to_read(readers: [&Connection; 2]) {
    for reader in readers {
        let begun = reader.execute_batch("BEGIN; SELECT * FROM sqlite_schema");
        begun.unwrap();
    }
}

#[test]
fn whoever_reads_last_gives_back_what_the_first_has_locked() {
    let directory = Directory::new();
    let [first, last, writer] = connections(&directory);
    begin_to_read([&first, &last]);
    for reader in [&first, &last] {
        reader.execute_batch("COMMIT").unwrap();
    }
    writer.execute_batch("CREATE TABLE t (x)").unwrap();
}

#[test]
fn whoever_read_along_with_another_can_write() {
    let directory = Directory::new();
    let [first, last] = connections(&directory);
    begin_to_read([&first, &last]);
    first.execute_batch("COMMIT").unwrap();
    last.execute_batch("CREATE TABLE t (x); COMMIT").unwrap();
}

#[test]
fn one_that_was_closed_leaves_no_lock_behind_and_takes_none_along() {
    let directory = Directory::new();
    let [first, last, writer] = connections(&directory);
    begin_to_read([&first, &last]);
    drop(first);
    writer.busy_timeout(Duration::ZERO).unwrap();
    assert!(
        writer.execute_batch("CREATE TABLE t (x)").is_err(),
        "somebody reads"
    );
    last.execute_batch("COMMIT").unwrap();
    writer.execute_batch("CREATE TABLE t (x)").unwrap();
}

/// Locks a file for reading as other libraries do: the lock is that of the process.
fn lock_as_a_process(file: &fs::File) {
    // SAFETY: all-zero is a valid `flock`, and means the whole file.
    let locked = unsafe {
        let mut all: libc::flock = std::mem::zeroed();
        all.l_type = libc::c_short::try_from(libc::F_RDLCK).unwrap();
        libc::fcntl(file.as_raw_fd(), libc::F_SETLK, &raw mut all)
    };
    assert_eq!(locked, 0);
}

/// Whether the process holds the usual kind of lock on a file.
fn is_locked(path: &Path) -> bool {
    let number = format!(":{} ", fs::metadata(path).unwrap().ino());
    let ours = format!(" {} ", std::process::id());
    let locks = fs::read_to_string("/proc/locks").unwrap();
    (locks.lines()).any(|it| it.contains("POSIX") && it.contains(&number) && it.contains(&ours))
}

#[test]
fn closing_any_of_them_drops_no_lock_of_other_libraries() {
    let directory = Directory::new();
    let [first] = connections(&directory);
    let path = directory.path("other.db");
    first.execute_batch("CREATE TABLE t (x)").unwrap();
    for mode in [
        OpenFlags::SQLITE_OPEN_READ_ONLY,
        OpenFlags::SQLITE_OPEN_READ_WRITE,
    ] {
        let reader = Connection::open_with_flags(&path, mode).unwrap();
        for one in [&first, &reader] {
            one.execute_batch("BEGIN; SELECT * FROM t").unwrap();
        }
        first.execute_batch("COMMIT").unwrap();
        let file = fs::File::options().read(true).open(&path).unwrap();
        lock_as_a_process(&file);
        assert!(is_locked(&path));
        drop(reader);
        assert!(is_locked(&path), "{mode:?}");
        drop(file);
    }
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
