//! A keeper that is stepped: locks are renewed in time, and one that was lost is not held.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that cannot go on should stop here"
)]

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use rusqlite::Connection;
use taskito_core::clock::{Clock, ManualClock, Millis};
use taskito_core::engine::{Grasp, Keeper};
use taskito_core::error::Error;
use taskito_core::lock::{LockFence, Moment};
use taskito_core::store::sqlite::SqliteStore;
use taskito_core::store::{JobStore, Leases, Sync};

const TTL: Duration = Duration::from_secs(30);

/// A database, a clock, and keepers as of several processes. They have no threads: tests step them.
struct World {
    folder: PathBuf,
    uptime: Arc<AtomicI64>,
}

impl World {
    fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("taskito-{name}-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        Self {
            folder,
            uptime: Arc::new(AtomicI64::new(1000)),
        }
    }

    fn file(&self) -> PathBuf {
        self.folder.join("jobs.db")
    }

    fn keeper(&self) -> (Arc<Keeper>, Arc<SqliteStore>) {
        let store = Arc::new(SqliteStore::new(self.file(), Sync::Relaxed));
        let uptime = Arc::clone(&self.uptime);
        let clock = move || moment(uptime.load(Ordering::SeqCst));
        let keeper = Keeper::with_clock(Arc::clone(&store), clock);
        (Arc::new(keeper), store)
    }

    fn advance(&self, seconds: i64) {
        self.uptime.fetch_add(seconds * 1000, Ordering::SeqCst);
    }

    /// How long it stays held, as everybody sees it.
    fn left(&self, store: &SqliteStore, name: &str) -> Option<u64> {
        let now = moment(self.uptime.load(Ordering::SeqCst));
        let left = store.lock_left(&now, name).unwrap();
        left.map(|left| left.as_secs())
    }

    fn rows(&self) -> i64 {
        let connection = Connection::open(self.file()).unwrap();
        let count = connection.query_one("SELECT count(*) FROM lock", [], |row| row.get(0));
        count.unwrap()
    }
}

impl Drop for World {
    fn drop(&mut self) {
        std::fs::remove_dir_all(&self.folder).unwrap();
    }
}

fn moment(uptime: i64) -> Moment {
    Moment {
        boot: "this run".into(),
        uptime,
    }
}

fn take(keeper: &Arc<Keeper>, name: &str, ttl: Duration) -> LockFence {
    match keeper.try_lock(name, ttl).unwrap() {
        Grasp::Held(fence) => fence,
        Grasp::Taken(left) => panic!("held for {left:?}"),
    }
}

#[test]
fn a_held_lock_is_renewed_when_a_third_of_its_time_is_over() {
    let world = World::new("keeper-renews");
    let (keeper, store) = world.keeper();
    let fence = take(&keeper, "a", TTL);
    for _ in 0..10 {
        world.advance(9);
        keeper.step();
        assert_eq!(world.left(&store, "a"), Some(21));
        world.advance(1);
        assert_eq!(keeper.step(), Some(Duration::from_secs(10)));
        assert_eq!(world.left(&store, "a"), Some(30));
        assert!(keeper.holds(fence));
    }
    assert!(keeper.unlock(fence).unwrap());
    assert_eq!(keeper.step(), None);
}

#[test]
fn each_lock_is_renewed_at_its_own_time() {
    let world = World::new("keeper-times");
    let (keeper, store) = world.keeper();
    take(&keeper, "long", TTL);
    take(&keeper, "short", Duration::from_secs(6));
    for _ in 0..15 {
        world.advance(2);
        keeper.step();
    }
    assert_eq!(world.left(&store, "long"), Some(30));
    assert_eq!(world.left(&store, "short"), Some(6));
}

#[test]
fn a_holder_that_stood_still_for_too_long_has_lost_the_lock_for_good() {
    let world = World::new("keeper-loses");
    let (keeper, _) = world.keeper();
    let (other, _) = world.keeper();
    let [lost, taken] = ["lost", "taken"].map(|name| take(&keeper, name, TTL));
    world.advance(30);
    assert!(!keeper.holds(lost));
    take(&other, "taken", TTL);
    assert_eq!(keeper.step(), None);
    for fence in [lost, taken] {
        assert!(!keeper.holds(fence));
        assert!(!keeper.unlock(fence).unwrap());
    }
    assert!(matches!(keeper.try_lock("taken", TTL).unwrap(), Grasp::Taken(left) if left == TTL));
    assert!(take(&keeper, "lost", TTL) > taken);
}

#[test]
fn a_step_of_the_wall_clock_concerns_no_lock() {
    let world = World::new("keeper-steps");
    let wall = Arc::new(ManualClock::at(Millis(1_795_000_000_000)));
    let open = || {
        let clock = Arc::clone(&wall) as Arc<dyn Clock>;
        let store = Arc::new(SqliteStore::with_clock(world.file(), Sync::Relaxed, clock));
        let uptime = Arc::clone(&world.uptime);
        let clock = move || moment(uptime.load(Ordering::SeqCst));
        Arc::new(Keeper::with_clock(store, clock))
    };
    let (keeper, other) = (open(), open());
    let fence = take(&keeper, "a", TTL);
    for step in [3_600_000, -7_200_000, 3_600_000] {
        wall.step(step);
        world.advance(10);
        keeper.step();
        assert!(keeper.holds(fence));
        let left = other.try_lock("a", TTL).unwrap();
        assert_eq!(left, Grasp::Taken(TTL), "after a step by {step} ms");
    }
    wall.step(-3_600_000);
    world.advance(30);
    assert!(take(&other, "a", TTL) > fence);
}

#[test]
fn a_lock_that_was_removed_from_the_file_is_lost_at_its_next_renewal() {
    let world = World::new("keeper-removed");
    let (keeper, _) = world.keeper();
    let fence = take(&keeper, "a", TTL);
    let connection = Connection::open(world.file()).unwrap();
    connection.execute("DELETE FROM lock", []).unwrap();
    world.advance(10);
    assert_eq!(keeper.step(), None);
    assert!(!keeper.holds(fence));
}

#[test]
fn a_renewal_that_fails_is_tried_again_while_there_is_time() {
    let world = World::new("keeper-fails");
    let (keeper, store) = world.keeper();
    let fence = take(&keeper, "a", TTL);
    let connection = Connection::open(world.file()).unwrap();
    let refuse = "CREATE TRIGGER no BEFORE UPDATE ON lock BEGIN SELECT RAISE(ABORT, 'no'); END";
    connection.execute_batch(refuse).unwrap();
    world.advance(10);
    assert_eq!(keeper.step(), Some(Duration::from_millis(1500)));
    assert!(keeper.holds(fence));
    connection.execute_batch("DROP TRIGGER no").unwrap();
    world.advance(2);
    assert_eq!(keeper.step(), Some(Duration::from_secs(10)));
    assert_eq!(world.left(&store, "a"), Some(30));
}

#[test]
fn closing_gives_all_locks_back() {
    let world = World::new("keeper-closes");
    let (keeper, store) = world.keeper();
    let fences = ["a", "b"].map(|name| take(&keeper, name, TTL));
    keeper.close();
    store.close();
    let (other, _) = world.keeper();
    for (name, fence) in ["a", "b"].into_iter().zip(fences) {
        assert!(!keeper.holds(fence));
        assert!(take(&other, name, TTL) > fence);
    }
    let refused = keeper.try_lock("c", TTL);
    assert!(matches!(refused, Err(Error::Closed { .. })));
}

#[test]
fn a_waiter_hears_that_a_lock_was_given_back() {
    let world = World::new("keeper-rings");
    let (keeper, _) = world.keeper();
    let (_, other) = world.keeper();
    let fence = take(&keeper, "a", TTL);
    let gate = other.gate().unwrap();
    let number = gate.unlocked().number();
    keeper.step();
    assert_eq!(gate.unlocked().number(), number);
    keeper.unlock(fence).unwrap();
    assert_ne!(gate.unlocked().number(), number);
}

#[test]
fn what_the_dead_left_behind_does_not_pile_up() {
    let world = World::new("keeper-piles");
    let (_, dead) = world.keeper();
    for number in 0..200 {
        // Of this run of the machine, and of others.
        let at = Moment {
            boot: ["this run", "a run before", "the run after"][number % 3].into(),
            uptime: 1000,
        };
        let name = format!("of the dead {number}");
        let taken =
            &mut |t: &mut dyn taskito_core::store::Transaction| t.lock(&at, &name, TTL).map(|_| ());
        dead.write(Sync::Relaxed, taken).unwrap();
    }
    world.advance(31);
    let (keeper, _) = world.keeper();
    let mut last = LockFence(0);
    for number in 0..200 {
        let fence = take(&keeper, &format!("of the living {number}"), TTL);
        assert!(fence > last);
        last = fence;
        assert!(keeper.unlock(fence).unwrap());
    }
    assert_eq!(world.rows(), 0);
    assert!(last >= LockFence(400));
}
