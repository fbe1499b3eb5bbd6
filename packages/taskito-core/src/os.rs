//! What the kernel lends us: waiting on a word across processes, locks that fall with their
//! process, shared memory, news of an end. Long because all our system calls are here.
#![expect(
    unsafe_code,
    reason = "system calls; each block states why it is sound"
)]

mod memory;
mod names;
mod network;
mod own_file;

use std::fs::{File, OpenOptions};
use std::hash::{BuildHasher, RandomState};
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::ptr::NonNull;
#[cfg(not(target_os = "linux"))]
use std::sync::atomic::Ordering;
use std::sync::atomic::{AtomicU32, AtomicU64};
use std::time::Duration;

pub use memory::resident_bytes;
pub use names::flush_names;
pub use network::network_file_system;
pub use own_file::OwnFile;

/// How a wait ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waited {
    /// Somebody changed the word, or might have.
    Woken,
    /// The time was over first.
    TimedOut,
    /// A signal arrived.
    Interrupted,
}

/// Sleeps in the kernel while `word` is `expected`. The word may lie in memory that several
/// processes share.
#[cfg(target_os = "linux")]
pub fn wait_on(word: &AtomicU32, expected: u32, limit: Duration) -> Waited {
    let limit = libc::timespec {
        tv_sec: libc::time_t::try_from(limit.as_secs()).unwrap_or(libc::time_t::MAX),
        tv_nsec: libc::c_long::from(limit.subsec_nanos().cast_signed()),
    };
    // SAFETY: the address is that of a live atomic, and `limit` outlives the call.
    let answer = unsafe {
        libc::syscall(
            libc::SYS_futex,
            word.as_ptr(),
            libc::FUTEX_WAIT,
            expected,
            &raw const limit,
        )
    };
    if answer == 0 {
        return Waited::Woken;
    }
    match io::Error::last_os_error().raw_os_error() {
        Some(libc::ETIMEDOUT) => Waited::TimedOut,
        Some(libc::EINTR) => Waited::Interrupted,
        _ => Waited::Woken,
    }
}

/// Wakes every sleeper of [`wait_on`].
#[cfg(target_os = "linux")]
pub fn wake_all(word: &AtomicU32) {
    // SAFETY: the address is that of a live atomic; the call does not write to it.
    unsafe {
        libc::syscall(libc::SYS_futex, word.as_ptr(), libc::FUTEX_WAKE, i32::MAX);
    }
}

/// Without a futex: looks at the word every two milliseconds.
#[cfg(not(target_os = "linux"))]
pub fn wait_on(word: &AtomicU32, expected: u32, limit: Duration) -> Waited {
    let end = std::time::Instant::now() + limit;
    while word.load(Ordering::SeqCst) == expected {
        let rest = end.saturating_duration_since(std::time::Instant::now());
        if rest.is_zero() {
            return Waited::TimedOut;
        }
        std::thread::sleep(rest.min(Duration::from_millis(2)));
    }
    Waited::Woken
}

/// The sleepers of [`wait_on`] look by themselves here.
#[cfg(not(target_os = "linux"))]
pub fn wake_all(_word: &AtomicU32) {}

/// The low part of [`monotonic_millis`]; it starts anew every 49 days.
#[must_use]
pub fn uptime_millis() -> u32 {
    u32::try_from(monotonic_millis() & 0xffff_ffff).unwrap_or_default()
}

/// Milliseconds on a clock that never steps and that all processes of the machine share. It
/// stands still while the machine sleeps.
#[must_use]
pub fn monotonic_millis() -> u64 {
    clock_millis(libc::CLOCK_MONOTONIC).unsigned_abs()
}

/// Milliseconds since the machine started, the time it slept included.
#[must_use]
pub fn boot_millis() -> i64 {
    #[cfg(target_os = "linux")]
    {
        clock_millis(libc::CLOCK_BOOTTIME)
    }
    #[cfg(not(target_os = "linux"))]
    {
        clock_millis(libc::CLOCK_MONOTONIC)
    }
}

fn clock_millis(clock: libc::clockid_t) -> i64 {
    let mut now = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: the kernel writes the time into `now`; these clocks exist everywhere they are
    // asked for.
    unsafe {
        libc::clock_gettime(clock, &raw mut now);
    }
    now.tv_sec * 1000 + now.tv_nsec / 1_000_000
}

/// Tells the present run of the machine from others; empty where that cannot be known.
#[must_use]
pub fn boot_id() -> String {
    let id = std::fs::read_to_string("/proc/sys/kernel/random/boot_id");
    id.map(|id| id.trim().to_owned()).unwrap_or_default()
}

/// Memory that every process which maps the same file shares; or our own, without a file.
pub struct SharedMemory {
    start: NonNull<u64>,
    length: usize,
}

// SAFETY: the memory is only handed out as atomics.
unsafe impl Send for SharedMemory {}
// SAFETY: as above.
unsafe impl Sync for SharedMemory {}

impl SharedMemory {
    /// Maps the first `length` bytes of `file`, which must be at least that long.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn of_file(file: &File, length: usize) -> io::Result<Self> {
        Self::map(length, libc::MAP_SHARED, file.as_raw_fd())
    }

    /// Memory of this process alone.
    ///
    /// # Errors
    /// What the operating system says.
    pub fn private(length: usize) -> io::Result<Self> {
        Self::map(length, libc::MAP_SHARED | libc::MAP_ANONYMOUS, -1)
    }

    fn map(length: usize, flags: i32, fd: RawFd) -> io::Result<Self> {
        // SAFETY: a fresh mapping at an address the kernel chooses touches nothing of ours.
        let start = unsafe {
            libc::mmap(
                std::ptr::null_mut(),
                length,
                libc::PROT_READ | libc::PROT_WRITE,
                flags,
                fd,
                0,
            )
        };
        if start == libc::MAP_FAILED {
            return Err(io::Error::last_os_error());
        }
        let start = NonNull::new(start.cast()).ok_or_else(io::Error::last_os_error)?;
        Ok(Self { start, length })
    }

    /// The 32-bit word with that number.
    ///
    /// # Panics
    /// Beyond the end of the memory.
    #[must_use]
    pub fn word32(&self, index: usize) -> &AtomicU32 {
        assert!((index + 1) * 4 <= self.length, "word {index} out of range");
        // SAFETY: in range, aligned as the mapping is page-aligned, alive as long as `self`.
        unsafe { AtomicU32::from_ptr(self.start.as_ptr().cast::<u32>().add(index)) }
    }

    /// The 64-bit word with that number.
    ///
    /// # Panics
    /// Beyond the end of the memory.
    #[must_use]
    pub fn word64(&self, index: usize) -> &AtomicU64 {
        assert!((index + 1) * 8 <= self.length, "word {index} out of range");
        // SAFETY: as in `word32`.
        unsafe { AtomicU64::from_ptr(self.start.as_ptr().add(index)) }
    }
}

impl Drop for SharedMemory {
    fn drop(&mut self) {
        // SAFETY: our own mapping, unmapped once.
        unsafe {
            libc::munmap(self.start.as_ptr().cast(), self.length);
        }
    }
}

/// Opens a side file for reading and writing, made if missing, for its owner alone.
///
/// # Errors
/// What the operating system says.
pub fn open_side_file(path: &Path, length: u64) -> io::Result<File> {
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path)?;
    if file.metadata()?.len() < length {
        file.set_len(length)?;
    }
    Ok(file)
}

/// Takes the whole-file lock if it is free. It belongs to the open file.
///
/// # Errors
/// What the operating system says.
pub fn try_lock_file(file: &File) -> io::Result<bool> {
    // SAFETY: a call on a descriptor that `file` keeps open.
    if unsafe { libc::flock(file.as_raw_fd(), libc::LOCK_EX | libc::LOCK_NB) } == 0 {
        return Ok(true);
    }
    let error = io::Error::last_os_error();
    match error.raw_os_error() {
        Some(libc::EWOULDBLOCK | libc::EINTR) => Ok(false),
        _ => Err(error),
    }
}

/// Gives the whole-file lock back.
pub fn unlock_file(file: &File) {
    // SAFETY: as above. Unlocking an open descriptor cannot fail.
    unsafe {
        libc::flock(file.as_raw_fd(), libc::LOCK_UN);
    }
}

fn byte_lock(kind: libc::c_int, byte: i64) -> libc::flock {
    // SAFETY: all-zero is a valid `flock`.
    let mut lock: libc::flock = unsafe { std::mem::zeroed() };
    lock.l_type = libc::c_short::try_from(kind).unwrap_or_default();
    lock.l_whence = libc::c_short::try_from(libc::SEEK_SET).unwrap_or_default();
    lock.l_start = byte;
    lock.l_len = 1;
    lock
}

/// Locks one byte for this *process*: the lock falls when the process ends, however it ends,
/// and no child inherits it. It also falls when the process closes any descriptor of the file.
///
/// # Errors
/// What the operating system says, also when another process holds the byte.
pub fn lock_byte(file: &File, byte: i64) -> io::Result<()> {
    set_byte(file, libc::F_WRLCK, byte)
}

/// Gives one byte back.
///
/// # Errors
/// What the operating system says.
pub fn unlock_byte(file: &File, byte: i64) -> io::Result<()> {
    set_byte(file, libc::F_UNLCK, byte)
}

fn set_byte(file: &File, kind: libc::c_int, byte: i64) -> io::Result<()> {
    let lock = byte_lock(kind, byte);
    // SAFETY: `lock` outlives the call and `file` keeps the descriptor open.
    if unsafe { libc::fcntl(file.as_raw_fd(), libc::F_SETLK, &raw const lock) } == -1 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

/// Whether another process holds a byte. Locks of this process do not count.
///
/// # Errors
/// What the operating system says.
pub fn is_byte_locked(file: &File, byte: i64) -> io::Result<bool> {
    let mut lock = byte_lock(libc::F_WRLCK, byte);
    // SAFETY: as above; the kernel writes the answer into `lock`.
    if unsafe { libc::fcntl(file.as_raw_fd(), libc::F_GETLK, &raw mut lock) } == -1 {
        return Err(io::Error::last_os_error());
    }
    Ok(libc::c_int::from(lock.l_type) != libc::F_UNLCK)
}

/// A descriptor that becomes readable when the process ends; `None` where there is no such
/// thing, or no such process.
#[must_use]
pub fn watch_process(pid: u32) -> Option<OwnedFd> {
    #[cfg(target_os = "linux")]
    {
        // SAFETY: the call takes numbers; a non-negative answer is a fresh descriptor.
        let answer = unsafe { libc::syscall(libc::SYS_pidfd_open, pid, 0) };
        let fd = RawFd::try_from(answer).ok().filter(|fd| *fd >= 0)?;
        // SAFETY: nobody else owns it.
        Some(unsafe { OwnedFd::from_raw_fd(fd) })
    }
    #[cfg(not(target_os = "linux"))]
    {
        let _pid = pid;
        None
    }
}

/// Sleeps until one of the descriptors is readable. One that somebody else has closed never is.
#[must_use]
pub fn wait_readable(descriptors: &[RawFd], limit: Duration) -> Waited {
    let mut polled: Vec<libc::pollfd> = descriptors
        .iter()
        .map(|fd| libc::pollfd {
            fd: *fd,
            events: libc::POLLIN,
            revents: 0,
        })
        .collect();
    let millis = libc::c_int::try_from(limit.as_millis()).unwrap_or(libc::c_int::MAX);
    let count = libc::nfds_t::try_from(polled.len()).unwrap_or_default();
    // SAFETY: the array lives through the call and has `count` entries.
    match unsafe { libc::poll(polled.as_mut_ptr(), count, millis) } {
        0 => Waited::TimedOut,
        ready if ready > 0 => {
            if polled.iter().any(|one| one.revents & !libc::POLLNVAL != 0) {
                return Waited::Woken;
            }
            std::thread::sleep(limit);
            Waited::TimedOut
        }
        _ => Waited::Interrupted,
    }
}

/// Keeps signals away from the calling thread, so that Python's main thread gets them.
pub fn block_signals() {
    // SAFETY: the set is filled before it is used; the mask of this thread alone changes.
    unsafe {
        let mut all = std::mem::zeroed();
        libc::sigfillset(&raw mut all);
        libc::pthread_sigmask(libc::SIG_BLOCK, &raw const all, std::ptr::null_mut());
    }
}

/// The name of this machine.
#[must_use]
pub fn hostname() -> String {
    let mut name = [0_u8; 256];
    // SAFETY: the buffer is as long as stated; the last byte stays zero.
    unsafe {
        libc::gethostname(name.as_mut_ptr().cast(), name.len() - 1);
    }
    let end = name.iter().position(|byte| *byte == 0).unwrap_or(0);
    String::from_utf8_lossy(&name[..end]).into_owned()
}

/// A random number: the standard library keys its hash maps with the system's randomness.
#[must_use]
pub fn random() -> u64 {
    RandomState::new().hash_one(std::process::id())
}
