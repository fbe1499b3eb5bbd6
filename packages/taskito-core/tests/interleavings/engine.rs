//! The files of the engine that are under test, where they expect to be.

#[path = "../../src/engine/books.rs"]
#[allow(dead_code, reason = "stories use a part of it")]
mod books;
#[path = "../../src/engine/desk.rs"]
#[allow(dead_code, reason = "stories use a part of it")]
mod desk;
mod hand_over;
mod ledger;
#[path = "../../src/engine/loop_bell.rs"]
mod loop_bell;
#[path = "../../src/engine/news.rs"]
#[allow(dead_code, unreachable_pub, reason = "stories use a part of it")]
mod news;
#[path = "../../src/engine/notes.rs"]
#[allow(dead_code, reason = "stories use a part of it")]
mod notes;
#[path = "../../src/engine/patience.rs"]
#[allow(dead_code, reason = "stories use a part of it")]
mod patience;
#[path = "../../src/engine/pools.rs"]
#[allow(dead_code, unreachable_pub, reason = "stories use a part of it")]
mod pools;
#[path = "../../src/engine/slips.rs"]
#[allow(dead_code, unreachable_pub, reason = "stories use a part of it")]
mod slips;
#[path = "../../src/engine/task.rs"]
#[allow(dead_code, unreachable_pub, reason = "stories use a part of it")]
mod task;

use std::sync::Arc;

use taskito_core::clock::Clock;

use crate::store::gate::Gate;

pub(crate) use taskito_core::engine::Settings;

/// Where a worker works, without its store.
pub(crate) struct Site {
    pub(crate) gate: Arc<Gate>,
    pub(crate) clock: Arc<dyn Clock>,
}
