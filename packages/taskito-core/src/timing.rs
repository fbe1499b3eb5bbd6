//! When a schedule fires: by cron expression, or at multiples of a period.

use std::time::Duration;

use crate::clock::Millis;
use crate::cron::Cron;

/// A rule that says when the next fire is.
#[derive(Clone, Debug)]
pub enum Timing {
    /// Local times that match an expression.
    Cron(Cron),
    /// Multiples of a period since the Unix epoch, whatever the clocks on the wall show.
    Every(Duration),
}

impl Timing {
    /// The first fire later than `after`; `None` if there will be none.
    #[must_use]
    pub fn next(&self, after: Millis) -> Option<Millis> {
        match self {
            Self::Cron(cron) => cron.next(after),
            Self::Every(period) => {
                let period = i64::try_from(period.as_millis()).ok()?;
                let passed = after.0.checked_div_euclid(period)?;
                passed.checked_add(1)?.checked_mul(period).map(Millis)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn every(millis: u64, after: i64) -> Option<i64> {
        let timing = Timing::Every(Duration::from_millis(millis));
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
}
