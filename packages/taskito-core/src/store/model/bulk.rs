//! Searching by a filter, operations on many jobs, and the record of what people did.

use super::{Draft, Job, ModelStore, Tables};
use crate::bulk::{Advance, AuditRow, MARK, NewOperation, OperationRow, Phase};
use crate::call_text::Call;
use crate::clock::Millis;
use crate::error::Result;
use crate::filter::{Candidate, Filter};
use crate::id::{DatabaseId, Key};
use crate::job::WorkerRow;
use crate::state::State;
use crate::store::bulk::{Direction, Found, Search, Sight};
use crate::store::{Bulk, Searching};

impl Bulk for Draft<'_> {
    fn begin_operation(&mut self, now: Millis, wanted: &NewOperation) -> Result<Key> {
        let key = self.keys.next(now);
        let newest = self.tables.jobs.keys().next_back();
        let row = OperationRow {
            key,
            wanted: wanted.clone(),
            started_at: now,
            last: newest.copied().unwrap_or_default(),
            reached: Key(0),
            done: 0,
            skipped: 0,
            phase: Phase::Running,
            driver: 0,
            leased_until: Millis(0),
            next_at: Millis(0),
            waits_until: None,
            ended_at: None,
            report: None,
        };
        self.tables.operations.insert(key, row);
        Ok(key)
    }

    fn operation_now(&mut self, operation: Key) -> Result<Option<OperationRow>> {
        Ok(self.tables.operations.get(&operation).cloned())
    }

    fn advance_operation(&mut self, now: Millis, advance: &Advance) -> Result<()> {
        let found = self.tables.operations.get_mut(&advance.operation);
        if let Some(row) = found.filter(|row| row.phase == Phase::Running) {
            row.reached = advance.reached;
            row.done += advance.done;
            row.skipped += advance.skipped;
            row.phase = advance.phase;
            row.report.clone_from(&advance.report);
            row.driver = advance.driver;
            row.leased_until = advance.leased_until;
            row.next_at = advance.next_at;
            row.waits_until = advance.waits_until;
            row.ended_at = (advance.phase != Phase::Running).then_some(now);
        }
        Ok(())
    }

    fn sight(&mut self, filter: &Filter, now: Millis, job: Key) -> Result<Option<Sight>> {
        let found = self.tables.jobs.get(&job);
        let found = found.filter(|job| self.tables.meets(job, filter, now, self.database));
        let mut letters = self.tables.letters.values();
        Ok(found.map(|found| Sight {
            state: found.row.state,
            letter: letters
                .find(|letter| letter.job == job)
                .map(|letter| letter.key),
        }))
    }

    fn note_touched(&mut self, operation: Key, job: Key, copy: Option<Key>) -> Result<()> {
        self.tables.touched.insert((operation, job), copy);
        Ok(())
    }

    fn report_operation(&mut self, operation: Key, report: &str) -> Result<()> {
        let found = self.tables.operations.get_mut(&operation);
        if let Some(row) = found.filter(|row| row.phase != Phase::Running) {
            row.report = Some(report.into());
        }
        Ok(())
    }

    fn audit(&mut self, now: Millis, who: &str, deed: &str, subject: &str, n: u64) -> Result<()> {
        let key = self.keys.next(now);
        let row = AuditRow {
            key,
            at: now,
            who: who.into(),
            deed: deed.into(),
            subject: subject.into(),
            count: n,
        };
        self.tables.deeds.insert(key, row);
        Ok(())
    }

    fn forget_deeds(&mut self, before: Millis) -> Result<()> {
        let before = Key::first_at(before);
        self.tables.deeds.retain(|key, _| *key >= before);
        let touched = &mut self.tables.touched;
        touched.retain(|(operation, _), _| *operation >= before);
        let operations = &mut self.tables.operations;
        operations.retain(|key, row| *key >= before || row.phase == Phase::Running);
        Ok(())
    }
}

impl Tables {
    fn meets(&self, job: &Job, filter: &Filter, now: Millis, database: DatabaseId) -> bool {
        let row = &job.row;
        let worker = row.owner.and_then(|owner| self.workers.get(&owner));
        let worker = worker.map(|worker| names(worker, database));
        let candidate = Candidate {
            key: row.key,
            queue: &row.queue,
            task: &row.task,
            state: row.state,
            retry_count: row.retry_count,
            created_at: row.created_at,
            run_at: row.run_at,
            claimed_at: row.claimed_at,
            finished_at: row.finished_at,
            metadata: row.metadata.as_deref(),
            error: row.error.as_deref(),
            failure: self.failure_of(row),
            call: Call {
                preview: row.preview.as_deref(),
                payload: std::str::from_utf8(&job.payload).ok(),
            },
            worker: worker.as_deref(),
        };
        filter.meets(&candidate, now, database)
    }
}

fn names(worker: &WorkerRow, database: DatabaseId) -> String {
    let (host, pid) = (&worker.about.hostname, worker.about.pid);
    format!("{host} {host}:{pid} {}", worker.key.text(database))
}

impl Searching for ModelStore {
    fn search(&self, search: &Search<'_>) -> Result<Found> {
        let tables = self.committed();
        let jobs = tables.jobs.values().filter(|job| {
            job.row.key > search.after
                && job.row.key < search.before
                && tables.meets(job, search.filter, search.now, self.database)
        });
        let mut keys: Vec<Key> = jobs.map(|job| job.row.key).collect();
        if search.direction == Direction::NewestFirst {
            keys.reverse();
        }
        keys.truncate(search.limit as usize);
        let is_full = keys.len() == search.limit as usize;
        Ok(Found {
            next: keys.last().copied().filter(|_| is_full),
            keys,
            examined: 0,
        })
    }

    fn count_lanes(&self, filter: &Filter) -> Result<u64> {
        let tables = self.committed();
        let meets = |job: &&Job| {
            let row = &job.row;
            filter.may_meet(&row.queue, &row.task, row.state)
        };
        Ok(tables.jobs.values().filter(meets).count() as u64)
    }

    fn operations(&self, limit: u32) -> Result<Vec<OperationRow>> {
        let tables = self.committed();
        let rows = tables.operations.values().rev().cloned();
        Ok(rows.take(limit as usize).collect())
    }

    fn operation(&self, operation: Key) -> Result<Option<OperationRow>> {
        Ok(self.committed().operations.get(&operation).cloned())
    }

    fn running_operations(&self) -> Result<Vec<OperationRow>> {
        let tables = self.committed();
        let running = |row: &&OperationRow| row.phase == Phase::Running;
        Ok(tables
            .operations
            .values()
            .filter(running)
            .cloned()
            .collect())
    }

    fn failed_copies(&self, operation: Key, cap: u32) -> Result<u64> {
        let tables = self.committed();
        let failed = |copy: &Key| {
            let found = tables.jobs.get(copy);
            found.is_some_and(|job| job.row.state == State::Dead || job.row.retry_count > 0)
        };
        let touched = tables
            .touched
            .iter()
            .filter(|((of, _), _)| *of == operation);
        let copies = touched.filter_map(|(_, copy)| copy.as_ref());
        let number = copies.filter(|copy| failed(copy)).count() as u64;
        Ok(number.min(u64::from(cap)))
    }

    fn touched(&self, operation: Key, limit: u32) -> Result<Vec<(Key, Option<Key>)>> {
        let tables = self.committed();
        let touched = tables
            .touched
            .iter()
            .filter(|((of, _), _)| *of == operation);
        let pairs = touched.map(|((_, job), copy)| (*job, *copy));
        Ok(pairs.take(limit as usize).collect())
    }

    fn marks(&self, from: Millis, to: Millis, limit: u32) -> Result<Vec<AuditRow>> {
        let tables = self.committed();
        let between = Key::first_at(from)..Key::first_at(to);
        let rows = tables.deeds.range(between).rev().map(|(_, row)| row);
        let marks = rows.filter(|row| row.deed == MARK).cloned();
        Ok(marks.take(limit as usize).collect())
    }

    fn deeds(&self, limit: u32) -> Result<Vec<AuditRow>> {
        let tables = self.committed();
        let rows = tables.deeds.values().rev().cloned();
        Ok(rows.take(limit as usize).collect())
    }
}
