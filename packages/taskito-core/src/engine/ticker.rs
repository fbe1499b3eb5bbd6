//! Fires the schedules that this worker declares, each at its time.
//!
//! Any number of tickers may work on a database; a fire becomes jobs in the transaction that
//! moves its schedule on, so whoever comes second finds nothing.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::clock::Millis;
use crate::error::{Error, Result};
use crate::os;
use crate::schedule::Ticked;
use crate::store::Sync;

use super::news::{Event, News};
use super::{Site, spawn};

/// How often it looks, for what operators and clocks do to the next fire.
const LOOK: Duration = Duration::from_secs(1);
/// How long it sleeps without schedules, unless some are declared.
const IDLE: Duration = Duration::from_secs(3600);

const OVERFLOW: &str = "missed more than 1000 fires; the oldest are dropped";

/// Keeps a ticker at work until it is dropped.
pub(super) struct Post(Arc<Ticker>);

impl Post {
    pub(super) fn start(ticker: Arc<Ticker>, news: Arc<News>) -> Result<Self> {
        let post = Self(Arc::clone(&ticker));
        spawn("taskito-ticker", move || {
            while !ticker.ended.load(Ordering::SeqCst) {
                let number = ticker.bell.load(Ordering::SeqCst);
                let rest = ticker.look(&news);
                os::wait_on(&ticker.bell, number, rest);
            }
        })?;
        Ok(post)
    }
}

impl Drop for Post {
    fn drop(&mut self) {
        self.0.end();
    }
}

/// The schedules of one worker.
pub struct Ticker {
    site: Site,
    names: Mutex<HashSet<String>>,
    /// Those that it has told to be unreadable.
    unreadable: Mutex<HashSet<String>>,
    /// Changes when the ticker has to look again.
    bell: AtomicU32,
    ended: AtomicBool,
}

/// What one look came to.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Tock {
    /// The next fire of any of the schedules.
    pub next: Option<Millis>,
    /// Schedules with which something is wrong, and what; each problem is told once.
    pub problems: Vec<(String, String)>,
}

impl Tock {
    /// Passes the problems on.
    pub(super) fn tell(&self, news: &News) {
        let events = self.problems.iter().map(|(name, problem)| Event::Schedule {
            name: name.clone(),
            problem: problem.clone(),
        });
        news.tell(events);
    }
}

impl Ticker {
    /// A ticker without schedules.
    #[must_use]
    pub fn new(site: Site) -> Self {
        Self {
            site,
            names: Mutex::default(),
            unreadable: Mutex::default(),
            bell: AtomicU32::new(0),
            ended: AtomicBool::new(false),
        }
    }

    /// Fires schedules with these names as well.
    pub fn add(&self, names: impl IntoIterator<Item = String>) {
        self.names().extend(names);
        self.ring();
    }

    /// Fires what is due.
    ///
    /// # Errors
    /// Storage failures; what is due still is tried again by the next step.
    pub fn step(&self, now: Millis) -> Result<Tock> {
        let mut problems = Vec::new();
        for name in self.due(now)?.0 {
            match self.tick(now, &name) {
                Ok(ticked) if ticked.overflowed => problems.push((name, OVERFLOW.to_owned())),
                Ok(_) => {}
                // A newer version may have stored what this one cannot read.
                Err(error @ (Error::Cron { .. } | Error::UnknownTimezone { .. })) => {
                    if lock(&self.unreadable).insert(name.clone()) {
                        problems.push((name, format!("does not fire: {error}")));
                    }
                }
                Err(error) => return Err(error),
            }
        }
        Ok(Tock {
            next: self.due(now)?.1,
            problems,
        })
    }

    /// Fires nothing more.
    pub(super) fn end(&self) {
        self.ended.store(true, Ordering::SeqCst);
        self.ring();
    }

    /// One step of the loop; how long to sleep after it.
    fn look(&self, news: &News) -> Duration {
        let now = self.site.clock.now();
        // A storage failure here is passing: the next look repeats it all.
        let Ok(tock) = self.step(now) else {
            return LOOK;
        };
        tock.tell(news);
        match tock.next {
            Some(next) => now.until(next).min(LOOK),
            None if self.names().is_empty() => IDLE,
            None => LOOK,
        }
    }

    /// Our schedules that are due, and when the first of the others is.
    fn due(&self, now: Millis) -> Result<(Vec<String>, Option<Millis>)> {
        let names = self.names().clone();
        if names.is_empty() {
            return Ok((Vec::new(), None));
        }
        let mut fires = self.site.store.fires()?;
        fires.retain(|(name, _)| names.contains(name));
        let next = fires.iter().find(|(_, at)| *at > now).map(|(_, at)| *at);
        let due = fires.into_iter().filter(|(_, at)| *at <= now);
        Ok((due.map(|(name, _)| name).collect(), next))
    }

    fn tick(&self, now: Millis, name: &str) -> Result<Ticked> {
        let mut ticked = Ticked::default();
        self.site.store.write(Sync::Relaxed, &mut |transaction| {
            ticked = transaction.tick(now, name)?;
            Ok(())
        })?;
        Ok(ticked)
    }

    fn ring(&self) {
        self.bell.fetch_add(1, Ordering::SeqCst);
        os::wake_all(&self.bell);
    }

    fn names(&self) -> MutexGuard<'_, HashSet<String>> {
        lock(&self.names)
    }
}

fn lock(names: &Mutex<HashSet<String>>) -> MutexGuard<'_, HashSet<String>> {
    names.lock().unwrap_or_else(PoisonError::into_inner)
}
