//! A database of its own for each test, and the steps that workers take in it.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use taskito_core::clock::{Clock, SystemClock};
use taskito_core::engine::{Arrow, Engine, Event, Kind, Next, Settings, Site, TaskSettings};
use taskito_core::id::Key;
use taskito_core::job::{
    Claim, DeadRow, JobRow, JobSpec, LetterFilter, NewJob, NewWorker, Token, WorkerId,
};
use taskito_core::os::Waited;
use taskito_core::outcome::Outcome;
use taskito_core::retry::RetryPolicy;
use taskito_core::state::State;
use taskito_core::store::sqlite::SqliteStore;
use taskito_core::store::{Inspect, JobStore, Sync};

use crate::any::Any;

pub(crate) const LONG: Duration = Duration::from_secs(30);

/// A database of its own, removed at the end.
pub(crate) struct World {
    pub(crate) folder: PathBuf,
    pub(crate) store: Arc<SqliteStore>,
    pub(crate) site: Site,
}

impl World {
    pub(crate) fn new() -> Self {
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

    pub(crate) fn enqueue(&self, spec: JobSpec) -> Key {
        let job = NewJob::new(Arc::new(spec), b"args".to_vec());
        self.store.enqueue(vec![job]).unwrap()[0].key
    }

    pub(crate) fn worker(&self, threads: u32) -> Engine {
        let settings = Settings {
            threads,
            ..Settings::default()
        };
        let engine = Engine::new(self.site.clone(), settings);
        engine.register("task", RetryPolicy::default());
        engine
    }

    /// A worker of one thread and so many coroutines, which knows `task` and the coroutine
    /// `async`.
    pub(crate) fn async_worker(&self, coroutines: u32) -> Engine {
        let settings = Settings {
            threads: 1,
            coroutines,
            ..Settings::default()
        };
        let engine = Engine::new(self.site.clone(), settings);
        engine.register("task", RetryPolicy::default());
        engine.register("async", coroutine());
        engine
    }

    pub(crate) fn letters(&self) -> Vec<DeadRow> {
        let filter = LetterFilter {
            limit: 9,
            ..LetterFilter::default()
        };
        self.store.dead_letters(&filter).unwrap()
    }

    pub(crate) fn job(&self, key: Key) -> JobRow {
        self.store.job(key).unwrap().unwrap()
    }

    pub(crate) fn reaches(&self, key: Key, state: State) {
        until(|| self.job(key).state == state);
    }

    /// A worker on the roster that no process stands behind, holding `jobs` jobs.
    pub(crate) fn dead_worker(&self, jobs: usize) -> WorkerId {
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
    pub(crate) fn write_ledger(&self, worker: WorkerId, entries: &[(Key, bool)]) {
        let mut bytes = Vec::new();
        for (key, started) in entries {
            let words = [key.0.cast_unsigned(), 1, u64::from(*started), 0];
            bytes.extend(words.iter().flat_map(|word| word.to_ne_bytes()));
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

pub(crate) fn until(condition: impl Fn() -> bool) {
    let end = Instant::now() + LONG;
    while !condition() {
        assert!(Instant::now() < end, "it did not happen within {LONG:?}");
        std::thread::yield_now();
    }
}

/// Settings of a coroutine function.
pub(crate) fn coroutine() -> TaskSettings {
    TaskSettings {
        kind: Kind::Coroutine,
        ..TaskSettings::default()
    }
}

pub(crate) fn task() -> JobSpec {
    JobSpec::new("task")
}

/// The next job, within a time that says that there is none.
pub(crate) fn take(engine: &Engine) -> Claim {
    let end = Instant::now() + LONG;
    loop {
        if let Next::Job(claim) = engine.try_next() {
            return claim;
        }
        assert!(Instant::now() < end, "no job within {LONG:?}");
        std::thread::yield_now();
    }
}

pub(crate) fn done() -> Outcome {
    Outcome::done(b"result".to_vec())
}

pub(crate) fn failed() -> Outcome {
    Outcome::Failed {
        error: "boom".into(),
        retryable: true,
        delay: None,
        cause: None,
    }
}

pub(crate) fn leave(engine: &Engine) {
    engine.drain(Duration::ZERO);
    until(|| engine.join(LONG) == Waited::Woken);
}

/// The next event that `pick` knows; those before it are dropped.
pub(crate) fn event<T>(engine: &Engine, mut pick: impl FnMut(Event) -> Option<T>) -> T {
    let end = Instant::now() + LONG;
    loop {
        let events = engine.events(Duration::from_millis(50));
        if let Some(found) = events.into_iter().find_map(&mut pick) {
            return found;
        }
        assert!(Instant::now() < end, "no such event within {LONG:?}");
    }
}

/// Waits for the news that a claim ran over its timeout.
pub(crate) fn overdue(engine: &Engine) -> Token {
    event(engine, |event| match event {
        Event::Overdue(claim) => Some(claim.token),
        _ => None,
    })
}

/// Waits for the news that a claim is to be cancelled.
pub(crate) fn cancelled(engine: &Engine) -> Token {
    event(engine, |event| match event {
        Event::Cancel(claim) => Some(claim.token),
        _ => None,
    })
}

/// Waits for the news of a settlement: where it led, and the retries spent.
pub(crate) fn settled(engine: &Engine) -> (Token, Arrow, u32) {
    event(engine, |event| match event {
        Event::Settled {
            claim,
            arrow,
            retry_count,
        } => Some((claim.token, arrow, retry_count)),
        _ => None,
    })
}
