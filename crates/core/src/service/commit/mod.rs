//! Commits a change with its message and its audit entries, and finds out later what became of a change whose outcome is unknown.
//!
//! Use cases see one port, [`Commit`], and one operation, [`Commit::commit`]: this change, its message, its audit entries. Nothing is
//! changed that is not recorded, and no PIN is set without its message, wherever the process ends in between.
//!
//! # The two implementations
//!
//! **Embedded directory** (`transactional.rs`): record, message and audit entries are in one database, so one transaction writes all
//! of them. Nothing can be in doubt afterwards.
//!
//! **Remote directory** (`journaled.rs`): the record is on a domain controller; message and audit log are in a file of this computer,
//! the journal. One change takes three steps:
//!
//! 1. *Prepare.* One local transaction writes an [`IntentRecord`] in state `Prepared`, the audit entry of the intent, and the message
//!    as unconfirmed. If this fails, nothing is changed.
//! 2. *Change.* One compare-and-swap on the controller on which the record was read. It is sent at most once.
//! 3. *Record the outcome.* One local transaction writes the audit entry of the outcome and releases the message. A change that sets
//!    a PIN leaves its intent record in state `Committed`; any other one removes it. If the answer of the controller was lost, the
//!    state is `InDoubt`.
//!
//! Counting a failed sign-in has no intent: it must be counted whatever becomes of the journal, so it is changed first and recorded
//! afterwards.
//!
//! # Recovery of a remote change
//!
//! A process that dies between steps 1 and 3 leaves the intent record and the unconfirmed message; their lease ends after a few
//! minutes. The next change on this computer, or `Send-UMPinNotification`, takes them over:
//!
//! - A change with a message is resolved with the message ([`Commit::release_message`]), any other one by [`Commit::recover`].
//! - *Resolving* (`in_doubt.rs`) reads the record on the controller that the change was sent to. If it has the PIN, or has had it, the
//!   change was made. If it does not, the request may still be on its way: the same record is sealed anew and written, which is the
//!   *fence*. A request that was computed from the old value fails from then on, and only then the PIN is certain never to be in force.
//! - The outcome is recorded under the operation of the intent, and the message is sent or dropped.
//!
//! # Replication conflicts
//!
//! Of two changes of one record on two controllers, replication keeps one. While an intent record is in state `Committed`, every read
//! of the record on its controller is compared with it (`conflicts.rs`). If the change was overwritten, the state becomes
//! `Overwritten`, the audit log and the next caller are told, and a message that is still queued is dropped. After a day without a
//! conflict the intent record is removed (`recovery.rs`).

pub(super) mod builder;
mod conflicts;
mod in_doubt;
mod journaled;
mod outcome;
mod recovery;
mod transactional;

use std::sync::Arc;
use std::time::Duration;

use super::audit_writer::{Action, PendingAudit};
use super::outbox::PendingMessage;
use super::{Warning, random_id};
use crate::credential::keyring::KeyRing;
use crate::credential::record::CredentialRecord;
use crate::directory::journal::{ChangeFingerprint, IntentRecord};
use crate::directory::{Applied, CredentialChange, Directory};
use crate::mailbox::{Mailbox, ObjectId};
use crate::notification::outbox::{Lease, OutboxEntry};
use crate::{Error, ErrorCode, Result};

pub(super) use conflicts::conflict_warning;
pub(super) use journaled::Journaled;
pub(super) use outcome::{AnnouncedPin, ChangeOutcome};
pub(super) use transactional::Transactional;

/// Commits changes of credential records; see the page of this module.
pub(super) trait Commit: Send + Sync {
    /// Commits a change with its message and its audit entries. `message` is told what became of the right to hand it over.
    ///
    /// # Errors
    /// Those of [`crate::directory::Directory::apply`]; those of the journal, and then nothing was changed.
    fn commit(
        &self,
        proposed: ProposedChange,
        operation: &mut Operation,
        message: Option<&mut PendingMessage>,
    ) -> Result<Applied>;

    /// Records that an operation has ended without a change although its intent is recorded; otherwise does nothing.
    fn abandon(&self, operation: &mut Operation, reason: ErrorCode);

    /// What the second try of a count still records in the audit log after the first failed: an attempt must be counted whatever
    /// becomes of the log. The number of failures in the next entry then tells that one is missing.
    fn audit_of_retry(&self, audit: Option<PendingAudit>) -> Option<PendingAudit>;

    /// Takes as long as recording a counted attempt, and records nothing.
    fn dummy_record(&self);

    /// The keys that bind the audit entry of a failed command; `None` where there is no log to write it to.
    ///
    /// # Errors
    /// Those of the keys.
    fn keys_for_failure(&self, error: &Error) -> Result<Option<Arc<KeyRing>>>;

    /// Decides whether a message may be sent: finds out, where that is open, what became of its change. The entry must be leased.
    ///
    /// # Errors
    /// The outcome is still unknown.
    fn release_message(&self, entry: &OutboxEntry) -> Result<MessageRelease>;

    /// Resolves at most so many changes without message in that time. A failure of one of them is a diagnostic.
    ///
    /// # Errors
    /// The journal cannot be read.
    fn recover(&self, limit: usize, time: Duration, diagnostics: &mut Vec<String>) -> Result<()>;

    /// This computer's changes that were overwritten, as a record shows that was read on that controller. Records nothing.
    ///
    /// # Errors
    /// The journal cannot be read.
    fn conflicts_of(
        &self,
        mailbox: ObjectId,
        controller: Option<&str>,
        record: &CredentialRecord,
    ) -> Result<Vec<IntentRecord>>;

    /// Records the conflicts that a record shows. What cannot be recorded now is found again.
    fn check_replication(&self, mailbox: ObjectId, controller: Option<&str>, record: &CredentialRecord);

    /// Notes that the caller is told of a conflict. What cannot be noted now is told once more.
    fn acknowledge_conflict(&self, intent: &IntentRecord);

    /// Warns of every conflict that no caller was told of yet.
    fn report_conflicts(&self, warnings: &mut Vec<Warning>, diagnostics: &mut Vec<String>);

    /// Forgets the pending changes of a mailbox but this operation's: its PIN was cleared, so none of them is overwritten.
    ///
    /// # Errors
    /// Those of the journal.
    fn forget_changes(&self, mailbox: ObjectId, except: [u8; 16]) -> Result<()>;

    /// Recognises a pending change by the tag of the record that it wrote, before that record is sealed anew.
    fn resolve_by_tag(&self, mailbox: ObjectId, tag: [u8; 16]);

    /// Whether every change is replicated to other controllers.
    fn is_replicated(&self) -> bool;
}

/// Sends a change to the directory. One that was not made may be cancelled again.
fn apply(directory: &dyn Directory, change: CredentialChange) -> Result<Applied> {
    let cancellation = change.cancellation.clone();
    let applied = directory.apply(change);
    match &applied {
        Ok(Applied::Committed) => {}
        Err(error) if error.code() == ErrorCode::OutcomeUnknown => {}
        _ => cancellation.leave_commit(),
    }
    applied
}

/// What is to be done with a message.
pub(super) enum MessageRelease {
    /// Its PIN is in force. The lease may have been prolonged.
    Send(Lease),
    /// Its PIN is not in force.
    Drop(ChangeOutcome),
    /// Another process has the lease.
    Taken,
}

/// A change that is to be committed.
pub(super) struct ProposedChange {
    pub change: CredentialChange,
    pub audit: Option<PendingAudit>,
    /// The audited action, and the fingerprint by which its change is recognised; `None`: an attempt is counted, and nothing else.
    pub action: Option<(Action, ChangeFingerprint)>,
}

impl ProposedChange {
    /// Counts an attempt, without audit entries.
    pub(super) fn count(change: CredentialChange) -> Self {
        Self {
            change,
            audit: None,
            action: None,
        }
    }
}

/// One operation, however often its change is tried.
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

    /// The warning of a change that was made and could not be recorded.
    pub(super) fn warn_unrecorded(&mut self, mailbox: &Mailbox) -> Option<Warning> {
        let error = self.unrecorded.take()?;
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
