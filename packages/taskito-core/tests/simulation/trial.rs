//! The law of the doorbell: while a dispatcher sleeps there is nothing it could claim.

use std::sync::Arc;

use taskito_core::engine::Kind;
use taskito_core::error::Error;
use taskito_core::job::Claim;
use taskito_core::limits::{Opening, TaskLimits};
use taskito_core::store::{Appetite, JobStore, Start, Sync};

use crate::actor::{Actor, RUNNERS};
use crate::code::Code;
use crate::laws::{Lawful, law};
use crate::world::World;

/// Wants what a worker wants that has runners to spare.
struct Wish<'a> {
    code: &'a Code,
    queues: &'a [String],
    free: [bool; 2],
    suspect: bool,
}

impl Appetite for Wish<'_> {
    fn serves(&self, queue: &str, task: &str) -> bool {
        let kind = usize::from(self.code.tasks[task].kind == Kind::Coroutine);
        self.free[kind] && (self.queues.is_empty() || self.queues.iter().any(|name| name == queue))
    }

    fn admit(&mut self, _task: &str, _start: Start) -> bool {
        true
    }

    fn limits(&self, task: &str) -> &TaskLimits {
        self.code.limits(task)
    }

    fn held_back(&mut self, _opening: Opening) {}

    fn took(&mut self, _task: &str) {}

    fn admits_suspect(&self) -> bool {
        self.suspect
    }

    fn took_suspect(&mut self) {
        self.suspect = false;
    }

    fn turn(&self) -> usize {
        0
    }
}

/// Has every worker that sleeps try to claim; nothing of it is kept.
pub(crate) fn hold(world: &World) -> Lawful {
    for actor in &world.actors {
        let sleeps = actor.is_asleep() && !actor.leaving && !actor.disowned;
        if !sleeps {
            continue;
        }
        let found = try_claim(world, actor);
        law!(
            found.is_empty(),
            "worker {} sleeps, but could claim {found:?}",
            actor.id.0
        );
    }
    Ok(())
}

fn try_claim(world: &World, actor: &Actor) -> Vec<Claim> {
    let code = Arc::clone(&actor.code);
    let held = || {
        world
            .sight
            .running()
            .filter(|row| row.owner == Some(actor.id))
    };
    let busy = |kind| {
        let of_kind = held().filter(|row| code.tasks[row.task.as_str()].kind == kind);
        // Attempts that were given up free a thread; of coroutines a slot stays taken.
        let zombies = actor.busy.iter().filter(|claim| {
            let current =
                held().any(|row| (row.key, row.fence) == (claim.token.key, claim.token.fence));
            kind == Kind::Coroutine && actor.is_coroutine(claim) && !current
        });
        of_kind.count() + zombies.count()
    };
    let free = |kind| busy(kind) < RUNNERS as usize;
    let mut wish = Wish {
        code: &code,
        queues: &actor.queues,
        free: [free(Kind::Thread), free(Kind::Coroutine)],
        suspect: held().all(|row| row.losses == 0),
    };
    let mut found = Vec::new();
    let store = world.store();
    let tried = store.write(Sync::Relaxed, &mut |transaction| {
        found = transaction.claim(store.now(), actor.id, &mut wish)?;
        Err(Error::Invalid {
            message: "only a trial".into(),
        })
    });
    assert!(tried.is_err());
    found
}
