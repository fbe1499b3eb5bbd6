//! The in-memory store: the state machine written down as plainly as possible.
//!
//! It is the oracle of the contract, property and simulation tests, so it shares no idea with
//! [`sqlite`](super::sqlite): maps, loops over all rows, and a copy of everything for each
//! transaction. Nothing here is meant to be fast.

mod arrows;
mod bulk;
mod claim;
mod failures;
mod graph;
mod inspect;
mod limits;
mod locks;
mod notes;
mod operations;
mod retention;
mod roster;
mod schedules;
mod waits;
mod watching;
mod workflows;

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::bulk::{AuditRow, OperationRow};
use crate::cause::{Fingerprint, GroupRow};
use crate::clock::Millis;
use crate::error::Result;
use crate::id::{DatabaseId, Key, KeySource};
use crate::job::{AttemptRow, DeadRow, JobRow, LaneId, LogRow, WorkerId, WorkerRow};
use crate::links::{GroupId, Inputs};
use crate::schedule::ScheduleRow;
use crate::store::{JobStore, NotedClock, Sync, Work};

/// A database of jobs that lives as long as this value.
#[derive(Debug)]
pub struct ModelStore {
    database: DatabaseId,
    keys: KeySource,
    /// Held for a whole transaction; taken before `committed`.
    writer: Mutex<()>,
    /// What readers see. Held only to copy it out or in.
    committed: Mutex<Tables>,
}

/// Every row there is.
#[derive(Clone, Debug, Default)]
struct Tables {
    jobs: BTreeMap<Key, Job>,
    attempts: BTreeMap<Key, AttemptRow>,
    letters: BTreeMap<Key, DeadRow>,
    /// `dead` and `retrying` of these rows stay 0; readers get them counted.
    failures: BTreeMap<Fingerprint, GroupRow>,
    logs: BTreeMap<Key, LogRow>,
    /// Each attempt that counts.
    ended: Vec<watching::Ended>,
    /// What each replay repeats, and since when.
    replays: BTreeMap<Key, (Key, Millis)>,
    /// `running` of these rows stays 0; readers get it counted.
    workers: BTreeMap<WorkerId, WorkerRow>,
    lanes: BTreeMap<(String, String), LaneId>,
    /// Their number, limit and outer group.
    groups: BTreeMap<GroupId, (u32, Option<GroupId>)>,
    schedules: BTreeMap<String, ScheduleRow>,
    last_worker: i64,
    leases: BTreeMap<String, locks::Lease>,
    last_fence: i64,
    restrictions: limits::Restrictions,
    clock: Option<NotedClock>,
    operations: BTreeMap<Key, OperationRow>,
    /// Which jobs an operation touched, and what it made of them.
    touched: BTreeMap<(Key, Key), Option<Key>>,
    deeds: BTreeMap<Key, AuditRow>,
}

/// One job: what reads from outside, and what does not.
#[derive(Clone, Debug)]
struct Job {
    row: JobRow,
    payload: Vec<u8>,
    lane: LaneId,
    result: Option<Vec<u8>>,
    result_preview: Option<String>,
    /// What it waits for.
    parents: Vec<Key>,
    /// Whose results it takes.
    inputs: Option<Inputs<Key>>,
}

/// One write transaction: a copy of all rows, which replaces them if all goes well.
struct Draft<'a> {
    tables: Tables,
    keys: &'a KeySource,
    database: DatabaseId,
}

impl ModelStore {
    /// An empty database. `seed` decides the keys it will make, `database` their public text.
    #[must_use]
    pub fn new(seed: u64, database: DatabaseId) -> Self {
        Self {
            database,
            keys: KeySource::new(seed),
            writer: Mutex::default(),
            committed: Mutex::default(),
        }
    }

    fn committed(&self) -> MutexGuard<'_, Tables> {
        self.committed
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

impl JobStore for ModelStore {
    fn write(&self, _sync: Sync, work: &mut Work<'_>) -> Result<()> {
        let _writing = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let tables = self.committed().clone();
        let mut draft = Draft {
            tables,
            keys: &self.keys,
            database: self.database,
        };
        work(&mut draft)?;
        *self.committed() = draft.tables;
        Ok(())
    }
}
