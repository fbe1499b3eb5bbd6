//! The questions about workflows, answered by looking at every row.

use super::ModelStore;
use crate::error::Result;
use crate::id::Key;
use crate::links::Inputs;
use crate::state::{State, Status};
use crate::store::{Member, Tally, Tie, Workflows};

impl Workflows for ModelStore {
    fn workflows(&self, before: Key, limit: u32) -> Result<Vec<Key>> {
        let tables = self.committed();
        let mut found: Vec<Key> = tables
            .rows()
            .filter_map(|row| row.workflow)
            .filter(|workflow| *workflow < before)
            .collect();
        found.sort_unstable();
        found.dedup();
        Ok(found.into_iter().rev().take(limit as usize).collect())
    }

    fn tally(&self, workflow: Key, most: u32) -> Result<Tally> {
        let mut tally = Tally::default();
        for member in self.members(workflow, Key(0), most)? {
            let stats = &mut tally.stats;
            let counter = match member.state.status() {
                Status::Pending => &mut stats.pending,
                Status::Running => &mut stats.running,
                Status::Complete => &mut stats.complete,
                Status::Dead => &mut stats.dead,
                Status::Cancelled => &mut stats.cancelled,
            };
            *counter += 1;
            tally.started_at = [tally.started_at, member.claimed_at]
                .into_iter()
                .flatten()
                .min();
            tally.finished_at = tally.finished_at.max(member.finished_at);
            if member.state == State::Dead {
                tally.failed = tally.failed.or(Some(member.key));
            }
        }
        Ok(tally)
    }

    fn members(&self, workflow: Key, after: Key, limit: u32) -> Result<Vec<Member>> {
        let tables = self.committed();
        let letter = |job: Key| {
            let mut letters = tables.letters.iter();
            letters.find(|(_, row)| row.job == job).map(|(key, _)| *key)
        };
        let members = tables
            .jobs
            .iter()
            .filter(|(key, job)| job.row.workflow == Some(workflow) && **key > after);
        Ok(members
            .take(limit as usize)
            .map(|(key, job)| Member {
                key: *key,
                queue: job.row.queue.clone(),
                task: job.row.task.clone(),
                state: job.row.state,
                claimed_at: job.row.claimed_at,
                finished_at: job.row.finished_at,
                letter: letter(*key),
                ended_by: job.row.ended_by,
                inputs: job.inputs.as_ref().map(Inputs::shape),
            })
            .collect())
    }

    fn ties(&self, workflow: Key, first: Key, last: Key) -> Result<Vec<Tie>> {
        let tables = self.committed();
        let members = tables.jobs.range(first..=last);
        let mut ties = Vec::new();
        for (key, job) in members.filter(|(_, job)| job.row.workflow == Some(workflow)) {
            let inputs = job.inputs.as_ref().map_or(&[][..], Inputs::all);
            ties.extend(inputs.iter().map(|parent| (*key, *parent, true)));
            let after = job.parents.iter().filter(|parent| !inputs.contains(parent));
            ties.extend(after.map(|parent| (*key, *parent, false)));
        }
        let tie = |(job, parent, is_input)| Tie {
            job,
            parent,
            is_input,
        };
        Ok(ties.into_iter().map(tie).collect())
    }
}
