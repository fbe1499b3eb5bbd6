//! Arrows `promote` and `claim`: which jobs run next, in which order. Long, as all that decides
//! about one job more is here.

use std::sync::Arc;

use rusqlite::{Result, named_params, params};

use super::bars::{BarId, Bars, StrandBar};
use super::candidate::Candidate;
use super::contender::{self, Contender, Front, Head, Suspect};
use super::row::{self, duration};
use super::strand::{self, Strand};
use super::transaction::{Lane, SqliteTransaction};
use crate::breaker::Probe;
use crate::clock::Millis;
use crate::id::Key;
use crate::job::{Claim, Spot, StrandId, Token, WorkerId};
use crate::limits::Opening;
use crate::links::Shape;
use crate::state::State;
use crate::store::{Appetite, Start};

/// How many expired jobs and closed strands one claim clears away; what is left waits for the
/// next.
const MOST_CLEARED: u32 = 500;

/// One claim on its way.
struct Round<'r, 'c> {
    transaction: &'r mut SqliteTransaction<'c>,
    now: Millis,
    worker: WorkerId,
    appetite: &'r mut dyn Appetite,
    bars: Bars,
    /// Expired jobs and closed strands so far.
    cleared: u32,
}

/// Where in a lane a job waits.
#[derive(Clone, Copy)]
enum Source {
    Plain,
    Line(usize),
    Suspect(usize),
}

/// The job that runs next, and the index of its lane.
#[derive(Clone, Copy)]
struct Pick {
    contender: usize,
    source: Source,
    candidate: Candidate,
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
                .moves(row::spot(row, 0)?, State::Scheduled, State::Pending);
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
        if !self.is_enlisted(worker)? {
            return Ok(Vec::new());
        }
        self.pay()?;
        let mut round = Round {
            bars: Bars::read(self.connection, now)?,
            transaction: self,
            now,
            worker,
            appetite,
            cleared: 0,
        };
        let claims = round.claim()?;
        let bars = round.bars;
        self.write_bars(&bars)?;
        Ok(claims)
    }
}

impl Round<'_, '_> {
    fn claim(&mut self) -> Result<Vec<Claim>> {
        let mut queues: Vec<Vec<Contender>> = Vec::new();
        for mut queue in self.contenders()? {
            if self.best(&mut queue)?.is_some() {
                queues.push(queue);
            }
        }
        let mut claims = Vec::new();
        let mut turn = self.appetite.turn();
        while !queues.is_empty() {
            let queue = turn % queues.len();
            let Some(pick) = self.best(&mut queues[queue])? else {
                queues.remove(queue);
                turn = queue;
                continue;
            };
            let contender = &mut queues[queue][pick.contender];
            if !self.admits(contender) {
                queues[queue].remove(pick.contender);
                turn = queue;
                continue;
            }
            let Some(claim) = self.take(contender, pick)? else {
                if self.clears_too_much() {
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

    /// The lanes with pending jobs that this worker serves, by queue.
    fn contenders(&mut self) -> Result<impl Iterator<Item = Vec<Contender>> + use<>> {
        let connection = self.transaction.connection;
        let names = &mut *self.transaction.lanes;
        let ready = contender::ready_lanes(connection, self.appetite, |id, row| {
            names.name(id, || Lane::read(row, 1))
        })?;
        if ready.iter().any(|lane| lane.has_strands) {
            if self.transaction.open_due_strands(self.now)? {
                self.transaction.tally.leaves_work();
            }
            if let Some(at) = strand::next_opening(connection)? {
                self.appetite.held_back(Opening::At(at));
            }
        }
        contender::contenders(connection, &mut self.bars, ready, self.appetite)
            .map(std::collections::BTreeMap::into_values)
    }

    /// The job of a queue that runs first.
    fn best(&mut self, queue: &mut [Contender]) -> Result<Option<Pick>> {
        let mut best: Option<Pick> = None;
        for (index, contender) in queue.iter_mut().enumerate() {
            if !self.is_open(contender.bars.all.iter().copied()) {
                continue;
            }
            let mut consider = |source, candidate: Candidate| {
                if best.is_none_or(|leader| candidate.rank() > leader.candidate.rank()) {
                    best = Some(Pick {
                        contender: index,
                        source,
                        candidate,
                    });
                }
            };
            let unkeyed = self.is_open(contender.bars.unkeyed);
            if unkeyed {
                contender.look_ahead(self.transaction.connection)?;
                if let Some(next) = contender.next.front() {
                    consider(Source::Plain, *next);
                }
            }
            for line in 0..contender.lines.len() {
                if (unkeyed || contender.lines[line].keyed)
                    && let Some(head) = self.head(contender, line)?
                {
                    consider(Source::Line(line), head);
                }
            }
            if let Some((number, suspect)) = self.suspect(contender, unkeyed)? {
                consider(Source::Suspect(number), suspect);
            }
        }
        Ok(best)
    }

    /// Whether all of these limits let a job start. If not, the worker is told when they may.
    fn is_open(&mut self, bars: impl IntoIterator<Item = BarId>) -> bool {
        let opening = self.bars.opening(bars);
        contender::tell(self.appetite, opening);
        opening == Opening::Now
    }

    /// The first job of a line of strands. Strands that turn out to be closed leave the line.
    fn head(&mut self, contender: &mut Contender, line: usize) -> Result<Option<Candidate>> {
        let Contender {
            id, limits, lines, ..
        } = contender;
        let line = &mut lines[line];
        loop {
            let connection = self.transaction.connection;
            match &mut line.front {
                Front::Empty => return Ok(None),
                Front::Head(head) => {
                    // Jobs taken from elsewhere may have closed it.
                    if self.bars.judge(&head.bars).0.is_none() {
                        return Ok(Some(head.candidate));
                    }
                    self.advance(&mut head.strand, &head.bars)?;
                    self.clears_too_much();
                    line.front = Front::Unknown;
                }
                Front::Unknown => {
                    let next = strand::next_ready(connection, *id, line.keyed)?;
                    let next = next.filter(|_| self.cleared < MOST_CLEARED);
                    let strand = next
                        .map(|next| Strand::read(connection, next))
                        .transpose()?;
                    line.front = match strand {
                        Some(strand) => {
                            let bars = self.bars.of_strand(connection, &strand, &limits.limit)?;
                            Front::of(strand, bars)
                        }
                        None => Front::Empty,
                    };
                }
            }
        }
    }

    /// Brings a strand up to date after one of its limiters was found closed or its head is gone.
    fn advance(&mut self, strand: &mut Strand, bars: &[StrandBar]) -> Result<()> {
        let (closed, open) = self.bars.judge(bars);
        if let Some(until) = closed.and_then(|closed| closed.until) {
            self.appetite.held_back(Opening::At(until));
        }
        self.transaction.advance(strand, closed, &open)
    }

    /// The first suspect of a lane that may be taken, and its number.
    fn suspect(
        &mut self,
        contender: &Contender,
        unkeyed: bool,
    ) -> Result<Option<(usize, Candidate)>> {
        if contender.suspects.is_empty() || !self.appetite.admits_suspect() {
            return Ok(None);
        }
        for (number, suspect) in contender.suspects.iter().enumerate() {
            let (keyed, bars) = self.bars_of_suspect(contender, *suspect)?;
            if (unkeyed || keyed) && self.is_open(bars.iter().map(|bar| bar.bar)) {
                return Ok(Some((number, suspect.candidate)));
            }
        }
        Ok(None)
    }

    /// Whether a suspect has a limit key, and the limiters of its strand.
    fn bars_of_suspect(
        &mut self,
        contender: &Contender,
        suspect: Suspect,
    ) -> Result<(bool, Vec<StrandBar>)> {
        let Some(strand) = suspect.strand else {
            return Ok((false, Vec::new()));
        };
        let connection = self.transaction.connection;
        let strand = Strand::read(connection, strand)?;
        let limit = &contender.limits.limit;
        let bars = self.bars.of_strand(connection, &strand, limit)?;
        Ok((strand.is_keyed(), bars))
    }

    /// Takes the picked job and counts it. `None` if it may not start any more: it expires.
    fn take(&mut self, contender: &mut Contender, pick: Pick) -> Result<Option<Claim>> {
        let all = contender.bars.all.iter().copied();
        let key = pick.candidate.key;
        match pick.source {
            Source::Plain => {
                contender.next.pop_front();
                let bars: Vec<BarId> = all.chain(contender.bars.unkeyed).collect();
                self.start(contender, key, None, &bars)
            }
            Source::Line(line) => {
                let front = std::mem::take(&mut contender.lines[line].front);
                let Front::Head(head) = front else {
                    return Ok(None);
                };
                let Head {
                    mut strand, bars, ..
                } = *head;
                let unkeyed = contender.bars.unkeyed.filter(|_| !strand.is_keyed());
                let own = bars.iter().map(|bar| bar.bar);
                let counted: Vec<BarId> = all.chain(unkeyed).chain(own).collect();
                let claim = self.start(contender, key, Some(strand.id), &counted)?;
                self.advance(&mut strand, &bars)?;
                Ok(claim)
            }
            Source::Suspect(number) => {
                let suspect = contender.suspects.remove(number);
                let (keyed, own) = self.bars_of_suspect(contender, suspect)?;
                let unkeyed = contender.bars.unkeyed.filter(|_| !keyed);
                let own = own.iter().map(|bar| bar.bar);
                let counted: Vec<BarId> = all.chain(unkeyed).chain(own).collect();
                let claim = self.start(contender, key, suspect.strand, &counted)?;
                if claim.is_some() {
                    self.appetite.took_suspect();
                }
                Ok(claim)
            }
        }
    }

    /// pending -> running for one job, which all of `bars` count.
    fn start(
        &mut self,
        contender: &Contender,
        key: Key,
        strand: Option<StrandId>,
        bars: &[BarId],
    ) -> Result<Option<Claim>> {
        let spot = Spot {
            lane: contender.id,
            strand,
        };
        let connection = self.transaction.connection;
        let mut claim = connection.prepare_cached(include_str!("sql/claim.sql"))?;
        if claim.execute(params![self.worker, self.now, key])? == 0 {
            self.transaction
                .expire_job(self.now, key, spot, State::Pending)?;
            return Ok(None);
        }
        self.transaction
            .tally
            .moves(spot, State::Pending, State::Running);
        let mut claimed = connection.prepare_cached(include_str!("sql/claimed.sql"))?;
        let (mut claim, shape): (Claim, Option<Shape>) =
            claimed.query_row(params![key], |row| {
                let claim = Claim {
                    token: Token {
                        key,
                        fence: row.get(0)?,
                        spot,
                    },
                    queue: Arc::clone(&contender.lane.queue),
                    task: Arc::clone(&contender.lane.task),
                    retry_count: row.get(1)?,
                    max_retries: row.get(2)?,
                    losses: row.get(3)?,
                    timeout: duration(row, 4)?,
                    expires_at: row.get(5)?,
                    run_at: row.get(8)?,
                    payload: row.get(6)?,
                    inputs: None,
                };
                Ok((claim, row.get(7)?))
            })?;
        if let Some(shape) = shape {
            claim.inputs = Some(self.transaction.inputs(key, shape)?);
        }
        self.bars
            .take(bars.iter().copied(), Probe::from(claim.token));
        self.appetite.took(&contender.lane.task);
        Ok(Some(claim))
    }

    /// Whether the worker wants a job of this lane.
    fn admits(&mut self, contender: &Contender) -> bool {
        let rated = contender.limits.limit.rate.is_some()
            || self.bars.are_rated(contender.bars.all.iter().copied());
        let start = if rated { Start::AtOnce } else { Start::Soon };
        self.appetite.admit(&contender.lane.task, start)
    }

    /// Counts something that was cleared away; whether it is enough for one claim. Then the
    /// next one goes on.
    fn clears_too_much(&mut self) -> bool {
        self.cleared += 1;
        if self.cleared >= MOST_CLEARED {
            self.transaction.tally.leaves_work();
        }
        self.cleared >= MOST_CLEARED
    }
}
