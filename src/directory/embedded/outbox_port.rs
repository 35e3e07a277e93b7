//! The outbox of a store, and an outbox that is a store of its own.

use crate::Result;
use crate::audit::AuditTrail;
use crate::clock::Timestamp;
use crate::directory::Page;
use crate::mailbox::ObjectId;
use crate::notification::outbox::{Lease, Outbox, OutboxEntry};

use super::outbox::{self, OutboxDone, OutboxTask};
use super::writer::{Done, Task};
use super::{EmbeddedDirectory, EmbeddedOptions, misunderstood};

impl EmbeddedDirectory {
    fn outbox_task(&self, task: OutboxTask) -> Result<OutboxDone> {
        match self.write(Task::Outbox(Box::new(task)))? {
            Done::Outbox(done) => Ok(done),
            Done::Applied(_) => Err(misunderstood()),
        }
    }

    fn held(&self, task: OutboxTask) -> Result<bool> {
        match self.outbox_task(task)? {
            OutboxDone::Held(held) => Ok(held),
            _ => Err(misunderstood()),
        }
    }

    fn leased(&self, task: OutboxTask) -> Result<Vec<OutboxEntry>> {
        match self.outbox_task(task)? {
            OutboxDone::Entries(entries) => Ok(entries),
            _ => Err(misunderstood()),
        }
    }
}

impl Outbox for EmbeddedDirectory {
    fn is_transactional(&self) -> bool {
        true
    }

    fn record(&self, entry: &OutboxEntry) -> Result<()> {
        self.outbox_task(OutboxTask::Record(entry.clone())).map(drop)
    }

    fn release(&self, lease: Lease, until: Timestamp) -> Result<Option<Lease>> {
        let held = self.held(OutboxTask::Release { lease, until })?;
        Ok(held.then_some(Lease { until, ..lease }))
    }

    fn lease_due(&self, due: Timestamp, lease_until: Timestamp, limit: usize) -> Result<Vec<OutboxEntry>> {
        if !self.read(|c| outbox::is_due(c, due))? {
            return Ok(Vec::new());
        }
        self.leased(OutboxTask::LeaseDue {
            due,
            until: lease_until,
            limit,
        })
    }

    fn lease(&self, id: [u8; 16], now: Timestamp, lease_until: Timestamp) -> Result<Option<OutboxEntry>> {
        let task = OutboxTask::Lease {
            id,
            now,
            until: lease_until,
        };
        Ok(self.leased(task)?.pop())
    }

    fn remove(&self, id: [u8; 16]) -> Result<()> {
        self.outbox_task(OutboxTask::Remove(id)).map(drop)
    }

    fn discard(&self, id: [u8; 16], audit: Option<AuditTrail>) -> Result<()> {
        self.outbox_task(OutboxTask::Discard { id, audit }).map(drop)
    }

    fn defer(&self, lease: Lease, until: Timestamp, error: &str) -> Result<bool> {
        let error = error.to_owned();
        self.held(OutboxTask::Defer { lease, until, error })
    }

    fn fail(&self, lease: Lease, keep_until: Timestamp, error: &str, audit: Option<AuditTrail>) -> Result<bool> {
        self.held(OutboxTask::Fail {
            lease,
            keep_until,
            error: error.to_owned(),
            audit,
        })
    }

    fn take_failures(&self) -> Result<Vec<OutboxEntry>> {
        if !self.read(outbox::has_failures)? {
            return Ok(Vec::new());
        }
        self.leased(OutboxTask::TakeFailures)
    }

    fn entries(&self, mailbox: Option<ObjectId>, after: Option<&str>, limit: usize) -> Result<Page<OutboxEntry>> {
        self.read(|c| outbox::page(c, mailbox, after, limit))
    }
}

/// The outbox of this host for a directory elsewhere: the same engine in a file of its own, made with the first message.
#[derive(Debug)]
pub struct LocalOutbox(EmbeddedDirectory);

impl LocalOutbox {
    /// Touches nothing yet.
    #[must_use]
    pub fn new(options: EmbeddedOptions) -> Self {
        Self(EmbeddedDirectory::new(options))
    }

    /// The outbox, where there is one: without a file nothing is in it.
    fn existing(&self) -> Result<Option<&EmbeddedDirectory>> {
        Ok(self.0.exists()?.then_some(&self.0))
    }
}

impl Outbox for LocalOutbox {
    fn is_transactional(&self) -> bool {
        false
    }

    fn record(&self, entry: &OutboxEntry) -> Result<()> {
        self.0.ensure()?;
        self.0.record(entry)
    }

    fn release(&self, lease: Lease, until: Timestamp) -> Result<Option<Lease>> {
        self.0.release(lease, until)
    }

    fn lease_due(&self, due: Timestamp, lease_until: Timestamp, limit: usize) -> Result<Vec<OutboxEntry>> {
        self.existing()?
            .map_or_else(|| Ok(Vec::new()), |outbox| outbox.lease_due(due, lease_until, limit))
    }

    fn lease(&self, id: [u8; 16], now: Timestamp, lease_until: Timestamp) -> Result<Option<OutboxEntry>> {
        self.existing()?
            .map_or(Ok(None), |outbox| outbox.lease(id, now, lease_until))
    }

    fn remove(&self, id: [u8; 16]) -> Result<()> {
        self.0.remove(id)
    }

    fn discard(&self, id: [u8; 16], audit: Option<AuditTrail>) -> Result<()> {
        self.0.discard(id, audit)
    }

    fn defer(&self, lease: Lease, until: Timestamp, error: &str) -> Result<bool> {
        self.0.defer(lease, until, error)
    }

    fn fail(&self, lease: Lease, keep_until: Timestamp, error: &str, audit: Option<AuditTrail>) -> Result<bool> {
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
