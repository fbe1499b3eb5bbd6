//! Setting limits, and what limits are told.

use std::collections::BTreeMap;
use std::sync::Arc;

use rusqlite::{Result, named_params, params};

use super::strand::Strand;
use super::transaction::{Lane, SqliteTransaction};
use super::{breaker, limiter};
use crate::breaker::{Breaker, Probe, Trial};
use crate::clock::Millis;
use crate::error;
use crate::job::{LaneId, Token};
use crate::limits::{LimiterId, QueueChange, TaskLimits};
use crate::rate::Rate;
use crate::store::{Judgement, Limits};

impl Limits for SqliteTransaction<'_> {
    fn set_queue(&mut self, queue: &str, change: &QueueChange) -> error::Result<()> {
        let answer = self.change_queue(queue, change);
        self.explained(answer)
    }

    fn announce(&mut self, tasks: &[(Arc<str>, TaskLimits)]) -> error::Result<()> {
        let mut announced = || {
            tasks
                .iter()
                .try_for_each(|(task, limits)| self.announce_task(task, limits))
        };
        let answer = announced();
        self.explained(answer)
    }

    fn put_back_tokens(&mut self, claims: &[Token]) -> error::Result<()> {
        let mut put_back = || {
            claims
                .iter()
                .try_for_each(|claim| self.put_back_token(*claim))
        };
        let answer = put_back();
        self.explained(answer)
    }

    fn judge(&mut self, now: Millis, attempts: &[Judgement]) -> error::Result<()> {
        let answer = self.judge_attempts(now, attempts);
        self.explained(answer)
    }
}

impl SqliteTransaction<'_> {
    fn change_queue(&mut self, queue: &str, change: &QueueChange) -> Result<()> {
        let connection = self.connection;
        match change {
            QueueChange::Pause => connection
                .prepare_cached(include_str!("sql/pause_queue.sql"))?
                .execute(named_params! {":name": queue})?,
            QueueChange::Resume => connection
                .prepare_cached(include_str!("sql/resume_queue.sql"))?
                .execute(named_params! {":name": queue})?,
            QueueChange::Rate(rate) => connection
                .prepare_cached(include_str!("sql/set_queue_rate.sql"))?
                .execute(named_params! {":name": queue, ":rate": rate.as_ref().map(Rate::text)})?,
            QueueChange::MaxConcurrent(most) => connection
                .prepare_cached(include_str!("sql/set_queue_concurrency.sql"))?
                .execute(named_params! {":name": queue, ":max_concurrent": most})?,
        };
        connection
            .prepare_cached(include_str!("sql/drop_plain_queue.sql"))?
            .execute(named_params! {":name": queue})?;
        self.tally.controls();
        Ok(())
    }

    fn announce_task(&mut self, task: &str, limits: &TaskLimits) -> Result<()> {
        if limiter::announced(self.connection, task)? != limits.limit {
            limiter::announce(self.connection, task, &limits.limit)?;
            // What the old limits held back may start now.
            self.connection
                .prepare_cached(include_str!("sql/open_task.sql"))?
                .execute(named_params! {":task": task})?;
            self.tally.leaves_work();
        }
        let known = breaker::read(self.connection, task)?.map(|breaker| breaker.settings);
        if known == limits.breaker {
            return Ok(());
        }
        match &limits.breaker {
            Some(settings) => breaker::declare(self.connection, task, settings),
            None => breaker::forget(self.connection, task),
        }
    }

    fn put_back_token(&mut self, claim: Token) -> Result<()> {
        let Lane { queue, task } = self.lane(claim.spot.lane)?;
        let settings = limiter::queue_settings(self.connection)?;
        if let Some(setting) = settings.iter().find(|setting| setting.name == queue)
            && let Some(rate) = &setting.limit.rate
        {
            let bucket = setting.bucket.returned(rate.interval());
            limiter::fill_queue(self.connection, &queue, bucket)?;
        }
        let strand = claim.spot.strand;
        let strand = strand.map(|strand| Strand::read(self.connection, strand));
        let key_limiter = match strand.transpose()?.and_then(|strand| strand.key_limiter) {
            Some(id) => Some(id),
            None => limiter::find_key_limiter(self.connection, &task, None)?.map(|(id, _)| id),
        };
        key_limiter.map_or(Ok(()), |id| self.refill(id))
    }

    /// Puts back the token that was taken last from a limiter.
    fn refill(&mut self, id: LimiterId) -> Result<()> {
        let row = limiter::limiter(self.connection, id)?;
        let bucket = row.bucket.returned(row.interval);
        limiter::fill_limiter(self.connection, id, bucket, row.interval)?;
        self.connection
            .prepare_cached(include_str!("sql/open_limiter.sql"))?
            .execute(params![id])?;
        self.tally.leaves_work();
        Ok(())
    }

    /// Queue and task of a lane.
    fn lane(&mut self, id: LaneId) -> Result<Lane> {
        let connection = self.connection;
        self.lanes.name(id, || {
            connection
                .prepare_cached(include_str!("sql/lane.sql"))?
                .query_row(params![id], |row| Lane::read(row, 0))
        })
    }

    fn judge_attempts(&mut self, now: Millis, attempts: &[Judgement]) -> Result<()> {
        let mut breakers: BTreeMap<&str, (Breaker, Breaker)> = BTreeMap::new();
        for attempt in attempts {
            if !breakers.contains_key(&*attempt.task) {
                let Some(breaker) = breaker::read(self.connection, &attempt.task)? else {
                    continue;
                };
                breakers.insert(&attempt.task, (breaker.clone(), breaker));
            }
            let Some((_, breaker)) = breakers.get_mut(&*attempt.task) else {
                continue;
            };
            let claim = Probe::from(attempt.token);
            match attempt.trial {
                Trial::Passed => breaker.succeeded(claim),
                Trial::Failed => breaker.failed(claim, now),
            }
        }
        for (task, (before, breaker)) in breakers {
            if before != breaker {
                breaker::write(self.connection, task, &breaker)?;
            }
        }
        Ok(())
    }
}
