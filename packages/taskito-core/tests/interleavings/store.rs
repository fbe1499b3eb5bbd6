//! The files of the store that are under test, where they expect to be.

#[path = "../../src/store/gate.rs"]
#[allow(dead_code, unreachable_pub, reason = "stories use a part of it")]
pub(crate) mod gate;

pub(crate) mod sqlite;

pub(crate) use taskito_core::store::{LogLine, Transaction};
