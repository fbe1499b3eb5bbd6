//! The frames that a commit appends to the log go to the file in one write.
//!
//! `SQLite` writes each page of a commit on its own, and before each the 24 bytes of its frame:
//! six writes for a job that is enqueued alone. They lie side by side, so they are gathered here
//! until the frame that ends the commit, which says so in its header. Nobody looks for them
//! before: the index of the log, by which all find them, is written afterwards.
//!
//! A file that grows is flushed with its new length, which takes the device as long again as the
//! data. So a log that a commit makes longer gets zeros behind that commit in the same write, and the
//! next ones write where the file has room already. Zeros are no frame: whoever reads the log after
//! a crash stops there, as at frames of an earlier log.
//!
//! Only commits write frames, see `cache_spill` in connection.rs: a transaction too large for the
//! cache would leave some of them gathered when it is undone.
#![expect(
    unsafe_code,
    reason = "calls of the C library that SQLite makes through a table of its own"
)]

use std::cell::RefCell;
use std::ffi::{c_int, c_void};
use std::fs::File;
use std::mem::ManuallyDrop;
use std::os::fd::FromRawFd;
use std::os::unix::fs::FileExt;
use std::sync::Once;

use rusqlite::ffi;

use crate::fork;

/// How long the header of a frame is: the page follows.
const HEADER: usize = 24;
/// How much of the log a page takes, with its header.
const FRAME: u64 = 24 + 4096;
/// More than that is written in several parts.
const GATHERED: usize = 256 * 1024;
/// How many zeros a log gets that has to grow.
const ROOM: usize = 256 * 1024;

thread_local! {
    static FRAMES: RefCell<Frames> = const { RefCell::new(Frames::NONE) };
}

/// Frames of the commit that this thread is writing.
struct Frames {
    file: c_int,
    at: u64,
    bytes: Vec<u8>,
    /// Whether the last of them ends the commit.
    ends: bool,
    /// How long the log has become.
    length: u64,
    /// How long a file was that had to grow, and which.
    room: (c_int, u64),
}

/// Replaces the calls through which our `SQLite` writes files.
pub(super) fn install() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(replace);
}

/// Forgets what earlier commits of this thread wrote.
pub(super) fn begin() {
    FRAMES
        .try_with(|frames| frames.borrow_mut().length = 0)
        .ok();
}

/// How many pages the log has after the last commit of this thread; 0 if that wrote none.
pub(super) fn pages() -> u64 {
    FRAMES
        .try_with(|frames| frames.borrow().length / FRAME)
        .unwrap_or(0)
}

fn replace() {
    type Any = unsafe extern "C" fn();
    type Write = unsafe extern "C" fn(c_int, *const c_void, usize, libc::off_t) -> isize;
    // SAFETY: `SQLite` calls either name with these four arguments.
    unsafe {
        let vfs = ffi::sqlite3_vfs_find(c"unix".as_ptr());
        let Some(set) = vfs.as_ref().and_then(|vfs| vfs.xSetSystemCall) else {
            return;
        };
        let write = std::mem::transmute::<Write, Any>(write);
        for name in [c"pwrite", c"pwrite64"] {
            set(vfs, name.as_ptr(), Some(write));
        }
    }
}

/// As `pwrite`; what is gathered counts as written, and fails with the end of the commit.
unsafe extern "C" fn write(
    file: c_int,
    bytes: *const c_void,
    length: usize,
    at: libc::off_t,
) -> isize {
    // SAFETY: so many bytes are the caller's to write.
    let piece = unsafe { std::slice::from_raw_parts(bytes.cast::<u8>(), length) };
    let take = |frames: &RefCell<Frames>| frames.borrow_mut().take(file, piece, at.cast_unsigned());
    // A thread that is ending gathers nothing any more.
    match FRAMES.try_with(take).unwrap_or(None) {
        Some(true) => length.cast_signed(),
        Some(false) => -1,
        // SAFETY: passed on as it came.
        None => unsafe { libc::pwrite(file, bytes, length, at) },
    }
}

impl Frames {
    const NONE: Self = Self {
        file: -1,
        at: 0,
        bytes: Vec::new(),
        ends: false,
        length: 0,
        room: (-1, 0),
    };

    /// Gathers a piece of a frame; whether that went well. `None` if it is none.
    fn take(&mut self, file: c_int, piece: &[u8], at: u64) -> Option<bool> {
        let goes_on = file == self.file && at == self.at + self.bytes.len() as u64;
        if self.bytes.is_empty() {
            if piece.len() != HEADER || !fork::is_log(file) {
                return None;
            }
            (self.file, self.at) = (file, at);
        } else if !goes_on {
            // Not known to happen: whatever SQLite has in mind, it finds what it has written.
            return if self.write() { None } else { Some(false) };
        }
        self.bytes.extend_from_slice(piece);
        if piece.len() == HEADER {
            // The size of the database after the commit, or nothing.
            self.ends = piece[4..8] != [0; 4];
            return Some(true);
        }
        let is_due = self.ends || self.bytes.len() >= GATHERED;
        Some(!is_due || self.write())
    }

    /// Writes what is gathered; whether that went well. On failure the reason is in `errno`.
    fn write(&mut self) -> bool {
        // SAFETY: the descriptor is SQLite's, which is in the midst of writing to it.
        let file = ManuallyDrop::new(unsafe { File::from_raw_fd(self.file) });
        let frames = self.bytes.len();
        self.length = self.at + frames as u64;
        let room = if self.ends && !self.has_room(&file) {
            ROOM
        } else {
            0
        };
        self.bytes.resize(frames + room, 0);
        let mut written = file.write_all_at(&self.bytes, self.at);
        if written.is_err() && room > 0 {
            // A disk that is too full for zeros may take the frames.
            written = file.write_all_at(&self.bytes[..frames], self.at);
        }
        self.bytes.clear();
        written.is_ok()
    }

    /// Whether the file is as long as the log has become. What was seen once is believed: if others
    /// have shortened it, the next flushes are slow and nothing else.
    fn has_room(&mut self, file: &File) -> bool {
        if self.room.0 != self.file || self.room.1 < self.length {
            let length = file.metadata().map_or(0, |facts| facts.len());
            self.room = (self.file, length.max(self.length));
            if length < self.length {
                self.room.1 += ROOM as u64;
                return false;
            }
        }
        true
    }
}
