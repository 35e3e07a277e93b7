//! The functions of the error object.

use super::boundary::{boundary, free};
use super::boundary_error::BoundaryError;
use super::error_object::umpin_error;
use super::pointers::{Out, handle, reclaim, require_distinct, required};
use super::status::{UMPIN_OK, umpin_status_t};
use crate::Error;

/// The status number of an error.
///
/// # Safety
/// `error` is NULL or an error not yet freed; `status` is NULL or valid for writing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn umpin_error_status(error: *const umpin_error, status: *mut umpin_status_t) -> umpin_status_t {
    // SAFETY: `error` is NULL or not yet freed, by this function's contract.
    let error = unsafe { handle(error) };
    // SAFETY: `status` is NULL or valid for writing, by this function's contract.
    let status = unsafe { Out::new(status) };
    boundary(None, None, || {
        let error = required(error, "error")?;
        required(status, "status")?.write(error.error.code().status());
        Ok(UMPIN_OK)
    })
}

/// The id of an error, such as `ManagementObjectNotFound`, as PowerShell shows it; valid until the error is freed, like the other
/// texts. It stays from version to version. The statuses 1xx and 901 share the id `NativeFault`: tell those by their number.
///
/// # Safety
/// `error` is NULL or an error not yet freed; `data` and `length` are NULL or valid for writing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn umpin_error_id(
    error: *const umpin_error,
    data: *mut *const u8,
    length: *mut usize,
) -> umpin_status_t {
    // SAFETY: the pointers fulfil the contract of this function, which is that of `text`.
    unsafe { text(error, data, length, |error| error.code().id()) }
}

/// What went wrong, in one sentence.
///
/// # Safety
/// As for `umpin_error_id`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn umpin_error_message(
    error: *const umpin_error,
    data: *mut *const u8,
    length: *mut usize,
) -> umpin_status_t {
    // SAFETY: the pointers fulfil the contract of this function, which is that of `text`.
    unsafe { text(error, data, length, Error::message) }
}

/// What to do about it, in one imperative sentence.
///
/// # Safety
/// As for `umpin_error_id`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn umpin_error_recommended_action(
    error: *const umpin_error,
    data: *mut *const u8,
    length: *mut usize,
) -> umpin_status_t {
    // SAFETY: the pointers fulfil the contract of this function, which is that of `text`.
    unsafe { text(error, data, length, Error::recommended_action) }
}

/// All of it as JSON: `{"v":1,"status":202,"id":"…","message":"…","recommendedAction":"…","details":{…},"diagnostics":["…"]}`.
///
/// # Safety
/// As for `umpin_error_id`.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn umpin_error_json(
    error: *const umpin_error,
    data: *mut *const u8,
    length: *mut usize,
) -> umpin_status_t {
    // SAFETY: `error` is NULL or not yet freed, by this function's contract.
    let error = unsafe { handle(error) };
    // SAFETY: `data` is NULL or valid for writing, by this function's contract.
    let data = unsafe { Out::new(data) };
    // SAFETY: `length` is NULL or valid for writing, by this function's contract.
    let length = unsafe { Out::new(length) };
    boundary(None, None, || give(&required(error, "error")?.json, data, length))
}

/// Frees an error. NULL is allowed.
///
/// # Safety
/// `error` is NULL or an error not yet freed, and is not used again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn umpin_error_free(error: *mut umpin_error) {
    // SAFETY: `error` is NULL or not yet freed, and is not used again, by this function's contract.
    let error = unsafe { reclaim(error) };
    free(error);
}

/// # Safety
/// As for `umpin_error_id`.
unsafe fn text(
    error: *const umpin_error,
    data: *mut *const u8,
    length: *mut usize,
    of: fn(&Error) -> &str,
) -> umpin_status_t {
    // SAFETY: `error` is NULL or not yet freed, by this function's contract.
    let error = unsafe { handle(error) };
    // SAFETY: `data` is NULL or valid for writing, by this function's contract.
    let data = unsafe { Out::new(data) };
    // SAFETY: `length` is NULL or valid for writing, by this function's contract.
    let length = unsafe { Out::new(length) };
    boundary(None, None, || {
        give(of(&required(error, "error")?.error).as_bytes(), data, length)
    })
}

fn give(
    bytes: &[u8],
    data: Option<Out<'_, *const u8>>,
    length: Option<Out<'_, usize>>,
) -> Result<umpin_status_t, BoundaryError> {
    let distinct = require_distinct(&[data.as_ref().map(Out::address), length.as_ref().map(Out::address)]);
    let (data, length) = (required(data, "data")?, required(length, "length")?);
    distinct?;
    data.write(bytes.as_ptr());
    length.write(bytes.len());
    Ok(UMPIN_OK)
}
