//! The library's threads: how one is started, and what is told where the system has none to give.

use std::io;
use std::thread::{Builder, JoinHandle};

use crate::{Error, ErrorCode};

/// Said here, because the standard library would otherwise ask the environment (`RUST_MIN_STACK`).
const STACK_BYTES: usize = 2 * 1024 * 1024;

/// Starts a thread of that name.
///
/// # Errors
/// The limits of the account or of the computer are reached.
pub fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> io::Result<JoinHandle<()>> {
    Builder::new().name(name.to_owned()).stack_size(STACK_BYTES).spawn(work)
}

/// The error of an operation for which no thread could be started.
pub fn no_thread(error: &io::Error) -> Error {
    Error::new(ErrorCode::NativeFault, format!("No thread can be started: {error}."))
        .action(
            "End other programs of this account, or raise its limit of processes and threads (ulimit -u, TasksMax).",
        )
        .caused_by(error.to_string())
}
