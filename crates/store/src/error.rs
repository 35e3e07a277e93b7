//! Errors inside transactions, and their conversion to errors that name the store.

use std::io;
use std::path::Path;
use std::time::Duration;

use rusqlite::ffi;

use umpin_core::{Error, ErrorCode};
use umpin_platform::files::{OPEN_FILE_LIMIT_ACTION, is_open_file_limit, is_open_file_limit_reached};

/// An error inside a transaction; [`StoreError::at`] adds the path of the store.
#[derive(Debug)]
pub(super) enum StoreError {
    /// An error of SQLite.
    Sqlite(rusqlite::Error),
    /// A value or table that no version can have written.
    Damaged(&'static str),
    /// An error for the caller as it is.
    Core(Error),
}

/// The result of code that runs inside a transaction.
pub(super) type StoreResult<T> = Result<T, StoreError>;

/// Checks that a statement changed the expected number of rows, so that no change is lost unnoticed.
pub(super) fn changed(rows: usize, expected: usize) -> StoreResult<()> {
    if rows == expected {
        Ok(())
    } else {
        Err(StoreError::Damaged("a table that does not take changes"))
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

impl From<Error> for StoreError {
    fn from(error: Error) -> Self {
        Self::Core(error)
    }
}

impl StoreError {
    /// The error for the caller.
    pub(super) fn at(self, store: &Path) -> Error {
        match self {
            Self::Core(error) => error,
            Self::Damaged(what) => damaged(what, store),
            Self::Sqlite(error) => sql(error, store),
        }
    }

    /// Whether the connection must not be used again.
    pub(super) fn breaks_connection(&self) -> bool {
        match self {
            Self::Core(_) | Self::Damaged(_) => false,
            Self::Sqlite(error) => !matches!(
                primary(error),
                None | Some(ffi::SQLITE_CONSTRAINT | ffi::SQLITE_BUSY | ffi::SQLITE_FULL)
            ),
        }
    }

    /// Whether an interrupted transaction must be rolled back before anything can be read.
    pub(super) fn needs_recovery(&self) -> bool {
        matches!(self, Self::Sqlite(e) if e.sqlite_error().is_some_and(|e| e.extended_code == ffi::SQLITE_READONLY_ROLLBACK))
    }

    /// Whether SQLite could not open the file or a file beside it.
    pub(super) fn cannot_open(&self) -> bool {
        matches!(
            self,
            Self::Sqlite(e) if matches!(primary(e), Some(ffi::SQLITE_CANTOPEN | ffi::SQLITE_READONLY))
        )
    }
}

fn primary(error: &rusqlite::Error) -> Option<i32> {
    error.sqlite_error().map(|e| e.extended_code & 0xff)
}

/// SQLite's description of the extended error code.
fn reason(error: &rusqlite::Error) -> String {
    error
        .sqlite_error()
        .map_or_else(|| error.to_string(), |e| ffi::code_to_str(e.extended_code).to_owned())
}

fn sql(error: rusqlite::Error, store: &Path) -> Error {
    let at = store.display();
    // SQLite does not report this reason.
    if matches!(primary(&error), Some(ffi::SQLITE_CANTOPEN | ffi::SQLITE_IOERR)) && is_open_file_limit_reached() {
        return too_many_open("open", store).caused_by(error);
    }
    let why = reason(&error);
    let (code, message) = match primary(&error) {
        Some(ffi::SQLITE_NOTADB) => (
            ErrorCode::StoreCorrupt,
            format!("The file '{at}' is not an umpin directory."),
        ),
        Some(ffi::SQLITE_CORRUPT) => (ErrorCode::StoreCorrupt, format!("The directory '{at}' is damaged.")),
        // The statements are fixed, so an error in one shows that the tables are not those of the schema.
        Some(ffi::SQLITE_ERROR) => (
            ErrorCode::StoreCorrupt,
            format!("The directory '{at}' is damaged: its tables are not as they must be."),
        ),
        Some(ffi::SQLITE_FULL) => (
            ErrorCode::DirectoryUnavailable,
            format!("There is no space left for the directory '{at}'."),
        ),
        Some(ffi::SQLITE_IOERR) => (
            ErrorCode::DirectoryUnavailable,
            format!("The directory '{at}' cannot be read or written: {why}."),
        ),
        Some(ffi::SQLITE_READONLY | ffi::SQLITE_PERM | ffi::SQLITE_AUTH) => (
            ErrorCode::AccessDenied,
            format!("The directory '{at}' may not be written by this account: {why}."),
        ),
        Some(ffi::SQLITE_CANTOPEN) => (
            ErrorCode::AccessDenied,
            format!("The directory '{at}' or a file beside it cannot be opened by this account: {why}."),
        ),
        Some(ffi::SQLITE_BUSY | ffi::SQLITE_LOCKED) => (
            ErrorCode::DirectoryUnavailable,
            format!("The directory '{at}' is busy: another program has locked it."),
        ),
        Some(_) => (
            ErrorCode::DirectoryUnavailable,
            format!("The directory '{at}' failed: {why}."),
        ),
        // An error of the binding: a value of another type or size than in the schema.
        None => (
            ErrorCode::StoreCorrupt,
            format!("The directory '{at}' holds a value that cannot be understood."),
        ),
    };
    Error::new(code, message).caused_by(error)
}

/// The store does not exist; only an import creates one.
pub(super) fn missing(store: &Path) -> Error {
    Error::new(
        ErrorCode::DirectoryUnavailable,
        format!("There is no directory at '{}'.", store.display()),
    )
    .action("Create the directory with Import-UMDirectory, or set UMPIN_HOME or the configuration to an existing one.")
    .detail("missing", true)
}

/// The lock could not be taken before the deadline.
pub(super) fn busy(store: &Path, waited: Duration) -> Error {
    Error::new(
        ErrorCode::DirectoryUnavailable,
        format!(
            "The directory '{}' is busy: another process has kept it locked for {} s.",
            store.display(),
            waited.as_secs_f32().round()
        ),
    )
    .action("Run the command again; end a process that hangs while it uses the directory.")
    .detail("busy", true)
}

/// The limit of open files is reached.
fn too_many_open(doing: &str, path: &Path) -> Error {
    Error::new(
        ErrorCode::DirectoryUnavailable,
        format!("Cannot {doing} '{}': too many files are open.", path.display()),
    )
    .action(OPEN_FILE_LIMIT_ACTION)
}

/// A file operation beside SQLite failed.
pub(super) fn io(error: io::Error, doing: &str, path: &Path) -> Error {
    if is_open_file_limit(&error) {
        return too_many_open(doing, path).caused_by(error);
    }
    let code = match error.kind() {
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => ErrorCode::AccessDenied,
        _ => ErrorCode::DirectoryUnavailable,
    };
    Error::new(code, format!("Cannot {doing} '{}': {error}.", path.display())).caused_by(error)
}

/// The store has something that no version of this library can have written.
pub(super) fn damaged(what: &str, store: &Path) -> Error {
    Error::new(
        ErrorCode::StoreCorrupt,
        format!("The directory '{}' is damaged: it has {what}.", store.display()),
    )
}

/// A copy of the error, for each command of the group.
pub(super) fn duplicate(error: &Error) -> Error {
    let mut copy = Error::new(error.code(), error.message()).action(error.recommended_action());
    for (name, value) in error.details() {
        copy = copy.detail(name, value.clone());
    }
    match std::error::Error::source(error) {
        Some(cause) => copy.caused_by(cause.to_string()),
        None => copy,
    }
}

/// The writer ended without a reply.
pub(super) fn outcome_unknown(store: &Path) -> Error {
    Error::new(
        ErrorCode::OutcomeUnknown,
        format!(
            "It is not known whether the change to the directory '{}' was made.",
            store.display()
        ),
    )
}

/// A write in a session that is opened for reading only.
pub(super) fn read_only() -> Error {
    Error::new(ErrorCode::InvalidRequest, "The directory was opened for reading only.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_have_the_reason() {
        let store = Path::new("/store/directory.db");
        let denied = io(io::Error::from(io::ErrorKind::PermissionDenied), "open", store);
        assert_eq!(
            denied.message(),
            "Cannot open '/store/directory.db': permission denied."
        );
        let broken = io(io::Error::from_raw_os_error(5), "open", store);
        assert!(broken.message().contains("(os error 5)"), "{}", broken.message());
        for code in [
            ffi::SQLITE_IOERR_SHORT_READ,
            ffi::SQLITE_CANTOPEN_ISDIR,
            ffi::SQLITE_READONLY_CANTLOCK,
        ] {
            let error = sql(rusqlite::Error::SqliteFailure(ffi::Error::new(code), None), store);
            let reason = ffi::code_to_str(code);
            assert!(
                error.message().ends_with(&format!(": {reason}.")),
                "{}",
                error.message()
            );
        }
    }
}
