//! What became of a change whose process died, or whose answer was lost.
//!
//! The record on the controller that the change was sent to tells: its PIN is the one that was to be set, or has been it, or is not. In the
//! last case the change may still be on its way. So the record is first replaced by the same record sealed anew, which makes every
//! change that was computed from the old one fail, and only then is it certain that the PIN never comes into force.

use std::time::{Duration, Instant};

use super::Service;
use super::change_builder::ChangeBuilder;
use crate::credential::keyring::Purpose;
use crate::credential::record::{CredentialRecord, PinState};
use crate::directory::{Applied, CredentialChange, StoredCredential};
use crate::mailbox::ObjectId;
use crate::notification::outbox::OutboxEntry;
use crate::service::random_id;
use crate::{Error, ErrorCode, Result};

/// How long one recovery keeps trying while others change the record; later it is tried again.
const DEADLINE: Duration = Duration::from_secs(5);

/// A PIN that was asked to be set.
#[derive(Clone, Copy)]
pub(super) struct AnnouncedPin<'a> {
    pub mailbox: ObjectId,
    /// Where the change was sent to.
    pub controller: Option<&'a str>,
    pub id: [u8; 16],
}

impl<'a> From<&'a OutboxEntry> for AnnouncedPin<'a> {
    fn from(entry: &'a OutboxEntry) -> Self {
        Self {
            mailbox: entry.mailbox,
            controller: entry.controller.as_deref(),
            id: entry.pin_id,
        }
    }
}

/// What is known of such a PIN.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ChangeOutcome {
    /// It is the PIN in force.
    InForce,
    /// It was, or it would have been but for a later one.
    Replaced,
    /// It never was and never will be.
    NeverSet,
    /// There is no such mailbox any more.
    MailboxGone,
}

impl ChangeOutcome {
    /// Why a message is not sent.
    pub(super) const fn explained(self) -> &'static str {
        match self {
            Self::InForce => "the PIN is in force",
            Self::Replaced => "the PIN has been replaced since",
            Self::NeverSet => "the PIN was never set",
            Self::MailboxGone => "the mailbox is gone",
        }
    }
}

impl Service {
    /// The fate of a PIN whose change is certain.
    pub(super) fn outcome_of_committed(&self, pin: AnnouncedPin<'_>) -> Result<ChangeOutcome> {
        Ok(match self.look(pin.mailbox, pin.controller)? {
            None => ChangeOutcome::MailboxGone,
            Some((_, record)) => {
                self.check_replication(pin.mailbox, pin.controller, &record);
                match record.pin_state(pin.id) {
                    PinState::Current => ChangeOutcome::InForce,
                    // A record does not remember for ever; or another controller's change has won.
                    PinState::Superseded | PinState::Unknown => ChangeOutcome::Replaced,
                }
            }
        })
    }

    /// The fate of a PIN whose change may or may not have been made, or may yet be. Afterwards it no longer can be.
    ///
    /// # Errors
    /// The fate is still unknown.
    pub(super) fn resolve_in_doubt(&self, pin: AnnouncedPin<'_>) -> Result<ChangeOutcome> {
        let deadline = Instant::now() + DEADLINE;
        loop {
            let Some((stored, record)) = self.look(pin.mailbox, pin.controller)? else {
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
            match self.directory().apply(self.fence(pin, stored, &record)?)? {
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

    /// Whether another controller knows more than the one that the change was sent to. While that was out of reach, somebody may
    /// have changed the mailbox on another: then what is in force here has been replaced, and to seal this record anew would be a
    /// change that is later than that one, and win.
    fn is_behind(&self, pin: AnnouncedPin<'_>, stored: &StoredCredential, record: &CredentialRecord) -> Result<bool> {
        for other in self.directory().elsewhere(pin.mailbox, pin.controller)? {
            if other.record == stored.record {
                continue;
            }
            if let Some(sealed) = &other.record
                && !is_earlier(&self.unsealed(pin.mailbox, sealed)?, record)
            {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// The record where the change was sent to, and nowhere else: another controller may not know of it yet.
    pub(super) fn look(
        &self,
        mailbox: ObjectId,
        controller: Option<&str>,
    ) -> Result<Option<(StoredCredential, CredentialRecord)>> {
        let stored = match self.directory().credential(mailbox, controller) {
            Ok(stored) => stored,
            Err(error) if error.code() == ErrorCode::ManagementObjectNotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let record = match &stored.record {
            // A first PIN: the record to write is one without, so that a late change finds something where it expects nothing.
            None => CredentialRecord::never_set(random_id()?),
            Some(sealed) => self.unsealed(mailbox, sealed)?,
        };
        Ok(Some((stored, record)))
    }

    fn unsealed(&self, mailbox: ObjectId, sealed: &[u8]) -> Result<CredentialRecord> {
        let context = self.seal_context(mailbox)?;
        let plain = self.open_sealed(Purpose::Record, &context, sealed)??;
        CredentialRecord::decode(&plain)
            .map_err(|e| Error::new(ErrorCode::StoreCorrupt, "The PIN record is damaged.").caused_by(e))
    }

    fn fence(
        &self,
        pin: AnnouncedPin<'_>,
        stored: StoredCredential,
        record: &CredentialRecord,
    ) -> Result<CredentialChange> {
        let context = self.seal_context(pin.mailbox)?;
        let ring = self.ring_on_disk()?;
        let change = ChangeBuilder::new(&ring, context, &stored, pin.controller).record(record)?;
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
