//! Operators pause, resume, trigger and delete schedules.

use taskito_core::clock::Millis;
use taskito_core::job::Fire;
use taskito_core::schedule::ScheduleRow;

use crate::support::{every, plan};
use crate::world::World;

contract![
    a_paused_schedule_does_not_fire,
    pausing_twice_is_pausing_once,
    a_resumed_schedule_fires_first_after_now,
    what_passed_before_a_pause_is_not_made_up_either,
    resuming_what_is_not_paused_keeps_the_next_fire,
    a_trigger_enqueues_one_job_and_keeps_the_next_fire,
    a_paused_schedule_can_be_triggered,
    a_deleted_schedule_is_gone,
    a_deleted_schedule_can_be_declared_anew,
    an_unknown_schedule_is_said_to_be_unknown,
];

fn pause(world: &World, name: &str) -> bool {
    world.write(|t| t.pause_schedule(name))
}

fn resume(world: &World, name: &str) -> bool {
    world.write(|t| t.resume_schedule(world.now(), name))
}

fn a_paused_schedule_does_not_fire(world: &World) {
    world.declare(&plan("a", every(60)));
    let before = world.schedule("a");
    assert!(pause(world, "a"));
    assert_eq!(
        world.schedule("a"),
        ScheduleRow {
            enabled: false,
            next_run: None,
            ..before
        }
    );
    world.advance(3_600_000);
    assert!(world.tick("a").jobs.is_empty());
    assert_eq!(world.store().fires().unwrap(), []);
}

fn pausing_twice_is_pausing_once(world: &World) {
    world.declare(&plan("a", every(60)));
    assert!(pause(world, "a"));
    let before = world.sight();
    assert!(pause(world, "a"));
    assert_eq!(world.sight(), before);
}

fn a_resumed_schedule_fires_first_after_now(world: &World) {
    world.declare(&plan("a", every(60)));
    pause(world, "a");
    world.advance(3_600_000);
    assert!(resume(world, "a"));
    let row = world.schedule("a");
    assert!(row.enabled);
    assert_eq!(row.next_run, Some(world.later(20_000)));
    assert!(world.tick("a").jobs.is_empty());
    world.advance(20_000);
    assert_eq!(world.tick("a").jobs.len(), 1);
}

fn what_passed_before_a_pause_is_not_made_up_either(world: &World) {
    world.declare(&plan("a", every(60)));
    world.advance(600_000);
    pause(world, "a");
    resume(world, "a");
    assert!(world.tick("a").jobs.is_empty());
}

fn resuming_what_is_not_paused_keeps_the_next_fire(world: &World) {
    world.declare(&plan("a", every(60)));
    world.advance(600_000);
    let before = world.sight();
    assert!(resume(world, "a"));
    assert_eq!(world.sight(), before);
}

fn a_trigger_enqueues_one_job_and_keeps_the_next_fire(world: &World) {
    world.declare(&plan("a", every(60)));
    let before = world.schedule("a");
    world.advance(1234);
    let key = world.write(|t| t.trigger(world.now(), "a")).unwrap();
    let job = world.row(key);
    assert_eq!(
        job.fire,
        Some(Fire {
            schedule: "a".into(),
            time: world.now()
        })
    );
    assert_eq!(world.jobs().len(), 1);
    assert_eq!(
        world.schedule("a"),
        ScheduleRow {
            last_run: Some(world.now()),
            last_job: Some(key),
            recent: vec![key],
            ..before
        }
    );
}

fn a_paused_schedule_can_be_triggered(world: &World) {
    world.declare(&plan("a", every(60)));
    pause(world, "a");
    assert!(world.write(|t| t.trigger(world.now(), "a")).is_some());
    assert_eq!(world.schedule("a").next_run, None);
}

fn a_deleted_schedule_is_gone(world: &World) {
    world.declare(&plan("a", every(60)));
    world.declare(&plan("b", every(60)));
    assert!(world.write(|t| t.delete_schedule("a")));
    let left: Vec<_> = world.store().schedules().unwrap();
    assert_eq!(left.len(), 1);
    assert_eq!(left[0].name, "b");
    world.advance(3_600_000);
    assert!(world.tick("a").jobs.is_empty());
}

fn a_deleted_schedule_can_be_declared_anew(world: &World) {
    world.declare(&plan("a", every(60)));
    pause(world, "a");
    world.write(|t| t.delete_schedule("a"));
    world.advance(3_600_000);
    world.declare(&plan("a", every(60)));
    assert_eq!(world.schedule("a"), plan("a", every(60)).row(world.now()));
    assert_ne!(world.schedule("a").next_run, None::<Millis>);
}

fn an_unknown_schedule_is_said_to_be_unknown(world: &World) {
    world.declare(&plan("a", every(60)));
    let before = world.sight();
    assert!(!pause(world, "b"));
    assert!(!resume(world, "b"));
    assert!(!world.write(|t| t.delete_schedule("b")));
    assert_eq!(world.write(|t| t.trigger(world.now(), "b")), None);
    assert_eq!(world.sight(), before);
}
