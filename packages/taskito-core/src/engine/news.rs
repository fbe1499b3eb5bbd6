//! What whoever tends a worker is told: events in their order, and that the worker has left.

use std::sync::PoisonError;
use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::job::Claim;
use crate::os::{self, Waited};
use crate::sync::{AtomicBool, AtomicU32, Mutex};

/// Something that whoever tends a worker should know or do. Claims come without payload, but
/// for that of [`Event::Lost`].
#[derive(Clone, Debug)]
pub enum Event {
    /// So many more threads are wanted: theirs are busy with attempts that were given up.
    Hire(usize),
    /// The attempt ran over its timeout. Its outcome no longer counts; it is settled as timed
    /// out when that is answered, or shortly after by itself.
    Overdue(Claim),
    /// The attempt is to be cancelled, or is no longer the current one of its job.
    Cancel(Claim),
    /// The attempt was settled, and that is committed.
    Settled {
        /// The attempt.
        claim: Claim,
        /// What became of the job.
        arrow: Arrow,
        /// Retries the job has spent now.
        retry_count: u32,
    },
    /// A job of another worker became a dead letter: its last claim, with its payload, and
    /// what the letter says. Sent only if asked for.
    Lost(Box<Claim>, String),
    /// Something is wrong with a schedule.
    Schedule {
        /// Its name.
        name: String,
        /// What is wrong, as the end of a sentence about it.
        problem: String,
    },
    /// Transactions of this worker fail since now; why.
    Trouble(String),
    /// They no longer do.
    Recovered,
    /// Somebody asked this worker to take nothing more and leave. It goes on until it is drained.
    DrainRequested,
    /// Other workers took this one for dead and settled what it held: it claims nothing any more
    /// and ends.
    Disowned,
    /// Other code of the process has closed our files: the worker has ended as if it had died.
    Stranded,
}

/// Where a settlement led.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Arrow {
    /// To its result.
    Complete,
    /// To the next attempt.
    Retry,
    /// To the same attempt, later.
    Snooze,
    /// To the dead letters.
    Dead,
    /// To its end without a result.
    Cancelled,
    /// To the same attempt, at once.
    HandedBack,
    /// Nowhere: another attempt counts.
    Stale,
}

impl Arrow {
    /// The word for it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Complete => "complete",
            Self::Retry => "retry",
            Self::Snooze => "snooze",
            Self::Dead => "dead",
            Self::Cancelled => "cancelled",
            Self::HandedBack => "handed_back",
            Self::Stale => "stale",
        }
    }
}

/// Events not yet taken, a number that changes with each piece of news, and whether the last
/// one was the end.
#[derive(Default)]
pub(super) struct News {
    events: Mutex<Vec<Event>>,
    number: AtomicU32,
    ended: AtomicBool,
    stranded: AtomicBool,
    /// Whether [`Event::Lost`] is wanted.
    wants_lost: AtomicBool,
}

impl News {
    /// Passes events on.
    pub(super) fn tell(&self, events: impl IntoIterator<Item = Event>) {
        let mut told = self.events.lock().unwrap_or_else(PoisonError::into_inner);
        let before = told.len();
        told.extend(events);
        if told.len() > before {
            drop(told);
            self.nudge();
        }
    }

    /// Says that the worker cannot go on, once.
    pub(super) fn strand(&self) {
        if !self.stranded.swap(true, Ordering::SeqCst) {
            self.tell([Event::Stranded]);
        }
    }

    /// Whether that was said.
    pub(super) fn is_stranded(&self) -> bool {
        self.stranded.load(Ordering::SeqCst)
    }

    /// There is something to look at.
    pub(super) fn nudge(&self) {
        self.number.fetch_add(1, Ordering::SeqCst);
        os::wake_all(&self.number);
    }

    /// The events that nobody has taken yet.
    pub(super) fn take(&self) -> Vec<Event> {
        std::mem::take(&mut *self.events.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The worker has left the database.
    pub(super) fn end(&self) {
        self.ended.store(true, Ordering::SeqCst);
        self.nudge();
    }

    pub(super) fn has_ended(&self) -> bool {
        self.ended.load(Ordering::SeqCst)
    }

    pub(super) fn want_lost(&self) {
        self.wants_lost.store(true, Ordering::Relaxed);
    }

    pub(super) fn wants_lost(&self) -> bool {
        self.wants_lost.load(Ordering::Relaxed)
    }

    /// Read it before looking, then wait on it.
    pub(super) fn number(&self) -> u32 {
        self.number.load(Ordering::SeqCst)
    }

    /// Sleeps until there is news after `number`.
    pub(super) fn wait(&self, number: u32, limit: Duration) -> Waited {
        os::wait_on(&self.number, number, limit)
    }
}
