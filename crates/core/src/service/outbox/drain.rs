//! Messages that an earlier process, or an earlier attempt, left in the outbox.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::dispatcher::{Attempt, DeliveryTimeout, back_off};
use super::{LEASE_MILLIS, Service};
use crate::clock::Timestamp;
use crate::credential::keyring::Purpose;
use crate::mailbox::ObjectId;
use crate::notification::OutgoingMessage;
use crate::notification::outbox::{EntryState, OutboxEntry};
use crate::service::Warning;
use crate::service::fate::{AnnouncedPin, ChangeOutcome};
use crate::service::notify::unpack;
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
    /// Somebody else's by now.
    Lost,
}

impl Service {
    /// Hands over what is due. Called after a change only; what goes wrong concerns other mailboxes and is a diagnostic, but
    /// messages that were given up are told, once, to whoever changes something next.
    pub(in crate::service) fn drain_outbox(&self, warnings: Option<&mut Vec<Warning>>, diagnostics: &mut Vec<String>) {
        if !self.is_drain_due() {
            return;
        }
        let began = Instant::now();
        let due = self.now();
        for _ in 0..DRAIN_LIMIT {
            let Some(left) = DRAIN_TIME
                .checked_sub(began.elapsed())
                .filter(|_| self.is_circuit_closed())
            else {
                break;
            };
            // One at a time: a lease must outlast the delivery, and none is held for what is not yet begun.
            match self.lease_next(due) {
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
        if let Err(error) = self.recover_pending(DRAIN_LIMIT, left, diagnostics) {
            diagnostics.push(format!("The journal could not be read: {error}"));
        }
        if let Some(warnings) = warnings {
            self.report_failures(warnings, diagnostics);
            self.report_conflicts(warnings, diagnostics);
        }
    }

    /// The oldest entry that was due then and is due now: a clock that was set back meanwhile would let the same ones come again.
    pub(super) fn lease_next(&self, due: Timestamp) -> Result<Option<OutboxEntry>> {
        let now = self.now();
        let entries = self
            .ports
            .outbox
            .lease_due(due.min(now), now, now.plus_millis(LEASE_MILLIS), 1)?;
        Ok(entries.into_iter().next())
    }

    fn is_drain_due(&self) -> bool {
        let now = self.now();
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
        let settled = entry.state == EntryState::Ready;
        let pin = AnnouncedPin::from(&*entry);
        let fate = if settled {
            self.outcome_of_committed(pin)?
        } else {
            self.resolve_in_doubt(pin)?
        };
        let note = if settled { None } else { self.open_intent_of(entry)? };
        if fate != ChangeOutcome::InForce {
            if let Some(note) = note {
                self.record_found_outcome(&note, Some(fate), None)?;
            }
            self.drop_entry(entry, fate)?;
            return Ok(DrainOutcome::Dropped(fate));
        }
        if !settled {
            // Only now may others send it without finding out again; and finding out may have taken most of the lease.
            let lease = match note {
                Some(note) => {
                    let release = Some((entry.lease(), self.lease_end()));
                    self.record_found_outcome(&note, Some(fate), release)?.lease
                }
                None => self.ports.outbox.release(entry.lease(), self.lease_end())?,
            };
            match lease {
                Some(lease) => entry.leased_until = lease.until,
                None => return Ok(DrainOutcome::Lost),
            }
        } else if entry.attempts > 0 && self.is_expired(entry) {
            let reason = entry.last_error.clone().unwrap_or_default();
            return Ok(self.expire(entry, reason));
        }
        let message = self.opened(entry)?;
        Ok(
            match self.later_attempt(message, entry.lease(), entry.attempts, timeout) {
                // A failure to note it means at worst that it is delivered once more under the same Message-ID.
                Attempt::Delivered { .. } => DrainOutcome::Sent,
                Attempt::Queued { reason, .. } => DrainOutcome::Queued(reason),
                Attempt::Refused { reason, .. } => DrainOutcome::Refused(reason),
            },
        )
    }

    fn is_expired(&self, entry: &OutboxEntry) -> bool {
        self.now() >= self.expires_at(entry)
    }

    fn opened(&self, entry: &OutboxEntry) -> Result<OutgoingMessage> {
        let damaged = || Error::new(ErrorCode::StoreCorrupt, "The message in the outbox is damaged.");
        let context = self.seal_context(entry.mailbox)?;
        let packed = self.open_sealed(Purpose::Outbox, &context, &entry.sealed)??;
        unpack(entry, &packed).ok_or_else(damaged)
    }

    fn put_off(&self, entry: &OutboxEntry, reason: String) -> DrainOutcome {
        let until = self.now().plus_millis(back_off(entry.attempts));
        match self.ports.outbox.defer(entry.lease(), until, &reason) {
            Ok(false) => DrainOutcome::Lost,
            // What cannot be noted is tried again when the lease ends.
            Ok(true) | Err(_) => DrainOutcome::Queued(reason),
        }
    }

    fn expire(&self, entry: &OutboxEntry, reason: String) -> DrainOutcome {
        match self.give_up(entry, &reason) {
            Ok(true) => DrainOutcome::Expired(reason),
            Ok(false) => DrainOutcome::Lost,
            Err(_) => DrainOutcome::Queued(reason),
        }
    }

    fn told(&self, mailbox: ObjectId, outcome: &DrainOutcome) -> String {
        let name = match self.mailbox_of(mailbox) {
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
            DrainOutcome::Lost => format!("The message for {name} is left to another process."),
        }
    }
}
