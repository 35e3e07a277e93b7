//! Sessions.

use super::boundary::{boundary, freeing_of_session};
use super::error::umpin_error;
use super::fork;
use super::pointers::{Out, handle, input, reclaim, required};
use super::status::{UMPIN_OK, umpin_status_t};
use crate::session::Session;

/// One configuration in use: directory, keys, notification. Internally synchronised; usable from any thread.
pub struct umpin_session(pub(super) Session);

/// Opens a session. Reads the configuration file that the request names, starts a thread of each kind that it needs, and touches
/// nothing else: whether there is a store is told by the request `status`, or by the first reset. `UMPIN_NATIVE_FAULT` where the
/// system has no threads to give; once a session is open, later ones are no condition for anything. `UMPIN_FORKED` in a child of
/// a process that has used the library.
///
/// # Safety
/// `request` is NULL or valid for reading `request_length` bytes; `session` and `error` are NULL or valid for writing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn umpin_session_open(
    request: *const u8,
    request_length: usize,
    session: *mut *mut umpin_session,
    error: *mut *mut umpin_error,
) -> umpin_status_t {
    // SAFETY: the caller vouches for the pointer, see above.
    let request = unsafe { input(request, request_length, "request") };
    // SAFETY: likewise.
    let session = unsafe { Out::new(session) };
    // SAFETY: likewise.
    let error = unsafe { Out::new(error) };
    // First of all: from here on a fork is too late.
    let entered = fork::enter();
    boundary(None, error, || {
        entered?;
        let session = required(session, "session")?;
        let opened = Session::open(request?)?;
        session.write(Box::into_raw(Box::new(umpin_session(opened))));
        Ok(UMPIN_OK)
    })
}

/// Frees a session. Does not wait, and cancels nothing by itself. Plans, batches and requests of the session stay valid and must
/// be freed too, before or after. NULL is allowed.
///
/// # Safety
/// `session` is NULL or a session not yet freed, and is not used again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn umpin_session_free(session: *mut umpin_session) {
    // SAFETY: the caller vouches for the pointer, see above.
    let session = unsafe { reclaim(session) };
    freeing_of_session(session);
}

/// The session behind a pointer, if it may be used.
///
/// # Safety
/// `session` is NULL or a session not yet freed.
pub(super) unsafe fn session_ref<'a>(session: *const umpin_session) -> Option<&'a Session> {
    // SAFETY: the caller vouches.
    unsafe { handle(session) }.map(|session| &session.0)
}
