//! The embedded directory: one SQLite file.
//!
//! How several processes share it: `lock.rs`. Why an acknowledged change survives: `group.rs`. What a lookup costs: `lookup.rs`.

#![forbid(unsafe_code)]
#![deny(unreachable_pub)]

mod audit;
mod audit_failures;
mod audit_retention;
mod audit_rows;
mod change;
mod connection;
mod create;
mod elsewhere;
mod error;
mod examination;
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
mod outbox;
mod outbox_port;
mod overlay;
mod placed;
mod policies;
mod removal;
mod retired_keys;
mod schema;
mod site;
mod task;
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

pub use elsewhere::Elsewhere;
pub use local::LocalOutbox;

use self::connection::Slot;
use self::error::Sql;
use self::site::Site;
use self::task::{Done, FailedOperation, Task};
use self::writer::Writer;
use umpin_core::audit::{
    AuditBatch, AuditLog, ChainKeyId, LogCursor, LogKind, LogPage, OmittedFailures, RetentionPause, StoredEntry,
};
use umpin_core::cancellation::Cancellation;
use umpin_core::check::Check;
use umpin_core::clock::Timestamp;
use umpin_core::credential::keyring::KeyId;
use umpin_core::directory::{
    Applied, CredentialChange, Directory, Found, ImportCounts, MailboxFilter, Matches, Page, PolicyChange,
    PolicyObject, Removal, Route, SealedOtherwise, StoredCredential,
};
use umpin_core::identity::Identity;
use umpin_core::import::ImportPlan;
use umpin_core::mailbox::ObjectId;
use umpin_core::random::system_bytes;
use umpin_core::{Error, ErrorCode, Result};

/// How many connections read at the same time.
const READERS: usize = 4;

/// Pages that are copied before it is asked again whether the copy is still wanted: 16 MiB.
const PAGES_AT_ONCE: i32 = 4096;

/// Where the store is and how it is used.
#[derive(Clone, Debug)]
pub struct EmbeddedOptions {
    /// The SQLite file.
    pub path: PathBuf,
    /// Change nothing: for `-WhatIf` and the Get cmdlets. SQLite may still make its `-shm` file where a `-wal` is to be read.
    pub read_only: bool,
    /// How long to wait for other processes.
    pub busy_timeout: Duration,
    /// The group that shares a store made by import; none: its owner only.
    pub group: Option<String>,
}

impl EmbeddedOptions {
    /// Read and write, 30 s, for the owner only.
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
/// Dropping it carries out what is queued, and checkpoints if it wrote and nobody else is inside.
pub struct EmbeddedDirectory {
    options: EmbeddedOptions,
    elsewhere: Elsewhere,
    site: OnceLock<Arc<Site>>,
    readers: Readers,
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
    /// Touches nothing yet.
    #[must_use]
    pub fn new(options: EmbeddedOptions) -> Self {
        Self {
            options,
            elsewhere: Elsewhere::default(),
            site: OnceLock::new(),
            readers: Readers::default(),
            writer: Writer::default(),
        }
    }

    /// Names these where the store is missing.
    #[must_use]
    pub fn with_elsewhere(mut self, elsewhere: Elsewhere) -> Self {
        self.elsewhere = elsewhere;
        self
    }

    /// Whether the store is there.
    ///
    /// # Errors
    /// `AccessDenied` where that cannot be seen; `ConfigurationInvalid` for something that is no file.
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

    /// Makes an empty store where there is none, for its owner (or the group) only.
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
    /// As [`Directory::find`]; `DirectoryUnavailable` where the copy cannot be written or is already there.
    pub fn backup(&self, copy: &Path) -> Result<()> {
        self.site()?;
        files::create_file(copy, self.options.group.as_deref())?;
        let done = self.read(|c| {
            let mut target = Connection::open(copy)?;
            copy_pages(c, &mut target, &Cancellation::default())?;
            // A copy is one file: without this it would still ask for a write-ahead log.
            target.execute_batch("PRAGMA journal_mode = DELETE")?;
            Ok(())
        });
        if done.is_err() {
            let _ = fs::remove_file(copy);
        }
        done
    }

    /// The store, which must exist.
    fn site(&self) -> Result<&Arc<Site>> {
        if !self.exists()? {
            return Err(self.elsewhere.missing(&self.options.path));
        }
        if let Some(site) = self.site.get() {
            return Ok(site);
        }
        let path = &self.options.path;
        let path = fs::canonicalize(path).map_err(|e| error::io(e, "open the directory", path))?;
        let site = Arc::new(Site::new(path, &self.options));
        files::refuse_network(site.directory())?;
        files::refuse_exposed(&site.store, self.options.group.as_deref())?;
        Ok(self.site.get_or_init(|| site))
    }

    fn read<T>(&self, work: impl FnOnce(&Connection) -> Sql<T>) -> Result<T> {
        let site = self.site()?;
        let mut slot = self.readers.take();
        slot.slot.read(site, work)
    }

    fn sealed_under_others(&self, key: KeyId, after: Option<&str>, limit: usize) -> Result<Page<SealedOtherwise>> {
        self.read(|c| lookup::sealed_otherwise(c, key, after, limit))
    }

    fn write(&self, task: Task) -> Result<Done> {
        if self.options.read_only {
            return Err(error::read_only());
        }
        self.writer.run(self.site()?, task)
    }

    /// A change that leaves everything as it is, durable as any other.
    fn rewrite_version(&self) -> Result<()> {
        match self.write(Task::RewriteVersion)? {
            Done::Rewritten => Ok(()),
            _ => Err(misunderstood()),
        }
    }

    fn import_existing(&self, plan: &ImportPlan, trail: Option<&AuditBatch>) -> Result<ImportCounts> {
        let site = self.site()?;
        let _turn = site.import_turn(&plan.cancellation)?;
        import::steps::import(site, plan, trail, &|work| self.read(work))
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
        match self.write(Task::Policy(Box::new(change)))? {
            Done::Applied(applied) => Ok(applied),
            _ => Err(misunderstood()),
        }
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
        match self.write(Task::Apply(Box::new(change)))? {
            Done::Applied(applied) => Ok(applied),
            _ => Err(misunderstood()),
        }
    }

    fn check_removable(&self) -> Result<()> {
        Ok(())
    }

    fn remove_mailbox(&self, removal: Removal) -> Result<Applied> {
        match self.write(Task::Remove(Box::new(removal)))? {
            Done::Applied(applied) => Ok(applied),
            _ => Err(misunderstood()),
        }
    }

    /// All in one transaction, as far as its size goes.
    fn apply_all(&self, changes: Vec<CredentialChange>) -> Vec<Result<Applied>> {
        let count = changes.len();
        let tasks = changes
            .into_iter()
            .map(|change| Task::Apply(Box::new(change)))
            .collect();
        let done = if self.options.read_only {
            Err(error::read_only())
        } else {
            self.site().and_then(|site| self.writer.run_all(site, tasks))
        };
        match done {
            Ok(all) => all
                .into_iter()
                .map(|done| match done? {
                    Done::Applied(applied) => Ok(applied),
                    _ => Err(misunderstood()),
                })
                .collect(),
            Err(error) => (0..count).map(|_| Err(error::again(&error))).collect(),
        }
    }

    fn sealed_otherwise(&self, key: KeyId, after: Option<&str>, limit: usize) -> Result<Page<SealedOtherwise>> {
        self.sealed_under_others(key, after, limit)
    }

    fn record_count(&self) -> Result<Option<u64>> {
        self.read(lookup::record_count).map(Some)
    }

    /// Reads as a counted attempt reads, and syncs as it syncs.
    fn dummy_write(&self, _: Route<'_>) -> Result<()> {
        let nobody = ObjectId(system_bytes()?);
        self.read(|c| lookup::internal_key(c, nobody))?;
        self.rewrite_version()
    }

    /// A row is matched by GUID, else by UPN, DN and address together (`import/matching.rs`). If any row is refused, **nothing** is changed: the counts then only say what is refused, and the caller imports the rest by calling
    /// again without those rows.
    fn import(&self, plan: &ImportPlan, audit: Option<&AuditBatch>, dry_run: bool) -> Result<ImportCounts> {
        let exists = self.exists()?;
        if dry_run {
            return if exists {
                import::rehearse(plan, &|work| self.read(work))
            } else {
                create::rehearse(plan, &self.options.path)
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
    fn medium(&self) -> LogKind {
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

    fn page(&self, place: LogCursor, limit: usize) -> Result<LogPage> {
        self.read(|c| audit_rows::page(c, place, limit))
    }

    fn append_failed(&self, account: &str, entry: AuditBatch) -> Result<()> {
        let failed = FailedOperation {
            account: account.to_owned(),
            entry,
        };
        match self.write(Task::Failed(Box::new(failed)))? {
            Done::Recorded => Ok(()),
            _ => Err(misunderstood()),
        }
    }

    fn omitted_failures(&self) -> Result<Vec<OmittedFailures>> {
        self.read(failure_counts::omitted)
    }

    fn retention_pause(&self, now: Timestamp, since: Timestamp) -> Result<Option<RetentionPause>> {
        self.read(|c| audit_retention::pause(c, now, since))
    }
}

fn misunderstood() -> Error {
    Error::new(ErrorCode::NativeFault, "The writer answered another question.")
}

/// Within one read transaction of `from`.
fn copy_pages(from: &Connection, to: &mut Connection, cancellation: &Cancellation) -> Sql<()> {
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

/// The reading connections that are not in use, and how many there are at all.
#[derive(Default)]
struct Readers {
    state: Mutex<(Vec<Slot>, usize)>,
    returned: Condvar,
}

impl Readers {
    fn take(&self) -> Taken<'_> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some(slot) = state.0.pop() {
                return Taken { readers: self, slot };
            }
            if state.1 < READERS {
                state.1 += 1;
                let slot = Slot::default();
                return Taken { readers: self, slot };
            }
            state = self.returned.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

struct Taken<'a> {
    readers: &'a Readers,
    slot: Slot,
}

impl Drop for Taken<'_> {
    fn drop(&mut self) {
        let slot = std::mem::take(&mut self.slot);
        let mut state = self.readers.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.0.push(slot);
        drop(state);
        self.readers.returned.notify_one();
    }
}
