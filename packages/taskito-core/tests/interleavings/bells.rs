//! The doorbell, and the turnstile with its waiting room.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use shuttle::thread;

use crate::os::{self, Waited};
use crate::store::gate::{Gate, LONGEST_SLEEP};
use crate::sync::{AtomicBool, AtomicU32};
use crate::{exhaust, explore};

/// Takes one of what was brought, asleep while there is none.
fn fetch(gate: &Gate, brought: &AtomicU32) {
    loop {
        let number = gate.work().number();
        let some = |count: u32| count.checked_sub(1);
        let took = brought.fetch_update(Ordering::SeqCst, Ordering::SeqCst, some);
        if took.is_ok() {
            return;
        }
        gate.work().sleep(number, LONGEST_SLEEP, || false);
    }
}

fn bring(gate: &Gate, brought: &AtomicU32) {
    brought.fetch_add(1, Ordering::SeqCst);
    gate.work().ring();
}

/// So many threads bring one each, as many fetch one each.
fn pairs(count: usize) {
    let world = Arc::new((Gate::private().unwrap(), AtomicU32::new(0)));
    let spawn = |act: fn(&Gate, &AtomicU32)| {
        let world = Arc::clone(&world);
        thread::spawn(move || act(&world.0, &world.1))
    };
    let threads: Vec<_> = (0..count)
        .flat_map(|_| [spawn(fetch), spawn(bring)])
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
    assert!(!world.0.work().has_sleepers());
}

#[test]
fn no_order_of_a_ring_and_a_look_lets_the_sleeper_sleep_on() {
    exhaust(|| {
        let world = Arc::new((Gate::private().unwrap(), AtomicU32::new(0)));
        let ringing = {
            let world = Arc::clone(&world);
            thread::spawn(move || bring(&world.0, &world.1))
        };
        fetch(&world.0, &world.1);
        ringing.join().unwrap();
    });
}

#[test]
fn every_sleeper_is_woken_whoever_rings_at_the_same_time() {
    explore(6_000, || pairs(3));
}

#[test]
fn a_killed_sleeper_is_forgotten_and_one_that_came_later_is_not() {
    explore(400, || {
        let gate = Arc::new(Gate::private().unwrap());
        let sleep = || {
            let gate = Arc::clone(&gate);
            let number = gate.work().number();
            thread::spawn(move || gate.work().sleep(number, LONGEST_SLEEP, || false))
        };
        let killed = sleep();
        while !gate.work().has_sleepers() {
            thread::yield_now();
        }
        os::pass(60_000);
        assert!(!gate.work().has_sleepers());
        let living = sleep();
        gate.work().ring();
        assert_eq!(living.join().unwrap(), Waited::Woken);
        // It is no more asleep than dead: the story ends when all have ended.
        gate.work().ring();
        gate.ring_control();
        killed.join().unwrap();
    });
}

/// Writers of two processes take turns, some of them twice.
fn take_turns() {
    let gates = [0; 2].map(|_| Arc::new(Gate::beside(Path::new("jobs.db")).unwrap()));
    let inside = Arc::new(AtomicBool::new(false));
    let threads: Vec<_> = [(0, 2), (1, 1), (1, 1)]
        .into_iter()
        .map(|(process, turns): (usize, u32)| {
            let (gate, inside) = (Arc::clone(&gates[process]), Arc::clone(&inside));
            thread::spawn(move || {
                for _ in 0..turns {
                    let deadline = Instant::now() + Duration::from_secs(3600);
                    let turn = gate.turn(deadline).unwrap();
                    assert!(turn.is_some());
                    assert!(!inside.swap(true, Ordering::SeqCst), "two have the turn");
                    os::pass(1);
                    inside.store(false, Ordering::SeqCst);
                }
            })
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
}

#[test]
fn the_turn_is_handed_to_whoever_waits_and_to_one_at_a_time() {
    explore(6_000, take_turns);
}
