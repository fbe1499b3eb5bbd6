//! A store that fails when it is told to: a decorator that every worker has for itself.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use taskito_core::breaker::Breaker;
use taskito_core::bulk::{AuditRow, OperationRow};
use taskito_core::cause::{Fingerprint, GroupFilter, GroupRow};
use taskito_core::clock::Millis;
use taskito_core::error::{Error, Result};
use taskito_core::filter::Filter;
use taskito_core::id::{DatabaseId, Key};
use taskito_core::job::{
    AttemptRow, DeadRow, Held, JobFilter, JobRow, LaneId, LetterFilter, LogFilter, LogRow,
    ReplayRow, Stats, Waiting, WorkerId, WorkerRow,
};
use taskito_core::limits::{Hold, Limit, QueueRow};
use taskito_core::lock::Moment;
use taskito_core::metric::Summary;
use taskito_core::rollup::{Period, Rollups};
use taskito_core::schedule::ScheduleRow;
use taskito_core::state::State;
use taskito_core::store::bulk::{Found, Search};
use taskito_core::store::sqlite::SqliteStore;
use taskito_core::store::{
    Appetite, Arrivals, Census, Delayed, Diagnosis, Graph, Inspect, JobStore, Leases, Member,
    Passed, Restraints, Searching, Survey, Sync, Tally, Tie, Timetable, Watching, Work, Workflows,
};

/// How a store fails once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// A write transaction does not begin.
    Busy,
    /// All is done but the commit, which fails.
    Commit,
    /// The commit takes effect and is reported as failed.
    Answer,
    /// A question is not answered.
    Read,
}

/// The store of one worker, of producers or of operators.
pub(crate) struct Faulty {
    store: Arc<SqliteStore>,
    armed: Mutex<Option<Fault>>,
    struck: AtomicBool,
    /// Transactions of all of them that may have changed something.
    writes: Arc<AtomicU64>,
}

impl Faulty {
    pub(crate) fn new(store: &Arc<SqliteStore>, writes: &Arc<AtomicU64>) -> Self {
        Self {
            store: Arc::clone(store),
            armed: Mutex::new(None),
            struck: AtomicBool::new(false),
            writes: Arc::clone(writes),
        }
    }

    /// Fails like this at the next occasion; `None` is never.
    pub(crate) fn arm(&self, fault: Option<Fault>) {
        *self.armed.lock().unwrap_or_else(PoisonError::into_inner) = fault;
    }

    /// Whether it has failed since this was asked last.
    pub(crate) fn has_struck(&self) -> bool {
        self.struck.swap(false, Ordering::Relaxed)
    }

    /// Whether it fails like this now.
    fn fails(&self, fault: Fault) -> Result<()> {
        let mut armed = self.armed.lock().unwrap_or_else(PoisonError::into_inner);
        if *armed != Some(fault) {
            return Ok(());
        }
        *armed = None;
        self.struck.store(true, Ordering::Relaxed);
        Err(Error::Busy {
            path: self.store.path().into(),
            holder: None,
        })
    }
}

impl JobStore for Faulty {
    fn write(&self, sync: Sync, work: &mut Work<'_>) -> Result<()> {
        self.fails(Fault::Busy)?;
        self.writes.fetch_add(1, Ordering::Relaxed);
        self.store.write(sync, &mut |transaction| {
            work(transaction)?;
            self.fails(Fault::Commit)
        })?;
        self.fails(Fault::Answer)
    }

    fn tidy(&self) -> Result<bool> {
        self.store.tidy()
    }
}

/// Passes questions on.
macro_rules! ask {
    ($($question:ident($($name:ident: $type:ty),*) -> $answer:ty;)+) => {$(
        fn $question(&self, $($name: $type),*) -> Result<$answer> {
            self.fails(Fault::Read)?;
            self.store.$question($($name),*)
        }
    )+};
}

impl Graph for Faulty {
    ask! {
        dependencies(job: Key) -> Vec<Key>;
        dependents(job: Key) -> Vec<Key>;
    }
}

impl Workflows for Faulty {
    ask! {
        workflows(before: Key, limit: u32) -> Vec<Key>;
        tally(workflow: Key, most: u32) -> Tally;
        members(workflow: Key, after: Key, limit: u32) -> Vec<Member>;
        ties(workflow: Key, first: Key, last: Key) -> Vec<Tie>;
    }
}

impl Leases for Faulty {
    ask! {
        lock_left(now: &Moment, name: &str) -> Option<Duration>;
    }
}

impl Diagnosis for Faulty {
    ask! {
        groups(filter: &GroupFilter) -> Vec<GroupRow>;
        failing_groups(limit: u32) -> Vec<GroupRow>;
        group(group: Fingerprint) -> Option<GroupRow>;
        group_jobs(group: Fingerprint, limit: u32) -> Vec<JobRow>;
        group_letters(group: Fingerprint, after: Key, limit: u32) -> Vec<(Key, Key)>;
        group_attempts(group: Fingerprint, limit: u32) -> Vec<AttemptRow>;
        group_hours(group: Fingerprint, since: Millis, hours: u32) -> Vec<u64>;
        result_preview(job: Key) -> Option<String>;
    }
}

impl Timetable for Faulty {
    ask! {
        schedules() -> Vec<ScheduleRow>;
        fires() -> Vec<(String, Millis)>;
    }
}

impl Inspect for Faulty {
    ask! {
        database() -> DatabaseId;
        job(job: Key) -> Option<JobRow>;
        jobs(filter: &JobFilter) -> Vec<JobRow>;
        state(job: Key) -> Option<State>;
        result(job: Key) -> Option<Vec<u8>>;
        payload(job: Key) -> Option<Vec<u8>>;
        keyed(idempotency_key: &str) -> Option<Key>;
        attempts(job: Key) -> Vec<AttemptRow>;
        task_logs(job: Key) -> Vec<LogRow>;
        query_logs(filter: &LogFilter) -> Vec<LogRow>;
        count(filter: &JobFilter) -> u64;
        waiting(after: Key, limit: u32) -> Vec<Waiting>;
        metrics(since: Millis, task: Option<&str>) -> Vec<(String, Summary)>;
        replays(original: Key) -> Vec<ReplayRow>;
        dead_letters(filter: &LetterFilter) -> Vec<DeadRow>;
        oldest_letters(after: Key, filter: &LetterFilter) -> Vec<(Key, Millis)>;
        stats() -> Stats;
        holdings(worker: WorkerId) -> Vec<Held>;
        workers() -> Vec<WorkerRow>;
        overlong_wait(now: Millis, slack: Duration) -> bool;
        next_due() -> Option<Millis>;
        has_prospects(now: Millis, appetite: &mut dyn Appetite) -> bool;
    }
}

impl Watching for Faulty {
    ask! {
        rollups(now: Millis, period: &Period) -> Rollups;
        census() -> Vec<Census>;
        arrivals(since: Millis, cap: u32) -> Arrivals;
        delayed(now: Millis, cap: u32) -> Delayed;
        deaths(since: Millis, cap: u32) -> u32;
        position(job: Key, cap: u32) -> Option<u32>;
        next_jobs(queue: &str, now: Millis, limit: u32) -> Vec<JobRow>;
    }
}

impl Restraints for Faulty {
    ask! {
        restrained_queues() -> Vec<String>;
        queues(now: Millis) -> Vec<QueueRow>;
        breakers() -> Vec<(String, Breaker)>;
        task_limits() -> Vec<(String, Limit)>;
        holds(now: Millis, job: Key) -> Vec<Hold>;
    }
}

impl Survey for Faulty {
    ask! {
        walk(after: Key, limit: u32) -> Vec<Passed>;
        outlived(now: Millis, limit: u32) -> Vec<Key>;
        next_expiry() -> Option<Millis>;
        lanes(queue: Option<&str>, task: Option<&str>) -> Vec<LaneId>;
    }
}

impl Searching for Faulty {
    ask! {
        search(search: &Search<'_>) -> Found;
        count_lanes(filter: &Filter) -> u64;
        operations(limit: u32) -> Vec<OperationRow>;
        operation(operation: Key) -> Option<OperationRow>;
        running_operations() -> Vec<OperationRow>;
        failed_copies(operation: Key, cap: u32) -> u64;
        touched(operation: Key, limit: u32) -> Vec<(Key, Option<Key>)>;
        deeds(limit: u32) -> Vec<AuditRow>;
        marks(from: Millis, to: Millis, limit: u32) -> Vec<AuditRow>;
    }
}
