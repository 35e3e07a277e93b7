//! Entries to be appended, and the keys of their chain.

use super::chain::{ChainKey, ChainKeys};
use super::entry::AuditEntry;
use crate::clock::Timestamp;

/// Entries to be appended in the transaction of a change, and the keys of their chain.
#[derive(Clone)]
pub struct AuditBatch {
    /// The host of the chain.
    pub host: String,
    /// In order.
    pub entries: Vec<AuditEntry>,
    /// The active key binds the entries; the others verify a head that an older key sealed.
    pub keys: ChainKeys,
    /// Entries older than this may be removed; `None`: all are kept.
    pub retain_since: Option<Timestamp>,
}

impl AuditBatch {
    /// A batch without retention. The active key comes first, as [`KeyRing::chain_keys`] gives them.
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

    /// Lets entries older than this be removed.
    #[must_use]
    pub fn retaining_since(mut self, since: Option<Timestamp>) -> Self {
        self.retain_since = since;
        self
    }
}
