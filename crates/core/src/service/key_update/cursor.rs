//! Where an update is, between two steps; the caller keeps it.

use serde::{Deserialize, Serialize};

use crate::{Error, ErrorCode, Result};

/// What the next step goes on with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Stage {
    /// Records and counters, from here in the directory's own order.
    Mailboxes(Option<String>),
    /// Messages, after this one.
    Messages(Option<u128>),
    /// The outcome.
    End,
}

/// The state of an update that is under way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct Cursor {
    pub operation: u128,
    pub is_made: bool,
    pub stage: Stage,
    /// How often all mailboxes were looked through.
    pub passes: u32,
    /// Whether this pass has changed a mailbox, or lost a race: then there is another one.
    pub again: bool,
    pub records: u64,
    pub counters: u64,
    pub messages: u64,
    /// What could not be sealed anew in this pass although one of the keys may open it.
    pub left: u64,
}

impl Cursor {
    pub(super) fn new(operation: [u8; 16], is_made: bool) -> Self {
        Self {
            operation: u128::from_be_bytes(operation),
            is_made,
            stage: Stage::Mailboxes(None),
            passes: 0,
            again: false,
            records: 0,
            counters: 0,
            messages: 0,
            left: 0,
        }
    }

    pub(super) fn parse(text: &str) -> Result<Self> {
        serde_json::from_str(text).map_err(|_| {
            Error::new(
                ErrorCode::InvalidRequest,
                "The value of \"after\" is not one that a step gave.",
            )
        })
    }

    pub(super) fn text(&self) -> Result<String> {
        serde_json::to_string(self)
            .map_err(|e| Error::new(ErrorCode::NativeFault, "The cursor cannot be written.").caused_by(e))
    }
}
