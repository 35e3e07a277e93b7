//! The embedded directory: one SQLite file.
//!
//! `lock.rs` says how processes share it, `group.rs` why an acknowledged change survives, `lookup.rs` what a lookup costs.

#![forbid(unsafe_code)]
#![deny(unreachable_pub)]

mod audit;
mod audit_failures;
mod audit_retention;
mod audit_rows;
mod change;
mod checks;
mod command;
mod connection;
mod create;
mod error;
mod failure_counts;
mod files;
mod group;
mod import;
mod journal;
mod key_register;
mod key_register_port;
mod local;
mod lock;
mod lookup;
mod mailbox_rows;
mod other_stores;
mod outbox;
mod outbox_port;
mod overlay;
mod policies;
mod removal;
mod retired_keys;
mod schema;
mod store_files;
mod writer;

#[cfg(test)]
mod schema_tests;
#[cfg(test)]
mod tests;

use std::fmt;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use rusqlite::Connection;
use rusqlite::backup::{Backup, StepResult};

pub use local::LocalOutbox;
pub use other_stores::OtherStores;

use self::command::Command;
use self::connection::StoreConnection;
use self::error::StoreResult;
use self::store_files::StoreFiles;
use self::writer::Writer;
use umpin_core::audit::{
    AuditBatch, AuditLog, ChainKeyId, LogCursor, LogKind, LogPage, OmittedFailures, RetentionPause, StoredEntry,
};
use umpin_core::cancellation::Cancellation;
use umpin_core::check::Check;
use umpin_core::clock::Timestamp;
use umpin_core::credential::master_key::KeyId;
use umpin_core::directory::{
    Applied, CredentialChange, Directory, Found, ImportCounts, MailboxFilter, Matches, Page, PolicyChange,
    PolicyObject, Removal, Route, SealedOtherwise, StoredCredential,
};
use umpin_core::identity::Identity;
use umpin_core::import::ImportPlan;
use umpin_core::mailbox::ObjectId;
use umpin_core::random::system_bytes;
use umpin_core::{Error, ErrorCode, Result};

/// The most connections that read at the same time.
const READERS: usize = 4;

/// Pages copied between two checks for cancellation: 16 MiB.
const PAGES_AT_ONCE: i32 = 4096;

/// The options of a store.
#[derive(Clone, Debug)]
pub struct EmbeddedOptions {
    /// The SQLite file.
    pub path: PathBuf,
    /// Changes nothing: for `-WhatIf` and the Get cmdlets. SQLite may still create its `-shm` file to read a `-wal`.
    pub read_only: bool,
    /// How long to wait for other processes' locks.
    pub busy_timeout: Duration,
    /// The group that shares a store created by an import; `None`: its owner only.
    pub group: Option<String>,
}

impl EmbeddedOptions {
    /// For reading and writing, with a timeout of 30 s, for the owner only.
    #[must_use]
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self {
            path: path.into(),
            read_only: false,
            busy_timeout: Duration::from_secs(30),
            group: None,
        }
    }
}

/// A directory in one SQLite file. Only an import creates the file; anything else on a missing one is `DirectoryUnavailable`.
///
/// Dropping it runs the queued commands, and checkpoints if it wrote and no other connection has the lock.
pub struct EmbeddedDirectory {
    options: EmbeddedOptions,
    other_stores: OtherStores,
    files: OnceLock<Arc<StoreFiles>>,
    readers: ReaderPool,
    writer: Writer,
}

impl fmt::Debug for EmbeddedDirectory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EmbeddedDirectory")
            .field("options", &self.options)
            .finish_non_exhaustive()
    }
}

impl EmbeddedDirectory {
    /// Opens nothing yet.
    #[must_use]
    pub fn new(options: EmbeddedOptions) -> Self {
        Self {
            options,
            other_stores: OtherStores::default(),
            files: OnceLock::new(),
            readers: ReaderPool::default(),
            writer: Writer::default(),
        }
    }

    /// Sets the stores to name in the error for a missing one.
    #[must_use]
    pub fn with_other_stores(mut self, other_stores: OtherStores) -> Self {
        self.other_stores = other_stores;
        self
    }

    /// Whether the store exists.
    ///
    /// # Errors
    /// `AccessDenied` when that cannot be determined; `ConfigurationInvalid` for a path that is not a file.
    pub fn exists(&self) -> Result<bool> {
        let path = &self.options.path;
        match fs::metadata(path) {
            Ok(metadata) if metadata.is_file() => Ok(true),
            Ok(_) => Err(Error::new(
                ErrorCode::ConfigurationInvalid,
                format!("'{}' is not a file.", path.display()),
            )),
            Err(e) if matches!(e.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(false),
            Err(e) => Err(error::io(e, "open the directory", path)),
        }
    }

    /// Creates an empty store if there is none, for its owner (or the group) only.
    ///
    /// # Errors
    /// As an import's.
    pub fn ensure(&self) -> Result<()> {
        if self.exists()? {
            return Ok(());
        }
        if self.options.read_only {
            return Err(error::read_only());
        }
        create::create(&self.options, &ImportPlan::default(), None).map(drop)
    }

    /// Audit entries after `seq` (0: from the beginning), oldest first; for export and verification.
    ///
    /// # Errors
    /// As [`Directory::find`].
    pub fn audit_entries(&self, seq: i64, limit: usize) -> Result<Vec<StoredEntry>> {
        self.read(|c| audit_rows::entries(c, seq, limit))
    }

    /// Writes a consistent copy to a new file: the only safe way to copy a store that is in use.
    ///
    /// # Errors
    /// As [`Directory::find`]; `DirectoryUnavailable` when the copy exists or cannot be written.
    pub fn backup(&self, copy: &Path) -> Result<()> {
        self.files()?;
        files::create_file(copy, self.options.group.as_deref())?;
        let done = self.read(|c| {
            let mut target = Connection::open(copy)?;
            copy_pages(c, &mut target, &Cancellation::default())?;
            // The copy is one file and must not need a write-ahead log.
            target.execute_batch("PRAGMA journal_mode = DELETE")?;
            Ok(())
        });
        if done.is_err() {
            let _ = fs::remove_file(copy);
        }
        done
    }

    /// The files of the store, which must exist.
    fn files(&self) -> Result<&Arc<StoreFiles>> {
        if !self.exists()? {
            return Err(self.other_stores.missing(&self.options.path));
        }
        if let Some(files) = self.files.get() {
            return Ok(files);
        }
        let path = &self.options.path;
        let path = fs::canonicalize(path).map_err(|e| error::io(e, "open the directory", path))?;
        let files = Arc::new(StoreFiles::new(path, &self.options));
        files::refuse_network(files.directory())?;
        files::refuse_exposed(&files.store, self.options.group.as_deref())?;
        Ok(self.files.get_or_init(|| files))
    }

    fn read<T>(&self, work: impl FnOnce(&Connection) -> StoreResult<T>) -> Result<T> {
        let files = self.files()?;
        let mut store = self.readers.take();
        store.store.read(files, work)
    }

    fn sealed_under_others(&self, key: KeyId, after: Option<&str>, limit: usize) -> Result<Page<SealedOtherwise>> {
        self.read(|c| lookup::sealed_otherwise(c, key, after, limit))
    }

    fn write<T: Send + 'static>(&self, command: Command<T>) -> Result<T> {
        if self.options.read_only {
            return Err(error::read_only());
        }
        self.writer.run(self.files()?, command)
    }

    /// A write that changes nothing, as durable as any other.
    fn rewrite_version(&self) -> Result<()> {
        self.write(Command::new(change::rewrite_version))
    }

    fn import_existing(&self, plan: &ImportPlan, batch: Option<&AuditBatch>) -> Result<ImportCounts> {
        let files = self.files()?;
        let _lock = files.import_lock(&plan.cancellation)?;
        import::steps::import(files, plan, batch, &|work| self.read(work))
    }
}

impl Directory for EmbeddedDirectory {
    fn kind(&self) -> &'static str {
        "embedded"
    }

    fn location(&self) -> String {
        self.options.path.display().to_string()
    }

    fn store_id(&self) -> Result<[u8; 16]> {
        self.read(lookup::store_id)
    }

    fn find(&self, identity: &Identity, _: Route<'_>) -> Result<Matches> {
        self.read(|c| lookup::find(c, identity.lookup_keys()))
    }

    fn find_by_extension(&self, number: &str, dial_plan: Option<&str>, _: Route<'_>) -> Result<Matches> {
        self.read(|c| lookup::find_by_extension(c, number, dial_plan))
    }

    fn find_by_object_id(&self, id: ObjectId, _: Route<'_>) -> Result<Option<Found>> {
        Ok(self.read(|c| lookup::find_by_object_id(c, id))?.map(Found::from))
    }

    fn mailboxes(&self, filter: MailboxFilter, _: Route<'_>, after: Option<&str>, limit: usize) -> Result<Page<Found>> {
        self.read(|c| lookup::page(c, filter, after, limit))
    }

    fn policy(&self, name: &str, _: Route<'_>) -> Result<Option<PolicyObject>> {
        self.read(|c| policies::by_name(c, name))
    }

    fn policies(&self, _: Route<'_>) -> Result<Vec<PolicyObject>> {
        self.read(policies::all)
    }

    fn check_policies_changeable(&self) -> Result<()> {
        Ok(())
    }

    fn change_policy(&self, change: PolicyChange, dry_run: bool) -> Result<Applied> {
        if dry_run {
            return self.read(|c| policies::check(c, &change));
        }
        let cancellation = change.cancellation.clone();
        self.write(Command::change(
            change,
            cancellation,
            policies::apply,
            policies::is_in_force,
        ))
    }

    fn holds_sealed_data(&self) -> Result<bool> {
        if !self.exists()? {
            return Ok(false);
        }
        self.read(lookup::holds_sealed_data)
    }

    fn some_records(&self, limit: usize) -> Result<Vec<(ObjectId, Vec<u8>)>> {
        if !self.exists()? {
            return Ok(Vec::new());
        }
        self.read(|c| lookup::some_records(c, limit))
    }

    fn start_threads(&self) -> Result<()> {
        self.writer.start()
    }

    fn examine(&self, _: &Cancellation) -> Result<Vec<Check>> {
        Ok(self.checks())
    }

    fn credential(&self, id: ObjectId, _: Option<&str>) -> Result<StoredCredential> {
        self.read(|c| lookup::credential(c, id))
    }

    fn apply(&self, change: CredentialChange) -> Result<Applied> {
        self.write(credential_command(change))
    }

    fn check_removable(&self) -> Result<()> {
        Ok(())
    }

    fn remove_mailbox(&self, removal: Removal) -> Result<Applied> {
        let cancellation = removal.cancellation.clone();
        let command = Command::change(removal, cancellation, removal::remove, removal::is_in_force);
        // The reply says that the mailbox is removed, so it must be gone from the log, too.
        self.write(command.wiping_log())
    }

    /// In one transaction, up to the size of a group.
    fn apply_all(&self, changes: Vec<CredentialChange>) -> Vec<Result<Applied>> {
        let count = changes.len();
        let commands = changes.into_iter().map(credential_command).collect();
        let replies = if self.options.read_only {
            Err(error::read_only())
        } else {
            self.files().and_then(|files| self.writer.run_all(files, commands))
        };
        replies.unwrap_or_else(|error| (0..count).map(|_| Err(error::duplicate(&error))).collect())
    }

    fn sealed_otherwise(&self, key: KeyId, after: Option<&str>, limit: usize) -> Result<Page<SealedOtherwise>> {
        self.sealed_under_others(key, after, limit)
    }

    fn record_count(&self) -> Result<Option<u64>> {
        self.read(lookup::record_count).map(Some)
    }

    /// Costs the same read and the same sync as a counted attempt.
    fn dummy_write(&self, _: Route<'_>) -> Result<()> {
        let nobody = ObjectId(system_bytes()?);
        self.read(|c| lookup::internal_key(c, nobody))?;
        self.rewrite_version()
    }

    /// Matches a row by GUID, else by UPN, DN and address together (`import/matching.rs`). If any row is refused, **nothing** is changed:
    /// the counts then have the refused rows only, and the caller imports the others by another call without those.
    fn import(&self, plan: &ImportPlan, audit: Option<&AuditBatch>, dry_run: bool) -> Result<ImportCounts> {
        let exists = self.exists()?;
        if dry_run {
            return if exists {
                import::dry_run(plan, &|work| self.read(work))
            } else {
                create::dry_run(plan, &self.options.path)
            };
        }
        if self.options.read_only {
            return Err(error::read_only());
        }
        if !exists && let create::Made::Counts(counts) = create::create(&self.options, plan, audit)? {
            return Ok(*counts);
        }
        self.import_existing(plan, audit)
    }
}

impl AuditLog for EmbeddedDirectory {
    fn log_kind(&self) -> LogKind {
        LogKind::Store
    }

    fn source(&self) -> String {
        self.location()
    }

    fn newest(&self) -> Result<Option<(ChainKeyId, Timestamp)>> {
        if !self.exists()? {
            return Ok(None);
        }
        self.read(audit_rows::newest)
    }

    fn page(&self, cursor: LogCursor, limit: usize) -> Result<LogPage> {
        self.read(|c| audit_rows::page(c, cursor, limit))
    }

    fn append_failed(&self, account: &str, entry: AuditBatch) -> Result<()> {
        let account = account.to_owned();
        self.write(Command::new(move |c| audit_failures::append(c, &account, &entry)))
    }

    fn omitted_failures(&self) -> Result<Vec<OmittedFailures>> {
        self.read(failure_counts::omitted)
    }

    fn retention_pause(&self, now: Timestamp, since: Timestamp) -> Result<Option<RetentionPause>> {
        self.read(|c| audit_retention::pause(c, now, since))
    }
}

fn credential_command(change: CredentialChange) -> Command<Applied> {
    let cancellation = change.cancellation.clone();
    Command::change(change, cancellation, change::apply, change::is_in_force)
}

/// Within one read transaction of `from`.
fn copy_pages(from: &Connection, to: &mut Connection, cancellation: &Cancellation) -> StoreResult<()> {
    let copy = Backup::new(from, to)?;
    loop {
        cancellation.check()?;
        match copy.step(PAGES_AT_ONCE)? {
            StepResult::Done => return Ok(()),
            StepResult::More => {}
            _ => return Err(Error::new(ErrorCode::DirectoryUnavailable, "The directory is busy.").into()),
        }
    }
}

/// The pool of reading connections: those that are idle, and the number of all.
#[derive(Default)]
struct ReaderPool {
    state: Mutex<(Vec<StoreConnection>, usize)>,
    returned: Condvar,
}

impl ReaderPool {
    fn take(&self) -> PooledReader<'_> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some(store) = state.0.pop() {
                return PooledReader { readers: self, store };
            }
            if state.1 < READERS {
                state.1 += 1;
                let store = StoreConnection::default();
                return PooledReader { readers: self, store };
            }
            state = self.returned.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

struct PooledReader<'a> {
    readers: &'a ReaderPool,
    store: StoreConnection,
}

impl Drop for PooledReader<'_> {
    fn drop(&mut self) {
        let store = std::mem::take(&mut self.store);
        let mut state = self.readers.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.0.push(store);
        drop(state);
        self.readers.returned.notify_one();
    }
}
