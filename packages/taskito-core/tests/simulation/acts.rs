//! What workers do in one step. Long, as every thread of theirs is here.
#![allow(clippy::unnecessary_wraps, reason = "all acts are of one type")]

use std::time::Duration;

use taskito_core::cause::Cause;
use taskito_core::engine::Event;
use taskito_core::outcome::Outcome;

use crate::actor::Actor;
use crate::blows;
use crate::chance::Chance;
use crate::claims;
use crate::laws::{Lawful, RECOVERY, law};
use crate::record::{Report, attempt};
use crate::world::World;

/// One step of one thread, one blow, or one deed of others.
pub(crate) type Act = fn(&mut World, &mut Chance) -> Lawful;

/// How often each happens.
pub(crate) const ACTS: [(usize, Act); 8] = [
    (26, dispatch),
    (16, take),
    (18, finish),
    (4, events),
    (6, watch),
    (2, tend),
    (3, tick),
    (2, note),
];

/// The workers for which something holds, by their places.
pub(crate) fn places(world: &World, holds: impl Fn(&Actor) -> bool) -> Vec<usize> {
    let actors = world.actors.iter().enumerate();
    actors
        .filter(|(_, actor)| holds(actor))
        .map(|(place, _)| place)
        .collect()
}

pub(crate) fn awake(world: &World, chance: &mut Chance) -> Option<usize> {
    chance.pick(&places(world, |actor| {
        actor.is_awake() && !actor.has_left()
    }))
}

fn acts(world: &mut World, place: usize) {
    let actor = &world.actors[place];
    world.acting = Some((actor.id, std::sync::Arc::clone(&actor.code)));
}

fn dispatch(world: &mut World, chance: &mut Chance) -> Lawful {
    let ready = places(world, Actor::may_dispatch);
    let Some(place) = chance.pick(&ready) else {
        // Nobody has anything to do before time passes.
        return blows::pass_time(world, chance);
    };
    dispatch_of(world, place)
}

/// One step of the dispatcher of that worker.
pub(crate) fn dispatch_of(world: &mut World, place: usize) -> Lawful {
    acts(world, place);
    let actor = &mut world.actors[place];
    let pause = actor.dispatch();
    let id = actor.id.0;
    let failed = actor.faulty.has_struck();
    if failed {
        actor.mislead();
    }
    world.say(format!("worker {id} dispatches, then {pause:?}"));
    world.check()?;
    if world.actors[place].has_left() {
        let actor = world.actors.swap_remove(place);
        let holds = world
            .sight
            .running()
            .find(|row| row.owner == Some(actor.id));
        law!(
            failed || holds.is_none(),
            "left with a job in its hands: {holds:?}"
        );
        drop(actor);
    }
    Ok(())
}

fn take(world: &mut World, chance: &mut Chance) -> Lawful {
    match awake(world, chance) {
        Some(place) => take_of(world, place).map(|_| ()),
        None => Ok(()),
    }
}

/// A thread and the event loop of that worker take what they can; whether there was anything.
pub(crate) fn take_of(world: &mut World, place: usize) -> Result<bool, String> {
    let actor = &mut world.actors[place];
    let id = actor.id;
    let claims: Vec<_> = actor
        .take()
        .into_iter()
        .chain(actor.take_coroutines())
        .collect();
    for claim in &claims {
        let job = world.record.number(claim.token.key);
        world.say(format!(
            "worker {} begins job {job}, claim {}",
            id.0, claim.token.fence.0
        ));
        claims::begins(world, id, claim)?;
    }
    Ok(!claims.is_empty())
}

fn finish(world: &mut World, chance: &mut Chance) -> Lawful {
    let busy = places(world, |actor| actor.is_awake() && !actor.busy.is_empty());
    let Some(place) = chance.pick(&busy) else {
        return take(world, chance);
    };
    let function = chance.below(world.actors[place].busy.len());
    let (outcome, report) = match chance.below(12) {
        0 | 1 => failed(true, None),
        2 => failed(false, None),
        3 => failed(
            true,
            Some(Duration::from_millis(chance.one_of(&[0, 100, 3000]))),
        ),
        4 => {
            let delay = Duration::from_millis(chance.one_of(&[0, 700, 3000]));
            (Outcome::Snoozed { delay }, Report::Snoozed)
        }
        5 => (
            Outcome::Cancelled {
                error: "enough".into(),
            },
            Report::Cancelled,
        ),
        _ => done(chance.next()),
    };
    end_of(world, place, function, outcome, report);
    Ok(())
}

fn failed(retryable: bool, delay: Option<Duration>) -> (Outcome, Report) {
    let error = "boom".into();
    let outcome = Outcome::Failed {
        error,
        retryable,
        delay,
        cause: Some(Box::new(Cause::timed_out("TaskTimeoutError: boom"))),
    };
    (outcome, Report::Failed { retryable })
}

/// A result that no other attempt has.
pub(crate) fn done(number: u64) -> (Outcome, Report) {
    let result = number.to_le_bytes().to_vec();
    (Outcome::done(result.clone()), Report::Done(result))
}

/// A function of that worker ends.
pub(crate) fn end_of(
    world: &mut World,
    place: usize,
    function: usize,
    outcome: Outcome,
    report: Report,
) {
    let actor = &mut world.actors[place];
    let claim = actor.end(function);
    let counts = actor.stepped.engine().settle_and_tell(claim.token, outcome);
    let id = actor.id.0;
    let job = world.record.number(claim.token.key);
    let fence = claim.token.fence.0;
    world.say(format!(
        "worker {id} ends job {job}, claim {fence}: {report:?}, counts: {counts}"
    ));
    if counts {
        world.record.reports.insert(attempt(claim.token), report);
    }
}

fn events(world: &mut World, chance: &mut Chance) -> Lawful {
    let Some(place) = awake(world, chance) else {
        return Ok(());
    };
    let answers = chance.one_in(2);
    let actor = &mut world.actors[place];
    for event in actor.events() {
        if let (Event::Overdue(claim), true) = (&event, answers) {
            actor.stepped.engine().settle_overdue(claim.token);
        }
    }
    Ok(())
}

fn watch(world: &mut World, chance: &mut Chance) -> Lawful {
    match awake(world, chance) {
        Some(place) => watch_of(world, place),
        None => Ok(()),
    }
}

/// One look of the watch of that worker. Whoever was dead before is no owner after it.
pub(crate) fn watch_of(world: &mut World, place: usize) -> Lawful {
    let actor = &mut world.actors[place];
    actor.stepped.watch();
    let (id, failed) = (actor.id, actor.faulty.has_struck());
    world.say(format!("worker {} looks around", id.0));
    world.check()?;
    let abandoned = world.sight.running().find(|row| {
        row.owner
            .is_some_and(|owner| owner != id && world.record.dead.contains_key(&owner))
    });
    law!(
        failed || abandoned.is_none(),
        "not recovered: {abandoned:?}"
    );
    let late = world.sight.running().find(|row| {
        let owner = row.owner.unwrap_or(id);
        let begin = world.record.begun.get(&(row.key, row.fence));
        let over = |begin: &crate::record::Begin| {
            let end = begin.at + crate::record::millis(begin.timeout + RECOVERY);
            !begin.timeout.is_zero() && end <= world.uptime()
        };
        owner != id && begin.is_some_and(over)
    });
    law!(
        failed || late.is_none(),
        "runs over its time with a worker that is stuck: {late:?}"
    );
    Ok(())
}

fn tend(world: &mut World, chance: &mut Chance) -> Lawful {
    match awake(world, chance) {
        Some(place) => tend_of(world, place),
        None => Ok(()),
    }
}

/// One step of the janitor of that worker.
pub(crate) fn tend_of(world: &mut World, place: usize) -> Lawful {
    let actor = &mut world.actors[place];
    let more = actor.stepped.tend();
    actor.faulty.has_struck();
    let id = actor.id.0;
    world.say(format!(
        "worker {id} clears away: {:?}",
        more.map_err(|error| error.kind())
    ));
    world.check()
}

fn tick(world: &mut World, chance: &mut Chance) -> Lawful {
    match awake(world, chance) {
        Some(place) => tick_of(world, place),
        None => Ok(()),
    }
}

/// One step of the ticker of that worker.
pub(crate) fn tick_of(world: &mut World, place: usize) -> Lawful {
    let actor = &world.actors[place];
    let next = actor.stepped.tick();
    let failed = actor.faulty.has_struck();
    let id = actor.id.0;
    world.say(format!(
        "worker {id} ticks, next {:?}",
        next.map_err(|error| error.kind())
    ));
    world.check()?;
    let now = world.sight.now;
    let due = world
        .sight
        .schedules
        .iter()
        .find(|row| row.next_run.is_some_and(|at| at <= now));
    law!(
        failed || due.is_none() || world.actors[place].code.plans.is_empty(),
        "did not fire: {due:?}"
    );
    Ok(())
}

fn note(world: &mut World, chance: &mut Chance) -> Lawful {
    let busy = places(world, |actor| actor.is_awake() && !actor.busy.is_empty());
    let Some(place) = chance.pick(&busy) else {
        return Ok(());
    };
    let actor = &world.actors[place];
    let token = actor.busy[chance.below(actor.busy.len())].token;
    if chance.one_in(2) {
        let progress = chance.one_of(&[1, 50, 100]);
        actor.stepped.engine().note_progress(token, progress);
    } else {
        actor
            .stepped
            .engine()
            .note_log(token, "info".into(), "half way".into(), None);
    }
    Ok(())
}

/// That worker is told to leave.
pub(crate) fn leave_of(world: &mut World, place: usize, limit: Duration) {
    let actor = &mut world.actors[place];
    actor.stepped.engine().drain(limit);
    actor.leaving = true;
    let id = actor.id;
    world.record.leaving.insert(id);
    world.say(format!("worker {} is to leave within {limit:?}", id.0));
}
