//! A transaction happens as a whole or not at all.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use taskito_core::clock::Millis;
use taskito_core::error::{Error, Result};
use taskito_core::job::Token;
use taskito_core::rollup::Run;
use taskito_core::store::{Completion, End, Failure, Sync, Transaction};

use crate::support::{Hunger, job, job_with, worker};
use crate::world::{World, assert_applied};

contract![
    a_failed_transaction_changes_nothing_whatever_it_did,
    a_failed_transaction_leaves_its_keys_free,
    a_failed_transaction_answers_with_its_own_error,
    a_store_works_on_after_a_failed_transaction,
    a_transaction_sees_what_it_did_before,
    a_settlement_and_the_next_claim_share_a_transaction,
    nothing_is_seen_of_a_transaction_before_its_commit,
    an_empty_transaction_changes_nothing,
    tidying_changes_nothing,
    durable_and_relaxed_commits_are_equally_visible,
    transactions_of_several_threads_happen_one_after_the_other,
];

type Step<'a> = &'a dyn Fn(&mut dyn Transaction) -> Result<()>;

fn done(token: Token) -> Completion<'static> {
    Completion {
        preview: None,
        token,
        result: b"r",
        run: Run::default(),
    }
}

fn stop<T>() -> Result<T> {
    Err(Error::Invalid {
        message: "stop".into(),
    })
}

fn a_failed_transaction_changes_nothing_whatever_it_did(world: &World) {
    world.insert_all(&["a", "b", "c", "d", "e", "f", "g"].map(job));
    world.insert(job_with("h", |spec| spec.delay = Duration::from_secs(1)));
    let tokens: Vec<_> = world
        .claim(&mut Hunger::of(7))
        .iter()
        .map(|claim| claim.token)
        .collect();
    assert_applied(world.bury(tokens[6], "e"));
    let letter = world.letter(tokens[6].key).key;
    let pending = world.insert(job("i"));
    let owner = world.worker();
    let before = world.sight();
    let now = world.later(5000);
    let end = |index: usize| End {
        cause: None,
        token: tokens[index],
        error: "e",
        run: None,
    };
    let steps: [Step<'_>; 12] = [
        &|t| t.insert(now, &[job("new")]).map(drop),
        &|t| t.promote(now, 10).map(drop),
        &|t| t.claim(now, owner, &mut Hunger::endless()).map(drop),
        &|t| t.complete(now, &[done(tokens[0])]).map(drop),
        &|t| {
            let failure = Failure {
                cause: None,
                token: tokens[1],
                error: "e",
                run_at: now,
                run: Run::default(),
            };
            t.retry(now, &[failure]).map(drop)
        },
        &|t| t.lose(now, &[end(2)]).map(drop),
        &|t| t.hand_back(now, &[tokens[3]]).map(drop),
        &|t| t.bury(now, &[end(4)]).map(drop),
        &|t| t.bury_lost(now, &[end(5)]).map(drop),
        &|t| t.cancel(now, pending).map(drop),
        &|t| t.revive(now, letter).map(drop),
        &|t| t.enlist(now, &worker()).map(drop),
    ];
    for (number, step) in steps.iter().enumerate() {
        let failed = world.try_write(|t| {
            step(t)?;
            stop::<()>()
        });
        assert!(failed.is_err());
        assert_eq!(world.sight(), before, "step {number}");
    }
    let failed = world.try_write(|t| {
        steps.iter().try_for_each(|step| step(t))?;
        stop::<()>()
    });
    assert!(failed.is_err());
    assert_eq!(world.sight(), before);
}

fn a_failed_transaction_leaves_its_keys_free(world: &World) {
    let keyed = job_with("a", |spec| {
        spec.unique_key = Some("u".into());
        spec.idempotency_key = Some("i".into());
    });
    let failed = world.try_write(|t| {
        t.insert(world.now(), std::slice::from_ref(&keyed))?;
        stop::<()>()
    });
    assert!(failed.is_err());
    world.insert(keyed);
}

fn a_failed_transaction_answers_with_its_own_error(world: &World) {
    let failed = world.try_write(|_| stop::<()>());
    let Err(Error::Invalid { message }) = failed else {
        panic!("{failed:?}");
    };
    assert_eq!(message, "stop");
}

fn a_store_works_on_after_a_failed_transaction(world: &World) {
    for _ in 0..3 {
        let failed = world.try_write(|t| {
            t.insert(world.now(), &[job("new lane")])?;
            stop::<()>()
        });
        assert!(failed.is_err());
    }
    let token = world.running(job("new lane"));
    assert_applied(world.complete(token, b"r"));
    assert_eq!(world.store().stats().unwrap().complete, 1);
}

fn a_transaction_sees_what_it_did_before(world: &World) {
    let owner = world.worker();
    let now = world.now();
    let key = world.write(|t| {
        let key = t.insert(now, &[job("a")])?[0].key;
        let token = t.claim(now, owner, &mut Hunger::endless())?[0].token;
        assert_eq!(token.key, key);
        assert_eq!(t.held(owner)?.len(), 1);
        t.retry(
            now,
            &[Failure {
                cause: None,
                token,
                error: "e",
                run_at: now,
                run: Run::default(),
            }],
        )?;
        assert_eq!(t.promote(now, 1)?, 1);
        let token = t.claim(now, owner, &mut Hunger::endless())?[0].token;
        t.complete(now, &[done(token)])?;
        assert_eq!(t.held(owner)?.len(), 0);
        assert!(!t.cancel(now, key)?);
        Ok(key)
    });
    assert_eq!(world.row(key).fence.0, 2);
    assert_eq!(
        world.store().result(key).unwrap().as_deref(),
        Some(&b"r"[..])
    );
}

fn a_settlement_and_the_next_claim_share_a_transaction(world: &World) {
    world.insert_all(&["a", "b"].map(job));
    let first = world.claim(&mut Hunger::of(1)).remove(0).token;
    let owner = world.worker();
    let next = world.write(|t| {
        t.complete(world.now(), &[done(first)])?;
        t.claim(world.now(), owner, &mut Hunger::of(1))
    });
    assert_eq!(next.len(), 1);
    assert_eq!(&*next[0].task, "b");
}

fn nothing_is_seen_of_a_transaction_before_its_commit(world: &World) {
    world.insert(job("a"));
    let owner = world.worker();
    let before = world.sight();
    world.write(|t| {
        t.insert(world.now(), &[job("b")])?;
        t.claim(world.now(), owner, &mut Hunger::endless())?;
        assert_eq!(world.sight(), before);
        Ok(())
    });
    assert_eq!(world.store().stats().unwrap().running, 2);
}

fn an_empty_transaction_changes_nothing(world: &World) {
    world.insert(job("a"));
    let before = world.sight();
    world.write(|_| Ok(()));
    assert_eq!(world.sight(), before);
}

fn tidying_changes_nothing(world: &World) {
    world.store().tidy().unwrap();
    world.insert(job("a"));
    let before = world.sight();
    world.store().tidy().unwrap();
    assert_eq!(world.sight(), before);
    world.write(|t| {
        t.insert(world.now(), &[job("b")])?;
        world.store().tidy()
    });
    assert_eq!(world.jobs().len(), 2);
}

fn durable_and_relaxed_commits_are_equally_visible(world: &World) {
    for sync in [Sync::Durable, Sync::Relaxed] {
        let before = world.jobs().len();
        world
            .store()
            .write(sync, &mut |t| t.insert(world.now(), &[job("a")]).map(drop))
            .unwrap();
        assert_eq!(world.jobs().len(), before + 1);
    }
}

fn transactions_of_several_threads_happen_one_after_the_other(world: &World) {
    let store = world.store();
    let now: Millis = world.now();
    let owner = world.worker();
    let claimed = AtomicUsize::new(0);
    world.insert_all(&vec![job("a"); 120]);
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                for _ in 0..15 {
                    let mut count = 0;
                    let work = &mut |t: &mut dyn Transaction| {
                        let claims = t.claim(now, owner, &mut Hunger::of(2))?;
                        let done: Vec<_> = claims.iter().map(|claim| done(claim.token)).collect();
                        count = claims.len();
                        t.complete(now, &done).map(drop)
                    };
                    store.write(Sync::Relaxed, work).unwrap();
                    claimed.fetch_add(count, Ordering::Relaxed);
                }
            });
        }
    });
    assert_eq!(claimed.into_inner(), 120);
    assert_eq!(world.store().stats().unwrap().complete, 120);
}
