//! Schedules fire while a worker that declares them lives: stepped by a manual clock, and on
//! their own.
#![cfg(feature = "model")]
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on should stop here"
)]

mod support;

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use taskito_core::clock::{Clock, ManualClock, Millis, SystemClock};
use taskito_core::engine::{Engine, Event, Settings, Site, Ticker};
use taskito_core::job::{JobFilter, JobRow};
use taskito_core::os::Waited;
use taskito_core::outcome::Outcome;
use taskito_core::retry::RetryPolicy;
use taskito_core::schedule::{CatchUp, Plan};
use taskito_core::store::sqlite::SqliteStore;
use taskito_core::store::{Inspect, JobStore, Sync, Timetable};

use support::{Directory, START, every, job, plan};

const SECOND: Duration = Duration::from_secs(1);
/// For what must come: a wait ends early, so it costs only where a test fails.
const LONG: Duration = Duration::from_secs(30);

/// A database.
struct World {
    // Fields are dropped in this order: the store closes its files before they go.
    store: Arc<SqliteStore>,
    directory: Directory,
}

impl World {
    fn new(clock: Arc<dyn Clock>) -> Self {
        let directory = Directory::new();
        let store = SqliteStore::with_clock(directory.path("jobs.db"), Sync::Relaxed, clock);
        Self {
            store: Arc::new(store),
            directory,
        }
    }

    /// A database whose time stands still.
    fn standing() -> (Self, Arc<ManualClock>) {
        let clock = Arc::new(ManualClock::at(START));
        (Self::new(Arc::clone(&clock) as Arc<dyn Clock>), clock)
    }

    fn site(&self) -> Site {
        Site {
            store: Arc::clone(&self.store) as Arc<dyn JobStore>,
            gate: self.store.gate().unwrap(),
            clock: self.store.clock(),
            path: self.store.file(),
        }
    }

    fn engine(&self) -> Engine {
        let settings = Settings {
            threads: 1,
            ..Settings::default()
        };
        Engine::new(self.site(), settings)
    }

    fn started(&self, plans: Vec<Plan>) -> Engine {
        let engine = self.engine();
        engine.declare(plans).unwrap();
        engine.start().unwrap();
        engine
    }

    fn stepped(&self, plans: Vec<Plan>) -> Engine {
        let engine = self.engine();
        engine.declare(plans).unwrap();
        engine.start_by_hand().unwrap();
        engine
    }

    /// All jobs, oldest first.
    fn jobs(&self) -> Vec<JobRow> {
        let filter = JobFilter {
            limit: u32::MAX,
            ..JobFilter::default()
        };
        let mut jobs = self.store.jobs(&filter).unwrap();
        jobs.reverse();
        jobs
    }

    fn fire_times(&self) -> Vec<Millis> {
        let fire = |job: JobRow| job.fire.unwrap().time;
        self.jobs().into_iter().map(fire).collect()
    }

    /// Whatever is due after this instant, which is about now, does not fire.
    fn fires_nothing_after(&self, end: Millis) {
        until(|| SystemClock.now() > end.plus(SECOND + Duration::from_millis(200)));
        let fires = self.jobs().into_iter().filter_map(|job| job.fire);
        assert!(fires.map(|fire| fire.time).all(|time| time <= end));
    }

    fn next_run(&self, name: &str) -> Option<Millis> {
        let rows = self.store.schedules().unwrap();
        rows.into_iter()
            .find(|row| row.name == name)
            .unwrap()
            .next_run
    }
}

fn seconds(count: u64) -> Duration {
    Duration::from_secs(count)
}

fn until(condition: impl Fn() -> bool) {
    let end = Instant::now() + LONG;
    while !condition() {
        assert!(Instant::now() < end, "it did not happen within {LONG:?}");
        thread::sleep(Duration::from_millis(5));
    }
}

fn stop(engine: &Engine) {
    engine.drain(Duration::ZERO);
    assert_eq!(engine.join(LONG), Waited::Woken);
}

#[test]
fn schedules_fire_as_the_clock_comes_to_their_time() {
    let (world, clock) = World::standing();
    let engine = world.stepped(vec![plan("a", every(60)), plan("b", every(90))]);
    let mut expected = Vec::new();
    for _ in 0..200 {
        let next = engine.tick().unwrap();
        assert_eq!(next, Some(world.store.fires().unwrap()[0].1));
        clock.advance(SECOND);
        let now = clock.now();
        assert_eq!(
            next <= Some(now),
            now.0 % 60_000 == 0 || now.0 % 90_000 == 0
        );
        for (name, period) in [("a", 60_000), ("b", 90_000)] {
            if now.0 % period == 0 {
                expected.push((name.to_owned(), now));
            }
        }
    }
    engine.tick().unwrap();
    let fires = world.jobs().into_iter();
    let mut fires: Vec<_> = fires
        .map(|job| (job.task, job.fire.unwrap().time))
        .collect();
    fires.sort_by_key(|(task, time)| (*time, task.clone()));
    assert_eq!(fires, expected);
    assert!(expected.len() > 4);
}

#[test]
fn only_schedules_of_this_worker_fire() {
    let (world, clock) = World::standing();
    let ours = world.stepped(vec![plan("ours", every(60))]);
    let theirs = world.stepped(vec![plan("theirs", every(60))]);
    clock.advance(seconds(60));
    ours.tick().unwrap();
    assert_eq!(world.jobs().len(), 1);
    assert_eq!(world.jobs()[0].task, "ours");
    theirs.tick().unwrap();
    assert_eq!(world.jobs().len(), 2);
}

#[test]
fn a_worker_without_schedules_fires_nothing() {
    let (world, clock) = World::standing();
    world.stepped(vec![plan("a", every(60))]).leave();
    let other = world.stepped(vec![]);
    clock.advance(seconds(60));
    assert_eq!(other.tick().unwrap(), None);
    assert!(world.jobs().is_empty());
}

#[test]
fn a_schedule_declared_later_fires_from_then_on() {
    let (world, clock) = World::standing();
    let engine = world.stepped(vec![]);
    clock.advance(seconds(3600));
    engine.declare(vec![plan("late", every(60))]).unwrap();
    assert_eq!(engine.tick().unwrap(), world.next_run("late"));
    clock.advance(seconds(20));
    engine.tick().unwrap();
    assert_eq!(world.fire_times(), [clock.now()]);
}

#[test]
fn a_fire_becomes_one_job_among_many_workers() {
    let (world, clock) = World::standing();
    let stores: Vec<Arc<SqliteStore>> = (0..8)
        .map(|_| {
            let path = world.directory.path("jobs.db");
            let time = world.store.clock();
            Arc::new(SqliteStore::with_clock(path, Sync::Relaxed, time))
        })
        .collect();
    let engine = world.stepped(vec![plan("a", every(1))]);
    for _ in 0..30 {
        clock.advance(SECOND);
        let now = clock.now();
        thread::scope(|scope| {
            for store in &stores {
                scope.spawn(move || {
                    let ticker = Ticker::new(Site {
                        gate: store.gate().unwrap(),
                        clock: store.clock(),
                        path: store.file(),
                        store: Arc::clone(store) as Arc<dyn JobStore>,
                    });
                    ticker.add(["a".to_owned()]);
                    assert_eq!(ticker.step(now).unwrap().next, Some(now.plus(SECOND)));
                });
            }
        });
    }
    let expected: Vec<Millis> = (1..=30).map(|age| START.plus(seconds(age))).collect();
    assert_eq!(world.fire_times(), expected);
    drop(engine);
}

#[test]
fn fires_missed_without_a_worker_are_made_up_by_the_next_one() {
    let (world, clock) = World::standing();
    let all = Plan {
        catch_up: CatchUp::All,
        ..plan("all", every(60))
    };
    let none = Plan {
        catch_up: CatchUp::None,
        ..plan("none", every(60))
    };
    let plans = vec![all, plan("one", every(60)), none];
    world.stepped(plans.clone()).leave();
    clock.advance(seconds(20 + 3 * 60 + 15));
    let engine = world.stepped(plans);
    engine.tick().unwrap();
    let count = |task: &str| world.jobs().iter().filter(|job| job.task == task).count();
    assert_eq!((count("all"), count("one"), count("none")), (4, 1, 0));
}

#[test]
fn what_cannot_fire_does_not_keep_others_from_it() {
    let (world, clock) = World::standing();
    let engine = world.stepped(vec![plan("a", every(60)), plan("b", every(60))]);
    // As a newer version might leave it.
    write_by_hand(
        &world,
        "UPDATE schedule SET timezone = 'Moon/Tycho' WHERE name = 'a'",
    );
    clock.advance(seconds(60));
    assert_eq!(engine.tick().unwrap(), world.next_run("b"));
    assert_eq!(world.jobs().len(), 1);
    assert_eq!(world.jobs()[0].task, "b");
    assert_eq!(
        problems(&engine),
        ["a does not fire: unknown time zone 'Moon/Tycho'"]
    );
    clock.advance(seconds(60));
    engine.tick().unwrap();
    assert_eq!(world.jobs().len(), 2);
    assert!(problems(&engine).is_empty(), "it was told before");
}

fn write_by_hand(world: &World, statement: &str) {
    let connection = rusqlite::Connection::open(world.directory.path("jobs.db")).unwrap();
    connection.execute_batch(statement).unwrap();
}

#[test]
fn too_many_missed_fires_are_told() {
    let (world, clock) = World::standing();
    let all = Plan {
        catch_up: CatchUp::All,
        ..plan("all", every(1))
    };
    let engine = world.stepped(vec![all]);
    clock.advance(seconds(3000));
    engine.tick().unwrap();
    assert_eq!(
        problems(&engine),
        ["all missed more than 1000 fires; the oldest are dropped"]
    );
    clock.advance(SECOND);
    engine.tick().unwrap();
    assert!(problems(&engine).is_empty());
}

/// What the events of a worker say about schedules.
fn problems(engine: &Engine) -> Vec<String> {
    let events = engine.events(Duration::ZERO).into_iter();
    events
        .filter_map(|event| match event {
            Event::Schedule { name, problem } => Some(format!("{name} {problem}")),
            _ => None,
        })
        .collect()
}

#[test]
fn only_a_worker_without_threads_is_stepped() {
    let (world, _clock) = World::standing();
    assert!(world.engine().tick().is_err());
}

#[test]
fn a_worker_fires_every_second_on_time() {
    let world = World::new(Arc::new(SystemClock));
    let engine = world.started(vec![plan("a", every(1))]);
    // On a machine that stands still for a moment some are late; three in a row are not.
    until(|| {
        let jobs = world.jobs();
        let late = |job: &JobRow| job.fire.as_ref().unwrap().time.until(job.created_at);
        let in_time = |job: &JobRow| late(job) < Duration::from_millis(500);
        jobs.windows(3).any(|three| three.iter().all(in_time))
    });
    let times = world.fire_times();
    assert!(times.windows(2).all(|pair| pair[0].plus(SECOND) == pair[1]));
    stop(&engine);
}

#[test]
fn a_schedule_declared_in_a_running_worker_fires() {
    let world = World::new(Arc::new(SystemClock));
    let engine = world.started(vec![]);
    // So that the ticker sleeps already. Should it not yet, the test asks for less.
    thread::sleep(Duration::from_millis(50));
    engine.declare(vec![plan("late", every(1))]).unwrap();
    until(|| !world.jobs().is_empty());
    stop(&engine);
}

#[test]
fn a_resumed_schedule_fires_again_in_a_running_worker() {
    let world = World::new(Arc::new(SystemClock));
    let operate = |work: &mut dyn FnMut(&mut dyn taskito_core::store::Transaction)| {
        let done = world.store.write(Sync::Relaxed, &mut |t| {
            work(t);
            Ok(())
        });
        done.unwrap();
    };
    let engine = world.started(vec![plan("a", every(1))]);
    operate(&mut |t| assert!(t.pause_schedule("a").unwrap()));
    let before = world.jobs().len();
    let now = SystemClock.now();
    operate(&mut |t| assert!(t.resume_schedule(now, "a").unwrap()));
    until(|| world.jobs().len() > before);
    stop(&engine);
}

#[test]
fn a_worker_that_finishes_its_last_job_fires_nothing_more() {
    let world = World::new(Arc::new(SystemClock));
    let engine = world.engine();
    engine.register("last", RetryPolicy::default());
    world.store.enqueue(vec![job("last")]).unwrap();
    engine.declare(vec![plan("a", every(1))]).unwrap();
    engine.start().unwrap();
    let claim = engine.next().unwrap();
    until(|| world.jobs().len() > 1);
    engine.drain(seconds(60));
    world.fires_nothing_after(SystemClock.now());
    engine.settle(claim.token, Outcome::done(vec![]));
    assert_eq!(engine.join(LONG), Waited::Woken);
}

#[test]
fn a_worker_that_leaves_fires_nothing_more() {
    let world = World::new(Arc::new(SystemClock));
    let engine = world.started(vec![plan("a", every(1))]);
    until(|| !world.jobs().is_empty());
    stop(&engine);
    world.fires_nothing_after(SystemClock.now());
}
