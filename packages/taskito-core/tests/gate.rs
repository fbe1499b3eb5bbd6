//! The gate through its public side: who sleeps, who is woken, who is held back, whose turn it is.
#![cfg(feature = "model")]
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on should stop here"
)]

mod support;

use std::sync::Arc;
use std::thread;
use std::time::Instant;

use taskito_core::os::Waited;
use taskito_core::store::gate::{Gate, LONGEST_SLEEP};

use support::Directory;

#[test]
fn a_worker_is_held_back_until_it_says_otherwise() {
    let gate = Arc::new(Gate::private().unwrap());
    assert!(!gate.holds_anybody_back());
    let one = gate.hold_back();
    let other = gate.hold_back();
    drop(one);
    assert!(gate.holds_anybody_back());
    drop(other);
    assert!(!gate.holds_anybody_back());
}

#[test]
fn who_waits_in_vain_for_the_turn_learns_whose_it_is() {
    let directory = Directory::new();
    let path = directory.path("jobs.db");
    let (one, other) = (Gate::beside(&path).unwrap(), Gate::beside(&path).unwrap());
    assert_eq!(other.holder(), None);
    let turn = one.turn(Instant::now()).unwrap();
    assert!(turn.is_some());
    assert!(other.turn(Instant::now()).unwrap().is_none());
    assert_eq!(other.holder(), Some(std::process::id()));
    drop(turn);
    assert!(other.turn(Instant::now()).unwrap().is_some());
}

#[test]
fn a_ring_between_the_look_and_the_sleep_is_not_missed() {
    let gate = Gate::private().unwrap();
    let number = gate.work().number();
    gate.work().ring();
    let waited = gate.work().sleep(number, LONGEST_SLEEP, || false);
    assert_eq!(waited, Waited::Woken);
}

#[test]
fn a_sleeper_is_woken() {
    let gate = Gate::private().unwrap();
    let gate = &gate;
    thread::scope(|scope| {
        let number = gate.work().number();
        let sleeper = scope.spawn(move || gate.work().sleep(number, LONGEST_SLEEP, || false));
        while !gate.work().has_sleepers() && !sleeper.is_finished() {
            thread::yield_now();
        }
        gate.work().ring();
        assert_eq!(sleeper.join().unwrap(), Waited::Woken);
    });
    assert!(!gate.work().has_sleepers());
}
