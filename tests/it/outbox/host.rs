//! What a host has of its own: its journal, which outlives its processes, and the relay that it hands messages to.

use std::ops::RangeInclusive;
use std::sync::Arc;

use umpin::Result;
use umpin::audit::AuditBatch;
use umpin::clock::Timestamp;
use umpin::directory::Page;
use umpin::directory::embedded::LocalOutbox;
use umpin::directory::journal::{IntentRecord, Journal, Transition, TransitionResult};
use umpin::mailbox::ObjectId;
use umpin::notification::outbox::{Lease, Outbox, OutboxEntry};
use umpin::notification::{DeliveryError, Notifier, OutgoingMessage};

use super::simulation::{CrashPoint, Event, Simulation};
use crate::support;

/// The outbox of a host, used by a process that may die.
pub struct CrashingOutbox {
    pub outbox: LocalOutbox,
    pub crash_point: Arc<CrashPoint>,
}

impl Outbox for CrashingOutbox {
    fn release(&self, lease: Lease, until: Timestamp) -> Result<Option<Lease>> {
        self.crash_point.around(|| self.outbox.release(lease, until))
    }

    fn lease_due(&self, due: Timestamp, now: Timestamp, until: Timestamp, limit: usize) -> Result<Vec<OutboxEntry>> {
        self.crash_point
            .around(|| self.outbox.lease_due(due, now, until, limit))
    }

    fn lease(&self, id: [u8; 16], now: Timestamp, until: Timestamp) -> Result<Option<OutboxEntry>> {
        self.crash_point.around(|| self.outbox.lease(id, now, until))
    }

    fn remove(&self, id: [u8; 16]) -> Result<()> {
        self.crash_point.around(|| self.outbox.remove(id))
    }

    fn discard(&self, id: [u8; 16], audit: Option<AuditBatch>) -> Result<()> {
        self.crash_point.around(|| self.outbox.discard(id, audit))
    }

    fn defer(&self, lease: Lease, until: Timestamp, error: &str) -> Result<bool> {
        self.crash_point.around(|| self.outbox.defer(lease, until, error))
    }

    fn fail(&self, lease: Lease, keep_until: Timestamp, error: &str, audit: Option<AuditBatch>) -> Result<bool> {
        self.crash_point
            .around(|| self.outbox.fail(lease, keep_until, error, audit))
    }

    fn take_failures(&self) -> Result<Vec<OutboxEntry>> {
        self.crash_point.around(|| self.outbox.take_failures())
    }

    fn entries(&self, mailbox: Option<ObjectId>, after: Option<&str>, limit: usize) -> Result<Page<OutboxEntry>> {
        self.outbox.entries(mailbox, after, limit)
    }
}

impl Journal for CrashingOutbox {
    fn prepare(&self, note: &IntentRecord, message: Option<&OutboxEntry>, intent: Option<&AuditBatch>) -> Result<()> {
        self.crash_point.around(|| self.outbox.prepare(note, message, intent))
    }

    fn transition(&self, step: Transition) -> Result<TransitionResult> {
        self.crash_point.around(|| self.outbox.transition(step))
    }

    fn append(&self, audit: &AuditBatch) -> Result<()> {
        self.crash_point.around(|| self.outbox.append(audit))
    }

    fn dummy_write(&self) -> Result<()> {
        self.crash_point.around(|| self.outbox.dummy_write())
    }

    fn intents_of(&self, mailbox: ObjectId) -> Result<Vec<IntentRecord>> {
        self.outbox.intents_of(mailbox)
    }

    fn take_due(&self, now: Timestamp, pause: RangeInclusive<i64>) -> Result<Option<IntentRecord>> {
        self.crash_point.around(|| self.outbox.take_due(now, pause))
    }

    fn overwritten(&self) -> Result<Vec<IntentRecord>> {
        self.outbox.overwritten()
    }
}

/// A relay that notes what it accepts.
pub struct Relay {
    pub simulation: Arc<Simulation>,
    pub crash_point: Arc<CrashPoint>,
}

impl Notifier for Relay {
    fn check(&self) -> Result<()> {
        Ok(())
    }

    fn deliver(&self, message: &OutgoingMessage) -> Result<(), DeliveryError> {
        self.crash_point.around(|| {
            let state = &mut *self.simulation.state();
            if state.relay_down {
                return Err(DeliveryError::Temporary("the relay is down".to_owned()));
            }
            let text = std::str::from_utf8(&message.content).expect("text");
            state.events.push(Event::Mailed {
                id: message.id,
                to: message.recipient.clone(),
                pin: support::announced_pin(text),
            });
            Ok(())
        })
    }

    // In the thread of the process, so that it dies with it.
    fn may_block(&self) -> bool {
        false
    }

    fn uncollected(&self) -> Option<usize> {
        None
    }

    fn from(&self) -> &'static str {
        "Unified Messaging <um@contoso.com>"
    }
}
