//! Connections: opening, validity, and the locks around their transactions.

use std::cell::Cell;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use super::error::{StoreError, StoreResult};
use super::lock::{Deadline, LockGuard, Mode, StoreLock};
use super::schema;
use super::schema::check;
use super::store_files::{FileId, StoreFiles, file_id};
use umpin_core::{Error, ErrorCode, Result};

/// Length of a log of 1000 pages of 4096 bytes with their frame headers.
const CHECKPOINT_AT: u64 = 1000 * (4096 + 24);

/// The purpose of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Purpose {
    Read,
    Write,
}

/// A connection with its own lock; both are opened on first use.
#[derive(Debug, Default)]
pub(super) struct StoreConnection {
    lock: Option<Arc<StoreLock>>,
    open: Option<Open>,
}

#[derive(Debug)]
struct Open {
    connection: Connection,
    store: FileId,
    shm: FileId,
    /// The schema cookie of the validated schema.
    schema: Cell<i64>,
}

impl Open {
    /// Validates the schema again if it was changed; called first in each transaction.
    fn confirm_schema(&self) -> StoreResult<()> {
        if check::cookie(&self.connection)? != self.schema.get() {
            self.schema.set(schema::inspect(&self.connection)?);
        }
        Ok(())
    }
}

impl StoreConnection {
    /// Runs `work` in one read transaction.
    pub(super) fn read<T>(
        &mut self,
        files: &StoreFiles,
        work: impl FnOnce(&Connection) -> StoreResult<T>,
    ) -> Result<T> {
        let deadline = Deadline::after(files.timeout);
        let lock_error = self.find_lock(files)?.err();
        let lockable = lock_error.is_none();
        if files.read_only || !lockable {
            // Without a log, the database file can be read as immutable, which writes nothing to the disk. Such a connection must not
            // outlive the lock: it would not see later changes.
            let guard = if lockable {
                Some(self.lock(files, Mode::Shared, deadline)?)
            } else {
                None
            };
            if files.is_checkpointed() {
                return read_immutable(files, work);
            }
            drop(guard);
            if let Some(reason) = lock_error {
                return Err(Error::new(
                    ErrorCode::AccessDenied,
                    format!(
                        "The directory '{}' has changes beside it that can only be read together with its lock file, which this account cannot create: {reason}.",
                        files.store.display()
                    ),
                )
                .caused_by(reason));
            }
        }
        let guard = self.lock(files, Mode::Shared, deadline)?;
        if self.is_current(files) && !files.is_shm_short() {
            return self.run(files, &guard, work);
        }
        drop(guard);
        let guard = self.lock(files, Mode::Exclusive, deadline)?;
        match self.make_ready(files, Purpose::Read) {
            Ok(()) => self.run(files, &guard, work),
            // Without write access SQLite cannot create its shared memory.
            Err(error) if error.cannot_open() && files.is_checkpointed() => read_immutable(files, work),
            Err(error) => Err(error.at(&files.store)),
        }
    }

    fn run<T>(
        &mut self,
        files: &StoreFiles,
        _held: &LockGuard,
        work: impl FnOnce(&Connection) -> StoreResult<T>,
    ) -> Result<T> {
        let answer = match &self.open {
            Some(open) => in_read_transaction(&open.connection, || open.confirm_schema(), work),
            None => Err(StoreError::Core(Error::new(ErrorCode::NativeFault, "No connection."))),
        };
        files.record_shm_length();
        answer.map_err(|error| {
            if error.breaks_connection() {
                self.open = None;
            }
            error.at(&files.store)
        })
    }

    /// Takes the exclusive lock and prepares a connection for writing, to be used while the lock is held.
    pub(super) fn enter_write(&mut self, files: &StoreFiles) -> Result<LockGuard> {
        let guard = self.lock_for_write(files)?;
        self.make_ready(files, Purpose::Write).map_err(|f| f.at(&files.store))?;
        Ok(guard)
    }

    /// The exclusive lock alone.
    pub(super) fn lock_for_write(&mut self, files: &StoreFiles) -> Result<LockGuard> {
        if let Err(reason) = self.find_lock(files)? {
            return Err(Error::new(
                ErrorCode::AccessDenied,
                format!(
                    "The lock file of the directory '{}' cannot be created by this account: {reason}.",
                    files.store.display()
                ),
            )
            .caused_by(reason));
        }
        self.lock(files, Mode::Exclusive, Deadline::after(files.timeout))
    }

    /// The connection of `enter_write`.
    pub(super) fn connection(&self) -> StoreResult<&Connection> {
        self.open
            .as_ref()
            .map(|o| &o.connection)
            .ok_or_else(|| StoreError::Core(Error::new(ErrorCode::NativeFault, "No connection.")))
    }

    /// Begins a write transaction.
    pub(super) fn begin(&self) -> StoreResult<()> {
        let Some(open) = &self.open else {
            return self.connection().map(drop);
        };
        open.connection.execute_batch("BEGIN IMMEDIATE")?;
        open.confirm_schema()
    }

    /// Replaces the connection of `enter_write` by a new one.
    pub(super) fn reopen(&mut self, files: &StoreFiles) -> StoreResult<()> {
        self.open = None;
        self.make_ready(files, Purpose::Write)
    }

    /// Closes the connection.
    pub(super) fn close(&mut self) {
        self.open = None;
    }

    /// Checkpoints a long log; the exclusive lock must be held. A failure loses nothing.
    pub(super) fn checkpoint_if_long(&mut self, files: &StoreFiles) {
        if files.wal_length() > CHECKPOINT_AT {
            self.checkpoint(files);
        }
    }

    /// Checkpoints and truncates the log, which also removes replaced records from it.
    pub(super) fn checkpoint(&mut self, files: &StoreFiles) {
        let Some(open) = &self.open else { return };
        let done = open
            .connection
            .execute_batch("PRAGMA synchronous = FULL; PRAGMA wal_checkpoint(TRUNCATE)");
        files.record_shm_length();
        if done.is_err() {
            self.open = None;
        }
    }

    /// Checkpoints when the directory is dropped, unless another connection has the lock.
    pub(super) fn checkpoint_if_free(&mut self, files: &StoreFiles) {
        if !self.is_current(files) || files.is_shm_short() {
            return;
        }
        let lock = self.lock.clone();
        if let Some(Ok(Some(_held))) = lock.map(|l| l.try_exclusive(&files.store)) {
            self.checkpoint(files);
        }
    }

    /// Opens the lock files. The inner error is the reason why they do not exist and cannot be created.
    fn find_lock(&mut self, files: &StoreFiles) -> Result<io::Result<()>> {
        if !self.lock.as_deref().is_some_and(|l| files.is_lock_current(l)) {
            match files.open_lock()? {
                Ok(lock) => self.lock = Some(lock),
                Err(reason) => {
                    self.lock = None;
                    return Ok(Err(reason));
                }
            }
        }
        Ok(Ok(()))
    }

    fn lock(&mut self, files: &StoreFiles, mode: Mode, deadline: Deadline) -> Result<LockGuard> {
        loop {
            if let Some(lock) = &self.lock {
                let guard = lock.acquire(mode, deadline, &files.store)?;
                if files.is_lock_current(lock) {
                    return Ok(guard);
                }
            }
            if let Err(reason) = self.find_lock(files)? {
                return Err(Error::new(
                    ErrorCode::AccessDenied,
                    format!(
                        "The lock file of the directory '{}' is gone: {reason}.",
                        files.store.display()
                    ),
                )
                .caused_by(reason));
            }
        }
    }

    /// Whether the connection is open on the present files: the store may have been restored from a backup.
    fn is_current(&self, files: &StoreFiles) -> bool {
        self.open
            .as_ref()
            .is_some_and(|o| o.store == file_id(&files.store) && o.shm == file_id(&files.shm))
    }

    fn make_ready(&mut self, files: &StoreFiles, purpose: Purpose) -> StoreResult<()> {
        files.restore_shm()?;
        if self.is_current(files) {
            return Ok(());
        }
        self.open = None;
        if file_id(&files.store).is_none() {
            return Err(StoreError::Core(super::error::missing(&files.store)));
        }
        let (connection, schema) = open(files, purpose)?;
        files.record_shm_length();
        self.open = Some(Open {
            connection,
            store: file_id(&files.store),
            shm: file_id(&files.shm),
            schema: Cell::new(schema),
        });
        Ok(())
    }
}

/// Opens the store; the exclusive lock must be held, because the first read may rebuild the shared memory.
fn open(files: &StoreFiles, purpose: Purpose) -> StoreResult<(Connection, i64)> {
    let look = |purpose| -> StoreResult<_> {
        let connection = connect(&files.store, purpose, files.timeout)?;
        let schema = schema::inspect(&connection)?;
        Ok((connection, schema))
    };
    let (connection, schema) = match look(purpose) {
        Err(error) if error.needs_recovery() => {
            // Opening it for writing rolls the interrupted transaction back.
            look(Purpose::Write)?;
            look(purpose)?
        }
        looked => looked?,
    };
    // A reader changes nothing: a restored backup has no write-ahead log, and reading works without one.
    if purpose == Purpose::Read || is_wal(&connection)? {
        return Ok((connection, schema));
    }
    let mode: String = connection.query_row("PRAGMA journal_mode = WAL", [], |r| r.get(0))?;
    if mode != "wal" {
        return Err(StoreError::Core(Error::new(
            ErrorCode::AccessDenied,
            format!(
                "The directory '{}' cannot be given a write-ahead log.",
                files.store.display()
            ),
        )));
    }
    Ok((connection, schema))
}

fn is_wal(connection: &Connection) -> StoreResult<bool> {
    let mode: String = connection.query_row("PRAGMA journal_mode", [], |r| r.get(0))?;
    Ok(mode == "wal")
}

fn connect(store: &Path, purpose: Purpose, timeout: Duration) -> StoreResult<Connection> {
    let access = match purpose {
        Purpose::Read => OpenFlags::SQLITE_OPEN_READ_ONLY,
        Purpose::Write => OpenFlags::SQLITE_OPEN_READ_WRITE,
    };
    let connection = Connection::open_with_flags(store, access | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    // Only other programs can hold SQLite's locks here.
    connection.busy_timeout(timeout)?;
    harden(&connection)?;
    Ok(connection)
}

/// Opens the file of a store that is being created under a temporary name.
pub(super) fn open_new(path: &Path) -> StoreResult<Connection> {
    connect(path, Purpose::Write, Duration::ZERO)
}

/// A store in memory, for the dry run of an import.
pub(super) fn open_in_memory() -> StoreResult<Connection> {
    let connection = Connection::open_in_memory()?;
    harden(&connection)?;
    Ok(connection)
}

fn harden(connection: &Connection) -> StoreResult<()> {
    // First, because a checkpoint at close would run without our lock.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    // The schema has none, and an attacker with write access could add some.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_TRIGGER, false)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_VIEW, false)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_FKEY, true)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DML, false)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DDL, false)?;
    connection.set_prepared_statement_cache_capacity(64);
    // The two fullfsync switches matter on macOS only, where a plain fsync leaves data in the drive's cache.
    connection.execute_batch(
        "PRAGMA wal_autocheckpoint = 0;
         PRAGMA synchronous = FULL;
         PRAGMA fullfsync = ON;
         PRAGMA checkpoint_fullfsync = ON;
         PRAGMA secure_delete = ON;
         PRAGMA cell_size_check = ON;
         PRAGMA temp_store = MEMORY;",
    )?;
    Ok(())
}

fn in_read_transaction<T>(
    connection: &Connection,
    confirm: impl FnOnce() -> StoreResult<()>,
    work: impl FnOnce(&Connection) -> StoreResult<T>,
) -> StoreResult<T> {
    let transaction = connection.unchecked_transaction()?;
    confirm()?;
    let answer = work(&transaction)?;
    transaction.commit()?;
    Ok(answer)
}

fn read_immutable<T>(files: &StoreFiles, work: impl FnOnce(&Connection) -> StoreResult<T>) -> Result<T> {
    let read = || -> StoreResult<T> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(immutable_uri(&files.store), flags)?;
        harden(&connection)?;
        in_read_transaction(&connection, || schema::inspect(&connection).map(drop), work)
    };
    read().map_err(|f| f.at(&files.store))
}

fn immutable_uri(store: &Path) -> String {
    use std::fmt::Write;
    let mut uri = String::from("file:");
    if cfg!(windows) {
        uri.push('/');
    }
    for &byte in store.as_os_str().as_encoded_bytes() {
        match byte {
            b'\\' if cfg!(windows) => uri.push('/'),
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'.' | b'_' | b'-' | b':' => {
                uri.push(char::from(byte));
            }
            _ => {
                let _ = write!(uri, "%{byte:02X}");
            }
        }
    }
    uri.push_str("?immutable=1");
    uri
}
