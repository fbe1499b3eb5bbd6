//! Groups of failures: what failing, and what people say, makes of them.

use taskito_core::cause::{Cause, GroupRow, GroupState};
use taskito_core::job::Token;
use taskito_core::rollup::Run;
use taskito_core::store::Failure;

use crate::support::job;
use crate::world::{World, assert_applied};

contract![
    a_failure_opens_a_resolved_group,
    a_silenced_group_stays_silenced,
    groups_that_jobs_are_in_are_told,
];

fn cause(template: &str) -> Cause {
    Cause {
        error_type: "ValueError".into(),
        message: "m".into(),
        template: template.into(),
        location: "mail:send".into(),
        frames: None,
    }
}

/// A job of `a` that is to be tried again.
fn retried(world: &World, cause: &Cause) -> Token {
    let token = world.running(job("a"));
    let failure = Failure {
        token,
        error: "e",
        cause: Some(cause),
        run_at: world.later(60_000),
        run: Run::default(),
    };
    assert_applied(world.write(|t| t.retry(world.now(), &[failure]))[0]);
    token
}

fn buried(world: &World, cause: &Cause) {
    assert_applied(world.bury_because(world.running(job("a")), cause));
}

fn judged(world: &World, cause: &Cause, state: GroupState) {
    let group = cause.fingerprint("a");
    assert!(world.write(|t| t.judge_group(group, state)));
    assert_eq!(state_of(world, cause), state);
}

fn state_of(world: &World, cause: &Cause) -> GroupState {
    let group = world.store().group(cause.fingerprint("a"));
    group.unwrap().unwrap().state
}

fn a_failure_opens_a_resolved_group(world: &World) {
    let one = cause("one");
    buried(world, &one);
    judged(world, &one, GroupState::Resolved);
    buried(world, &cause("two"));
    assert_eq!(state_of(world, &one), GroupState::Resolved);
    buried(world, &one);
    assert_eq!(state_of(world, &one), GroupState::Open);
    judged(world, &one, GroupState::Resolved);
    retried(world, &one);
    assert_eq!(state_of(world, &one), GroupState::Open);
}

fn a_silenced_group_stays_silenced(world: &World) {
    let one = cause("one");
    buried(world, &one);
    judged(world, &one, GroupState::Silenced);
    buried(world, &one);
    retried(world, &one);
    assert_eq!(state_of(world, &one), GroupState::Silenced);
}

fn groups_that_jobs_are_in_are_told(world: &World) {
    let (one, two) = (cause("one"), cause("two"));
    buried(world, &one);
    let waiting = retried(world, &one);
    retried(world, &two);
    let told = |limit| -> Vec<(u64, u64)> {
        let groups = world.store().failing_groups(limit).unwrap();
        assert!(groups.is_sorted_by_key(|group| group.fingerprint));
        let numbers = |group: GroupRow| (group.dead, group.retrying);
        groups.into_iter().map(numbers).collect()
    };
    let mut expected = [
        (one.fingerprint("a"), (1, 1)),
        (two.fingerprint("a"), (0, 1)),
    ];
    expected.sort_by_key(|(group, _)| *group);
    let [(_, first), (_, second)] = expected;
    assert_eq!(told(9), [first, second]);
    assert_eq!(told(1), [first]);
    // None is left in a group whose jobs went on or have no letter any more.
    assert!(world.cancel(waiting.key));
    let letters: Vec<_> = world.letters().iter().map(|letter| letter.key).collect();
    assert_eq!(world.write(|t| t.discard(&letters)), 1);
    assert_eq!(told(9), [(0, 1)]);
}
