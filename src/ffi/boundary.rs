//! What every export runs inside: no panic leaves the library, every failure becomes a status and, where wanted, an object.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Once};

use super::error::umpin_error;
use super::pointers::Out;
use super::status::umpin_status_t;
use crate::session::{Session, SharedError, process};
use crate::{Error, ErrorCode};

/// A failure on its way to the caller: plain or shared.
pub(super) struct Failure(SharedError);

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self(Arc::new(error))
    }
}

impl From<SharedError> for Failure {
    fn from(error: SharedError) -> Self {
        Self(error)
    }
}

/// Runs the body of an export. A panic poisons the session.
pub(super) fn boundary(
    session: Option<&Session>,
    error: Option<Out<'_, *mut umpin_error>>,
    body: impl FnOnce() -> Result<umpin_status_t, Failure>,
) -> umpin_status_t {
    silence_panics();
    let failure = match catch_unwind(AssertUnwindSafe(body)) {
        Ok(Ok(status)) => return status,
        Ok(Err(Failure(failure))) => failure,
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
        // Building the object must not undo what the boundary is for.
        if let Ok(object) = catch_unwind(AssertUnwindSafe(|| umpin_error::boxed(failure))) {
            out.write(Box::into_raw(object));
        }
    }
    status
}

/// Frees a handle; there is nobody to report to.
pub(super) fn freeing<T>(handle: Option<Box<T>>) {
    silence_panics();
    let _ = catch_unwind(AssertUnwindSafe(|| drop(handle)));
}

/// Frees a handle of a session. In the child of a fork it is left to the end of that process: the threads that dropping waits
/// for do not exist there, and their locks may be held for ever.
pub(super) fn freeing_of_session<T>(handle: Option<Box<T>>) {
    match handle {
        Some(handle) if process::is_child() => std::mem::forget(handle),
        handle => freeing(handle),
    }
}

/// The default hook prints a panic's text, which may hold data, to the host's standard error. The library has its own copy
/// of the standard library, so that this hook concerns no other.
fn silence_panics() {
    // Another thread of the parent may have been at it.
    if process::is_child() {
        return;
    }
    static ONCE: Once = Once::new();
    ONCE.call_once(|| std::panic::set_hook(Box::new(|_| {})));
}
