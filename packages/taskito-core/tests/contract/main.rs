//! The contract of a job store, arrow by arrow, checked on every store there is.
//!
//! A test is a function of a [`World`](world::World); `contract!` runs it once on each store.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on has failed"
)]

/// Lists the tests of a file; each becomes a module with one test for each store.
macro_rules! contract {
    ($($name:ident,)+) => {
        $(
            mod $name {
                #[test]
                fn model() {
                    super::$name(&crate::world::World::new(crate::support::model()));
                }

                #[test]
                fn sqlite() {
                    super::$name(&crate::world::World::new(crate::support::sqlite()));
                }
            }
        )+
    };
}

#[path = "../support/mod.rs"]
mod support;
mod world;

mod abort;
mod breaker;
mod bulk;
mod bury;
mod cancel;
mod cancel_request;
mod cascade;
mod claim;
mod complete;
mod concurrency;
mod declare;
mod enqueue;
mod expire;
mod failures;
mod hand_back;
mod insert;
mod insert_links;
mod inspect;
mod locks;
mod lose;
mod metrics;
mod notes;
mod operations;
mod pause;
mod promote;
mod prune;
mod rates;
mod release;
mod restraints;
mod retry;
mod revive;
mod roster;
mod run_now;
mod schedules;
mod settlement;
mod snooze;
mod tick;
mod undo;
mod waits;
mod watching;
mod workflows;
mod write;
