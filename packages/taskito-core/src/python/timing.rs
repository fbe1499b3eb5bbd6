//! When a schedule fires.

use pyo3::prelude::*;

use super::error::raise;
use super::types::duration;
use crate::clock::Millis;
use crate::cron::Cron;
use crate::timing::Timing;

/// A rule that says when the next fire is.
#[pyclass(name = "Timing", module = "taskito_core", frozen)]
pub(super) struct PyTiming(Timing);

#[pymethods]
impl PyTiming {
    #[staticmethod]
    #[pyo3(signature = (expression, timezone = "UTC"))]
    fn cron(py: Python<'_>, expression: &str, timezone: &str) -> PyResult<Self> {
        match Cron::new(expression, timezone) {
            Ok(cron) => Ok(Self(Timing::Cron(cron))),
            Err(error) => Err(raise(py, &error)),
        }
    }

    #[staticmethod]
    fn every(period_ms: i64) -> Self {
        Self(Timing::Every(duration(period_ms)))
    }

    fn next(&self, after_ms: i64) -> Option<i64> {
        self.0.next(Millis(after_ms)).map(|at| at.0)
    }
}
