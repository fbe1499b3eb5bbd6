//! What befalls workers and those around them.
#![allow(clippy::unnecessary_wraps, reason = "all acts are of one type")]

use std::sync::Arc;
use std::time::Duration;

use crate::actor::Actor;
use crate::acts::{Act, awake, dispatch_of, leave_of, places};
use crate::chance::Chance;
use crate::faulty::Fault;
use crate::laws::Lawful;
use crate::world::World;

/// How often each happens.
pub(crate) const BLOWS: [(usize, Act); 12] = [
    (10, pass_time),
    (4, fail),
    (3, stop_or_go_on),
    (3, kill),
    (2, kill_in_commit),
    (3, hire),
    (1, deploy),
    (1, disown),
    (1, set_clock),
    (1, miss_ring),
    (1, leave),
    (1, fail_for_others),
];

pub(crate) fn pass_time(world: &mut World, chance: &mut Chance) -> Lawful {
    let millis = chance.one_of(&[1, 1, 20, 100, 100, 400, 400, 1000, 1000, 3000, 7000]);
    world.clock.pass(millis);
    world.sight.now = world.store().now();
    world.say(format!("{millis} ms pass"));
    Ok(())
}

fn set_clock(world: &mut World, chance: &mut Chance) -> Lawful {
    let most = if world.code.plans.is_empty() {
        3_600_000
    } else {
        // A schedule that makes up for every fire would fill the database.
        20_000
    };
    let millis = chance.one_of(&[2000, most, -2000, -most]);
    notice_the_clock(world)?;
    world.clock.set(millis);
    world.sight.now = world.store().now();
    world.rates.forget();
    for actor in &mut world.actors {
        actor.mislead();
    }
    world.say(format!("the clock is set by {millis} ms"));
    Ok(())
}

/// Whoever lives looks at the clock. One that looks at neither of two settings that cancel each
/// other out, or begins between a setting and the look of the others, cannot know of it.
pub(crate) fn notice_the_clock(world: &mut World) -> Lawful {
    for id in world
        .actors
        .iter()
        .map(|actor| actor.id)
        .collect::<Vec<_>>()
    {
        for _ in 0..2 {
            let place = world.actors.iter().position(|actor| actor.id == id);
            let Some(place) = place.filter(|place| !world.actors[*place].leaving) else {
                continue;
            };
            world.actors[place].faulty.arm(None);
            dispatch_of(world, place)?;
        }
    }
    Ok(())
}

fn fail(world: &mut World, chance: &mut Chance) -> Lawful {
    let Some(place) = awake(world, chance) else {
        return Ok(());
    };
    let fault = chance.one_of(&[Fault::Busy, Fault::Commit, Fault::Answer, Fault::Read]);
    let actor = &world.actors[place];
    actor.faulty.arm(Some(fault));
    let id = actor.id.0;
    world.say(format!("worker {id} will meet {fault:?}"));
    Ok(())
}

fn fail_for_others(world: &mut World, chance: &mut Chance) -> Lawful {
    let fault = chance.one_of(&[Fault::Busy, Fault::Commit, Fault::Answer]);
    world.outside.arm(Some(fault));
    world.say(format!("somebody outside will meet {fault:?}"));
    Ok(())
}

fn stop_or_go_on(world: &mut World, chance: &mut Chance) -> Lawful {
    let all = places(world, |_| true);
    let Some(place) = chance.pick(&all) else {
        return Ok(());
    };
    let actor = &mut world.actors[place];
    actor.stopped = !actor.stopped;
    let (id, stopped) = (actor.id.0, actor.stopped);
    world.say(format!("worker {id} is stopped: {stopped}"));
    Ok(())
}

fn kill(world: &mut World, chance: &mut Chance) -> Lawful {
    let all = places(world, |_| true);
    if let Some(place) = chance.pick(&all) {
        world.kill(place);
    }
    Ok(())
}

/// A worker dies while it commits: before that took effect, or after.
fn kill_in_commit(world: &mut World, chance: &mut Chance) -> Lawful {
    let ready = places(world, Actor::may_dispatch);
    let Some(place) = chance.pick(&ready) else {
        return kill(world, chance);
    };
    let fault = chance.one_of(&[Fault::Commit, Fault::Answer]);
    let actor = &world.actors[place];
    actor.faulty.arm(Some(fault));
    let id = actor.id;
    world.say(format!("worker {} will die in a commit, {fault:?}", id.0));
    dispatch_of(world, place)?;
    let place = world.actors.iter().position(|actor| actor.id == id);
    if let Some(place) = place {
        world.kill(place);
    }
    Ok(())
}

fn hire(world: &mut World, chance: &mut Chance) -> Lawful {
    let fault = chance.one_of(&[None, None, None, Some(Fault::Commit), Some(Fault::Answer)]);
    notice_the_clock(world)?;
    world.hire(chance, fault);
    world.check()
}

/// Workers that start from now on run another version.
fn deploy(world: &mut World, chance: &mut Chance) -> Lawful {
    let most = chance.one_of(&[1, 2, 3]);
    world.code = Arc::new(world.code.next(most));
    world.say(format!(
        "{most} jobs of 'few' run at once for those who start now"
    ));
    Ok(())
}

fn disown(world: &mut World, chance: &mut Chance) -> Lawful {
    let Some(place) = chance.pick(&places(world, |actor| !actor.disowned)) else {
        return Ok(());
    };
    let uptime = world.uptime();
    let actor = &mut world.actors[place];
    actor.stepped.lose_certificate();
    actor.disowned = true;
    let id = actor.id;
    world.record.dead.entry(id).or_insert(uptime);
    world.say(format!("worker {} seems to be dead", id.0));
    Ok(())
}

fn miss_ring(world: &mut World, chance: &mut Chance) -> Lawful {
    let Some(place) = awake(world, chance) else {
        return Ok(());
    };
    let actor = &mut world.actors[place];
    actor.stepped.miss_ring();
    actor.mislead();
    let id = actor.id.0;
    world.say(format!("worker {id} misses the doorbell"));
    Ok(())
}

fn leave(world: &mut World, chance: &mut Chance) -> Lawful {
    let Some(place) = awake(world, chance) else {
        return Ok(());
    };
    let limit = Duration::from_millis(chance.one_of(&[0, 1000]));
    leave_of(world, place, limit);
    Ok(())
}
