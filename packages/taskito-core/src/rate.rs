//! How fast jobs may start: `"<count>/<period>"` as a token bucket.
//!
//! A bucket holds `max(1, count)` tokens and gets `count` new ones in each period, evenly. It is
//! stored as one number, the theoretical arrival time of the generic cell rate algorithm (ITU-T
//! I.371): the instant at which the bucket will be full again.

use std::fmt;
use std::sync::Arc;

use crate::clock::Millis;
use crate::error::{Error, Result};

const NANOS_PER_MILLI: i64 = 1_000_000;
/// No interval is longer: instants stay far from the end of the numbers.
const LONGEST_INTERVAL: f64 = 100.0 * 365.0 * 86_400.0 * 1e9;

const PERIODS: [(&str, f64); 11] = [
    ("s", 1e9),
    ("sec", 1e9),
    ("second", 1e9),
    ("m", 60e9),
    ("min", 60e9),
    ("minute", 60e9),
    ("h", 3_600e9),
    ("hr", 3_600e9),
    ("hour", 3_600e9),
    ("d", 86_400e9),
    ("day", 86_400e9),
];

/// How fast jobs may start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rate {
    text: Arc<str>,
    /// Time in which one token comes.
    interval: Interval,
    /// How much earlier than evenly a full bucket lets jobs start.
    burst: i64,
}

/// What one token costs: nanoseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Interval(pub i64);

impl Rate {
    /// The rate that a text like `10/s`, `0.5/minute` or `100 / day` means.
    ///
    /// # Errors
    /// [`Error::Invalid`], naming the text.
    pub fn parse(text: &str) -> Result<Self> {
        let parts = text.split_once('/');
        let read = parts.and_then(|(count, period)| {
            let (count, period) = (count.trim_ascii(), period.trim_ascii());
            Some(Self::of(
                positive_decimal(count)?,
                nanos(period)?,
                (count, period),
            ))
        });
        read.ok_or_else(|| Error::Invalid {
            message: format!(
                "rate '{text}' is not '<count>/<period>' with a positive number and one of \
                 s, sec, second, m, min, minute, h, hr, hour, d, day"
            ),
        })
    }

    #[expect(clippy::cast_possible_truncation, reason = "bounded before")]
    fn of(count: f64, period: f64, (count_text, period_text): (&str, &str)) -> Self {
        // Rounded up: never faster than asked for.
        let interval = (period / count).ceil().clamp(1.0, LONGEST_INTERVAL);
        let burst = (count.max(1.0) - 1.0) * interval;
        Self {
            text: format!("{count_text}/{period_text}").into(),
            interval: Interval(interval as i64),
            burst: burst.ceil().min(LONGEST_INTERVAL) as i64,
        }
    }

    /// The text it was made from, without blanks.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What one token costs.
    #[must_use]
    pub fn interval(&self) -> Interval {
        self.interval
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// The value of digits with at most one point among them.
fn positive_decimal(text: &str) -> Option<f64> {
    let plain = text
        .bytes()
        .all(|byte| byte.is_ascii_digit() || byte == b'.');
    let value: f64 = text.parse().ok().filter(|_| plain)?;
    (value > 0.0 && value.is_finite()).then_some(value)
}

fn nanos(period: &str) -> Option<f64> {
    let named = PERIODS.iter().find(|(name, _)| *name == period);
    named.map(|(_, nanos)| *nanos)
}

/// A token bucket: the instant, in nanoseconds since the epoch, at which it is full again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Bucket(pub i64);

impl Bucket {
    /// The bucket as it can be now: never emptier than empty. It looks like that when the
    /// clock was set back or the rate was raised; keep the answer then, or it stays so.
    #[must_use]
    pub fn healed(self, rate: &Rate, now: Millis) -> Self {
        let full = nanos_of(now).saturating_add(rate.burst);
        Self(self.0.min(full.saturating_add(rate.interval.0)))
    }

    /// When the next token can be had; in the past if there is one now.
    #[must_use]
    pub fn opens_at(self, rate: &Rate) -> Millis {
        let nanos = self.0.saturating_sub(rate.burst);
        // Rounded up: never earlier than asked for.
        Millis(
            nanos
                .saturating_add(NANOS_PER_MILLI - 1)
                .div_euclid(NANOS_PER_MILLI),
        )
    }

    /// The bucket after a token was taken.
    #[must_use]
    pub fn taken(self, rate: &Rate, now: Millis) -> Self {
        let from = self.0.max(nanos_of(now));
        Self(from.saturating_add(rate.interval.0))
    }

    /// The bucket after a token was put back that had cost `interval`.
    #[must_use]
    pub fn returned(self, interval: Interval) -> Self {
        Self(self.0.saturating_sub(interval.0))
    }

    /// The one that is full at `now` and was not before.
    #[must_use]
    pub fn full_since(now: Millis) -> Self {
        Self(nanos_of(now))
    }

    /// Whether it is full, so that nothing needs to be known of it.
    #[must_use]
    pub fn is_full(self, now: Millis) -> bool {
        self.0 <= nanos_of(now)
    }
}

fn nanos_of(at: Millis) -> i64 {
    at.0.saturating_mul(NANOS_PER_MILLI)
}

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
mod tests {
    use super::*;

    const NOW: Millis = Millis(1_795_000_000_000);

    fn rate(text: &str) -> Rate {
        Rate::parse(text).unwrap()
    }

    /// When `count` jobs start that are all waiting at `NOW`, in ms from then.
    fn starts(text: &str, count: usize) -> Vec<i64> {
        let rate = rate(text);
        let (mut bucket, mut now) = (Bucket::default(), NOW);
        (0..count)
            .map(|_| {
                now = now.max(bucket.opens_at(&rate));
                bucket = bucket.taken(&rate, now);
                now.0 - NOW.0
            })
            .collect()
    }

    #[test]
    fn a_full_bucket_lets_count_jobs_start_and_then_one_at_a_time() {
        assert_eq!(starts("2/s", 4), [0, 0, 500, 1000]);
        assert_eq!(starts("3/s", 5), [0, 0, 0, 334, 667]);
        assert_eq!(starts("60/m", 61)[59..], [0, 1000]);
    }

    #[test]
    fn a_bucket_holds_one_token_at_least() {
        assert_eq!(starts("0.5/s", 3), [0, 2000, 4000]);
        assert_eq!(starts("1/d", 2), [0, 86_400_000]);
    }

    #[test]
    fn a_broken_count_is_a_capacity_as_well() {
        assert_eq!(starts("2.5/s", 4), [0, 0, 200, 600]);
    }

    #[test]
    fn every_period_has_its_names() {
        for (names, millis) in [
            (&["s", "sec", "second"][..], 1_000),
            (&["m", "min", "minute"], 60_000),
            (&["h", "hr", "hour"], 3_600_000),
            (&["d", "day"], 86_400_000),
        ] {
            for name in names {
                assert_eq!(starts(&format!(" 1 /\t{name} "), 2), [0, millis]);
            }
        }
    }

    #[test]
    fn anything_else_is_refused_with_the_text() {
        for text in [
            "",
            "/",
            "1",
            "1/",
            "/s",
            "0/s",
            "0.0/s",
            "-1/s",
            "+1/s",
            "1e3/s",
            "inf/s",
            "nan/s",
            "1/S",
            "1/sec/s",
            "1/seconds",
            "1/week",
            "1,5/s",
            "1_0/s",
            "1.2.3/s",
            ".",
            "./s",
            "٣/s",
            "1 0/s",
            "1/ms",
        ] {
            let error = Rate::parse(text).unwrap_err().to_string();
            assert!(error.contains(&format!("rate '{text}'")), "{error}");
        }
    }

    #[test]
    fn the_text_reads_without_blanks() {
        assert_eq!(rate(" 10 / minute ").to_string(), "10/minute");
    }

    #[test]
    fn extreme_rates_stay_in_range() {
        let fast = rate("99999999999999999999/s");
        assert_eq!(fast.interval(), Interval(1));
        let slow = rate("0.000000000000000000001/d");
        let bucket = Bucket::default().taken(&slow, NOW);
        assert!(bucket.opens_at(&slow) > NOW);
        assert!(bucket.opens_at(&fast).0 <= NOW.0 + 1);
    }

    #[test]
    fn a_token_put_back_can_be_taken_again() {
        let rate = rate("1/h");
        let taken = Bucket::default().taken(&rate, NOW);
        assert!(taken.opens_at(&rate) > NOW);
        assert!(taken.returned(rate.interval()).opens_at(&rate) <= NOW);
    }

    #[test]
    fn tokens_put_back_late_are_not_hoarded() {
        let rate = rate("1/s");
        let mut bucket = Bucket::default().taken(&rate, NOW);
        let later = Millis(NOW.0 + 60_000);
        bucket = bucket.returned(rate.interval()).taken(&rate, later);
        assert_eq!(bucket.opens_at(&rate).0, later.0 + 1000);
    }

    #[test]
    fn a_clock_set_back_costs_one_token_at_most() {
        let rate = rate("4/s");
        let ahead = Millis(NOW.0 + 3_600_000);
        let bucket = Bucket::default().taken(&rate, ahead).healed(&rate, NOW);
        assert_eq!(bucket.opens_at(&rate).0, NOW.0 + 250);
        let soon = Millis(NOW.0 + 250);
        assert_eq!(bucket.healed(&rate, soon), bucket);
    }

    #[test]
    fn a_higher_rate_is_in_force_at_once() {
        let slow = rate("1/h");
        let bucket = Bucket::default().taken(&slow, NOW);
        let fast = rate("10/s");
        assert_eq!(bucket.healed(&fast, NOW).opens_at(&fast).0, NOW.0 + 100);
    }

    #[test]
    fn a_bucket_in_use_needs_no_healing() {
        let rate = rate("2.5/s");
        let mut bucket = Bucket::default();
        let mut now = NOW;
        for _ in 0..10 {
            now = now.max(bucket.opens_at(&rate));
            bucket = bucket.taken(&rate, now);
            assert_eq!(bucket.healed(&rate, now), bucket);
        }
    }

    #[test]
    fn a_bucket_is_full_after_its_burst() {
        let rate = rate("2/s");
        let bucket = Bucket::default().taken(&rate, NOW).taken(&rate, NOW);
        assert!(!bucket.is_full(Millis(NOW.0 + 999)));
        assert!(bucket.is_full(Millis(NOW.0 + 1000)));
    }
}
