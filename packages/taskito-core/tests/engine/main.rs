//! One worker from outside.

#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on should stop here"
)]

#[path = "../support/any.rs"]
mod any;
mod cancelling;
mod clock;
mod coroutines;
mod notes;
mod recovery;
mod running;
mod timeouts;
mod watching;
mod world;
