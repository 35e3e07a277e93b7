//! The port to the outbox, implemented by the store.

use umpin_core::Result;
use umpin_core::audit::AuditBatch;
use umpin_core::clock::Timestamp;
use umpin_core::directory::Page;
use umpin_core::directory::key_register::KeyRegister;
use umpin_core::mailbox::ObjectId;
use umpin_core::notification::outbox::{Lease, Outbox, OutboxEntry};

use super::command::Command;
use super::{EmbeddedDirectory, outbox};

impl Outbox for EmbeddedDirectory {
    fn key_register(&self) -> Option<&dyn KeyRegister> {
        Some(self)
    }

    fn release(&self, lease: Lease, until: Timestamp) -> Result<Option<Lease>> {
        let command = Command::new(move |c| outbox::release(c, lease, until))
            .confirmed_by(move |c, _| outbox::is_released(c, lease, until));
        Ok(self.write(command)?.then_some(Lease { until, ..lease }))
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
        self.write(Command::new(move |c| outbox::lease_due(c, due, now, lease_until, limit)).without_sync())
    }

    fn lease(&self, id: [u8; 16], now: Timestamp, lease_until: Timestamp) -> Result<Option<OutboxEntry>> {
        let command = Command::new(move |c| outbox::lease(c, id, now, lease_until)).without_sync();
        Ok(self.write(command)?.pop())
    }

    fn remove(&self, id: [u8; 16]) -> Result<()> {
        self.write(Command::new(move |c| outbox::remove(c, id)).without_sync())
    }

    fn discard(&self, id: [u8; 16], audit: Option<AuditBatch>) -> Result<()> {
        self.write(Command::new(move |c| outbox::discard(c, id, audit.as_ref())))
    }

    fn defer(&self, lease: Lease, until: Timestamp, error: &str) -> Result<bool> {
        let error = error.to_owned();
        self.write(Command::new(move |c| outbox::defer(c, lease, until, &error)).without_sync())
    }

    fn fail(&self, lease: Lease, keep_until: Timestamp, error: &str, audit: Option<AuditBatch>) -> Result<bool> {
        let error = error.to_owned();
        self.write(Command::new(move |c| {
            outbox::fail(c, lease, keep_until, &error, audit.as_ref())
        }))
    }

    fn take_failures(&self) -> Result<Vec<OutboxEntry>> {
        if !self.read(outbox::has_failures)? {
            return Ok(Vec::new());
        }
        self.write(Command::new(outbox::take_failures).without_sync())
    }

    fn entries(&self, mailbox: Option<ObjectId>, after: Option<&str>, limit: usize) -> Result<Page<OutboxEntry>> {
        self.read(|c| outbox::page(c, mailbox, after, limit))
    }
}
