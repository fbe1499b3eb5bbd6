//! What holds a due job back, and until when: how many may run, how fast they may start.
//!
//! Claiming and explaining ask the same [`Limiter`].

use crate::breaker::BreakerSettings;
use crate::clock::Millis;
use crate::job::Stats;
use crate::rate::{Bucket, Rate};

/// How fast jobs may start and how many of them may run at once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Limit {
    /// How fast they may start; `None` is as fast as they can.
    pub rate: Option<Rate>,
    /// How many may run at once; `None` is any number.
    pub max_concurrent: Option<u32>,
}

impl Limit {
    /// No limit at all.
    pub const NONE: Self = Self {
        rate: None,
        max_concurrent: None,
    };

    /// That of a group.
    #[must_use]
    pub fn of_group(max_concurrent: Option<u32>) -> Self {
        Self {
            rate: None,
            max_concurrent,
        }
    }

    /// Whether it limits anything.
    #[must_use]
    pub fn is_none(&self) -> bool {
        self.rate.is_none() && self.max_concurrent.is_none()
    }
}

/// What the code of a worker says about a task.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TaskLimits {
    /// For each limit key apart, and once for all jobs without one.
    pub limit: Limit,
    /// Stops the task when it keeps failing.
    pub breaker: Option<BreakerSettings>,
}

impl TaskLimits {
    /// Those of most tasks.
    pub const NONE: Self = Self {
        limit: Limit::NONE,
        breaker: None,
    };
}

/// [`TaskLimits::NONE`] to borrow from.
pub static NO_LIMITS: TaskLimits = TaskLimits::NONE;

/// A change to the settings of a queue. They are stored and hold for every worker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum QueueChange {
    /// Nothing starts any more.
    Pause,
    /// Jobs start again.
    Resume,
    /// How fast jobs of the queue start.
    Rate(Option<Rate>),
    /// How many of them run at once.
    MaxConcurrent(Option<u32>),
}

/// When one job more may start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opening {
    /// Now.
    Now,
    /// Not before that instant.
    At(Millis),
    /// Not before a job ends that runs now.
    Later,
    /// Not before a person resumes the queue.
    Shut,
}

impl Opening {
    /// The instant, if it is known.
    #[must_use]
    pub fn at(self) -> Option<Millis> {
        match self {
            Self::At(at) => Some(at),
            Self::Now | Self::Later | Self::Shut => None,
        }
    }

    /// When both open.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Shut, _) | (_, Self::Shut) => Self::Shut,
            (Self::Later, _) | (_, Self::Later) => Self::Later,
            (Self::At(one), Self::At(other)) => Self::At(one.max(other)),
            (Self::At(at), Self::Now) | (Self::Now, Self::At(at)) => Self::At(at),
            (Self::Now, Self::Now) => Self::Now,
        }
    }
}

/// Number of a limiter in its database: of a limit key or a limited group.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LimiterId(pub i64);

/// A limit and how much of it is used up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limiter {
    /// The limit.
    pub limit: Limit,
    /// Jobs it counts that run.
    pub running: u32,
    /// Its tokens.
    pub bucket: Bucket,
}

impl Limiter {
    /// A limit as it is found at `now`.
    #[must_use]
    pub fn found(limit: Limit, running: u32, bucket: Bucket, now: Millis) -> Self {
        let bucket = match &limit.rate {
            Some(rate) => bucket.healed(rate, now),
            None => bucket,
        };
        Self {
            limit,
            running,
            bucket,
        }
    }

    /// Whether as many jobs run as may.
    #[must_use]
    pub fn is_full(&self) -> bool {
        let most = self.limit.max_concurrent;
        most.is_some_and(|most| self.running >= most)
    }

    /// When the rate alone lets one job more start; `None` if that is now.
    #[must_use]
    pub fn next_token(&self, now: Millis) -> Option<Millis> {
        let rate = self.limit.rate.as_ref()?;
        Some(self.bucket.opens_at(rate)).filter(|at| *at > now)
    }

    /// When one job more may start.
    #[must_use]
    pub fn opening(&self, now: Millis) -> Opening {
        if self.is_full() {
            return Opening::Later;
        }
        self.next_token(now).map_or(Opening::Now, Opening::At)
    }

    /// What keeps one job more from starting now.
    #[must_use]
    pub fn holds(&self, scope: Scope, now: Millis) -> Vec<Hold> {
        let mut holds = Vec::new();
        if let (Some(rate), Some(until)) = (&self.limit.rate, self.next_token(now)) {
            holds.push(Hold::Rate {
                scope: scope.clone(),
                rate: rate.clone(),
                until,
            });
        }
        if let Some(limit) = self.limit.max_concurrent.filter(|_| self.is_full()) {
            holds.push(Hold::Full {
                scope,
                limit,
                running: self.running,
            });
        }
        holds
    }

    /// Counts a job that starts now.
    pub fn take(&mut self, now: Millis) {
        self.running += 1;
        if let Some(rate) = &self.limit.rate {
            self.bucket = self.bucket.taken(rate, now);
        }
    }
}

/// What a limit is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// A queue.
    Queue(String),
    /// The jobs of a task that have no limit key.
    Task(String),
    /// Those that have this one.
    Key {
        /// The task.
        task: String,
        /// The limit key.
        key: String,
    },
    /// A limited group.
    Group(LimiterId),
}

/// One limit that keeps a job from starting.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Hold {
    /// Its queue is paused.
    Paused {
        /// The queue.
        queue: String,
    },
    /// Tokens are used up.
    Rate {
        /// Whose.
        scope: Scope,
        /// The rate.
        rate: Rate,
        /// When the next one comes.
        until: Millis,
    },
    /// As many run as may.
    Full {
        /// Of what.
        scope: Scope,
        /// How many may run at once.
        limit: u32,
        /// How many do.
        running: u32,
    },
    /// The breaker of its task is not closed.
    Broken {
        /// The task.
        task: String,
        /// When the next job is tried; `None` while one is.
        until: Option<Millis>,
    },
}

/// One queue as it reads from outside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueueRow {
    /// Its name.
    pub name: String,
    /// Whether nothing starts.
    pub paused: bool,
    /// What is set for it.
    pub limit: Limit,
    /// Since when the oldest job that is due waits.
    pub oldest_due_at: Option<Millis>,
    /// How many of its jobs stand where.
    pub stats: Stats,
}
