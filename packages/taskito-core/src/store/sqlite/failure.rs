//! Failures of `SQLite` and the operating system, told by what the caller can do about them.

use std::path::Path;
use std::time::Duration;

use rusqlite::{ErrorCode, ffi};

use crate::error::Error;

/// How long a call waits for another program before it gives up.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);

/// A failure of the operating system around the database file.
pub(super) fn not_writable(path: &Path, error: &std::io::Error) -> Error {
    if error.kind() == std::io::ErrorKind::StorageFull {
        return Error::Full { path: path.into() };
    }
    Error::NotWritable {
        path: path.into(),
        cause: error.to_string(),
    }
}

/// Turns a failure of `SQLite` into ours, by its code and never by its text.
pub(super) fn explain(path: &Path, error: &rusqlite::Error) -> Error {
    let path = path.to_path_buf();
    let cause = error.to_string();
    let failure = match error {
        rusqlite::Error::SqliteFailure(failure, _) => failure,
        // A value that we would not have written there.
        rusqlite::Error::FromSqlConversionFailure(..)
        | rusqlite::Error::IntegralValueOutOfRange(..)
        | rusqlite::Error::InvalidColumnType(..)
        | rusqlite::Error::Utf8Error(..) => return Error::Corrupt { path, cause },
        _ => return Error::Io { path, cause },
    };
    match failure.code {
        ErrorCode::NotADatabase => Error::NotADatabase { path },
        ErrorCode::DatabaseCorrupt => Error::Corrupt { path, cause },
        ErrorCode::DiskFull => Error::Full { path },
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => Error::Busy { path, holder: None },
        ErrorCode::OperationInterrupted => Error::TooBroad { path },
        ErrorCode::ReadOnly | ErrorCode::CannotOpen | ErrorCode::PermissionDenied => {
            Error::NotWritable { path, cause }
        }
        _ if failure.extended_code == ffi::SQLITE_IOERR_CORRUPTFS => Error::Corrupt { path, cause },
        _ => Error::Io { path, cause },
    }
}
