//! What the tests of the stores share: both stores, and an appetite that keeps a record.

#![allow(dead_code, reason = "each test crate uses its part")]

pub(crate) mod audit;
mod pair;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use taskito_core::clock::Millis;
use taskito_core::id::{DatabaseId, Key};
use taskito_core::job::{JobSpec, NewJob, NewWorker};
use taskito_core::limits::{NO_LIMITS, Opening, TaskLimits};
use taskito_core::links::{Links, Parent};
use taskito_core::schedule::{CatchUp, Plan};
use taskito_core::store::model::ModelStore;
use taskito_core::store::sqlite::SqliteStore;
use taskito_core::store::{Appetite, JobStore, Start, Sync};
use taskito_core::timing::Timing;

use pair::Pair;

/// When all tests begin: an instant in 2026.
pub(crate) const START: Millis = Millis(1_795_000_000_000);

/// A store and the directory it lives in.
pub(crate) struct Home {
    // Fields are dropped in this order: the store closes its files before they go.
    pub(crate) store: Box<dyn JobStore>,
    directory: Option<Directory>,
}

impl Home {
    /// Asserts that whatever the store keeps on the side agrees with its jobs.
    pub(crate) fn audit(&self) {
        if let Some(directory) = &self.directory {
            audit::audit(&directory.path(FILE));
        }
    }
}

/// The name of the database.
const FILE: &str = "jobs.db";

/// A fresh in-memory store.
pub(crate) fn model() -> Home {
    Home {
        store: Box::new(ModelStore::new(7, DatabaseId::from_bits(0x5eed))),
        directory: None,
    }
}

/// A fresh `SQLite` store in a directory of its own.
pub(crate) fn sqlite() -> Home {
    in_directory(|path| Box::new(SqliteStore::new(path, Sync::Relaxed)))
}

/// The same, used through two handles.
pub(crate) fn sqlite_pair() -> Home {
    in_directory(|path| Box::new(Pair::at(path)))
}

fn in_directory(open: impl FnOnce(&Path) -> Box<dyn JobStore>) -> Home {
    let directory = Directory::new();
    Home {
        store: open(&directory.path(FILE)),
        directory: Some(directory),
    }
}

/// A directory that goes away with this value.
pub(crate) struct Directory(PathBuf);

impl Directory {
    pub(crate) fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("taskito-test-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir(&path).unwrap();
        Self(path)
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.0) {
            eprintln!("cannot remove '{}': {error}", self.0.display());
        }
    }
}

/// A job of `task`, in the queue `default`, whose payload is the task's name.
pub(crate) fn job(task: &str) -> NewJob {
    job_with(task, |_| {})
}

/// As [`job`], after `change`.
pub(crate) fn job_with(task: &str, change: impl FnOnce(&mut JobSpec)) -> NewJob {
    let mut spec = JobSpec::new(task);
    change(&mut spec);
    NewJob::new(spec.into(), task.into())
}

/// A job with the name of its task as payload, tied to others.
pub(crate) fn tied(task: &str, links: Links) -> NewJob {
    NewJob {
        links: Some(links.into()),
        ..job(task)
    }
}

/// A job that waits for stored ones.
pub(crate) fn after(task: &str, parents: &[Key]) -> NewJob {
    tied(
        task,
        Links {
            after: parents.iter().copied().map(Parent::Stored).collect(),
            ..Links::default()
        },
    )
}

/// A job that waits for earlier ones of the same insert.
pub(crate) fn after_new(task: &str, parents: &[usize]) -> NewJob {
    tied(
        task,
        Links {
            after: parents.iter().copied().map(Parent::New).collect(),
            ..Links::default()
        },
    )
}

/// A schedule of the task with its name; missed fires become one job.
pub(crate) fn plan(name: &str, timing: Timing) -> Plan {
    Plan {
        preview: None,
        name: name.into(),
        spec: job(name).spec,
        payload: name.into(),
        timing,
        catch_up: CatchUp::One,
    }
}

/// So many seconds as a rule.
pub(crate) fn every(seconds: u64) -> Timing {
    Timing::every(Duration::from_secs(seconds), "UTC").unwrap()
}

/// A worker that serves everything.
pub(crate) fn worker() -> NewWorker {
    NewWorker {
        hostname: "host".into(),
        pid: 42,
        version: "1.2.3".into(),
        queues: vec![],
        tasks: vec![],
        concurrency: 4,
    }
}

/// An appetite that wants everything, unless told otherwise, and notes what it was asked.
#[derive(Clone, Debug)]
pub(crate) struct Hunger {
    /// How many jobs it takes.
    pub(crate) jobs: usize,
    /// How many of them may be suspects.
    pub(crate) suspects: usize,
    /// The number of this claim.
    pub(crate) turn: usize,
    /// The (queue, task) pairs it does not run.
    pub(crate) unserved: Vec<(String, String)>,
    /// The task at which it stops.
    pub(crate) stop_at: Option<String>,
    /// The tasks it was asked to admit, in order.
    pub(crate) asked: Vec<String>,
    /// How often it was told that a suspect was taken.
    pub(crate) suspects_taken: usize,
    /// The limits of tasks that have any.
    pub(crate) limits: BTreeMap<String, TaskLimits>,
    /// How the jobs it was asked to admit were to start.
    pub(crate) starts: Vec<Start>,
    /// When the first limit opens that it was told of.
    pub(crate) opens_at: Option<Millis>,
    /// Whether it was told of a limit that opens when somebody lets it.
    pub(crate) held_back: bool,
}

impl Hunger {
    /// Wants everything there is.
    pub(crate) fn endless() -> Self {
        Self {
            jobs: usize::MAX,
            suspects: usize::MAX,
            turn: 0,
            unserved: vec![],
            stop_at: None,
            asked: vec![],
            suspects_taken: 0,
            limits: BTreeMap::new(),
            starts: vec![],
            opens_at: None,
            held_back: false,
        }
    }

    /// Wants so many jobs.
    pub(crate) fn of(jobs: usize) -> Self {
        Self {
            jobs,
            ..Self::endless()
        }
    }

    /// Does not run `task` from `queue`.
    pub(crate) fn without(mut self, queue: &str, task: &str) -> Self {
        self.unserved.push((queue.into(), task.into()));
        self
    }

    /// Goes by these limits of `task`.
    pub(crate) fn limit(mut self, task: &str, limits: TaskLimits) -> Self {
        self.limits.insert(task.into(), limits);
        self
    }

    /// Takes at most so many suspects.
    pub(crate) fn suspects(mut self, suspects: usize) -> Self {
        self.suspects = suspects;
        self
    }

    /// Is the claim with that number.
    pub(crate) fn turn(mut self, turn: usize) -> Self {
        self.turn = turn;
        self
    }

    /// Stops at the first job of `task`.
    pub(crate) fn until(mut self, task: &str) -> Self {
        self.stop_at = Some(task.into());
        self
    }
}

impl Appetite for Hunger {
    fn serves(&self, queue: &str, task: &str) -> bool {
        !self.unserved.iter().any(|(q, t)| q == queue && t == task)
    }

    fn admit(&mut self, task: &str, start: Start) -> bool {
        self.starts.push(start);
        self.asked.push(task.into());
        if self.jobs == 0 || self.stop_at.as_deref() == Some(task) {
            return false;
        }
        true
    }

    fn limits(&self, task: &str) -> &TaskLimits {
        self.limits.get(task).unwrap_or(&NO_LIMITS)
    }

    fn held_back(&mut self, opening: Opening) {
        match opening {
            Opening::Now | Opening::Shut => unreachable!("{opening:?} is not to be told"),
            Opening::At(at) => self.opens_at = self.opens_at.into_iter().chain([at]).min(),
            Opening::Later => self.held_back = true,
        }
    }

    fn took(&mut self, _task: &str) {
        self.jobs -= 1;
    }

    fn admits_suspect(&self) -> bool {
        self.suspects > self.suspects_taken
    }

    fn took_suspect(&mut self) {
        self.suspects_taken += 1;
    }

    fn turn(&self) -> usize {
        self.turn
    }
}
