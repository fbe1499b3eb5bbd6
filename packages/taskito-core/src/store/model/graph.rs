//! Which job waits for which, found by looking at every row.

use std::collections::BTreeMap;

use super::{Draft, ModelStore, Tables};
use crate::clock::Millis;
use crate::error::{Error, Result};
use crate::id::Key;
use crate::job::{Inserted, NewJob};
use crate::links::{Group, GroupId, Inputs, Parent, RootEnd};
use crate::state::State;
use crate::store::Graph;

impl Graph for ModelStore {
    fn dependencies(&self, job: Key) -> Result<Vec<Key>> {
        let tables = self.committed();
        let job = tables.jobs.get(&job);
        Ok(job.map_or_else(Vec::new, |job| job.parents.clone()))
    }

    fn dependents(&self, job: Key) -> Result<Vec<Key>> {
        let tables = self.committed();
        let waits = tables
            .jobs
            .iter()
            .filter(|(_, other)| other.parents.contains(&job));
        Ok(waits.map(|(key, _)| *key).collect())
    }
}

impl Draft<'_> {
    pub(super) fn insert_all(&mut self, now: Millis, jobs: &[NewJob]) -> Result<Vec<Inserted>> {
        let mut answers: Vec<Inserted> = Vec::new();
        let mut workflow = None;
        let mut groups = BTreeMap::new();
        for job in jobs {
            let answer = self.add(now, job);
            if let (Some(links), false) = (&job.links, answer.deduplicated) {
                if links.workflow {
                    workflow.get_or_insert(answer.key);
                }
                let key = |parent: &Parent| parent.key(&answers);
                let inputs = match &links.inputs {
                    None => None,
                    Some(Inputs::One(one)) => Some(Inputs::One(key(one)?)),
                    Some(Inputs::List(all)) => {
                        let all: Result<_> = all.iter().map(key).collect();
                        Some(Inputs::List(all?))
                    }
                };
                let mut parents = Vec::new();
                for (parent, _) in links.parents() {
                    let parent = key(parent)?;
                    if !parents.contains(&parent) {
                        parents.push(parent);
                    }
                }
                let group = self.group(&links.groups, &mut groups);
                if let Some(job) = self.tables.jobs.get_mut(&answer.key) {
                    job.inputs = inputs;
                    job.parents = parents;
                    job.row.group = group;
                    job.row.workflow = workflow.filter(|_| links.workflow);
                }
                self.look_at_parents(now, answer.key)?;
            }
            answers.push(answer);
        }
        Ok(answers)
    }

    /// The results a job takes.
    pub(super) fn inputs(&self, job: Key) -> Option<Inputs<Vec<u8>>> {
        let result = |key: &Key| self.tables.jobs.get(key)?.result.clone();
        match self.tables.jobs.get(&job)?.inputs.as_ref()? {
            Inputs::One(one) => result(one).map(Inputs::One),
            Inputs::List(all) => all
                .iter()
                .map(result)
                .collect::<Option<_>>()
                .map(Inputs::List),
        }
    }

    /// Lets go of every blocked job that waits for nothing any more.
    pub(super) fn release(&mut self, now: Millis, _parent: Key) {
        let blocked: Vec<Key> = self.tables.blocked().collect();
        for key in blocked {
            let waiting_on = self.tables.waiting_on(key);
            let Some(job) = self.tables.jobs.get_mut(&key) else {
                continue;
            };
            job.row.waiting_on = waiting_on;
            if waiting_on == 0 {
                job.row.run_at = now.plus(job.row.wait_length);
                job.row.state = if job.row.run_at > now {
                    State::Scheduled
                } else {
                    State::Pending
                };
            }
        }
    }

    /// Cancels blocked jobs with a parent that is `root` or was cancelled because of it, until
    /// there is none.
    pub(super) fn cascade(&mut self, now: Millis, root: Key, end: RootEnd) {
        self.fell_with(now, root, &end.error(root, self.database));
    }

    fn fell_with(&mut self, now: Millis, root: Key, error: &str) {
        loop {
            let doomed = self.tables.blocked().find(|key| {
                let job = self.tables.jobs.get(key);
                job.is_some_and(|job| job.parents.iter().any(|parent| self.fell(*parent, root)))
            });
            let Some(job) = doomed.and_then(|key| self.tables.jobs.get_mut(&key)) else {
                return;
            };
            job.row.state = State::Cancelled;
            job.row.finished_at = Some(now);
            job.row.error = Some(error.to_owned());
            job.row.ended_by = Some(root);
        }
    }

    fn fell(&self, job: Key, root: Key) -> bool {
        let ended_by = self.tables.jobs.get(&job).and_then(|job| job.row.ended_by);
        job == root || ended_by == Some(root)
    }

    /// Blocks a new job, or cancels it because of its first parent that ended in vain.
    fn look_at_parents(&mut self, now: Millis, key: Key) -> Result<()> {
        let Some(job) = self.tables.jobs.get(&key) else {
            return Ok(());
        };
        let mut fallen = None;
        for parent in &job.parents {
            let Some(parent) = self.tables.jobs.get(parent) else {
                return Err(Error::MissingDependency {
                    id: parent.text(self.database),
                });
            };
            let end = match parent.row.state {
                State::Dead => RootEnd::Dead,
                State::Cancelled => RootEnd::Cancelled,
                _ => continue,
            };
            let key = parent.row.key;
            // The root of a parent may be gone, but the parent says what happened to it.
            let fell = parent.row.ended_by.zip(parent.row.error.clone());
            let fell = fell.unwrap_or_else(|| (key, end.error(key, self.database)));
            fallen.get_or_insert(fell);
        }
        let waiting_on = self.tables.waiting_on(key);
        if let Some(job) = self.tables.jobs.get_mut(&key) {
            job.row.waiting_on = waiting_on;
            if waiting_on > 0 {
                job.row.state = State::Blocked;
            }
        }
        if let Some((root, error)) = fallen {
            self.fell_with(now, root, &error);
        }
        Ok(())
    }

    fn group(&mut self, groups: &[Group], known: &mut BTreeMap<u32, GroupId>) -> Option<GroupId> {
        let mut innermost = None;
        for group in groups {
            let id = *known.entry(group.number).or_insert_with(|| {
                let all = &mut self.tables.groups;
                let id = GroupId(all.keys().last().map_or(1, |last| last.0 + 1));
                all.insert(id, (group.limit, innermost));
                id
            });
            innermost = Some(id);
        }
        innermost
    }
}

impl Tables {
    fn blocked(&self) -> impl Iterator<Item = Key> {
        let blocked = |key: &&Key| self.jobs[*key].row.state == State::Blocked;
        self.jobs.keys().filter(blocked).copied()
    }

    /// How many parents of a job are not complete.
    fn waiting_on(&self, job: Key) -> u32 {
        let parents = self.jobs.get(&job).map_or(&[][..], |job| &job.parents);
        let unfinished = parents.iter().filter(|parent| {
            let parent = self.jobs.get(parent);
            parent.is_none_or(|parent| parent.row.state != State::Complete)
        });
        u32::try_from(unfinished.count()).unwrap_or(u32::MAX)
    }
}
