//! Resets that did not last: of two changes of one record on two controllers, replication lets one win everywhere.
//!
//! The controller that a change was made on tells: sooner or later its record no longer knows the PIN. Another controller's record
//! proves nothing, because the change may not have arrived there yet.

use serde_json::json;
use time::OffsetDateTime;
use time::macros::format_description;

use super::fate::ChangeOutcome;
use super::trail::{Action, Outcome, Target};
use super::{Service, Warning};
use crate::Result;
use crate::clock::Timestamp;
use crate::credential::record::CredentialRecord;
use crate::directory::journal::{ChangeFingerprint, IntentRecord, IntentState, Transition};
use crate::mailbox::{Mailbox, ObjectId};
use crate::notification::outbox::{EntryState, OutboxEntry};

/// A reset that was lost is told to whoever asks for this long.
const KEPT_MILLIS: i64 = 30 * 86_400_000;
/// Warnings at a time.
const TOLD: usize = 5;

impl Service {
    /// This computer's changes that did not last, as a record tells that was read on that controller. Records nothing.
    pub(super) fn conflicts_of(
        &self,
        mailbox: ObjectId,
        controller: Option<&str>,
        record: &CredentialRecord,
    ) -> Result<Vec<IntentRecord>> {
        let Some(journal) = self.ports.outbox.journal() else {
            return Ok(Vec::new());
        };
        let mut notes = journal.intents_of(mailbox)?;
        if notes.iter().any(|note| is_lost(note, controller, record)) {
            // The record may be older than the note, and a change of this moment be missing in it. It is not in one that is read
            // after the note.
            let Some((_, record)) = self.look(mailbox, controller)? else {
                return Ok(Vec::new());
            };
            notes.retain(|note| note.state == IntentState::Overwritten || is_lost(note, controller, &record));
        } else {
            notes.retain(|note| note.state == IntentState::Overwritten);
        }
        Ok(notes)
    }

    /// Records what did not last, for whoever is told next. What cannot be recorded now is found again.
    pub(super) fn check_replication(&self, mailbox: ObjectId, controller: Option<&str>, record: &CredentialRecord) {
        let lost = self.conflicts_of(mailbox, controller, record).unwrap_or_default();
        for note in lost.iter().filter(|note| note.state != IntentState::Overwritten) {
            let _ = self.record_conflict(note, false);
        }
    }

    /// Records that a change did not last, or, `told`, that somebody knows by now. False: somebody else has.
    pub(super) fn record_conflict(&self, note: &IntentRecord, told: bool) -> Result<bool> {
        let Some(journal) = self.ports.outbox.journal() else {
            return Ok(false);
        };
        let kept = (IntentState::Overwritten, self.now().plus_millis(KEPT_MILLIS));
        let mut step = Transition::new(note.operation, note.state, (!told).then_some(kept));
        let is_news = note.state != IntentState::Overwritten;
        if is_news {
            let mailbox = self.mailbox_of(note.mailbox).unwrap_or_default();
            step.audit = self.record_late_outcome(
                &*self.ring_on_disk()?,
                note.operation,
                Action::ResetLost.name(),
                mailbox.as_ref().map_or(Target::Directory, Target::Mailbox),
                Outcome::Void,
                json!({ "lost": note.action, "controller": note.controller, "changedAt": note.at.0 }),
            );
        }
        let moved = self.advanced(journal, step)?.moved;
        if moved && is_news {
            self.drop_message_of(note)?;
        }
        Ok(moved)
    }

    /// The message would announce a PIN that is not in force. One that somebody handles is dropped by him.
    fn drop_message_of(&self, note: &IntentRecord) -> Result<()> {
        let outbox = &*self.ports.outbox;
        let entries = outbox.entries(Some(note.mailbox), None, usize::MAX)?.items;
        for entry in entries.iter().filter(|entry| is_of(note, entry)) {
            if let Some(entry) = outbox.lease(entry.id, self.now(), self.lease_end())? {
                self.drop_entry(&entry, ChangeOutcome::Replaced)?;
            }
        }
        Ok(())
    }

    /// Tells of everything that did not last, once.
    pub(super) fn report_conflicts(&self, warnings: &mut Vec<Warning>, diagnostics: &mut Vec<String>) {
        let Some(journal) = self.ports.outbox.journal() else {
            return;
        };
        let lost = match journal.overwritten() {
            Ok(lost) => lost,
            Err(error) => {
                diagnostics.push(format!("The journal could not be read: {error}"));
                return;
            }
        };
        for note in lost.iter().take(TOLD) {
            if matches!(self.record_conflict(note, true), Ok(true)) {
                let name = match self.mailbox_of(note.mailbox) {
                    Ok(Some(mailbox)) => mailbox.identity(),
                    _ => "a mailbox that is gone".to_owned(),
                };
                warnings.push(warning(&name, note));
            }
        }
    }
}

fn is_lost(note: &IntentRecord, controller: Option<&str>, record: &CredentialRecord) -> bool {
    let here = match (note.controller.as_deref(), controller) {
        (Some(one), Some(other)) => one.eq_ignore_ascii_case(other),
        (one, other) => one == other,
    };
    match note.fingerprint {
        ChangeFingerprint::Pin { id, previous } => {
            note.state == IntentState::Committed && here && record.has_lost(id, previous)
        }
        ChangeFingerprint::Seal(_) => false,
    }
}

fn is_of(note: &IntentRecord, entry: &OutboxEntry) -> bool {
    Some(entry.pin_id) == note.fingerprint.pin_id() && entry.state != EntryState::Failed
}

/// What somebody who asks for, or changes, this mailbox should know.
pub(super) fn conflict_warning(mailbox: &Mailbox, note: &IntentRecord) -> Warning {
    warning(&mailbox.identity(), note)
}

fn warning(name: &str, note: &IntentRecord) -> Warning {
    let place = note
        .controller
        .as_ref()
        .map_or_else(String::new, |controller| format!(" on {controller}"));
    Warning::new(
        "ResetLost",
        format!(
            "The PIN of \"{name}\" that this computer set{place} at {} is not in force: a change made on another domain \
             controller at about the same time replaced it.",
            moment(note.at)
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
