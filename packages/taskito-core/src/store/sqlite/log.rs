//! How long the write-ahead log is, and how it is moved into the file.
//!
//! Moving it costs flushes, so nobody who enqueues should wait for that. The worker's tidier does
//! it while others write on: again and again, until so little is left that the rest takes hardly
//! longer than a commit. That rest is moved while nobody writes, for only a log that lies in
//! the file as a whole begins anew.

use rusqlite::{Connection, Result};

use super::frames;
use crate::store::gate::Gate;

/// At so many pages (of 4 KiB) the tidier is called.
const LONG: u64 = 2000;
/// At so many, whoever commits moves the log if there is no tidier.
const OVERLONG: u64 = 4000;
/// At so many, if there is one that does not keep up, and where nobody counts. `SQLite` sees to that.
pub(super) const ENDLESS: u64 = 10_000;
/// So many bytes a log keeps that has become longer, once it begins anew. A longer one is being kept
/// from that by somebody who reads.
pub(super) const USUAL: u64 = 48 << 20;
/// What is moved while nobody writes.
const REST: u64 = 300;
/// How often it is moved while others write: each time half of it is new.
const PASSES: usize = 5;

/// What the log came to.
pub(super) struct Moved {
    /// Pages in it.
    pages: u64,
    /// Those that lie in the file.
    moved: u64,
}

impl Moved {
    fn rest(&self) -> u64 {
        self.pages.saturating_sub(self.moved)
    }

    /// Whether it goes on growing while others write.
    pub(super) fn is_left_long(&self) -> bool {
        self.pages >= LONG && self.rest() > 0
    }
}

/// Whether the last commit of this thread left the log long.
pub(super) fn is_long() -> bool {
    frames::pages() >= LONG
}

/// Whether whoever made that commit has to move the log.
pub(super) fn is_overlong(gate: &Gate) -> bool {
    frames::pages() >= OVERLONG && !gate.is_tended()
}

/// Moves what readers leave.
pub(super) fn shift(connection: &Connection) -> Result<Moved> {
    connection
        .prepare_cached("PRAGMA wal_checkpoint(PASSIVE)")?
        .query_row([], |row| {
            let [pages, moved] = [row.get::<_, i64>(1)?, row.get::<_, i64>(2)?];
            Ok(Moved {
                pages: pages.try_into().unwrap_or(0),
                moved: moved.try_into().unwrap_or(0),
            })
        })
}

/// Moves it while others write, until little is left or readers keep it.
pub(super) fn drain(connection: &Connection) -> Result<Moved> {
    let mut last = shift(connection)?;
    for _ in 1..PASSES {
        if last.rest() <= REST {
            break;
        }
        let next = shift(connection)?;
        let stuck = next.moved <= last.moved;
        last = next;
        if stuck {
            break;
        }
    }
    Ok(last)
}
