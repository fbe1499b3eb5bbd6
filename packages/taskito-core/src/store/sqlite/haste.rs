//! How long a question may take: threads that answer people let none take long.

use std::cell::Cell;
use std::time::{Duration, Instant};

use rusqlite::{Connection, Result};

use super::failure::PATIENCE;

/// How long a question of such a thread waits for another program that holds the file: what cannot
/// be read at once is told to the person who waits, and asked again later.
const SHORT_PATIENCE: Duration = Duration::from_millis(250);
/// How many steps of `SQLite` lie between two looks at the clock.
const STEPS: i32 = 10_000;

thread_local! {
    static LIMIT: Cell<Option<Duration>> = const { Cell::new(None) };
}

/// From now on no question of this thread takes longer; one that would fails with
/// [`TooBroad`](crate::error::Error::TooBroad). `None` lets them take as long as they do.
pub fn limit_reads(limit: Option<Duration>) {
    LIMIT.set(limit);
}

/// Asks, and gives up when that takes longer than this thread lets it.
pub(super) fn asked<T>(
    connection: &mut Connection,
    ask: impl FnOnce(&Connection) -> Result<T>,
) -> Result<T> {
    let Some(limit) = LIMIT.get() else {
        return ask(connection);
    };
    let end = Instant::now() + limit;
    connection.progress_handler(STEPS, Some(move || Instant::now() >= end))?;
    connection.busy_timeout(SHORT_PATIENCE.min(limit))?;
    let answer = ask(connection);
    connection.busy_timeout(PATIENCE)?;
    connection.progress_handler(0, None::<fn() -> bool>)?;
    answer
}
