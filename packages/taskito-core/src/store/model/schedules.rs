//! What happens to schedules, row by row.

use super::{Draft, ModelStore};
use crate::clock::Millis;
use crate::error::Result;
use crate::id::Key;
use crate::job::WorkerId;
use crate::schedule::{Plan, ScheduleRow, Ticked};
use crate::store::{Arrows, Schedules, Timetable};

impl Schedules for Draft<'_> {
    fn declare(&mut self, now: Millis, worker: WorkerId, plans: &[Plan]) -> Result<()> {
        for plan in plans {
            let row = match self.tables.schedules.get(&plan.name) {
                Some(stored) => plan.row_over(stored, now),
                None => plan.row(now),
            };
            self.tables.schedules.insert(plan.name.clone(), row);
            if let Some(worker) = self.tables.workers.get_mut(&worker)
                && !worker.schedules.contains(&plan.name)
            {
                worker.schedules.push(plan.name.clone());
            }
        }
        Ok(())
    }

    fn introduce(&mut self, now: Millis, plans: &[Plan]) -> Result<()> {
        for plan in plans {
            self.tables
                .schedules
                .entry(plan.name.clone())
                .or_insert_with(|| plan.row(now));
        }
        Ok(())
    }

    fn tick(&mut self, now: Millis, name: &str) -> Result<Ticked> {
        let mut ticked = Ticked::default();
        let Some(mut row) = self.tables.schedules.get(name).cloned() else {
            return Ok(ticked);
        };
        let Some(decision) = row.decide(now)? else {
            return Ok(ticked);
        };
        for fire in decision.fires {
            let key = self.enqueue(now, &row, fire)?;
            ticked.jobs.push(key);
            row.remember(&[fire], &[key]);
        }
        ticked.overflowed = decision.overflowed;
        row.next_run = decision.next;
        self.tables.schedules.insert(name.to_owned(), row);
        Ok(ticked)
    }

    fn trigger(&mut self, now: Millis, name: &str) -> Result<Option<Key>> {
        let Some(mut row) = self.tables.schedules.get(name).cloned() else {
            return Ok(None);
        };
        let job = self.enqueue(now, &row, now)?;
        row.remember(&[now], &[job]);
        let key = row.last_job;
        self.tables.schedules.insert(name.to_owned(), row);
        Ok(key)
    }

    fn pause_schedule(&mut self, name: &str) -> Result<bool> {
        let row = self.tables.schedules.get_mut(name);
        Ok(row
            .map(|row| {
                row.enabled = false;
                row.next_run = None;
            })
            .is_some())
    }

    fn resume_schedule(&mut self, now: Millis, name: &str) -> Result<bool> {
        let Some(row) = self.tables.schedules.get_mut(name) else {
            return Ok(false);
        };
        if !row.enabled {
            row.enabled = true;
            row.next_run = row.timing()?.next(now);
        }
        Ok(true)
    }

    fn delete_schedule(&mut self, name: &str) -> Result<bool> {
        Ok(self.tables.schedules.remove(name).is_some())
    }
}

impl Draft<'_> {
    fn enqueue(&mut self, now: Millis, row: &ScheduleRow, fire: Millis) -> Result<Key> {
        Ok(self.insert(now, &[row.job(fire)])?[0].key)
    }
}

impl Timetable for ModelStore {
    fn schedules(&self) -> Result<Vec<ScheduleRow>> {
        Ok(self.committed().schedules.values().cloned().collect())
    }

    fn fires(&self) -> Result<Vec<(String, Millis)>> {
        let tables = self.committed();
        let mut fires: Vec<(String, Millis)> = tables
            .schedules
            .values()
            .filter_map(|row| Some((row.name.clone(), row.next_run?)))
            .collect();
        fires.sort_by_key(|(name, at)| (*at, name.clone()));
        Ok(fires)
    }
}
