//! Random histories, told to the model and to `SQLite` in lockstep: both must agree on every
//! answer and on all that can be seen after every transaction.
//!
//! `proptest` draws them, the same in every run, and makes one that fails as short as it can.
//! `TASKITO_CASES=<factor>` multiplies how many are told, `TASKITO_SEED=<number>` draws others.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

mod author;
mod groups;
mod history;
mod plans;
mod side;
#[path = "../support/mod.rs"]
mod support;
mod vault;

use std::thread;

use author::{Act, Author, Step};
use history::{History, histories};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use side::{Side, Sight};
use support::Hunger;
use taskito_core::clock::Millis;
use taskito_core::id::Key;
use taskito_core::job::JobRow;
use taskito_core::state::State;

const HISTORIES: u32 = 320;
const THREADS: u8 = 4;
/// Histories that are told to find a short one.
const TRIES: u32 = 2_000;
/// Every so manyth transaction is followed by an audit.
const AUDITED: usize = 7;

#[test]
fn both_stores_tell_the_same_history() {
    let number = |name: &str| std::env::var(name).ok().map(|text| text.parse().unwrap());
    let config = Config {
        cases: HISTORIES / u32::from(THREADS) * number("TASKITO_CASES").unwrap_or(1),
        max_shrink_iters: TRIES,
        failure_persistence: None,
        ..Config::default()
    };
    let draw = number("TASKITO_SEED").unwrap_or(0);
    thread::scope(|scope| {
        for thread in 0..THREADS {
            let config = config.clone();
            scope.spawn(move || {
                let mut seed = [thread; 32];
                seed[..4].copy_from_slice(&draw.to_le_bytes());
                let random = TestRng::from_seed(RngAlgorithm::ChaCha, &seed);
                let mut runner = TestRunner::new_with_rng(config, random);
                // Every other thread tells them through two handles.
                let told = runner.run(&histories(), |history| {
                    tell(&history, thread % 2 == 0);
                    Ok(())
                });
                told.unwrap_or_else(|broken| panic!("{broken}"));
            });
        }
    });
}

/// Tells one history to both stores.
fn tell(history: &History, alone: bool) {
    let sqlite = if alone {
        support::sqlite()
    } else {
        support::sqlite_pair()
    };
    let mut sides = [support::model(), sqlite].map(Side::new);
    let mut author = Author::new(history);
    take(&mut sides, &author.first_act(), &author);
    for (number, seeds) in history.acts.iter().enumerate() {
        let act = author.act(seeds);
        take(&mut sides, &act, &author);
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

/// Tells one act to both stores.
fn take(sides: &mut [Side; 2], act: &Act, author: &Author) {
    let before = sides[0].sight(act.now, &act.moment);
    let [model, sqlite] = sides.each_mut().map(|side| side.perform(act));
    assert_eq!(
        model, sqlite,
        "answers of the model, answers of SQLite to {act:?}"
    );
    let [model, sqlite] = sides
        .each_ref()
        .map(|side| side.sight(act.now, &act.moment));
    assert_eq!(
        model, sqlite,
        "sight of the model, sight of SQLite after {act:?}"
    );
    assert_lawful(act, &before, &model);
    let changed = model.jobs.iter().filter(|job| !before.jobs.contains(job));
    assert_same_details(sides, &model, changed, act.now);
    assert_same_prospects(sides, act.now, &author.greed());
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
