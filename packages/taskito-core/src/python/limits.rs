//! What holds jobs back: limits as code says them, and what there is to see of them.

use pyo3::prelude::*;

use super::error::raise;
use super::types::{duration, millis};
use crate::breaker::{Breaker, BreakerSettings};
use crate::clock::Millis;
use crate::limits::{Hold, Limit, QueueRow, Scope, TaskLimits};
use crate::rate::Rate;

/// What the code says about the limits of a task.
#[pyclass(name = "Limits", module = "taskito_core", frozen)]
pub(super) struct PyLimits(pub(super) TaskLimits);

#[pymethods]
impl PyLimits {
    #[new]
    #[pyo3(signature = (*, rate = None, max_concurrent = None, breaker = None))]
    fn new(
        py: Python<'_>,
        rate: Option<&str>,
        max_concurrent: Option<u32>,
        breaker: Option<(u32, i64, i64)>,
    ) -> PyResult<Self> {
        let breaker = breaker.map(|(threshold, window_ms, cooldown_ms)| BreakerSettings {
            threshold,
            window: duration(window_ms),
            cooldown: duration(cooldown_ms),
        });
        Ok(Self(TaskLimits {
            limit: Limit {
                rate: read_rate(py, rate)?,
                max_concurrent,
            },
            breaker,
        }))
    }
}

/// A rate as people write it.
pub(super) fn read_rate(py: Python<'_>, text: Option<&str>) -> PyResult<Option<Rate>> {
    let rate = text.map(Rate::parse).transpose();
    rate.map_err(|error| raise(py, &error))
}

/// One queue.
#[pyclass(name = "QueueRow", module = "taskito_core", frozen)]
pub(super) struct PyQueueRow(pub(super) QueueRow);

#[pymethods]
impl PyQueueRow {
    #[getter]
    fn name(&self) -> &str {
        &self.0.name
    }

    #[getter]
    fn paused(&self) -> bool {
        self.0.paused
    }

    #[getter]
    fn rate(&self) -> Option<&str> {
        self.0.limit.rate.as_ref().map(Rate::text)
    }

    #[getter]
    fn max_concurrent(&self) -> Option<u32> {
        self.0.limit.max_concurrent
    }

    #[getter]
    fn oldest_due_at(&self) -> Option<i64> {
        self.0.oldest_due_at.map(|at| at.0)
    }

    #[getter]
    fn pending(&self) -> u64 {
        self.0.stats.pending
    }

    #[getter]
    fn running(&self) -> u64 {
        self.0.stats.running
    }

    #[getter]
    fn complete(&self) -> u64 {
        self.0.stats.complete
    }

    #[getter]
    fn dead(&self) -> u64 {
        self.0.stats.dead
    }

    #[getter]
    fn cancelled(&self) -> u64 {
        self.0.stats.cancelled
    }
}

/// One circuit breaker.
#[pyclass(name = "BreakerRow", module = "taskito_core", frozen)]
pub(super) struct PyBreakerRow {
    task: String,
    breaker: Breaker,
    now: Millis,
}

impl PyBreakerRow {
    /// As it stands at `now`.
    pub(super) fn new((task, breaker): (String, Breaker), now: Millis) -> Self {
        Self { task, breaker, now }
    }
}

#[pymethods]
impl PyBreakerRow {
    #[getter]
    fn task(&self) -> &str {
        &self.task
    }

    #[getter]
    fn state(&self) -> &'static str {
        self.breaker.state(self.now).name()
    }

    #[getter]
    fn failure_count(&self) -> usize {
        self.breaker.failures.len()
    }

    #[getter]
    fn last_failure_at(&self) -> Option<i64> {
        self.breaker.last_failure_at.map(|at| at.0)
    }

    #[getter]
    fn opened_at(&self) -> Option<i64> {
        self.breaker.opened_at.map(|at| at.0)
    }

    #[getter]
    fn threshold(&self) -> u32 {
        self.breaker.settings.threshold
    }

    #[getter]
    fn window_ms(&self) -> i64 {
        millis(self.breaker.settings.window)
    }

    #[getter]
    fn cooldown_ms(&self) -> i64 {
        millis(self.breaker.settings.cooldown)
    }
}

/// One limit that keeps a job from starting.
#[pyclass(name = "Hold", module = "taskito_core", frozen)]
pub(super) struct PyHold(pub(super) Hold);

#[pymethods]
impl PyHold {
    #[getter]
    fn kind(&self) -> &'static str {
        match self.0 {
            Hold::Paused { .. } => "paused",
            Hold::Rate { .. } => "rate",
            Hold::Full { .. } => "full",
            Hold::Broken { .. } => "broken",
        }
    }

    #[getter]
    fn scope(&self) -> &'static str {
        match &self.0 {
            Hold::Paused { .. } => "queue",
            Hold::Broken { .. } => "task",
            Hold::Rate { scope, .. } | Hold::Full { scope, .. } => match scope {
                Scope::Queue(_) => "queue",
                Scope::Task(_) => "task",
                Scope::Key { .. } => "key",
                Scope::Group(_) => "group",
            },
        }
    }

    #[getter]
    fn name(&self) -> Option<&str> {
        match &self.0 {
            Hold::Paused { queue } => Some(queue),
            Hold::Broken { task, .. } => Some(task),
            Hold::Rate { scope, .. } | Hold::Full { scope, .. } => match scope {
                Scope::Queue(name) | Scope::Task(name) | Scope::Key { task: name, .. } => {
                    Some(name)
                }
                Scope::Group(_) => None,
            },
        }
    }

    #[getter]
    fn key(&self) -> Option<&str> {
        match &self.0 {
            Hold::Rate { scope, .. } | Hold::Full { scope, .. } => match scope {
                Scope::Key { key, .. } => Some(key),
                Scope::Queue(_) | Scope::Task(_) | Scope::Group(_) => None,
            },
            Hold::Paused { .. } | Hold::Broken { .. } => None,
        }
    }

    #[getter]
    fn rate(&self) -> Option<&str> {
        match &self.0 {
            Hold::Rate { rate, .. } => Some(rate.text()),
            Hold::Paused { .. } | Hold::Full { .. } | Hold::Broken { .. } => None,
        }
    }

    #[getter]
    fn max_concurrent(&self) -> Option<u32> {
        match self.0 {
            Hold::Full { limit, .. } => Some(limit),
            Hold::Paused { .. } | Hold::Rate { .. } | Hold::Broken { .. } => None,
        }
    }

    #[getter]
    fn running(&self) -> Option<u32> {
        match self.0 {
            Hold::Full { running, .. } => Some(running),
            Hold::Paused { .. } | Hold::Rate { .. } | Hold::Broken { .. } => None,
        }
    }

    #[getter]
    fn until(&self) -> Option<i64> {
        match self.0 {
            Hold::Rate { until, .. } => Some(until.0),
            Hold::Broken { until, .. } => until.map(|at| at.0),
            Hold::Paused { .. } | Hold::Full { .. } => None,
        }
    }
}
