//! Removing a mailbox from the directory, for users who have left and for what an import made by mistake.

use super::trail::{Action, Event, PendingAudit, Target};
use super::{Lookup, Service};
use crate::cancellation::Cancellation;
use crate::directory::{Applied, Removal};
use crate::mailbox::Mailbox;
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

impl Service {
    /// Removes a mailbox with its PIN and its queued messages.
    ///
    /// # Errors
    /// Those of a look-up; `WriteConflict` where somebody changed it meanwhile; `ConfigurationInvalid` for a directory whose mailboxes are
    /// managed elsewhere. Nothing was changed.
    pub fn remove_mailbox(&self, request: &RemovalRequest) -> Result<RemovalOutcome> {
        let lookup = Lookup {
            alternatives: &request.alternatives,
            ..Lookup::default()
        };
        let mailbox = self.resolve(&request.identity, lookup)?.mailbox;
        self.directory().check_removable()?;
        let id = mailbox.object_id;
        let outcome = RemovalOutcome {
            had_record: self.directory().credential(id, None)?.record.is_some(),
            messages: self.ports.outbox.entries(Some(id), None, MOST_MESSAGES)?.items.len(),
            mailbox,
        };
        if request.what_if {
            return Ok(outcome);
        }
        let event = Event::new(Action::RemoveMailbox, CMDLET, Target::Mailbox(&outcome.mailbox))?
            .result("messagesDropped", outcome.messages);
        let audit = if self.settings.audit {
            let ring = self.ring_for_change()?;
            self.trail(&ring, self.now(), &[event]).map(PendingAudit::whole)
        } else {
            None
        };
        let removal = Removal {
            mailbox: outcome.mailbox.clone(),
            audit,
            cancellation: request.cancellation.clone(),
        };
        match self.directory().remove_mailbox(removal)? {
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
