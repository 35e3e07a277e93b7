//! A remote directory: intent, change and outcome are three steps; see the page of the module.

use std::sync::Arc;
use std::time::Duration;

use super::{ChangeOutcome, Commit, MessageRelease, Operation, ProposedChange, apply};
use crate::audit::AuditBatch;
use crate::clock::Clock;
use crate::credential::keyring::KeyRing;
use crate::credential::record::CredentialRecord;
use crate::credential::seal;
use crate::directory::journal::{ChangeFingerprint, IntentRecord, IntentState, Journal, Transition, TransitionResult};
use crate::directory::key_register::is_replaced;
use crate::directory::{Applied, CounterChange, CredentialChange, Directory, Swap};
use crate::mailbox::ObjectId;
use crate::notification::outbox::{EntryState, Outbox, OutboxEntry};
use crate::service::audit_writer::{AuditWriter, Outcome, PendingAudit};
use crate::service::outbox::{PendingMessage, Queue};
use crate::service::records::Records;
use crate::service::resolve::Resolver;
use crate::service::{Warning, random_id};
use crate::{Error, ErrorCode, Result};

/// Commits a change on a domain controller, with a journal on this computer.
pub(in crate::service) struct Journaled {
    pub journal: Arc<dyn Journal>,
    pub directory: Arc<dyn Directory>,
    pub outbox: Arc<dyn Outbox>,
    pub queue: Arc<Queue>,
    pub records: Arc<Records>,
    pub resolver: Arc<Resolver>,
    pub audit: Arc<AuditWriter>,
    pub clock: Arc<dyn Clock>,
}

impl Commit for Journaled {
    fn commit(
        &self,
        proposed: ProposedChange,
        operation: &mut Operation,
        message: Option<&mut PendingMessage>,
    ) -> Result<Applied> {
        let ProposedChange { change, audit, action } = proposed;
        let Some((action, fingerprint)) = action else {
            return self.count(change, audit, operation);
        };
        let intent = IntentRecord {
            operation: operation.id,
            action: action.name().to_owned(),
            mailbox: change.mailbox,
            controller: change.controller.clone(),
            fingerprint,
            at: self.clock.now(),
            state: IntentState::Prepared,
            due: self.queue.lease_end(),
        };
        self.commit_in_steps(&intent, change, audit, operation, message)
    }

    fn abandon(&self, operation: &mut Operation, reason: ErrorCode) {
        self.conclude(operation, Outcome::Failed(reason), None);
    }

    /// The count does not depend on the record of it.
    fn audit_of_retry(&self, audit: Option<PendingAudit>) -> Option<PendingAudit> {
        audit
    }

    fn dummy_record(&self) {
        if self.audit.enabled {
            let _ = self.journal.dummy_write();
        }
    }

    fn keys_for_failure(&self, error: &Error) -> Result<Option<Arc<KeyRing>>> {
        // Comparing the key with the directory's records would wait for it once more; the log knows its own keys.
        if error.code() == ErrorCode::DirectoryUnavailable {
            return self.records.unchecked_ring().map(Some);
        }
        self.records.ring_on_disk().map(Some)
    }

    fn release_message(&self, entry: &OutboxEntry) -> Result<MessageRelease> {
        if entry.state == EntryState::Ready {
            self.release_confirmed(entry)
        } else {
            self.release_unconfirmed(entry)
        }
    }

    fn recover(&self, limit: usize, time: Duration, diagnostics: &mut Vec<String>) -> Result<()> {
        self.recover_due(limit, time, diagnostics)
    }

    fn conflicts_of(
        &self,
        mailbox: ObjectId,
        controller: Option<&str>,
        record: &CredentialRecord,
    ) -> Result<Vec<IntentRecord>> {
        self.find_conflicts(mailbox, controller, record)
    }

    fn check_replication(&self, mailbox: ObjectId, controller: Option<&str>, record: &CredentialRecord) {
        let conflicts = self.find_conflicts(mailbox, controller, record).unwrap_or_default();
        for intent in conflicts
            .iter()
            .filter(|intent| intent.state != IntentState::Overwritten)
        {
            let _ = self.record_conflict(intent, false);
        }
    }

    fn acknowledge_conflict(&self, intent: &IntentRecord) {
        let _ = self.record_conflict(intent, true);
    }

    fn report_conflicts(&self, warnings: &mut Vec<Warning>, diagnostics: &mut Vec<String>) {
        self.warn_of_conflicts(warnings, diagnostics);
    }

    fn forget_changes(&self, mailbox: ObjectId, except: [u8; 16]) -> Result<()> {
        for intent in self.journal.intents_of(mailbox)? {
            if intent.operation != except {
                self.forget(&intent)?;
            }
        }
        Ok(())
    }

    fn resolve_by_tag(&self, mailbox: ObjectId, tag: [u8; 16]) {
        let intents = self.journal.intents_of(mailbox).unwrap_or_default();
        let is_open = |state| state <= IntentState::InDoubt;
        for intent in intents
            .iter()
            .filter(|intent| intent.fingerprint == ChangeFingerprint::Seal(tag) && is_open(intent.state))
        {
            // What cannot be recorded now is found to be unknown later.
            let _ = self.record_outcome(intent, Some(ChangeOutcome::InForce), None);
        }
    }

    fn is_replicated(&self) -> bool {
        true
    }
}

impl Journaled {
    /// Counts an attempt, then records it.
    fn count(
        &self,
        change: CredentialChange,
        audit: Option<PendingAudit>,
        operation: &mut Operation,
    ) -> Result<Applied> {
        let applied = self.send(change)?;
        if applied == Applied::Committed
            && let Some(audit) = audit
        {
            let append = |batch: &AuditBatch| self.journal.append(batch);
            operation.unrecorded = self.records.with_current_keys(audit.whole(), append).err();
        }
        Ok(applied)
    }

    fn commit_in_steps(
        &self,
        intent: &IntentRecord,
        mut change: CredentialChange,
        audit: Option<PendingAudit>,
        operation: &mut Operation,
        pending: Option<&mut PendingMessage>,
    ) -> Result<Applied> {
        change.cancellation.check()?;
        let mut message = change.message.take();
        if let Some(entry) = &mut message {
            entry.state = EntryState::Unconfirmed;
        }
        let asked = audit.as_ref().map(|audit| audit.intent(operation.id));
        match self.journal.prepare(intent, message.as_ref(), asked.as_ref()) {
            // Record and message have to be sealed anew.
            Err(error) if is_replaced(&error) => return Ok(Applied::Conflict),
            prepared => prepared.map_err(|error| not_recorded(&error))?,
        }
        operation.is_open = true;
        operation.is_recorded = true;
        match self.send(change) {
            Ok(Applied::Committed) => {
                operation.is_open = false;
                let mut step = Transition::new(operation.id, IntentState::InDoubt, self.after_commit(intent));
                step.audit = audit.map(|audit| audit.rest(operation.id, self.clock.now()));
                step.release = message.map(|entry| (entry.lease(), self.queue.lease_end()));
                // A failure loses nothing: intent and message stay, and the record tells the outcome.
                let recorded = self.transition(step).unwrap_or_else(|error| {
                    operation.unrecorded = Some(error);
                    TransitionResult::default()
                });
                if let Some(pending) = pending {
                    pending.set_lease(recorded.lease);
                }
                Ok(Applied::Committed)
            }
            Err(error) if error.code() == ErrorCode::OutcomeUnknown => {
                self.conclude(operation, Outcome::Unknown, None);
                // Whatever is tried instead is another operation: the intent record of this one is still needed.
                operation.id = random_id()?;
                Err(error)
            }
            Err(error) => {
                self.conclude(operation, Outcome::Failed(error.code()), message.map(|entry| entry.id));
                Err(error)
            }
            // Nothing was changed, and the change is tried again. A message that cannot be removed is resolved later.
            Ok(refused) => {
                if let Some(entry) = message {
                    let _ = self.outbox.remove(entry.id);
                }
                Ok(refused)
            }
        }
    }

    /// Sends a change to the controller, which does not know which keys were replaced.
    fn send(&self, change: CredentialChange) -> Result<Applied> {
        if self.is_under_replaced_key(&change)? {
            change.cancellation.leave_commit();
            return Ok(Applied::Conflict);
        }
        apply(&*self.directory, change)
    }

    fn is_under_replaced_key(&self, change: &CredentialChange) -> Result<bool> {
        let Some(register) = self.outbox.key_register() else {
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

    /// Records the outcome of an operation that is open.
    fn conclude(&self, operation: &mut Operation, outcome: Outcome, discard: Option<[u8; 16]>) {
        if !operation.is_open {
            return;
        }
        operation.is_open = false;
        // What cannot be recorded now is resolved later.
        let Ok(ring) = self.records.ring() else { return };
        let mut step = match outcome {
            Outcome::Unknown => {
                let in_doubt = (IntentState::InDoubt, self.queue.lease_end());
                Transition::new(operation.id, IntentState::Prepared, Some(in_doubt))
            }
            _ => Transition::new(operation.id, IntentState::InDoubt, None),
        };
        step.audit = self.audit.ended(&ring, operation.id, outcome);
        step.discard = discard;
        let _ = self.transition(step);
    }

    /// Records what became of a change; where the key was replaced since, under the new one.
    pub(super) fn transition(&self, step: Transition) -> Result<TransitionResult> {
        match self.journal.transition(step.clone()) {
            Err(error) if is_replaced(&error) => {
                let audit = step.audit.map(|batch| self.records.rekeyed(batch)).transpose()?;
                self.journal.transition(Transition { audit, ..step })
            }
            recorded => recorded,
        }
    }
}

/// Nothing is changed that is not recorded before.
fn not_recorded(error: &Error) -> Error {
    // Whatever became of the journal: the change was not sent.
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
