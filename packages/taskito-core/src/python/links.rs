//! What ties new jobs to others, as Python says it.

use pyo3::prelude::*;

use super::store::PyStore;
use crate::error::Result;
use crate::job::{Inserted, NewJob};
use crate::links::{Group, Inputs, Links, Parent};
use crate::store::Inspect;

/// What a job of a workflow waits for, and which limits it shares.
#[pyclass(name = "Links", module = "taskito_core", frozen)]
pub(super) struct PyLinks(Links);

/// One job, or several.
#[derive(FromPyObject)]
enum Takes {
    #[pyo3(transparent)]
    One(usize),
    #[pyo3(transparent)]
    List(Vec<usize>),
}

#[pymethods]
impl PyLinks {
    #[new]
    #[pyo3(
        signature = (*, takes = None, after = vec![], groups = vec![]),
        text_signature = "(*, takes=None, after=(), groups=())"
    )]
    fn new(takes: Option<Takes>, after: Vec<usize>, groups: Vec<(u32, u32)>) -> Self {
        let new = |jobs: Vec<usize>| jobs.into_iter().map(Parent::New).collect();
        let group = |(number, limit)| Group { number, limit };
        Self(Links {
            inputs: takes.map(|takes| match takes {
                Takes::One(job) => Inputs::One(Parent::New(job)),
                Takes::List(jobs) => Inputs::List(new(jobs)),
            }),
            after: new(after),
            workflow: true,
            groups: groups.into_iter().map(group).collect(),
        })
    }
}

impl PyLinks {
    /// The same without Python.
    pub(super) fn plain(&self) -> Links {
        self.0.clone()
    }
}

/// The stored jobs that a new one, by its index, waits for.
pub(super) type Named = (usize, Vec<String>);

impl PyStore {
    /// Ties new jobs to stored ones and stores them; each answer is (id, deduplicated).
    pub(super) fn store(
        &self,
        mut jobs: Vec<NewJob>,
        named: Vec<Named>,
    ) -> Result<Vec<(String, bool)>> {
        for (index, ids) in named {
            let links = jobs[index].links.get_or_insert_default();
            for id in ids {
                let key = self.key(&id)?;
                links
                    .after
                    .push(key.map_or(Parent::Unknown(id), Parent::Stored));
            }
        }
        let inserted = self.0.enqueue(jobs)?;
        let database = self.0.database()?;
        let answer = |one: Inserted| (one.key.text(database), one.deduplicated);
        Ok(inserted.into_iter().map(answer).collect())
    }
}
