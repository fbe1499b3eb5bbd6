//! What whoever tends a worker is told, as one class with a kind.

use pyo3::prelude::*;

use super::types::PyClaim;
use crate::engine::Event;
use crate::id::DatabaseId;

/// Something that happened to a worker.
#[pyclass(name = "Event", module = "taskito_core", frozen)]
pub(super) struct PyEvent {
    event: Event,
    database: DatabaseId,
}

impl PyEvent {
    pub(super) fn new(event: Event, database: DatabaseId) -> Self {
        Self { event, database }
    }
}

#[pymethods]
impl PyEvent {
    #[getter]
    fn kind(&self) -> &str {
        match self.event {
            Event::Hire(_) => "hire",
            Event::Overdue(_) => "overdue",
            Event::Cancel(_) => "cancel",
            Event::Settled { .. } => "settled",
            Event::Lost(..) => "lost",
            Event::Schedule { .. } => "schedule",
            Event::Trouble(_) => "trouble",
            Event::Recovered => "recovered",
            Event::DrainRequested => "drain",
            Event::Disowned => "disowned",
            Event::Stranded => "stranded",
        }
    }

    #[getter]
    fn claim(&self) -> Option<PyClaim> {
        let claim = match &self.event {
            Event::Overdue(claim) | Event::Cancel(claim) | Event::Settled { claim, .. } => claim,
            Event::Lost(claim, _) => claim,
            Event::Hire(_)
            | Event::Schedule { .. }
            | Event::Trouble(_)
            | Event::Recovered
            | Event::DrainRequested
            | Event::Disowned
            | Event::Stranded => return None,
        };
        Some(PyClaim {
            claim: claim.clone(),
            database: self.database,
        })
    }

    #[getter]
    fn count(&self) -> Option<usize> {
        match self.event {
            Event::Hire(count) => Some(count),
            _ => None,
        }
    }

    #[getter]
    fn schedule(&self) -> Option<&str> {
        match &self.event {
            Event::Schedule { name, .. } => Some(name),
            _ => None,
        }
    }

    #[getter]
    fn arrow(&self) -> Option<&str> {
        match self.event {
            Event::Settled { arrow, .. } => Some(arrow.name()),
            _ => None,
        }
    }

    #[getter]
    fn retry_count(&self) -> Option<u32> {
        match self.event {
            Event::Settled { retry_count, .. } => Some(retry_count),
            _ => None,
        }
    }

    #[getter]
    fn error(&self) -> Option<&str> {
        match &self.event {
            Event::Schedule { problem, .. } => Some(problem),
            Event::Trouble(error) | Event::Lost(_, error) => Some(error),
            _ => None,
        }
    }
}
