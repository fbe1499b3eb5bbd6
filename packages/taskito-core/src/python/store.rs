//! The producer's and operator's side: one database.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};

use super::clock::PyClock;
use super::error::detached;
use super::links::PyLinks;
use super::rows::{PyAttemptRow, PyDeadRow, PyJobRow, PyWorkerRow};
use super::types::{PyJobSpec, duration};
use crate::clock::{Clock, Millis, SystemClock};
use crate::error::{Error, Result};
use crate::id::{DatabaseId, Key};
use crate::job::{JobFilter, NewJob};
use crate::state::{State, Status};
use crate::store::sqlite::SqliteStore;
use crate::store::{Graph, Inspect, JobStore, Purge, Survey, Sync, purge};

/// The longest sleep of a waiter, for what did not ring.
const SLICE: Duration = Duration::from_secs(1);

/// One database, shared by every thread of the process.
#[pyclass(name = "Store", module = "taskito_core", frozen)]
pub(super) struct PyStore(pub(super) Arc<SqliteStore>);

#[pymethods]
impl PyStore {
    #[new]
    #[pyo3(signature = (path, *, durability = "full", clock = None))]
    fn new(path: PathBuf, durability: &str, clock: Option<&Bound<'_, PyClock>>) -> PyResult<Self> {
        let sync = match durability {
            "full" => Sync::Durable,
            "normal" => Sync::Relaxed,
            other => {
                return Err(PyValueError::new_err(format!(
                    "durability is 'full' or 'normal', not '{other}'"
                )));
            }
        };
        let clock: Arc<dyn Clock> = match clock {
            Some(clock) => Arc::clone(&clock.get().0) as Arc<dyn Clock>,
            None => Arc::new(SystemClock),
        };
        Ok(Self(Arc::new(SqliteStore::with_clock(path, sync, clock))))
    }

    #[getter]
    fn path(&self) -> PathBuf {
        self.0.path().to_path_buf()
    }

    #[getter]
    fn now(&self) -> i64 {
        self.0.now().0
    }

    fn insert(
        &self,
        py: Python<'_>,
        jobs: Vec<(Bound<'_, PyJobSpec>, Bound<'_, PyBytes>)>,
    ) -> PyResult<Vec<(String, bool)>> {
        let mut named = Vec::new();
        let job =
            |(index, (spec, payload)): (usize, &(Bound<'_, PyJobSpec>, Bound<'_, PyBytes>))| {
                spec.get().job(payload, index, &mut named)
            };
        let jobs = jobs.iter().enumerate().map(job).collect();
        detached(py, || self.store(jobs, named))
    }

    fn insert_workflow(
        &self,
        py: Python<'_>,
        jobs: Vec<(Bound<'_, PyJobSpec>, Bound<'_, PyBytes>, Bound<'_, PyLinks>)>,
    ) -> PyResult<Vec<(String, bool)>> {
        let mut named = Vec::new();
        let mut tied = Vec::with_capacity(jobs.len());
        for (index, (spec, payload, links)) in jobs.iter().enumerate() {
            let job = spec.get().job(payload, index, &mut named);
            let links = Some(links.get().plain().into());
            tied.push(NewJob { links, ..job });
        }
        detached(py, || self.store(tied, named))
    }

    fn cancel(&self, py: Python<'_>, job_id: &str) -> PyResult<bool> {
        detached(py, || {
            let Some(key) = self.key(job_id)? else {
                return Ok(false);
            };
            let mut cancelled = false;
            self.0.write(Sync::Durable, &mut |transaction| {
                cancelled = transaction.cancel(self.0.now(), key)?;
                Ok(())
            })?;
            Ok(cancelled)
        })
    }

    fn cancel_request(&self, py: Python<'_>, job_id: &str) -> PyResult<bool> {
        detached(py, || {
            let Some(key) = self.key(job_id)? else {
                return Ok(false);
            };
            let mut requested = false;
            self.0.write(Sync::Durable, &mut |transaction| {
                requested = transaction.cancel_request(key)?;
                Ok(())
            })?;
            Ok(requested)
        })
    }

    fn revive(&self, py: Python<'_>, dead_id: &str) -> PyResult<String> {
        detached(py, || {
            let mut revived = None;
            if let Some(key) = self.key(dead_id)? {
                self.0.write(Sync::Durable, &mut |transaction| {
                    revived = transaction.revive(self.0.now(), key)?;
                    Ok(())
                })?;
            }
            match revived {
                Some(key) => Ok(key.text(self.0.database()?)),
                None => Err(Error::NotFound {
                    what: format!("dead letter '{dead_id}'"),
                }),
            }
        })
    }

    #[pyo3(signature = (status, *, before, queue = None, task = None, after = None))]
    fn purge(
        &self,
        py: Python<'_>,
        status: &str,
        before: i64,
        queue: Option<&str>,
        task: Option<&str>,
        after: Option<&str>,
    ) -> PyResult<(u32, Option<String>)> {
        let status = parse_status(status)?;
        detached(py, || {
            let after = after.map(|id| self.cursor(id)).transpose()?;
            let filtered = queue.is_some() || task.is_some();
            let what = Purge {
                status,
                before: Millis(before),
                lanes: filtered.then(|| self.0.lanes(queue, task)).transpose()?,
            };
            let (deleted, next) = purge(&*self.0, Sync::Durable, &what, after.unwrap_or_default())?;
            let database = self.0.database()?;
            Ok((deleted, next.map(|key| key.text(database))))
        })
    }

    fn job(&self, py: Python<'_>, job_id: &str) -> PyResult<Option<PyJobRow>> {
        detached(py, || {
            let Some(key) = self.key(job_id)? else {
                return Ok(None);
            };
            let database = self.0.database()?;
            Ok(self.0.job(key)?.map(|row| PyJobRow::new(row, database)))
        })
    }

    #[pyo3(signature = (*, status = None, queue = None, task = None, limit = 50, offset = 0))]
    fn jobs(
        &self,
        py: Python<'_>,
        status: Option<&str>,
        queue: Option<String>,
        task: Option<String>,
        limit: u32,
        offset: u32,
    ) -> PyResult<Vec<PyJobRow>> {
        let status = status.map(parse_status).transpose()?;
        let filter = JobFilter {
            status,
            queue,
            task,
            limit,
            offset,
        };
        self.rows(py, || self.0.jobs(&filter), PyJobRow::new)
    }

    fn result<'py>(&self, py: Python<'py>, job_id: &str) -> PyResult<Option<Bound<'py, PyBytes>>> {
        let result = detached(py, || match self.key(job_id)? {
            Some(key) => self.0.result(key),
            None => Ok(None),
        })?;
        Ok(result.map(|bytes| PyBytes::new(py, &bytes)))
    }

    fn stats<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let stats = detached(py, || self.0.stats())?;
        let counts = PyDict::new(py);
        counts.set_item("pending", stats.pending)?;
        counts.set_item("running", stats.running)?;
        counts.set_item("completed", stats.complete)?;
        counts.set_item("failed", 0)?;
        counts.set_item("dead", stats.dead)?;
        counts.set_item("cancelled", stats.cancelled)?;
        Ok(counts)
    }

    fn attempts(&self, py: Python<'_>, job_id: &str) -> PyResult<Vec<PyAttemptRow>> {
        let ask = || match self.key(job_id)? {
            Some(key) => self.0.attempts(key),
            None => Ok(Vec::new()),
        };
        self.rows(py, ask, PyAttemptRow::new)
    }

    fn dependencies(&self, py: Python<'_>, job_id: &str) -> PyResult<Vec<String>> {
        self.ids(py, job_id, |key| self.0.dependencies(key))
    }

    fn dependents(&self, py: Python<'_>, job_id: &str) -> PyResult<Vec<String>> {
        self.ids(py, job_id, |key| self.0.dependents(key))
    }

    #[pyo3(signature = (*, limit = 10, offset = 0))]
    fn dead_letters(&self, py: Python<'_>, limit: u32, offset: u32) -> PyResult<Vec<PyDeadRow>> {
        self.rows(py, || self.0.dead_letters(limit, offset), PyDeadRow::new)
    }

    fn workers(&self, py: Python<'_>) -> PyResult<Vec<PyWorkerRow>> {
        self.rows(py, || self.0.workers(), PyWorkerRow::new)
    }

    #[pyo3(signature = (job_id, timeout_ms = None))]
    fn wait(&self, py: Python<'_>, job_id: &str, timeout_ms: Option<i64>) -> PyResult<bool> {
        let deadline = timeout_ms.map(|millis| Instant::now() + duration(millis));
        loop {
            if let Some(finished) = detached(py, || self.wait_slice(job_id, deadline))? {
                return Ok(finished);
            }
            py.check_signals()?;
        }
    }

    fn next_due(&self, py: Python<'_>) -> PyResult<Option<i64>> {
        detached(py, || Ok(self.0.next_due()?.map(|due| due.0)))
    }

    fn finished_bell(&self, py: Python<'_>) -> PyResult<u32> {
        detached(py, || Ok(self.0.gate()?.finished().number()))
    }

    fn ring_finished(&self, py: Python<'_>) -> PyResult<()> {
        detached(py, || {
            self.0.gate()?.finished().ring();
            Ok(())
        })
    }

    fn wait_any(&self, py: Python<'_>, job_ids: Vec<String>, bell: u32) -> PyResult<Vec<String>> {
        detached(py, || {
            let mut ended = job_ids;
            let mut failed = None;
            ended.retain(|id| {
                self.has_ended(id).unwrap_or_else(|error| {
                    failed = Some(error);
                    false
                })
            });
            if let Some(error) = failed {
                return Err(error);
            }
            if ended.is_empty() {
                self.0.gate()?.finished().sleep(bell, SLICE, || false);
            }
            Ok(ended)
        })
    }

    fn close(&self, py: Python<'_>) {
        py.detach(|| self.0.close());
    }
}

fn parse_status(name: &str) -> PyResult<Status> {
    Status::from_name(name).ok_or_else(|| PyValueError::new_err(format!("unknown status '{name}'")))
}

impl PyStore {
    /// The key of an id that names a place in a listing.
    fn cursor(&self, id: &str) -> Result<Key> {
        self.key(id)?.ok_or_else(|| Error::Invalid {
            message: format!("'{id}' is no place in this database"),
        })
    }

    /// The key of a public id; `None` for text that no row of this database can have.
    pub(super) fn key(&self, id: &str) -> Result<Option<Key>> {
        Ok(Key::parse(id, self.0.database()?))
    }

    /// The public ids of jobs that have to do with one.
    fn ids(
        &self,
        py: Python<'_>,
        job_id: &str,
        ask: impl FnOnce(Key) -> Result<Vec<Key>> + Send,
    ) -> PyResult<Vec<String>> {
        let ask = || self.key(job_id)?.map_or_else(|| Ok(Vec::new()), ask);
        self.rows(py, ask, Key::text)
    }

    fn rows<T: Send, R>(
        &self,
        py: Python<'_>,
        ask: impl FnOnce() -> Result<Vec<T>> + Send,
        wrap: impl Fn(T, DatabaseId) -> R,
    ) -> PyResult<Vec<R>> {
        let (rows, database) = detached(py, || Ok((ask()?, self.0.database()?)))?;
        Ok(rows.into_iter().map(|row| wrap(row, database)).collect())
    }

    /// Whether a job is in a final state, or there is no such job.
    fn has_ended(&self, job_id: &str) -> Result<bool> {
        let Some(key) = self.key(job_id)? else {
            return Ok(true);
        };
        Ok(self.0.state(key)?.is_none_or(State::is_finished))
    }

    /// Looks at a job, then sleeps until something finishes; `None` when it is worth another
    /// look.
    fn wait_slice(&self, job_id: &str, deadline: Option<Instant>) -> Result<Option<bool>> {
        let gate = self.0.gate()?;
        let number = gate.finished().number();
        if self.has_ended(job_id)? {
            return Ok(Some(true));
        }
        let rest = deadline.map_or(SLICE, |end| end.saturating_duration_since(Instant::now()));
        if rest.is_zero() {
            return Ok(Some(false));
        }
        gate.finished().sleep(number, rest.min(SLICE), || false);
        Ok(None)
    }
}
