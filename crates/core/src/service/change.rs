//! How a change, what the audit says of it and its message become one: nothing is changed without record, and no PIN without its
//! message, whatever ends in between.
//!
//! A directory that has no journal records all of it in the transaction of the change. With a journal it takes two steps: intent
//! and message are recorded, then the change is asked for, then its outcome is recorded and the message released. What died in
//! between leaves a note, whose end `notes.rs` finds out, or an unconfirmed message, which the drain of the outbox does.
//!
//! Counting a failed sign-in is asked for first and recorded afterwards: it must be counted whatever becomes of the record.

use super::outbox::Pending;
use super::trail::{Action, Outcome, PendingAudit};
use super::{Service, Warning, random_id};
use crate::audit::{AuditBatch, ChainKeys};
use crate::credential::seal;
use crate::directory::journal::{ChangeFingerprint, IntentRecord, IntentState, Journal, Transition, TransitionResult};
use crate::directory::key_register::is_replaced;
use crate::directory::{Applied, CounterChange, CredentialChange, Swap};
use crate::mailbox::Mailbox;
use crate::notification::outbox::EntryState;
use crate::{Error, ErrorCode, Result};

/// A change that is wanted.
pub(super) struct ProposedChange {
    pub change: CredentialChange,
    pub trail: Option<PendingAudit>,
    /// What is done to the record, and what tells that it was; `None`: an attempt is counted, and nothing else.
    pub recorded_as: Option<(Action, ChangeFingerprint)>,
}

impl ProposedChange {
    /// A count that nobody is told of.
    pub(super) fn count(change: CredentialChange) -> Self {
        Self {
            change,
            trail: None,
            recorded_as: None,
        }
    }
}

/// One thing that is done, however often its change has to be asked for.
pub(super) struct Operation {
    /// Joins intent and outcome.
    pub id: [u8; 16],
    /// Its intent is recorded and its outcome is not.
    is_open: bool,
    /// Its intent is recorded, whether or not its outcome is by now.
    is_recorded: bool,
    /// Why something could not be recorded after the change was made.
    pub unrecorded: Option<Error>,
}

impl Operation {
    pub(super) fn new() -> Result<Self> {
        Ok(Self {
            id: random_id()?,
            is_open: false,
            is_recorded: false,
            unrecorded: None,
        })
    }

    pub(super) fn is_recorded(&self) -> bool {
        self.is_recorded
    }
}

impl Service {
    /// Makes a change and records, with it or around it, what is to be recorded. `pending` is its message.
    ///
    /// # Errors
    /// Those of [`crate::directory::Directory::apply`]; those of the journal, and then nothing was changed.
    pub(super) fn apply(
        &self,
        wanted: ProposedChange,
        operation: &mut Operation,
        pending: Option<&mut Pending>,
    ) -> Result<Applied> {
        let ProposedChange {
            mut change,
            trail,
            recorded_as,
        } = wanted;
        match (self.ports.outbox.journal(), recorded_as) {
            (None, _) => {
                change.audit = trail.map(PendingAudit::whole);
                self.ask(change)
            }
            (Some(journal), None) => {
                let applied = self.ask(change)?;
                if applied == Applied::Committed
                    && let Some(trail) = trail
                {
                    let append = |trail: &AuditBatch| journal.append(trail);
                    operation.unrecorded = self.recorded(trail.whole(), append).err();
                }
                Ok(applied)
            }
            (Some(journal), Some((action, fingerprint))) => {
                let note = IntentRecord {
                    operation: operation.id,
                    action: action.name().to_owned(),
                    mailbox: change.mailbox,
                    controller: change.controller.clone(),
                    fingerprint,
                    at: self.now(),
                    state: IntentState::Prepared,
                    due: self.lease_end(),
                };
                self.apply_in_steps(journal, &note, change, trail, operation, pending)
            }
        }
    }

    fn apply_in_steps(
        &self,
        journal: &dyn Journal,
        note: &IntentRecord,
        mut change: CredentialChange,
        trail: Option<PendingAudit>,
        operation: &mut Operation,
        pending: Option<&mut Pending>,
    ) -> Result<Applied> {
        change.cancellation.check()?;
        let mut message = change.message.take();
        if let Some(entry) = &mut message {
            entry.state = EntryState::Unconfirmed;
        }
        let intent = trail.as_ref().map(|trail| trail.intent(operation.id));
        match journal.prepare(note, message.as_ref(), intent.as_ref()) {
            // It has to be sealed anew, with its message.
            Err(error) if is_replaced(&error) => return Ok(Applied::Conflict),
            asked => asked.map_err(|error| not_recorded(&error))?,
        }
        operation.is_open = true;
        operation.is_recorded = true;
        match self.ask(change) {
            Ok(Applied::Committed) => {
                operation.is_open = false;
                let mut made = Transition::new(operation.id, IntentState::InDoubt, self.after_success(note));
                made.audit = trail.map(|trail| trail.rest(operation.id, self.now()));
                made.release = message.map(|entry| (entry.lease(), self.lease_end()));
                // A failure here loses nothing: note and message stay as they are, and their fate can be read from the record.
                let advanced = self.advanced(journal, made).unwrap_or_else(|error| {
                    operation.unrecorded = Some(error);
                    Default::default()
                });
                if let Some(pending) = pending {
                    pending.hold(advanced.lease);
                }
                Ok(Applied::Committed)
            }
            Err(error) if error.code() == ErrorCode::OutcomeUnknown => {
                self.conclude(operation, Outcome::Unknown, None);
                // Whatever is tried instead is another operation: the note of this one is still needed.
                operation.id = random_id()?;
                Err(error)
            }
            Err(error) => {
                self.conclude(operation, Outcome::Failed(error.code()), message.map(|entry| entry.id));
                Err(error)
            }
            // Nothing was changed, and it will be tried again. A message that cannot be removed is found out about.
            Ok(refused) => {
                if let Some(entry) = message {
                    let _ = self.ports.outbox.remove(entry.id);
                }
                Ok(refused)
            }
        }
    }

    fn is_under_replaced(&self, change: &CredentialChange) -> Result<bool> {
        let Some(register) = self.ports.outbox.key_register() else {
            return Ok(false);
        };
        let retired = register.retired_keys()?;
        let counter = match &change.counter {
            CounterChange::Keep => None,
            CounterChange::Set(new) | CounterChange::Swap(Swap { new, .. }) => Some(new),
        };
        let values = change.record.iter().map(|swap| &swap.new).chain(counter);
        let mut ids = values.filter_map(|value| seal::key_id(value));
        Ok(ids.any(|id| retired.iter().any(|key| key.id == id)))
    }

    /// Asks the directory for a change. One that was not made may be called off again.
    fn ask(&self, change: CredentialChange) -> Result<Applied> {
        let cancellation = change.cancellation.clone();
        // A directory elsewhere does not know which keys were replaced.
        let applied = if self.ports.outbox.journal().is_some() && self.is_under_replaced(&change)? {
            Ok(Applied::Conflict)
        } else {
            self.directory().apply(change)
        };
        match &applied {
            Ok(Applied::Committed) => {}
            Err(error) if error.code() == ErrorCode::OutcomeUnknown => {}
            _ => cancellation.leave_commit(),
        }
        applied
    }

    /// The end of an operation that changed nothing after its change had been asked for; nothing to do for any other.
    pub(super) fn abandon(&self, operation: &mut Operation, reason: ErrorCode) {
        self.conclude(operation, Outcome::Failed(reason), None);
    }

    fn conclude(&self, operation: &mut Operation, outcome: Outcome, discard: Option<[u8; 16]>) {
        let Some(journal) = self.ports.outbox.journal().filter(|_| operation.is_open) else {
            return;
        };
        operation.is_open = false;
        // What cannot be recorded now is found out about.
        let Ok(ring) = self.ring() else { return };
        let mut step = match outcome {
            Outcome::Unknown => {
                let unknown = (IntentState::InDoubt, self.lease_end());
                Transition::new(operation.id, IntentState::Prepared, Some(unknown))
            }
            _ => Transition::new(operation.id, IntentState::InDoubt, None),
        };
        step.audit = self.ended(&ring, operation.id, outcome);
        step.discard = discard;
        let _ = self.advanced(journal, step);
    }

    /// Records what has become of a change; where the key was replaced since, under the new one.
    pub(super) fn advanced(&self, journal: &dyn Journal, step: Transition) -> Result<TransitionResult> {
        match journal.transition(step.clone()) {
            Err(error) if is_replaced(&error) => {
                let audit = step.audit.map(|trail| self.rekeyed(trail)).transpose()?;
                journal.transition(Transition { audit, ..step })
            }
            advanced => advanced,
        }
    }

    /// Records entries; where the key was replaced since, under the new one.
    pub(super) fn recorded<T>(&self, trail: AuditBatch, record: impl Fn(&AuditBatch) -> Result<T>) -> Result<T> {
        match record(&trail) {
            Err(error) if is_replaced(&error) => record(&self.rekeyed(trail)?),
            recorded => recorded,
        }
    }

    fn rekeyed(&self, trail: AuditBatch) -> Result<AuditBatch> {
        let keys = ChainKeys::new(self.ring_on_disk()?.chain_keys());
        Ok(AuditBatch { keys, ..trail })
    }

    /// What could not be recorded of a change that was made.
    pub(super) fn warn_unrecorded(operation: &mut Operation, mailbox: &Mailbox) -> Option<Warning> {
        let error = operation.unrecorded.take()?;
        Some(
            Warning::new(
                "OutcomeNotRecorded",
                format!(
                    "\"{}\" was changed, but this computer could not record that: {error}",
                    mailbox.identity()
                ),
            )
            .action(
                "Correct the cause; the next change on this computer, or Send-UMPinNotification, completes the record.",
            ),
        )
    }
}

/// Nothing is changed that is not recorded before.
fn not_recorded(error: &Error) -> Error {
    // Whatever became of the record: the change was not asked for.
    let code = match error.code() {
        ErrorCode::OutcomeUnknown => ErrorCode::DirectoryUnavailable,
        code => code,
    };
    Error::new(
        code,
        format!("The change could not be recorded on this computer, so nothing was changed: {error}"),
    )
    .action("Make sure that this account can write the file named and that there is free space, then run the command again.")
    .caused_by(error.to_string())
}
