//! What those who watch a queue ask.

use std::collections::BTreeMap;

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use super::error::detached;
use super::rows::PyJobRow;
use super::store::PyStore;
use super::types::{duration, millis};
use crate::clock::Millis;
use crate::engine::{RunningJob, running_now};
use crate::histogram::Histogram;
use crate::rollup::{By, Period, Rollup};
use crate::store::{Census, Inspect, Watching};

/// The numbers and curves of a database.
#[pyclass(name = "Lookout", module = "taskito_core", frozen)]
pub(super) struct PyLookout(Py<PyStore>);

#[pymethods]
impl PyLookout {
    #[new]
    fn new(store: Py<PyStore>) -> Self {
        Self(store)
    }

    #[pyo3(signature = (since, until, step_ms, *, queue = None, task = None, by = None))]
    #[expect(clippy::too_many_arguments, reason = "what is wanted, and of what")]
    fn rollups(
        &self,
        py: Python<'_>,
        since: i64,
        until: i64,
        step_ms: i64,
        queue: Option<String>,
        task: Option<String>,
        by: Option<&str>,
    ) -> PyResult<(i64, i64, Vec<PyRollup>)> {
        let period = Period {
            from: Millis(since),
            to: Millis(until),
            step: duration(step_ms),
            queue,
            task,
            by: parse_by(by)?,
        };
        let store = &self.0.get().0;
        let told = detached(py, || store.rollups(store.now(), &period))?;
        let mut rollups = Vec::new();
        for (name, buckets) in told.series {
            rollups.extend(buckets.into_iter().map(|(at, rollup)| PyRollup {
                name: name.clone(),
                at,
                rollup,
            }));
        }
        Ok((told.from.0, millis(told.step), rollups))
    }

    fn census(&self, py: Python<'_>) -> PyResult<Vec<(String, String, [u64; 7])>> {
        let census = detached(py, || self.0.get().0.census())?;
        let plain = |row: Census| (row.queue, row.task, row.counts);
        Ok(census.into_iter().map(plain).collect())
    }

    fn arrivals(
        &self,
        py: Python<'_>,
        since: i64,
        cap: u32,
    ) -> PyResult<(i64, Vec<(String, u64)>)> {
        let told = detached(py, || self.0.get().0.arrivals(Millis(since), cap))?;
        Ok((told.since.0, told.queues))
    }

    fn delayed(&self, py: Python<'_>, cap: u32) -> PyResult<PyDelayed> {
        let store = &self.0.get().0;
        let delayed = detached(py, || store.delayed(store.now(), cap))?;
        let next = delayed.next_retry.map(|at| at.0);
        Ok((delayed.due, delayed.retrying, next, delayed.is_whole))
    }

    fn deaths(&self, py: Python<'_>, since: i64, cap: u32) -> PyResult<u32> {
        detached(py, || self.0.get().0.deaths(Millis(since), cap))
    }

    fn position(&self, py: Python<'_>, job_id: &str, cap: u32) -> PyResult<Option<u32>> {
        let store = self.0.get();
        detached(py, || match store.key(job_id)? {
            Some(key) => store.0.position(key, cap),
            None => Ok(None),
        })
    }

    fn next_jobs(&self, py: Python<'_>, queue: &str, limit: u32) -> PyResult<Vec<PyJobRow>> {
        let store = &self.0.get().0;
        let (rows, database) = detached(py, || {
            Ok((
                store.next_jobs(queue, store.now(), limit)?,
                store.database()?,
            ))
        })?;
        let rows = rows.into_iter();
        Ok(rows.map(|row| PyJobRow::new(row, database)).collect())
    }

    fn running(&self, py: Python<'_>, limit: usize) -> PyResult<Vec<(PyJobRow, String, i64)>> {
        let store = &self.0.get().0;
        let (running, database) = detached(py, || {
            let clock = store.clock();
            let running = running_now(&**store, store.file().as_deref(), &*clock, limit)?;
            Ok((running, store.database()?))
        })?;
        let plain = |one: RunningJob| {
            let job = PyJobRow::new(one.job, database);
            (job, one.worker.text(database), one.since.0)
        };
        Ok(running.into_iter().map(plain).collect())
    }
}

/// How many are due in each queue, how many wait for another attempt, until when, if these are all.
type PyDelayed = (BTreeMap<String, u32>, u32, Option<i64>, bool);

/// Attempts that ended in one stretch of time.
#[pyclass(name = "Rollup", module = "taskito_core", frozen)]
pub(super) struct PyRollup {
    name: String,
    at: Millis,
    rollup: Rollup,
}

#[pymethods]
impl PyRollup {
    #[getter]
    fn name(&self) -> &str {
        &self.name
    }

    #[getter]
    fn at(&self) -> i64 {
        self.at.0
    }

    #[getter]
    fn done(&self) -> u64 {
        self.rollup.done
    }

    #[getter]
    fn failed(&self) -> u64 {
        self.rollup.failed
    }

    #[getter]
    fn retried(&self) -> u64 {
        self.rollup.retried
    }

    #[getter]
    fn run_counts(&self) -> Vec<u64> {
        self.rollup.run.counts().to_vec()
    }

    fn wait_ms(&self, share: f64) -> Option<f64> {
        rounded(&self.rollup.wait, share)
    }

    fn run_ms(&self, share: f64) -> Option<f64> {
        rounded(&self.rollup.run, share)
    }
}

/// An estimate has no more than three digits that mean something.
fn rounded(histogram: &Histogram, share: f64) -> Option<f64> {
    let exact = histogram.percentile(share)?;
    let digits = 2.0 - exact.max(0.001).log10().floor();
    let scale = 10.0_f64.powf(digits);
    Some((exact * scale).round() / scale)
}

fn parse_by(by: Option<&str>) -> PyResult<By> {
    match by {
        None => Ok(By::Nothing),
        Some("queue") => Ok(By::Queue),
        Some("task") => Ok(By::Task),
        Some(other) => Err(PyValueError::new_err(format!(
            "by is 'queue', 'task' or None, not '{other}'"
        ))),
    }
}
