//! A worker that is stepped by its owner, for tests of applications: no threads, no sleep.
//!
//! The dispatcher and the desk are those of any worker; only the loop around them is missing.
//! Time is that of the store's clock.

use std::sync::{MutexGuard, PoisonError};

use crate::clock::Millis;
use crate::error::{Error, Result};
use crate::job::Claim;

use super::dispatch::Dispatcher;
use super::janitor::Janitor;
use super::pools::Pools;
use super::slips::Next;
use super::{Engine, Stay};

/// What the dispatcher's thread owns in a worker that has one.
pub(super) struct Hand {
    dispatcher: Dispatcher,
    janitor: Janitor,
    _stay: Stay,
}

impl Engine {
    /// Enters the roster like [`Engine::start`] but begins nothing: jobs are claimed by
    /// [`Engine::take`] and settled by [`Engine::settle`] with [`Engine::commit`].
    ///
    /// # Errors
    /// Storage failures, and a second start.
    pub fn start_by_hand(&self) -> Result<()> {
        let mut crew = self.vacancy()?;
        let (members, dispatcher, stay) = self.enrol()?;
        *self.hand() = Some(Hand {
            dispatcher,
            janitor: Janitor::new(self.site.clone(), self.settings.result_ttl),
            _stay: stay,
        });
        *crew = Some(members);
        Ok(())
    }

    /// Claims and starts the one job that runs next; `None` when none is due, or when all
    /// that the worker may run at once has been taken. Commits outcomes reported before.
    ///
    /// # Errors
    /// Storage failures, and a worker that is not stepped by hand.
    pub fn take(&self) -> Result<Option<Claim>> {
        let mut hand = self.hand();
        let dispatcher = &mut hand.as_mut().ok_or_else(not_by_hand)?.dispatcher;
        loop {
            dispatcher.heed()?;
            let mut plan = self.desk.plan(self.site.clock.instant());
            if plan.changes.renewed {
                dispatcher.introduce(&plan.tasks);
            }
            plan.steady = Pools::default(); // so that nothing is taken in advance
            dispatcher.commit(plan, Pools::of(|_| true))?;
            if let Next::Job(claim) = self.desk.try_next() {
                return Ok(Some(claim));
            }
            let now = self.site.clock.now();
            // One commit makes only so many scheduled jobs pending.
            if self.site.store.next_due()?.is_none_or(|due| due > now) {
                return Ok(None);
            }
        }
    }

    /// When to look again after [`Engine::take`] found nothing: a job is due then, or a limit
    /// opens; `None` while time alone changes nothing.
    ///
    /// # Errors
    /// Storage failures, and a worker that is not stepped by hand.
    pub fn next_due(&self) -> Result<Option<Millis>> {
        let mut hand = self.hand();
        let dispatcher = &mut hand.as_mut().ok_or_else(not_by_hand)?.dispatcher;
        let now = self.site.clock.now();
        Ok(dispatcher.next_look(|_| true)?.filter(|due| *due > now))
    }

    /// Commits the outcomes reported so far.
    ///
    /// # Errors
    /// Storage failures, after which the next commit repeats them; a worker that is not
    /// stepped by hand.
    pub fn commit(&self) -> Result<()> {
        let mut hand = self.hand();
        let dispatcher = &mut hand.as_mut().ok_or_else(not_by_hand)?.dispatcher;
        let plan = self.desk.plan(self.site.clock.instant());
        dispatcher.commit(plan, Pools::default())
    }

    /// Does what becomes due with time alone: jobs expire, and are deleted in the end.
    ///
    /// # Errors
    /// Storage failures, and a worker that is not stepped by hand.
    pub fn tend(&self) -> Result<()> {
        let mut hand = self.hand();
        let janitor = &mut hand.as_mut().ok_or_else(not_by_hand)?.janitor;
        let now = self.site.clock.now();
        while janitor.step(now)? {}
        Ok(())
    }

    /// By hand nobody else commits what a running job notes.
    pub(super) fn keep_up(&self) {
        if self.hand().is_some() {
            self.desk.hurry_notes();
            // Should this fail, the next commit repeats it and says so.
            self.commit().ok();
        }
    }

    /// By hand nobody else looks at what was decided from outside.
    pub(super) fn look_up(&self) {
        if let Some(hand) = &mut *self.hand() {
            // Should this fail, the next claim does and says so.
            hand.dispatcher.heed().ok();
        }
    }

    /// Fires the schedules that are due; when the next one is.
    ///
    /// # Errors
    /// Storage failures, and a worker that is not stepped by hand.
    pub fn tick(&self) -> Result<Option<Millis>> {
        let hand = self.hand();
        if hand.is_none() {
            return Err(not_by_hand());
        }
        let tock = self.ticker.step(self.site.clock.now())?;
        tock.tell(&self.news);
        Ok(tock.next)
    }

    /// Hands back what is unfinished and strikes a worker that is stepped by hand off the
    /// roster. Others are not concerned.
    pub fn leave(&self) {
        if self.is_copy() {
            return;
        }
        if let Some(Hand {
            dispatcher, _stay, ..
        }) = self.hand().take()
        {
            self.desk.drain(self.site.clock.instant());
            dispatcher.run();
        }
    }

    fn hand(&self) -> MutexGuard<'_, Option<Hand>> {
        self.hand.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn not_by_hand() -> Error {
    Error::Invalid {
        message: "this worker has left, or is not stepped by hand".into(),
    }
}
