//! Which process the library is used in. Threads do not survive a fork, and their locks stay taken for ever in the child: the
//! library's own, SQLite's and the store's. So a child of a process that has used the library never uses it.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use crate::{Error, ErrorCode, Result};

/// The process that used the library first; 0: none yet.
static USER: AtomicU32 = AtomicU32::new(0);
/// Set in the child by a handler of `fork()`: a process id may come round again.
static IS_CHILD: AtomicBool = AtomicBool::new(false);

/// Before anything of the library is used.
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

/// Whether this is a child, or a child's child, of a process that has used the library.
#[must_use]
pub fn is_child() -> bool {
    let user = USER.load(Ordering::Acquire);
    user != 0 && (IS_CHILD.load(Ordering::Acquire) || user != std::process::id())
}

/// In the child of a fork; does nothing that is not allowed there.
pub fn note_fork() {
    IS_CHILD.store(true, Ordering::Release);
}

pub(super) fn forked() -> Error {
    Error::new(
        ErrorCode::Forked,
        "This process was forked from one that has used the library, whose threads and locks do not work here.",
    )
}
