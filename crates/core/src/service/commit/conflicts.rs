//! Replication conflicts: of two changes of one record on two controllers, replication keeps one everywhere.
//!
//! The controller that a change was made on tells: sooner or later its record no longer knows the PIN. The record of another
//! controller proves nothing, because the change may not have been replicated to it yet.

use serde_json::json;
use time::OffsetDateTime;
use time::macros::format_description;

use super::ChangeOutcome;
use super::journaled::Journaled;
use crate::Result;
use crate::clock::Timestamp;
use crate::credential::record::CredentialRecord;
use crate::directory::journal::{ChangeFingerprint, IntentRecord, IntentState, Transition};
use crate::mailbox::{Mailbox, ObjectId};
use crate::notification::outbox::{EntryState, OutboxEntry};
use crate::service::Warning;
use crate::service::audit_writer::{Action, Outcome, Target};

/// How long a conflict is reported that no caller was told of.
const KEPT_MILLIS: i64 = 30 * 86_400_000;
/// Warnings at a time.
const MAX_WARNINGS: usize = 5;

impl Journaled {
    /// See [`super::Commit::conflicts_of`].
    pub(super) fn find_conflicts(
        &self,
        mailbox: ObjectId,
        controller: Option<&str>,
        record: &CredentialRecord,
    ) -> Result<Vec<IntentRecord>> {
        let mut intents = self.journal.intents_of(mailbox)?;
        if intents.iter().any(|intent| is_overwritten(intent, controller, record)) {
            // The record may have been read before the intent record, and a change of this moment be missing in it. It is not
            // missing in one that is read afterwards.
            let Some((_, record)) = self.records.look(mailbox, controller)? else {
                return Ok(Vec::new());
            };
            intents.retain(|intent| {
                intent.state == IntentState::Overwritten || is_overwritten(intent, controller, &record)
            });
        } else {
            intents.retain(|intent| intent.state == IntentState::Overwritten);
        }
        Ok(intents)
    }

    /// Records that a change was overwritten, or, `told`, that a caller knows by now. False: another process has.
    pub(super) fn record_conflict(&self, intent: &IntentRecord, told: bool) -> Result<bool> {
        let kept = (IntentState::Overwritten, self.clock.now().plus_millis(KEPT_MILLIS));
        let mut step = Transition::new(intent.operation, intent.state, (!told).then_some(kept));
        let is_new = intent.state != IntentState::Overwritten;
        if is_new {
            let mailbox = self.resolver.mailbox_of(intent.mailbox).unwrap_or_default();
            step.audit = self.audit.late_outcome(
                &*self.records.ring_on_disk()?,
                intent.operation,
                Action::ResetLost.name(),
                mailbox.as_ref().map_or(Target::Directory, Target::Mailbox),
                Outcome::NotApplied,
                json!({ "lost": intent.action, "controller": intent.controller, "changedAt": intent.at.0 }),
            );
        }
        let moved = self.transition(step)?.moved;
        if moved && is_new {
            self.drop_message_of(intent)?;
        }
        Ok(moved)
    }

    /// The message would announce a PIN that is not in force. An entry that another process has leased is dropped by that one.
    fn drop_message_of(&self, intent: &IntentRecord) -> Result<()> {
        let entries = self.outbox.entries(Some(intent.mailbox), None, usize::MAX)?.items;
        for entry in entries.iter().filter(|entry| announces(entry, intent)) {
            let until = self.queue.lease_end();
            if let Some(entry) = self.outbox.lease(entry.id, self.clock.now(), until)? {
                self.queue.drop_entry(&entry, ChangeOutcome::Replaced)?;
            }
        }
        Ok(())
    }

    /// See [`super::Commit::report_conflicts`].
    pub(super) fn warn_of_conflicts(&self, warnings: &mut Vec<Warning>, diagnostics: &mut Vec<String>) {
        let intents = match self.journal.overwritten() {
            Ok(intents) => intents,
            Err(error) => {
                diagnostics.push(format!("The journal could not be read: {error}"));
                return;
            }
        };
        for intent in intents.iter().take(MAX_WARNINGS) {
            if matches!(self.record_conflict(intent, true), Ok(true)) {
                let name = match self.resolver.mailbox_of(intent.mailbox) {
                    Ok(Some(mailbox)) => mailbox.identity(),
                    _ => "a mailbox that is gone".to_owned(),
                };
                warnings.push(warning(&name, intent));
            }
        }
    }
}

fn is_overwritten(intent: &IntentRecord, controller: Option<&str>, record: &CredentialRecord) -> bool {
    let here = match (intent.controller.as_deref(), controller) {
        (Some(one), Some(other)) => one.eq_ignore_ascii_case(other),
        (one, other) => one == other,
    };
    match intent.fingerprint {
        ChangeFingerprint::Pin { id, previous } => {
            intent.state == IntentState::Committed && here && record.has_lost(id, previous)
        }
        ChangeFingerprint::Seal(_) => false,
    }
}

fn announces(entry: &OutboxEntry, intent: &IntentRecord) -> bool {
    Some(entry.pin_id) == intent.fingerprint.pin_id() && entry.state != EntryState::Failed
}

/// The warning for whoever reads or changes this mailbox.
pub(in crate::service) fn conflict_warning(mailbox: &Mailbox, intent: &IntentRecord) -> Warning {
    warning(&mailbox.identity(), intent)
}

fn warning(name: &str, intent: &IntentRecord) -> Warning {
    let place = intent
        .controller
        .as_ref()
        .map_or_else(String::new, |controller| format!(" on {controller}"));
    Warning::new(
        "ResetLost",
        format!(
            "The PIN of \"{name}\" that this computer set{place} at {} is not in force: a change made on another domain \
             controller at about the same time replaced it.",
            moment(intent.at)
        ),
    )
    .action("Reset the PIN again if the user cannot sign in.")
}

/// UTC, to the second.
fn moment(at: Timestamp) -> String {
    let format = format_description!("[year]-[month]-[day] [hour]:[minute]:[second] UTC");
    let time = OffsetDateTime::from_unix_timestamp(at.0.div_euclid(1000)).ok();
    time.and_then(|time| time.format(format).ok()).unwrap_or_default()
}
