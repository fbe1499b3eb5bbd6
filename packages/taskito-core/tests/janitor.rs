//! A janitor that is stepped: what is over expires or is deleted, and nothing else is.
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on should stop here"
)]

#[path = "support/any.rs"]
mod any;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use any::Any;
use rusqlite::Connection;
use taskito_core::bulk::{NewOperation, Phase, Verb};
use taskito_core::clock::{Clock, ManualClock, Millis};
use taskito_core::engine::{Janitor, Site};
use taskito_core::filter::Filter;
use taskito_core::id::Key;
use taskito_core::job::{JobSpec, NewJob, NewWorker, WorkerId};
use taskito_core::rollup::{Period, Run};
use taskito_core::state::State;
use taskito_core::store::bulk::begin;
use taskito_core::store::gate::Gate;
use taskito_core::store::sqlite::SqliteStore;
use taskito_core::store::{Completion, Inspect, JobStore, Searching, Sync, Transaction, Watching};

const START: Millis = Millis(1_795_000_000_000);
const HOUR: Duration = Duration::from_secs(3600);
const MINUTE: Duration = Duration::from_secs(60);

/// A database in memory, a clock and a janitor.
struct World {
    store: Arc<SqliteStore>,
    clock: Arc<ManualClock>,
    worker: WorkerId,
    janitor: Janitor,
}

impl World {
    fn new(result_ttl: Option<Duration>) -> Self {
        let clock = Arc::new(ManualClock::at(START));
        let store = SqliteStore::with_clock(
            ":memory:",
            Sync::Relaxed,
            Arc::clone(&clock) as Arc<dyn Clock>,
        );
        let store = Arc::new(store);
        let site = Site {
            store: Arc::clone(&store) as Arc<dyn JobStore>,
            gate: Arc::new(Gate::private().unwrap()),
            clock: Arc::clone(&clock) as Arc<dyn Clock>,
            path: None,
        };
        let about = NewWorker {
            hostname: "host".into(),
            pid: 42,
            version: "1.2.3".into(),
            queues: vec![],
            tasks: vec![],
            concurrency: 1,
        };
        let mut worker = None;
        store
            .write(Sync::Relaxed, &mut |transaction| {
                worker = Some(transaction.enlist(START, &about)?);
                Ok(())
            })
            .unwrap();
        Self {
            store,
            clock,
            worker: worker.unwrap(),
            janitor: Janitor::new(site, result_ttl),
        }
    }

    fn enqueue(&self, count: usize, change: impl Fn(&mut JobSpec)) -> Vec<Key> {
        let mut spec = JobSpec::new("task");
        change(&mut spec);
        let job = NewJob::new(Arc::new(spec), vec![]);
        let inserted = self.store.enqueue(vec![job; count]).unwrap();
        inserted.into_iter().map(|one| one.key).collect()
    }

    /// Jobs that are finished now.
    fn finished(&self, count: usize, change: impl Fn(&mut JobSpec)) -> Vec<Key> {
        let keys = self.enqueue(count, change);
        self.finish(&keys);
        keys
    }

    fn finish(&self, keys: &[Key]) {
        let now = self.clock.now();
        self.store
            .write(Sync::Relaxed, &mut |transaction| {
                for key in keys {
                    assert!(transaction.cancel(now, *key)?);
                }
                Ok(())
            })
            .unwrap();
    }

    /// Has one job run for so long.
    fn run(&self, task: &str, run: Duration) {
        let now = self.clock.now();
        let job = NewJob::new(Arc::new(JobSpec::new(task)), vec![]);
        let worker = self.worker;
        self.store
            .write(Sync::Relaxed, &mut |transaction| {
                transaction.insert(now, std::slice::from_ref(&job))?;
                for claim in transaction.claim(now, worker, &mut Any(1))? {
                    let done = Completion {
                        preview: None,
                        token: claim.token,
                        result: b"",
                        run: Run::since(now, now, run),
                    };
                    transaction.complete(now, &[done])?;
                }
                Ok(())
            })
            .unwrap();
    }

    /// How many rows there are of run times.
    fn measured(&self) -> usize {
        self.counted("SELECT count(*) FROM metric")
    }

    fn counted(&self, question: &str) -> usize {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("taskito-janitor-{}-{number}.db", std::process::id());
        let copy = std::env::temp_dir().join(name);
        assert!(self.store.snapshot(&copy, &mut || true).unwrap());
        let count = Connection::open(&copy)
            .unwrap()
            .query_row(question, [], |row| row.get(0))
            .unwrap();
        std::fs::remove_file(copy).unwrap();
        count
    }

    /// Lets the time pass, the janitor looking after every minute of it.
    fn pass(&mut self, minutes: u32) {
        for _ in 0..minutes {
            self.clock.advance(MINUTE);
            self.work();
        }
    }

    /// All there is to do now; in how many steps.
    fn work(&mut self) -> usize {
        let now = self.clock.now();
        let mut steps = 1;
        while self.janitor.step(now).unwrap() {
            steps += 1;
        }
        steps
    }

    fn state(&self, key: Key) -> Option<State> {
        self.store.state(key).unwrap()
    }

    fn left(&self, keys: &[Key]) -> usize {
        keys.iter()
            .filter(|key| self.state(**key).is_some())
            .count()
    }
}

#[test]
fn late_jobs_expire_in_portions() {
    let mut world = World::new(None);
    let late = world.enqueue(1000, |spec| spec.expires = Some(MINUTE));
    let other = world.enqueue(1, |_| {});
    assert_eq!(world.work(), 1);
    world.clock.advance(MINUTE);
    assert!(world.work() > 2);
    assert!(
        late.iter()
            .all(|key| world.state(*key) == Some(State::Cancelled))
    );
    assert_eq!(world.state(other[0]), Some(State::Pending));
}

#[test]
fn a_job_lives_as_long_as_it_says_itself() {
    let mut world = World::new(None);
    let short = world.finished(1, |spec| spec.result_ttl = Some(MINUTE));
    let long = world.finished(1, |spec| spec.result_ttl = Some(HOUR));
    let ever = world.finished(1, |_| {});
    world.work();
    assert_eq!(world.left(&short), 1);
    world.pass(1);
    assert_eq!((world.left(&short), world.left(&long)), (0, 1));
    world.pass(60);
    assert_eq!((world.left(&long), world.left(&ever)), (0, 1));
}

#[test]
fn other_jobs_live_as_long_as_the_worker_says() {
    let mut world = World::new(Some(HOUR));
    let old = world.finished(3, |_| {});
    let longer = world.finished(1, |spec| spec.result_ttl = Some(HOUR * 2));
    let shorter = world.finished(1, |spec| spec.result_ttl = Some(MINUTE));
    let waiting = world.enqueue(1, |_| {});
    world.pass(30);
    assert_eq!((world.left(&old), world.left(&shorter)), (3, 0));
    let young = world.finished(3, |_| {});
    world.pass(30);
    assert_eq!((world.left(&old), world.left(&young)), (0, 3));
    world.pass(30);
    assert_eq!((world.left(&young), world.left(&longer)), (0, 1));
    world.pass(30);
    assert_eq!((world.left(&longer), world.left(&waiting)), (0, 1));
}

#[test]
fn a_clock_that_was_set_back_keeps_no_job_whose_time_is_over() {
    let mut world = World::new(Some(Duration::ZERO));
    world.enqueue(1, |_| {});
    world.clock.step(-600_000);
    let jobs = world.finished(1, |_| {});
    world.clock.advance(Duration::from_millis(1));
    world.work();
    assert_eq!(world.left(&jobs), 0);
}

#[test]
fn a_job_that_took_long_goes_in_its_time_too() {
    let mut world = World::new(Some(HOUR));
    let early = world.enqueue(2, |_| {});
    world.finished(1, |_| {});
    world.pass(90);
    world.finish(&early[..1]);
    world.pass(30);
    world.finish(&early[1..]);
    world.pass(29);
    assert_eq!(world.left(&early), 2);
    world.pass(2);
    assert_eq!(world.left(&early), 1);
    world.pass(30);
    assert_eq!(world.left(&early), 0);
}

#[test]
fn many_old_jobs_go_in_portions_and_none_is_forgotten() {
    let mut world = World::new(Some(HOUR));
    let (mut old, mut waiting) = (vec![], vec![]);
    for _ in 0..5 {
        old.extend(world.finished(600, |_| {}));
        waiting.extend(world.enqueue(300, |_| {}));
    }
    world.clock.advance(HOUR);
    assert!(world.work() > 4);
    assert_eq!((world.left(&old), world.left(&waiting)), (0, 1500));
}

#[test]
fn a_time_to_live_of_nothing_spares_what_is_unfinished() {
    let mut world = World::new(Some(Duration::ZERO));
    let waiting = world.enqueue(1, |_| {});
    let done = world.finished(1, |_| {});
    world.work();
    assert_eq!((world.left(&done), world.left(&waiting)), (0, 1));
    world.finish(&waiting);
    world.pass(1);
    assert_eq!(world.left(&waiting), 0);
}

#[test]
fn a_clock_that_was_set_back_stops_no_sweep() {
    let mut world = World::new(Some(MINUTE));
    world.clock.advance(HOUR * 24);
    world.work();
    let clock = Arc::new(ManualClock::at(START));
    let done = world.finished(1, |spec| spec.result_ttl = Some(Duration::ZERO));
    assert!(!world.janitor.step(clock.now()).unwrap());
    assert_eq!(world.left(&done), 1, "it ends in the future");
    clock.advance(HOUR * 24);
    assert!(!world.janitor.step(clock.now()).unwrap());
    assert_eq!(world.left(&done), 0);
}

#[test]
fn run_times_of_a_minute_become_one_row_and_go_after_a_week() {
    let mut world = World::new(None);
    for number in 0..1500 {
        for task in ["often", "often", "seldom"] {
            world.run(task, Duration::from_micros(number * 31 % 997));
        }
        world.clock.advance(Duration::from_millis(100));
    }
    let before = world.store.metrics(Millis(0), None).unwrap();
    assert_eq!(world.measured(), 4500);
    world.clock.advance(MINUTE * 2);
    assert!(world.work() > 4);
    // Two and a half minutes, which may begin within one.
    assert!((6..=8).contains(&world.measured()), "{}", world.measured());
    let after = world.store.metrics(Millis(0), None).unwrap();
    for ((_, before), (_, after)) in before.iter().zip(&after) {
        assert_eq!((before.count, before.sum), (after.count, after.sum));
        assert!(before.p95.abs_diff(after.p95) < before.max / 25);
    }
    world.clock.advance(HOUR * 24 * 7);
    world.work();
    assert_eq!(world.measured(), 0);
    assert_eq!(world.store.metrics(Millis(0), None).unwrap(), []);
}

#[test]
fn attempts_are_known_less_finely_with_time_and_then_forgotten() {
    let mut world = World::new(None);
    for _ in 0..1100 {
        world.run("task", Duration::from_millis(3));
        world.clock.advance(Duration::from_secs(10));
    }
    let done = |world: &World| -> Vec<u64> {
        let now = world.clock.now();
        let period = Period {
            to: now,
            ..Period::default()
        };
        let told = world.store.rollups(now, &period).unwrap();
        let buckets = told.series.values().flat_map(|it| it.values());
        buckets.map(|it| it.done).collect()
    };
    let rows = |world: &World| world.counted("SELECT count(*) FROM rollup");
    world.work();
    let young = rows(&world);
    // Three hours, of which two are known by ten seconds.
    assert!((720 + 60..=720 + 72).contains(&young), "{young}");
    assert_eq!(done(&world).iter().sum::<u64>(), 1100);
    world.clock.advance(HOUR * 49);
    world.work();
    assert!((3..=5).contains(&rows(&world)), "{}", rows(&world));
    assert_eq!(done(&world).iter().sum::<u64>(), 1100);
    world.clock.advance(HOUR * 24 * 91);
    world.work();
    assert_eq!((rows(&world), done(&world)), (0, vec![]));
}

#[test]
fn an_operation_is_driven_batch_by_batch() {
    let mut world = World::new(None);
    world.enqueue(1200, |_| {});
    let wanted = NewOperation {
        verb: Verb::Cancel,
        filter: Filter::default(),
        text: String::new(),
        who: "ana".into(),
        total: 1200,
        rate: None,
        stop_after: None,
        canary: None,
    };
    let now = world.clock.now();
    let mut key = None;
    let mut write = |transaction: &mut dyn Transaction| {
        key = Some(begin(transaction, now, &wanted)?);
        Ok(())
    };
    world.store.write(Sync::Relaxed, &mut write).unwrap();
    let mut steps = 0;
    while world.janitor.step(now).unwrap() {
        steps += 1;
    }
    assert!(steps >= 3, "a batch takes up to 500 jobs");
    let row = world.store.operation(key.unwrap()).unwrap().unwrap();
    assert_eq!((row.phase, row.done), (Phase::Done, 1200));
}
