//! The worker's side: Python pulls claims and pushes outcomes.

use std::sync::Arc;
use std::time::{Duration, Instant};

use pyo3::prelude::*;

use super::error::detached;
use super::store::PyStore;
use super::types::{PyClaim, PyOutcome, PyRetryPolicy, duration};
use crate::engine::{Engine, Next, Settings, Site};
use crate::id::DatabaseId;
use crate::job::Claim;
use crate::os::Waited;
use crate::store::{Inspect, JobStore};

/// The longest sleep without a look at signals that another thread received.
const SLICE: Duration = Duration::from_millis(250);

/// One worker.
#[pyclass(name = "Engine", module = "taskito_core", frozen)]
pub(super) struct PyEngine {
    engine: Engine,
    database: DatabaseId,
}

#[pymethods]
impl PyEngine {
    #[new]
    #[pyo3(
        signature = (store, *, threads, queues = Vec::new(), result_ttl_ms = None),
        text_signature = "(store, *, threads, queues=(), result_ttl_ms=None)"
    )]
    fn new(
        py: Python<'_>,
        store: &Bound<'_, PyStore>,
        threads: u32,
        queues: Vec<String>,
        result_ttl_ms: Option<i64>,
    ) -> PyResult<Self> {
        let store = Arc::clone(&store.get().0);
        detached(py, || {
            let site = Site {
                gate: store.gate()?,
                clock: store.clock(),
                path: store.file(),
                store: Arc::clone(&store) as Arc<dyn JobStore>,
            };
            Ok(Self {
                engine: Engine::new(
                    site,
                    Settings {
                        threads,
                        queues,
                        result_ttl: result_ttl_ms.map(duration),
                    },
                ),
                database: store.database()?,
            })
        })
    }

    #[getter]
    fn worker_id(&self) -> String {
        let worker = self.engine.worker();
        worker.map_or_else(String::new, |(_, key)| key.text(self.database))
    }

    fn register(&self, task: &str, policy: &Bound<'_, PyRetryPolicy>) {
        self.engine.register(task, policy.get().0);
    }

    fn start(&self, py: Python<'_>) -> PyResult<()> {
        detached(py, || self.engine.start())
    }

    fn start_by_hand(&self, py: Python<'_>) -> PyResult<()> {
        detached(py, || self.engine.start_by_hand())
    }

    fn take(&self, py: Python<'_>) -> PyResult<Option<PyClaim>> {
        let taken = detached(py, || self.engine.take())?;
        Ok(taken.map(|claim| self.wrap(claim)))
    }

    fn commit(&self, py: Python<'_>) -> PyResult<()> {
        detached(py, || self.engine.commit())
    }

    fn leave(&self, py: Python<'_>) {
        py.detach(|| self.engine.leave());
    }

    fn next(&self, py: Python<'_>) -> Option<PyClaim> {
        match self.engine.try_next() {
            Next::Job(claim) => Some(self.wrap(claim)),
            Next::Ended => None,
            Next::Nothing => py.detach(|| self.engine.next()).map(|c| self.wrap(c)),
        }
    }

    fn settle(&self, py: Python<'_>, claim: &Bound<'_, PyClaim>, outcome: &Bound<'_, PyOutcome>) {
        self.engine
            .settle(claim.get().claim.token, outcome.get().plain(py));
    }

    fn drain(&self, timeout_ms: i64) {
        self.engine.drain(duration(timeout_ms));
    }

    fn stop(&self) {
        self.engine.drain(Duration::ZERO);
    }

    #[getter]
    fn abandoned(&self) -> usize {
        self.engine.abandoned()
    }

    #[getter]
    fn most_abandoned(&self) -> usize {
        self.engine.most_abandoned()
    }

    fn hire(&self, py: Python<'_>) -> PyResult<usize> {
        loop {
            let wanted = py.detach(|| self.engine.hire(SLICE));
            py.check_signals()?;
            if wanted > 0 || self.engine.has_ended() {
                return Ok(wanted);
            }
        }
    }

    #[pyo3(signature = (timeout_ms = None))]
    fn join(&self, py: Python<'_>, timeout_ms: Option<i64>) -> PyResult<bool> {
        let deadline = timeout_ms.map(|millis| Instant::now() + duration(millis));
        loop {
            let rest = deadline.map_or(SLICE, |end| end.saturating_duration_since(Instant::now()));
            let waited = py.detach(|| self.engine.join(rest.min(SLICE)));
            py.check_signals()?;
            if waited == Waited::Woken && self.engine.has_ended() {
                return Ok(true);
            }
            if rest.is_zero() {
                return Ok(false);
            }
        }
    }
}

impl PyEngine {
    fn wrap(&self, claim: Claim) -> PyClaim {
        PyClaim {
            claim,
            database: self.database,
        }
    }
}
