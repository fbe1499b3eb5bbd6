//! Flushing the log after the commit and outside its lock: others commit meanwhile, and all who
//! committed before a flush began share it.
//!
//! A commit writes the log and does not flush it. What is in the log lies there in the order of
//! the commits, so a flush keeps a commit and all before it, those of other processes too. A log
//! that began anew was moved into the file first, and the file was flushed.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::PoisonError;

use super::lock;
use crate::error::{Error, Result};
use crate::os::OwnFile;
use crate::sync::{Condvar, Mutex};

/// How many commits of this process there were when one was done.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Ticket(pub(super) u64);

/// Who waits for flushes, and what was flushed.
#[derive(Default)]
pub(super) struct Flusher {
    progress: Mutex<Progress>,
    ended: Condvar,
}

#[derive(Default)]
struct Progress {
    /// The newest commit.
    committed: Ticket,
    /// The newest commit that is flushed.
    flushed: Ticket,
    /// The newest commit whose flush failed, and why.
    failed: Option<(Ticket, String)>,
    flushing: bool,
    /// Threads that sleep until a flush has ended.
    sleepers: usize,
    /// The log, kept open: to close it loses no lock, as none lies on it.
    log: Option<OwnFile>,
}

impl Flusher {
    /// Counts a commit. Called in the order of the commits.
    pub(super) fn committed(&self) -> Ticket {
        let mut progress = lock(&self.progress);
        progress.committed.0 += 1;
        progress.committed
    }

    /// Blocks until a commit is on the device.
    ///
    /// # Errors
    /// What the operating system says. The commit stays: only power loss can undo it now.
    pub(super) fn flush(&self, ticket: Ticket, database: &Path) -> Result<()> {
        let mut progress = lock(&self.progress);
        loop {
            if progress.flushed >= ticket {
                return Ok(());
            }
            if let Some((failed, cause)) = &progress.failed
                && *failed >= ticket
            {
                return Err(not_flushed(database, cause));
            }
            if !progress.flushing {
                break;
            }
            progress.sleepers += 1;
            progress = self
                .ended
                .wait(progress)
                .unwrap_or_else(PoisonError::into_inner);
            progress.sleepers -= 1;
        }
        progress.flushing = true;
        let covered = progress.committed;
        let log = progress.log.take();
        drop(progress);

        let flushed = flushed(log, database);

        let mut progress = lock(&self.progress);
        progress.flushing = false;
        let outcome = match flushed {
            Ok(log) => {
                progress.log = log;
                progress.flushed = covered;
                Ok(())
            }
            Err(error) => {
                let cause = error.to_string();
                let outcome = Err(not_flushed(database, &cause));
                progress.failed = Some((covered, cause));
                outcome
            }
        };
        let nobody_sleeps = progress.sleepers == 0;
        drop(progress);
        if !nobody_sleeps {
            self.ended.notify_all();
        }
        outcome
    }

    /// Forgets the open log: the connection that wrote it is closed.
    pub(super) fn close(&self) {
        lock(&self.progress).log = None;
    }
}

/// Flushes the log, opened if it is not.
fn flushed(log: Option<OwnFile>, database: &Path) -> io::Result<Option<OwnFile>> {
    let ours = log.filter(OwnFile::is_intact);
    let log = match ours.map_or_else(|| open(database), Ok) {
        // Moved into the file, which was flushed, and removed: we had closed the database.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        opened => opened?,
    };
    log.sync_data()?;
    Ok(Some(log))
}

fn open(database: &Path) -> io::Result<OwnFile> {
    let mut log = database.as_os_str().to_owned();
    log.push("-wal");
    OwnFile::open(&PathBuf::from(log))
}

fn not_flushed(database: &Path, cause: &str) -> Error {
    Error::Io {
        path: database.into(),
        cause: format!("written, but not flushed to the device: {cause}"),
    }
}
