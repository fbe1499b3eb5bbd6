//! One of the two stores, long as every arrow passes here. Keys become numbers that both
//! stores share: jobs and workers by their coming, everything else by its place in a listing.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::Duration;

use taskito_core::breaker::{Breaker, Trial};
use taskito_core::cause::Fingerprint;
use taskito_core::clock::Millis;
use taskito_core::error::{Error, Result};
use taskito_core::id::Key;
use taskito_core::job::{
    AttemptRow, Beat, DeadRow, Fence, Inserted, JobFilter, JobRow, LaneId, LetterFilter, NewJob,
    ReplayRow, Spot, Stats, Token, WorkerId,
};
use taskito_core::limits::{Hold, Limit, LimiterId, QueueRow, Scope};
use taskito_core::links::{GroupId, Inputs, Links, Parent};
use taskito_core::lock::Moment;
use taskito_core::metric::Summary;
use taskito_core::rollup::{By, Period, Rollups, Run};
use taskito_core::schedule::ScheduleRow;
use taskito_core::state::State;
use taskito_core::store::{
    Arrivals, Census, Completion, Delayed, End, Failure, JobStore, Judgement, LogLine, Passed,
    Rest, Start, Sync, Transaction, Verdict,
};

use crate::author::{Act, Fresh, Kin, Pick, Question, Step};
use crate::groups::{self, Seen, cause};
use crate::plans::Call;
use crate::support::{Home, Hunger, worker};
use crate::vault::{self, Grip};

/// A store and what was learnt of it.
pub(crate) struct Side {
    home: Home,
    known: Known,
}

/// What the answers so far told.
#[derive(Clone, Default)]
struct Known {
    /// All jobs, oldest first.
    jobs: Vec<Key>,
    /// Those that were pruned.
    gone: BTreeSet<Key>,
    /// All claims, oldest first.
    tokens: Vec<Token>,
    /// The tasks of their jobs.
    tasks: HashMap<Key, Arc<str>>,
    /// All workers that ever came, oldest first.
    enlisted: Vec<WorkerId>,
    /// Those that did not leave.
    workers: Vec<WorkerId>,
    /// The dead letters before this transaction, oldest first.
    letters: Vec<Key>,
    /// The groups of failures before this transaction, in the order of their numbers.
    groups: Vec<Fingerprint>,
    /// The highest fence of a lock.
    newest_fence: i64,
}

/// The answer to one step.
#[derive(Debug, PartialEq)]
pub(crate) enum Answer {
    Inserted(Vec<(usize, bool)>),
    Promoted(u32),
    Claimed {
        claims: Vec<String>,
        asked: Vec<String>,
        starts: Vec<Start>,
        suspects: usize,
    },
    Settled(Vec<Verdict>),
    Moved(u32),
    Cancelled(bool),
    Hurried(bool),
    Expired(u32),
    Folded(u32),
    Pruned(usize),
    Replayed(Option<usize>),
    Discarded(u32),
    Progressed(bool),
    Revived(Option<usize>),
    Enlisted,
    Beaten,
    Asked(bool),
    Done,
    Held(Vec<(usize, Fence, u32, u32, bool)>),
    Dismissed(bool),
    Scheduled(Vec<usize>, bool),
    NotDismissed,
    NobodyThere,
    Gripped(i64, Vec<bool>),
    Judged(bool),
}

/// All that can be seen of a store but the details of each job.
#[derive(Debug, PartialEq)]
pub(crate) struct Sight {
    /// Newest first.
    pub(crate) jobs: Vec<JobRow>,
    letters: Vec<DeadRow>,
    stats: Stats,
    workers: Vec<String>,
    next_due: Option<Millis>,
    next_expiry: Option<Millis>,
    passed: Vec<Passed>,
    metrics: Vec<(String, Summary)>,
    rollups: Vec<Rollups>,
    census: Vec<Census>,
    arrivals: [Arrivals; 2],
    delayed: Delayed,
    deaths: u32,
    schedules: Vec<ScheduleRow>,
    fires: Vec<(String, Millis)>,
    queues: Vec<QueueRow>,
    breakers: Vec<(String, Breaker)>,
    task_limits: Vec<(String, Limit)>,
    locks: Vec<Option<Duration>>,
    groups: Vec<Seen>,
}

impl Sight {
    /// The job with that number.
    pub(crate) fn job(&self, number: Key) -> Option<&JobRow> {
        self.jobs.iter().find(|job| job.key == number)
    }
}

/// The answers to one question.
#[derive(Debug, PartialEq)]
pub(crate) struct Answers {
    jobs: Vec<JobRow>,
    count: u64,
    letters: Vec<DeadRow>,
    oldest: Vec<(usize, Millis)>,
    outlived: Vec<usize>,
}

/// What else can be seen of one job.
#[derive(Debug, PartialEq)]
pub(crate) struct Details {
    row: Option<JobRow>,
    state: Option<State>,
    result: Option<Vec<u8>>,
    result_preview: Option<String>,
    attempts: Vec<AttemptRow>,
    /// What each line says, and when.
    logs: Vec<(String, Millis)>,
    pub(crate) dependencies: Vec<Key>,
    dependents: Vec<Key>,
    replays: Vec<ReplayRow>,
    holds: Vec<Hold>,
    positions: [Option<u32>; 2],
}

impl Side {
    pub(crate) fn new(home: Home) -> Self {
        Self {
            home,
            known: Known::default(),
        }
    }

    fn store(&self) -> &dyn JobStore {
        &*self.home.store
    }

    /// Asserts that whatever the store keeps on the side agrees with its jobs.
    pub(crate) fn audit(&self) {
        self.home.audit();
    }

    /// Runs one transaction; what its steps answered, also when it fails at its end.
    pub(crate) fn perform(&mut self, act: &Act) -> Vec<Answer> {
        self.known.letters = self.raw_letters();
        let groups = groups::seen(self.store()).into_iter();
        self.known.groups = groups.map(|group| group.row.fingerprint).collect();
        self.known.groups.sort_unstable();
        let mut told = None;
        let end = self.store().write(Sync::Relaxed, &mut |t| {
            let mut known = self.known.clone();
            let mut answers = Vec::new();
            for step in &act.steps {
                answers.push(match step {
                    Step::Grip(grip) => known.grip(t, &act.moment, grip)?,
                    step => known.perform(t, act.now, step)?,
                });
            }
            told = Some((known, answers));
            if act.fails {
                return Err(Error::Invalid {
                    message: "the end".into(),
                });
            }
            Ok(())
        });
        assert_eq!(end.is_err(), act.fails, "{end:?}");
        let (known, answers) = told.expect("the transaction did not run");
        if !act.fails {
            self.known = known;
        }
        answers
    }

    pub(crate) fn sight(&self, now: Millis, moment: &Moment) -> Sight {
        let store = self.store();
        Sight {
            jobs: self.jobs(&JobFilter {
                limit: u32::MAX,
                ..JobFilter::default()
            }),
            letters: self.letters(&all_letters()),
            stats: store.stats().unwrap(),
            workers: self.workers(),
            next_due: store.next_due().unwrap(),
            next_expiry: store.next_expiry().unwrap(),
            passed: self.passed(),
            metrics: store.metrics(Millis(0), None).unwrap(),
            rollups: self.rollups(now),
            census: store.census().unwrap(),
            arrivals: [
                (Millis(0), u32::MAX),
                (now.minus(Duration::from_secs(60)), 5),
            ]
            .map(|(since, cap)| store.arrivals(since, cap).unwrap()),
            delayed: store.delayed(now, u32::MAX).unwrap(),
            deaths: store.deaths(Millis(0), 3).unwrap(),
            schedules: self.schedules(),
            fires: store.fires().unwrap(),
            queues: store.queues(now).unwrap(),
            breakers: self.breakers(),
            task_limits: store.task_limits().unwrap(),
            locks: vault::left(store, moment),
            groups: groups::seen(store),
        }
    }

    /// Looks at one job, given as it is listed.
    pub(crate) fn details(&self, listed: &JobRow, now: Millis) -> Details {
        let number = usize::try_from(listed.key.0).unwrap();
        let key = self.known.jobs[number];
        let row = self.store().job(key).unwrap();
        Details {
            row: row.map(|row| self.share(row)),
            state: self.store().state(key).unwrap(),
            result: self.store().result(key).unwrap(),
            result_preview: self.store().result_preview(key).unwrap(),
            attempts: self.attempts(key),
            logs: self.logs(key),
            dependencies: self.shared_all(self.store().dependencies(key).unwrap()),
            holds: self.holds(key, now),
            positions: [2, u32::MAX].map(|cap| self.store().position(key, cap).unwrap()),
            dependents: self.shared_all(self.store().dependents(key).unwrap()),
            replays: self.replays(key),
        }
    }

    /// Over all time, and over the last half minute.
    fn rollups(&self, now: Millis) -> Vec<Rollups> {
        let ago = |millis| Millis(now.0 - millis);
        let periods = [
            (Millis(0), By::Nothing),
            (Millis(0), By::Queue),
            (ago(30_000), By::Task),
        ];
        let period = |(from, by)| Period {
            from,
            to: Millis(now.0 + 1),
            step: Duration::from_secs(10),
            by,
            ..Period::default()
        };
        let told = |asked| self.store().rollups(now, &period(asked)).unwrap();
        periods.into_iter().map(told).collect()
    }

    fn replays(&self, job: Key) -> Vec<ReplayRow> {
        let rows = self.store().replays(job).unwrap();
        let rows = rows.into_iter().map(|row| ReplayRow {
            replay: self.known.shared(row.replay),
            original: self.known.shared(row.original),
            // Errors are seen with the jobs.
            original_error: row.original_error.map(|_| String::new()),
            replay_error: row.replay_error.map(|_| String::new()),
            ..row
        });
        rows.collect()
    }

    pub(crate) fn answer(&self, question: &Question) -> Answers {
        let (now, most) = question.outlived;
        let outlived = self.store().outlived(now, most).unwrap();
        let jobs = JobFilter {
            before: question.before.and_then(|pick| pick.of(&self.known.jobs)),
            ..question.jobs.clone()
        };
        let raw = self.raw_letters();
        let place = question.letters_before.and_then(|pick| pick.of(&raw));
        let letters = LetterFilter {
            before: place,
            ..question.letters.clone()
        };
        let oldest = self
            .store()
            .oldest_letters(place.unwrap_or_default(), &letters);
        let oldest = oldest.unwrap().into_iter().map(|(key, failed_at)| {
            let number = raw.binary_search(&key).expect("an unknown letter");
            (number, failed_at)
        });
        Answers {
            jobs: self.jobs(&jobs),
            count: self.store().count(&jobs).unwrap(),
            letters: self.letters(&letters),
            oldest: oldest.collect(),
            outlived: outlived.iter().map(|key| self.known.number(*key)).collect(),
        }
    }

    /// All jobs as they are passed on a walk, portion by portion.
    fn passed(&self) -> Vec<Passed> {
        let (mut after, mut passed) = (Key(0), Vec::new());
        loop {
            let portion = self.store().walk(after, 3).unwrap();
            let Some(last) = portion.last() else {
                return passed;
            };
            after = last.key;
            passed.extend(portion.into_iter().map(|job| Passed {
                key: self.known.shared(job.key),
                lane: LaneId(0),
                ..job
            }));
        }
    }

    fn schedules(&self) -> Vec<ScheduleRow> {
        let rows = self.store().schedules().unwrap();
        rows.into_iter()
            .map(|row| ScheduleRow {
                last_job: row.last_job.map(|key| self.known.shared(key)),
                recent: row
                    .recent
                    .iter()
                    .map(|key| self.known.shared(*key))
                    .collect(),
                ..row
            })
            .collect()
    }

    fn jobs(&self, filter: &JobFilter) -> Vec<JobRow> {
        let rows = self.store().jobs(filter).unwrap();
        rows.into_iter().map(|row| self.share(row)).collect()
    }

    fn share(&self, row: JobRow) -> JobRow {
        let root = row.ended_by.map(|root| self.known.shared(root));
        // Errors name roots by public ids, which are those of one database.
        let error = match (row.ended_by, row.error) {
            (Some(root), Some(error)) => {
                let text = root.text(self.store().database().unwrap());
                assert!(error.contains(&text), "{error}");
                let number = self.known.number(root).to_string();
                Some(error.replace(&text, &number))
            }
            (_, error) => error,
        };
        JobRow {
            key: self.known.shared(row.key),
            metadata: row.metadata.map(|text| self.share_metadata(text)),
            workflow: row.workflow.map(|first| self.known.shared(first)),
            // Numbers of groups are used again; whom a group holds back shows in claims.
            group: row.group.map(|_| GroupId(0)),
            ended_by: root,
            error,
            ..row
        }
    }

    /// Replayed jobs name their original by its public id as well.
    fn share_metadata(&self, text: String) -> String {
        let Some(id) = text.strip_prefix(r#"{"replayed_from": ""#) else {
            return text;
        };
        let original = Key::parse(&id[..36], self.store().database().unwrap()).unwrap();
        format!("replayed from {}", self.known.number(original))
    }

    fn breakers(&self) -> Vec<(String, Breaker)> {
        let mut breakers = self.store().breakers().unwrap();
        for (_, breaker) in &mut breakers {
            if let Some(probe) = &mut breaker.probe {
                probe.key = self.known.shared(probe.key);
            }
        }
        breakers
    }

    /// What holds a job back; numbers of groups are those of one store.
    fn holds(&self, job: Key, now: Millis) -> Vec<Hold> {
        let mut holds = self.store().holds(now, job).unwrap();
        for hold in &mut holds {
            if let Hold::Full {
                scope: Scope::Group(group),
                ..
            } = hold
            {
                *group = LimiterId(0);
            }
        }
        holds
    }

    /// Whether a claim might take something, and when else at the earliest.
    pub(crate) fn prospects(&self, now: Millis, mut hunger: Hunger) -> (bool, Option<Millis>) {
        let any = self.store().has_prospects(now, &mut hunger).unwrap();
        (any, hunger.opens_at)
    }

    fn shared_all(&self, keys: Vec<Key>) -> Vec<Key> {
        keys.into_iter().map(|key| self.known.shared(key)).collect()
    }

    fn logs(&self, job: Key) -> Vec<(String, Millis)> {
        let lines = self.store().task_logs(job).unwrap().into_iter();
        lines.map(|line| (line.message, line.logged_at)).collect()
    }

    fn attempts(&self, job: Key) -> Vec<AttemptRow> {
        let rows = self.store().attempts(job).unwrap();
        assert!(rows.is_sorted_by(|one, next| one.key < next.key));
        rows.into_iter()
            .zip(0..)
            .map(|(row, number)| AttemptRow {
                key: Key(number),
                job: self.known.shared(row.job),
                ..row
            })
            .collect()
    }

    fn letters(&self, filter: &LetterFilter) -> Vec<DeadRow> {
        let rows = self.store().dead_letters(filter).unwrap();
        assert!(rows.is_sorted_by(|one, next| one.key > next.key));
        rows.into_iter()
            .zip(0..)
            .map(|(row, number)| DeadRow {
                key: Key(number),
                job: self.known.shared(row.job),
                metadata: row.metadata.map(|text| self.share_metadata(text)),
                ..row
            })
            .collect()
    }

    fn raw_letters(&self) -> Vec<Key> {
        let rows = self.store().dead_letters(&all_letters()).unwrap();
        rows.iter().rev().map(|row| row.key).collect()
    }

    fn workers(&self) -> Vec<String> {
        let rows = self.store().workers().unwrap();
        assert!(rows.is_sorted_by(|one, next| one.key < next.key));
        rows.into_iter()
            .map(|mut row| {
                row.key = Key(0);
                row.id = self.known.shared_worker(row.id);
                format!("{row:?}")
            })
            .collect()
    }
}

fn all_letters() -> LetterFilter {
    LetterFilter {
        limit: u32::MAX,
        ..LetterFilter::default()
    }
}

/// The run of an attempt that is settled at that instant.
fn run_until(now: Millis) -> Run {
    let length = Duration::from_millis(now.0.unsigned_abs() % 1000);
    let started_at = now.minus(length);
    Run::since(Millis(started_at.0 - now.0 % 7777), started_at, length)
}

impl Known {
    fn perform(&mut self, t: &mut dyn Transaction, now: Millis, step: &Step) -> Result<Answer> {
        let ends = |picks: &[Pick]| {
            self.tokens(picks, |token| End {
                cause: cause(token),
                token,
                error: "e",
                run: (now.0 % 2 == 0).then(|| run_until(now)),
            })
        };
        Ok(match step {
            Step::Insert(jobs) => {
                let jobs: Vec<NewJob> = jobs.iter().map(|job| self.tied(job)).collect();
                let answers = t.insert(now, &jobs)?;
                Answer::Inserted(answers.iter().map(|answer| self.learn(*answer)).collect())
            }
            Step::Promote(limit) => Answer::Promoted(t.promote(now, *limit)?),
            Step::Claim(worker, hunger) => self.claim(t, now, *worker, hunger.clone())?,
            Step::Complete(picks) => self.complete(t, now, picks)?,
            Step::Retry(failures) => self.retry(t, now, failures)?,
            Step::Lose(picks) => Answer::Settled(t.lose(now, &ends(picks))?),
            Step::HandBack(picks) => {
                let batch = self.tokens(picks, |token| token);
                Answer::Settled(t.hand_back(now, &batch)?)
            }
            Step::Bury(picks) => Answer::Settled(t.bury(now, &ends(picks))?),
            Step::BuryLost(picks) => Answer::Settled(t.bury_lost(now, &ends(picks))?),
            Step::Snooze(picks, run_at) => {
                let run_at = *run_at;
                let batch = self.tokens(picks, |token| Rest { token, run_at });
                Answer::Settled(t.snooze(now, &batch)?)
            }
            Step::Abort(picks) => Answer::Settled(t.abort(now, &ends(picks))?),
            Step::CancelRequest(job) => {
                Answer::Cancelled(t.cancel_request(job.of(&self.jobs).unwrap_or(Key(1)))?)
            }
            Step::RunNow(job) => {
                Answer::Hurried(t.run_now(now, job.of(&self.jobs).unwrap_or(Key(1)))?)
            }
            Step::NoteProgress(..) | Step::NoteLog(_) => self.note(t, now, step)?,
            Step::ShiftWaits(by) => Answer::Moved(t.shift_waits(*by)?),
            Step::ShortenWaits => Answer::Moved(t.shorten_waits(now, Duration::ZERO)?),
            Step::Cancel(job) => {
                Answer::Cancelled(t.cancel(now, job.of(&self.jobs).unwrap_or(Key(1)))?)
            }
            Step::Expire(limit) => Answer::Expired(t.expire(now, *limit)?),
            Step::Fold(now, limit) => Answer::Folded(t.fold_rollups(*now, *limit)?),
            Step::JudgeGroup(group, state) => self.judge_group(t, *group, *state)?,
            Step::Prune(_) | Step::Replay(_) | Step::Discard(_) | Step::Progress(..) => {
                self.operate(t, now, step)?
            }
            Step::Revive(letter) => {
                let key = t.revive(now, letter.of(&self.letters).unwrap_or(Key(1)))?;
                self.jobs.extend(key);
                Answer::Revived(key.map(|_| self.jobs.len() - 1))
            }
            Step::Enlist => {
                let id = t.enlist(now, &worker())?;
                self.enlisted.push(id);
                self.workers.push(id);
                Answer::Enlisted
            }
            Step::Beat(worker, draining) => {
                let Some(worker) = worker.of(&self.enlisted) else {
                    return Ok(Answer::NobodyThere);
                };
                let beat = Beat {
                    tasks: vec![format!("task-{}", now.0)],
                    draining: *draining,
                    abandoned: 0,
                    ended: 0,
                    rss: Some(now.0.unsigned_abs()),
                };
                t.beat(now, worker, &beat)?;
                Answer::Beaten
            }
            Step::RequestDrain(worker) => {
                let Some(worker) = worker.of(&self.enlisted) else {
                    return Ok(Answer::NobodyThere);
                };
                Answer::Asked(t.request_drain(worker)?)
            }
            Step::SetQueue(..) | Step::Announce(_) | Step::Judge(_) => self.limit(t, now, step)?,
            Step::Grip(_) => unreachable!("told by the moment"),
            Step::PutBack(picks) => self.put_back(t, now, picks)?,
            Step::Held(worker) => self.held(t, *worker)?,
            Step::Dismiss(worker) => self.dismiss(t, *worker)?,
            Step::Schedule(worker, call) => self.schedule(t, now, *worker, call)?,
        })
    }

    fn complete(&self, t: &mut dyn Transaction, now: Millis, picks: &[Pick]) -> Result<Answer> {
        let results = self.tokens(picks, |token| {
            let result = format!("of the claim {:?} at {now:?}", token.fence);
            (token, result)
        });
        let batch: Vec<_> = results
            .iter()
            .map(|(token, result)| Completion {
                token: *token,
                result: result.as_bytes(),
                preview: (token.fence.0 % 2 == 0).then_some(result.as_str()),
                run: run_until(now),
            })
            .collect();
        Ok(Answer::Settled(t.complete(now, &batch)?))
    }

    fn retry(
        &self,
        t: &mut dyn Transaction,
        now: Millis,
        failures: &[(Pick, Millis)],
    ) -> Result<Answer> {
        let batch: Vec<Failure<'_>> = failures
            .iter()
            .map(|&(pick, run_at)| (self.token(pick), run_at))
            .map(|(token, run_at)| Failure {
                token,
                error: "retried",
                cause: cause(token),
                run_at,
                run: run_until(now),
            })
            .collect();
        Ok(Answer::Settled(t.retry(now, &batch)?))
    }

    fn judge_group(&self, t: &mut dyn Transaction, group: Pick, state: usize) -> Result<Answer> {
        let group = group.of(&self.groups).unwrap_or(Fingerprint(7));
        let judged = t.judge_group(group, groups::state(state))?;
        Ok(Answer::Judged(judged))
    }

    fn operate(&mut self, t: &mut dyn Transaction, now: Millis, step: &Step) -> Result<Answer> {
        Ok(match step {
            Step::Prune(picks) => {
                let before = self.gone.len();
                for key in picks.iter().filter_map(|job| job.of(&self.jobs)) {
                    if t.prune(&[key])? == 1 {
                        assert!(self.gone.insert(key), "it went twice");
                    }
                }
                Answer::Pruned(self.gone.len() - before)
            }
            Step::Replay(job) => {
                let key = t.replay(now, job.of(&self.jobs).unwrap_or(Key(1)))?;
                self.jobs.extend(key);
                Answer::Replayed(key.map(|_| self.jobs.len() - 1))
            }
            Step::Discard(picks) => {
                let letters: Vec<Key> = picks
                    .iter()
                    .filter_map(|pick| pick.of(&self.letters))
                    .collect();
                Answer::Discarded(t.discard(&letters)?)
            }
            Step::Progress(job, progress) => {
                let job = job.of(&self.jobs).unwrap_or(Key(1));
                Answer::Progressed(t.set_progress(job, *progress)?)
            }
            other => unreachable!("{other:?}"),
        })
    }

    fn grip(&mut self, t: &mut dyn Transaction, now: &Moment, grip: &Grip) -> Result<Answer> {
        let (fence, told) = grip.perform(t, now, &mut self.newest_fence)?;
        Ok(Answer::Gripped(fence, told))
    }

    fn note(&self, t: &mut dyn Transaction, now: Millis, step: &Step) -> Result<Answer> {
        Ok(Answer::Settled(match step {
            Step::NoteProgress(picks, progress) => {
                t.note_progress(&self.tokens(picks, |token| (token, *progress)))?
            }
            Step::NoteLog(picks) => t.note_log(&self.tokens(picks, |token| LogLine {
                token,
                level: "info".into(),
                message: format!("at {now:?}"),
                extra: None,
                logged_at: now,
            }))?,
            _ => vec![],
        }))
    }

    fn limit(&self, t: &mut dyn Transaction, now: Millis, step: &Step) -> Result<Answer> {
        match step {
            Step::SetQueue(queue, change) => t.set_queue(queue, change)?,
            Step::Announce(tasks) => t.announce(tasks)?,
            Step::Judge(attempts) => t.judge(now, &self.judgements(attempts))?,
            _ => {}
        }
        Ok(Answer::Done)
    }

    /// Hands claims back that never started.
    fn put_back(&self, t: &mut dyn Transaction, now: Millis, picks: &[Pick]) -> Result<Answer> {
        let batch = self.tokens(picks, |token| token);
        let verdicts = t.hand_back(now, &batch)?;
        let applied = batch.iter().zip(&verdicts);
        let applied = applied.filter(|(_, verdict)| **verdict == Verdict::Applied);
        let unstarted: Vec<Token> = applied.map(|(token, _)| *token).collect();
        t.put_back_tokens(&unstarted)?;
        Ok(Answer::Settled(verdicts))
    }

    fn judgements(&self, attempts: &[(Pick, Trial)]) -> Vec<Judgement> {
        let attempts = attempts.iter().filter_map(|&(pick, trial)| {
            let token = pick.of(&self.tokens)?;
            let task = Arc::clone(&self.tasks[&token.key]);
            Some(Judgement { task, token, trial })
        });
        attempts.collect()
    }

    /// A job to insert with the keys of those it waits for.
    fn tied(&self, fresh: &Fresh) -> NewJob {
        let parent = |kin: &Kin| match kin {
            Kin::Stored(pick) => pick
                .of(&self.jobs)
                .filter(|key| !self.gone.contains(key))
                .map(Parent::Stored),
            Kin::New(index) => Some(Parent::New(*index)),
        };
        let links = Links {
            inputs: fresh.inputs.as_ref().and_then(|inputs| match inputs {
                Inputs::One(one) => parent(one).map(Inputs::One),
                Inputs::List(all) => Some(Inputs::List(all.iter().filter_map(parent).collect())),
            }),
            after: fresh.after.iter().filter_map(parent).collect(),
            workflow: fresh.workflow,
            groups: fresh.groups.clone(),
        };
        NewJob {
            links: (links != Links::default()).then(|| links.into()),
            ..fresh.job.clone()
        }
    }

    fn claim(
        &mut self,
        t: &mut dyn Transaction,
        now: Millis,
        worker: Pick,
        mut hunger: Hunger,
    ) -> Result<Answer> {
        let Some(worker) = worker.of(&self.workers) else {
            return Ok(Answer::NobodyThere);
        };
        let mut claims = t.claim(now, worker, &mut hunger)?;
        self.tokens.extend(claims.iter().map(|claim| claim.token));
        let tasks = claims
            .iter()
            .map(|claim| (claim.token.key, Arc::clone(&claim.task)));
        self.tasks.extend(tasks);
        for claim in &mut claims {
            claim.token.key = self.shared(claim.token.key);
            claim.token.spot = Spot::of(LaneId(0));
        }
        Ok(Answer::Claimed {
            claims: claims.iter().map(|claim| format!("{claim:?}")).collect(),
            asked: hunger.asked,
            starts: hunger.starts,
            suspects: hunger.suspects_taken,
        })
    }

    fn held(&self, t: &mut dyn Transaction, worker: Pick) -> Result<Answer> {
        let Some(worker) = worker.of(&self.enlisted) else {
            return Ok(Answer::NobodyThere);
        };
        let mut held: Vec<_> = t
            .held(worker)?
            .into_iter()
            .map(|held| {
                assert!(self.tokens.contains(&held.token));
                let number = self.number(held.token.key);
                (
                    number,
                    held.token.fence,
                    held.max_retries,
                    held.losses,
                    held.cancel_requested,
                )
            })
            .collect();
        held.sort_unstable();
        Ok(Answer::Held(held))
    }

    fn dismiss(&mut self, t: &mut dyn Transaction, worker: Pick) -> Result<Answer> {
        let Some(worker) = worker.of(&self.enlisted) else {
            return Ok(Answer::NobodyThere);
        };
        match t.dismiss(worker) {
            Ok(was_there) => {
                self.workers.retain(|other| *other != worker);
                Ok(Answer::Dismissed(was_there))
            }
            Err(Error::Invalid { .. }) => Ok(Answer::NotDismissed),
            Err(other) => Err(other),
        }
    }

    fn schedule(
        &mut self,
        t: &mut dyn Transaction,
        now: Millis,
        worker: Pick,
        call: &Call,
    ) -> Result<Answer> {
        let Some(worker) = worker.of(&self.enlisted) else {
            return Ok(Answer::NobodyThere);
        };
        let (jobs, said) = call.perform(t, now, worker)?;
        self.jobs.extend(&jobs);
        let numbers = jobs.iter().map(|key| self.number(*key)).collect();
        Ok(Answer::Scheduled(numbers, said))
    }

    fn learn(&mut self, answer: Inserted) -> (usize, bool) {
        if !answer.deduplicated {
            self.jobs.push(answer.key);
        }
        (self.number(answer.key), answer.deduplicated)
    }

    fn tokens<T>(&self, picks: &[Pick], make: impl Fn(Token) -> T) -> Vec<T> {
        picks.iter().map(|&pick| make(self.token(pick))).collect()
    }

    fn token(&self, pick: Pick) -> Token {
        pick.of(&self.tokens).unwrap_or(Token {
            key: Key(1),
            fence: Fence(1),
            spot: Spot::of(LaneId(1)),
        })
    }

    /// The number of a job: how many came before it.
    fn number(&self, key: Key) -> usize {
        self.jobs.binary_search(&key).expect("an unknown job")
    }

    /// The number of a job in place of its key.
    fn shared(&self, key: Key) -> Key {
        Key(i64::try_from(self.number(key)).unwrap())
    }

    fn shared_worker(&self, id: WorkerId) -> WorkerId {
        let number = self.enlisted.binary_search(&id).expect("an unknown worker");
        WorkerId(i64::try_from(number).unwrap())
    }
}
