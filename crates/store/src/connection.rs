//! Connections: how one is opened, when it may still be used, and the locks around everything it does.

use std::cell::Cell;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};

use super::error::{Fault, Sql};
use super::lock::{Deadline, Held, Mode, StoreLock};
use super::schema;
use super::schema::check;
use super::site::{FileId, Site, file_id};
use umpin_core::{Error, ErrorCode, Result};

/// 1000 pages of 4096 bytes with their frame headers.
const CHECKPOINT_AT: u64 = 1000 * (4096 + 24);

/// What a connection is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Purpose {
    Read,
    Write,
}

/// A connection with its own lock; both are made at first need.
#[derive(Debug, Default)]
pub(super) struct Slot {
    lock: Option<Arc<StoreLock>>,
    open: Option<Open>,
}

#[derive(Debug)]
struct Open {
    connection: Connection,
    store: FileId,
    shm: FileId,
    /// Of the schema that was found to be ours.
    schema: Cell<i64>,
}

impl Open {
    /// To be called first in each transaction: somebody may have changed the schema since.
    fn confirm_schema(&self) -> Sql<()> {
        if check::cookie(&self.connection)? != self.schema.get() {
            self.schema.set(schema::inspect(&self.connection)?);
        }
        Ok(())
    }
}

impl Slot {
    /// Runs `work` in one read transaction.
    pub(super) fn read<T>(&mut self, site: &Site, work: impl FnOnce(&Connection) -> Sql<T>) -> Result<T> {
        let deadline = Deadline::after(site.timeout);
        let unlockable = self.find_lock(site)?.err();
        let lockable = unlockable.is_none();
        if site.read_only || !lockable {
            // Where the database file alone holds everything, reading it as immutable leaves no trace on disk. Such a
            // connection must not outlive the lock: it would not notice another's changes.
            let held = if lockable {
                Some(self.lock(site, Mode::Shared, deadline)?)
            } else {
                None
            };
            if site.is_checkpointed() {
                return read_immutable(site, work);
            }
            drop(held);
            if let Some(why) = unlockable {
                return Err(Error::new(
                    ErrorCode::AccessDenied,
                    format!(
                        "The directory '{}' has changes beside it that can only be read together with its lock file, which this account cannot create: {why}.",
                        site.store.display()
                    ),
                )
                .caused_by(why));
            }
        }
        let held = self.lock(site, Mode::Shared, deadline)?;
        if self.is_current(site) && !site.is_shm_short() {
            return self.run(site, &held, work);
        }
        drop(held);
        let held = self.lock(site, Mode::Exclusive, deadline)?;
        match self.make_ready(site, Purpose::Read) {
            Ok(()) => self.run(site, &held, work),
            // A directory that may not be written has no place for SQLite's shared memory.
            Err(fault) if fault.cannot_open() && site.is_checkpointed() => read_immutable(site, work),
            Err(fault) => Err(fault.at(&site.store)),
        }
    }

    fn run<T>(&mut self, site: &Site, _held: &Held, work: impl FnOnce(&Connection) -> Sql<T>) -> Result<T> {
        let answer = match &self.open {
            Some(open) => in_read_transaction(&open.connection, || open.confirm_schema(), work),
            None => Err(Fault::Own(Error::new(ErrorCode::NativeFault, "No connection."))),
        };
        site.note_shm();
        answer.map_err(|fault| {
            if fault.spoils_connection() {
                self.open = None;
            }
            fault.at(&site.store)
        })
    }

    /// Takes the exclusive lock and makes a connection ready to write. It may be used while the lock is held.
    pub(super) fn enter_write(&mut self, site: &Site) -> Result<Held> {
        let held = self.lock_for_write(site)?;
        self.make_ready(site, Purpose::Write).map_err(|f| f.at(&site.store))?;
        Ok(held)
    }

    /// The exclusive lock alone.
    pub(super) fn lock_for_write(&mut self, site: &Site) -> Result<Held> {
        if let Err(why) = self.find_lock(site)? {
            return Err(Error::new(
                ErrorCode::AccessDenied,
                format!(
                    "The lock file of the directory '{}' cannot be created by this account: {why}.",
                    site.store.display()
                ),
            )
            .caused_by(why));
        }
        self.lock(site, Mode::Exclusive, Deadline::after(site.timeout))
    }

    /// The connection of `enter_write`.
    pub(super) fn connection(&self) -> Sql<&Connection> {
        self.open
            .as_ref()
            .map(|o| &o.connection)
            .ok_or_else(|| Fault::Own(Error::new(ErrorCode::NativeFault, "No connection.")))
    }

    /// Begins a transaction that writes.
    pub(super) fn begin(&self) -> Sql<()> {
        let Some(open) = &self.open else {
            return self.connection().map(drop);
        };
        open.connection.execute_batch("BEGIN IMMEDIATE")?;
        open.confirm_schema()
    }

    /// Replaces the connection of `enter_write` by a new one, which knows nothing of what the old one had begun.
    pub(super) fn reopen(&mut self, site: &Site) -> Sql<()> {
        self.open = None;
        self.make_ready(site, Purpose::Write)
    }

    /// Gives the connection up.
    pub(super) fn close(&mut self) {
        self.open = None;
    }

    /// Moves the write-ahead log into the database once it is long; the exclusive lock must be held. That it fails loses nothing.
    pub(super) fn checkpoint_if_long(&mut self, site: &Site) {
        if site.wal_length() > CHECKPOINT_AT {
            self.checkpoint(site);
        }
    }

    /// Moves the write-ahead log into the database and truncates it, which also wipes what it held of replaced records.
    pub(super) fn checkpoint(&mut self, site: &Site) {
        let Some(open) = &self.open else { return };
        let done = open
            .connection
            .execute_batch("PRAGMA synchronous = FULL; PRAGMA wal_checkpoint(TRUNCATE)");
        site.note_shm();
        if done.is_err() {
            self.open = None;
        }
    }

    /// At the end of the directory's life: checkpoint, unless somebody else is inside.
    pub(super) fn checkpoint_if_free(&mut self, site: &Site) {
        if !self.is_current(site) || site.is_shm_short() {
            return;
        }
        let lock = self.lock.clone();
        if let Some(Ok(Some(_held))) = lock.map(|l| l.try_exclusive(&site.store)) {
            self.checkpoint(site);
        }
    }

    /// Inside: the system's reason why there is no lock file and none can be made.
    fn find_lock(&mut self, site: &Site) -> Result<io::Result<()>> {
        if !self.lock.as_deref().is_some_and(|l| site.is_lock_current(l)) {
            match site.open_lock()? {
                Ok(lock) => self.lock = Some(lock),
                Err(why) => {
                    self.lock = None;
                    return Ok(Err(why));
                }
            }
        }
        Ok(Ok(()))
    }

    fn lock(&mut self, site: &Site, mode: Mode, deadline: Deadline) -> Result<Held> {
        loop {
            if let Some(lock) = &self.lock {
                let held = lock.acquire(mode, deadline, &site.store)?;
                if site.is_lock_current(lock) {
                    return Ok(held);
                }
            }
            if let Err(why) = self.find_lock(site)? {
                return Err(Error::new(
                    ErrorCode::AccessDenied,
                    format!(
                        "The lock file of the directory '{}' is gone: {why}.",
                        site.store.display()
                    ),
                )
                .caused_by(why));
            }
        }
    }

    /// Whether the connection is open on the files that are there now: a store may be restored from a backup meanwhile.
    fn is_current(&self, site: &Site) -> bool {
        self.open
            .as_ref()
            .is_some_and(|o| o.store == file_id(&site.store) && o.shm == file_id(&site.shm))
    }

    fn make_ready(&mut self, site: &Site, purpose: Purpose) -> Sql<()> {
        site.restore_shm()?;
        if self.is_current(site) {
            return Ok(());
        }
        self.open = None;
        if file_id(&site.store).is_none() {
            return Err(Fault::Own(super::error::missing(&site.store)));
        }
        let (connection, schema) = open(site, purpose)?;
        site.note_shm();
        self.open = Some(Open {
            connection,
            store: file_id(&site.store),
            shm: file_id(&site.shm),
            schema: Cell::new(schema),
        });
        Ok(())
    }
}

/// Opens the store; the exclusive lock must be held, because the first read may rebuild the shared memory.
fn open(site: &Site, purpose: Purpose) -> Sql<(Connection, i64)> {
    let look = |purpose| -> Sql<_> {
        let connection = connect(&site.store, purpose, site.timeout)?;
        let schema = schema::inspect(&connection)?;
        Ok((connection, schema))
    };
    let (connection, schema) = match look(purpose) {
        Err(fault) if fault.needs_recovery() => {
            // Opening it to write is what takes the unfinished change back; who may only read has to wait for somebody who may.
            look(Purpose::Write)?;
            look(purpose)?
        }
        looked => looked?,
    };
    // Nothing is changed for a reader's sake: a restored backup has no write-ahead log, and reading works without it.
    if purpose == Purpose::Read || is_wal(&connection)? {
        return Ok((connection, schema));
    }
    let mode: String = connection.query_row("PRAGMA journal_mode = WAL", [], |r| r.get(0))?;
    if mode != "wal" {
        return Err(Fault::Own(Error::new(
            ErrorCode::AccessDenied,
            format!(
                "The directory '{}' cannot be given a write-ahead log.",
                site.store.display()
            ),
        )));
    }
    Ok((connection, schema))
}

fn is_wal(connection: &Connection) -> Sql<bool> {
    let mode: String = connection.query_row("PRAGMA journal_mode", [], |r| r.get(0))?;
    Ok(mode == "wal")
}

fn connect(store: &Path, purpose: Purpose, timeout: Duration) -> Sql<Connection> {
    let access = match purpose {
        Purpose::Read => OpenFlags::SQLITE_OPEN_READ_ONLY,
        Purpose::Write => OpenFlags::SQLITE_OPEN_READ_WRITE,
    };
    let connection = Connection::open_with_flags(store, access | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    // Only foreign programs can still be in the way here.
    connection.busy_timeout(timeout)?;
    harden(&connection)?;
    Ok(connection)
}

/// Opens the file of a store that is being made; nobody else knows it yet.
pub(super) fn open_draft(path: &Path) -> Sql<Connection> {
    connect(path, Purpose::Write, Duration::ZERO)
}

/// A store in memory, to try an import on.
pub(super) fn open_in_memory() -> Sql<Connection> {
    let connection = Connection::open_in_memory()?;
    harden(&connection)?;
    Ok(connection)
}

fn harden(connection: &Connection) -> Sql<()> {
    // First of all: a checkpoint at close would happen without our lock.
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
    // There are none of our own, and whoever can write the file could put some there.
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
    confirm: impl FnOnce() -> Sql<()>,
    work: impl FnOnce(&Connection) -> Sql<T>,
) -> Sql<T> {
    let transaction = connection.unchecked_transaction()?;
    confirm()?;
    let answer = work(&transaction)?;
    transaction.commit()?;
    Ok(answer)
}

fn read_immutable<T>(site: &Site, work: impl FnOnce(&Connection) -> Sql<T>) -> Result<T> {
    let read = || -> Sql<T> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(immutable_uri(&site.store), flags)?;
        harden(&connection)?;
        in_read_transaction(&connection, || schema::inspect(&connection).map(drop), work)
    };
    read().map_err(|f| f.at(&site.store))
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
