//! The worker's side: Python pulls claims and pushes outcomes.

use std::sync::Arc;
use std::time::{Duration, Instant};

use pyo3::prelude::*;

use super::error::detached;
use super::event::PyEvent;
use super::limits::PyLimits;
use super::schedules::{PyPlan, plain};
use super::store::PyStore;
use super::types::{PyClaim, PyOutcome, PyRetryPolicy, duration};
use crate::engine::{Engine, Event, Kind, Next, Settings, Site, TaskSettings};
use crate::id::DatabaseId;
use crate::job::Claim;
use crate::limits::TaskLimits;
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
        signature = (
            store, *, threads, coroutines = 0, queues = Vec::new(), result_ttl_ms = None
        ),
        text_signature = "(store, *, threads, coroutines=0, queues=(), result_ttl_ms=None)"
    )]
    fn new(
        py: Python<'_>,
        store: &Bound<'_, PyStore>,
        threads: u32,
        coroutines: u32,
        queues: Vec<String>,
        result_ttl_ms: Option<i64>,
    ) -> PyResult<Self> {
        let settings = Settings {
            threads,
            coroutines,
            queues,
            result_ttl: result_ttl_ms.map(duration),
            seed: None,
        };
        let store = Arc::clone(&store.get().0);
        detached(py, || {
            let site = Site {
                gate: store.gate()?,
                clock: store.clock(),
                path: store.file(),
                store: Arc::clone(&store) as Arc<dyn JobStore>,
            };
            Ok(Self {
                engine: Engine::new(site, settings),
                database: store.database()?,
            })
        })
    }

    #[getter]
    fn worker_id(&self) -> String {
        let worker = self.engine.worker();
        worker.map_or_else(String::new, |(_, key)| key.text(self.database))
    }

    #[pyo3(signature = (task, policy, *, is_async = false, limits = None))]
    fn register(
        &self,
        task: &str,
        policy: &Bound<'_, PyRetryPolicy>,
        is_async: bool,
        limits: Option<&Bound<'_, PyLimits>>,
    ) {
        let settings = TaskSettings {
            limits: limits.map_or(TaskLimits::NONE, |limits| limits.get().0.clone()),
            policy: policy.get().0.clone(),
            kind: if is_async {
                Kind::Coroutine
            } else {
                Kind::Thread
            },
        };
        self.engine.register(task, settings);
    }

    fn declare(&self, py: Python<'_>, plans: Vec<Bound<'_, PyPlan>>) -> PyResult<()> {
        let plans = plain(&plans);
        detached(py, || self.engine.declare(plans))
    }

    fn want_lost(&self) {
        self.engine.want_lost();
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

    fn next_due(&self, py: Python<'_>) -> PyResult<Option<i64>> {
        detached(py, || Ok(self.engine.next_due()?.map(|due| due.0)))
    }

    fn commit(&self, py: Python<'_>) -> PyResult<Vec<PyEvent>> {
        let events = detached(py, || {
            self.engine.commit()?;
            Ok(self.engine.events(Duration::ZERO))
        })?;
        Ok(self.wrap_events(events))
    }

    fn tend(&self, py: Python<'_>) -> PyResult<()> {
        detached(py, || self.engine.tend())
    }

    fn tick(&self, py: Python<'_>) -> PyResult<Option<i64>> {
        let next = detached(py, || self.engine.tick())?;
        Ok(next.map(|at| at.0))
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

    fn next_coroutines(&self) -> Option<Vec<PyClaim>> {
        let claims = self.engine.next_coroutines()?;
        Some(claims.into_iter().map(|claim| self.wrap(claim)).collect())
    }

    fn fileno(&self) -> PyResult<i32> {
        Ok(self.engine.loop_bell()?)
    }

    #[pyo3(signature = (claim, outcome, *, notify = false))]
    fn settle(
        &self,
        py: Python<'_>,
        claim: &Bound<'_, PyClaim>,
        outcome: &Bound<'_, PyOutcome>,
        notify: bool,
    ) -> bool {
        let token = claim.get().claim.token;
        match outcome.get().plain(py) {
            Some(outcome) if notify => self.engine.settle_and_tell(token, outcome),
            Some(outcome) => self.engine.settle(token, outcome),
            None => self.engine.settle_overdue(token),
        }
    }

    fn is_current(&self, claim: &Bound<'_, PyClaim>) -> bool {
        self.engine.is_current(claim.get().claim.token)
    }

    fn is_cancelled(&self, claim: &Bound<'_, PyClaim>) -> bool {
        self.engine.is_cancelled(claim.get().claim.token)
    }

    fn progress(&self, claim: &Bound<'_, PyClaim>, progress: u8) {
        self.engine.note_progress(claim.get().claim.token, progress);
    }

    #[pyo3(signature = (claim, level, message, extra = None))]
    fn log(
        &self,
        py: Python<'_>,
        claim: &Bound<'_, PyClaim>,
        level: String,
        message: String,
        extra: Option<String>,
    ) {
        let token = claim.get().claim.token;
        py.detach(|| self.engine.note_log(token, level, message, extra));
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

    fn events(&self, py: Python<'_>) -> PyResult<Vec<PyEvent>> {
        loop {
            // Asked first: what was told before the end must not be left behind.
            let ended = self.engine.has_ended();
            let events = py.detach(|| self.engine.events(SLICE));
            py.check_signals()?;
            if ended || !events.is_empty() {
                return Ok(self.wrap_events(events));
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
            if waited == Waited::Woken {
                return Ok(true);
            }
            if rest.is_zero() {
                return Ok(false);
            }
        }
    }
}

impl PyEngine {
    fn wrap_events(&self, events: Vec<Event>) -> Vec<PyEvent> {
        let wrap = |event| PyEvent::new(event, self.database);
        events.into_iter().map(wrap).collect()
    }

    fn wrap(&self, claim: Claim) -> PyClaim {
        PyClaim {
            claim,
            database: self.database,
        }
    }
}
