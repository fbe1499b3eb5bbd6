//! Workers come, live and leave.

use taskito_core::error::Error;
use taskito_core::id::Key;
use taskito_core::job::{Beat, Held, NewWorker, WorkerId, WorkerRow};

use crate::support::{Hunger, job, job_with, worker};
use crate::world::{World, assert_applied};

contract![
    a_new_worker_is_on_the_roster_as_it_introduced_itself,
    a_worker_may_say_nothing_of_itself,
    a_worker_may_know_a_task_without_a_name,
    workers_are_listed_oldest_first,
    a_number_of_a_worker_is_never_used_twice,
    a_beat_renews_what_a_worker_says,
    a_beat_of_a_stranger_changes_nothing,
    a_worker_that_is_asked_to_leave_is_marked_until_it_has_left,
    a_stranger_cannot_be_asked_to_leave,
    a_worker_holds_what_it_claimed_and_did_not_settle,
    a_stranger_holds_nothing,
    running_jobs_are_counted_by_worker,
    a_worker_that_holds_nothing_is_dismissed_once,
    a_worker_with_running_jobs_is_not_dismissed,
    a_dismissed_worker_leaves_the_others,
];

fn enlist(world: &World, about: &NewWorker) -> WorkerId {
    world.write(|t| t.enlist(world.now(), about))
}

fn dismiss(world: &World, id: WorkerId) -> bool {
    world.write(|t| t.dismiss(id))
}

fn roster(world: &World) -> Vec<WorkerRow> {
    world.store().workers().unwrap()
}

fn a_new_worker_is_on_the_roster_as_it_introduced_itself(world: &World) {
    let strings = |words: &[&str]| words.iter().map(|&word| word.into()).collect::<Vec<_>>();
    let about = NewWorker {
        hostname: "höst".into(),
        pid: u32::MAX,
        version: "1.2.3".into(),
        queues: strings(&["mail", "a,b", "say \"hi\"", "back\\slash"]),
        tasks: strings(&["send", "naïve 🦀", "line\nbreak", "[]"]),
        concurrency: 8,
    };
    let id = enlist(world, &about);
    let roster = roster(world);
    assert_eq!(roster.len(), 1);
    let row = &roster[0];
    assert_eq!(row.id, id);
    assert!(row.key > Key(0));
    assert_eq!(format!("{:?}", row.about), format!("{about:?}"));
    assert_eq!(row.running, 0);
    assert!(!row.draining);
    assert_eq!(row.started_at, world.now());
    assert_eq!(row.heartbeat_at, world.now());
}

fn a_worker_may_say_nothing_of_itself(world: &World) {
    enlist(world, &worker());
    let about = &roster(world)[0].about;
    assert!(about.queues.is_empty());
    assert!(about.tasks.is_empty());
}

fn a_worker_may_know_a_task_without_a_name(world: &World) {
    let about = NewWorker {
        tasks: vec![String::new(), "a".into()],
        ..worker()
    };
    enlist(world, &about);
    assert_eq!(roster(world)[0].about.tasks, about.tasks);
}

fn workers_are_listed_oldest_first(world: &World) {
    let ids = [0; 3].map(|_| enlist(world, &worker()));
    let rows = roster(world);
    assert_eq!([0, 1, 2].map(|index| rows[index].id), ids);
    assert!(rows.windows(2).all(|pair| pair[0].key < pair[1].key));
}

fn a_number_of_a_worker_is_never_used_twice(world: &World) {
    let first = enlist(world, &worker());
    assert!(dismiss(world, first));
    let second = enlist(world, &worker());
    assert!(second > first);
    assert!(dismiss(world, second));
    assert!(enlist(world, &worker()) > second);
}

fn a_beat_renews_what_a_worker_says(world: &World) {
    let id = enlist(world, &worker());
    let started_at = world.now();
    world.advance(5000);
    let beat = Beat {
        tasks: vec!["a".into(), "b".into()],
        draining: true,
        abandoned: 3,
        ended: 41,
        rss: Some(5_000_000),
    };
    world.write(|t| t.beat(world.now(), id, &beat));
    let row = roster(world).remove(0);
    assert_eq!(row.about.tasks, beat.tasks);
    assert_eq!((row.draining, row.abandoned, row.ended), (true, 3, 41));
    assert_eq!(row.heartbeat_at, world.now());
    assert_eq!(row.started_at, started_at);
    assert_eq!(row.about.hostname, "host");
    world.write(|t| t.beat(world.now(), id, &Beat::default()));
    let row = roster(world).remove(0);
    assert!(row.about.tasks.is_empty());
    assert_eq!((row.draining, row.abandoned), (false, 0));
}

fn a_beat_of_a_stranger_changes_nothing(world: &World) {
    let id = enlist(world, &worker());
    let before = world.sight();
    let beat = Beat {
        draining: true,
        ..Beat::default()
    };
    world.advance(5000);
    world.write(|t| t.beat(world.now(), WorkerId(id.0 + 1), &beat));
    assert_eq!(world.sight(), before);
}

fn a_worker_that_is_asked_to_leave_is_marked_until_it_has_left(world: &World) {
    let [one, other] = [0; 2].map(|_| enlist(world, &worker()));
    let marks = |world: &World| -> Vec<_> {
        let rows = roster(world).into_iter();
        rows.map(|row| (row.drain_requested, row.draining))
            .collect()
    };
    assert!(world.write(|t| t.request_drain(one)));
    assert_eq!(marks(world), [(true, false), (false, false)]);
    // Whatever it says of itself, and however often it is asked.
    world.write(|t| t.beat(world.now(), one, &Beat::default()));
    assert!(world.write(|t| t.request_drain(one)));
    assert_eq!(marks(world), [(true, false), (false, false)]);
    assert!(dismiss(world, one));
    assert_eq!(roster(world)[0].id, other);
    assert_eq!(marks(world), [(false, false)]);
}

fn a_stranger_cannot_be_asked_to_leave(world: &World) {
    let id = enlist(world, &worker());
    let before = world.sight();
    assert!(!world.write(|t| t.request_drain(WorkerId(id.0 + 1))));
    assert_eq!(world.sight(), before);
}

fn a_worker_holds_what_it_claimed_and_did_not_settle(world: &World) {
    world.insert_all(&[
        job_with("a", |spec| spec.max_retries = 7),
        job("a"),
        job("b"),
        job("b"),
        job("c"),
        job("c"),
        job("d"),
    ]);
    let tokens: Vec<_> = world
        .claim(&mut Hunger::endless())
        .iter()
        .map(|claim| claim.token)
        .collect();
    assert_applied(world.complete(tokens[1], b""));
    assert_applied(world.retry(tokens[2], "e", world.now()));
    assert_applied(world.lose(tokens[3], "e"));
    assert_applied(world.hand_back(tokens[4]));
    assert_applied(world.bury(tokens[5], "e"));
    assert_eq!(
        world.held(world.worker()),
        [
            Held {
                token: tokens[0],
                max_retries: 7,
                losses: 0,
                cancel_requested: false,
            },
            Held {
                token: tokens[6],
                max_retries: 3,
                losses: 0,
                cancel_requested: false,
            },
        ]
    );
}

fn a_stranger_holds_nothing(world: &World) {
    world.running(job("a"));
    let other = enlist(world, &worker());
    assert_eq!(world.held(other), []);
    assert_eq!(world.held(WorkerId(other.0 + 1)), []);
}

fn running_jobs_are_counted_by_worker(world: &World) {
    world.insert_all(&["a", "b", "c", "d", "e"].map(job));
    let first = world.worker();
    let second = enlist(world, &worker());
    world.claim(&mut Hunger::of(2));
    let claims = world.write(|t| t.claim(world.now(), second, &mut Hunger::endless()));
    let counts = |world: &World| -> Vec<_> {
        roster(world)
            .iter()
            .map(|row| (row.id, row.running))
            .collect()
    };
    assert_eq!(counts(world), [(first, 2), (second, 3)]);
    assert_applied(world.complete(claims[0].token, b""));
    assert_eq!(counts(world), [(first, 2), (second, 2)]);
}

fn a_worker_that_holds_nothing_is_dismissed_once(world: &World) {
    let token = world.running(job("a"));
    assert_applied(world.hand_back(token));
    assert!(dismiss(world, world.worker()));
    assert!(roster(world).is_empty());
    assert!(!dismiss(world, world.worker()));
}

fn a_worker_with_running_jobs_is_not_dismissed(world: &World) {
    let token = world.running(job("a"));
    let before = world.sight();
    let worker = world.worker();
    let refused = world.try_write(|t| t.dismiss(worker));
    assert!(matches!(refused, Err(Error::Invalid { .. })), "{refused:?}");
    assert_eq!(world.sight(), before);
    assert_applied(world.complete(token, b""));
    assert!(dismiss(world, worker));
}

fn a_dismissed_worker_leaves_the_others(world: &World) {
    let first = enlist(world, &worker());
    let second = enlist(world, &worker());
    let third = enlist(world, &worker());
    assert!(dismiss(world, second));
    let left: Vec<_> = roster(world).iter().map(|row| row.id).collect();
    assert_eq!(left, [first, third]);
}
