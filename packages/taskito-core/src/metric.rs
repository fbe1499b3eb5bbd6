//! How long attempts ran: samples as they are stored, merged and summarised.
//!
//! A commit stores the samples of its attempts as they are. Later those of a minute become one
//! row that keeps its exact number, sum and extremes, and at most [`MOST_KEPT`] samples that
//! stand for all of them.

use std::time::Duration;

use crate::varint;

/// So many samples of a merged row are kept.
pub const MOST_KEPT: usize = 256;

/// Attempts of one task, and how long some of them ran.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Samples {
    /// Attempts.
    pub count: u64,
    /// Those that failed.
    pub failures: u64,
    /// Microseconds of all attempts.
    pub sum: u64,
    /// Microseconds of the shortest.
    pub min: u64,
    /// Microseconds of the longest.
    pub max: u64,
    /// Microseconds of the attempts that stand for all.
    kept: Vec<u64>,
}

/// What is told about the attempts of one task. Times are microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Summary {
    /// Attempts.
    pub count: u64,
    /// Those that failed.
    pub failures: u64,
    /// All of them together.
    pub sum: u64,
    /// The shortest.
    pub min: u64,
    /// The one in the middle, `sorted[n / 2]`.
    pub p50: u64,
    /// `sorted[n * 95 / 100]`.
    pub p95: u64,
    /// `sorted[n * 99 / 100]`.
    pub p99: u64,
    /// The longest.
    pub max: u64,
}

impl Default for Samples {
    /// None yet.
    fn default() -> Self {
        Self {
            count: 0,
            failures: 0,
            sum: 0,
            min: u64::MAX,
            max: 0,
            kept: Vec::new(),
        }
    }
}

impl Samples {
    /// Samples of which these are kept, with exact facts.
    #[must_use]
    pub fn merged(count: u64, failures: u64, sum: u64, (min, max): (u64, u64), raw: &[u8]) -> Self {
        Self {
            count,
            failures,
            sum,
            min,
            max,
            kept: varint::all(raw).map(|sample| sample >> 1).collect(),
        }
    }

    /// The samples of one commit, as [`pack`] wrote them.
    #[must_use]
    pub fn unpacked(raw: &[u8]) -> Self {
        let mut samples = Self::default();
        for sample in varint::all(raw) {
            samples.add(sample >> 1, sample & 1);
        }
        samples
    }

    /// One attempt more.
    pub fn observe(&mut self, run: Duration, failed: bool) {
        self.add(micros(run), failed.into());
    }

    fn add(&mut self, run: u64, failed: u64) {
        self.count += 1;
        self.failures += failed;
        self.sum = self.sum.saturating_add(run);
        self.min = self.min.min(run);
        self.max = self.max.max(run);
        self.kept.push(run);
    }

    /// All of them as one, with no more than [`MOST_KEPT`] samples.
    #[must_use]
    pub fn merge(parts: &[Self]) -> Self {
        let ranked = Ranked::of(parts);
        let mut whole = Self::default();
        for part in parts {
            whole.count += part.count;
            whole.failures += part.failures;
            whole.sum = whole.sum.saturating_add(part.sum);
            whole.min = whole.min.min(part.min);
            whole.max = whole.max.max(part.max);
        }
        whole.kept = ranked.thinned();
        whole
    }

    /// What is told about all of them; `None` if there are none.
    #[must_use]
    pub fn summary(parts: &[Self]) -> Option<Summary> {
        let ranked = Ranked::of(parts);
        let count: u64 = parts.iter().map(|part| part.count).sum();
        (count > 0).then(|| Summary {
            count,
            failures: parts.iter().map(|part| part.failures).sum(),
            sum: parts
                .iter()
                .fold(0, |sum, part| sum.saturating_add(part.sum)),
            min: parts.iter().map(|part| part.min).min().unwrap_or(0),
            p50: ranked.at(count / 2),
            p95: ranked.at(percent(count, 95)),
            p99: ranked.at(percent(count, 99)),
            max: parts.iter().map(|part| part.max).max().unwrap_or(0),
        })
    }

    /// The kept samples as they are stored.
    #[must_use]
    pub fn packed(&self) -> Vec<u8> {
        let mut raw = Vec::new();
        for sample in &self.kept {
            varint::put(&mut raw, sample << 1);
        }
        raw
    }
}

/// Kept samples in order, each with how many attempts it stands for.
struct Ranked(Vec<(u64, f64)>);

impl Ranked {
    #[expect(clippy::cast_precision_loss, reason = "a share, not an amount")]
    fn of(parts: &[Samples]) -> Self {
        let mut ranked = Vec::new();
        for part in parts {
            let weight = part.count as f64 / part.kept.len().max(1) as f64;
            ranked.extend(part.kept.iter().map(|run| (*run, weight)));
        }
        ranked.sort_unstable_by_key(|(run, _)| *run);
        Self(ranked)
    }

    /// The sample at a position among all attempts, counted from 0.
    #[expect(clippy::cast_precision_loss, reason = "a position among samples")]
    fn at(&self, position: u64) -> u64 {
        self.around(position as f64 + 0.5)
    }

    fn around(&self, position: f64) -> u64 {
        let mut passed = 0.0;
        for (run, weight) in &self.0 {
            passed += weight;
            if passed > position {
                return *run;
            }
        }
        self.0.last().map_or(0, |(run, _)| *run)
    }

    /// No more than [`MOST_KEPT`] samples, spread evenly.
    #[expect(clippy::cast_precision_loss, reason = "positions among samples")]
    fn thinned(&self) -> Vec<u64> {
        if self.0.len() <= MOST_KEPT && self.0.iter().all(|(_, weight)| *weight <= 1.0) {
            return self.0.iter().map(|(run, _)| *run).collect();
        }
        let total: f64 = self.0.iter().map(|(_, weight)| weight).sum();
        let width = total / MOST_KEPT as f64;
        (0..MOST_KEPT)
            .map(|slot| self.around((slot as f64 + 0.5) * width))
            .collect()
    }
}

/// `int(n * q)` for a whole percentage.
fn percent(count: u64, percent: u64) -> u64 {
    u64::try_from(u128::from(count) * u128::from(percent) / 100).unwrap_or(u64::MAX)
}

fn micros(run: Duration) -> u64 {
    // One bit is for the failure.
    u64::try_from(run.as_micros()).map_or(u64::MAX >> 1, |run| run.min(u64::MAX >> 1))
}

/// Appends one attempt to the samples of a commit: its microseconds and whether it failed, seven
/// bits to a byte.
pub fn pack(raw: &mut Vec<u8>, run: Duration, failed: bool) {
    varint::put(raw, micros(run) << 1 | u64::from(failed));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(runs: impl IntoIterator<Item = u64>) -> Samples {
        let mut samples = Samples::default();
        for run in runs {
            samples.observe(Duration::from_micros(run), run % 10 == 0);
        }
        samples
    }

    #[test]
    fn samples_survive_their_packing() {
        let runs = [0, 1, 63, 64, 127, 128, 16_383, 16_384, 1 << 40, u64::MAX];
        let mut raw = Vec::new();
        for run in runs {
            pack(&mut raw, Duration::from_micros(run), run % 2 == 1);
        }
        let samples = Samples::unpacked(&raw);
        assert_eq!((samples.count, samples.failures), (10, 5));
        assert_eq!(samples.kept[..9], runs[..9]);
        assert_eq!(samples.kept[9], u64::MAX >> 1);
        let again = Samples::merged(10, 5, samples.sum, (0, samples.max), &samples.packed());
        assert_eq!(again, samples);
    }

    #[test]
    fn a_torn_blob_ends_early_and_breaks_nothing() {
        let mut raw = vec![];
        pack(&mut raw, Duration::from_millis(7), false);
        raw.push(0x80);
        assert_eq!(Samples::unpacked(&raw).count, 1);
        assert_eq!(Samples::unpacked(&[0xff; 40]).count, 0);
        assert_eq!(Samples::unpacked(&[]), Samples::default());
    }

    #[test]
    fn a_summary_follows_the_documented_formulas() {
        for n in [1, 2, 3, 10, 99, 100, 101, 1000] {
            let runs: Vec<u64> = (0..n).map(|run| (run as u64 * 7919) % 10_007).collect();
            let (one, other) = runs.split_at(n / 2);
            let summary = Samples::summary(&[one, other].map(|half| of(half.iter().copied())));
            let mut sorted = runs.clone();
            sorted.sort_unstable();
            let expected = Summary {
                count: n as u64,
                failures: runs.iter().filter(|run| **run % 10 == 0).count() as u64,
                sum: sorted.iter().sum(),
                min: sorted[0],
                p50: sorted[n / 2],
                p95: sorted[n * 95 / 100],
                p99: sorted[n * 99 / 100],
                max: sorted[n - 1],
            };
            assert_eq!(summary, Some(expected));
        }
        assert_eq!(Samples::summary(&[]), None);
        assert_eq!(Samples::summary(&[Samples::default()]), None);
    }

    #[test]
    fn few_samples_are_merged_without_a_loss() {
        let parts = [of(0..100), of(50..206)];
        let whole = Samples::merge(&parts);
        assert_eq!(whole.kept.len(), MOST_KEPT);
        assert_eq!(Samples::summary(&[whole]), Samples::summary(&parts));
    }

    #[test]
    fn many_samples_are_thinned_and_still_tell_the_truth() {
        let part = |part: u64| of((0..1000).map(move |run| run * 50 + part));
        let parts: Vec<Samples> = (0..50).map(part).collect();
        let whole = Samples::merge(&parts);
        assert_eq!(whole.kept.len(), MOST_KEPT);
        // Merged again with what came late.
        let twice = Samples::merge(&[whole.clone(), of([1, 2, 3])]);
        assert_eq!((whole.count, twice.count), (50_000, 50_003));
        for merged in [whole, twice] {
            let told = Samples::summary(&[merged]);
            assert!(told.is_some_and(|told| {
                (told.min, told.max) == (0, 49_999)
                    && told.p50.abs_diff(25_000) < 300
                    && told.p95.abs_diff(47_500) < 300
                    && told.p99.abs_diff(49_500) < 300
            }));
        }
    }
}
