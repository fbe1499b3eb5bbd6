//! Queues that are paused.

use taskito_core::limits::QueueChange;

use crate::support::{Hunger, job, job_with};
use crate::world::{World, assert_applied};

contract![
    nothing_is_claimed_from_a_paused_queue,
    a_paused_queue_takes_new_jobs_and_keeps_what_runs,
    a_resumed_queue_goes_on_where_it_stopped,
    pausing_and_resuming_twice_is_once,
    a_queue_without_jobs_can_be_paused,
    a_paused_queue_has_no_turn,
    a_paused_queue_opens_when_somebody_lets_it,
];

fn nothing_is_claimed_from_a_paused_queue(world: &World) {
    let here = world.insert(job("a"));
    world.insert(job_with("a", |spec| spec.queue = "x".into()));
    world.insert(job_with("a", |spec| {
        spec.queue = "x".into();
        spec.limit_key = Some("k".into());
    }));
    world.set_queue("x", &QueueChange::Pause);
    assert_eq!(world.claimed(Hunger::endless()), [here]);
    assert_eq!(world.claimed(Hunger::endless()), []);
}

fn a_paused_queue_takes_new_jobs_and_keeps_what_runs(world: &World) {
    let token = world.running(job("a"));
    world.set_queue("default", &QueueChange::Pause);
    let next = world.insert(job("a"));
    assert_applied(world.complete(token, b"r"));
    assert_eq!(world.claimed(Hunger::endless()), []);
    world.set_queue("default", &QueueChange::Resume);
    assert_eq!(world.claimed(Hunger::endless()), [next]);
}

fn a_resumed_queue_goes_on_where_it_stopped(world: &World) {
    let keys = [0, 1, 2].map(|_| world.insert(job("a")));
    let before = world.jobs();
    world.set_queue("default", &QueueChange::Pause);
    world.advance(60_000);
    assert_eq!(world.claimed(Hunger::endless()), []);
    assert_eq!(world.jobs(), before);
    world.set_queue("default", &QueueChange::Resume);
    assert_eq!(world.claimed(Hunger::endless()), keys);
}

fn pausing_and_resuming_twice_is_once(world: &World) {
    let key = world.insert(job("a"));
    for _ in 0..2 {
        world.set_queue("default", &QueueChange::Pause);
    }
    world.set_queue("default", &QueueChange::Resume);
    world.set_queue("default", &QueueChange::Resume);
    assert_eq!(world.claimed(Hunger::endless()), [key]);
}

fn a_queue_without_jobs_can_be_paused(world: &World) {
    world.set_queue("new", &QueueChange::Pause);
    world.insert(job_with("a", |spec| spec.queue = "new".into()));
    assert_eq!(world.claimed(Hunger::endless()), []);
}

fn a_paused_queue_has_no_turn(world: &World) {
    let [x, y] = ["x", "y"].map(|queue| {
        world.insert(job_with("a", |spec| spec.queue = queue.into()));
        world.insert(job_with("b", |spec| spec.queue = queue.into()))
    });
    world.set_queue("x", &QueueChange::Pause);
    let claimed = world.claimed(Hunger::of(2));
    assert_eq!(claimed.len(), 2);
    assert!(claimed.contains(&y) && !claimed.contains(&x));
}

fn a_paused_queue_opens_when_somebody_lets_it(world: &World) {
    world.insert(job("a"));
    world.set_queue("default", &QueueChange::Pause);
    let mut hungry = Hunger::endless();
    let any = world.store().has_prospects(world.now(), &mut hungry);
    assert!(!any.unwrap());
    assert!(hungry.opens_at.is_none() && !hungry.held_back);
    let mut hungry = Hunger::endless();
    world.claim(&mut hungry);
    assert!(hungry.opens_at.is_none() && !hungry.held_back);
}
