//! One store with a clock and a worker, and the arrows as single calls. Long, as all arrows and
//! questions are here.

use std::cell::Cell;

use taskito_core::breaker::Trial;
use taskito_core::cause::Cause;
use taskito_core::clock::Millis;
use taskito_core::error::Result;
use taskito_core::id::Key;
use taskito_core::job::{
    AttemptRow, Claim, DeadRow, Fence, Held, Inserted, JobFilter, JobRow, LaneId, LetterFilter,
    LogRow, NewJob, Spot, Stats, Token, WorkerId,
};
use taskito_core::limits::{QueueChange, TaskLimits};
use taskito_core::rollup::Run;
use taskito_core::schedule::{Plan, ScheduleRow, Ticked};
use taskito_core::state::State;
use taskito_core::store::{
    Completion, End, Failure, JobStore, Judgement, LogLine, Rest, Sync, Transaction, Verdict,
};

use crate::support::{Home, Hunger, START, job_with, worker};

/// A store under test.
pub(crate) struct World {
    home: Home,
    now: Cell<Millis>,
    worker: Cell<Option<WorkerId>>,
}

/// Everything that can be seen of a store.
#[derive(Debug, PartialEq)]
pub(crate) struct Sight {
    pub(crate) jobs: Vec<JobRow>,
    pub(crate) results: Vec<Option<Vec<u8>>>,
    pub(crate) attempts: Vec<AttemptRow>,
    pub(crate) letters: Vec<DeadRow>,
    pub(crate) stats: Stats,
    pub(crate) workers: String,
    pub(crate) schedules: Vec<ScheduleRow>,
}

/// A key that no row has.
pub(crate) const NOBODY: Key = Key(1);

impl World {
    pub(crate) fn new(home: Home) -> Self {
        Self {
            home,
            now: Cell::new(START),
            worker: Cell::new(None),
        }
    }

    pub(crate) fn store(&self) -> &dyn JobStore {
        &*self.home.store
    }

    pub(crate) fn now(&self) -> Millis {
        self.now.get()
    }

    /// The instant so many milliseconds from now.
    pub(crate) fn later(&self, millis: i64) -> Millis {
        Millis(self.now().0 + millis)
    }

    /// Moves the clock, back if negative.
    pub(crate) fn advance(&self, millis: i64) {
        self.now.set(self.later(millis));
    }

    /// The worker that claims here; enlisted when first asked for.
    pub(crate) fn worker(&self) -> WorkerId {
        let id = self
            .worker
            .get()
            .unwrap_or_else(|| self.write(|t| t.enlist(self.now(), &worker())));
        self.worker.set(Some(id));
        id
    }

    pub(crate) fn write<R>(&self, work: impl FnMut(&mut dyn Transaction) -> Result<R>) -> R {
        self.try_write(work).unwrap()
    }

    pub(crate) fn try_write<R>(
        &self,
        mut work: impl FnMut(&mut dyn Transaction) -> Result<R>,
    ) -> Result<R> {
        let mut answer = None;
        self.store().write(Sync::Relaxed, &mut |t| {
            answer = Some(work(t)?);
            Ok(())
        })?;
        Ok(answer.expect("a commit without its work"))
    }

    pub(crate) fn insert(&self, job: NewJob) -> Key {
        let inserted = self.insert_all(&[job])[0];
        assert!(!inserted.deduplicated);
        inserted.key
    }

    pub(crate) fn insert_all(&self, jobs: &[NewJob]) -> Vec<Inserted> {
        self.write(|t| t.insert(self.now(), jobs))
    }

    pub(crate) fn promote(&self, limit: u32) -> u32 {
        self.write(|t| t.promote(self.now(), limit))
    }

    pub(crate) fn claim(&self, hunger: &mut Hunger) -> Vec<Claim> {
        let worker = self.worker();
        self.write(|t| t.claim(self.now(), worker, hunger))
    }

    /// Claims all there is; the keys in running order.
    pub(crate) fn claimed(&self, mut hunger: Hunger) -> Vec<Key> {
        let claims = self.claim(&mut hunger);
        claims.iter().map(|claim| claim.token.key).collect()
    }

    /// Claims the one job that is pending.
    pub(crate) fn take(&self) -> Claim {
        let mut claims = self.claim(&mut Hunger::endless());
        assert_eq!(claims.len(), 1);
        claims.remove(0)
    }

    /// Inserts a job and claims it.
    pub(crate) fn running(&self, job: NewJob) -> Token {
        let key = self.insert(job);
        let token = self.take().token;
        assert_eq!(token.key, key);
        token
    }

    pub(crate) fn complete(&self, token: Token, result: &[u8]) -> Verdict {
        one(&self.write(|t| {
            t.complete(
                self.now(),
                &[Completion {
                    preview: None,
                    token,
                    result,
                    run: Run::default(),
                }],
            )
        }))
    }

    pub(crate) fn retry(&self, token: Token, error: &str, run_at: Millis) -> Verdict {
        let failure = Failure {
            cause: None,
            token,
            error,
            run_at,
            run: Run::default(),
        };
        one(&self.write(|t| t.retry(self.now(), &[failure])))
    }

    pub(crate) fn lose(&self, token: Token, error: &str) -> Verdict {
        one(&self.write(|t| {
            t.lose(
                self.now(),
                &[End {
                    cause: None,
                    token,
                    error,
                    run: None,
                }],
            )
        }))
    }

    pub(crate) fn hand_back(&self, token: Token) -> Verdict {
        one(&self.write(|t| t.hand_back(self.now(), &[token])))
    }

    pub(crate) fn bury(&self, token: Token, error: &str) -> Verdict {
        self.bury_as(token, error, None)
    }

    pub(crate) fn bury_because(&self, token: Token, cause: &Cause) -> Verdict {
        self.bury_as(token, &cause.message, Some(cause))
    }

    fn bury_as(&self, token: Token, error: &str, cause: Option<&Cause>) -> Verdict {
        let end = End {
            cause,
            token,
            error,
            run: None,
        };
        one(&self.write(|t| t.bury(self.now(), &[end])))
    }

    pub(crate) fn bury_lost(&self, token: Token, error: &str) -> Verdict {
        one(&self.write(|t| {
            t.bury_lost(
                self.now(),
                &[End {
                    cause: None,
                    token,
                    error,
                    run: None,
                }],
            )
        }))
    }

    pub(crate) fn snooze(&self, token: Token, run_at: Millis) -> Verdict {
        one(&self.write(|t| t.snooze(self.now(), &[Rest { token, run_at }])))
    }

    pub(crate) fn abort(&self, token: Token, error: &str) -> Verdict {
        let end = End {
            cause: None,
            token,
            error,
            run: None,
        };
        one(&self.write(|t| t.abort(self.now(), &[end])))
    }

    /// Notes a log line of a claim, now.
    pub(crate) fn log(&self, token: Token, message: &str) -> Verdict {
        let line = LogLine {
            token,
            level: "info".into(),
            message: message.into(),
            extra: None,
            logged_at: self.now(),
        };
        one(&self.write(|t| t.note_log(std::slice::from_ref(&line))))
    }

    pub(crate) fn logs(&self, job: Key) -> Vec<LogRow> {
        self.store().task_logs(job).unwrap()
    }

    pub(crate) fn cancel_request(&self, job: Key) -> bool {
        self.write(|t| t.cancel_request(job))
    }

    pub(crate) fn cancel(&self, job: Key) -> bool {
        self.write(|t| t.cancel(self.now(), job))
    }

    pub(crate) fn run_now(&self, job: Key) -> bool {
        self.write(|t| t.run_now(self.now(), job))
    }

    pub(crate) fn expire(&self, limit: u32) -> u32 {
        self.write(|t| t.expire(self.now(), limit))
    }

    pub(crate) fn replay(&self, job: Key) -> Option<Key> {
        self.write(|t| t.replay(self.now(), job))
    }

    pub(crate) fn discard(&self, letters: &[Key]) -> u32 {
        self.write(|t| t.discard(letters))
    }

    pub(crate) fn set_progress(&self, job: Key, progress: u8) -> bool {
        self.write(|t| t.set_progress(job, progress))
    }

    pub(crate) fn prune(&self, jobs: &[Key]) -> u32 {
        self.write(|t| t.prune(jobs))
    }

    pub(crate) fn revive(&self, letter: Key) -> Option<Key> {
        self.write(|t| t.revive(self.now(), letter))
    }

    pub(crate) fn declare(&self, plan: &Plan) {
        let worker = self.worker();
        self.write(|t| t.declare(self.now(), worker, std::slice::from_ref(plan)));
    }

    pub(crate) fn tick(&self, schedule: &str) -> Ticked {
        self.write(|t| t.tick(self.now(), schedule))
    }

    pub(crate) fn schedule(&self, name: &str) -> ScheduleRow {
        let rows = self.store().schedules().unwrap();
        let row = rows.into_iter().find(|row| row.name == name);
        row.expect("the schedule is gone")
    }

    pub(crate) fn set_queue(&self, queue: &str, change: &QueueChange) {
        self.write(|t| t.set_queue(queue, change));
    }

    /// Says of one task what the code of a worker that starts now says.
    pub(crate) fn announce(&self, task: &str, limits: &TaskLimits) {
        self.write(|t| t.announce(&[(task.into(), limits.clone())]));
    }

    pub(crate) fn put_back_tokens(&self, token: Token) {
        self.write(|t| t.put_back_tokens(&[token]));
    }

    pub(crate) fn judge(&self, task: &str, token: Token, trial: Trial) {
        let task = task.into();
        let attempt = Judgement { task, token, trial };
        self.write(|t| t.judge(self.now(), std::slice::from_ref(&attempt)));
    }

    /// Asserts that whatever the store keeps on the side agrees with its jobs.
    pub(crate) fn audit(&self) {
        self.home.audit();
    }

    pub(crate) fn held(&self, worker: WorkerId) -> Vec<Held> {
        let mut held = self.write(|t| t.held(worker));
        held.sort_by_key(|held| held.token.key);
        held
    }

    pub(crate) fn row(&self, job: Key) -> JobRow {
        self.store().job(job).unwrap().expect("the job is gone")
    }

    pub(crate) fn state(&self, job: Key) -> State {
        self.row(job).state
    }

    pub(crate) fn dependencies(&self, job: Key) -> Vec<Key> {
        self.store().dependencies(job).unwrap()
    }

    pub(crate) fn dependents(&self, job: Key) -> Vec<Key> {
        self.store().dependents(job).unwrap()
    }

    /// The public id of a job.
    pub(crate) fn text(&self, job: Key) -> String {
        job.text(self.store().database().unwrap())
    }

    pub(crate) fn attempts(&self, job: Key) -> Vec<AttemptRow> {
        self.store().attempts(job).unwrap()
    }

    pub(crate) fn letters(&self) -> Vec<DeadRow> {
        self.store().dead_letters(&all_letters()).unwrap()
    }

    /// The dead letter of a job.
    pub(crate) fn letter(&self, job: Key) -> DeadRow {
        let letter = self.letters().into_iter().find(|letter| letter.job == job);
        letter.expect("the job has no dead letter")
    }

    /// All jobs, newest first.
    pub(crate) fn jobs(&self) -> Vec<JobRow> {
        self.store().jobs(&all()).unwrap()
    }

    pub(crate) fn sight(&self) -> Sight {
        let store = self.store();
        let jobs = self.jobs();
        Sight {
            results: jobs
                .iter()
                .map(|job| store.result(job.key).unwrap())
                .collect(),
            attempts: jobs.iter().flat_map(|job| self.attempts(job.key)).collect(),
            letters: self.letters(),
            stats: store.stats().unwrap(),
            workers: format!("{:?}", store.workers().unwrap()),
            schedules: store.schedules().unwrap(),
            jobs,
        }
    }

    /// A job in that state with the newest token of it. All have been claimed once, so the
    /// fence alone does not tell them apart.
    pub(crate) fn job_that_is(&self, state: State) -> Token {
        let token = self.running(job_with("any", |_| {}));
        match state {
            State::Blocked => unreachable!("a job that was claimed is never blocked again"),
            State::Scheduled => assert_applied(self.retry(token, "e", self.later(60_000))),
            State::Pending => assert_applied(self.hand_back(token)),
            State::Running => {}
            State::Complete => assert_applied(self.complete(token, b"r")),
            State::Dead => assert_applied(self.bury(token, "e")),
            State::Cancelled => {
                assert_applied(self.hand_back(token));
                assert!(self.cancel(token.key));
            }
        }
        assert_eq!(self.state(token.key), state);
        token
    }
}

/// The states of jobs that have been claimed.
pub(crate) const CLAIMED: [State; 6] = [
    State::Scheduled,
    State::Pending,
    State::Running,
    State::Complete,
    State::Dead,
    State::Cancelled,
];

/// A listing of everything.
pub(crate) fn all() -> JobFilter {
    JobFilter {
        limit: u32::MAX,
        ..JobFilter::default()
    }
}

/// A listing of all letters.
pub(crate) fn all_letters() -> LetterFilter {
    LetterFilter {
        limit: u32::MAX,
        ..LetterFilter::default()
    }
}

/// A token with a fence that is `by` off.
pub(crate) fn misfenced(token: Token, by: i64) -> Token {
    Token {
        fence: Fence(token.fence.0 + by),
        ..token
    }
}

/// A token of a job that does not exist.
pub(crate) fn unknown_token() -> Token {
    Token {
        key: NOBODY,
        fence: Fence(1),
        spot: Spot::of(LaneId(1)),
    }
}

#[track_caller]
pub(crate) fn assert_applied(verdict: Verdict) {
    assert_eq!(verdict, Verdict::Applied);
}

fn one(verdicts: &[Verdict]) -> Verdict {
    assert_eq!(verdicts.len(), 1);
    verdicts[0]
}
