//! What goes in and out of the engine besides rows.

use std::sync::Arc;
use std::time::Duration;

use pyo3::prelude::*;
use pyo3::types::PyBytes;

use super::failures::PyCause;
use super::links::Named;
use crate::id::DatabaseId;
use crate::job::{Claim, JobSpec, NewJob, Token};
use crate::outcome::Outcome;
use crate::retry::RetryPolicy;

/// Milliseconds as a duration; negative ones are none.
pub(super) fn duration(millis: i64) -> Duration {
    Duration::from_millis(u64::try_from(millis).unwrap_or(0))
}

/// A duration as whole milliseconds.
pub(super) fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

/// Everything about a job but its payload.
#[pyclass(name = "JobSpec", module = "taskito_core", frozen)]
pub(super) struct PyJobSpec {
    pub(super) spec: Arc<JobSpec>,
    /// Ids of the jobs it waits for.
    pub(super) depends_on: Vec<String>,
}

#[pymethods]
impl PyJobSpec {
    #[new]
    #[pyo3(signature = (
        task, *, queue = "default", priority = 0, delay_ms = 0, max_retries = 3, timeout_ms = 0,
        unique_key = None, idempotency_key = None, metadata = None, headers = None,
        limit_key = None, expires_ms = None, result_ttl_ms = None, depends_on = None
    ))]
    #[expect(
        clippy::too_many_arguments,
        reason = "keyword arguments of a plain record"
    )]
    fn new(
        task: &str,
        queue: &str,
        priority: i32,
        delay_ms: i64,
        max_retries: u32,
        timeout_ms: i64,
        unique_key: Option<String>,
        idempotency_key: Option<String>,
        metadata: Option<String>,
        headers: Option<String>,
        limit_key: Option<String>,
        expires_ms: Option<i64>,
        result_ttl_ms: Option<i64>,
        depends_on: Option<Vec<String>>,
    ) -> Self {
        let spec = JobSpec {
            task: task.into(),
            queue: queue.into(),
            priority,
            delay: duration(delay_ms),
            max_retries,
            timeout: duration(timeout_ms),
            unique_key,
            idempotency_key,
            metadata,
            headers,
            limit_key,
            expires: expires_ms.map(duration),
            result_ttl: result_ttl_ms.map(duration),
            fire: None,
        };
        Self {
            spec: spec.into(),
            depends_on: depends_on.unwrap_or_default(),
        }
    }

    #[getter]
    fn task(&self) -> &str {
        &self.spec.task
    }

    #[getter]
    fn queue(&self) -> &str {
        &self.spec.queue
    }

    #[getter]
    fn priority(&self) -> i32 {
        self.spec.priority
    }

    #[getter]
    fn max_retries(&self) -> u32 {
        self.spec.max_retries
    }

    #[getter]
    fn timeout_ms(&self) -> i64 {
        millis(self.spec.timeout)
    }

    #[getter]
    fn unique_key(&self) -> Option<&str> {
        self.spec.unique_key.as_deref()
    }

    #[getter]
    fn metadata(&self) -> Option<&str> {
        self.spec.metadata.as_deref()
    }

    #[getter]
    fn headers(&self) -> Option<&str> {
        self.spec.headers.as_deref()
    }

    #[getter]
    fn depends_on(&self) -> Vec<String> {
        self.depends_on.clone()
    }
}

impl PyJobSpec {
    /// A job with these arguments; `named` takes note of the stored jobs it waits for.
    pub(super) fn job(
        &self,
        payload: &Bound<'_, PyBytes>,
        preview: Option<String>,
        index: usize,
        named: &mut Vec<Named>,
    ) -> NewJob {
        if !self.depends_on.is_empty() {
            named.push((index, self.depends_on.clone()));
        }
        NewJob {
            preview,
            ..NewJob::new(Arc::clone(&self.spec), payload.as_bytes().to_vec())
        }
    }
}

/// How one task waits between attempts.
#[pyclass(name = "RetryPolicy", module = "taskito_core", frozen)]
pub(super) struct PyRetryPolicy(pub(super) RetryPolicy);

#[pymethods]
impl PyRetryPolicy {
    #[new]
    #[pyo3(signature = (
        *, backoff_ms = 1000, max_delay_ms = 300_000, delays_ms = None, retry_timeouts = true
    ))]
    fn new(
        backoff_ms: i64,
        max_delay_ms: i64,
        delays_ms: Option<Vec<i64>>,
        retry_timeouts: bool,
    ) -> Self {
        let delays = delays_ms.unwrap_or_default();
        Self(RetryPolicy {
            backoff: duration(backoff_ms),
            max_delay: duration(max_delay_ms),
            delays: delays.into_iter().map(duration).collect(),
            retries_timeouts: retry_timeouts,
        })
    }
}

/// One job this worker holds.
#[pyclass(name = "Claim", module = "taskito_core", frozen)]
pub(super) struct PyClaim {
    pub(super) claim: Claim,
    pub(super) database: DatabaseId,
}

#[pymethods]
impl PyClaim {
    #[getter]
    fn job_id(&self) -> String {
        self.claim.token.key.text(self.database)
    }

    #[getter]
    fn queue(&self) -> &str {
        &self.claim.queue
    }

    #[getter]
    fn task(&self) -> &str {
        &self.claim.task
    }

    #[getter]
    fn payload<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, &self.claim.payload)
    }

    #[getter]
    fn inputs<'py>(&self, py: Python<'py>) -> Option<Vec<Bound<'py, PyBytes>>> {
        let inputs = self.claim.inputs.as_ref()?.all().iter();
        Some(inputs.map(|result| PyBytes::new(py, result)).collect())
    }

    #[getter]
    fn inputs_as(&self) -> Option<&'static str> {
        Some(self.claim.inputs.as_ref()?.shape().name())
    }

    #[getter]
    fn retry_count(&self) -> u32 {
        self.claim.retry_count
    }

    #[getter]
    fn max_retries(&self) -> u32 {
        self.claim.max_retries
    }

    #[getter]
    fn timeout_ms(&self) -> i64 {
        millis(self.claim.timeout)
    }

    fn __eq__(&self, other: &Self) -> bool {
        self.claim.token == other.claim.token && self.database == other.database
    }

    fn __hash__(&self) -> u64 {
        let Token { key, fence, .. } = self.claim.token;
        key.0.cast_unsigned() ^ fence.0.cast_unsigned().rotate_left(48)
    }
}

/// What happened to one attempt.
#[pyclass(name = "Outcome", module = "taskito_core", frozen)]
pub(super) struct PyOutcome(Report);

/// An outcome whose bytes still belong to Python.
enum Report {
    Done(Py<PyBytes>, Option<String>),
    Other(Outcome),
    TimedOut,
}

#[pymethods]
impl PyOutcome {
    #[staticmethod]
    #[pyo3(signature = (result, *, preview = None))]
    fn done(result: Py<PyBytes>, preview: Option<String>) -> Self {
        Self(Report::Done(result, preview))
    }

    #[staticmethod]
    #[pyo3(signature = (error, *, retryable = true, delay_ms = None, cause = None))]
    fn failed(
        error: String,
        retryable: bool,
        delay_ms: Option<i64>,
        cause: Option<&Bound<'_, PyCause>>,
    ) -> Self {
        Self(Report::Other(Outcome::Failed {
            error,
            retryable,
            delay: delay_ms.map(duration),
            cause: cause.map(|cause| cause.get().0.clone().into()),
        }))
    }

    #[staticmethod]
    fn snoozed(delay_ms: i64) -> Self {
        let delay = duration(delay_ms);
        Self(Report::Other(Outcome::Snoozed { delay }))
    }

    #[staticmethod]
    fn cancelled(error: String) -> Self {
        Self(Report::Other(Outcome::Cancelled { error }))
    }

    #[staticmethod]
    fn timed_out() -> Self {
        Self(Report::TimedOut)
    }
}

impl PyOutcome {
    /// The same without Python; `None` for an answer to an overdue attempt.
    pub(super) fn plain(&self, py: Python<'_>) -> Option<Outcome> {
        match &self.0 {
            Report::Done(result, preview) => Some(Outcome::Done {
                result: result.as_bytes(py).to_vec(),
                preview: preview.clone(),
            }),
            Report::Other(outcome) => Some(outcome.clone()),
            Report::TimedOut => None,
        }
    }
}
