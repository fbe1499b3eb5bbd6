//! What threads meet at, in place of `src/sync.rs`: each use of it is a step.

pub(crate) use shuttle::sync::atomic::{AtomicBool, AtomicU32};
pub(crate) use shuttle::sync::{Condvar, Mutex, MutexGuard};
