//! Notification of users: the port, the message and the outbox.

pub mod address;
pub mod language;
pub mod message;
pub mod outbox;
mod policy_text;
mod settings;
mod text;

use std::path::Path;
use std::time::Duration;

use zeroize::Zeroizing;

pub use settings::MessageSettings;

use crate::check::Check;
use crate::clock::Timestamp;
use crate::{Error, ErrorCode};

/// A message ready for delivery; wiped on drop, because it has the PIN.
pub struct OutgoingMessage {
    /// The id of the entry: one that is delivered twice has the same id and `Message-ID`.
    pub id: [u8; 16],
    /// When the PIN was set.
    pub created: Timestamp,
    /// The one envelope recipient.
    pub recipient: String,
    /// The complete RFC 5322 message with CRLF line ends.
    pub content: Zeroizing<Vec<u8>>,
}

/// Why a message was not accepted. The text never has content of the message.
#[derive(Debug, thiserror::Error)]
pub enum DeliveryError {
    /// Retrying may succeed.
    #[error("{0}")]
    Temporary(String),
    /// Retrying will not succeed.
    #[error("{0}")]
    Permanent(String),
}

/// The time limit of one delivery. Afterwards another process may take it over.
pub const DELIVERY_LIMIT: Duration = Duration::from_secs(120);

/// The error for a notifier that cannot deliver, determined before a change.
#[must_use]
pub fn unavailable(why: &str, action: &str) -> Error {
    Error::new(
        ErrorCode::NotificationUnavailable,
        format!("{why}. Nothing was changed, because its message could not be delivered."),
    )
    .action(action)
}

/// The port to the delivery of messages.
pub trait Notifier: Send + Sync {
    /// Checks whether a message could be delivered now, without writing anything.
    ///
    /// # Errors
    /// `NotificationUnavailable`, with the path or host and the cause: nothing is changed then.
    fn check(&self) -> crate::Result<()>;

    /// The pickup folder; `None` for a relay.
    fn folder(&self) -> Option<&Path> {
        None
    }

    /// Delivers a message; returns when it is synced or accepted by the relay, and within [`DELIVERY_LIMIT`] in any case.
    ///
    /// # Errors
    /// A temporary or permanent refusal.
    fn deliver(&self, message: &OutgoingMessage) -> Result<(), DeliveryError>;

    /// As [`Self::deliver`], begun before it is certain that the message is to be sent: what can be done without the content is
    /// done, then `is_certain` is asked, which may wait, and only if it says so the content leaves. `Ok(false)`: it did not.
    ///
    /// # Errors
    /// As [`Self::deliver`].
    fn deliver_once(&self, message: &OutgoingMessage, is_certain: &dyn Fn() -> bool) -> Result<bool, DeliveryError> {
        if !is_certain() {
            return Ok(false);
        }
        self.deliver(message).map(|()| true)
    }

    /// Wipes the remains of an interrupted delivery of a message that is discarded.
    fn withdraw(&self, _created: Timestamp, _id: [u8; 16]) {}

    /// Whether a delivery may take so long that a reset should not wait for it.
    fn may_block(&self) -> bool {
        true
    }

    /// Checks the delivery without sending anything.
    fn examine(&self, _now: Timestamp) -> Vec<Check> {
        Vec::new()
    }

    /// The number of messages in the pickup folder that were not collected; `None` for a relay.
    fn uncollected(&self) -> Option<usize>;

    /// The sender for `From:`.
    fn from(&self) -> &str;
}
