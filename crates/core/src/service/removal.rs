//! Removing a mailbox from the directory, for users who have left and for what an import made by mistake.

use std::sync::Arc;

use super::Lookup;
use super::audit_writer::{Action, Event, PendingAudit, Target};
use crate::cancellation::Cancellation;
use crate::clock::Clock;
use crate::directory::{Applied, Directory, Removal};
use crate::mailbox::Mailbox;
use crate::notification::outbox::Outbox;
use crate::service::audit_writer::AuditWriter;
use crate::service::records::Records;
use crate::service::resolve::Resolver;
use crate::{Error, ErrorCode, Result};

/// Who removes mailboxes, for the audit.
const CMDLET: &str = "Remove-UMDirectoryMailbox";

/// More messages than anybody has queued for one mailbox.
const MOST_MESSAGES: usize = 10_000;

/// Which mailbox is to be removed.
#[derive(Clone, Debug)]
pub struct RemovalRequest {
    /// What names it.
    pub identity: String,
    /// What else names it.
    pub alternatives: Vec<String>,
    /// Only find it.
    pub what_if: bool,
    /// Whether it is still wanted.
    pub cancellation: Cancellation,
}

/// A mailbox that was removed, or would be.
#[derive(Clone, Debug)]
pub struct RemovalOutcome {
    /// As it was.
    pub mailbox: Mailbox,
    /// Whether it had a PIN, or a lock.
    pub had_record: bool,
    /// Messages that were dropped with it.
    pub messages: usize,
}

/// Removes mailboxes.
pub(super) struct Removals {
    pub directory: Arc<dyn Directory>,
    pub outbox: Arc<dyn Outbox>,
    pub resolver: Arc<Resolver>,
    pub records: Arc<Records>,
    pub audit: Arc<AuditWriter>,
    pub clock: Arc<dyn Clock>,
}

impl Removals {
    /// [`Service::remove_mailbox`](crate::service::Service::remove_mailbox).
    pub(in crate::service) fn remove_mailbox(&self, request: &RemovalRequest) -> Result<RemovalOutcome> {
        let lookup = Lookup {
            alternatives: &request.alternatives,
            ..Lookup::default()
        };
        let mailbox = self.resolver.resolve(&request.identity, lookup)?.mailbox;
        self.directory.check_removable()?;
        let id = mailbox.object_id;
        let outcome = RemovalOutcome {
            had_record: self.directory.credential(id, None)?.record.is_some(),
            messages: self.outbox.entries(Some(id), None, MOST_MESSAGES)?.items.len(),
            mailbox,
        };
        if request.what_if {
            return Ok(outcome);
        }
        let event = Event::new(Action::RemoveMailbox, CMDLET, Target::Mailbox(&outcome.mailbox))?
            .result("messagesDropped", outcome.messages);
        let audit = if self.audit.enabled {
            let ring = self.records.ring_for_change()?;
            self.audit
                .batch_of(&ring, self.clock.now(), &[event])
                .map(PendingAudit::whole)
        } else {
            None
        };
        let removal = Removal {
            mailbox: outcome.mailbox.clone(),
            audit,
            cancellation: request.cancellation.clone(),
        };
        match self.directory.remove_mailbox(removal)? {
            Applied::Committed => Ok(outcome),
            Applied::Conflict | Applied::Unreached => Err(Error::new(
                ErrorCode::WriteConflict,
                format!(
                    "The mailbox \"{}\" was changed by somebody else at the same time and was not removed.",
                    outcome.mailbox.identity()
                ),
            )
            .action("Look at the mailbox, then run the command again.")),
        }
    }
}
