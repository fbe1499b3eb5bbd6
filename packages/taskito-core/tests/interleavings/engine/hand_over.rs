//! From the dispatcher to runners and back, and to whoever tends the worker.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use shuttle::thread;
use taskito_core::clock::{ManualClock, Millis};
use taskito_core::id::Key;
use taskito_core::job::{Claim, Fence, Held, LaneId, Spot, Token};
use taskito_core::limits::Opening;
use taskito_core::outcome::Outcome;

use super::desk::Desk;
use super::ledger::Entry;
use super::news::{Event, News};
use super::patience::{Patience, Restraint};
use super::slips::{Phase, Ready};
use super::task::TaskSettings;
use super::{Settings, Site};
use crate::explore;
use crate::store::gate::{Gate, LONGEST_SLEEP};
use crate::sync::{AtomicBool, AtomicU32, Mutex};

const RUNNERS: u32 = 2;
const JOBS: i64 = 4;

/// A worker whose store is a list of jobs that wait.
struct Worker {
    gate: Arc<Gate>,
    desk: Desk,
    waiting: Mutex<Vec<i64>>,
    settled: AtomicU32,
}

impl Worker {
    fn new() -> Self {
        let gate = Arc::new(Gate::private().unwrap());
        let site = Site {
            gate: Arc::clone(&gate),
            clock: Arc::new(ManualClock::at(Millis(0))),
        };
        let settings = Settings {
            threads: RUNNERS,
            seed: Some(1),
            ..Settings::default()
        };
        let desk = Desk::new(&site, Arc::new(News::default()), &settings);
        desk.register("task", TaskSettings::default());
        Self {
            gate,
            desk,
            waiting: Mutex::default(),
            settled: AtomicU32::new(0),
        }
    }

    fn produce(&self, job: i64) {
        self.waiting.lock().unwrap().push(job);
        self.gate.work().ring();
    }

    /// Works as the dispatcher does: looks, and sleeps over what it has seen. Leaves when all is
    /// done.
    fn dispatch(&self) {
        let now = Instant::now();
        let mut held: HashSet<Token> = HashSet::new();
        loop {
            let heard = self.gate.work().number();
            if let Some(number) = self.desk.unheeded() {
                self.desk.heed(number, &rows(&held), &[]);
            }
            let plan = self.desk.plan(now);
            for settled in &plan.settled {
                assert!(held.remove(&settled.claim.token), "settled twice");
                self.settled.fetch_add(1, Ordering::SeqCst);
            }
            if i64::from(self.settled.load(Ordering::SeqCst)) == JOBS {
                self.desk.drain(now);
            }
            if plan.phase != Phase::Serving {
                return self.desk.end();
            }
            let mut waiting = self.waiting.lock().unwrap();
            let count = plan.free.threads.min(waiting.len());
            let taken: Vec<i64> = waiting.drain(..count).collect();
            drop(waiting);
            let news = !taken.is_empty() || !plan.settled.is_empty();
            let claims = taken.into_iter().map(|job| {
                let claim = claim(job);
                held.insert(claim.token);
                Ready {
                    claim,
                    task: Arc::clone(&plan.tasks["task"]),
                    entry: Entry,
                }
            });
            self.desk.put_out(claims.collect(), 0, 0);
            if !news {
                let bell = self.gate.work();
                bell.sleep(heard, LONGEST_SLEEP, || self.desk.falls_asleep());
            }
        }
    }

    fn run(&self) {
        while let Some(claim) = self.desk.next() {
            assert!(self.desk.settle(
                claim.token,
                Outcome::Done {
                    result: Vec::new(),
                    preview: None
                },
                false
            ));
        }
    }
}

fn claim(job: i64) -> Claim {
    Claim {
        token: Token {
            key: Key(job),
            fence: Fence(1),
            spot: Spot {
                lane: LaneId(1),
                strand: None,
            },
        },
        queue: "queue".into(),
        task: "task".into(),
        payload: Vec::new(),
        inputs: None,
        retry_count: 0,
        max_retries: 0,
        losses: 0,
        timeout: Duration::ZERO,
        run_at: Millis(0),
        expires_at: None,
    }
}

fn rows(held: &HashSet<Token>) -> Vec<Held> {
    let row = |token: &Token| Held {
        token: *token,
        max_retries: 0,
        losses: 0,
        cancel_requested: false,
    };
    held.iter().map(row).collect()
}

/// Everybody works on one worker until all jobs are settled.
fn work(operator: fn(&Worker)) {
    let worker = Arc::new(Worker::new());
    let spawn = |act: fn(&Worker)| {
        let worker = Arc::clone(&worker);
        thread::spawn(move || act(&worker))
    };
    let mut threads = vec![
        spawn(Worker::dispatch),
        spawn(|worker| (0..2).for_each(|job| worker.produce(job))),
        spawn(|worker| (2..JOBS).for_each(|job| worker.produce(job))),
        spawn(operator),
    ];
    threads.extend((0..RUNNERS).map(|_| spawn(Worker::run)));
    for thread in threads {
        thread.join().unwrap();
    }
    assert_eq!(i64::from(worker.settled.load(Ordering::SeqCst)), JOBS);
}

#[test]
fn every_job_reaches_a_runner_and_every_outcome_the_dispatcher() {
    explore(6_000, || work(|_| {}));
}

#[test]
fn a_decision_from_outside_holds_jobs_up_only_until_it_was_looked_at() {
    explore(6_000, || work(|worker| worker.gate.ring_control()));
}

/// Listens as whoever tends a worker does, until it has heard enough.
fn listen(news: &News, enough: fn(events: usize, ended: bool) -> bool) {
    let mut heard = 0;
    loop {
        let number = news.number();
        heard += news.take().len();
        if enough(heard, news.has_ended()) {
            return;
        }
        news.wait(number, LONGEST_SLEEP);
    }
}

#[test]
fn whoever_tends_a_worker_hears_every_event_and_of_the_end() {
    explore(6_000, || {
        let news = Arc::new(News::default());
        let spawn = |act: fn(&News)| {
            let news = Arc::clone(&news);
            thread::spawn(move || act(&news))
        };
        let events = [
            spawn(|news| listen(news, |events, _| events == 2)),
            spawn(|news| news.tell([Event::Hire(1)])),
            spawn(|news| news.tell([Event::Recovered])),
        ];
        for thread in events {
            thread.join().unwrap();
        }
        let end = [
            spawn(|news| listen(news, |_, ended| ended)),
            spawn(News::end),
        ];
        for thread in end {
            thread.join().unwrap();
        }
    });
}

/// A job ends, by which a limit opens; who ends it rings only if somebody is held back.
fn end(gate: &Gate, open: &AtomicBool) {
    open.store(true, Ordering::SeqCst);
    if gate.holds_anybody_back() {
        gate.work().ring();
    }
}

#[test]
fn whoever_a_limit_holds_back_hears_of_the_job_that_ends() {
    explore(6_000, || {
        let gate = Arc::new(Gate::private().unwrap());
        let open = Arc::new(AtomicBool::new(false));
        let workers: Vec<_> = (0..2)
            .map(|_| {
                let (gate, open) = (Arc::clone(&gate), Arc::clone(&open));
                thread::spawn(move || {
                    let mut patience = Patience::default();
                    loop {
                        let number = gate.work().number();
                        if open.load(Ordering::SeqCst) {
                            return;
                        }
                        let mut found = Restraint::default();
                        found.note(Opening::Later);
                        if !patience.learn(found, &gate) {
                            gate.work().sleep(number, LONGEST_SLEEP, || false);
                        }
                    }
                })
            })
            .collect();
        end(&gate, &open);
        for worker in workers {
            worker.join().unwrap();
        }
        assert!(!gate.holds_anybody_back());
    });
}
