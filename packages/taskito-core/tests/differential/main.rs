//! Random histories, told to the model and to `SQLite` in lockstep: both must agree on every
//! answer and on all that can be seen after every transaction.
//!
//! A failure prints its seed; `TASKITO_SEED=<seed>` replays that history alone.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

mod author;
mod groups;
mod plans;
mod side;
#[path = "../support/mod.rs"]
mod support;
mod vault;

use std::thread;

use author::{Act, Author, Step};
use side::{Side, Sight};
use support::Hunger;
use taskito_core::clock::Millis;
use taskito_core::id::Key;
use taskito_core::job::JobRow;
use taskito_core::state::State;

const HISTORIES: usize = 240;
const THREADS: usize = 4;
const TRANSACTIONS: usize = 60;
/// Every so manyth transaction is followed by an audit.
const AUDITED: usize = 7;

#[test]
fn both_stores_tell_the_same_history() {
    if let Ok(seed) = std::env::var("TASKITO_SEED") {
        return tell(seed.parse().expect("TASKITO_SEED is a number"));
    }
    thread::scope(|scope| {
        for first in 0..THREADS {
            scope.spawn(move || (first..HISTORIES).step_by(THREADS).for_each(tell));
        }
    });
}

/// Tells one history to both stores.
fn tell(seed: usize) {
    // Every other history is told through two handles.
    let sqlite = if seed.is_multiple_of(2) {
        support::sqlite()
    } else {
        support::sqlite_pair()
    };
    let mut sides = [support::model(), sqlite].map(Side::new);
    let mut author = Author::new(seed);
    let mut log = Log {
        seed,
        lines: vec![],
    };
    for number in 0..TRANSACTIONS {
        let act = author.act();
        log.lines.push(format!("{act:?}"));
        let before = sides[0].sight(act.now, &act.moment);
        let [model, sqlite] = sides.each_mut().map(|side| side.perform(&act));
        assert_eq!(model, sqlite, "answers of the model, answers of SQLite");
        log.lines.push(format!("    -> {model:?}"));
        let [model, sqlite] = sides
            .each_ref()
            .map(|side| side.sight(act.now, &act.moment));
        assert_eq!(model, sqlite, "sight of the model, sight of SQLite");
        assert_lawful(&act, &before, &model);
        let changed = model.jobs.iter().filter(|job| !before.jobs.contains(job));
        assert_same_details(&sides, &model, changed, act.now);
        assert_same_prospects(&sides, act.now, &author.greed());
        let question = author.question();
        let [model, sqlite] = sides.each_ref().map(|side| side.answer(&question));
        assert_eq!(model, sqlite, "{question:?}");
        if number % AUDITED == 0 {
            sides[1].audit();
        }
    }
    let end = sides[0].sight(author.now(), &author.moment());
    assert_same_details(&sides, &end, &end.jobs, author.now());
    sides[1].audit();
}

fn assert_same_details<'a>(
    sides: &[Side; 2],
    sight: &Sight,
    jobs: impl IntoIterator<Item = &'a JobRow>,
    now: Millis,
) {
    for job in jobs {
        let [model, sqlite] = sides.each_ref().map(|side| side.details(job, now));
        assert_eq!(model, sqlite, "{job:?}");
        assert_waits_lawfully(sight, job, &model.dependencies);
    }
}

/// A store never misses that something can be claimed, now or as time goes on. It may look in
/// vain.
fn assert_same_prospects(sides: &[Side; 2], now: Millis, hunger: &Hunger) {
    let [model, sqlite] = sides
        .each_ref()
        .map(|side| side.prospects(now, hunger.clone()));
    if !sqlite.0 {
        assert!(!model.0, "there is something to claim");
        if let Some(opens_at) = model.1 {
            let looks_at = sqlite.1.expect("something opens and nobody looks");
            assert!(
                looks_at <= opens_at,
                "{looks_at:?} is later than {opens_at:?}"
            );
        }
    }
}

/// A job is blocked exactly while it has an unfinished parent, and none that ended in vain.
fn assert_waits_lawfully(sight: &Sight, job: &JobRow, parents: &[Key]) {
    // A parent that is gone was finished, and the job did not wait for it any more.
    let states = parents
        .iter()
        .filter_map(|parent| Some(sight.job(*parent)?.state));
    let unfinished: Vec<State> = states.filter(|state| *state != State::Complete).collect();
    match job.state {
        State::Blocked => {
            assert_eq!(unfinished.len(), job.waiting_on as usize, "{job:?}");
            assert!(
                !unfinished.iter().any(|state| state.is_finished()),
                "{job:?}"
            );
        }
        State::Cancelled => {}
        _ => assert_eq!((unfinished, job.waiting_on), (vec![], 0), "{job:?}"),
    }
}

/// What holds of every store, whatever the two agree on.
fn assert_lawful(act: &Act, before: &Sight, after: &Sight) {
    if act.fails {
        assert_eq!(before, after, "a failed transaction left a trace");
    }
    let pruned = act.steps.iter().any(|step| matches!(step, Step::Prune(_)));
    for old in &before.jobs {
        let Some(new) = after.jobs.iter().find(|new| new.key == old.key) else {
            assert!(pruned, "a job is gone");
            continue;
        };
        assert!(old.fence <= new.fence, "a fence went down");
        if act.steps.len() == 1 {
            let (from, to) = (old.state, new.state);
            assert!(from == to || from.may_become(to), "{from:?} -> {to:?}");
        }
    }
}

/// What happened so far; printed when the test fails.
struct Log {
    seed: usize,
    lines: Vec<String>,
}

impl Drop for Log {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{}", self.lines.join("\n"));
            eprintln!("replay with TASKITO_SEED={}", self.seed);
        }
    }
}
