//! In place of the ledger: nobody dies.

use std::time::Duration;

pub(super) struct Entry;

impl Entry {
    pub(super) fn start(&self, _now: u64, _limit: Option<Duration>) {}
}
