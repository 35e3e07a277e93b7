//! Audit entries.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;

/// A MAC of the chain.
pub type Mac = [u8; 32];

/// The public id of a chain key.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChainKeyId(#[serde(with = "super::file::hex")] pub [u8; 8]);

impl fmt::Display for ChainKeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// One entry. Its parameters never include a PIN.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditEntry {
    /// Shared by the intent and the outcome of an operation.
    pub operation: [u8; 16],
    /// UTC.
    pub at: Timestamp,
    /// The entry as JSON without line break: kind (`intent` or `outcome`), caller, host, cmdlet, target, parameters, outcome.
    pub body: String,
}

/// An audit entry as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredEntry {
    /// Ascending; gaps are possible.
    pub seq: i64,
    /// The host of the chain.
    pub host: String,
    /// Its position in the chain, and the key of its MAC.
    pub binding: Binding,
    /// The entry.
    pub entry: AuditEntry,
    /// Binds it to the entry before it.
    pub mac: Mac,
}

/// The position of an entry in its chain, and the key of its MAC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Binding {
    /// From 1.
    pub position: u64,
    /// The id of the key.
    pub key: ChainKeyId,
}
