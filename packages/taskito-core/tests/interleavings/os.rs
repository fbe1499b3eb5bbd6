//! The kernel and the device, in place of `src/os.rs`: a futex, a lock on a file, memory that
//! processes share, a log that is flushed. What an execution leaves behind goes with it.

use std::collections::HashMap;
use std::io;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use shuttle::lazy_static;
use shuttle::thread;

use crate::sync::{AtomicBool, AtomicU32, Condvar, Mutex};

pub(crate) use taskito_core::os::Waited;

/// Nobody sleeps for that long in good faith that somebody wakes them: time is to pass.
const PAUSE: Duration = Duration::from_millis(1);

/// The words of the page that hold bells.
const WORDS: usize = 96;

lazy_static! {
    static ref KERNEL: Kernel = Kernel::default();
    static ref LOG: Log = Log::default();
}

#[derive(Default)]
struct Kernel {
    /// How often the sleepers on each word were woken, by its address.
    wakes: Mutex<HashMap<usize, u64>>,
    woken: Condvar,
    files: Mutex<HashMap<PathBuf, Arc<Inode>>>,
    handles: AtomicU32,
    millis: AtomicU32,
}

// ---- the futex ---------------------------------------------------------------------------

/// Sleeps while the word is as expected, for ever if nobody wakes.
pub(crate) fn wait_on(word: &AtomicU32, expected: u32, limit: Duration) -> Waited {
    if limit <= PAUSE {
        thread::yield_now();
        return Waited::TimedOut;
    }
    let address = std::ptr::from_ref(word) as usize;
    let mut wakes = KERNEL.wakes.lock().unwrap();
    if word.load(Ordering::SeqCst) != expected {
        return Waited::Woken;
    }
    let before = wakes.get(&address).copied();
    while wakes.get(&address).copied() == before {
        wakes = KERNEL.woken.wait(wakes).unwrap();
    }
    Waited::Woken
}

/// Wakes all who sleep on the word.
pub(crate) fn wake_all(word: &AtomicU32) {
    let address = std::ptr::from_ref(word) as usize;
    *KERNEL.wakes.lock().unwrap().entry(address).or_default() += 1;
    KERNEL.woken.notify_all();
}

/// Nobody looks at it here.
pub(crate) fn resident_bytes() -> Option<u64> {
    None
}

// ---- time and chance ---------------------------------------------------------------------

pub(crate) fn uptime_millis() -> u32 {
    KERNEL.millis.load(Ordering::SeqCst)
}

/// Lets time pass for those who look at it.
pub(crate) fn pass(millis: u32) {
    KERNEL.millis.fetch_add(millis, Ordering::SeqCst);
}

/// Never the same.
pub(crate) fn random() -> u64 {
    u64::from(KERNEL.handles.fetch_add(1, Ordering::SeqCst) + 1) << 33
}

// ---- files -------------------------------------------------------------------------------

/// A file, whoever has it open.
struct Inode {
    words: Vec<AtomicU32>,
    word64: AtomicU64,
    locked: AtomicBool,
}

/// An open file.
pub(crate) struct File(Arc<Inode>);

pub(crate) fn open_side_file(path: &Path, _length: u64) -> io::Result<File> {
    let mut files = KERNEL.files.lock().unwrap();
    let inode = files.entry(path.into()).or_insert_with(|| {
        Arc::new(Inode {
            words: (0..WORDS).map(|_| AtomicU32::new(0)).collect(),
            word64: AtomicU64::new(0),
            locked: AtomicBool::new(false),
        })
    });
    Ok(File(Arc::clone(inode)))
}

pub(crate) fn try_lock_file(file: &File) -> io::Result<bool> {
    Ok(!file.0.locked.swap(true, Ordering::SeqCst))
}

pub(crate) fn unlock_file(file: &File) {
    file.0.locked.store(false, Ordering::SeqCst);
}

pub(crate) struct SharedMemory(Arc<Inode>);

impl SharedMemory {
    pub(crate) fn of_file(file: &File, _length: usize) -> io::Result<Self> {
        Ok(Self(Arc::clone(&file.0)))
    }

    pub(crate) fn private(length: usize) -> io::Result<Self> {
        let nameless = format!("{}", random());
        Self::of_file(&open_side_file(Path::new(&nameless), 0)?, length)
    }

    pub(crate) fn word32(&self, index: usize) -> &AtomicU32 {
        &self.0.words[index]
    }

    pub(crate) fn word64(&self, _index: usize) -> &AtomicU64 {
        &self.0.word64
    }
}

pub(crate) struct OwnFile(File);

impl OwnFile {
    pub(crate) fn new(file: File) -> Self {
        Self(file)
    }

    /// Opens the log, whatever it is called.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        open_side_file(path, 0).map(Self)
    }

    pub(crate) fn is_intact(&self) -> bool {
        true
    }

    pub(crate) fn sync_data(&self) -> io::Result<()> {
        LOG.flush()
    }
}

impl Deref for OwnFile {
    type Target = File;

    fn deref(&self) -> &File {
        &self.0
    }
}

// ---- the log -----------------------------------------------------------------------------

/// What commits write, and how much of it power loss cannot take.
#[derive(Default)]
pub(crate) struct Log {
    written: Mutex<i64>,
    flushed: Mutex<i64>,
    /// How many flushes fail before one does not.
    failing: AtomicU32,
}

pub(crate) fn log() -> &'static Log {
    &LOG
}

impl Log {
    pub(crate) fn end(&self) -> i64 {
        *self.written.lock().unwrap()
    }

    pub(crate) fn write(&self, end: i64) {
        *self.written.lock().unwrap() = end;
    }

    /// Up to where the log survives.
    pub(crate) fn flushed(&self) -> i64 {
        *self.flushed.lock().unwrap()
    }

    /// Lets so many flushes fail.
    pub(crate) fn fail(&self, times: u32) {
        self.failing.store(times, Ordering::SeqCst);
    }

    /// Keeps what was written when it began, at least.
    fn flush(&self) -> io::Result<()> {
        let covered = self.end();
        thread::yield_now();
        let failing = self.failing.load(Ordering::SeqCst);
        if failing > 0 {
            self.failing.store(failing - 1, Ordering::SeqCst);
            return Err(io::Error::other("the device is gone"));
        }
        let mut flushed = self.flushed.lock().unwrap();
        *flushed = covered.max(*flushed);
        Ok(())
    }
}
