//! Detection of forks.

use crate::Result;
use crate::session::process;

/// Records the process, and registers the handler of forks; called before anything else.
///
/// # Errors
/// `Forked`.
pub(super) fn enter() -> Result<()> {
    process::enter()?;
    #[cfg(unix)]
    register();
    Ok(())
}

/// Registers a handler: the process id distinguishes a child from its parent, but ids are reused.
#[cfg(unix)]
fn register() {
    use std::sync::atomic::{AtomicBool, Ordering};

    extern "C" fn in_child() {
        process::note_fork();
    }

    static IS_REGISTERED: AtomicBool = AtomicBool::new(false);
    if !IS_REGISTERED.swap(true, Ordering::AcqRel) {
        // SAFETY: the handler lives as long as the process, because the library is never unloaded, and only stores to an atomic.
        // If it cannot be registered, the process id still detects most children.
        unsafe { libc::pthread_atfork(None, None, Some(in_child)) };
    }
}
