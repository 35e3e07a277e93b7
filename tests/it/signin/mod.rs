//! Signing in: the rules, and what they are worth against many guessers at once, `kill -9`, full disks and damaged values.
//!
//! The other processes are this test binary once more (`child.rs`).

#[cfg(feature = "test-hooks")]
mod alike;
mod child;
mod faults;
mod kill;
pub mod kinds;
mod memory;
mod model;
mod needs_strace;
mod race;
mod rules;

use crate::support::{attempt, double, process, stores as fixture, trace};
