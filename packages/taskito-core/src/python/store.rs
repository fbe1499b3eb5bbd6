//! The producer's and operator's side: one database. Long because each question and verb has its
//! few lines here, and only here.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};

use super::clock::PyClock;
use super::error::detached;
use super::limits::{PyBreakerRow, PyHold, PyQueueRow, read_rate};
use super::links::PyLinks;
use super::lock::PyLock;
use super::rows::{PyAttemptRow, PyDeadRow, PyJobRow, PyWorkerRow};
use super::types::{PyJobSpec, duration};
use super::workflows::{PyMemberRow, PyWorkflowRow};
use crate::clock::Millis;
use crate::engine::{Keeper, living_workers};
use crate::error::{Error, Result};
use crate::id::{DatabaseId, Key};
use crate::job::{JobFilter, LetterFilter, LogFilter, LogRow, NewJob, ReplayRow, Waiting};
use crate::limits::QueueChange;
use crate::metric::Summary;
use crate::state::{State, Status};
use crate::store::sqlite::SqliteStore;
use crate::store::{Graph, Inspect, JobStore, Purge, Restraints, Survey, Sync, Transaction, purge};

/// The longest sleep of a waiter, for what did not ring.
const SLICE: Duration = Duration::from_secs(1);

/// One database, shared by every thread of the process.
#[pyclass(name = "Store", module = "taskito_core", frozen)]
pub(super) struct PyStore(pub(super) Arc<SqliteStore>, Arc<Keeper>);

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
        let store = Arc::new(match clock {
            Some(clock) => SqliteStore::with_clock(path, sync, Arc::clone(&clock.get().0) as _),
            None => SqliteStore::new(path, sync),
        });
        let keeper = Arc::new(Keeper::new(Arc::clone(&store)));
        Ok(Self(store, keeper))
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
        jobs: Vec<(Bound<'_, PyJobSpec>, Bound<'_, PyBytes>, Option<String>)>,
    ) -> PyResult<Vec<(String, bool)>> {
        let mut named = Vec::new();
        let mut plain = Vec::with_capacity(jobs.len());
        for (index, (spec, payload, preview)) in jobs.into_iter().enumerate() {
            plain.push(spec.get().job(&payload, preview, index, &mut named));
        }
        detached(py, || self.store(plain, named))
    }

    fn insert_workflow(
        &self,
        py: Python<'_>,
        jobs: Vec<PyNode<'_>>,
    ) -> PyResult<Vec<(String, bool)>> {
        let mut named = Vec::new();
        let mut tied = Vec::with_capacity(jobs.len());
        for (index, (spec, payload, preview, links)) in jobs.into_iter().enumerate() {
            let job = spec.get().job(&payload, preview, index, &mut named);
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
            self.operate(|transaction, now| transaction.cancel(now, key))
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

    fn run_now(&self, py: Python<'_>, job_id: &str) -> PyResult<bool> {
        detached(py, || {
            let Some(key) = self.key(job_id)? else {
                return Ok(false);
            };
            self.operate(|transaction, now| transaction.run_now(now, key))
        })
    }

    fn revive(&self, py: Python<'_>, dead_id: &str) -> PyResult<String> {
        detached(py, || {
            let revived = match self.key(dead_id)? {
                Some(key) => self.operate(|transaction, now| transaction.revive(now, key))?,
                None => None,
            };
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

    fn snapshot(&self, py: Python<'_>, target: PathBuf) -> PyResult<()> {
        let mut interruption = None;
        detached(py, || {
            self.0.snapshot_beside(&target, || {
                interruption = Python::attach(|py| py.check_signals().err());
                interruption.is_none()
            })
        })?;
        interruption.map_or(Ok(()), Err)
    }

    fn replay(&self, py: Python<'_>, job_id: &str) -> PyResult<Option<String>> {
        detached(py, || {
            let Some(original) = self.key(job_id)? else {
                return Ok(None);
            };
            let copy = self.operate(|transaction, now| transaction.replay(now, original))?;
            let database = self.0.database()?;
            Ok(copy.map(|key| key.text(database)))
        })
    }

    fn set_progress(&self, py: Python<'_>, job_id: &str, progress: u8) -> PyResult<bool> {
        detached(py, || {
            let Some(job) = self.key(job_id)? else {
                return Ok(false);
            };
            self.operate(|transaction, _| transaction.set_progress(job, progress))
        })
    }

    #[pyo3(signature = (
        *, status = None, queue = None, task = None, created_after = None, created_before = None,
        metadata = None, error = None, before = None, limit = 50, offset = 0
    ))]
    #[expect(
        clippy::too_many_arguments,
        reason = "keyword arguments of a plain record"
    )]
    fn jobs(
        &self,
        py: Python<'_>,
        status: Option<&str>,
        queue: Option<String>,
        task: Option<String>,
        created_after: Option<i64>,
        created_before: Option<i64>,
        metadata: Option<String>,
        error: Option<String>,
        before: Option<&str>,
        limit: u32,
        offset: u32,
    ) -> PyResult<Vec<PyJobRow>> {
        let mut filter = JobFilter {
            status: status.map(parse_status).transpose()?,
            queue,
            task,
            created_after: created_after.map(Millis),
            created_before: created_before.map(Millis),
            metadata,
            error,
            before: None,
            limit,
            offset,
        };
        let ask = || {
            filter.before = before.map(|id| self.cursor(id)).transpose()?;
            self.0.jobs(&filter)
        };
        self.rows(py, ask, PyJobRow::new)
    }

    #[pyo3(signature = (
        *, status = None, queue = None, task = None, created_after = None, created_before = None,
        metadata = None, error = None
    ))]
    #[expect(
        clippy::too_many_arguments,
        reason = "keyword arguments of a plain record"
    )]
    fn count(
        &self,
        py: Python<'_>,
        status: Option<&str>,
        queue: Option<String>,
        task: Option<String>,
        created_after: Option<i64>,
        created_before: Option<i64>,
        metadata: Option<String>,
        error: Option<String>,
    ) -> PyResult<u64> {
        let filter = JobFilter {
            status: status.map(parse_status).transpose()?,
            queue,
            task,
            created_after: created_after.map(Millis),
            created_before: created_before.map(Millis),
            metadata,
            error,
            ..JobFilter::default()
        };
        detached(py, || self.0.count(&filter))
    }

    #[pyo3(signature = (*, after = None, limit = 100))]
    fn waiting<'py>(
        &self,
        py: Python<'py>,
        after: Option<&str>,
        limit: u32,
    ) -> PyResult<Vec<PyWaiting<'py>>> {
        let ask = || {
            let after = after.map(|id| self.cursor(id)).transpose()?;
            self.0.waiting(after.unwrap_or_default(), limit)
        };
        self.rows(py, ask, |job: Waiting, database| {
            let payload = PyBytes::new(py, &job.payload);
            let id = job.key.text(database);
            (id, job.queue, job.task, payload, job.takes_inputs)
        })
    }

    fn metrics(
        &self,
        py: Python<'_>,
        since: i64,
        task: Option<&str>,
    ) -> PyResult<Vec<(String, PySummary)>> {
        let told = detached(py, || self.0.metrics(Millis(since), task))?;
        let plain = |it: Summary| {
            (
                it.count,
                it.failures,
                it.sum,
                [it.p50, it.p95, it.p99, it.min, it.max],
            )
        };
        Ok(told
            .into_iter()
            .map(|(task, it)| (task, plain(it)))
            .collect())
    }

    fn task_logs(&self, py: Python<'_>, job_id: &str) -> PyResult<Vec<PyLog>> {
        let ask = || match self.key(job_id)? {
            Some(key) => self.0.task_logs(key),
            None => Ok(Vec::new()),
        };
        self.rows(py, ask, log_line)
    }

    fn query_logs(
        &self,
        py: Python<'_>,
        task: Option<String>,
        level: Option<String>,
        since: i64,
        limit: u32,
    ) -> PyResult<Vec<PyLog>> {
        let filter = LogFilter {
            task,
            level,
            since: Millis(since),
            limit,
        };
        self.rows(py, || self.0.query_logs(&filter), log_line)
    }

    fn replays(&self, py: Python<'_>, job_id: &str) -> PyResult<Vec<PyReplay>> {
        let ask = || match self.key(job_id)? {
            Some(key) => self.0.replays(key),
            None => Ok(Vec::new()),
        };
        self.rows(py, ask, |row: ReplayRow, database| {
            (
                row.replay.text(database),
                row.replayed_at.0,
                row.original_error,
                row.replay_error,
            )
        })
    }

    fn storage(&self, py: Python<'_>) -> PyResult<(String, u64, u64, Option<i64>)> {
        let found = detached(py, || self.0.storage())?;
        let oldest_at = found.oldest_at.map(|at| at.0);
        Ok((found.journal_mode, found.cache, found.unused, oldest_at))
    }

    fn outlived_by(&self, py: Python<'_>, before: i64, most: u32) -> PyResult<u32> {
        detached(py, || self.0.outlived_by(Millis(before), most))
    }

    fn change_counter(&self, py: Python<'_>) -> PyResult<u64> {
        detached(py, || self.0.change_counter())
    }

    fn result<'py>(&self, py: Python<'py>, job_id: &str) -> PyResult<Option<Bound<'py, PyBytes>>> {
        let result = detached(py, || match self.key(job_id)? {
            Some(key) => self.0.result(key),
            None => Ok(None),
        })?;
        Ok(result.map(|bytes| PyBytes::new(py, &bytes)))
    }

    fn payload<'py>(&self, py: Python<'py>, job_id: &str) -> PyResult<Option<Bound<'py, PyBytes>>> {
        let payload = detached(py, || match self.key(job_id)? {
            Some(key) => self.0.payload(key),
            None => Ok(None),
        })?;
        Ok(payload.map(|bytes| PyBytes::new(py, &bytes)))
    }

    fn keyed(&self, py: Python<'_>, idempotency_key: &str) -> PyResult<Option<String>> {
        detached(py, || {
            let Some(key) = self.0.keyed(idempotency_key)? else {
                return Ok(None);
            };
            Ok(Some(key.text(self.0.database()?)))
        })
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

    #[pyo3(signature = (*, before = None, limit = 50))]
    fn workflows(&self, py: Python<'_>, before: Option<&str>, limit: u32) -> PyResult<Vec<String>> {
        self.rows(py, || self.workflow_ids(before, limit), Key::text)
    }

    #[pyo3(signature = (workflow_id, *, most = 10_000))]
    fn workflow(&self, py: Python<'_>, workflow_id: &str, most: u32) -> PyResult<PyWorkflowRow> {
        detached(py, || self.workflow_row(workflow_id, most))
    }

    #[pyo3(signature = (workflow_id, *, after = None, limit = 500))]
    fn members(
        &self,
        py: Python<'_>,
        workflow_id: &str,
        after: Option<&str>,
        limit: u32,
    ) -> PyResult<Vec<PyMemberRow>> {
        detached(py, || self.member_rows(workflow_id, after, limit))
    }

    fn ties(
        &self,
        py: Python<'_>,
        workflow_id: &str,
        first: &str,
        last: &str,
    ) -> PyResult<Vec<(String, String)>> {
        detached(py, || self.tied(workflow_id, first, last))
    }

    fn cancel_workflow(&self, py: Python<'_>, workflow_id: &str) -> PyResult<(u32, u32)> {
        detached(py, || self.call_off(workflow_id))
    }

    fn resume_workflow(
        &self,
        py: Python<'_>,
        workflow_id: &str,
    ) -> PyResult<Option<(String, u32)>> {
        detached(py, || self.resumed(workflow_id))
    }

    #[pyo3(signature = (*, queue = None, task = None, before = None, limit = 10, offset = 0))]
    fn dead_letters(
        &self,
        py: Python<'_>,
        queue: Option<String>,
        task: Option<String>,
        before: Option<&str>,
        limit: u32,
        offset: u32,
    ) -> PyResult<Vec<PyDeadRow>> {
        let ask = || {
            self.0.dead_letters(&LetterFilter {
                queue,
                task,
                before: before.map(|id| self.cursor(id)).transpose()?,
                limit,
                offset,
            })
        };
        self.rows(py, ask, PyDeadRow::new)
    }

    #[pyo3(signature = (*, queue = None, task = None, after = None, limit = 100))]
    fn oldest_letters(
        &self,
        py: Python<'_>,
        queue: Option<String>,
        task: Option<String>,
        after: Option<&str>,
        limit: u32,
    ) -> PyResult<Vec<(String, i64)>> {
        let ask = || {
            let after = after.map(|id| self.cursor(id)).transpose()?;
            let filter = LetterFilter {
                queue,
                task,
                limit,
                ..LetterFilter::default()
            };
            self.0.oldest_letters(after.unwrap_or_default(), &filter)
        };
        self.rows(py, ask, |(key, died_at): (Key, Millis), database| {
            (key.text(database), died_at.0)
        })
    }

    fn discard(&self, py: Python<'_>, dead_ids: Vec<String>) -> PyResult<u32> {
        detached(py, || {
            let letters = self.keys(&dead_ids)?;
            self.operate(|transaction, _| transaction.discard(&letters))
        })
    }

    fn revive_all(&self, py: Python<'_>, dead_ids: Vec<String>) -> PyResult<Vec<String>> {
        detached(py, || {
            let letters = self.keys(&dead_ids)?;
            let revived = self.operate(|transaction, now| {
                let one = |letter: &Key| transaction.revive(now, *letter).transpose();
                letters.iter().filter_map(one).collect::<Result<Vec<Key>>>()
            })?;
            let database = self.0.database()?;
            Ok(revived.iter().map(|key| key.text(database)).collect())
        })
    }

    fn workers(&self, py: Python<'_>) -> PyResult<Vec<PyWorkerRow>> {
        self.rows(py, || self.0.workers(), PyWorkerRow::new)
    }

    fn living_workers(&self, py: Python<'_>) -> PyResult<Vec<PyWorkerRow>> {
        let file = self.0.file();
        let ask = || living_workers(&*self.0, file.as_deref());
        self.rows(py, ask, PyWorkerRow::new)
    }

    fn drain_worker(&self, py: Python<'_>, worker_id: &str) -> PyResult<bool> {
        detached(py, || {
            let Some(key) = self.key(worker_id)? else {
                return Ok(false);
            };
            let living = living_workers(&*self.0, self.0.file().as_deref())?;
            let found = living.into_iter().find(|worker| worker.key == key);
            found.map_or(Ok(false), |worker| {
                self.operate(|transaction, _| transaction.request_drain(worker.id))
            })
        })
    }

    fn pause(&self, py: Python<'_>, queue: &str) -> PyResult<()> {
        self.set_queue(py, queue, &QueueChange::Pause)
    }

    fn resume(&self, py: Python<'_>, queue: &str) -> PyResult<()> {
        self.set_queue(py, queue, &QueueChange::Resume)
    }

    fn set_queue_rate(&self, py: Python<'_>, queue: &str, rate: Option<&str>) -> PyResult<()> {
        let rate = read_rate(py, rate)?;
        self.set_queue(py, queue, &QueueChange::Rate(rate))
    }

    fn set_queue_concurrency(
        &self,
        py: Python<'_>,
        queue: &str,
        max_concurrent: Option<u32>,
    ) -> PyResult<()> {
        self.set_queue(py, queue, &QueueChange::MaxConcurrent(max_concurrent))
    }

    fn queues(&self, py: Python<'_>) -> PyResult<Vec<PyQueueRow>> {
        let ask = || self.0.queues(self.0.now());
        self.rows(py, ask, |row, _| PyQueueRow(row))
    }

    fn breakers(&self, py: Python<'_>) -> PyResult<Vec<PyBreakerRow>> {
        let now = self.0.now();
        let ask = || self.0.breakers();
        self.rows(py, ask, |row, _| PyBreakerRow::new(row, now))
    }

    fn task_limits(&self, py: Python<'_>) -> PyResult<Vec<PyTaskLimit>> {
        self.rows(
            py,
            || self.0.task_limits(),
            |(task, limit), _| {
                let rate = limit.rate.map(|rate| rate.text().to_owned());
                (task, rate, limit.max_concurrent)
            },
        )
    }

    fn holds(&self, py: Python<'_>, job_id: &str) -> PyResult<Vec<PyHold>> {
        let ask = || match self.key(job_id)? {
            Some(key) => self.0.holds(self.0.now(), key),
            None => Ok(Vec::new()),
        };
        self.rows(py, ask, |hold, _| PyHold(hold))
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

    fn lock(&self, name: String, ttl_ms: i64) -> PyLock {
        PyLock::new(Arc::clone(&self.1), Arc::clone(&self.0), name, ttl_ms)
    }

    fn unlocked_bell(&self, py: Python<'_>) -> PyResult<u32> {
        detached(py, || Ok(self.0.gate()?.unlocked().number()))
    }

    fn ring_unlocked(&self, py: Python<'_>) -> PyResult<()> {
        detached(py, || {
            self.0.gate()?.unlocked().ring();
            Ok(())
        })
    }

    fn wait_unlocked(&self, py: Python<'_>, bell: u32, limit_ms: i64) -> PyResult<()> {
        detached(py, || {
            let limit = duration(limit_ms).min(SLICE);
            self.0.gate()?.unlocked().sleep(bell, limit, || false);
            Ok(())
        })
    }

    fn close(&self, py: Python<'_>) {
        py.detach(|| {
            self.1.close();
            self.0.close();
        });
    }
}

/// A job of a workflow: what it is, its arguments in bytes and for people, and its ties.
type PyNode<'py> = (
    Bound<'py, PyJobSpec>,
    Bound<'py, PyBytes>,
    Option<String>,
    Bound<'py, PyLinks>,
);

/// Id, queue, task, arguments, and whether results of other jobs go in front of them.
type PyWaiting<'py> = (String, String, String, Bound<'py, PyBytes>, bool);

/// Task, rate, and how many of its jobs run at once.
type PyTaskLimit = (String, Option<String>, Option<u32>);

/// Id of the new job, when it was made, error of the original, error of the new one.
type PyReplay = (String, i64, Option<String>, Option<String>);

/// Attempts, failures, the sum of their run times, and five of these: p50, p95, p99, min, max.
type PySummary = (u64, u64, u64, [u64; 5]);

/// Id, job, task, level, message, extra, when.
type PyLog = (String, String, String, String, String, Option<String>, i64);

fn log_line(row: LogRow, database: DatabaseId) -> PyLog {
    (
        row.key.text(database),
        row.job.text(database),
        row.task,
        row.level,
        row.message,
        row.extra,
        row.logged_at.0,
    )
}

pub(super) fn parse_status(name: &str) -> PyResult<Status> {
    Status::from_name(name).ok_or_else(|| PyValueError::new_err(format!("unknown status '{name}'")))
}

impl PyStore {
    /// One transaction of an operator.
    pub(super) fn operate<T>(
        &self,
        mut work: impl FnMut(&mut dyn Transaction, Millis) -> Result<T>,
    ) -> Result<T> {
        let mut answer = None;
        self.0.write(Sync::Durable, &mut |transaction| {
            answer = Some(work(transaction, self.0.now())?);
            Ok(())
        })?;
        answer.ok_or_else(|| Error::Invalid {
            message: "the transaction did not answer".into(),
        })
    }

    fn set_queue(&self, py: Python<'_>, queue: &str, change: &QueueChange) -> PyResult<()> {
        detached(py, || {
            self.operate(|transaction, _| transaction.set_queue(queue, change))
        })
    }

    /// The keys of those ids that a row of this database can have.
    fn keys(&self, ids: &[String]) -> Result<Vec<Key>> {
        let database = self.0.database()?;
        Ok(ids
            .iter()
            .filter_map(|id| Key::parse(id, database))
            .collect())
    }

    /// The key of an id that names a place in a listing.
    pub(super) fn cursor(&self, id: &str) -> Result<Key> {
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

    pub(super) fn rows<T: Send, R>(
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
