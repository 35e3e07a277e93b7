//! The message of a reset: composed, and packed for the outbox.

use std::sync::Arc;

use zeroize::Zeroizing;

use super::outbox::{PendingMessage, lease_end};
use super::random_id;
use crate::clock::{Clock, Timestamp};
use crate::credential::keyring::KeyRing;
use crate::credential::master_key::Purpose;
use crate::credential::seal::SealContext;
use crate::mailbox::Mailbox;
use crate::notification::message::{MessageInput, Reason, compose};
use crate::notification::outbox::{EntryState, OutboxEntry};
use crate::notification::{MessageSettings, Notifier, OutgoingMessage};
use crate::pin::Pin;
use crate::policy::UmMailboxPolicy;
use crate::random::system_rng;
use crate::{Error, ErrorCode, Result};

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

/// Composes and seals the messages that announce PINs.
pub(super) struct Announcer {
    pub notifier: Arc<dyn Notifier>,
    pub settings: MessageSettings,
    pub clock: Arc<dyn Clock>,
}

impl Announcer {
    pub(super) fn compose(&self, announcement: &Announcement<'_>, now: Timestamp) -> Result<OutgoingMessage> {
        let Announcement { mailbox, policy, .. } = announcement;
        compose(&MessageInput {
            id: random_id()?,
            created: now,
            from: self.notifier.from(),
            recipient: announcement.recipient,
            display_name: mailbox.greeting_name(),
            preferred_language: mailbox.preferred_language.as_deref(),
            reason: announcement.reason,
            pin: announcement.pin,
            must_change: announcement.must_change,
            locked_out: announcement.locked_out,
            extensions: &mailbox.extensions,
            reset_pin_text: &policy.reset_pin_text,
            settings: &self.settings,
        })
    }

    /// The outbox entry of a composed message, and what is to be handed over once the change is durable.
    pub(super) fn pending(
        &self,
        message: OutgoingMessage,
        pin_id: [u8; 16],
        controller: Option<String>,
        context: &SealContext,
        ring: &KeyRing,
    ) -> Result<(OutboxEntry, PendingMessage)> {
        let entry = OutboxEntry {
            id: message.id,
            mailbox: context.object_id,
            pin_id,
            controller,
            state: EntryState::Ready,
            created: message.created,
            sealed: ring.seal(Purpose::Outbox, context, &pack(&message)?, &mut system_rng())?,
            leased_until: lease_end(&*self.clock),
            attempts: 0,
            last_error: None,
        };
        let lease = Some(entry.lease());
        let pending = PendingMessage::new(message, lease);
        Ok((entry, pending))
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
