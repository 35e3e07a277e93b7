//! What is recorded.

use serde::{Deserialize, Serialize};

use super::chain::{ChainKey, ChainKeyId, ChainKeys, Mac};
use crate::clock::Timestamp;

/// One entry as it is written. The parameters never include a PIN.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEntry {
    /// Joins intent and outcome.
    pub operation: [u8; 16],
    /// UTC.
    pub at: Timestamp,
    /// The entry as JSON without line break: kind (`intent` or `outcome`), caller, host, cmdlet, target, parameters, outcome.
    pub body: String,
}

/// Entries to be recorded together with a change, and the keys of their chain.
#[derive(Clone)]
pub struct AuditTrail {
    /// The host whose chain the entries continue.
    pub host: String,
    /// In the order in which they are to be read.
    pub entries: Vec<AuditEntry>,
    /// The active one binds the entries; the others tell whether a head that an older key sealed is genuine.
    pub keys: ChainKeys,
    /// Entries older than this may be removed; `None`: they are kept for ever.
    pub retain_since: Option<Timestamp>,
}

impl AuditTrail {
    /// Entries that are kept for ever. The active key comes first, as [`KeyRing::chain_keys`] gives them.
    ///
    /// [`KeyRing::chain_keys`]: crate::credential::keyring::KeyRing::chain_keys
    #[must_use]
    pub fn new(host: impl Into<String>, entries: Vec<AuditEntry>, keys: Vec<ChainKey>) -> Self {
        Self {
            host: host.into(),
            entries,
            keys: ChainKeys::new(keys),
            retain_since: None,
        }
    }

    /// Lets entries that are older than this be removed.
    #[must_use]
    pub fn retaining_since(mut self, since: Option<Timestamp>) -> Self {
        self.retain_since = since;
        self
    }
}

/// An audit entry as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredEntry {
    /// Ascending; gaps are possible.
    pub seq: i64,
    /// Whose chain it belongs to.
    pub host: String,
    /// Which one of its chain it is, and the key that binds it.
    pub bound: Bound,
    /// What was recorded.
    pub entry: AuditEntry,
    /// Binds it to the one before it in the chain.
    pub mac: Mac,
}

/// What an entry says of its binding.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bound {
    /// From 1.
    pub position: u64,
    /// Names the key.
    pub key: ChainKeyId,
}
