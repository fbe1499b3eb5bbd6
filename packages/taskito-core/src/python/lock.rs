//! One attempt to hold a named lock.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU32, Ordering};
use std::time::Duration;

use pyo3::prelude::*;

use super::error::detached;
use super::types::duration;
use crate::engine::{Grasp, Keeper};
use crate::error::Result;
use crate::lock::LockFence;
use crate::store::sqlite::SqliteStore;

/// One attempt to hold a named lock, and what came of it.
///
/// An exception may strike the caller between the commit and the answer, so this object knows
/// what it holds, and giving up is safe at any time.
#[pyclass(name = "Lock", module = "taskito_core", frozen)]
pub(super) struct PyLock {
    keeper: Arc<Keeper>,
    store: Arc<SqliteStore>,
    name: String,
    ttl: Duration,
    /// The bell before the last try.
    bell: AtomicU32,
    /// 0 until it is acquired.
    fence: AtomicI64,
    given_up: AtomicBool,
}

impl PyLock {
    pub(super) fn new(
        keeper: Arc<Keeper>,
        store: Arc<SqliteStore>,
        name: String,
        ttl_ms: i64,
    ) -> Self {
        Self {
            keeper,
            store,
            name,
            ttl: duration(ttl_ms),
            bell: AtomicU32::new(0),
            fence: AtomicI64::new(0),
            given_up: AtomicBool::new(false),
        }
    }

    fn attempt(&self) -> Result<Option<Duration>> {
        let bell = self.store.gate()?.unlocked().number();
        self.bell.store(bell, Ordering::SeqCst);
        let fence = match self.keeper.try_lock(&self.name, self.ttl)? {
            Grasp::Taken(left) => return Ok(Some(left)),
            Grasp::Held(fence) => fence,
        };
        self.fence.store(fence.0, Ordering::SeqCst);
        // Whoever gave up meanwhile may not have seen the fence.
        if self.given_up.load(Ordering::SeqCst) {
            self.keeper.unlock(fence)?;
        }
        Ok(None)
    }

    fn held_fence(&self) -> Option<LockFence> {
        let fence = self.fence.load(Ordering::SeqCst);
        (fence != 0).then_some(LockFence(fence))
    }
}

#[pymethods]
impl PyLock {
    #[getter]
    fn bell(&self) -> u32 {
        self.bell.load(Ordering::SeqCst)
    }

    #[getter]
    fn fence(&self) -> i64 {
        self.fence.load(Ordering::SeqCst)
    }

    #[getter]
    fn held(&self, py: Python<'_>) -> bool {
        let held = |fence| py.detach(|| self.keeper.holds(fence));
        self.held_fence().is_some_and(held)
    }

    fn try_acquire(&self, py: Python<'_>) -> PyResult<Option<i64>> {
        let left = detached(py, || self.attempt())?;
        let millis = |left: Duration| i64::try_from(left.as_millis()).unwrap_or(i64::MAX);
        Ok(left.map(millis))
    }

    fn release(&self, py: Python<'_>) -> PyResult<bool> {
        self.given_up.store(true, Ordering::SeqCst);
        detached(py, || match self.held_fence() {
            Some(fence) => self.keeper.unlock(fence),
            None => Ok(false),
        })
    }
}
