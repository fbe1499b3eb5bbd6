//! Questions about limits: what holds a job back, which queues there are.

use std::time::Duration;

use taskito_core::breaker::{BreakerSettings, Trial};
use taskito_core::job::{NewJob, Stats};
use taskito_core::limits::{Hold, Limit, QueueChange, QueueRow, Scope, TaskLimits};
use taskito_core::links::{Group, Links};
use taskito_core::rate::Rate;

use crate::support::{Hunger, job, job_with, tied};
use crate::world::{NOBODY, World, assert_applied};

contract![
    nothing_holds_a_free_job_back,
    every_limit_that_holds_a_job_back_is_named,
    a_key_is_named_with_its_task,
    a_group_is_named,
    limits_are_those_a_worker_announced_last,
    limits_of_all_tasks_are_listed_by_name,
    an_open_breaker_is_named_with_the_next_try,
    nothing_holds_back_what_runs_or_has_ended_or_is_unknown,
    queues_with_jobs_or_settings_are_listed_by_name,
    the_oldest_due_job_is_found_whatever_its_priority_key_and_losses,
    a_job_that_is_not_due_does_not_count_as_waiting,
];

fn rate(text: &str) -> Rate {
    Rate::parse(text).unwrap()
}

fn limits(rate: Option<Rate>, max_concurrent: Option<u32>) -> TaskLimits {
    TaskLimits {
        limit: Limit {
            rate,
            max_concurrent,
        },
        breaker: None,
    }
}

fn holds(world: &World, key: taskito_core::id::Key) -> Vec<Hold> {
    world.store().holds(world.now(), key).unwrap()
}

fn queues(world: &World) -> Vec<QueueRow> {
    world.store().queues(world.now()).unwrap()
}

fn keyed(task: &str, key: &str) -> NewJob {
    job_with(task, |spec| spec.limit_key = Some(key.into()))
}

fn nothing_holds_a_free_job_back(world: &World) {
    world.announce("a", &limits(Some(rate("1/s")), Some(1)));
    world.set_queue("x", &QueueChange::Pause);
    let key = world.insert(job("a"));
    assert_eq!(holds(world, key), []);
}

fn every_limit_that_holds_a_job_back_is_named(world: &World) {
    let code = limits(Some(rate("1/s")), Some(1));
    world.announce("a", &code);
    world.insert_all(&[job("b"), job("b")]);
    assert_eq!(world.claimed(Hunger::endless()).len(), 2);
    world.set_queue("default", &QueueChange::Rate(Some(rate("1/m"))));
    world.insert(job("a"));
    world.claim(&mut Hunger::endless().limit("a", code));
    world.set_queue("default", &QueueChange::MaxConcurrent(Some(3)));
    world.set_queue("default", &QueueChange::Pause);
    let key = world.insert(job("a"));
    assert_eq!(
        holds(world, key),
        [
            Hold::Paused {
                queue: "default".into()
            },
            Hold::Rate {
                scope: Scope::Queue("default".into()),
                rate: rate("1/m"),
                until: world.later(60_000)
            },
            Hold::Full {
                scope: Scope::Queue("default".into()),
                limit: 3,
                running: 3
            },
            Hold::Rate {
                scope: Scope::Task("a".into()),
                rate: rate("1/s"),
                until: world.later(1000)
            },
            Hold::Full {
                scope: Scope::Task("a".into()),
                limit: 1,
                running: 1
            },
        ]
    );
    let delayed = world.insert(job_with("b", |spec| spec.delay = Duration::from_secs(9)));
    assert_eq!(holds(world, delayed).len(), 3);
}

fn a_key_is_named_with_its_task(world: &World) {
    let code = limits(Some(rate("2/s")), Some(1));
    world.announce("a", &code);
    world.insert(keyed("a", "k"));
    world.claim(&mut Hunger::endless().limit("a", code));
    let held = world.insert(keyed("a", "k"));
    let scope = Scope::Key {
        task: "a".into(),
        key: "k".into(),
    };
    let full = Hold::Full {
        scope,
        limit: 1,
        running: 1,
    };
    assert_eq!(holds(world, held), [full]);
    for free in [keyed("a", "l"), job("a")] {
        let key = world.insert(free);
        assert_eq!(holds(world, key), []);
    }
}

fn a_group_is_named(world: &World) {
    let group = Group {
        number: 1,
        limit: 1,
    };
    let links = Links {
        groups: vec![group],
        ..Links::default()
    };
    let members = world.insert_all(&[tied("a", links.clone()), tied("a", links)]);
    world.claim(&mut Hunger::endless());
    let held = holds(world, members[1].key);
    assert!(
        matches!(
            held[..],
            [Hold::Full {
                scope: Scope::Group(_),
                limit: 1,
                running: 1
            }]
        ),
        "{held:?}"
    );
}

fn limits_are_those_a_worker_announced_last(world: &World) {
    let key = world.insert(job("a"));
    world.insert(job("a"));
    world.claim(&mut Hunger::of(1));
    let held = world.jobs()[0].key;
    assert_ne!(held, key);
    assert_eq!(holds(world, held), []);
    world.announce("a", &limits(None, Some(1)));
    assert_eq!(holds(world, held).len(), 1);
    world.announce("a", &limits(None, Some(2)));
    assert_eq!(holds(world, held), []);
    world.announce("a", &limits(None, Some(1)));
    world.announce("a", &TaskLimits::NONE);
    assert_eq!(holds(world, held), []);
}

fn limits_of_all_tasks_are_listed_by_name(world: &World) {
    let (fast, few) = (limits(Some(rate("9/s")), None), limits(None, Some(2)));
    for (task, said) in [
        ("b", &fast),
        ("a", &few),
        ("c", &few),
        ("d", &TaskLimits::NONE),
    ] {
        world.announce(task, said);
    }
    world.announce("c", &TaskLimits::NONE);
    let listed = world.store().task_limits().unwrap();
    assert_eq!(listed, [("a".into(), few.limit), ("b".into(), fast.limit)]);
}

fn an_open_breaker_is_named_with_the_next_try(world: &World) {
    let code = TaskLimits {
        limit: Limit::NONE,
        breaker: Some(BreakerSettings {
            threshold: 1,
            window: Duration::from_secs(1),
            cooldown: Duration::from_secs(5),
        }),
    };
    world.announce("a", &code);
    let token = world.running(job("a"));
    assert_applied(world.bury(token, "e"));
    world.judge("a", token, Trial::Failed);
    let key = world.insert(job("a"));
    world.insert(job("a"));
    let broken = |until| Hold::Broken {
        task: "a".into(),
        until,
    };
    assert_eq!(holds(world, key), [broken(Some(world.later(5000)))]);
    world.advance(5000);
    assert_eq!(holds(world, key), []);
    world.claim(&mut Hunger::endless().limit("a", code));
    assert_eq!(holds(world, world.jobs()[0].key), [broken(None)]);
}

fn nothing_holds_back_what_runs_or_has_ended_or_is_unknown(world: &World) {
    world.set_queue("default", &QueueChange::MaxConcurrent(Some(1)));
    let token = world.running(job("a"));
    assert_eq!(holds(world, token.key), []);
    assert_applied(world.complete(token, b"r"));
    world.set_queue("default", &QueueChange::Pause);
    assert_eq!(holds(world, token.key), []);
    assert_eq!(holds(world, NOBODY), []);
}

fn queues_with_jobs_or_settings_are_listed_by_name(world: &World) {
    assert_eq!(queues(world), []);
    world.set_queue("z", &QueueChange::Pause);
    world.set_queue("m", &QueueChange::Rate(Some(rate("5/s"))));
    world.set_queue("m", &QueueChange::MaxConcurrent(Some(7)));
    world.insert(job_with("a", |spec| spec.queue = "b".into()));
    world.insert(job_with("b", |spec| spec.queue = "b".into()));
    world.claimed(Hunger::of(1));
    let row = |name: &str| QueueRow {
        name: name.into(),
        paused: false,
        limit: Limit::NONE,
        oldest_due_at: None,
        stats: Stats::default(),
    };
    let expected = [
        QueueRow {
            oldest_due_at: Some(world.now()),
            stats: Stats {
                pending: 1,
                running: 1,
                ..Stats::default()
            },
            ..row("b")
        },
        QueueRow {
            limit: Limit {
                rate: Some(rate("5/s")),
                max_concurrent: Some(7),
            },
            ..row("m")
        },
        QueueRow {
            paused: true,
            ..row("z")
        },
    ];
    assert_eq!(queues(world), expected);
    world.set_queue("z", &QueueChange::Resume);
    world.set_queue("m", &QueueChange::Rate(None));
    world.set_queue("m", &QueueChange::MaxConcurrent(None));
    assert_eq!(queues(world).len(), 1);
}

fn the_oldest_due_job_is_found_whatever_its_priority_key_and_losses(world: &World) {
    let oldest = || queues(world)[0].oldest_due_at;
    let made: [NewJob; 3] = [
        job_with("a", |spec| spec.priority = -5),
        job_with("a", |spec| {
            spec.limit_key = Some("k".into());
            spec.priority = -5;
        }),
        job_with("lost", |spec| spec.priority = -5),
    ];
    for oldest_job in made {
        let began = world.now();
        let lost = oldest_job.spec.task.as_ref() == "lost";
        let key = world.insert(oldest_job);
        if lost {
            let token = world.take().token;
            assert_applied(world.lose(token, "e"));
        }
        world.advance(100);
        let others = [keyed("a", "k"), job("a"), job("b"), keyed("c", "l")];
        let others = world.insert_all(&others);
        assert_eq!(oldest(), Some(began));
        assert!(world.cancel(key));
        assert_eq!(oldest(), Some(world.now()));
        for other in others {
            assert!(world.cancel(other.key));
        }
        assert_eq!(oldest(), None);
    }
}

fn a_job_that_is_not_due_does_not_count_as_waiting(world: &World) {
    world.insert(job_with("a", |spec| spec.delay = Duration::from_secs(5)));
    assert_eq!(queues(world)[0].oldest_due_at, None);
    world.advance(6000);
    assert_eq!(queues(world)[0].oldest_due_at, Some(world.later(-1000)));
    world.promote(1);
    assert_eq!(queues(world)[0].oldest_due_at, Some(world.later(-1000)));
}
