//! A disk that remembers, in order, all that was done to it, and tells what may be left of that
//! when the power is cut at any moment.
//!
//! What was flushed is there. Of the rest anything may be: writes arrive in any order, whole, in
//! sectors or torn; a file may have its new length without the bytes, or the bytes without the
//! name; a name may be gone or be back.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use crate::calls;
use crate::draw::Draw;
use crate::fate::{Fate, State, mapped};

/// A file, whatever its name is.
pub(crate) type FileId = usize;

/// Everything below one directory.
pub(crate) struct Disk {
    root: PathBuf,
    log: Mutex<Log>,
    /// When everything that was there at first had been flushed.
    begin: OnceLock<usize>,
}

/// What was done, in order.
#[derive(Default)]
pub(crate) struct Log {
    events: Vec<Event>,
    names: BTreeMap<PathBuf, FileId>,
    files: FileId,
}

pub(crate) enum Event {
    /// A name appears.
    Name(PathBuf, Thing),
    /// A name goes.
    Unname(PathBuf),
    Write(FileId, usize, Vec<u8>),
    Resize(FileId, usize),
    Flush(FileId),
    FlushNames(PathBuf),
}

#[derive(Clone, Copy)]
pub(crate) enum Thing {
    File(FileId),
    Directory,
}

/// What is left after a cut, by path below the root.
#[derive(Default)]
pub(crate) struct Remains {
    pub(crate) directories: BTreeSet<PathBuf>,
    pub(crate) files: BTreeMap<PathBuf, Vec<u8>>,
}

impl Disk {
    /// A disk with nothing but `remains` on it, all flushed; `root` is an empty directory.
    pub(crate) fn with(root: &Path, remains: &Remains) -> Arc<Self> {
        let disk = Arc::new(Self {
            root: root.to_path_buf(),
            log: Mutex::default(),
            begin: OnceLock::new(),
        });
        calls::watch(&disk);
        remains.restore(root);
        let mut log = disk.log();
        for file in 0..log.files {
            log.flush(file);
        }
        for directory in remains.directories.iter().map(|path| root.join(path)) {
            log.flush_names(&directory);
        }
        log.flush_names(root);
        disk.begin.get_or_init(|| log.events.len());
        drop(log);
        disk
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    pub(crate) fn log(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The first moment that may be cut.
    pub(crate) fn begin(&self) -> usize {
        self.begin.get().copied().unwrap_or_default()
    }

    /// How much was done so far. As the place of a cut: all of that, and nothing after it.
    pub(crate) fn moment(&self) -> usize {
        self.log().events.len()
    }

    /// What may be left when the power is cut at `moment`.
    pub(crate) fn cut(&self, moment: usize, draw: &mut Draw) -> Remains {
        let log = self.log();
        let mut state = State::default();
        for (number, event) in log.events[..moment].iter().enumerate() {
            state.follow(number, event);
        }
        let fate = Fate::draw(moment, draw);
        let names = state.names(fate, draw);
        let mut remains = Remains::default();
        for (path, thing) in &names {
            let mut above = path.ancestors().skip(1).take_while(|up| *up != self.root);
            if !above.all(|up| matches!(names.get(up), Some(Thing::Directory))) {
                continue;
            }
            let short = path.strip_prefix(&self.root).unwrap().to_path_buf();
            match thing {
                Thing::Directory => drop(remains.directories.insert(short)),
                Thing::File(file) => {
                    let bytes = state.bytes(*file, fate, draw);
                    remains.files.insert(short, mapped(path, bytes, draw));
                }
            }
        }
        remains
    }
}

impl Remains {
    /// Writes all of it below `root`.
    pub(crate) fn restore(&self, root: &Path) {
        for directory in &self.directories {
            fs::create_dir(root.join(directory)).unwrap();
        }
        for (path, bytes) in &self.files {
            fs::write(root.join(path), bytes).unwrap();
        }
    }
}

impl Log {
    /// A file was opened; it is made or emptied where that was asked for.
    pub(crate) fn open(&mut self, path: &Path, existed: bool, emptied: bool) -> FileId {
        let known = self.names.get(path).copied().filter(|_| existed);
        let file = known.unwrap_or_else(|| {
            let file = self.files;
            self.files += 1;
            self.names.insert(path.into(), file);
            self.events
                .push(Event::Name(path.into(), Thing::File(file)));
            file
        });
        if known.is_some() && emptied {
            self.resize(file, 0);
        }
        file
    }

    pub(crate) fn make_directory(&mut self, path: &Path) {
        let event = Event::Name(path.into(), Thing::Directory);
        self.events.push(event);
    }

    pub(crate) fn remove(&mut self, path: &Path) {
        self.names.remove(path);
        self.events.push(Event::Unname(path.into()));
    }

    pub(crate) fn write(&mut self, file: FileId, at: i64, bytes: &[u8]) {
        if !bytes.is_empty() {
            let at = usize::try_from(at).unwrap();
            self.events.push(Event::Write(file, at, bytes.to_vec()));
        }
    }

    pub(crate) fn resize(&mut self, file: FileId, length: i64) {
        let length = usize::try_from(length).unwrap();
        self.events.push(Event::Resize(file, length));
    }

    pub(crate) fn flush(&mut self, file: FileId) {
        self.events.push(Event::Flush(file));
    }

    pub(crate) fn flush_names(&mut self, directory: &Path) {
        self.events.push(Event::FlushNames(directory.into()));
    }
}
