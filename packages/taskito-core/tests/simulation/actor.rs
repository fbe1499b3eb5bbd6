//! A worker in its process: its steps, its runners, and how it may end.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use taskito_core::clock::Clock;
use taskito_core::engine::{Engine, Event, Kind, Next, Pause, Settings, Site, Stepped};
use taskito_core::error::Result;
use taskito_core::job::{Claim, WorkerId};
use taskito_core::store::JobStore;
use taskito_core::store::sqlite::SqliteStore;

use crate::code::Code;
use crate::faulty::Faulty;

/// How many threads, and how many coroutines, a worker runs.
pub(crate) const RUNNERS: u32 = 2;

/// How long a dispatcher may sleep over what it was not told of, in milliseconds.
const LOOKS: i64 = 2001;

/// What the thread of the dispatcher does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Doing {
    /// Its next step.
    Steps,
    /// Sleeps until then.
    Sleeps(i64),
    /// Rests until then.
    Rests(i64),
    /// Nothing more.
    Ended,
}

/// One worker.
pub(crate) struct Actor {
    pub(crate) stepped: Stepped,
    pub(crate) faulty: Arc<Faulty>,
    pub(crate) id: WorkerId,
    pub(crate) code: Arc<Code>,
    /// The queues it serves; none is all.
    pub(crate) queues: Vec<String>,
    clock: Arc<dyn Clock>,
    ledger: PathBuf,
    /// Threads that wait for a job.
    idle: usize,
    /// Functions that run.
    pub(crate) busy: Vec<Claim>,
    doing: Doing,
    /// Whether the process is stopped, and goes on later as if nothing had been.
    pub(crate) stopped: bool,
    /// Whether its certificate fell although it lives.
    pub(crate) disowned: bool,
    /// Whether it was told to leave.
    pub(crate) leaving: bool,
    /// When something happened last that its sleep does not account for.
    pub(crate) misled: Option<i64>,
}

impl Actor {
    /// Starts a worker.
    ///
    /// # Errors
    /// Storage failures.
    pub(crate) fn start(
        store: &Arc<SqliteStore>,
        faulty: Arc<Faulty>,
        code: &Arc<Code>,
        settings: Settings,
    ) -> Result<Self> {
        let site = Site {
            store: Arc::clone(&faulty) as Arc<dyn JobStore>,
            gate: store.gate()?,
            clock: store.clock(),
            path: store.file(),
        };
        let queues = settings.queues.clone();
        let engine = Engine::new(site, settings);
        for (task, settings) in &code.tasks {
            engine.register(task, settings.clone());
        }
        engine.declare(code.plans.clone())?;
        let stepped = Stepped::start(engine)?;
        let id = stepped.worker();
        Ok(Self {
            stepped,
            faulty,
            id,
            code: Arc::clone(code),
            queues,
            clock: store.clock(),
            ledger: ledger(store.path(), id),
            idle: RUNNERS as usize,
            busy: Vec::new(),
            doing: Doing::Steps,
            stopped: false,
            disowned: false,
            leaving: false,
            misled: None,
        })
    }

    /// Whether it serves every queue.
    pub(crate) fn serves_all(&self) -> bool {
        self.queues.is_empty()
    }

    /// Whether its threads may take a step.
    pub(crate) fn is_awake(&self) -> bool {
        !self.stopped
    }

    /// Whether it has left.
    pub(crate) fn has_left(&self) -> bool {
        self.doing == Doing::Ended
    }

    /// Whether the dispatcher would take a step now.
    pub(crate) fn may_dispatch(&self) -> bool {
        self.is_awake()
            && match self.doing {
                Doing::Steps => true,
                Doing::Sleeps(until) => self.stepped.is_rung() || until <= self.clock.uptime(),
                Doing::Rests(until) => until <= self.clock.uptime(),
                Doing::Ended => false,
            }
    }

    /// When the dispatcher takes its next step if nothing happens.
    pub(crate) fn wakes_at(&self) -> Option<i64> {
        match self.doing {
            Doing::Steps => Some(self.clock.uptime()),
            Doing::Sleeps(until) | Doing::Rests(until) => Some(until),
            Doing::Ended => None,
        }
    }

    /// Its dispatcher may sleep for some time although there is something to claim.
    pub(crate) fn mislead(&mut self) {
        self.misled = Some(self.clock.uptime());
    }

    /// Whether the dispatcher sleeps and knows that nothing can be claimed.
    pub(crate) fn is_asleep(&self) -> bool {
        let misled = self
            .misled
            .is_some_and(|at| self.clock.uptime() - at <= LOOKS);
        self.is_awake() && matches!(self.doing, Doing::Sleeps(_)) && !self.may_dispatch() && !misled
    }

    /// One step of the dispatcher.
    pub(crate) fn dispatch(&mut self) -> Pause {
        let pause = self.stepped.dispatch();
        let now = self.clock.uptime();
        // A thread wakes in time, not before.
        let until = |limit: std::time::Duration| {
            now + i64::try_from(limit.as_micros().div_ceil(1000)).unwrap_or(i64::MAX / 2)
        };
        self.doing = match pause {
            Pause::No => Doing::Steps,
            Pause::Sleep(limit) => Doing::Sleeps(until(limit)),
            Pause::Rest(limit) => Doing::Rests(until(limit)),
            Pause::Over => Doing::Ended,
        };
        pause
    }

    /// A free thread asks for a job.
    pub(crate) fn take(&mut self) -> Option<Claim> {
        if self.idle == 0 {
            return None;
        }
        match self.stepped.engine().try_next() {
            Next::Job(claim) => {
                self.idle -= 1;
                self.busy.push(claim.clone());
                Some(claim)
            }
            Next::Nothing => None,
            Next::Ended => {
                self.idle -= 1;
                None
            }
        }
    }

    /// The event loop asks for coroutines.
    pub(crate) fn take_coroutines(&mut self) -> Vec<Claim> {
        let claims = self.stepped.engine().next_coroutines().unwrap_or_default();
        self.busy.extend(claims.iter().cloned());
        claims
    }

    /// Whether a function is a coroutine.
    pub(crate) fn is_coroutine(&self, claim: &Claim) -> bool {
        self.code.tasks[&*claim.task].kind == Kind::Coroutine
    }

    /// A function has ended; its runner is free again.
    pub(crate) fn end(&mut self, place: usize) -> Claim {
        let claim = self.busy.swap_remove(place);
        if !self.is_coroutine(&claim) {
            self.idle += 1;
        }
        claim
    }

    /// What the engine says; threads are hired if it asks.
    pub(crate) fn events(&mut self) -> Vec<Event> {
        let events = self.stepped.engine().events(std::time::Duration::ZERO);
        for event in &events {
            if let Event::Hire(count) = event {
                self.idle += count;
            }
        }
        events
    }

    /// Its process is killed: its certificate falls, its ledger stays as it is.
    pub(crate) fn kill(self) {
        let left = std::fs::read(&self.ledger);
        let ledger = self.ledger.clone();
        drop(self);
        if let Ok(bytes) = left {
            std::fs::write(ledger, bytes).unwrap();
        }
    }
}

fn ledger(database: &Path, worker: WorkerId) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push(format!("-worker-{}", worker.0));
    name.into()
}
