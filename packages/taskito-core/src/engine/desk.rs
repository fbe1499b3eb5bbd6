//! The desk between the dispatcher and the runner threads: claims go out, outcomes come in. Long
//! because both sides of one mutex are here.
//!
//! One mutex, held for a few hundred nanoseconds and never across the store or Python.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use crate::clock::{Clock, Millis};
use crate::id::Key;
use crate::job::{Claim, Fence, Token};
use crate::outcome::Outcome;
use crate::retry::RetryPolicy;
use crate::store::gate::Gate;

use super::slips::{Next, Phase, Plan, Ready, Running, Settled};
use super::task::Task;

pub(super) struct Desk {
    state: Mutex<State>,
    work: Condvar,
    gate: Arc<Gate>,
    threads: usize,
}

struct State {
    phase: Phase,
    tasks: Arc<HashMap<Arc<str>, Arc<Task>>>,
    ready: VecDeque<Ready>,
    running: HashMap<(Key, Fence), Running>,
    settled: Vec<Settled>,
    /// Claims that ran over their timeout; a thread is still busy with each.
    abandoned: HashSet<(Key, Fence)>,
    /// Threads that are missing because theirs are busy with abandoned claims.
    wanted: usize,
    /// Threads too many, because an abandoned claim came to its end after all.
    surplus: usize,
    /// Runners asleep in `next`.
    idle: usize,
    /// Jobs with losses on record that this worker holds.
    suspects: usize,
    /// Whether the dispatcher sleeps, so that news must ring.
    dispatcher_sleeps: bool,
    /// Whether a task was registered since the dispatcher looked.
    renewed: bool,
}

impl State {
    /// Whether the runner that asks is one too many.
    fn dismisses_runner(&mut self) -> bool {
        let dismissed = self.surplus > 0;
        self.surplus -= usize::from(dismissed);
        dismissed
    }

    /// A thread that was given up is free again: it takes the place of the one wanted for it,
    /// or is too many.
    fn welcomes_back(&mut self) {
        if self.wanted > 0 {
            self.wanted -= 1;
        } else {
            self.surplus += 1;
        }
    }

    /// Settles what ran over its timeout and gives up its threads; whether there was any.
    fn time_out(&mut self, now: Instant) -> bool {
        let overdue: Vec<(Key, Fence)> = self
            .running
            .iter()
            .filter(|(_, run)| run.deadline.is_some_and(|deadline| deadline <= now))
            .map(|(claim, _)| *claim)
            .collect();
        for claim in &overdue {
            if let Some(run) = self.running.remove(claim) {
                self.abandoned.insert(*claim);
                self.wanted += 1;
                self.settled.push(Settled {
                    outcome: Outcome::timed_out(&run.claim, &run.task.policy),
                    claim: run.claim,
                    task: run.task,
                    entry: run.entry,
                });
            }
        }
        !overdue.is_empty()
    }
}

impl Desk {
    pub(super) fn new(gate: Arc<Gate>, threads: usize) -> Self {
        Self {
            state: Mutex::new(State {
                phase: Phase::Serving,
                tasks: Arc::default(),
                ready: VecDeque::new(),
                running: HashMap::new(),
                settled: Vec::new(),
                abandoned: HashSet::new(),
                wanted: 0,
                surplus: 0,
                idle: 0,
                suspects: 0,
                dispatcher_sleeps: false,
                renewed: false,
            }),
            work: Condvar::new(),
            gate,
            threads,
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Releases the desk and wakes the dispatcher if it sleeps.
    fn tell_dispatcher(&self, state: MutexGuard<'_, State>) {
        let sleeps = state.dispatcher_sleeps;
        drop(state);
        if sleeps {
            self.gate.work().ring();
        }
    }

    // ---- runners -------------------------------------------------------------------------

    pub(super) fn try_next(&self, now: Millis) -> Next {
        let mut state = self.lock();
        if state.dismisses_runner() {
            return Next::Ended;
        }
        match self.take(&mut state, now) {
            Some(claim) => Next::Job(claim),
            None if state.phase == Phase::Serving => Next::Nothing,
            None => Next::Ended,
        }
    }

    pub(super) fn next(&self, clock: &dyn Clock) -> Option<Claim> {
        let mut state = self.lock();
        loop {
            if state.dismisses_runner() {
                return None;
            }
            if let Some(claim) = self.take(&mut state, clock.now()) {
                return Some(claim);
            }
            if state.phase != Phase::Serving {
                return None;
            }
            state.idle += 1;
            state = self
                .work
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
            state.idle -= 1;
        }
    }

    fn take(&self, state: &mut State, now: Millis) -> Option<Claim> {
        if state.phase != Phase::Serving {
            return None;
        }
        let Ready { claim, task, entry } = self.next_in_time(state, now)?;
        entry.start(now);
        // What is left over needs another runner if this job keeps this one for long.
        if state.idle > 0 && !state.ready.is_empty() && !task.is_short() {
            self.work.notify_one();
        }
        let record = Claim {
            payload: Vec::new(),
            inputs: None,
            queue: Arc::clone(&claim.queue),
            task: Arc::clone(&claim.task),
            ..claim
        };
        let token = claim.token;
        let since = Instant::now();
        let deadline = (!claim.timeout.is_zero()).then(|| since + claim.timeout);
        state.running.insert(
            (token.key, token.fence),
            Running {
                claim: record,
                task,
                entry,
                since,
                deadline,
            },
        );
        Some(claim)
    }

    /// The next job that may still start. Those it is too late for go back; no claim takes
    /// them again, they expire.
    fn next_in_time(&self, state: &mut State, now: Millis) -> Option<Ready> {
        loop {
            let ready = state.ready.pop_front()?;
            if ready.claim.expires_at.is_none_or(|expiry| expiry > now) {
                return Some(ready);
            }
            state.settled.push(Settled {
                claim: ready.claim,
                task: ready.task,
                entry: ready.entry,
                outcome: Outcome::HandedBack,
            });
            if state.dispatcher_sleeps {
                self.gate.work().ring();
            }
        }
    }

    pub(super) fn settle(&self, token: Token, outcome: Outcome) {
        let mut state = self.lock();
        let claim = (token.key, token.fence);
        let Some(run) = state.running.remove(&claim) else {
            // Handed back or timed out meanwhile: another attempt counts.
            if state.abandoned.remove(&claim) {
                state.welcomes_back();
                self.tell_dispatcher(state);
            }
            return;
        };
        run.task.observe(run.since.elapsed());
        state.settled.push(Settled {
            claim: run.claim,
            task: run.task,
            entry: run.entry,
            outcome,
        });
        self.tell_dispatcher(state);
    }

    /// How many more threads are wanted; they count as hired now.
    pub(super) fn hire(&self) -> usize {
        std::mem::take(&mut self.lock().wanted)
    }

    /// How many threads are busy with claims that ran over their timeout.
    pub(super) fn abandoned(&self) -> usize {
        self.lock().abandoned.len()
    }

    /// With so many abandoned threads a worker claims nothing more: what it runs never ends.
    pub(super) fn most_abandoned(&self) -> usize {
        (4 * self.threads).max(32)
    }

    // ---- control -------------------------------------------------------------------------

    pub(super) fn register(&self, task: &str, policy: RetryPolicy) {
        let mut state = self.lock();
        let known = Arc::new(Task::new(policy));
        Arc::make_mut(&mut state.tasks).insert(task.into(), known);
        state.renewed = true;
        self.tell_dispatcher(state);
    }

    pub(super) fn task_names(&self) -> Vec<String> {
        let mut names: Vec<String> = self.lock().tasks.keys().map(ToString::to_string).collect();
        names.sort();
        names
    }

    /// Begins to drain, or shortens the wait of a drain that has begun.
    pub(super) fn drain(&self, deadline: Instant) {
        let mut state = self.lock();
        state.phase = match state.phase {
            Phase::Serving => Phase::Draining(deadline),
            Phase::Draining(earlier) => Phase::Draining(earlier.min(deadline)),
            Phase::Ended => Phase::Ended,
        };
        self.work.notify_all();
        self.tell_dispatcher(state);
    }

    pub(super) fn is_draining(&self) -> bool {
        self.lock().phase != Phase::Serving
    }

    // ---- dispatcher ----------------------------------------------------------------------

    /// Takes the outcomes and tells how things stand. While draining, jobs that have not
    /// started join the outcomes as handed back; after the deadline all others do as well.
    pub(super) fn plan(&self, now: Instant) -> Plan {
        let mut guard = self.lock();
        let state = &mut *guard;
        state.dispatcher_sleeps = false;
        let understaffed = state.time_out(now);
        if let Phase::Draining(deadline) = state.phase {
            let unstarted = state.ready.drain(..).map(|ready| Settled {
                claim: ready.claim,
                task: ready.task,
                entry: ready.entry,
                outcome: Outcome::HandedBack,
            });
            state.settled.extend(unstarted);
            if now >= deadline {
                let unfinished = state.running.drain().map(|(_, run)| Settled {
                    claim: run.claim,
                    task: run.task,
                    entry: run.entry,
                    outcome: Outcome::HandedBack,
                });
                state.settled.extend(unfinished);
            }
        }
        let known = |ready: &Ready| ready.task.pace().unwrap_or_default();
        let usable = if state.abandoned.len() < self.most_abandoned() {
            self.threads
        } else {
            0
        };
        Plan {
            phase: state.phase,
            tasks: Arc::clone(&state.tasks),
            settled: std::mem::take(&mut state.settled),
            free: usable.saturating_sub(state.running.len() + state.ready.len()),
            buffered: state.ready.len(),
            buffered_time: state.ready.iter().map(known).sum(),
            suspects: state.suspects,
            running: state.running.len(),
            steady: state.running.values().all(|run| run.task.is_brief()),
            renewed: std::mem::take(&mut state.renewed),
            alarm: state.running.values().filter_map(|run| run.deadline).min(),
            understaffed,
        }
    }

    /// Puts claims out for the runners, and forgets the suspects that are settled.
    pub(super) fn put_out(&self, claims: Vec<Ready>, settled_suspects: usize) {
        let mut state = self.lock();
        state.suspects -= settled_suspects;
        let mut runners = 0;
        for ready in claims {
            if ready.claim.losses > 0 {
                state.suspects += 1;
            }
            if runners == 0 || !ready.task.is_short() {
                runners += 1;
            }
            state.ready.push_back(ready);
        }
        for _ in 0..runners.min(state.idle) {
            self.work.notify_one();
        }
    }

    /// Gives outcomes back that could not be committed; they come with the next plan.
    pub(super) fn put_back(&self, mut settled: Vec<Settled>) {
        let mut state = self.lock();
        settled.append(&mut state.settled);
        state.settled = settled;
    }

    /// Wakes one more runner if jobs have been waiting while runners sleep; whether it did.
    pub(super) fn nudge(&self) -> bool {
        let state = self.lock();
        let late = state.idle > 0 && !state.ready.is_empty();
        if late {
            self.work.notify_one();
        }
        late
    }

    /// Announces that the dispatcher is going to sleep; whether there is news already.
    pub(super) fn falls_asleep(&self, planned: Phase) -> bool {
        let mut state = self.lock();
        let news = !state.settled.is_empty() || state.renewed || state.phase != planned;
        state.dispatcher_sleeps = !news;
        news
    }

    /// The end: nobody waits any longer.
    pub(super) fn end(&self) {
        let mut state = self.lock();
        state.phase = Phase::Ended;
        self.work.notify_all();
    }
}
