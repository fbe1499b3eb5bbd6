//! Forking, and sharing a file with strangers in the same process.
//!
//! Three rules keep a database whole, and none alone is enough:
//!
//! 1. Our copy of `SQLite` takes open-file-description locks. The usual record locks belong to
//!    the process: another copy (Python's `sqlite3`) that opens and closes the same file would
//!    make them vanish. `SQLite` relies on the process all the same, and gives back through one
//!    descriptor what it took through another; so all locks of a file go through one of them.
//! 2. Our copy never closes a file it has locked while the file exists, because that would make
//!    the locks of the other copy vanish.
//! 3. Nothing of ours is open while the process forks. Every use of a store is a [`Use`]; a
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

/// Whether our `SQLite` opened a log there, as far as we see its files.
pub(crate) fn is_log(fd: std::ffi::c_int) -> bool {
    #[cfg(target_os = "linux")]
    return own_files::is_log(fd);
    #[cfg(not(target_os = "linux"))]
    return fd < 0;
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
        own_files::install();
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
    #[cfg(target_os = "linux")]
    own_files::forget();
    HELD.with_borrow_mut(|held| *held = None);
}

/// Files whose locks no other library of the process can drop, and whose closing drops none of
/// theirs.
#[cfg(target_os = "linux")]
mod own_files {
    use std::collections::HashMap;
    use std::ffi::{CStr, c_char, c_int, c_void};
    use std::mem::MaybeUninit;
    use std::sync::{Mutex, MutexGuard, PoisonError};

    use rusqlite::ffi;

    /// The files that our `SQLite` has open.
    ///
    /// Closing one that is locked would drop the record locks that other libraries of this
    /// process hold on it. So its descriptor is parked and handed out when it is opened again.
    static FILES: Mutex<Files> = Mutex::new(Files {
        holders: None,
        opened: None,
        logs: Vec::new(),
        parked: Vec::new(),
    });

    struct Files {
        /// Through which descriptor a file is locked, also for the others that are open on it.
        /// Created at first use: a hash map cannot be made in a constant.
        holders: Option<HashMap<Identity, c_int>>,
        /// What each descriptor was opened on: should other code have closed it, its number may
        /// be that of another file when `SQLite` closes it.
        opened: Option<HashMap<c_int, Identity>>,
        /// Those that were opened on a log.
        logs: Vec<c_int>,
        parked: Vec<Parked>,
    }

    /// Device and number of a file.
    type Identity = (libc::dev_t, libc::ino_t);

    /// A descriptor out of use, the file it is open on, and whether for reading alone.
    struct Parked {
        identity: Identity,
        mode: c_int,
        fd: c_int,
    }

    impl Files {
        /// The descriptor that locks are taken and given back through, for one of the file.
        fn holder(&mut self, fd: c_int) -> c_int {
            let Some(identity) = self.opened.get_or_insert_default().get(&fd) else {
                return fd;
            };
            let holders = self.holders.get_or_insert_default();
            *holders.entry(*identity).or_insert(fd)
        }

        /// Forgets a descriptor that is being closed: what it was opened on, and whether that file
        /// was locked. `SQLite` keeps it open while there are locks, so another may hold the next.
        fn release(&mut self, fd: c_int) -> (Option<Identity>, bool) {
            self.logs.retain(|log| *log != fd);
            let opened = self.opened.get_or_insert_default();
            let Some(identity) = opened.remove(&fd) else {
                return (None, false);
            };
            let holders = self.holders.get_or_insert_default();
            let holder = holders.remove(&identity);
            let next = match holder {
                Some(holder) if holder != fd => Some(holder),
                // Through one that only reads nobody could lock for writing.
                Some(_) => (opened.iter())
                    .filter_map(|(fd, one)| (*one == identity).then_some(*fd))
                    .max_by_key(|fd| mode(*fd) == libc::O_RDWR),
                None => None,
            };
            if let Some(next) = next {
                holders.insert(identity, next);
            }
            (Some(identity), holder.is_some())
        }
    }

    fn files() -> MutexGuard<'static, Files> {
        FILES.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Replaces the calls through which our `SQLite` opens, locks and closes files.
    pub(super) fn install() {
        type Any = unsafe extern "C" fn();
        type Open = unsafe extern "C" fn(*const c_char, c_int, c_int) -> c_int;
        type Lock = unsafe extern "C" fn(c_int, c_int, *mut c_void) -> c_int;
        type Close = unsafe extern "C" fn(c_int) -> c_int;
        // SAFETY: `SQLite` calls these functions with three arguments of integer class, or one.
        // On Linux they travel in the same registers whether or not a prototype is variadic.
        unsafe {
            let vfs = ffi::sqlite3_vfs_find(c"unix".as_ptr());
            let Some(set) = vfs.as_ref().and_then(|vfs| vfs.xSetSystemCall) else {
                return;
            };
            let open = std::mem::transmute::<Open, Any>(open);
            let lock = std::mem::transmute::<Lock, Any>(fcntl);
            let close = std::mem::transmute::<Close, Any>(close);
            for (name, call) in [(c"open", open), (c"fcntl", lock), (c"close", close)] {
                set(vfs, name.as_ptr(), Some(call));
            }
        }
    }

    /// In a forked child: its parked descriptors share their locks with the parent's.
    pub(super) fn forget() {
        let mut files = files();
        files.holders = None;
        files.opened = None;
        files.logs.clear();
        for parked in files.parked.drain(..) {
            // SAFETY: parked descriptors are ours alone.
            unsafe {
                libc::close(parked.fd);
            }
        }
    }

    pub(super) fn is_log(fd: c_int) -> bool {
        files().logs.contains(&fd)
    }

    unsafe extern "C" fn open(path: *const c_char, flags: c_int, mode: c_int) -> c_int {
        let mut facts = MaybeUninit::<libc::stat>::uninit();
        // SAFETY: `path` is the caller's string; `facts` is read only after it was filled.
        unsafe {
            if libc::stat(path, facts.as_mut_ptr()) == 0 {
                let facts = facts.assume_init();
                let mut files = files();
                let fits = |one: &Parked| {
                    one.identity == identity(&facts) && one.mode == flags & libc::O_ACCMODE
                };
                if let Some(place) = files.parked.iter().position(fits) {
                    let fd = files.parked.swap_remove(place).fd;
                    let opened = files.opened.get_or_insert_default();
                    opened.insert(fd, identity(&facts));
                    return fd;
                }
            }
            let fd = libc::open(path, flags, mode);
            if libc::fstat(fd, facts.as_mut_ptr()) == 0 {
                let mut files = files();
                let identity = identity(&facts.assume_init());
                files.opened.get_or_insert_default().insert(fd, identity);
                if CStr::from_ptr(path).to_bytes().ends_with(b"-wal") {
                    files.logs.push(fd);
                }
            }
            fd
        }
    }

    unsafe extern "C" fn fcntl(fd: c_int, command: c_int, argument: *mut c_void) -> c_int {
        let own = match command {
            libc::F_SETLK => libc::F_OFD_SETLK,
            libc::F_SETLKW => libc::F_OFD_SETLKW,
            libc::F_GETLK => libc::F_OFD_GETLK,
            // SAFETY: passed on as it came.
            other => return unsafe { libc::fcntl(fd, other, argument) },
        };
        let holder = files().holder(fd);
        // SAFETY: for these commands the argument is a `flock` that the caller owns. The kernel
        // wants no process in it.
        unsafe {
            (*argument.cast::<libc::flock>()).l_pid = 0;
            libc::fcntl(holder, own, argument)
        }
    }

    unsafe extern "C" fn close(fd: c_int) -> c_int {
        let mut files = files();
        let (known, was_locked) = files.release(fd);
        // SAFETY: `fd` is the caller's to close; parked ones are ours.
        unsafe {
            match facts(fd) {
                Some(facts) if known.is_some_and(|known| known != identity(&facts)) => 0,
                Some(facts) if was_locked && facts.st_nlink > 0 => {
                    files.parked.retain(is_linked);
                    files.parked.push(Parked {
                        identity: identity(&facts),
                        mode: mode(fd),
                        fd,
                    });
                    unlock(fd)
                }
                _ => libc::close(fd),
            }
        }
    }

    fn identity(facts: &libc::stat) -> Identity {
        (facts.st_dev, facts.st_ino)
    }

    unsafe fn facts(fd: c_int) -> Option<libc::stat> {
        let mut facts = MaybeUninit::<libc::stat>::uninit();
        // SAFETY: read only after it was filled.
        unsafe { (libc::fstat(fd, facts.as_mut_ptr()) == 0).then(|| facts.assume_init()) }
    }

    /// Whether a descriptor is for reading, writing, or both.
    fn mode(fd: c_int) -> c_int {
        // SAFETY: asks for the flags of a descriptor, or fails.
        unsafe { libc::fcntl(fd, libc::F_GETFL) & libc::O_ACCMODE }
    }

    /// Gives back whatever is locked through this descriptor.
    unsafe fn unlock(fd: c_int) -> c_int {
        // SAFETY: all-zero is a valid `flock`, and means the whole file.
        unsafe {
            let mut all: libc::flock = std::mem::zeroed();
            all.l_type = libc::c_short::try_from(libc::F_UNLCK).unwrap_or_default();
            libc::fcntl(fd, libc::F_OFD_SETLK, &raw mut all)
        }
    }

    /// Whether the file of a parked descriptor still has a name; if not, closes it.
    fn is_linked(parked: &Parked) -> bool {
        // SAFETY: parked descriptors are ours alone.
        unsafe {
            let linked = facts(parked.fd).is_some_and(|facts| facts.st_nlink > 0);
            if !linked {
                libc::close(parked.fd);
            }
            linked
        }
    }
}
