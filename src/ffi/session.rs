//! Sessions.

use super::boundary::{boundary, freeing_of};
use super::error::umpin_error;
use super::pointers::{Out, handle, input, reclaim, required};
use super::status::{UMPIN_OK, umpin_status_t};
use crate::session::Session;

/// One configuration in use: directory, keys, notification. Internally synchronised; usable from any thread.
pub struct umpin_session(pub(super) Session);

/// Opens a session. Reads the configuration file that the request names and touches nothing else: whether there is a store
/// is told by the request `status`, or by the first reset.
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
    boundary(None, error, || {
        let session = required(session, "session")?;
        let opened = Session::open(request?)?;
        session.write(Box::into_raw(Box::new(umpin_session(opened))));
        Ok(UMPIN_OK)
    })
}

/// Frees a session. Does not wait: what was accepted is carried out while the process lives. Plans, batches and requests of
/// the session stay valid and must be freed too, before or after. NULL is allowed.
///
/// # Safety
/// `session` is NULL or a session not yet freed, and is not used again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn umpin_session_free(session: *mut umpin_session) {
    // SAFETY: the caller vouches for the pointer, see above.
    let session = unsafe { reclaim(session) };
    freeing_of(session, |session| &session.0);
}

/// The session behind a pointer, if it may be used.
///
/// # Safety
/// `session` is NULL or a session not yet freed.
pub(super) unsafe fn session_ref<'a>(session: *const umpin_session) -> Option<&'a Session> {
    // SAFETY: the caller vouches.
    unsafe { handle(session) }.map(|session| &session.0)
}
