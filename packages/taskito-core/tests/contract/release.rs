//! blocked -> pending, scheduled.

use std::time::Duration;

use taskito_core::id::Key;
use taskito_core::job::NewJob;
use taskito_core::links::{Inputs, Links, Parent};
use taskito_core::rollup::Run;
use taskito_core::state::State;
use taskito_core::store::{Completion, Verdict};

use crate::support::{Hunger, after, after_new, job, job_with, tied};
use crate::world::{World, assert_applied, misfenced};

contract![
    a_job_is_released_when_its_parent_completes,
    it_is_released_by_the_last_of_its_parents,
    it_is_due_from_the_moment_of_its_release,
    its_delay_begins_with_its_release,
    a_stale_completion_releases_nothing,
    a_parent_that_waits_again_keeps_its_job_blocked,
    the_tips_of_a_diamond_run_in_order,
    a_claim_brings_the_result_of_the_one_parent,
    a_claim_brings_results_in_the_order_of_the_list,
    results_are_brought_at_every_attempt,
    a_job_that_only_waits_takes_no_results,
    parents_that_complete_together_release_their_job_once,
    a_job_that_is_blocked_and_released_in_one_transaction_runs,
    a_long_chain_runs_step_by_step,
    a_wide_fan_out_and_in_is_released,
];

fn taking(task: &str, inputs: Inputs<Parent>) -> NewJob {
    tied(
        task,
        Links {
            inputs: Some(inputs),
            ..Links::default()
        },
    )
}

fn a_job_is_released_when_its_parent_completes(world: &World) {
    let parent = world.running(job("a"));
    let [b, c] = ["b", "c"].map(|task| world.insert(after(task, &[parent.key])));
    assert_applied(world.complete(parent, b"r"));
    assert_eq!(world.row(b).waiting_on, 0);
    assert_eq!(world.claimed(Hunger::endless()), [b, c]);
}

fn it_is_released_by_the_last_of_its_parents(world: &World) {
    let parents = ["a", "b", "c"].map(|task| world.running(job(task)));
    let key = world.insert(after("d", &parents.map(|parent| parent.key)));
    for (done, parent) in (1..).zip(parents) {
        assert_eq!(world.state(key), State::Blocked);
        assert_applied(world.complete(parent, b"r"));
        assert_eq!(world.row(key).waiting_on, 3 - done);
    }
    assert_eq!(world.state(key), State::Pending);
}

fn it_is_due_from_the_moment_of_its_release(world: &World) {
    let parent = world.running(job("a"));
    let key = world.insert(after("b", &[parent.key]));
    world.advance(300);
    let rival = world.insert(job("b"));
    world.advance(1);
    assert_applied(world.complete(parent, b"r"));
    assert_eq!(world.row(key).run_at, world.now());
    assert_eq!(world.claimed(Hunger::endless()), [rival, key]);
}

fn its_delay_begins_with_its_release(world: &World) {
    let parent = world.running(job("a"));
    let mut delayed = job_with("b", |spec| spec.delay = Duration::from_millis(500));
    delayed.links = after("b", &[parent.key]).links;
    let key = world.insert(delayed);
    world.advance(10_000);
    assert_eq!(world.promote(10), 0);
    assert_applied(world.complete(parent, b"r"));
    let row = world.row(key);
    assert_eq!(
        (row.state, row.run_at),
        (State::Scheduled, world.later(500))
    );
    assert_eq!(world.store().next_due().unwrap(), Some(world.later(500)));
    world.advance(500);
    assert_eq!(world.promote(10), 1);
    assert_eq!(world.claimed(Hunger::endless()), [key]);
}

fn a_stale_completion_releases_nothing(world: &World) {
    let parent = world.running(job("a"));
    let key = world.insert(after("b", &[parent.key]));
    assert_eq!(world.complete(misfenced(parent, -1), b"r"), Verdict::Stale);
    assert_eq!(world.state(key), State::Blocked);
}

fn a_parent_that_waits_again_keeps_its_job_blocked(world: &World) {
    let parent = world.running(job("a"));
    let key = world.insert(after("b", &[parent.key]));
    assert_applied(world.hand_back(parent));
    let parent = world.take().token;
    assert_applied(world.lose(parent, "lost"));
    let parent = world.take().token;
    assert_applied(world.retry(parent, "failed", world.now()));
    assert_eq!(world.row(key).waiting_on, 1);
    world.promote(1);
    assert_applied(world.complete(world.take().token, b"r"));
    assert_eq!(world.state(key), State::Pending);
}

fn the_tips_of_a_diamond_run_in_order(world: &World) {
    let top = world.running(job("top"));
    let left = world.insert(after("left", &[top.key]));
    let right = world.insert(after("right", &[top.key]));
    let bottom = world.insert(after("bottom", &[left, right, top.key]));
    assert_applied(world.complete(top, b"t"));
    assert_eq!(world.row(bottom).waiting_on, 2);
    let claims = world.claim(&mut Hunger::endless());
    let keys: Vec<Key> = claims.iter().map(|claim| claim.token.key).collect();
    assert_eq!(keys, [left, right]);
    for claim in claims {
        assert_applied(world.complete(claim.token, b"r"));
    }
    assert_eq!(world.claimed(Hunger::endless()), [bottom]);
}

fn a_claim_brings_the_result_of_the_one_parent(world: &World) {
    let parent = world.running(job("a"));
    world.insert(taking("b", Inputs::One(Parent::Stored(parent.key))));
    assert_applied(world.complete(parent, b"result"));
    assert_eq!(world.take().inputs, Some(Inputs::One(b"result".to_vec())));
}

fn a_claim_brings_results_in_the_order_of_the_list(world: &World) {
    let [a, b] = ["a", "b"].map(|task| world.running(job(task)));
    let list = [b, a, b].map(|token| Parent::Stored(token.key));
    let key = world.insert(taking("c", Inputs::List(list.into())));
    assert_eq!(world.row(key).waiting_on, 2, "each parent counts once");
    assert_applied(world.complete(a, b"of a"));
    assert_applied(world.complete(b, b""));
    let expected = vec![b"".to_vec(), b"of a".to_vec(), b"".to_vec()];
    assert_eq!(world.take().inputs, Some(Inputs::List(expected)));
}

fn results_are_brought_at_every_attempt(world: &World) {
    let parent = world.running(job("a"));
    world.insert(taking("b", Inputs::List(vec![Parent::Stored(parent.key)])));
    assert_applied(world.complete(parent, b"r"));
    for _ in 0..2 {
        let claim = world.take();
        assert_eq!(claim.inputs, Some(Inputs::List(vec![b"r".to_vec()])));
        assert_applied(world.hand_back(claim.token));
    }
}

fn a_job_that_only_waits_takes_no_results(world: &World) {
    let parent = world.running(job("a"));
    world.insert(after("b", &[parent.key]));
    assert_applied(world.complete(parent, b"r"));
    assert_eq!(world.take().inputs, None);
}

fn parents_that_complete_together_release_their_job_once(world: &World) {
    let [a, b] = ["a", "b"].map(|task| world.running(job(task)));
    let key = world.insert(after("c", &[a.key, b.key]));
    let batch = [a, b].map(|token| Completion {
        preview: None,
        token,
        result: b"r",
        run: Run::default(),
    });
    world.write(|t| t.complete(world.now(), &batch));
    assert_eq!(world.claimed(Hunger::endless()), [key]);
    assert_eq!(world.store().stats().unwrap().running, 1);
}

fn a_job_that_is_blocked_and_released_in_one_transaction_runs(world: &World) {
    let [other, parent] = ["other", "parent"].map(|task| world.running(job(task)));
    let done = |token| Completion {
        preview: None,
        token,
        result: b"r",
        run: Run::default(),
    };
    let child = world.write(|t| {
        t.complete(world.now(), &[done(other)])?; // nothing is blocked yet
        let inserted = t.insert(world.now(), &[after("child", &[parent.key])])?;
        t.complete(world.now(), &[done(parent)])?;
        Ok(inserted[0].key)
    });
    assert_eq!(world.claimed(Hunger::endless()), [child]);
}

fn a_long_chain_runs_step_by_step(world: &World) {
    let mut jobs = vec![job("step")];
    jobs.extend((1..100).map(|step| after_new("step", &[step - 1])));
    let keys: Vec<Key> = world.insert_all(&jobs).iter().map(|i| i.key).collect();
    for key in keys {
        let claim = world.take();
        assert_eq!(claim.token.key, key);
        assert_applied(world.complete(claim.token, b"r"));
    }
    assert_eq!(world.store().stats().unwrap().complete, 100);
}

fn a_wide_fan_out_and_in_is_released(world: &World) {
    let members: Vec<usize> = (1..=50).collect();
    let mut jobs = vec![job("first")];
    jobs.extend(members.iter().map(|_| after_new("member", &[0])));
    jobs.push(after_new("last", &members));
    let last = world.insert_all(&jobs)[51].key;
    assert_applied(world.complete(world.take().token, b"r"));
    let claims = world.claim(&mut Hunger::endless());
    assert_eq!(claims.len(), 50);
    for claim in claims {
        assert_eq!(world.state(last), State::Blocked);
        assert_applied(world.complete(claim.token, b"r"));
    }
    assert_eq!(world.take().token.key, last);
}
