//! Which fires of a schedule become jobs, decided by looking at every instant.

use std::collections::HashSet;

use taskito_core::clock::Millis;
use taskito_core::job::JobRow;
use taskito_core::schedule::{CatchUp, ScheduleRow};

use crate::laws::Lawful;
use crate::record::millis;
use crate::sight::Sight;

/// A fire later than this was missed.
const LATE: i64 = 10_000;

/// The fires that became jobs.
#[derive(Default)]
pub(crate) struct Fires {
    seen: HashSet<(String, Millis)>,
    /// Jobs that somebody had a schedule make now.
    pub(crate) triggered: u32,
}

impl Fires {
    /// Holds what became of schedules in one step against the law.
    pub(crate) fn hold(&mut self, before: &Sight, after: &Sight) -> Lawful {
        for schedule in &after.schedules {
            let Some(old) = before
                .schedules
                .iter()
                .find(|row| row.name == schedule.name)
            else {
                continue;
            };
            let mut fired: Vec<Millis> = after
                .jobs
                .values()
                .filter(|row| !before.jobs.contains_key(&row.key))
                .filter_map(|row| fire(row, &schedule.name))
                .collect();
            fired.sort();
            if self.triggered > 0 {
                self.triggered = 0;
                continue;
            }
            for time in &fired {
                if !self.seen.insert((schedule.name.clone(), *time)) {
                    return Err(format!(
                        "schedule '{}' fired twice for {time:?}",
                        schedule.name
                    ));
                }
            }
            let expected = if old.enabled && schedule.enabled && old.next_run != schedule.next_run {
                expected(old, after.now)
            } else {
                Vec::new()
            };
            if fired != expected {
                return Err(format!(
                    "schedule '{}' fired for {fired:?} instead of {expected:?}, due {:?} at {:?}",
                    schedule.name, old.next_run, after.now
                ));
            }
        }
        Ok(())
    }
}

fn fire(row: &JobRow, schedule: &str) -> Option<Millis> {
    let fire = row.fire.as_ref()?;
    (fire.schedule == schedule).then_some(fire.time)
}

/// The fires of a schedule with a period that become jobs now.
fn expected(old: &ScheduleRow, now: Millis) -> Vec<Millis> {
    let (Some(due), Some(period)) = (old.next_run, old.every) else {
        return Vec::new();
    };
    let step = usize::try_from(millis(period)).unwrap();
    let all: Vec<Millis> = (due.0..=now.0).step_by(step).map(Millis).collect();
    let (missed, in_time): (Vec<Millis>, Vec<Millis>) =
        all.into_iter().partition(|at| now.0 - at.0 > LATE);
    let kept = match old.catch_up {
        CatchUp::None => 0,
        CatchUp::One => 1,
        CatchUp::All => 1000,
    };
    let excess = missed.len().saturating_sub(kept);
    missed.into_iter().skip(excess).chain(in_time).collect()
}
