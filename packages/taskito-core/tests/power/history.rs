//! One program at work, and all that was true on the way: after each call how much the disk had
//! seen, what the file held, and whether the call promised to survive a cut.

use std::sync::Arc;
use std::time::Duration;

use taskito_core::clock::{Clock, ManualClock};
use taskito_core::id::Key;
use taskito_core::job::{NewJob, Token, WorkerId};
use taskito_core::limits::QueueChange;
use taskito_core::rollup::Run;
use taskito_core::store::sqlite::SqliteStore;
use taskito_core::store::{Completion, End, Failure, JobStore, Sync, Transaction};

use crate::any::Any;
use crate::disk::Disk;
use crate::draw::Draw;
use crate::sight;
use crate::support::{START, after, job_with, worker};

/// Where the database lies below the root of the disk: two directories have to be made for it.
pub(crate) const FILE: &str = "new/deep/jobs.db";

/// The length of a run attempt.
const RUN: Duration = Duration::from_millis(5);

/// One call that has returned.
pub(crate) struct Step {
    /// What the disk had seen by then.
    pub(crate) moment: usize,
    /// What the file held by then.
    pub(crate) digest: u64,
    /// Whether that must survive a cut from then on.
    pub(crate) promised: bool,
    pub(crate) name: &'static str,
}

/// A program, its disk and its past.
pub(crate) struct History {
    pub(crate) disk: Arc<Disk>,
    pub(crate) steps: Vec<Step>,
    durability: Sync,
    clock: Arc<ManualClock>,
    store: SqliteStore,
    worker: Option<WorkerId>,
    keys: Vec<Key>,
    held: Vec<Token>,
}

impl History {
    /// Goes on with what is on the disk, whose state it takes for granted.
    pub(crate) fn on(disk: &Arc<Disk>, durability: Sync) -> Self {
        let clock = Arc::new(ManualClock::at(START));
        Self {
            disk: Arc::clone(disk),
            steps: Vec::new(),
            durability,
            store: open(disk, durability, &clock),
            clock,
            worker: None,
            keys: Vec::new(),
            held: Vec::new(),
        }
    }

    /// Makes so many calls.
    pub(crate) fn go_on(&mut self, calls: usize, draw: &mut Draw) {
        for _ in 0..calls {
            self.clock.advance(Duration::from_millis(20));
            let (name, sync) = self.call(draw);
            let moment = self.disk.moment();
            let connection = sight::connect(&self.disk.root().join(FILE));
            self.steps.push(Step {
                moment,
                digest: sight::digest(&connection),
                promised: sync == Sync::Durable && self.durability == Sync::Durable,
                name,
            });
        }
        self.store.close();
    }

    /// One call: its name, and what it must survive.
    fn call(&mut self, draw: &mut Draw) -> (&'static str, Sync) {
        let first = self.steps.is_empty();
        match if first { 0 } else { draw.below(26) } {
            0..6 => return ("enqueue", self.enqueue(draw)),
            6..8 => self.fire(draw),
            8..11 => self.claim(),
            11..16 => self.settle(draw),
            16 => {
                let key = draw.one_of(&self.keys).copied().unwrap_or_default();
                return self.operate("cancel", |at, now| at.cancel(now, key).map(drop));
            }
            17 => {
                let key = draw.one_of(&self.keys).copied().unwrap_or_default();
                return self.operate("replay", |at, now| at.replay(now, key).map(drop));
            }
            18 => {
                let key = draw.one_of(&self.keys).copied().unwrap_or_default();
                return self.operate("progress", |at, _| at.set_progress(key, 50).map(drop));
            }
            19 => {
                let change = [QueueChange::Pause, QueueChange::Resume][draw.below(2)].clone();
                return self.operate("pause", |at, _| at.set_queue("other", &change));
            }
            20 => {
                let keys: Vec<Key> = self.keys.drain(..self.keys.len() / 4).collect();
                return self.operate("delete", |at, _| at.prune(&keys).map(drop));
            }
            21..24 => {
                self.store.tidy().unwrap();
                return ("tidy", Sync::Relaxed);
            }
            24 => {
                self.store.close();
                self.store = open(&self.disk, self.durability, &self.clock);
                return ("reopen", Sync::Relaxed);
            }
            _ => {
                let connection = sight::connect(&self.disk.root().join(FILE));
                connection
                    .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
                    .unwrap();
                return ("truncate", Sync::Relaxed);
            }
        }
        ("work", Sync::Relaxed)
    }

    fn enqueue(&mut self, draw: &mut Draw) -> Sync {
        let jobs = (0..=draw.below(3)).map(|_| self.job(draw)).collect();
        let inserted = self.store.enqueue(jobs).unwrap();
        self.keys.extend(inserted.iter().map(|one| one.key));
        Sync::Durable
    }

    /// A job as a schedule makes it: not flushed, and perhaps the one that somebody enqueues next.
    fn fire(&mut self, draw: &mut Draw) {
        let job = self.job(draw);
        let now = self.clock.now();
        let mut made = Vec::new();
        self.relaxed(|at| {
            made = at.insert(now, std::slice::from_ref(&job))?;
            Ok(())
        });
        self.keys.extend(made.iter().map(|one| one.key));
    }

    fn job(&self, draw: &mut Draw) -> NewJob {
        let idempotency = draw.percent(30).then(|| format!("once {}", draw.below(9)));
        let unique = draw.percent(20).then(|| format!("one {}", draw.below(4)));
        let delay = Duration::from_millis(10) * u32::from(draw.percent(20));
        let length = [20, 300, 6_000, 30_000][draw.below(4)];
        let queue = ["default", "other"][draw.below(2)];
        let mut job = job_with("task", |spec| {
            spec.queue = queue.into();
            spec.idempotency_key = idempotency;
            spec.unique_key = unique;
            spec.delay = delay;
        });
        job.payload = draw.bytes(length);
        if draw.percent(15)
            && let Some(parent) = self.keys.last()
        {
            job.links = after("task", &[*parent]).links;
        }
        job
    }

    fn claim(&mut self) {
        let now = self.clock.now();
        let known = self.worker;
        let mut enlisted = None;
        let mut claims = Vec::new();
        self.relaxed(|at| {
            let worker = match known {
                Some(worker) => worker,
                None => at.enlist(now, &worker())?,
            };
            at.promote(now, 10)?;
            claims = at.claim(now, worker, &mut Any(3))?;
            enlisted = Some(worker);
            Ok(())
        });
        self.worker = enlisted;
        self.held.extend(claims.iter().map(|claim| claim.token));
    }

    fn settle(&mut self, draw: &mut Draw) {
        let Some(token) = self.held.pop() else {
            return;
        };
        let now = self.clock.now();
        let result = draw.bytes(100);
        let (run, error) = (Run::since(now, now, RUN), "boom");
        let run_at = now.plus(RUN);
        match draw.below(4) {
            0..2 => self.relaxed(|at| {
                let result = &result;
                at.complete(
                    now,
                    &[Completion {
                        token,
                        result,
                        run,
                        preview: None,
                    }],
                )
                .map(drop)
            }),
            2 => self.relaxed(|at| {
                let failure = Failure {
                    cause: None,
                    token,
                    error,
                    run_at,
                    run,
                };
                at.retry(now, &[failure]).map(drop)
            }),
            _ => self.relaxed(|at| {
                let run = Some(run);
                at.bury(
                    now,
                    &[End {
                        token,
                        error,
                        run,
                        cause: None,
                    }],
                )
                .map(drop)
            }),
        }
    }

    fn relaxed(&self, mut work: impl FnMut(&mut dyn Transaction) -> Answer) {
        self.store.write(Sync::Relaxed, &mut work).unwrap();
    }

    /// A call of an operator.
    fn operate(
        &self,
        name: &'static str,
        mut work: impl FnMut(&mut dyn Transaction, taskito_core::clock::Millis) -> Answer,
    ) -> (&'static str, Sync) {
        let now = self.clock.now();
        self.store
            .write(Sync::Durable, &mut |at| work(at, now))
            .unwrap();
        (name, Sync::Durable)
    }
}

type Answer = taskito_core::error::Result<()>;

fn open(disk: &Disk, durability: Sync, clock: &Arc<ManualClock>) -> SqliteStore {
    let clock = Arc::clone(clock) as Arc<dyn Clock>;
    SqliteStore::with_clock(disk.root().join(FILE), durability, clock)
}
