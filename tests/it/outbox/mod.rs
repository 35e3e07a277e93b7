//! The outbox: no PIN in force without its message, no message without its PIN, whatever dies, is late or is lost in between.
//!
//! `simulation.rs` is a directory of several controllers whose answers are delayed and lost, for hosts that die at any step; the other
//! processes of `kill.rs` and `leases.rs` are this test binary once more (`child.rs`).

mod attempts;
mod chance;
mod child;
mod clock;
mod conflict;
mod crash;
mod expiry;
mod failed;
mod faults;
mod host;
mod kill;
mod late;
mod leases;
mod log;
mod messages;
mod needs_strace;
mod notes;
mod patience;
mod relays;
mod remote;
mod simulation;
mod stopping;
mod trail;
mod verdict;

use crate::smtp as server;
use crate::support::{process, stores as fixture, trace};
