//! Messages that an earlier process left in the outbox.

use std::sync::atomic::Ordering;

use super::Service;
use super::notify::unpack;
use crate::credential::keyring::Purpose;
use crate::credential::record::{CredentialRecord, PinState};
use crate::notification::DeliveryError;
use crate::notification::outbox::OutboxEntry;
use crate::{Error, ErrorCode, Result};

/// How often a session looks for left-over messages.
const DRAIN_INTERVAL_MILLIS: i64 = 5_000;
/// Messages taken over at a time, and how long they are this process's alone.
const DRAIN_LIMIT: usize = 20;
const DRAIN_LEASE_MILLIS: i64 = 120_000;
/// Waiting time after a failed attempt: doubled each time, up to an hour.
const BACK_OFF_MILLIS: i64 = 60_000;
const MAX_BACK_OFF_MILLIS: i64 = 3_600_000;

impl Service {
    /// Hands over what is due. Called after a change only; what goes wrong concerns other mailboxes and is a diagnostic.
    pub(super) fn drain_outbox(&self, diagnostics: &mut Vec<String>) {
        let now = self.now();
        let last = self.last_drain.load(Ordering::Relaxed);
        // A clock that was set back must not keep messages waiting.
        let due = now.0 < last || now.0.saturating_sub(last) >= DRAIN_INTERVAL_MILLIS;
        if !due
            || self
                .last_drain
                .compare_exchange(last, now.0, Ordering::Relaxed, Ordering::Relaxed)
                .is_err()
        {
            return;
        }
        let lease_until = now.plus_millis(DRAIN_LEASE_MILLIS);
        match self.ports.outbox.lease_due(now, lease_until, DRAIN_LIMIT) {
            Ok(entries) => {
                for entry in entries {
                    if let Err(error) = self.drain_entry(&entry, diagnostics) {
                        diagnostics.push(format!(
                            "A message left in the outbox could not be handed over: {error}"
                        ));
                    }
                }
            }
            Err(error) => diagnostics.push(format!("The outbox could not be read: {error}")),
        }
    }

    fn drain_entry(&self, entry: &OutboxEntry, diagnostics: &mut Vec<String>) -> Result<()> {
        let Some(mailbox) = self.directory().find_by_object_id(entry.mailbox)? else {
            diagnostics.push("Dropped a message of a mailbox that is gone.".to_owned());
            return self.drop_entry(entry);
        };
        let name = mailbox.identity();
        let record: CredentialRecord = self.read_record(&mailbox)?.record;
        if record.pin_state(entry.pin_id) != PinState::Current {
            diagnostics.push(format!(
                "Dropped a message for \"{name}\": its PIN has been replaced since."
            ));
            return self.drop_entry(entry);
        }
        let context = self.seal_context(entry.mailbox)?;
        let damaged = || {
            Error::new(
                ErrorCode::StoreCorrupt,
                format!("The message for \"{name}\" in the outbox is damaged."),
            )
        };
        let packed = self
            .ring()?
            .open(Purpose::Outbox, &context, &entry.sealed)
            .map_err(|_| damaged())?;
        let message = unpack(entry, &packed).ok_or_else(damaged)?;
        match self.ports.notifier.deliver(&message) {
            Ok(()) => {
                diagnostics.push(format!(
                    "Handed over a message for \"{name}\" that was left in the outbox."
                ));
                self.ports.outbox.remove(entry.id)
            }
            Err(DeliveryError::Temporary(reason) | DeliveryError::Permanent(reason)) => {
                diagnostics.push(format!("The message for \"{name}\" stays in the outbox: {reason}."));
                let back_off = BACK_OFF_MILLIS
                    .saturating_mul(1_i64 << entry.attempts.min(10))
                    .min(MAX_BACK_OFF_MILLIS);
                self.ports
                    .outbox
                    .defer(entry.id, self.now().plus_millis(back_off), &reason)
            }
        }
    }

    fn drop_entry(&self, entry: &OutboxEntry) -> Result<()> {
        // A process that died while it delivered may have left a part of the message, the PIN in it.
        self.ports.notifier.withdraw(entry.created, entry.id);
        self.ports.outbox.remove(entry.id)
    }
}
