//! Workflows as Python reads them.

use pyo3::prelude::*;

use super::store::PyStore;
use crate::error::{Error, Result};
use crate::id::{DatabaseId, Key};
use crate::store::{
    Inspect, Member, Sync, Tally, Tie, Workflows, cancel_workflow, resume_workflow,
};

/// A workflow in numbers.
#[pyclass(name = "WorkflowRow", module = "taskito_core", frozen)]
pub(super) struct PyWorkflowRow {
    key: Key,
    tally: Tally,
    database: DatabaseId,
}

#[pymethods]
impl PyWorkflowRow {
    #[getter]
    fn id(&self) -> String {
        self.key.text(self.database)
    }

    #[getter]
    fn pending(&self) -> u64 {
        self.tally.stats.pending
    }

    #[getter]
    fn running(&self) -> u64 {
        self.tally.stats.running
    }

    #[getter]
    fn complete(&self) -> u64 {
        self.tally.stats.complete
    }

    #[getter]
    fn dead(&self) -> u64 {
        self.tally.stats.dead
    }

    #[getter]
    fn cancelled(&self) -> u64 {
        self.tally.stats.cancelled
    }

    #[getter]
    fn started_at(&self) -> Option<i64> {
        self.tally.started_at.map(|at| at.0)
    }

    #[getter]
    fn finished_at(&self) -> Option<i64> {
        self.tally.finished_at.map(|at| at.0)
    }

    #[getter]
    fn failed_id(&self) -> Option<String> {
        self.tally.failed.map(|key| key.text(self.database))
    }
}

/// One job of a workflow.
#[pyclass(name = "MemberRow", module = "taskito_core", frozen)]
pub(super) struct PyMemberRow {
    row: Member,
    database: DatabaseId,
}

#[pymethods]
impl PyMemberRow {
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
    fn started_at(&self) -> Option<i64> {
        self.row.claimed_at.map(|at| at.0)
    }

    #[getter]
    fn completed_at(&self) -> Option<i64> {
        self.row.finished_at.map(|at| at.0)
    }

    #[getter]
    fn is_letter(&self) -> bool {
        self.row.letter.is_some()
    }

    #[getter]
    fn root_id(&self) -> Option<String> {
        self.row.ended_by.map(|key| key.text(self.database))
    }
}

impl PyStore {
    /// The ids of workflows, newest first.
    pub(super) fn workflow_ids(&self, before: Option<&str>, limit: u32) -> Result<Vec<Key>> {
        let before = before.map_or(Ok(Key::LAST), |id| self.cursor(id))?;
        self.0.workflows(before, limit)
    }

    /// One workflow in numbers.
    pub(super) fn workflow_row(&self, id: &str, most: u32) -> Result<PyWorkflowRow> {
        let key = self.workflow_key(id)?;
        Ok(PyWorkflowRow {
            key,
            tally: self.0.tally(key, most)?,
            database: self.0.database()?,
        })
    }

    /// The jobs of a workflow.
    pub(super) fn member_rows(
        &self,
        id: &str,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Vec<PyMemberRow>> {
        let workflow = self.workflow_key(id)?;
        let after = after.map_or(Ok(Key(0)), |id| self.cursor(id))?;
        let database = self.0.database()?;
        let members = self.0.members(workflow, after, limit)?;
        let wrap = |row| PyMemberRow { row, database };
        Ok(members.into_iter().map(wrap).collect())
    }

    /// Pairs of a job and one that it waits for.
    pub(super) fn tied(&self, id: &str, first: &str, last: &str) -> Result<Vec<(String, String)>> {
        let workflow = self.workflow_key(id)?;
        let (first, last) = (self.cursor(first)?, self.cursor(last)?);
        let database = self.0.database()?;
        let ties = self.0.ties(workflow, first, last)?;
        let pair = |tie: Tie| (tie.job.text(database), tie.parent.text(database));
        Ok(ties.into_iter().map(pair).collect())
    }

    /// Calls off a workflow; how many jobs are cancelled, and how many are asked to end.
    pub(super) fn call_off(&self, id: &str) -> Result<(u32, u32)> {
        let workflow = self.workflow_key(id)?;
        let reached = cancel_workflow(&*self.0, Sync::Durable, self.0.now(), workflow)?;
        Ok((reached.cancelled, reached.asked))
    }

    /// Goes on where a workflow failed; the new one and its number of jobs.
    pub(super) fn resumed(&self, id: &str) -> Result<Option<(String, u32)>> {
        let workflow = self.workflow_key(id)?;
        let resumed = resume_workflow(&*self.0, Sync::Durable, self.0.now(), workflow)?;
        let database = self.0.database()?;
        Ok(resumed.map(|new| (new.workflow.text(database), new.jobs)))
    }

    fn workflow_key(&self, id: &str) -> Result<Key> {
        self.key(id)?.ok_or_else(|| Error::NotFound {
            what: format!("workflow {id}"),
        })
    }
}
