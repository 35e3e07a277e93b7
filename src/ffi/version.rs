//! What the library is.

use super::boundary::boundary;
use super::error_object::umpin_error;
use super::pointers::{Out, require_distinct, required};
use super::status::{UMPIN_OK, umpin_status_t};

/// The number of this interface. It changes when existing programs would no longer work.
pub const UMPIN_ABI_VERSION: u32 = 1;

/// The interface number of the loaded library (the number itself, no status): a program compares it with
/// `UMPIN_ABI_VERSION` before any other call.
#[unsafe(no_mangle)]
pub extern "C" fn umpin_abi_version() -> u32 {
    UMPIN_ABI_VERSION
}

/// The library's version, such as `0.1.0`: static text, never to be freed.
///
/// # Safety
/// `text` and `length` are NULL or valid for writing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn umpin_version(text: *mut *const u8, length: *mut usize) -> umpin_status_t {
    // SAFETY: `text` is NULL or valid for writing, by this function's contract.
    let text = unsafe { Out::new(text) };
    // SAFETY: `length` is NULL or valid for writing, by this function's contract.
    let length = unsafe { Out::new(length) };
    boundary(None, None::<Out<'_, *mut umpin_error>>, || {
        let distinct = require_distinct(&[text.as_ref().map(Out::address), length.as_ref().map(Out::address)]);
        let (text, length) = (required(text, "text")?, required(length, "length")?);
        distinct?;
        let version = env!("CARGO_PKG_VERSION");
        text.write(version.as_ptr());
        length.write(version.len());
        Ok(UMPIN_OK)
    })
}
