//! The plainest appetite.

use taskito_core::limits::{NO_LIMITS, Opening, TaskLimits};
use taskito_core::store::{Appetite, Start};

/// Takes that many jobs of any kind, suspects too.
pub(crate) struct Any(pub(crate) usize);

impl Appetite for Any {
    fn serves(&self, _queue: &str, _task: &str) -> bool {
        true
    }

    fn admit(&mut self, _task: &str, _start: Start) -> bool {
        self.0 > 0
    }

    fn limits(&self, _task: &str) -> &TaskLimits {
        &NO_LIMITS
    }

    fn held_back(&mut self, _opening: Opening) {}

    fn took(&mut self, _task: &str) {
        self.0 -= 1;
    }

    fn admits_suspect(&self) -> bool {
        true
    }

    fn took_suspect(&mut self) {}

    fn turn(&self) -> usize {
        0
    }
}
