//! Deterministic simulation: the real engine on the real store, step by step in an order that
//! chance decides, with something failing between any two steps, and every law held after each.
//!
//! `TASKITO_HISTORIES=1000000` tells so many histories instead of the usual number; the cargo
//! profile `simulation` tells them twice as fast, and `nox -s rust` 10,000 of them. A history that breaks a law is shortened and
//! told line by line; `TASKITO_SEED=<seed>` replays it, with `TASKITO_STEPS=<steps>` only those
//! steps of it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

mod actor;
mod acts;
mod blows;
mod chance;
mod claims;
mod clock;
mod code;
mod ends;
mod faulty;
mod fires;
mod history;
mod known;
mod laws;
mod outside;
mod quiet;
mod rates;
mod record;
mod shrink;
mod sight;
#[path = "../support/mod.rs"]
mod support;
mod trial;
mod world;

use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use history::{Steps, tell};
use world::Ground;

/// Histories that are told unless somebody asks for more.
const HISTORIES: u64 = 300;
/// How often to say how far it has come.
const SIGN_OF_LIFE: Duration = Duration::from_secs(10);

#[test]
fn no_history_breaks_a_law() {
    if let Some(seed) = number("TASKITO_SEED") {
        let steps = std::env::var("TASKITO_STEPS")
            .map_or_else(|_| Steps::all(), |text| Steps::parse(&text));
        let story = tell(&Ground::new(0), seed, &steps);
        println!("{}", story.lines.join("\n"));
        return story.end.unwrap();
    }
    let count = number("TASKITO_HISTORIES").unwrap_or(HISTORIES);
    let begin = Instant::now();
    let (told, broken) = (AtomicU64::new(0), Mutex::new(None));
    let threads = thread::available_parallelism().map_or(2, usize::from);
    thread::scope(|scope| {
        for number in 0..threads {
            let (told, broken) = (&told, &broken);
            scope.spawn(move || {
                let ground = Ground::new(number);
                while let seed = told.fetch_add(1, Ordering::Relaxed)
                    && seed < count
                {
                    if let Err(law) = tell(&ground, seed, &Steps::all()).end {
                        told.store(count, Ordering::Relaxed);
                        *broken.lock().unwrap() = Some(shrink::report(&ground, seed, &law));
                    }
                }
            });
        }
        scope.spawn(|| say_how_far(&told, count, begin));
    });
    if let Some(report) = broken.into_inner().unwrap() {
        panic!("{report}");
    }
    eprintln!(
        "{count} histories in {:.1} s, no law broken",
        begin.elapsed().as_secs_f64()
    );
}

/// Says from time to time how many histories were told, until all were.
fn say_how_far(told: &AtomicU64, count: u64, begin: Instant) {
    let mut last = Instant::now();
    while told.load(Ordering::Relaxed) < count {
        thread::sleep(Duration::from_millis(20));
        if last.elapsed() >= SIGN_OF_LIFE {
            last = Instant::now();
            let (told, seconds) = (told.load(Ordering::Relaxed), begin.elapsed().as_secs());
            eprintln!("{told} of {count} histories in {seconds} s");
        }
    }
}

#[test]
fn a_history_is_told_the_same_way_twice() {
    let ground = Ground::new(1000);
    for seed in 0..20 {
        let [one, other] = [0; 2].map(|_| tell(&ground, seed, &Steps::all()).lines);
        let differs = one.iter().zip(&other).position(|(one, other)| one != other);
        assert_eq!(
            (one.len(), differs),
            (other.len(), None),
            "seed {seed}: {one:#?}"
        );
    }
}

fn number(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().expect("a number"))
}
