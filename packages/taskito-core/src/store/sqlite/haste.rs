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

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
mod tests {
    use super::*;

    #[test]
    fn who_is_in_haste_waits_a_moment_for_other_programs_and_others_longer() {
        let mut connection = Connection::open_in_memory().unwrap();
        let mut patience = |limit: Option<Duration>| -> (i64, i64) {
            let ask = |it: &Connection| it.query_row("PRAGMA busy_timeout", [], |row| row.get(0));
            limit_reads(limit);
            let during = asked(&mut connection, ask).unwrap();
            limit_reads(None);
            (during, ask(&connection).unwrap())
        };
        assert_eq!(patience(Some(Duration::from_secs(2))), (250, 5000));
        assert_eq!(patience(Some(Duration::from_millis(100))).0, 100);
        assert_eq!(patience(None).0, 5000);
    }
}
