//! The schedule of the answers to sign-in attempts. The time of an answer depends on the number of calls, which every caller knows, and
//! not on their outcomes.
//!
//! Each attempt gets a slot in the schedule when it is requested. The schedule assumes that every attempt takes a processor for the
//! same time, about twice as long as the most expensive attempt takes. So answers are ready before they are due, and their times
//! follow from the times of the calls alone. Negative answers are given at multiples of the floor, counted from the request; positive
//! ones at multiples of a fourth of it, because they would otherwise show which attempts were before them in the queue.
//!
//! An answer that is late for its slot waits for the next multiple. All negative answers cost the same, so they are late in the same
//! cases.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The floor divided by this is the assumed time of an attempt, and the interval of positive answers.
const PER_FLOOR: u32 = 4;
/// The schedule reaches at most this many floors ahead; beyond that the answers are due when they are ready. So abandoned calls
/// cannot delay others.
const AHEAD: u32 = 4;

/// The schedule of a session. Its size is the number of processors.
pub(super) struct AnswerTimes {
    floor: Duration,
    /// When each processor is free, by the schedule.
    busy_until: Mutex<Vec<Option<Instant>>>,
}

/// The slot of an attempt in the schedule.
#[derive(Clone, Copy, Debug)]
pub(super) struct AnswerSlot {
    floor: Duration,
    requested: Instant,
    /// When the work is done, by the schedule.
    expected: Instant,
}

impl AnswerTimes {
    /// With a floor of zero, answers are due when they are ready.
    pub(super) fn new(floor: Duration, processors: usize) -> Self {
        Self {
            floor,
            busy_until: Mutex::new(vec![None; processors.max(1)]),
        }
    }

    /// The slot of an attempt that is requested now.
    pub(super) fn slot(&self, requested: Instant) -> AnswerSlot {
        let mut busy_until = self.busy_until.lock().unwrap_or_else(PoisonError::into_inner);
        let processor = busy_until.iter_mut().min().expect("there is a processor");
        let begins = processor.map_or(requested, |until| until.max(requested));
        let expected = (begins + self.floor / PER_FLOOR).min(requested + self.floor * AHEAD);
        *processor = Some(expected);
        AnswerSlot {
            floor: self.floor,
            requested,
            expected,
        }
    }
}

impl AnswerSlot {
    /// When all calls that were running at `due` are answered, too, unless the work is late for the schedule.
    pub(super) fn after_all_others(&self, due: Instant) -> Instant {
        due + self.floor * AHEAD
    }

    /// When the answer that is ready at `done` is due.
    pub(super) fn due(&self, is_positive: bool, done: Instant) -> Instant {
        let step = if is_positive {
            self.floor / PER_FLOOR
        } else {
            self.floor
        };
        if step.is_zero() {
            return done;
        }
        let least = self.expected.max(done).saturating_duration_since(self.requested);
        let steps = least.as_nanos().div_ceil(step.as_nanos()).max(1);
        self.requested + step.saturating_mul(u32::try_from(steps).unwrap_or(u32::MAX))
    }
}

#[cfg(test)]
mod tests;
