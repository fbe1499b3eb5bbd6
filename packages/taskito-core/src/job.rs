//! A job on its way in, as a claim, and as it reads from outside. Long because every field says who
//! sets it and when.

use std::sync::Arc;
use std::time::Duration;

use crate::cause::Fingerprint;
use crate::clock::Millis;
use crate::id::Key;
use crate::links::{GroupId, Inputs, Links};
use crate::state::{State, Status};

/// Counts every claim of a job and never goes down; only the holder of the newest may settle.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fence(pub i64);

/// Number of the lane (queue and task) a job waits in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LaneId(pub i64);

/// Number of the strand (lane, limit key and group) a limited job waits in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StrandId(pub i64);

/// Where a job waits and is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Spot {
    /// Its lane.
    pub lane: LaneId,
    /// Its line there, if it has a limit key or belongs to a limited group.
    pub strand: Option<StrandId>,
}

impl Spot {
    /// That of a job without limit key and group.
    #[must_use]
    pub fn of(lane: LaneId) -> Self {
        Self { lane, strand: None }
    }
}

/// Number of a worker in its database; never used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct WorkerId(pub i64);

/// Everything about a new job but its payload. One spec serves many jobs.
#[derive(Clone, Debug)]
pub struct JobSpec {
    /// Registered name of the function.
    pub task: Arc<str>,
    /// Name of the queue it waits in.
    pub queue: Arc<str>,
    /// Higher runs first.
    pub priority: i32,
    /// How long after the insert it is due; zero is at once.
    pub delay: Duration,
    /// Retries after the first attempt.
    pub max_retries: u32,
    /// Longest run of one attempt; zero is no limit.
    pub timeout: Duration,
    /// At most one unfinished job holds it.
    pub unique_key: Option<String>,
    /// At most one job of this task ever has it.
    pub idempotency_key: Option<String>,
    /// The user's own text.
    pub metadata: Option<String>,
    /// A JSON object that travels with the job.
    pub headers: Option<String>,
    /// The limits of its task count for each key apart.
    pub limit_key: Option<String>,
    /// How long after the insert an attempt may start at the latest.
    pub expires: Option<Duration>,
    /// How long after its end it is kept; `None` leaves that to the sweeping worker.
    pub result_ttl: Option<Duration>,
    /// The schedule that made it.
    pub fire: Option<Fire>,
}

/// One firing of a schedule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fire {
    /// Name of the schedule.
    pub schedule: String,
    /// The instant it was meant for.
    pub time: Millis,
}

/// What a scheduled job waits for, when it is not its own delay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    /// The next attempt after a failure.
    Backoff,
    /// The task asked for it.
    Snooze,
}

impl Wait {
    /// The stored name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Backoff => "backoff",
            Self::Snooze => "snooze",
        }
    }

    /// The wait with that stored name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Backoff, Self::Snooze]
            .into_iter()
            .find(|wait| wait.name() == name)
    }
}

impl JobSpec {
    /// A job of `task` in the queue `default`, due at once, with three retries.
    #[must_use]
    pub fn new(task: &str) -> Self {
        Self {
            task: task.into(),
            queue: "default".into(),
            priority: 0,
            delay: Duration::ZERO,
            max_retries: 3,
            timeout: Duration::ZERO,
            unique_key: None,
            idempotency_key: None,
            metadata: None,
            headers: None,
            limit_key: None,
            expires: None,
            result_ttl: None,
            fire: None,
        }
    }
}

/// A job that a producer wants stored.
#[derive(Clone, Debug)]
pub struct NewJob {
    /// Its settings.
    pub spec: Arc<JobSpec>,
    /// Serialized arguments.
    pub payload: Vec<u8>,
    /// The same for people, as the producer wrote it.
    pub preview: Option<String>,
    /// What ties it to other jobs; most have no ties.
    pub links: Option<Box<Links>>,
}

impl NewJob {
    /// A job without ties to others.
    #[must_use]
    pub fn new(spec: Arc<JobSpec>, payload: Vec<u8>) -> Self {
        Self {
            spec,
            payload,
            preview: None,
            links: None,
        }
    }
}

/// The answer to one inserted job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Inserted {
    /// The stored job.
    pub key: Key,
    /// Whether an earlier job with the same key was returned instead.
    pub deduplicated: bool,
}

/// What identifies one claim of one job; needed to settle it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Token {
    /// The job.
    pub key: Key,
    /// Which claim of it.
    pub fence: Fence,
    /// Where it is counted.
    pub spot: Spot,
}

/// A job that a worker holds, with all it takes to run it.
#[derive(Clone, Debug)]
pub struct Claim {
    /// Proof of holding it.
    pub token: Token,
    /// Queue it came from.
    pub queue: Arc<str>,
    /// Function to run.
    pub task: Arc<str>,
    /// When it was due.
    pub run_at: Millis,
    /// Serialized arguments.
    pub payload: Vec<u8>,
    /// The results that go in front of them.
    pub inputs: Option<Inputs<Vec<u8>>>,
    /// Retries spent so far.
    pub retry_count: u32,
    /// Retries it has in all.
    pub max_retries: u32,
    /// How often a worker died while running it.
    pub losses: u32,
    /// Longest run of one attempt; zero is no limit.
    pub timeout: Duration,
    /// No attempt starts later.
    pub expires_at: Option<Millis>,
}

/// A job of a dead worker: what its reaper must know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Held {
    /// The claim the dead worker had.
    pub token: Token,
    /// Retries it has in all.
    pub max_retries: u32,
    /// Losses before this one.
    pub losses: u32,
    /// Whether it is to be cancelled.
    pub cancel_requested: bool,
}

/// One job as it reads from outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JobRow {
    /// Its key.
    pub key: Key,
    /// Its queue.
    pub queue: String,
    /// Its task.
    pub task: String,
    /// The internal state.
    pub state: State,
    /// Higher runs first.
    pub priority: i32,
    /// Retries spent.
    pub retry_count: u32,
    /// Retries it has in all.
    pub max_retries: u32,
    /// How often a worker died while running it.
    pub losses: u32,
    /// Number of claims so far.
    pub fence: Fence,
    /// When it was enqueued.
    pub created_at: Millis,
    /// When it is or was due.
    pub run_at: Millis,
    /// When the newest claim began; cleared when the job waits again.
    pub claimed_at: Option<Millis>,
    /// When the function began that was the last to run; set when the job reaches a final state.
    pub started_at: Option<Millis>,
    /// When it reached a final state.
    pub finished_at: Option<Millis>,
    /// Longest run of one attempt; zero is no limit.
    pub timeout: Duration,
    /// See [`JobSpec::unique_key`].
    pub unique_key: Option<String>,
    /// See [`JobSpec::idempotency_key`].
    pub idempotency_key: Option<String>,
    /// The user's own text.
    pub metadata: Option<String>,
    /// A JSON object.
    pub headers: Option<String>,
    /// Why it is dead or cancelled.
    pub error: Option<String>,
    /// 0 to 100, if it ever reported.
    pub progress: Option<u8>,
    /// Whether somebody asked for its end while it ran.
    pub cancel_requested: bool,
    /// Parents that are not complete yet.
    pub waiting_on: u32,
    /// The job that is dead or was cancelled and took this one with it.
    pub ended_by: Option<Key>,
    /// What it waits for while scheduled; `None` is its own delay.
    pub wait: Option<Wait>,
    /// The length of that wait.
    pub wait_length: Duration,
    /// No attempt starts later.
    pub expires_at: Option<Millis>,
    /// See [`JobSpec::result_ttl`].
    pub result_ttl: Option<Duration>,
    /// See [`JobSpec::limit_key`].
    pub limit_key: Option<String>,
    /// Jobs that were inserted together by one canvas share it.
    pub workflow: Option<Key>,
    /// The innermost limited group it is in.
    pub group: Option<GroupId>,
    /// The schedule that made it.
    pub fire: Option<Fire>,
    /// The worker that runs it.
    pub owner: Option<WorkerId>,
    /// The group of its last failure, while it is to be tried again or has a dead letter.
    pub failure: Option<Fingerprint>,
    /// Its arguments for people; nothing if the producer did not say.
    pub preview: Option<String>,
}

/// How an attempt ended that did not succeed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mishap {
    /// The function raised.
    Failed,
    /// The worker died.
    Lost,
}

impl Mishap {
    /// The stored name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Failed => "failed",
            Self::Lost => "lost",
        }
    }
}

/// One failed or lost attempt in a job's history.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttemptRow {
    /// Its key.
    pub key: Key,
    /// The job.
    pub job: Key,
    /// Retry count while it ran.
    pub attempt: u32,
    /// The claim it ran under.
    pub fence: Fence,
    /// How it ended.
    pub mishap: Mishap,
    /// What was said.
    pub error: String,
    /// When it was claimed.
    pub claimed_at: Millis,
    /// When its function began, if that is known.
    pub started_at: Option<Millis>,
    /// When it ended.
    pub failed_at: Millis,
    /// Machine and process of the worker that it ran on.
    pub worker: Option<String>,
    /// The group of its failure.
    pub failure: Option<Fingerprint>,
    /// Class of the exception, as the group has it.
    pub error_type: Option<String>,
    /// What the exception said.
    pub message: Option<String>,
    /// The traceback as a JSON list.
    pub frames: Option<String>,
}

/// One log line of a job.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogRow {
    /// Its key.
    pub key: Key,
    /// The job.
    pub job: Key,
    /// The task of the job.
    pub task: String,
    /// A word for how grave it is.
    pub level: String,
    /// The text.
    pub message: String,
    /// A JSON object.
    pub extra: Option<String>,
    /// When the attempt said it.
    pub logged_at: Millis,
}

/// One dead letter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadRow {
    /// Its key.
    pub key: Key,
    /// The dead job.
    pub job: Key,
    /// Queue of the job.
    pub queue: String,
    /// Task of the job.
    pub task: String,
    /// Why it is dead.
    pub error: String,
    /// Retries it had spent.
    pub retry_count: u32,
    /// When it died.
    pub failed_at: Millis,
    /// The user's own text.
    pub metadata: Option<String>,
}

/// Which jobs a listing shows.
#[derive(Clone, Debug, Default)]
pub struct JobFilter {
    /// Only jobs that read as this.
    pub status: Option<Status>,
    /// Only jobs of this queue.
    pub queue: Option<String>,
    /// Only jobs of this task.
    pub task: Option<String>,
    /// Only jobs that were enqueued at that instant or later.
    pub created_after: Option<Millis>,
    /// Only jobs that were enqueued before that instant.
    pub created_before: Option<Millis>,
    /// Only jobs whose metadata contains this text.
    pub metadata: Option<String>,
    /// Only jobs whose error contains this text.
    pub error: Option<String>,
    /// Only jobs that came before this one.
    pub before: Option<Key>,
    /// At most this many.
    pub limit: u32,
    /// After skipping this many.
    pub offset: u32,
}

/// Which dead letters a listing shows.
#[derive(Clone, Debug, Default)]
pub struct LetterFilter {
    /// Only letters of jobs of this queue.
    pub queue: Option<String>,
    /// Only letters of jobs of this task.
    pub task: Option<String>,
    /// Only letters that came before this one.
    pub before: Option<Key>,
    /// At most this many.
    pub limit: u32,
    /// After skipping this many.
    pub offset: u32,
}

/// Which log lines a listing shows.
#[derive(Clone, Debug, Default)]
pub struct LogFilter {
    /// Only lines of jobs of this task.
    pub task: Option<String>,
    /// Only lines with this word for how grave they are.
    pub level: Option<String>,
    /// Only lines of that instant or later.
    pub since: Millis,
    /// At most this many.
    pub limit: u32,
}

/// A job that waits, with its arguments.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// Its key.
    pub key: Key,
    /// Queue it waits in.
    pub queue: String,
    /// Function it calls.
    pub task: String,
    /// Serialized arguments.
    pub payload: Vec<u8>,
    /// Whether the results of other jobs go in front of them.
    pub takes_inputs: bool,
}

/// One job repeated by another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplayRow {
    /// The new job.
    pub replay: Key,
    /// The job it repeats.
    pub original: Key,
    /// When it was made.
    pub replayed_at: Millis,
    /// Error of the original.
    pub original_error: Option<String>,
    /// Error of the new job.
    pub replay_error: Option<String>,
}

/// Number of jobs by public status.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Waiting, due or not.
    pub pending: u64,
    /// Held by a worker.
    pub running: u64,
    /// Done.
    pub complete: u64,
    /// Given up.
    pub dead: u64,
    /// Called off.
    pub cancelled: u64,
}

impl Stats {
    /// The number of one status.
    #[must_use]
    pub fn of(&self, status: Status) -> u64 {
        match status {
            Status::Pending => self.pending,
            Status::Running => self.running,
            Status::Complete => self.complete,
            Status::Dead => self.dead,
            Status::Cancelled => self.cancelled,
        }
    }

    /// The number of all jobs.
    #[must_use]
    pub fn total(&self) -> u64 {
        Status::ALL.into_iter().map(|status| self.of(status)).sum()
    }

    /// Both together.
    #[must_use]
    pub fn plus(&self, other: &Self) -> Self {
        Self {
            pending: self.pending + other.pending,
            running: self.running + other.running,
            complete: self.complete + other.complete,
            dead: self.dead + other.dead,
            cancelled: self.cancelled + other.cancelled,
        }
    }
}

/// A worker that introduces itself.
#[derive(Clone, Debug)]
pub struct NewWorker {
    /// Name of the machine.
    pub hostname: String,
    /// Process id on that machine.
    pub pid: u32,
    /// Version of the engine.
    pub version: String,
    /// Queues it serves; empty is all.
    pub queues: Vec<String>,
    /// Tasks it knows.
    pub tasks: Vec<String>,
    /// How many jobs it runs at once.
    pub concurrency: u32,
}

/// What a worker says of itself from time to time.
#[derive(Clone, Debug, Default)]
pub struct Beat {
    /// Tasks it knows now.
    pub tasks: Vec<String>,
    /// Whether it is leaving.
    pub draining: bool,
    /// Threads that are busy with attempts it gave up.
    pub abandoned: u32,
    /// Attempts that ended in it, since it came.
    pub ended: u64,
    /// Bytes of memory its process occupies, if the kernel says so.
    pub rss: Option<u64>,
}

/// A worker that is registered.
#[derive(Clone, Debug)]
pub struct WorkerRow {
    /// Its number.
    pub id: WorkerId,
    /// Its public key.
    pub key: Key,
    /// What it said of itself.
    pub about: NewWorker,
    /// Jobs it holds now.
    pub running: u32,
    /// Schedules it declares.
    pub schedules: Vec<String>,
    /// Whether it is leaving.
    pub draining: bool,
    /// Whether somebody asked it to.
    pub drain_requested: bool,
    /// Threads that are busy with attempts it gave up, when it last said so.
    pub abandoned: u32,
    /// Attempts that ended in it, when it last said so.
    pub ended: u64,
    /// Bytes of memory its process occupied, when it last said so.
    pub rss: Option<u64>,
    /// When it came.
    pub started_at: Millis,
    /// When it last said that it lives; for display, never a reason to act.
    pub heartbeat_at: Millis,
}
