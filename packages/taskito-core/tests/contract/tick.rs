//! Arrow `tick`: the fires of a schedule become jobs.

use std::time::Duration;

use taskito_core::clock::Millis;
use taskito_core::error::Error;
use taskito_core::id::Key;
use taskito_core::job::Fire;
use taskito_core::schedule::{CatchUp, Plan, Ticked};
use taskito_core::state::State;

use crate::support::{every, job_with, plan};
use crate::world::World;

contract![
    a_fire_becomes_one_job_at_its_time,
    a_schedule_knows_its_newest_jobs,
    a_job_knows_its_fire,
    a_job_has_the_settings_of_its_schedule,
    nothing_happens_before_the_time,
    a_second_look_finds_nothing,
    an_unknown_schedule_does_not_fire,
    fires_that_are_a_little_late_all_become_jobs,
    missed_fires_become_one_job_for_the_latest,
    missed_fires_are_dropped,
    missed_fires_become_a_job_each,
    too_many_missed_fires_lose_the_oldest,
    missed_fires_and_late_ones_are_told_apart,
    years_of_missed_seconds_take_no_time,
    a_tick_that_fails_changes_nothing,
];

/// A schedule that fires every second, so that the number of fires is that of seconds.
fn secondly(catch_up: CatchUp) -> Plan {
    Plan {
        catch_up,
        ..plan("s", every(1))
    }
}

/// The fires of jobs, as seconds before now.
fn ages(world: &World, jobs: &[Key]) -> Vec<i64> {
    let fire = |key: &Key| world.row(*key).fire.unwrap().time;
    jobs.iter()
        .map(|key| (world.now().0 - fire(key).0) / 1000)
        .collect()
}

fn a_fire_becomes_one_job_at_its_time(world: &World) {
    world.declare(&plan("a", every(60)));
    let due = world.schedule("a").next_run.unwrap();
    world.advance(due.0 - world.now().0);
    let ticked = world.tick("a");
    assert!(!ticked.overflowed);
    assert_eq!(ticked.jobs.len(), 1);
    assert_eq!(world.state(ticked.jobs[0]), State::Pending);
    let row = world.schedule("a");
    assert_eq!(row.next_run, Some(Millis(due.0 + 60_000)));
    assert_eq!(row.last_run, Some(due));
    assert_eq!(row.last_job, Some(ticked.jobs[0]));
}

fn a_schedule_knows_its_newest_jobs(world: &World) {
    world.declare(&plan("a", every(60)));
    let mut jobs = Vec::new();
    for _ in 0..13 {
        world.advance(60_000);
        jobs.extend(world.tick("a").jobs);
    }
    jobs.extend(world.write(|t| t.trigger(world.now(), "a")));
    assert_eq!(world.schedule("a").recent, jobs[2..]);
    // Its settings say nothing about that, nor does the end of a job.
    world.declare(&plan("a", every(30)));
    assert_eq!(world.schedule("a").recent.len(), 12);
    assert_eq!(world.schedule("a").recent.last(), jobs.last());
}

fn a_job_knows_its_fire(world: &World) {
    let name = "quote \" back \\ bell \u{7} 🦀";
    world.declare(&plan(name, every(60)));
    let due = world.schedule(name).next_run.unwrap();
    world.advance(60_000);
    let row = world.row(world.tick(name).jobs[0]);
    assert_eq!(
        row.fire,
        Some(Fire {
            schedule: name.into(),
            time: due
        })
    );
    assert_eq!(
        row.headers.unwrap(),
        format!(
            r#"{{"taskito-fire-time":"{}","taskito-schedule":"quote \" back \\ bell \u0007 🦀"}}"#,
            due.0
        )
    );
    assert_eq!(row.created_at, world.now());
    assert_eq!(row.run_at, world.now());
}

fn a_job_has_the_settings_of_its_schedule(world: &World) {
    let mut mail = plan("a", every(60));
    mail.payload = b"arguments".to_vec();
    mail.spec = job_with("send", |spec| {
        spec.queue = "mail".into();
        spec.priority = 5;
        spec.max_retries = 1;
        spec.timeout = Duration::from_secs(7);
    })
    .spec;
    world.declare(&mail);
    world.advance(60_000);
    let row = world.row(world.tick("a").jobs[0]);
    assert_eq!((&*row.task, &*row.queue), ("send", "mail"));
    assert_eq!((row.priority, row.max_retries), (5, 1));
    assert_eq!(row.timeout, Duration::from_secs(7));
    assert_eq!(world.take().payload, b"arguments");
}

fn nothing_happens_before_the_time(world: &World) {
    world.declare(&plan("a", every(60)));
    world.advance(19_999);
    let before = world.sight();
    assert_eq!(world.tick("a"), Ticked::default());
    assert_eq!(world.sight(), before);
}

fn a_second_look_finds_nothing(world: &World) {
    world.declare(&plan("a", every(60)));
    world.advance(20_000);
    assert_eq!(world.tick("a").jobs.len(), 1);
    let before = world.sight();
    assert_eq!(world.tick("a"), Ticked::default());
    assert_eq!(world.sight(), before);
}

fn an_unknown_schedule_does_not_fire(world: &World) {
    assert_eq!(world.tick("nobody"), Ticked::default());
}

fn fires_that_are_a_little_late_all_become_jobs(world: &World) {
    for catch_up in [CatchUp::One, CatchUp::None, CatchUp::All] {
        world.declare(&secondly(catch_up));
        world.tick("s");
        world.advance(11_000);
        let ticked = world.tick("s");
        assert_eq!(
            ages(world, &ticked.jobs),
            [10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0]
        );
    }
}

fn missed_fires_become_one_job_for_the_latest(world: &World) {
    world.declare(&plan("a", every(60)));
    world.advance(20_000 + 180_000 + 10_001);
    let ticked = world.tick("a");
    assert_eq!(ages(world, &ticked.jobs), [10]);
    assert!(!ticked.overflowed);
    let row = world.schedule("a");
    assert_eq!(row.last_run, Some(world.later(-10_001)));
    assert_eq!(row.next_run, Some(world.later(60_000 - 10_001)));
}

fn missed_fires_are_dropped(world: &World) {
    world.declare(&Plan {
        catch_up: CatchUp::None,
        ..plan("a", every(60))
    });
    world.advance(20_000 + 180_000 + 10_001);
    assert_eq!(world.tick("a"), Ticked::default());
    let row = world.schedule("a");
    assert_eq!((row.last_run, row.last_job), (None, None));
    assert_eq!(row.next_run, Some(world.later(60_000 - 10_001)));
    assert!(world.jobs().is_empty());
}

fn missed_fires_become_a_job_each(world: &World) {
    world.declare(&Plan {
        catch_up: CatchUp::All,
        ..plan("a", every(60))
    });
    world.advance(20_000 + 180_000 + 10_001);
    let ticked = world.tick("a");
    assert_eq!(ages(world, &ticked.jobs), [190, 130, 70, 10]);
    assert!(!ticked.overflowed);
    assert!(ticked.jobs.is_sorted());
}

fn too_many_missed_fires_lose_the_oldest(world: &World) {
    world.declare(&secondly(CatchUp::All));
    for (seconds, overflowed) in [(1011, false), (1012, true), (5000, true)] {
        world.advance(seconds * 1000);
        let ticked = world.tick("s");
        let expected: Vec<i64> = (0..=1010).rev().collect();
        assert_eq!(ages(world, &ticked.jobs), expected);
        assert_eq!(ticked.overflowed, overflowed);
    }
}

fn missed_fires_and_late_ones_are_told_apart(world: &World) {
    world.declare(&secondly(CatchUp::One));
    world.advance(3_600_000);
    let jobs = world.tick("s").jobs;
    assert_eq!(ages(world, &jobs), [11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0]);
    world.declare(&secondly(CatchUp::None));
    world.advance(3_600_000);
    let jobs = world.tick("s").jobs;
    assert_eq!(ages(world, &jobs), [10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0]);
}

fn years_of_missed_seconds_take_no_time(world: &World) {
    world.declare(&secondly(CatchUp::One));
    world.advance(10 * 365 * 86_400_000);
    assert_eq!(world.tick("s").jobs.len(), 12);
}

fn a_tick_that_fails_changes_nothing(world: &World) {
    world.declare(&plan("a", every(60)));
    world.advance(60_000);
    let before = world.sight();
    let failed = world.try_write(|t| {
        assert_eq!(t.tick(world.now(), "a")?.jobs.len(), 1);
        Err::<(), _>(Error::Invalid {
            message: "stop".into(),
        })
    });
    assert!(failed.is_err());
    assert_eq!(world.sight(), before);
    assert_eq!(world.tick("a").jobs.len(), 1);
}
