//! Workflows as a whole: how far they are, calling them off, going on where they failed.

use std::time::Duration;

use taskito_core::error::Error;
use taskito_core::id::Key;
use taskito_core::job::{Claim, NewJob, Stats};
use taskito_core::links::{Inputs, Links, Parent, Shape};
use taskito_core::state::State;
use taskito_core::store::{CalledOff, Sync, Tie, cancel_workflow, resume_workflow};

use crate::support::{Hunger, job, job_with, tied};
use crate::world::{NOBODY, World, assert_applied};

contract![
    workflows_come_newest_first_and_page_by_page,
    a_tally_counts_by_status_and_names_the_failed_one,
    a_tally_looks_at_so_many_jobs_only,
    members_come_oldest_first_with_their_ties,
    cancelling_reaches_all_that_wait_and_asks_those_that_run,
    resuming_stores_what_failed_and_what_it_took_along,
    a_resumed_job_takes_the_results_of_the_completed_ones,
    resuming_needs_a_dead_letter,
    only_one_of_two_resumes_the_workflow,
    resuming_says_which_result_is_gone,
];

const MOST: u32 = 10_000;

fn step(task: &str, inputs: Option<Inputs<usize>>, after: &[usize]) -> NewJob {
    let new = |index: &usize| Parent::New(*index);
    let inputs = inputs.map(|inputs| match inputs {
        Inputs::One(one) => Inputs::One(new(&one)),
        Inputs::List(all) => Inputs::List(all.iter().map(new).collect()),
    });
    tied(
        task,
        Links {
            inputs,
            after: after.iter().map(new).collect(),
            workflow: true,
            groups: vec![],
        },
    )
}

/// a and b run at once, c takes their results, d that of c.
fn diamond(world: &World) -> [Key; 4] {
    let inserted = world.insert_all(&[
        step("a", None, &[]),
        step("b", None, &[]),
        step("c", Some(Inputs::List(vec![0, 1])), &[]),
        step("d", Some(Inputs::One(2)), &[0]),
    ]);
    [0, 1, 2, 3].map(|index: usize| inserted[index].key)
}

fn run(world: &World, task: &str) -> Claim {
    let mut claims = world.claim(&mut Hunger::endless());
    assert_eq!(claims.len(), 1, "{claims:?}");
    assert_eq!(&*claims[0].task, task);
    claims.remove(0)
}

/// A diamond of which a is complete and b dead, so that c and d are cancelled.
fn failed_diamond(world: &World) -> [Key; 4] {
    let keys = diamond(world);
    let claims = world.claim(&mut Hunger::endless());
    assert_applied(world.complete(claims[0].token, b"ra"));
    assert_applied(world.bury(claims[1].token, "ValueError: no"));
    assert_eq!(
        keys.map(|key| world.state(key)),
        [
            State::Complete,
            State::Dead,
            State::Cancelled,
            State::Cancelled
        ]
    );
    keys
}

fn resume(world: &World, workflow: Key) -> Option<(Key, u32)> {
    let resumed = resume_workflow(world.store(), Sync::Relaxed, world.now(), workflow).unwrap();
    resumed.map(|new| (new.workflow, new.jobs))
}

fn workflows_come_newest_first_and_page_by_page(world: &World) {
    world.insert(job("alone"));
    let first = diamond(world)[0];
    world.advance(1);
    let second = world.insert_all(&[step("a", None, &[])])[0].key;
    let ask = |before, limit| world.store().workflows(before, limit).unwrap();
    assert_eq!(ask(Key::LAST, 10), [second, first]);
    assert_eq!(ask(Key::LAST, 1), [second]);
    assert_eq!(ask(second, 10), [first]);
    assert_eq!(ask(first, 10), []);
}

fn a_tally_counts_by_status_and_names_the_failed_one(world: &World) {
    let [a, b, ..] = diamond(world);
    let tally = |workflow| world.store().tally(workflow, MOST).unwrap();
    assert_eq!(
        tally(a).stats,
        Stats {
            pending: 4,
            ..Stats::default()
        }
    );
    assert_eq!((tally(a).started_at, tally(a).finished_at), (None, None));
    let begin = world.now();
    let claims = world.claim(&mut Hunger::endless());
    world.advance(20);
    assert_applied(world.complete(claims[0].token, b"r"));
    world.advance(5);
    assert_applied(world.bury(claims[1].token, "e"));
    let found = tally(a);
    let expected = Stats {
        complete: 1,
        dead: 1,
        cancelled: 2,
        ..Stats::default()
    };
    assert_eq!(found.stats, expected);
    assert_eq!(found.failed, Some(b));
    assert_eq!(
        (found.started_at, found.finished_at),
        (Some(begin), Some(world.now()))
    );
    assert_eq!(tally(NOBODY).stats.total(), 0);
}

fn a_tally_looks_at_so_many_jobs_only(world: &World) {
    let [a, ..] = diamond(world);
    assert_eq!(world.store().tally(a, 3).unwrap().stats.total(), 3);
}

fn members_come_oldest_first_with_their_ties(world: &World) {
    let keys @ [a, b, c, d] = diamond(world);
    diamond(world);
    let ask = |after, limit| world.store().members(a, after, limit).unwrap();
    let members = ask(Key(0), 10);
    assert_eq!(
        members.iter().map(|found| found.key).collect::<Vec<_>>(),
        keys
    );
    assert_eq!(members[2].inputs, Some(Shape::List));
    assert_eq!(
        (members[3].task.as_str(), members[3].state),
        ("d", State::Blocked)
    );
    assert_eq!(ask(b, 1)[0].key, c);
    let tie = |job, parent, is_input| Tie {
        job,
        parent,
        is_input,
    };
    assert_eq!(
        world.store().ties(a, a, d).unwrap(),
        [
            tie(c, a, true),
            tie(c, b, true),
            tie(d, c, true),
            tie(d, a, false)
        ]
    );
    assert_eq!(world.store().ties(a, d, d).unwrap().len(), 2);
}

fn cancelling_reaches_all_that_wait_and_asks_those_that_run(world: &World) {
    let [a, b, c, d] = diamond(world);
    let claims = world.claim(&mut Hunger::endless());
    assert_applied(world.complete(claims[0].token, b"r"));
    let reached = cancel_workflow(world.store(), Sync::Relaxed, world.now(), a).unwrap();
    assert_eq!(
        reached,
        CalledOff {
            cancelled: 2,
            asked: 1
        }
    );
    assert_eq!(world.state(a), State::Complete);
    assert!(world.row(b).cancel_requested);
    assert_eq!([c, d].map(|key| world.row(key).ended_by), [None, None]);
    let again = cancel_workflow(world.store(), Sync::Relaxed, world.now(), a).unwrap();
    assert_eq!(again.cancelled, 0);
}

fn resuming_stores_what_failed_and_what_it_took_along(world: &World) {
    let [a, b, ..] = failed_diamond(world);
    let (new, jobs) = resume(world, a).unwrap();
    assert_eq!(jobs, 3);
    let members = world.store().members(new, Key(0), 10).unwrap();
    let seen: Vec<_> = members.iter().map(|m| (m.task.as_str(), m.state)).collect();
    assert_eq!(
        seen,
        [
            ("b", State::Pending),
            ("c", State::Blocked),
            ("d", State::Blocked)
        ]
    );
    let row = world.row(new);
    assert_eq!(row.workflow, Some(new));
    assert!(row.metadata.unwrap().contains("replayed_from"));
    assert_eq!(world.state(b), State::Dead);
    assert_eq!(world.store().tally(a, MOST).unwrap().failed, Some(b));
    assert!(
        world
            .store()
            .members(a, Key(0), 10)
            .unwrap()
            .iter()
            .all(|m| m.letter.is_none())
    );
}

fn a_resumed_job_takes_the_results_of_the_completed_ones(world: &World) {
    let [a, ..] = failed_diamond(world);
    resume(world, a).unwrap();
    assert_applied(world.complete(run(world, "b").token, b"rb"));
    let c = run(world, "c");
    assert_eq!(
        c.inputs,
        Some(Inputs::List(vec![b"ra".to_vec(), b"rb".to_vec()]))
    );
    assert_applied(world.complete(c.token, b"rc"));
    assert_eq!(run(world, "d").inputs, Some(Inputs::One(b"rc".to_vec())));
}

fn resuming_needs_a_dead_letter(world: &World) {
    let [a, ..] = diamond(world);
    assert_eq!(resume(world, a), None);
    assert_eq!(resume(world, NOBODY), None);
    let [b, ..] = failed_diamond_alone(world);
    resume(world, b).unwrap();
    assert_eq!(resume(world, b), None);
}

/// As [`failed_diamond`], beside a diamond that waits.
fn failed_diamond_alone(world: &World) -> [Key; 4] {
    for claim in world.claim(&mut Hunger::endless()) {
        assert_applied(world.complete(claim.token, b"r"));
    }
    assert_applied(world.complete(run(world, "c").token, b"r"));
    assert_applied(world.complete(run(world, "d").token, b"r"));
    failed_diamond(world)
}

fn only_one_of_two_resumes_the_workflow(world: &World) {
    let [a, b, ..] = failed_diamond(world);
    let letter = world.store().members(a, Key(0), 10).unwrap()[1]
        .letter
        .unwrap();
    world.write(|t| t.discard(&[letter]));
    assert_eq!(resume(world, a), None);
    assert_eq!(world.state(b), State::Dead);
}

fn resuming_says_which_result_is_gone(world: &World) {
    let inserted = world.insert_all(&[
        step("a", None, &[]),
        job_with("other", |spec| spec.delay = Duration::from_secs(9)),
        step("b", Some(Inputs::One(0)), &[]),
    ]);
    let (a, b) = (inserted[0].key, inserted[2].key);
    assert_applied(world.complete(run(world, "a").token, b"r"));
    assert_applied(world.bury(run(world, "b").token, "e"));
    world.write(|t| t.prune(&[a]));
    let gone = resume_workflow(world.store(), Sync::Relaxed, world.now(), a).unwrap_err();
    assert!(matches!(gone, Error::MissingDependency { .. }), "{gone:?}");
    assert!(
        world.store().members(a, Key(0), 9).unwrap()[0]
            .letter
            .is_some()
    );
    assert_eq!(world.state(b), State::Dead);
}
