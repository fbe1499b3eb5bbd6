//! Clears away what is over: waiting jobs that may not start any more, finished jobs whose time
//! to live is over, run times of attempts long ago. Takes operations on many jobs further, too.
//!
//! Any number of janitors may work on a database; each takes what the others left. All they do
//! is done in short transactions, with a pause as long as the work between two of them.

use std::io::PipeWriter;
use std::os::fd::AsRawFd;
use std::time::{Duration, Instant};

use crate::clock::Millis;
use crate::error::{Error, Result};
use crate::id::Key;
use crate::os::{self, Waited};
use crate::store::bulk::{Driven, drive};
use crate::store::{Sync, delete};

use super::{Site, spawn};

/// How often it looks for jobs that expire.
const LOOK: Duration = Duration::from_secs(2);
/// How often it looks for jobs to delete.
const SWEEP: Duration = Duration::from_secs(10);
/// How soon it walks over the same jobs again, at the earliest.
const ROUND: Duration = Duration::from_secs(30);
/// How long the run times of attempts are kept.
const METRICS: Duration = Duration::from_secs(7 * 86_400);
/// How long they are kept one by one.
const MINUTE: Duration = Duration::from_secs(60);
/// How many jobs expire in one transaction.
const EXPIRE: u32 = 200;
/// How many jobs are looked at, or deleted, in one step.
const PORTION: u32 = 1000;

/// Keeps a janitor at work until it is dropped.
pub(super) struct Post {
    /// Closing it ends the thread.
    _stop: PipeWriter,
}

impl Post {
    pub(super) fn start(mut janitor: Janitor) -> Result<Self> {
        let (stopped, stop) = std::io::pipe().map_err(|error| Error::Invalid {
            message: format!("cannot make a pipe: {error}"),
        })?;
        spawn("taskito-janitor", move || {
            let mut rest = Duration::ZERO;
            while os::wait_readable(&[stopped.as_raw_fd()], rest) != Waited::Woken {
                let begin = Instant::now();
                let now = janitor.site.clock.now();
                // A storage failure here is passing: the next step repeats it all.
                let busy = janitor.step(now).unwrap_or(false);
                rest = if busy { begin.elapsed() } else { janitor.rest };
            }
        })?;
        Ok(Self { _stop: stop })
    }
}

/// What it has done and where it stands.
pub struct Janitor {
    site: Site,
    /// How long finished jobs live that say nothing about it themselves.
    result_ttl: Option<Duration>,
    /// When the last sweep was complete.
    swept_at: Option<Millis>,
    walk: Walk,
    /// Up to where run times are merged.
    merged: Key,
    /// When rollups were last folded.
    folded_at: Option<Millis>,
    /// What tells it from others who drive operations.
    number: i64,
    /// How soon it looks again when there is nothing to do.
    rest: Duration,
}

/// Where the walk over jobs without a time to live of their own has come.
#[derive(Default)]
struct Walk {
    after: Key,
    /// When the first of those that were passed by may have to go.
    again_at: Option<Millis>,
}

impl Janitor {
    /// A janitor that has done nothing yet. `result_ttl` is for jobs that have none of their
    /// own; `None` keeps those for ever.
    #[must_use]
    pub fn new(site: Site, result_ttl: Option<Duration>) -> Self {
        Self {
            site,
            result_ttl,
            swept_at: None,
            walk: Walk::default(),
            merged: Key::default(),
            folded_at: None,
            number: os::random().cast_signed(),
            rest: LOOK,
        }
    }

    /// One portion of work; whether there is more to do at once.
    ///
    /// # Errors
    /// Storage failures; what was done until then stays done.
    pub fn step(&mut self, now: Millis) -> Result<bool> {
        if self.expire(now)? {
            return Ok(true);
        }
        match drive(&*self.site.store, now, self.number)? {
            Driven::Moved => return Ok(true),
            Driven::After(pause) => self.rest = pause.min(LOOK),
            Driven::Idle => self.rest = LOOK,
        }
        let rested = |at: Millis| (at..at.plus(SWEEP)).contains(&now);
        if self.swept_at.is_some_and(rested) {
            return Ok(false);
        }
        if self.sweep_outlived(now)?
            || self.sweep_old(now)?
            || self.sweep_metrics(now)?
            || self.fold(now)?
        {
            return Ok(true);
        }
        self.swept_at = Some(now);
        Ok(false)
    }

    fn expire(&self, now: Millis) -> Result<bool> {
        let store = &self.site.store;
        if store.next_expiry()?.is_none_or(|expiry| expiry > now) {
            return Ok(false);
        }
        let mut expired = 0;
        store.write(Sync::Relaxed, &mut |transaction| {
            expired = transaction.expire(now, EXPIRE)?;
            Ok(())
        })?;
        Ok(expired == EXPIRE)
    }

    /// Jobs with a time to live of their own.
    fn sweep_outlived(&self, now: Millis) -> Result<bool> {
        let store = &*self.site.store;
        let outlived = store.outlived(now, PORTION)?;
        delete(store, Sync::Relaxed, &outlived)?;
        Ok(outlived.len() == PORTION as usize)
    }

    /// Run times: those of a minute that is over become one row for each task, old ones go. Once
    /// a minute.
    fn sweep_metrics(&mut self, now: Millis) -> Result<bool> {
        let minute = millis(MINUTE);
        let ended = now.0.div_euclid(minute) * minute - minute;
        let before = Key::first_at(Millis(ended));
        if self.merged >= before {
            return Ok(false);
        }
        let oldest = Key::first_at(Millis(now.0.saturating_sub(millis(METRICS))));
        let (mut next, mut forgotten) = (None, 0);
        self.site.store.write(Sync::Relaxed, &mut |transaction| {
            forgotten = transaction.forget_metrics(oldest, PORTION)?;
            next = transaction.merge_metrics(self.merged, before, PORTION)?;
            Ok(())
        })?;
        let more = next.is_some() || forgotten == PORTION;
        self.merged = if more {
            next.unwrap_or(self.merged)
        } else {
            before
        };
        Ok(more)
    }

    /// Rollups: those of long ago are known less finely. Once a minute.
    fn fold(&mut self, now: Millis) -> Result<bool> {
        let rested = |at: Millis| (at..at.plus(MINUTE)).contains(&now);
        if self.folded_at.is_some_and(rested) {
            return Ok(false);
        }
        let mut folded = 0;
        self.site.store.write(Sync::Relaxed, &mut |transaction| {
            folded = transaction.fold_rollups(now, PORTION)?;
            Ok(())
        })?;
        if folded < PORTION {
            self.folded_at = Some(now);
        }
        Ok(folded == PORTION)
    }

    /// Jobs without one, in the order in which they came: nothing younger than the time to live
    /// can have outlived it. Each job is looked at once, and again when its time may have come.
    fn sweep_old(&mut self, now: Millis) -> Result<bool> {
        let Some(ttl) = self.result_ttl else {
            return Ok(false);
        };
        if self.walk.again_at.is_some_and(|again| again <= now) {
            self.walk = Walk::default();
        }
        let oldest = Millis(now.0.saturating_sub(millis(ttl)));
        let passed = self.site.store.walk(self.walk.after, PORTION)?;
        let full = passed.len() == PORTION as usize;
        let limit = Key::first_at(oldest.plus(Duration::from_millis(1)));
        // Keys from then on were made by a clock that has been set back since, and say nothing.
        let future = Key::first_at(now.plus(Duration::from_millis(1)));
        let mut doomed = Vec::new();
        let mut reached = false;
        for job in passed {
            if (limit..future).contains(&job.key) {
                reached = true;
                break;
            }
            self.walk.after = job.key;
            match job.finished_at {
                _ if job.result_ttl.is_some() => {}
                Some(end) if end <= oldest => doomed.push(job.key),
                Some(end) => self.walk.look_again(now, end.plus(ttl)),
                None => self.walk.look_again(now, now.plus(ttl)),
            }
        }
        let deleted = delete(&*self.site.store, Sync::Relaxed, &doomed)?;
        if (deleted as usize) < doomed.len() {
            // Unfinished jobs depend on what stayed.
            self.walk.look_again(now, now);
        }
        Ok(full && !reached)
    }
}

impl Walk {
    /// Walk from the beginning when `at` has come, but not too soon.
    fn look_again(&mut self, now: Millis, at: Millis) {
        let at = at.max(now.plus(ROUND));
        self.again_at = Some(self.again_at.map_or(at, |again| again.min(at)));
    }
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
