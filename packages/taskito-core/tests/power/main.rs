//! The power is cut at a random moment, and what may be left on the disk is opened again.
//!
//! `TASKITO_CUTS=<number>` cuts more often than CI does, per test; `TASKITO_SEED=<number>` begins
//! with another seed. A failure names its seed and moment.
#![cfg(target_os = "linux")]
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

#[path = "../support/any.rs"]
mod any;
mod calls;
mod disk;
mod draw;
mod fate;
mod history;
mod model;
mod sight;
#[path = "../support/mod.rs"]
mod support;
mod survivors;
mod together;

use std::fs;
use std::path::{Path, PathBuf};

use taskito_core::store::Sync;

use disk::{Disk, Remains};
use draw::Draw;
use history::{FILE, History, Step};
use support::Directory;

/// Cuts per test in CI.
const CUTS: usize = 300;
/// Cuts of one history.
const PER_HISTORY: usize = 25;
/// Calls in one history.
const CALLS: usize = 60;
/// Every so manyth survivor is put to work.
const WORKED: usize = 5;

#[test]
fn full_loses_nothing_that_was_acknowledged() {
    let counts = cut_histories(Sync::Durable);
    assert!(
        counts.promises > counts.cuts / 2,
        "hardly anything was promised"
    );
}

#[test]
fn normal_keeps_a_prefix_and_a_sound_file() {
    let counts = cut_histories(Sync::Relaxed);
    assert!(
        counts.behind > 0,
        "no cut lost anything: nothing was tested"
    );
}

/// What came out of all cuts of a test.
#[derive(Default)]
struct Counts {
    cuts: usize,
    /// Cuts after something had been promised.
    promises: usize,
    /// Cuts that cost the newest commits.
    behind: usize,
    /// Survivors that were put to work until nothing was left to do.
    worked: usize,
}

/// Cuts histories until there were enough cuts. Each second history goes on from what a cut has
/// left of the one before.
fn cut_histories(durability: Sync) -> Counts {
    let (cuts, first) = (number("TASKITO_CUTS", CUTS), number("TASKITO_SEED", 1));
    let mut counts = Counts::default();
    let mut left = Remains::default();
    for seed in first.. {
        if counts.cuts >= cuts {
            break;
        }
        let mut draw = Draw::new(seed as u64);
        if seed % 2 == 1 {
            left = Remains::default();
        }
        let scratch = Scratch::new();
        let (history, before) = tell(&scratch, &left, durability, &mut draw);
        for _ in 0..PER_HISTORY {
            let moment = a_moment(&history, &mut draw);
            let remains = history.disk.cut(moment, &mut draw);
            let place = scratch.restore(&remains);
            let case = format!("{durability:?}, seed {seed}, cut at {moment}");
            judge(&place, &history.steps, before, moment, &case, &mut counts);
            fs::remove_dir_all(&place).unwrap();
            left = remains;
        }
        report(durability, &counts, cuts);
    }
    counts
}

/// A program works on a disk; what it did, and what the file held before.
fn tell(scratch: &Scratch, left: &Remains, durability: Sync, draw: &mut Draw) -> (History, u64) {
    let before = scratch.restore(left);
    let digest = survivors::open(&before.join(FILE)).unwrap().digest;
    let disk = Disk::with(&scratch.empty(), left);
    let mut history = History::on(&disk, durability);
    history.go_on(CALLS, draw);
    calls::forget(&disk);
    (history, digest)
}

/// Any moment, but rather often one while the database is made.
fn a_moment(history: &History, draw: &mut Draw) -> usize {
    let end = history.disk.moment();
    let made = history.steps.first().map_or(end, |step| step.moment);
    let begin = history.disk.begin();
    let end = if draw.percent(20) { made } else { end };
    begin + draw.below(1 + end - begin)
}

/// Whether what a cut has left is the state after some call, and not too old a one.
fn judge(
    place: &Path,
    steps: &[Step],
    before: u64,
    moment: usize,
    case: &str,
    counts: &mut Counts,
) {
    let survivors = survivors::open(&place.join(FILE))
        .unwrap_or_else(|problem| panic!("{case}: corrupt: {problem}"));
    let over = steps
        .iter()
        .take_while(|step| step.moment <= moment)
        .count();
    let promised = steps[..over].iter().rposition(|step| step.promised);
    let oldest = promised.map_or(0, |index| index + 1);
    // State 0 is the one before the first call. The call that was cut short may have come
    // through.
    let newest = (over + 1).min(steps.len());
    let state = |index: usize| {
        index
            .checked_sub(1)
            .map_or(before, |call| steps[call].digest)
    };
    let found = (0..=newest)
        .rev()
        .find(|index| state(*index) == survivors.digest);
    match found {
        None => panic!("{case}: what is left was never true"),
        Some(found) => {
            let lost: Vec<_> = (found..oldest).map(|index| steps[index].name).collect();
            assert!(lost.is_empty(), "{case}: lost {lost:?}");
            counts.behind += usize::from(state(found) != state(over));
        }
    }
    counts.cuts += 1;
    counts.promises += usize::from(promised.is_some());
    if counts.cuts.is_multiple_of(WORKED) {
        survivors.finish_everything();
        counts.worked += 1;
    }
}

fn report(durability: Sync, counts: &Counts, of: usize) {
    let Counts {
        cuts,
        promises,
        behind,
        worked,
    } = counts;
    if cuts.is_multiple_of(500) || *cuts >= of {
        println!(
            "{durability:?}: {cuts} cuts, 0 corrupt, 0 acknowledged lost ({promises} after a \
             promise, {behind} cost the newest commits, {worked} worked to the end)"
        );
    }
}

/// A number from the environment.
fn number(name: &str, usual: usize) -> usize {
    std::env::var(name).map_or(usual, |text| text.parse().unwrap())
}

/// A directory for disks and what is left of them.
struct Scratch {
    directory: Directory,
    count: std::cell::Cell<usize>,
}

impl Scratch {
    fn new() -> Self {
        Self {
            directory: Directory::new(),
            count: std::cell::Cell::default(),
        }
    }

    /// A new empty directory.
    fn empty(&self) -> PathBuf {
        self.count.set(self.count.get() + 1);
        let path = self.directory.path(&self.count.get().to_string());
        fs::create_dir(&path).unwrap();
        path
    }

    /// What a cut has left, in a directory of its own.
    fn restore(&self, remains: &Remains) -> PathBuf {
        let place = self.empty();
        remains.restore(&place);
        place
    }
}
