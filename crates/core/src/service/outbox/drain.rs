//! Messages that an earlier process, or an earlier attempt, left in the outbox.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use super::dispatcher::{Attempt, DeliveryTimeout, back_off};
use super::{Dispatcher, Queue};
use crate::clock::Clock;
use crate::credential::master_key::Purpose;
use crate::mailbox::ObjectId;
use crate::notification::OutgoingMessage;
use crate::notification::outbox::{EntryState, Outbox, OutboxEntry};
use crate::service::Warning;
use crate::service::announcer::unpack;
use crate::service::commit::{ChangeOutcome, Commit, MessageRelease};
use crate::service::records::Records;
use crate::service::resolve::Resolver;
use crate::{Error, ErrorCode, Result};

/// How often a session looks for left-over messages.
const DRAIN_INTERVAL_MILLIS: i64 = 5_000;
/// What one change takes over at most, and how long it may take.
const DRAIN_LIMIT: usize = 20;
const DRAIN_TIME: Duration = Duration::from_secs(5);

/// What became of an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum DrainOutcome {
    Sent,
    /// Its PIN is not in force.
    Dropped(ChangeOutcome),
    /// Stays; why.
    Queued(String),
    /// Stays; refused for good as things are.
    Refused(String),
    /// Given up; why.
    Expired(String),
    /// Another process has the lease.
    Taken,
}

/// Sends what is queued.
pub(in crate::service) struct Deliveries {
    pub outbox: Arc<dyn Outbox>,
    pub queue: Arc<Queue>,
    pub dispatcher: Arc<Dispatcher>,
    pub commits: Arc<dyn Commit>,
    pub records: Arc<Records>,
    pub resolver: Arc<Resolver>,
    pub clock: Arc<dyn Clock>,
    /// When this session looked for left-over messages last; initially `i64::MIN`.
    pub last_drain: AtomicI64,
}

impl Deliveries {
    /// Hands over what is due. Called after a change only; what goes wrong concerns other mailboxes and is a diagnostic, but
    /// messages that were given up are told, once, to whoever changes something next.
    pub(in crate::service) fn drain_outbox(&self, warnings: Option<&mut Vec<Warning>>, diagnostics: &mut Vec<String>) {
        if !self.is_drain_due() {
            return;
        }
        let began = Instant::now();
        let due = self.clock.now();
        for _ in 0..DRAIN_LIMIT {
            let Some(left) = DRAIN_TIME
                .checked_sub(began.elapsed())
                .filter(|_| self.dispatcher.is_circuit_closed())
            else {
                break;
            };
            // One at a time: a lease must outlast the delivery, and none is held for what is not yet begun.
            match self.queue.lease_next(due) {
                Ok(entry) => {
                    let Some(entry) = entry else { break };
                    let mailbox = entry.mailbox;
                    let outcome = self.handle(entry, DeliveryTimeout::For(left));
                    diagnostics.push(self.told(mailbox, &outcome));
                }
                Err(error) => {
                    diagnostics.push(format!("The outbox could not be read: {error}"));
                    break;
                }
            }
        }
        let left = DRAIN_TIME.saturating_sub(began.elapsed());
        if let Err(error) = self.commits.recover(DRAIN_LIMIT, left, diagnostics) {
            diagnostics.push(format!("The journal could not be read: {error}"));
        }
        if let Some(warnings) = warnings {
            self.queue.report_failures(warnings, diagnostics);
            self.commits.report_conflicts(warnings, diagnostics);
        }
    }

    fn is_drain_due(&self) -> bool {
        let now = self.clock.now();
        let last = self.last_drain.load(Ordering::Relaxed);
        // A clock that was set back must not keep messages waiting.
        let due = now.0 < last || now.0.saturating_sub(last) >= DRAIN_INTERVAL_MILLIS;
        due && self
            .last_drain
            .compare_exchange(last, now.0, Ordering::Relaxed, Ordering::Relaxed)
            .is_ok()
    }

    /// Does with a leased entry what is to be done.
    pub(super) fn handle(&self, mut entry: OutboxEntry, timeout: DeliveryTimeout<'_>) -> DrainOutcome {
        match self.try_to_send(&mut entry, timeout) {
            Ok(outcome) => outcome,
            Err(error) => {
                let reason = error.message().trim_end_matches('.').to_owned();
                // A key that is not there now is no reason to wipe what it opens.
                if error.code() != ErrorCode::KeyUnavailable && self.is_expired(&entry) {
                    self.expire(&entry, reason)
                } else {
                    self.put_off(&entry, reason)
                }
            }
        }
    }

    fn try_to_send(&self, entry: &mut OutboxEntry, timeout: DeliveryTimeout<'_>) -> Result<DrainOutcome> {
        match self.commits.release_message(entry)? {
            MessageRelease::Send(lease) => entry.leased_until = lease.until,
            MessageRelease::Drop(outcome) => {
                self.queue.drop_entry(entry, outcome)?;
                return Ok(DrainOutcome::Dropped(outcome));
            }
            MessageRelease::Taken => return Ok(DrainOutcome::Taken),
        }
        if entry.state == EntryState::Ready && entry.attempts > 0 && self.is_expired(entry) {
            let reason = entry.last_error.clone().unwrap_or_default();
            return Ok(self.expire(entry, reason));
        }
        let message = self.opened(entry)?;
        Ok(
            match self
                .dispatcher
                .later_attempt(message, entry.lease(), entry.attempts, timeout)
            {
                // A failure to note it means at worst that it is delivered once more under the same Message-ID.
                Attempt::Delivered { .. } => DrainOutcome::Sent,
                Attempt::Queued { reason, .. } => DrainOutcome::Queued(reason),
                Attempt::Refused { reason, .. } => DrainOutcome::Refused(reason),
            },
        )
    }

    fn is_expired(&self, entry: &OutboxEntry) -> bool {
        self.clock.now() >= self.queue.expires_at(entry)
    }

    fn opened(&self, entry: &OutboxEntry) -> Result<OutgoingMessage> {
        let damaged = || Error::new(ErrorCode::StoreCorrupt, "The message in the outbox is damaged.");
        let context = self.records.seal_context(entry.mailbox)?;
        let packed = self.records.open_sealed(Purpose::Outbox, &context, &entry.sealed)??;
        unpack(entry, &packed).ok_or_else(damaged)
    }

    fn put_off(&self, entry: &OutboxEntry, reason: String) -> DrainOutcome {
        let until = self.clock.now().plus_millis(back_off(entry.attempts));
        match self.outbox.defer(entry.lease(), until, &reason) {
            Ok(false) => DrainOutcome::Taken,
            // What cannot be noted is tried again when the lease ends.
            Ok(true) | Err(_) => DrainOutcome::Queued(reason),
        }
    }

    fn expire(&self, entry: &OutboxEntry, reason: String) -> DrainOutcome {
        match self.queue.give_up(entry, &reason) {
            Ok(true) => DrainOutcome::Expired(reason),
            Ok(false) => DrainOutcome::Taken,
            Err(_) => DrainOutcome::Queued(reason),
        }
    }

    fn told(&self, mailbox: ObjectId, outcome: &DrainOutcome) -> String {
        let name = match self.resolver.mailbox_of(mailbox) {
            Ok(Some(mailbox)) => format!("\"{}\"", mailbox.identity()),
            _ => "a mailbox that is gone".to_owned(),
        };
        match outcome {
            DrainOutcome::Sent => format!("Handed over a message for {name} that was left in the outbox."),
            DrainOutcome::Dropped(ChangeOutcome::NeverSet) => {
                format!("Dropped a message for {name}: its PIN was never set.")
            }
            DrainOutcome::Dropped(ChangeOutcome::MailboxGone) => {
                "Dropped a message of a mailbox that is gone.".to_owned()
            }
            DrainOutcome::Dropped(_) => format!("Dropped a message for {name}: its PIN has been replaced since."),
            DrainOutcome::Queued(reason) | DrainOutcome::Refused(reason) => {
                format!("The message for {name} stays in the outbox: {reason}.")
            }
            DrainOutcome::Expired(reason) => format!("The message for {name} was given up: {reason}."),
            DrainOutcome::Taken => format!("The message for {name} is left to another process."),
        }
    }
}
