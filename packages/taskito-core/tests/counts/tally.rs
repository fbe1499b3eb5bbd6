//! What this thread made `SQLite` and the kernel do. The calls of the C library are replaced for the
//! whole test program, and every connection tells which statements it ran.
#![expect(
    unsafe_code,
    reason = "functions of the C library and of SQLite; each passes on what it was given"
)]

use std::cell::Cell;

use libc::{c_char, c_int, c_uint, c_void, off_t, size_t, ssize_t};
use rusqlite::auto_extension::register_auto_extension;
use rusqlite::ffi;

thread_local! {
    static TALLY: Cell<Tally> = const { Cell::new(Tally::NOTHING) };
}

/// How often something happened on this thread.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tally {
    /// Statements that ran to their end, `BEGIN` and `COMMIT` among them.
    pub(crate) statements: u64,
    /// Steps of `SQLite`'s virtual machine in them.
    pub(crate) steps: u64,
    /// Bytes written to files.
    pub(crate) bytes: u64,
    /// Calls that wrote them.
    pub(crate) writes: u64,
    /// Flushes to the device.
    pub(crate) flushes: u64,
}

impl Tally {
    const NOTHING: Self = Self {
        statements: 0,
        steps: 0,
        bytes: 0,
        writes: 0,
        flushes: 0,
    };
}

/// Lets every connection that is opened from now on report. Idempotent.
pub(crate) fn listen() {
    // SAFETY: `watch` opens and closes no database and registers no extension.
    unsafe { register_auto_extension(watch) }.expect("an extension");
}

/// What `work` made this thread do.
pub(crate) fn during(work: impl FnOnce()) -> Tally {
    TALLY.set(Tally::NOTHING);
    work();
    TALLY.get()
}

fn count(change: impl FnOnce(&mut Tally)) {
    let mut tally = TALLY.get();
    change(&mut tally);
    TALLY.set(tally);
}

unsafe extern "C" fn watch(
    connection: *mut ffi::sqlite3,
    _error: *mut *mut c_char,
    _routines: *const ffi::sqlite3_api_routines,
) -> c_int {
    let mask = ffi::SQLITE_TRACE_PROFILE as c_uint;
    // SAFETY: the connection has just been opened; the callback needs no context.
    unsafe { ffi::sqlite3_trace_v2(connection, mask, Some(ended), std::ptr::null_mut()) }
}

unsafe extern "C" fn ended(
    _event: c_uint,
    _context: *mut c_void,
    statement: *mut c_void,
    _nanoseconds: *mut c_void,
) -> c_int {
    // SAFETY: of this event the argument is the statement; its counter begins anew.
    let steps =
        unsafe { ffi::sqlite3_stmt_status(statement.cast(), ffi::SQLITE_STMTSTATUS_VM_STEP, 1) };
    count(|tally| {
        tally.statements += 1;
        tally.steps += u64::try_from(steps).unwrap_or(0);
    });
    0
}

#[unsafe(no_mangle)]
unsafe extern "C" fn pwrite(fd: c_int, bytes: *const c_void, length: size_t, at: off_t) -> ssize_t {
    // SAFETY: passed on as it came.
    let written = unsafe { libc::syscall(libc::SYS_pwrite64, fd, bytes, length, at) };
    count(|tally| {
        tally.writes += 1;
        tally.bytes += u64::try_from(written).unwrap_or(0);
    });
    ssize_t::try_from(written).unwrap_or(-1)
}

#[unsafe(no_mangle)]
unsafe extern "C" fn pwrite64(
    fd: c_int,
    bytes: *const c_void,
    length: size_t,
    at: off_t,
) -> ssize_t {
    // SAFETY: the same call under another name.
    unsafe { pwrite(fd, bytes, length, at) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn fdatasync(_fd: c_int) -> c_int {
    // Nobody cuts the power here: counted, and not carried out.
    count(|tally| tally.flushes += 1);
    0
}

#[unsafe(no_mangle)]
unsafe extern "C" fn fsync(fd: c_int) -> c_int {
    // SAFETY: the same for our purpose.
    unsafe { fdatasync(fd) }
}
