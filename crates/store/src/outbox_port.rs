//! The outbox of a store.

use umpin_core::Result;
use umpin_core::audit::AuditBatch;
use umpin_core::clock::Timestamp;
use umpin_core::directory::Page;
use umpin_core::directory::key_register::KeyRegister;
use umpin_core::mailbox::ObjectId;
use umpin_core::notification::outbox::{Lease, Outbox, OutboxEntry};

use super::outbox::{self, OutboxDone, OutboxTask};
use super::task::{Done, Task};
use super::{EmbeddedDirectory, misunderstood};

impl EmbeddedDirectory {
    fn outbox_task(&self, task: OutboxTask) -> Result<OutboxDone> {
        match self.write(Task::Outbox(Box::new(task)))? {
            Done::Outbox(done) => Ok(done),
            _ => Err(misunderstood()),
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
    fn key_register(&self) -> Option<&dyn KeyRegister> {
        Some(self)
    }

    fn release(&self, lease: Lease, until: Timestamp) -> Result<Option<Lease>> {
        let held = self.held(OutboxTask::Release { lease, until })?;
        Ok(held.then_some(Lease { until, ..lease }))
    }

    fn lease_due(
        &self,
        due: Timestamp,
        now: Timestamp,
        lease_until: Timestamp,
        limit: usize,
    ) -> Result<Vec<OutboxEntry>> {
        if !self.read(|c| outbox::is_due(c, due, now))? {
            return Ok(Vec::new());
        }
        self.leased(OutboxTask::LeaseDue {
            due,
            now,
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

    fn discard(&self, id: [u8; 16], audit: Option<AuditBatch>) -> Result<()> {
        self.outbox_task(OutboxTask::Discard { id, audit }).map(drop)
    }

    fn defer(&self, lease: Lease, until: Timestamp, error: &str) -> Result<bool> {
        let error = error.to_owned();
        self.held(OutboxTask::Defer { lease, until, error })
    }

    fn fail(&self, lease: Lease, keep_until: Timestamp, error: &str, audit: Option<AuditBatch>) -> Result<bool> {
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
