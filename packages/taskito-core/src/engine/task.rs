//! A task this worker knows: how it retries, what runs it, and how long it usually runs.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use crate::limits::TaskLimits;
use crate::retry::RetryPolicy;

use super::pools::Kind;

/// Work that may wait in memory, so that short jobs flow in batches and a long one never
/// hoards work that another worker could run.
pub(super) const BUFFER_TIME: Duration = Duration::from_millis(20);

/// Tasks that run shorter than this share one runner: waking another costs more.
const SHORT: Duration = Duration::from_micros(200);

/// What a worker is told about a task.
#[derive(Clone, Debug, Default)]
pub struct TaskSettings {
    /// How it waits between attempts.
    pub policy: RetryPolicy,
    /// What runs it.
    pub kind: Kind,
    /// What holds its jobs back.
    pub limits: TaskLimits,
}

impl From<RetryPolicy> for TaskSettings {
    fn from(policy: RetryPolicy) -> Self {
        Self {
            policy,
            kind: Kind::Thread,
            limits: TaskLimits::NONE,
        }
    }
}

/// A task this worker knows.
pub(super) struct Task {
    /// What was told about it.
    pub(super) settings: TaskSettings,
    /// Typical run time in microseconds; 0 until the first run ended.
    pace: AtomicU32,
}

impl Task {
    /// A task that has not run here yet.
    pub(super) fn new(settings: TaskSettings) -> Self {
        Self {
            settings,
            pace: AtomicU32::new(0),
        }
    }

    /// What runs it.
    pub(super) fn kind(&self) -> Kind {
        self.settings.kind
    }

    /// Typical run time, once known.
    pub(super) fn pace(&self) -> Option<Duration> {
        match self.pace.load(Ordering::Relaxed) {
            0 => None,
            micros => Some(Duration::from_micros(u64::from(micros))),
        }
    }

    /// How much of the buffer one of its jobs takes where `parallel` run side by side. Known
    /// only of tasks that run briefly.
    pub(super) fn share_of_buffer(&self, parallel: u32) -> Option<Duration> {
        let pace = self.pace().filter(|pace| *pace <= BUFFER_TIME)?;
        Some(pace / parallel.max(1))
    }

    /// Moves the typical run time an eighth of the way towards the newest.
    pub(super) fn observe(&self, run: Duration) {
        let newest = u32::try_from(run.as_micros()).unwrap_or(u32::MAX).max(1);
        let known = self.pace.load(Ordering::Relaxed);
        let pace = if known == 0 {
            newest
        } else {
            known - known / 8 + newest / 8
        };
        self.pace.store(pace.max(1), Ordering::Relaxed);
    }

    /// Whether it is known to run so shortly that waking another runner costs more.
    pub(super) fn is_short(&self) -> bool {
        self.pace().is_some_and(|pace| pace < SHORT)
    }

    /// Whether it is known to run so briefly that jobs may wait behind it.
    pub(super) fn is_brief(&self) -> bool {
        self.pace().is_some_and(|pace| pace <= BUFFER_TIME)
    }
}
