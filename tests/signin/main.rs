//! Signing in: the rules, and what they are worth against many guessers at once, `kill -9`, full disks and damaged values.
//!
//! The other processes are this test binary once more (`child.rs`).

mod memory;
mod model;
#[path = "../durability/rig.rs"]
mod rig;
mod rules;
#[path = "../support/mod.rs"]
mod support;
