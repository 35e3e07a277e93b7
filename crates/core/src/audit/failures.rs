//! Failed operations: how many are recorded as entries, and the entry that counts the others.

use serde_json::json;

use super::entry::AuditEntry;
use crate::clock::Timestamp;

/// The most entries of one account within [`WINDOW_MILLIS`]; further failures are only counted.
pub const MAX_ENTRIES: u32 = 100;
/// The window begins with the first failure of an account.
pub const WINDOW_MILLIS: i64 = 3_600_000;
/// The most accounts that are counted separately in a window; all others share one count. A program may name any caller, and must
/// not fill the log that way.
pub const MAX_ACCOUNTS: u32 = 100;

/// Failures that were counted, not recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OmittedFailures {
    /// The host whose chain gets the entry.
    pub host: String,
    /// The account; `None`: several.
    pub account: Option<String>,
    /// When the first failure of the window was recorded.
    pub since: Timestamp,
    /// When the last one was counted.
    pub until: Timestamp,
    /// Their number.
    pub count: u64,
}

impl OmittedFailures {
    /// The entry that reports them.
    #[must_use]
    pub fn entry(&self, operation: [u8; 16], at: Timestamp) -> AuditEntry {
        let mut body = json!({
            "kind": "outcome",
            "action": "FailuresOmitted",
            "host": self.host,
            "succeeded": false,
            "result": { "count": self.count, "since": self.since, "until": self.until },
        });
        if let Some(account) = &self.account {
            body["caller"] = account.as_str().into();
        }
        AuditEntry {
            operation,
            at,
            body: body.to_string(),
        }
    }
}
