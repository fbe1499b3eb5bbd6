//! How many durations lay where: 48 buckets, each reaching half an octave further, so that those
//! of any two histograms can be added.
//!
//! Bucket 0 is below 1 ms, bucket *n* reaches from 1 ms * sqrt(2)^(n-1) to 1 ms * sqrt(2)^n, and the
//! last one, from 2 h 20 min, has no end. A percentile is off by less than the width of its
//! bucket: a factor of sqrt(2).

use std::time::Duration;

use crate::varint;

/// Number of buckets.
pub const BUCKETS: usize = 48;

/// Where each bucket but the last ends, in microseconds; that is where the next one begins.
pub const BOUNDS: [u64; BUCKETS - 1] = bounds();

const fn bounds() -> [u64; BUCKETS - 1] {
    let mut bounds = [0; BUCKETS - 1];
    let mut bucket = 0;
    while bucket < bounds.len() {
        // 1 ms and sqrt(2) ms in nanoseconds, doubled with every second bucket.
        let nanos = if bucket % 2 == 0 {
            1_000_000
        } else {
            1_414_214
        };
        bounds[bucket] = (nanos << (bucket / 2)) / 1000;
        bucket += 1;
    }
    bounds
}

/// How many durations lie in each bucket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Histogram([u64; BUCKETS]);

impl Default for Histogram {
    /// Nothing yet.
    fn default() -> Self {
        Self([0; BUCKETS])
    }
}

impl Histogram {
    /// Adds one duration.
    pub fn note(&mut self, duration: Duration) {
        let micros = u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
        let bucket = BOUNDS.partition_point(|bound| *bound <= micros);
        self.0[bucket] += 1;
    }

    /// Adds all of another one.
    pub fn merge(&mut self, other: &Self) {
        for (count, more) in self.0.iter_mut().zip(other.0) {
            *count = count.saturating_add(more);
        }
    }

    /// How many durations lie in each bucket.
    #[must_use]
    pub fn counts(&self) -> &[u64; BUCKETS] {
        &self.0
    }

    /// How many durations there are.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.0
            .iter()
            .fold(0, |sum, count| sum.saturating_add(*count))
    }

    /// The duration that this share of all, from 0 to 1, does not exceed, in milliseconds; `None`
    /// if there are none. Within a bucket they are taken to lie evenly on a logarithmic scale; in
    /// the last one, at its beginning.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "an estimate")]
    pub fn percentile(&self, share: f64) -> Option<f64> {
        let wanted = share.clamp(0.0, 1.0) * self.total() as f64;
        let mut passed = 0.0;
        let mut last = None;
        for (bucket, count) in self.0.iter().enumerate().filter(|(_, count)| **count > 0) {
            let here = *count as f64;
            last = Some(within(bucket, ((wanted - passed) / here).clamp(0.0, 1.0)));
            passed += here;
            if passed >= wanted {
                break;
            }
        }
        last
    }

    /// The histogram as it is stored: the first bucket that is not empty, then the counts from
    /// there to the last one that is not.
    #[must_use]
    pub fn packed(&self) -> Vec<u8> {
        let mut raw = Vec::new();
        let is_used = |count: &u64| *count > 0;
        if let (Some(first), Some(last)) = (
            self.0.iter().position(is_used),
            self.0.iter().rposition(is_used),
        ) {
            varint::put(&mut raw, first as u64);
            for count in &self.0[first..=last] {
                varint::put(&mut raw, *count);
            }
        }
        raw
    }

    /// The histogram with that stored form. Of damaged bytes, whatever can be read.
    #[must_use]
    pub fn unpacked(raw: &[u8]) -> Self {
        let mut numbers = varint::all(raw);
        let mut histogram = Self::default();
        let first = numbers.next().and_then(|first| usize::try_from(first).ok());
        let buckets = histogram.0.iter_mut().skip(first.unwrap_or(BUCKETS));
        for (bucket, count) in buckets.zip(numbers) {
            *bucket = count;
        }
        histogram
    }
}

/// The duration that lies so far within a bucket, in milliseconds.
#[expect(clippy::cast_precision_loss, reason = "an estimate")]
fn within(bucket: usize, share: f64) -> f64 {
    let millis = |bound: usize| BOUNDS[bound] as f64 / 1000.0;
    match bucket {
        0 => share * millis(0),
        _ if bucket == BUCKETS - 1 => millis(bucket - 1),
        _ => millis(bucket - 1) * (share / 2.0).exp2(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(micros: impl IntoIterator<Item = u64>) -> Histogram {
        let mut histogram = Histogram::default();
        for micros in micros {
            histogram.note(Duration::from_micros(micros));
        }
        histogram
    }

    #[test]
    fn each_bucket_begins_where_the_one_before_it_ends() {
        assert_eq!(BOUNDS[..5], [1000, 1414, 2000, 2828, 4000]);
        assert_eq!(BOUNDS[BUCKETS - 2], 1000 << 23);
        for (number, bound) in BOUNDS.into_iter().enumerate() {
            let histogram = of([bound - 1, bound]);
            assert_eq!(histogram.counts()[number..number + 2], [1, 1]);
        }
        assert_eq!(of([0]).counts()[0], 1);
        assert_eq!(of([u64::MAX]).counts()[BUCKETS - 1], 1);
    }

    #[test]
    fn a_histogram_survives_its_packing() {
        for histogram in [
            of([]),
            of([0]),
            of([u64::MAX]),
            of((0..5000).map(|step| step * step * 97)),
        ] {
            assert_eq!(Histogram::unpacked(&histogram.packed()), histogram);
        }
        assert_eq!(of([1500; 200]).packed(), [2, 200, 1]);
    }

    #[test]
    fn damaged_bytes_are_read_as_some_histogram() {
        assert_eq!(Histogram::unpacked(&[]), Histogram::default());
        assert_eq!(Histogram::unpacked(&[0x80]), Histogram::default());
        assert_eq!(Histogram::unpacked(&[99, 1, 2]), Histogram::default());
        assert_eq!(Histogram::unpacked(&[47, 1, 2, 0xff]).total(), 1);
        let endless = Histogram::unpacked(&[0xff; 90]);
        assert_eq!(endless.total(), 0);
    }

    #[test]
    fn two_histograms_add_up_to_that_of_all() {
        let mut one = of((1..900).map(|step| step * 1000));
        one.merge(&of((900..2000).map(|step| step * 1000)));
        assert_eq!(one, of((1..2000).map(|step| step * 1000)));
    }

    #[test]
    fn a_percentile_is_right_within_its_bucket() {
        let histogram = of((1..=10_000).map(|step| step * 1000));
        for (share, exact) in [(0.5, 5000.0), (0.95, 9500.0), (0.99, 9900.0)] {
            let told = histogram.percentile(share).unwrap_or_default();
            assert!(told / exact < 2.0_f64.sqrt(), "{share}: {told}");
            assert!(exact / told < 2.0_f64.sqrt(), "{share}: {told}");
        }
        assert_eq!(of([]).percentile(0.5), None);
        assert_eq!(of([10; 3]).percentile(1.0), Some(1.0));
        assert_eq!(of([u64::MAX]).percentile(0.5), Some(8_388_608.0));
    }

    #[test]
    fn percentiles_of_one_histogram_never_go_down() {
        let histogram = of((0..3000).map(|step| step * step * 31));
        let shares = (0..=100).map(|step| f64::from(step) / 100.0);
        let told: Vec<f64> = shares.filter_map(|it| histogram.percentile(it)).collect();
        assert!(told.is_sorted(), "{told:?}");
    }
}
