//! The audit log: who changed what, in one keyed MAC chain per host, so that tampering is detected.
//!
//! `entry` has the entries, `batch` those to be appended, `chain` the MACs, `verify` the check, `report` its results, `file` the log as
//! JSON lines; `failures` and `retention` limit its size.

mod batch;
mod chain;
mod entry;
mod failures;
pub mod file;
mod report;
mod retention;
mod verify;

pub use batch::AuditBatch;
pub use chain::{ChainKey, ChainKeys, ChainLink, Head};
pub use entry::{AuditEntry, Binding, ChainKeyId, Mac, StoredEntry};
pub use failures::{MAX_ACCOUNTS, MAX_ENTRIES, OmittedFailures, WINDOW_MILLIS};
pub use report::{ChainError, ChainErrorKind, ChainReport, ChainStatus, Ending, LogKind};
pub use retention::{GAP_MILLIS, RetentionPause};
pub use verify::Verifier;

use serde::{Deserialize, Serialize};

use crate::Result;
use crate::clock::Timestamp;

/// The position after the last page that was read. The default is the beginning of the log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogCursor {
    /// The `seq` of the last entry, or the offset in a file.
    pub offset: u64,
    /// The number of lines read from a file.
    pub line: u64,
}

/// An item of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LogItem {
    /// The claimed start of a host's chain; the head must confirm it.
    Start {
        /// The host.
        host: String,
        /// The link before the first entry.
        base: ChainLink,
    },
    /// An entry.
    Entry(StoredEntry),
    /// The head of a chain.
    Head(Head),
    /// A line that cannot be parsed.
    Malformed {
        /// Its number, from 1.
        line: u64,
    },
}

/// A part of a log, as of one moment.
#[derive(Clone, Debug)]
pub struct LogPage {
    /// In the order of writing; on the last page the heads follow the entries.
    pub items: Vec<LogItem>,
    /// The start of the next page; `None` on the last one.
    pub next: Option<LogCursor>,
    /// How the log ends; meaningful on the last page.
    pub ending: Ending,
}

/// The port to audit logs. The entries of a change are appended by the directory, in the transaction of the change, or by the journal
/// of a remote directory. The entry of a failed operation, which changed nothing, is appended here.
pub trait AuditLog: Send + Sync {
    /// The kind of log, for the check.
    fn log_kind(&self) -> LogKind;

    /// Its path, for messages.
    fn source(&self) -> String;

    /// The newest entry: the id of its key, and its time. `None`: the log is empty, or is an export.
    ///
    /// # Errors
    /// As [`Self::page`].
    fn newest(&self) -> Result<Option<(ChainKeyId, Timestamp)>> {
        Ok(None)
    }

    /// At most `limit` entries after `cursor`.
    ///
    /// # Errors
    /// As the directory's, or `AuditFileUnusable` for an export.
    fn page(&self, cursor: LogCursor, limit: usize) -> Result<LogPage>;

    /// Records a failed operation of `account`, or only counts it after [`MAX_ENTRIES`] in an hour; durable when this returns. An
    /// export ignores it.
    ///
    /// # Errors
    /// As the directory's; `AuditChainBroken` when the head of the chain is not valid.
    fn append_failed(&self, _account: &str, _entry: AuditBatch) -> Result<()> {
        Ok(())
    }

    /// Failures that were counted, and for which no entry exists yet.
    ///
    /// # Errors
    /// As the directory's.
    fn omitted_failures(&self) -> Result<Vec<OmittedFailures>> {
        Ok(Vec::new())
    }

    /// Whether the removal of entries from before `since` is paused because the clock may be wrong.
    ///
    /// # Errors
    /// As the directory's.
    fn retention_pause(&self, _now: Timestamp, _since: Timestamp) -> Result<Option<RetentionPause>> {
        Ok(None)
    }
}
