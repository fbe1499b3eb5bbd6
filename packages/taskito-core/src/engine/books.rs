//! What the desk has written down: who waits, who runs, who was given up, what came in. Long
//! because every move of an attempt between these is here; nothing in it waits or locks.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::clock::Clock;
use crate::job::{Claim, Held, Token};
use crate::outcome::Outcome;

use super::loop_bell::LoopBell;
use super::news::Event;
use super::notes::Notes;
use super::pools::{Kind, Pools};
use super::slips::{Abandoned, Changes, Phase, Plan, Ready, Running, Settled, Stage};
use super::task::{Task, TaskSettings};

/// How long Python has to run the hooks of an attempt over its timeout before that is settled
/// without them.
const HOOKS_TIME: Duration = Duration::from_millis(350);
/// How long a coroutine that was cancelled may take to end. Then it counts as ended.
const CANCEL_TIME: Duration = Duration::from_secs(5);

pub(super) struct Books {
    pub(super) phase: Phase,
    pub(super) tasks: Arc<HashMap<Arc<str>, Arc<Task>>>,
    pub(super) pools: Pools<Pool>,
    pub(super) running: HashMap<Token, Running>,
    /// Attempts that were given up; a thread or coroutine is still busy with each.
    pub(super) abandoned: HashMap<Token, Abandoned>,
    pub(super) settled: Vec<Settled>,
    /// Attempts that ended here and whose ends are committed.
    pub(super) ended: u64,
    pub(super) notes: Notes,
    /// Threads that are missing because theirs are busy with abandoned attempts.
    pub(super) wanted: usize,
    /// Threads too many, because an abandoned attempt came to its end after all.
    surplus: usize,
    /// Threads asleep in `next`.
    pub(super) idle: usize,
    /// Jobs with losses on record that this worker holds.
    suspects: usize,
    /// The number of the control bell for which everything that waits here was looked at.
    pub(super) vetted: u32,
    /// Whether the dispatcher sleeps, so that news must ring.
    pub(super) dispatcher_sleeps: bool,
    /// Whether anything happened since the dispatcher looked.
    pub(super) stirred: bool,
    changes: Changes,
    pub(super) loop_bell: LoopBell,
    /// Slots for coroutines, once there is a task for them.
    coroutines: usize,
}

/// The runners of one kind.
pub(super) struct Pool {
    slots: usize,
    busy: usize,
    pub(super) ready: VecDeque<Ready>,
}

impl Pool {
    fn of(slots: usize) -> Self {
        Self {
            slots,
            busy: 0,
            ready: VecDeque::new(),
        }
    }

    /// Whether a job waits and a runner is there for it.
    fn can_go_on(&self) -> bool {
        !self.ready.is_empty() && self.busy < self.slots
    }
}

impl Books {
    pub(super) fn new(threads: usize, coroutines: usize, vetted: u32) -> Self {
        Self {
            phase: Phase::Serving,
            tasks: Arc::default(),
            pools: Pools {
                threads: Pool::of(threads),
                coroutines: Pool::of(0),
            },
            running: HashMap::new(),
            abandoned: HashMap::new(),
            settled: Vec::new(),
            ended: 0,
            notes: Notes::default(),
            wanted: 0,
            surplus: 0,
            idle: 0,
            suspects: 0,
            vetted,
            dispatcher_sleeps: false,
            stirred: false,
            changes: Changes::default(),
            loop_bell: LoopBell::default(),
            coroutines,
        }
    }

    // ---- runners -------------------------------------------------------------------------

    /// Whether the thread that asks is one too many.
    pub(super) fn dismisses_thread(&mut self) -> bool {
        let dismissed = self.surplus > 0;
        self.surplus -= usize::from(dismissed);
        dismissed
    }

    /// The next job, which starts now, and whether it will be over at once.
    pub(super) fn take(&mut self, kind: Kind, clock: &dyn Clock) -> Option<(Claim, bool)> {
        while let Some(ready) = self.pools[kind].ready.pop_front() {
            let expires_at = ready.claim.expires_at;
            if expires_at.is_some_and(|end| end <= clock.now()) {
                // No claim takes it again: it expires.
                self.settled.push(ready.settle(Outcome::HandedBack));
                continue;
            }
            let is_short = ready.task.is_short();
            return Some((self.start(ready, clock), is_short));
        }
        None
    }

    fn start(&mut self, ready: Ready, clock: &dyn Clock) -> Claim {
        let Ready { claim, task, entry } = ready;
        let limit = (!claim.timeout.is_zero()).then_some(claim.timeout);
        entry.start(clock.instant_millis(), limit);
        self.pools[task.kind()].busy += 1;
        let record = Claim {
            payload: Vec::new(),
            inputs: None,
            queue: Arc::clone(&claim.queue),
            task: Arc::clone(&claim.task),
            ..claim
        };
        let since = clock.instant();
        let running = Running {
            claim: record,
            task,
            entry,
            since,
            stage: Stage::Current,
            deadline: limit.map(|limit| since + limit),
        };
        self.running.insert(claim.token, running);
        claim
    }

    /// Enters the outcome of an attempt; `false` if it does not count.
    pub(super) fn settle(
        &mut self,
        token: Token,
        outcome: Outcome,
        notify: bool,
        now: Instant,
    ) -> bool {
        match self.running.entry(token) {
            Entry::Occupied(entry) if entry.get().stage != Stage::Overdue => {
                let run = entry.remove();
                self.pools[run.kind()].busy -= 1;
                let settled = run.settle(outcome, notify, now);
                settled.task.observe(settled.run);
                self.settled.push(settled);
                self.ring_loop();
                true
            }
            _ => {
                self.welcome_back(token);
                false
            }
        }
    }

    /// Settles an attempt that ran over its timeout, after that was said.
    pub(super) fn settle_overdue(&mut self, token: Token, now: Instant) -> bool {
        let overdue = |run: &Running| run.stage == Stage::Overdue;
        if !self.running.get(&token).is_some_and(overdue) {
            return false;
        }
        let overdue = self.running.remove(&token);
        self.settled.extend(overdue.map(|run| run.time_out(now)));
        true
    }

    /// Whether a claim waits, runs or has ended here.
    pub(super) fn knows(&self, token: Token) -> bool {
        let waiting = || self.pools.iter().flat_map(|pool| &pool.ready);
        self.running.contains_key(&token)
            || waiting().any(|ready| ready.claim.token == token)
            || self.settled.iter().any(|one| one.claim.token == token)
    }

    /// Whether an attempt should stop: it is to be cancelled, or counts no more.
    pub(super) fn is_cancelled(&self, token: Token) -> bool {
        let run = self.running.get(&token);
        run.is_none_or(|run| run.stage != Stage::Current)
    }

    /// Whether the outcome of an attempt counts.
    pub(super) fn is_current(&self, token: Token) -> bool {
        let run = self.running.get(&token);
        run.is_some_and(|run| !matches!(run.stage, Stage::Gone | Stage::Overdue))
    }

    /// A runner that was given up is free again. A thread takes the place of the one wanted
    /// for it, or is too many.
    fn welcome_back(&mut self, token: Token) {
        match self.abandoned.remove(&token).map(|gone| gone.kind) {
            None => return,
            Some(Kind::Thread) if self.wanted > 0 => self.wanted -= 1,
            Some(Kind::Thread) => self.surplus += 1,
            Some(Kind::Coroutine) => {
                self.pools.coroutines.busy -= 1;
                self.ring_loop();
            }
        }
        self.changes.relieved = true;
    }

    // ---- control -------------------------------------------------------------------------

    pub(super) fn register(&mut self, task: &str, settings: TaskSettings) {
        if settings.kind == Kind::Coroutine {
            self.pools.coroutines.slots = self.coroutines;
        }
        let known = Arc::new(Task::new(settings));
        Arc::make_mut(&mut self.tasks).insert(task.into(), known);
        self.changes.renewed = true;
    }

    /// Compares what is here with what the store says this worker holds, as of the control
    /// bell's `number`: attempts to cancel, attempts that count no more. What waits here of a
    /// restrained queue, which is paused or limited, goes back: the next claim decides anew.
    pub(super) fn heed(
        &mut self,
        number: u32,
        held: &[Held],
        restrained: &[String],
        now: Instant,
    ) -> Vec<Event> {
        let held: HashMap<Token, bool> = held
            .iter()
            .map(|job| (job.token, job.cancel_requested))
            .collect();
        let mut events = Vec::new();
        for (token, run) in &mut self.running {
            let stage = match held.get(token) {
                Some(false) => continue,
                Some(true) => Stage::Cancelled,
                None => Stage::Gone,
            };
            if run.stage == Stage::Current {
                if run.kind() == Kind::Coroutine {
                    run.deadline = Some(now + CANCEL_TIME);
                }
                events.push(Event::Cancel(run.claim.clone()));
            }
            if run.stage != Stage::Overdue {
                run.stage = stage;
            }
        }
        for kind in Kind::ALL {
            for ready in std::mem::take(&mut self.pools[kind].ready) {
                match held.get(&ready.claim.token) {
                    Some(false) if restrained.iter().any(|name| **name == *ready.claim.queue) => {
                        self.settled.push(ready.settle(Outcome::HandedBack));
                    }
                    Some(false) => self.pools[kind].ready.push_back(ready),
                    // Of one that is not ours any more the store says that it is stale.
                    Some(true) | None => self
                        .settled
                        .push(ready.settle(Outcome::cancelled_by_request())),
                }
            }
        }
        self.vetted = number;
        self.ring_loop();
        events
    }

    // ---- time ----------------------------------------------------------------------------

    /// Acts on every deadline that has passed.
    pub(super) fn look_at_the_time(&mut self, now: Instant) -> Vec<Event> {
        let due = |deadline: Option<Instant>| deadline.is_some_and(|at| at <= now);
        let mut late: Vec<(Token, Kind, Stage)> = self
            .running
            .iter()
            .filter(|(_, run)| due(run.deadline))
            .map(|(token, run)| (*token, run.kind(), run.stage))
            .collect();
        late.sort_by_key(|(token, ..)| token.key);
        let mut events = Vec::new();
        for (token, kind, stage) in late {
            match (stage, kind) {
                (Stage::Current, _) | (Stage::Cancelled | Stage::Gone, Kind::Thread) => {
                    events.extend(self.give_up(token, now));
                }
                (Stage::Cancelled | Stage::Gone, Kind::Coroutine) => {
                    self.settle(token, Outcome::cancelled_by_request(), true, now);
                }
                (Stage::Overdue, _) => {
                    self.settle_overdue(token, now);
                }
            }
        }
        let gone: Vec<Token> = self
            .abandoned
            .iter()
            .filter(|(_, gone)| due(gone.until))
            .map(|(token, _)| *token)
            .collect();
        for token in gone {
            self.welcome_back(token);
        }
        events
    }

    /// An attempt ran over its timeout: its runner is given up. What to say about it, if the
    /// attempt was that of a job until now.
    fn give_up(&mut self, token: Token, now: Instant) -> Option<Event> {
        let run = self.running.get_mut(&token)?;
        let was_current = run.stage != Stage::Gone;
        run.stage = Stage::Overdue;
        run.deadline = Some(now + HOOKS_TIME);
        let kind = run.kind();
        let until = match kind {
            Kind::Thread => {
                self.pools.threads.busy -= 1;
                self.wanted += 1;
                self.changes.relieved = true;
                None
            }
            Kind::Coroutine => Some(now + CANCEL_TIME),
        };
        self.abandoned.insert(token, Abandoned { kind, until });
        was_current.then(|| Event::Overdue(run.claim.clone()))
    }

    /// How many threads are busy with attempts that ran over their timeout.
    pub(super) fn abandoned_threads(&self) -> usize {
        let thread = |gone: &&Abandoned| gone.kind == Kind::Thread;
        self.abandoned.values().filter(thread).count()
    }

    // ---- dispatcher ----------------------------------------------------------------------

    /// While draining, jobs that have not started are handed back; after the deadline all
    /// others are as well.
    pub(super) fn hand_back(&mut self, now: Instant, deadline: Instant) -> Vec<Event> {
        for kind in Kind::ALL {
            let unstarted = self.pools[kind].ready.drain(..);
            self.settled
                .extend(unstarted.map(|ready| ready.settle(Outcome::HandedBack)));
        }
        if now < deadline {
            return Vec::new();
        }
        let mut running: Vec<(Token, Running)> = self.running.drain().collect();
        running.sort_by_key(|(token, _)| token.key);
        let mut events = Vec::new();
        for (_, run) in running {
            self.settled.push(if run.stage == Stage::Overdue {
                run.time_out(now)
            } else {
                events.push(Event::Cancel(run.claim.clone()));
                run.settle(Outcome::HandedBack, false, now)
            });
        }
        events
    }

    /// Hands outcomes and notes over and tells how things stand. Threads count as free only
    /// while fewer than `most_abandoned` were given up.
    pub(super) fn plan(&mut self, now: Instant, most_abandoned: usize) -> Plan {
        self.dispatcher_sleeps = false;
        self.stirred = false;
        let deserted = self.abandoned_threads() >= most_abandoned;
        let with_notes = !self.settled.is_empty()
            || self.phase != Phase::Serving
            || self.notes.due().is_some_and(|due| due <= now);
        let notes = if with_notes {
            std::mem::take(&mut self.notes)
        } else {
            Notes::default()
        };
        let ready = || self.pools.iter().flat_map(|pool| &pool.ready);
        let brief = |kind| {
            let mut running = self.running.values().filter(|run| run.kind() == kind);
            running.all(|run| run.task.is_brief())
        };
        let parallel = Pools {
            threads: 1,
            coroutines: u32::try_from(self.pools.coroutines.slots).unwrap_or(u32::MAX),
        };
        let deadlines = self.running.values().filter_map(|run| run.deadline);
        let ends = self.abandoned.values().filter_map(|gone| gone.until);
        Plan {
            phase: self.phase,
            tasks: Arc::clone(&self.tasks),
            settled: std::mem::take(&mut self.settled),
            free: Pools::of(|kind| {
                let pool = &self.pools[kind];
                let usable = if kind == Kind::Thread && deserted {
                    0
                } else {
                    pool.slots
                };
                usable.saturating_sub(pool.busy + pool.ready.len())
            }),
            buffered: ready().count(),
            buffered_time: ready()
                .filter_map(|ready| ready.task.share_of_buffer(parallel[ready.task.kind()]))
                .sum(),
            parallel,
            suspects: self.suspects,
            running: self.running.len(),
            steady: Pools::of(brief),
            changes: std::mem::take(&mut self.changes),
            alarm: deadlines.chain(ends).chain(self.notes.due()).min(),
            notes,
        }
    }

    /// Puts claims out for the runners, and forgets the suspects that are settled; how many
    /// threads to wake.
    pub(super) fn put_out(&mut self, claims: Vec<Ready>, settled_suspects: usize) -> usize {
        self.suspects -= settled_suspects;
        let mut threads = 0;
        for ready in claims {
            let kind = ready.task.kind();
            self.suspects += usize::from(ready.claim.losses > 0);
            if kind == Kind::Thread && (threads == 0 || !ready.task.is_short()) {
                threads += 1;
            }
            self.pools[kind].ready.push_back(ready);
        }
        self.ring_loop();
        threads.min(self.idle)
    }

    /// Tells the event loop if it can go on.
    pub(super) fn ring_loop(&mut self) {
        if self.pools.coroutines.can_go_on() {
            self.loop_bell.ring();
        }
    }

    /// Whether a coroutine more may start.
    pub(super) fn has_coroutine(&self) -> bool {
        self.pools.coroutines.can_go_on()
    }
}
