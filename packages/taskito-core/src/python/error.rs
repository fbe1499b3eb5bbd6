//! Our errors as one Python exception with facts as attributes.

use pyo3::exceptions::PyException;
use pyo3::prelude::*;

use crate::error::{Error, Result};

pyo3::create_exception!(
    taskito_core,
    EngineError,
    PyException,
    "Any failure of the engine."
);

/// Turns a failure into the exception.
pub(super) fn raise(py: Python<'_>, error: &Error) -> PyErr {
    let raised = EngineError::new_err(error.to_string());
    let value = raised.value(py);
    let facts = value
        .setattr("kind", error.kind())
        .and_then(|()| value.setattr("hint", error.hint()))
        .and_then(|()| value.setattr("path", error.path().map(|path| path.to_string_lossy())));
    facts.err().unwrap_or(raised)
}

/// Runs `work` without holding the interpreter.
pub(super) fn detached<T: Send>(
    py: Python<'_>,
    work: impl FnOnce() -> Result<T> + Send,
) -> PyResult<T> {
    py.detach(work).map_err(|error| raise(py, &error))
}
