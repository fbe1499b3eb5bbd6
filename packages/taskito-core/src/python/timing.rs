//! When a schedule fires.

use pyo3::prelude::*;

use super::error::raise;
use super::types::duration;
use crate::clock::Millis;
use crate::cron::Cron;
use crate::error::Result;
use crate::timing::Timing;

/// A rule that says when the next fire is.
#[pyclass(name = "Timing", module = "taskito_core", frozen)]
pub(super) struct PyTiming(pub(super) Timing);

#[pymethods]
impl PyTiming {
    #[staticmethod]
    #[pyo3(signature = (expression, timezone = "UTC"))]
    fn cron(py: Python<'_>, expression: &str, timezone: &str) -> PyResult<Self> {
        wrapped(py, Cron::new(expression, timezone).map(Timing::Cron))
    }

    #[staticmethod]
    #[pyo3(signature = (period_ms, timezone = "UTC"))]
    fn every(py: Python<'_>, period_ms: i64, timezone: &str) -> PyResult<Self> {
        wrapped(py, Timing::every(duration(period_ms), timezone))
    }

    fn local(&self, at_ms: i64) -> Option<String> {
        self.0.local(Millis(at_ms))
    }

    fn next(&self, after_ms: i64) -> Option<i64> {
        self.0.next(Millis(after_ms)).map(|at| at.0)
    }
}

fn wrapped(py: Python<'_>, timing: Result<Timing>) -> PyResult<PyTiming> {
    timing.map(PyTiming).map_err(|error| raise(py, &error))
}
