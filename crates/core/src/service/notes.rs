//! Following up this computer's notes about its changes of a directory elsewhere: what became of those whose process died or whose
//! answer was lost, and whether those that were made have lasted.

use std::time::{Duration, Instant};

use serde_json::json;

use super::Service;
use super::fate::{AnnouncedPin, ChangeOutcome};
use super::trail::{Outcome, Target};
use crate::clock::Timestamp;
use crate::credential::record::{CredentialRecord, PinState};
use crate::credential::seal;
use crate::directory::journal::{ChangeFingerprint, IntentRecord, IntentState, Transition, TransitionResult};
use crate::notification::outbox::{Lease, OutboxEntry};
use crate::{ErrorCode, Result};

/// When a change is compared for the first time. Later at four times that age, but several times a day.
const PAUSE_MILLIS: i64 = 5 * 60_000;
const MAX_PAUSE_MILLIS: i64 = 8 * 3_600_000;
/// A change that is in force for so long has reached every controller, and has lost to none. While its own controller cannot be
/// reached, the word of any other counts from then on.
const SETTLED_MILLIS: i64 = 24 * 3_600_000;
/// After this long without any answer there is nobody left to ask.
const FORGOTTEN_MILLIS: i64 = 30 * 86_400_000;

impl Service {
    /// Follows up at most so many notes in that time. What one of them fails with keeps none of the others.
    pub(super) fn recover_pending(&self, most: usize, timeout: Duration, diagnostics: &mut Vec<String>) -> Result<()> {
        let Some(journal) = self.ports.outbox.journal() else {
            return Ok(());
        };
        let began = Instant::now();
        for _ in 0..most {
            if began.elapsed() >= timeout {
                break;
            }
            let Some(note) = journal.take_due(self.now(), PAUSE_MILLIS..=MAX_PAUSE_MILLIS)? else {
                break;
            };
            if let Err(error) = self.follow(&note) {
                diagnostics.push(format!(
                    "What became of an earlier change could not be found out: {error}"
                ));
            }
        }
        Ok(())
    }

    fn follow(&self, note: &IntentRecord) -> Result<()> {
        match note.state {
            IntentState::Prepared | IntentState::InDoubt => {
                let fate = self.outcome_of(note)?;
                self.record_found_outcome(note, fate, None).map(drop)
            }
            IntentState::Committed => self.compare(note),
            IntentState::Overwritten => self.forget(note),
        }
    }

    /// What is to be known of a change that was made: nothing more, unless it sets a PIN.
    pub(super) fn after_success(&self, note: &IntentRecord) -> Option<(IntentState, Timestamp)> {
        let due = self.now().plus_millis(PAUSE_MILLIS);
        note.fingerprint.pin_id().map(|_| (IntentState::Committed, due))
    }

    /// The note about the change that a message goes with, while its fate is open.
    pub(super) fn open_intent_of(&self, entry: &OutboxEntry) -> Result<Option<IntentRecord>> {
        let Some(journal) = self.ports.outbox.journal() else {
            return Ok(None);
        };
        let mut notes = journal.intents_of(entry.mailbox)?.into_iter();
        Ok(notes.find(|note| note.fingerprint.pin_id() == Some(entry.pin_id) && note.state <= IntentState::InDoubt))
    }

    /// Records a fate that was found out; `None`: it cannot be known any more.
    pub(super) fn record_found_outcome(
        &self,
        note: &IntentRecord,
        fate: Option<ChangeOutcome>,
        release: Option<(Lease, Timestamp)>,
    ) -> Result<TransitionResult> {
        let Some(journal) = self.ports.outbox.journal() else {
            return Ok(TransitionResult::default());
        };
        let (outcome, reason) = match fate {
            Some(ChangeOutcome::InForce | ChangeOutcome::Replaced) => (Outcome::Succeeded, None),
            Some(ChangeOutcome::NeverSet) => (Outcome::Void, Some("neverSet")),
            Some(ChangeOutcome::MailboxGone) => (Outcome::Unknown, Some("mailboxGone")),
            None => (Outcome::Unknown, None),
        };
        let to = self
            .after_success(note)
            .filter(|_| fate == Some(ChangeOutcome::InForce));
        let mut step = Transition::new(note.operation, IntentState::InDoubt, to);
        step.release = release;
        // That it is not known needs no saying twice.
        if outcome != Outcome::Unknown || note.state == IntentState::Prepared {
            let mut result = json!({ "recovered": true });
            if let Some(reason) = reason {
                result["reason"] = reason.into();
            }
            let mailbox = self.mailbox_of(note.mailbox).unwrap_or_default();
            let target = mailbox.as_ref().map_or(Target::Directory, Target::Mailbox);
            step.audit = self.record_late_outcome(
                &*self.ring_on_disk()?,
                note.operation,
                &note.action,
                target,
                outcome,
                result,
            );
        }
        self.advanced(journal, step)
    }

    /// What became of a change without message; one that sets a PIN can no longer be made afterwards.
    fn outcome_of(&self, note: &IntentRecord) -> Result<Option<ChangeOutcome>> {
        let controller = note.controller.as_deref();
        let found = match note.fingerprint {
            ChangeFingerprint::Pin { id, .. } => self
                .resolve_in_doubt(AnnouncedPin {
                    mailbox: note.mailbox,
                    controller,
                    id,
                })
                .map(Some),
            ChangeFingerprint::Seal(seal) => self.look(note.mailbox, controller).map(|found| match found {
                None => Some(ChangeOutcome::MailboxGone),
                Some((stored, _)) => {
                    let is_there = match &stored.record {
                        Some(record) => seal::tag(record) == seal,
                        None => note.fingerprint == ChangeFingerprint::GONE,
                    };
                    is_there.then_some(ChangeOutcome::InForce)
                }
            }),
        };
        match found {
            Err(error) if error.code() == ErrorCode::DirectoryUnavailable && self.is_older(note, SETTLED_MILLIS) => {
                Ok(self.word_of_others(note)?.and_then(|record| known_by(&record, note)))
            }
            found => found,
        }
    }

    /// Whether a change that was made has lasted.
    fn compare(&self, note: &IntentRecord) -> Result<()> {
        let controller = note.controller.as_deref();
        let settled = self.is_older(note, SETTLED_MILLIS);
        let record = match self.look(note.mailbox, controller) {
            Ok(found) => found.map(|(_, record)| record),
            Err(error) if error.code() == ErrorCode::DirectoryUnavailable && settled => {
                if self.is_older(note, FORGOTTEN_MILLIS) {
                    return self.forget(note);
                }
                self.word_of_others(note)?
            }
            Err(error) => return Err(error),
        };
        let (Some(record), ChangeFingerprint::Pin { id, previous }) = (record, note.fingerprint) else {
            return self.forget(note);
        };
        if record.has_lost(id, previous) {
            return self.record_conflict(note, false).map(drop);
        }
        if settled || record.pin_state(id) != PinState::Current {
            return self.forget(note);
        }
        Ok(())
    }

    /// The record as any controller has it.
    fn word_of_others(&self, note: &IntentRecord) -> Result<Option<CredentialRecord>> {
        Ok(self.look(note.mailbox, None)?.map(|(_, record)| record))
    }

    fn is_older(&self, note: &IntentRecord, millis: i64) -> bool {
        self.now() >= note.at.plus_millis(millis)
    }

    fn forget(&self, note: &IntentRecord) -> Result<()> {
        match self.ports.outbox.journal() {
            Some(journal) => journal
                .transition(Transition::new(note.operation, note.state, None))
                .map(drop),
            None => Ok(()),
        }
    }
}

fn known_by(record: &CredentialRecord, note: &IntentRecord) -> Option<ChangeOutcome> {
    match record.pin_state(note.fingerprint.pin_id()?) {
        PinState::Current => Some(ChangeOutcome::InForce),
        PinState::Superseded => Some(ChangeOutcome::Replaced),
        PinState::Unknown => None,
    }
}
