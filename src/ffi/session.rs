//! Sessions.

use super::boundary::{boundary, free_session_handle};
use super::error_object::umpin_error;
use super::fork;
use super::pointers::{Out, handle, input, reclaim, required};
use super::status::{UMPIN_OK, umpin_status_t};
use crate::session::Session;

/// One configuration in use: directory, keys, notification. Internally synchronised; usable from any thread.
pub struct umpin_session(pub(super) Session);

/// Opens a session. Reads the configuration file that the request names, starts a thread of each kind that it needs, and touches
/// nothing else: the request `status`, or the first reset, tells whether there is a store. `UMPIN_NATIVE_FAULT` when the
/// system has no threads; an open session works without further ones. `UMPIN_FORKED` in a child of
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
    // SAFETY: `request` is NULL or valid for reading `request_length` bytes, by this function's contract.
    let request = unsafe { input(request, request_length, "request") };
    // SAFETY: `session` is NULL or valid for writing, by this function's contract.
    let session = unsafe { Out::new(session) };
    // SAFETY: `error` is NULL or valid for writing, by this function's contract.
    let error = unsafe { Out::new(error) };
    // First, so that a later fork is detected.
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
    // SAFETY: `session` is NULL or not yet freed, and is not used again, by this function's contract.
    let session = unsafe { reclaim(session) };
    free_session_handle(session);
}

/// The session behind a pointer; `None` for NULL.
///
/// # Safety
/// `session` is NULL or a session not yet freed.
pub(super) unsafe fn session_ref<'a>(session: *const umpin_session) -> Option<&'a Session> {
    // SAFETY: `session` is NULL or not yet freed, by this function's contract.
    unsafe { handle(session) }.map(|session| &session.0)
}
