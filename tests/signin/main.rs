//! Signing in: the rules, and what they are worth against many guessers at once, `kill -9`, full disks and damaged values.
//!
//! The other processes are this test binary once more (`child.rs`).

#[cfg(feature = "test-hooks")]
mod alike;
mod attempt;
mod child;
#[path = "../durability/double.rs"]
mod double;
mod faults;
mod kill;
#[cfg(feature = "test-hooks")]
mod kinds;
mod memory;
mod model;
mod order;
#[path = "../durability/process.rs"]
mod process;
mod race;
#[path = "../durability/rig.rs"]
mod rig;
mod rules;
#[cfg(target_os = "linux")]
#[path = "../support/small.rs"]
mod small;
#[path = "../support/mod.rs"]
mod support;
#[path = "../durability/trace.rs"]
mod trace;
