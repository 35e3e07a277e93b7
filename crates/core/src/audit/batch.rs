//! Entries to be recorded, and the keys that bind them.

use super::chain::{ChainKey, ChainKeys};
use super::entry::AuditEntry;
use crate::clock::Timestamp;

/// Entries to be recorded together with a change, and the keys of their chain.
#[derive(Clone)]
pub struct AuditBatch {
    /// The host whose chain the entries continue.
    pub host: String,
    /// In the order in which they are to be read.
    pub entries: Vec<AuditEntry>,
    /// The active one binds the entries; the others tell whether a head that an older key sealed is genuine.
    pub keys: ChainKeys,
    /// Entries older than this may be removed; `None`: they are kept for ever.
    pub retain_since: Option<Timestamp>,
}

impl AuditBatch {
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
