//! The dispatcher: one thread that commits outcomes and claims what runs next. Long because all
//! that the thread decides between two commits is here.
//!
//! Each transaction settles what runners reported, promotes what is due and claims as much as
//! runners can take. Between transactions it sleeps on the doorbell; nothing polls.

use std::collections::HashMap;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use crate::clock::Millis;
use crate::error::{Error, Result};
use crate::job::{Claim, Token, WorkerId};
use crate::limits::TaskLimits;
use crate::store::{Sync, Transaction};

use super::clockwork::Clockwork;
use super::desk::Desk;
use super::hunger::{BUFFER_JOBS, Hunger, Share};
use super::ledger::{self, Ledger};
use super::news::{Event, News};
use super::patience::{Patience, Restraint};
use super::pools::{Kind, Pools};
use super::settle::Batch;
use super::slips::{Phase, Plan, Ready, Settled};
use super::task::{BUFFER_TIME, Task};
use super::{Site, certificate};

/// Scheduled jobs made pending in one transaction.
const PROMOTE_LIMIT: u32 = 1000;
/// A transaction with fewer settlements and claims than this is a small one. A rest makes some
/// dozens of them come together, and must not end the streak that it comes from.
const SMALL: usize = 128;
/// With so many settlements there is a batch, and no rest.
const BATCH: usize = 32;
/// After so many small transactions in a row the dispatcher rests, to let a batch grow.
const STREAK: u32 = 16;
/// How long it rests then.
const REST: Duration = Duration::from_millis(1);
/// Two transactions further apart than this do not make a streak.
const PAUSE: Duration = Duration::from_millis(2);
/// The longest sleep, for what did not ring.
const SAFETY: Duration = Duration::from_secs(1);
/// How long to wait after a failed transaction.
const RECOVERY: Duration = Duration::from_millis(100);
/// How long a worker that is leaving tries to settle when the store fails.
const LAST_TRIES: Duration = Duration::from_secs(5);

pub(super) struct Dispatcher {
    site: Site,
    desk: Arc<Desk>,
    ledger: Ledger,
    clockwork: Clockwork,
    worker: WorkerId,
    queues: Vec<String>,
    turn: usize,
    /// The doorbell's number when we last looked at the store.
    heard: u32,
    /// Whether a claim now could find something, for each kind of runner.
    hopes: Pools<Hope>,
    /// When it last took hope for all of them.
    hoped: Instant,
    streak: u32,
    last_commit: Instant,
    failing_since: Option<Instant>,
    /// Whether the last commit was reported as failed: it may have taken effect all the same.
    in_doubt: bool,
    /// Whether the roster says that this worker is leaving.
    announced: bool,
    /// When something is due without any news.
    alarm: Option<Instant>,
    /// Tells whoever tends the worker what happened.
    news: Arc<News>,
    /// When to look again at what limits held back.
    patience: Pools<Patience>,
    /// What the store knows of the limits of our tasks.
    known_limits: HashMap<Arc<str>, TaskLimits>,
}

/// What a worker that has entered the roster stored and found there.
pub(super) struct Arrival {
    pub(super) worker: WorkerId,
    /// The limits of its tasks.
    pub(super) limits: HashMap<Arc<str>, TaskLimits>,
    /// How the clock stands.
    pub(super) clockwork: Clockwork,
}

/// Whether a claim could find something.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Hope {
    /// Nothing is there; the doorbell tells when that changes.
    No,
    /// There is more, but all that runners can take was taken.
    Later,
    /// Nobody has looked since something changed.
    Now,
}

/// A claim and its place in the ledger.
type Entered = (Claim, ledger::Entry);

/// What a transaction came to.
struct Done {
    claimed: Vec<Entered>,
    /// What to say about it.
    events: Vec<Event>,
    /// How the clock stood.
    clock: i64,
    /// Whether there is more to claim.
    hopes: Pools<Hope>,
    /// What limits held back.
    restraint: Restraint,
}

/// What a step came to.
pub(super) enum Step {
    /// There may be more to do.
    Again,
    /// Nothing to do before that time is over, unless the doorbell rings.
    Sleep(Duration),
    /// Nothing to do before that time is over, whatever happens.
    Rest(Duration),
    /// The worker has left.
    Ended,
    /// The worker cannot even leave.
    Stranded,
}

impl Dispatcher {
    pub(super) fn new(
        site: Site,
        desk: Arc<Desk>,
        ledger: Ledger,
        queues: Vec<String>,
        news: Arc<News>,
        arrival: Arrival,
    ) -> Self {
        let last_commit = site.clock.instant();
        Self {
            site,
            desk,
            ledger,
            clockwork: arrival.clockwork,
            worker: arrival.worker,
            queues,
            turn: 0,
            heard: 0,
            hopes: Pools::of(|_| Hope::Now),
            hoped: last_commit,
            streak: 0,
            last_commit,
            failing_since: None,
            in_doubt: false,
            announced: false,
            alarm: None,
            news,
            patience: Pools::default(),
            known_limits: arrival.limits,
        }
    }

    /// Works until the worker has left; `false` if it could not.
    pub(super) fn run(mut self) -> bool {
        loop {
            match self.step() {
                Step::Again => {}
                Step::Sleep(limit) => self.sleep(limit),
                Step::Rest(limit) => thread::sleep(limit),
                Step::Ended => return true,
                Step::Stranded => return false,
            }
        }
    }

    pub(super) fn step(&mut self) -> Step {
        if self.news.is_stranded() {
            return Step::Stranded;
        }
        let bell = self.site.gate.work().number();
        let rung = bell != self.heard;
        self.heard = bell;
        let heeded = self.heed();
        let plan = self.desk.plan(self.now());
        self.alarm = plan.alarm;
        if heeded.is_err() {
            // Nothing starts until that succeeds.
            let soon = self.now() + RECOVERY;
            self.alarm = Some(self.alarm.map_or(soon, |alarm| alarm.min(soon)));
        }
        if let Phase::Draining(deadline) = plan.phase {
            return self.drain(plan, deadline);
        }
        if plan.changes.renewed {
            self.introduce(&plan.tasks);
        }
        self.hope(rung, &plan);
        let wanted = self.wants_claims(&plan);
        let claims = wanted.iter().any(|wanted| *wanted);
        let set = self.clockwork.is_due(&self.site);
        let reports = set || self.in_doubt || !plan.settled.is_empty() || !plan.notes.is_empty();
        if !reports {
            match claims
                .then(|| self.has_prospects(&plan, wanted))
                .transpose()
            {
                Ok(Some(true)) => {}
                Ok(_) => return self.idle(&plan),
                Err(error) => {
                    // Nobody knows, so it is asked again.
                    self.note_trouble(&error);
                    return Step::Sleep(RECOVERY);
                }
            }
        }
        if let Some(rest) = self.rest(&plan) {
            self.desk.put_back(plan.settled, plan.notes);
            return Step::Rest(rest);
        }
        match self.commit(plan, wanted) {
            Ok(()) => Step::Again,
            Err(_) => Step::Rest(RECOVERY),
        }
    }

    /// Compares what runs here with what the store says, if something was decided from outside.
    pub(super) fn heed(&mut self) -> Result<()> {
        let Some(number) = self.desk.unheeded() else {
            return Ok(());
        };
        let store = &self.site.store;
        let found = store
            .holdings(self.worker)
            .and_then(|held| Ok((held, store.restrained_queues()?)));
        let (held, queues) = found.inspect_err(|error| self.note_trouble(error))?;
        self.desk.heed(number, &held, &queues);
        Ok(())
    }

    /// Takes hope from what has changed, and anew from time to time: whoever should have rung
    /// may have been killed between its commit and that.
    fn hope(&mut self, rung: bool, plan: &Plan) {
        let now = self.now();
        let long_ago = now.saturating_duration_since(self.hoped) >= SAFETY;
        let cleared = plan.settled.iter().any(Settled::is_suspect);
        let anew = rung || long_ago || plan.changes.renewed || cleared;
        if anew {
            self.hoped = now;
        }
        let settled = !plan.settled.is_empty();
        let relieved = plan.changes.relieved || settled;
        for kind in Kind::ALL {
            let patience = &self.patience[kind];
            patience.renew();
            let freed = settled && patience.waits_for_others();
            if anew || freed || relieved && self.hopes[kind] == Hope::Later {
                self.hopes[kind] = Hope::Now;
            }
        }
    }

    /// How long to let a batch grow: many small transactions came one after the other, and
    /// nobody waits for a result.
    fn rest(&self, plan: &Plan) -> Option<Duration> {
        let since = self.now().saturating_duration_since(self.last_commit);
        let busy = self.streak >= STREAK && plan.settled.len() < BATCH && since < REST;
        (busy && !self.site.gate.finished().has_sleepers()).then(|| REST.saturating_sub(since))
    }

    /// Whether a claim would find anything: asked without the write lock, which others want.
    fn has_prospects(&mut self, plan: &Plan, wanted: Pools<bool>) -> Result<bool> {
        loop {
            let now = self.site.clock.now();
            let store = &self.site.store;
            let mut hunger = self.hunger(plan, wanted, 0);
            let ready = store.has_prospects(now, &mut hunger)?;
            if ready || store.next_due()?.is_some_and(|due| due <= now) {
                return Ok(true);
            }
            let restraint = hunger.restraint;
            if !self.learn(restraint, wanted) {
                break;
            }
        }
        for kind in Kind::ALL {
            if wanted[kind] {
                self.hopes[kind] = Hope::No;
            }
        }
        Ok(false)
    }

    /// Learns what limits held back when it was looked for; whether to look once more.
    fn learn(&mut self, restraint: Restraint, wanted: Pools<bool>) -> bool {
        let mut again = false;
        for kind in Kind::ALL {
            if wanted[kind] {
                again |= self.patience[kind].learn(restraint, &self.site.gate);
            }
        }
        again
    }

    /// Whether to look for jobs: runners are free, or the buffer is half empty.
    fn wants_claims(&self, plan: &Plan) -> Pools<bool> {
        let room = self.ledger.room() > plan.settled.len();
        let low = plan.buffered < BUFFER_JOBS / 2 && plan.buffered_time < BUFFER_TIME / 2;
        Pools::of(|kind| {
            let hungry = plan.free[kind] > 0 || low && plan.steady[kind];
            room && hungry && self.hopes[kind] == Hope::Now
        })
    }

    /// Nothing to settle and nothing to claim: sleep until something is due.
    fn idle(&mut self, plan: &Plan) -> Step {
        if plan.buffered > 0 && self.desk.nudge() {
            return Step::Sleep(REST);
        }
        if plan.free.iter().all(|free| *free == 0) {
            return Step::Sleep(SAFETY);
        }
        let now = self.site.clock.now();
        // What opens for runners that are busy is looked at when one is free.
        let due = match self.next_look(|kind| plan.free[kind] > 0) {
            Ok(Some(due)) if due <= now => {
                self.hopes = Pools::of(|_| Hope::Now);
                return Step::Again;
            }
            Ok(Some(due)) => now.until(due),
            Ok(None) => SAFETY,
            Err(error) => {
                self.note_trouble(&error);
                RECOVERY
            }
        };
        Step::Sleep(due.clamp(Duration::from_millis(1), SAFETY))
    }

    /// When a job is due, or a limit opens that held one back for `kinds` at the last look.
    pub(super) fn next_look(&self, kinds: impl Fn(Kind) -> bool) -> Result<Option<Millis>> {
        let kinds = Kind::ALL.into_iter().filter(|kind| kinds(*kind));
        let opens = kinds.filter_map(|kind| self.patience[kind].opens_at());
        let due = self.site.store.next_due()?;
        Ok(opens.chain(due).min())
    }

    /// One transaction. On failure the outcomes go back to the desk.
    pub(super) fn commit(&mut self, plan: Plan, wanted: Pools<bool>) -> Result<()> {
        let suspects = plan.settled.iter().filter(|one| one.is_suspect()).count();
        match self.transact(&plan, wanted, suspects) {
            Ok(done) => {
                self.note_recovery();
                self.in_doubt = false;
                // Commits that claim nothing leave it alone: if one came between any two claims
                // it would be the turn of the same queue again and again.
                self.turn = self
                    .turn
                    .wrapping_add(usize::from(!done.claimed.is_empty()));
                self.clockwork.kept(done.clock);
                let again = self.learn(done.restraint, wanted);
                for kind in Kind::ALL {
                    if wanted[kind] {
                        self.hopes[kind] = if again { Hope::Now } else { done.hopes[kind] };
                    }
                }
                self.note_commit(plan.settled.len() + done.claimed.len());
                let ready = Self::equip(done.claimed, &plan.tasks);
                let ended = plan.settled.iter().filter(|one| one.has_ended()).count();
                drop(plan.settled);
                self.desk.put_out(ready, suspects, ended);
                self.news.tell(done.events);
                Ok(())
            }
            Err(error) => {
                self.note_trouble(&error);
                self.in_doubt = true;
                self.desk.put_back(plan.settled, plan.notes);
                Err(error)
            }
        }
    }

    /// Takes notes, settles, promotes, claims.
    fn transact(&self, plan: &Plan, wanted: Pools<bool>, suspects: usize) -> Result<Done> {
        let mut done = None;
        let seed = self.desk.random();
        self.site.store.write(Sync::Relaxed, &mut |transaction| {
            let now = self.site.clock.now();
            let clock = self.clockwork.keep(&self.site, transaction)?;
            plan.notes.apply(transaction)?;
            let batch = Batch::decide(&plan.settled, now, self.now(), seed);
            let events = batch.apply(now, transaction)?;
            if self.in_doubt {
                let held = transaction.held(self.worker)?;
                self.hand_back(transaction, &self.desk.strangers(&held))?;
            }
            transaction.promote(now, PROMOTE_LIMIT)?;
            let mut hunger = self.hunger(plan, wanted, suspects);
            let mut claimed = Vec::new();
            if wanted.iter().any(|wanted| *wanted) {
                for claim in transaction.claim(now, self.worker, &mut hunger)? {
                    // Entered before the commit: whoever finds us dead finds it here too.
                    if let Some(entry) = self.ledger.enter(claim.token) {
                        claimed.push((claim, entry));
                    }
                }
            }
            done = Some(Done {
                claimed,
                events,
                clock,
                restraint: hunger.restraint,
                hopes: Pools::of(|kind| {
                    if hunger.shares[kind].closed {
                        Hope::Later
                    } else {
                        Hope::No
                    }
                }),
            });
            Ok(())
        })?;
        done.ok_or_else(|| Error::Invalid {
            message: "the store did not do its work".into(),
        })
    }

    /// What this worker can take. `settled` suspects are no longer in its hands.
    fn hunger<'a>(&'a self, plan: &'a Plan, wanted: Pools<bool>, settled: usize) -> Hunger<'a> {
        Hunger {
            tasks: &plan.tasks,
            queues: &self.queues,
            shares: Pools::of(|kind| Share {
                free: plan.free[kind],
                steady: plan.steady[kind],
                parallel: plan.parallel[kind],
                closed: !wanted[kind],
            }),
            room: self.ledger.room(),
            buffered: plan.buffered,
            time: BUFFER_TIME.saturating_sub(plan.buffered_time),
            suspects: plan.suspects - settled,
            turn: self.turn,
            restraint: Restraint::default(),
        }
    }

    fn equip(claimed: Vec<Entered>, tasks: &HashMap<Arc<str>, Arc<Task>>) -> Vec<Ready> {
        claimed
            .into_iter()
            .filter_map(|(claim, entry)| {
                let task = Arc::clone(tasks.get(&claim.task)?);
                Some(Ready { claim, task, entry })
            })
            .collect()
    }

    /// Begins a streak of failures, and says so once.
    fn note_trouble(&mut self, error: &Error) {
        if self.failing_since.is_none() {
            self.failing_since = Some(self.now());
            if certificate::is_lost(self.site.path.as_deref(), self.worker) {
                return self.news.strand();
            }
            self.news.tell([Event::Trouble(error.to_string())]);
        }
    }

    fn note_recovery(&mut self) {
        if self.failing_since.take().is_some() {
            self.news.tell([Event::Recovered]);
        }
    }

    fn note_commit(&mut self, size: usize) {
        let now = self.now();
        let rest = now.saturating_duration_since(self.last_commit);
        let in_a_row = rest < PAUSE && size < SMALL;
        self.streak = if in_a_row { self.streak + 1 } else { 0 };
        self.last_commit = now;
    }

    /// Leaving: settle what comes in; when nothing runs any more, strike us off the roster.
    fn drain(&mut self, plan: Plan, deadline: Instant) -> Step {
        let running = plan.running;
        if running > 0 && !self.announced {
            self.announced = self.announce().is_ok();
        }
        if !plan.settled.is_empty() {
            return match self.commit(plan, Pools::default()) {
                Ok(()) => Step::Again,
                Err(_) if self.gives_up(deadline) => Step::Ended,
                Err(_) => Step::Rest(RECOVERY),
            };
        }
        if running > 0 {
            let rest = deadline.saturating_duration_since(self.now());
            return Step::Sleep(rest.clamp(Duration::from_millis(1), SAFETY));
        }
        match self.leave() {
            Ok(()) => {
                ledger::remove(self.site.path.as_deref(), self.worker);
                return Step::Ended;
            }
            Err(error) => self.note_trouble(&error),
        }
        if self.gives_up(deadline) {
            return Step::Ended;
        }
        Step::Rest(RECOVERY)
    }

    /// Stores which tasks were registered since the start, and their limits, for those who
    /// look. If that fails it is done with the next one; claims go by what is known here.
    pub(super) fn introduce(&mut self, tasks: &HashMap<Arc<str>, Arc<Task>>) {
        let news: Vec<(Arc<str>, TaskLimits)> = tasks
            .iter()
            .map(|(name, task)| (Arc::clone(name), task.settings.limits.clone()))
            .filter(|(name, limits)| self.known_limits.get(name) != Some(limits))
            .collect();
        if news.is_empty() {
            return;
        }
        let beat = self.desk.beat();
        let announced = (self.site.store).write(Sync::Relaxed, &mut |transaction| {
            transaction.announce(&news)?;
            transaction.beat(self.site.clock.now(), self.worker, &beat)
        });
        match announced {
            Ok(()) => self.known_limits.extend(news),
            Err(error) => self.note_trouble(&error),
        }
    }

    /// Says on the roster that this worker is leaving, for those who look.
    fn announce(&self) -> Result<()> {
        let beat = self.desk.beat();
        self.site.store.write(Sync::Relaxed, &mut |transaction| {
            transaction.beat(self.site.clock.now(), self.worker, &beat)
        })
    }

    /// Strikes us off the roster. Nothing is held now, unless a claim was stored by a commit
    /// that was reported as failed: that goes back.
    fn leave(&self) -> Result<()> {
        self.site.store.write(Sync::Relaxed, &mut |transaction| {
            let held = transaction.held(self.worker)?;
            let tokens: Vec<Token> = held.iter().map(|job| job.token).collect();
            self.hand_back(transaction, &tokens)?;
            transaction.dismiss(self.worker).map(|_| ())
        })
    }

    /// Hands back claims that we hold and never started.
    fn hand_back(&self, transaction: &mut dyn Transaction, tokens: &[Token]) -> Result<()> {
        transaction.hand_back(self.site.clock.now(), tokens)?;
        transaction.put_back_tokens(tokens)
    }

    /// Whether a store that keeps failing should no longer hold up the end. What is left is
    /// recovered like the jobs of a worker that died.
    fn gives_up(&self, deadline: Instant) -> bool {
        let now = self.now();
        let long_ago = |since: Instant| now.saturating_duration_since(since) >= LAST_TRIES;
        now >= deadline && self.failing_since.is_some_and(long_ago)
    }

    fn sleep(&self, limit: Duration) {
        let limit = self.until_alarm(limit);
        let bell = self.site.gate.work();
        bell.sleep(self.heard, limit, || self.desk.falls_asleep());
    }

    /// How long to sleep, at most `limit`.
    pub(super) fn until_alarm(&self, limit: Duration) -> Duration {
        let alarm = self
            .alarm
            .map(|at| at.saturating_duration_since(self.now()));
        alarm.map_or(limit, |alarm| limit.min(alarm))
    }

    /// Whether the doorbell rang since it last looked.
    #[cfg(feature = "model")]
    pub(super) fn is_rung(&self) -> bool {
        self.site.gate.work().number() != self.heard
    }

    /// Takes what the doorbell says as heard.
    #[cfg(feature = "model")]
    pub(super) fn miss_ring(&mut self) {
        self.heard = self.site.gate.work().number();
    }

    /// The present, for pauses and deadlines.
    fn now(&self) -> Instant {
        self.site.clock.instant()
    }
}
