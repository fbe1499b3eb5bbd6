//! Workers declare schedules.

use std::time::Duration;

use taskito_core::job::WorkerId;
use taskito_core::schedule::{CatchUp, ScheduleRow};
use taskito_core::timing::Timing;

use crate::support::{START, every, job_with, plan, worker};
use crate::world::World;

contract![
    a_new_schedule_fires_first_after_now,
    a_schedule_is_stored_with_all_that_its_jobs_need,
    a_rule_without_a_future_has_no_next_fire,
    declaring_again_takes_new_settings_and_keeps_the_next_fire,
    a_missed_fire_survives_declaring_again,
    another_rule_fires_first_after_now,
    declaring_again_keeps_what_happened,
    declaring_again_does_not_resume,
    a_worker_is_noted_with_what_it_declares,
    a_stranger_may_declare,
    introducing_stores_only_what_is_new,
    schedules_are_listed_by_name_and_by_next_fire,
];

fn a_new_schedule_fires_first_after_now(world: &World) {
    world.declare(&plan("a", every(60)));
    assert_eq!(
        START.0 % 60_000,
        40_000,
        "the test assumes a start in mid-minute"
    );
    assert_eq!(world.schedule("a").next_run, Some(world.later(20_000)));
}

fn a_schedule_is_stored_with_all_that_its_jobs_need(world: &World) {
    let mut daily = plan("näme \"x\"", cron("@daily", "Europe/Berlin"));
    daily.catch_up = CatchUp::All;
    daily.payload = b"arguments".to_vec();
    daily.preview = Some("7".into());
    daily.spec = job_with("send", |spec| {
        spec.queue = "mail".into();
        spec.priority = -7;
        spec.max_retries = 9;
        spec.timeout = Duration::from_millis(1234);
    })
    .spec;
    world.declare(&daily);
    assert_eq!(
        world.schedule("näme \"x\""),
        ScheduleRow {
            name: "näme \"x\"".into(),
            task: "send".into(),
            queue: "mail".into(),
            cron: Some("@daily".into()),
            every: None,
            timezone: "Europe/Berlin".into(),
            catch_up: CatchUp::All,
            priority: -7,
            max_retries: 9,
            timeout: Duration::from_millis(1234),
            payload: b"arguments".to_vec(),
            preview: Some("7".into()),
            enabled: true,
            next_run: daily.timing.next(START),
            last_run: None,
            last_job: None,
            recent: Vec::new(),
        }
    );
    world.declare(&plan("b", every(90)));
    let row = world.schedule("b");
    assert_eq!((row.cron, row.every), (None, Some(Duration::from_secs(90))));
}

fn a_rule_without_a_future_has_no_next_fire(world: &World) {
    world.declare(&plan("a", cron("*/5 2 25-31 3 SUN", "Europe/Berlin")));
    assert_eq!(world.schedule("a").next_run, None);
    assert_eq!(world.store().fires().unwrap(), []);
    assert!(world.tick("a").jobs.is_empty());
}

fn declaring_again_takes_new_settings_and_keeps_the_next_fire(world: &World) {
    world.declare(&plan("a", every(60)));
    let before = world.schedule("a");
    world.advance(5000);
    let mut changed = plan("a", every(60));
    changed.catch_up = CatchUp::None;
    changed.payload = b"other".to_vec();
    changed.spec = job_with("other", |spec| spec.queue = "elsewhere".into()).spec;
    world.declare(&changed);
    assert_eq!(
        world.schedule("a"),
        ScheduleRow {
            task: "other".into(),
            queue: "elsewhere".into(),
            catch_up: CatchUp::None,
            payload: b"other".to_vec(),
            ..before
        }
    );
}

fn a_missed_fire_survives_declaring_again(world: &World) {
    world.declare(&plan("a", every(60)));
    let due = world.schedule("a").next_run;
    world.advance(3_600_000);
    world.declare(&plan("a", every(60)));
    assert_eq!(world.schedule("a").next_run, due);
}

fn another_rule_fires_first_after_now(world: &World) {
    let rules = [
        cron("0 3 * * *", "UTC"),
        cron("0 4 * * *", "UTC"),
        cron("0 4 * * *", "Europe/Berlin"),
        every(3600),
        every(1800),
    ];
    for rule in rules {
        world.advance(86_400_000);
        world.declare(&plan("a", rule.clone()));
        assert_eq!(world.schedule("a").next_run, rule.next(world.now()));
    }
}

fn declaring_again_keeps_what_happened(world: &World) {
    world.declare(&plan("a", every(60)));
    world.advance(20_000);
    let jobs = world.tick("a").jobs;
    world.declare(&plan("a", every(30)));
    let row = world.schedule("a");
    assert_eq!(row.last_job, Some(jobs[0]));
    assert_eq!(row.last_run, Some(world.now()));
}

fn declaring_again_does_not_resume(world: &World) {
    world.declare(&plan("a", every(60)));
    assert!(world.write(|t| t.pause_schedule("a")));
    for rule in [every(60), every(30)] {
        world.declare(&plan("a", rule));
        let row = world.schedule("a");
        assert!(!row.enabled);
        assert_eq!(row.next_run, None);
    }
}

fn a_worker_is_noted_with_what_it_declares(world: &World) {
    let declared = |world: &World| -> Vec<_> {
        let rows = world.store().workers().unwrap();
        rows.into_iter().map(|row| row.schedules).collect()
    };
    world.worker();
    assert_eq!(declared(world), [Vec::<String>::new()]);
    world.declare(&plan("a", every(60)));
    world.declare(&plan("line\nbreak", every(60)));
    world.declare(&plan("a", every(60)));
    world.write(|t| t.enlist(world.now(), &worker()));
    assert_eq!(declared(world), [vec!["a", "line\nbreak"], vec![]]);
}

fn a_stranger_may_declare(world: &World) {
    let stranger = WorkerId(99);
    world.write(|t| t.declare(world.now(), stranger, &[plan("a", every(60))]));
    assert_eq!(world.store().schedules().unwrap().len(), 1);
    assert!(world.store().workers().unwrap().is_empty());
}

fn introducing_stores_only_what_is_new(world: &World) {
    world.declare(&plan("a", every(60)));
    let before = world.schedule("a");
    world.advance(1000);
    world.write(|t| t.introduce(world.now(), &[plan("a", every(30)), plan("b", every(30))]));
    assert_eq!(world.schedule("a"), before);
    assert_eq!(world.schedule("b"), plan("b", every(30)).row(world.now()));
    let workers = world.store().workers().unwrap();
    assert_eq!(workers[0].schedules, ["a"]);
}

fn schedules_are_listed_by_name_and_by_next_fire(world: &World) {
    for (name, period) in [("b", 7200), ("c", 60), ("a", 60), ("paused", 60)] {
        world.declare(&plan(name, every(period)));
    }
    world.write(|t| t.pause_schedule("paused"));
    let rows = world.store().schedules().unwrap();
    let names: Vec<&str> = rows.iter().map(|row| &*row.name).collect();
    assert_eq!(names, ["a", "b", "c", "paused"]);
    let next = |name| (String::from(name), world.schedule(name).next_run.unwrap());
    assert_eq!(
        world.store().fires().unwrap(),
        [next("a"), next("c"), next("b")]
    );
}

fn cron(expression: &str, timezone: &str) -> Timing {
    Timing::from_parts(Some(expression), None, timezone).unwrap()
}
