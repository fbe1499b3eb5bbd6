//! Keeps the locks that this process holds: renews each in time, and forgets it when that
//! failed.
//!
//! One thread for all locks of a store, while there are any. It needs no Python, so a program
//! that keeps the interpreter busy keeps its locks. A forked child holds nothing.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, Thread};
use std::time::Duration;

use crate::error::Result;
use crate::fork::{self, Use};
use crate::lock::{LockFence, Moment};
use crate::store::sqlite::SqliteStore;
use crate::store::{JobStore, Leases, Sync};

use super::spawn;

/// A lock is renewed so many times in its time to live.
const RENEWALS: i64 = 3;
/// After a storage failure it is tried again so many times in the time to live, but not more
/// often than once in a moment.
const REPEATS: i64 = 20;
const MOMENT: i64 = 20;

/// What came of an attempt to take a lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grasp {
    /// It is ours.
    Held(LockFence),
    /// Somebody else holds it, for that long unless it is renewed.
    Taken(Duration),
}

/// The locks of one store that this process holds.
pub struct Keeper {
    store: Arc<SqliteStore>,
    /// Whether its owner steps it, and no thread does.
    is_stepped: bool,
    clock: Box<dyn Fn() -> Moment + Send + std::marker::Sync>,
    /// Used only while no fork can happen, so that no child inherits it locked.
    book: Mutex<Book>,
}

/// Who holds what.
#[derive(Default)]
struct Book {
    /// The process it is of, see [`fork::generation`].
    generation: u32,
    held: BTreeMap<LockFence, Holding>,
    /// Who renews; there is one while anything is held.
    thread: Option<Thread>,
}

/// One lock, by the clock of its last renewal.
struct Holding {
    ttl: i64,
    good_until: i64,
    renew_at: i64,
}

impl Holding {
    fn renewed(ttl: i64, uptime: i64) -> Self {
        Self {
            ttl,
            good_until: uptime.saturating_add(ttl),
            renew_at: uptime.saturating_add(ttl / RENEWALS),
        }
    }
}

/// The open book; no fork happens meanwhile. Do not use the store before it is closed.
struct Pages<'k> {
    // Dropped in this order.
    book: MutexGuard<'k, Book>,
    _use: Use,
}

impl Keeper {
    /// A keeper of the locks of `store` that holds none.
    #[must_use]
    pub fn new(store: Arc<SqliteStore>) -> Self {
        Self {
            is_stepped: false,
            ..Self::with_clock(store, Moment::now)
        }
    }

    /// One whose time is told by `clock`, and that has no thread: its owner calls [`Self::step`].
    pub fn with_clock(
        store: Arc<SqliteStore>,
        clock: impl Fn() -> Moment + Send + std::marker::Sync + 'static,
    ) -> Self {
        Self {
            store,
            is_stepped: true,
            clock: Box::new(clock),
            book: Mutex::default(),
        }
    }

    /// Takes a lock if it is free, and renews it from then on.
    ///
    /// # Errors
    /// Storage failures.
    pub fn try_lock(self: &Arc<Self>, name: &str, ttl: Duration) -> Result<Grasp> {
        // Whoever waits for a lock asks again and again: a question disturbs nobody.
        if let Some(left) = self.store.lock_left(&(self.clock)(), name)? {
            return Ok(Grasp::Taken(left));
        }
        let mut taken = None;
        // Synced, so that no fence is given twice even if the power fails.
        self.store.write(Sync::Durable, &mut |transaction| {
            let now = (self.clock)();
            taken = transaction.lock(&now, name, ttl)?.map(|it| (it, now));
            Ok(())
        })?;
        let Some((fence, since)) = taken else {
            return Ok(Grasp::Taken(Duration::ZERO));
        };
        let ttl = i64::try_from(ttl.as_millis()).unwrap_or(i64::MAX);
        self.keep(fence, Holding::renewed(ttl, since.uptime))?;
        Ok(Grasp::Held(fence))
    }

    /// Whether this process holds that lock at this moment.
    pub fn holds(&self, fence: LockFence) -> bool {
        let now = (self.clock)().uptime;
        let pages = self.pages();
        let holding = pages.book.held.get(&fence);
        holding.is_some_and(|holding| now < holding.good_until)
    }

    /// Gives a lock back; whether this process held it until now.
    ///
    /// # Errors
    /// Storage failures. The lock is not renewed any more and lapses then.
    pub fn unlock(&self, fence: LockFence) -> Result<bool> {
        if self.pages().book.held.remove(&fence).is_none() {
            return Ok(false);
        }
        Ok(self.unlock_all(&[fence])?[0])
    }

    /// Gives all locks back, as well as that is possible: what remains lapses.
    pub fn close(&self) {
        let held = std::mem::take(&mut self.pages().book.held);
        let fences: Vec<LockFence> = held.into_keys().collect();
        if !fences.is_empty() {
            self.unlock_all(&fences).ok();
        }
        self.wake();
    }

    /// Renews what is due; how long until something is. `None` when nothing is held, and then
    /// the thread may go.
    pub fn step(&self) -> Option<Duration> {
        let now = (self.clock)().uptime;
        let due: Vec<LockFence> = {
            let mut pages = self.pages();
            pages.book.held.retain(|_, it| now < it.good_until);
            let held = pages.book.held.iter();
            let due = held.filter(|(_, it)| it.renew_at <= now);
            due.map(|(fence, _)| *fence).collect()
        };
        if !due.is_empty() {
            self.renew(&due);
        }
        let now = (self.clock)().uptime;
        let mut pages = self.pages();
        let next = pages.book.held.values().map(|it| it.renew_at).min();
        if next.is_none() {
            pages.book.thread = None;
        }
        let rest = next?.saturating_sub(now).max(0);
        Some(Duration::from_millis(rest.unsigned_abs()))
    }

    fn renew(&self, due: &[LockFence]) {
        let mut told = None;
        let done = self.store.write(Sync::Relaxed, &mut |transaction| {
            let now = (self.clock)();
            told = Some((transaction.renew(&now, due)?, now.uptime));
            Ok(())
        });
        let told = told.filter(|_| done.is_ok());
        let now = (self.clock)().uptime;
        let mut pages = self.pages();
        for (place, fence) in due.iter().enumerate() {
            // It may have been given back meanwhile.
            let Some(holding) = pages.book.held.get_mut(fence) else {
                continue;
            };
            match &told {
                Some((kept, at)) if kept[place] => *holding = Holding::renewed(holding.ttl, *at),
                Some(_) => {
                    pages.book.held.remove(fence);
                }
                // Passing, or the lock lapses.
                None => holding.renew_at = now + (holding.ttl / REPEATS).max(MOMENT),
            }
        }
    }

    fn keep(self: &Arc<Self>, fence: LockFence, holding: Holding) -> Result<()> {
        let mut pages = self.pages();
        if !self.is_stepped && pages.book.thread.is_none() {
            let keeper = Arc::clone(self);
            let thread = spawn("taskito-locks", move || {
                while let Some(rest) = keeper.step() {
                    thread::park_timeout(rest);
                }
            })?;
            pages.book.thread = Some(thread.thread().clone());
        }
        pages.book.held.insert(fence, holding);
        drop(pages);
        self.wake();
        Ok(())
    }

    /// Has the thread look at the book again.
    fn wake(&self) {
        if let Some(thread) = &self.pages().book.thread {
            thread.unpark();
        }
    }

    fn unlock_all(&self, fences: &[LockFence]) -> Result<Vec<bool>> {
        let mut held = vec![];
        self.store.write(Sync::Relaxed, &mut |transaction| {
            held = transaction.unlock(&(self.clock)(), fences)?;
            Ok(())
        })?;
        Ok(held)
    }

    fn pages(&self) -> Pages<'_> {
        let in_use = fork::begin_use();
        let mut book = self.book.lock().unwrap_or_else(PoisonError::into_inner);
        if book.generation != fork::generation() {
            // What the parent holds it goes on to hold; its thread is not here.
            *book = Book {
                generation: fork::generation(),
                ..Book::default()
            };
        }
        Pages { book, _use: in_use }
    }
}
