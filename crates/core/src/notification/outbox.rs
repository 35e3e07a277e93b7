//! Messages recorded before, or with, the PIN change they announce, until they are handed over.

pub mod entry;

pub use entry::{EntryState, Lease, OutboxEntry};

use crate::Result;
use crate::audit::AuditBatch;
use crate::clock::Timestamp;
use crate::directory::Page;
use crate::directory::key_register::KeyRegister;
use crate::mailbox::ObjectId;

/// The port to the outbox.
///
/// An entry is its maker's alone until its lease ends; afterwards whoever leases it. Entries that were put off wait as well,
/// but can be had early by [`Outbox::lease`].
pub trait Outbox: Send + Sync {
    /// As [`crate::directory::Directory::start_threads`].
    ///
    /// # Errors
    /// As there.
    fn start_threads(&self) -> Result<()> {
        Ok(())
    }

    /// What the store of the outbox keeps about keys that were replaced; `None` where keys cannot be replaced.
    fn key_register(&self) -> Option<&dyn KeyRegister> {
        None
    }

    /// Notes that the entry's PIN was set, and prolongs the lease; durable when this returns. `None`: the lease is another's.
    ///
    /// # Errors
    /// Those of the store.
    fn release(&self, lease: Lease, until: Timestamp) -> Result<Option<Lease>>;

    /// Leases up to `limit` entries that nobody has leased at `due` and that are not put off beyond it, oldest first. An entry that
    /// was put off after `now` is due: the clock was set back since.
    ///
    /// # Errors
    /// Those of the store.
    fn lease_due(
        &self,
        due: Timestamp,
        now: Timestamp,
        lease_until: Timestamp,
        limit: usize,
    ) -> Result<Vec<OutboxEntry>>;

    /// Leases one entry, whether due or put off; `None` when somebody has it, or when it is gone or given up.
    ///
    /// # Errors
    /// Those of the store.
    fn lease(&self, id: [u8; 16], now: Timestamp, lease_until: Timestamp) -> Result<Option<OutboxEntry>>;

    /// Wipes an entry that was handed over; need not be durable at once, because delivering twice is harmless.
    ///
    /// # Errors
    /// Those of the store.
    fn remove(&self, id: [u8; 16]) -> Result<()>;

    /// Wipes an entry that is not to be sent, and records why; durable when this returns.
    ///
    /// # Errors
    /// Those of the store.
    fn discard(&self, id: [u8; 16], audit: Option<AuditBatch>) -> Result<()>;

    /// Puts an entry off after a failed attempt. False: the lease is another's.
    ///
    /// # Errors
    /// Those of the store.
    fn defer(&self, lease: Lease, until: Timestamp, error: &str) -> Result<bool>;

    /// Gives an entry up: wipes its content and keeps the rest until `keep_until`; durable when this returns. False: the lease is
    /// another's, and nothing was done.
    ///
    /// # Errors
    /// Those of the store.
    fn fail(&self, lease: Lease, keep_until: Timestamp, error: &str, audit: Option<AuditBatch>) -> Result<bool>;

    /// The entries that were given up and not yet told anybody by this; each is told once.
    ///
    /// # Errors
    /// Those of the store.
    fn take_failures(&self) -> Result<Vec<OutboxEntry>>;

    /// What is in the outbox, without the content, oldest first; of one mailbox, or of all.
    ///
    /// # Errors
    /// Those of the store; `InvalidRequest` for a cursor that is not one.
    fn entries(&self, mailbox: Option<ObjectId>, after: Option<&str>, limit: usize) -> Result<Page<OutboxEntry>>;
}
