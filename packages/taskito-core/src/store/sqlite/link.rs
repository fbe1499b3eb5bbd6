//! What ties a new job to others: its parents, its workflow, its limited groups.

use std::collections::{HashMap, HashSet};

use rusqlite::{OptionalExtension, Result, named_params};

use super::transaction::SqliteTransaction;
use crate::clock::Millis;
use crate::error::{self, Error};
use crate::id::Key;
use crate::job::{Inserted, Spot};
use crate::limits::LimiterId;
use crate::links::{Group, GroupId, Inputs, Links, RootEnd, Shape};
use crate::state::State;

/// What the jobs of one insert share.
#[derive(Default)]
pub(super) struct Family {
    workflow: Option<Key>,
    groups: HashMap<u32, GroupId>,
}

impl Family {
    /// Takes note of a job that was stored.
    pub(super) fn welcome(&mut self, key: Key, links: &Links) {
        if links.workflow {
            self.workflow.get_or_insert(key);
        }
    }
}

/// Which workflow a new job belongs to.
#[derive(Clone, Copy)]
pub(super) enum Workflow {
    /// The one that is named after it.
    Own,
    /// That of an earlier job.
    Of(Key),
}

impl Workflow {
    /// The key of the workflow of the job with this key.
    pub(super) fn key(self, job: Key) -> Key {
        match self {
            Self::Own => job,
            Self::Of(first) => first,
        }
    }
}

/// Where a new job stands among others.
#[derive(Default)]
pub(super) struct Place {
    /// Parents that are not complete, each counted once.
    pub(super) waiting_on: u32,
    /// How the results of its inputs reach its arguments.
    pub(super) shape: Option<Shape>,
    pub(super) workflow: Option<Workflow>,
    pub(super) group: Option<GroupId>,
    /// Its parents, and whether each is an input.
    edges: Vec<(Key, bool)>,
    doom: Option<Doom>,
}

/// Why a job is cancelled before it was ever stored: the first parent that ended without a
/// result.
struct Doom {
    root: Key,
    error: String,
}

/// How a parent stands.
struct Standing {
    state: State,
    ended_by: Option<Key>,
    error: Option<String>,
}

impl SqliteTransaction<'_> {
    /// Looks at everything that a new job is tied to.
    pub(super) fn place(
        &mut self,
        links: &Links,
        siblings: &[Inserted],
        family: &mut Family,
    ) -> error::Result<Place> {
        let group = self.innermost(&links.groups, family);
        let mut place = Place {
            shape: links.inputs.as_ref().map(Inputs::shape),
            workflow: links
                .workflow
                .then(|| family.workflow.map_or(Workflow::Own, Workflow::Of)),
            group: self.explained(group)?,
            ..Place::default()
        };
        let mut seen = HashSet::new();
        for (parent, is_input) in links.parents() {
            let parent = parent.key(siblings)?;
            let is_new = seen.insert(parent);
            if is_new {
                self.count(parent, &mut place)?;
            }
            if is_new || is_input {
                place.edges.push((parent, is_input));
            }
        }
        Ok(place)
    }

    /// Stores the edges of a job that was inserted at `place`; cancels it if a parent already
    /// ended without a result.
    pub(super) fn tie(&mut self, now: Millis, job: Key, spot: Spot, place: &Place) -> Result<()> {
        let mut add = self
            .connection
            .prepare_cached(include_str!("sql/add_dependency.sql"))?;
        for (position, (parent, is_input)) in (0_u32..).zip(&place.edges) {
            add.execute(named_params! {
                ":job": job, ":position": position, ":parent": parent, ":is_input": is_input,
            })?;
        }
        if place.waiting_on > 0 {
            self.blocked = Some(true);
            self.childless = None;
        }
        match &place.doom {
            Some(doom) => self.cancel_dependent(now, job, spot, (doom.root, &doom.error)),
            None => Ok(()),
        }
    }

    /// Takes into account how a parent stands.
    fn count(&self, parent: Key, place: &mut Place) -> error::Result<()> {
        let found = self.look_at(parent);
        let Some(found) = self.explained(found)? else {
            return Err(Error::MissingDependency {
                id: parent.text(self.database),
            });
        };
        if found.state == State::Complete {
            return Ok(());
        }
        place.waiting_on += 1;
        let end = match found.state {
            State::Dead => RootEnd::Dead,
            State::Cancelled => RootEnd::Cancelled,
            _ => return Ok(()),
        };
        place.doom.get_or_insert_with(|| match found {
            // Its root may be gone by now; what it said is still there.
            Standing {
                ended_by: Some(root),
                error: Some(error),
                ..
            } => Doom { root, error },
            _ => Doom {
                root: parent,
                error: end.error(parent, self.database),
            },
        });
        Ok(())
    }

    fn look_at(&self, parent: Key) -> Result<Option<Standing>> {
        self.connection
            .prepare_cached(include_str!("sql/parent.sql"))?
            .query_row(named_params! {":id": parent}, |row| {
                Ok(Standing {
                    state: row.get(0)?,
                    ended_by: row.get(1)?,
                    error: row.get(2)?,
                })
            })
            .optional()
    }

    /// The innermost of nested groups; those that are not known yet are added.
    fn innermost(&self, groups: &[Group], family: &mut Family) -> Result<Option<GroupId>> {
        let mut innermost = None;
        for group in groups {
            let known = family.groups.get(&group.number).copied();
            let id = known.map_or_else(|| self.add_group(*group, innermost), Ok)?;
            family.groups.insert(group.number, id);
            innermost = Some(id);
        }
        Ok(innermost)
    }

    /// The results that a job takes.
    pub(super) fn inputs(&self, job: Key, shape: Shape) -> Result<Inputs<Vec<u8>>> {
        let mut results: Vec<Vec<u8>> = self
            .connection
            .prepare_cached(include_str!("sql/inputs.sql"))?
            .query_map(named_params! {":job": job}, |row| row.get(0))?
            .collect::<Result<_>>()?;
        Ok(match shape {
            Shape::One => Inputs::One(results.pop().unwrap_or_default()),
            Shape::List => Inputs::List(results),
        })
    }

    fn add_group(&self, group: Group, outer: Option<GroupId>) -> Result<GroupId> {
        self.connection
            .prepare_cached(include_str!("sql/add_group.sql"))?
            .execute(named_params! {":max_running": group.limit, ":outer_group": outer})?;
        let id = GroupId(self.connection.last_insert_rowid());
        outer.map_or(Ok(()), |outer| self.use_limiter(LimiterId(outer.0)))?;
        Ok(id)
    }
}
