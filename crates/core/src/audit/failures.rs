//! Failed operations: how many are recorded one by one, and what says of the others that there were some.

use serde_json::json;

use super::entry::AuditEntry;
use crate::clock::Timestamp;

/// Entries of one account within [`WINDOW_MILLIS`]; the failures after them are counted.
pub const MOST_ENTRIES: u32 = 100;
/// From the first failure of an account on.
pub const WINDOW_MILLIS: i64 = 3_600_000;
/// Accounts that are told apart within that time; all others share one count. A program may name any caller, and must not fill
/// the log with that.
pub const MOST_ACCOUNTS: u32 = 100;

/// Failures that were counted and not recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OmittedFailures {
    /// Whose chain the entry about them belongs to.
    pub host: String,
    /// Who failed; `None`: several accounts.
    pub account: Option<String>,
    /// When the first failure of the hour was recorded.
    pub since: Timestamp,
    /// The last one that was counted.
    pub until: Timestamp,
    /// How many were counted.
    pub count: u64,
}

impl OmittedFailures {
    /// The one entry that stands for them.
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
