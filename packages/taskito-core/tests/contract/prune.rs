//! finished -> gone, and who is to go.

use std::time::Duration;

use taskito_core::clock::Millis;
use taskito_core::job::{NewJob, Stats, Token};
use taskito_core::state::{State, Status};
use taskito_core::store::{Purge, Sync, purge};

use crate::support::{after, job, job_with};
use crate::world::{CLAIMED, NOBODY, World, assert_applied};

contract![
    a_finished_job_goes_with_all_that_belongs_to_it,
    a_finished_job_takes_its_log_along,
    nothing_but_finished_jobs_goes,
    a_pruned_job_is_counted_no_more,
    the_keys_of_a_pruned_job_are_free,
    a_job_outlives_its_own_time_at_the_very_millisecond,
    only_a_time_to_live_of_its_own_counts,
    a_job_that_an_unfinished_one_depends_on_stays,
    the_edges_of_a_pruned_job_go_with_it,
    a_walk_passes_every_job_once,
    a_purge_takes_only_what_ended_so_and_before,
    a_purge_can_be_kept_to_some_lanes,
    a_purge_of_many_goes_on_where_it_stopped,
];

fn kept_for(millis: u64) -> NewJob {
    job_with("a", |spec| {
        spec.result_ttl = Some(Duration::from_millis(millis));
    })
}

fn completed(world: &World, job: NewJob) -> Token {
    let token = world.running(job);
    assert_applied(world.complete(token, b"r"));
    token
}

fn a_finished_job_goes_with_all_that_belongs_to_it(world: &World) {
    let nothing = world.sight();
    for state in [State::Complete, State::Dead, State::Cancelled] {
        let token = world.job_that_is(state);
        assert_eq!(world.prune(&[token.key]), 1);
        assert_eq!(world.store().job(token.key).unwrap(), None);
        assert_eq!(world.store().result(token.key).unwrap(), None);
        assert_eq!(world.attempts(token.key), []);
        assert_eq!(world.prune(&[token.key]), 0);
    }
    let left = world.sight();
    assert_eq!((left.jobs, left.letters), (nothing.jobs, nothing.letters));
    assert_eq!(left.stats, nothing.stats);
}

fn a_finished_job_takes_its_log_along(world: &World) {
    let [gone, left] = ["a", "b"].map(|name| {
        let token = world.running(job(name));
        assert_applied(world.log(token, name));
        assert_applied(world.complete(token, b"r"));
        token
    });
    assert_eq!(world.prune(&[gone.key]), 1);
    assert_eq!(world.logs(gone.key), []);
    assert_eq!(world.logs(left.key).len(), 1);
}

fn nothing_but_finished_jobs_goes(world: &World) {
    for state in CLAIMED.into_iter().filter(|state| !state.is_finished()) {
        let token = world.job_that_is(state);
        let before = world.sight();
        assert_eq!(world.prune(&[token.key, NOBODY]), 0, "{}", state.name());
        assert_eq!(world.sight(), before, "{}", state.name());
        world.cancel(token.key);
    }
}

fn a_pruned_job_is_counted_no_more(world: &World) {
    let gone = completed(world, job("a"));
    completed(world, job("a"));
    let pending = world.insert(job("a"));
    assert_eq!(world.prune(&[gone.key, pending]), 1);
    assert_eq!(
        world.store().stats().unwrap(),
        Stats {
            pending: 1,
            complete: 1,
            ..Stats::default()
        }
    );
}

fn the_keys_of_a_pruned_job_are_free(world: &World) {
    let keyed = || {
        job_with("a", |spec| {
            spec.idempotency_key = Some("once".into());
        })
    };
    let first = completed(world, keyed());
    assert!(world.insert_all(&[keyed()])[0].deduplicated);
    assert_eq!(world.prune(&[first.key]), 1);
    assert_ne!(world.insert(keyed()), first.key);
}

fn a_job_outlives_its_own_time_at_the_very_millisecond(world: &World) {
    let [second, first] = [2000, 1000].map(|ttl| completed(world, kept_for(ttl)).key);
    let outlived = |world: &World, limit| world.store().outlived(world.now(), limit).unwrap();
    world.advance(999);
    assert_eq!(outlived(world, 10), []);
    world.advance(1);
    assert_eq!(outlived(world, 10), [first]);
    world.advance(1000);
    assert_eq!(outlived(world, 10), [first, second]);
    assert_eq!(outlived(world, 1), [first]);
    assert_eq!(world.prune(&[first]), 1);
    assert_eq!(outlived(world, 10), [second]);
}

fn only_a_time_to_live_of_its_own_counts(world: &World) {
    completed(world, job("a"));
    let pending = world.insert(kept_for(0));
    world.advance(1_000_000);
    assert_eq!(world.store().outlived(world.now(), 10).unwrap(), []);
    assert!(world.cancel(pending));
    assert_eq!(world.store().outlived(world.now(), 10).unwrap(), [pending]);
}

fn a_job_that_an_unfinished_one_depends_on_stays(world: &World) {
    let parent = completed(world, kept_for(0));
    let child = world.insert(after("b", &[parent.key]));
    world.advance(1000);
    let assert_stays = || {
        assert_eq!(world.store().outlived(world.now(), 10).unwrap(), []);
        assert_eq!(world.prune(&[parent.key]), 0);
        assert_eq!(world.store().result(parent.key).unwrap().unwrap(), b"r");
    };
    assert_stays();
    let token = world.take().token;
    assert_stays();
    assert_applied(world.retry(token, "e", world.later(500)));
    assert_stays();
    assert!(world.cancel(child));
    assert_eq!(
        world.store().outlived(world.now(), 10).unwrap(),
        [parent.key]
    );
    assert_eq!(world.prune(&[parent.key]), 1);
}

fn the_edges_of_a_pruned_job_go_with_it(world: &World) {
    let [first, second] = ["a", "b"].map(|task| completed(world, job(task)).key);
    let child = world.insert(after("c", &[first, second]));
    let token = world.take().token;
    assert_applied(world.complete(token, b"r"));
    assert_eq!(world.prune(&[first]), 1);
    assert_eq!(world.store().dependencies(child).unwrap(), [second]);
    assert_eq!(world.prune(&[child]), 1);
    assert_eq!(world.store().dependents(second).unwrap(), []);
}

fn a_walk_passes_every_job_once(world: &World) {
    let mut keys = vec![completed(world, kept_for(7)).key];
    keys.extend((0..5).map(|_| world.insert(job("a"))));
    assert!(world.store().walk(NOBODY, 0).unwrap().is_empty());
    let (mut after, mut passed) = (NOBODY, Vec::new());
    while let Some(last) = world.store().walk(after, 2).unwrap().last() {
        passed.extend(world.store().walk(after, 2).unwrap());
        after = last.key;
    }
    assert!(passed.iter().map(|job| job.key).eq(keys));
    assert_eq!(passed[0].state, State::Complete);
    assert_eq!(passed[0].finished_at, Some(world.now()));
    assert_eq!(passed[0].result_ttl, Some(Duration::from_millis(7)));
    assert_eq!(
        (passed[1].state, passed[1].result_ttl),
        (State::Pending, None)
    );
}

fn purged(world: &World, status: Status, before: Millis, queue: Option<&str>) -> u32 {
    let what = Purge {
        status,
        before,
        lanes: queue.map(|name| world.store().lanes(Some(name), None).unwrap()),
    };
    let (mut total, mut after) = (0, Some(NOBODY));
    while let Some(from) = after {
        let (deleted, next) = purge(world.store(), Sync::Relaxed, &what, from).unwrap();
        total += deleted;
        after = next;
    }
    total
}

fn a_purge_takes_only_what_ended_so_and_before(world: &World) {
    let old = completed(world, job("a"));
    let dead = world.job_that_is(State::Dead);
    world.advance(1000);
    let young = completed(world, job("a"));
    assert_eq!(purged(world, Status::Complete, world.now(), None), 1);
    assert_eq!(world.store().job(old.key).unwrap(), None);
    assert_eq!(world.state(young.key), State::Complete);
    assert_eq!(purged(world, Status::Cancelled, world.later(1), None), 0);
    assert_eq!(purged(world, Status::Dead, world.later(1), None), 1);
    assert_eq!(world.store().job(dead.key).unwrap(), None);
    assert_eq!(world.letters(), []);
}

fn a_purge_can_be_kept_to_some_lanes(world: &World) {
    let mail = completed(world, job_with("a", |spec| spec.queue = "mail".into()));
    let other = completed(world, job("a"));
    let soon = world.later(1);
    assert_eq!(purged(world, Status::Complete, soon, Some("nowhere")), 0);
    assert_eq!(purged(world, Status::Complete, soon, Some("mail")), 1);
    assert_eq!(world.store().job(mail.key).unwrap(), None);
    assert_eq!(world.state(other.key), State::Complete);
    let both = world.store().lanes(None, Some("a")).unwrap();
    assert_eq!(both.len(), 2);
}

fn a_purge_of_many_goes_on_where_it_stopped(world: &World) {
    let jobs: Vec<NewJob> = (0..2500).map(|_| job("a")).collect();
    let keys = world.insert_all(&jobs);
    world.write(|t| {
        for inserted in &keys {
            assert!(t.cancel(world.now(), inserted.key)?);
        }
        Ok(())
    });
    assert_eq!(purged(world, Status::Cancelled, world.later(1), None), 2500);
    assert_eq!(world.jobs(), []);
}
