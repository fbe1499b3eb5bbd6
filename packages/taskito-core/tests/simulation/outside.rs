//! What producers and operators do.

use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

use taskito_core::id::Key;
use taskito_core::job::{Inserted, LetterFilter, NewJob};
use taskito_core::limits::QueueChange;
use taskito_core::links::{Group, Inputs, Links, Parent};
use taskito_core::rate::Rate;
use taskito_core::store::Inspect;

use crate::acts::Act;
use crate::chance::Chance;
use crate::code::QUEUES;
use crate::laws::Lawful;
use crate::support::job_with;
use crate::world::World;

/// How often each happens.
pub(crate) const DEEDS: [(usize, Act); 6] = [
    (14, produce),
    (3, cancel),
    (4, set_queue),
    (2, repeat),
    (2, delete),
    (2, schedule),
];

fn produce(world: &mut World, chance: &mut Chance) -> Lawful {
    let known: Vec<Key> = world.sight.jobs.keys().copied().collect();
    let jobs: Vec<NewJob> = (0..chance.one_of(&[1, 1, 2, 3]))
        .map(|index| job(chance, &known, index))
        .collect();
    let now = world.store().now();
    let mut inserted = Vec::new();
    let stored = world.act(&mut |t| {
        inserted = t.insert(now, &jobs)?;
        Ok(())
    });
    // Even if nobody was told, the jobs may be there.
    relate(world, &jobs, &inserted);
    if stored {
        world
            .record
            .promised
            .extend(inserted.iter().map(|job| job.key));
    }
    let numbers: Vec<usize> = inserted
        .iter()
        .map(|job| world.record.number(job.key))
        .collect();
    world.say(format!("jobs {numbers:?} are stored: {stored}"));
    world.check()
}

fn job(chance: &mut Chance, known: &[Key], index: usize) -> NewJob {
    let task = chance.one_of(&["plain", "plain", "rated", "few", "few", "fuse", "async"]);
    let key = |chance: &mut Chance, odds| {
        let name = chance.one_of(&["k", "l"]).to_owned();
        chance.one_in(odds).then_some(name)
    };
    let span = |chance: &mut Chance, odds, choices: &[u64]| {
        let millis = chance.one_of(choices);
        chance.one_in(odds).then(|| Duration::from_millis(millis))
    };
    let job = job_with(task, |spec| {
        spec.queue = chance.one_of(&["x", "x", "y", "z"]).into();
        spec.priority = chance.one_of(&[0, 0, 0, 1, -1]);
        spec.delay = span(chance, 3, &[300, 2000]).unwrap_or_default();
        spec.max_retries = chance.one_of(&[0, 1, 3, 3]);
        spec.timeout = span(chance, 3, &[500, 1500, 3000]).unwrap_or_default();
        spec.unique_key = key(chance, 5);
        spec.idempotency_key = key(chance, 8);
        spec.limit_key = key(chance, 4);
        spec.expires = span(chance, 6, &[500, 3000]);
        spec.result_ttl = span(chance, 6, &[1000, 5000]);
    });
    let links = chance.one_in(3).then(|| links(chance, known, index).into());
    NewJob { links, ..job }
}

fn links(chance: &mut Chance, known: &[Key], index: usize) -> Links {
    let mut parents = Vec::new();
    if let Some(stored) = chance.pick(known) {
        parents.push(Parent::Stored(stored));
    }
    if index > 0 && chance.one_in(2) {
        parents.push(Parent::New(index - 1));
    }
    let takes = chance.one_in(3);
    let group = Group {
        number: 0,
        limit: 1,
    };
    Links {
        inputs: takes.then(|| Inputs::List(parents.clone())),
        after: if takes { Vec::new() } else { parents },
        workflow: chance.one_in(2),
        groups: chance.one_in(3).then_some(group).into_iter().collect(),
    }
}

/// Takes note of what new jobs wait for and belong to.
fn relate(world: &mut World, jobs: &[NewJob], inserted: &[Inserted]) {
    let mut groups: BTreeMap<u32, (u32, HashSet<Key>)> = BTreeMap::new();
    for (job, stored) in jobs.iter().zip(inserted) {
        let Some(links) = job.links.as_ref().filter(|_| !stored.deduplicated) else {
            continue;
        };
        let parents = links
            .parents()
            .map(|(parent, _)| parent.key(inserted).unwrap());
        world.record.parents.insert(stored.key, parents.collect());
        for group in &links.groups {
            let members = groups
                .entry(group.number)
                .or_insert((group.limit, HashSet::new()));
            members.1.insert(stored.key);
        }
    }
    world.record.groups.extend(groups.into_values());
}

fn cancel(world: &mut World, chance: &mut Chance) -> Lawful {
    let jobs: Vec<Key> = world.sight.unfinished().map(|row| row.key).collect();
    let Some(job) = chance.pick(&jobs) else {
        return produce(world, chance);
    };
    let now = world.store().now();
    world.record.unwanted.insert(job);
    let done = world.act(&mut |t| {
        if !t.cancel(now, job)? {
            t.cancel_request(job)?;
        }
        Ok(())
    });
    let number = world.record.number(job);
    world.say(format!("job {number} is to be cancelled: {done}"));
    world.check()
}

fn set_queue(world: &mut World, chance: &mut Chance) -> Lawful {
    let queue = chance.one_of(&QUEUES);
    let rate = chance.one_of(&["1/s", "3/s"]);
    let setting = match chance.below(7) {
        0 | 1 => QueueChange::Pause,
        2 | 3 => QueueChange::Resume,
        4 => QueueChange::Rate(chance.one_in(2).then(|| Rate::parse(rate).unwrap())),
        5 => QueueChange::MaxConcurrent(None),
        _ => QueueChange::MaxConcurrent(Some(chance.one_of(&[1, 2]))),
    };
    let done = world.act(&mut |t| t.set_queue(queue, &setting));
    if matches!(setting, QueueChange::Rate(_)) {
        world.rates.forget();
    }
    world.say(format!("queue {queue}: {setting:?}: {done}"));
    world.check()
}

/// A dead letter or any job becomes a new job.
fn repeat(world: &mut World, chance: &mut Chance) -> Lawful {
    let now = world.store().now();
    let everything = LetterFilter {
        limit: u32::MAX,
        ..LetterFilter::default()
    };
    let letters = world.store().dead_letters(&everything).unwrap();
    let letters: Vec<Key> = letters.iter().map(|letter| letter.key).collect();
    let jobs: Vec<Key> = world.sight.jobs.keys().copied().collect();
    let (letter, job) = (chance.pick(&letters), chance.pick(&jobs));
    let done = match (letter, job) {
        (Some(letter), _) => world.act(&mut |t| t.revive(now, letter).map(|_| ())),
        (None, Some(job)) => world.act(&mut |t| t.replay(now, job).map(|_| ())),
        (None, None) => false,
    };
    world.say(format!(
        "a job is repeated, from a letter {}: {done}",
        letter.is_some()
    ));
    world.check()
}

fn delete(world: &mut World, chance: &mut Chance) -> Lawful {
    let finished = world
        .sight
        .jobs
        .values()
        .filter(|row| row.state.is_finished());
    let finished: Vec<Key> = finished.map(|row| row.key).collect();
    let Some(job) = chance.pick(&finished) else {
        return Ok(());
    };
    world.record.doomed.insert(job);
    let done = world.act(&mut |t| t.prune(&[job]).map(|_| ()));
    let number = world.record.number(job);
    world.say(format!("job {number} is to be deleted: {done}"));
    world.check()
}

fn schedule(world: &mut World, chance: &mut Chance) -> Lawful {
    let Some(name) = world.code.plans.first().map(|plan| plan.name.clone()) else {
        return set_queue(world, chance);
    };
    let now = world.store().now();
    let deed = chance.below(4);
    let done = match deed {
        0 => world.act(&mut |t| t.pause_schedule(&name).map(|_| ())),
        1 | 2 => world.act(&mut |t| t.resume_schedule(now, &name).map(|_| ())),
        _ => {
            world.fires.triggered = 1;
            world.act(&mut |t| t.trigger(now, &name).map(|_| ()))
        }
    };
    world.say(format!("schedule {name}, deed {deed}: {done}"));
    world.check()
}
