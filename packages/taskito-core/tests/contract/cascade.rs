//! blocked -> cancelled, because a job that was waited for ended without a result.

use taskito_core::id::Key;
use taskito_core::job::{JobRow, Token};
use taskito_core::state::State;
use taskito_core::store::{End, Verdict};

use crate::support::{Hunger, after, after_new, job, job_with};
use crate::world::{World, assert_applied, misfenced};

contract![
    a_failure_cancels_all_that_depends_on_it,
    a_loss_that_buries_cancels_all_that_depends_on_it,
    a_cancelled_job_takes_its_dependents_along,
    an_aborted_job_takes_its_dependents_along,
    a_job_that_is_cancelled_instead_of_waiting_again_takes_its_dependents_along,
    cancelling_a_blocked_job_takes_its_dependents_along,
    independent_branches_go_on,
    a_diamond_is_cancelled_once,
    the_first_root_is_named,
    a_stale_burial_cancels_nothing,
    a_retried_dead_letter_revives_no_dependents,
    a_cancelled_dependent_frees_its_unique_key,
    burials_of_one_batch_cascade_each_for_itself,
    a_wide_and_deep_graph_is_cancelled_whole,
];

#[track_caller]
fn assert_fell(world: &World, job: Key, root: Key, error: &str) {
    let row = world.row(job);
    assert_eq!(row.state, State::Cancelled);
    assert_eq!(row.finished_at, Some(world.now()));
    assert_eq!(row.error, Some(format!("{error}: {}", world.text(root))));
    assert_eq!(row.ended_by, Some(root));
    assert_eq!(world.attempts(job), []);
}

/// A running job, one that waits for it, one that waits for that one.
fn family(world: &World) -> (Token, Key, Key) {
    let root = world.running(job("root"));
    let child = world.insert(after("child", &[root.key]));
    let grandchild = world.insert(after("grandchild", &[child]));
    world.advance(300);
    (root, child, grandchild)
}

fn a_failure_cancels_all_that_depends_on_it(world: &World) {
    let (root, child, grandchild) = family(world);
    assert_applied(world.bury(root, "boom"));
    assert_fell(world, child, root.key, "dependency failed");
    assert_fell(world, grandchild, root.key, "dependency failed");
    assert_eq!(world.row(root.key).ended_by, None);
    assert_eq!(world.letters().len(), 1, "only the root is a dead letter");
    let stats = world.store().stats().unwrap();
    assert_eq!((stats.pending, stats.dead, stats.cancelled), (0, 1, 2));
}

fn a_loss_that_buries_cancels_all_that_depends_on_it(world: &World) {
    let (root, child, grandchild) = family(world);
    assert_applied(world.bury_lost(root, "lost"));
    assert_fell(world, child, root.key, "dependency failed");
    assert_fell(world, grandchild, root.key, "dependency failed");
}

fn a_cancelled_job_takes_its_dependents_along(world: &World) {
    let (root, child, grandchild) = family(world);
    assert_applied(world.hand_back(root));
    assert!(world.cancel(root.key));
    assert_fell(world, child, root.key, "dependency cancelled");
    assert_fell(world, grandchild, root.key, "dependency cancelled");
    assert_eq!(world.row(root.key).error, None);
}

fn an_aborted_job_takes_its_dependents_along(world: &World) {
    let (root, child, grandchild) = family(world);
    assert_applied(world.abort(root, "enough"));
    assert_fell(world, child, root.key, "dependency cancelled");
    assert_fell(world, grandchild, root.key, "dependency cancelled");
}

fn a_job_that_is_cancelled_instead_of_waiting_again_takes_its_dependents_along(world: &World) {
    let (root, child, grandchild) = family(world);
    assert!(world.cancel_request(root.key));
    assert_eq!(world.hand_back(root), Verdict::Cancelled);
    assert_fell(world, child, root.key, "dependency cancelled");
    assert_fell(world, grandchild, root.key, "dependency cancelled");
}

fn cancelling_a_blocked_job_takes_its_dependents_along(world: &World) {
    let (root, child, grandchild) = family(world);
    let before = world.row(child);
    assert!(world.cancel(child));
    assert_eq!(
        world.row(child),
        JobRow {
            state: State::Cancelled,
            finished_at: Some(world.now()),
            ..before
        }
    );
    assert_fell(world, grandchild, child, "dependency cancelled");
    assert_applied(world.complete(root, b"r"));
    assert_eq!(world.state(child), State::Cancelled);
    assert_eq!(world.claimed(Hunger::endless()), []);
}

fn independent_branches_go_on(world: &World) {
    let [a, b] = ["a", "b"].map(|task| world.running(job(task)));
    let both = world.insert(after("both", &[a.key, b.key]));
    let only_b = world.insert(after("only b", &[b.key]));
    assert_applied(world.bury(a, "boom"));
    assert_fell(world, both, a.key, "dependency failed");
    assert_applied(world.complete(b, b"r"));
    assert_eq!(world.claimed(Hunger::endless()), [only_b]);
    assert_eq!(world.state(both), State::Cancelled);
}

fn a_diamond_is_cancelled_once(world: &World) {
    let top = world.running(job("top"));
    let sides = ["left", "right"].map(|task| world.insert(after(task, &[top.key])));
    let bottom = world.insert(after("bottom", &sides));
    assert_applied(world.bury(top, "boom"));
    for key in [sides[0], sides[1], bottom] {
        assert_fell(world, key, top.key, "dependency failed");
    }
    assert_eq!(world.store().stats().unwrap().cancelled, 3);
}

fn the_first_root_is_named(world: &World) {
    let [a, b] = ["a", "b"].map(|task| world.running(job(task)));
    let both = world.insert(after("both", &[a.key, b.key]));
    assert_applied(world.bury(b, "boom"));
    let fallen = world.row(both);
    world.advance(300);
    assert_applied(world.bury(a, "boom too"));
    assert_eq!(world.row(both), fallen);
}

fn a_stale_burial_cancels_nothing(world: &World) {
    let (root, child, _) = family(world);
    assert_eq!(world.bury(misfenced(root, 1), "boom"), Verdict::Stale);
    assert_eq!(world.state(child), State::Blocked);
}

fn a_retried_dead_letter_revives_no_dependents(world: &World) {
    let (root, child, _) = family(world);
    assert_applied(world.bury(root, "boom"));
    let again = world.revive(world.letter(root.key).key).unwrap();
    assert_eq!(world.dependents(again), []);
    assert_applied(world.complete(world.take().token, b"r"));
    assert_eq!(world.state(child), State::Cancelled);
}

fn a_cancelled_dependent_frees_its_unique_key(world: &World) {
    let root = world.running(job("root"));
    let mut child = job_with("child", |spec| spec.unique_key = Some("k".into()));
    child.links = after("child", &[root.key]).links;
    let key = world.insert(child.clone());
    assert!(world.insert_all(&[child.clone()])[0].deduplicated);
    assert_applied(world.bury(root, "boom"));
    child.links = None;
    assert_ne!(world.insert(child), key);
}

fn burials_of_one_batch_cascade_each_for_itself(world: &World) {
    let roots = ["a", "b"].map(|task| world.running(job(task)));
    let children = roots.map(|root| world.insert(after("child", &[root.key])));
    let batch = roots.map(|token| End {
        cause: None,
        token,
        error: "boom",
        run: None,
    });
    world.write(|t| t.bury(world.now(), &batch));
    for (root, child) in roots.iter().zip(children) {
        assert_fell(world, child, root.key, "dependency failed");
    }
}

fn a_wide_and_deep_graph_is_cancelled_whole(world: &World) {
    let mut jobs = vec![job("first")];
    jobs.extend((1..=30).map(|_| after_new("member", &[0])));
    jobs.extend((31..=60).map(|step| after_new("step", &[step - 1, step - 30])));
    let keys: Vec<Key> = world.insert_all(&jobs).iter().map(|i| i.key).collect();
    assert!(world.cancel(keys[0]));
    for key in &keys[1..] {
        assert_fell(world, *key, keys[0], "dependency cancelled");
    }
}
