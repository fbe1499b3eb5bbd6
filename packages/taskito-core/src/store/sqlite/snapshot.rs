//! A copy of the database at one instant, made page by page while everybody else goes on.

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread;
use std::time::{Duration, Instant};

use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OpenFlags};

use super::SqliteStore;
use super::failure::{PATIENCE, explain, not_writable};
use crate::error::{Error, Result};
use crate::os;

/// Pages copied between two looks at whether to go on.
const PORTION: i32 = 2048;
/// Between two questions whether to go on.
const LOOK: Duration = Duration::from_millis(100);
/// Between two tries when the copy cannot be made at this moment.
const NAP: Duration = Duration::from_millis(2);

impl SqliteStore {
    /// As [`Self::snapshot`], made by a thread of its own. `goes_on` is asked several times a
    /// second, by the caller's thread and without anything held, so it may use the store.
    ///
    /// # Errors
    /// As those of [`Self::snapshot`].
    pub fn snapshot_beside(
        &self,
        target: &Path,
        mut goes_on: impl FnMut() -> bool,
    ) -> Result<bool> {
        let stopped = AtomicBool::new(false);
        let (done, answer) = mpsc::channel();
        thread::scope(|scope| {
            let copying = thread::Builder::new().name("taskito-snapshot".into());
            let copied = copying.spawn_scoped(scope, || {
                os::block_signals();
                let goes_on = &mut || !stopped.load(Ordering::Relaxed);
                // Nobody listens only if the caller broke down.
                done.send(self.snapshot(target, goes_on)).ok();
            });
            copied.map_err(|error| not_writable(target, &error))?;
            loop {
                match answer.recv_timeout(LOOK) {
                    Ok(copied) => return copied,
                    Err(RecvTimeoutError::Timeout) => {
                        if !stopped.load(Ordering::Relaxed) && !goes_on() {
                            stopped.store(true, Ordering::Relaxed);
                        }
                    }
                    Err(RecvTimeoutError::Disconnected) => {
                        return Err(Error::Io {
                            path: target.into(),
                            cause: "the thread that was copying broke down".into(),
                        });
                    }
                }
            }
        })
    }

    /// Copies the database as it is now into `target`, a new file, as one file that any `SQLite`
    /// reads. `goes_on` is asked every few megabytes; `false` if it said no, and the file is
    /// then unfinished.
    ///
    /// # Errors
    /// Storage failures, and a file that exists; what was written is left behind.
    pub fn snapshot(&self, target: &Path, goes_on: &mut dyn FnMut() -> bool) -> Result<bool> {
        OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(target)
            .map_err(|error| not_writable(target, &error))?;
        self.read(|source| Ok(copy(source, target, goes_on)))?
    }
}

fn copy(source: &Connection, target: &Path, goes_on: &mut dyn FnMut() -> bool) -> Result<bool> {
    let explained = |error| explain(target, &error);
    // Nobody else knows the file yet: it needs no locks, and leaves none behind.
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut copy =
        Connection::open_with_flags_and_vfs(target, flags, c"unix-none").map_err(explained)?;
    // What is read first fixes the state that is copied.
    let instant = source.unchecked_transaction().map_err(explained)?;
    instant
        .query_row("SELECT one FROM taskito", [], |_| Ok(()))
        .map_err(explained)?;
    let backup = Backup::new(&instant, &mut copy).map_err(explained)?;
    let mut deadline = Instant::now() + PATIENCE;
    loop {
        match backup.step(PORTION).map_err(explained)? {
            StepResult::Done => break,
            StepResult::More => deadline = Instant::now() + PATIENCE,
            _ if Instant::now() >= deadline => {
                return Err(Error::Busy {
                    path: target.into(),
                    holder: None,
                });
            }
            _ => thread::sleep(NAP),
        }
        if !goes_on() {
            return Ok(false);
        }
    }
    drop(backup);
    // The copy is one file from here on, without a log beside it.
    for (pragma, value) in [("locking_mode", "EXCLUSIVE"), ("journal_mode", "DELETE")] {
        copy.pragma_update_and_check(None, pragma, value, |_| Ok(()))
            .map_err(explained)?;
    }
    copy.close().map_err(|(_, error)| explained(error))?;
    Ok(true)
}
