//! Signing in, and the user's own change of the PIN.

use super::boundary::boundary;
use super::error_object::umpin_error;
use super::pointers::{Out, handle, input, pin, require_distinct, required};
use super::request::umpin_request;
use super::session::{session_ref, umpin_session};
use super::status::{UMPIN_OK, UMPIN_PENDING, umpin_status_t};
use crate::service::signin::SignIn;
use crate::session::{Poll, Request};

/// What an attempt to sign in came to: one of the `UMPIN_SIGNIN_…` numbers. Take an unknown one for a refusal.
pub type umpin_signin_t = u32;

/// The right PIN; from umpin_change_pin(): the new PIN is set.
pub const UMPIN_SIGNIN_ACCEPTED: umpin_signin_t = 1;
/// The right PIN, but it has expired: let nobody in before umpin_change_pin() was accepted.
pub const UMPIN_SIGNIN_CHANGE_REQUIRED: umpin_signin_t = 2;
/// A wrong PIN; it has been counted.
pub const UMPIN_SIGNIN_REJECTED: umpin_signin_t = 3;
/// Locked until an administrator acts. Whether the PIN is the right one is not said.
pub const UMPIN_SIGNIN_LOCKED: umpin_signin_t = 4;
/// A wrong PIN, after which the PIN was reset: a new one is on its way to the user by mail.
pub const UMPIN_SIGNIN_RESET_BY_FAILURES: umpin_signin_t = 5;

const _: () = {
    assert!(UMPIN_SIGNIN_ACCEPTED == SignIn::Accepted as u32);
    assert!(UMPIN_SIGNIN_CHANGE_REQUIRED == SignIn::ChangeRequired as u32);
    assert!(UMPIN_SIGNIN_REJECTED == SignIn::Rejected as u32);
    assert!(UMPIN_SIGNIN_LOCKED == SignIn::Locked as u32);
    assert!(UMPIN_SIGNIN_RESET_BY_FAILURES == SignIn::ResetByFailures as u32);
};

/// No limit: what umpin_signin_result() gives where the policy has none.
pub const UMPIN_UNLIMITED: u32 = u32::MAX;

/// Starts an attempt to sign in with the PIN that was keyed, and returns at once. From here on it is carried out and, if wrong,
/// counted, also when the request is cancelled or freed: no guess is free. Wait with umpin_request_wait(): every answer to
/// a PIN that is not right comes half a second after this call, or after a multiple of it that depends only on how many calls there
/// are; one to the right PIN (accepted, change required) after an eighth of a second, or a multiple of it. The caller wipes its own copy of the PIN.
///
/// # Safety
/// `session` is NULL or a session not yet freed; `json` and `pin_text` are NULL or valid for reading as many bytes as their
/// lengths say; `request` and `error` are NULL or valid for writing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn umpin_signin(
    session: *const umpin_session,
    json: *const u8,
    json_length: usize,
    pin_text: *const u8,
    pin_length: usize,
    request: *mut *mut umpin_request,
    error: *mut *mut umpin_error,
) -> umpin_status_t {
    // SAFETY: `session` is NULL or not yet freed, by this function's contract.
    let session = unsafe { session_ref(session) };
    // SAFETY: `json` is NULL or valid for reading `json_length` bytes, by this function's contract.
    let json = unsafe { input(json, json_length, "json") };
    // SAFETY: `pin_text` is NULL or valid for reading `pin_length` bytes, by this function's contract.
    let pin_text = unsafe { input(pin_text, pin_length, "pin_text") };
    // SAFETY: `request` is NULL or valid for writing, by this function's contract.
    let request = unsafe { Out::new(request) };
    // SAFETY: `error` is NULL or valid for writing, by this function's contract.
    let error = unsafe { Out::new(error) };
    boundary(session, error, || {
        let (session, request) = (required(session, "session")?, required(request, "request")?);
        let started = Request::sign_in(session, json?, pin(pin_text?)?)?;
        request.write(Box::into_raw(Box::new(umpin_request(started))));
        Ok(UMPIN_OK)
    })
}

/// Starts the user's own change of the PIN, and returns at once. A wrong old PIN is answered and counted as by umpin_signin();
/// with the right one the new PIN must obey the whole policy (`UMPIN_PIN_POLICY_VIOLATION` names every broken rule), and ends
/// the expired state and the first-time use. The caller wipes its own copies of the PINs.
///
/// # Safety
/// As umpin_signin().
#[unsafe(no_mangle)]
pub unsafe extern "C" fn umpin_change_pin(
    session: *const umpin_session,
    json: *const u8,
    json_length: usize,
    old_pin: *const u8,
    old_pin_length: usize,
    new_pin: *const u8,
    new_pin_length: usize,
    request: *mut *mut umpin_request,
    error: *mut *mut umpin_error,
) -> umpin_status_t {
    // SAFETY: `session` is NULL or not yet freed, by this function's contract.
    let session = unsafe { session_ref(session) };
    // SAFETY: `json` is NULL or valid for reading `json_length` bytes, by this function's contract.
    let json = unsafe { input(json, json_length, "json") };
    // SAFETY: `old_pin` is NULL or valid for reading `old_pin_length` bytes, by this function's contract.
    let old_pin = unsafe { input(old_pin, old_pin_length, "old_pin") };
    // SAFETY: `new_pin` is NULL or valid for reading `new_pin_length` bytes, by this function's contract.
    let new_pin = unsafe { input(new_pin, new_pin_length, "new_pin") };
    // SAFETY: `request` is NULL or valid for writing, by this function's contract.
    let request = unsafe { Out::new(request) };
    // SAFETY: `error` is NULL or valid for writing, by this function's contract.
    let error = unsafe { Out::new(error) };
    boundary(session, error, || {
        let (session, request) = (required(session, "session")?, required(request, "request")?);
        let started = Request::change_pin(session, json?, pin(old_pin?)?, pin(new_pin?)?)?;
        request.write(Box::into_raw(Box::new(umpin_request(started))));
        Ok(UMPIN_OK)
    })
}

/// What an attempt came to, as numbers, for programs that need nothing else of the answer. Ask after umpin_request_wait()
/// returned `UMPIN_OK`; until then `UMPIN_PENDING`. `until_reset` and `until_lock` receive how many wrong PINs are left until
/// the PIN is reset and until the mailbox is locked, or `UMPIN_UNLIMITED`; the lock-out comes first where both are due. Either
/// may be NULL. `UMPIN_INVALID_ARGUMENT` for a request that was no attempt, or that failed.
///
/// # Safety
/// `request` is NULL or a request not yet freed; the others are NULL or valid for writing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn umpin_signin_result(
    request: *const umpin_request,
    result: *mut umpin_signin_t,
    until_reset: *mut u32,
    until_lock: *mut u32,
    error: *mut *mut umpin_error,
) -> umpin_status_t {
    // SAFETY: `request` is NULL or not yet freed, by this function's contract.
    let request = unsafe { handle(request) };
    // SAFETY: `result` is NULL or valid for writing, by this function's contract.
    let result = unsafe { Out::new(result) };
    // SAFETY: `until_reset` is NULL or valid for writing, by this function's contract.
    let until_reset = unsafe { Out::new(until_reset) };
    // SAFETY: `until_lock` is NULL or valid for writing, by this function's contract.
    let until_lock = unsafe { Out::new(until_lock) };
    // SAFETY: `error` is NULL or valid for writing, by this function's contract.
    let error = unsafe { Out::new(error) };
    boundary(request.map(|request| request.0.session()), error, || {
        let distinct = require_distinct(&[
            result.as_ref().map(Out::address),
            until_reset.as_ref().map(Out::address),
            until_lock.as_ref().map(Out::address),
        ]);
        let (request, result) = (required(request, "request")?, required(result, "result")?);
        distinct?;
        request.0.session().check()?;
        let attempt = match request.0.attempt()? {
            Poll::Ready(attempt) => attempt,
            Poll::Pending => return Ok(UMPIN_PENDING),
        };
        result.write(attempt.outcome as umpin_signin_t);
        for (out, left) in [
            (until_reset, attempt.left.until_reset),
            (until_lock, attempt.left.until_lock),
        ] {
            if let Some(out) = out {
                out.write(left.unwrap_or(UMPIN_UNLIMITED));
            }
        }
        Ok(UMPIN_OK)
    })
}
