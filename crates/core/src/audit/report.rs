//! What the check of a log can say.

use serde::{Deserialize, Serialize};

use crate::clock::Timestamp;

/// What kind of log is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum LogKind {
    /// Entries and heads change together.
    Store,
    /// A file that was written as a whole, each head after the entries.
    Export,
    /// A file that is appended to, its head replaced afterwards.
    Journal,
}

/// How a log ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Ending {
    /// With a whole entry or line.
    #[default]
    Complete,
    /// In the middle of a line.
    Torn,
}

/// In which way a log was tampered with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ChainErrorKind {
    /// The entry is not as it was written.
    Changed,
    /// Entries before it are gone.
    Missing,
    /// The last entries are gone.
    Truncated,
    /// The entry stands in a wrong place, or twice.
    Reordered,
    /// The head is gone.
    HeadMissing,
    /// The head is not as it was written, or is an older one.
    HeadAltered,
    /// Binding with a key that is not in the ring.
    UnknownKey,
    /// Not an entry at all.
    Malformed,
}

/// The first place where a chain is broken.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChainError {
    /// Whose chain; empty for a line that belongs to none.
    pub host: String,
    /// The entry, or the last one before what is missing; none where the chain has none.
    pub seq: Option<i64>,
    /// The line, of a file.
    pub line: Option<u64>,
    /// What is wrong.
    pub kind: ChainErrorKind,
}

/// What the check says of a chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ChainStatus {
    /// Nothing was changed, removed, inserted or moved.
    Intact,
    /// As a crash leaves it: what the head counts is intact, and what follows it is not complete.
    TornTail,
    /// Tampered with.
    Broken(ChainError),
}

/// The verdict on one host's chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChainReport {
    /// Whose chain.
    pub host: String,
    /// The verdict.
    pub verdict: ChainStatus,
    /// How many entries were read.
    pub entries: u64,
    /// How many entries retention has removed.
    pub removed: u64,
    /// When the newest of them was written.
    pub removed_until: Option<Timestamp>,
}
