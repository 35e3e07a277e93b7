//! Messages from their change to the mail system. How a message is recorded with its change: `service/commit/mod.rs`.

mod circuit_breaker;
mod dispatcher;
mod drain;
mod hand_over;
mod listing;
mod queue;
mod sending;
mod workers;

use std::sync::Arc;

use crate::clock::{Clock, Timestamp};
use crate::notification::outbox::Lease;
use crate::notification::{DELIVERY_LIMIT, OutgoingMessage};

pub(super) use dispatcher::Dispatcher;
pub(super) use drain::Deliveries;
pub use listing::NotificationItem;
pub(super) use queue::Queue;
pub use sending::{SendReport, SendRequest, SentItem};

use dispatcher::InFlightDelivery;

/// How long an entry is one process's alone: longer than one delivery may take, with some of it for reading the record.
const LEASE_MILLIS: i64 = DELIVERY_LIMIT.as_millis() as i64 + 60_000;

/// When a lease ends that begins now.
pub(super) fn lease_end(clock: &dyn Clock) -> Timestamp {
    clock.now().plus_millis(LEASE_MILLIS)
}

/// A message that goes with a change, and the right to hand it over once that is durable.
pub struct PendingMessage {
    recipient: String,
    delivery: Delivery,
    /// `None`: another process hands it over.
    lease: Option<Lease>,
}

impl PendingMessage {
    pub(super) fn new(message: OutgoingMessage, lease: Option<Lease>) -> Self {
        Self {
            recipient: message.recipient.clone(),
            delivery: Delivery::Waiting(Arc::new(message)),
            lease,
        }
    }

    /// What became of the right to hand it over.
    pub(super) fn set_lease(&mut self, lease: Option<Lease>) {
        self.lease = lease;
    }
}

enum Delivery {
    Waiting(Arc<OutgoingMessage>),
    InFlight(InFlightDelivery),
}
