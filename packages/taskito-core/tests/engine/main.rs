//! One worker from outside.

#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on should stop here"
)]

mod cancelling;
mod clock;
mod coroutines;
mod notes;
mod recovery;
mod running;
mod timeouts;
mod world;
