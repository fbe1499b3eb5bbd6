//! The side file `<database>-bell`: who waits for whom, across processes.
//!
//! Its first page is memory that all processes of a database share. It holds two doorbells
//! (new work, finished work) and the waiting room of the turnstile, a lock on the same file
//! through which writers queue before they begin a transaction.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::fork;
use crate::os::{self, SharedMemory, Waited};

const PAGE: usize = 4096;
/// Words of one bell lie a cache line apart from those of the next.
const LINE: usize = 16;

/// Longest sleep before the turnstile is tried again: its holder may have been killed.
const TURNSTILE_NAP: Duration = Duration::from_millis(5);
/// How long the last holder stands back when others wait.
const COURTESY: Duration = Duration::from_millis(1);

/// The page and the lock behind it.
pub struct Gate {
    page: SharedMemory,
    turnstile: Option<Mutex<Turnstile>>,
    was_last: AtomicBool,
}

/// The lock belongs to the open file, and a forked child inherits that: it must open its own.
struct Turnstile {
    path: PathBuf,
    file: File,
    generation: u32,
}

/// A doorbell: a number that changes at each ring, and how many sleep on it.
#[derive(Clone, Copy)]
pub struct Bell<'g> {
    page: &'g SharedMemory,
    base: usize,
}

/// Holding it means being the one process that may begin a write transaction.
pub struct Turn<'g> {
    gate: &'g Gate,
    turnstile: Option<MutexGuard<'g, Turnstile>>,
}

impl Gate {
    /// The gate of a database file.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn beside(database: &Path) -> io::Result<Self> {
        let mut name = database.as_os_str().to_owned();
        name.push("-bell");
        let path = PathBuf::from(name);
        let file = os::open_side_file(&path, PAGE as u64)?;
        Ok(Self {
            page: SharedMemory::of_file(&file, PAGE)?,
            turnstile: Some(Mutex::new(Turnstile {
                path,
                file,
                generation: fork::generation(),
            })),
            was_last: AtomicBool::new(false),
        })
    }

    /// The gate of a database that no other process sees.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn private() -> io::Result<Self> {
        Ok(Self {
            page: SharedMemory::private(PAGE)?,
            turnstile: None,
            was_last: AtomicBool::new(false),
        })
    }

    /// Rings when there may be something to claim.
    #[must_use]
    pub fn work(&self) -> Bell<'_> {
        self.bell(0)
    }

    /// Rings when a job has reached a final state.
    #[must_use]
    pub fn finished(&self) -> Bell<'_> {
        self.bell(1)
    }

    fn waiting_room(&self) -> Bell<'_> {
        self.bell(2)
    }

    fn bell(&self, number: usize) -> Bell<'_> {
        Bell {
            page: &self.page,
            base: number * LINE,
        }
    }

    /// Waits for the turn to write; `None` when it did not come before the deadline.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn turn(&self, deadline: Instant) -> io::Result<Option<Turn<'_>>> {
        let mut turn = Turn {
            gate: self,
            turnstile: None,
        };
        let Some(turnstile) = &self.turnstile else {
            return Ok(Some(turn));
        };
        let mut turnstile = turnstile.lock().unwrap_or_else(PoisonError::into_inner);
        if turnstile.generation != fork::generation() {
            turnstile.file = os::open_side_file(&turnstile.path, PAGE as u64)?;
            turnstile.generation = fork::generation();
        }
        let room = self.waiting_room();
        if self.was_last.swap(false, Ordering::Relaxed) && room.has_sleepers() {
            room.sleep(room.number(), COURTESY, || false);
        }
        loop {
            let number = room.number();
            if os::try_lock_file(&turnstile.file)? {
                turn.turnstile = Some(turnstile);
                return Ok(Some(turn));
            }
            if Instant::now() >= deadline {
                return Ok(None);
            }
            room.sleep(number, TURNSTILE_NAP, || false);
        }
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        if let Some(turnstile) = &self.turnstile {
            self.gate.was_last.store(true, Ordering::Relaxed);
            os::unlock_file(&turnstile.file);
            self.gate.waiting_room().ring();
        }
    }
}

impl Bell<'_> {
    /// How often it rang. Read it *before* looking at the store, then sleep on it.
    #[must_use]
    pub fn number(&self) -> u32 {
        self.page.word32(self.base).load(Ordering::SeqCst)
    }

    /// Wakes all sleepers, in every process. Nearly free when nobody sleeps.
    pub fn ring(&self) {
        let word = self.page.word32(self.base);
        word.fetch_add(1, Ordering::SeqCst);
        if self.has_sleepers() {
            os::wake_all(word);
        }
    }

    /// Sleeps until it rings after `number`. `has_news` is asked once more after the sleep was
    /// announced, so that nothing that came in between is missed.
    pub fn sleep(&self, number: u32, limit: Duration, has_news: impl FnOnce() -> bool) -> Waited {
        let sleepers = self.page.word32(self.base + 1);
        sleepers.fetch_add(1, Ordering::SeqCst);
        let waited = if has_news() {
            Waited::Woken
        } else {
            os::wait_on(self.page.word32(self.base), number, limit)
        };
        sleepers.fetch_sub(1, Ordering::SeqCst);
        waited
    }

    /// Whether anybody sleeps on it. A killed sleeper is counted for ever: that costs a system
    /// call per ring, nothing else.
    #[must_use]
    pub fn has_sleepers(&self) -> bool {
        self.page.word32(self.base + 1).load(Ordering::SeqCst) > 0
    }
}
