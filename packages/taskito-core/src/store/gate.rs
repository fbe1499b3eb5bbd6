//! The side file `<database>-bell`: who waits for whom, across processes. Long because all that
//! processes say to each other is on its one page.
//!
//! Its first page is memory that all processes of a database share. It holds the newest key, the
//! doorbells (new work, finished work, a lock given back) and the waiting room of the turnstile, a
//! lock on the same file through which writers queue before they begin a transaction.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use crate::fork;
use crate::os::{self, OwnFile, SharedMemory, Waited};
use crate::sync::{AtomicU32, Mutex, MutexGuard};

const PAGE: usize = 4096;
/// Words of one bell lie a cache line apart from those of the next.
const LINE: usize = 16;

/// The bells that nobody rings: they count announcements.
const HELD_BACK: usize = 4;
const TENDED: usize = 7;

/// Where the newest key lies, away from the bells.
const NEWEST_KEY: usize = 256;

/// Longest sleep before the turnstile is tried again: its holder may have been killed.
const TURNSTILE_NAP: Duration = Duration::from_millis(5);
/// How long a holder stands back for others, at most.
const COURTESY: Duration = Duration::from_millis(1);
/// How long it may take turn after turn before that, while others wait. Handing over at every
/// turn would cost two switches of process for each transaction.
const STINT_MILLIS: u32 = 1;

/// No sleep on a bell is longer. Whoever sleeps announces it anew at least that often.
pub const LONGEST_SLEEP: Duration = Duration::from_secs(1);
/// Announcements older than this are of sleepers that were killed.
const STALE: Duration = Duration::from_millis(1500);
/// The same in the waiting room, where naps are short.
const STALE_NAP: Duration = Duration::from_millis(10);

/// The page and the lock behind it.
pub struct Gate {
    page: SharedMemory,
    turnstile: Option<Mutex<Turnstile>>,
    /// Tells us from other holders.
    token: u32,
    /// Since when others have been seen waiting while we took every turn; 0 for not at all.
    stint: AtomicU32,
}

/// The lock belongs to the open file, and a forked child inherits that: it must open its own.
struct Turnstile {
    path: PathBuf,
    file: OwnFile,
    generation: u32,
}

/// A doorbell: a number that changes at each ring, how many sleep on it, and when the last of
/// them announced its sleep.
#[derive(Clone, Copy)]
pub struct Bell<'g> {
    page: &'g SharedMemory,
    base: usize,
    stale: Duration,
}

/// Holding it means being the one process that may begin a write transaction.
pub struct Turn<'g> {
    gate: &'g Gate,
    turnstile: Option<MutexGuard<'g, Turnstile>>,
}

/// Something that others should know as long as it lives, and as it is renewed.
pub struct Announced {
    gate: Arc<Gate>,
    /// The bell that counts such announcements as its sleepers.
    number: usize,
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
                file: OwnFile::new(file),
                generation: fork::generation(),
            })),
            token: token(),
            stint: AtomicU32::new(0),
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
            token: token(),
            stint: AtomicU32::new(0),
        })
    }

    /// The newest key any process made in this database. Read and written by the holder of the
    /// turn.
    #[must_use]
    pub fn newest_key(&self) -> &AtomicU64 {
        self.page.word64(NEWEST_KEY)
    }

    /// Rings when there may be something to claim.
    #[must_use]
    pub fn work(&self) -> Bell<'_> {
        self.bell(0, STALE)
    }

    /// Rings when a job has reached a final state.
    #[must_use]
    pub fn finished(&self) -> Bell<'_> {
        self.bell(1, STALE)
    }

    /// Rings when a named lock was given back, whatever its name.
    #[must_use]
    pub fn unlocked(&self) -> Bell<'_> {
        self.bell(5, STALE)
    }

    /// A number that changes when something was decided from outside about jobs that workers
    /// hold or may take. Nobody sleeps on it: [`Self::ring_control`] wakes the workers.
    #[must_use]
    pub fn control(&self) -> u32 {
        self.bell(3, STALE).number()
    }

    /// Says that there is such a decision.
    pub fn ring_control(&self) {
        self.bell(3, STALE).ring();
        self.work().ring();
    }

    /// Says that a worker is held back by limits until some job ends, as long as the answer
    /// lives. Say it first, then look at the store: whoever ends a job afterwards rings.
    #[must_use]
    pub fn hold_back(self: &Arc<Self>) -> Announced {
        self.announce(HELD_BACK)
    }

    /// Whether the end of a job concerns any worker.
    #[must_use]
    pub fn holds_anybody_back(&self) -> bool {
        self.bell(HELD_BACK, STALE).has_sleepers()
    }

    /// Rings when the write-ahead log is long.
    #[must_use]
    pub fn untidy(&self) -> Bell<'_> {
        self.bell(6, STALE)
    }

    /// Says that somebody listens to [`Self::untidy`], as long as the answer lives.
    #[must_use]
    pub fn tend(self: &Arc<Self>) -> Announced {
        self.announce(TENDED)
    }

    /// Whether somebody moves a long log into the file.
    #[must_use]
    pub fn is_tended(&self) -> bool {
        self.bell(TENDED, STALE).has_sleepers()
    }

    fn announce(self: &Arc<Self>, number: usize) -> Announced {
        let announced = Announced {
            gate: Arc::clone(self),
            number,
        };
        announced.renew();
        announced.count().fetch_add(1, Ordering::SeqCst);
        announced
    }

    fn waiting_room(&self) -> Bell<'_> {
        self.bell(2, STALE_NAP)
    }

    fn bell(&self, number: usize, stale: Duration) -> Bell<'_> {
        Bell {
            page: &self.page,
            base: number * LINE,
            stale,
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
            turnstile.file = OwnFile::new(os::open_side_file(&turnstile.path, PAGE as u64)?);
            turnstile.generation = fork::generation();
        }
        if !turnstile.file.is_intact() {
            return Err(io::Error::from_raw_os_error(libc::EBADF));
        }
        let room = self.waiting_room();
        self.stand_back(room);
        loop {
            let number = room.number();
            if os::try_lock_file(&turnstile.file)? {
                room.last_holder().store(self.token, Ordering::Relaxed);
                room.last_process()
                    .store(std::process::id(), Ordering::Relaxed);
                turn.turnstile = Some(turnstile);
                return Ok(Some(turn));
            }
            if Instant::now() >= deadline {
                return Ok(None);
            }
            room.sleep(number, TURNSTILE_NAP, || false);
        }
    }

    /// Whether the files of this process are those it has opened. Other code may have closed
    /// them, and opened its own under the same numbers.
    #[must_use]
    pub fn is_intact(&self) -> bool {
        let Some(Ok(turnstile)) = self.turnstile.as_ref().map(Mutex::try_lock) else {
            return true; // whoever has the lock, or waits for its turn with it, looks itself
        };
        turnstile.generation != fork::generation() || turnstile.file.is_intact()
    }

    /// The process that had the turn last: who has waited in vain for it, waited for that one.
    #[must_use]
    pub fn holder(&self) -> Option<u32> {
        let pid = self.waiting_room().last_process().load(Ordering::Relaxed);
        (pid != 0).then_some(pid)
    }

    /// Lets others go first who have been waiting for the whole of our stint.
    fn stand_back(&self, room: Bell<'_>) {
        let ours = room.last_holder().load(Ordering::Relaxed) == self.token;
        if !ours || !room.has_sleepers() {
            self.stint.store(0, Ordering::Relaxed);
            return;
        }
        let now = os::uptime_millis().max(1);
        match self.stint.load(Ordering::Relaxed) {
            0 => self.stint.store(now, Ordering::Relaxed),
            begin if now.wrapping_sub(begin) >= STINT_MILLIS => {
                self.stint.store(0, Ordering::Relaxed);
                room.sleep(room.number(), COURTESY, || false);
            }
            _ => {}
        }
    }
}

/// A number that is not 0 and hardly ever that of another process.
fn token() -> u32 {
    u32::try_from(os::random() >> 32).unwrap_or_default() | 1
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        if let Some(turnstile) = &self.turnstile {
            os::unlock_file(&turnstile.file);
            self.gate.waiting_room().ring();
        }
    }
}

impl Announced {
    /// Says so again. To be done at least every second: what is older is of a worker that was
    /// killed.
    pub fn renew(&self) {
        let word = self.gate.page.word32(self.number * LINE + 2);
        word.store(os::uptime_millis(), Ordering::SeqCst);
    }

    fn count(&self) -> &AtomicU32 {
        self.gate.page.word32(self.number * LINE + 1)
    }
}

impl Drop for Announced {
    fn drop(&mut self) {
        self.count().fetch_sub(1, Ordering::SeqCst);
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

    /// Sleeps until it rings after `number`, for a second at most. `has_news` is asked once more
    /// after the sleep was announced, so that nothing that came in between is missed.
    pub fn sleep(&self, number: u32, limit: Duration, has_news: impl FnOnce() -> bool) -> Waited {
        let sleepers = self.page.word32(self.base + 1);
        self.page
            .word32(self.base + 2)
            .store(os::uptime_millis(), Ordering::SeqCst);
        sleepers.fetch_add(1, Ordering::SeqCst);
        let waited = if has_news() {
            Waited::Woken
        } else {
            os::wait_on(
                self.page.word32(self.base),
                number,
                limit.min(LONGEST_SLEEP),
            )
        };
        sleepers.fetch_sub(1, Ordering::SeqCst);
        waited
    }

    /// In the waiting room: who had the turn last.
    fn last_holder(&self) -> &AtomicU32 {
        self.page.word32(self.base + 3)
    }

    /// In the waiting room: the process of the same.
    fn last_process(&self) -> &AtomicU32 {
        self.page.word32(self.base + 4)
    }

    /// Whether anybody sleeps on it. A killed sleeper stays counted, so the count alone is not
    /// believed: somebody must have announced a sleep lately.
    #[must_use]
    pub fn has_sleepers(&self) -> bool {
        let counted = self.page.word32(self.base + 1).load(Ordering::SeqCst) > 0;
        counted && {
            let announced = self.page.word32(self.base + 2).load(Ordering::SeqCst);
            let age = os::uptime_millis().wrapping_sub(announced);
            Duration::from_millis(age.into()) < self.stale
        }
    }
}
