//! The moment from which on a fork is too late.

use crate::Result;
use crate::session::process;

/// Before anything of the library is used.
///
/// # Errors
/// `Forked`.
pub(super) fn enter() -> Result<()> {
    process::enter()?;
    #[cfg(unix)]
    watch();
    Ok(())
}

/// The process id tells a child from its parent, but not from a later process that the system gives the same one.
#[cfg(unix)]
fn watch() {
    use std::sync::atomic::{AtomicBool, Ordering};

    extern "C" fn in_child() {
        process::note_fork();
    }

    static IS_WATCHED: AtomicBool = AtomicBool::new(false);
    if !IS_WATCHED.swap(true, Ordering::AcqRel) {
        // SAFETY: the handler lives as long as the process, because the library is never unloaded, and only stores to an atomic.
        // That it could not be registered costs nothing but what the process id does not tell.
        unsafe { libc::pthread_atfork(None, None, Some(in_child)) };
    }
}
