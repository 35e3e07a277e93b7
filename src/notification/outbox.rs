//! Messages recorded with the PIN change they announce, until they are handed over.

use crate::Result;
use crate::clock::Timestamp;
use crate::mailbox::ObjectId;

/// A message in the outbox, sealed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutboxEntry {
    /// Random; the local part of the `Message-ID`.
    pub id: [u8; 16],
    /// Whose PIN it announces.
    pub mailbox: ObjectId,
    /// Which PIN: an entry whose PIN has been superseded is not sent.
    pub pin_id: [u8; 16],
    /// When the PIN was set.
    pub created: Timestamp,
    /// Recipient and content, sealed under the outbox key.
    pub sealed: Vec<u8>,
    /// Nobody else touches the entry before this moment.
    pub leased_until: Timestamp,
    /// How often delivery was tried.
    pub attempts: u32,
    /// What the last attempt failed with; never message content.
    pub last_error: Option<String>,
}

/// The port to the outbox. In the embedded store it shares the transaction of the change (see `CredentialChange::message`).
pub trait Outbox: Send + Sync {
    /// Leases up to `limit` entries whose lease has run out, oldest first, until `lease_until`.
    ///
    /// # Errors
    /// Those of the store.
    fn lease_due(&self, now: Timestamp, lease_until: Timestamp, limit: usize) -> Result<Vec<OutboxEntry>>;

    /// Removes a delivered or superseded entry; need not be durable at once, because delivering twice is harmless.
    ///
    /// # Errors
    /// Those of the store.
    fn remove(&self, id: [u8; 16]) -> Result<()>;

    /// Puts an entry off after a failed attempt.
    ///
    /// # Errors
    /// Those of the store.
    fn defer(&self, id: [u8; 16], until: Timestamp, error: &str) -> Result<()>;
}
