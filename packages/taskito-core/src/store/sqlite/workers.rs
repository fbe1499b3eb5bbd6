//! The roster of workers.

use rusqlite::{Result, named_params};

use super::row;
use super::transaction::SqliteTransaction;
use crate::clock::Millis;
use crate::job::{Beat, Held, NewWorker, WorkerId};

impl SqliteTransaction<'_> {
    pub(super) fn enlist_worker(&mut self, now: Millis, worker: &NewWorker) -> Result<WorkerId> {
        self.connection
            .prepare_cached(include_str!("sql/enlist.sql"))?
            .execute(named_params! {
                ":key": self.keys.next(now),
                ":hostname": worker.hostname,
                ":pid": worker.pid,
                ":version": worker.version,
                ":queues": row::join_names(&worker.queues),
                ":tasks": row::join_names(&worker.tasks),
                ":concurrency": worker.concurrency,
                ":now": now,
            })?;
        Ok(WorkerId(self.connection.last_insert_rowid()))
    }

    pub(super) fn is_enlisted(&mut self, worker: WorkerId) -> Result<bool> {
        self.connection
            .prepare_cached(include_str!("sql/enlisted.sql"))?
            .exists(named_params! {":id": worker})
    }

    pub(super) fn beat_worker(&mut self, now: Millis, worker: WorkerId, beat: &Beat) -> Result<()> {
        self.connection
            .prepare_cached(include_str!("sql/beat.sql"))?
            .execute(named_params! {
                ":id": worker,
                ":now": now,
                ":tasks": row::join_names(&beat.tasks),
                ":draining": beat.draining,
                ":abandoned": beat.abandoned,
                ":ended": row::amount(beat.ended),
                ":rss": beat.rss.map(row::amount),
            })?;
        Ok(())
    }

    pub(super) fn ask_to_leave(&mut self, worker: WorkerId) -> Result<bool> {
        let asked = self
            .connection
            .prepare_cached(include_str!("sql/drain_request.sql"))?
            .execute(named_params! {":id": worker})?;
        Ok(asked == 1)
    }

    pub(super) fn held_by(&mut self, worker: WorkerId) -> Result<Vec<Held>> {
        self.connection
            .prepare_cached(include_str!("sql/held.sql"))?
            .query_map(named_params! {":owner": worker}, row::held)?
            .collect()
    }

    pub(super) fn dismiss_worker(&mut self, worker: WorkerId) -> Result<bool> {
        let gone = self
            .connection
            .prepare_cached(include_str!("sql/dismiss.sql"))?
            .execute(named_params! {":id": worker})?;
        Ok(gone == 1)
    }
}
