//! The limits that a claim meets: each is read once, follows along while jobs are taken, and is
//! written at the end. Whether jobs may start is decided by [`Limiter`] and [`Breaker`].

use std::collections::HashMap;
use std::sync::Arc;

use rusqlite::{Connection, Result};

use super::breaker;
use super::limiter::{self as tables, QueueSetting};
use super::strand::{Closed, Strand};
use super::transaction::SqliteTransaction;
use crate::breaker::{Breaker, Probe};
use crate::clock::Millis;
use crate::limits::{Limit, Limiter, LimiterId, Opening, TaskLimits};
use crate::rate::{Bucket, Rate};

/// Which limit it is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Subject {
    /// A queue that is paused.
    Paused(Arc<str>),
    /// What is set for a queue.
    Queue(Arc<str>),
    /// A task, for its jobs without a limit key.
    Task(Arc<str>),
    /// A limit key.
    Key(LimiterId),
    /// A limited group.
    Group(LimiterId),
    /// The breaker of a task.
    Breaker(Arc<str>),
}

/// How much of it is used up.
#[derive(Clone, Debug)]
pub(super) enum Gauge {
    /// Nothing may start.
    Shut,
    /// A rate, a number of running jobs.
    Limiter(Limiter),
    /// A breaker, and whether its probe runs.
    Breaker { breaker: Breaker, probing: bool },
}

/// One limit.
#[derive(Clone, Debug)]
pub(super) struct Bar {
    pub(super) subject: Subject,
    pub(super) gauge: Gauge,
    /// Whether the file says something else.
    dirty: bool,
}

/// The place of a limit among those that were read.
pub(super) type BarId = usize;

/// The limits of a lane.
#[derive(Clone, Debug, Default)]
pub(super) struct LaneBars {
    /// Those of all its jobs.
    pub(super) all: Vec<BarId>,
    /// That of its jobs without a limit key.
    pub(super) unkeyed: Option<BarId>,
}

/// A limiter of a strand.
#[derive(Clone, Copy, Debug)]
pub(super) struct StrandBar {
    pub(super) limiter: LimiterId,
    pub(super) bar: BarId,
}

/// All limits that were read.
pub(super) struct Bars {
    now: Millis,
    settings: Vec<QueueSetting>,
    all: Vec<Bar>,
    known: HashMap<Subject, BarId>,
}

impl Bar {
    fn opening(&self, now: Millis) -> Opening {
        match &self.gauge {
            Gauge::Shut => Opening::Shut,
            Gauge::Limiter(limiter) => limiter.opening(now),
            Gauge::Breaker { breaker, probing } => breaker.opening(now, *probing),
        }
    }

    fn take(&mut self, now: Millis, claim: Probe) {
        match &mut self.gauge {
            Gauge::Shut => {}
            Gauge::Limiter(limiter) => {
                limiter.take(now);
                self.dirty |= limiter.limit.rate.is_some();
            }
            Gauge::Breaker { breaker, probing } => {
                if breaker.opened_at.is_some() {
                    breaker.started(claim);
                    *probing = true;
                    self.dirty = true;
                }
            }
        }
    }
}

impl Bars {
    /// Knows only what is set for queues so far.
    pub(super) fn read(connection: &Connection, now: Millis) -> Result<Self> {
        Ok(Self {
            now,
            settings: tables::queue_settings(connection)?,
            all: Vec::new(),
            known: HashMap::new(),
        })
    }

    pub(super) fn get(&self, bar: BarId) -> &Bar {
        &self.all[bar]
    }

    /// When a job may start that all of these limits count.
    pub(super) fn opening(&self, bars: impl IntoIterator<Item = BarId>) -> Opening {
        bars.into_iter().fold(Opening::Now, |opening, bar| {
            opening.and(self.all[bar].opening(self.now))
        })
    }

    /// Whether a job takes a token of any of them.
    pub(super) fn are_rated(&self, bars: impl IntoIterator<Item = BarId>) -> bool {
        bars.into_iter().any(|bar| match &self.all[bar].gauge {
            Gauge::Limiter(limiter) => limiter.limit.rate.is_some(),
            Gauge::Shut | Gauge::Breaker { .. } => false,
        })
    }

    /// Counts a job that starts.
    pub(super) fn take(&mut self, bars: impl IntoIterator<Item = BarId>, claim: Probe) {
        for bar in bars {
            self.all[bar].take(self.now, claim);
        }
    }

    /// What closes a strand, if anything does, and which of its limiters may let others in that
    /// wait for them.
    pub(super) fn judge(&self, bars: &[StrandBar]) -> (Option<Closed>, Vec<LimiterId>) {
        let mut closed = None;
        let mut open = Vec::new();
        for bar in bars {
            let found = &self.all[bar.bar];
            let opening = found.opening(self.now);
            if opening == Opening::Now {
                if matches!(&found.gauge, Gauge::Limiter(l) if !l.limit.is_none()) {
                    open.push(bar.limiter);
                }
                continue;
            }
            closed.get_or_insert(Closed {
                by: bar.limiter,
                until: opening.at(),
            });
        }
        (closed, open)
    }

    /// The limits of a lane.
    pub(super) fn of_lane(
        &mut self,
        connection: &Connection,
        (queue, task): (&Arc<str>, &Arc<str>),
        limits: &TaskLimits,
    ) -> Result<LaneBars> {
        let mut bars = LaneBars::default();
        let setting = self.settings.iter().find(|set| set.name == *queue);
        if let Some(setting) = setting.cloned() {
            if setting.paused {
                let paused = Subject::Paused(Arc::clone(queue));
                bars.all
                    .push(self.bar(paused, || Ok((Gauge::Shut, false)))?);
            }
            if !setting.limit.is_none() {
                bars.all.push(self.queue(connection, setting)?);
            }
        }
        if limits.breaker.is_some() {
            bars.all.extend(self.breaker(connection, task)?);
        }
        if !limits.limit.is_none() {
            bars.unkeyed = Some(self.task(connection, task, &limits.limit)?);
        }
        Ok(bars)
    }

    fn queue(&mut self, connection: &Connection, setting: QueueSetting) -> Result<BarId> {
        let now = self.now;
        self.bar(Subject::Queue(Arc::clone(&setting.name)), || {
            let running = match setting.limit.max_concurrent {
                Some(_) => tables::queue_running(connection, &setting.name)?,
                None => 0,
            };
            Ok(limiter(setting.limit, running, setting.bucket, now))
        })
    }

    /// The limit of the jobs of a task without a key.
    fn task(&mut self, connection: &Connection, task: &Arc<str>, limit: &Limit) -> Result<BarId> {
        let now = self.now;
        self.bar(Subject::Task(Arc::clone(task)), || {
            let running = match limit.max_concurrent {
                Some(_) => tables::task_running(connection, task)?,
                None => 0,
            };
            let row = match limit.rate {
                Some(_) => tables::find_key_limiter(connection, task, None)?,
                None => None,
            };
            let bucket = row.map_or_else(Bucket::default, |(_, bucket)| bucket);
            Ok(limiter(limit.clone(), running, bucket, now))
        })
    }

    fn breaker(&mut self, connection: &Connection, task: &Arc<str>) -> Result<Option<BarId>> {
        let Some(stored) = breaker::read(connection, task)? else {
            return Ok(None);
        };
        let now = self.now;
        self.bar(Subject::Breaker(Arc::clone(task)), || {
            let breaker = stored.clone().healed(now);
            let probing = match breaker.probe {
                Some(probe) => breaker::runs(connection, probe)?,
                None => false,
            };
            let dirty = breaker != stored;
            Ok((Gauge::Breaker { breaker, probing }, dirty))
        })
        .map(Some)
    }

    /// The limiters of a strand, for jobs of a task with this limit.
    pub(super) fn of_strand(
        &mut self,
        connection: &Connection,
        strand: &Strand,
        limit: &Limit,
    ) -> Result<Vec<StrandBar>> {
        let mut bars = Vec::new();
        let mut next = strand.key_limiter.into_iter().chain(strand.group);
        let mut outer = None;
        while let Some(id) = outer.take().or_else(|| next.next()) {
            let row = tables::limiter(connection, id)?;
            outer = row.outer_group;
            let now = self.now;
            let (subject, limit) = match row.max_running {
                Some(_) => (Subject::Group(id), &Limit::of_group(row.max_running)),
                None => (Subject::Key(id), limit),
            };
            let bar = self.bar(subject, || {
                Ok(limiter(limit.clone(), row.running, row.bucket, now))
            })?;
            bars.push(StrandBar { limiter: id, bar });
        }
        Ok(bars)
    }

    /// The limit with this subject, read when it is first met.
    fn bar(
        &mut self,
        subject: Subject,
        read: impl FnOnce() -> Result<(Gauge, bool)>,
    ) -> Result<BarId> {
        if let Some(bar) = self.known.get(&subject) {
            return Ok(*bar);
        }
        let (gauge, dirty) = read()?;
        let id = self.all.len();
        self.known.insert(subject.clone(), id);
        self.all.push(Bar {
            subject,
            gauge,
            dirty,
        });
        Ok(id)
    }

    /// Whether anything is to be written.
    pub(super) fn is_dirty(&self) -> bool {
        self.all.iter().any(|bar| bar.dirty)
    }
}

/// A limit as it was read, and whether that is out of date.
fn limiter(limit: Limit, running: u32, stored: Bucket, now: Millis) -> (Gauge, bool) {
    let limiter = Limiter::found(limit, running, stored, now);
    let dirty = limiter.bucket != stored;
    (Gauge::Limiter(limiter), dirty)
}

impl SqliteTransaction<'_> {
    /// Writes what changed since it was read.
    pub(super) fn write_bars(&self, bars: &Bars) -> Result<()> {
        for bar in bars.all.iter().filter(|bar| bar.dirty) {
            match (&bar.subject, &bar.gauge) {
                (Subject::Breaker(task), Gauge::Breaker { breaker, .. }) => {
                    breaker::write(self.connection, task, breaker)?;
                }
                (subject, Gauge::Limiter(limiter)) => {
                    self.write_tokens(bars.now, subject, limiter)?;
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn write_tokens(&self, now: Millis, subject: &Subject, limiter: &Limiter) -> Result<()> {
        let rate = limiter.limit.rate.as_ref();
        let interval = rate.map(Rate::interval).unwrap_or_default();
        let known = match subject {
            Subject::Queue(name) => {
                return tables::fill_queue(self.connection, name, limiter.bucket);
            }
            Subject::Key(id) => Some(*id),
            Subject::Task(task) => {
                let row = tables::find_key_limiter(self.connection, task, None)?;
                if row.is_none() {
                    let id = self.add_key_limiter(now, task, None)?;
                    Some(id)
                } else {
                    row.map(|(id, _)| id)
                }
            }
            Subject::Paused(_) | Subject::Breaker(_) | Subject::Group(_) => None,
        };
        known.map_or(Ok(()), |id| {
            tables::fill_limiter(self.connection, id, limiter.bucket, interval)
        })
    }
}
