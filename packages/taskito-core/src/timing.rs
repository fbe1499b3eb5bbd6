//! When a schedule fires: by cron expression, or at multiples of a period.

use std::time::Duration;

use crate::clock::Millis;
use crate::cron::{self, Cron};
use crate::error::{Error, Result};

/// A rule that says when the next fire is.
#[derive(Clone, Debug)]
pub enum Timing {
    /// Local times that match an expression.
    Cron(Cron),
    /// Multiples of a period since the Unix epoch, whatever the clocks on the wall show.
    Every {
        /// The period.
        period: Duration,
        /// A time zone that was given all the same.
        timezone: String,
    },
}

impl Timing {
    /// Fires at multiples of `period`. The time zone must exist but plays no part.
    ///
    /// # Errors
    /// [`UnknownTimezone`](Error::UnknownTimezone).
    pub fn every(period: Duration, timezone: &str) -> Result<Self> {
        cron::check_timezone(timezone)?;
        Ok(Self::Every {
            period,
            timezone: timezone.to_owned(),
        })
    }

    /// The timing with these stored parts.
    ///
    /// # Errors
    /// What a newer version may have stored.
    pub fn from_parts(cron: Option<&str>, every: Option<Duration>, timezone: &str) -> Result<Self> {
        match (cron, every) {
            (Some(expression), None) => Cron::new(expression, timezone).map(Self::Cron),
            (None, Some(period)) => Self::every(period, timezone),
            _ => Err(Error::Invalid {
                message: "a schedule has either a cron expression or a period".into(),
            }),
        }
    }

    /// The first fire later than `after`; `None` if there will be none.
    #[must_use]
    pub fn next(&self, after: Millis) -> Option<Millis> {
        match self {
            Self::Cron(cron) => cron.next(after),
            Self::Every { period, .. } => {
                let period = i64::try_from(period.as_millis()).ok()?;
                let passed = after.0.checked_div_euclid(period)?;
                passed.checked_add(1)?.checked_mul(period).map(Millis)
            }
        }
    }

    /// An instant as clocks in the time zone show it, with their offset; `None` beyond the
    /// calendar.
    #[must_use]
    pub fn local(&self, at: Millis) -> Option<String> {
        cron::local_text(at, self.timezone()).ok().flatten()
    }

    /// The cron expression, if there is one.
    #[must_use]
    pub fn cron(&self) -> Option<&str> {
        match self {
            Self::Cron(cron) => Some(cron.text()),
            Self::Every { .. } => None,
        }
    }

    /// The period, if there is one.
    #[must_use]
    pub fn period(&self) -> Option<Duration> {
        match self {
            Self::Cron(_) => None,
            Self::Every { period, .. } => Some(*period),
        }
    }

    /// Name of the time zone.
    #[must_use]
    pub fn timezone(&self) -> &str {
        match self {
            Self::Cron(cron) => cron.timezone(),
            Self::Every { timezone, .. } => timezone,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn every(millis: u64, after: i64) -> Option<i64> {
        let timing = Timing::Every {
            period: Duration::from_millis(millis),
            timezone: "UTC".into(),
        };
        timing.next(Millis(after)).map(|at| at.0)
    }

    #[test]
    fn a_period_counts_from_the_epoch() {
        assert_eq!(every(1500, 0), Some(1500));
        assert_eq!(every(1500, 1499), Some(1500));
        assert_eq!(every(1500, 1500), Some(3000));
        assert_eq!(
            every(86_400_000, 1_700_000_000_000),
            Some(1_700_006_400_000)
        );
        assert_eq!(every(1500, -1), Some(0));
    }

    #[test]
    fn a_period_ends_with_the_numbers() {
        assert_eq!(every(1500, i64::MAX), None);
        assert_eq!(every(u64::MAX, 0), None);
        assert_eq!(every(0, 0), None);
    }

    #[test]
    fn a_timing_is_a_period_or_an_expression() {
        let minute = Some(Duration::from_secs(60));
        assert!(Timing::from_parts(Some("@daily"), None, "UTC").is_ok());
        assert!(Timing::from_parts(None, minute, "Europe/Berlin").is_ok());
        for (cron, every, timezone) in [
            (Some("@daily"), minute, "UTC"),
            (None, None, "UTC"),
            (Some("@never"), None, "UTC"),
            (Some("@daily"), None, "Nowhere"),
            (None, minute, "Nowhere"),
        ] {
            assert!(Timing::from_parts(cron, every, timezone).is_err());
        }
    }
}
