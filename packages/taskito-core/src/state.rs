//! The states a job can be in, the arrows between them, and the public words for them.

/// Where a job stands. The names are the ones stored in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// Waits for other jobs; `insert` moves a job here, `release` moves it on.
    Blocked,
    /// Due in the future; `insert`, `release`, `retry` and `snooze` move a job here,
    /// `promote` moves it on.
    Scheduled,
    /// Due; `insert`, `release`, `promote`, `lose` and `hand_back` move a job here, `claim` moves it on.
    Pending,
    /// Held by a worker since `claim`.
    Running,
    /// Returned; its result is stored. Final.
    Complete,
    /// Not to be tried again, see its error. Final.
    Dead,
    /// Will not run. Final.
    Cancelled,
}

impl State {
    /// All states, in the order of a job's life.
    pub const ALL: [Self; 7] = [
        Self::Blocked,
        Self::Scheduled,
        Self::Pending,
        Self::Running,
        Self::Complete,
        Self::Dead,
        Self::Cancelled,
    ];

    /// The stored name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Blocked => "blocked",
            Self::Scheduled => "scheduled",
            Self::Pending => "pending",
            Self::Running => "running",
            Self::Complete => "complete",
            Self::Dead => "dead",
            Self::Cancelled => "cancelled",
        }
    }

    /// The state with that stored name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.name() == name)
    }

    /// Whether the job will never run again.
    #[must_use]
    pub fn is_finished(self) -> bool {
        matches!(self, Self::Complete | Self::Dead | Self::Cancelled)
    }

    /// Whether the state machine has an arrow from here to `next`.
    #[must_use]
    pub fn may_become(self, next: Self) -> bool {
        match self {
            Self::Blocked => matches!(next, Self::Scheduled | Self::Pending | Self::Cancelled),
            Self::Scheduled => matches!(next, Self::Pending | Self::Cancelled),
            Self::Pending => matches!(next, Self::Running | Self::Cancelled),
            Self::Running => matches!(
                next,
                Self::Scheduled | Self::Pending | Self::Complete | Self::Dead | Self::Cancelled
            ),
            Self::Complete | Self::Dead | Self::Cancelled => false,
        }
    }

    /// The word users see: blocked and scheduled jobs read as pending.
    #[must_use]
    pub fn status(self) -> Status {
        match self {
            Self::Blocked | Self::Scheduled | Self::Pending => Status::Pending,
            Self::Running => Status::Running,
            Self::Complete => Status::Complete,
            Self::Dead => Status::Dead,
            Self::Cancelled => Status::Cancelled,
        }
    }
}

/// The public word for a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Status {
    /// Waits: for other jobs, for its time, or for a worker.
    Pending,
    /// A worker holds it.
    Running,
    /// Done, with a result.
    Complete,
    /// Given up, with an error.
    Dead,
    /// Called off.
    Cancelled,
}

impl Status {
    /// All public words.
    pub const ALL: [Self; 5] = [
        Self::Pending,
        Self::Running,
        Self::Complete,
        Self::Dead,
        Self::Cancelled,
    ];

    /// The word itself.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Running => "running",
            Self::Complete => "complete",
            Self::Dead => "dead",
            Self::Cancelled => "cancelled",
        }
    }

    /// The status with that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.name() == name)
    }

    /// The states that read as this word.
    pub fn states(self) -> impl Iterator<Item = State> {
        State::ALL
            .into_iter()
            .filter(move |state| state.status() == self)
    }
}
