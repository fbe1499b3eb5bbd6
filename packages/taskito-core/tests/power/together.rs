//! Several threads at once, and copies: what is acknowledged to each of them survives.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use taskito_core::id::Key;
use taskito_core::rollup::Run;
use taskito_core::store::sqlite::SqliteStore;
use taskito_core::store::{Completion, Inspect, JobStore, Sync};

use crate::any::Any;
use crate::calls;
use crate::disk::{Disk, Remains};
use crate::draw::Draw;
use crate::history::{FILE, History};
use crate::support::{job, worker};
use crate::{CUTS, Scratch, number, sight, survivors};

/// Threads that enqueue.
const PRODUCERS: usize = 4;
/// What each of them enqueues.
const JOBS: usize = 15;

#[test]
fn producers_that_share_a_commit_lose_nothing_in_full() {
    cut_crowds(Sync::Durable);
}

#[test]
fn producers_that_share_a_commit_keep_a_prefix_in_normal() {
    cut_crowds(Sync::Relaxed);
}

/// A job, its arguments, and what the disk had seen when its producer knew of it.
type Acknowledged = BTreeMap<Key, (Vec<u8>, usize)>;

fn cut_crowds(durability: Sync) {
    let (cuts, first) = (number("TASKITO_CUTS", CUTS / 2), number("TASKITO_SEED", 1));
    let (mut done, mut behind) = (0, 0);
    for seed in first.. {
        let mut draw = Draw::new(seed as u64);
        let scratch = Scratch::new();
        let disk = Disk::with(&scratch.empty(), &Remains::default());
        let known = crowd(&disk.root().join(FILE), durability, &disk);
        calls::forget(&disk);
        let end = disk.moment();
        for _ in 0..50 {
            let moment = disk.begin() + draw.below(1 + end - disk.begin());
            let place = scratch.restore(&disk.cut(moment, &mut draw));
            let case = format!("{durability:?}, seed {seed}, cut at {moment}");
            let left = survivors::open(&place.join(FILE))
                .unwrap_or_else(|problem| panic!("{case}: corrupt: {problem}"));
            // Keys are in the order of commits: what is left must be the first of them.
            let mut missing = None;
            for (key, (payload, acknowledged)) in &known {
                if let Some(found) = left.store.payload(*key).unwrap() {
                    assert_eq!(missing, None, "{case}: a later job is left");
                    assert!(found == *payload, "{case}: other arguments");
                } else {
                    let promised = durability == Sync::Durable && *acknowledged <= moment;
                    assert!(!promised, "{case}: an acknowledged job is lost");
                    missing = Some(*key);
                }
            }
            behind += usize::from(missing.is_some());
            left.finish_everything();
            fs::remove_dir_all(&place).unwrap();
            done += 1;
        }
        if done >= cuts {
            break;
        }
    }
    println!(
        "{durability:?}, {PRODUCERS} producers: {done} cuts, 0 corrupt, 0 acknowledged lost \
         ({behind} cost jobs that were to come)"
    );
    assert!(behind > 0, "no cut lost anything: nothing was tested");
}

/// Producers enqueue while a worker runs their jobs and moves the log into the file.
fn crowd(file: &Path, durability: Sync, disk: &Disk) -> Acknowledged {
    let store = SqliteStore::new(file, durability);
    let known = Mutex::new(Acknowledged::new());
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        let producers: Vec<_> = (0..PRODUCERS)
            .map(|name| {
                scope.spawn({
                    let (store, known) = (&store, &known);
                    move || produce(name, store, known, disk)
                })
            })
            .collect();
        scope.spawn(|| {
            let mut rounds = 0;
            while !over.load(Ordering::Relaxed) {
                work(&store);
                rounds += 1;
                if rounds % 4 == 0 {
                    store.tidy().unwrap();
                }
            }
        });
        for producer in producers {
            producer.join().unwrap();
        }
        over.store(true, Ordering::Relaxed);
    });
    store.close();
    known.into_inner().unwrap()
}

fn produce(name: usize, store: &SqliteStore, known: &Mutex<Acknowledged>, disk: &Disk) {
    for number in 0..JOBS {
        let mut new = job("task");
        new.payload = format!("{name} {number} ")
            .repeat(1 + 400 * (number % 3))
            .into_bytes();
        let payload = new.payload.clone();
        let key = store.enqueue(vec![new]).unwrap()[0].key;
        let moment = disk.moment();
        known.lock().unwrap().insert(key, (payload, moment));
    }
}

/// Runs up to two jobs.
fn work(store: &SqliteStore) {
    store
        .write(Sync::Relaxed, &mut |at| {
            let now = store.now();
            let worker = at.enlist(now, &worker())?;
            for claim in at.claim(now, worker, &mut Any(2))? {
                let (token, run) = (claim.token, Run::default());
                at.complete(
                    now,
                    &[Completion {
                        preview: None,
                        token,
                        result: b"done",
                        run,
                    }],
                )?;
            }
            at.dismiss(worker).map(drop)
        })
        .unwrap();
}

#[test]
fn a_snapshot_that_is_done_is_whole_after_a_cut() {
    let mut draw = Draw::new(1);
    for _ in 0..4 {
        let scratch = Scratch::new();
        let disk = Disk::with(&scratch.empty(), &Remains::default());
        let mut history = History::on(&disk, Sync::Durable);
        history.go_on(20, &mut draw);
        let digest = history.steps.last().unwrap().digest;
        let store = SqliteStore::new(disk.root().join(FILE), Sync::Durable);
        assert!(
            store
                .snapshot(&disk.root().join("copy.db"), &mut || true)
                .unwrap()
        );
        let made = disk.moment();
        // As whoever gives the copy its final name does.
        fs::File::open(disk.root()).unwrap().sync_all().unwrap();
        store.close();
        calls::forget(&disk);
        assert!(disk.moment() > made);
        for _ in 0..50 {
            let place = scratch.restore(&disk.cut(disk.moment(), &mut draw));
            let copy = sight::connect(&place.join("copy.db"));
            assert_eq!(sight::integrity(&copy), "ok");
            assert_eq!(sight::digest(&copy), digest);
            drop(copy);
            fs::remove_dir_all(&place).unwrap();
        }
    }
}
