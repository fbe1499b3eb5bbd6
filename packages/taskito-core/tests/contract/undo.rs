//! Taking back what somebody did a moment ago.

use std::time::Duration;

use taskito_core::bulk::{NewOperation, Verb};
use taskito_core::cause::Cause;
use taskito_core::filter::Filter;
use taskito_core::id::Key;
use taskito_core::job::NewJob;
use taskito_core::state::State;
use taskito_core::store::bulk::{Driven, begin, drive};
use taskito_core::store::undo::{reinstate, take_back, undo};

use crate::support::{Hunger, after, job, job_with};
use crate::world::{NOBODY, World, assert_applied};

contract![
    a_revived_job_goes_and_its_letter_comes_back,
    a_letter_that_comes_back_counts_in_its_group_again,
    a_replayed_job_goes,
    a_copy_that_a_worker_has_had_stays,
    a_cancelled_job_waits_again_as_it_did,
    what_ran_or_has_to_do_with_others_stays_cancelled,
    an_operation_is_taken_back_as_a_whole,
    what_cannot_be_taken_back_is_left,
];

fn a_revived_job_goes_and_its_letter_comes_back(world: &World) {
    let token = world.running(job("a"));
    assert_applied(world.bury(token, "no"));
    let before = world.sight();
    world.advance(1000);
    let letter = world.letter(token.key).key;
    let copy = world.revive(letter).unwrap();
    assert!(take_back(world.store(), world.now(), copy, Some(token.key)).unwrap());
    let mut now = world.sight();
    assert_ne!(now.letters[0].key, letter);
    now.letters[0].key = letter;
    assert_eq!(now, before);
    assert!(!take_back(world.store(), world.now(), copy, Some(token.key)).unwrap());
    assert_eq!(world.letters().len(), 1);
    assert!(world.revive(world.letter(token.key).key).is_some());
}

fn a_letter_that_comes_back_counts_in_its_group_again(world: &World) {
    let token = world.running(job("a"));
    let cause = Cause::lost("no");
    assert_applied(world.bury_because(token, &cause));
    let group = cause.fingerprint("a");
    let dead = || world.store().group(group).unwrap().unwrap().dead;
    let copy = world.revive(world.letter(token.key).key).unwrap();
    assert_eq!(dead(), 0);
    assert!(take_back(world.store(), world.now(), copy, Some(token.key)).unwrap());
    assert_eq!(dead(), 1);
    assert_eq!(world.row(token.key).failure, Some(group));
}

fn a_replayed_job_goes(world: &World) {
    let token = world.running(job("a"));
    assert_applied(world.complete(token, b""));
    let before = world.sight();
    let copy = world.replay(token.key).unwrap();
    assert!(take_back(world.store(), world.now(), copy, None).unwrap());
    assert_eq!(world.sight(), before);
    assert_eq!(world.store().replays(token.key).unwrap(), []);
}

fn a_copy_that_a_worker_has_had_stays(world: &World) {
    let token = world.running(job("a"));
    assert_applied(world.complete(token, b""));
    let copy = world.replay(token.key).unwrap();
    let claimed = world.take().token;
    assert!(!take_back(world.store(), world.now(), copy, None).unwrap());
    world.hand_back(claimed);
    assert!(!take_back(world.store(), world.now(), copy, None).unwrap());
    assert_eq!(world.state(copy), State::Pending);
    assert!(!take_back(world.store(), world.now(), NOBODY, None).unwrap());
}

fn a_cancelled_job_waits_again_as_it_did(world: &World) {
    let settings = job_with("a", |spec| {
        spec.queue = "mail".into();
        spec.delay = Duration::from_secs(60);
        spec.unique_key = Some("u".into());
        spec.idempotency_key = Some("i".into());
        spec.metadata = Some("m".into());
        spec.headers = Some("{}".into());
        spec.limit_key = Some("l".into());
        spec.expires = Some(Duration::from_secs(90));
    });
    let source = world.insert(NewJob {
        preview: Some("7".into()),
        ..settings
    });
    let before = world.row(source);
    world.advance(10_000);
    assert!(world.cancel(source));
    world.advance(1000);
    let back = reinstate(world.store(), world.now(), source)
        .unwrap()
        .unwrap();
    let mut row = world.row(back);
    assert_eq!(row.wait_length, Duration::from_secs(49));
    (row.key, row.created_at, row.wait_length) =
        (before.key, before.created_at, before.wait_length);
    assert_eq!(row, before);
    assert!(world.store().job(source).unwrap().is_none());
}

fn what_ran_or_has_to_do_with_others_stays_cancelled(world: &World) {
    let ran = world.job_that_is(State::Cancelled).key;
    let parent = world.insert(job("a"));
    let child = world.insert(after("b", &[parent]));
    assert!(world.cancel(parent));
    let waiting = world.insert(job("c"));
    for key in [ran, parent, child, waiting, NOBODY] {
        assert_eq!(reinstate(world.store(), world.now(), key).unwrap(), None);
    }
    assert_eq!(world.state(child), State::Cancelled);
}

fn operation(world: &World, verb: Verb) -> Key {
    let wanted = NewOperation {
        verb,
        filter: Filter::default(),
        text: "all".into(),
        who: "ana".into(),
        total: 0,
        rate: None,
        stop_after: None,
        canary: None,
    };
    let key = world.write(|t| begin(t, world.now(), &wanted));
    assert_eq!(undo(world.store(), world.now(), key, "bob").unwrap(), None);
    while drive(world.store(), world.now(), 1).unwrap() == Driven::Moved {}
    key
}

fn an_operation_is_taken_back_as_a_whole(world: &World) {
    for _ in 0..3 {
        let token = world.running(job("a"));
        assert_applied(world.bury(token, "no"));
    }
    let complete = world.job_that_is(State::Complete).key;
    let without_letter = world.job_that_is(State::Dead).key;
    world.discard(&[world.letter(without_letter).key]);
    let retry = operation(world, Verb::Retry);
    assert_eq!(world.claimed(Hunger::of(1)).len(), 1);
    let undone = undo(world.store(), world.now(), retry, "bob").unwrap();
    assert_eq!((undone, world.letters().len()), (Some(4), 2));
    assert_eq!(world.store().replays(complete).unwrap(), []);
    let row = world.store().operation(retry).unwrap().unwrap();
    assert_eq!(row.report.as_deref(), Some("undone by bob: 4 jobs"));
    assert_eq!(world.store().deeds(1).unwrap()[0].deed, "undo");
}

fn what_cannot_be_taken_back_is_left(world: &World) {
    let token = world.job_that_is(State::Complete);
    let running = world.running(job("r"));
    let waiting = world.insert(job("w"));
    let cancelled = operation(world, Verb::Cancel);
    let again = undo(world.store(), world.now(), cancelled, "bob").unwrap();
    assert_eq!(again, Some(1));
    assert!(world.store().job(waiting).unwrap().is_none());
    assert!(world.row(running.key).cancel_requested);
    let deleted = operation(world, Verb::Delete);
    assert_eq!(
        undo(world.store(), world.now(), deleted, "bob").unwrap(),
        None
    );
    assert!(world.store().job(token.key).unwrap().is_none());
    assert_eq!(
        undo(world.store(), world.now(), NOBODY, "bob").unwrap(),
        None
    );
}
