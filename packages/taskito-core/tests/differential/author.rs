//! Invents histories: what their seeds stand for. Long because every step has its chances here.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use taskito_core::breaker::{BreakerSettings, Trial};
use taskito_core::clock::Millis;
use taskito_core::id::xorshift;
use taskito_core::job::{JobFilter, LetterFilter, NewJob};
use taskito_core::limits::{Limit, QueueChange, TaskLimits};
use taskito_core::links::{Group, Inputs};
use taskito_core::lock::Moment;
use taskito_core::rate::Rate;
use taskito_core::schedule::CatchUp;
use taskito_core::state::Status;

use crate::history::{History, Seeds};
use crate::plans::{Call, Verb};
use crate::support::{Hunger, START, job_with};
use crate::vault::{Grip, NAMES};

/// One transaction of a history.
#[derive(Debug)]
pub(crate) struct Act {
    pub(crate) now: Millis,
    /// The same by the clock of the locks.
    pub(crate) moment: Moment,
    pub(crate) steps: Vec<Step>,
    /// Whether it fails after its last step.
    pub(crate) fails: bool,
}

/// One arrow. Jobs, claims, letters and workers are named by a [`Pick`].
#[derive(Clone, Debug)]
pub(crate) enum Step {
    Insert(Vec<Fresh>),
    Promote(u32),
    Claim(Pick, Hunger),
    Complete(Vec<Pick>),
    Retry(Vec<(Pick, Millis)>),
    Lose(Vec<Pick>),
    HandBack(Vec<Pick>),
    Bury(Vec<Pick>),
    BuryLost(Vec<Pick>),
    Snooze(Vec<Pick>, Millis),
    Abort(Vec<Pick>),
    Cancel(Pick),
    CancelRequest(Pick),
    RunNow(Pick),
    NoteProgress(Vec<Pick>, u8),
    NoteLog(Vec<Pick>),
    ShiftWaits(i64),
    ShortenWaits,
    Expire(u32),
    Fold(Millis, u32),
    Prune(Vec<Pick>),
    Replay(Pick),
    Discard(Vec<Pick>),
    Progress(Pick, u8),
    Revive(Pick),
    Enlist,
    Beat(Pick, bool),
    RequestDrain(Pick),
    Held(Pick),
    Dismiss(Pick),
    Schedule(Pick, Call),
    SetQueue(&'static str, QueueChange),
    Announce(Vec<(Arc<str>, TaskLimits)>),
    /// Handed back without having started.
    PutBack(Vec<Pick>),
    Judge(Vec<(Pick, Trial)>),
    Grip(Grip),
    /// People make something of a group.
    JudgeGroup(Pick, usize),
}

/// A job to insert, and what ties it to others.
#[derive(Clone, Debug)]
pub(crate) struct Fresh {
    pub(crate) job: NewJob,
    /// Whose results it takes.
    pub(crate) inputs: Option<Inputs<Kin>>,
    /// What else it waits for.
    pub(crate) after: Vec<Kin>,
    pub(crate) workflow: bool,
    pub(crate) groups: Vec<Group>,
}

/// A job that another one waits for.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kin {
    Stored(Pick),
    New(usize),
}

/// The so-manyth newest of all there are, counted in a circle.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pick(usize);

impl Pick {
    /// The picked one of `all`, which are ordered oldest first.
    pub(crate) fn of<T: Copy>(self, all: &[T]) -> Option<T> {
        let back = self.0.checked_rem(all.len())?;
        Some(all[all.len() - 1 - back])
    }
}

/// A question whose answer both stores must agree on.
#[derive(Debug)]
pub(crate) struct Question {
    pub(crate) jobs: JobFilter,
    /// The newest job that is listed comes before this one.
    pub(crate) before: Option<Pick>,
    pub(crate) letters: LetterFilter,
    pub(crate) letters_before: Option<Pick>,
    pub(crate) outlived: (Millis, u32),
}

/// How the clock of a history goes.
#[derive(Clone, Copy)]
enum Pace {
    /// It may stand still.
    Steady,
    /// It may step back as well.
    Unsteady,
}

/// Invents one history.
pub(crate) struct Author {
    pace: Pace,
    random: u64,
    now: Millis,
    /// Which run of the machine this is, and how long it has lasted.
    run: u32,
    uptime: i64,
    /// What the code of all workers says.
    limits: BTreeMap<&'static str, TaskLimits>,
}

impl Author {
    pub(crate) fn new(history: &History) -> Self {
        let pace = if history.opening.is_multiple_of(3) {
            Pace::Unsteady
        } else {
            Pace::Steady
        };
        let mut author = Self {
            pace,
            random: spread(history.opening),
            now: START,
            run: 1,
            uptime: 100_000,
            limits: BTreeMap::new(),
        };
        for task in ["a", "b", "c"] {
            let rate = author.rate();
            let limits = author.task_limits(rate);
            author.limits.insert(task, limits);
        }
        author
    }

    /// That with which every history begins.
    pub(crate) fn first_act(&self) -> Act {
        Act {
            now: self.now,
            moment: self.moment(),
            steps: vec![Step::Enlist, Step::Enlist, self.announce()],
            fails: false,
        }
    }

    pub(crate) fn act(&mut self, seeds: &Seeds) -> Act {
        self.random = spread(seeds.act);
        if self.one_in(20) {
            let task = self.one_of(&["a", "b", "c"]);
            let rate = self.limits[task].limit.rate.clone();
            let limits = self.task_limits(rate);
            self.limits.insert(task, limits);
            return Act {
                now: self.now,
                moment: self.moment(),
                steps: vec![self.announce()],
                fails: false,
            };
        }
        let step = match self.pace {
            Pace::Steady => self.one_of(&[0, 0, 1, 50, 500, 500, 5000]),
            Pace::Unsteady => self.one_of(&[0, 0, 1, 50, 500, 500, 5000, -300]),
        };
        self.now.0 += step;
        self.uptime += step.max(0);
        if self.one_in(30) {
            (self.run, self.uptime) = (self.run + 1, 1000);
        }
        let fails = self.one_in(10);
        let steps = seeds.steps.iter().map(|seed| {
            self.random = spread(*seed);
            self.step()
        });
        let steps = steps.collect();
        Act {
            now: self.now,
            moment: self.moment(),
            steps,
            fails,
        }
    }

    /// The present moment of the machine.
    pub(crate) fn moment(&self) -> Moment {
        Moment {
            boot: format!("run {}", self.run).into(),
            uptime: self.uptime,
        }
    }

    /// The instant of the last act.
    pub(crate) fn now(&self) -> Millis {
        self.now
    }

    pub(crate) fn question(&mut self) -> Question {
        let queue = self.one_of(&["x", "y", "nowhere"]);
        let task = self.one_of(&["a", "b", "unknown"]);
        let status = self.one_of(&Status::ALL);
        let ago = |author: &mut Self| Millis(author.now.0 - author.one_of(&[0, 1, 500, 50_000]));
        let listed = JobFilter {
            created_after: self.one_in(3).then(|| ago(self)),
            created_before: self.one_in(3).then(|| ago(self)),
            metadata: self.one_in(4).then(|| "tad".into()),
            error: self.one_in(4).then(|| "dependency".into()),
            ..JobFilter::default()
        };
        Question {
            jobs: JobFilter {
                status: self.one_in(2).then_some(status),
                queue: self.one_in(2).then(|| queue.into()),
                task: self.one_in(2).then(|| task.into()),
                limit: self.one_of(&[0, 1, 3, 10, u32::MAX]),
                offset: self.one_of(&[0, 0, 1, 5]),
                ..if self.one_in(2) {
                    listed
                } else {
                    JobFilter::default()
                }
            },
            before: self.one_in(3).then(|| self.pick()),
            letters: LetterFilter {
                queue: self.one_in(3).then(|| queue.into()),
                task: self.one_in(3).then(|| task.into()),
                before: None,
                limit: self.one_of(&[0, 1, 3, u32::MAX]),
                offset: self.one_of(&[0, 1, 2]),
            },
            letters_before: self.one_in(3).then(|| self.pick()),
            outlived: (
                Millis(self.now.0 + self.one_of(&[0, 1000])),
                self.one_of(&[0, 1, u32::MAX]),
            ),
        }
    }

    fn step(&mut self) -> Step {
        if self.one_in(10) {
            return Step::Schedule(self.pick(), self.call());
        }
        if self.one_in(8) {
            return self.limit_step();
        }
        if self.one_in(10) {
            return Step::Grip(self.grip());
        }
        match self.below(50) {
            0..8 => Step::Insert((0..self.below(5)).map(|index| self.fresh(index)).collect()),
            8..10 => Step::Promote(self.one_of(&[0, 1, 2, 100])),
            10..17 => Step::Claim(self.pick(), self.hunger()),
            17..19 => Step::Complete(self.picks()),
            19..22 => Step::Retry(
                self.picks()
                    .into_iter()
                    .map(|pick| (pick, Millis(self.now.0 + self.one_of(&[0, 1, 500, 5000]))))
                    .collect(),
            ),
            22..24 => Step::Lose(self.picks()),
            24 => Step::HandBack(self.picks()),
            25 => Step::Bury(self.picks()),
            26 => Step::BuryLost(self.picks()),
            27 => Step::Cancel(self.pick()),
            28 => Step::Revive(self.pick()),
            29 => Step::Beat(self.pick(), self.one_in(2)),
            30 => Step::Held(self.pick()),
            33 => Step::Prune(self.picks()),
            34 => Step::Replay(self.pick()),
            35 => Step::Discard(self.picks()),
            36 => Step::Progress(self.pick(), self.one_of(&[0, 50, 100])),
            31..33 => Step::Expire(self.one_of(&[0, 1, 2, 100])),
            37 => Step::Fold(
                Millis(self.now.0 + self.one_of(&[0, 3, 60, 3000]) * 3_600_000),
                self.one_of(&[0, 1, 100]),
            ),
            38 => Step::Snooze(
                self.picks(),
                Millis(self.now.0 + self.one_of(&[0, 1, 5000])),
            ),
            39 => Step::Abort(self.picks()),
            40 => Step::CancelRequest(self.pick()),
            41 => Step::NoteProgress(self.picks(), self.one_of(&[0, 7, 100])),
            42 => Step::NoteLog(self.picks()),
            43 => Step::ShiftWaits(self.one_of(&[0, 900, -900])),
            44 => Step::ShortenWaits,
            45 | 46 => Step::JudgeGroup(self.pick(), self.below(3)),
            47 => Step::RunNow(self.pick()),
            48 if self.one_in(3) => Step::RequestDrain(self.pick()),
            _ if self.one_in(2) => Step::Enlist,
            _ => Step::Dismiss(self.pick()),
        }
    }

    /// The job with that index in its insert; half of all jobs are tied to others.
    fn fresh(&mut self, index: usize) -> Fresh {
        let tied = self.one_in(2);
        let count = if tied { self.below(3) } else { 0 };
        let inputs = match count {
            1 if self.one_in(2) => Some(Inputs::One(self.kin(index))),
            1.. if self.one_in(2) => {
                Some(Inputs::List((0..count).map(|_| self.kin(index)).collect()))
            }
            _ => None,
        };
        let group = |number| Group {
            number,
            limit: number + 1,
        };
        Fresh {
            job: self.job(),
            inputs,
            after: (0..count).map(|_| self.kin(index)).collect(),
            workflow: tied && self.one_in(2),
            groups: (0..self.one_of(&[0, 0, 0, 1, 2])).map(group).collect(),
        }
    }

    fn kin(&mut self, index: usize) -> Kin {
        if index > 0 && self.one_in(2) {
            Kin::New(self.below(index))
        } else {
            Kin::Stored(self.pick())
        }
    }

    fn job(&mut self) -> NewJob {
        let payload = self.random.to_le_bytes().to_vec();
        let task = self.one_of(&["a", "b", "c"]);
        let key = |author: &mut Self| Some(author.one_of(&["k", "l", "m"]).to_owned());
        let job = job_with(task, |spec| {
            spec.queue = self.one_of(&["x", "x", "y", "z"]).into();
            spec.priority = self.one_of(&[0, 0, 0, 1, -1, 7]);
            spec.delay = Duration::from_millis(self.one_of(&[0, 0, 0, 1, 500, 5000]));
            spec.expires = self
                .one_in(4)
                .then(|| Duration::from_millis(self.one_of(&[0, 1, 500, 5000])));
            spec.result_ttl = self
                .one_in(4)
                .then(|| Duration::from_millis(self.one_of(&[0, 1, 500, 5000])));
            spec.max_retries = self.one_of(&[0, 1, 3]);
            spec.timeout = Duration::from_millis(self.one_of(&[0, 1500]));
            spec.unique_key = self.one_in(4).then(|| key(self)).flatten();
            spec.idempotency_key = self.one_in(6).then(|| key(self)).flatten();
            spec.metadata = self.one_in(4).then(|| "metadata".into());
            spec.limit_key = self.one_in(3).then(|| key(self)).flatten();
            spec.headers = self.one_in(4).then(|| "{}".into());
        });
        let preview = self.one_in(2).then(|| "7, x=[1]".to_owned());
        NewJob {
            payload,
            preview,
            ..job
        }
    }

    fn call(&mut self) -> Call {
        let declare = Verb::Declare {
            seconds: self.one_of(&[2, 5, 60]),
            catch_up: self.one_of(&[CatchUp::One, CatchUp::None, CatchUp::All]),
        };
        let rare = self.one_of(&[Verb::Introduce, Verb::Trigger, Verb::Delete]);
        Call {
            schedule: self.one_of(&["s", "s", "t"]),
            verb: self.one_of(&[
                Verb::Tick,
                Verb::Tick,
                Verb::Tick,
                declare,
                declare,
                rare,
                Verb::Pause,
                Verb::Resume,
            ]),
        }
    }

    fn hunger(&mut self) -> Hunger {
        let mut hunger = Hunger::of(self.one_of(&[0, 1, 2, 4, 100]))
            .suspects(self.one_of(&[0, 1, 1, 2, 100]))
            .turn(self.below(100));
        for (task, limits) in &self.limits {
            hunger = hunger.limit(task, limits.clone());
        }
        for _ in 0..self.one_of(&[0, 0, 0, 2, 4]) {
            let queue = self.one_of(&["x", "y", "z"]);
            hunger = hunger.without(queue, self.one_of(&["a", "b", "c"]));
        }
        if self.one_in(6) {
            hunger = hunger.until(self.one_of(&["a", "b", "c"]));
        }
        hunger
    }

    fn grip(&mut self) -> Grip {
        let count = self.below(3);
        let holders = (0..count).map(|_| self.one_of(&[0, 1, 2, 5])).collect();
        match self.below(4) {
            0 | 1 => Grip::Lock(self.one_of(&NAMES), self.one_of(&[1, 500, 5000, 20_000])),
            2 => Grip::Renew(holders),
            _ => Grip::Unlock(holders),
        }
    }

    fn limit_step(&mut self) -> Step {
        match self.below(6) {
            0..2 => Step::SetQueue(self.one_of(&["x", "y", "z"]), self.queue_change()),
            2 => Step::PutBack(self.picks()),
            _ => {
                let picks = self.picks().into_iter();
                let trials = [Trial::Failed, Trial::Failed, Trial::Passed];
                Step::Judge(picks.map(|pick| (pick, self.one_of(&trials))).collect())
            }
        }
    }

    /// Wants everything that the code of workers allows.
    pub(crate) fn greed(&self) -> Hunger {
        let limits = self.limits.iter();
        limits.fold(Hunger::endless(), |hunger, (task, limits)| {
            hunger.limit(task, limits.clone())
        })
    }

    fn announce(&self) -> Step {
        let limits = self.limits.iter();
        Step::Announce(
            limits
                .map(|(task, l)| ((*task).into(), l.clone()))
                .collect(),
        )
    }

    /// Limits of a task with that rate, which does not change in a history: what a claim makes of
    /// tokens that were taken at another rate depends on when it looks.
    fn task_limits(&mut self, rate: Option<Rate>) -> TaskLimits {
        TaskLimits {
            limit: Limit {
                rate,
                max_concurrent: self.one_of(&[None, None, Some(1), Some(2)]),
            },
            breaker: self.one_in(3).then(|| BreakerSettings {
                threshold: self.one_of(&[1, 2]),
                window: Duration::from_millis(600),
                cooldown: Duration::from_secs(1),
            }),
        }
    }

    /// Tokens and a clock that steps back do not go together here, for the same reason.
    fn rate(&mut self) -> Option<Rate> {
        let text = self.one_of(&[None, Some("1/s"), Some("4/s"), Some("0.5/s"), Some("90/m")]);
        let text = text.filter(|_| matches!(self.pace, Pace::Steady));
        text.map(|text| Rate::parse(text).unwrap())
    }

    fn queue_change(&mut self) -> QueueChange {
        match self.below(6) {
            0 => QueueChange::Pause,
            1 | 2 => QueueChange::Resume,
            3 => QueueChange::Rate(self.rate()),
            4 => QueueChange::MaxConcurrent(None),
            _ => QueueChange::MaxConcurrent(self.one_of(&[Some(1), Some(3)])),
        }
    }

    fn picks(&mut self) -> Vec<Pick> {
        (0..self.below(4)).map(|_| self.pick()).collect()
    }

    /// Mostly one of the newest.
    fn pick(&mut self) -> Pick {
        let far = self.one_of(&[3, 3, 8, 8, 100]);
        Pick(self.below(far))
    }

    fn one_in(&mut self, count: usize) -> bool {
        self.below(count) == 0
    }

    fn one_of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())]
    }

    fn below(&mut self, limit: usize) -> usize {
        self.random = xorshift(self.random);
        usize::try_from(self.random >> 33).unwrap() % limit
    }
}

/// Where a stream of random numbers begins: never at 0, from which it would not get away.
fn spread(seed: u64) -> u64 {
    (0..4).fold(seed | 1, |random, _| xorshift(random))
}
