//! -> blocked, and what else ties a new job to others. Long, as it is one arrow.

use std::time::Duration;

use taskito_core::error::Error;
use taskito_core::id::Key;
use taskito_core::job::{Inserted, NewJob};
use taskito_core::links::{Group, GroupId, Inputs, Links, Parent};
use taskito_core::state::{State, Status};

use crate::support::{Hunger, after, after_new, job, job_with, tied};
use crate::world::{NOBODY, World, assert_applied};

contract![
    a_job_with_an_unfinished_parent_is_blocked_and_reads_as_pending,
    a_job_whose_parents_are_complete_is_pending_at_once,
    a_job_with_a_delay_and_complete_parents_is_scheduled,
    a_parent_named_twice_counts_once,
    an_empty_list_of_parents_blocks_nothing,
    a_missing_parent_is_an_error_and_nothing_is_stored,
    an_id_of_another_database_is_as_missing_as_an_unknown_key,
    a_sibling_that_does_not_come_before_is_an_error,
    a_duplicate_is_answered_whatever_its_parents_are,
    a_duplicate_can_be_a_parent,
    a_job_after_a_dead_one_is_stored_and_cancelled_at_once,
    a_job_after_a_cancelled_one_is_stored_and_cancelled_at_once,
    a_job_after_a_cascaded_one_names_the_root,
    what_follows_a_doomed_job_in_its_insert_is_doomed_too,
    the_first_parent_that_ended_in_vain_is_the_root,
    a_doomed_job_holds_no_unique_key,
    dependencies_come_in_the_order_in_which_they_were_named,
    dependents_come_oldest_first_and_stay_known,
    jobs_of_a_workflow_share_the_key_of_the_first,
    two_inserts_are_two_workflows,
    members_of_a_group_share_its_number_and_groups_may_be_nested,
];

fn insert_all(world: &World, jobs: &[NewJob]) -> Vec<Key> {
    let inserted = world.insert_all(jobs);
    inserted.iter().map(|answer| answer.key).collect()
}

fn unique(job: NewJob, key: &str) -> NewJob {
    let mut spec = (*job.spec).clone();
    spec.unique_key = Some(key.into());
    NewJob {
        spec: spec.into(),
        ..job
    }
}

fn a_job_with_an_unfinished_parent_is_blocked_and_reads_as_pending(world: &World) {
    for parent in [
        world.job_that_is(State::Running).key,
        world.job_that_is(State::Scheduled).key,
        world.job_that_is(State::Pending).key,
    ] {
        let key = world.insert(after("b", &[parent]));
        let row = world.row(key);
        assert_eq!(row.state, State::Blocked);
        assert_eq!(row.state.status(), Status::Pending);
        assert_eq!(row.waiting_on, 1);
        assert_eq!(row.run_at, world.now());
        assert!(!world.claimed(Hunger::endless()).contains(&key));
    }
}

fn a_job_whose_parents_are_complete_is_pending_at_once(world: &World) {
    let done = [State::Complete; 2].map(|state| world.job_that_is(state).key);
    let key = world.insert(after("b", &done));
    let row = world.row(key);
    assert_eq!((row.state, row.waiting_on), (State::Pending, 0));
    assert_eq!(world.claimed(Hunger::endless()), [key]);
}

fn a_job_with_a_delay_and_complete_parents_is_scheduled(world: &World) {
    let done = world.job_that_is(State::Complete).key;
    let mut delayed = job_with("b", |spec| spec.delay = Duration::from_millis(500));
    delayed.links = after("b", &[done]).links;
    let row = world.row(world.insert(delayed));
    assert_eq!(
        (row.state, row.run_at),
        (State::Scheduled, world.later(500))
    );
}

fn a_parent_named_twice_counts_once(world: &World) {
    let parent = world.running(job("a"));
    let key = world.insert(after("b", &[parent.key, parent.key]));
    assert_eq!(world.row(key).waiting_on, 1);
    assert_eq!(world.dependencies(key), [parent.key]);
    assert_eq!(world.dependents(parent.key), [key]);
    assert_applied(world.complete(parent, b"r"));
    assert_eq!(world.state(key), State::Pending);
}

fn an_empty_list_of_parents_blocks_nothing(world: &World) {
    let key = world.insert(after("a", &[]));
    assert_eq!(world.state(key), State::Pending);
    assert_eq!(world.dependencies(key), []);
}

fn a_missing_parent_is_an_error_and_nothing_is_stored(world: &World) {
    world.insert(job("a"));
    let before = world.sight();
    let refused = world
        .try_write(|t| t.insert(world.now(), &[job("b"), after("c", &[NOBODY]), job("d")]))
        .unwrap_err();
    assert_eq!(
        refused.to_string(),
        format!("Dependency job '{}' not found", world.text(NOBODY))
    );
    assert_eq!(refused.kind(), "missing_dependency");
    assert_eq!(world.sight(), before);
}

fn an_id_of_another_database_is_as_missing_as_an_unknown_key(world: &World) {
    let unknown = tied(
        "b",
        Links {
            after: vec![Parent::Unknown("text".into())],
            ..Links::default()
        },
    );
    let refused = world.try_write(|t| t.insert(world.now(), std::slice::from_ref(&unknown)));
    let text = refused.unwrap_err().to_string();
    assert_eq!(text, "Dependency job 'text' not found");
    world.insert(unique(job("a"), "k"));
    assert!(world.insert_all(&[unique(unknown, "k")])[0].deduplicated);
}

fn a_sibling_that_does_not_come_before_is_an_error(world: &World) {
    for index in [1, 2] {
        let jobs = [job("a"), after_new("b", &[index])];
        let refused = world.try_write(|t| t.insert(world.now(), &jobs));
        assert!(matches!(refused, Err(Error::Invalid { .. })));
    }
    assert_eq!(world.jobs(), []);
}

fn a_duplicate_is_answered_whatever_its_parents_are(world: &World) {
    let first = world.insert(unique(job("a"), "k"));
    let again = world.insert_all(&[unique(after("b", &[NOBODY]), "k")]);
    assert_eq!(
        again,
        [Inserted {
            key: first,
            deduplicated: true
        }]
    );
    assert_eq!(world.dependencies(first), []);
}

fn a_duplicate_can_be_a_parent(world: &World) {
    let first = world.insert(unique(job("a"), "k"));
    let inserted = world.insert_all(&[unique(job("a"), "k"), after_new("b", &[0])]);
    assert_eq!(world.dependencies(inserted[1].key), [first]);
}

#[track_caller]
fn assert_doomed(world: &World, job: Key, root: Key, error: &str) {
    let row = world.row(job);
    assert_eq!(row.state, State::Cancelled);
    assert_eq!(row.error, Some(format!("{error}: {}", world.text(root))));
    assert_eq!(row.ended_by, Some(root));
    assert_eq!(row.finished_at, Some(world.now()));
}

fn a_job_after_a_dead_one_is_stored_and_cancelled_at_once(world: &World) {
    let dead = world.job_that_is(State::Dead).key;
    world.advance(300);
    let key = world.insert(after("b", &[dead]));
    assert_doomed(world, key, dead, "dependency failed");
    assert_eq!(world.dependencies(key), [dead]);
    assert_eq!(world.store().stats().unwrap().cancelled, 1);
    assert_eq!(world.claimed(Hunger::endless()), []);
}

fn a_job_after_a_cancelled_one_is_stored_and_cancelled_at_once(world: &World) {
    let cancelled = world.job_that_is(State::Cancelled).key;
    let running = world.running(job("a")).key;
    let key = world.insert(after("b", &[running, cancelled]));
    assert_doomed(world, key, cancelled, "dependency cancelled");
}

fn a_job_after_a_cascaded_one_names_the_root(world: &World) {
    let root = world.running(job("a"));
    let middle = world.insert(after("b", &[root.key]));
    assert_applied(world.bury(root, "boom"));
    let last = world.insert(after("c", &[middle]));
    assert_doomed(world, last, root.key, "dependency failed");
}

fn what_follows_a_doomed_job_in_its_insert_is_doomed_too(world: &World) {
    let root = world.job_that_is(State::Cancelled).key;
    let jobs = [
        after("b", &[root]),
        after_new("c", &[0]),
        job("free"),
        after_new("d", &[1, 2]),
    ];
    let keys = insert_all(world, &jobs);
    for doomed in [0, 1, 3] {
        assert_doomed(world, keys[doomed], root, "dependency cancelled");
    }
    assert_eq!(world.claimed(Hunger::endless()), [keys[2]]);
}

fn the_first_parent_that_ended_in_vain_is_the_root(world: &World) {
    let cancelled = world.job_that_is(State::Cancelled).key;
    let dead = world.job_that_is(State::Dead).key;
    let one = world.insert(after("b", &[cancelled, dead]));
    assert_doomed(world, one, cancelled, "dependency cancelled");
    let other = world.insert(after("b", &[dead, cancelled]));
    assert_doomed(world, other, dead, "dependency failed");
}

fn a_doomed_job_holds_no_unique_key(world: &World) {
    let dead = world.job_that_is(State::Dead).key;
    for _ in 0..2 {
        let inserted = world.insert_all(&[unique(after("b", &[dead]), "k")]);
        assert!(!inserted[0].deduplicated);
    }
}

fn dependencies_come_in_the_order_in_which_they_were_named(world: &World) {
    let [a, b, c] = ["a", "b", "c"].map(|task| world.insert(job(task)));
    let inputs = Some(Inputs::List(vec![Parent::Stored(b), Parent::Stored(a)]));
    let key = world.insert(tied(
        "d",
        Links {
            inputs,
            after: vec![Parent::Stored(c), Parent::Stored(b)],
            ..Links::default()
        },
    ));
    assert_eq!(world.dependencies(key), [b, a, c]);
    assert_eq!(world.row(key).waiting_on, 3);
    assert_eq!(world.dependencies(a), []);
    assert_eq!(world.dependencies(NOBODY), []);
}

fn dependents_come_oldest_first_and_stay_known(world: &World) {
    let parent = world.running(job("a"));
    let [b, c] = ["b", "c"].map(|task| world.insert(after(task, &[parent.key])));
    assert_eq!(world.dependents(parent.key), [b, c]);
    assert_applied(world.complete(parent, b"r"));
    assert_eq!(world.dependents(parent.key), [b, c]);
    assert_eq!(world.dependencies(c), [parent.key]);
    assert_eq!(world.dependents(c), []);
    assert_eq!(world.dependents(NOBODY), []);
}

fn in_workflow(task: &str) -> NewJob {
    tied(
        task,
        Links {
            workflow: true,
            ..Links::default()
        },
    )
}

fn jobs_of_a_workflow_share_the_key_of_the_first(world: &World) {
    let earlier = world.insert(unique(job("z"), "k"));
    let keys = insert_all(
        world,
        &[
            job("alone"),
            unique(in_workflow("found"), "k"),
            in_workflow("a"),
            in_workflow("b"),
        ],
    );
    assert_eq!(keys[1], earlier);
    let workflows = keys.iter().map(|key| world.row(*key).workflow);
    assert_eq!(
        workflows.collect::<Vec<_>>(),
        [None, None, Some(keys[2]), Some(keys[2])]
    );
}

fn two_inserts_are_two_workflows(world: &World) {
    let [one, other] = ["a", "b"].map(|task| world.insert(in_workflow(task)));
    assert_eq!(world.row(one).workflow, Some(one));
    assert_eq!(world.row(other).workflow, Some(other));
}

fn in_groups(groups: &[(u32, u32)]) -> NewJob {
    let groups = groups.iter();
    let groups = groups.map(|&(number, limit)| Group { number, limit });
    tied(
        "member",
        Links {
            groups: groups.collect(),
            ..Links::default()
        },
    )
}

fn members_of_a_group_share_its_number_and_groups_may_be_nested(world: &World) {
    let outer = (7, 3);
    let jobs = [
        in_groups(&[outer]),
        in_groups(&[outer, (8, 1)]),
        in_groups(&[outer, (8, 1)]),
        in_groups(&[]),
        in_groups(&[(9, 1)]),
    ];
    let group = |key: &Key| world.row(*key).group;
    let first: Vec<_> = insert_all(world, &jobs).iter().map(group).collect();
    assert_eq!(
        first,
        [Some(1), Some(2), Some(2), None, Some(3)].map(|id| id.map(GroupId))
    );
    let second: Vec<_> = insert_all(world, &jobs[..1]).iter().map(group).collect();
    assert_eq!(
        second,
        [Some(GroupId(4))],
        "the number belongs to its insert"
    );
}
