//! The storage contract about many jobs at once: searching by a filter, and operations on all that
//! match. Long because each part of it says what it promises.
//!
//! [`drive`] takes an operation on, batch by batch.
//!
//! An operation goes over the jobs from the oldest to the newest that was there when it began. Each
//! batch is one transaction that also moves its `reached`, and that changes nothing when `reached`
//! is not where the driver found it: so nothing is done twice, whoever drives and dies. The lease
//! only spares others the work. One with a canary makes those jobs first, and then waits: whoever
//! finds that they have completed lets it go on.

use std::time::{Duration, Instant};

use crate::bulk::{Advance, AuditRow, Canary, NewOperation, OperationRow, Phase, Verb};
use crate::clock::Millis;
use crate::error::Result;
use crate::filter::Filter;
use crate::id::Key;
use crate::state::State;

use super::{JobStore, Sync, Transaction};

/// How many jobs a batch acts on at most.
const BATCH: u32 = 500;
/// How many jobs are looked at for one batch.
const LOOK: u64 = 20_000;
/// How long one transaction acts before it makes way.
const HOLD: Duration = Duration::from_millis(20);
/// How many jobs are acted on between two looks at the clock.
const STEP: usize = 8;
/// How long a driver that does not move is waited for.
const LEASE: Duration = Duration::from_secs(5);
/// How many batches a second an operation with a rate makes.
const BEATS: u32 = 4;
/// How soon a canary is looked at again.
const GLANCE: Duration = Duration::from_millis(500);
/// How long what was done is remembered.
const MEMORY: Duration = Duration::from_secs(90 * 86_400);

/// From which end a search begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// As lists show jobs.
    NewestFirst,
    /// As operations take them.
    OldestFirst,
}

/// A search for jobs.
#[derive(Clone, Debug)]
pub struct Search<'a> {
    /// Which jobs.
    pub filter: &'a Filter,
    /// The instant of its ages.
    pub now: Millis,
    /// From which end.
    pub direction: Direction,
    /// Only jobs after this one.
    pub after: Key,
    /// Only jobs before this one.
    pub before: Key,
    /// At most so many are found.
    pub limit: u32,
    /// At most about so many are looked at.
    pub budget: u64,
    /// It ends after about this time.
    pub patience: Duration,
}

/// What a search found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// The jobs, in the order of the search.
    pub keys: Vec<Key>,
    /// The last job that was looked at, from which to go on; `None` when all were.
    pub next: Option<Key>,
    /// How many jobs were looked at.
    pub examined: u64,
}

/// What an operation must know of a job that meets its filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sight {
    /// Where it stands.
    pub state: State,
    /// Its dead letter.
    pub letter: Option<Key>,
}

/// Operations and the record of what people did, inside one transaction.
pub trait Bulk {
    /// Writes down an operation on all jobs that are there now.
    ///
    /// # Errors
    /// Storage failures.
    fn begin_operation(&mut self, now: Millis, wanted: &NewOperation) -> Result<Key>;

    /// The operation as it stands now.
    ///
    /// # Errors
    /// Storage failures.
    fn operation_now(&mut self, operation: Key) -> Result<Option<OperationRow>>;

    /// Moves an operation that is running.
    ///
    /// # Errors
    /// Storage failures.
    fn advance_operation(&mut self, now: Millis, advance: &Advance) -> Result<()>;

    /// A job, if it meets the filter at that instant.
    ///
    /// # Errors
    /// Storage failures.
    fn sight(&mut self, filter: &Filter, now: Millis, job: Key) -> Result<Option<Sight>>;

    /// Notes that an operation touched a job, and which one it made of it.
    ///
    /// # Errors
    /// Storage failures.
    fn note_touched(&mut self, operation: Key, job: Key, copy: Option<Key>) -> Result<()>;

    /// Says what became of an operation that is over.
    ///
    /// # Errors
    /// Storage failures.
    fn report_operation(&mut self, operation: Key, report: &str) -> Result<()>;

    /// Notes what somebody did.
    ///
    /// # Errors
    /// Storage failures.
    fn audit(&mut self, now: Millis, who: &str, deed: &str, subject: &str, n: u64) -> Result<()>;

    /// Forgets operations that are over, and what people did, from before that instant.
    ///
    /// # Errors
    /// Storage failures.
    fn forget_deeds(&mut self, before: Millis) -> Result<()>;
}

/// Questions about many jobs at once.
pub trait Searching {
    /// Jobs that meet a filter.
    ///
    /// # Errors
    /// Storage failures.
    fn search(&self, search: &Search<'_>) -> Result<Found>;

    /// How many jobs meet a filter that [`Filter::is_counted`]; read from counters.
    ///
    /// # Errors
    /// Storage failures.
    fn count_lanes(&self, filter: &Filter) -> Result<u64>;

    /// Operations, newest first.
    ///
    /// # Errors
    /// Storage failures.
    fn operations(&self, limit: u32) -> Result<Vec<OperationRow>>;

    /// One operation.
    ///
    /// # Errors
    /// Storage failures.
    fn operation(&self, operation: Key) -> Result<Option<OperationRow>>;

    /// Operations that are under way, oldest first.
    ///
    /// # Errors
    /// Storage failures.
    fn running_operations(&self) -> Result<Vec<OperationRow>>;

    /// How many of the jobs that an operation made have failed, counted up to `cap`.
    ///
    /// # Errors
    /// Storage failures.
    fn failed_copies(&self, operation: Key, cap: u32) -> Result<u64>;

    /// The first jobs that an operation touched so that it can be taken back, oldest first, and
    /// what it made of each.
    ///
    /// # Errors
    /// Storage failures.
    fn touched(&self, operation: Key, limit: u32) -> Result<Vec<(Key, Option<Key>)>>;

    /// What people did, newest first.
    ///
    /// # Errors
    /// Storage failures.
    fn deeds(&self, limit: u32) -> Result<Vec<AuditRow>>;

    /// What people marked from one instant until before another, newest first.
    ///
    /// # Errors
    /// Storage failures.
    fn marks(&self, from: Millis, to: Millis, limit: u32) -> Result<Vec<AuditRow>>;
}

/// How many jobs meet a filter, counted up to `cap`, and whether that is for sure: a search that
/// takes too long tells what it found until then.
///
/// # Errors
/// Storage failures.
pub fn count(
    store: &dyn JobStore,
    filter: &Filter,
    now: Millis,
    after: Key,
    cap: u32,
    budget: u64,
    patience: Duration,
) -> Result<(u64, bool)> {
    if after == Key(0) && filter.is_counted() {
        return Ok((store.count_lanes(filter)?.min(u64::from(cap)), true));
    }
    let found = store.search(&Search {
        filter,
        now,
        direction: Direction::NewestFirst,
        after,
        before: Key::LAST,
        limit: cap,
        budget,
        patience,
    })?;
    let number = found.keys.len();
    Ok((
        number as u64,
        found.next.is_none() || number == cap as usize,
    ))
}

/// Begins an operation, and writes down who did.
///
/// # Errors
/// Storage failures.
pub fn begin(transaction: &mut dyn Transaction, now: Millis, wanted: &NewOperation) -> Result<Key> {
    transaction.forget_deeds(long_ago(now))?;
    let (deed, subject) = (wanted.verb.name(), wanted.text.as_str());
    transaction.audit(now, &wanted.who, deed, subject, wanted.total)?;
    transaction.begin_operation(now, wanted)
}

/// Ends an operation that is running; whether it was.
///
/// # Errors
/// Storage failures.
pub fn stop(
    transaction: &mut dyn Transaction,
    now: Millis,
    operation: Key,
    who: &str,
) -> Result<bool> {
    let Some(row) = running(transaction, operation)? else {
        return Ok(false);
    };
    let report = format!("stopped by {who}");
    transaction.advance_operation(now, &row.ended(Phase::Stopped, Some(report)))?;
    transaction.audit(now, who, "stop", &row.wanted.text, row.done)?;
    Ok(true)
}

/// What came of driving.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Driven {
    /// No operation is running that somebody else does not drive.
    Idle,
    /// The rate of an operation lets it go on after that time, or its canary is looked at then.
    After(Duration),
    /// A batch was done.
    Moved,
}

/// Takes the oldest operation that is nobody else's one batch further. `driver` is a number that
/// the caller drew for itself.
///
/// # Errors
/// Storage failures; what earlier batches did stays done.
pub fn drive(store: &dyn JobStore, now: Millis, driver: i64) -> Result<Driven> {
    let mut rest = None;
    for row in store.running_operations()? {
        // A lease or pause that is longer than any is of a clock that was set back.
        let left = now.until(row.leased_until);
        if row.driver != driver && !left.is_zero() && left <= LEASE {
            continue;
        }
        let pause = now.until(row.next_at);
        if !pause.is_zero() && pause <= LEASE {
            rest = Some(rest.map_or(pause, |known: Duration| known.min(pause)));
            continue;
        }
        if let (Some(canary), Some(until)) = (row.wanted.canary, row.waits_until) {
            let Some(advance) = judged(store, now, &row, canary, until)? else {
                rest = Some(rest.map_or(GLANCE, |known: Duration| known.min(GLANCE)));
                continue;
            };
            write(store, &row, &mut |_| Ok(advance.clone()), now)?;
            return Ok(Driven::Moved);
        }
        batch(store, now, driver, &row)?;
        return Ok(Driven::Moved);
    }
    Ok(rest.map_or(Driven::Idle, Driven::After))
}

/// What becomes of an operation that waits for its canary; `None` while nobody knows.
fn judged(
    store: &dyn JobStore,
    now: Millis,
    row: &OperationRow,
    canary: Canary,
    until: Millis,
) -> Result<Option<Advance>> {
    let database = store.database()?;
    let stopped = |report: String| Some(row.ended(Phase::Stopped, Some(report)));
    let mut is_complete = true;
    for (_, copy) in store.touched(row.key, canary.jobs)? {
        let job = copy.map(|copy| store.job(copy)).transpose()?.flatten();
        // One that is gone had completed: a failure lives as long as that of the job it repeats,
        // which was found.
        let Some(job) = job else { continue };
        let id = job.key.text(database);
        match job.state {
            State::Cancelled => return Ok(stopped(format!("the canary was cancelled: {id}"))),
            State::Dead => return Ok(stopped(format!("the canary failed: {id}"))),
            _ if job.retry_count > 0 => return Ok(stopped(format!("the canary failed: {id}"))),
            State::Complete => {}
            _ => is_complete = false,
        }
    }
    let left = now.until(until);
    Ok(match is_complete {
        true => Some(row.ended(Phase::Running, None)),
        false if left.is_zero() => {
            let seconds = canary.wait.as_secs_f64();
            stopped(format!("the canary was not through after {seconds} s"))
        }
        // Of a clock that was set back: the wait begins anew.
        false if left > canary.wait => Some(Advance {
            waits_until: Some(now.plus(canary.wait)),
            ..row.ended(Phase::Running, None)
        }),
        false => None,
    })
}

fn batch(store: &dyn JobStore, now: Millis, driver: i64, row: &OperationRow) -> Result<()> {
    if let Some(most) = row.wanted.stop_after
        && store.failed_copies(row.key, most)? >= u64::from(most)
    {
        let report = format!("{most} of the jobs it made failed");
        return write(
            store,
            row,
            &mut |_| Ok(row.ended(Phase::Stopped, Some(report.clone()))),
            now,
        );
    }
    let size = row
        .wanted
        .rate
        .map_or(BATCH, |rate| rate.div_ceil(BEATS).clamp(1, BATCH));
    let canary = row.canary_left();
    let size = canary.map_or(size, |left| left.min(size));
    let mut found = store.search(&Search {
        filter: &row.wanted.filter,
        now: row.started_at,
        direction: Direction::OldestFirst,
        after: row.reached,
        before: Key(row.last.0.saturating_add(1)),
        // One more tells whether there are others to hold back.
        limit: size + u32::from(canary.is_some()),
        budget: LOOK,
        patience: HOLD * 5,
    })?;
    if found.keys.len() > size as usize {
        found.keys.truncate(size as usize);
        found.next = found.keys.last().copied();
    }
    let mut act = |transaction: &mut dyn Transaction| act_on(transaction, now, driver, row, &found);
    write(store, row, &mut act, now)
}

/// One transaction that moves an operation, unless somebody else did meanwhile.
fn write(
    store: &dyn JobStore,
    row: &OperationRow,
    act: &mut dyn FnMut(&mut dyn Transaction) -> Result<Advance>,
    now: Millis,
) -> Result<()> {
    store.write(Sync::Durable, &mut |transaction| {
        let known = running(transaction, row.key)?;
        let is_where_it_was = |known: OperationRow| {
            known.reached == row.reached && known.waits_until == row.waits_until
        };
        if !known.is_some_and(is_where_it_was) {
            return Ok(());
        }
        let advance = act(transaction)?;
        transaction.advance_operation(now, &advance)
    })
}

fn act_on(
    transaction: &mut dyn Transaction,
    now: Millis,
    driver: i64,
    row: &OperationRow,
    found: &Found,
) -> Result<Advance> {
    let begin = Instant::now();
    let (mut done, mut skipped, mut through) = (0, 0, 0);
    for step in found.keys.chunks(STEP) {
        for job in step {
            if act(transaction, now, row, *job)? {
                done += 1;
            } else {
                skipped += 1;
            }
        }
        through += step.len();
        if begin.elapsed() >= HOLD {
            break;
        }
    }
    let is_whole = through == found.keys.len();
    let (reached, phase) = match found.next {
        _ if !is_whole => (found.keys[through - 1], Phase::Running),
        Some(next) => (next, Phase::Running),
        None => (row.last, Phase::Done),
    };
    let pause = row.wanted.rate.map_or(Duration::ZERO, |rate| {
        Duration::from_millis(1000 * (done + skipped) / u64::from(rate.max(1)))
    });
    let canary = row.wanted.canary.filter(|_| {
        let is_made = |left| done >= u64::from(left);
        phase == Phase::Running && row.canary_left().is_some_and(is_made)
    });
    Ok(Advance {
        reached,
        done,
        skipped,
        driver,
        leased_until: now.plus(LEASE),
        next_at: now.plus(pause),
        waits_until: canary.map(|canary| now.plus(canary.wait)),
        ..row.ended(phase, None)
    })
}

/// Does to one job what is wanted; whether it could be done.
fn act(
    transaction: &mut dyn Transaction,
    now: Millis,
    row: &OperationRow,
    job: Key,
) -> Result<bool> {
    let Some(sight) = transaction.sight(&row.wanted.filter, row.started_at, job)? else {
        return Ok(false);
    };
    match row.wanted.verb {
        Verb::Cancel => {
            if transaction.cancel(now, job)? {
                transaction.note_touched(row.key, job, None)?;
                return Ok(true);
            }
            transaction.cancel_request(job)
        }
        Verb::Delete => Ok(transaction.prune(&[job])? == 1),
        Verb::Retry => {
            let copy = match sight.letter {
                Some(letter) => transaction.revive(now, letter)?,
                None if sight.state.is_finished() => transaction.replay(now, job)?,
                None => None,
            };
            if let Some(copy) = copy {
                transaction.note_touched(row.key, job, Some(copy))?;
            }
            Ok(copy.is_some())
        }
    }
}

fn running(transaction: &mut dyn Transaction, operation: Key) -> Result<Option<OperationRow>> {
    let row = transaction.operation_now(operation)?;
    Ok(row.filter(|row| row.phase == Phase::Running))
}

impl OperationRow {
    /// How many jobs of its canary are still to be made, if any.
    fn canary_left(&self) -> Option<u32> {
        let jobs = self.wanted.canary?.jobs;
        let made = u32::try_from(self.done).unwrap_or(u32::MAX);
        jobs.checked_sub(made).filter(|left| *left > 0)
    }

    /// Moves it no further, and it waits for nothing.
    fn ended(&self, phase: Phase, report: Option<String>) -> Advance {
        Advance {
            operation: self.key,
            reached: self.reached,
            done: 0,
            skipped: 0,
            phase,
            report,
            driver: self.driver,
            leased_until: self.leased_until,
            next_at: self.next_at,
            waits_until: None,
        }
    }
}

fn long_ago(now: Millis) -> Millis {
    let memory = i64::try_from(MEMORY.as_millis()).unwrap_or(i64::MAX);
    Millis(now.0.saturating_sub(memory))
}
