//! The circuit breaker of a task: closed, open, half-open. Pure: every instant is an argument.

use std::time::Duration;

use crate::clock::Millis;
use crate::id::Key;
use crate::job::{Fence, Token};
use crate::limits::Opening;

/// When a breaker opens, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BreakerSettings {
    /// So many failures open it.
    pub threshold: u32,
    /// If they lie within this time of one another.
    pub window: Duration,
    /// How long it stays open before it tries one job.
    pub cooldown: Duration,
}

/// The word for where a breaker stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BreakerState {
    /// Jobs run.
    Closed,
    /// They wait.
    Open,
    /// One is tried.
    HalfOpen,
}

impl BreakerState {
    /// The word itself.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Open => "open",
            Self::HalfOpen => "half_open",
        }
    }
}

/// How an attempt ended, as far as it says something about its task.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trial {
    /// The function returned.
    Passed,
    /// It raised, or ran over its timeout.
    Failed,
}

/// The claim that is to show whether the task works again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Probe {
    /// The job.
    pub key: Key,
    /// Which claim of it.
    pub fence: Fence,
}

impl From<Token> for Probe {
    fn from(token: Token) -> Self {
        Self {
            key: token.key,
            fence: token.fence,
        }
    }
}

/// A breaker: its settings and what it has seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Breaker {
    /// From the code of the worker that started last.
    pub settings: BreakerSettings,
    /// The failures that count, oldest first.
    pub failures: Vec<Millis>,
    /// The newest failure there ever was.
    pub last_failure_at: Option<Millis>,
    /// Since when it is not closed.
    pub opened_at: Option<Millis>,
    /// The last claim it let pass since then.
    pub probe: Option<Probe>,
}

impl Breaker {
    /// A closed one that has seen nothing.
    #[must_use]
    pub fn new(settings: BreakerSettings) -> Self {
        Self {
            settings,
            failures: Vec::new(),
            last_failure_at: None,
            opened_at: None,
            probe: None,
        }
    }

    /// The breaker as it can be now. A clock that was set back would keep it open for longer;
    /// keep the answer then, or it stays so.
    #[must_use]
    pub fn healed(mut self, now: Millis) -> Self {
        self.opened_at = self.opened_at.map(|opened| opened.min(now));
        self
    }

    /// Where it stands.
    #[must_use]
    pub fn state(&self, now: Millis) -> BreakerState {
        match self.probes_from() {
            None => BreakerState::Closed,
            Some(at) if at > now => BreakerState::Open,
            Some(_) => BreakerState::HalfOpen,
        }
    }

    /// When one job more may start. `probing` says whether its probe still runs.
    #[must_use]
    pub fn opening(&self, now: Millis, probing: bool) -> Opening {
        match self.probes_from() {
            Some(at) if at > now => Opening::At(at),
            Some(_) if probing => Opening::Later,
            Some(_) | None => Opening::Now,
        }
    }

    /// When the cooldown is over; `None` if it is closed.
    fn probes_from(&self) -> Option<Millis> {
        let opened = self.opened_at?;
        Some(opened.plus(self.settings.cooldown))
    }

    /// Takes note of a claim that it let pass.
    pub fn started(&mut self, claim: Probe) {
        if self.opened_at.is_some() {
            self.probe = Some(claim);
        }
    }

    /// Takes note of an attempt that succeeded.
    pub fn succeeded(&mut self, claim: Probe) {
        if self.opened_at.is_some() && self.probe != Some(claim) {
            return; // It began before the breaker opened.
        }
        self.failures.clear();
        self.opened_at = None;
        self.probe = None;
    }

    /// Takes note of an attempt that failed or ran over its timeout.
    pub fn failed(&mut self, claim: Probe, now: Millis) {
        self.last_failure_at = Some(now);
        if self.opened_at.is_some() {
            if self.probe == Some(claim) {
                self.open(now);
            }
            return;
        }
        let window = self.settings.window;
        self.failures
            .retain(|at| *at <= now && at.plus(window) >= now);
        self.failures.push(now);
        let most = usize::try_from(self.settings.threshold).unwrap_or(usize::MAX);
        if self.failures.len() >= most {
            self.open(now);
        }
    }

    fn open(&mut self, now: Millis) {
        self.opened_at = Some(now);
        self.probe = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROBE: Probe = Probe {
        key: Key(7),
        fence: Fence(1),
    };
    const OTHER: Probe = Probe {
        key: Key(8),
        fence: Fence(1),
    };

    fn breaker() -> Breaker {
        Breaker::new(BreakerSettings {
            threshold: 3,
            window: Duration::from_millis(100),
            cooldown: Duration::from_secs(1),
        })
    }

    /// Fails at these instants.
    fn after_failures(at: &[i64]) -> Breaker {
        let mut breaker = breaker();
        for at in at {
            breaker.failed(OTHER, Millis(*at));
        }
        breaker
    }

    #[test]
    fn failures_within_the_window_of_one_another_open_it() {
        for (failures, state) in [
            (&[0, 1][..], BreakerState::Closed),
            (&[0, 50, 100], BreakerState::Open),
            (&[0, 50, 101], BreakerState::Closed),
            (&[0, 90, 180], BreakerState::Closed),
            (&[0, 90, 180, 190], BreakerState::Open),
        ] {
            let now = Millis(failures[failures.len() - 1]);
            assert_eq!(after_failures(failures).state(now), state, "{failures:?}");
        }
    }

    #[test]
    fn a_success_clears_the_count() {
        let mut breaker = after_failures(&[0, 1]);
        breaker.succeeded(OTHER);
        assert_eq!(breaker.failures, []);
        breaker.failed(OTHER, Millis(2));
        assert_eq!(breaker.state(Millis(2)), BreakerState::Closed);
    }

    #[test]
    fn an_open_one_lets_nothing_pass_until_its_cooldown_is_over() {
        let breaker = after_failures(&[0, 1, 2]);
        assert_eq!(breaker.opening(Millis(3), false), Opening::At(Millis(1002)));
        assert_eq!(breaker.opening(Millis(1002), false), Opening::Now);
        assert_eq!(breaker.state(Millis(1002)), BreakerState::HalfOpen);
    }

    #[test]
    fn a_half_open_one_lets_one_probe_pass_at_a_time() {
        let mut breaker = after_failures(&[0, 1, 2]);
        breaker.started(PROBE);
        assert_eq!(breaker.opening(Millis(1002), true), Opening::Later);
        assert_eq!(breaker.opening(Millis(1002), false), Opening::Now);
    }

    #[test]
    fn the_success_of_the_probe_closes_it() {
        let mut breaker = after_failures(&[0, 1, 2]);
        breaker.started(PROBE);
        breaker.succeeded(PROBE);
        assert_eq!(breaker.state(Millis(1002)), BreakerState::Closed);
        assert_eq!(breaker.last_failure_at, Some(Millis(2)));
        breaker.failed(OTHER, Millis(1003));
        assert_eq!(breaker.failures, [Millis(1003)]);
    }

    #[test]
    fn the_failure_of_the_probe_opens_it_again() {
        let mut breaker = after_failures(&[0, 1, 2]);
        breaker.started(PROBE);
        breaker.failed(PROBE, Millis(1500));
        assert_eq!(
            breaker.opening(Millis(1500), false),
            Opening::At(Millis(2500))
        );
    }

    #[test]
    fn what_began_before_it_opened_decides_nothing() {
        let mut breaker = after_failures(&[0, 1, 2]);
        breaker.succeeded(OTHER);
        breaker.failed(OTHER, Millis(500));
        assert_eq!(
            breaker.opening(Millis(500), false),
            Opening::At(Millis(1002))
        );
        assert_eq!(breaker.last_failure_at, Some(Millis(500)));
        breaker.started(PROBE);
        breaker.succeeded(OTHER);
        assert_eq!(breaker.state(Millis(1002)), BreakerState::HalfOpen);
    }

    #[test]
    fn an_earlier_claim_of_the_probed_job_is_not_the_probe() {
        let mut breaker = after_failures(&[0, 1, 2]);
        breaker.started(Probe {
            fence: Fence(2),
            ..PROBE
        });
        breaker.succeeded(PROBE);
        assert_eq!(breaker.state(Millis(1002)), BreakerState::HalfOpen);
    }

    #[test]
    fn a_clock_set_back_does_not_keep_it_open() {
        let breaker = after_failures(&[9_000_000, 9_000_001, 9_000_002]).healed(Millis(5));
        assert_eq!(breaker.opening(Millis(5), false), Opening::At(Millis(1005)));
        assert_eq!(breaker.clone().healed(Millis(6)), breaker);
    }
}
