//! Workflows: the jobs that one insert tied together. The questions about them, and what is done to
//! all of one.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use super::{JobStore, Sync};
use crate::clock::Millis;
use crate::error::{Error, Result};
use crate::id::Key;
use crate::job::{JobSpec, NewJob, Stats};
use crate::links::{Inputs, Links, Parent, Shape};
use crate::state::State;

/// How many jobs are read or written at once.
const PORTION: u32 = 500;

/// One job of a workflow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// The job.
    pub key: Key,
    /// Its queue.
    pub queue: String,
    /// Its task.
    pub task: String,
    /// The internal state.
    pub state: State,
    /// When the newest claim began.
    pub claimed_at: Option<Millis>,
    /// When it reached a final state.
    pub finished_at: Option<Millis>,
    /// Its dead letter, while it has one.
    pub letter: Option<Key>,
    /// The job that ended in vain and took this one with it.
    pub ended_by: Option<Key>,
    /// How the results of its parents reach its arguments.
    pub inputs: Option<Shape>,
}

/// That one job waits, or waited, for another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tie {
    /// The job that waits.
    pub job: Key,
    /// The one it waits for; not always of the same workflow.
    pub parent: Key,
    /// Whether it takes the result.
    pub is_input: bool,
}

/// A workflow in numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Its jobs by status.
    pub stats: Stats,
    /// When the first of them started, as far as claims are on record.
    pub started_at: Option<Millis>,
    /// When the last of them finished.
    pub finished_at: Option<Millis>,
    /// The oldest of the dead ones.
    pub failed: Option<Key>,
}

/// The questions about workflows. One is known by the key of its first job.
pub trait Workflows {
    /// Workflows that still have jobs, with keys before `before`, newest first.
    ///
    /// # Errors
    /// Storage failures.
    fn workflows(&self, before: Key, limit: u32) -> Result<Vec<Key>>;

    /// What became of the first `most` jobs of a workflow.
    ///
    /// # Errors
    /// Storage failures.
    fn tally(&self, workflow: Key, most: u32) -> Result<Tally>;

    /// The jobs of a workflow after `after`, oldest first: parents before their children.
    ///
    /// # Errors
    /// Storage failures.
    fn members(&self, workflow: Key, after: Key, limit: u32) -> Result<Vec<Member>>;

    /// What the jobs of a workflow from `first` to `last` wait for, by job, in the order in which
    /// each named its parents.
    ///
    /// # Errors
    /// Storage failures.
    fn ties(&self, workflow: Key, first: Key, last: Key) -> Result<Vec<Tie>>;
}

/// How many jobs a call for the end of a workflow reached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CalledOff {
    /// Those that waited: they are cancelled.
    pub cancelled: u32,
    /// Those that run: they are asked to end.
    pub asked: u32,
}

/// Calls off all unfinished jobs of a workflow, the last ones first, so that each is cancelled for
/// its own sake. Several transactions if there are many.
///
/// # Errors
/// Storage failures; what was called off before stays so.
pub fn cancel_workflow(
    store: &dyn JobStore,
    sync: Sync,
    now: Millis,
    workflow: Key,
) -> Result<CalledOff> {
    let open: Vec<Key> = all_members(store, workflow)?
        .iter()
        .rev()
        .filter(|member| !member.state.is_finished())
        .map(|member| member.key)
        .collect();
    let mut total = CalledOff::default();
    for portion in open.chunks(PORTION as usize) {
        let mut reached = CalledOff::default();
        store.write(sync, &mut |transaction| {
            reached = CalledOff::default();
            for key in portion {
                if transaction.cancel(now, *key)? {
                    reached.cancelled += 1;
                } else if transaction.cancel_request(*key)? {
                    reached.asked += 1;
                }
            }
            Ok(())
        })?;
        total.cancelled += reached.cancelled;
        total.asked += reached.asked;
    }
    Ok(total)
}

/// A workflow that goes on where another one failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Resumed {
    /// Its key.
    pub workflow: Key,
    /// How many jobs it has.
    pub jobs: u32,
}

/// Stores a new workflow of the jobs of another one that are dead and of those that they took with
/// them, tied to each other and to the completed jobs as before, and removes the dead letters; all
/// in one transaction. Limits of groups and expiries do not come along. `None` without a dead
/// letter.
///
/// # Errors
/// [`Error::MissingDependency`] when a completed parent is deleted, [`Error::Invalid`] when somebody
/// else was faster; storage failures.
pub fn resume_workflow(
    store: &dyn JobStore,
    sync: Sync,
    now: Millis,
    workflow: Key,
) -> Result<Option<Resumed>> {
    let again = failed(all_members(store, workflow)?);
    let letters: Vec<Key> = again.iter().filter_map(|member| member.letter).collect();
    let (Some(first), Some(last)) = (again.first(), again.last()) else {
        return Ok(None);
    };
    let ties = store.ties(workflow, first.key, last.key)?;
    let jobs = copies(store, &again, &ties)?;
    let mut inserted = Vec::new();
    store.write(sync, &mut |transaction| {
        if transaction.discard(&letters)? as usize != letters.len() {
            return Err(Error::Invalid {
                message: "the failed jobs of the workflow were retried or removed meanwhile".into(),
            });
        }
        inserted = transaction.insert(now, &jobs)?;
        Ok(())
    })?;
    Ok(inserted.first().map(|first| Resumed {
        workflow: first.key,
        jobs: u32::try_from(inserted.len()).unwrap_or(u32::MAX),
    }))
}

/// Those with a dead letter, and those that they took with them.
fn failed(members: Vec<Member>) -> Vec<Member> {
    let roots: HashSet<Key> = members
        .iter()
        .filter(|member| member.letter.is_some())
        .map(|member| member.key)
        .collect();
    let is_failed = |member: &Member| {
        member.letter.is_some() || member.ended_by.is_some_and(|root| roots.contains(&root))
    };
    members.into_iter().filter(is_failed).collect()
}

fn all_members(store: &dyn JobStore, workflow: Key) -> Result<Vec<Member>> {
    let mut all: Vec<Member> = Vec::new();
    loop {
        let after = all.last().map_or(Key(0), |member| member.key);
        let page = store.members(workflow, after, PORTION)?;
        let is_last = page.len() < PORTION as usize;
        all.extend(page);
        if is_last {
            return Ok(all);
        }
    }
}

/// The same jobs once more, to be inserted together.
fn copies(store: &dyn JobStore, members: &[Member], ties: &[Tie]) -> Result<Vec<NewJob>> {
    let indexes: HashMap<Key, usize> = members
        .iter()
        .enumerate()
        .map(|(index, member)| (member.key, index))
        .collect();
    let mut parents: HashMap<Key, Vec<(Parent, bool)>> = HashMap::new();
    for tie in ties {
        let new = indexes.get(&tie.parent).copied();
        let parent = new.map_or(Parent::Stored(tie.parent), Parent::New);
        let of_job = parents.entry(tie.job).or_default();
        of_job.push((parent, tie.is_input));
    }
    members
        .iter()
        .map(|member| {
            copy(
                store,
                member,
                parents.remove(&member.key).unwrap_or_default(),
            )
        })
        .collect()
}

fn copy(store: &dyn JobStore, member: &Member, parents: Vec<(Parent, bool)>) -> Result<NewJob> {
    let gone = || Error::NotFound {
        what: format!("a job of the workflow, task '{}'", member.task),
    };
    let row = store.job(member.key)?.ok_or_else(gone)?;
    let payload = store.payload(member.key)?.ok_or_else(gone)?;
    let never_ran = row.state == State::Cancelled && row.wait.is_none();
    let spec = JobSpec {
        queue: row.queue.as_str().into(),
        priority: row.priority,
        max_retries: row.max_retries,
        timeout: row.timeout,
        result_ttl: row.result_ttl,
        limit_key: row.limit_key,
        delay: if never_ran {
            row.wait_length
        } else {
            Duration::ZERO
        },
        metadata: Some(member.key.said_to_be_replayed(store.database()?)),
        ..JobSpec::new(&row.task)
    };
    let (taken, after): (Vec<_>, Vec<_>) = parents.into_iter().partition(|(_, taken)| *taken);
    let mut taken = taken.into_iter().map(|(parent, _)| parent);
    let links = Links {
        inputs: match member.inputs {
            None => None,
            Some(Shape::One) => taken.next().map(Inputs::One),
            Some(Shape::List) => Some(Inputs::List(taken.collect())),
        },
        after: after.into_iter().map(|(parent, _)| parent).collect(),
        workflow: true,
        groups: vec![],
    };
    Ok(NewJob {
        links: Some(links.into()),
        ..NewJob::new(Arc::new(spec), payload)
    })
}
