//! Messages that an earlier process, or an earlier attempt, left in the outbox.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::courier::{Attempt, Patience, back_off};
use super::{LEASE_MILLIS, Service};
use crate::clock::Timestamp;
use crate::credential::keyring::Purpose;
use crate::mailbox::ObjectId;
use crate::notification::OutgoingMessage;
use crate::notification::outbox::{EntryState, OutboxEntry};
use crate::service::Warning;
use crate::service::fate::{Fate, WantedPin};
use crate::service::notify::unpack;
use crate::{Error, ErrorCode, Result};

/// How often a session looks for left-over messages.
const DRAIN_INTERVAL_MILLIS: i64 = 5_000;
/// What one change takes over at most, and how long it may take.
const DRAIN_LIMIT: usize = 20;
const DRAIN_TIME: Duration = Duration::from_secs(5);

/// What became of an entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Handled {
    Sent,
    /// Its PIN is not in force.
    Dropped(Fate),
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
            let Some(left) = DRAIN_TIME.checked_sub(began.elapsed()).filter(|_| self.is_way_free()) else {
                break;
            };
            // One at a time: a lease must outlast the delivery, and none is held for what is not yet begun.
            match self.lease_next(due) {
                Ok(entry) => {
                    let Some(entry) = entry else { break };
                    let mailbox = entry.mailbox;
                    let handled = self.handle(entry, Patience::For(left));
                    diagnostics.push(self.told(mailbox, &handled));
                }
                Err(error) => {
                    diagnostics.push(format!("The outbox could not be read: {error}"));
                    break;
                }
            }
        }
        let left = DRAIN_TIME.saturating_sub(began.elapsed());
        if let Err(error) = self.follow_up(DRAIN_LIMIT, left, diagnostics) {
            diagnostics.push(format!("The journal could not be read: {error}"));
        }
        if let Some(warnings) = warnings {
            self.report_failures(warnings, diagnostics);
            self.report_lost(warnings, diagnostics);
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
    pub(super) fn handle(&self, mut entry: OutboxEntry, patience: Patience<'_>) -> Handled {
        match self.try_to_send(&mut entry, patience) {
            Ok(handled) => handled,
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

    fn try_to_send(&self, entry: &mut OutboxEntry, patience: Patience<'_>) -> Result<Handled> {
        let settled = entry.state == EntryState::Ready;
        let pin = WantedPin::from(&*entry);
        let fate = if settled {
            self.fate(pin)?
        } else {
            self.settle_fate(pin)?
        };
        let note = if settled { None } else { self.open_note_of(entry)? };
        if fate != Fate::InForce {
            if let Some(note) = note {
                self.conclude_found(&note, Some(fate), None)?;
            }
            self.drop_entry(entry, fate)?;
            return Ok(Handled::Dropped(fate));
        }
        if !settled {
            // Only now may others send it without finding out again; and finding out may have taken most of the lease.
            let lease = match note {
                Some(note) => {
                    let release = Some((entry.lease(), self.lease_end()));
                    self.conclude_found(&note, Some(fate), release)?.lease
                }
                None => self.ports.outbox.release(entry.lease(), self.lease_end())?,
            };
            match lease {
                Some(lease) => entry.leased_until = lease.until,
                None => return Ok(Handled::Lost),
            }
        } else if entry.attempts > 0 && self.is_expired(entry) {
            let reason = entry.last_error.clone().unwrap_or_default();
            return Ok(self.expire(entry, reason));
        }
        let message = self.opened(entry)?;
        Ok(
            match self.later_attempt(message, entry.lease(), entry.attempts, patience) {
                // A failure to note it means at worst that it is delivered once more under the same Message-ID.
                Attempt::Delivered { .. } => Handled::Sent,
                Attempt::Queued { reason, .. } => Handled::Queued(reason),
                Attempt::Refused { reason, .. } => Handled::Refused(reason),
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

    fn put_off(&self, entry: &OutboxEntry, reason: String) -> Handled {
        let until = self.now().plus_millis(back_off(entry.attempts));
        match self.ports.outbox.defer(entry.lease(), until, &reason) {
            Ok(false) => Handled::Lost,
            // What cannot be noted is tried again when the lease ends.
            Ok(true) | Err(_) => Handled::Queued(reason),
        }
    }

    fn expire(&self, entry: &OutboxEntry, reason: String) -> Handled {
        match self.give_up(entry, &reason) {
            Ok(true) => Handled::Expired(reason),
            Ok(false) => Handled::Lost,
            Err(_) => Handled::Queued(reason),
        }
    }

    fn told(&self, mailbox: ObjectId, handled: &Handled) -> String {
        let name = match self.mailbox_of(mailbox) {
            Ok(Some(mailbox)) => format!("\"{}\"", mailbox.identity()),
            _ => "a mailbox that is gone".to_owned(),
        };
        match handled {
            Handled::Sent => format!("Handed over a message for {name} that was left in the outbox."),
            Handled::Dropped(Fate::NeverSet) => format!("Dropped a message for {name}: its PIN was never set."),
            Handled::Dropped(Fate::MailboxGone) => "Dropped a message of a mailbox that is gone.".to_owned(),
            Handled::Dropped(_) => format!("Dropped a message for {name}: its PIN has been replaced since."),
            Handled::Queued(reason) | Handled::Refused(reason) => {
                format!("The message for {name} stays in the outbox: {reason}.")
            }
            Handled::Expired(reason) => format!("The message for {name} was given up: {reason}."),
            Handled::Lost => format!("The message for {name} is left to another process."),
        }
    }
}
