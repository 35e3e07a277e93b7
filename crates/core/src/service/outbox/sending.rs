//! Sending what is queued, on request: all that is due, or all of one mailbox whether due or not.

use std::time::{Duration, Instant};

use super::Deliveries;
use super::dispatcher::DeliveryTimeout;
use super::drain::DrainOutcome;
use crate::Result;
use crate::cancellation::Cancellation;
use crate::clock::Timestamp;
use crate::mailbox::Mailbox;
use crate::notification::outbox::{EntryState, OutboxEntry};
use crate::service::resolve::Lookup;

/// Messages of one call, and how long it goes on to take further ones: the caller wants to hear something.
const PER_CALL: usize = 50;
const CALL_TIME: Duration = Duration::from_secs(5);
/// So many failures in a row that took so long together: the way is blocked, and every further message would only wait too.
const FAILURES: u32 = 3;
const FAILURE_TIME: Duration = Duration::from_secs(10);

/// What is to be sent.
#[derive(Default)]
pub struct SendRequest<'a> {
    /// One mailbox: all of its messages, whether due or not. Omitted: all that are due.
    pub identity: Option<&'a str>,
    /// Where it is looked for.
    pub lookup: Lookup<'a>,
    /// All that were due then; omitted: now. Whoever calls again with what the first call said goes once through the queue,
    /// however long that takes.
    pub due: Option<Timestamp>,
    /// Whether it is still wanted: asked before each message. The first one is the commit point.
    pub cancellation: Cancellation,
}

/// What became of one message.
#[derive(Clone, Debug)]
pub struct SentItem {
    /// The local part of its `Message-ID`.
    pub id: [u8; 16],
    /// Whose PIN it announces; `None` when the mailbox is gone.
    pub mailbox: Option<Mailbox>,
    /// When the PIN was set.
    pub queued_since: Timestamp,
    /// How often delivery has been tried.
    pub attempts: u32,
    /// `sent`, `dropped`, `queued`, `failed`, `expired` or `busy`.
    pub outcome: &'static str,
    /// Why, where it was not sent.
    pub reason: Option<String>,
}

/// What a call did.
#[derive(Clone, Debug, Default)]
pub struct SendReport {
    /// The messages that were tried.
    pub items: Vec<SentItem>,
    /// There may be more: call again with this.
    pub next: Option<Timestamp>,
    /// Stopped, although there is more, because nothing gets through.
    pub blocked: bool,
}

impl Deliveries {
    /// [`Service::send_notifications`](crate::service::Service::send_notifications).
    pub(in crate::service) fn send_notifications(&self, request: &SendRequest<'_>) -> Result<SendReport> {
        let mut report = SendReport::default();
        match request.identity {
            Some(identity) => {
                let mailbox = self.resolver.resolve(identity, request.lookup)?.mailbox;
                request.cancellation.enter_commit()?;
                self.send_of(&mailbox, &request.cancellation, &mut report)?;
            }
            None => {
                request.cancellation.enter_commit()?;
                let due = request.due.unwrap_or_else(|| self.clock.now());
                self.send_due(due, &request.cancellation, &mut report)?;
            }
        }
        Ok(report)
    }

    fn send_due(&self, due: Timestamp, cancellation: &Cancellation, report: &mut SendReport) -> Result<()> {
        let began = Instant::now();
        let mut failures = Failures::default();
        // One at a time: a lease must outlast the delivery, and none is held for what is not yet begun.
        while let Some(entry) = self.queue.lease_next(due)? {
            self.send_one(entry, cancellation, &mut failures, report);
            if failures.is_blocked() {
                report.blocked = true;
                break;
            }
            if cancellation.is_requested() {
                report.next = Some(due);
                return Ok(());
            }
            if report.items.len() >= PER_CALL || began.elapsed() >= CALL_TIME {
                report.next = Some(due);
                break;
            }
        }
        // Whatever goes wrong here has nothing to do with the messages, and is tried again.
        let left = CALL_TIME.saturating_sub(began.elapsed());
        let _ = self.commits.recover(usize::MAX, left, &mut Vec::new());
        Ok(())
    }

    fn send_of(&self, mailbox: &Mailbox, cancellation: &Cancellation, report: &mut SendReport) -> Result<()> {
        let listed = self.outbox.entries(Some(mailbox.object_id), None, usize::MAX)?;
        let mut failures = Failures::default();
        for entry in listed.items.iter().filter(|entry| entry.state != EntryState::Failed) {
            if cancellation.is_requested() {
                break;
            }
            match self.outbox.lease(entry.id, self.clock.now(), self.queue.lease_end())? {
                Some(entry) => self.send_one(entry, cancellation, &mut failures, report),
                None => {
                    let mut item = self.sent_item(entry);
                    item.set_outcome(DrainOutcome::Taken);
                    report.items.push(item);
                }
            }
        }
        Ok(())
    }

    fn send_one(
        &self,
        entry: OutboxEntry,
        cancellation: &Cancellation,
        failures: &mut Failures,
        report: &mut SendReport,
    ) {
        let tried = Instant::now();
        let mut item = self.sent_item(&entry);
        item.attempts += 1;
        let outcome = self.handle(entry, DeliveryTimeout::UntilStopped(cancellation));
        failures.note(matches!(outcome, DrainOutcome::Queued(_)), tried.elapsed());
        item.set_outcome(outcome);
        report.items.push(item);
    }

    fn sent_item(&self, entry: &OutboxEntry) -> SentItem {
        SentItem {
            id: entry.id,
            mailbox: self.resolver.mailbox_of(entry.mailbox).unwrap_or_default(),
            queued_since: entry.created,
            attempts: entry.attempts,
            outcome: "queued",
            reason: None,
        }
    }
}

impl SentItem {
    fn set_outcome(&mut self, outcome: DrainOutcome) {
        (self.outcome, self.reason) = match outcome {
            DrainOutcome::Sent => ("sent", None),
            DrainOutcome::Dropped(found) => ("dropped", Some(found.explained().to_owned())),
            DrainOutcome::Queued(reason) => ("queued", Some(reason)),
            DrainOutcome::Refused(reason) => ("failed", Some(reason)),
            DrainOutcome::Expired(reason) => ("expired", Some(reason)),
            DrainOutcome::Taken => ("busy", Some("another process is handling it".to_owned())),
        };
    }
}

#[derive(Default)]
struct Failures {
    in_a_row: u32,
    time: Duration,
}

impl Failures {
    fn note(&mut self, failed: bool, took: Duration) {
        if failed {
            self.in_a_row += 1;
            self.time += took;
        } else {
            *self = Self::default();
        }
    }

    fn is_blocked(&self) -> bool {
        self.in_a_row >= FAILURES && self.time >= FAILURE_TIME
    }
}
