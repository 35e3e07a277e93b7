//! Replacing the key: a new one is made and becomes active, then everything is sealed anew, a part at a time, while the store is in
//! use.
//!
//! A first step records in the store which keys are replaced (`directory/key_register.rs`): from then on nothing is sealed under
//! them, so whatever a later pass finds sealed under the new key stays so. Everything after that can be done again: an update that
//! ended anywhere goes on where it is called next. Resets and sign-ins go on; where one of them changes a mailbox at the same time,
//! its change stands and the mailbox is looked at again.

mod begin;
mod cursor;
mod step;

use std::path::PathBuf;
use std::sync::Arc;

use crate::clock::Clock;
use crate::directory::Directory;
use crate::keys::Keys;
use crate::notification::outbox::Outbox;
use crate::service::audit_writer::AuditWriter;
use crate::service::commit::Commit;
use crate::service::records::Records;
use crate::service::resolve::Resolver;

use super::Warning;
use crate::cancellation::Cancellation;
use crate::credential::master_key::KeyId;

/// What `Update-UMPinKey` was asked for.
#[derive(Clone, Debug, Default)]
pub struct KeyUpdateRequest {
    /// What the step before said in `next`.
    pub after: Option<String>,
    /// Only say what would be done.
    pub what_if: bool,
    /// Make the new key and stop: it is to be copied to other hosts first.
    pub new_key_only: bool,
    /// Make no new key: only seal anew what is still sealed under another key than the active one.
    pub reseal_only: bool,
    /// At most so many mailboxes a second; `None`: as the directory's kind has it.
    pub per_second: Option<u32>,
    /// The command or function that was called, for the audit.
    pub cmdlet: Option<String>,
    /// Whether it is still wanted.
    pub cancellation: Cancellation,
}

/// A key that is, or is to be, replaced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReplacedKey {
    /// The key.
    pub id: KeyId,
    /// Its file.
    pub path: PathBuf,
    /// Whether nothing needs the file any more.
    pub is_removable: bool,
    /// Whether the configuration names the file: then its entry goes with it.
    pub is_configured: bool,
}

/// A mailbox or message that could not be sealed anew.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyProblem {
    /// The canonical name, or what is known instead.
    pub identity: String,
    /// One sentence.
    pub message: String,
}

/// What a step did, or would do.
#[derive(Clone, Debug, Default)]
pub struct KeyUpdate {
    /// The key that seals from now on; `None` where it is yet to be made.
    pub key: Option<(KeyId, PathBuf)>,
    /// Whether a step of this update made it.
    pub is_made: bool,
    /// The keys that it replaces, or has replaced.
    pub replaced: Vec<ReplacedKey>,
    /// Records that were sealed anew, in all steps.
    pub records: u64,
    /// Counters of failed sign-ins, likewise.
    pub counters: u64,
    /// Messages, likewise.
    pub messages: u64,
    /// Mailboxes that have a record, where that is known.
    pub total: Option<u64>,
    /// What could not be sealed anew in this step.
    pub problems: Vec<KeyProblem>,
    /// Whether everything is sealed under the key, and nothing needs another one.
    pub is_complete: bool,
    /// Pass it as `after`; `None` after the last step.
    pub next: Option<String>,
    /// What should be known.
    pub warnings: Vec<Warning>,
}

/// Replaces the key.
pub(super) struct KeyUpdates {
    pub directory: Arc<dyn Directory>,
    pub outbox: Arc<dyn Outbox>,
    pub resolver: Arc<Resolver>,
    pub records: Arc<Records>,
    pub audit: Arc<AuditWriter>,
    pub commits: Arc<dyn Commit>,
    pub keys: Arc<dyn Keys>,
    pub clock: Arc<dyn Clock>,
}
