//! What became of attempts, by stretches of time: counts and histograms that add up.
//!
//! The commit that settles attempts adds them to the row of their lane and ten seconds. What is
//! older is kept by the minute, then by the hour, then forgotten: see [`Tier`].

use std::collections::BTreeMap;
use std::time::Duration;

use crate::clock::Millis;
use crate::histogram::Histogram;

/// When an attempt ran.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Run {
    /// How long the job had been due when its function began.
    pub wait: Duration,
    /// When the function began.
    pub started_at: Millis,
    /// How long it ran.
    pub length: Duration,
}

impl Run {
    /// The run of a job that was due at `due`.
    #[must_use]
    pub fn since(due: Millis, started_at: Millis, length: Duration) -> Self {
        Self {
            wait: due.until(started_at),
            started_at,
            length,
        }
    }
}

/// How an attempt ended that says something about its task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The function returned.
    Done,
    /// It failed, and that was the last attempt.
    Failed,
    /// It failed and will be repeated.
    Retried,
}

/// Attempts that ended in one stretch of time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rollup {
    /// Those whose function returned.
    pub done: u64,
    /// Those that failed, whether they are repeated or not.
    pub failed: u64,
    /// Those of the failed that are repeated.
    pub retried: u64,
    /// How long jobs had been due when they started.
    pub wait: Histogram,
    /// How long the attempts ran.
    pub run: Histogram,
}

impl Rollup {
    /// Adds one attempt.
    pub fn note(&mut self, run: &Run, ending: Ending) {
        match ending {
            Ending::Done => self.done += 1,
            Ending::Failed => self.failed += 1,
            Ending::Retried => {
                self.failed += 1;
                self.retried += 1;
            }
        }
        self.wait.note(run.wait);
        self.run.note(run.length);
    }

    /// Adds all of another one.
    pub fn merge(&mut self, other: &Self) {
        self.done = self.done.saturating_add(other.done);
        self.failed = self.failed.saturating_add(other.failed);
        self.retried = self.retried.saturating_add(other.retried);
        self.wait.merge(&other.wait);
        self.run.merge(&other.run);
    }
}

/// How finely attempts are known, by their age.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tier {
    /// By ten seconds, for two hours.
    Seconds,
    /// By the minute, for two days.
    Minutes,
    /// By the hour, for ninety days.
    Hours,
}

impl Tier {
    /// All of them, the finest first.
    pub const ALL: [Self; 3] = [Self::Seconds, Self::Minutes, Self::Hours];

    /// The length of one stretch.
    #[must_use]
    pub fn step(self) -> Duration {
        Duration::from_secs(match self {
            Self::Seconds => 10,
            Self::Minutes => 60,
            Self::Hours => 3600,
        })
    }

    /// How long it is kept.
    #[must_use]
    pub fn kept(self) -> Duration {
        Duration::from_secs(match self {
            Self::Seconds => 2 * 3600,
            Self::Minutes => 48 * 3600,
            Self::Hours => 90 * 86_400,
        })
    }

    /// What becomes of it afterwards; `None` is nothing.
    #[must_use]
    pub fn next(self) -> Option<Self> {
        match self {
            Self::Seconds => Some(Self::Minutes),
            Self::Minutes => Some(Self::Hours),
            Self::Hours => None,
        }
    }

    /// The beginning of the stretch in which that instant lies.
    #[must_use]
    pub fn floor(self, at: Millis) -> Millis {
        floor(at, self.step())
    }

    /// Stretches that began before this instant are kept no longer.
    #[must_use]
    pub fn end(self, now: Millis) -> Millis {
        let oldest = Millis(now.0.saturating_sub(millis(self.kept())));
        self.next().unwrap_or(self).floor(oldest)
    }

    /// The finest that still knows that instant.
    #[must_use]
    pub fn at(at: Millis, now: Millis) -> Self {
        let mut tiers = Self::ALL.into_iter();
        tiers
            .find(|tier| at >= tier.end(now))
            .unwrap_or(Self::Hours)
    }
}

/// What rollups are told apart by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum By {
    /// Nothing: there is one series, named by an empty text.
    #[default]
    Nothing,
    /// Their queue.
    Queue,
    /// Their task.
    Task,
}

/// Which rollups are wanted.
#[derive(Clone, Debug, Default)]
pub struct Period {
    /// Attempts that ended at that instant or later.
    pub from: Millis,
    /// And before that one.
    pub to: Millis,
    /// The length of one bucket.
    pub step: Duration,
    /// Only those of this queue.
    pub queue: Option<String>,
    /// Only those of this task.
    pub task: Option<String>,
    /// What they are told apart by.
    pub by: By,
}

/// Rollups in buckets of one length.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rollups {
    /// When the first bucket begins: the instant asked for, or the stretch in which it lies.
    pub from: Millis,
    /// The length of a bucket: a multiple of the stretches that are known of that time, so it may
    /// be longer than was asked for.
    pub step: Duration,
    /// By name and beginning; buckets in which nothing ended are missing.
    pub series: BTreeMap<String, BTreeMap<Millis, Rollup>>,
    by: By,
}

impl Rollups {
    /// None yet.
    #[must_use]
    pub fn of(period: &Period, now: Millis) -> Self {
        let tier = Tier::at(period.from, now);
        let (known, asked) = (millis(tier.step()), millis(period.step));
        let stretches = asked.saturating_add(known - 1).div_euclid(known).max(1);
        Self {
            from: tier.floor(period.from),
            step: tier.step() * u32::try_from(stretches).unwrap_or(u32::MAX),
            series: BTreeMap::new(),
            by: period.by,
        }
    }

    /// Adds those of a lane that ended in the stretch that began then.
    pub fn add(&mut self, at: Millis, queue: &str, task: &str, rollup: &Rollup) {
        let name = match self.by {
            By::Nothing => "",
            By::Queue => queue,
            By::Task => task,
        };
        let step = millis(self.step);
        let number = at.0.saturating_sub(self.from.0).div_euclid(step);
        let begin = Millis(self.from.0.saturating_add(number.saturating_mul(step)));
        if !self.series.contains_key(name) {
            self.series.insert(name.to_owned(), BTreeMap::new());
        }
        if let Some(buckets) = self.series.get_mut(name) {
            buckets.entry(begin).or_default().merge(rollup);
        }
    }
}

fn floor(at: Millis, step: Duration) -> Millis {
    let step = millis(step);
    Millis(at.0.div_euclid(step).saturating_mul(step))
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Millis = Millis(1_795_000_007_500);

    fn ago(secs: i64) -> Millis {
        Millis(NOW.0 - secs * 1000)
    }

    #[test]
    fn what_is_older_is_known_less_finely() {
        for (secs, tier) in [
            (0, Tier::Seconds),
            (7200, Tier::Seconds),
            (7300, Tier::Minutes),
            (48 * 3600, Tier::Minutes),
            (50 * 3600, Tier::Hours),
            (91 * 86_400, Tier::Hours),
        ] {
            assert_eq!(Tier::at(ago(secs), NOW), tier, "{secs} s ago");
        }
    }

    #[test]
    fn a_stretch_is_kept_until_all_of_the_next_longer_one_is_old() {
        for tier in Tier::ALL {
            let end = tier.end(NOW);
            assert!(end.plus(tier.kept()) <= NOW);
            if let Some(next) = tier.next() {
                assert_eq!(next.floor(end), end);
            }
        }
    }

    #[test]
    fn buckets_are_no_finer_than_what_is_known() {
        let asked = |secs_ago, step| {
            let period = Period {
                from: ago(secs_ago),
                to: NOW,
                step: Duration::from_secs(step),
                ..Period::default()
            };
            Rollups::of(&period, NOW)
        };
        assert_eq!(asked(60, 0).step, Duration::from_secs(10));
        assert_eq!(asked(60, 15).step, Duration::from_secs(20));
        assert_eq!(asked(3 * 3600, 10).step, Duration::from_secs(60));
        assert_eq!(asked(72 * 3600, 10).step, Duration::from_secs(3600));
        assert_eq!(asked(60, 15).from, Millis(1_794_999_940_000));
    }

    #[test]
    fn buckets_begin_where_the_period_does() {
        let period = Period {
            from: Millis(40_000),
            to: Millis(100_000),
            step: Duration::from_secs(30),
            ..Period::default()
        };
        let mut rollups = Rollups::of(&period, Millis(100_000));
        let mut one = Rollup::default();
        one.note(&Run::default(), Ending::Retried);
        for at in [40_000, 60_000, 70_000, 90_000] {
            rollups.add(Millis(at), "q", "t", &one);
        }
        let buckets = &rollups.series[""];
        let told: Vec<_> = buckets.iter().map(|(at, it)| (at.0, it.failed)).collect();
        assert_eq!(told, [(40_000, 2), (70_000, 2)]);
    }
}
