//! The pause of retention while the clock may be wrong.

use serde_json::json;

use super::entry::AuditEntry;
use crate::clock::Timestamp;

/// A clock that advances by more than this between two entries may be wrong: retention pauses for the same time after the jump.
pub const GAP_MILLIS: i64 = 30 * 86_400_000;

/// Retention pauses because the clock advanced by more than 30 days since the entry before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetentionPause {
    /// The newest entry before the jump.
    pub newest: Timestamp,
    /// The first entry after it.
    pub since: Timestamp,
    /// When the pause ends by the present clock.
    pub until: Timestamp,
}

impl RetentionPause {
    /// The entry that reports the pause.
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
