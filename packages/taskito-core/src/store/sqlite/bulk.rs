//! Operations on many jobs, and the record of what people did.

use std::time::Duration;

use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, ValueRef};
use rusqlite::{OptionalExtension, Result, Row, named_params};

use super::SqliteStore;
use super::row::{join_names, millis, split_names};
use super::search::Examiner;
use super::transaction::SqliteTransaction;
use crate::bulk::{Advance, AuditRow, Canary, NewOperation, OperationRow, Phase, Verb};
use crate::clock::Millis;
use crate::error;
use crate::filter::{Filter, Written};
use crate::id::Key;
use crate::store::bulk::{Found, Search, Sight};
use crate::store::{Bulk, Searching};

impl Bulk for SqliteTransaction<'_> {
    fn begin_operation(&mut self, now: Millis, wanted: &NewOperation) -> error::Result<Key> {
        let begun = self.write_operation(now, wanted);
        self.explained(begun)
    }

    fn operation_now(&mut self, operation: Key) -> error::Result<Option<OperationRow>> {
        let found = self
            .connection
            .prepare_cached(include_str!("sql/operation.sql"))
            .and_then(|mut it| {
                it.query_row(named_params! {":id": operation}, read)
                    .optional()
            });
        self.explained(found)
    }

    fn advance_operation(&mut self, now: Millis, advance: &Advance) -> error::Result<()> {
        let advanced = self.write_advance(now, advance);
        self.explained(advanced)
    }

    fn sight(&mut self, filter: &Filter, now: Millis, job: Key) -> error::Result<Option<Sight>> {
        let seen = Examiner::new(self.connection, filter, now, self.database)
            .and_then(|examiner| examiner.sight(self.connection, job));
        self.explained(seen)
    }

    fn note_touched(&mut self, operation: Key, job: Key, copy: Option<Key>) -> error::Result<()> {
        let noted = self.write_touched(operation, job, copy);
        self.explained(noted)
    }

    fn report_operation(&mut self, operation: Key, report: &str) -> error::Result<()> {
        let told = self.write_report(operation, report);
        self.explained(told)
    }

    fn audit(
        &mut self,
        now: Millis,
        who: &str,
        deed: &str,
        subject: &str,
        n: u64,
    ) -> error::Result<()> {
        let noted = self.write_deed(now, who, deed, subject, n);
        self.explained(noted)
    }

    fn forget_deeds(&mut self, before: Millis) -> error::Result<()> {
        let forgotten = self.forget_deeds_before(Key::first_at(before));
        self.explained(forgotten)
    }
}

impl SqliteTransaction<'_> {
    fn write_operation(&self, now: Millis, wanted: &NewOperation) -> Result<Key> {
        let mut begin = self
            .connection
            .prepare_cached(include_str!("sql/begin_operation.sql"))?;
        self.with_new_key(now, |key| {
            begin.execute(named_params! {
                ":id": key,
                ":verb": wanted.verb,
                ":filter": wanted.text,
                ":terms": join_terms(&wanted.filter),
                ":who": wanted.who,
                ":total": wanted.total,
                ":rate": wanted.rate,
                ":stop_after": wanted.stop_after,
                ":canary": wanted.canary.map(|canary| canary.jobs),
                ":canary_wait_ms": wanted.canary.map(|canary| millis(canary.wait)),
                ":now": now,
            })?;
            Ok(key)
        })
    }

    fn write_advance(&self, now: Millis, advance: &Advance) -> Result<()> {
        self.connection
            .prepare_cached(include_str!("sql/advance_operation.sql"))?
            .execute(named_params! {
                ":id": advance.operation,
                ":reached": advance.reached,
                ":done": advance.done,
                ":skipped": advance.skipped,
                ":phase": advance.phase,
                ":driver": advance.driver,
                ":leased_until": advance.leased_until,
                ":next_at": advance.next_at,
                ":waits_until": advance.waits_until,
                ":report": advance.report,
                ":now": now,
            })?;
        Ok(())
    }

    fn write_touched(&self, operation: Key, job: Key, copy: Option<Key>) -> Result<()> {
        self.connection
            .prepare_cached(include_str!("sql/note_touched.sql"))?
            .execute(named_params! {":operation": operation, ":job": job, ":copy": copy})?;
        Ok(())
    }

    fn write_report(&self, operation: Key, report: &str) -> Result<()> {
        self.connection
            .prepare_cached(include_str!("sql/report_operation.sql"))?
            .execute(named_params! {":id": operation, ":report": report})?;
        Ok(())
    }

    fn write_deed(&self, now: Millis, who: &str, deed: &str, subject: &str, n: u64) -> Result<()> {
        let mut note = self
            .connection
            .prepare_cached(include_str!("sql/note_deed.sql"))?;
        self.with_new_key(now, |key| {
            note.execute(named_params! {
                ":id": key, ":now": now, ":who": who, ":deed": deed, ":subject": subject, ":count": n,
            })
        })?;
        Ok(())
    }

    fn forget_deeds_before(&self, before: Key) -> Result<()> {
        for statement in [
            include_str!("sql/forget_deeds.sql"),
            include_str!("sql/forget_touched.sql"),
            include_str!("sql/forget_operations.sql"),
        ] {
            self.connection
                .prepare_cached(statement)?
                .execute(named_params! {":before": before})?;
        }
        Ok(())
    }
}

impl Searching for SqliteStore {
    fn search(&self, search: &Search<'_>) -> error::Result<Found> {
        self.search_jobs(search)
    }

    fn count_lanes(&self, filter: &Filter) -> error::Result<u64> {
        self.count_by_lane(filter)
    }

    fn operations(&self, limit: u32) -> error::Result<Vec<OperationRow>> {
        self.read(|connection| {
            connection
                .prepare_cached(include_str!("sql/operations.sql"))?
                .query_map(named_params! {":limit": limit}, read)?
                .collect()
        })
    }

    fn operation(&self, operation: Key) -> error::Result<Option<OperationRow>> {
        self.read(|connection| {
            connection
                .prepare_cached(include_str!("sql/operation.sql"))?
                .query_row(named_params! {":id": operation}, read)
                .optional()
        })
    }

    fn running_operations(&self) -> error::Result<Vec<OperationRow>> {
        self.read(|connection| {
            connection
                .prepare_cached(include_str!("sql/running_operations.sql"))?
                .query_map([], read)?
                .collect()
        })
    }

    fn failed_copies(&self, operation: Key, cap: u32) -> error::Result<u64> {
        self.read(|connection| {
            let mut failed = connection.prepare_cached(include_str!("sql/failed_copies.sql"))?;
            let mut rows = failed.query(named_params! {":operation": operation, ":cap": cap})?;
            let mut number = 0;
            while rows.next()?.is_some() {
                number += 1;
            }
            Ok(number)
        })
    }

    fn touched(&self, operation: Key, limit: u32) -> error::Result<Vec<(Key, Option<Key>)>> {
        self.read(|connection| {
            connection
                .prepare_cached(include_str!("sql/touched.sql"))?
                .query_map(
                    named_params! {":operation": operation, ":limit": limit},
                    |row| Ok((row.get(0)?, row.get(1)?)),
                )?
                .collect()
        })
    }

    fn deeds(&self, limit: u32) -> error::Result<Vec<AuditRow>> {
        self.read(|connection| {
            connection
                .prepare_cached(include_str!("sql/deeds.sql"))?
                .query_map(named_params! {":limit": limit}, deed)?
                .collect()
        })
    }

    fn marks(&self, from: Millis, to: Millis, limit: u32) -> error::Result<Vec<AuditRow>> {
        let (from, to) = (Key::first_at(from), Key::first_at(to));
        self.read(|connection| {
            connection
                .prepare_cached(include_str!("sql/marks.sql"))?
                .query_map(
                    named_params! {":from": from, ":to": to, ":limit": limit},
                    deed,
                )?
                .collect()
        })
    }
}

fn deed(row: &Row<'_>) -> Result<AuditRow> {
    Ok(AuditRow {
        key: row.get(0)?,
        at: row.get(1)?,
        who: row.get(2)?,
        deed: row.get(3)?,
        subject: row.get(4)?,
        count: row.get(5)?,
    })
}

fn read(row: &Row<'_>) -> Result<OperationRow> {
    let terms: String = row.get(3)?;
    let filter = split_terms(&terms).map_err(|error| {
        let kind = rusqlite::types::Type::Text;
        rusqlite::Error::FromSqlConversionFailure(3, kind, Box::new(error))
    })?;
    Ok(OperationRow {
        key: row.get(0)?,
        wanted: NewOperation {
            verb: row.get(1)?,
            filter,
            text: row.get(2)?,
            who: row.get(4)?,
            total: row.get(5)?,
            rate: row.get(6)?,
            stop_after: row.get(7)?,
            canary: canary(row)?,
        },
        last: row.get(8)?,
        reached: row.get(9)?,
        done: row.get(10)?,
        skipped: row.get(11)?,
        phase: row.get(12)?,
        driver: row.get(13)?,
        leased_until: row.get(14)?,
        next_at: row.get(15)?,
        ended_at: row.get(16)?,
        report: row.get(17)?,
        started_at: row.get(18)?,
        waits_until: row.get(21)?,
    })
}

fn canary(row: &Row<'_>) -> Result<Option<Canary>> {
    let (jobs, wait): (Option<u32>, Option<u64>) = (row.get(19)?, row.get(20)?);
    Ok(jobs.zip(wait).map(|(jobs, wait)| Canary {
        jobs,
        wait: Duration::from_millis(wait),
    }))
}

/// The terms as one text column: a list of lists of names.
fn join_terms(filter: &Filter) -> String {
    let terms: Vec<String> = filter
        .written()
        .map(|term| {
            let denied = if term.denied { "-" } else { "+" };
            let mut words = vec![denied.to_owned(), term.field.clone()];
            words.extend(term.values.iter().cloned());
            join_names(&words)
        })
        .collect();
    join_names(&terms)
}

fn split_terms(text: &str) -> error::Result<Filter> {
    let read = |term: &String| {
        let mut words = split_names(term).into_iter();
        Written {
            denied: words.next().as_deref() == Some("-"),
            field: words.next().unwrap_or_default(),
            values: words.collect(),
        }
    };
    Filter::new(split_names(text).iter().map(read).collect())
}

macro_rules! named_column {
    ($($type:ident),*) => {$(
        impl ToSql for $type {
            fn to_sql(&self) -> Result<ToSqlOutput<'_>> {
                Ok(ToSqlOutput::from(self.name()))
            }
        }

        impl FromSql for $type {
            fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
                let name = value.as_str()?;
                Self::from_name(name)
                    .ok_or_else(|| FromSqlError::Other(format!("'{name}' is unknown").into()))
            }
        }
    )*};
}

named_column!(Verb, Phase);
