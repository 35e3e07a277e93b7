//! The end of an entry that is not sent: given up, or dropped because its PIN is not in force.

use super::Service;
use crate::Result;
use crate::audit::AuditBatch;
use crate::clock::Timestamp;
use crate::notification::outbox::OutboxEntry;
use crate::service::Warning;
use crate::service::fate::ChangeOutcome;
use crate::service::trail::{Action, Event, PendingAudit, Target};

/// A message that was given up is listed for this long.
const KEPT_MILLIS: i64 = 30 * 86_400_000;
/// Names in one warning.
const NAMED: usize = 5;
/// What the audit says has acted: whatever command it happens in, that one does the work.
const CMDLET: &str = "Send-UMPinNotification";

impl Service {
    /// When an entry is given up unless it is handed over before.
    pub(super) fn expires_at(&self, entry: &OutboxEntry) -> Timestamp {
        let lifetime = i64::try_from(self.settings.expire_notifications_after.as_millis()).unwrap_or(i64::MAX);
        entry.created.plus_millis(lifetime)
    }

    /// Gives an entry up; false when it is another's by now.
    pub(super) fn give_up(&self, entry: &OutboxEntry, reason: &str) -> Result<bool> {
        let audit = self.end_of(entry, Action::NotificationExpired, reason)?;
        let now = self.now();
        let given_up = self
            .ports
            .outbox
            .fail(entry.lease(), now.plus_millis(KEPT_MILLIS), reason, audit)?;
        if given_up {
            self.ports.notifier.withdraw(entry.created, entry.id);
        }
        Ok(given_up)
    }

    /// Drops an entry whose PIN is not in force.
    pub(in crate::service) fn drop_entry(&self, entry: &OutboxEntry, fate: ChangeOutcome) -> Result<()> {
        let reason = match fate {
            ChangeOutcome::Replaced => "replaced",
            ChangeOutcome::NeverSet => "neverSet",
            ChangeOutcome::MailboxGone | ChangeOutcome::InForce => "mailboxGone",
        };
        let audit = self.end_of(entry, Action::NotificationDropped, reason)?;
        // A process that died while it delivered may have left a part of the message, the PIN in it.
        self.ports.notifier.withdraw(entry.created, entry.id);
        self.ports.outbox.discard(entry.id, audit)
    }

    fn end_of(&self, entry: &OutboxEntry, action: Action, reason: &str) -> Result<Option<AuditBatch>> {
        // Where the directory cannot be asked, the entry ends all the same.
        let mailbox = self.mailbox_of(entry.mailbox).unwrap_or_default();
        let target = mailbox.as_ref().map_or(Target::Directory, Target::Mailbox);
        let event = Event::new(action, CMDLET, target)?
            .result("reason", reason)
            .result("queuedSince", entry.created.0)
            .result("attempts", entry.attempts);
        Ok(self
            .trail(&*self.ring_on_disk()?, self.now(), &[event])
            .map(PendingAudit::whole))
    }

    /// Tells of messages that were given up, once.
    pub(super) fn report_failures(&self, warnings: &mut Vec<Warning>, diagnostics: &mut Vec<String>) {
        let failures = match self.ports.outbox.take_failures() {
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
            .map(|entry| match self.mailbox_of(entry.mailbox) {
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
