//! What the writer is asked to do, and what it answers.

use std::sync::mpsc::Sender;

use super::journal::{JournalDone, JournalTask};
use super::key_register::KeyTask;
use super::outbox::{OutboxDone, OutboxTask};
use umpin_core::Result;
use umpin_core::audit::AuditBatch;
use umpin_core::cancellation::Cancellation;
use umpin_core::directory::{Applied, CredentialChange, PolicyChange, Removal};

/// What is to be done.
pub(super) enum Task {
    Apply(Box<CredentialChange>),
    Remove(Box<Removal>),
    Outbox(Box<OutboxTask>),
    Journal(Box<JournalTask>),
    Key(Box<KeyTask>),
    Policy(Box<PolicyChange>),
    Failed(Box<FailedOperation>),
    /// See [`super::change::rewrite_version`].
    RewriteVersion,
    #[cfg(test)]
    Panic,
}

/// An operation that changed nothing, for the audit.
pub(super) struct FailedOperation {
    pub(super) account: String,
    pub(super) entry: AuditBatch,
}

/// What came of it.
pub(super) enum Done {
    Applied(Applied),
    Outbox(OutboxDone),
    Journal(JournalDone),
    /// Whether anything was changed.
    Key(bool),
    Recorded,
    Rewritten,
}

/// A task and whom to answer.
pub(super) struct Job {
    pub(super) task: Task,
    pub(super) reply: Sender<Result<Done>>,
}

impl Job {
    /// Of a change that may be called off.
    pub(super) fn cancellation(&self) -> Option<&Cancellation> {
        match &self.task {
            Task::Apply(change) => Some(&change.cancellation),
            Task::Remove(removal) => Some(&removal.cancellation),
            Task::Policy(change) => Some(&change.cancellation),
            _ => None,
        }
    }

    /// The one waiting may have given up; then nobody wants the answer.
    pub(super) fn answer(&self, answer: Result<Done>) {
        let _ = self.reply.send(answer);
    }
}
