//! The edge to Python: thin classes over the store and the engine, and nothing else.
//!
//! The contract, with the guarantees of each method, is `_native.pyi` beside the package.
//! Everything that waits runs detached from the interpreter, in slices, so that signals get
//! through; nothing here holds a Python callback.
#![expect(
    clippy::needless_pass_by_value,
    reason = "PyO3 hands arguments over by value"
)]

mod bulk;
mod clock;
mod engine;
mod error;
mod event;
mod failures;
mod limits;
mod links;
mod lock;
mod lookout;
mod rows;
mod schedules;
mod store;
mod timing;
mod types;
mod workflows;

use pyo3::prelude::*;

/// The compiled part of `taskito_core`.
#[pymodule(gil_used = false)]
mod _native {
    use pyo3::prelude::*;

    #[pymodule_export]
    use super::bulk::{PyAuditRow, PyBulk, PyOperationRow, limit_reads};
    #[pymodule_export]
    use super::clock::PyClock;
    #[pymodule_export]
    use super::engine::PyEngine;
    #[pymodule_export]
    use super::error::EngineError;
    #[pymodule_export]
    use super::event::PyEvent;
    #[pymodule_export]
    use super::failures::{PyCause, PyFailures, PyGroupRow};
    #[pymodule_export]
    use super::limits::{PyBreakerRow, PyHold, PyLimits, PyQueueRow};
    #[pymodule_export]
    use super::links::PyLinks;
    #[pymodule_export]
    use super::lock::PyLock;
    #[pymodule_export]
    use super::lookout::{PyLookout, PyRollup};
    #[pymodule_export]
    use super::rows::{PyAttemptRow, PyDeadRow, PyJobRow, PyWorkerRow};
    #[pymodule_export]
    use super::schedules::{PyPlan, PyScheduleRow, PyTimetable};
    #[pymodule_export]
    use super::store::PyStore;
    #[pymodule_export]
    use super::timing::PyTiming;
    #[pymodule_export]
    use super::types::{PyClaim, PyJobSpec, PyOutcome, PyRetryPolicy};
    #[pymodule_export]
    use super::workflows::{PyMemberRow, PyWorkflowRow};

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        module.add("__version__", crate::VERSION)?;
        module.add("SQLITE_VERSION", rusqlite::version())?;
        module.add("SCHEMA_VERSION", crate::store::sqlite::SCHEMA_VERSION)
    }
}
