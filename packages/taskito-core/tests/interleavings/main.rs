//! Every order in which threads may take their steps, or many of them: who waits is woken, and
//! nothing is acknowledged early.
//!
//! The files under test are compiled here once more, as they are. Only what they meet at is
//! another: locks and atomics are those of `shuttle`, which runs one thread at a time and decides
//! at each of these who goes on; the kernel and the device are `os.rs`. No sleep ends by itself,
//! so a wake-up that is lost is a deadlock, which `shuttle` reports with a schedule to replay.
//!
//! `shuttle` and not `loom`: the doorbell is right only if all see one order of its `SeqCst`
//! operations, and `loom` takes these for `AcqRel`. All orders of memory are one here.
//!
//! `TASKITO_SCHEDULES=<factor>` tries so many times as many schedules.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]
#![allow(
    clippy::unnecessary_wraps,
    clippy::unused_self,
    reason = "what stands for something is called as that is"
)]

mod bells;
mod engine;
mod flushes;
mod fork;
mod groups;
mod os;
mod store;
mod sync;

// What the files under test call by these names.
use taskito_core::{clock, error, id, job, limits, outcome, retry, rollup};

use shuttle::scheduler::{DfsScheduler, PctScheduler, RandomScheduler, Scheduler};
use shuttle::{Config, Runner};

/// Changes of priority by which a schedule that finds something is assumed to be found.
const DEPTH: usize = 3;

/// Tries schedules that chance decides, by two kinds of chance: each step at random, and few
/// threads that overtake the others.
fn explore(schedules: usize, story: fn()) {
    let factor = std::env::var("TASKITO_SCHEDULES").ok();
    let schedules = schedules * factor.map_or(1, |text| text.parse().expect("a number"));
    run(RandomScheduler::new(schedules / 2), story);
    run(PctScheduler::new(DEPTH, schedules / 2), story);
}

/// Tries all schedules.
fn exhaust(story: fn()) {
    run(DfsScheduler::new(None, false), story);
}

fn run(scheduler: impl Scheduler + 'static, story: fn()) {
    let mut config = Config::new();
    // Of atomics whose order is no `SeqCst`, see above.
    config.silence_warnings = true;
    Runner::new(scheduler, config).run(story);
}
