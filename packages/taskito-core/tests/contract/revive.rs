//! dead -> a new pending job.

use std::time::Duration;

use taskito_core::job::{Fence, JobRow, NewJob};
use taskito_core::state::State;

use crate::support::{job, job_with};
use crate::world::{CLAIMED, NOBODY, World, assert_applied};

contract![
    a_revived_job_is_a_new_one_with_the_same_settings,
    a_revived_job_has_the_same_payload,
    a_revived_job_has_no_keys_and_no_history,
    a_revived_job_is_due_at_once,
    the_letter_is_gone_and_the_old_job_stays_dead,
    a_letter_is_revived_once,
    a_letter_that_does_not_exist_revives_nothing,
    the_key_of_a_job_is_no_letter,
    a_revived_job_can_die_and_be_revived_again,
    a_job_of_a_dead_worker_is_revived_without_its_losses,
    other_letters_stay,
];

fn special(task: &str) -> NewJob {
    NewJob {
        payload: b"\x00args".to_vec(),
        ..job_with(task, |spec| {
            spec.queue = "mail".into();
            spec.priority = 5;
            spec.max_retries = 9;
            spec.timeout = Duration::from_millis(1500);
            spec.unique_key = Some("u".into());
            spec.idempotency_key = Some("i".into());
            spec.metadata = Some("m".into());
            spec.headers = Some("{}".into());
        })
    }
}

fn a_revived_job_is_a_new_one_with_the_same_settings(world: &World) {
    let token = world.running(special("send"));
    assert_applied(world.bury(token, "boom"));
    let letter = world.letter(token.key);
    world.advance(300);
    let again = world.revive(letter.key).unwrap();
    assert!(again > letter.key);
    assert_eq!(
        world.row(again),
        JobRow {
            key: again,
            state: State::Pending,
            fence: Fence(0),
            created_at: world.now(),
            run_at: world.now(),
            claimed_at: None,
            finished_at: None,
            unique_key: None,
            idempotency_key: None,
            error: None,
            ..world.row(token.key)
        }
    );
}

fn a_revived_job_has_the_same_payload(world: &World) {
    let token = world.running(special("send"));
    assert_applied(world.bury(token, "boom"));
    let again = world.revive(world.letter(token.key).key).unwrap();
    let claim = world.take();
    assert_eq!(claim.token.key, again);
    assert_eq!(claim.payload, b"\x00args");
    assert_eq!((&*claim.queue, &*claim.task), ("mail", "send"));
    assert_eq!(claim.timeout, Duration::from_millis(1500));
    assert_eq!(claim.max_retries, 9);
}

fn a_revived_job_has_no_keys_and_no_history(world: &World) {
    let token = world.running(special("send"));
    assert_applied(world.retry(token, "e", world.now()));
    world.promote(1);
    assert_applied(world.bury(world.take().token, "boom"));
    let newer = world.insert(job_with("other", |spec| {
        spec.unique_key = Some("u".into());
    }));
    let again = world.revive(world.letter(token.key).key).unwrap();
    assert_ne!(again, newer);
    let row = world.row(again);
    assert_eq!((row.unique_key, row.idempotency_key), (None, None));
    assert_eq!((row.retry_count, row.losses), (0, 0));
    assert_eq!(world.attempts(again), []);
    assert_eq!(world.attempts(token.key).len(), 2);
}

fn a_revived_job_is_due_at_once(world: &World) {
    let key = world.insert(job_with("a", |spec| spec.delay = Duration::from_secs(9)));
    world.advance(9000);
    world.promote(1);
    assert_applied(world.bury(world.take().token, "boom"));
    let again = world.revive(world.letter(key).key).unwrap();
    assert_eq!(world.state(again), State::Pending);
    assert_eq!(world.row(again).run_at, world.now());
    assert_eq!(world.take().token.key, again);
}

fn the_letter_is_gone_and_the_old_job_stays_dead(world: &World) {
    let token = world.running(special("send"));
    assert_applied(world.bury(token, "boom"));
    let dead = world.row(token.key);
    world.advance(300);
    world.revive(world.letter(token.key).key).unwrap();
    assert_eq!(world.letters(), []);
    assert_eq!(world.row(token.key), dead);
}

fn a_letter_is_revived_once(world: &World) {
    let token = world.running(job("a"));
    assert_applied(world.bury(token, "boom"));
    let letter = world.letter(token.key).key;
    assert!(world.revive(letter).is_some());
    let before = world.sight();
    assert_eq!(world.revive(letter), None);
    assert_eq!(world.sight(), before);
}

fn a_letter_that_does_not_exist_revives_nothing(world: &World) {
    assert_eq!(world.revive(NOBODY), None);
    assert_eq!(world.jobs(), []);
}

fn the_key_of_a_job_is_no_letter(world: &World) {
    for state in CLAIMED {
        let token = world.job_that_is(state);
        assert_eq!(world.revive(token.key), None, "{}", state.name());
        for job in world.jobs() {
            world.cancel(job.key);
        }
    }
}

fn a_revived_job_can_die_and_be_revived_again(world: &World) {
    let token = world.running(job("a"));
    assert_applied(world.bury(token, "boom"));
    world.revive(world.letter(token.key).key).unwrap();
    let second = world.take().token;
    assert_applied(world.bury(second, "boom again"));
    let third = world.revive(world.letter(second.key).key).unwrap();
    assert_eq!(world.take().token.key, third);
    assert_eq!(world.store().stats().unwrap().dead, 2);
}

fn a_job_of_a_dead_worker_is_revived_without_its_losses(world: &World) {
    let token = world.running(job("a"));
    assert_applied(world.bury_lost(token, "its worker died"));
    let again = world.revive(world.letter(token.key).key).unwrap();
    assert_eq!(world.row(again).losses, 0);
}

fn other_letters_stay(world: &World) {
    let first = world.running(job("a"));
    assert_applied(world.bury(first, "one"));
    let second = world.running(job("a"));
    assert_applied(world.bury(second, "two"));
    let kept = world.letter(second.key);
    world.revive(world.letter(first.key).key).unwrap();
    assert_eq!(world.letters(), [kept]);
}
