//! The audit log: who changed what, bound into one keyed chain per host, so that changes to the log show.
//!
//! `entry` is what is written, `trail` what is to be written, `chain` what binds it, `verify` the check, `file` the log as JSON lines, `failures` and `retention`
//! what bounds it.

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
pub use failures::{MOST_ACCOUNTS, MOST_ENTRIES, OmittedFailures, WINDOW_MILLIS};
pub use report::{ChainError, ChainErrorKind, ChainReport, ChainStatus, Ending, LogKind};
pub use retention::{GAP_MILLIS, RetentionPause};
pub use verify::Verifier;

use serde::{Deserialize, Serialize};

use crate::Result;
use crate::clock::Timestamp;

/// Where the next page of a log begins. The default is its beginning.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogCursor {
    /// The last `seq` read, or the bytes of a file that are read.
    pub at: u64,
    /// The lines of a file that are read.
    pub line: u64,
}

/// One thing that a log holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LogItem {
    /// Where the log says that a host's chain begins; believed only once the head confirms it.
    Start {
        /// Whose chain.
        host: String,
        /// What the first entry follows.
        base: ChainLink,
    },
    /// An entry.
    Entry(StoredEntry),
    /// The head of a chain.
    Head(Head),
    /// A line that is none of these.
    Malformed {
        /// Its number, from 1.
        line: u64,
    },
}

/// A part of a log, as it was at one moment.
#[derive(Clone, Debug)]
pub struct LogPage {
    /// In the order in which they were written; on the last page the heads follow the entries.
    pub items: Vec<LogItem>,
    /// Where the next page begins; `None` on the last one.
    pub next: Option<LogCursor>,
    /// How the log ends; meaningful on the last page.
    pub ending: Ending,
}

/// The port to audit logs. Appending what a change did belongs to the directory, where entries become durable together with the
/// change, or to the journal of a directory elsewhere; what failed, and changed nothing, is appended here.
pub trait AuditLog: Send + Sync {
    /// What kind of log it is, for the check.
    fn medium(&self) -> LogKind;

    /// Where it is, for messages: a path.
    fn source(&self) -> String;

    /// The newest entry: what names the key that bound it, and when it was written. `None`: there is no entry, or the log is not one
    /// that is appended to.
    ///
    /// # Errors
    /// As [`Self::page`].
    fn newest(&self) -> Result<Option<(ChainKeyId, Timestamp)>> {
        Ok(None)
    }

    /// At most `limit` entries after `place`.
    ///
    /// # Errors
    /// Those of the directory, or of the file that holds the log.
    fn page(&self, place: LogCursor, limit: usize) -> Result<LogPage>;

    /// Records a failed operation of `account`, or counts it where there are too many; durable when this returns. A log that
    /// cannot be appended to ignores it.
    ///
    /// # Errors
    /// Those of the store; `AuditChainBroken` where the end of the chain is not genuine.
    fn append_failed(&self, _account: &str, _entry: AuditBatch) -> Result<()> {
        Ok(())
    }

    /// Failures that were counted and that no entry tells of yet.
    ///
    /// # Errors
    /// Those of the store.
    fn omitted_failures(&self) -> Result<Vec<OmittedFailures>> {
        Ok(Vec::new())
    }

    /// Whether entries from before `since` are kept for the time being, because the clock may be wrong.
    ///
    /// # Errors
    /// Those of the store.
    fn retention_pause(&self, _now: Timestamp, _since: Timestamp) -> Result<Option<RetentionPause>> {
        Ok(None)
    }
}
