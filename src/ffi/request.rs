//! Requests: everything but a reset.

use super::boundary::{boundary, free_session_handle};
use super::buffer::umpin_buffer;
use super::error_object::umpin_error;
use super::pointers::{Out, handle, input, reclaim, required};
use super::session::{session_ref, umpin_session};
use super::status::{UMPIN_OK, UMPIN_PENDING, umpin_status_t};
use crate::session::{Poll, Request, timeout};

/// One request under way. Internally synchronised; answered once.
pub struct umpin_request(pub(super) Request);

/// Starts the operation that the JSON request names and returns at once. The introduction lists the operations, with what each
/// takes and answers.
///
/// # Safety
/// `session` is NULL or a session not yet freed; `json` is NULL or valid for reading `json_length` bytes; `request` and
/// `error` are NULL or valid for writing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn umpin_request_new(
    session: *const umpin_session,
    json: *const u8,
    json_length: usize,
    request: *mut *mut umpin_request,
    error: *mut *mut umpin_error,
) -> umpin_status_t {
    // SAFETY: `session` is NULL or not yet freed, by this function's contract.
    let session = unsafe { session_ref(session) };
    // SAFETY: `json` is NULL or valid for reading `json_length` bytes, by this function's contract.
    let json = unsafe { input(json, json_length, "json") };
    // SAFETY: `request` is NULL or valid for writing, by this function's contract.
    let request = unsafe { Out::new(request) };
    // SAFETY: `error` is NULL or valid for writing, by this function's contract.
    let error = unsafe { Out::new(error) };
    boundary(session, error, || {
        let (session, request) = (required(session, "session")?, required(request, "request")?);
        let started = Request::new(session, json?)?;
        request.write(Box::into_raw(Box::new(umpin_request(started))));
        Ok(UMPIN_OK)
    })
}

/// The answer as JSON. `UMPIN_PENDING` when there is none within `timeout_ms` milliseconds: call again. Any other
/// answer uses the request up, save for those of the family 1xx.
///
/// # Safety
/// `request` is NULL or a request not yet freed; `response` and `error` are NULL or valid for writing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn umpin_request_wait(
    request: *const umpin_request,
    timeout_ms: u32,
    response: *mut *mut umpin_buffer,
    error: *mut *mut umpin_error,
) -> umpin_status_t {
    // SAFETY: `request` is NULL or not yet freed, by this function's contract.
    let request = unsafe { handle(request) };
    // SAFETY: `response` is NULL or valid for writing, by this function's contract.
    let response = unsafe { Out::new(response) };
    // SAFETY: `error` is NULL or valid for writing, by this function's contract.
    let error = unsafe { Out::new(error) };
    boundary(request.map(|request| request.0.session()), error, || {
        let (request, response) = (required(request, "request")?, required(response, "response")?);
        request.0.session().check()?;
        match request.0.wait(timeout(timeout_ms))? {
            Poll::Ready(json) => {
                response.write(umpin_buffer::raw(json));
                Ok(UMPIN_OK)
            }
            Poll::Pending => Ok(UMPIN_PENDING),
        }
    })
}

/// Cancels a request: before its commit point it ends with `UMPIN_CANCELLED` and changes nothing, after it it finishes. Does not
/// wait, and may be called beside a waiting call; go on with umpin_request_wait() until that has told how it ended. Has no effect
/// on a request that has ended, nor on an attempt to sign in, which is carried out and counted all the same.
///
/// # Safety
/// `request` is NULL or a request not yet freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn umpin_request_cancel(request: *const umpin_request) -> umpin_status_t {
    // SAFETY: `request` is NULL or not yet freed, by this function's contract.
    let request = unsafe { handle(request) };
    boundary(request.map(|request| request.0.session()), None, || {
        let request = required(request, "request")?;
        request.0.session().check()?;
        request.0.cancel();
        Ok(UMPIN_OK)
    })
}

/// Frees a request, and cancels it if it has not ended: see umpin_request_cancel(). One past its commit point finishes, and later
/// calls on the session wait for it. NULL is allowed.
///
/// # Safety
/// `request` is NULL or a request not yet freed, and is not used again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn umpin_request_free(request: *mut umpin_request) {
    // SAFETY: `request` is NULL or not yet freed, and is not used again, by this function's contract.
    let request = unsafe { reclaim(request) };
    free_session_handle(request);
}
