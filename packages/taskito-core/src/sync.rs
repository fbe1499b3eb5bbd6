//! What threads meet at. Files whose waiting and waking must be right whatever the order take it
//! from here: `tests/interleavings` compiles them once more, with a scheduler in place of threads.

pub(crate) use std::sync::atomic::{AtomicBool, AtomicU32};
pub(crate) use std::sync::{Condvar, Mutex, MutexGuard};
