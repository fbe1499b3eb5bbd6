//! What a job costs, in numbers that no other program on the machine can change: statements, steps
//! of `SQLite`'s virtual machine, bytes written, flushes. Speed follows from them; time is measured
//! elsewhere.
//!
//! A number that grew is a regression, or a price somebody decided to pay: then the bound below
//! changes, in the commit that pays it. One that shrank well below its bound fails as well, so that
//! the gain is kept.
#![cfg(target_os = "linux")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on should stop here"
)]

#[path = "../support/mod.rs"]
mod support;
mod tally;

use std::time::Duration;

use taskito_core::job::WorkerId;
use taskito_core::job::{Claim, NewJob, Token};
use taskito_core::rollup::Run;
use taskito_core::store::sqlite::SqliteStore;
use taskito_core::store::{Completion, Failure, JobStore, Sync, Transaction};

use support::{Directory, Hunger, START, job_with, worker};
use tally::{Tally, during, listen};

/// Jobs per measurement.
const JOBS: u32 = 1000;
/// Jobs per transaction of a worker.
const BATCH: usize = 100;

/// A database with a worker on its roster, in which everything has happened once.
struct World {
    // Fields are dropped in this order: the store closes its files before they go.
    store: SqliteStore,
    worker: WorkerId,
    /// Arguments and results for people.
    preview: Option<&'static str>,
    _directory: Directory,
}

impl World {
    fn new(durability: Sync) -> Self {
        Self::showing(None, durability)
    }

    fn showing(preview: Option<&'static str>, durability: Sync) -> Self {
        listen();
        let directory = Directory::new();
        let store = SqliteStore::new(directory.path("jobs.db"), durability);
        let mut id = None;
        store
            .write(Sync::Relaxed, &mut |t| {
                id = Some(t.enlist(START, &worker())?);
                Ok(())
            })
            .unwrap();
        let world = Self {
            store,
            worker: id.unwrap(),
            preview,
            _directory: directory,
        };
        world.make_room();
        world.fill(2 * u32::try_from(BATCH).unwrap());
        world.complete(&world.claim());
        world.retry(&world.claim());
        world
    }

    /// Makes the log longer than any measurement needs, and has it begin anew: growing would be
    /// counted, once and not per job.
    fn make_room(&self) {
        let large = NewJob {
            payload: vec![7; 16 << 20],
            ..job_with("large", |spec| spec.delay = Duration::from_secs(9))
        };
        self.store.enqueue(vec![large]).unwrap();
        assert!(self.store.tidy().unwrap());
    }

    /// Waiting jobs, in one call.
    fn fill(&self, jobs: u32) {
        let jobs: Vec<NewJob> = (0..jobs)
            .map(|_| NewJob {
                preview: self.preview.map(str::to_owned),
                ..job_with("task", |spec| spec.max_retries = 3)
            })
            .collect();
        self.store.enqueue(jobs).unwrap();
    }

    fn write<T>(&self, mut work: impl FnMut(&mut dyn Transaction) -> T) -> T {
        let mut answer = None;
        self.store
            .write(Sync::Relaxed, &mut |t| {
                answer = Some(work(t));
                Ok(())
            })
            .unwrap();
        answer.unwrap()
    }

    /// One batch, as a worker takes it.
    fn claim(&self) -> Vec<Token> {
        let claims: Vec<Claim> =
            self.write(|t| t.claim(START, self.worker, &mut Hunger::of(BATCH)).unwrap());
        assert_eq!(claims.len(), BATCH);
        claims.iter().map(|claim| claim.token).collect()
    }

    fn complete(&self, tokens: &[Token]) {
        let result = b"result";
        let run = Run::default();
        let completion = |&token| Completion {
            token,
            result,
            run,
            preview: self.preview,
        };
        let batch: Vec<Completion<'_>> = tokens.iter().map(completion).collect();
        self.write(|t| t.complete(START, &batch).unwrap());
    }

    fn retry(&self, tokens: &[Token]) {
        let failure = |&token| Failure {
            cause: None,
            token,
            error: "boom",
            run_at: START,
            run: Run::default(),
        };
        let batch: Vec<Failure<'_>> = tokens.iter().map(failure).collect();
        self.write(|t| t.retry(START, &batch).unwrap());
    }

    /// Claims and completes that many jobs, batch by batch.
    fn drain(&self, jobs: u32) {
        for _ in 0..jobs as usize / BATCH {
            let tokens = self.claim();
            self.complete(&tokens);
        }
    }
}

/// Bounds of one job's share.
struct Budget {
    statements: f64,
    steps: f64,
    bytes: f64,
}

impl Budget {
    fn check(&self, tally: &Tally) {
        eprintln!("{tally:?}");
        for (what, spent, bound) in [
            ("statements", tally.statements, self.statements),
            ("steps", tally.steps, self.steps),
            ("bytes", tally.bytes, self.bytes),
        ] {
            let share = f64::from(u32::try_from(spent).unwrap()) / f64::from(JOBS);
            assert!(
                share <= bound,
                "{share} {what} per job, at most {bound} are allowed"
            );
            assert!(
                share > 0.8 * bound,
                "{share} {what} per job: lower the bound of {bound}"
            );
        }
    }
}

#[test]
fn a_job_enqueued_alone_costs_its_transaction() {
    let world = World::new(Sync::Relaxed);
    let budget = Budget {
        statements: 5.0,
        steps: 264.0,
        bytes: 13_500.0,
    };
    budget.check(&during(|| (0..JOBS).for_each(|_| world.fill(1))));
}

#[test]
fn jobs_enqueued_together_share_their_transaction() {
    let world = World::new(Sync::Relaxed);
    let budget = Budget {
        statements: 1.01,
        steps: 175.0,
        bytes: 135.0,
    };
    budget.check(&during(|| world.fill(JOBS)));
}

#[test]
fn a_job_is_claimed_and_completed_with_few_statements() {
    let world = World::new(Sync::Relaxed);
    world.fill(JOBS);
    let budget = Budget {
        statements: 4.2,
        steps: 555.0,
        bytes: 920.0,
    };
    budget.check(&during(|| world.drain(JOBS)));
}

#[test]
fn what_people_read_costs_its_bytes_and_no_step() {
    let [without, with] = [None, Some("12345")].map(|preview| {
        let world = World::showing(preview, Sync::Relaxed);
        [
            during(|| (0..JOBS).for_each(|_| world.fill(1))),
            during(|| world.fill(JOBS)),
            during(|| world.drain(JOBS)),
        ]
    });
    for (without, with) in without.iter().zip(&with) {
        eprintln!("{without:?}\n{with:?}");
        assert_eq!(with.statements, without.statements);
        assert_eq!(with.steps, without.steps);
        assert_eq!(with.writes, without.writes);
    }
    for (part, percent) in [101, 110, 107].into_iter().enumerate() {
        let (without, with) = (without[part].bytes, with[part].bytes);
        assert!(
            with * 100 <= without * percent,
            "{with} bytes with previews, {without} without, part {part}"
        );
    }
}

#[test]
fn a_failure_costs_little_more_than_a_success() {
    let world = World::new(Sync::Relaxed);
    world.fill(JOBS);
    let batches: Vec<Vec<Token>> = (0..JOBS as usize / BATCH).map(|_| world.claim()).collect();
    let budget = Budget {
        statements: 2.1,
        steps: 355.0,
        bytes: 1_130.0,
    };
    budget.check(&during(|| {
        for batch in &batches {
            world.retry(batch);
        }
    }));
}

#[test]
fn a_long_queue_makes_no_job_dearer() {
    let world = World::new(Sync::Relaxed);
    world.fill(JOBS);
    let short = during(|| world.drain(JOBS));
    world.fill(20 * JOBS);
    let long = during(|| world.drain(JOBS));
    assert_eq!(long.statements, short.statements);
    assert!(
        long.steps * 100 <= short.steps * 101,
        "{} steps with 20,000 waiting, {} with 1,000",
        long.steps,
        short.steps
    );
}

#[test]
fn a_durable_call_flushes_once_however_many_jobs_it_brings() {
    let world = World::new(Sync::Durable);
    assert_eq!(during(|| world.fill(1)).flushes, 1);
    assert_eq!(during(|| world.fill(JOBS)).flushes, 1);
    assert_eq!(during(|| world.drain(JOBS)).flushes, 0);
}

#[test]
fn without_durability_nothing_is_flushed() {
    let world = World::new(Sync::Relaxed);
    let enqueued = during(|| (0..100).for_each(|_| world.fill(1)));
    assert_eq!(enqueued.flushes, 0);
    let drained = during(|| world.drain(100));
    assert_eq!(drained.flushes, 0);
}
