//! When attempts to sign in are answered: so that the time tells how many calls there are, which every caller knows, and nothing
//! of what they came to.
//!
//! Each attempt gets a place in a schedule when it is made. The schedule assumes that every attempt takes a processor for the
//! same time, about twice as long as the dearest really takes. So the answers are there before they are due, and their times
//! follow from the times of the calls alone, whatever mailboxes and outcomes they are about. Answers that let nobody in are
//! given at multiples of the floor, counted from the request; those that let somebody in at multiples of a fourth of it, because
//! they would otherwise tell who was before them in the queue.
//!
//! An answer that is late for its place waits for the next multiple. All kinds of negative answers cost the same
//! (`service/signin/equal_cost.rs`), so they are late alike.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// The time of one attempt, and the grid of positive answers: this part of the floor.
const PER_FLOOR: u32 = 4;
/// The schedule reaches this many floors ahead, however many calls there are; beyond it the work itself decides. So calls that
/// hang up and come again cannot make others wait for work that nobody has to do.
const AHEAD: u32 = 4;

/// The schedule of a session. Its size is the number of processors.
pub(super) struct AnswerTimes {
    floor: Duration,
    /// When each processor has done what was scheduled so far.
    busy_until: Mutex<Vec<Option<Instant>>>,
}

/// An attempt's place in the schedule.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    floor: Duration,
    asked: Instant,
    /// The work is assumed to be done by then.
    expected: Instant,
}

impl AnswerTimes {
    /// Without floor there is no schedule: answers are given when they are there.
    pub(super) fn new(floor: Duration, processors: usize) -> Self {
        Self {
            floor,
            busy_until: Mutex::new(vec![None; processors.max(1)]),
        }
    }

    /// The next place, for an attempt that is made at that moment.
    pub(super) fn place(&self, asked: Instant) -> Place {
        let mut busy_until = self.busy_until.lock().unwrap_or_else(PoisonError::into_inner);
        let processor = busy_until.iter_mut().min().expect("there is a processor");
        let begins = processor.map_or(asked, |until| until.max(asked));
        let expected = (begins + self.floor / PER_FLOOR).min(asked + self.floor * AHEAD);
        *processor = Some(expected);
        Place {
            floor: self.floor,
            asked,
            expected,
        }
    }
}

impl Place {
    /// When all calls that were under way at `due` have been answered, too, unless the work is late for the schedule.
    pub(super) fn after_all_others(&self, due: Instant) -> Instant {
        due + self.floor * AHEAD
    }

    /// When the answer that is there at `done` may be given.
    pub(super) fn due(&self, is_positive: bool, done: Instant) -> Instant {
        let step = if is_positive {
            self.floor / PER_FLOOR
        } else {
            self.floor
        };
        if step.is_zero() {
            return done;
        }
        let least = self.expected.max(done).saturating_duration_since(self.asked);
        let steps = least.as_nanos().div_ceil(step.as_nanos()).max(1);
        self.asked + step.saturating_mul(u32::try_from(steps).unwrap_or(u32::MAX))
    }
}

#[cfg(test)]
mod tests;
