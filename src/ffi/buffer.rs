//! Buffers: bytes that the library returns to its caller.

use zeroize::Zeroizing;

use super::boundary::{boundary, free};
use super::error_object::umpin_error;
use super::pointers::{Out, handle, reclaim, require_distinct, required};
use super::status::{UMPIN_OK, umpin_status_t};
use crate::pin::Pin;

/// Bytes owned by the library: a JSON response, or a PIN. Immutable; wiped when freed.
pub struct umpin_buffer(Zeroizing<Vec<u8>>);

impl umpin_buffer {
    pub(super) fn raw(bytes: Vec<u8>) -> *mut Self {
        Box::into_raw(Box::new(Self(Zeroizing::new(bytes))))
    }

    /// NULL for no PIN.
    pub(super) fn raw_pin(pin: Option<&Pin>) -> *mut Self {
        pin.map_or(std::ptr::null_mut(), |pin| Self::raw(pin.expose().as_bytes().to_vec()))
    }
}

/// The bytes of a buffer: UTF-8 without a NUL at the end, valid until the buffer is freed.
///
/// # Safety
/// `buffer` is NULL or a buffer not yet freed; `data` and `length` are NULL or valid for writing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn umpin_buffer_data(
    buffer: *const umpin_buffer,
    data: *mut *const u8,
    length: *mut usize,
) -> umpin_status_t {
    // SAFETY: `buffer` is NULL or not yet freed, by this function's contract.
    let buffer = unsafe { handle(buffer) };
    // SAFETY: `data` is NULL or valid for writing, by this function's contract.
    let data = unsafe { Out::new(data) };
    // SAFETY: `length` is NULL or valid for writing, by this function's contract.
    let length = unsafe { Out::new(length) };
    boundary(None, None::<Out<'_, *mut umpin_error>>, || {
        let buffer = required(buffer, "buffer")?;
        let distinct = require_distinct(&[data.as_ref().map(Out::address), length.as_ref().map(Out::address)]);
        let (data, length) = (required(data, "data")?, required(length, "length")?);
        distinct?;
        data.write(buffer.0.as_ptr());
        length.write(buffer.0.len());
        Ok(UMPIN_OK)
    })
}

/// Wipes and frees a buffer. NULL is allowed.
///
/// # Safety
/// `buffer` is NULL or a buffer not yet freed, and is not used again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn umpin_buffer_free(buffer: *mut umpin_buffer) {
    // SAFETY: `buffer` is NULL or not yet freed, and is not used again, by this function's contract.
    let buffer = unsafe { reclaim(buffer) };
    free(buffer);
}
