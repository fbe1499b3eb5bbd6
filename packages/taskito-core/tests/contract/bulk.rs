//! Many jobs at once: searching by a filter, and operations on all that match. Long, as each verb
//! meets each state.

use std::time::Duration;

use taskito_core::bulk::{Canary, MARK, NewOperation, OperationRow, Phase, Verb};
use taskito_core::cause::Cause;
use taskito_core::filter::{Filter, Written};
use taskito_core::id::Key;
use taskito_core::job::{Claim, JobSpec, NewJob};
use taskito_core::state::State;
use taskito_core::store::End;
use taskito_core::store::bulk::{Direction, Driven, Found, Search, begin, count, drive, stop};
use taskito_core::store::undo::undo;

use crate::support::{Hunger, after, job, job_with};
use crate::world::{NOBODY, World, assert_applied};

contract![
    a_search_finds_what_meets_every_term,
    a_search_goes_on_where_the_page_before_ended,
    a_search_by_failure_finds_the_jobs_of_the_group,
    a_search_by_failure_goes_on_where_the_page_before_ended,
    an_operation_takes_a_group_of_failures,
    arguments_are_found_as_previews_show_them,
    jobs_are_counted_up_to_a_limit,
    an_operation_retries_what_is_finished,
    an_operation_cancels_what_is_not_finished,
    an_operation_deletes_what_is_finished,
    jobs_that_came_later_never_join,
    a_batch_that_another_driver_overtook_changes_nothing,
    one_driver_at_a_time_has_an_operation,
    a_driver_that_is_gone_is_replaced,
    a_rate_is_kept,
    an_operation_stops_when_its_jobs_fail,
    a_canary_that_completes_lets_the_others_go,
    a_canary_that_does_not_complete_ends_it,
    a_canary_is_waited_for_so_long,
    a_canary_is_of_jobs_that_were_made,
    nobody_waits_for_a_canary_that_is_all,
    a_canary_that_another_driver_judged_is_not_judged_again,
    others_go_on_while_one_waits_for_its_canary,
    a_stopped_operation_goes_no_further,
    jobs_that_moved_on_are_skipped,
    what_people_do_is_written_down,
    marks_are_told_for_a_time,
    what_was_long_ago_is_forgotten,
];

/// One of each, so that each can be made: only the last one is pending.
const MIXED: [State; 6] = [
    State::Scheduled,
    State::Running,
    State::Complete,
    State::Dead,
    State::Cancelled,
    State::Pending,
];
const ME: i64 = 1;
const OTHER: i64 = 2;

fn filter(terms: &[(&str, &str)]) -> Filter {
    let written = |(field, value): &(&str, &str)| Written {
        field: field.trim_start_matches('-').into(),
        denied: field.starts_with('-'),
        values: value.split(',').map(String::from).collect(),
    };
    Filter::new(terms.iter().map(written).collect()).unwrap()
}

fn wanted(verb: Verb, terms: &[(&str, &str)]) -> NewOperation {
    NewOperation {
        verb,
        filter: filter(terms),
        text: "what people wrote".into(),
        who: "ana".into(),
        total: 3,
        rate: None,
        stop_after: None,
        canary: None,
    }
}

fn begun(world: &World, wanted: &NewOperation) -> Key {
    world.write(|t| begin(t, world.now(), wanted))
}

fn operation(world: &World, key: Key) -> OperationRow {
    world.store().operation(key).unwrap().unwrap()
}

fn driven(world: &World) -> Driven {
    drive(world.store(), world.now(), ME).unwrap()
}

/// Drives an operation to its end.
fn finished(world: &World, wanted: &NewOperation) -> OperationRow {
    let key = begun(world, wanted);
    while driven(world) == Driven::Moved {}
    let row = operation(world, key);
    assert_eq!(row.phase, Phase::Done);
    assert_eq!(row.ended_at, Some(world.now()));
    row
}

fn found(world: &World, filter: &Filter, limit: u32, before: Key) -> Found {
    let search = Search {
        filter,
        now: world.now(),
        direction: Direction::NewestFirst,
        after: Key(0),
        before,
        limit,
        budget: 100_000,
        patience: Duration::from_secs(60),
    };
    world.store().search(&search).unwrap()
}

fn matches(world: &World, terms: &[(&str, &str)]) -> Vec<Key> {
    found(world, &filter(terms), 100, Key::LAST).keys
}

fn a_search_finds_what_meets_every_term(world: &World) {
    let mail = |spec: &mut JobSpec| {
        spec.queue = "mail".into();
        spec.metadata = Some(r#"{"tags":["eu"]}"#.into());
    };
    let plain = world.insert(job("a"));
    world.advance(1000);
    let mailed = world.insert(job_with("send", mail));
    let waiting = world.insert(after("b", &[plain]));
    assert_eq!(matches(world, &[]), [waiting, mailed, plain]);
    assert_eq!(matches(world, &[("queue", "mail")]), [mailed]);
    assert_eq!(matches(world, &[("-queue", "mail")]), [waiting, plain]);
    assert_eq!(matches(world, &[("task", "a,s*")]), [mailed, plain]);
    assert_eq!(matches(world, &[("state", "blocked")]), [waiting]);
    assert_eq!(matches(world, &[("state", "ready")]), [mailed, plain]);
    assert_eq!(matches(world, &[("tag", "eu")]), [mailed]);
    assert_eq!(matches(world, &[("age>", "999")]), [plain]);
    assert_eq!(matches(world, &[("-age>", "999")]), [waiting, mailed]);
    assert_eq!(matches(world, &[("text", "sen")]), [mailed]);
    assert_eq!(matches(world, &[("id", &world.text(plain))]), [plain]);
    assert_eq!(matches(world, &[("state", "ready"), ("queue", "x")]), []);
    let token = world.claim(&mut Hunger::endless())[0].token;
    assert_eq!(
        matches(world, &[("worker", "host:42"), ("task", "a")]),
        [token.key]
    );
    world.advance(5000);
    assert_applied(world.bury(token, "SMTP timeout"));
    assert_eq!(matches(world, &[("error", "timeout")]), [plain]);
    assert_eq!(matches(world, &[("run>", "4999")]), [mailed, plain]);
    assert_eq!(
        matches(world, &[("state", "dead,cancelled")]),
        [waiting, plain]
    );
}

fn a_search_goes_on_where_the_page_before_ended(world: &World) {
    let mut keys: Vec<Key> = (0..5).map(|_| world.insert(job("a"))).collect();
    keys.reverse();
    let all = filter(&[("task", "a")]);
    let first = found(world, &all, 2, Key::LAST);
    world.insert(job("a"));
    assert_eq!(first.keys, keys[..2]);
    let second = found(world, &all, 2, first.next.unwrap());
    assert_eq!(second.keys, keys[2..4]);
    let third = found(world, &all, 2, second.next.unwrap());
    assert_eq!((third.keys.as_slice(), third.next), (&keys[4..], None));
}

/// A dead job of a task whose last failure says that, and the fingerprint of its group.
fn failed(world: &World, task: &str, template: &str) -> (Key, String) {
    let cause = Cause {
        error_type: "ValueError".into(),
        message: "m".into(),
        template: template.into(),
        location: "mail:send".into(),
        frames: None,
    };
    let token = world.running(job(task));
    let end = End {
        token,
        error: "e",
        cause: Some(&cause),
        run: None,
    };
    assert_applied(world.write(|t| t.bury(world.now(), &[end]))[0]);
    world.advance(10);
    (token.key, cause.fingerprint(task).text())
}

fn a_search_by_failure_finds_the_jobs_of_the_group(world: &World) {
    let (first, group) = failed(world, "a", "one");
    let (other, another) = failed(world, "a", "two");
    let (last, _) = failed(world, "a", "one");
    let plain = world.insert(job("a"));
    assert_ne!(group, another);
    assert_eq!(matches(world, &[("fp", &group)]), [last, first]);
    assert_eq!(matches(world, &[("fp", &group[..8])]), [last, first]);
    assert_eq!(matches(world, &[("-fp", &group)]), [plain, other]);
    let either = format!("{group},{another}");
    assert_eq!(matches(world, &[("fp", &either)]), [last, other, first]);
    assert_eq!(matches(world, &[("fp", &group), ("state", "ready")]), []);
    let both = [("fp", group.as_str()), ("fp", another.as_str())];
    assert_eq!(matches(world, &both), []);
    let not_the_last = [("fp", group.as_str()), ("-id", &world.text(last))];
    assert_eq!(matches(world, &not_the_last), [first]);
}

fn a_search_by_failure_goes_on_where_the_page_before_ended(world: &World) {
    let mut dead = Vec::new();
    for _ in 0..5 {
        dead.push(failed(world, "a", "one"));
        failed(world, "a", "two");
    }
    let which = filter(&[("fp", &dead[0].1)]);
    let mut seen = Vec::new();
    let mut before = Key::LAST;
    loop {
        let page = found(world, &which, 2, before);
        seen.extend(page.keys);
        let Some(next) = page.next else { break };
        before = next;
    }
    let expected: Vec<Key> = dead.iter().rev().map(|(key, _)| *key).collect();
    assert_eq!(seen, expected);
    let store = world.store();
    let counted = count(
        store,
        &which,
        world.now(),
        Key(0),
        9,
        100_000,
        Duration::MAX,
    );
    assert_eq!(counted.unwrap(), (5, true));
}

fn an_operation_takes_a_group_of_failures(world: &World) {
    let (first, group) = failed(world, "a", "one");
    let (other, _) = failed(world, "a", "two");
    let (last, _) = failed(world, "a", "one");
    let row = finished(world, &wanted(Verb::Retry, &[("fp", &group)]));
    assert_eq!((row.done, row.skipped), (2, 0));
    assert_eq!(matches(world, &[("fp", &group)]), []);
    let touched = world.store().touched(row.key, 10).unwrap();
    assert_eq!(
        touched.iter().map(|it| it.0).collect::<Vec<_>>(),
        [first, last]
    );
    let letters = world.letters();
    assert_eq!((letters.len(), letters[0].job), (1, other));
}

fn arguments_are_found_as_previews_show_them(world: &World) {
    let with = |preview: Option<&str>, payload: &[u8]| NewJob {
        preview: preview.map(String::from),
        payload: payload.into(),
        ..job("send")
    };
    let pickled = world.insert(with(Some("7, to='ana'"), b"\x80\x05 not text"));
    let hidden = world.insert(with(Some("token=***"), br#"[[],{"token":"abc"}]"#));
    let cut = world.insert(with(Some("7, text='aa'…"), br#"[[7],{"text":"aab"}]"#));
    let json = world.insert(with(None, br#"[[8],{"to":"bob"}]"#));
    assert_eq!(matches(world, &[("args.to", "ana")]), [pickled]);
    assert_eq!(matches(world, &[("args.to", "a*,bob")]), [json, pickled]);
    assert_eq!(matches(world, &[("args.0", "7")]), [cut, pickled]);
    assert_eq!(matches(world, &[("args.token", "abc")]), []);
    assert_eq!(matches(world, &[("text", "***")]), [hidden]);
    assert_eq!(matches(world, &[("args.text", "aab")]), [cut]);
    assert_eq!(matches(world, &[("text", "send(7")]), [cut, pickled]);
    assert_eq!(matches(world, &[("-args.to", "ana")]), [json, cut, hidden]);
}

fn jobs_are_counted_up_to_a_limit(world: &World) {
    let number_after = |after, terms: &[(&str, &str)], cap| {
        let patience = Duration::from_secs(60);
        count(
            world.store(),
            &filter(terms),
            world.now(),
            after,
            cap,
            100_000,
            patience,
        )
        .unwrap()
    };
    let number = |terms: &[(&str, &str)], cap| number_after(Key(0), terms, cap);
    let keys = [(); 5].map(|()| world.insert(job("a")));
    for terms in [
        &[("task", "a")][..],
        &[("state", "ready")],
        &[("text", "a")],
    ] {
        assert_eq!(number(terms, 10), (5, true), "{terms:?}");
        assert_eq!(number(terms, 3), (3, true), "{terms:?}");
        assert_eq!(number_after(keys[1], terms, 10), (3, true), "{terms:?}");
        assert_eq!(number_after(keys[4], terms, 10), (0, true), "{terms:?}");
    }
    assert_eq!(number(&[("state", "dead")], 10), (0, true));
    assert_eq!(
        number(&[("-state", "dead"), ("queue", "default")], 10),
        (5, true)
    );
}

fn an_operation_retries_what_is_finished(world: &World) {
    let mut sources = Vec::new();
    for state in MIXED {
        sources.push((state, world.job_that_is(state).key));
    }
    let before = world.jobs().len();
    let row = finished(world, &wanted(Verb::Retry, &[]));
    let finished: Vec<_> = sources
        .iter()
        .filter(|(state, _)| state.is_finished())
        .collect();
    assert_eq!(row.done, finished.len() as u64);
    assert_eq!(row.skipped, (before - finished.len()) as u64);
    assert_eq!(world.jobs().len(), before + finished.len());
    assert_eq!(world.letters(), []);
    let copies = world.jobs().into_iter().filter(|job| job.key > row.last);
    assert!(copies.into_iter().all(|job| job.state == State::Pending));
}

fn an_operation_cancels_what_is_not_finished(world: &World) {
    for state in MIXED {
        world.job_that_is(state);
    }
    let dead = matches(world, &[("state", "dead")]);
    finished(world, &wanted(Verb::Cancel, &[]));
    assert_eq!(matches(world, &[("state", "pending")]), []);
    assert_eq!(matches(world, &[("state", "dead")]), dead);
    let running = matches(world, &[("state", "running")]);
    assert!(running.iter().all(|key| world.row(*key).cancel_requested));
}

fn an_operation_deletes_what_is_finished(world: &World) {
    for state in MIXED {
        world.job_that_is(state);
    }
    finished(world, &wanted(Verb::Delete, &[("-state", "dead")]));
    let left = world.jobs();
    assert!(
        left.iter()
            .all(|job| !job.state.is_finished() || job.state == State::Dead)
    );
    assert_eq!(matches(world, &[("state", "dead")]).len(), 1);
}

fn jobs_that_came_later_never_join(world: &World) {
    let early = world.insert(job("a"));
    let key = begun(world, &wanted(Verb::Cancel, &[]));
    let late = world.insert(job("a"));
    while driven(world) == Driven::Moved {}
    assert_eq!(operation(world, key).done, 1);
    assert_eq!(world.state(early), State::Cancelled);
    assert_eq!(world.state(late), State::Pending);
}

fn a_batch_that_another_driver_overtook_changes_nothing(world: &World) {
    for _ in 0..200 {
        let token = world.running(job("a"));
        world.complete(token, b"");
    }
    let mut small = wanted(Verb::Retry, &[("state", "complete")]);
    small.rate = Some(40);
    let key = begun(world, &small);
    // One number, so that no lease keeps them apart.
    std::thread::scope(|scope| {
        let (store, begin) = (world.store(), world.now());
        for _ in 0..4 {
            scope.spawn(move || {
                let mut now = begin;
                while drive(store, now, ME).unwrap() != Driven::Idle {
                    now = now.plus(Duration::from_secs(1));
                }
            });
        }
    });
    let row = operation(world, key);
    assert_eq!((row.phase, row.done, row.skipped), (Phase::Done, 200, 0));
    assert_eq!(world.jobs().len(), 400);
}

fn one_driver_at_a_time_has_an_operation(world: &World) {
    world.insert(job("a"));
    world.insert(job("a"));
    let mut slow = wanted(Verb::Cancel, &[]);
    slow.rate = Some(1);
    begun(world, &slow);
    assert_eq!(driven(world), Driven::Moved);
    world.advance(1000);
    assert_eq!(
        drive(world.store(), world.now(), OTHER).unwrap(),
        Driven::Idle
    );
    assert_eq!(driven(world), Driven::Moved);
}

fn a_driver_that_is_gone_is_replaced(world: &World) {
    for _ in 0..3 {
        world.insert(job("a"));
    }
    let mut slow = wanted(Verb::Cancel, &[]);
    slow.rate = Some(1);
    let key = begun(world, &slow);
    assert_eq!(driven(world), Driven::Moved);
    world.advance(5000);
    assert_eq!(
        drive(world.store(), world.now(), OTHER).unwrap(),
        Driven::Moved
    );
    assert_eq!(operation(world, key).done, 2);
    // A clock that was set back by an hour holds nobody up.
    world.advance(-3_600_000);
    assert_eq!(driven(world), Driven::Moved);
    assert_eq!(operation(world, key).done, 3);
}

fn a_rate_is_kept(world: &World) {
    for _ in 0..40 {
        world.insert(job("a"));
    }
    let mut paced = wanted(Verb::Cancel, &[]);
    paced.rate = Some(20);
    let key = begun(world, &paced);
    let mut second = 0;
    while operation(world, key).phase == Phase::Running {
        for _ in 0..20 {
            driven(world);
            world.advance(50);
        }
        second += 1;
        assert!(operation(world, key).done <= 20 * second);
    }
    assert_eq!(operation(world, key).done, 40);
    assert!(second <= 3);
}

fn an_operation_stops_when_its_jobs_fail(world: &World) {
    for _ in 0..4 {
        let token = world.running(job("a"));
        assert_applied(world.bury(token, "no"));
    }
    let mut careful = wanted(Verb::Retry, &[("state", "dead")]);
    careful.rate = Some(1);
    careful.stop_after = Some(2);
    let key = begun(world, &careful);
    for _ in 0..2 {
        assert_eq!(driven(world), Driven::Moved);
        let token = world.take().token;
        assert_applied(world.bury(token, "no again"));
        world.advance(1000);
    }
    assert_eq!(driven(world), Driven::Moved);
    let row = operation(world, key);
    assert_eq!((row.phase, row.done), (Phase::Stopped, 2));
    assert_eq!(row.report.as_deref(), Some("2 of the jobs it made failed"));
    assert_eq!(driven(world), Driven::Idle);
}

/// How long a canary is waited for here.
const WAIT: Duration = Duration::from_secs(60);
/// How soon it is looked at again.
const GLANCE: Driven = Driven::After(Duration::from_millis(500));

/// An operation that retries the dead, so many of them first.
fn careful(jobs: u32) -> NewOperation {
    NewOperation {
        canary: Some(Canary { jobs, wait: WAIT }),
        ..wanted(Verb::Retry, &[("state", "dead")])
    }
}

/// So many jobs that are dead.
fn dead(world: &World, number: usize) {
    for _ in 0..number {
        let token = world.running(job("a"));
        assert_applied(world.bury(token, "no"));
    }
}

fn a_canary_that_completes_lets_the_others_go(world: &World) {
    dead(world, 5);
    let key = begun(world, &careful(2));
    assert_eq!(driven(world), Driven::Moved);
    let row = operation(world, key);
    assert_eq!((row.done, row.waits_until), (2, Some(world.later(60_000))));
    let [first, second] = &world.claim(&mut Hunger::endless())[..] else {
        panic!("two were made");
    };
    assert_eq!(driven(world), GLANCE);
    world.complete(first.token, b"");
    // Neither a driver that is gone nor one job of two decides anything.
    world.advance(5000);
    assert_eq!(drive(world.store(), world.now(), OTHER).unwrap(), GLANCE);
    // What is deleted as soon as it is complete was complete.
    assert_eq!(world.prune(&[first.token.key]), 1);
    world.complete(second.token, b"");
    assert_eq!(
        drive(world.store(), world.now(), OTHER).unwrap(),
        Driven::Moved
    );
    let row = operation(world, key);
    assert_eq!((row.done, row.waits_until), (2, None));
    while driven(world) == Driven::Moved {}
    let row = operation(world, key);
    assert_eq!((row.phase, row.done), (Phase::Done, 5));
    assert_eq!(row.report, None);
}

fn a_canary_that_does_not_complete_ends_it(world: &World) {
    type Fate = fn(&World, &Claim);
    let fates: [(Fate, &str); 3] = [
        (
            |world, claim| assert_applied(world.bury(claim.token, "no again")),
            "failed",
        ),
        (
            |world, claim| {
                assert_applied(world.retry(claim.token, "no again", world.later(60_000)));
            },
            "failed",
        ),
        (
            |world, claim| {
                assert_applied(world.hand_back(claim.token));
                assert!(world.cancel(claim.token.key));
            },
            "was cancelled",
        ),
    ];
    for (fate, report) in fates {
        dead(world, 3);
        let before = world.letters().len();
        let key = begun(world, &careful(1));
        assert_eq!(driven(world), Driven::Moved);
        let canary = world.take();
        fate(world, &canary);
        assert_eq!(driven(world), Driven::Moved);
        let row = operation(world, key);
        assert_eq!((row.phase, row.done), (Phase::Stopped, 1));
        assert_eq!((row.ended_at, row.waits_until), (Some(world.now()), None));
        let report = format!("the canary {report}: {}", world.text(canary.token.key));
        assert_eq!(row.report, Some(report));
        assert!(world.letters().len() >= before - 1);
        assert_eq!(driven(world), Driven::Idle);
    }
}

fn a_canary_is_waited_for_so_long(world: &World) {
    dead(world, 2);
    let key = begun(world, &careful(1));
    assert_eq!(driven(world), Driven::Moved);
    world.advance(59_999);
    assert_eq!(driven(world), GLANCE);
    // A clock that was set back by an hour lets the wait begin anew.
    world.advance(-3_600_000);
    assert_eq!(driven(world), Driven::Moved);
    assert_eq!(operation(world, key).waits_until, Some(world.later(60_000)));
    assert_eq!(driven(world), GLANCE);
    world.advance(60_000);
    assert_eq!(driven(world), Driven::Moved);
    let row = operation(world, key);
    assert_eq!((row.phase, row.done), (Phase::Stopped, 1));
    let report = "the canary was not through after 60 s";
    assert_eq!(row.report.as_deref(), Some(report));
}

fn a_canary_is_of_jobs_that_were_made(world: &World) {
    let waiting = world.insert(job("b"));
    let running = world.take().token;
    dead(world, 2);
    let key = begun(
        world,
        &NewOperation {
            filter: filter(&[]),
            ..careful(1)
        },
    );
    // What cannot be retried is passed by.
    assert_eq!(running.key, waiting);
    assert_eq!(driven(world), Driven::Moved);
    let row = operation(world, key);
    assert_eq!((row.done, row.skipped, row.waits_until), (0, 1, None));
    assert_eq!(driven(world), Driven::Moved);
    assert_eq!(driven(world), GLANCE);
    let row = operation(world, key);
    assert_eq!((row.done, row.skipped), (1, 1));
}

fn nobody_waits_for_a_canary_that_is_all(world: &World) {
    dead(world, 2);
    let row = finished(world, &careful(2));
    assert_eq!((row.done, row.waits_until, row.report), (2, None, None));
}

fn a_canary_that_another_driver_judged_is_not_judged_again(world: &World) {
    dead(world, 100);
    let mut paced = careful(1);
    paced.rate = Some(8);
    let key = begun(world, &paced);
    assert_eq!(driven(world), Driven::Moved);
    world.complete(world.take().token, b"");
    // One number, so that no lease keeps them apart.
    std::thread::scope(|scope| {
        let (store, begin) = (world.store(), world.later(1000));
        for _ in 0..4 {
            scope.spawn(move || {
                let mut now = begin;
                while drive(store, now, ME).unwrap() != Driven::Idle {
                    now = now.plus(Duration::from_secs(1));
                }
            });
        }
    });
    let row = operation(world, key);
    assert_eq!((row.phase, row.done, row.skipped), (Phase::Done, 100, 0));
    assert_eq!(world.store().touched(key, 1000).unwrap().len(), 100);
}

fn others_go_on_while_one_waits_for_its_canary(world: &World) {
    dead(world, 2);
    let waits = begun(world, &careful(1));
    assert_eq!(driven(world), Driven::Moved);
    let other = begun(world, &wanted(Verb::Cancel, &[("task", "none")]));
    assert_eq!(driven(world), Driven::Moved);
    assert_eq!(operation(world, other).phase, Phase::Done);
    assert_eq!(driven(world), GLANCE);
    // It can be ended by hand, and taken back.
    assert!(world.write(|t| stop(t, world.now(), waits, "bob")));
    assert_eq!(operation(world, waits).waits_until, None);
    let undone = undo(world.store(), world.now(), waits, "bob");
    assert_eq!(undone.unwrap(), Some(1));
    assert_eq!(world.letters().len(), 2);
}

fn a_stopped_operation_goes_no_further(world: &World) {
    let waiting = world.insert(job("a"));
    let key = begun(world, &wanted(Verb::Cancel, &[]));
    assert!(world.write(|t| stop(t, world.now(), key, "bob")));
    assert!(!world.write(|t| stop(t, world.now(), key, "bob")));
    assert!(!world.write(|t| stop(t, world.now(), NOBODY, "bob")));
    assert_eq!(driven(world), Driven::Idle);
    assert_eq!(world.state(waiting), State::Pending);
    let row = operation(world, key);
    assert_eq!(row.report.as_deref(), Some("stopped by bob"));
    assert_eq!(
        (row.phase, row.ended_at),
        (Phase::Stopped, Some(world.now()))
    );
}

fn jobs_that_moved_on_are_skipped(world: &World) {
    let parent = world.running(job("a"));
    let child = world.insert(after("b", &[parent.key]));
    world.complete(parent, b"");
    // The parent of an unfinished job stays.
    let row = finished(world, &wanted(Verb::Delete, &[("state", "complete")]));
    assert_eq!((row.done, row.skipped), (0, 1));
    assert_eq!(world.state(child), State::Pending);
    world.write(|t| {
        assert!(
            t.sight(&filter(&[("state", "dead")]), world.now(), child)?
                .is_none()
        );
        assert!(t.sight(&filter(&[]), world.now(), NOBODY)?.is_none());
        Ok(())
    });
}

fn what_people_do_is_written_down(world: &World) {
    let key = begun(world, &wanted(Verb::Cancel, &[]));
    world.advance(5);
    world.write(|t| stop(t, world.now(), key, "bob"));
    world.write(|t| t.audit(world.now(), "eve", "pause", "mail", 1));
    let deeds = world.store().deeds(10).unwrap();
    let told: Vec<_> = deeds
        .iter()
        .map(|deed| {
            (
                deed.who.as_str(),
                deed.deed.as_str(),
                deed.subject.as_str(),
                deed.count,
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            ("eve", "pause", "mail", 1),
            ("bob", "stop", "what people wrote", 0),
            ("ana", "cancel", "what people wrote", 3),
        ]
    );
    assert_eq!(deeds[0].at, world.now());
    assert_eq!(world.store().deeds(1).unwrap(), deeds[..1]);
    assert_eq!(world.store().operations(10).unwrap().len(), 1);
}

fn marks_are_told_for_a_time(world: &World) {
    let mark = |text: &str| {
        world.write(|t| t.audit(world.now(), "ana", MARK, text, 0));
        world.advance(1000);
        world.now()
    };
    let begin = world.now();
    let second = mark("v1");
    world.write(|t| t.audit(world.now(), "ana", "pause", "mail", 1));
    let third = mark("v2");
    mark("v3");
    let told = |from, to, limit| -> Vec<String> {
        let rows = world.store().marks(from, to, limit).unwrap().into_iter();
        rows.map(|row| row.subject).collect()
    };
    assert_eq!(told(begin, world.now(), 9), ["v3", "v2", "v1"]);
    assert_eq!(told(second, third, 9), ["v2"]);
    assert_eq!(told(begin, world.now(), 1), ["v3"]);
    assert_eq!(told(world.now(), world.later(9), 9), [""; 0]);
    let [mark] = &world.store().marks(second, third, 9).unwrap()[..] else {
        panic!("there is one")
    };
    assert_eq!((mark.at, mark.who.as_str()), (second, "ana"));
}

fn what_was_long_ago_is_forgotten(world: &World) {
    let over = begun(world, &wanted(Verb::Cancel, &[]));
    while driven(world) == Driven::Moved {}
    let under_way = begun(world, &wanted(Verb::Cancel, &[]));
    world.advance(91 * 86_400_000);
    let newest = begun(world, &wanted(Verb::Cancel, &[]));
    let known = world.store().operations(10).unwrap();
    let keys: Vec<Key> = known.iter().map(|row| row.key).collect();
    assert_eq!(keys, [newest, under_way]);
    assert!(world.store().operation(over).unwrap().is_none());
    assert_eq!(world.store().deeds(10).unwrap().len(), 1);
}
