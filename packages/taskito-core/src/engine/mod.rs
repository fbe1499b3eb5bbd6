//! One worker: claims jobs, hands them to runner threads, settles what they report. Long because
//! all that others may ask of a worker is here; each answer is a few lines.
//!
//! ```text
//! dispatch   claim ──> desk ──> next() ──> a runner thread runs it
//! dispatch   commit <── desk <── settle() <──┘
//! watch      other workers die: reaper settles what they held
//! janitor    what is over expires or is deleted
//! ticker     schedules fire: their jobs are inserted
//! ```
//!
//! Runner threads and the event loop belong to the caller (Python); they only ever touch the
//! [`desk`]. The dispatcher thread alone writes to the store, a batch at a time.

mod books;
mod by_hand;
mod certificate;
mod clockwork;
mod desk;
mod dispatch;
mod hunger;
mod janitor;
mod keeper;
mod ledger;
mod loop_bell;
mod news;
mod notes;
mod overtime;
mod patience;
mod pools;
mod reaper;
mod running;
mod settle;
mod slips;
#[cfg(feature = "model")]
mod stepped;
mod task;
mod ticker;
mod tidier;
mod watch;

use std::io;
use std::os::fd::RawFd;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::clock::Clock;
use crate::error::{Error, Result};
use crate::fork;
use crate::id::Key;
use crate::job::{Claim, NewWorker, Token, WorkerId};
use crate::limits::TaskLimits;
use crate::os::{self, Waited};
use crate::outcome::Outcome;
use crate::schedule::Plan;
use crate::store::gate::Gate;
use crate::store::{JobStore, LogLine, Sync};

use by_hand::Hand;
use certificate::Certificate;
use clockwork::Clockwork;
use desk::Desk;
use dispatch::{Arrival, Dispatcher};
use ledger::Ledger;
use news::News;
use watch::Watch;

pub use janitor::Janitor;
pub use keeper::{Grasp, Keeper};
pub use news::{Arrow, Event};
pub use pools::Kind;
pub use reaper::{living_workers, reap_the_dead};
pub use running::{RunningJob, running_now};
pub use slips::Next;
#[cfg(feature = "model")]
pub use stepped::{Pause, Stepped};
pub use task::TaskSettings;
pub use ticker::{Ticker, Tock};

/// Where a worker works.
#[derive(Clone)]
pub struct Site {
    /// The jobs.
    pub store: Arc<dyn JobStore>,
    /// The doorbells of the store.
    pub gate: Arc<Gate>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// The database file, beside which certificates lie; `None` for one in memory.
    pub path: Option<std::path::PathBuf>,
}

impl Site {
    /// A side file of the database cannot be made or locked.
    fn not_writable(&self, error: &io::Error) -> Error {
        Error::NotWritable {
            path: self.path.clone().unwrap_or_default(),
            cause: error.to_string(),
        }
    }
}

/// How a worker works.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// Runner threads that will call [`Engine::next`].
    pub threads: u32,
    /// Coroutines of [`Engine::next_coroutines`] that run at once, beside the threads.
    pub coroutines: u32,
    /// Queues to serve; empty is all.
    pub queues: Vec<String>,
    /// How long finished jobs are kept that say nothing about it; `None` is for ever.
    pub result_ttl: Option<Duration>,
    /// What chance begins with, so that a simulation can be repeated; `None` is anything.
    pub seed: Option<u64>,
}

/// One worker.
pub struct Engine {
    site: Site,
    settings: Settings,
    desk: Arc<Desk>,
    crew: Mutex<Option<Crew>>,
    /// What the dispatcher's thread would own, while the worker is stepped by hand.
    hand: Mutex<Option<Hand>>,
    news: Arc<News>,
    ticker: Arc<Ticker>,
    /// Schedules to declare when the worker starts.
    plans: Mutex<Vec<Plan>>,
    /// The process it belongs to. In a forked child it is an empty shell: it has no threads
    /// there, and its locks may have been held by one.
    generation: u32,
}

/// What exists while the worker works.
struct Crew {
    worker: WorkerId,
    key: Key,
}

/// While it exists the worker is there. Dropping it tells everybody that the worker has left,
/// also if its thread breaks down.
struct Stay {
    desk: Arc<Desk>,
    news: Arc<News>,
    certificate: Option<Certificate>,
}

impl Drop for Stay {
    fn drop(&mut self) {
        drop(self.certificate.take());
        self.desk.end();
        self.news.end();
    }
}

impl Engine {
    /// A worker that has not started.
    #[must_use]
    pub fn new(site: Site, settings: Settings) -> Self {
        let news = Arc::new(News::default());
        let desk = Desk::new(&site, Arc::clone(&news), &settings);
        Self {
            ticker: Arc::new(Ticker::new(site.clone())),
            plans: Mutex::default(),
            site,
            settings,
            desk: Arc::new(desk),
            crew: Mutex::new(None),
            hand: Mutex::new(None),
            news,
            generation: fork::generation(),
        }
    }

    /// Whether this is the copy in a forked child, which neither claims nor settles.
    fn is_copy(&self) -> bool {
        self.generation != fork::generation()
    }

    /// Lets this worker claim jobs of `task` from now on.
    pub fn register(&self, task: &str, settings: impl Into<TaskSettings>) {
        if !self.is_copy() {
            self.desk.register(task, settings.into());
        }
    }

    /// Declares schedules: stores them, at the start of the worker or at once, and fires them
    /// until it ends.
    ///
    /// # Errors
    /// Storage failures.
    pub fn declare(&self, plans: Vec<Plan>) -> Result<()> {
        if self.is_copy() {
            return Ok(());
        }
        let crew = self.crew.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(worker) = crew.as_ref().map(|crew| crew.worker) else {
            self.plans().extend(plans);
            return Ok(());
        };
        drop(crew);
        let now = self.site.clock.now();
        self.site.store.write(Sync::Relaxed, &mut |transaction| {
            transaction.declare(now, worker, &plans)
        })?;
        self.ticker.add(plans.into_iter().map(|plan| plan.name));
        Ok(())
    }

    /// Asks for [`Event::Lost`], which is not sent otherwise: it carries the job's arguments.
    pub fn want_lost(&self) {
        self.news.want_lost();
    }

    /// Enters the roster, recovers what dead workers held, begins to claim.
    ///
    /// # Errors
    /// Storage failures, and a second start.
    pub fn start(&self) -> Result<()> {
        let mut crew = self.vacancy()?;
        let (members, dispatcher, stay) = self.enrol()?;
        let watch = Watch::start(
            self.site.clone(),
            members.worker,
            Arc::clone(&self.desk),
            Arc::clone(&self.news),
        )?;
        let janitor = Janitor::new(self.site.clone(), self.settings.result_ttl);
        let janitor = janitor::Post::start(janitor)?;
        let ticker = ticker::Post::start(Arc::clone(&self.ticker), Arc::clone(&self.news))?;
        let tidier = tidier::Post::start(self.site.clone())?;
        spawn("taskito-dispatch", move || {
            if dispatcher.run() {
                drop((watch, janitor, ticker, tidier, stay));
            } else {
                // Their descriptors are gone, or those of other files by now.
                stay.desk.end();
                stay.news.end();
                std::mem::forget((watch, janitor, ticker, tidier, stay));
            }
        })?;
        *crew = Some(members);
        Ok(())
    }

    /// The place of the crew, still empty.
    fn vacancy(&self) -> Result<MutexGuard<'_, Option<Crew>>> {
        if self.is_copy() {
            return Err(Error::Invalid {
                message: "this worker belongs to the parent process".into(),
            });
        }
        let crew = self.crew.lock().unwrap_or_else(PoisonError::into_inner);
        if crew.is_some() {
            return Err(Error::Invalid {
                message: "this worker was started before".into(),
            });
        }
        Ok(crew)
    }

    /// Recovers what dead workers held and enters the roster.
    fn enrol(&self) -> Result<(Crew, Dispatcher, Stay)> {
        let others = reaper::reap(&self.site, &self.news, self.site.store.workers()?)?;
        let clockwork = Clockwork::start(&self.site, others.is_empty())?;
        let about = NewWorker {
            hostname: os::hostname(),
            pid: std::process::id(),
            version: crate::VERSION.into(),
            queues: self.settings.queues.clone(),
            tasks: self.desk.task_names(),
            concurrency: self.settings.threads,
        };
        let plans = self.plans().clone();
        let limits = self.desk.limits();
        let (worker, certificate) = enlist(&self.site, &about, &limits, &plans)?;
        self.ticker.add(plans.into_iter().map(|plan| plan.name));
        let key = self
            .site
            .store
            .workers()?
            .into_iter()
            .find(|row| row.id == worker)
            .map_or(Key(worker.0), |row| row.key);
        let Settings {
            threads,
            coroutines,
            ..
        } = self.settings;
        let runners = usize::try_from(threads.saturating_add(coroutines)).unwrap_or(usize::MAX);
        let ledger = Ledger::open(self.site.path.as_deref(), worker, runners)
            .map_err(|error| self.site.not_writable(&error))?;
        let dispatcher = Dispatcher::new(
            self.site.clone(),
            Arc::clone(&self.desk),
            ledger,
            self.settings.queues.clone(),
            Arc::clone(&self.news),
            Arrival {
                worker,
                limits: limits.into_iter().collect(),
                clockwork,
            },
        );
        let stay = Stay {
            desk: Arc::clone(&self.desk),
            news: Arc::clone(&self.news),
            certificate: Some(certificate),
        };
        Ok((Crew { worker, key }, dispatcher, stay))
    }

    fn plans(&self) -> MutexGuard<'_, Vec<Plan>> {
        self.plans.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Number and public key of the worker, once it has started.
    #[must_use]
    pub fn worker(&self) -> Option<(WorkerId, Key)> {
        if self.is_copy() {
            return None;
        }
        let crew = self.crew.lock().unwrap_or_else(PoisonError::into_inner);
        crew.as_ref().map(|crew| (crew.worker, crew.key))
    }

    /// The next job without waiting.
    #[must_use]
    pub fn try_next(&self) -> Next {
        if self.is_copy() {
            return Next::Ended;
        }
        self.desk.try_next()
    }

    /// The next job; waits for one. `None` when the worker ends.
    #[must_use]
    pub fn next(&self) -> Option<Claim> {
        if self.is_copy() {
            return None;
        }
        self.desk.next()
    }

    /// Jobs for the event loop, as many as may run now; `None` when the worker has ended.
    /// Never waits.
    #[must_use]
    pub fn next_coroutines(&self) -> Option<Vec<Claim>> {
        if self.is_copy() {
            return None;
        }
        self.desk.next_coroutines()
    }

    /// A descriptor that becomes readable when [`Self::next_coroutines`] has something to say.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn loop_bell(&self) -> io::Result<RawFd> {
        self.desk.loop_bell()
    }

    /// Reports what happened to a claim. `false` if the claim counts no more, because it was
    /// handed back, ran over its timeout or was given up: the outcome is dropped then.
    pub fn settle(&self, token: Token, outcome: Outcome) -> bool {
        !self.is_copy() && self.desk.settle(token, outcome, false)
    }

    /// The same; if the outcome counts, [`Event::Settled`] follows after its commit.
    pub fn settle_and_tell(&self, token: Token, outcome: Outcome) -> bool {
        !self.is_copy() && self.desk.settle(token, outcome, true)
    }

    /// Answers [`Event::Overdue`]: the claim is settled as timed out, and an
    /// [`Event::Settled`] follows. `false` if that had happened before.
    pub fn settle_overdue(&self, token: Token) -> bool {
        !self.is_copy() && self.desk.settle_overdue(token)
    }

    /// Whether the outcome of a claim counts, see [`Self::settle`].
    #[must_use]
    pub fn is_current(&self, token: Token) -> bool {
        !self.is_copy() && self.desk.is_current(token)
    }

    /// Whether a claim should be given up by its function: its cancellation was requested, or
    /// it counts no more.
    #[must_use]
    pub fn is_cancelled(&self, token: Token) -> bool {
        if self.is_copy() {
            return true;
        }
        self.look_up();
        self.desk.is_cancelled(token)
    }

    /// Notes how far a claim has come, from 0 to 100; stored within a tenth of a second, and
    /// before its outcome. Dropped for a claim that counts no more.
    pub fn note_progress(&self, token: Token, progress: u8) {
        if !self.is_copy() {
            self.desk.note_progress(token, progress);
            self.keep_up();
        }
    }

    /// Notes a log line, as [`Self::note_progress`]. Waits for up to a second when very many
    /// lines wait already, and drops it if they still do then.
    pub fn note_log(&self, token: Token, level: String, message: String, extra: Option<String>) {
        if !self.is_copy() {
            self.desk.note_log(LogLine {
                token,
                level,
                message,
                extra,
                logged_at: self.site.clock.now(),
            });
            self.keep_up();
        }
    }

    /// Claims nothing more, hands back what has not started, waits `limit` for the rest and
    /// then hands that back as well. Returns at once.
    pub fn drain(&self, limit: Duration) {
        if self.is_copy() {
            return;
        }
        self.ticker.end();
        self.desk.drain(self.site.clock.instant() + limit);
        let never_started = self
            .crew
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .is_none();
        if never_started {
            self.desk.end();
            self.news.end();
        }
    }

    /// Waits until the worker has left the database, at most `limit`.
    #[must_use]
    pub fn join(&self, limit: Duration) -> Waited {
        let end = Instant::now() + limit;
        loop {
            let number = self.news.number();
            if self.has_ended() {
                return Waited::Woken;
            }
            let rest = end.saturating_duration_since(Instant::now());
            match self.news.wait(number, rest) {
                Waited::Woken => {}
                other => return other,
            }
        }
    }

    /// What happened since this was asked last; waits `limit` for there to be anything.
    #[must_use]
    pub fn events(&self, limit: Duration) -> Vec<Event> {
        if self.is_copy() {
            return Vec::new();
        }
        let number = self.news.number();
        let events = self.desk.events();
        if !events.is_empty() || self.has_ended() {
            return events;
        }
        self.news.wait(number, limit);
        self.desk.events()
    }

    /// How many threads are busy with claims that ran over their timeout.
    #[must_use]
    pub fn abandoned(&self) -> usize {
        if self.is_copy() {
            return 0;
        }
        self.desk.abandoned()
    }

    /// With so many abandoned threads the worker claims nothing more.
    #[must_use]
    pub fn most_abandoned(&self) -> usize {
        self.desk.most_abandoned()
    }

    /// Whether the worker has left the database.
    #[must_use]
    pub fn has_ended(&self) -> bool {
        self.is_copy() || self.news.has_ended()
    }
}

/// Enters the roster, and says what limits the tasks have and which schedules there are. The
/// certificate is in force before anybody can see the row.
fn enlist(
    site: &Site,
    about: &NewWorker,
    limits: &[(Arc<str>, TaskLimits)],
    plans: &[Plan],
) -> Result<(WorkerId, Certificate)> {
    let mut enlisted = None;
    site.store.write(Sync::Relaxed, &mut |transaction| {
        let now = site.clock.now();
        let worker = transaction.enlist(now, about)?;
        if !plans.is_empty() {
            transaction.declare(now, worker, plans)?;
        }
        let certificate = Certificate::hold(site.path.as_deref(), worker)
            .map_err(|error| site.not_writable(&error))?;
        transaction.announce(limits)?;
        enlisted = Some((worker, certificate));
        Ok(())
    })?;
    enlisted.ok_or_else(|| Error::Invalid {
        message: "the roster did not answer".into(),
    })
}

/// Starts a named thread that never sees a signal.
fn spawn(name: &str, body: impl FnOnce() + Send + 'static) -> Result<thread::JoinHandle<()>> {
    thread::Builder::new()
        .name(name.into())
        .spawn(move || {
            os::block_signals();
            body();
        })
        .map_err(|error| Error::Invalid {
            message: format!("cannot start thread '{name}': {error}"),
        })
}

impl Drop for Engine {
    /// A worker nobody can reach any more leaves at once.
    fn drop(&mut self) {
        self.drain(Duration::ZERO);
        self.leave();
    }
}
