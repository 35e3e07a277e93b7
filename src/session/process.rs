//! Detection of forks. Threads do not survive a fork, and locks that they held (of the library, SQLite and the store) are never
//! released in the child. So the child of a process that has used the library must not use it.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use crate::{Error, ErrorCode, Result};

/// The process that used the library first; 0: none yet.
static USER: AtomicU32 = AtomicU32::new(0);
/// Set in the child by a handler of `fork()`, because process ids are reused.
static IS_CHILD: AtomicBool = AtomicBool::new(false);

/// Records the process; called before any other function.
///
/// # Errors
/// `Forked`.
pub fn enter() -> Result<()> {
    let own = std::process::id();
    match USER.compare_exchange(0, own, Ordering::AcqRel, Ordering::Acquire) {
        Ok(_) => Ok(()),
        Err(_) if !is_child() => Ok(()),
        Err(_) => Err(forked()),
    }
}

/// Whether this is a descendant of a process that has used the library.
#[must_use]
pub fn is_child() -> bool {
    let user = USER.load(Ordering::Acquire);
    user != 0 && (IS_CHILD.load(Ordering::Acquire) || user != std::process::id())
}

/// The handler in the child of a fork; only async-signal-safe.
pub fn note_fork() {
    IS_CHILD.store(true, Ordering::Release);
}

pub(super) fn forked() -> Error {
    Error::new(
        ErrorCode::Forked,
        "This process was forked from one that has used the library, whose threads and locks do not work here.",
    )
}
