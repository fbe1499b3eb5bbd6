//! How long a failed job waits for its next attempt.

use std::sync::Arc;
use std::time::Duration;

/// The waiting rule of one task: `min(cap, base * 2^n) + U[0, base)` for retry number `n`, or
/// a list of waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RetryPolicy {
    /// Base of the exponential part and width of the jitter; zero retries at once.
    pub backoff: Duration,
    /// Cap of the exponential part.
    pub max_delay: Duration,
    /// The exact waits instead, one for each retry; the last one repeats. Empty is none.
    pub delays: Arc<[Duration]>,
    /// Whether an attempt that ran over its timeout is repeated.
    pub retries_timeouts: bool,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            backoff: Duration::from_secs(1),
            max_delay: Duration::from_secs(300),
            delays: Arc::default(),
            retries_timeouts: true,
        }
    }
}

impl RetryPolicy {
    /// The wait after a failure. `retries` is how many were spent before, `random` any number.
    #[must_use]
    pub fn delay(&self, retries: u32, random: u64) -> Duration {
        let number = usize::try_from(retries).unwrap_or(usize::MAX);
        if let Some(exact) = self.delays.get(number).or(self.delays.last()) {
            return *exact;
        }
        let base = u64::try_from(self.backoff.as_millis()).unwrap_or(u64::MAX);
        if base == 0 {
            return Duration::ZERO;
        }
        let cap = u64::try_from(self.max_delay.as_millis()).unwrap_or(u64::MAX);
        let factor = 1_u64.checked_shl(retries).unwrap_or(u64::MAX);
        let exponential = base.saturating_mul(factor).min(cap);
        Duration::from_millis(exponential.saturating_add(random % base))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubles_until_the_cap_and_adds_less_than_one_base() {
        let policy = RetryPolicy {
            backoff: Duration::from_millis(100),
            max_delay: Duration::from_secs(1),
            ..RetryPolicy::default()
        };
        for (retries, least) in [
            (0, 100),
            (1, 200),
            (2, 400),
            (3, 800),
            (4, 1000),
            (99, 1000),
        ] {
            for random in [0, 57, 99, 100, u64::MAX] {
                let delay = policy.delay(retries, random).as_millis();
                assert!((least..least + 100).contains(&delay), "{retries}: {delay}");
            }
        }
    }

    #[test]
    fn no_backoff_means_no_wait() {
        let policy = RetryPolicy {
            backoff: Duration::ZERO,
            ..RetryPolicy::default()
        };
        assert_eq!(policy.delay(5, 12345), Duration::ZERO);
    }

    #[test]
    fn listed_delays_are_exact_and_the_last_one_repeats() {
        let policy = RetryPolicy {
            delays: [7, 0, 3600].map(Duration::from_secs).into(),
            ..RetryPolicy::default()
        };
        for (retries, seconds) in [(0, 7), (1, 0), (2, 3600), (3, 3600), (u32::MAX, 3600)] {
            assert_eq!(policy.delay(retries, 99), Duration::from_secs(seconds));
        }
    }
}
