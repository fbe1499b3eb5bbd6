//! Files with anything in them: an error is fine, a panic is not.

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use rusqlite::Connection;
use rusqlite::types::Value;
use taskito_core::breaker::BreakerSettings;
use taskito_core::clock::Millis;
use taskito_core::engine::{Site, reap_the_dead};
use taskito_core::id::Key;
use taskito_core::job::{JobFilter, LetterFilter, LogFilter, WorkerId};
use taskito_core::limits::{Limit, QueueChange, TaskLimits};
use taskito_core::outcome::decide_loss;
use taskito_core::rate::Rate;
use taskito_core::rollup::{Period, Run};
use taskito_core::state::State;
use taskito_core::store::sqlite::SqliteStore;
use taskito_core::store::{
    Completion, End, Failure, Graph, Inspect, JobStore, Restraints, Survey, Sync, Timetable,
    Watching,
};

use crate::chance::Chance;
use crate::hold;
use crate::support::{Directory, Hunger, START, after, every, job, job_with, plan, worker};

/// A store with jobs in every state, a schedule and limits.
fn lived_in(directory: &Directory) -> (SqliteStore, WorkerId) {
    let store = SqliteStore::new(directory.path("jobs.db"), Sync::Relaxed);
    let mut id = None;
    store
        .write(Sync::Relaxed, &mut |t| {
            let me = t.enlist(START, &worker())?;
            id = Some(me);
            t.announce(&[("few".into(), limits())])?;
            t.set_queue("default", &QueueChange::MaxConcurrent(Some(50)))?;
            t.declare(START, me, &[plan("plan", every(5))])?;
            let mut jobs: Vec<_> = (0..8).map(|_| job("plain")).collect();
            jobs.extend((0..4).map(|_| job_with("few", |spec| spec.limit_key = Some("k".into()))));
            let stored = t.insert(START, &jobs)?;
            t.insert(START, &[after("plain", &[stored[0].key])])?;
            t.insert(
                START,
                &[job_with("plain", |spec| {
                    spec.delay = Duration::from_secs(9);
                })],
            )?;
            let mut hunger = Hunger::of(8).limit("few", limits());
            let claims = t.claim(START, me, &mut hunger)?;
            let run = Run::since(START, START, Duration::from_millis(3));
            let token = |place: usize| claims[place].token;
            t.complete(
                START,
                &[Completion {
                    preview: None,
                    token: token(0),
                    result: b"r",
                    run,
                }],
            )?;
            t.bury(
                START,
                &[End {
                    cause: None,
                    token: token(1),
                    error: "e",
                    run: Some(run),
                }],
            )?;
            t.lose(
                START,
                &[End {
                    cause: None,
                    token: token(2),
                    error: "e",
                    run: None,
                }],
            )?;
            t.retry(
                START,
                &[Failure {
                    cause: None,
                    token: token(3),
                    error: "e",
                    run_at: START,
                    run,
                }],
            )?;
            t.tick(Millis(START.0 + 5000), "plan").map(|_| ())
        })
        .unwrap();
    (store, id.unwrap())
}

fn limits() -> TaskLimits {
    TaskLimits {
        limit: Limit {
            rate: Some(Rate::parse("9/s").unwrap()),
            max_concurrent: Some(3),
        },
        breaker: Some(BreakerSettings {
            threshold: 2,
            window: Duration::from_secs(1),
            cooldown: Duration::from_secs(1),
        }),
    }
}

fn any_value(chance: &mut Chance) -> Value {
    let number = chance.next().cast_signed();
    match chance.below(10) {
        0 => Value::Null,
        1 | 8 => Value::Integer(chance.one_of(&[0, -1, 1, i64::MIN, i64::MAX])),
        2 | 9 => Value::Integer(number >> chance.below(64)),
        3 => Value::Real(f64::from_bits(chance.next())),
        4 => Value::Text(
            chance
                .one_of(&[
                    "",
                    "pending",
                    "running",
                    "9/s",
                    "one",
                    "* * * * *",
                    "Europe/Berlin",
                    "\u{0}",
                ])
                .into(),
        ),
        5 => Value::Text(format!("{number} {number}")),
        6 => Value::Blob(chance.next().to_le_bytes()[..chance.below(9)].to_vec()),
        _ => Value::Blob(Vec::new()),
    }
}

/// Overwrites some values of some rows, against every constraint that can be switched off; how
/// many.
fn vandalise(connection: &Connection, chance: &mut Chance) -> usize {
    let mut changed = 0;
    let names = |query: &str| -> Vec<String> {
        let mut statement = connection.prepare(query).unwrap();
        let names = statement.query_map([], |row| row.get(0)).unwrap();
        names.map(Result::unwrap).collect()
    };
    let tables =
        names("SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%'");
    for _ in 0..=chance.below(3) {
        let any = chance.below(tables.len());
        let table = if chance.one_in(2) {
            "job"
        } else {
            &tables[any]
        };
        let columns = names(&format!("SELECT name FROM pragma_table_info('{table}')"));
        let column = &columns[chance.below(columns.len())];
        let stroke = format!("UPDATE OR IGNORE {table} SET {column} = ?1 WHERE rowid % ?2 = 0");
        let stride = chance.one_of(&[1, 2, 5]);
        // What the column cannot hold is refused.
        let rows = connection.execute(&stroke, (any_value(chance), stride));
        changed += rows.unwrap_or_default();
    }
    changed
}

/// Asks everything that can be asked, and takes every step that a worker takes.
fn use_it(store: &SqliteStore, id: WorkerId, now: Millis) {
    let most = u32::MAX;
    let filter = JobFilter {
        limit: most,
        ..JobFilter::default()
    };
    let keys: Vec<Key> = store
        .walk(Key::default(), most)
        .into_iter()
        .flatten()
        .map(|job| job.key)
        .collect();
    store.jobs(&filter).ok();
    store.count(&filter).ok();
    store.stats().ok();
    store.waiting(Key::default(), most).ok();
    store.metrics(Millis(0), None).ok();
    store.rollups(now, &Period::default()).ok();
    store.census().ok();
    store
        .dead_letters(&LetterFilter {
            limit: most,
            ..LetterFilter::default()
        })
        .ok();
    store
        .query_logs(&LogFilter {
            limit: most,
            ..LogFilter::default()
        })
        .ok();
    store.workers().ok();
    store.next_due().ok();
    store.next_expiry().ok();
    store.outlived(now, most).ok();
    store.overlong_wait(now, Duration::from_millis(250)).ok();
    store.schedules().ok();
    store.fires().ok();
    store.queues(now).ok();
    store.breakers().ok();
    let hunger = || Hunger::of(5).limit("few", limits());
    store.has_prospects(now, &mut hunger()).ok();
    for key in &keys {
        store.job(*key).ok();
        store.attempts(*key).ok();
        store.dependencies(*key).ok();
        store.dependents(*key).ok();
        store.holds(now, *key).ok();
        store.replays(*key).ok();
        store.position(*key, most).ok();
        assert_eq!(key.text(store.database().unwrap()).len(), 36);
    }
    let steps: [&mut taskito_core::store::Work<'_>; 6] = [
        &mut |t| t.promote(now, 9).map(|_| ()),
        &mut |t| t.expire(now, 9).map(|_| ()),
        &mut |t| t.claim(now, id, &mut hunger()).map(|_| ()),
        &mut |t| t.tick(now, "plan").map(|_| ()),
        &mut |t| t.shift_waits(900).map(|_| ()),
        &mut |t| {
            for held in t.held(id)? {
                assert_ne!(
                    decide_loss(&held, "w", true),
                    decide_loss(&held, "w", false)
                );
                t.put_back_tokens(&[held.token])?;
                t.complete(
                    now,
                    &[Completion {
                        preview: None,
                        token: held.token,
                        result: b"",
                        run: Run::default(),
                    }],
                )?;
            }
            t.merge_metrics(Key::default(), Key::LAST, 99)?;
            t.fold_rollups(Millis(i64::MAX), 99)?;
            t.prune(&keys).map(|_| ())
        },
    ];
    for step in steps {
        store.write(Sync::Relaxed, step).ok();
    }
}

#[test]
fn rows_with_anything_in_them_are_read_or_refused() {
    let origin = Directory::new();
    let (store, id) = lived_in(&origin);
    store.tidy().unwrap();
    store.close();
    let mut changed = 0;
    hold(250, |chance| {
        let directory = Directory::new();
        let path = directory.path("jobs.db");
        fs::copy(origin.path("jobs.db"), &path).unwrap();
        {
            let connection = Connection::open(&path).unwrap();
            connection
                .execute_batch(
                    "PRAGMA ignore_check_constraints = ON; DROP TRIGGER job_moves_along_an_arrow;",
                )
                .unwrap();
            changed += vandalise(&connection, chance);
        }
        let store = SqliteStore::new(&path, Sync::Relaxed);
        use_it(&store, id, Millis(START.0 + 20_000));
        store.close();
    });
    assert!(changed > 0, "nothing was overwritten");
}

#[test]
fn a_ledger_with_anything_in_it_costs_a_loss_at_most() {
    let directory = Directory::new();
    let store = Arc::new(SqliteStore::new(directory.path("jobs.db"), Sync::Relaxed));
    let site = Site {
        store: Arc::clone(&store) as Arc<dyn JobStore>,
        gate: store.gate().unwrap(),
        clock: store.clock(),
        path: store.file(),
    };
    hold(150, |chance| {
        let mut held = None;
        store
            .write(Sync::Relaxed, &mut |t| {
                let me = t.enlist(START, &worker())?;
                let stored = t.insert(START, &[job("plain")])?[0].key;
                t.claim(START, me, &mut Hunger::of(1))?;
                held = Some((me, stored));
                Ok(())
            })
            .unwrap();
        let (dead, job) = held.unwrap();
        let mut bytes: Vec<u8> = (0..chance.below(300))
            .map(|_| chance.next().to_le_bytes()[0])
            .collect();
        if chance.one_in(3) {
            bytes.splice(0..0, job.0.to_ne_bytes());
        }
        fs::write(directory.path(&format!("jobs.db-worker-{}", dead.0)), bytes).unwrap();
        assert_eq!(reap_the_dead(&site).unwrap(), 1);
        let row = store.job(job).unwrap().unwrap();
        assert!(row.state == State::Pending && row.losses <= 1, "{row:?}");
        store
            .write(Sync::Relaxed, &mut |t| t.cancel(START, job).map(|_| ()))
            .unwrap();
    });
    store.close();
}
