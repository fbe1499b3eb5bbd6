//! Many jobs at once: searching by a filter, operations, and the record of what people did. Long
//! because each row that they answer has its getters here.

use std::sync::Arc;

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use super::error::detached;
use super::rows::PyJobRow;
use super::store::PyStore;
use super::types::duration;
use crate::bulk::{AuditRow, MARK, NewOperation, OperationRow, Verb};
use crate::clock::Millis;
use crate::error::{Error, Result};
use crate::filter::{Filter, Written};
use crate::id::{DatabaseId, Key};
use crate::os;
use crate::store::bulk::{Direction, Driven, Search, begin, count, drive, stop};
use crate::store::sqlite::{self, SqliteStore};
use crate::store::undo::undo;
use crate::store::{Inspect, JobStore, Searching, Sync, Transaction};

/// Field, whether it is denied, and values.
type PyTerm = (String, bool, Vec<String>);

/// What is done to many jobs of a store at once.
#[pyclass(name = "Bulk", module = "taskito_core", frozen)]
pub(super) struct PyBulk {
    store: Arc<SqliteStore>,
    /// What tells it from others who drive operations.
    number: i64,
}

#[pymethods]
impl PyBulk {
    #[new]
    fn new(store: &Bound<'_, PyStore>) -> Self {
        Self {
            store: Arc::clone(&store.get().0),
            number: os::random().cast_signed(),
        }
    }

    #[pyo3(signature = (terms, *, before = None, newest = None, limit = 50, budget = 100_000, patience_ms = 2000))]
    #[expect(
        clippy::too_many_arguments,
        reason = "what is wanted, and how much of it"
    )]
    fn search(
        &self,
        py: Python<'_>,
        terms: Vec<PyTerm>,
        before: Option<&str>,
        newest: Option<&str>,
        limit: u32,
        budget: u64,
        patience_ms: i64,
    ) -> PyResult<(Vec<PyJobRow>, Option<String>, u64)> {
        detached(py, || {
            let database = self.store.database()?;
            let filter = filter(terms)?;
            let before = before.map_or(Ok(Key::LAST), |id| self.key(id))?;
            let newest = newest.map_or(Ok(Key::LAST), |id| self.key(id))?;
            let found = self.store.search(&Search {
                filter: &filter,
                now: self.store.now(),
                direction: Direction::NewestFirst,
                after: Key(0),
                before: before.min(Key(newest.0.saturating_add(1))),
                limit,
                budget: if filter.reads_rows() {
                    budget
                } else {
                    u64::MAX
                },
                patience: duration(patience_ms),
            })?;
            let mut rows = Vec::with_capacity(found.keys.len());
            for key in found.keys {
                // One that was deleted meanwhile is not shown.
                rows.extend(self.store.job(key)?.map(|row| PyJobRow::new(row, database)));
            }
            Ok((
                rows,
                found.next.map(|key| key.text(database)),
                found.examined,
            ))
        })
    }

    #[pyo3(signature = (terms, *, after = None, cap, budget = 100_000, patience_ms = 2000))]
    fn count(
        &self,
        py: Python<'_>,
        terms: Vec<PyTerm>,
        after: Option<&str>,
        cap: u32,
        budget: u64,
        patience_ms: i64,
    ) -> PyResult<(u64, bool)> {
        detached(py, || {
            let filter = filter(terms)?;
            let budget = if filter.reads_rows() || after.is_some() {
                budget
            } else {
                u64::MAX
            };
            let patience = duration(patience_ms);
            count(
                &*self.store,
                &filter,
                self.store.now(),
                after.map_or(Ok(Key(0)), |id| self.key(id))?,
                cap,
                budget,
                patience,
            )
        })
    }

    #[pyo3(signature = (verb, terms, text, who, *, total, rate = None, stop_after = None))]
    #[expect(
        clippy::too_many_arguments,
        reason = "keyword arguments of a plain record"
    )]
    fn begin(
        &self,
        py: Python<'_>,
        verb: &str,
        terms: Vec<PyTerm>,
        text: String,
        who: String,
        total: u64,
        rate: Option<u32>,
        stop_after: Option<u32>,
    ) -> PyResult<String> {
        let verb = Verb::from_name(verb)
            .ok_or_else(|| PyValueError::new_err(format!("unknown verb '{verb}'")))?;
        detached(py, || {
            let wanted = NewOperation {
                verb,
                filter: filter(terms)?,
                text,
                who,
                total,
                rate,
                stop_after,
            };
            let key = self.operate(|transaction| begin(transaction, self.store.now(), &wanted))?;
            Ok(key.text(self.store.database()?))
        })
    }

    fn stop(&self, py: Python<'_>, operation_id: &str, who: &str) -> PyResult<bool> {
        detached(py, || {
            let Some(key) = Key::parse(operation_id, self.store.database()?) else {
                return Ok(false);
            };
            self.operate(|transaction| stop(transaction, self.store.now(), key, who))
        })
    }

    fn drive(&self, py: Python<'_>) -> PyResult<Option<f64>> {
        let driven = detached(py, || drive(&*self.store, self.store.now(), self.number))?;
        Ok(match driven {
            Driven::Idle => None,
            Driven::Moved => Some(0.0),
            Driven::After(pause) => Some(pause.as_secs_f64()),
        })
    }

    fn undo(&self, py: Python<'_>, operation_id: &str, who: &str) -> PyResult<Option<u64>> {
        detached(py, || {
            let Some(key) = Key::parse(operation_id, self.store.database()?) else {
                return Ok(None);
            };
            undo(&*self.store, self.store.now(), key, who)
        })
    }

    fn touched(
        &self,
        py: Python<'_>,
        operation_id: &str,
        limit: u32,
    ) -> PyResult<Vec<(String, Option<String>)>> {
        detached(py, || {
            let database = self.store.database()?;
            let Some(key) = Key::parse(operation_id, database) else {
                return Ok(Vec::new());
            };
            let touched = self.store.touched(key, limit)?.into_iter();
            let text = |key: Key| key.text(database);
            Ok(touched
                .map(|(job, copy)| (text(job), copy.map(text)))
                .collect())
        })
    }

    fn operations(&self, py: Python<'_>, limit: u32) -> PyResult<Vec<PyOperationRow>> {
        detached(py, || {
            let database = self.store.database()?;
            let rows = self.store.operations(limit)?;
            rows.into_iter()
                .map(|row| self.told(row, database))
                .collect()
        })
    }

    fn operation(&self, py: Python<'_>, operation_id: &str) -> PyResult<Option<PyOperationRow>> {
        detached(py, || {
            let database = self.store.database()?;
            let Some(key) = Key::parse(operation_id, database) else {
                return Ok(None);
            };
            let row = self.store.operation(key)?;
            row.map(|row| self.told(row, database)).transpose()
        })
    }

    fn audit(
        &self,
        py: Python<'_>,
        who: &str,
        deed: &str,
        subject: &str,
        count: u64,
    ) -> PyResult<()> {
        detached(py, || {
            let now = self.store.now();
            self.operate(|transaction| transaction.audit(now, who, deed, subject, count))
        })
    }

    fn mark(&self, py: Python<'_>, who: &str, text: &str) -> PyResult<()> {
        self.audit(py, who, MARK, text, 0)
    }

    fn marks(
        &self,
        py: Python<'_>,
        since: i64,
        until: i64,
        limit: u32,
    ) -> PyResult<Vec<PyAuditRow>> {
        detached(py, || {
            let rows = self.store.marks(Millis(since), Millis(until), limit)?;
            Ok(rows.into_iter().map(PyAuditRow).collect())
        })
    }

    fn deeds(&self, py: Python<'_>, limit: u32) -> PyResult<Vec<PyAuditRow>> {
        detached(py, || {
            let rows = self.store.deeds(limit)?;
            Ok(rows.into_iter().map(PyAuditRow).collect())
        })
    }
}

/// More failed jobs of an operation are not counted.
const FAILED_CAP: u32 = 1000;

impl PyBulk {
    fn told(&self, row: OperationRow, database: DatabaseId) -> Result<PyOperationRow> {
        let failed = self.store.failed_copies(row.key, FAILED_CAP)?;
        Ok(PyOperationRow {
            row,
            failed,
            database,
        })
    }

    fn key(&self, id: &str) -> Result<Key> {
        let key = Key::parse(id, self.store.database()?);
        key.ok_or_else(|| Error::Invalid {
            message: format!("'{id}' is no place in this database"),
        })
    }

    fn operate<T>(&self, mut work: impl FnMut(&mut dyn Transaction) -> Result<T>) -> Result<T> {
        let mut answer = None;
        self.store.write(Sync::Durable, &mut |transaction| {
            answer = Some(work(transaction)?);
            Ok(())
        })?;
        answer.ok_or_else(|| Error::Invalid {
            message: "the transaction did not answer".into(),
        })
    }
}

fn filter(terms: Vec<PyTerm>) -> Result<Filter> {
    let written = terms.into_iter().map(|(field, denied, values)| Written {
        field,
        denied,
        values,
    });
    Filter::new(written.collect())
}

/// No question of the calling thread takes longer from now on.
#[pyfunction]
#[pyo3(signature = (limit_ms))]
pub(super) fn limit_reads(limit_ms: Option<i64>) {
    sqlite::limit_reads(limit_ms.map(duration));
}

/// One operation.
#[pyclass(name = "OperationRow", module = "taskito_core", frozen)]
pub(super) struct PyOperationRow {
    row: OperationRow,
    failed: u64,
    database: DatabaseId,
}

#[pymethods]
impl PyOperationRow {
    #[getter]
    fn id(&self) -> String {
        self.row.key.text(self.database)
    }

    #[getter]
    fn verb(&self) -> &'static str {
        self.row.wanted.verb.name()
    }

    #[getter]
    fn filter(&self) -> &str {
        &self.row.wanted.text
    }

    #[getter]
    fn who(&self) -> &str {
        &self.row.wanted.who
    }

    #[getter]
    fn total(&self) -> u64 {
        self.row.wanted.total
    }

    #[getter]
    fn rate(&self) -> Option<u32> {
        self.row.wanted.rate
    }

    #[getter]
    fn stop_after(&self) -> Option<u32> {
        self.row.wanted.stop_after
    }

    #[getter]
    fn state(&self) -> &'static str {
        self.row.phase.name()
    }

    #[getter]
    fn done(&self) -> u64 {
        self.row.done
    }

    #[getter]
    fn skipped(&self) -> u64 {
        self.row.skipped
    }

    #[getter]
    fn failed(&self) -> u64 {
        self.failed
    }

    #[getter]
    fn started_at(&self) -> i64 {
        self.row.started_at.0
    }

    #[getter]
    fn ended_at(&self) -> Option<i64> {
        self.row.ended_at.map(|at| at.0)
    }

    #[getter]
    fn report(&self) -> Option<&str> {
        self.row.report.as_deref()
    }
}

/// One thing that a person did.
#[pyclass(name = "AuditRow", module = "taskito_core", frozen)]
pub(super) struct PyAuditRow(AuditRow);

#[pymethods]
impl PyAuditRow {
    #[getter]
    fn at(&self) -> i64 {
        self.0.at.0
    }

    #[getter]
    fn who(&self) -> &str {
        &self.0.who
    }

    #[getter]
    fn deed(&self) -> &str {
        &self.0.deed
    }

    #[getter]
    fn subject(&self) -> &str {
        &self.0.subject
    }

    #[getter]
    fn count(&self) -> u64 {
        self.0.count
    }
}
