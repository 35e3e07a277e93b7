//! When old entries may not be removed although they are old by the clock.

use serde_json::json;

use super::entry::AuditEntry;
use crate::clock::Timestamp;

/// A clock that goes on by more than this between two entries may be wrong: nothing is removed for as long after the jump.
pub const GAP_MILLIS: i64 = 30 * 86_400_000;

/// A pause of the removal: the clock was more than 30 days past the newest entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetentionPause {
    /// The newest entry before the jump.
    pub newest: Timestamp,
    /// The first entry after it.
    pub since: Timestamp,
    /// When the pause ends, if the clock goes on as it does.
    pub until: Timestamp,
}

impl RetentionPause {
    /// What the log says about it.
    #[must_use]
    pub fn entry(&self, host: &str, operation: [u8; 16], at: Timestamp) -> AuditEntry {
        let body = json!({
            "kind": "outcome",
            "action": "RetentionPaused",
            "host": host,
            "succeeded": true,
            "result": { "newest": self.newest, "since": self.since, "until": self.until },
        });
        AuditEntry {
            operation,
            at,
            body: body.to_string(),
        }
    }
}
