//! The store in one `SQLite` file. Long because the life of its connections is here.
//!
//! One connection writes, behind a mutex; a few read. Every write transaction passes the
//! turnstile of the [`Gate`], so processes queue in order instead of fighting for the lock.
//! Statements live in `sql/`, one file per arrow or question; the hot ones are bound by
//! position, in the order in which their parameters are named.

mod arrows;
mod bars;
mod breaker;
mod bulk;
mod candidate;
mod cascade;
mod change;
mod claim;
mod connection;
mod contender;
mod control;
mod expire;
mod failure;
mod failures;
mod flush;
mod frames;
mod graph;
mod group;
mod haste;
mod insert;
mod inspect;
mod limiter;
mod limits;
mod link;
mod locks;
mod log;
mod metrics;
mod migrate;
mod notes;
mod operations;
mod prune;
mod restraints;
mod rollups;
mod row;
mod schedules;
mod search;
mod settle;
mod snapshot;
mod storage;
mod strand;
mod survey;
mod transaction;
mod waits;
mod watching;
mod workers;
mod workflows;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Instant;

use rusqlite::Connection;

use crate::clock::{Clock, Millis, SystemClock};
use crate::error::{Error, Result};
use crate::fork::{self, CloseForFork};
use crate::id::{DatabaseId, Key, KeySource};
use crate::job::{Inserted, NewJob};
use crate::os;
use crate::store::gate::Gate;
use crate::store::{JobStore, Sync, Work};

use change::Watch;
use connection::MEMORY;
use failure::{PATIENCE, explain, not_writable};
use flush::{Flusher, Ticket};
use group::Group;
use log::Moved;
use transaction::{Lanes, News, SqliteTransaction};

pub use haste::limit_reads;
pub use migrate::{SCHEMA, SCHEMA_VERSION};

/// Read connections kept open between calls.
const READERS: usize = 4;

/// A database of jobs in one `SQLite` file. Constructing it touches nothing.
pub struct SqliteStore {
    path: PathBuf,
    durability: Sync,
    clock: Arc<dyn Clock>,
    keys: KeySource,
    /// The process for which `keys` was seeded, see [`fork::generation`].
    generation: AtomicU32,
    /// Lock order: use (see [`fork`]), group, writer, flusher, readers, tidier, watch. Only the writer is held
    /// while another process is waited for, and none while the device is.
    group: Group,
    pool: Arc<Pool>,
    opened: OnceLock<Opened>,
    closed: AtomicBool,
    /// Whether anything was committed since the log was last moved into the file.
    untidy: AtomicBool,
}

/// The open connections.
struct Pool {
    /// A database in memory has one connection, which must never be closed.
    in_memory: bool,
    writer: Mutex<Option<Writer>>,
    flusher: Flusher,
    readers: Mutex<Vec<Connection>>,
    /// What moves the log into the file: readers cannot.
    tidier: Mutex<Option<Connection>>,
    watch: Mutex<Option<Watch>>,
}

impl Pool {
    fn close(&self) {
        *lock(&self.writer) = None;
        self.flusher.close();
        lock(&self.readers).clear();
        *lock(&self.tidier) = None;
        *lock(&self.watch) = None;
    }
}

impl CloseForFork for Pool {
    fn close_for_fork(&self) {
        if !self.in_memory {
            self.close();
        }
    }
}

/// What is known once the file was opened for the first time.
struct Opened {
    database: DatabaseId,
    gate: Arc<Gate>,
}

/// The connection that writes, and what it remembers.
struct Writer {
    connection: Connection,
    lanes: Lanes,
    database: DatabaseId,
}

impl SqliteStore {
    /// A store at `path`; `:memory:` is a database of its own that goes with the store. With
    /// [`Sync::Relaxed`] no commit is flushed one by one, whatever the caller asks for.
    ///
    /// A relative path means what it means now, also after the process changed its directory.
    pub fn new(path: impl Into<PathBuf>, durability: Sync) -> Self {
        Self::with(
            path,
            durability,
            Arc::new(SystemClock),
            KeySource::in_step(),
        )
    }

    /// A store whose time is that of `clock`, as for tests that step it.
    pub fn with_clock(path: impl Into<PathBuf>, durability: Sync, clock: Arc<dyn Clock>) -> Self {
        Self::with(path, durability, clock, KeySource::new(os::random()))
    }

    fn with(
        path: impl Into<PathBuf>,
        durability: Sync,
        clock: Arc<dyn Clock>,
        keys: KeySource,
    ) -> Self {
        let path = path.into();
        let path = match std::path::absolute(&path) {
            Ok(absolute) if path.as_os_str() != MEMORY => behind_link(absolute),
            _ => path,
        };
        let pool = Arc::new(Pool {
            in_memory: path.as_os_str() == MEMORY,
            writer: Mutex::new(None),
            flusher: Flusher::default(),
            readers: Mutex::new(Vec::new()),
            tidier: Mutex::new(None),
            watch: Mutex::new(None),
        });
        fork::close_before_forks(&(Arc::clone(&pool) as Arc<dyn CloseForFork>));
        frames::install();
        Self {
            path,
            durability,
            clock,
            keys,
            generation: AtomicU32::new(fork::generation()),
            group: Group::default(),
            pool,
            opened: OnceLock::new(),
            closed: AtomicBool::new(false),
            untidy: AtomicBool::new(false),
        }
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What tells the time to everybody who works on this store.
    #[must_use]
    pub fn clock(&self) -> Arc<dyn Clock> {
        Arc::clone(&self.clock)
    }

    /// The present instant.
    #[must_use]
    pub fn now(&self) -> Millis {
        self.clock.now()
    }

    /// The file, unless the database lives in memory.
    #[must_use]
    pub fn file(&self) -> Option<PathBuf> {
        (!self.pool.in_memory).then(|| self.path.clone())
    }

    /// The doorbells of this database.
    ///
    /// # Errors
    /// Why the file cannot be opened.
    pub fn gate(&self) -> Result<Arc<Gate>> {
        let _use = fork::begin_use();
        self.opened().map(|opened| Arc::clone(&opened.gate))
    }

    /// Stores jobs, all or none. Calls of other threads at the same time share the commit.
    ///
    /// # Errors
    /// Storage failures; nothing is stored then.
    pub fn enqueue(&self, jobs: Vec<NewJob>) -> Result<Vec<Inserted>> {
        let _use = fork::begin_use();
        let (inserted, ticket) = self.group.insert(jobs, self)?;
        self.flush(ticket)?;
        Ok(inserted)
    }

    /// Releases every file. Idempotent.
    pub fn close(&self) {
        let _use = fork::begin_use();
        self.closed.store(true, Ordering::SeqCst);
        self.pool.close();
        // Who waits for a lock through this store waits in vain.
        if let Some(opened) = self.opened.get() {
            opened.gate.unlocked().ring();
        }
    }

    fn opened(&self) -> Result<&Opened> {
        if let Some(opened) = self.opened.get() {
            return Ok(opened);
        }
        drop(self.writer()?);
        self.opened.get().ok_or_else(|| Error::Closed {
            path: self.path.clone(),
        })
    }

    fn make_gate(&self) -> Result<Arc<Gate>> {
        let gate = if self.pool.in_memory {
            Gate::private()
        } else {
            Gate::beside(&self.path)
        };
        gate.map(Arc::new)
            .map_err(|error| not_writable(&self.path, &error))
    }

    /// The writing connection, opened if it is not.
    fn writer(&self) -> Result<MutexGuard<'_, Option<Writer>>> {
        let mut writer = lock(&self.pool.writer);
        if self.closed.load(Ordering::SeqCst) {
            return Err(Error::Closed {
                path: self.path.clone(),
            });
        }
        if writer.is_none() {
            let mut gate = self.opened.get().map(|opened| Arc::clone(&opened.gate));
            let connection = connection::open_writer(&self.path, self.now(), || {
                self.make_gate()
                    .inspect(|made| gate = Some(Arc::clone(made)))
            })?;
            let database = if let Some(opened) = self.opened.get() {
                opened.database
            } else {
                let newest = migrate::newest_key(&connection, &self.path)?;
                self.keys.follow(newest, self.now());
                let opened = Opened {
                    database: migrate::database_id(&connection, &self.path)?,
                    gate: gate.map_or_else(|| self.make_gate(), Ok)?,
                };
                // Filled under the writer lock: nobody was faster.
                self.opened.get_or_init(|| opened).database
            };
            *writer = Some(Writer {
                connection,
                lanes: Lanes::default(),
                database,
            });
        }
        Ok(writer)
    }

    /// Runs a question on a reading connection.
    fn read<T>(&self, ask: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T> {
        let explained = |error| explain(&self.path, &error);
        let _use = fork::begin_use();
        self.opened()?;
        if self.pool.in_memory {
            let mut writer = self.writer()?;
            let Some(writer) = writer.as_mut() else {
                return Err(self.closed());
            };
            return haste::asked(&mut writer.connection, ask).map_err(explained);
        }
        self.check_files()?;
        let idle = lock(&self.pool.readers).pop();
        let mut reader = match idle {
            Some(reader) => reader,
            None => connection::open_reader(&self.path)?,
        };
        let answer = haste::asked(&mut reader, ask).map_err(explained);
        let mut readers = lock(&self.pool.readers);
        if readers.len() < READERS && !self.closed.load(Ordering::SeqCst) {
            readers.push(reader);
        }
        answer
    }

    /// Refuses to go on once the store is closed, or other code closed our files.
    fn check_files(&self) -> Result<()> {
        if self.closed.load(Ordering::SeqCst) {
            return Err(self.closed());
        }
        if !self.opened()?.gate.is_intact() {
            return Err(Error::Stranded {
                path: self.path.clone(),
            });
        }
        Ok(())
    }

    fn closed(&self) -> Error {
        Error::Closed {
            path: self.path.clone(),
        }
    }

    /// Moves the log into the file while others write.
    fn drain(&self) -> Result<Moved> {
        let _use = fork::begin_use();
        self.opened()?;
        self.check_files()?;
        let mut tidier = lock(&self.pool.tidier);
        let connection = match &mut *tidier {
            Some(connection) => connection,
            missing => missing.insert(connection::open_tidier(&self.path)?),
        };
        log::drain(connection).map_err(|error| explain(&self.path, &error))
    }

    /// The error, or what is behind it: nothing works once other code has closed our files.
    fn unless_stranded(&self, error: Error) -> Error {
        match self.opened.get() {
            Some(opened) if !opened.gate.is_intact() => Error::Stranded {
                path: self.path.clone(),
            },
            _ => error,
        }
    }

    /// Moves the rest of the log into the file while nobody writes; whether it can begin anew.
    fn shorten(&self) -> Result<bool> {
        let _use = fork::begin_use();
        let writer = self.writer()?;
        let (Some(writer), Some(Opened { gate, .. })) = (writer.as_ref(), self.opened.get()) else {
            return Ok(true);
        };
        let explained = |error| not_writable(&self.path, &error);
        let _turn = gate.turn(Instant::now() + PATIENCE).map_err(explained)?;
        let moved = log::shift(&writer.connection);
        Ok(!moved
            .map_err(|error| explain(&self.path, &error))?
            .is_left_long())
    }

    /// A write transaction of a caller who has begun a use, and who flushes it, if it must.
    fn commit(&self, work: &mut Work<'_>) -> Result<Ticket> {
        let generation = fork::generation();
        if self.generation.swap(generation, Ordering::Relaxed) != generation {
            self.keys.reseed(os::random());
        }
        let mut guard = self.writer()?;
        let opened = self.opened.get();
        let (Some(writer), Some(Opened { gate, .. })) = (guard.as_mut(), opened) else {
            return Err(Error::Closed {
                path: self.path.clone(),
            });
        };
        let deadline = Instant::now() + PATIENCE;
        let (news, ticket) = {
            let _turn = gate
                .turn(deadline)
                .map_err(|error| self.unless_stranded(not_writable(&self.path, &error)))?
                .ok_or_else(|| Error::Busy {
                    path: self.path.clone(),
                    holder: gate.holder(),
                })?;
            // Whoever holds the lock without a turn is waited for with what is left.
            let left = deadline.saturating_duration_since(Instant::now());
            writer
                .connection
                .busy_timeout(left)
                .map_err(|error| explain(&self.path, &error))?;
            let newest = gate.newest_key();
            let known = Key(newest.load(Ordering::Relaxed).cast_signed());
            self.keys.follow(known, self.now());
            frames::begin();
            let done = writer.transact(&self.path, &self.keys, work);
            newest.store(self.keys.newest().0.cast_unsigned(), Ordering::Relaxed);
            let done = done?;
            if log::is_overlong(gate) {
                // A failure here is passing: the log goes on growing.
                log::shift(&writer.connection).ok();
            }
            (done, self.pool.flusher.committed())
        };
        drop(guard);
        self.untidy.store(true, Ordering::Relaxed);
        if log::is_long() {
            gate.untidy().ring();
        }
        if news.control {
            gate.ring_control();
        } else if news.work || news.freed && gate.holds_anybody_back() {
            gate.work().ring();
        }
        if news.finished {
            gate.finished().ring();
        }
        if news.unlocked {
            gate.unlocked().ring();
        }
        Ok(ticket)
    }

    /// Blocks until a commit survives power loss, if this store promises that.
    fn flush(&self, ticket: Ticket) -> Result<()> {
        if self.durability == Sync::Relaxed || self.pool.in_memory {
            return Ok(());
        }
        self.pool.flusher.flush(ticket, &self.path)
    }
}

impl JobStore for SqliteStore {
    fn write(&self, sync: Sync, work: &mut Work<'_>) -> Result<()> {
        let _use = fork::begin_use();
        let ticket = self.commit(work)?;
        match sync {
            Sync::Durable => self.flush(ticket),
            Sync::Relaxed => Ok(()),
        }
    }

    fn tidy(&self) -> Result<bool> {
        if self.pool.in_memory || !self.untidy.swap(false, Ordering::Relaxed) {
            return Ok(true);
        }
        let moved = self.drain()?;
        Ok(!moved.is_left_long() || self.shorten()?)
    }
}

impl Writer {
    /// One transaction: `work`, the counters, the commit.
    fn transact(&mut self, path: &Path, keys: &KeySource, work: &mut Work<'_>) -> Result<News> {
        let explained = |error| explain(path, &error);
        let committed = (|| {
            let open = OpenTransaction::begin(&self.connection).map_err(explained)?;
            let mut arrows = SqliteTransaction::new(
                &self.connection,
                &mut self.lanes,
                keys,
                path,
                self.database,
            );
            work(&mut arrows)?;
            let news = arrows.finish().map_err(explained)?;
            open.commit().map_err(explained)?;
            Ok(news)
        })();
        if committed.is_err() {
            self.lanes = Lanes::default();
        }
        committed
    }
}

/// A write transaction that rolls back unless it is committed. The statements are prepared
/// once per connection, which `rusqlite`'s own transactions do not do.
struct OpenTransaction<'c> {
    connection: &'c Connection,
    committed: bool,
}

impl<'c> OpenTransaction<'c> {
    fn begin(connection: &'c Connection) -> rusqlite::Result<Self> {
        connection.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
        Ok(Self {
            connection,
            committed: false,
        })
    }

    fn commit(mut self) -> rusqlite::Result<()> {
        self.connection.prepare_cached("COMMIT")?.execute([])?;
        self.committed = true;
        Ok(())
    }
}

impl Drop for OpenTransaction<'_> {
    fn drop(&mut self) {
        if !self.committed && !self.connection.is_autocommit() {
            // If this fails too, the next BEGIN says so.
            self.connection.execute_batch("ROLLBACK").ok();
        }
    }
}

/// The file that a symbolic link leads to. What lies beside a database is named after it, so all
/// who use it must know it by the same name.
fn behind_link(path: PathBuf) -> PathBuf {
    if path.is_symlink() {
        path.canonicalize().unwrap_or(path)
    } else {
        path
    }
}

/// Locks a mutex; a thread that panicked while holding it left nothing half-done, as every
/// transaction rolls back.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
