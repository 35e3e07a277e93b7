//! What the library is.

use super::boundary::boundary;
use super::error::umpin_error;
use super::pointers::{Out, apart, required};
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
    // SAFETY: the caller vouches for the pointer, see above.
    let text = unsafe { Out::new(text) };
    // SAFETY: likewise.
    let length = unsafe { Out::new(length) };
    boundary(None, None::<Out<'_, *mut umpin_error>>, || {
        let apart = apart(&[text.as_ref().map(Out::place), length.as_ref().map(Out::place)]);
        let (text, length) = (required(text, "text")?, required(length, "length")?);
        apart?;
        let version = env!("CARGO_PKG_VERSION");
        text.write(version.as_ptr());
        length.write(version.len());
        Ok(UMPIN_OK)
    })
}
