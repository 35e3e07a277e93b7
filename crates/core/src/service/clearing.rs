//! Clearing a mailbox's PIN: record and counter go, whatever state they are in, and the mailbox is as one that never had a PIN.

use std::sync::Arc;

use super::audit_writer::{Action, Event, Target};
use super::cas_retry::{CasRetry, RetryPriority};
use super::commit::{ChangeOutcome, Operation, ProposedChange};
use super::{Lookup, Warning};
use crate::cancellation::Cancellation;
use crate::clock::Clock;
use crate::directory::journal::ChangeFingerprint;
use crate::directory::{Applied, CounterChange, CredentialChange, Directory, Found, StoredCredential, Swap};
use crate::mailbox::{Mailbox, ObjectId};
use crate::notification::outbox::Outbox;
use crate::service::audit_writer::AuditWriter;
use crate::service::commit::Commit;
use crate::service::outbox::Queue;
use crate::service::records::Records;
use crate::service::resolve::Resolver;
use crate::{Error, ErrorCode, Result};

/// Who clears PINs, for the audit.
const CMDLET: &str = "Clear-UMMailboxPIN";

/// Whose PIN is to be cleared.
#[derive(Clone, Debug, Default)]
pub struct ClearRequest {
    /// What names the mailbox.
    pub identity: String,
    /// What else names it.
    pub alternatives: Vec<String>,
    /// The domain controller to use.
    pub domain_controller: Option<String>,
    /// The whole forest.
    pub ignore_default_scope: bool,
    /// Only look.
    pub what_if: bool,
    /// Whether it is still wanted.
    pub cancellation: Cancellation,
}

/// What was cleared, or would be.
#[derive(Debug)]
pub struct ClearOutcome {
    /// The mailbox.
    pub mailbox: Mailbox,
    /// Whether there was a record.
    pub had_record: bool,
    /// Whether there was a counter of failed sign-ins.
    pub had_counter: bool,
    /// Messages that were dropped, because their PIN is in force no more.
    pub messages: usize,
    /// What the administrator should know.
    pub warnings: Vec<Warning>,
    /// What was done, for `-Verbose`.
    pub diagnostics: Vec<String>,
}

/// Clears PINs.
pub(super) struct Clearing {
    pub directory: Arc<dyn Directory>,
    pub resolver: Arc<Resolver>,
    pub records: Arc<Records>,
    pub audit: Arc<AuditWriter>,
    pub commits: Arc<dyn Commit>,
    pub outbox: Arc<dyn Outbox>,
    pub queue: Arc<Queue>,
    pub clock: Arc<dyn Clock>,
}

impl Clearing {
    /// [`Service::clear_pin`](crate::service::Service::clear_pin).
    pub(in crate::service) fn clear_pin(&self, request: &ClearRequest) -> Result<ClearOutcome> {
        let mut operation = Operation::new()?;
        let done = self.clear(request, &mut operation);
        if let Err(error) = &done {
            self.commits.abandon(&mut operation, error.code());
        }
        done
    }

    fn clear(&self, request: &ClearRequest, operation: &mut Operation) -> Result<ClearOutcome> {
        let lookup = Lookup {
            ignore_default_scope: request.ignore_default_scope,
            domain_controller: request.domain_controller.as_deref(),
            alternatives: &request.alternatives,
        };
        let mut found = self.resolver.resolve(&request.identity, lookup)?;
        let mut retry = CasRetry::begin(RetryPriority::Administrator);
        loop {
            request.cancellation.check()?;
            let stored = self.stored_of(&found)?;
            let mut outcome = outcome(&found, &stored);
            outcome.diagnostics = self.directory.take_diagnostics();
            if request.what_if || !(outcome.had_record || outcome.had_counter) {
                return Ok(outcome);
            }
            let proposed = self.clearing(request, &found, stored, operation)?;
            match self.commits.commit(proposed, operation, None)? {
                Applied::Committed => {
                    let id = found.mailbox.object_id;
                    match self.drop_earlier_messages(id, operation.id) {
                        Ok(dropped) => outcome.messages = dropped,
                        Err(error) => outcome.warnings.push(
                            Warning::new(
                                "MessagesNotDropped",
                                format!(
                                    "The PIN of \"{}\" was cleared, but its queued messages could not be dropped: {error}",
                                    outcome.mailbox.identity()
                                ),
                            )
                            .action("Correct the cause; Send-UMPinNotification drops them, because their PIN is in force no more."),
                        ),
                    }
                    outcome.warnings.extend(operation.warn_unrecorded(&found.mailbox));
                    return Ok(outcome);
                }
                Applied::Conflict | Applied::Unreached => retry.retry(&found.mailbox)?,
            }
            let again = self
                .directory
                .find_by_object_id(found.mailbox.object_id, lookup.route())?;
            found = again.ok_or_else(|| {
                Error::new(
                    ErrorCode::ManagementObjectNotFound,
                    format!("The mailbox \"{}\" was removed meanwhile.", found.mailbox.identity()),
                )
            })?;
        }
    }

    fn stored_of(&self, found: &Found) -> Result<StoredCredential> {
        match &found.stored {
            Some(stored) => Ok(stored.clone()),
            None => self
                .directory
                .credential(found.mailbox.object_id, found.controller.as_deref()),
        }
    }

    fn clearing(
        &self,
        request: &ClearRequest,
        found: &Found,
        stored: StoredCredential,
        operation: &Operation,
    ) -> Result<ProposedChange> {
        let mut event = Event::new(Action::ClearPin, CMDLET, Target::Mailbox(&found.mailbox))?;
        event.operation = operation.id;
        event
            .parameter("Identity", Some(request.identity.as_str()))
            .parameter("DomainController", request.domain_controller.as_deref())
            .parameter("IgnoreDefaultScope", request.ignore_default_scope.then_some(true));
        let audit = if self.audit.enabled {
            self.audit
                .batch_of(&*self.records.ring_for_change()?, self.clock.now(), &[event])
        } else {
            None
        };
        let change = CredentialChange {
            record: stored.record.map(Swap::removal),
            counter: stored
                .counter
                .map_or(CounterChange::Keep, |seen| CounterChange::Swap(Swap::removal(seen))),
            cancellation: request.cancellation.clone(),
            ..CredentialChange::new(found.mailbox.object_id, found.controller.clone())
        };
        Ok(ProposedChange {
            change,
            audit,
            action: Some((Action::ClearPin, ChangeFingerprint::GONE)),
        })
    }

    /// What this computer set before is not lost, but gone as wanted: nobody is warned of it, and nobody gets a message of it.
    fn drop_earlier_messages(&self, mailbox: ObjectId, operation: [u8; 16]) -> Result<usize> {
        self.commits.forget_changes(mailbox, operation)?;
        let outbox = &*self.outbox;
        let mut dropped = 0;
        for entry in outbox.entries(Some(mailbox), None, usize::MAX)?.items {
            // One that somebody handles is dropped by him.
            if let Some(entry) = outbox.lease(entry.id, self.clock.now(), self.queue.lease_end())? {
                self.queue.drop_entry(&entry, ChangeOutcome::Replaced)?;
                dropped += 1;
            }
        }
        Ok(dropped)
    }
}

fn outcome(found: &Found, stored: &StoredCredential) -> ClearOutcome {
    let mailbox = found.mailbox.clone();
    let warnings = stored.foreign.as_ref().map(|_| {
        Warning::new(
            "ForeignValueLeft",
            format!(
                "\"{}\" has a value of another program, as Exchange left it, in place of a PIN record; it is left as it is.",
                mailbox.identity()
            ),
        )
        .action("Nothing needs to be done: the next reset replaces it.")
    });
    ClearOutcome {
        had_record: stored.record.is_some(),
        had_counter: stored.counter.is_some(),
        messages: 0,
        warnings: warnings.into_iter().collect(),
        diagnostics: Vec::new(),
        mailbox,
    }
}
