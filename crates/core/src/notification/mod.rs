//! How a new PIN reaches its user: the port, the message, the outbox and the adapters.

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

/// A message ready to be handed over; wiped on drop because it holds the PIN.
pub struct OutgoingMessage {
    /// Identifies the hand-over: the same entry delivered twice has the same id (and `Message-ID`).
    pub id: [u8; 16],
    /// When the PIN was set.
    pub created: Timestamp,
    /// The one envelope recipient.
    pub recipient: String,
    /// The complete RFC 5322 message with CRLF line ends.
    pub content: Zeroizing<Vec<u8>>,
}

/// Why a message was not taken. The text never holds message content.
#[derive(Debug, thiserror::Error)]
pub enum DeliveryError {
    /// Worth trying again later.
    #[error("{0}")]
    Temporary(String),
    /// Will not succeed as things are.
    #[error("{0}")]
    Permanent(String),
}

/// How long one delivery may take at most. After that somebody else may take it over.
pub const DELIVERY_LIMIT: Duration = Duration::from_secs(120);

/// Why no message can be delivered, found out before a change: the sentence says that there is none.
#[must_use]
pub fn unavailable(why: &str, action: &str) -> Error {
    Error::new(
        ErrorCode::NotificationUnavailable,
        format!("{why}. Nothing was changed, because its message could not be delivered."),
    )
    .action(action)
}

/// The port to mail.
pub trait Notifier: Send + Sync {
    /// Whether a message could be handed over now, found out without writing anything.
    ///
    /// # Errors
    /// `NotificationUnavailable`, with the path or host and the cause: nothing is changed then.
    fn check(&self) -> crate::Result<()>;

    /// The folder where messages wait for the mail system; `None` where they are with a relay.
    fn folder(&self) -> Option<&Path> {
        None
    }

    /// Hands a message over; returns when it is safe with the receiver (synced, or accepted by the relay), and within
    /// [`DELIVERY_LIMIT`] in any case.
    ///
    /// # Errors
    /// Temporary or permanent refusal.
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

    /// Wipes what an interrupted delivery of a message may have left behind: the message is dropped, not sent again.
    fn withdraw(&self, _created: Timestamp, _id: [u8; 16]) {}

    /// Whether a delivery may take so long that whoever resets a PIN should not wait for it.
    fn may_block(&self) -> bool {
        true
    }

    /// Tries the way of messages, and says how it is; sends nothing.
    fn examine(&self, _now: Timestamp) -> Vec<Check> {
        Vec::new()
    }

    /// Messages handed over that nobody has collected, where that can be told (pickup directory).
    fn uncollected(&self) -> Option<usize>;

    /// The sender's mailbox for `From:`.
    fn from(&self) -> &str;
}
