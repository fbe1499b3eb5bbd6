//! What happens to named locks in a history.

use std::time::Duration;

use taskito_core::error::Result;
use taskito_core::lock::{LockFence, Moment};
use taskito_core::store::{JobStore, Transaction};

/// The locks of a history.
pub(crate) const NAMES: [&str; 3] = ["l", "m", "n"];

/// One call about locks. Holders are named by how far their fence is below the newest one.
#[derive(Clone, Debug)]
pub(crate) enum Grip {
    Lock(&'static str, u64),
    Renew(Vec<i64>),
    Unlock(Vec<i64>),
}

impl Grip {
    /// The fence that was taken, or 0; and which holders were told yes.
    pub(crate) fn perform(
        &self,
        t: &mut dyn Transaction,
        now: &Moment,
        newest: &mut i64,
    ) -> Result<(i64, Vec<bool>)> {
        let holders = |back: &[i64], newest: i64| -> Vec<LockFence> {
            back.iter().map(|back| LockFence(newest - back)).collect()
        };
        match self {
            Self::Lock(name, ttl) => {
                let taken = t.lock(now, name, Duration::from_millis(*ttl))?;
                let fence = taken.map_or(0, |fence| fence.0);
                assert!(fence == 0 || fence > *newest, "a fence did not grow");
                *newest = fence.max(*newest);
                Ok((fence, vec![]))
            }
            Self::Renew(back) => Ok((0, t.renew(now, &holders(back, *newest))?)),
            Self::Unlock(back) => Ok((0, t.unlock(now, &holders(back, *newest))?)),
        }
    }
}

/// How long each lock stays held.
pub(crate) fn left(store: &dyn JobStore, now: &Moment) -> Vec<Option<Duration>> {
    let asked = NAMES.map(|name| store.lock_left(now, name).unwrap());
    asked.to_vec()
}
