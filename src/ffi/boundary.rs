//! The boundary around every export: no panic leaves the library, and every error becomes a status and, if requested, an error object.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Once};

use super::boundary_error::BoundaryError;
use super::error_object::umpin_error;
use super::pointers::Out;
use super::status::umpin_status_t;
use crate::session::{Session, process};
use crate::{Error, ErrorCode};

/// Runs the body of an export. A panic poisons the session.
pub(super) fn boundary(
    session: Option<&Session>,
    error: Option<Out<'_, *mut umpin_error>>,
    body: impl FnOnce() -> Result<umpin_status_t, BoundaryError>,
) -> umpin_status_t {
    silence_panics();
    let failure = match catch_unwind(AssertUnwindSafe(body)) {
        Ok(Ok(status)) => return status,
        Ok(Err(BoundaryError(failure))) => failure,
        Err(_) => {
            if let Some(session) = session {
                session.poison();
            }
            Arc::new(Error::new(
                ErrorCode::Panic,
                "The library failed with an internal error; what the call did is not known.",
            ))
        }
    };
    let status = failure.code().status();
    if failure.code() == ErrorCode::Cancelled {
        return status;
    }
    if let Some(out) = error {
        // Building the object must not panic through the boundary.
        if let Ok(object) = catch_unwind(AssertUnwindSafe(|| umpin_error::boxed(failure))) {
            out.write(Box::into_raw(object));
        }
    }
    status
}

/// Frees a handle. A panic is ignored: there is no status to return.
pub(super) fn free<T>(handle: Option<Box<T>>) {
    silence_panics();
    let _ = catch_unwind(AssertUnwindSafe(|| drop(handle)));
}

/// Frees a handle of a session. In the child of a fork the handle is leaked: the threads that dropping waits for do not exist
/// there, and their locks may be held forever.
pub(super) fn free_session_handle<T>(handle: Option<Box<T>>) {
    match handle {
        Some(handle) if process::is_child() => std::mem::forget(handle),
        handle => free(handle),
    }
}

/// Replaces the default hook, which prints the text of a panic, and with it perhaps data, to the standard error of the host. The
/// library has its own copy of the standard library, so the hook affects no other code.
fn silence_panics() {
    // Another thread of the parent may have held the lock of `ONCE`.
    if process::is_child() {
        return;
    }
    static ONCE: Once = Once::new();
    ONCE.call_once(|| std::panic::set_hook(Box::new(|_| {})));
}
