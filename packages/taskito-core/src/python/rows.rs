//! Rows as Python reads them: every field is a property. Long because there are so many fields.

use pyo3::prelude::*;

use super::types::millis;
use crate::cause::Fingerprint;
use crate::id::DatabaseId;
use crate::job::{AttemptRow, DeadRow, JobRow, Wait, WorkerRow};
use crate::state::State;

/// One job.
#[pyclass(name = "JobRow", module = "taskito_core", frozen)]
pub(super) struct PyJobRow {
    row: JobRow,
    database: DatabaseId,
}

impl PyJobRow {
    pub(super) fn new(row: JobRow, database: DatabaseId) -> Self {
        Self { row, database }
    }
}

#[pymethods]
impl PyJobRow {
    #[getter]
    fn id(&self) -> String {
        self.row.key.text(self.database)
    }

    #[getter]
    fn queue(&self) -> &str {
        &self.row.queue
    }

    #[getter]
    fn task(&self) -> &str {
        &self.row.task
    }

    #[getter]
    fn status(&self) -> &'static str {
        self.row.state.status().name()
    }

    #[getter]
    fn priority(&self) -> i32 {
        self.row.priority
    }

    #[getter]
    fn retry_count(&self) -> u32 {
        self.row.retry_count
    }

    #[getter]
    fn max_retries(&self) -> u32 {
        self.row.max_retries
    }

    #[getter]
    fn losses(&self) -> u32 {
        self.row.losses
    }

    #[getter]
    fn created_at(&self) -> i64 {
        self.row.created_at.0
    }

    #[getter]
    fn scheduled_at(&self) -> i64 {
        self.row.run_at.0
    }

    #[getter]
    fn started_at(&self) -> Option<i64> {
        self.row.claimed_at.map(|at| at.0)
    }

    #[getter]
    fn began_at(&self) -> Option<i64> {
        self.row.started_at.map(|at| at.0)
    }

    #[getter]
    fn completed_at(&self) -> Option<i64> {
        self.row.finished_at.map(|at| at.0)
    }

    #[getter]
    fn timeout_ms(&self) -> i64 {
        millis(self.row.timeout)
    }

    #[getter]
    fn unique_key(&self) -> Option<&str> {
        self.row.unique_key.as_deref()
    }

    #[getter]
    fn idempotency_key(&self) -> Option<&str> {
        self.row.idempotency_key.as_deref()
    }

    #[getter]
    fn metadata(&self) -> Option<&str> {
        self.row.metadata.as_deref()
    }

    #[getter]
    fn headers(&self) -> Option<&str> {
        self.row.headers.as_deref()
    }

    #[getter]
    fn error(&self) -> Option<&str> {
        self.row.error.as_deref()
    }

    #[getter]
    fn progress(&self) -> Option<u8> {
        self.row.progress
    }

    #[getter]
    fn cancel_requested(&self) -> bool {
        self.row.cancel_requested
    }

    #[getter]
    fn waiting_on(&self) -> u32 {
        self.row.waiting_on
    }

    #[getter]
    fn root_id(&self) -> Option<String> {
        self.row.ended_by.map(|root| root.text(self.database))
    }

    #[getter]
    fn expires_at(&self) -> Option<i64> {
        self.row.expires_at.map(|at| at.0)
    }

    #[getter]
    fn result_ttl_ms(&self) -> Option<i64> {
        self.row.result_ttl.map(millis)
    }

    #[getter]
    fn limit_key(&self) -> Option<&str> {
        self.row.limit_key.as_deref()
    }

    #[getter]
    fn workflow_id(&self) -> Option<String> {
        self.row.workflow.map(|key| key.text(self.database))
    }

    #[getter]
    fn schedule_name(&self) -> Option<&str> {
        self.row.fire.as_ref().map(|fire| fire.schedule.as_str())
    }

    #[getter]
    fn fire_time(&self) -> Option<i64> {
        self.row.fire.as_ref().map(|fire| fire.time.0)
    }

    #[getter]
    fn is_scheduled(&self) -> bool {
        self.row.state == State::Scheduled
    }

    #[getter]
    fn wait(&self) -> Option<&'static str> {
        self.row.wait.map(Wait::name)
    }

    #[getter]
    fn failure(&self) -> Option<String> {
        self.row.failure.map(Fingerprint::text)
    }

    #[getter]
    fn preview(&self) -> Option<&str> {
        self.row.preview.as_deref()
    }

    #[getter]
    fn worker(&self) -> Option<i64> {
        self.row.owner.map(|worker| worker.0)
    }
}

/// One failed or lost attempt.
#[pyclass(name = "AttemptRow", module = "taskito_core", frozen)]
pub(super) struct PyAttemptRow {
    row: AttemptRow,
    database: DatabaseId,
}

impl PyAttemptRow {
    pub(super) fn new(row: AttemptRow, database: DatabaseId) -> Self {
        Self { row, database }
    }
}

#[pymethods]
impl PyAttemptRow {
    #[getter]
    fn id(&self) -> String {
        self.row.key.text(self.database)
    }

    #[getter]
    fn job_id(&self) -> String {
        self.row.job.text(self.database)
    }

    #[getter]
    fn attempt(&self) -> u32 {
        self.row.attempt
    }

    #[getter]
    fn outcome(&self) -> &'static str {
        self.row.mishap.name()
    }

    #[getter]
    fn error(&self) -> &str {
        &self.row.error
    }

    #[getter]
    fn claimed_at(&self) -> i64 {
        self.row.claimed_at.0
    }

    #[getter]
    fn began_at(&self) -> Option<i64> {
        self.row.started_at.map(|at| at.0)
    }

    #[getter]
    fn failed_at(&self) -> i64 {
        self.row.failed_at.0
    }

    #[getter]
    fn worker(&self) -> Option<&str> {
        self.row.worker.as_deref()
    }

    #[getter]
    fn failure(&self) -> Option<String> {
        self.row.failure.map(Fingerprint::text)
    }

    #[getter]
    fn error_type(&self) -> Option<&str> {
        self.row.error_type.as_deref()
    }

    #[getter]
    fn message(&self) -> Option<&str> {
        self.row.message.as_deref()
    }

    #[getter]
    fn frames(&self) -> Option<&str> {
        self.row.frames.as_deref()
    }
}

/// One dead letter.
#[pyclass(name = "DeadRow", module = "taskito_core", frozen)]
pub(super) struct PyDeadRow {
    row: DeadRow,
    database: DatabaseId,
}

impl PyDeadRow {
    pub(super) fn new(row: DeadRow, database: DatabaseId) -> Self {
        Self { row, database }
    }
}

#[pymethods]
impl PyDeadRow {
    #[getter]
    fn id(&self) -> String {
        self.row.key.text(self.database)
    }

    #[getter]
    fn job_id(&self) -> String {
        self.row.job.text(self.database)
    }

    #[getter]
    fn queue(&self) -> &str {
        &self.row.queue
    }

    #[getter]
    fn task(&self) -> &str {
        &self.row.task
    }

    #[getter]
    fn error(&self) -> &str {
        &self.row.error
    }

    #[getter]
    fn retry_count(&self) -> u32 {
        self.row.retry_count
    }

    #[getter]
    fn failed_at(&self) -> i64 {
        self.row.failed_at.0
    }

    #[getter]
    fn metadata(&self) -> Option<&str> {
        self.row.metadata.as_deref()
    }
}

/// One registered worker.
#[pyclass(name = "WorkerRow", module = "taskito_core", frozen)]
pub(super) struct PyWorkerRow {
    row: WorkerRow,
    database: DatabaseId,
}

impl PyWorkerRow {
    pub(super) fn new(row: WorkerRow, database: DatabaseId) -> Self {
        Self { row, database }
    }
}

#[pymethods]
impl PyWorkerRow {
    #[getter]
    fn id(&self) -> String {
        self.row.key.text(self.database)
    }

    #[getter]
    fn number(&self) -> i64 {
        self.row.id.0
    }

    #[getter]
    fn hostname(&self) -> &str {
        &self.row.about.hostname
    }

    #[getter]
    fn pid(&self) -> u32 {
        self.row.about.pid
    }

    #[getter]
    fn version(&self) -> &str {
        &self.row.about.version
    }

    #[getter]
    fn queues(&self) -> Vec<String> {
        self.row.about.queues.clone()
    }

    #[getter]
    fn tasks(&self) -> Vec<String> {
        self.row.about.tasks.clone()
    }

    #[getter]
    fn concurrency(&self) -> u32 {
        self.row.about.concurrency
    }

    #[getter]
    fn running(&self) -> u32 {
        self.row.running
    }

    #[getter]
    fn abandoned(&self) -> u32 {
        self.row.abandoned
    }

    #[getter]
    fn rss(&self) -> Option<u64> {
        self.row.rss
    }

    #[getter]
    fn draining(&self) -> bool {
        self.row.draining || self.row.drain_requested
    }

    #[getter]
    fn ended(&self) -> u64 {
        self.row.ended
    }

    #[getter]
    fn started_at(&self) -> i64 {
        self.row.started_at.0
    }

    #[getter]
    fn last_heartbeat(&self) -> i64 {
        self.row.heartbeat_at.0
    }
}
