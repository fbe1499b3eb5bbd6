//! Properties: arithmetic held against plain oracles, and files with anything in them.
//!
//! Inputs are drawn from seeds. A failure prints its seed; `TASKITO_SEED=<seed>` tries that one
//! alone, `TASKITO_CASES=<factor>` multiplies how many are tried.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

#[allow(dead_code, reason = "simulations draw more")]
#[path = "../simulation/chance.rs"]
mod chance;
#[path = "../support/mod.rs"]
mod support;

mod crons;
mod files;
mod ids;
mod operations;
mod rates;
mod retries;

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

use chance::Chance;

/// Holds a property against so many inputs.
fn hold(cases: u64, mut property: impl FnMut(&mut Chance)) {
    let number = |name: &str| std::env::var(name).ok().map(|text| text.parse().unwrap());
    let seeds = match number("TASKITO_SEED") {
        Some(seed) => seed..=seed,
        None => 1..=cases * number("TASKITO_CASES").unwrap_or(1),
    };
    for seed in seeds {
        let tried = catch_unwind(AssertUnwindSafe(|| property(&mut Chance::new(seed, 0))));
        if let Err(panic) = tried {
            eprintln!("try again with TASKITO_SEED={seed}");
            resume_unwind(panic);
        }
    }
}
