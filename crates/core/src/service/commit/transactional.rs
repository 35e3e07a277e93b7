//! The embedded directory: the transaction of the change writes message and audit entries too.

use std::sync::Arc;

use super::{AnnouncedPin, ChangeOutcome, Commit, MessageRelease, Operation, ProposedChange};
use crate::credential::keyring::KeyRing;
use crate::directory::{Applied, CredentialChange, Directory};
use crate::notification::outbox::OutboxEntry;
use crate::service::audit_writer::PendingAudit;
use crate::service::outbox::PendingMessage;
use crate::service::records::Records;
use crate::{Error, ErrorCode, Result};

/// Commits a change in one transaction.
pub(in crate::service) struct Transactional {
    pub directory: Arc<dyn Directory>,
    pub records: Arc<Records>,
}

impl Commit for Transactional {
    fn commit(&self, proposed: ProposedChange, _: &mut Operation, _: Option<&mut PendingMessage>) -> Result<Applied> {
        let ProposedChange { mut change, audit, .. } = proposed;
        change.audit = audit.map(PendingAudit::whole);
        apply(&*self.directory, change)
    }

    /// The transaction failed with the entries in it; the count is tried without them.
    fn audit_of_retry(&self, _: Option<PendingAudit>) -> Option<PendingAudit> {
        None
    }

    /// Without a store, or with one that cannot be used, there is no log; and nothing makes one, or a key, for a failure.
    fn keys_for_failure(&self, error: &Error) -> Result<Option<Arc<KeyRing>>> {
        if error.code() == ErrorCode::DirectoryUnavailable || self.directory.store_id().is_err() {
            return Ok(None);
        }
        self.records.ring_for_change().map(Some)
    }

    fn release_message(&self, entry: &OutboxEntry) -> Result<MessageRelease> {
        Ok(
            match ChangeOutcome::of_committed(&self.records, AnnouncedPin::from(entry))? {
                ChangeOutcome::InForce => MessageRelease::Send(entry.lease()),
                outcome => MessageRelease::Drop(outcome),
            },
        )
    }
}

/// Sends a change to the directory. One that was not made may be cancelled again.
pub(super) fn apply(directory: &dyn Directory, change: CredentialChange) -> Result<Applied> {
    let cancellation = change.cancellation.clone();
    let applied = directory.apply(change);
    match &applied {
        Ok(Applied::Committed) => {}
        Err(error) if error.code() == ErrorCode::OutcomeUnknown => {}
        _ => cancellation.leave_commit(),
    }
    applied
}
