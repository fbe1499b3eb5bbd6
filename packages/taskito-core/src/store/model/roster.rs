//! The roster of workers.

use super::{Draft, Tables};
use crate::clock::Millis;
use crate::error::{Error, Result};
use crate::job::{Beat, Held, NewWorker, WorkerId, WorkerRow};
use crate::store::Roster;

impl Roster for Draft<'_> {
    fn enlist(&mut self, now: Millis, worker: &NewWorker) -> Result<WorkerId> {
        self.tables.last_worker += 1;
        let id = WorkerId(self.tables.last_worker);
        let row = WorkerRow {
            id,
            key: self.keys.next(now),
            about: worker.clone(),
            running: 0,
            schedules: Vec::new(),
            draining: false,
            drain_requested: false,
            abandoned: 0,
            ended: 0,
            rss: None,
            started_at: now,
            heartbeat_at: now,
        };
        self.tables.workers.insert(id, row);
        Ok(id)
    }

    fn beat(&mut self, now: Millis, worker: WorkerId, beat: &Beat) -> Result<()> {
        if let Some(row) = self.tables.workers.get_mut(&worker) {
            row.about.tasks.clone_from(&beat.tasks);
            row.draining = beat.draining;
            row.abandoned = beat.abandoned;
            row.ended = beat.ended;
            row.rss = beat.rss;
            row.heartbeat_at = now;
        }
        Ok(())
    }

    fn request_drain(&mut self, worker: WorkerId) -> Result<bool> {
        let row = self.tables.workers.get_mut(&worker);
        Ok(row.map(|row| row.drain_requested = true).is_some())
    }

    fn held(&mut self, worker: WorkerId) -> Result<Vec<Held>> {
        Ok(self.tables.held(worker))
    }

    fn dismiss(&mut self, worker: WorkerId) -> Result<bool> {
        let held = self.tables.held(worker).len();
        if held > 0 {
            return Err(Error::Invalid {
                message: format!("worker {} still holds {held} running jobs", worker.0),
            });
        }
        Ok(self.tables.workers.remove(&worker).is_some())
    }
}

impl Tables {
    /// The running jobs of a worker, oldest first.
    pub(super) fn held(&self, worker: WorkerId) -> Vec<Held> {
        self.jobs
            .values()
            .filter(|job| job.row.owner == Some(worker))
            .map(|job| Held {
                token: job.token(),
                max_retries: job.row.max_retries,
                losses: job.row.losses,
                cancel_requested: job.row.cancel_requested,
            })
            .collect()
    }
}
