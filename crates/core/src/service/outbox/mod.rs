//! Messages from their change to the mail system. How a message is recorded with its change: `service/change.rs`.

mod dispatcher;
mod drain;
mod expiry;
mod listing;
mod sending;
mod workers;

use std::sync::Arc;

use super::{Service, Warning};
use crate::clock::Timestamp;
use crate::credential::keyring::{KeyRing, Purpose};
use crate::credential::seal::SealContext;
use crate::directory::Route;
use crate::mailbox::{Mailbox, ObjectId};
use crate::notification::outbox::{EntryState, Lease, OutboxEntry};
use crate::notification::{DELIVERY_LIMIT, OutgoingMessage};
use crate::random::system_rng;
use crate::service::notify::pack;
use crate::service::reset::Notification;
use crate::{ErrorCode, Result};

pub(super) use dispatcher::Dispatcher;
pub use listing::NotificationItem;
pub use sending::{SendReport, SendRequest, SentItem};

use dispatcher::{Attempt, InFlightDelivery};

/// How long an entry is one process's alone: longer than one delivery may take, with some of it for reading the record.
const LEASE_MILLIS: i64 = DELIVERY_LIMIT.as_millis() as i64 + 60_000;

/// A message that goes with a change, and the right to hand it over once that is durable.
pub struct Pending {
    recipient: String,
    delivery: Delivery,
    /// `None`: somebody else is handing it over.
    lease: Option<Lease>,
}

impl Pending {
    /// What became of the right to hand it over.
    pub(super) fn hold(&mut self, lease: Option<Lease>) {
        self.lease = lease;
    }
}

enum Delivery {
    Waiting(Arc<OutgoingMessage>),
    InFlight(InFlightDelivery),
}

impl Service {
    /// The outbox entry of a composed message, and what is to be handed over once the change is durable.
    pub(super) fn pending(
        &self,
        message: OutgoingMessage,
        pin_id: [u8; 16],
        controller: Option<String>,
        context: &SealContext,
        ring: &KeyRing,
    ) -> Result<(OutboxEntry, Pending)> {
        let entry = OutboxEntry {
            id: message.id,
            mailbox: context.object_id,
            pin_id,
            controller,
            state: EntryState::Ready,
            created: message.created,
            sealed: ring.seal(Purpose::Outbox, context, &pack(&message)?, &mut system_rng())?,
            leased_until: self.lease_end(),
            attempts: 0,
            last_error: None,
        };
        let lease = Some(entry.lease());
        let pending = Pending {
            recipient: message.recipient.clone(),
            delivery: Delivery::Waiting(Arc::new(message)),
            lease,
        };
        Ok((entry, pending))
    }

    /// Whose message it is; `None` when the mailbox is gone.
    pub(super) fn mailbox_of(&self, id: ObjectId) -> Result<Option<Mailbox>> {
        let found = self.directory().find_by_object_id(id, Route::Preferred)?;
        Ok(found.map(|found| found.mailbox))
    }

    pub(super) fn lease_end(&self) -> Timestamp {
        self.now().plus_millis(LEASE_MILLIS)
    }

    /// The first attempt, right after the change. A failed one leaves the entry in the outbox.
    pub(super) fn hand_over(
        &self,
        mailbox: &Mailbox,
        pending: Pending,
        warnings: &mut Vec<Warning>,
        diagnostics: &mut Vec<String>,
    ) -> Notification {
        let name = mailbox.identity();
        let recipient = pending.recipient;
        let queued = |reason: &str| {
            Warning::new(
                "NotificationQueued",
                format!("The PIN of \"{name}\" was changed; its message to {recipient} is queued: {reason}."),
            )
            .action("Correct the cause; the next reset, or Send-UMPinNotification, sends what is queued.")
        };
        let Some(lease) = self.still_ours(pending.lease) else {
            warnings.push(queued("it is left to another process"));
            return Notification::Queued;
        };
        let notification = match self.first_attempt(pending.delivery, lease) {
            Attempt::Delivered { noted } => {
                diagnostics.push(match self.ports.notifier.folder() {
                    Some(folder) => format!(
                        "Left the message for \"{name}\" to {recipient} in the folder {}, for the mail system to collect.",
                        folder.display()
                    ),
                    None => format!("Handed the message for \"{name}\" to {recipient} over to the mail relay."),
                });
                if let Err(error) = noted {
                    // Delivered all the same; at worst it is delivered once more under the same Message-ID.
                    diagnostics.push(format!("The delivered message stays in the outbox: {error}"));
                }
                Notification::Sent
            }
            Attempt::Queued { reason, noted } => {
                warnings.push(queued(&reason));
                note(&noted, diagnostics);
                Notification::Queued
            }
            Attempt::Refused { reason, noted } => {
                warnings.push(
                    Warning::new(
                        "NotificationFailed",
                        format!(
                            "The PIN of \"{name}\" was changed; its message to {recipient} was refused and stays queued: {reason}."
                        ),
                    )
                    .action(ErrorCode::NotificationFailed.default_action()),
                );
                note(&noted, diagnostics);
                Notification::Failed
            }
        };
        self.report_pickup(warnings);
        notification
    }

    /// A change may have waited long for its turn: what is left of the lease must be enough for a delivery.
    fn still_ours(&self, lease: Option<Lease>) -> Option<Lease> {
        let lease = lease?;
        let needed = i64::try_from(DELIVERY_LIMIT.as_millis()).unwrap_or(i64::MAX);
        if self.now().plus_millis(needed) <= lease.until {
            return Some(lease);
        }
        self.ports.outbox.release(lease, self.lease_end()).unwrap_or_default()
    }
}

fn note(noted: &Result<()>, diagnostics: &mut Vec<String>) {
    if let Err(error) = noted {
        diagnostics.push(format!("The outbox could not note the failed attempt: {error}"));
    }
}
