//! Audit entries: who changed what, bound into one keyed chain per host so that changes to the log show.

use zeroize::{Zeroize, ZeroizeOnDrop};

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

/// The key of the chain (a sub-key of the key ring): whoever lacks it cannot make a changed log look whole.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct ChainKey([u8; 32]);

/// Entries to be recorded together with a change, and the key that chains them.
pub struct AuditTrail {
    /// In the order in which they are to be read.
    pub entries: Vec<AuditEntry>,
    /// Links each entry to the one before it.
    pub key: ChainKey,
}

impl ChainKey {
    /// Takes the sub-key over.
    #[must_use]
    pub fn new(key: [u8; 32]) -> Self {
        Self(key)
    }

    /// The MAC of an entry that follows the entry with MAC `previous` (all zero before the first one).
    #[must_use]
    pub fn link(&self, _previous: &[u8; 32], _entry: &AuditEntry) -> [u8; 32] {
        todo!()
    }
}
