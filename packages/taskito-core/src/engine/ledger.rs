//! What a worker holds and what it has started, in a mapped file that survives its death.
//!
//! A reaper reads it to tell a job that was running from one that had only been claimed: the
//! latter goes back without a mark. One entry is two words: the key, and when it started.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};

use crate::clock::Millis;
use crate::id::Key;
use crate::job::WorkerId;
use crate::os::{self, SharedMemory};

/// Most claims a worker can hold.
pub(super) const ENTRIES: usize = 1024;

const BYTES: usize = ENTRIES * 16;

/// The ledger of this process's worker.
pub(super) struct Ledger {
    pages: Arc<Pages>,
}

struct Pages {
    memory: SharedMemory,
    free: Mutex<Vec<usize>>,
}

/// One claim's place in the ledger; freed when dropped.
pub(super) struct Entry {
    pages: Arc<Pages>,
    number: usize,
}

impl Ledger {
    /// The ledger of a worker, empty.
    pub(super) fn open(database: Option<&Path>, worker: WorkerId) -> io::Result<Self> {
        let memory = match database {
            Some(database) => {
                let file = os::open_side_file(&path(database, worker), BYTES as u64)?;
                SharedMemory::of_file(&file, BYTES)?
            }
            None => SharedMemory::private(BYTES)?,
        };
        Ok(Self {
            pages: Arc::new(Pages {
                memory,
                free: Mutex::new((0..ENTRIES).rev().collect()),
            }),
        })
    }

    /// Enters a claim; `None` when the ledger is full.
    pub(super) fn enter(&self, key: Key) -> Option<Entry> {
        let number = lock(&self.pages.free).pop()?;
        let entry = Entry {
            pages: Arc::clone(&self.pages),
            number,
        };
        entry.word(1).store(0, Ordering::Relaxed);
        entry
            .word(0)
            .store(key.0.cast_unsigned(), Ordering::Release);
        Some(entry)
    }

    /// How many more claims fit.
    pub(super) fn room(&self) -> usize {
        lock(&self.pages.free).len()
    }
}

impl Entry {
    /// Notes that the job's function begins now.
    pub(super) fn start(&self, now: Millis) {
        self.word(1)
            .store(now.0.max(1).cast_unsigned(), Ordering::Release);
    }

    fn word(&self, number: usize) -> &std::sync::atomic::AtomicU64 {
        self.pages.memory.word64(self.number * 2 + number)
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.word(0).store(0, Ordering::Release);
        lock(&self.pages.free).push(self.number);
    }
}

/// What a dead worker had started, or `None` if its ledger is gone: then nobody knows.
pub(super) fn started(database: Option<&Path>, worker: WorkerId) -> Option<HashSet<Key>> {
    let mut bytes = Vec::with_capacity(BYTES);
    let mut file = File::open(path(database?, worker)).ok()?;
    file.read_to_end(&mut bytes).ok()?;
    let word = |chunk: &[u8]| chunk.try_into().map_or(0, u64::from_ne_bytes);
    let entries = bytes.chunks_exact(16);
    Some(
        entries
            .filter(|entry| word(&entry[8..]) != 0)
            .map(|entry| Key(word(&entry[..8]).cast_signed()))
            .collect(),
    )
}

/// Removes the ledger of a worker that is gone.
pub(super) fn remove(database: Option<&Path>, worker: WorkerId) {
    if let Some(database) = database {
        // If it stays it is only litter: worker numbers are never used again.
        std::fs::remove_file(path(database, worker)).ok();
    }
}

fn path(database: &Path, worker: WorkerId) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push(format!("-worker-{}", worker.0));
    name.into()
}

fn lock(free: &Mutex<Vec<usize>>) -> std::sync::MutexGuard<'_, Vec<usize>> {
    free.lock().unwrap_or_else(PoisonError::into_inner)
}
