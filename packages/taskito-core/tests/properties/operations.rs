//! Operations among everything else that happens: both stores come to the same, and no job is
//! taken twice or left out.

use std::time::Duration;

use taskito_core::bulk::{Canary, NewOperation, OperationRow, Phase, Verb};
use taskito_core::clock::Millis;
use taskito_core::filter::{Filter, Written};
use taskito_core::id::Key;
use taskito_core::job::{Claim, JobFilter, LetterFilter, Token};
use taskito_core::rollup::Run;
use taskito_core::state::State;
use taskito_core::store::bulk::{Driven, begin, count, drive};
use taskito_core::store::{Completion, End, Sync, Transaction};

use crate::chance::Chance;
use crate::hold;
use crate::support::{Home, Hunger, START, job_with, model, sqlite, worker};

/// One store, and a history that depends on chance alone.
struct World {
    home: Home,
    now: Millis,
}

/// What can be compared of two stores.
type Sight = (Vec<(String, State)>, usize, u64, u64);

#[test]
fn an_operation_takes_each_job_once_whatever_else_happens() {
    hold(60, |chance| {
        let seed = chance.next();
        let [told, expected] = [sqlite(), model()].map(|home| history(home, seed));
        assert_eq!(told, expected);
    });
}

fn history(home: Home, seed: u64) -> Sight {
    let chance = &mut Chance::new(seed, 1);
    let mut world = World { home, now: START };
    world.fill(chance);
    let verb = chance.one_of(&Verb::ALL);
    let task = chance.one_of(&["a", "b"]);
    let wait = Duration::from_secs(3600);
    let jobs = chance.one_of(&[0, 1, 3]);
    let canary = (jobs > 0).then_some(Canary { jobs, wait });
    let wanted = NewOperation {
        verb,
        filter: of_task(task),
        text: task.into(),
        who: "chance".into(),
        total: 0,
        rate: chance.one_of(&[None, Some(1), Some(7)]),
        stop_after: None,
        canary: canary.filter(|_| verb == Verb::Retry),
    };
    let patience = Duration::from_secs(60);
    let store = &*world.home.store;
    let (number, _) = count(store, &wanted.filter, START, Key(0), 1000, 1000, patience).unwrap();
    let now = world.now;
    let key = world.write(|t| begin(t, now, &wanted));
    let row = world.driven(key, chance);
    // Those of the task that were there; what a verb cannot be done to is skipped.
    assert_eq!(row.done + row.skipped, number);
    world.home.audit();
    world.sight(&row)
}

fn completed(token: Token) -> Completion<'static> {
    Completion {
        token,
        result: b"",
        preview: None,
        run: Run::default(),
    }
}

fn of_task(task: &str) -> Filter {
    let written = Written {
        field: "task".into(),
        denied: false,
        values: vec![task.into()],
    };
    Filter::new(vec![written]).unwrap()
}

impl World {
    fn write<T>(
        &self,
        mut work: impl FnMut(&mut dyn Transaction) -> taskito_core::error::Result<T>,
    ) -> T {
        let mut answer = None;
        self.home
            .store
            .write(Sync::Relaxed, &mut |t| {
                answer = Some(work(t)?);
                Ok(())
            })
            .unwrap();
        answer.unwrap()
    }

    fn insert(&self, chance: &mut Chance) {
        let task = chance.one_of(&["a", "b"]);
        let delay = chance.one_of(&[0, 60]);
        let job = job_with(task, |spec| spec.delay = Duration::from_secs(delay));
        self.write(|t| t.insert(self.now, std::slice::from_ref(&job)));
    }

    /// Jobs in every state.
    fn fill(&mut self, chance: &mut Chance) {
        for _ in 0..5 + chance.below(30) {
            self.insert(chance);
        }
        let worker = self.write(|t| t.enlist(self.now, &worker()));
        let jobs = chance.below(20);
        let claims: Vec<Claim> = self.write(|t| t.claim(self.now, worker, &mut Hunger::of(jobs)));
        for claim in claims {
            let token = claim.token;
            let (error, failed) = ("no", Some(Run::default()));
            match chance.below(3) {
                0 => {
                    let done = completed(token);
                    self.write(|t| t.complete(self.now, &[done]))
                }
                1 => {
                    let end = End {
                        token,
                        error,
                        cause: None,
                        run: failed,
                    };
                    self.write(|t| t.bury(self.now, &[end]))
                }
                _ => continue,
            };
        }
    }

    /// Drives by several drivers, with jobs that come in between, until it is over.
    fn driven(&mut self, operation: Key, chance: &mut Chance) -> OperationRow {
        loop {
            let row = self.home.store.operation(operation).unwrap().unwrap();
            if row.phase != Phase::Running {
                assert_eq!(row.phase, Phase::Done);
                return row;
            }
            let driver = chance.one_of(&[1, 2]);
            if drive(&*self.home.store, self.now, driver).unwrap() != Driven::Moved {
                self.now = self.now.plus(Duration::from_secs(1));
            }
            if chance.one_in(3) {
                self.insert(chance);
            }
            if row.waits_until.is_some() {
                self.complete_all();
            }
        }
    }

    /// Runs all that is due.
    fn complete_all(&self) {
        let worker = self.write(|t| t.enlist(self.now, &worker()));
        let claims = self.write(|t| t.claim(self.now, worker, &mut Hunger::endless()));
        let done: Vec<Completion<'_>> = claims.iter().map(|claim| completed(claim.token)).collect();
        self.write(|t| t.complete(self.now, &done));
    }

    fn sight(&self, row: &OperationRow) -> Sight {
        let all = JobFilter {
            limit: 1000,
            ..JobFilter::default()
        };
        let letters = LetterFilter {
            limit: 1000,
            ..LetterFilter::default()
        };
        let jobs = self.home.store.jobs(&all).unwrap().into_iter();
        (
            jobs.map(|job| (job.task, job.state)).collect(),
            self.home.store.dead_letters(&letters).unwrap().len(),
            row.done,
            row.skipped,
        )
    }
}
