//! Arrows `promote` and `claim`: which jobs run next, in which order.

use std::cmp::Reverse;
use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use rusqlite::{OptionalExtension, Result, Row, named_params, params};

use super::row::duration;
use super::transaction::{Lane, SqliteTransaction};
use crate::clock::Millis;
use crate::id::Key;
use crate::job::{Claim, LaneId, Token, WorkerId};
use crate::links::Shape;
use crate::state::State;
use crate::store::Appetite;

/// How many jobs of a lane are looked at in one go.
const LOOK_AHEAD: usize = 64;
/// How many expired jobs one claim clears away; what is left waits for the next.
const MOST_EXPIRED: u32 = 500;

/// What decides who runs first within a queue: the greatest goes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Rank(i32, Reverse<i64>, Reverse<i64>);

/// A job that could be claimed.
#[derive(Clone, Copy)]
struct Candidate {
    key: Key,
    rank: Rank,
}

fn candidate(row: &Row<'_>) -> Result<Candidate> {
    let key: Key = row.get(0)?;
    Ok(Candidate {
        key,
        rank: Rank(row.get(1)?, Reverse(row.get(2)?), Reverse(key.0)),
    })
}

/// One lane during a claim: its next jobs, read ahead in portions.
struct Contender {
    id: LaneId,
    lane: Lane,
    next: VecDeque<Candidate>,
    exhausted: bool,
    suspect: Option<Candidate>,
}

impl SqliteTransaction<'_> {
    pub(super) fn promote_due(&mut self, now: Millis, limit: u32) -> Result<u32> {
        let mut promote = self
            .connection
            .prepare_cached(include_str!("sql/promote.sql"))?;
        let mut rows = promote.query(named_params! {":now": now, ":limit": limit})?;
        let mut promoted = 0;
        while let Some(row) = rows.next()? {
            self.tally
                .moves(row.get(0)?, State::Scheduled, State::Pending);
            promoted += 1;
        }
        Ok(promoted)
    }

    pub(super) fn claim_jobs(
        &mut self,
        now: Millis,
        worker: WorkerId,
        appetite: &mut dyn Appetite,
    ) -> Result<Vec<Claim>> {
        self.tally.write(self.connection)?;
        let mut queues: Vec<Vec<Contender>> = Vec::new();
        for mut queue in self.contenders(appetite)?.into_values() {
            if self.best(&mut queue, appetite)?.is_some() {
                queues.push(queue);
            }
        }
        let mut claims = Vec::new();
        let mut expired = 0;
        let mut turn = appetite.turn();
        while !queues.is_empty() {
            let queue = turn % queues.len();
            let Some((contender, candidate)) = self.best(&mut queues[queue], appetite)? else {
                queues.remove(queue);
                turn = queue;
                continue;
            };
            if !appetite.admit(&queues[queue][contender].lane.task) {
                queues[queue].remove(contender);
                turn = queue;
                continue;
            }
            let contender = &mut queues[queue][contender];
            let is_suspect = contender.suspect.is_some_and(|s| s.key == candidate.key);
            let claim = self.take(now, worker, contender, candidate.key)?;
            if claim.is_some() {
                appetite.took(&contender.lane.task);
                if is_suspect {
                    appetite.took_suspect();
                }
            }
            if is_suspect {
                contender.suspect = self.next_suspect(contender.id, appetite)?;
            } else {
                contender.next.pop_front();
            }
            let Some(claim) = claim else {
                expired += 1;
                if expired == MOST_EXPIRED {
                    self.tally.leaves_work();
                    break;
                }
                turn = queue;
                continue;
            };
            claims.push(claim);
            turn = queue + 1;
        }
        Ok(claims)
    }

    /// The lanes with pending jobs this worker serves, by name of their queue.
    fn contenders(
        &mut self,
        appetite: &dyn Appetite,
    ) -> Result<BTreeMap<Arc<str>, Vec<Contender>>> {
        let suspects = self.any_suspect()?;
        let mut queues: BTreeMap<Arc<str>, Vec<Contender>> = BTreeMap::new();
        let mut ready = self
            .connection
            .prepare_cached(include_str!("sql/ready_lanes.sql"))?;
        let mut rows = ready.query([])?;
        while let Some(row) = rows.next()? {
            let id = row.get(0)?;
            let lane = self.lanes.name(id, || Ok((row.get(1)?, row.get(2)?)))?;
            if !appetite.serves(&lane.queue, &lane.task) {
                continue;
            }
            let suspect = if suspects {
                self.next_suspect(id, appetite)?
            } else {
                None
            };
            queues
                .entry(Arc::clone(&lane.queue))
                .or_default()
                .push(Contender {
                    id,
                    lane,
                    next: VecDeque::new(),
                    exhausted: false,
                    suspect,
                });
        }
        Ok(queues)
    }

    fn any_suspect(&self) -> Result<bool> {
        let found = self
            .connection
            .prepare_cached(include_str!("sql/any_suspect.sql"))?
            .query_row([], |_| Ok(()))
            .optional()?;
        Ok(found.is_some())
    }

    /// The lost job of a lane that is next, if one may be taken.
    fn next_suspect(&self, lane: LaneId, appetite: &dyn Appetite) -> Result<Option<Candidate>> {
        if !appetite.admits_suspect() {
            return Ok(None);
        }
        self.connection
            .prepare_cached(include_str!("sql/next_suspect.sql"))?
            .query_row(named_params! {":lane": lane}, candidate)
            .optional()
    }

    /// The job of a queue that runs first, with the index of its lane.
    fn best(
        &self,
        queue: &mut [Contender],
        appetite: &dyn Appetite,
    ) -> Result<Option<(usize, Candidate)>> {
        let suspects = appetite.admits_suspect();
        let mut best: Option<(usize, Candidate)> = None;
        for (index, contender) in queue.iter_mut().enumerate() {
            self.look_ahead(contender)?;
            let suspect = contender.suspect.filter(|_| suspects);
            for candidate in contender.next.front().copied().into_iter().chain(suspect) {
                if best.is_none_or(|(_, leader)| candidate.rank > leader.rank) {
                    best = Some((index, candidate));
                }
            }
        }
        Ok(best)
    }

    /// Reads the next portion of a lane when the last one is used up. The jobs of earlier
    /// portions are claimed by now and no longer in the index, so the next portion is the head.
    fn look_ahead(&self, contender: &mut Contender) -> Result<()> {
        if contender.exhausted || !contender.next.is_empty() {
            return Ok(());
        }
        let mut next = self
            .connection
            .prepare_cached(include_str!("sql/next_in_lane.sql"))?;
        let rows = next.query_map(params![contender.id, LOOK_AHEAD], candidate)?;
        for row in rows {
            contender.next.push_back(row?);
        }
        contender.exhausted = contender.next.len() < LOOK_AHEAD;
        Ok(())
    }

    /// Moves one job to this worker and reads what it takes to run it. `None` if it may not
    /// start any more: it expires.
    fn take(
        &mut self,
        now: Millis,
        worker: WorkerId,
        contender: &Contender,
        key: Key,
    ) -> Result<Option<Claim>> {
        let mut claim = self
            .connection
            .prepare_cached(include_str!("sql/claim.sql"))?;
        if claim.execute(params![worker, now, key])? == 0 {
            self.expire_job(now, key, contender.id, State::Pending)?;
            return Ok(None);
        }
        self.tally
            .moves(contender.id, State::Pending, State::Running);
        let mut claimed = self
            .connection
            .prepare_cached(include_str!("sql/claimed.sql"))?;
        let (mut claim, shape): (Claim, Option<Shape>) =
            claimed.query_row(params![key], |row| {
                let claim = Claim {
                    token: Token {
                        key,
                        fence: row.get(0)?,
                        lane: contender.id,
                    },
                    queue: Arc::clone(&contender.lane.queue),
                    task: Arc::clone(&contender.lane.task),
                    retry_count: row.get(1)?,
                    max_retries: row.get(2)?,
                    losses: row.get(3)?,
                    timeout: duration(row, 4)?,
                    expires_at: row.get(5)?,
                    payload: row.get(6)?,
                    inputs: None,
                };
                Ok((claim, row.get(7)?))
            })?;
        if let Some(shape) = shape {
            claim.inputs = Some(self.inputs(key, shape)?);
        }
        Ok(Some(claim))
    }
}
