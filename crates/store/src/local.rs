//! What a host keeps for a remote directory, in a store of its own.

use std::ops::RangeInclusive;

use super::journal::{self, JournalDone, JournalTask};
use super::{EmbeddedDirectory, EmbeddedOptions};
use umpin_core::Result;
use umpin_core::audit::{
    AuditBatch, AuditLog, ChainKeyId, Ending, LogCursor, LogKind, LogPage, OmittedFailures, RetentionPause,
};
use umpin_core::clock::Timestamp;
use umpin_core::directory::journal::{IntentRecord, Journal, Transition, TransitionResult};
use umpin_core::directory::key_register::KeyRegister;
use umpin_core::directory::{Directory, Page};
use umpin_core::mailbox::ObjectId;
use umpin_core::notification::outbox::{Lease, Outbox, OutboxEntry};

/// Outbox, journal and audit log of this host for a remote directory: the same engine in a file of its own, made with the
/// first change.
#[derive(Debug)]
pub struct LocalOutbox(EmbeddedDirectory);

impl LocalOutbox {
    /// Touches nothing yet.
    #[must_use]
    pub fn new(options: EmbeddedOptions) -> Self {
        Self(EmbeddedDirectory::new(options))
    }

    pub(super) fn store(&self) -> &EmbeddedDirectory {
        &self.0
    }

    /// The file, where there is one: without it there is nothing.
    fn existing(&self) -> Result<Option<&EmbeddedDirectory>> {
        Ok(self.0.exists()?.then_some(&self.0))
    }
}

impl Outbox for LocalOutbox {
    fn start_threads(&self) -> Result<()> {
        Directory::start_threads(&self.0)
    }

    fn key_register(&self) -> Option<&dyn KeyRegister> {
        Some(self)
    }

    fn release(&self, lease: Lease, until: Timestamp) -> Result<Option<Lease>> {
        self.0.release(lease, until)
    }

    fn lease_due(
        &self,
        due: Timestamp,
        now: Timestamp,
        lease_until: Timestamp,
        limit: usize,
    ) -> Result<Vec<OutboxEntry>> {
        self.existing()?.map_or_else(
            || Ok(Vec::new()),
            |outbox| outbox.lease_due(due, now, lease_until, limit),
        )
    }

    fn lease(&self, id: [u8; 16], now: Timestamp, lease_until: Timestamp) -> Result<Option<OutboxEntry>> {
        self.existing()?
            .map_or(Ok(None), |outbox| outbox.lease(id, now, lease_until))
    }

    fn remove(&self, id: [u8; 16]) -> Result<()> {
        self.0.remove(id)
    }

    fn discard(&self, id: [u8; 16], audit: Option<AuditBatch>) -> Result<()> {
        self.0.discard(id, audit)
    }

    fn defer(&self, lease: Lease, until: Timestamp, error: &str) -> Result<bool> {
        self.0.defer(lease, until, error)
    }

    fn fail(&self, lease: Lease, keep_until: Timestamp, error: &str, audit: Option<AuditBatch>) -> Result<bool> {
        self.0.fail(lease, keep_until, error, audit)
    }

    fn take_failures(&self) -> Result<Vec<OutboxEntry>> {
        self.existing()?.map_or_else(|| Ok(Vec::new()), Outbox::take_failures)
    }

    fn entries(&self, mailbox: Option<ObjectId>, after: Option<&str>, limit: usize) -> Result<Page<OutboxEntry>> {
        let nothing = Page {
            items: Vec::new(),
            next: None,
        };
        self.existing()?
            .map_or(Ok(nothing), |outbox| outbox.entries(mailbox, after, limit))
    }
}

impl LocalOutbox {
    fn journal_task(&self, task: JournalTask) -> Result<JournalDone> {
        // There is no file before the first change, and none after somebody has removed it.
        self.0.ensure()?;
        self.0.write(journal::command(task))
    }
}

impl Journal for LocalOutbox {
    fn prepare(&self, note: &IntentRecord, message: Option<&OutboxEntry>, intent: Option<&AuditBatch>) -> Result<()> {
        let task = JournalTask::Prepare {
            note: note.clone(),
            message: message.cloned(),
            intent: intent.cloned(),
        };
        self.journal_task(task).map(drop)
    }

    fn transition(&self, step: Transition) -> Result<TransitionResult> {
        match self.journal_task(JournalTask::Transition(step))? {
            JournalDone::Transition(advanced) => Ok(advanced),
            _ => Err(journal::unexpected_reply()),
        }
    }

    fn append(&self, audit: &AuditBatch) -> Result<()> {
        self.journal_task(JournalTask::Append(audit.clone())).map(drop)
    }

    fn dummy_write(&self) -> Result<()> {
        self.0.ensure()?;
        self.0.rewrite_version()
    }

    fn intents_of(&self, mailbox: ObjectId) -> Result<Vec<IntentRecord>> {
        self.existing()?.map_or_else(
            || Ok(Vec::new()),
            |store| store.read(|c| journal::intents_of(c, mailbox)),
        )
    }

    fn take_due(&self, now: Timestamp, pause: RangeInclusive<i64>) -> Result<Option<IntentRecord>> {
        let Some(store) = self.existing()? else { return Ok(None) };
        if !store.read(|c| journal::is_due(c, now, &pause))? {
            return Ok(None);
        }
        match self.journal_task(JournalTask::TakeDue { now, pause })? {
            JournalDone::Note(note) => Ok(note),
            _ => Err(journal::unexpected_reply()),
        }
    }

    fn overwritten(&self) -> Result<Vec<IntentRecord>> {
        self.existing()?
            .map_or_else(|| Ok(Vec::new()), |store| store.read(journal::overwritten))
    }
}

impl AuditLog for LocalOutbox {
    fn log_kind(&self) -> LogKind {
        LogKind::Store
    }

    fn source(&self) -> String {
        self.0.source()
    }

    fn newest(&self) -> Result<Option<(ChainKeyId, Timestamp)>> {
        self.0.newest()
    }

    fn page(&self, cursor: LogCursor, limit: usize) -> Result<LogPage> {
        let nothing = LogPage {
            items: Vec::new(),
            next: None,
            ending: Ending::Complete,
        };
        self.existing()?.map_or(Ok(nothing), |store| store.page(cursor, limit))
    }

    fn append_failed(&self, account: &str, entry: AuditBatch) -> Result<()> {
        self.0.ensure()?;
        self.0.append_failed(account, entry)
    }

    fn omitted_failures(&self) -> Result<Vec<OmittedFailures>> {
        self.existing()?
            .map_or_else(|| Ok(Vec::new()), AuditLog::omitted_failures)
    }

    fn retention_pause(&self, now: Timestamp, since: Timestamp) -> Result<Option<RetentionPause>> {
        self.existing()?
            .map_or(Ok(None), |store| store.retention_pause(now, since))
    }
}
