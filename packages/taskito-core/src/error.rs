//! What can go wrong, sorted by what the caller can do about it.

use std::fmt;
use std::path::{Path, PathBuf};

/// The result of everything that touches a database.
pub type Result<T> = std::result::Result<T, Error>;

/// A failure of the engine. Each variant says when it happens.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Error {
    /// A directory or file cannot be created or written.
    NotWritable {
        /// The database file.
        path: PathBuf,
        /// What the operating system said.
        cause: String,
    },
    /// The file is something else than an `SQLite` database.
    NotADatabase {
        /// The file.
        path: PathBuf,
    },
    /// An `SQLite` database that another program laid out.
    Foreign {
        /// The file.
        path: PathBuf,
        /// What was found in it.
        found: String,
    },
    /// A newer taskito wrote the file. It was not modified.
    NewerSchema {
        /// The database file.
        path: PathBuf,
        /// Schema number of the file.
        found: i64,
        /// The newest schema this engine knows.
        known: i64,
    },
    /// `SQLite` found damage in the file.
    Corrupt {
        /// The database file.
        path: PathBuf,
        /// What `SQLite` said.
        cause: String,
    },
    /// No space left on the device, or a file size limit.
    Full {
        /// The database file.
        path: PathBuf,
    },
    /// Another process held the write lock for longer than we wait.
    Busy {
        /// The database file.
        path: PathBuf,
        /// The process of ours whose turn to write it was, where that is known.
        holder: Option<u32>,
    },
    /// The named row does not exist.
    NotFound {
        /// Kind of row and its id.
        what: String,
    },
    /// A new job is to wait for one that does not exist.
    MissingDependency {
        /// Public id of the missing job.
        id: String,
    },
    /// An argument the engine refuses.
    Invalid {
        /// What is wrong with which value.
        message: String,
    },
    /// A cron expression the grammar refuses, or one that can never fire.
    Cron {
        /// What is wrong with which field.
        message: String,
        /// What the field takes.
        hint: String,
    },
    /// No schedule has this name.
    NoSchedule {
        /// The name.
        name: String,
    },
    /// No time zone has this name.
    UnknownTimezone {
        /// The name.
        name: String,
        /// A similar one, if there is one.
        hint: String,
    },
    /// Other code of the process has closed the files of the store.
    Stranded {
        /// The database file.
        path: PathBuf,
    },
    /// The database lies on a file system of another machine.
    Network {
        /// The database file.
        path: PathBuf,
        /// The kind of file system.
        kind: &'static str,
    },
    /// The store was closed.
    Closed {
        /// The database file.
        path: PathBuf,
    },
    /// A question took longer than the asking thread lets questions take.
    TooBroad {
        /// The database file.
        path: PathBuf,
    },
    /// Any other failure of the operating system or `SQLite`.
    Io {
        /// The database file.
        path: PathBuf,
        /// What was said.
        cause: String,
    },
}

impl Error {
    /// The word under which the Python side knows this kind.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::NotWritable { .. } => "not_writable",
            Self::NotADatabase { .. } => "not_a_database",
            Self::Foreign { .. } => "foreign",
            Self::NewerSchema { .. } => "newer_schema",
            Self::Corrupt { .. } => "corrupt",
            Self::Full { .. } => "full",
            Self::Busy { .. } => "busy",
            Self::NotFound { .. } => "not_found",
            Self::MissingDependency { .. } => "missing_dependency",
            Self::Invalid { .. } | Self::UnknownTimezone { .. } => "invalid",
            Self::Cron { .. } => "cron",
            Self::NoSchedule { .. } => "no_schedule",
            Self::Stranded { .. } => "stranded",
            Self::Network { .. } => "network",
            Self::Closed { .. } => "closed",
            Self::TooBroad { .. } => "too_broad",
            Self::Io { .. } => "io",
        }
    }

    /// What a person can do about it.
    #[must_use]
    pub fn hint(&self) -> Option<&str> {
        Some(match self {
            Self::NotWritable { .. } => {
                "give this user write permission on the directory, or choose another path"
            }
            Self::NotADatabase { .. } => {
                "point taskito at a new path; it never overwrites a file it did not create"
            }
            Self::Foreign { .. } => "give taskito a database file of its own",
            Self::NewerSchema { .. } => {
                "upgrade taskito in this environment, or point it at another file; \
                 a newer database is never modified"
            }
            Self::Corrupt { .. } => "restore the file from a snapshot; keep the damaged copy",
            Self::Full { .. } => {
                "free some space; nothing was written and the queue works again after that"
            }
            Self::Busy {
                holder: Some(_), ..
            } => {
                "that process was stopped while it wrote, or its disk does not answer: let it go \
                 on (kill -CONT) or end it; nothing is lost"
            }
            Self::Busy { .. } => {
                "find the program that keeps a write transaction open on this file"
            }
            Self::MissingDependency { .. } => {
                "it was deleted, or belongs to another database; nothing was stored"
            }
            Self::Stranded { .. } => {
                "start the process anew, and let it close only what it has opened itself \
                 (os.closerange closes everything)"
            }
            Self::Network { .. } => {
                "move it to a local disk: locks and shared memory do not work over a network"
            }
            Self::Closed { .. } => "make a new Queue for this path",
            Self::TooBroad { .. } => "narrow it by state, task, queue or time",
            Self::Cron { hint, .. } | Self::UnknownTimezone { hint, .. } => hint,
            Self::NoSchedule { .. } => {
                "list_periodic() has the names; a schedule is stored when a worker that declares \
                 it starts"
            }
            Self::NotFound { .. } | Self::Invalid { .. } | Self::Io { .. } => return None,
        })
    }

    /// The database file, where the failure is about one.
    #[must_use]
    pub fn path(&self) -> Option<&Path> {
        match self {
            Self::NotWritable { path, .. }
            | Self::NotADatabase { path }
            | Self::Foreign { path, .. }
            | Self::NewerSchema { path, .. }
            | Self::Corrupt { path, .. }
            | Self::Full { path }
            | Self::Busy { path, .. }
            | Self::Stranded { path }
            | Self::Network { path, .. }
            | Self::Closed { path }
            | Self::TooBroad { path }
            | Self::Io { path, .. } => Some(path),
            Self::NotFound { .. }
            | Self::MissingDependency { .. }
            | Self::Invalid { .. }
            | Self::Cron { .. }
            | Self::NoSchedule { .. }
            | Self::UnknownTimezone { .. } => None,
        }
    }

    /// Whether the same call may succeed later without anybody changing it.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        matches!(
            self,
            Self::Busy { .. } | Self::Full { .. } | Self::Io { .. } | Self::NotWritable { .. }
        )
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotWritable { path, cause } => {
                write!(f, "cannot write database '{}': {cause}", path.display())
            }
            Self::NotADatabase { path } => {
                write!(f, "'{}' is not an SQLite database", path.display())
            }
            Self::Foreign { path, found } => {
                write!(
                    f,
                    "database '{}' belongs to another program: {found}",
                    path.display()
                )
            }
            Self::NewerSchema { path, found, known } => write!(
                f,
                "database '{}' has schema {found}, this taskito ({}) knows schemas up to {known}",
                path.display(),
                crate::VERSION
            ),
            Self::Corrupt { path, cause } => {
                write!(f, "database '{}' is damaged: {cause}", path.display())
            }
            Self::Full { path } => {
                write!(f, "no space left to write database '{}'", path.display())
            }
            Self::Busy { path, holder } => {
                write!(f, "database '{}' was locked by ", path.display())?;
                match holder {
                    Some(pid) => write!(f, "process {pid}")?,
                    None => write!(f, "another program")?,
                }
                write!(f, " for over 5 s")
            }
            Self::NotFound { what } => write!(f, "{what} not found"),
            Self::MissingDependency { id } => write!(f, "Dependency job '{id}' not found"),
            Self::Invalid { message } | Self::Cron { message, .. } => f.write_str(message),
            Self::NoSchedule { name } => write!(f, "no schedule is named '{name}'"),
            Self::UnknownTimezone { name, .. } => write!(f, "unknown time zone '{name}'"),
            Self::Stranded { path } => write!(
                f,
                "other code of this process closed the files of database '{}'",
                path.display()
            ),
            Self::Network { path, kind } => write!(
                f,
                "database '{}' lies on a network file system ({kind})",
                path.display()
            ),
            Self::Closed { path } => write!(f, "queue of '{}' is closed", path.display()),
            Self::TooBroad { path } => {
                write!(
                    f,
                    "the question to database '{}' is too broad",
                    path.display()
                )
            }
            Self::Io { path, cause } => {
                write!(f, "cannot use database '{}': {cause}", path.display())
            }
        }
    }
}

impl std::error::Error for Error {}
