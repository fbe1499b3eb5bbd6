//! The calls of the C library through which this process changes files, replaced for the whole
//! test program: those of `SQLite` and those of the engine itself arrive here alike. What happens
//! below a watched directory is told to its [`Disk`].
//!
//! Flushes are noted and not carried out: no power is really cut here, and that makes a thousand
//! cuts affordable.
#![expect(
    unsafe_code,
    reason = "functions of the C library; each does what the call it replaces does"
)]

use std::collections::BTreeMap;
use std::ffi::{CStr, OsStr};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use libc::{c_char, c_int, c_void, mode_t, off_t, size_t, ssize_t};

use crate::disk::{Disk, FileId};

/// The disks that are watched.
static DISKS: Mutex<Vec<Arc<Disk>>> = Mutex::new(Vec::new());

/// What the open descriptors below watched directories stand for.
static OPEN: Mutex<BTreeMap<c_int, Open>> = Mutex::new(BTreeMap::new());

#[derive(Clone)]
struct Open {
    disk: Arc<Disk>,
    what: What,
}

#[derive(Clone)]
enum What {
    File(FileId),
    Directory(Box<Path>),
}

/// Tells `disk` from now on what happens below its root.
pub(crate) fn watch(disk: &Arc<Disk>) {
    lock(&DISKS).push(Arc::clone(disk));
}

/// No longer tells it, also not of files that are open.
pub(crate) fn forget(disk: &Arc<Disk>) {
    lock(&DISKS).retain(|known| !Arc::ptr_eq(known, disk));
    lock(&OPEN).retain(|_, open| !Arc::ptr_eq(&open.disk, disk));
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The path of a call and the disk it lies on.
///
/// Safety: `path` is a C string.
unsafe fn watched<'p>(path: *const c_char) -> Option<(Arc<Disk>, &'p Path)> {
    // SAFETY: as the caller says.
    let path = Path::new(OsStr::from_bytes(
        unsafe { CStr::from_ptr(path) }.to_bytes(),
    ));
    let disks = lock(&DISKS);
    let disk = disks.iter().find(|disk| path.starts_with(disk.root()))?;
    Some((Arc::clone(disk), path))
}

fn opened(fd: c_int) -> Option<Open> {
    lock(&OPEN).get(&fd).cloned()
}

fn opened_file(fd: c_int) -> Option<(Arc<Disk>, FileId)> {
    match opened(fd)? {
        Open {
            disk,
            what: What::File(file),
        } => Some((disk, file)),
        Open { .. } => None,
    }
}

fn small(answer: i64) -> c_int {
    c_int::try_from(answer).unwrap_or(-1)
}

fn sized(answer: i64) -> ssize_t {
    ssize_t::try_from(answer).unwrap_or(-1)
}

#[unsafe(no_mangle)]
unsafe extern "C" fn open(path: *const c_char, flags: c_int, mode: mode_t) -> c_int {
    // SAFETY: passed on as it came.
    let raw = || unsafe {
        small(libc::syscall(
            libc::SYS_openat,
            libc::AT_FDCWD,
            path,
            flags,
            mode,
        ))
    };
    // SAFETY: the path is the caller's.
    let Some((disk, name)) = (unsafe { watched(path) }) else {
        return raw();
    };
    let mut log = disk.log();
    let existed = name.exists();
    let fd = raw();
    if fd < 0 {
        return fd;
    }
    let what = if name.is_dir() {
        What::Directory(name.into())
    } else {
        What::File(log.open(name, existed, flags & libc::O_TRUNC != 0))
    };
    drop(log);
    lock(&OPEN).insert(fd, Open { disk, what });
    fd
}

#[unsafe(no_mangle)]
unsafe extern "C" fn open64(path: *const c_char, flags: c_int, mode: mode_t) -> c_int {
    // SAFETY: the same call under another name.
    unsafe { open(path, flags, mode) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn close(fd: c_int) -> c_int {
    lock(&OPEN).remove(&fd);
    // SAFETY: passed on as it came.
    unsafe { small(libc::syscall(libc::SYS_close, fd)) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn write(fd: c_int, bytes: *const c_void, length: size_t) -> ssize_t {
    // SAFETY: passed on as it came.
    let raw = || unsafe { sized(libc::syscall(libc::SYS_write, fd, bytes, length)) };
    let Some((disk, file)) = opened_file(fd) else {
        return raw();
    };
    let mut log = disk.log();
    // SAFETY: asks where an open descriptor stands.
    let at = unsafe { libc::lseek(fd, 0, libc::SEEK_CUR) };
    let written = raw();
    // SAFETY: so many of the caller's bytes have just been read.
    unsafe { log.write(file, at, slice(bytes, written)) };
    written
}

#[unsafe(no_mangle)]
unsafe extern "C" fn pwrite(fd: c_int, bytes: *const c_void, length: size_t, at: off_t) -> ssize_t {
    // SAFETY: passed on as it came.
    let raw = || unsafe { sized(libc::syscall(libc::SYS_pwrite64, fd, bytes, length, at)) };
    let Some((disk, file)) = opened_file(fd) else {
        return raw();
    };
    let mut log = disk.log();
    let written = raw();
    // SAFETY: so many of the caller's bytes have just been read.
    unsafe { log.write(file, at, slice(bytes, written)) };
    written
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

/// Safety: `bytes` points to at least that many, or `length` is not positive.
unsafe fn slice<'b>(bytes: *const c_void, length: ssize_t) -> &'b [u8] {
    match usize::try_from(length) {
        // SAFETY: as the caller says.
        Ok(length) if length > 0 => unsafe { std::slice::from_raw_parts(bytes.cast(), length) },
        _ => &[],
    }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn ftruncate(fd: c_int, length: off_t) -> c_int {
    // SAFETY: passed on as it came.
    let raw = || unsafe { small(libc::syscall(libc::SYS_ftruncate, fd, length)) };
    let Some((disk, file)) = opened_file(fd) else {
        return raw();
    };
    let mut log = disk.log();
    let answer = raw();
    if answer == 0 {
        log.resize(file, length);
    }
    answer
}

#[unsafe(no_mangle)]
unsafe extern "C" fn ftruncate64(fd: c_int, length: off_t) -> c_int {
    // SAFETY: the same call under another name.
    unsafe { ftruncate(fd, length) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn fsync(fd: c_int) -> c_int {
    if let Some(Open { disk, what }) = opened(fd) {
        match what {
            What::File(file) => disk.log().flush(file),
            What::Directory(path) => disk.log().flush_names(&path),
        }
    }
    0
}

#[unsafe(no_mangle)]
unsafe extern "C" fn fdatasync(fd: c_int) -> c_int {
    // SAFETY: the length of a file is data for both.
    unsafe { fsync(fd) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn mkdir(path: *const c_char, mode: mode_t) -> c_int {
    // SAFETY: passed on as it came.
    let raw = || unsafe { small(libc::syscall(libc::SYS_mkdirat, libc::AT_FDCWD, path, mode)) };
    // SAFETY: the path is the caller's.
    let Some((disk, name)) = (unsafe { watched(path) }) else {
        return raw();
    };
    let mut log = disk.log();
    let answer = raw();
    if answer == 0 {
        log.make_directory(name);
    }
    answer
}

#[unsafe(no_mangle)]
unsafe extern "C" fn unlink(path: *const c_char) -> c_int {
    // SAFETY: passed on as it came.
    let raw = || unsafe { small(libc::syscall(libc::SYS_unlinkat, libc::AT_FDCWD, path, 0)) };
    // SAFETY: the path is the caller's.
    let Some((disk, name)) = (unsafe { watched(path) }) else {
        return raw();
    };
    let mut log = disk.log();
    let answer = raw();
    if answer == 0 {
        log.remove(name);
    }
    answer
}

#[unsafe(no_mangle)]
unsafe extern "C" fn rename(from: *const c_char, to: *const c_char) -> c_int {
    // SAFETY: the paths are the caller's.
    let known = unsafe { watched(from).or_else(|| watched(to)) };
    if known.is_some() {
        // The engine renames nothing; should it begin to, the disk must learn it.
        std::process::abort();
    }
    let here = libc::AT_FDCWD;
    // SAFETY: passed on as it came.
    unsafe { small(libc::syscall(libc::SYS_renameat2, here, from, here, to, 0)) }
}
