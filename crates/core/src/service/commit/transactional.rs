//! The embedded directory: the transaction of the change writes message and audit entries too.

use std::sync::Arc;
use std::time::Duration;

use super::{AnnouncedPin, ChangeOutcome, Commit, MessageRelease, Operation, ProposedChange, apply};
use crate::credential::keyring::KeyRing;
use crate::credential::record::CredentialRecord;
use crate::directory::journal::IntentRecord;
use crate::directory::{Applied, Directory};
use crate::mailbox::ObjectId;
use crate::notification::outbox::OutboxEntry;
use crate::service::Warning;
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

    /// Nothing is recorded before the transaction.
    fn abandon(&self, _: &mut Operation, _: ErrorCode) {}

    /// The audit entry of a count is part of its transaction.
    fn dummy_record(&self) {}

    /// No change is ever in doubt.
    fn recover(&self, _: usize, _: Duration, _: &mut Vec<String>) -> Result<()> {
        Ok(())
    }

    /// There are no other copies of a record.
    fn conflicts_of(&self, _: ObjectId, _: Option<&str>, _: &CredentialRecord) -> Result<Vec<IntentRecord>> {
        Ok(Vec::new())
    }

    fn check_replication(&self, _: ObjectId, _: Option<&str>, _: &CredentialRecord) {}

    fn acknowledge_conflict(&self, _: &IntentRecord) {}

    fn report_conflicts(&self, _: &mut Vec<Warning>, _: &mut Vec<String>) {}

    fn forget_changes(&self, _: ObjectId, _: [u8; 16]) -> Result<()> {
        Ok(())
    }

    fn resolve_by_tag(&self, _: ObjectId, _: [u8; 16]) {}

    fn is_replicated(&self) -> bool {
        false
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
