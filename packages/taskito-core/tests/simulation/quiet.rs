//! The end of a history: nothing fails any more, so everything has to come to its end.

use std::time::Duration;

use taskito_core::limits::QueueChange;

use crate::actor::Actor;
use crate::acts::{self, done, end_of};
use crate::blows;
use crate::chance::Chance;
use crate::code::QUEUES;
use crate::laws::{Lawful, law};
use crate::record::Report;
use crate::support::audit::audit;
use crate::trial;
use crate::world::World;

/// How long all that is left may take, in rounds of a second at most.
const ROUNDS: usize = 60;
/// Steps without a pause in which a dispatcher must come to rest.
const STEPS: usize = 200;

/// Lets a history come to its end.
pub(crate) fn calm(world: &mut World, chance: &mut Chance) -> Lawful {
    heal(world, chance)?;
    let mut rounds = 0;
    while world.sight.unfinished().next().is_some() {
        rounds += 1;
        if rounds > ROUNDS {
            let row = world.sight.unfinished().next();
            return Err(format!("a job waits for ever: {row:?}"));
        }
        round(world, chance)?;
        let now = world.uptime();
        let next = world.actors.iter().filter_map(Actor::wakes_at).min();
        let millis = next.map_or(1000, |at| (at - now).clamp(1, 1000));
        world.clock.pass(millis.unsigned_abs());
        world.sight.now = world.store().now();
    }
    farewell(world)?;
    fates(world)?;
    audit(world.store().path());
    Ok(())
}

/// Whoever is stopped goes on, and nothing is held back by people.
fn heal(world: &mut World, chance: &mut Chance) -> Lawful {
    world.say("nothing fails from now on");
    world.outside.arm(None);
    let opened = world.act(&mut |t| {
        for queue in QUEUES {
            t.set_queue(queue, &QueueChange::Resume)?;
            t.set_queue(queue, &QueueChange::Rate(None))?;
            t.set_queue(queue, &QueueChange::MaxConcurrent(None))?;
        }
        for plan in &world.code.plans {
            t.delete_schedule(&plan.name)?;
        }
        Ok(())
    });
    law!(opened, "an operator failed");
    for actor in &mut world.actors {
        actor.faulty.arm(None);
        actor.stopped = false;
    }
    world.check()?;
    let serves = |world: &World| {
        let mut actors = world.actors.iter();
        actors.any(|actor| actor.serves_all() && !actor.leaving && !actor.disowned)
    };
    for tries in 0.. {
        if serves(world) {
            break;
        }
        law!(tries < 10, "no worker starts");
        if world.actors.len() > 3 {
            world.kill(0);
        }
        world.hire(chance, None);
        world.check()?;
    }
    blows::notice_the_clock(world)?;
    world.clock.catch_up();
    world.sight.now = world.store().now();
    world.rates.forget();
    blows::notice_the_clock(world)
}

/// Everybody does what there is to do before time passes.
fn round(world: &mut World, chance: &mut Chance) -> Lawful {
    let ids: Vec<_> = world.actors.iter().map(|actor| actor.id).collect();
    for id in &ids {
        if let Some(place) = world.actors.iter().position(|actor| actor.id == *id) {
            acts::watch_of(world, place)?;
            acts::tend_of(world, place)?;
        }
    }
    for step in 0.. {
        law!(step < STEPS, "nobody comes to rest");
        let mut moved = false;
        for id in &ids {
            let find = |world: &World| world.actors.iter().position(|actor| actor.id == *id);
            let Some(place) = find(world) else { continue };
            world.actors[place].events();
            if world.actors[place].may_dispatch() {
                moved = true;
                acts::dispatch_of(world, place)?;
            }
            let Some(place) = find(world) else { continue };
            moved |= acts::take_of(world, place)?;
            moved |= finish(world, chance, place);
        }
        if !moved {
            break;
        }
    }
    trial::hold(world)
}

/// Functions of that worker end, but for those that hang until their time is over.
fn finish(world: &mut World, chance: &mut Chance, place: usize) -> bool {
    let hangs = |claim: &taskito_core::job::Claim| {
        !claim.timeout.is_zero()
            && claim.token.fence.0 % 3 == 1
            && claim.retry_count < claim.max_retries
    };
    let busy = &world.actors[place].busy;
    let Some(function) = busy.iter().position(|claim| !hangs(claim)) else {
        return false;
    };
    let (outcome, report) = done(chance.next());
    end_of(world, place, function, outcome, report);
    true
}

/// All workers leave.
fn farewell(world: &mut World) -> Lawful {
    for place in 0..world.actors.len() {
        acts::leave_of(world, place, Duration::ZERO);
    }
    for step in 0.. {
        let Some(place) = world.actors.iter().position(Actor::may_dispatch) else {
            law!(world.actors.is_empty(), "a worker does not leave");
            break;
        };
        law!(step < STEPS, "a worker does not leave");
        acts::dispatch_of(world, place)?;
    }
    Ok(())
}

/// Every function that began has one fate, and every record of it is true.
fn fates(world: &World) -> Lawful {
    use taskito_core::store::Inspect;
    let record = &world.record;
    for (attempt, begin) in &record.begun {
        let (key, fence) = *attempt;
        let Some(row) = world.sight.jobs.get(&key) else {
            continue;
        };
        let attempts = world.store().attempts(key).unwrap();
        let told = attempts.iter().find(|told| told.fence == fence);
        let report = record.reports.get(attempt);
        let over = record.is_over_time(*attempt, world.uptime());
        let lost = record.lost_its_worker(*attempt);
        let lawful = match told.map(|told| told.mishap.name()) {
            Some("lost") => lost,
            Some(_) => over || matches!(report, Some(Report::Failed { .. })),
            None => {
                record.leaving.contains(&begin.worker)
                    || match report {
                        Some(Report::Done(_)) => row.fence == fence && row.state.is_finished(),
                        Some(Report::Cancelled) => row.fence == fence,
                        Some(Report::Snoozed) => true,
                        // A coroutine that does not end although it was cancelled counts as ended.
                        None => row.fence == fence && record.unwanted.contains(&key),
                        Some(Report::Failed { .. }) => false,
                    }
            }
        };
        law!(
            lawful,
            "an attempt of claim {fence:?} that ended as {report:?} is on record as {told:?}: {row:?}"
        );
    }
    Ok(())
}
