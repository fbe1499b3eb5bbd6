//! What happens to schedules in a history.

use taskito_core::clock::Millis;
use taskito_core::error::Result;
use taskito_core::id::Key;
use taskito_core::job::WorkerId;
use taskito_core::schedule::{CatchUp, Plan};
use taskito_core::store::Transaction;

use crate::support::{every, plan};

/// One call about the schedule of that name.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) schedule: &'static str,
    pub(crate) verb: Verb,
}

/// What is done.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Verb {
    Declare { seconds: u64, catch_up: CatchUp },
    Introduce,
    Tick,
    Trigger,
    Pause,
    Resume,
    Delete,
}

impl Call {
    /// The jobs it enqueued, and what else it answered.
    pub(crate) fn perform(
        &self,
        t: &mut dyn Transaction,
        now: Millis,
        worker: WorkerId,
    ) -> Result<(Vec<Key>, bool)> {
        let name = self.schedule;
        Ok(match self.verb {
            Verb::Declare { seconds, catch_up } => {
                let plan = Plan {
                    catch_up,
                    ..plan(name, every(seconds))
                };
                t.declare(now, worker, &[plan])?;
                (vec![], true)
            }
            Verb::Introduce => {
                t.introduce(now, &[plan(name, every(1))])?;
                (vec![], true)
            }
            Verb::Tick => {
                let ticked = t.tick(now, name)?;
                (ticked.jobs, ticked.overflowed)
            }
            Verb::Trigger => (Vec::from_iter(t.trigger(now, name)?), true),
            Verb::Pause => (vec![], t.pause_schedule(name)?),
            Verb::Resume => (vec![], t.resume_schedule(now, name)?),
            Verb::Delete => (vec![], t.delete_schedule(name)?),
        })
    }
}
