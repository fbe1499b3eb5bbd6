//! Named locks: one holder each, fences that only grow, and locks that lapse.

use std::time::Duration;

use taskito_core::error::{Error, Result};
use taskito_core::lock::{LockFence, Moment};

use crate::world::World;

contract![
    a_lock_has_one_holder,
    names_do_not_concern_each_other,
    a_lock_that_was_given_back_is_free,
    a_lock_lapses_unless_it_is_renewed,
    a_lapsed_lock_is_free_however_many_others_lapsed,
    a_renewed_lock_is_good_for_its_whole_time_again,
    a_lapsed_lock_is_not_renewed_even_if_nobody_took_it,
    a_late_holder_changes_nothing_about_the_next,
    a_holder_does_not_outlive_the_run_of_the_machine,
    a_lock_renewed_in_the_future_is_of_an_earlier_run,
    fences_grow_over_all_names_and_after_every_end,
    a_lock_taken_in_vain_is_not_held,
    nobody_renews_and_unlocks_nothing,
    many_are_renewed_and_unlocked_at_once,
];

const TTL: Duration = Duration::from_secs(30);

/// So many milliseconds after the machine started.
fn at(uptime: i64) -> Moment {
    Moment {
        boot: "this run".into(),
        uptime,
    }
}

fn lock(world: &World, uptime: i64, name: &str) -> Option<LockFence> {
    world.write(|t| t.lock(&at(uptime), name, TTL))
}

fn take(world: &World, uptime: i64, name: &str) -> LockFence {
    lock(world, uptime, name).expect("it is held")
}

fn renew(world: &World, uptime: i64, holder: LockFence) -> bool {
    world.write(|t| t.renew(&at(uptime), &[holder]))[0]
}

fn unlock(world: &World, uptime: i64, holder: LockFence) -> bool {
    world.write(|t| t.unlock(&at(uptime), &[holder]))[0]
}

/// How many milliseconds it stays held.
fn left(world: &World, uptime: i64, name: &str) -> Option<u128> {
    let left = world.store().lock_left(&at(uptime), name).unwrap();
    left.map(|left| left.as_millis())
}

fn a_lock_has_one_holder(world: &World) {
    assert_eq!(left(world, 0, "a"), None);
    take(world, 0, "a");
    assert_eq!(lock(world, 0, "a"), None);
    assert_eq!(lock(world, 29_999, "a"), None);
    assert_eq!(left(world, 0, "a"), Some(30_000));
    assert_eq!(left(world, 29_999, "a"), Some(1));
}

fn names_do_not_concern_each_other(world: &World) {
    let a = take(world, 0, "a");
    for name in ["A", "a ", "", "é", "b"] {
        take(world, 0, name);
    }
    assert!(unlock(world, 1, a));
    assert_eq!(lock(world, 1, "b"), None);
}

fn a_lock_that_was_given_back_is_free(world: &World) {
    let holder = take(world, 0, "a");
    assert!(unlock(world, 10, holder));
    assert_eq!(left(world, 10, "a"), None);
    assert!(!unlock(world, 10, holder));
    assert!(!renew(world, 10, holder));
    take(world, 10, "a");
}

fn a_lock_lapses_unless_it_is_renewed(world: &World) {
    let first = take(world, 0, "a");
    assert_eq!(left(world, 30_000, "a"), None);
    let second = take(world, 30_000, "a");
    assert!(second > first);
    assert_eq!(left(world, 30_001, "a"), Some(29_999));
}

fn a_lapsed_lock_is_free_however_many_others_lapsed(world: &World) {
    // By its time, and with its run of the machine.
    for (boot, since, now) in [("this run", 0, 30_000), ("a run before", 59_000, 59_500)] {
        let then = Moment {
            boot: boot.into(),
            uptime: since,
        };
        let names: Vec<String> = (0..20).map(|number| format!("{boot} {number}")).collect();
        for name in &names {
            assert!(world.write(|t| t.lock(&then, name, TTL)).is_some());
        }
        for name in names.iter().rev() {
            take(world, now, name);
        }
    }
}

fn a_renewed_lock_is_good_for_its_whole_time_again(world: &World) {
    let holder = take(world, 0, "a");
    for turn in 1..=5 {
        assert!(renew(world, turn * 20_000, holder));
    }
    assert_eq!(lock(world, 129_999, "a"), None);
    assert_eq!(left(world, 100_000, "a"), Some(30_000));
    take(world, 130_000, "a");
}

fn a_lapsed_lock_is_not_renewed_even_if_nobody_took_it(world: &World) {
    let holder = take(world, 0, "a");
    assert!(!renew(world, 30_000, holder));
    assert_eq!(left(world, 30_000, "a"), None);
    assert!(!unlock(world, 30_000, holder));
}

fn a_late_holder_changes_nothing_about_the_next(world: &World) {
    let late = take(world, 0, "a");
    let next = take(world, 31_000, "a");
    assert!(!renew(world, 31_001, late));
    assert!(!unlock(world, 31_001, late));
    assert_eq!(left(world, 31_001, "a"), Some(29_999));
    assert!(unlock(world, 31_001, next));
}

fn a_holder_does_not_outlive_the_run_of_the_machine(world: &World) {
    let before = take(world, 10_000, "a");
    let after = Moment {
        boot: "another run".into(),
        uptime: 10_001,
    };
    assert_eq!(world.store().lock_left(&after, "a").unwrap(), None);
    assert_eq!(world.write(|t| t.renew(&after, &[before])), [false]);
    let taken = world.write(|t| t.lock(&after, "a", TTL));
    assert!(taken.is_some_and(|fence| fence > before));
}

fn a_lock_renewed_in_the_future_is_of_an_earlier_run(world: &World) {
    let before = take(world, 900_000, "a");
    assert_eq!(left(world, 899_999, "a"), None);
    assert!(!renew(world, 899_999, before));
    take(world, 5, "a");
    assert_eq!(left(world, 5, "a"), Some(30_000));
}

fn fences_grow_over_all_names_and_after_every_end(world: &World) {
    let mut last = LockFence(0);
    let mut grows = |fence: LockFence| {
        assert!(fence > last, "{fence:?} after {last:?}");
        last = fence;
        fence
    };
    for uptime in [0, 30_000, 30_001] {
        grows(take(world, uptime, &format!("other {uptime}")));
        let holder = grows(take(world, uptime, "a"));
        if uptime == 30_000 {
            assert!(unlock(world, uptime, holder));
        }
    }
    assert_eq!(lock(world, 30_002, "a"), None);
    grows(take(world, 30_002, "b"));
}

fn a_lock_taken_in_vain_is_not_held(world: &World) {
    let failed: Result<()> = world.try_write(|t| {
        t.lock(&at(0), "a", TTL)?;
        Err(Error::Invalid {
            message: "the end".into(),
        })
    });
    assert!(failed.is_err());
    assert_eq!(left(world, 0, "a"), None);
    take(world, 0, "a");
}

fn nobody_renews_and_unlocks_nothing(world: &World) {
    take(world, 0, "a");
    let nobody = LockFence(1_000_000);
    assert!(!renew(world, 0, nobody));
    assert!(!unlock(world, 0, nobody));
    assert_eq!(left(world, 0, "a"), Some(30_000));
}

fn many_are_renewed_and_unlocked_at_once(world: &World) {
    let [a, b, c] = ["a", "b", "c"].map(|name| take(world, 0, name));
    assert!(unlock(world, 1, b));
    let renewed = world.write(|t| t.renew(&at(10_000), &[c, b, a]));
    assert_eq!(renewed, [true, false, true]);
    let unlocked = world.write(|t| t.unlock(&at(39_999), &[a, b, c]));
    assert_eq!(unlocked, [true, false, true]);
    assert_eq!(left(world, 39_999, "a"), None);
}
