//! Handing a message over right after its change.

use std::sync::atomic::Ordering;

use super::dispatcher::{Attempt, Dispatcher};
use super::{PendingMessage, lease_end};
use crate::mailbox::Mailbox;
use crate::notification::DELIVERY_LIMIT;
use crate::notification::outbox::Lease;
use crate::service::Warning;
use crate::service::reset::Notification;
use crate::{ErrorCode, Result};

/// Uncollected messages from which on the administrator is told.
const PICKUP_LIMIT: usize = 100;

impl Dispatcher {
    /// The first attempt, right after the change. A failed one leaves the entry in the outbox.
    pub(in crate::service) fn hand_over(
        &self,
        mailbox: &Mailbox,
        pending: PendingMessage,
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
                diagnostics.push(match self.notifier.folder() {
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
        if self.clock.now().plus_millis(needed) <= lease.until {
            return Some(lease);
        }
        self.outbox.release(lease, lease_end(&*self.clock)).unwrap_or_default()
    }

    /// Once a session: counting a large folder at every reset would cost more than the reset.
    fn report_pickup(&self, warnings: &mut Vec<Warning>) {
        if self.pickup_reported.swap(true, Ordering::Relaxed) {
            return;
        }
        if let Some(count) = self.notifier.uncollected().filter(|count| *count > PICKUP_LIMIT) {
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

fn note(noted: &Result<()>, diagnostics: &mut Vec<String>) {
    if let Err(error) = noted {
        diagnostics.push(format!("The outbox could not note the failed attempt: {error}"));
    }
}
