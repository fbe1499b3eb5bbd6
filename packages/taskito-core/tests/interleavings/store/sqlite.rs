//! A store that commits to a log and flushes it, with the group commit and the flusher under
//! test. What a commit takes and gives is one number per job: its place in the log.

#[path = "../../../src/store/sqlite/flush.rs"]
#[allow(dead_code, reason = "nothing is closed here")]
pub(crate) mod flush;
#[path = "../../../src/store/sqlite/group.rs"]
pub(crate) mod group;

use std::path::{Path, PathBuf};
use std::sync::PoisonError;

use flush::{Flusher, Ticket};
use group::Group;
use taskito_core::clock::Millis;
use taskito_core::error::{Error, Result};
use taskito_core::id::Key;
use taskito_core::job::{Inserted, NewJob};

use crate::os;
use crate::sync::{Mutex, MutexGuard};

/// A job with that payload cannot be stored.
pub(crate) const REFUSED: &[u8] = b"refused";

/// In place of the store of the same name.
#[derive(Default)]
pub(crate) struct SqliteStore {
    group: Group,
    flusher: Flusher,
    writer: Mutex<()>,
    path: PathBuf,
}

/// A transaction that appends to the log when it commits.
pub(crate) struct Append {
    end: i64,
}

impl Append {
    pub(crate) fn insert(&mut self, _now: Millis, jobs: &[NewJob]) -> Result<Vec<Inserted>> {
        jobs.iter().map(|job| self.append(job)).collect()
    }

    fn append(&mut self, job: &NewJob) -> Result<Inserted> {
        if job.payload == REFUSED {
            return Err(Error::Invalid {
                message: "refused".into(),
            });
        }
        self.end += 1;
        Ok(Inserted {
            key: Key(self.end),
            deduplicated: false,
        })
    }
}

impl SqliteStore {
    /// Stores jobs and flushes them, as the method of the same name does.
    pub(crate) fn enqueue(&self, jobs: Vec<NewJob>) -> Result<Vec<Inserted>> {
        let (inserted, ticket) = self.group.insert(jobs, self)?;
        self.flusher.flush(ticket, &self.path)?;
        Ok(inserted)
    }

    fn path(&self) -> &Path {
        &self.path
    }

    fn now(&self) -> Millis {
        Millis(0)
    }

    fn commit(&self, work: &mut dyn FnMut(&mut Append) -> Result<()>) -> Result<Ticket> {
        let _turn = lock(&self.writer);
        let log = os::log();
        let mut append = Append { end: log.end() };
        work(&mut append)?;
        log.write(append.end);
        Ok(self.flusher.committed())
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
