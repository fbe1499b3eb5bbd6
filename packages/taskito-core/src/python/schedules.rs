//! Schedules: as a program declares them, as they are stored, and what operators do with them.

use std::collections::HashSet;
use std::sync::Arc;

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use super::error::detached;
use super::store::PyStore;
use super::timing::PyTiming;
use super::types::{PyJobSpec, millis};
use crate::engine::living_workers;
use crate::error::{Error, Result};
use crate::id::DatabaseId;
use crate::schedule::{CatchUp, Plan, ScheduleRow};
use crate::store::sqlite::SqliteStore;
use crate::store::{Inspect, Timetable};

/// A schedule as a program declares it.
#[pyclass(name = "Plan", module = "taskito_core", frozen)]
pub(super) struct PyPlan(Plan);

#[pymethods]
impl PyPlan {
    #[new]
    #[pyo3(signature = (name, timing, spec, payload, *, catch_up = "one", preview = None))]
    fn new(
        name: String,
        timing: &Bound<'_, PyTiming>,
        spec: &Bound<'_, PyJobSpec>,
        payload: Vec<u8>,
        catch_up: &str,
        preview: Option<String>,
    ) -> PyResult<Self> {
        let catch_up = CatchUp::from_name(catch_up)
            .ok_or_else(|| PyValueError::new_err(format!("unknown catch-up '{catch_up}'")))?;
        Ok(Self(Plan {
            name,
            spec: Arc::clone(&spec.get().spec),
            payload,
            preview,
            timing: timing.get().0.clone(),
            catch_up,
        }))
    }
}

/// The plans themselves.
pub(super) fn plain(plans: &[Bound<'_, PyPlan>]) -> Vec<Plan> {
    plans.iter().map(|plan| plan.get().0.clone()).collect()
}

/// What operators do with the schedules of a database.
#[pyclass(name = "Timetable", module = "taskito_core", frozen)]
pub(super) struct PyTimetable(Py<PyStore>);

#[pymethods]
impl PyTimetable {
    #[new]
    fn new(store: Py<PyStore>) -> Self {
        Self(store)
    }

    fn introduce(&self, py: Python<'_>, plans: Vec<Bound<'_, PyPlan>>) -> PyResult<()> {
        let plans = plain(&plans);
        let store = self.0.get();
        detached(py, || {
            store.operate(|transaction, now| transaction.introduce(now, &plans))
        })
    }

    fn rows(&self, py: Python<'_>) -> PyResult<Vec<PyScheduleRow>> {
        let store = &self.0.get().0;
        detached(py, || {
            let declared = declared(store)?;
            let database = store.database()?;
            let rows = store.schedules()?.into_iter();
            Ok(rows
                .map(|row| PyScheduleRow {
                    active: declared.contains(&row.name),
                    row,
                    database,
                })
                .collect())
        })
    }

    fn pause(&self, py: Python<'_>, name: &str) -> PyResult<bool> {
        let store = self.0.get();
        detached(py, || store.operate(|t, _| t.pause_schedule(name)))
    }

    fn resume(&self, py: Python<'_>, name: &str) -> PyResult<bool> {
        let store = self.0.get();
        detached(py, || store.operate(|t, now| t.resume_schedule(now, name)))
    }

    fn delete(&self, py: Python<'_>, name: &str) -> PyResult<bool> {
        let store = self.0.get();
        detached(py, || store.operate(|t, _| t.delete_schedule(name)))
    }

    fn trigger(&self, py: Python<'_>, name: &str) -> PyResult<String> {
        let store = self.0.get();
        detached(py, || {
            let key = store.operate(|t, now| t.trigger(now, name))?;
            match key {
                Some(key) => Ok(key.text(store.0.database()?)),
                None => Err(Error::NoSchedule {
                    name: name.to_owned(),
                }),
            }
        })
    }
}

/// The schedules that living workers declare.
fn declared(store: &SqliteStore) -> Result<HashSet<String>> {
    let living = living_workers(store, store.file().as_deref())?;
    Ok(living
        .into_iter()
        .flat_map(|worker| worker.schedules)
        .collect())
}

/// One schedule as it is stored.
#[pyclass(name = "ScheduleRow", module = "taskito_core", frozen)]
pub(super) struct PyScheduleRow {
    row: ScheduleRow,
    active: bool,
    database: DatabaseId,
}

#[pymethods]
impl PyScheduleRow {
    #[getter]
    fn name(&self) -> &str {
        &self.row.name
    }

    #[getter]
    fn task(&self) -> &str {
        &self.row.task
    }

    #[getter]
    fn queue(&self) -> &str {
        &self.row.queue
    }

    #[getter]
    fn cron(&self) -> Option<&str> {
        self.row.cron.as_deref()
    }

    #[getter]
    fn every_ms(&self) -> Option<i64> {
        self.row.every.map(millis)
    }

    #[getter]
    fn timezone(&self) -> &str {
        &self.row.timezone
    }

    #[getter]
    fn catch_up(&self) -> &'static str {
        self.row.catch_up.name()
    }

    #[getter]
    fn payload<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.row.payload)
    }

    #[getter]
    fn enabled(&self) -> bool {
        self.row.enabled
    }

    #[getter]
    fn active(&self) -> bool {
        self.active
    }

    #[getter]
    fn last_run(&self) -> Option<i64> {
        self.row.last_run.map(|at| at.0)
    }

    #[getter]
    fn next_run(&self) -> Option<i64> {
        self.row.next_run.map(|at| at.0)
    }

    #[getter]
    fn recent_job_ids(&self) -> Vec<String> {
        let recent = self.row.recent.iter();
        recent.map(|key| key.text(self.database)).collect()
    }

    #[getter]
    fn last_job_id(&self) -> Option<String> {
        self.row.last_job.map(|key| key.text(self.database))
    }
}
