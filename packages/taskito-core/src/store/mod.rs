//! The storage contract: the arrows of the state machine, and the questions about it. Long because
//! each says what it promises.
//!
//! Implemented twice on purpose: by [`sqlite`] for real, and by the in-memory [`model`] that
//! contract and simulation tests compare it with.

pub mod bulk;
mod failures;
pub mod gate;
mod limits;
mod locks;
#[cfg(feature = "model")]
pub mod model;
mod operations;
mod purge;
mod retention;
mod schedules;
pub mod sqlite;
pub mod undo;
mod waits;
mod watching;
mod workflows;

pub use bulk::{Bulk, Searching};
pub use failures::{Diagnosis, Failures};
pub use operations::Operations;
pub(crate) use purge::delete;
pub use purge::{Purge, purge};
pub use retention::{Passed, Retention, Survey};
pub use waits::{NotedClock, Waits};
pub use watching::{Arrivals, Census, Delayed, Watching};
pub use workflows::{
    CalledOff, Member, Resumed, Tally, Tie, Workflows, cancel_workflow, resume_workflow,
};

use std::time::Duration;

use crate::cause::Cause;
use crate::clock::Millis;
use crate::error::Result;
use crate::id::{DatabaseId, Key};
use crate::job::{
    AttemptRow, Beat, Claim, DeadRow, Held, Inserted, JobFilter, JobRow, LetterFilter, LogFilter,
    LogRow, NewJob, NewWorker, ReplayRow, Stats, Token, Waiting, WorkerId, WorkerRow,
};
use crate::limits::{Opening, TaskLimits};
use crate::metric::Summary;
use crate::rollup::Run;
use crate::state::State;

pub use limits::{Judgement, Limits, Restraints};
pub use locks::{Leases, Locks};
pub use schedules::{Schedules, Timetable};

/// The error of a job that did not start in time.
pub const EXPIRED: &str = "expired before execution";

/// What a commit must survive before the call returns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sync {
    /// Power loss: the commit is flushed to the device.
    Durable,
    /// A killed process: the next durable commit flushes it along.
    Relaxed,
}

/// Whether a settlement took effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The job moved.
    Applied,
    /// It would have waited again, but its cancellation was requested: it is cancelled.
    Cancelled,
    /// Somebody else settled or reclaimed the job meanwhile; nothing changed.
    Stale,
}

/// A successful attempt.
#[derive(Clone, Copy, Debug)]
pub struct Completion<'a> {
    /// The claim.
    pub token: Token,
    /// Serialized result.
    pub result: &'a [u8],
    /// The same for people.
    pub preview: Option<&'a str>,
    /// When the attempt ran.
    pub run: Run,
}

/// A failed attempt that will be repeated.
#[derive(Clone, Copy, Debug)]
pub struct Failure<'a> {
    /// The claim.
    pub token: Token,
    /// The traceback.
    pub error: &'a str,
    /// Why, in parts.
    pub cause: Option<&'a Cause>,
    /// When the next attempt is due.
    pub run_at: Millis,
    /// When the attempt ran.
    pub run: Run,
}

/// An attempt that gives itself back for a while.
#[derive(Clone, Copy, Debug)]
pub struct Rest {
    /// The claim.
    pub token: Token,
    /// When the next attempt is due.
    pub run_at: Millis,
}

/// An attempt that ended with its worker, was called off, or was the last one.
#[derive(Clone, Copy, Debug)]
pub struct End<'a> {
    /// The claim.
    pub token: Token,
    /// What is said about it.
    pub error: &'a str,
    /// Why it failed, in parts; only of a job that dies.
    pub cause: Option<&'a Cause>,
    /// When the attempt ran; `None` if it did not, or nobody knows.
    pub run: Option<Run>,
}

/// When a claimed job starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// It may wait in memory until a runner is free.
    Soon,
    /// A token of a rate is taken for it now: a runner must be free.
    AtOnce,
}

/// What a claim may take. The store asks in the order in which jobs would run.
pub trait Appetite {
    /// Whether this worker runs such jobs at all.
    fn serves(&self, queue: &str, task: &str) -> bool;
    /// Whether one more job of `task` is wanted; `false` means no more of them from this queue
    /// in this claim.
    fn admit(&mut self, task: &str, start: Start) -> bool;
    /// The limits of a task.
    fn limits(&self, task: &str) -> &TaskLimits;
    /// Tells that limits hold jobs back, and when they may let one start. Not told of paused
    /// queues: whoever resumes one wakes the workers.
    fn held_back(&mut self, opening: Opening);
    /// Tells that the job of `task` that was admitted is taken. It is not when it turns out
    /// to have expired.
    fn took(&mut self, task: &str);
    /// Whether a job with losses on record may be taken. Asked again after each one taken.
    fn admits_suspect(&self) -> bool;
    /// Tells that a suspect was taken.
    fn took_suspect(&mut self);
    /// A number that grows from claim to claim: which queue has the first turn.
    fn turn(&self) -> usize;
}

/// The arrows of the state machine, inside one transaction. Each takes a slice.
///
/// Settlements match on the fence: one that is not the newest changes nothing and is
/// answered with [`Verdict::Stale`]. One that lets a job wait again, while its cancellation
/// is requested, cancels it: [`Verdict::Cancelled`].
pub trait Arrows {
    /// -> pending, scheduled when the delay is not over, or blocked when a parent is not
    /// complete. Duplicates by key are answered with the existing job. A job with a parent that
    /// is dead or cancelled is cancelled at once.
    ///
    /// # Errors
    /// Storage failures, and a parent that does not exist. The transaction must not be
    /// committed then.
    fn insert(&mut self, now: Millis, jobs: &[NewJob]) -> Result<Vec<Inserted>>;

    /// scheduled -> pending for up to `limit` jobs that are due; how many.
    ///
    /// # Errors
    /// Storage failures.
    fn promote(&mut self, now: Millis, limit: u32) -> Result<u32>;

    /// scheduled -> pending for one job, which is due from now on; whether it was scheduled. One
    /// that was due already keeps its place.
    ///
    /// # Errors
    /// Storage failures.
    fn run_now(&mut self, now: Millis, job: Key) -> Result<bool>;

    /// pending -> running for the jobs `appetite` takes, in running order: priority, then
    /// due time, then id within a queue; queues take turns. Fence + 1. Jobs it meets whose
    /// time to start is over expire. A worker that is not on the roster gets nothing: nobody
    /// would look after what it holds.
    ///
    /// # Errors
    /// Storage failures.
    fn claim(
        &mut self,
        now: Millis,
        worker: WorkerId,
        appetite: &mut dyn Appetite,
    ) -> Result<Vec<Claim>>;

    /// running -> complete, with the result. Jobs that waited for nothing else are released:
    /// blocked -> pending, or scheduled when they have a delay, which begins now.
    ///
    /// # Errors
    /// Storage failures.
    fn complete(&mut self, now: Millis, batch: &[Completion<'_>]) -> Result<Vec<Verdict>>;

    /// running -> scheduled, one retry spent, the attempt recorded. Its cause says which group of
    /// failures the job belongs to, until it is no longer to be tried again.
    ///
    /// # Errors
    /// Storage failures.
    fn retry(&mut self, now: Millis, batch: &[Failure<'_>]) -> Result<Vec<Verdict>>;

    /// running -> scheduled, nothing spent and nothing recorded.
    ///
    /// # Errors
    /// Storage failures.
    fn snooze(&mut self, now: Millis, batch: &[Rest]) -> Result<Vec<Verdict>>;

    /// running -> pending with one loss more, the attempt recorded. Keeps its place in the
    /// queue.
    ///
    /// # Errors
    /// Storage failures.
    fn lose(&mut self, now: Millis, batch: &[End<'_>]) -> Result<Vec<Verdict>>;

    /// running -> pending, nothing spent and nothing recorded. Keeps its place in the queue.
    ///
    /// # Errors
    /// Storage failures.
    fn hand_back(&mut self, now: Millis, batch: &[Token]) -> Result<Vec<Verdict>>;

    /// running -> dead after a failure, with a dead letter and the attempt recorded. All that
    /// depends on the job is cancelled.
    ///
    /// # Errors
    /// Storage failures.
    fn bury(&mut self, now: Millis, batch: &[End<'_>]) -> Result<Vec<Verdict>>;

    /// running -> dead after a loss: as [`Arrows::bury`], recorded as lost, one loss more.
    ///
    /// # Errors
    /// Storage failures.
    fn bury_lost(&mut self, now: Millis, batch: &[End<'_>]) -> Result<Vec<Verdict>>;

    /// running -> cancelled, for the reason given, with all that depends on the job.
    ///
    /// # Errors
    /// Storage failures.
    fn abort(&mut self, now: Millis, batch: &[End<'_>]) -> Result<Vec<Verdict>>;

    /// A running job is to be cancelled: its worker is told, and instead of waiting again it
    /// is cancelled. Whether it was running.
    ///
    /// # Errors
    /// Storage failures.
    fn cancel_request(&mut self, job: Key) -> Result<bool>;

    /// blocked, scheduled or pending -> cancelled, with all that depends on the job; whether
    /// it was.
    ///
    /// # Errors
    /// Storage failures.
    fn cancel(&mut self, now: Millis, job: Key) -> Result<bool>;

    /// blocked, scheduled or pending -> cancelled for up to `limit` jobs that may not start any
    /// more, the longest over first; how many. Their error is [`EXPIRED`].
    ///
    /// # Errors
    /// Storage failures.
    fn expire(&mut self, now: Millis, limit: u32) -> Result<u32>;

    /// A dead letter becomes a new pending job with the same settings; the letter is removed,
    /// the old job stays dead. `None` when there is no such letter.
    ///
    /// # Errors
    /// Storage failures.
    fn revive(&mut self, now: Millis, letter: Key) -> Result<Option<Key>>;
}

/// A log line of an attempt.
#[derive(Clone, Debug)]
pub struct LogLine {
    /// The claim.
    pub token: Token,
    /// A word for how grave it is.
    pub level: String,
    /// The text.
    pub message: String,
    /// A JSON object.
    pub extra: Option<String>,
    /// When the attempt said it.
    pub logged_at: Millis,
}

/// What running attempts report, inside one transaction. As with settlements, only the holder
/// of the newest claim is heard.
pub trait Notes {
    /// How far attempts have come, from 0 to 100.
    ///
    /// # Errors
    /// Storage failures.
    fn note_progress(&mut self, batch: &[(Token, u8)]) -> Result<Vec<Verdict>>;

    /// Log lines.
    ///
    /// # Errors
    /// Storage failures.
    fn note_log(&mut self, batch: &[LogLine]) -> Result<Vec<Verdict>>;
}

/// The roster of workers, inside one transaction.
pub trait Roster {
    /// Adds a worker.
    ///
    /// # Errors
    /// Storage failures.
    fn enlist(&mut self, now: Millis, worker: &NewWorker) -> Result<WorkerId>;

    /// Notes that a worker lives, and what it says of itself.
    ///
    /// # Errors
    /// Storage failures.
    fn beat(&mut self, now: Millis, worker: WorkerId, beat: &Beat) -> Result<()>;

    /// Asks a worker to take nothing more and leave; whether it is on the roster.
    ///
    /// # Errors
    /// Storage failures.
    fn request_drain(&mut self, worker: WorkerId) -> Result<bool>;

    /// What a worker holds.
    ///
    /// # Errors
    /// Storage failures.
    fn held(&mut self, worker: WorkerId) -> Result<Vec<Held>>;

    /// Removes a worker that holds nothing any more; whether it was there.
    ///
    /// # Errors
    /// Storage failures.
    fn dismiss(&mut self, worker: WorkerId) -> Result<bool>;
}

/// Everything one write transaction can do.
pub trait Transaction:
    Arrows
    + Bulk
    + Failures
    + Notes
    + Operations
    + Roster
    + Retention
    + Schedules
    + Limits
    + Locks
    + Waits
{
}

impl<T> Transaction for T where
    T: Arrows
        + Bulk
        + Failures
        + Notes
        + Operations
        + Roster
        + Retention
        + Schedules
        + Limits
        + Locks
        + Waits
{
}

/// The body of a write transaction.
pub type Work<'a> = dyn FnMut(&mut dyn Transaction) -> Result<()> + 'a;

/// Questions that change nothing.
pub trait Inspect {
    /// The random id of this database.
    ///
    /// # Errors
    /// Storage failures.
    fn database(&self) -> Result<DatabaseId>;

    /// One job.
    ///
    /// # Errors
    /// Storage failures.
    fn job(&self, job: Key) -> Result<Option<JobRow>>;

    /// Jobs, newest first.
    ///
    /// # Errors
    /// Storage failures.
    fn jobs(&self, filter: &JobFilter) -> Result<Vec<JobRow>>;

    /// Where a job stands.
    ///
    /// # Errors
    /// Storage failures.
    fn state(&self, job: Key) -> Result<Option<State>> {
        Ok(self.job(job)?.map(|row| row.state))
    }

    /// The result of a complete job.
    ///
    /// # Errors
    /// Storage failures.
    fn result(&self, job: Key) -> Result<Option<Vec<u8>>>;

    /// The serialized arguments of a job.
    ///
    /// # Errors
    /// Storage failures.
    fn payload(&self, job: Key) -> Result<Option<Vec<u8>>>;

    /// The job that came with an idempotency key, of whatever task; the oldest, if several did.
    ///
    /// # Errors
    /// Storage failures.
    fn keyed(&self, idempotency_key: &str) -> Result<Option<Key>>;

    /// Failed and lost attempts of a job, oldest first.
    ///
    /// # Errors
    /// Storage failures.
    fn attempts(&self, job: Key) -> Result<Vec<AttemptRow>>;

    /// Log lines of a job, oldest first.
    ///
    /// # Errors
    /// Storage failures.
    fn task_logs(&self, job: Key) -> Result<Vec<LogRow>>;
    /// Log lines of all jobs, newest first.
    ///
    /// # Errors
    /// Storage failures.
    fn query_logs(&self, filter: &LogFilter) -> Result<Vec<LogRow>>;

    /// Number of jobs that `filter` lets through, whatever its limit and offset. Read from
    /// counters if it names nothing but status, queue and task.
    ///
    /// # Errors
    /// Storage failures.
    fn count(&self, filter: &JobFilter) -> Result<u64>;

    /// Up to `limit` waiting jobs after that one, with their arguments, oldest first.
    ///
    /// # Errors
    /// Storage failures.
    fn waiting(&self, after: Key, limit: u32) -> Result<Vec<Waiting>>;

    /// How long attempts ran that ended at that instant or later, by task in the order of
    /// their names. Those older than a minute are known by the minute.
    ///
    /// # Errors
    /// Storage failures.
    fn metrics(&self, since: Millis, task: Option<&str>) -> Result<Vec<(String, Summary)>>;

    /// The jobs that repeat that one, newest first.
    ///
    /// # Errors
    /// Storage failures.
    fn replays(&self, original: Key) -> Result<Vec<ReplayRow>>;

    /// Dead letters, newest first.
    ///
    /// # Errors
    /// Storage failures.
    fn dead_letters(&self, filter: &LetterFilter) -> Result<Vec<DeadRow>>;

    /// The dead letters after that one with the time of each death, oldest first. `filter`
    /// counts but for its place and offset.
    ///
    /// # Errors
    /// Storage failures.
    fn oldest_letters(&self, after: Key, filter: &LetterFilter) -> Result<Vec<(Key, Millis)>>;

    /// Number of jobs by status; read from counters, not counted.
    ///
    /// # Errors
    /// Storage failures.
    fn stats(&self) -> Result<Stats>;

    /// What a worker holds.
    ///
    /// # Errors
    /// Storage failures.
    fn holdings(&self, worker: WorkerId) -> Result<Vec<Held>>;

    /// Registered workers, oldest first.
    ///
    /// # Errors
    /// Storage failures.
    fn workers(&self) -> Result<Vec<WorkerRow>>;

    /// Whether a retry or snooze waits for more than `slack` longer from now than its wait is
    /// long: then another clock told the end of it.
    ///
    /// # Errors
    /// Storage failures.
    fn overlong_wait(&self, now: Millis, slack: Duration) -> Result<bool>;

    /// When the next scheduled job is due.
    ///
    /// # Errors
    /// Storage failures.
    fn next_due(&self) -> Result<Option<Millis>>;

    /// Whether a claim might take something, asked without changing anything. What holds jobs
    /// back is told to `appetite`. May say yes when there is nothing, never no when there is.
    ///
    /// # Errors
    /// Storage failures.
    fn has_prospects(&self, now: Millis, appetite: &mut dyn Appetite) -> Result<bool>;
}

/// Questions about which job waits for which.
pub trait Graph {
    /// The jobs that `job` depends on, each once, in the order in which they were named.
    ///
    /// # Errors
    /// Storage failures.
    fn dependencies(&self, job: Key) -> Result<Vec<Key>>;

    /// The jobs that depend on `job`, oldest first.
    ///
    /// # Errors
    /// Storage failures.
    fn dependents(&self, job: Key) -> Result<Vec<Key>>;
}

/// A database of jobs.
pub trait JobStore:
    Inspect
    + Diagnosis
    + Watching
    + Graph
    + Workflows
    + Survey
    + Timetable
    + Restraints
    + Leases
    + Searching
    + Send
    + std::marker::Sync
{
    /// Runs `work` in one write transaction: all of it becomes visible at the commit, or none.
    /// `work` may be called again when a commit has to be repeated.
    ///
    /// # Errors
    /// What `work` returned, or why the commit failed; nothing is changed then.
    fn write(&self, sync: Sync, work: &mut Work<'_>) -> Result<()>;

    /// Housekeeping that nobody should wait for; called about once a second, and when there is
    /// much of it, by a thread that has nothing else to do. Whether all of it could be done.
    ///
    /// # Errors
    /// Storage failures; trying again later is all there is to do.
    fn tidy(&self) -> Result<bool> {
        Ok(true)
    }
}
