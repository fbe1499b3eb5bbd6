//! All that can be seen of the database between two steps.

use std::collections::BTreeMap;

use taskito_core::clock::Millis;
use taskito_core::id::Key;
use taskito_core::job::{JobFilter, JobRow, Stats};
use taskito_core::limits::QueueRow;
use taskito_core::schedule::ScheduleRow;
use taskito_core::store::sqlite::SqliteStore;
use taskito_core::store::{Inspect, Restraints, Timetable};

/// One look.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sight {
    pub(crate) jobs: BTreeMap<Key, JobRow>,
    pub(crate) stats: Stats,
    pub(crate) queues: BTreeMap<String, QueueRow>,
    pub(crate) schedules: Vec<ScheduleRow>,
    /// How often the doorbells rang.
    pub(crate) work: u32,
    pub(crate) finished: u32,
    /// When the look was taken, by the clock.
    pub(crate) now: Millis,
}

impl Sight {
    pub(crate) fn of(store: &SqliteStore) -> Self {
        let everything = JobFilter {
            limit: u32::MAX,
            ..JobFilter::default()
        };
        let jobs = store.jobs(&everything).unwrap();
        let gate = store.gate().unwrap();
        let queues = store.queues(store.now()).unwrap();
        Self {
            jobs: jobs.into_iter().map(|row| (row.key, row)).collect(),
            stats: store.stats().unwrap(),
            queues: queues
                .into_iter()
                .map(|row| (row.name.clone(), row))
                .collect(),
            schedules: store.schedules().unwrap(),
            work: gate.work().number(),
            finished: gate.finished().number(),
            now: store.now(),
        }
    }

    /// Jobs that are not finished.
    pub(crate) fn unfinished(&self) -> impl Iterator<Item = &JobRow> {
        self.jobs.values().filter(|row| !row.state.is_finished())
    }

    /// Jobs that run.
    pub(crate) fn running(&self) -> impl Iterator<Item = &JobRow> {
        self.jobs.values().filter(|row| row.owner.is_some())
    }

    /// Whether nothing of a queue may start.
    pub(crate) fn is_paused(&self, queue: &str) -> bool {
        self.queues.get(queue).is_some_and(|row| row.paused)
    }
}
