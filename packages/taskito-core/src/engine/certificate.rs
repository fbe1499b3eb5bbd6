//! Death certificates: a lock that the kernel releases when a worker's process ends.
//!
//! Each worker holds one byte of `<database>-live`, at the offset of its number. The lock must
//! belong to the *process*: an open-file lock would live on in any child that a task forks.
//! Closing any descriptor of the file would drop all of them, so a process opens it once and
//! closes it only when none of its workers holds a byte.

use std::collections::{HashMap, HashSet};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{LazyLock, Mutex, MutexGuard, PoisonError};

use crate::fork;
use crate::job::WorkerId;
use crate::os::{self, OwnFile};

/// The certificate files this process has open, by device and inode.
static OPEN: LazyLock<Mutex<HashMap<(u64, u64), Holder>>> = LazyLock::new(Mutex::default);

struct Holder {
    file: OwnFile,
    /// The process that took the locks: a forked child inherits this table, not the locks.
    generation: u32,
    held: HashSet<WorkerId>,
}

/// Proof that a worker lives. Dropping it says that it has left.
pub(super) struct Certificate {
    place: Option<((u64, u64), WorkerId)>,
}

impl Certificate {
    /// Takes the byte of a worker; in a database without a file there is nothing to prove. To
    /// be called within a write transaction.
    pub(super) fn hold(database: Option<&Path>, worker: WorkerId) -> io::Result<Self> {
        let Some(database) = database else {
            return Ok(Self { place: None });
        };
        let mut open = table();
        let id = open_once(&mut open, &path(database))?;
        let Some(holder) = open.get_mut(&id) else {
            return Err(io::Error::other("the certificate file vanished"));
        };
        os::lock_byte(&holder.file, worker.0)?;
        holder.held.insert(worker);
        Ok(Self {
            place: Some((id, worker)),
        })
    }
}

impl Drop for Certificate {
    fn drop(&mut self) {
        let Some((id, worker)) = self.place else {
            return;
        };
        let _use = fork::begin_use();
        let mut open = table();
        if let Some(holder) = open.get_mut(&id) {
            holder.held.remove(&worker);
            // Should this fail, closing the file or the end of the process does the same.
            os::unlock_byte(&holder.file, worker.0).ok();
            if holder.held.is_empty() {
                open.remove(&id);
            }
        }
    }
}

/// Whether a worker of this process can no longer show that it lives, because other code has
/// closed the file of its certificate.
pub(super) fn is_lost(database: Option<&Path>, worker: WorkerId) -> bool {
    let facts = database.and_then(|database| std::fs::metadata(path(database)).ok());
    let id = facts.map(|facts| (facts.dev(), facts.ino()));
    let open = table();
    let holder = id.and_then(|id| open.get(&id));
    holder.is_some_and(|holder| holder.held.contains(&worker) && !holder.file.is_intact())
}

/// Whether the process of a worker lives.
pub(super) fn is_alive(database: Option<&Path>, worker: WorkerId) -> io::Result<bool> {
    let Some(database) = database else {
        return Ok(true);
    };
    let _use = fork::begin_use();
    let mut open = table();
    let id = open_once(&mut open, &path(database))?;
    let Some(holder) = open.get(&id) else {
        return Ok(true);
    };
    let alive = holder.held.contains(&worker) || os::is_byte_locked(&holder.file, worker.0)?;
    if holder.held.is_empty() {
        open.remove(&id);
    }
    Ok(alive)
}

/// Finds the file in the table without opening it again, or opens it.
fn open_once(open: &mut HashMap<(u64, u64), Holder>, path: &Path) -> io::Result<(u64, u64)> {
    let generation = fork::generation();
    if let Ok(known) = std::fs::metadata(path).map(|meta| (meta.dev(), meta.ino()))
        && let Some(holder) = open.get_mut(&known)
    {
        if holder.generation != generation {
            holder.generation = generation;
            holder.held.clear();
        }
        return Ok(known);
    }
    let file = os::open_side_file(path, 0)?;
    let meta = file.metadata()?;
    let id = (meta.dev(), meta.ino());
    open.insert(
        id,
        Holder {
            file: OwnFile::new(file),
            generation,
            held: HashSet::new(),
        },
    );
    Ok(id)
}

fn path(database: &Path) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push("-live");
    name.into()
}

fn table() -> MutexGuard<'static, HashMap<(u64, u64), Holder>> {
    OPEN.lock().unwrap_or_else(PoisonError::into_inner)
}
