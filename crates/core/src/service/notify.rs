//! The message of a reset: composed, and packed for the outbox.

use std::sync::atomic::Ordering;

use zeroize::Zeroizing;

use super::{Service, Warning, random_id};
use crate::clock::Timestamp;
use crate::mailbox::Mailbox;
use crate::notification::OutgoingMessage;
use crate::notification::message::{MessageInput, Reason, compose};
use crate::notification::outbox::OutboxEntry;
use crate::pin::Pin;
use crate::policy::UmMailboxPolicy;
use crate::{Error, ErrorCode, Result};

/// Uncollected messages from which on the administrator is told.
const PICKUP_LIMIT: usize = 100;

/// A new PIN, and who is to be told about it.
pub(super) struct Announcement<'a> {
    pub mailbox: &'a Mailbox,
    pub policy: &'a UmMailboxPolicy,
    pub recipient: &'a str,
    pub pin: &'a Pin,
    pub must_change: bool,
    pub locked_out: bool,
    pub reason: Reason,
}

impl Service {
    pub(super) fn compose(&self, announcement: &Announcement<'_>, now: Timestamp) -> Result<OutgoingMessage> {
        let Announcement { mailbox, policy, .. } = announcement;
        compose(&MessageInput {
            id: random_id()?,
            created: now,
            from: self.ports.notifier.from(),
            recipient: announcement.recipient,
            display_name: mailbox.greeting_name(),
            preferred_language: mailbox.preferred_language.as_deref(),
            reason: announcement.reason,
            pin: announcement.pin,
            must_change: announcement.must_change,
            locked_out: announcement.locked_out,
            extensions: &mailbox.extensions,
            reset_pin_text: &policy.reset_pin_text,
            settings: &self.settings.message,
        })
    }

    /// Once a session: counting a large folder at every reset would cost more than the reset.
    pub(super) fn report_pickup(&self, warnings: &mut Vec<Warning>) {
        if self.pickup_reported.swap(true, Ordering::Relaxed) {
            return;
        }
        if let Some(count) = self.ports.notifier.uncollected().filter(|count| *count > PICKUP_LIMIT) {
            warnings.push(
                Warning::new(
                    "PickupPilesUp",
                    format!("{count} messages with PINs lie uncollected in the pickup directory."),
                )
                .action("Let a mail server collect the pickup directory, or configure an SMTP relay."),
            );
        }
    }
}

/// Recipient and content as one sealed value: a length-prefixed recipient, then the message.
pub(super) fn pack(message: &OutgoingMessage) -> Result<Zeroizing<Vec<u8>>> {
    let length = u16::try_from(message.recipient.len())
        .map_err(|_| Error::new(ErrorCode::NativeFault, "The recipient's address is too long."))?;
    let mut packed = Zeroizing::new(Vec::with_capacity(2 + message.recipient.len() + message.content.len()));
    packed.extend_from_slice(&length.to_le_bytes());
    packed.extend_from_slice(message.recipient.as_bytes());
    packed.extend_from_slice(&message.content);
    Ok(packed)
}

/// The reverse of [`pack`]; `None` for bytes that it did not make.
pub(super) fn unpack(entry: &OutboxEntry, packed: &[u8]) -> Option<OutgoingMessage> {
    let (length, rest) = packed.split_first_chunk::<2>()?;
    let (recipient, content) = rest.split_at_checked(usize::from(u16::from_le_bytes(*length)))?;
    Some(OutgoingMessage {
        id: entry.id,
        created: entry.created,
        recipient: std::str::from_utf8(recipient).ok()?.to_owned(),
        content: Zeroizing::new(content.to_vec()),
    })
}
