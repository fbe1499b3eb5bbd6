//! One worker from outside: what it claims, hands out, settles and leaves behind. Long because
//! one world serves all its tests.
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on should stop here"
)]

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use taskito_core::clock::{Clock, ManualClock, SystemClock};
use taskito_core::engine::{Engine, Next, Settings, Site, reap_the_dead};
use taskito_core::id::Key;
use taskito_core::job::{Claim, JobRow, JobSpec, Mishap, NewJob, NewWorker, WorkerId};
use taskito_core::os::Waited;
use taskito_core::outcome::Outcome;
use taskito_core::retry::RetryPolicy;
use taskito_core::state::State;
use taskito_core::store::sqlite::SqliteStore;
use taskito_core::store::{Appetite, EXPIRED, Inspect, JobStore, Sync};

const LONG: Duration = Duration::from_secs(10);

/// A database of its own, removed at the end.
struct World {
    folder: PathBuf,
    store: Arc<SqliteStore>,
    site: Site,
}

impl World {
    fn new() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("taskito-engine-{}-{number}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        fs::create_dir_all(&folder).unwrap();
        let store = Arc::new(SqliteStore::new(folder.join("queue.db"), Sync::Relaxed));
        let site = Site {
            store: Arc::clone(&store) as Arc<dyn JobStore>,
            gate: store.gate().unwrap(),
            clock: Arc::new(SystemClock),
            path: store.file(),
        };
        Self {
            folder,
            store,
            site,
        }
    }

    fn enqueue(&self, spec: JobSpec) -> Key {
        let job = NewJob::new(Arc::new(spec), b"args".to_vec());
        self.store.enqueue(vec![job]).unwrap()[0].key
    }

    fn worker(&self, threads: u32) -> Engine {
        let settings = Settings {
            threads,
            queues: Vec::new(),
            ..Settings::default()
        };
        let engine = Engine::new(self.site.clone(), settings);
        engine.register("task", RetryPolicy::default());
        engine
    }

    fn job(&self, key: Key) -> JobRow {
        self.store.job(key).unwrap().unwrap()
    }

    fn reaches(&self, key: Key, state: State) {
        until(|| self.job(key).state == state);
    }

    /// A worker on the roster that no process stands behind, holding `jobs` jobs.
    fn dead_worker(&self, jobs: usize) -> WorkerId {
        let mut dead = None;
        self.store
            .write(Sync::Relaxed, &mut |transaction| {
                let about = NewWorker {
                    hostname: "gone".into(),
                    pid: 1,
                    version: "0".into(),
                    queues: Vec::new(),
                    tasks: Vec::new(),
                    concurrency: 1,
                };
                let worker = transaction.enlist(SystemClock.now(), &about)?;
                let claims = transaction.claim(SystemClock.now(), worker, &mut Any(jobs))?;
                assert_eq!(claims.len(), jobs);
                dead = Some(worker);
                Ok(())
            })
            .unwrap();
        dead.unwrap()
    }

    /// What the ledger of a dead worker says: one entry, started or not.
    fn write_ledger(&self, worker: WorkerId, entries: &[(Key, bool)]) {
        let mut bytes = vec![0_u8; 1024 * 16];
        for (number, (key, started)) in entries.iter().enumerate() {
            let place = number * 16;
            bytes[place..place + 8].copy_from_slice(&key.0.to_ne_bytes());
            bytes[place + 8..place + 16].copy_from_slice(&u64::from(*started).to_ne_bytes());
        }
        let name = format!("queue.db-worker-{}", worker.0);
        fs::write(self.folder.join(name), bytes).unwrap();
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.store.close();
        // A worker that is still leaving may touch a file while they are removed.
        until(|| fs::remove_dir_all(&self.folder).is_ok() || !self.folder.exists());
    }
}

/// Takes that many jobs of any kind, suspects too.
struct Any(usize);

impl Appetite for Any {
    fn serves(&self, _queue: &str, _task: &str) -> bool {
        true
    }

    fn admit(&mut self, _task: &str) -> bool {
        self.0 > 0
    }

    fn took(&mut self, _task: &str) {
        self.0 -= 1;
    }

    fn admits_suspect(&self) -> bool {
        true
    }

    fn took_suspect(&mut self) {}

    fn turn(&self) -> usize {
        0
    }
}

fn until(condition: impl Fn() -> bool) {
    let end = Instant::now() + LONG;
    while !condition() {
        assert!(Instant::now() < end, "it did not happen within {LONG:?}");
        std::thread::yield_now();
    }
}

fn task() -> JobSpec {
    JobSpec::new("task")
}

/// The next job, within a time that says that there is none.
fn take(engine: &Engine) -> Claim {
    let end = Instant::now() + LONG;
    loop {
        if let Next::Job(claim) = engine.try_next() {
            return claim;
        }
        assert!(Instant::now() < end, "no job within {LONG:?}");
        std::thread::yield_now();
    }
}

fn done() -> Outcome {
    Outcome::Done(b"result".to_vec())
}

fn failed() -> Outcome {
    Outcome::Failed {
        error: "boom".into(),
        retryable: true,
    }
}

fn leave(engine: &Engine) {
    engine.drain(Duration::ZERO);
    until(|| engine.join(LONG) == Waited::Woken);
}

#[test]
fn a_claimed_job_that_expires_before_it_starts_is_not_run() {
    let mut world = World::new();
    let clock = Arc::new(ManualClock::at(SystemClock.now()));
    world.site.clock = Arc::clone(&clock) as Arc<dyn Clock>;
    let engine = world.worker(1);
    let job = world.enqueue(JobSpec {
        expires: Some(Duration::from_secs(60)),
        ..task()
    });
    engine.start().unwrap();
    world.reaches(job, State::Running);
    clock.advance(Duration::from_secs(61));
    // It may take a moment from the commit of the claim until the job lies on the desk.
    until(|| {
        assert!(matches!(engine.try_next(), Next::Nothing));
        world.job(job).state == State::Cancelled
    });
    assert_eq!(world.job(job).error.as_deref(), Some(EXPIRED));
    leave(&engine);
}

#[test]
fn a_job_runs_and_its_result_is_stored() {
    let world = World::new();
    let engine = world.worker(1);
    engine.start().unwrap();
    let job = world.enqueue(task());
    let claim = engine.next().unwrap();
    assert_eq!((claim.token.key, &*claim.payload), (job, &b"args"[..]));
    engine.settle(claim.token, done());
    world.reaches(job, State::Complete);
    assert_eq!(world.store.result(job).unwrap().unwrap(), b"result");
    leave(&engine);
    assert!(world.store.workers().unwrap().is_empty());
}

#[test]
fn a_failed_job_is_tried_again_when_its_wait_is_over_and_then_buried() {
    let world = World::new();
    let engine = world.worker(1);
    let at_once = RetryPolicy {
        backoff: Duration::from_millis(5),
        ..RetryPolicy::default()
    };
    engine.register("task", at_once);
    engine.start().unwrap();
    let job = world.enqueue(JobSpec {
        max_retries: 1,
        ..task()
    });
    for retries in [0, 1] {
        let claim = take(&engine);
        assert_eq!(claim.retry_count, retries);
        engine.settle(claim.token, failed());
    }
    world.reaches(job, State::Dead);
    assert_eq!(world.store.attempts(job).unwrap().len(), 2);
    assert_eq!(world.store.dead_letters(9, 0).unwrap()[0].job, job);
}

#[test]
fn draining_hands_back_what_did_not_start_and_waits_for_what_did() {
    let world = World::new();
    let engine = world.worker(2);
    engine.start().unwrap();
    let started = world.enqueue(task());
    let claim = take(&engine);
    let waiting = world.enqueue(task());
    world.reaches(waiting, State::Running);
    engine.drain(LONG);
    world.reaches(waiting, State::Pending);
    assert!(engine.next().is_none());
    assert_eq!(world.job(started).state, State::Running);
    engine.settle(claim.token, done());
    assert_eq!(engine.join(LONG), Waited::Woken);
    assert_eq!(world.job(started).state, State::Complete);
    assert!(world.store.attempts(waiting).unwrap().is_empty());
}

#[test]
fn a_job_handed_back_while_it_runs_belongs_to_its_next_claim() {
    let world = World::new();
    let first = world.worker(1);
    first.start().unwrap();
    let job = world.enqueue(task());
    let stale = take(&first);
    leave(&first);
    assert_eq!(world.job(job).state, State::Pending);
    let second = world.worker(1);
    second.start().unwrap();
    let fresh = take(&second);
    first.settle(stale.token, failed());
    second.settle(stale.token, failed());
    assert!(fresh.token.fence > stale.token.fence);
    second.settle(fresh.token, done());
    world.reaches(job, State::Complete);
    assert!(world.store.attempts(job).unwrap().is_empty());
    assert_eq!(world.job(job).retry_count, 0);
}

#[test]
fn what_a_dead_worker_had_started_is_lost_and_the_rest_goes_back() {
    let world = World::new();
    let started = world.enqueue(task());
    let unstarted = world.enqueue(task());
    let dead = world.dead_worker(2);
    world.write_ledger(dead, &[(started, true), (unstarted, false)]);
    assert_eq!(reap_the_dead(&world.site).unwrap(), 1);
    for (job, losses) in [(started, 1), (unstarted, 0)] {
        let row = world.job(job);
        assert_eq!(
            (row.state, row.losses, row.retry_count),
            (State::Pending, losses, 0)
        );
        assert_eq!(world.store.attempts(job).unwrap().len(), losses as usize);
    }
    let record = &world.store.attempts(started).unwrap()[0];
    assert_eq!(record.mishap, Mishap::Lost);
    assert!(
        record.error.starts_with("WorkerLostError: "),
        "{}",
        record.error
    );
    assert!(world.store.workers().unwrap().is_empty());
    assert_eq!(reap_the_dead(&world.site).unwrap(), 0);
}

#[test]
fn without_a_ledger_every_job_of_a_dead_worker_counts_as_started() {
    let world = World::new();
    let job = world.enqueue(task());
    world.dead_worker(1);
    reap_the_dead(&world.site).unwrap();
    assert_eq!(world.job(job).losses, 1);
}

#[test]
fn the_third_loss_buries_a_job() {
    let world = World::new();
    let job = world.enqueue(task());
    for _ in 0..3 {
        world.dead_worker(1);
        reap_the_dead(&world.site).unwrap();
    }
    let row = world.job(job);
    assert_eq!(
        (row.state, row.losses, row.retry_count),
        (State::Dead, 3, 0)
    );
    assert!(row.error.unwrap().contains("loss 3 of 3"));
    assert_eq!(world.store.dead_letters(9, 0).unwrap().len(), 1);
}

#[test]
fn a_living_worker_is_not_reaped() {
    let world = World::new();
    let engine = world.worker(1);
    engine.start().unwrap();
    let job = world.enqueue(task());
    let claim = take(&engine);
    assert_eq!(reap_the_dead(&world.site).unwrap(), 0);
    assert_eq!(world.job(job).state, State::Running);
    engine.settle(claim.token, done());
    world.reaches(job, State::Complete);
}

#[test]
fn starting_recovers_the_jobs_of_dead_workers() {
    let world = World::new();
    let job = world.enqueue(task());
    world.dead_worker(1);
    let engine = world.worker(1);
    engine.start().unwrap();
    let claim = take(&engine);
    assert_eq!((claim.token.key, claim.losses), (job, 1));
}

#[test]
fn a_worker_runs_one_suspect_at_a_time_and_others_beside_it() {
    let world = World::new();
    let suspects = [world.enqueue(task()), world.enqueue(task())];
    world.dead_worker(2);
    reap_the_dead(&world.site).unwrap();
    let innocent = world.enqueue(task());
    let engine = world.worker(3);
    engine.start().unwrap();
    let first = take(&engine);
    let second = take(&engine);
    assert_eq!((first.token.key, second.token.key), (suspects[0], innocent));
    assert!(matches!(engine.try_next(), Next::Nothing));
    assert_eq!(world.job(suspects[1]).state, State::Pending);
    engine.settle(first.token, done());
    let third = take(&engine);
    assert_eq!(third.token.key, suspects[1]);
    engine.settle(third.token, done());
    engine.settle(second.token, done());
    world.reaches(suspects[1], State::Complete);
}

#[test]
fn a_task_registered_later_is_claimed_at_once() {
    let world = World::new();
    let engine = world.worker(1);
    engine.start().unwrap();
    let job = world.enqueue(JobSpec::new("later"));
    engine.register("later", RetryPolicy::default());
    assert_eq!(take(&engine).token.key, job);
}

#[test]
fn a_worker_takes_only_the_queues_it_was_given() {
    let world = World::new();
    let engine = Engine::new(
        world.site.clone(),
        Settings {
            threads: 2,
            queues: vec!["mail".into()],
            ..Settings::default()
        },
    );
    engine.register("task", RetryPolicy::default());
    engine.start().unwrap();
    let other = world.enqueue(task());
    let mail = world.enqueue(JobSpec {
        queue: "mail".into(),
        ..task()
    });
    assert_eq!(take(&engine).token.key, mail);
    assert!(matches!(engine.try_next(), Next::Nothing));
    assert_eq!(world.job(other).state, State::Pending);
}

#[test]
fn a_worker_that_was_never_started_ends_at_once() {
    let world = World::new();
    let engine = world.worker(1);
    engine.drain(LONG);
    assert_eq!(engine.join(LONG), Waited::Woken);
}

#[test]
fn a_second_start_is_refused() {
    let world = World::new();
    let engine = world.worker(1);
    engine.start().unwrap();
    assert!(engine.start().is_err());
}

#[test]
fn an_attempt_over_its_timeout_fails_and_its_thread_is_replaced() {
    let world = World::new();
    let engine = world.worker(1);
    engine.start().unwrap();
    let late = world.enqueue(JobSpec {
        max_retries: 0,
        timeout: Duration::from_millis(20),
        ..task()
    });
    let stuck = take(&engine);
    assert_eq!(engine.hire(LONG), 1);
    world.reaches(late, State::Dead);
    assert!(
        world
            .job(late)
            .error
            .unwrap()
            .starts_with("TaskTimeoutError: ")
    );
    assert_eq!(engine.abandoned(), 1);
    let next = world.enqueue(task());
    let claim = take(&engine);
    assert_eq!(claim.token.key, next);
    engine.settle(claim.token, done());
    engine.settle(stuck.token, done());
    world.reaches(next, State::Complete);
    assert_eq!(
        (engine.abandoned(), world.job(late).state),
        (0, State::Dead)
    );
}

#[test]
fn a_thread_that_comes_back_after_its_timeout_makes_one_too_many() {
    let world = World::new();
    let engine = world.worker(1);
    engine.start().unwrap();
    world.enqueue(JobSpec {
        timeout: Duration::from_millis(20),
        ..task()
    });
    let stuck = take(&engine);
    assert_eq!(engine.hire(LONG), 1);
    engine.settle(stuck.token, done());
    assert!(engine.next().is_none(), "one thread is to leave");
    assert!(
        matches!(engine.try_next(), Next::Nothing | Next::Job(_)),
        "the other stays"
    );
}

#[test]
fn a_timeout_is_retried_only_if_the_task_wants_it() {
    let world = World::new();
    let engine = world.worker(1);
    let refuses = RetryPolicy {
        retries_timeouts: false,
        ..RetryPolicy::default()
    };
    engine.register("task", refuses);
    engine.start().unwrap();
    let late = world.enqueue(JobSpec {
        timeout: Duration::from_millis(20),
        ..task()
    });
    let _stuck = take(&engine);
    world.reaches(late, State::Dead);
    assert_eq!(world.job(late).retry_count, 0);
}

#[test]
fn nothing_waits_in_memory_behind_a_job_that_may_take_long() {
    let world = World::new();
    let busy = world.worker(1);
    busy.register("short", RetryPolicy::default());
    busy.start().unwrap();
    for _ in 0..3 {
        let known = world.enqueue(JobSpec::new("short"));
        let claim = take(&busy);
        busy.settle(claim.token, done());
        world.reaches(known, State::Complete);
    }
    world.enqueue(task());
    let _long = take(&busy);
    for _ in 0..10 {
        world.enqueue(JobSpec::new("short"));
    }
    let helper = world.worker(1);
    helper.register("short", RetryPolicy::default());
    helper.start().unwrap();
    for _ in 0..10 {
        let claim = take(&helper);
        assert_eq!(&*claim.task, "short");
        helper.settle(claim.token, done());
    }
}
