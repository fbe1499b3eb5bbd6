//! What all settlements have in common: only the newest claim of a running job may settle it.

use taskito_core::job::Token;
use taskito_core::rollup::Run;
use taskito_core::state::State;
use taskito_core::store::{Completion, End, Failure, Verdict};

use crate::support::{Hunger, job};
use crate::world::{CLAIMED, World, assert_applied, misfenced, unknown_token};

/// Checks that `settle` is refused, and leaves no trace, whenever its token holds nothing.
pub(crate) fn assert_refused_without_the_claim(world: &World, settle: impl Fn(Token) -> Verdict) {
    let refuse = |token, what: &str| {
        let before = world.sight();
        assert_eq!(settle(token), Verdict::Stale, "{what}");
        assert_eq!(world.sight(), before, "{what}");
    };
    for state in CLAIMED {
        let token = world.job_that_is(state);
        if state == State::Running {
            refuse(misfenced(token, -1), "a claim before this one");
            refuse(misfenced(token, 1), "a claim yet to come");
            assert_applied(world.hand_back(token));
            let newer = world.claimed(Hunger::endless());
            assert!(newer.contains(&token.key));
            refuse(token, "a job that was claimed again");
        } else {
            refuse(token, state.name());
        }
        empty_the_queue(world);
    }
    refuse(unknown_token(), "a job that does not exist");
}

/// Checks that `settle` judges each token of a slice for itself, in its order.
pub(crate) fn assert_judges_each(world: &World, settle: impl Fn(&[Token]) -> Vec<Verdict>) {
    let jobs = [job("a"), job("b"), job("c"), job("d")];
    world.insert_all(&jobs);
    let claims = world.claim(&mut Hunger::endless());
    let tokens: Vec<Token> = claims.iter().map(|claim| claim.token).collect();
    let untouched = world.row(tokens[2].key);
    let batch = [
        misfenced(tokens[2], -1),
        tokens[3],
        unknown_token(),
        tokens[0],
        tokens[3],
        tokens[1],
    ];
    assert_eq!(
        settle(&batch),
        [
            Verdict::Stale,
            Verdict::Applied,
            Verdict::Stale,
            Verdict::Applied,
            Verdict::Stale,
            Verdict::Applied,
        ]
    );
    for settled in [tokens[0], tokens[1], tokens[3]] {
        assert_ne!(world.state(settled.key), State::Running);
    }
    assert_eq!(world.row(tokens[2].key), untouched);
    assert_eq!(settle(&[]), []);
}

fn empty_the_queue(world: &World) {
    for job in world.jobs() {
        world.cancel(job.key);
    }
}

contract![
    one_transaction_settles_in_every_way,
    the_first_of_two_settlements_wins,
    a_stale_settlement_of_a_reclaimed_job_leaves_the_new_claim_alone,
];

fn one_transaction_settles_in_every_way(world: &World) {
    world.insert_all(&["a", "b", "c", "d", "e", "f"].map(job));
    let claims = world.claim(&mut Hunger::endless());
    let tokens: Vec<Token> = claims.iter().map(|claim| claim.token).collect();
    let end = |index: usize| End {
        cause: None,
        token: tokens[index],
        error: "e",
        run: None,
    };
    let now = world.now();
    let completion = Completion {
        preview: None,
        token: tokens[0],
        result: b"r",
        run: Run::default(),
    };
    let failure = Failure {
        cause: None,
        token: tokens[1],
        error: "e",
        run_at: now,
        run: Run::default(),
    };
    let verdicts = world.write(|t| {
        Ok([
            t.complete(now, &[completion])?,
            t.retry(now, &[failure])?,
            t.lose(now, &[end(2)])?,
            t.hand_back(now, &[tokens[3]])?,
            t.bury(now, &[end(4)])?,
            t.bury_lost(now, &[end(5)])?,
        ]
        .concat())
    });
    assert_eq!(verdicts, [Verdict::Applied; 6]);
    let states: Vec<State> = tokens.iter().map(|token| world.state(token.key)).collect();
    assert_eq!(
        states,
        [
            State::Complete,
            State::Scheduled,
            State::Pending,
            State::Pending,
            State::Dead,
            State::Dead,
        ]
    );
}

fn the_first_of_two_settlements_wins(world: &World) {
    let token = world.running(job("a"));
    assert_applied(world.complete(token, b"first"));
    let settled = world.sight();
    assert_eq!(world.complete(token, b"second"), Verdict::Stale);
    assert_eq!(world.bury(token, "late"), Verdict::Stale);
    assert_eq!(world.sight(), settled);
}

fn a_stale_settlement_of_a_reclaimed_job_leaves_the_new_claim_alone(world: &World) {
    let zombie = world.running(job("a"));
    assert_applied(world.lose(zombie, "its worker died"));
    let heir = world.take().token;
    assert_eq!(world.complete(zombie, b"late"), Verdict::Stale);
    assert_applied(world.complete(heir, b"right"));
    assert_eq!(
        world.store().result(heir.key).unwrap().as_deref(),
        Some(&b"right"[..])
    );
}
