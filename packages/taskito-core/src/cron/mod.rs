//! When a cron expression fires next in a time zone.
//!
//! A zone is a sequence of spans of constant offset. Inside a span local time is plain
//! arithmetic, so what clock changes do to a schedule is decided where two spans meet:
//!
//! * An expression that means times of the day fires once for each of them: what the change
//!   skips fires at the first instant after the gap, what it repeats fires the first time.
//! * One that follows elapsed time (every hour, or several times an hour) fires at every
//!   instant whose local time matches: twice in a repeated hour, not at all in a skipped one.

mod expression;
mod field;
mod set;
#[cfg(test)]
mod tests;
mod zone;

use jiff::{SignedDuration, Timestamp};

use crate::clock::Millis;
use crate::error::Result;
use expression::Expression;
use zone::Zone;

/// The calendar repeats after so many years. What does not fire in them never will.
const CYCLE_YEARS: i16 = 400;

/// No two offsets of a zone are further apart.
const WIDEST_CHANGE: SignedDuration = SignedDuration::from_hours(48);

/// A cron expression in a time zone.
#[derive(Clone, Debug)]
pub struct Cron {
    text: String,
    expression: Expression,
    zone: Zone,
}

/// Refuses a name that no time zone has.
///
/// # Errors
/// [`UnknownTimezone`](crate::error::Error::UnknownTimezone), with a similar name.
pub fn check_timezone(name: &str) -> Result<()> {
    Zone::named(name).map(|_| ())
}

/// An instant as clocks in a time zone show it, to the second, with their offset from UTC;
/// `None` beyond the calendar.
///
/// # Errors
/// [`UnknownTimezone`](crate::error::Error::UnknownTimezone).
pub fn local_text(at: Millis, timezone: &str) -> Result<Option<String>> {
    let zone = Zone::named(timezone)?;
    let at = Timestamp::from_second(at.0.div_euclid(1000)).ok();
    Ok(at.map(|at| zone.text(at)))
}

impl Cron {
    /// Reads an expression: `[second] minute hour day-of-month month day-of-week`, or a
    /// shortcut such as `@daily`. The zone is an IANA name.
    ///
    /// # Errors
    /// [`Cron`](crate::error::Error::Cron) names the field it refuses,
    /// [`UnknownTimezone`](crate::error::Error::UnknownTimezone) the zone.
    pub fn new(expression: &str, timezone: &str) -> Result<Self> {
        Ok(Self {
            text: expression.to_owned(),
            expression: Expression::parse(expression)?,
            zone: Zone::named(timezone)?,
        })
    }

    /// The expression as it was written.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Name of the time zone.
    #[must_use]
    pub fn timezone(&self) -> &str {
        self.zone.name()
    }

    /// The first fire later than `after`; `None` if there will be none.
    #[must_use]
    pub fn next(&self, after: Millis) -> Option<Millis> {
        let mut from = Timestamp::from_second(after.0.div_euclid(1000) + 1).ok()?;
        let last_year = self.zone.span(from).local(from).year() + CYCLE_YEARS;
        loop {
            let span = self.zone.span(from);
            let local = span.local(from);
            let begin = if self.expression.follows_elapsed_time() {
                local
            } else if from == span.start {
                span.local_before()
            } else {
                local.max(span.local_before())
            };
            let found = self.expression.next_from(begin)?;
            let instant = span.instant(found)?;
            if instant < span.end {
                return Some(Millis(instant.as_millisecond()));
            }
            if found.year() > last_year {
                return None;
            }
            let near_the_end = span.end.duration_since(from) < WIDEST_CHANGE;
            let shortly_before = instant.saturating_sub(WIDEST_CHANGE).ok()?;
            // Near its end, the next span may repeat local times from before `begin`.
            from = if near_the_end {
                span.end
            } else {
                span.end.max(shortly_before)
            };
        }
    }
}
