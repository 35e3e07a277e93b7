//! The entries of the outbox: their leases, and the end of one that is not sent.

use std::sync::Arc;
use std::time::Duration;

use super::{LEASE_MILLIS, lease_end};
use crate::Result;
use crate::audit::AuditBatch;
use crate::clock::{Clock, Timestamp};
use crate::notification::Notifier;
use crate::notification::outbox::{Outbox, OutboxEntry};
use crate::service::Warning;
use crate::service::audit_writer::{Action, AuditWriter, Event, PendingAudit, Target};
use crate::service::commit::ChangeOutcome;
use crate::service::records::Records;
use crate::service::resolve::Resolver;

/// A message that was given up is listed for this long.
const KEPT_MILLIS: i64 = 30 * 86_400_000;
/// Names in one warning.
const NAMED: usize = 5;
/// What the audit says has acted: whatever command it happens in, that one does the work.
const CMDLET: &str = "Send-UMPinNotification";

/// The outbox, and what is recorded when an entry ends.
pub(in crate::service) struct Queue {
    pub outbox: Arc<dyn Outbox>,
    pub notifier: Arc<dyn Notifier>,
    pub resolver: Arc<Resolver>,
    pub records: Arc<Records>,
    pub audit: Arc<AuditWriter>,
    pub clock: Arc<dyn Clock>,
    /// A message that could not be handed over for this long is given up.
    pub lifetime: Duration,
}

impl Queue {
    pub(in crate::service) fn lease_end(&self) -> Timestamp {
        lease_end(&*self.clock)
    }

    /// The oldest entry that was due then and is due now: a clock that was set back meanwhile would let the same ones come again.
    pub(super) fn lease_next(&self, due: Timestamp) -> Result<Option<OutboxEntry>> {
        let now = self.clock.now();
        let until = now.plus_millis(LEASE_MILLIS);
        let entries = self.outbox.lease_due(due.min(now), now, until, 1)?;
        Ok(entries.into_iter().next())
    }

    /// When an entry is given up unless it is handed over before.
    pub(super) fn expires_at(&self, entry: &OutboxEntry) -> Timestamp {
        let lifetime = i64::try_from(self.lifetime.as_millis()).unwrap_or(i64::MAX);
        entry.created.plus_millis(lifetime)
    }

    /// Gives an entry up; false when it is another's by now.
    pub(super) fn give_up(&self, entry: &OutboxEntry, reason: &str) -> Result<bool> {
        let audit = self.end_of(entry, Action::NotificationExpired, reason)?;
        let now = self.clock.now();
        let given_up = self
            .outbox
            .fail(entry.lease(), now.plus_millis(KEPT_MILLIS), reason, audit)?;
        if given_up {
            self.notifier.withdraw(entry.created, entry.id);
        }
        Ok(given_up)
    }

    /// Drops an entry whose PIN is not in force.
    pub(in crate::service) fn drop_entry(&self, entry: &OutboxEntry, outcome: ChangeOutcome) -> Result<()> {
        let reason = match outcome {
            ChangeOutcome::Replaced => "replaced",
            ChangeOutcome::NeverSet => "neverSet",
            ChangeOutcome::MailboxGone | ChangeOutcome::InForce => "mailboxGone",
        };
        let audit = self.end_of(entry, Action::NotificationDropped, reason)?;
        // A process that died while it delivered may have left a part of the message, the PIN in it.
        self.notifier.withdraw(entry.created, entry.id);
        self.outbox.discard(entry.id, audit)
    }

    fn end_of(&self, entry: &OutboxEntry, action: Action, reason: &str) -> Result<Option<AuditBatch>> {
        // Where the directory cannot be asked, the entry ends all the same.
        let mailbox = self.resolver.mailbox_of(entry.mailbox).unwrap_or_default();
        let target = mailbox.as_ref().map_or(Target::Directory, Target::Mailbox);
        let event = Event::new(action, CMDLET, target)?
            .result("reason", reason)
            .result("queuedSince", entry.created.0)
            .result("attempts", entry.attempts);
        Ok(self
            .audit
            .batch_of(&*self.records.ring_on_disk()?, self.clock.now(), &[event])
            .map(PendingAudit::whole))
    }

    /// Tells of messages that were given up, once.
    pub(super) fn report_failures(&self, warnings: &mut Vec<Warning>, diagnostics: &mut Vec<String>) {
        let failures = match self.outbox.take_failures() {
            Ok(failures) => failures,
            Err(error) => {
                diagnostics.push(format!("The outbox could not be read: {error}"));
                return;
            }
        };
        if failures.is_empty() {
            return;
        }
        let named: Vec<String> = failures
            .iter()
            .take(NAMED)
            .map(|entry| match self.resolver.mailbox_of(entry.mailbox) {
                Ok(Some(mailbox)) => format!("\"{}\"", mailbox.identity()),
                _ => "a mailbox that is gone".to_owned(),
            })
            .collect();
        let more = match failures.len() - named.len() {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        warnings.push(
            Warning::new(
                "NotificationExpired",
                format!(
                    "The message with the new PIN was given up, because it could not be delivered in time, for {}{more}.",
                    named.join(", ")
                ),
            )
            .action("Correct the cause that Get-UMPinNotification shows, then reset these PINs again."),
        );
    }
}
