//! How long a negative answer takes tells nothing, however many calls there are at once. In a test program of its own, so that
//! no other test runs beside it. What is measured here is counted in `tests/signin/alike.rs`.

#[path = "../signin/attempt.rs"]
mod attempt;
mod comparison;
#[path = "../signin/kinds.rs"]
mod kinds;
mod measured;
mod rank;
#[path = "../durability/rig.rs"]
mod rig;
#[path = "../support/mod.rs"]
mod support;
