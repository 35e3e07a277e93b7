//! Following up this computer's notes about its changes of a directory elsewhere: what became of those whose process died or whose
//! answer was lost, and whether those that were made have lasted.

use std::time::{Duration, Instant};

use serde_json::json;

use super::Service;
use super::fate::{Fate, WantedPin};
use super::trail::{Outcome, Target};
use crate::clock::Timestamp;
use crate::credential::record::{CredentialRecord, PinState};
use crate::credential::seal;
use crate::directory::journal::{Advance, Advanced, ChangeNote, NoteState, Trace};
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
    pub(super) fn follow_up(&self, most: usize, patience: Duration, diagnostics: &mut Vec<String>) -> Result<()> {
        let Some(journal) = self.ports.outbox.journal() else {
            return Ok(());
        };
        let began = Instant::now();
        for _ in 0..most {
            if began.elapsed() >= patience {
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

    fn follow(&self, note: &ChangeNote) -> Result<()> {
        match note.state {
            NoteState::Asked | NoteState::Unknown => {
                let fate = self.fate_of(note)?;
                self.conclude_found(note, fate, None).map(drop)
            }
            NoteState::Made => self.compare(note),
            NoteState::Lost => self.forget(note),
        }
    }

    /// What is to be known of a change that was made: nothing more, unless it sets a PIN.
    pub(super) fn after_success(&self, note: &ChangeNote) -> Option<(NoteState, Timestamp)> {
        let due = self.now().plus_millis(PAUSE_MILLIS);
        note.trace.pin_id().map(|_| (NoteState::Made, due))
    }

    /// The note about the change that a message goes with, while its fate is open.
    pub(super) fn open_note_of(&self, entry: &OutboxEntry) -> Result<Option<ChangeNote>> {
        let Some(journal) = self.ports.outbox.journal() else {
            return Ok(None);
        };
        let mut notes = journal.notes_of(entry.mailbox)?.into_iter();
        Ok(notes.find(|note| note.trace.pin_id() == Some(entry.pin_id) && note.state <= NoteState::Unknown))
    }

    /// Records a fate that was found out; `None`: it cannot be known any more.
    pub(super) fn conclude_found(
        &self,
        note: &ChangeNote,
        fate: Option<Fate>,
        release: Option<(Lease, Timestamp)>,
    ) -> Result<Advanced> {
        let Some(journal) = self.ports.outbox.journal() else {
            return Ok(Advanced::default());
        };
        let (outcome, reason) = match fate {
            Some(Fate::InForce | Fate::Replaced) => (Outcome::Succeeded, None),
            Some(Fate::NeverSet) => (Outcome::Void, Some("neverSet")),
            Some(Fate::MailboxGone) => (Outcome::Unknown, Some("mailboxGone")),
            None => (Outcome::Unknown, None),
        };
        let to = self.after_success(note).filter(|_| fate == Some(Fate::InForce));
        let mut step = Advance::new(note.operation, NoteState::Unknown, to);
        step.release = release;
        // That it is not known needs no saying twice.
        if outcome != Outcome::Unknown || note.state == NoteState::Asked {
            let mut result = json!({ "recovered": true });
            if let Some(reason) = reason {
                result["reason"] = reason.into();
            }
            let mailbox = self.mailbox_of(note.mailbox).unwrap_or_default();
            let target = mailbox.as_ref().map_or(Target::Directory, Target::Mailbox);
            step.audit = self.found_out(
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
    fn fate_of(&self, note: &ChangeNote) -> Result<Option<Fate>> {
        let controller = note.controller.as_deref();
        let found = match note.trace {
            Trace::Pin { id, .. } => self
                .settle_fate(WantedPin {
                    mailbox: note.mailbox,
                    controller,
                    id,
                })
                .map(Some),
            Trace::Seal(seal) => self.look(note.mailbox, controller).map(|found| match found {
                None => Some(Fate::MailboxGone),
                Some((stored, _)) => {
                    let is_there = match &stored.record {
                        Some(record) => seal::tag(record) == seal,
                        None => note.trace == Trace::GONE,
                    };
                    is_there.then_some(Fate::InForce)
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
    fn compare(&self, note: &ChangeNote) -> Result<()> {
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
        let (Some(record), Trace::Pin { id, previous }) = (record, note.trace) else {
            return self.forget(note);
        };
        if record.has_lost(id, previous) {
            return self.record_lost(note, false).map(drop);
        }
        if settled || record.pin_state(id) != PinState::Current {
            return self.forget(note);
        }
        Ok(())
    }

    /// The record as any controller has it.
    fn word_of_others(&self, note: &ChangeNote) -> Result<Option<CredentialRecord>> {
        Ok(self.look(note.mailbox, None)?.map(|(_, record)| record))
    }

    fn is_older(&self, note: &ChangeNote, millis: i64) -> bool {
        self.now() >= note.at.plus_millis(millis)
    }

    fn forget(&self, note: &ChangeNote) -> Result<()> {
        match self.ports.outbox.journal() {
            Some(journal) => journal
                .advance(Advance::new(note.operation, note.state, None))
                .map(drop),
            None => Ok(()),
        }
    }
}

fn known_by(record: &CredentialRecord, note: &ChangeNote) -> Option<Fate> {
    match record.pin_state(note.trace.pin_id()?) {
        PinState::Current => Some(Fate::InForce),
        PinState::Superseded => Some(Fate::Replaced),
        PinState::Unknown => None,
    }
}
