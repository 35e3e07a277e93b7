//! What an acknowledgement is worth: the order of the system calls, `kill -9`, several processes at once, an administrator who
//! touches the files, lost races, batches.
//!
//! The other processes are this test binary once more (`child.rs`).

mod batch;
mod cancel;
mod child;
#[cfg(feature = "test-hooks")]
mod cost;
mod decided;
mod kill;
mod needs_strace;
mod processes;
mod races;
mod scene;

use crate::support::{double, process, stores as fixture, trace};
