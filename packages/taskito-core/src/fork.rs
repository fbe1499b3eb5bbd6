//! Forking, and sharing a file with strangers in the same process.
//!
//! Two rules keep a database whole, and each alone is not enough:
//!
//! 1. Our copy of `SQLite` takes open-file-description locks. The usual record locks belong to
//!    the process: another copy (Python's `sqlite3`) that opens and closes the same file would
//!    make them vanish.
//! 2. Nothing of ours is open while the process forks. Every use of a store is a [`Use`]; a
//!    fork waits until there is none, closes the connections, and both sides open them again
//!    when they need them.
#![expect(
    unsafe_code,
    reason = "hooks of the C library and of SQLite, see each block"
)]

use std::cell::RefCell;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{
    Arc, Mutex, MutexGuard, Once, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard, Weak,
};

/// Held in shared mode by each use of a store, exclusively by a fork.
static USES: RwLock<()> = RwLock::new(());

/// What must be closed before a fork.
static CLOSABLE: Mutex<Vec<Weak<dyn CloseForFork>>> = Mutex::new(Vec::new());

/// How many forks lie between the first process and this one.
static GENERATION: AtomicU32 = AtomicU32::new(0);

thread_local! {
    /// What the forking thread holds until the fork is over.
    static HELD: RefCell<Option<Held>> = const { RefCell::new(None) };
}

type Closable = MutexGuard<'static, Vec<Weak<dyn CloseForFork>>>;
type Held = (RwLockWriteGuard<'static, ()>, Closable);

/// Something that holds files which must not be open while the process forks.
pub(crate) trait CloseForFork: Send + Sync {
    /// Closes them. Nobody uses them at this time; the next use opens them again.
    fn close_for_fork(&self);
}

/// Proof that no fork happens while it exists. Not to be nested: a waiting fork lets no new
/// one begin.
pub(crate) struct Use(#[expect(dead_code, reason = "held, not read")] RwLockReadGuard<'static, ()>);

/// Begins a use; waits while the process forks.
pub(crate) fn begin_use() -> Use {
    Use(USES.read().unwrap_or_else(PoisonError::into_inner))
}

/// Tells processes apart that descend from one another: it differs after a fork, in the child.
pub(crate) fn generation() -> u32 {
    GENERATION.load(Ordering::Relaxed)
}

/// Has `closable` closed before each fork from now on.
pub(crate) fn close_before_forks(closable: &Arc<dyn CloseForFork>) {
    install();
    let mut list = list();
    list.retain(|known| known.strong_count() > 0);
    list.push(Arc::downgrade(closable));
}

fn list() -> Closable {
    CLOSABLE.lock().unwrap_or_else(PoisonError::into_inner)
}

fn install() {
    static INSTALLED: Once = Once::new();
    INSTALLED.call_once(|| {
        // SAFETY: the three functions live as long as the process; they only run around forks.
        unsafe {
            libc::pthread_atfork(Some(before), Some(after_in_parent), Some(after_in_child));
        }
        #[cfg(target_os = "linux")]
        own_locks::install();
    });
}

unsafe extern "C" fn before() {
    let alone = USES.write().unwrap_or_else(PoisonError::into_inner);
    let list = list();
    for closable in list.iter().filter_map(Weak::upgrade) {
        closable.close_for_fork();
    }
    HELD.with_borrow_mut(|held| *held = Some((alone, list)));
}

unsafe extern "C" fn after_in_parent() {
    HELD.with_borrow_mut(|held| *held = None);
}

unsafe extern "C" fn after_in_child() {
    GENERATION.fetch_add(1, Ordering::Relaxed);
    HELD.with_borrow_mut(|held| *held = None);
}

/// Locks that no other library of the process can drop.
#[cfg(target_os = "linux")]
mod own_locks {
    use std::ffi::{c_int, c_void};

    use rusqlite::ffi;

    /// Replaces the call through which our `SQLite` takes its file locks.
    pub(super) fn install() {
        let call: unsafe extern "C" fn(c_int, c_int, *mut c_void) -> c_int = fcntl;
        // SAFETY: `SQLite` calls the function with three arguments of integer class. On Linux
        // they travel in the same registers whether or not the prototype is variadic.
        unsafe {
            let vfs = ffi::sqlite3_vfs_find(c"unix".as_ptr());
            if let Some(set) = vfs.as_ref().and_then(|vfs| vfs.xSetSystemCall) {
                let call: unsafe extern "C" fn() = std::mem::transmute(call);
                set(vfs, c"fcntl".as_ptr(), Some(call));
            }
        }
    }

    unsafe extern "C" fn fcntl(fd: c_int, command: c_int, argument: *mut c_void) -> c_int {
        let command = match command {
            libc::F_SETLK => libc::F_OFD_SETLK,
            libc::F_SETLKW => libc::F_OFD_SETLKW,
            libc::F_GETLK => libc::F_OFD_GETLK,
            other => return unsafe { libc::fcntl(fd, other, argument) },
        };
        // SAFETY: for these commands the argument is a `flock` that the caller owns. The kernel
        // wants no process in it.
        unsafe {
            (*argument.cast::<libc::flock>()).l_pid = 0;
            libc::fcntl(fd, command, argument)
        }
    }
}
