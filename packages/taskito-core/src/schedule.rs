//! A schedule: what it enqueues, and the pure decision which of its fires become jobs.

use std::collections::VecDeque;
use std::iter::successors;
use std::sync::Arc;
use std::time::Duration;

use crate::clock::Millis;
use crate::error::Result;
use crate::id::Key;
use crate::job::{Fire, JobSpec, NewJob};
use crate::timing::Timing;

/// A fire later than this is missed.
const LATE: i64 = 10_000;

/// Of missed fires that are all made up, at most so many.
const MOST: usize = 1000;

/// So many of its newest jobs a schedule knows.
const REMEMBERED: usize = 12;

/// What becomes of fires that were missed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CatchUp {
    /// They become one job, for the latest of them.
    One,
    /// They are dropped.
    None,
    /// Each becomes a job, up to a limit.
    All,
}

impl CatchUp {
    /// The stored name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::One => "one",
            Self::None => "none",
            Self::All => "all",
        }
    }

    /// The choice with that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::One, Self::None, Self::All]
            .into_iter()
            .find(|choice| choice.name() == name)
    }
}

/// A schedule as a program declares it.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Its name; declaring it again replaces it.
    pub name: String,
    /// Task, queue, priority, retries and timeout of its jobs; the rest plays no part.
    pub spec: Arc<JobSpec>,
    /// Serialized arguments of its jobs.
    pub payload: Vec<u8>,
    /// The same for people.
    pub preview: Option<String>,
    /// When it fires.
    pub timing: Timing,
    /// What becomes of missed fires.
    pub catch_up: CatchUp,
}

/// A schedule as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScheduleRow {
    /// Its name.
    pub name: String,
    /// Task of its jobs.
    pub task: String,
    /// Queue of its jobs.
    pub queue: String,
    /// The cron expression, unless it has a period.
    pub cron: Option<String>,
    /// The period, unless it has a cron expression.
    pub every: Option<Duration>,
    /// IANA name of the time zone.
    pub timezone: String,
    /// What becomes of missed fires.
    pub catch_up: CatchUp,
    /// Priority of its jobs.
    pub priority: i32,
    /// Retries of its jobs.
    pub max_retries: u32,
    /// Longest run of one attempt of its jobs; zero is no limit.
    pub timeout: Duration,
    /// Serialized arguments of its jobs.
    pub payload: Vec<u8>,
    /// The same for people.
    pub preview: Option<String>,
    /// Whether it fires; an operator pauses and resumes it.
    pub enabled: bool,
    /// The next fire; `None` while it is paused, or when there will be none.
    pub next_run: Option<Millis>,
    /// The fire of its newest job.
    pub last_run: Option<Millis>,
    /// Its newest job, which may be gone.
    pub last_job: Option<Key>,
    /// Its newest jobs with that one, the newest last; some may be gone.
    pub recent: Vec<Key>,
}

/// What one look at a schedule came to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ticked {
    /// The jobs it enqueued, in the order of their fires.
    pub jobs: Vec<Key>,
    /// Whether missed fires were too many to be made up.
    pub overflowed: bool,
}

/// What to do about the fires that are due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decision {
    /// The fires that become jobs, oldest first.
    pub fires: Vec<Millis>,
    /// The first fire that is not due yet.
    pub next: Option<Millis>,
    /// Whether missed fires were too many to be made up.
    pub overflowed: bool,
}

impl Plan {
    /// The row of a schedule that has not fired yet.
    #[must_use]
    pub fn row(&self, now: Millis) -> ScheduleRow {
        ScheduleRow {
            name: self.name.clone(),
            task: self.spec.task.to_string(),
            queue: self.spec.queue.to_string(),
            cron: self.timing.cron().map(str::to_owned),
            every: self.timing.period(),
            timezone: self.timing.timezone().to_owned(),
            catch_up: self.catch_up,
            priority: self.spec.priority,
            max_retries: self.spec.max_retries,
            timeout: self.spec.timeout,
            payload: self.payload.clone(),
            preview: self.preview.clone(),
            enabled: true,
            next_run: self.timing.next(now),
            last_run: None,
            last_job: None,
            recent: Vec::new(),
        }
    }

    /// The row that takes the place of a stored one: what the operator and the past say stays,
    /// and so does the next fire, unless it is another expression or time zone.
    #[must_use]
    pub fn row_over(&self, stored: &ScheduleRow, now: Millis) -> ScheduleRow {
        let fresh = self.row(now);
        let same_timing = fresh.cron == stored.cron
            && fresh.every == stored.every
            && fresh.timezone == stored.timezone;
        ScheduleRow {
            enabled: stored.enabled,
            next_run: match stored.next_run {
                _ if !stored.enabled => None,
                Some(next_run) if same_timing => Some(next_run),
                _ => fresh.next_run,
            },
            last_run: stored.last_run,
            last_job: stored.last_job,
            recent: stored.recent.clone(),
            ..fresh
        }
    }
}

impl ScheduleRow {
    /// When it fires.
    ///
    /// # Errors
    /// An expression or zone that only a newer version knows.
    pub fn timing(&self) -> Result<Timing> {
        Timing::from_parts(self.cron.as_deref(), self.every, &self.timezone)
    }

    /// What to do now about its fires.
    ///
    /// # Errors
    /// As [`ScheduleRow::timing`].
    pub fn decide(&self, now: Millis) -> Result<Option<Decision>> {
        match self.next_run {
            Some(due) if due <= now => Ok(Some(decide(&self.timing()?, self.catch_up, due, now))),
            _ => Ok(None),
        }
    }

    /// Notes that these fires became jobs, both the newest last.
    pub fn remember(&mut self, fires: &[Millis], jobs: &[Key]) {
        self.last_run = fires.last().copied().or(self.last_run);
        self.last_job = jobs.last().copied().or(self.last_job);
        self.recent.extend(jobs);
        let excess = self.recent.len().saturating_sub(REMEMBERED);
        self.recent.drain(..excess);
    }

    /// The job of one fire.
    #[must_use]
    pub fn job(&self, time: Millis) -> NewJob {
        let spec = JobSpec {
            queue: self.queue.as_str().into(),
            priority: self.priority,
            max_retries: self.max_retries,
            timeout: self.timeout,
            headers: Some(headers(&self.name, time)),
            fire: Some(Fire {
                schedule: self.name.clone(),
                time,
            }),
            ..JobSpec::new(&self.task)
        };
        NewJob {
            preview: self.preview.clone(),
            ..NewJob::new(spec.into(), self.payload.clone())
        }
    }
}

/// Which fires from `due` until `now` become jobs.
fn decide(timing: &Timing, catch_up: CatchUp, due: Millis, now: Millis) -> Decision {
    let missed_until = Millis(now.0.saturating_sub(LATE + 1));
    let most = match catch_up {
        CatchUp::One => 1,
        CatchUp::None => 0,
        CatchUp::All => MOST,
    };
    let (missed, overflowed) = newest(timing, due, missed_until, most);
    let on_time = if due > missed_until {
        Some(due)
    } else {
        timing.next(missed_until)
    };
    let on_time = successors(on_time, |fire| timing.next(*fire)).take_while(|fire| *fire <= now);
    Decision {
        fires: missed.into_iter().chain(on_time).collect(),
        next: timing.next(now),
        overflowed: overflowed && catch_up == CatchUp::All,
    }
}

/// The newest `most` fires from `due` until `until`, oldest first, and whether there are more.
/// Looks back in growing steps, as years of fires may have been missed.
fn newest(timing: &Timing, due: Millis, until: Millis, most: usize) -> (VecDeque<Millis>, bool) {
    let mut reach = 1000;
    loop {
        let start = Millis(until.0.saturating_sub(reach));
        let all = start < due;
        let first = if all { Some(due) } else { timing.next(start) };
        let mut fires = VecDeque::new();
        let mut more = !all;
        for fire in successors(first, |fire| timing.next(*fire)) {
            if fire > until {
                break;
            }
            fires.push_back(fire);
            if fires.len() > most {
                fires.pop_front();
                more = true;
            }
        }
        if all || fires.len() == most {
            return (fires, more);
        }
        reach = reach.saturating_mul(4);
    }
}

/// A JSON object that tells a job which fire it is for.
fn headers(name: &str, time: Millis) -> String {
    let mut text = String::new();
    for letter in name.chars() {
        match letter {
            '"' | '\\' => text.extend(['\\', letter]),
            control if control < ' ' => {
                text.extend(format!("\\u{:04x}", u32::from(control)).chars());
            }
            other => text.push(other),
        }
    }
    format!(
        r#"{{"taskito-fire-time":"{}","taskito-schedule":"{text}"}}"#,
        time.0
    )
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    const NOW: Millis = Millis(1_711_846_805_123);

    /// All fires from `due` until `now`, one by one.
    fn plainly(timing: &Timing, catch_up: CatchUp, due: Millis, now: Millis) -> Decision {
        let all: Vec<Millis> = successors(Some(due), |fire| timing.next(*fire))
            .take_while(|fire| *fire <= now)
            .collect();
        let (missed, on_time): (Vec<Millis>, Vec<Millis>) =
            all.iter().partition(|fire| now.0 - fire.0 > 10_000);
        let (kept, overflowed) = match catch_up {
            CatchUp::One => (missed.last().into_iter().copied().collect(), false),
            CatchUp::None => (Vec::new(), false),
            CatchUp::All => {
                let excess = missed.len().saturating_sub(1000);
                (missed[excess..].to_vec(), excess > 0)
            }
        };
        Decision {
            fires: kept.into_iter().chain(on_time).collect(),
            next: timing.next(now),
            overflowed,
        }
    }

    #[test]
    fn decides_as_if_it_looked_at_every_fire() {
        let timings = [
            Timing::from_parts(Some("* * * * * *"), None, "UTC"),
            Timing::from_parts(Some("*/7 * 3 * * *"), None, "Europe/Berlin"),
            Timing::from_parts(Some("30 2 * * *"), None, "Europe/Berlin"),
            Timing::from_parts(Some("0 0 29 2 *"), None, "UTC"),
            Timing::every(Duration::from_millis(2500), "UTC"),
            Timing::every(Duration::from_secs(86_400), "UTC"),
        ];
        for timing in timings {
            let timing = timing.unwrap();
            for late in [0, 1, 9_999, 10_000, 10_001, 60_000, 3_600_000, 100_000_000] {
                let start = Millis(NOW.0 - late);
                // Its own fire, and one that only an older rule would have.
                for due in [timing.next(start).unwrap(), start] {
                    for catch_up in [CatchUp::One, CatchUp::None, CatchUp::All] {
                        if due <= NOW {
                            assert_eq!(
                                decide(&timing, catch_up, due, NOW),
                                plainly(&timing, catch_up, due, NOW),
                                "{timing:?} {catch_up:?} {due:?}"
                            );
                        }
                    }
                }
            }
        }
    }
}
