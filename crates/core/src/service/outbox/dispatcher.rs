//! Attempts to deliver: how long a reset waits for one, when the next one is made, and what the outbox is told.

use std::cell::OnceCell;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use super::circuit_breaker::{CircuitBreaker, Ended, OverdueGuard};
use super::workers::Workers;
use super::{Delivery, PendingMessage};
use crate::Result;
use crate::cancellation::Cancellation;
use crate::clock::Clock;
use crate::notification::outbox::{Lease, Outbox};
use crate::notification::{DeliveryError, Notifier, OutgoingMessage};
use crate::service::random_id;
use crate::threads::no_thread;

/// How long a reset waits for its message to be taken.
const FIRST_ATTEMPT_TIMEOUT: Duration = Duration::from_secs(5);
/// After a delivery that took longer than this and failed, or was waited for in vain, the circuit is open for a while.
const SLOW: Duration = Duration::from_secs(1);
/// Waiting time after a failed attempt: doubled each time, up to an hour, and up to a quarter less or more.
const BACK_OFF_MILLIS: i64 = 60_000;
const MAX_BACK_OFF_MILLIS: i64 = 3_600_000;

/// How long somebody waits for a delivery. What takes longer goes on without him.
#[derive(Clone, Copy)]
pub(super) enum DeliveryTimeout<'a> {
    /// That long.
    For(Duration),
    /// As long as it takes, but not much longer once he has asked to stop.
    UntilStopped(&'a Cancellation),
}

impl DeliveryTimeout<'_> {
    /// How often he looks whether he still waits.
    const STEP: Duration = Duration::from_millis(50);

    fn wait(self, told: &Receiver<Attempt>) -> Result<Attempt, RecvTimeoutError> {
        let cancellation = match self {
            Self::For(time) => return told.recv_timeout(time),
            Self::UntilStopped(cancellation) => cancellation,
        };
        let mut stopped = None;
        loop {
            match told.recv_timeout(Self::STEP) {
                Err(RecvTimeoutError::Timeout) if cancellation.is_requested() => {
                    if stopped.get_or_insert_with(Instant::now).elapsed() >= FIRST_ATTEMPT_TIMEOUT {
                        return Err(RecvTimeoutError::Timeout);
                    }
                }
                Err(RecvTimeoutError::Timeout) => {}
                told => return told,
            }
        }
    }
}

/// What became of an attempt, and whether the outbox could note it.
pub(super) enum Attempt {
    Delivered { noted: Result<()> },
    Queued { reason: String, noted: Result<()> },
    Refused { reason: String, noted: Result<()> },
}

/// Delivers messages, and keeps resets from waiting for a relay that does not answer.
pub(in crate::service) struct Dispatcher {
    pub(super) notifier: Arc<dyn Notifier>,
    pub(super) outbox: Arc<dyn Outbox>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) pickup_reported: AtomicBool,
    breaker: Arc<CircuitBreaker>,
    workers: Workers,
}

/// What one attempt needs; it may go on in a thread of its own after the service is gone.
struct DeliveryJob {
    notifier: Arc<dyn Notifier>,
    outbox: Arc<dyn Outbox>,
    clock: Arc<dyn Clock>,
    message: Arc<OutgoingMessage>,
    earlier_attempts: u32,
}

impl DeliveryJob {
    /// Delivers and tells the outbox.
    fn run(self, lease: Lease) -> Attempt {
        let delivered = self.notifier.deliver(&self.message);
        self.note(delivered, lease)
    }

    /// Delivers once `committed` brings the right to do so, and tells the outbox; `None` where it never came.
    fn run_once(self, committed: &Receiver<Lease>) -> Option<Attempt> {
        let lease = OnceCell::new();
        let is_committed = || lease.get().is_some() || committed.recv().is_ok_and(|right| lease.set(right).is_ok());
        let delivered = self.notifier.deliver_once(&self.message, &is_committed);
        // A failure may have come first. What is not yet committed is not yet in the outbox either.
        let lease = is_committed().then(|| lease.get().copied())??;
        Some(self.note(delivered.map(drop), lease))
    }

    fn note(&self, delivered: Result<(), DeliveryError>, lease: Lease) -> Attempt {
        match delivered {
            Ok(()) => Attempt::Delivered {
                noted: self.outbox.remove(lease.id),
            },
            Err(DeliveryError::Temporary(reason)) => Attempt::Queued {
                noted: self.put_off(lease, &reason),
                reason,
            },
            Err(DeliveryError::Permanent(reason)) => Attempt::Refused {
                noted: self.put_off(lease, &reason),
                reason,
            },
        }
    }

    fn put_off(&self, lease: Lease, reason: &str) -> Result<()> {
        let until = self.clock.now().plus_millis(back_off(self.earlier_attempts));
        self.outbox.defer(lease, until, reason).map(drop)
    }
}

/// A delivery under way in a thread of its own. Dropped before its change is committed, it hands nothing over.
pub(super) struct InFlightDelivery {
    committed: Sender<Lease>,
    told: Receiver<Attempt>,
    guard: Arc<OverdueGuard>,
}

impl Dispatcher {
    pub(in crate::service) fn new(notifier: Arc<dyn Notifier>, outbox: Arc<dyn Outbox>, clock: Arc<dyn Clock>) -> Self {
        Self {
            notifier,
            outbox,
            clock,
            pickup_reported: AtomicBool::new(false),
            breaker: Arc::default(),
            workers: Workers::default(),
        }
    }

    /// Starts a thread for deliveries, which then waits for the first one.
    pub(in crate::service) fn start_thread(&self) -> Result<()> {
        if !self.notifier.may_block() {
            return Ok(());
        }
        self.workers.run(|| {}).map_err(|e| no_thread(&e))
    }

    fn job(&self, message: Arc<OutgoingMessage>, earlier_attempts: u32) -> DeliveryJob {
        DeliveryJob {
            notifier: Arc::clone(&self.notifier),
            outbox: Arc::clone(&self.outbox),
            clock: Arc::clone(&self.clock),
            message,
            earlier_attempts,
        }
    }

    /// Begins a delivery while its change is being made durable, unless there is nothing to gain: the way to the relay and back
    /// is then no longer than that of the content.
    pub(in crate::service) fn begin_delivery(&self, pending: &mut PendingMessage) {
        if !self.notifier.may_block() || self.breaker.open_reason(self.clock.now()).is_some() {
            return;
        }
        if let Delivery::Waiting(message) = &pending.delivery {
            let job = self.job(Arc::clone(message), 0);
            if let Ok(in_flight) = self.start(job) {
                pending.delivery = Delivery::InFlight(in_flight);
            }
        }
    }

    /// Right after the change: waits a few seconds, or not at all while the way is known to be blocked.
    pub(super) fn first_attempt(&self, delivery: Delivery, lease: Lease) -> Attempt {
        let job = match delivery {
            Delivery::InFlight(in_flight) => {
                return self.bounded(in_flight, lease, DeliveryTimeout::For(FIRST_ATTEMPT_TIMEOUT));
            }
            Delivery::Waiting(message) => self.job(message, 0),
        };
        if !self.notifier.may_block() {
            return job.run(lease);
        }
        if let Some(reason) = self.breaker.open_reason(self.clock.now()) {
            let noted = job.put_off(lease, &reason);
            return Attempt::Queued { reason, noted };
        }
        self.start_and_wait(job, lease, DeliveryTimeout::For(FIRST_ATTEMPT_TIMEOUT))
    }

    /// A later attempt by somebody who has that much time.
    pub(super) fn later_attempt(
        &self,
        message: OutgoingMessage,
        lease: Lease,
        earlier_attempts: u32,
        timeout: DeliveryTimeout<'_>,
    ) -> Attempt {
        let job = self.job(Arc::new(message), earlier_attempts);
        if self.notifier.may_block() {
            self.start_and_wait(job, lease, timeout)
        } else {
            job.run(lease)
        }
    }

    /// Whether those who must not wait should try at all.
    pub(super) fn is_circuit_closed(&self) -> bool {
        !self.notifier.may_block() || self.breaker.open_reason(self.clock.now()).is_none()
    }

    fn start_and_wait(&self, job: DeliveryJob, lease: Lease, timeout: DeliveryTimeout<'_>) -> Attempt {
        match self.start(job) {
            Ok(in_flight) => self.bounded(in_flight, lease, timeout),
            Err(error) => {
                let reason = format!("no thread could be started to deliver it: {error}");
                let until = self.clock.now().plus_millis(back_off(0));
                let noted = self.outbox.defer(lease, until, &reason).map(drop);
                Attempt::Queued { reason, noted }
            }
        }
    }

    fn start(&self, job: DeliveryJob) -> std::io::Result<InFlightDelivery> {
        let (tell, told) = channel();
        let (committed, right) = channel();
        let guard = OverdueGuard::new(Arc::clone(&self.breaker));
        let ended = Ended(Arc::clone(&guard));
        self.workers.run(move || {
            let _ended = ended;
            if let Some(attempt) = job.run_once(&right) {
                let _ = tell.send(attempt);
            }
        })?;
        Ok(InFlightDelivery { committed, told, guard })
    }

    /// Lets the delivery go on and waits for it that long. What takes longer goes on, and the outbox learns what came of it.
    fn bounded(&self, in_flight: InFlightDelivery, lease: Lease, timeout: DeliveryTimeout<'_>) -> Attempt {
        let began = Instant::now();
        // The thread hears it, or it has ended by a panic, and that is told below.
        let _ = in_flight.committed.send(lease);
        let attempt = match timeout.wait(&in_flight.told) {
            Ok(attempt) => attempt,
            Err(RecvTimeoutError::Timeout) => {
                in_flight.guard.give_up_waiting();
                self.breaker.open(
                    self.clock.now(),
                    "a delivery before it was not taken within a few seconds, so it was not tried yet",
                );
                let reason = format!(
                    "it was not taken within {} s and is still being tried",
                    began.elapsed().as_secs()
                );
                return Attempt::Queued { reason, noted: Ok(()) };
            }
            // The lease ends by itself.
            Err(RecvTimeoutError::Disconnected) => Attempt::Queued {
                reason: "delivering it failed with an internal error".to_owned(),
                noted: Ok(()),
            },
        };
        // Who waits as long as it takes has kept nobody waiting.
        if let (Attempt::Queued { reason, .. }, DeliveryTimeout::For(_)) = (&attempt, timeout)
            && began.elapsed() > SLOW
        {
            self.breaker.open(
                self.clock.now(),
                &format!("the delivery before it failed ({reason}), so it was not tried yet"),
            );
        }
        attempt
    }
}

/// How long to wait after this many earlier failures.
pub(super) fn back_off(earlier_attempts: u32) -> i64 {
    let base = BACK_OFF_MILLIS
        .saturating_mul(1_i64 << earlier_attempts.min(10))
        .min(MAX_BACK_OFF_MILLIS);
    // Without a random number all is as well, only less spread.
    let [low, high, ..] = random_id().unwrap_or([0, 128, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    let spread = i64::from(u16::from_le_bytes([low, high]));
    base - base / 4 + base / 2 * spread / 65_536
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waiting_times_double_up_to_an_hour_and_are_spread() {
        for attempts in 0..40 {
            let base = (60_000_i64 << attempts.min(6)).min(3_600_000);
            let times: Vec<i64> = (0..200).map(|_| back_off(attempts)).collect();
            for time in &times {
                assert!((base * 3 / 4..=base * 5 / 4).contains(time), "{attempts}: {time}");
            }
            let (least, most) = (times.iter().min().unwrap(), times.iter().max().unwrap());
            assert!(most - least > base / 4, "{attempts}: {least}..{most}");
        }
    }
}
