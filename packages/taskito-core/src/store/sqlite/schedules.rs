//! Arrow `tick`, and what else happens to schedules.

use rusqlite::{OptionalExtension, Row, named_params};

use super::row::{join_names, millis, split_names};
use super::transaction::SqliteTransaction;
use super::{SqliteStore, row};
use crate::clock::Millis;
use crate::error::Result;
use crate::id::Key;
use crate::job::{NewJob, WorkerId};
use crate::schedule::{Plan, ScheduleRow, Ticked};
use crate::store::{Arrows, Schedules, Timetable};

impl Schedules for SqliteTransaction<'_> {
    fn declare(&mut self, now: Millis, worker: WorkerId, plans: &[Plan]) -> Result<()> {
        for plan in plans {
            let fresh = match self.schedule(&plan.name)? {
                Some(stored) => {
                    let fresh = plan.row_over(&stored, now);
                    self.store_schedule(include_str!("sql/replace_schedule.sql"), &fresh)
                }
                None => self.store_schedule(include_str!("sql/add_schedule.sql"), &plan.row(now)),
            };
            self.explained(fresh)?;
        }
        let noted = self.note_declared(worker, plans);
        self.explained(noted)
    }

    fn introduce(&mut self, now: Millis, plans: &[Plan]) -> Result<()> {
        for plan in plans {
            if self.schedule(&plan.name)?.is_none() {
                let added =
                    self.store_schedule(include_str!("sql/add_schedule.sql"), &plan.row(now));
                self.explained(added)?;
            }
        }
        Ok(())
    }

    fn tick(&mut self, now: Millis, name: &str) -> Result<Ticked> {
        let Some(mut schedule) = self.schedule(name)? else {
            return Ok(Ticked::default());
        };
        let Some(decision) = schedule.decide(now)? else {
            return Ok(Ticked::default());
        };
        let jobs: Vec<NewJob> = decision.fires.iter().map(|at| schedule.job(*at)).collect();
        let inserted = self.insert(now, &jobs)?;
        let jobs: Vec<Key> = inserted.iter().map(|job| job.key).collect();
        schedule.next_run = decision.next;
        schedule.remember(&decision.fires, &jobs);
        self.move_on(&schedule)?;
        Ok(Ticked {
            jobs,
            overflowed: decision.overflowed,
        })
    }

    fn trigger(&mut self, now: Millis, name: &str) -> Result<Option<Key>> {
        let Some(mut schedule) = self.schedule(name)? else {
            return Ok(None);
        };
        let inserted = self.insert(now, &[schedule.job(now)])?;
        let jobs: Vec<Key> = inserted.iter().map(|job| job.key).collect();
        schedule.remember(&[now], &jobs);
        self.move_on(&schedule)?;
        Ok(schedule.last_job)
    }

    fn pause_schedule(&mut self, name: &str) -> Result<bool> {
        self.change_schedule(
            include_str!("sql/pause_schedule.sql"),
            named_params! {":name": name},
        )
    }

    fn resume_schedule(&mut self, now: Millis, name: &str) -> Result<bool> {
        let Some(schedule) = self.schedule(name)? else {
            return Ok(false);
        };
        if schedule.enabled {
            return Ok(true);
        }
        self.change_schedule(
            include_str!("sql/resume_schedule.sql"),
            named_params! {":name": name, ":next_run": schedule.timing()?.next(now)},
        )
    }

    fn delete_schedule(&mut self, name: &str) -> Result<bool> {
        self.change_schedule(
            include_str!("sql/delete_schedule.sql"),
            named_params! {":name": name},
        )
    }
}

impl SqliteTransaction<'_> {
    fn schedule(&self, name: &str) -> Result<Option<ScheduleRow>> {
        let found = self
            .connection
            .prepare_cached(include_str!("sql/schedule.sql"))
            .and_then(|mut statement| {
                statement
                    .query_row(named_params! {":name": name}, schedule)
                    .optional()
            });
        self.explained(found)
    }

    fn store_schedule(&self, statement: &str, row: &ScheduleRow) -> rusqlite::Result<()> {
        self.connection
            .prepare_cached(statement)?
            .execute(named_params! {
                ":name": row.name,
                ":task": row.task,
                ":queue": row.queue,
                ":cron": row.cron,
                ":every_ms": row.every.map(millis),
                ":timezone": row.timezone,
                ":catch_up": row.catch_up,
                ":priority": row.priority,
                ":max_retries": row.max_retries,
                ":timeout_ms": millis(row.timeout),
                ":payload": row.payload,
                ":enabled": row.enabled,
                ":next_run": row.next_run,
                ":last_run": row.last_run,
                ":last_job": row.last_job,
                ":preview": row.preview,
                ":recent": join_keys(&row.recent),
            })?;
        Ok(())
    }

    /// Adds to the schedules that a worker is known to declare.
    fn note_declared(&self, worker: WorkerId, plans: &[Plan]) -> rusqlite::Result<()> {
        let known: Option<String> = self
            .connection
            .prepare_cached(include_str!("sql/declared.sql"))?
            .query_row(named_params! {":id": worker}, |row| row.get(0))
            .optional()?;
        let mut names = split_names(&known.unwrap_or_default());
        for plan in plans {
            if !names.contains(&plan.name) {
                names.push(plan.name.clone());
            }
        }
        self.connection
            .prepare_cached(include_str!("sql/declare.sql"))?
            .execute(named_params! {":id": worker, ":schedules": join_names(&names)})?;
        Ok(())
    }

    fn move_on(&self, row: &ScheduleRow) -> Result<()> {
        self.change_schedule(
            include_str!("sql/tick.sql"),
            named_params! {
                ":name": row.name,
                ":next_run": row.next_run,
                ":last_run": row.last_run,
                ":last_job": row.last_job,
                ":recent": join_keys(&row.recent),
            },
        )
        .map(|_| ())
    }

    /// Runs a statement that concerns one schedule; whether there is such a schedule.
    fn change_schedule(
        &self,
        statement: &str,
        params: &[(&str, &dyn rusqlite::ToSql)],
    ) -> Result<bool> {
        let changed = self
            .connection
            .prepare_cached(statement)
            .and_then(|mut statement| statement.execute(params));
        self.explained(changed).map(|rows| rows == 1)
    }
}

impl Timetable for SqliteStore {
    fn schedules(&self) -> Result<Vec<ScheduleRow>> {
        self.read(|connection| {
            connection
                .prepare_cached(include_str!("sql/schedules.sql"))?
                .query_map([], schedule)?
                .collect()
        })
    }

    fn fires(&self) -> Result<Vec<(String, Millis)>> {
        self.read(|connection| {
            connection
                .prepare_cached(include_str!("sql/fires.sql"))?
                .query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?
                .collect()
        })
    }
}

/// A row of `schedule.sql` or `schedules.sql`.
fn schedule(row: &Row<'_>) -> rusqlite::Result<ScheduleRow> {
    Ok(ScheduleRow {
        name: row.get(0)?,
        task: row.get(1)?,
        queue: row.get(2)?,
        cron: row.get(3)?,
        every: row::optional_duration(row, 4)?,
        timezone: row.get(5)?,
        catch_up: row.get(6)?,
        priority: row.get(7)?,
        max_retries: row.get(8)?,
        timeout: row::duration(row, 9)?,
        payload: row.get(10)?,
        enabled: row.get(11)?,
        next_run: row.get(12)?,
        last_run: row.get(13)?,
        last_job: row.get(14)?,
        preview: row.get(15)?,
        recent: split_keys(row.get_ref(16)?.as_str()?),
    })
}

/// Keys as text, with a space between any two.
fn join_keys(keys: &[Key]) -> String {
    let keys: Vec<String> = keys.iter().map(|key| key.0.to_string()).collect();
    keys.join(" ")
}

/// The keys in such a text.
fn split_keys(text: &str) -> Vec<Key> {
    let words = text.split(' ').filter_map(|word| word.parse().ok());
    words.map(Key).collect()
}
