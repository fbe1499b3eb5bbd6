//! A clock that a test moves.

use std::sync::Arc;

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use super::types::duration;
use crate::clock::{Clock, ManualClock, Millis};

/// A clock that stands still until it is told to move.
#[pyclass(name = "Clock", module = "taskito_core", frozen)]
pub(super) struct PyClock(pub(super) Arc<ManualClock>);

#[pymethods]
impl PyClock {
    #[new]
    fn new(now_ms: i64) -> Self {
        Self(Arc::new(ManualClock::at(Millis(now_ms))))
    }

    #[getter]
    fn now(&self) -> i64 {
        self.0.now().0
    }

    fn advance(&self, ms: i64) -> PyResult<()> {
        if ms < 0 {
            let message = format!("a clock moves forward only, not by {ms} ms");
            return Err(PyValueError::new_err(message));
        }
        self.0.advance(duration(ms));
        Ok(())
    }
}
