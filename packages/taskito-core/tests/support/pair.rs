//! Two handles on one file, as two processes have them.

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use taskito_core::breaker::Breaker;
use taskito_core::bulk::{AuditRow, OperationRow};
use taskito_core::cause::{Fingerprint, GroupFilter, GroupRow};
use taskito_core::clock::Millis;
use taskito_core::error::Result;
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

/// Writes through its handles in turn, and reads through the one that did not write last.
pub(crate) struct Pair {
    handles: [SqliteStore; 2],
    writes: AtomicUsize,
}

impl Pair {
    pub(crate) fn at(path: &Path) -> Self {
        Self {
            handles: [path, path].map(|path| SqliteStore::new(path, Sync::Relaxed)),
            writes: AtomicUsize::new(0),
        }
    }

    /// The handle whose turn it is to write; until then it reads.
    fn next(&self) -> &SqliteStore {
        &self.handles[self.writes.load(Ordering::Relaxed) % 2]
    }
}

impl JobStore for Pair {
    fn write(&self, sync: Sync, work: &mut Work<'_>) -> Result<()> {
        let writer = self.next();
        self.writes.fetch_add(1, Ordering::Relaxed);
        writer.write(sync, work)
    }
}

impl Watching for Pair {
    fn rollups(&self, now: Millis, period: &Period) -> Result<Rollups> {
        self.next().rollups(now, period)
    }

    fn census(&self) -> Result<Vec<Census>> {
        self.next().census()
    }

    fn arrivals(&self, since: Millis, cap: u32) -> Result<Arrivals> {
        self.next().arrivals(since, cap)
    }

    fn delayed(&self, now: Millis, cap: u32) -> Result<Delayed> {
        self.next().delayed(now, cap)
    }

    fn deaths(&self, since: Millis, cap: u32) -> Result<u32> {
        self.next().deaths(since, cap)
    }

    fn position(&self, job: Key, cap: u32) -> Result<Option<u32>> {
        self.next().position(job, cap)
    }

    fn next_jobs(&self, queue: &str, now: Millis, limit: u32) -> Result<Vec<JobRow>> {
        self.next().next_jobs(queue, now, limit)
    }
}

impl Graph for Pair {
    fn dependencies(&self, job: Key) -> Result<Vec<Key>> {
        self.next().dependencies(job)
    }

    fn dependents(&self, job: Key) -> Result<Vec<Key>> {
        self.next().dependents(job)
    }
}

impl Workflows for Pair {
    fn workflows(&self, before: Key, limit: u32) -> Result<Vec<Key>> {
        self.next().workflows(before, limit)
    }

    fn tally(&self, workflow: Key, most: u32) -> Result<Tally> {
        self.next().tally(workflow, most)
    }

    fn members(&self, workflow: Key, after: Key, limit: u32) -> Result<Vec<Member>> {
        self.next().members(workflow, after, limit)
    }

    fn ties(&self, workflow: Key, first: Key, last: Key) -> Result<Vec<Tie>> {
        self.next().ties(workflow, first, last)
    }
}

impl Diagnosis for Pair {
    fn groups(&self, filter: &GroupFilter) -> Result<Vec<GroupRow>> {
        self.next().groups(filter)
    }

    fn failing_groups(&self, limit: u32) -> Result<Vec<GroupRow>> {
        self.next().failing_groups(limit)
    }

    fn group(&self, group: Fingerprint) -> Result<Option<GroupRow>> {
        self.next().group(group)
    }

    fn group_jobs(&self, group: Fingerprint, limit: u32) -> Result<Vec<JobRow>> {
        self.next().group_jobs(group, limit)
    }

    fn group_letters(&self, group: Fingerprint, after: Key, limit: u32) -> Result<Vec<(Key, Key)>> {
        self.next().group_letters(group, after, limit)
    }

    fn group_attempts(&self, group: Fingerprint, limit: u32) -> Result<Vec<AttemptRow>> {
        self.next().group_attempts(group, limit)
    }

    fn group_hours(&self, group: Fingerprint, since: Millis, hours: u32) -> Result<Vec<u64>> {
        self.next().group_hours(group, since, hours)
    }

    fn result_preview(&self, job: Key) -> Result<Option<String>> {
        self.next().result_preview(job)
    }
}

impl Timetable for Pair {
    fn schedules(&self) -> Result<Vec<ScheduleRow>> {
        self.next().schedules()
    }

    fn fires(&self) -> Result<Vec<(String, Millis)>> {
        self.next().fires()
    }
}

impl Inspect for Pair {
    fn database(&self) -> Result<DatabaseId> {
        self.next().database()
    }

    fn job(&self, job: Key) -> Result<Option<JobRow>> {
        self.next().job(job)
    }

    fn jobs(&self, filter: &JobFilter) -> Result<Vec<JobRow>> {
        self.next().jobs(filter)
    }

    fn state(&self, job: Key) -> Result<Option<State>> {
        self.next().state(job)
    }

    fn result(&self, job: Key) -> Result<Option<Vec<u8>>> {
        self.next().result(job)
    }

    fn payload(&self, job: Key) -> Result<Option<Vec<u8>>> {
        self.next().payload(job)
    }

    fn keyed(&self, idempotency_key: &str) -> Result<Option<Key>> {
        self.next().keyed(idempotency_key)
    }

    fn attempts(&self, job: Key) -> Result<Vec<AttemptRow>> {
        self.next().attempts(job)
    }

    fn task_logs(&self, job: Key) -> Result<Vec<LogRow>> {
        self.next().task_logs(job)
    }

    fn count(&self, filter: &JobFilter) -> Result<u64> {
        self.next().count(filter)
    }

    fn waiting(&self, after: Key, limit: u32) -> Result<Vec<Waiting>> {
        self.next().waiting(after, limit)
    }

    fn metrics(&self, since: Millis, task: Option<&str>) -> Result<Vec<(String, Summary)>> {
        self.next().metrics(since, task)
    }

    fn replays(&self, original: Key) -> Result<Vec<ReplayRow>> {
        self.next().replays(original)
    }

    fn dead_letters(&self, filter: &LetterFilter) -> Result<Vec<DeadRow>> {
        self.next().dead_letters(filter)
    }

    fn query_logs(&self, filter: &LogFilter) -> Result<Vec<LogRow>> {
        self.next().query_logs(filter)
    }

    fn oldest_letters(&self, after: Key, filter: &LetterFilter) -> Result<Vec<(Key, Millis)>> {
        self.next().oldest_letters(after, filter)
    }

    fn stats(&self) -> Result<Stats> {
        self.next().stats()
    }

    fn holdings(&self, worker: WorkerId) -> Result<Vec<Held>> {
        self.next().holdings(worker)
    }

    fn workers(&self) -> Result<Vec<WorkerRow>> {
        self.next().workers()
    }

    fn overlong_wait(&self, now: Millis, slack: Duration) -> Result<bool> {
        self.next().overlong_wait(now, slack)
    }

    fn next_due(&self) -> Result<Option<Millis>> {
        self.next().next_due()
    }

    fn has_prospects(&self, now: Millis, appetite: &mut dyn Appetite) -> Result<bool> {
        self.next().has_prospects(now, appetite)
    }
}

impl Restraints for Pair {
    fn restrained_queues(&self) -> Result<Vec<String>> {
        self.next().restrained_queues()
    }

    fn queues(&self, now: Millis) -> Result<Vec<QueueRow>> {
        self.next().queues(now)
    }

    fn breakers(&self) -> Result<Vec<(String, Breaker)>> {
        self.next().breakers()
    }

    fn task_limits(&self) -> Result<Vec<(String, Limit)>> {
        self.next().task_limits()
    }

    fn holds(&self, now: Millis, job: Key) -> Result<Vec<Hold>> {
        self.next().holds(now, job)
    }
}

impl Leases for Pair {
    fn lock_left(&self, now: &Moment, name: &str) -> Result<Option<Duration>> {
        self.next().lock_left(now, name)
    }
}

impl Survey for Pair {
    fn walk(&self, after: Key, limit: u32) -> Result<Vec<Passed>> {
        self.next().walk(after, limit)
    }

    fn outlived(&self, now: Millis, limit: u32) -> Result<Vec<Key>> {
        self.next().outlived(now, limit)
    }

    fn next_expiry(&self) -> Result<Option<Millis>> {
        self.next().next_expiry()
    }

    fn lanes(&self, queue: Option<&str>, task: Option<&str>) -> Result<Vec<LaneId>> {
        self.next().lanes(queue, task)
    }
}

impl Searching for Pair {
    fn search(&self, search: &Search<'_>) -> Result<Found> {
        self.next().search(search)
    }

    fn count_lanes(&self, filter: &Filter) -> Result<u64> {
        self.next().count_lanes(filter)
    }

    fn operations(&self, limit: u32) -> Result<Vec<OperationRow>> {
        self.next().operations(limit)
    }

    fn operation(&self, operation: Key) -> Result<Option<OperationRow>> {
        self.next().operation(operation)
    }

    fn running_operations(&self) -> Result<Vec<OperationRow>> {
        self.next().running_operations()
    }

    fn failed_copies(&self, operation: Key, cap: u32) -> Result<u64> {
        self.next().failed_copies(operation, cap)
    }

    fn touched(&self, operation: Key, limit: u32) -> Result<Vec<(Key, Option<Key>)>> {
        self.next().touched(operation, limit)
    }

    fn marks(&self, from: Millis, to: Millis, limit: u32) -> Result<Vec<AuditRow>> {
        self.next().marks(from, to, limit)
    }

    fn deeds(&self, limit: u32) -> Result<Vec<AuditRow>> {
        self.next().deeds(limit)
    }
}
