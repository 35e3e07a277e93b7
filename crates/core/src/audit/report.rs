//! The results of the check of a log.

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;

/// What kind of log is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum LogKind {
    /// Entries and heads change together.
    Store,
    /// A file that was written as a whole, the heads after the entries.
    Export,
}

/// How a log ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Ending {
    /// With a whole entry or line.
    #[default]
    Complete,
    /// In the middle of a line.
    Truncated,
}

/// How a log was tampered with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ChainErrorKind {
    /// The entry is not as it was written.
    Changed,
    /// Entries before it were removed.
    Missing,
    /// The last entries were removed.
    Truncated,
    /// The entry was moved or repeated.
    Reordered,
    /// The head was removed.
    HeadMissing,
    /// The head was changed or replaced by an older one.
    HeadAltered,
    /// The key of the MAC is not in the key ring.
    UnknownKey,
    /// A line is not an entry.
    Malformed,
}

/// The first defect of a chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChainError {
    /// The host of the chain; empty for a malformed line.
    pub host: String,
    /// The entry, or the last one before those that are missing; `None` in an empty chain.
    pub seq: Option<i64>,
    /// The line of a file.
    pub line: Option<u64>,
    /// The kind of defect.
    pub kind: ChainErrorKind,
}

/// The state of a chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChainStatus {
    /// Nothing was changed, removed, inserted or moved.
    Intact,
    /// The file ends in the middle: entries are intact, and the end is missing, as in a copy that was cut off.
    TornTail,
    /// The chain was tampered with.
    Broken(ChainError),
}

/// The result of the check of one host's chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChainReport {
    /// The host.
    pub host: String,
    /// Its state.
    pub status: ChainStatus,
    /// The number of entries that were read.
    pub entries: u64,
    /// The number of entries that retention has removed.
    pub removed: u64,
    /// When the newest removed entry was written.
    pub removed_until: Option<Timestamp>,
}
