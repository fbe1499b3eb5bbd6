//! The desk between the dispatcher and the runners: claims go out, outcomes come in.
//!
//! One mutex, held for a few hundred nanoseconds and never across the store or Python.

use std::io;
use std::os::fd::RawFd;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use crate::clock::Clock;
use crate::id::xorshift;
use crate::job::{Beat, Claim, Held, Token};
use crate::limits::TaskLimits;
use crate::os;
use crate::outcome::Outcome;
use crate::retry::RetryPolicy;
use crate::store::LogLine;
use crate::store::gate::{Gate, LONGEST_SLEEP};
use crate::sync::{Condvar, Mutex, MutexGuard};

use super::books::Books;
use super::news::{Event, News};
use super::notes::Notes;
use super::pools::Kind;
use super::slips::{Next, Phase, Plan, Ready, Settled};
use super::task::{Task, TaskSettings};
use super::{Settings, Site};

/// How long a log line waits for room before it is dropped: the store must be failing then.
const ROOM_TIME: Duration = Duration::from_secs(1);

pub(super) struct Desk {
    books: Mutex<Books>,
    work: Condvar,
    /// Notes were taken: there is room for more.
    room: Condvar,
    gate: Arc<Gate>,
    clock: Arc<dyn Clock>,
    news: Arc<News>,
    most_abandoned: usize,
    /// What the waits of retries are drawn from.
    random: AtomicU64,
}

impl Desk {
    pub(super) fn new(site: &Site, news: Arc<News>, settings: &Settings) -> Self {
        let [threads, coroutines] = [settings.threads, settings.coroutines]
            .map(|count| usize::try_from(count).unwrap_or(usize::MAX));
        Self {
            books: Mutex::new(Books::new(threads, coroutines, site.gate.control())),
            work: Condvar::new(),
            room: Condvar::new(),
            gate: Arc::clone(&site.gate),
            clock: Arc::clone(&site.clock),
            news,
            most_abandoned: (4 * threads).max(32),
            random: AtomicU64::new(settings.seed.unwrap_or_else(os::random)),
        }
    }

    fn lock(&self) -> MutexGuard<'_, Books> {
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Releases the desk and wakes the dispatcher if it sleeps.
    fn tell_dispatcher(&self, mut books: MutexGuard<'_, Books>) {
        let sleeps = books.dispatcher_sleeps;
        books.stirred = true;
        drop(books);
        if sleeps {
            self.gate.work().ring();
        }
    }

    // ---- runners -------------------------------------------------------------------------

    pub(super) fn try_next(&self) -> Next {
        let mut books = self.lock();
        if books.dismisses_thread() {
            return Next::Ended;
        }
        match self.take_for_thread(&mut books) {
            Some(claim) => Next::Job(claim),
            None if books.phase == Phase::Serving => Next::Nothing,
            None => Next::Ended,
        }
    }

    pub(super) fn next(&self) -> Option<Claim> {
        let mut books = self.lock();
        loop {
            if books.dismisses_thread() {
                return None;
            }
            if let Some(claim) = self.take_for_thread(&mut books) {
                return Some(claim);
            }
            if books.phase != Phase::Serving {
                return None;
            }
            books.idle += 1;
            books = self
                .work
                .wait(books)
                .unwrap_or_else(PoisonError::into_inner);
            books.idle -= 1;
        }
    }

    fn take_for_thread(&self, books: &mut Books) -> Option<Claim> {
        let (claim, is_short) = self.take(books, Kind::Thread)?;
        // What is left over needs another runner if this job keeps this one for long.
        if books.idle > 0 && !books.pools.threads.ready.is_empty() && !is_short {
            self.work.notify_one();
        }
        Some(claim)
    }

    /// The next job, unless something was decided from outside that the dispatcher has not
    /// looked at: it may have been about this job.
    fn take(&self, books: &mut Books, kind: Kind) -> Option<(Claim, bool)> {
        if books.phase != Phase::Serving || books.vetted != self.gate.control() {
            return None;
        }
        let before = books.settled.len();
        let taken = books.take(kind, &*self.clock);
        let refused = books.settled.len() > before;
        let brief =
            |(claim, _): &(Claim, bool)| !claim.timeout.is_zero() && claim.timeout < LONGEST_SLEEP;
        // The dispatcher must not sleep over what it does not know of.
        if refused || taken.as_ref().is_some_and(brief) {
            books.stirred = true;
            if books.dispatcher_sleeps {
                self.gate.work().ring();
            }
        }
        taken
    }

    /// Jobs for the event loop, as many as may run now; `None` when there will be no more.
    pub(super) fn next_coroutines(&self) -> Option<Vec<Claim>> {
        let mut books = self.lock();
        if books.phase == Phase::Ended {
            return None;
        }
        books.loop_bell.silence();
        let mut claims = Vec::new();
        while books.has_coroutine() {
            let Some((claim, _)) = self.take(&mut books, Kind::Coroutine) else {
                break;
            };
            claims.push(claim);
        }
        Some(claims)
    }

    /// A descriptor that is readable while [`Self::next_coroutines`] has something to say.
    pub(super) fn loop_bell(&self) -> io::Result<RawFd> {
        let mut books = self.lock();
        let descriptor = books.loop_bell.descriptor()?;
        books.ring_loop();
        Ok(descriptor)
    }

    /// Takes an outcome; `false` if it does not count.
    pub(super) fn settle(&self, token: Token, outcome: Outcome, notify: bool) -> bool {
        let mut books = self.lock();
        let counts = books.settle(token, outcome, notify, self.clock.instant());
        self.tell_dispatcher(books);
        counts
    }

    /// Settles an attempt as timed out, once the event that said so was answered.
    pub(super) fn settle_overdue(&self, token: Token) -> bool {
        let mut books = self.lock();
        let counts = books.settle_overdue(token, self.clock.instant());
        self.tell_dispatcher(books);
        counts
    }

    pub(super) fn is_cancelled(&self, token: Token) -> bool {
        self.lock().is_cancelled(token)
    }

    pub(super) fn is_current(&self, token: Token) -> bool {
        self.lock().is_current(token)
    }

    pub(super) fn note_progress(&self, token: Token, progress: u8) {
        let mut books = self.lock();
        if books.running.contains_key(&token)
            && books
                .notes
                .add_progress(token, progress, self.clock.instant())
        {
            self.tell_dispatcher(books);
        }
    }

    pub(super) fn note_log(&self, line: LogLine) {
        let mut books = self.lock();
        if books.notes.is_full() {
            let crowded = |books: &mut Books| books.notes.is_full();
            books = self
                .room
                .wait_timeout_while(books, ROOM_TIME, crowded)
                .map_or_else(|poisoned| poisoned.into_inner().0, |(books, _)| books);
        }
        let kept = books.running.contains_key(&line.token) && !books.notes.is_full();
        if kept && books.notes.add_line(line, self.clock.instant()) {
            self.tell_dispatcher(books);
        }
    }

    /// Lets the next plan hand over what was noted, however recently.
    pub(super) fn hurry_notes(&self) {
        self.lock().notes.hurry();
    }

    // ---- whoever tends the worker --------------------------------------------------------

    /// What happened that nobody was told yet.
    pub(super) fn events(&self) -> Vec<Event> {
        let mut events = Vec::new();
        let wanted = std::mem::take(&mut self.lock().wanted);
        if wanted > 0 {
            events.push(Event::Hire(wanted));
        }
        events.extend(self.news.take());
        events
    }

    /// How many threads are busy with claims that ran over their timeout.
    pub(super) fn abandoned(&self) -> usize {
        self.lock().abandoned_threads()
    }

    /// With so many abandoned threads a worker claims nothing more for threads.
    pub(super) fn most_abandoned(&self) -> usize {
        self.most_abandoned
    }

    pub(super) fn register(&self, task: &str, settings: TaskSettings) {
        let mut books = self.lock();
        books.register(task, settings);
        self.tell_dispatcher(books);
    }

    pub(super) fn task_names(&self) -> Vec<String> {
        let mut names: Vec<String> = self.lock().tasks.keys().map(ToString::to_string).collect();
        names.sort();
        names
    }

    /// What holds the jobs of each task back.
    pub(super) fn limits(&self) -> Vec<(Arc<str>, TaskLimits)> {
        let books = self.lock();
        let limits = |(name, task): (&Arc<str>, &Arc<Task>)| {
            (Arc::clone(name), task.settings.limits.clone())
        };
        books.tasks.iter().map(limits).collect()
    }

    /// How a task waits between attempts, if it is known here.
    pub(super) fn policy(&self, task: &str) -> Option<RetryPolicy> {
        let books = self.lock();
        let known = books.tasks.get(task)?;
        Some(known.settings.policy.clone())
    }

    /// A number like no other.
    pub(super) fn random(&self) -> u64 {
        let next = self
            .random
            .fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed);
        xorshift(next | 1)
    }

    /// Begins to drain, or shortens the wait of a drain that has begun; whether it begins.
    pub(super) fn drain(&self, deadline: Instant) -> bool {
        let mut books = self.lock();
        let begins = books.phase == Phase::Serving;
        books.phase = match books.phase {
            Phase::Serving => Phase::Draining(deadline),
            Phase::Draining(earlier) => Phase::Draining(earlier.min(deadline)),
            Phase::Ended => return false,
        };
        self.work.notify_all();
        self.tell_dispatcher(books);
        begins
    }

    /// What the worker says of itself on the roster.
    pub(super) fn beat(&self) -> Beat {
        let tasks = self.task_names();
        let books = self.lock();
        Beat {
            tasks,
            draining: books.phase != Phase::Serving,
            abandoned: u32::try_from(books.abandoned_threads()).unwrap_or(u32::MAX),
            ended: books.ended,
            rss: os::resident_bytes(),
        }
    }

    // ---- dispatcher ----------------------------------------------------------------------

    /// Takes the outcomes and tells how things stand, after all that is due was done.
    pub(super) fn plan(&self, now: Instant) -> Plan {
        let mut books = self.lock();
        let mut events = books.look_at_the_time(now);
        if let Phase::Draining(deadline) = books.phase {
            events.extend(books.hand_back(now, deadline));
        }
        let plan = books.plan(now, self.most_abandoned);
        let hiring = books.wanted > 0;
        drop(books);
        if !plan.notes.is_empty() {
            self.room.notify_all();
        }
        if events.is_empty() && hiring {
            self.news.nudge();
        }
        self.news.tell(events);
        plan
    }

    /// Whether something was decided from outside since the desk was last compared with the
    /// store: the number to compare it under.
    pub(super) fn unheeded(&self) -> Option<u32> {
        let control = self.gate.control();
        (self.lock().vetted != control).then_some(control)
    }

    /// Compares the desk with what the store says.
    pub(super) fn heed(&self, number: u32, held: &[Held], restrained: &[String]) {
        let mut books = self.lock();
        let events = books.heed(number, held, restrained, self.clock.instant());
        let waiting = books.pools.threads.ready.len().min(books.idle);
        drop(books);
        for _ in 0..waiting {
            self.work.notify_one();
        }
        self.news.tell(events);
    }

    /// Those of the jobs that this worker holds of which nobody here knows: they were claimed by
    /// a commit that was reported as failed.
    pub(super) fn strangers(&self, held: &[Held]) -> Vec<Token> {
        let books = self.lock();
        let tokens = held.iter().map(|job| job.token);
        tokens.filter(|token| !books.knows(*token)).collect()
    }

    /// Puts claims out for the runners, forgets the suspects that are settled, and counts the
    /// attempts that ended.
    pub(super) fn put_out(&self, claims: Vec<Ready>, settled_suspects: usize, ended: usize) {
        let mut books = self.lock();
        books.ended += ended as u64;
        for _ in 0..books.put_out(claims, settled_suspects) {
            self.work.notify_one();
        }
    }

    /// Gives outcomes and notes back that could not be committed; they come with the next plan.
    pub(super) fn put_back(&self, mut settled: Vec<Settled>, notes: Notes) {
        let mut books = self.lock();
        settled.append(&mut books.settled);
        books.settled = settled;
        books.notes.put_back(notes);
    }

    /// Wakes one more thread if jobs have been waiting while threads sleep; whether it did.
    pub(super) fn nudge(&self) -> bool {
        let books = self.lock();
        let late = books.idle > 0 && !books.pools.threads.ready.is_empty();
        if late {
            self.work.notify_one();
        }
        late
    }

    /// Announces that the dispatcher is going to sleep; whether there is news already.
    pub(super) fn falls_asleep(&self) -> bool {
        let mut books = self.lock();
        books.dispatcher_sleeps = !books.stirred;
        books.stirred
    }

    /// The end: nobody waits any longer.
    pub(super) fn end(&self) {
        let mut books = self.lock();
        books.phase = Phase::Ended;
        books.loop_bell.ring();
        self.work.notify_all();
        self.room.notify_all();
    }
}
