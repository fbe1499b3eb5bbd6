//! Groups of failures, as Python records, asks about and judges them.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use super::error::detached;
use super::rows::{PyAttemptRow, PyJobRow};
use super::store::PyStore;
use crate::cause::{Cause, Fingerprint, GroupFilter, GroupRow, GroupState};
use crate::clock::Millis;
use crate::error::Result;
use crate::id::Key;
use crate::store::Diagnosis;

/// Why an attempt failed.
#[pyclass(name = "Cause", module = "taskito_core", frozen)]
pub(super) struct PyCause(pub(super) Cause);

#[pymethods]
impl PyCause {
    #[new]
    #[pyo3(signature = (error_type, message, *, template, location, frames = None))]
    fn new(
        error_type: String,
        message: String,
        template: String,
        location: String,
        frames: Option<String>,
    ) -> Self {
        Self(Cause {
            error_type,
            message,
            template,
            location,
            frames,
        })
    }
}

/// The groups of one database.
#[pyclass(name = "Failures", module = "taskito_core", frozen)]
pub(super) struct PyFailures(Py<PyStore>);

#[pymethods]
impl PyFailures {
    #[new]
    fn new(store: Py<PyStore>) -> Self {
        Self(store)
    }

    #[pyo3(signature = (*, state = None, task = None, limit = 1000))]
    fn groups(
        &self,
        py: Python<'_>,
        state: Option<&str>,
        task: Option<String>,
        limit: u32,
    ) -> PyResult<Vec<PyGroupRow>> {
        let state = state.map(read_state).transpose()?;
        let store = &self.0.get().0;
        let rows = detached(py, || store.groups(&GroupFilter { state, task, limit }))?;
        Ok(rows.into_iter().map(PyGroupRow).collect())
    }

    #[pyo3(signature = (*, limit))]
    fn failing(&self, py: Python<'_>, limit: u32) -> PyResult<Vec<PyGroupRow>> {
        let store = &self.0.get().0;
        let rows = detached(py, || store.failing_groups(limit))?;
        Ok(rows.into_iter().map(PyGroupRow).collect())
    }

    fn group(&self, py: Python<'_>, fingerprint: &str) -> PyResult<Option<PyGroupRow>> {
        let row = self.about(py, fingerprint, |group, store| store.group(group))?;
        Ok(row.map(PyGroupRow))
    }

    #[pyo3(signature = (fingerprint, *, limit))]
    fn jobs(&self, py: Python<'_>, fingerprint: &str, limit: u32) -> PyResult<Vec<PyJobRow>> {
        let store = self.0.get();
        let ask = || match Fingerprint::parse(fingerprint) {
            Some(group) => store.0.group_jobs(group, limit),
            None => Ok(Vec::new()),
        };
        store.rows(py, ask, PyJobRow::new)
    }

    #[pyo3(signature = (fingerprint, *, limit))]
    fn attempts(
        &self,
        py: Python<'_>,
        fingerprint: &str,
        limit: u32,
    ) -> PyResult<Vec<PyAttemptRow>> {
        let store = self.0.get();
        let ask = || match Fingerprint::parse(fingerprint) {
            Some(group) => store.0.group_attempts(group, limit),
            None => Ok(Vec::new()),
        };
        store.rows(py, ask, PyAttemptRow::new)
    }

    #[pyo3(signature = (fingerprint, *, after = None, limit))]
    fn letters(
        &self,
        py: Python<'_>,
        fingerprint: &str,
        after: Option<&str>,
        limit: u32,
    ) -> PyResult<Vec<(String, String)>> {
        let store = self.0.get();
        let ask = || {
            let after = after.map(|id| store.cursor(id)).transpose()?;
            match Fingerprint::parse(fingerprint) {
                Some(group) => store
                    .0
                    .group_letters(group, after.unwrap_or_default(), limit),
                None => Ok(Vec::new()),
            }
        };
        store.rows(py, ask, |(letter, job): (Key, Key), database| {
            (letter.text(database), job.text(database))
        })
    }

    fn hours(
        &self,
        py: Python<'_>,
        fingerprint: &str,
        since: i64,
        hours: u32,
    ) -> PyResult<Vec<u64>> {
        self.about(py, fingerprint, |group, store| {
            store.group_hours(group, Millis(since), hours)
        })
    }

    fn judge(&self, py: Python<'_>, fingerprint: &str, state: &str) -> PyResult<bool> {
        let state = read_state(state)?;
        let Some(group) = Fingerprint::parse(fingerprint) else {
            return Ok(false);
        };
        let store = self.0.get();
        detached(py, || store.operate(|t, _| t.judge_group(group, state)))
    }

    fn result_preview(&self, py: Python<'_>, job_id: &str) -> PyResult<Option<String>> {
        let store = self.0.get();
        detached(py, || match store.key(job_id)? {
            Some(key) => store.0.result_preview(key),
            None => Ok(None),
        })
    }
}

impl PyFailures {
    /// Asks about one group; nothing is known of text that is no fingerprint.
    fn about<T: Send + Default>(
        &self,
        py: Python<'_>,
        fingerprint: &str,
        ask: impl FnOnce(Fingerprint, &dyn Diagnosis) -> Result<T> + Send,
    ) -> PyResult<T> {
        let Some(group) = Fingerprint::parse(fingerprint) else {
            return Ok(T::default());
        };
        let store = &self.0.get().0;
        detached(py, || ask(group, &**store))
    }
}

fn read_state(name: &str) -> PyResult<GroupState> {
    GroupState::from_name(name)
        .ok_or_else(|| PyValueError::new_err(format!("unknown state of a group '{name}'")))
}

/// One group of failures.
#[pyclass(name = "GroupRow", module = "taskito_core", frozen)]
pub(super) struct PyGroupRow(GroupRow);

#[pymethods]
impl PyGroupRow {
    #[getter]
    fn fingerprint(&self) -> String {
        self.0.fingerprint.text()
    }

    #[getter]
    fn task(&self) -> &str {
        &self.0.task
    }

    #[getter]
    fn error_type(&self) -> &str {
        &self.0.error_type
    }

    #[getter]
    fn template(&self) -> &str {
        &self.0.template
    }

    #[getter]
    fn location(&self) -> &str {
        &self.0.location
    }

    #[getter]
    fn first_seen(&self) -> i64 {
        self.0.first_seen.0
    }

    #[getter]
    fn last_seen(&self) -> i64 {
        self.0.last_seen.0
    }

    #[getter]
    fn state(&self) -> &'static str {
        self.0.state.name()
    }

    #[getter]
    fn dead(&self) -> u64 {
        self.0.dead
    }

    #[getter]
    fn retrying(&self) -> u64 {
        self.0.retrying
    }
}
