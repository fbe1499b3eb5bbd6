//! Progress and log lines of running jobs.

use taskito_core::engine::Engine;
use taskito_core::job::{Claim, Token};
use taskito_core::state::State;
use taskito_core::store::Inspect;

use crate::world::{World, done, leave, take, task, until};

fn log(engine: &Engine, token: Token, message: &str) {
    engine.note_log(token, "info".into(), message.into(), None);
}

fn messages(world: &World, claim: &Claim) -> Vec<String> {
    let lines = world.store.task_logs(claim.token.key).unwrap();
    lines.into_iter().map(|line| line.message).collect()
}

#[test]
fn notes_are_stored_while_the_job_runs() {
    let world = World::new();
    let engine = world.worker(1);
    engine.start().unwrap();
    world.enqueue(task());
    let claim = take(&engine);
    engine.note_progress(claim.token, 10);
    engine.note_progress(claim.token, 50);
    log(&engine, claim.token, "half of it");
    until(|| world.job(claim.token.key).progress == Some(50));
    until(|| messages(&world, &claim) == ["half of it"]);
    assert_eq!(world.job(claim.token.key).state, State::Running);
}

#[test]
fn notes_are_there_when_the_job_is_finished() {
    let world = World::new();
    let engine = world.worker(1);
    engine.start().unwrap();
    for _ in 0..20 {
        world.enqueue(task());
        let claim = take(&engine);
        engine.note_progress(claim.token, 99);
        log(&engine, claim.token, "one");
        log(&engine, claim.token, "two");
        engine.settle(claim.token, done());
        world.reaches(claim.token.key, State::Complete);
        assert_eq!(world.job(claim.token.key).progress, Some(99));
        assert_eq!(messages(&world, &claim), ["one", "two"]);
    }
}

#[test]
fn notes_of_an_attempt_that_counts_no_more_are_dropped() {
    let world = World::new();
    let engine = world.worker(1);
    engine.start().unwrap();
    world.enqueue(task());
    let claim = take(&engine);
    engine.settle(claim.token, done());
    engine.note_progress(claim.token, 10);
    log(&engine, claim.token, "too late");
    leave(&engine);
    assert_eq!(world.job(claim.token.key).progress, None);
    assert!(messages(&world, &claim).is_empty());
}

#[test]
fn a_flood_of_lines_arrives_whole() {
    let world = World::new();
    let engine = world.worker(1);
    engine.start().unwrap();
    world.enqueue(task());
    let claim = take(&engine);
    for number in 0..25_000 {
        log(&engine, claim.token, &number.to_string());
    }
    engine.settle(claim.token, done());
    world.reaches(claim.token.key, State::Complete);
    let told = messages(&world, &claim);
    assert!(
        told.into_iter()
            .eq((0..25_000).map(|number| number.to_string()))
    );
}
