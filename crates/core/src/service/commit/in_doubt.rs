//! Resolves a change whose process died, or whose answer was lost.
//!
//! The record on the controller that the change was sent to tells: it has the PIN, or has had it, or has not. In the last case the
//! request may still be on its way, so the record is fenced: the same record is sealed anew and written. Every request that was
//! computed from the old value fails from then on, and only then it is certain that the PIN never comes into force.

use std::time::{Duration, Instant};

use super::builder::ChangeBuilder;
use super::journaled::Journaled;
use super::{AnnouncedPin, ChangeOutcome, MessageRelease};
use crate::credential::record::{CredentialRecord, PinState};
use crate::directory::journal::IntentState;
use crate::directory::{Applied, CredentialChange, StoredCredential};
use crate::notification::outbox::OutboxEntry;
use crate::{Error, ErrorCode, Result};

/// How long one recovery keeps trying while others change the record; later it is tried again.
const DEADLINE: Duration = Duration::from_secs(5);

impl Journaled {
    /// The message of a change that is known to have been made.
    pub(super) fn release_confirmed(&self, entry: &OutboxEntry) -> Result<MessageRelease> {
        let pin = AnnouncedPin::from(entry);
        let outcome = match self.records.look(pin.mailbox, pin.controller)? {
            None => ChangeOutcome::MailboxGone,
            Some((_, record)) => {
                super::Commit::check_replication(self, pin.mailbox, pin.controller, &record);
                ChangeOutcome::from_state(record.pin_state(pin.id))
            }
        };
        Ok(match outcome {
            ChangeOutcome::InForce => MessageRelease::Send(entry.lease()),
            outcome => MessageRelease::Drop(outcome),
        })
    }

    /// The message of a change that may or may not have been made. Its outcome is recorded with the release of the message.
    pub(super) fn release_unconfirmed(&self, entry: &OutboxEntry) -> Result<MessageRelease> {
        let outcome = self.resolve_in_doubt(AnnouncedPin::from(entry))?;
        let mut intents = self.journal.intents_of(entry.mailbox)?.into_iter();
        let intent = intents
            .find(|intent| intent.fingerprint.pin_id() == Some(entry.pin_id) && intent.state <= IntentState::InDoubt);
        if outcome != ChangeOutcome::InForce {
            if let Some(intent) = intent {
                self.record_outcome(&intent, Some(outcome), None)?;
            }
            return Ok(MessageRelease::Drop(outcome));
        }
        // Only now may others send it without resolving it again; and resolving may have taken most of the lease.
        let until = self.queue.lease_end();
        let lease = match intent {
            Some(intent) => {
                self.record_outcome(&intent, Some(outcome), Some((entry.lease(), until)))?
                    .lease
            }
            None => self.outbox.release(entry.lease(), until)?,
        };
        Ok(lease.map_or(MessageRelease::Taken, MessageRelease::Send))
    }

    /// The outcome of a change that may or may not have been made, or may yet be. Afterwards it no longer can be.
    ///
    /// # Errors
    /// The outcome is still unknown.
    pub(super) fn resolve_in_doubt(&self, pin: AnnouncedPin<'_>) -> Result<ChangeOutcome> {
        let deadline = Instant::now() + DEADLINE;
        loop {
            let Some((stored, record)) = self.records.look(pin.mailbox, pin.controller)? else {
                return Ok(ChangeOutcome::MailboxGone);
            };
            let state = record.pin_state(pin.id);
            if state == PinState::Superseded {
                return Ok(ChangeOutcome::Replaced);
            }
            if self.is_behind(pin, &stored, &record)? {
                return Err(Error::new(
                    ErrorCode::WriteConflict,
                    "another controller has a record that the one that the change was sent to does not know of yet",
                ));
            }
            if state == PinState::Current {
                return Ok(ChangeOutcome::InForce);
            }
            match self.directory.apply(self.fence(pin, &stored, &record)?)? {
                Applied::Committed => return Ok(ChangeOutcome::NeverSet),
                Applied::Unreached => {
                    return Err(Error::new(
                        ErrorCode::DirectoryUnavailable,
                        "the controller that the change was sent to cannot be reached",
                    ));
                }
                // Perhaps it was the very change: look again.
                Applied::Conflict if Instant::now() < deadline => {}
                Applied::Conflict => {
                    return Err(Error::new(
                        ErrorCode::WriteConflict,
                        "other writers keep changing the record that tells whether the PIN was set",
                    ));
                }
            }
        }
    }

    /// Whether another controller has a later record than the one that the change was sent to. While that one was out of reach, the
    /// mailbox may have been changed on another: a fence here would be later than that change, and would win.
    fn is_behind(&self, pin: AnnouncedPin<'_>, stored: &StoredCredential, record: &CredentialRecord) -> Result<bool> {
        for other in self.directory.elsewhere(pin.mailbox, pin.controller)? {
            if other.record == stored.record {
                continue;
            }
            if let Some(sealed) = &other.record
                && !is_earlier(&self.records.unsealed(pin.mailbox, sealed)?, record)
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The same record, sealed anew.
    fn fence(
        &self,
        pin: AnnouncedPin<'_>,
        stored: &StoredCredential,
        record: &CredentialRecord,
    ) -> Result<CredentialChange> {
        let context = self.records.seal_context(pin.mailbox)?;
        let ring = self.records.ring_on_disk()?;
        let change = ChangeBuilder::new(&ring, context, stored, pin.controller).record(record)?;
        Ok(change.build())
    }
}

/// Whether a record is an earlier state of another that has had a new PIN since.
fn is_earlier(record: &CredentialRecord, than: &CredentialRecord) -> bool {
    match record.current() {
        Some(pin) => than.pin_state(pin.pin_id) == PinState::Superseded,
        None => than.current().is_some(),
    }
}
