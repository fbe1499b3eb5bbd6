//! What limits hold back, and when to look again: at an instant, or when a job ends.

use std::sync::Arc;

use crate::clock::Millis;
use crate::limits::Opening;
use crate::store::gate::{Announced, Gate};

/// What one look found held back.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Restraint {
    /// When the first limit opens.
    opens_at: Option<Millis>,
    /// Whether some open when other jobs end.
    by_others: bool,
}

impl Restraint {
    /// Adds a limit.
    pub(super) fn note(&mut self, opening: Opening) {
        self.opens_at = self.opens_at.into_iter().chain(opening.at()).min();
        self.by_others |= opening == Opening::Later;
    }
}

/// When a worker looks again at what it could not take, for one kind of runner.
#[derive(Default)]
pub(super) struct Patience {
    opens_at: Option<Millis>,
    /// While it is there, the end of any job of any worker rings.
    by_others: Option<Announced>,
}

impl Patience {
    /// Learns what a look found. Whether to look once more at once: a job may have ended before
    /// anybody knew that it is waited for.
    pub(super) fn learn(&mut self, found: Restraint, gate: &Arc<Gate>) -> bool {
        self.opens_at = found.opens_at;
        if !found.by_others {
            self.by_others = None;
            return false;
        }
        let known = self.by_others.is_some();
        self.by_others.get_or_insert_with(|| gate.hold_back());
        !known
    }

    /// Whether the end of a job may let another one start.
    pub(super) fn waits_for_others(&self) -> bool {
        self.by_others.is_some()
    }

    /// Others must hear of it from time to time.
    pub(super) fn renew(&self) {
        if let Some(held) = &self.by_others {
            held.renew();
        }
    }

    /// When the first limit opens.
    pub(super) fn opens_at(&self) -> Option<Millis> {
        self.opens_at
    }
}
