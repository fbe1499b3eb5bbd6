//! The engine of taskito: a durable task queue in one `SQLite` file.
//!
//! Read [`state`] for what can happen to a job, [`store`] for the contract of storing it,
//! [`engine`] for who makes it happen, and `python` for the edge to Python.

pub mod breaker;
pub mod bulk;
pub mod call_text;
pub mod cause;
pub mod clock;
pub mod cron;
pub mod engine;
pub mod error;
pub mod filter;
mod fork;
pub mod histogram;
pub mod id;
pub mod job;
pub mod limits;
pub mod links;
pub mod lock;
pub mod metric;
pub mod os;
pub mod outcome;
pub mod rate;
pub mod retry;
pub mod rollup;
pub mod schedule;
pub mod state;
pub mod store;
mod sync;
pub mod timing;
mod varint;

#[cfg(feature = "python")]
mod python;

/// Version of this crate.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");
