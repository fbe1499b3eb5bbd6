//! Notices that the machine's clock was set, and lets retries and snoozes wait for as long as
//! they would have all the same.
//!
//! The wall clock minus the time since the machine started changes only when the clock is set.
//! The file remembers it, so that of several workers one moves the waits, and so that a worker
//! notices what happened while there was none. A worker whose clock is simply another one than
//! that of the others sees no step; what it stored to wait until an instant that is far off on
//! their clock, they shorten.

use std::time::{Duration, Instant};

use crate::clock::{Clock, Millis};
use crate::error::Result;
use crate::os;
use crate::store::{NotedClock, Sync, Transaction};

use super::Site;

/// A clock that moved by less was only slewed, or read at another moment.
const TOLERANCE: i64 = 250;
/// As a duration.
const SLACK: Duration = Duration::from_millis(TOLERANCE.unsigned_abs());

/// Two readings of the time since the machine started that are further apart are not of one
/// moment.
const MOMENT: i64 = 20;
/// How often to look for waits that another clock told.
const LOOK: Duration = Duration::from_secs(1);

/// How the clock stood when this worker last looked.
pub(super) struct Clockwork {
    known: NotedClock,
    /// When it last looked for waits told by another clock.
    looked: Instant,
    /// Whether there were any.
    overlong: bool,
}

impl Clockwork {
    /// Compares the clock with what the file remembers. A difference is a step only if nobody
    /// else is there who would have noticed one: `alone`.
    ///
    /// # Errors
    /// Storage failures.
    pub(super) fn start(site: &Site, alone: bool) -> Result<Self> {
        let known = NotedClock {
            boot: os::boot_id(),
            offset: offset(&*site.clock),
        };
        site.store.write(
            Sync::Relaxed,
            &mut |transaction| match transaction.noted_clock()? {
                Some(noted) if alone && noted.is_same_boot(&known) => {
                    follow(transaction, &noted, &known)
                }
                Some(_) if !alone => Ok(()),
                _ => transaction.note_clock(&known),
            },
        )?;
        Ok(Self {
            known,
            looked: site.clock.instant(),
            overlong: false,
        })
    }

    /// Whether there is something for [`Self::keep`] to do. Looks at the clock each time, and
    /// once a second for waits that another clock told.
    pub(super) fn is_due(&mut self, site: &Site) -> bool {
        let stepped = is_step(self.known.offset, offset(&*site.clock));
        // A step makes waits look overlong that are not.
        let now = site.clock.instant();
        if !stepped && now.saturating_duration_since(self.looked) >= LOOK {
            self.looked = now;
            let overlong = site.store.overlong_wait(site.clock.now(), SLACK);
            self.overlong = overlong.unwrap_or(false);
        }
        stepped || self.overlong
    }

    /// If the clock was set, moves the waits along, unless another worker has done so. Lets no
    /// job wait longer than the wait it was given. What is to be said by [`Self::kept`] once
    /// that is committed.
    ///
    /// # Errors
    /// Storage failures.
    pub(super) fn keep(&self, site: &Site, transaction: &mut dyn Transaction) -> Result<i64> {
        let offset = offset(&*site.clock);
        if is_step(self.known.offset, offset) {
            let now = NotedClock {
                offset,
                ..self.known.clone()
            };
            let done = |noted: NotedClock| !is_step(noted.offset, offset);
            if !transaction.noted_clock()?.is_some_and(done) {
                follow(transaction, &self.known, &now)?;
            }
            return Ok(offset);
        }
        if self.overlong {
            transaction.shorten_waits(site.clock.now(), SLACK)?;
        }
        Ok(self.known.offset)
    }

    /// What [`Self::keep`] did is committed.
    pub(super) fn kept(&mut self, offset: i64) {
        self.known.offset = offset;
        self.overlong = false;
    }
}

/// The present as waits in the file are told: by the clock as it was noted last. Whoever notices
/// a step moves all of them along, also one that is stored before that.
pub(super) fn told_time(site: &Site, transaction: &mut dyn Transaction) -> Result<Millis> {
    let now = site.clock.now();
    let known = NotedClock {
        boot: os::boot_id(),
        offset: offset(&*site.clock),
    };
    Ok(match transaction.noted_clock()? {
        Some(noted) if noted.is_same_boot(&known) && is_step(noted.offset, known.offset) => {
            Millis(now.0 + noted.offset - known.offset)
        }
        _ => now,
    })
}

/// Moves the waits from one setting of the clock to another.
fn follow(transaction: &mut dyn Transaction, from: &NotedClock, to: &NotedClock) -> Result<()> {
    if is_step(from.offset, to.offset) {
        transaction.shift_waits(to.offset - from.offset)?;
        transaction.note_clock(to)?;
    }
    Ok(())
}

/// The wall clock minus the uptime, both read at one moment: a process that was stopped between
/// the two would see a step.
fn offset(clock: &dyn Clock) -> i64 {
    loop {
        let before = clock.uptime();
        let Millis(now) = clock.now();
        let uptime = clock.uptime();
        if uptime - before <= MOMENT {
            return now - uptime;
        }
    }
}

fn is_step(from: i64, to: i64) -> bool {
    from.abs_diff(to) > TOLERANCE.unsigned_abs()
}
