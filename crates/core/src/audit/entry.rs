//! What is recorded.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;

/// A MAC of the chain.
pub type Mac = [u8; 32];

/// Names a chain key in the clear; says nothing about it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChainKeyId(#[serde(with = "super::file::hex")] pub [u8; 8]);

impl fmt::Display for ChainKeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

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

/// An audit entry as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredEntry {
    /// Ascending; gaps are possible.
    pub seq: i64,
    /// Whose chain it belongs to.
    pub host: String,
    /// Which one of its chain it is, and the key that binds it.
    pub bound: Binding,
    /// What was recorded.
    pub entry: AuditEntry,
    /// Binds it to the one before it in the chain.
    pub mac: Mac,
}

/// What an entry says of its binding.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Binding {
    /// From 1.
    pub position: u64,
    /// Names the key.
    pub key: ChainKeyId,
}
