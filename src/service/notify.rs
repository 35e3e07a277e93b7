//! The message of a reset: composed, sealed into the outbox, handed over.

use std::sync::atomic::Ordering;

use zeroize::Zeroizing;

use super::reset::Notification;
use super::{Service, Warning, random_id};
use crate::clock::Timestamp;
use crate::credential::keyring::KeyRing;
use crate::credential::keyring::Purpose;
use crate::credential::seal::SealContext;
use crate::mailbox::Mailbox;
use crate::notification::message::{MessageInput, Reason, compose};
use crate::notification::outbox::OutboxEntry;
use crate::notification::{DeliveryError, OutgoingMessage};
use crate::pin::Pin;
use crate::policy::UmMailboxPolicy;
use crate::random::system_rng;
use crate::{Error, ErrorCode, Result};

/// A new entry is its maker's alone for this long; a maker that died leaves it to the next process.
const FIRST_LEASE_MILLIS: i64 = 60_000;

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

    pub(super) fn outbox_entry(
        &self,
        message: &OutgoingMessage,
        pin_id: [u8; 16],
        context: &SealContext,
        ring: &KeyRing,
    ) -> Result<OutboxEntry> {
        Ok(OutboxEntry {
            id: message.id,
            mailbox: context.object_id,
            pin_id,
            created: message.created,
            sealed: ring.seal(Purpose::Outbox, context, &pack(message)?, &mut system_rng())?,
            leased_until: message.created.plus_millis(FIRST_LEASE_MILLIS),
            attempts: 0,
            last_error: None,
        })
    }

    /// The first attempt, right after the change. A failed one leaves the entry in the outbox.
    pub(super) fn hand_over(
        &self,
        mailbox: &Mailbox,
        message: &OutgoingMessage,
        warnings: &mut Vec<Warning>,
        diagnostics: &mut Vec<String>,
    ) -> Notification {
        let name = mailbox.identity();
        let notification = match self.ports.notifier.deliver(message) {
            Ok(()) => {
                diagnostics.push(format!(
                    "Handed the message for \"{name}\" over to {}.",
                    message.recipient
                ));
                if let Err(error) = self.ports.outbox.remove(message.id) {
                    // Delivered all the same; at worst it is delivered once more under the same Message-ID.
                    diagnostics.push(format!("The delivered message stays in the outbox: {error}"));
                }
                Notification::Sent
            }
            Err(DeliveryError::Temporary(reason)) => {
                warnings.push(
                    Warning::new(
                        "NotificationQueued",
                        format!(
                            "The PIN of \"{name}\" was changed; its message to {} is queued: {reason}.",
                            message.recipient
                        ),
                    )
                    .action("Correct the cause; the next reset sends what is queued."),
                );
                self.put_off(message, &reason, diagnostics);
                Notification::Queued
            }
            Err(DeliveryError::Permanent(reason)) => {
                warnings.push(
                    Warning::new(
                        "NotificationFailed",
                        format!(
                            "The PIN of \"{name}\" was changed, but its message to {} could not be delivered: {reason}.",
                            message.recipient
                        ),
                    )
                    .action(ErrorCode::NotificationFailed.default_action()),
                );
                self.put_off(message, &reason, diagnostics);
                Notification::Failed
            }
        };
        self.report_pickup(warnings);
        notification
    }

    fn put_off(&self, message: &OutgoingMessage, reason: &str, diagnostics: &mut Vec<String>) {
        let until = self.now().plus_millis(FIRST_LEASE_MILLIS);
        if let Err(error) = self.ports.outbox.defer(message.id, until, reason) {
            diagnostics.push(format!("The outbox could not note the failed attempt: {error}"));
        }
    }

    /// Once a session: counting a large folder at every reset would cost more than the reset.
    fn report_pickup(&self, warnings: &mut Vec<Warning>) {
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
fn pack(message: &OutgoingMessage) -> Result<Zeroizing<Vec<u8>>> {
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
