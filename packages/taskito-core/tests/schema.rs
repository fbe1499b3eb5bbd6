//! The schema and the statements: the ladder leads to `schema.sql`, every statement rides an
//! index, files that are not ours are left alone.
#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on should stop here"
)]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use rusqlite::Connection;
use taskito_core::error::Error;
use taskito_core::store::sqlite::{SCHEMA, SCHEMA_VERSION, SqliteStore};
use taskito_core::store::{Inspect, Sync};

/// A directory of its own for one test, removed at the end.
struct Scratch(PathBuf);

impl Scratch {
    fn new(name: &str) -> Self {
        let place = std::env::temp_dir().join(format!("taskito-{name}-{}", std::process::id()));
        fs::create_dir_all(&place).unwrap();
        // The first store changes how our SQLite locks files; the plain connections of these
        // tests share that SQLite and must not be in the middle of something then.
        SqliteStore::new(":memory:", Sync::Relaxed);
        Self(place)
    }

    fn file(&self) -> PathBuf {
        self.0.join("queue.db")
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        fs::remove_dir_all(&self.0).unwrap();
    }
}

fn statements() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/store/sqlite/sql");
    let mut found: Vec<(String, String)> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| {
            let path = entry.unwrap().path();
            let name = path.file_stem().unwrap().to_string_lossy().into_owned();
            (name, fs::read_to_string(path).unwrap())
        })
        .collect();
    found.sort();
    assert!(found.len() > 30, "the statements have moved");
    found
}

/// The lines of a plan.
fn plan(connection: &Connection, statement: &str) -> Vec<String> {
    let mut explain = connection
        .prepare(&format!("EXPLAIN QUERY PLAN {statement}"))
        .unwrap();
    let lines = explain.raw_query().mapped(|row| row.get(3));
    lines.map(Result::unwrap).collect()
}

/// Every object of a database with its text.
fn objects(connection: &Connection) -> BTreeSet<(String, Option<String>)> {
    let mut query = connection
        .prepare("SELECT name, sql FROM sqlite_schema")
        .unwrap();
    let rows = query.query_map([], |row| Ok((row.get(0)?, row.get(1)?)));
    rows.unwrap().map(Result::unwrap).collect()
}

#[test]
fn every_statement_rides_an_index_or_says_why_not() {
    let connection = Connection::open_in_memory().unwrap();
    connection.execute_batch(SCHEMA).unwrap();
    for (name, statement) in statements() {
        let meant = statement.contains("SCAN is meant:");
        for line in plan(&connection, &statement) {
            assert!(
                !line.contains("TEMP B-TREE"),
                "{name}.sql sorts or groups by itself: {line}"
            );
            let scans = line.starts_with("SCAN") && line != "SCAN CONSTANT ROW";
            assert!(meant || !scans, "{name}.sql reads everything: {line}");
        }
    }
}

/// `IN` with several values, in a constraint or a partial index as well as in the statement, and
/// `RETURNING` make `SQLite` build and drop a table at every execution: a third of the time that a
/// drain took.
#[test]
fn no_step_of_the_usual_path_builds_a_table_of_its_own() {
    let connection = Connection::open_in_memory().unwrap();
    connection.execute_batch(SCHEMA).unwrap();
    let usual = [
        "insert",
        "claim",
        "claimed",
        "complete",
        "store_result",
        "count",
        "retry",
        "snooze",
        "record_attempt",
        "release",
        "hand_back",
        "lose",
        "bury",
    ];
    let statements = statements();
    for name in usual {
        let (_, statement) = statements.iter().find(|(known, _)| known == name).unwrap();
        let mut explain = connection.prepare(&format!("EXPLAIN {statement}")).unwrap();
        let codes = explain.raw_query().mapped(|row| row.get::<_, String>(1));
        for code in codes.map(Result::unwrap) {
            assert_ne!(code, "OpenEphemeral", "{name}.sql builds a table");
        }
    }
}

#[test]
fn every_index_that_a_statement_names_is_used() {
    let connection = Connection::open_in_memory().unwrap();
    connection.execute_batch(SCHEMA).unwrap();
    let indexes: Vec<String> = objects(&connection)
        .into_iter()
        .map(|(name, _)| name)
        .filter(|name| {
            let prefixes = [
                "job_",
                "lane_",
                "dependency_",
                "schedule_",
                "lock_",
                "attempt_",
                "failure_",
            ];
            prefixes.iter().any(|prefix| name.starts_with(prefix))
        })
        .collect();
    for (name, statement) in statements() {
        let said = statement.lines().nth(1).unwrap_or_default();
        let plan = plan(&connection, &statement).join("\n");
        for index in indexes.iter().filter(|index| said.contains(*index)) {
            assert!(
                plan.contains(index),
                "{name}.sql does not use {index}:\n{plan}"
            );
        }
    }
}

#[test]
fn every_statement_says_what_it_is_and_has_no_star() {
    for (name, statement) in statements() {
        let mut lines = statement.lines();
        let first = lines.next().unwrap();
        let known = [
            "-- Arrow",
            "-- Question: ",
            "-- Roster: ",
            "-- Schedule: ",
            "-- Waits: ",
            "-- Every arrow: ",
            "-- Limits: ",
            "-- Locks: ",
            "-- Failures: ",
        ];
        assert!(
            known.iter().any(|start| first.starts_with(start)),
            "{name}: {first}"
        );
        assert!(
            lines.next().unwrap().starts_with("-- Index: "),
            "{name} names no index"
        );
        assert!(
            !statement.contains("SELECT *"),
            "{name} selects whatever is there"
        );
    }
}

#[test]
fn the_ladder_leads_to_the_schema() {
    let scratch = Scratch::new("ladder");
    SqliteStore::new(scratch.file(), Sync::Relaxed)
        .stats()
        .unwrap();
    let climbed = Connection::open(scratch.file()).unwrap();
    let written = Connection::open_in_memory().unwrap();
    written.execute_batch(SCHEMA).unwrap();
    assert_eq!(objects(&climbed), objects(&written));
    let version: u8 = climbed
        .pragma_query_value(None, "user_version", |row| row.get(0))
        .unwrap();
    assert_eq!(version, SCHEMA_VERSION);
}

#[test]
fn a_newer_file_is_refused_and_left_as_it_is() {
    let scratch = Scratch::new("newer");
    SqliteStore::new(scratch.file(), Sync::Relaxed)
        .stats()
        .unwrap();
    let newer = Connection::open(scratch.file()).unwrap();
    newer.pragma_update(None, "user_version", 99).unwrap();
    newer
        .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
        .unwrap();
    drop(newer);
    let before = fs::read(scratch.file()).unwrap();
    let refused = SqliteStore::new(scratch.file(), Sync::Relaxed).stats();
    assert!(matches!(
        refused,
        Err(Error::NewerSchema {
            found: 99,
            known: 1,
            ..
        })
    ));
    assert_eq!(fs::read(scratch.file()).unwrap(), before);
}

#[test]
fn a_database_of_another_program_is_refused_and_left_as_it_is() {
    for layout in [
        "PRAGMA user_version = 7",
        "CREATE TABLE job (id)",
        "CREATE TABLE jobs (id)",
    ] {
        let scratch = Scratch::new("foreign");
        let foreign = Connection::open(scratch.file()).unwrap();
        foreign.execute_batch(layout).unwrap();
        drop(foreign);
        let before = fs::read(scratch.file()).unwrap();
        let refused = SqliteStore::new(scratch.file(), Sync::Relaxed).stats();
        assert!(matches!(refused, Err(Error::Foreign { .. })), "{layout}");
        assert_eq!(fs::read(scratch.file()).unwrap(), before, "{layout}");
    }
}

#[test]
fn other_tables_in_the_file_do_no_harm() {
    let scratch = Scratch::new("neighbours");
    let neighbour = Connection::open(scratch.file()).unwrap();
    neighbour.execute_batch("CREATE TABLE users (id)").unwrap();
    drop(neighbour);
    let store = SqliteStore::new(scratch.file(), Sync::Relaxed);
    assert_eq!(store.stats().unwrap().pending, 0);
}

#[test]
fn a_text_file_is_not_a_database() {
    let scratch = Scratch::new("text");
    fs::write(scratch.file(), "not a database, just words\n".repeat(100)).unwrap();
    let refused = SqliteStore::new(scratch.file(), Sync::Relaxed).stats();
    assert!(
        matches!(refused, Err(Error::NotADatabase { .. })),
        "{refused:?}"
    );
}

#[test]
fn hand_written_sql_cannot_leave_the_state_machine() {
    let connection = Connection::open_in_memory().unwrap();
    connection.execute_batch(SCHEMA).unwrap();
    connection
        .execute_batch(
            "INSERT INTO lane (queue, task) VALUES ('q', 't');
             INSERT INTO job (id, lane, state, priority, run_at, created_at, max_retries,
                              timeout_ms, payload)
             VALUES (1, 1, 'pending', 0, 0, 0, 3, 0, x'00')",
        )
        .unwrap();
    for (statement, reason) in [
        (
            "UPDATE job SET state = 'complete', finished_at = 1",
            "no arrow",
        ),
        ("UPDATE job SET state = 'running'", "running_has_an_owner"),
        ("UPDATE job SET state = 'cancelled'", "finished_has_a_time"),
        ("UPDATE job SET fence = -1", "no arrow"),
        ("UPDATE job SET state = 'lost'", "no arrow"),
        (
            "UPDATE job SET dead_letter = 1",
            "only_the_dead_have_letters",
        ),
    ] {
        let refused = connection.execute_batch(statement).unwrap_err().to_string();
        assert!(refused.contains(reason), "{statement}: {refused}");
    }
}
