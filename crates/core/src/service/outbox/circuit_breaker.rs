//! Keeps resets from waiting for a relay that has just not answered: a pipeline of resets would wait for each of them.

use std::sync::atomic::{AtomicI64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use crate::clock::Timestamp;

/// With so many deliveries that go on although nobody waits for them any more, the circuit is open.
const MAX_OVERDUE: usize = 4;
/// How long the circuit stays open.
const OPEN_MILLIS: i64 = 30_000;

/// Open: those who must not wait do not try to deliver.
#[derive(Default)]
pub(super) struct CircuitBreaker {
    overdue: AtomicUsize,
    open_until: AtomicI64,
    reason: Mutex<String>,
}

impl CircuitBreaker {
    /// Why the circuit is open; `None`: it is closed.
    pub(super) fn open_reason(&self, now: Timestamp) -> Option<String> {
        let left = self.open_until.load(Ordering::Acquire).saturating_sub(now.0);
        // A clock that was set back must not keep messages waiting.
        let is_open = (1..=OPEN_MILLIS).contains(&left) || self.overdue.load(Ordering::Acquire) >= MAX_OVERDUE;
        is_open.then(|| self.reason.lock().unwrap_or_else(PoisonError::into_inner).clone())
    }

    /// Opens the circuit for a while.
    pub(super) fn open(&self, now: Timestamp, reason: &str) {
        reason.clone_into(&mut self.reason.lock().unwrap_or_else(PoisonError::into_inner));
        self.open_until.store(now.plus_millis(OPEN_MILLIS).0, Ordering::Release);
    }
}

/// Counts a delivery from when nobody waits for it any more until it ends, however it does.
pub(super) struct OverdueGuard {
    breaker: Arc<CircuitBreaker>,
    stage: Mutex<Stage>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    WaitedFor,
    Overdue,
    Ended,
}

impl OverdueGuard {
    pub(super) fn new(breaker: Arc<CircuitBreaker>) -> Arc<Self> {
        Arc::new(Self {
            breaker,
            stage: Mutex::new(Stage::WaitedFor),
        })
    }

    pub(super) fn give_up_waiting(&self) {
        let mut stage = self.stage.lock().unwrap_or_else(PoisonError::into_inner);
        if *stage == Stage::WaitedFor {
            *stage = Stage::Overdue;
            self.breaker.overdue.fetch_add(1, Ordering::AcqRel);
        }
    }
}

/// Held by the delivery itself; a panic drops it too.
pub(super) struct Ended(pub Arc<OverdueGuard>);

impl Drop for Ended {
    fn drop(&mut self) {
        let mut stage = self.0.stage.lock().unwrap_or_else(PoisonError::into_inner);
        if std::mem::replace(&mut *stage, Stage::Ended) == Stage::Overdue {
            self.0.breaker.overdue.fetch_sub(1, Ordering::AcqRel);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_open_circuit_closes_after_a_while_and_after_the_clock_was_set_back() {
        let breaker = CircuitBreaker::default();
        assert_eq!(breaker.open_reason(Timestamp(1_000_000)), None);
        breaker.open(Timestamp(1_000_000), "slow");
        assert_eq!(breaker.open_reason(Timestamp(1_000_001)).as_deref(), Some("slow"));
        assert_eq!(breaker.open_reason(Timestamp(1_029_999)).as_deref(), Some("slow"));
        assert_eq!(breaker.open_reason(Timestamp(1_030_000)), None);
        assert_eq!(breaker.open_reason(Timestamp(900_000)), None);
    }
}
