//! A worker without threads: a simulation takes the steps that they would take, in the order it
//! likes, and may end the worker at any moment, as a killed process ends.
//!
//! Beside the loops around the steps nothing is missing. Runners are those of the simulation:
//! they call [`Stepped::engine`] as threads do.

use std::sync::Arc;
use std::time::Duration;

use crate::clock::Millis;
use crate::error::Result;
use crate::job::WorkerId;

use super::dispatch::{Dispatcher, Step};
use super::janitor::Janitor;
use super::watch::Watcher;
use super::{Engine, Stay};

/// What the dispatcher's thread does before its next step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pause {
    /// Nothing.
    No,
    /// It sleeps for so long, unless [`Stepped::is_rung`].
    Sleep(Duration),
    /// It rests for so long, whatever happens.
    Rest(Duration),
    /// There is no next step: the worker has left.
    Over,
}

/// A worker that has entered the roster. Dropping it is the sudden end of its process: nothing
/// is settled or handed back and its certificate falls. Only the ledger would be left by a
/// killed process as it was; here its entries go.
pub struct Stepped {
    watcher: Watcher,
    janitor: Janitor,
    dispatcher: Option<Dispatcher>,
    stay: Option<Stay>,
    worker: WorkerId,
    engine: Engine,
}

impl Stepped {
    /// Enters the roster like [`Engine::start`] and begins nothing.
    ///
    /// # Errors
    /// Storage failures, and a second start.
    pub fn start(engine: Engine) -> Result<Self> {
        let mut crew = engine.vacancy()?;
        let (members, dispatcher, stay) = engine.enrol()?;
        let worker = members.worker;
        *crew = Some(members);
        drop(crew);
        let (desk, news) = (Arc::clone(&engine.desk), Arc::clone(&engine.news));
        Ok(Self {
            watcher: Watcher::new(engine.site.clone(), worker, desk, news),
            janitor: Janitor::new(engine.site.clone(), engine.settings.result_ttl),
            dispatcher: Some(dispatcher),
            stay: Some(stay),
            worker,
            engine,
        })
    }

    /// What its runners and whoever tends it call.
    #[must_use]
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Its number.
    #[must_use]
    pub fn worker(&self) -> WorkerId {
        self.worker
    }

    /// One step of the dispatcher, up to where its thread pauses or begins anew.
    pub fn dispatch(&mut self) -> Pause {
        let Some(dispatcher) = &mut self.dispatcher else {
            return Pause::Over;
        };
        match dispatcher.step() {
            Step::Again => Pause::No,
            Step::Rest(limit) => Pause::Rest(limit),
            Step::Sleep(_) if self.engine.desk.falls_asleep() => Pause::No,
            Step::Sleep(limit) => Pause::Sleep(dispatcher.until_alarm(limit)),
            Step::Ended | Step::Stranded => {
                self.dispatcher = None;
                self.stay = None;
                Pause::Over
            }
        }
    }

    /// Whether the dispatcher's sleep is over before its time.
    #[must_use]
    pub fn is_rung(&self) -> bool {
        (self.dispatcher.as_ref()).is_some_and(Dispatcher::is_rung)
    }

    /// Takes the doorbell as heard: whoever should have rung it for news was killed first.
    pub fn miss_ring(&mut self) {
        if let Some(dispatcher) = &mut self.dispatcher {
            dispatcher.miss_ring();
        }
    }

    /// One look of the watch: at the dead, at the stuck, and at the time for a sign of life.
    pub fn watch(&mut self) {
        self.watcher.step();
    }

    /// One step of the janitor; whether there is more to do at once.
    ///
    /// # Errors
    /// Storage failures.
    pub fn tend(&mut self) -> Result<bool> {
        let now = self.engine.site.clock.now();
        self.janitor.step(now)
    }

    /// One step of the ticker; when the next schedule fires.
    ///
    /// # Errors
    /// Storage failures.
    pub fn tick(&self) -> Result<Option<Millis>> {
        let now = self.engine.site.clock.now();
        self.engine.ticker.step(now).map(|tock| tock.next)
    }

    /// Lets the certificate fall while the worker goes on, as if its process were dead.
    pub fn lose_certificate(&mut self) {
        if let Some(stay) = &mut self.stay {
            drop(stay.certificate.take());
        }
    }
}
