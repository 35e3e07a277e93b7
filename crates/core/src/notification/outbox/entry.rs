//! A message in the outbox, and the right to handle it.

use crate::clock::Timestamp;
use crate::mailbox::ObjectId;

/// What is known of the PIN that an entry announces.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryState {
    /// Recorded before the change was asked for: whether it was made is not known. Only a directory that does not share its
    /// transactions with the outbox has such entries.
    Unconfirmed,
    /// The PIN was set; the message is to be handed over.
    Ready,
    /// Given up. The content is wiped; the entry is kept for a while to be listed.
    Failed,
}

/// A message in the outbox, sealed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutboxEntry {
    /// Random; the local part of the `Message-ID`.
    pub id: [u8; 16],
    /// Whose PIN it announces.
    pub mailbox: ObjectId,
    /// Which PIN: an entry whose PIN has been superseded is not sent.
    pub pin_id: [u8; 16],
    /// Where the change was written, and where alone its fate can be read ([`crate::directory::Found::controller`]).
    pub controller: Option<String>,
    /// What is known of the PIN.
    pub state: EntryState,
    /// When the PIN was set.
    pub created: Timestamp,
    /// Recipient and content, sealed under the outbox key; empty in listings and once given up.
    pub sealed: Vec<u8>,
    /// Nobody else touches the entry before this moment. Of one that was given up: it is forgotten then.
    pub leased_until: Timestamp,
    /// How often delivery was tried.
    pub attempts: u32,
    /// What the last attempt failed with; never message content.
    pub last_error: Option<String>,
}

impl OutboxEntry {
    /// The right to handle it.
    #[must_use]
    pub fn lease(&self) -> Lease {
        Lease {
            id: self.id,
            until: self.leased_until,
        }
    }
}

/// The right to handle an entry. Whoever handles it for too long loses it to another: then what he says of it is ignored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lease {
    /// The entry.
    pub id: [u8; 16],
    /// When it ends; tells this lease from a later one.
    pub until: Timestamp,
}
