//! Starting threads of the library, and the error when the system has none.

use std::io;
use std::thread::{Builder, JoinHandle};

use crate::{Error, ErrorCode};

/// Set explicitly, because the standard library would read the environment (`RUST_MIN_STACK`).
const STACK_BYTES: usize = 2 * 1024 * 1024;

/// Starts a thread with that name.
///
/// # Errors
/// When the limits of the account or of the computer are reached.
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
