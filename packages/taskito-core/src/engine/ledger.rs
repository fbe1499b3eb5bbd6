//! What a worker holds and what it has started, in a mapped file that survives its death.
//!
//! A reaper reads it to tell a job that was running from one that had only been claimed: the
//! latter goes back without a mark. Others read when its attempts will be over their time, and
//! see to that should it be stuck. One entry is four words: the key, the fence, when it started
//! and when its time is over, both on the clock of the machine that never steps.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::clock::{Clock, Millis};
use crate::id::Key;
use crate::job::{Fence, Token, WorkerId};
use crate::os::{self, SharedMemory};

/// Claims a worker can hold beside one for each of its runners.
const SPARE: usize = 1024;
/// And the most of all, however many runners it may have.
const MOST: usize = 1 << 17;

const WORDS: usize = 4;
const ENTRY_BYTES: usize = WORDS * 8;

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
    /// The empty ledger of a worker with so many runners.
    pub(super) fn open(
        database: Option<&Path>,
        worker: WorkerId,
        runners: usize,
    ) -> io::Result<Self> {
        let entries = runners.saturating_add(SPARE).min(MOST);
        let bytes = entries * ENTRY_BYTES;
        let memory = match database {
            Some(database) => {
                let file = os::open_side_file(&path(database, worker), 0)?;
                // After power loss the number may be that of an earlier worker.
                file.set_len(0)?;
                file.set_len(bytes as u64)?;
                SharedMemory::of_file(&file, bytes)?
            }
            None => SharedMemory::private(bytes)?,
        };
        Ok(Self {
            pages: Arc::new(Pages {
                memory,
                free: Mutex::new((0..entries).rev().collect()),
            }),
        })
    }

    /// Enters a claim; `None` when the ledger is full.
    pub(super) fn enter(&self, token: Token) -> Option<Entry> {
        let number = lock(&self.pages.free).pop()?;
        let entry = Entry {
            pages: Arc::clone(&self.pages),
            number,
        };
        entry.word(2).store(0, Ordering::Relaxed);
        entry.word(3).store(0, Ordering::Relaxed);
        let fence = token.fence.0.cast_unsigned();
        entry.word(1).store(fence, Ordering::Relaxed);
        let key = token.key.0.cast_unsigned();
        entry.word(0).store(key, Ordering::Release);
        Some(entry)
    }

    /// How many more claims fit.
    pub(super) fn room(&self) -> usize {
        lock(&self.pages.free).len()
    }
}

impl Entry {
    /// Notes that the job's function begins now, and how long it may run.
    pub(super) fn start(&self, now: u64, limit: Option<Duration>) {
        let millis = |limit: Duration| u64::try_from(limit.as_millis()).unwrap_or(u64::MAX);
        let end = limit.map_or(0, |limit| now.saturating_add(millis(limit)));
        self.word(3).store(end, Ordering::Relaxed);
        self.word(2).store(now.max(1), Ordering::Release);
    }

    fn word(&self, number: usize) -> &AtomicU64 {
        self.pages.memory.word64(self.number * WORDS + number)
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.word(0).store(0, Ordering::Release);
        lock(&self.pages.free).push(self.number);
    }
}

/// The claims that a worker had started and when, by the clock of the machine, or `None` if its ledger is gone: then nobody knows.
/// A job may be there twice, as the claim that has just ended stays until after the commit that
/// brings the next one.
pub(super) fn started(
    database: Option<&Path>,
    worker: WorkerId,
) -> Option<HashMap<(Key, Fence), u64>> {
    let entries = read(database?, worker).ok()?;
    let started = entries
        .into_iter()
        .filter(|[key, _, start, _]| *key != 0 && *start != 0);
    Some(started.map(|entry| (claim(entry), entry[2])).collect())
}

/// The claims of a worker whose time was over at `now`, and when they started. One that begins or ends while this
/// reads may be missing, or be there although it has just ended.
pub(super) fn overdue(
    database: Option<&Path>,
    worker: WorkerId,
    now: u64,
) -> HashMap<(Key, Fence), u64> {
    let entries = database.and_then(|database| read(database, worker).ok());
    entries
        .into_iter()
        .flatten()
        .filter(|[key, _, _, end]| *key != 0 && *end != 0 && *end <= now)
        .map(|entry| (claim(entry), entry[2]))
        .collect()
}

/// When something started, by the wall clock that stands at `now`.
pub(super) fn on_the_wall(clock: &dyn Clock, now: Millis, start: u64) -> Millis {
    now.minus(Duration::from_millis(
        clock.instant_millis().saturating_sub(start),
    ))
}

/// The claim that an entry is about.
fn claim([key, fence, ..]: [u64; WORDS]) -> (Key, Fence) {
    (Key(key.cast_signed()), Fence(fence.cast_signed()))
}

fn read(database: &Path, worker: WorkerId) -> io::Result<Vec<[u64; WORDS]>> {
    let mut bytes = Vec::new();
    File::open(path(database, worker))?.read_to_end(&mut bytes)?;
    let word = |entry: &[u8], number: usize| {
        let word = entry[number * 8..].first_chunk();
        word.map_or(0, |bytes| u64::from_ne_bytes(*bytes))
    };
    let entries = bytes.chunks_exact(ENTRY_BYTES);
    Ok(entries
        .map(|entry| std::array::from_fn(|number| word(entry, number)))
        .collect())
}

/// Removes the ledger of a worker that is gone.
pub(super) fn remove(database: Option<&Path>, worker: WorkerId) {
    if let Some(database) = database {
        // If it stays it is only litter: whoever gets the number again begins anew.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::xorshift;
    use crate::job::{LaneId, Spot};

    /// A directory of its own for one test, removed at the end.
    struct Scratch(PathBuf);

    impl Scratch {
        fn new(name: &str) -> io::Result<Self> {
            let name = format!("taskito-ledger-{name}-{}", std::process::id());
            let place = std::env::temp_dir().join(name);
            std::fs::create_dir_all(&place)?;
            Ok(Self(place))
        }

        fn database(&self) -> PathBuf {
            self.0.join("jobs.db")
        }
    }

    impl Drop for Scratch {
        fn drop(&mut self) {
            std::fs::remove_dir_all(&self.0).ok();
        }
    }

    fn token(key: i64) -> Token {
        Token {
            key: Key(key),
            fence: Fence(1),
            spot: Spot::of(LaneId(1)),
        }
    }

    /// A power loss may take the newest worker's number back and leave its ledger.
    #[test]
    fn a_ledger_begins_empty_also_where_one_was_left() -> io::Result<()> {
        let scratch = Scratch::new("left")?;
        let database = scratch.database();
        let worker = WorkerId(1);
        let left = Ledger::open(Some(&database), worker, 1)?;
        let entry = left.enter(token(7)).ok_or(io::ErrorKind::Other)?;
        entry.start(1, Some(Duration::from_millis(1)));
        std::mem::forget(entry); // as a killed process leaves it
        assert_eq!(
            started(Some(&database), worker),
            Some([((Key(7), Fence(1)), 1)].into())
        );
        assert_eq!(overdue(Some(&database), worker, 9).len(), 1);

        let _ledger = Ledger::open(Some(&database), worker, 1)?;
        assert_eq!(started(Some(&database), worker), Some(HashMap::new()));
        assert!(overdue(Some(&database), worker, 9).is_empty());
        Ok(())
    }

    #[test]
    fn any_bytes_are_read_as_some_ledger() -> io::Result<()> {
        let scratch = Scratch::new("bytes")?;
        let database = scratch.database();
        let worker = WorkerId(2);
        let mut state = 0x5eed;
        for length in (0..2000).chain([0, 1, 31, 32, 33, 4096]) {
            let mut bytes = Vec::with_capacity(length);
            while bytes.len() < length {
                state = xorshift(state);
                let byte = state.to_le_bytes()[0];
                // Much of a real one is zero, and much of a damaged one is not.
                bytes.push(if byte < 96 { 0 } else { byte });
            }
            std::fs::write(path(&database, worker), &bytes)?;
            let entries = length / ENTRY_BYTES;
            assert!(started(Some(&database), worker).is_some_and(|keys| keys.len() <= entries));
            assert!(overdue(Some(&database), worker, u64::MAX).len() <= entries);
        }
        Ok(())
    }
}
