//! Replacing the key of a store that is in use.
//!
//! The other process of the kill loop is this test binary once more (`child.rs`).

#[path = "../signin/attempt.rs"]
mod attempt;
mod child;
mod kill;
mod late;
#[path = "../durability/process.rs"]
mod process;
#[path = "../durability/rig.rs"]
mod rig;
mod rules;
mod store;
#[path = "../support/mod.rs"]
mod support;
mod update;
