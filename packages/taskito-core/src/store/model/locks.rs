//! Named locks. What has lapsed lies about until somebody takes the name.

use std::time::Duration;

use super::{Draft, ModelStore};
use crate::error::Result;
use crate::lock::{LockFence, Moment};
use crate::store::{Leases, Locks};

/// One lock that was taken and not given back.
#[derive(Clone, Debug)]
pub(super) struct Lease {
    holder: LockFence,
    ttl: i64,
    renewed: Moment,
}

impl Lease {
    /// How long it holds from now; 0 or less when it has lapsed.
    fn left(&self, now: &Moment) -> i64 {
        let age = now.uptime - self.renewed.uptime;
        if self.renewed.boot == now.boot && age >= 0 {
            self.ttl - age
        } else {
            0
        }
    }
}

impl Draft<'_> {
    /// The name of a lock and whether it is held now, by that fence.
    fn lease_of(&self, holder: LockFence, now: &Moment) -> Option<(String, bool)> {
        let mut leases = self.tables.leases.iter();
        leases
            .find(|(_, lease)| lease.holder == holder)
            .map(|(name, lease)| (name.clone(), lease.left(now) > 0))
    }
}

impl Locks for Draft<'_> {
    fn lock(&mut self, now: &Moment, name: &str, ttl: Duration) -> Result<Option<LockFence>> {
        let found = self.tables.leases.get(name);
        if found.is_some_and(|lease| lease.left(now) > 0) {
            return Ok(None);
        }
        self.tables.last_fence += 1;
        let lease = Lease {
            holder: LockFence(self.tables.last_fence),
            ttl: i64::try_from(ttl.as_millis()).unwrap_or(i64::MAX),
            renewed: now.clone(),
        };
        let holder = lease.holder;
        self.tables.leases.insert(name.into(), lease);
        Ok(Some(holder))
    }

    fn renew(&mut self, now: &Moment, holders: &[LockFence]) -> Result<Vec<bool>> {
        let mut renewed = Vec::new();
        for holder in holders {
            let lease = self.lease_of(*holder, now).filter(|(_, held)| *held);
            renewed.push(lease.is_some());
            let lease = lease.and_then(|(name, _)| self.tables.leases.get_mut(&name));
            if let Some(lease) = lease {
                lease.renewed = now.clone();
            }
        }
        Ok(renewed)
    }

    fn unlock(&mut self, now: &Moment, holders: &[LockFence]) -> Result<Vec<bool>> {
        let mut unlocked = Vec::new();
        for holder in holders {
            let lease = self.lease_of(*holder, now);
            unlocked.push(lease.as_ref().is_some_and(|(_, held)| *held));
            if let Some((name, _)) = lease {
                self.tables.leases.remove(&name);
            }
        }
        Ok(unlocked)
    }
}

impl Leases for ModelStore {
    fn lock_left(&self, now: &Moment, name: &str) -> Result<Option<Duration>> {
        let tables = self.committed();
        let left = tables.leases.get(name).map_or(0, |lease| lease.left(now));
        let left = Duration::from_millis(u64::try_from(left).unwrap_or(0));
        Ok((!left.is_zero()).then_some(left))
    }
}
