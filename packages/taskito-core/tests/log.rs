//! How long the write-ahead log gets, and who moves it into the file.
#![cfg(feature = "model")]
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on should stop here"
)]

mod support;

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use taskito_core::engine::{Engine, Settings, Site};
use taskito_core::job::NewJob;
use taskito_core::os::Waited;
use taskito_core::store::sqlite::SqliteStore;
use taskito_core::store::{Inspect, JobStore, Sync};

use support::{Directory, job};

/// What a page takes in the log.
const FRAME: u64 = 24 + 4096;

struct World {
    store: Arc<SqliteStore>,
    log: PathBuf,
    _directory: Directory,
}

impl World {
    fn new() -> Self {
        let directory = Directory::new();
        let store = SqliteStore::new(directory.path("jobs.db"), Sync::Relaxed);
        Self {
            store: Arc::new(store),
            log: directory.path("jobs.db-wal"),
            _directory: directory,
        }
    }

    /// Commits until so many pages have gone to the log, about a hundred at a time.
    fn write(&self, pages: usize) {
        let large = NewJob {
            payload: vec![7; 400_000],
            ..job("task")
        };
        for _ in 0..pages / 100 {
            self.store.enqueue(vec![large.clone()]).unwrap();
        }
    }

    fn pages(&self) -> u64 {
        fs::metadata(&self.log).unwrap().len() / FRAME
    }

    /// How often the log began anew: a number in its header.
    fn beginnings(&self) -> u32 {
        let header = fs::read(&self.log).unwrap();
        u32::from_be_bytes(header[12..16].try_into().unwrap())
    }
}

#[test]
fn whoever_commits_alone_keeps_the_log_short() {
    let world = World::new();
    world.write(9_000);
    assert!(world.pages() < 4300, "{}", world.pages());
    assert!(world.beginnings() >= 2);
}

#[test]
fn a_log_that_grows_has_room_for_what_comes_next() {
    let world = World::new();
    let length = || fs::metadata(&world.log).unwrap().len();
    world.store.enqueue(vec![job("task")]).unwrap();
    let first = length();
    for _ in 0..15 {
        world.store.enqueue(vec![job("task")]).unwrap();
    }
    assert_eq!(length(), first, "a flush has to keep a new length");
    for _ in 0..60 {
        world.store.enqueue(vec![job("task")]).unwrap();
    }
    assert!(length() > first);

    let again = SqliteStore::new(world.store.path(), Sync::Relaxed);
    world.store.close();
    assert_eq!(again.stats().unwrap().pending, 76);
}

#[test]
fn a_log_that_is_tended_is_left_to_the_tidier() {
    let world = World::new();
    world.write(100);
    let gate = world.store.gate().unwrap();
    let _tended = gate.tend();
    let number = gate.untidy().number();
    world.write(1500);
    assert_eq!(gate.untidy().number(), number, "rung for a short log");
    world.write(5000);
    assert_ne!(gate.untidy().number(), number, "not rung for a long one");
    assert!(world.pages() > 6000, "{}", world.pages());

    let beginnings = world.beginnings();
    world.store.tidy().unwrap();
    world.write(3000);
    assert_ne!(world.beginnings(), beginnings, "it did not begin anew");
    assert!(world.pages() < 7000, "{}", world.pages());
}

#[test]
fn one_that_is_tended_badly_is_moved_in_the_end() {
    let world = World::new();
    world.write(100);
    let gate = world.store.gate().unwrap();
    let _tended = gate.tend();
    world.write(13_000);
    assert!(world.pages() < 10_500, "{}", world.pages());
}

#[test]
fn one_that_a_reader_kept_long_is_shortened_when_it_begins_anew() {
    let world = World::new();
    world.write(100);
    let reader = rusqlite::Connection::open(world.store.path()).unwrap();
    reader
        .execute_batch("BEGIN; SELECT count(*) FROM job")
        .unwrap();
    world.write(17_000);
    assert!(world.pages() > 16_500, "{}", world.pages());

    reader.execute_batch("COMMIT").unwrap();
    world.store.tidy().unwrap();
    world.write(200);
    assert!(world.pages() < 12_300, "{}", world.pages());
}

#[test]
fn a_worker_moves_the_log_of_others() {
    let world = World::new();
    world.write(100);
    let site = Site {
        store: Arc::clone(&world.store) as Arc<dyn JobStore>,
        gate: world.store.gate().unwrap(),
        clock: world.store.clock(),
        path: world.store.file(),
    };
    let engine = Engine::new(site, Settings::default());
    engine.start().unwrap();
    let (beginnings, end) = (world.beginnings(), Instant::now() + Duration::from_secs(20));
    while world.beginnings() == beginnings {
        assert!(Instant::now() < end, "it did not begin anew");
        world.write(500);
        thread::sleep(Duration::from_millis(5));
    }
    engine.drain(Duration::ZERO);
    assert_eq!(engine.join(Duration::from_secs(20)), Waited::Woken);
}
