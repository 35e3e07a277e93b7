//! The port to what a store keeps about keys that were replaced: under these nothing is sealed any more.
//!
//! The store decides, not the key files: it compares in the transaction of each change, so that no process that loaded its keys
//! earlier seals anything under a key whose file may be removed already.

use crate::Result;
use crate::audit::{AuditBatch, ChainKeyId, ChainKeys};
use crate::clock::Timestamp;
use crate::credential::master_key::KeyId;
use crate::mailbox::ObjectId;
use crate::{Error, ErrorCode};

/// A key that was replaced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RetiredKey {
    /// The key.
    pub id: KeyId,
    /// The one that replaced it; may have been replaced since.
    pub successor: KeyId,
    /// Names its audit sub-key.
    pub chain: ChainKeyId,
    /// Its audit sub-key, sealed under the key that seals now ([`crate::credential::keyring::KeyRing::sealed_chain_key`]).
    pub audit_key: Vec<u8>,
    /// When it was replaced.
    pub at: Timestamp,
    /// The update that did it.
    pub operation: [u8; 16],
    /// Whether that update has found everything to be sealed under the successor.
    pub is_done: bool,
}

/// From one key to the next, in one transaction.
pub struct Retirement {
    /// The keys that are replaced, and those replaced earlier, whose audit sub-keys are sealed anew.
    pub keys: Vec<RetiredKey>,
    /// Seals the heads of the audit chains anew, where they are genuine: the new key first.
    pub chain: ChainKeys,
    /// What the audit is told.
    pub audit: Option<AuditBatch>,
}

/// A message in the outbox.
pub struct SealedMessage {
    /// Its id.
    pub id: [u8; 16],
    /// Whose PIN it announces.
    pub mailbox: ObjectId,
    /// Its sealed content.
    pub sealed: Vec<u8>,
}

/// What a store keeps about keys that were replaced.
pub trait KeyRegister: Send + Sync {
    /// The keys that were replaced, in the order of their replacement; none where there is no store.
    ///
    /// # Errors
    /// Those of the store.
    fn retired_keys(&self) -> Result<Vec<RetiredKey>>;

    /// Records the replacement; durable when this returns. From then on the store takes nothing sealed under these keys.
    ///
    /// # Errors
    /// Those of the store.
    fn retire(&self, step: Retirement) -> Result<()>;

    /// Messages that are sealed under another key than this, in the order of their ids.
    ///
    /// # Errors
    /// Those of the store.
    fn messages_under_others(&self, key: KeyId, after: Option<[u8; 16]>, limit: usize) -> Result<Vec<SealedMessage>>;

    /// Compare-and-swap of a message's content. False: it is gone, or was sealed anew by somebody else.
    ///
    /// # Errors
    /// Those of the store.
    fn reseal_message(&self, message: &SealedMessage, new: Vec<u8>) -> Result<bool>;

    /// Records how an update ended.
    ///
    /// # Errors
    /// Those of the store.
    fn conclude(&self, operation: [u8; 16], is_done: bool, audit: Option<AuditBatch>) -> Result<()>;
}

/// The refusal of what is sealed, or chained, under a key that was replaced: whoever loads the keys again has the new one.
pub fn replaced() -> Error {
    Error::new(
        ErrorCode::WriteConflict,
        "The key was replaced while the change was being made; nothing was changed.",
    )
    .detail(REPLACED, true)
}

/// Whether an error is that refusal.
pub(crate) fn is_replaced(error: &Error) -> bool {
    error.code() == ErrorCode::WriteConflict && error.details().contains_key(REPLACED)
}

const REPLACED: &str = "keyReplaced";
