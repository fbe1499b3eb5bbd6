//! A worker that is stepped by hand: it claims and settles as any worker, when it is told to.
#![cfg(feature = "model")]
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on should stop here"
)]

mod support;

use std::sync::Arc;
use std::time::Duration;

use taskito_core::breaker::BreakerSettings;
use taskito_core::clock::{Clock, ManualClock};
use taskito_core::engine::{Arrow, Engine, Event, Settings, Site, TaskSettings, reap_the_dead};
use taskito_core::error::Error;
use taskito_core::id::Key;
use taskito_core::job::{Claim, JobRow, JobSpec};
use taskito_core::limits::{Limit, QueueChange, TaskLimits};
use taskito_core::outcome::Outcome;
use taskito_core::rate::Rate;
use taskito_core::retry::RetryPolicy;
use taskito_core::state::State;
use taskito_core::store::sqlite::SqliteStore;
use taskito_core::store::{Inspect, JobStore, Sync, Transaction};

use support::{Directory, START, job_with};

const MINUTE: Duration = Duration::from_secs(60);

/// A database whose time stands still.
struct World {
    // Fields are dropped in this order: the store closes its files before they go.
    store: Arc<SqliteStore>,
    clock: Arc<ManualClock>,
    _directory: Directory,
}

impl World {
    fn new() -> Self {
        let directory = Directory::new();
        let clock = Arc::new(ManualClock::at(START));
        let time = Arc::clone(&clock) as Arc<dyn Clock>;
        let store = SqliteStore::with_clock(directory.path("jobs.db"), Sync::Relaxed, time);
        Self {
            store: Arc::new(store),
            clock,
            _directory: directory,
        }
    }

    fn site(&self) -> Site {
        Site {
            store: Arc::clone(&self.store) as Arc<dyn JobStore>,
            gate: self.store.gate().unwrap(),
            clock: self.store.clock(),
            path: self.store.file(),
        }
    }

    fn worker(&self, policy: RetryPolicy) -> Engine {
        let settings = Settings {
            threads: 1,
            ..Settings::default()
        };
        let engine = Engine::new(self.site(), settings);
        engine.register("task", policy);
        engine.start_by_hand().unwrap();
        engine
    }

    fn enqueue(&self, change: impl FnOnce(&mut JobSpec)) -> Key {
        let jobs = vec![job_with("task", change)];
        self.store.enqueue(jobs).unwrap()[0].key
    }

    fn pause(&self, queue: &str) {
        self.store
            .write(Sync::Relaxed, &mut |transaction| {
                transaction.set_queue(queue, &QueueChange::Pause)
            })
            .unwrap();
    }

    fn job(&self, key: Key) -> JobRow {
        self.store.job(key).unwrap().unwrap()
    }
}

/// Settings of a task with such limits.
fn limited(rate: Option<&str>, breaker: Option<BreakerSettings>) -> TaskSettings {
    TaskSettings {
        limits: TaskLimits {
            limit: Limit {
                rate: rate.map(|text| Rate::parse(text).unwrap()),
                max_concurrent: None,
            },
            breaker,
        },
        ..TaskSettings::default()
    }
}

fn key(claim: Option<Claim>) -> Option<Key> {
    claim.map(|claim| claim.token.key)
}

fn finish(worker: &Engine, claim: &Claim) {
    worker.settle(claim.token, Outcome::done(b"done".to_vec()));
    worker.commit().unwrap();
}

fn fail(worker: &Engine, claim: &Claim) {
    let error = "boom".into();
    let retryable = true;
    worker.settle(
        claim.token,
        Outcome::Failed {
            error,
            retryable,
            delay: None,
            cause: None,
        },
    );
    worker.commit().unwrap();
}

#[test]
fn jobs_are_claimed_one_at_a_time_in_running_order() {
    let world = World::new();
    let worker = world.worker(RetryPolicy::default());
    let low = world.enqueue(|job| job.priority = -1);
    let first = world.enqueue(|_| {});
    let second = world.enqueue(|_| {});
    let mut ran = Vec::new();
    let mut urgent = None;
    while let Some(claim) = worker.take().unwrap() {
        assert_eq!(world.store.stats().unwrap().running, 1);
        ran.push(claim.token.key);
        finish(&worker, &claim);
        // Nothing was claimed in advance, though the task is known to be brief by now.
        urgent.get_or_insert_with(|| world.enqueue(|job| job.priority = 9));
    }
    assert_eq!(ran, [first, urgent.unwrap(), second, low]);
}

#[test]
fn nothing_more_is_claimed_while_a_job_runs() {
    let world = World::new();
    let worker = world.worker(RetryPolicy::default());
    world.enqueue(|_| {});
    let next = world.enqueue(|_| {});
    let claim = worker.take().unwrap().unwrap();
    assert_eq!(key(worker.take().unwrap()), None);
    finish(&worker, &claim);
    assert_eq!(key(worker.take().unwrap()), Some(next));
}

#[test]
fn an_outcome_is_stored_when_commit_returns() {
    let world = World::new();
    let worker = world.worker(RetryPolicy::default());
    let job = world.enqueue(|_| {});
    let claim = worker.take().unwrap().unwrap();
    assert_eq!(world.job(job).state, State::Running);
    finish(&worker, &claim);
    assert_eq!(world.job(job).state, State::Complete);
    assert_eq!(world.store.result(job).unwrap(), Some(b"done".to_vec()));
}

#[test]
fn a_delay_and_a_backoff_pass_when_the_clock_is_moved() {
    let world = World::new();
    let worker = world.worker(RetryPolicy {
        backoff: MINUTE,
        ..RetryPolicy::default()
    });
    let job = world.enqueue(|job| {
        job.delay = MINUTE;
        job.max_retries = 1;
    });
    assert_eq!(key(worker.take().unwrap()), None);
    world.clock.advance(Duration::from_millis(59_999));
    assert_eq!(key(worker.take().unwrap()), None);
    world.clock.advance(Duration::from_millis(1));
    fail(&worker, &worker.take().unwrap().unwrap());

    assert_eq!(key(worker.take().unwrap()), None);
    let due = worker.next_due().unwrap().unwrap();
    world.clock.advance(world.clock.now().until(due));
    fail(&worker, &worker.take().unwrap().unwrap());
    let row = world.job(job);
    assert_eq!(row.state, State::Dead);
    assert_eq!(row.finished_at, Some(world.clock.now()));
}

#[test]
fn it_says_when_a_limit_lets_the_next_job_start() {
    let world = World::new();
    let worker = world.worker(RetryPolicy::default());
    worker.register("task", limited(Some("1/m"), None));
    let first = world.enqueue(|_| {});
    let second = world.enqueue(|_| {});
    world.enqueue(|job| job.queue = "paused".into());
    world.pause("paused");
    let claim = worker.take().unwrap().unwrap();
    assert_eq!(claim.token.key, first);
    finish(&worker, &claim);
    assert_eq!(key(worker.take().unwrap()), None);
    let due = world.clock.now().plus(MINUTE);
    assert_eq!(worker.next_due().unwrap(), Some(due));
    world.clock.advance(MINUTE);
    let claim = worker.take().unwrap().unwrap();
    assert_eq!(claim.token.key, second);
    finish(&worker, &claim);
    assert_eq!(key(worker.take().unwrap()), None);
    assert_eq!(worker.next_due().unwrap(), None);
}

#[test]
fn the_breaker_of_a_task_registered_later_opens_and_tries_again() {
    let world = World::new();
    let worker = world.worker(RetryPolicy::default());
    let breaker = BreakerSettings {
        threshold: 1,
        window: MINUTE,
        cooldown: MINUTE,
    };
    worker.register("late", limited(None, Some(breaker)));
    let jobs = vec![job_with("late", |job| job.max_retries = 0); 2];
    let keys: Vec<Key> = (world.store.enqueue(jobs).unwrap().iter())
        .map(|enqueued| enqueued.key)
        .collect();
    fail(&worker, &worker.take().unwrap().unwrap());
    assert_eq!(key(worker.take().unwrap()), None);
    let due = world.clock.now().plus(MINUTE);
    assert_eq!(worker.next_due().unwrap(), Some(due));
    world.clock.advance(MINUTE);
    assert_eq!(key(worker.take().unwrap()), Some(keys[1]));
}

#[test]
fn more_jobs_fall_due_at_once_than_one_commit_promotes() {
    let world = World::new();
    let worker = world.worker(RetryPolicy::default());
    let others = vec![job_with("unknown", |job| job.delay = MINUTE); 2500];
    world.store.enqueue(others).unwrap();
    let job = world.enqueue(|job| job.delay = MINUTE);
    world.clock.advance(MINUTE);
    assert_eq!(key(worker.take().unwrap()), Some(job));
}

#[test]
fn what_a_running_job_notes_is_stored_at_once() {
    let world = World::new();
    let worker = world.worker(RetryPolicy::default());
    let job = world.enqueue(|_| {});
    let token = worker.take().unwrap().unwrap().token;
    worker.note_progress(token, 40);
    assert_eq!(world.job(job).progress, Some(40));
    worker.note_log(token, "info".into(), "half way".into(), None);
    let lines = world.store.task_logs(job).unwrap();
    assert_eq!(lines.len(), 1);
    assert_eq!(lines[0].logged_at, START);
}

#[test]
fn a_running_job_sees_at_once_that_it_is_to_be_cancelled() {
    let world = World::new();
    let worker = world.worker(RetryPolicy::default());
    let job = world.enqueue(|_| {});
    let token = worker.take().unwrap().unwrap().token;
    assert!(!worker.is_cancelled(token));
    let request = |transaction: &mut dyn Transaction| {
        assert!(transaction.cancel_request(job)?);
        Ok(())
    };
    world.store.write(Sync::Relaxed, &mut { request }).unwrap();
    assert!(worker.is_cancelled(token));
}

#[test]
fn a_settlement_is_told_when_it_is_committed() {
    let world = World::new();
    let worker = world.worker(RetryPolicy::default());
    world.enqueue(|_| {});
    let token = worker.take().unwrap().unwrap().token;
    worker.settle_and_tell(token, Outcome::done(Vec::new()));
    assert!(worker.events(Duration::ZERO).is_empty());
    worker.commit().unwrap();
    let events = worker.events(Duration::ZERO);
    assert!(matches!(
        events[..],
        [Event::Settled {
            arrow: Arrow::Complete,
            ..
        }]
    ));
}

#[test]
fn jobs_expire_and_go_when_it_is_tended_at_that_time() {
    let world = World::new();
    let worker = world.worker(RetryPolicy::default());
    let jobs: Vec<Key> = (0..500)
        .map(|_| {
            world.enqueue(|job| {
                job.expires = Some(MINUTE);
                job.result_ttl = Some(MINUTE);
            })
        })
        .collect();
    worker.tend().unwrap();
    assert_eq!(world.store.stats().unwrap().pending, 500);
    world.clock.advance(MINUTE);
    worker.tend().unwrap();
    assert_eq!(world.store.stats().unwrap().cancelled, 500);
    world.clock.advance(MINUTE);
    worker.tend().unwrap();
    assert_eq!(world.store.job(jobs[499]).unwrap(), None);
}

#[test]
fn a_worker_that_leaves_hands_back_what_it_took() {
    let world = World::new();
    let worker = world.worker(RetryPolicy::default());
    let job = world.enqueue(|_| {});
    let claim = worker.take().unwrap().unwrap();
    worker.leave();
    assert!(worker.has_ended());
    assert_eq!(world.store.workers().unwrap().len(), 0);
    assert_eq!(world.job(job).state, State::Pending);
    worker.settle(claim.token, Outcome::done(Vec::new()));
    assert_eq!(world.job(job).state, State::Pending);
    worker.leave();
}

#[test]
fn a_worker_that_is_dropped_leaves() {
    let world = World::new();
    let worker = world.worker(RetryPolicy::default());
    let job = world.enqueue(|_| {});
    assert_eq!(key(worker.take().unwrap()), Some(job));
    drop(worker);
    assert_eq!(world.store.workers().unwrap().len(), 0);
    assert_eq!(world.job(job).state, State::Pending);
}

#[test]
fn it_is_on_the_roster_and_others_see_that_it_lives() {
    let world = World::new();
    let worker = world.worker(RetryPolicy::default());
    let job = world.enqueue(|_| {});
    assert_eq!(key(worker.take().unwrap()), Some(job));
    assert_eq!(world.store.workers().unwrap().len(), 1);
    assert_eq!(reap_the_dead(&world.site()).unwrap(), 0);
    assert_eq!(world.job(job).state, State::Running);
}

#[test]
fn stepping_is_for_workers_that_were_started_by_hand() {
    let world = World::new();
    let worker = world.worker(RetryPolicy::default());
    assert!(matches!(worker.start(), Err(Error::Invalid { .. })));
    assert!(matches!(worker.start_by_hand(), Err(Error::Invalid { .. })));

    let settings = Settings {
        threads: 1,
        ..Settings::default()
    };
    let other = Engine::new(world.site(), settings);
    assert!(matches!(other.take(), Err(Error::Invalid { .. })));
    assert!(matches!(other.commit(), Err(Error::Invalid { .. })));
    assert!(matches!(other.tend(), Err(Error::Invalid { .. })));
    other.leave();
    assert!(!other.has_ended());
}
