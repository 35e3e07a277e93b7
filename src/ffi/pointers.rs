//! Raw pointers of the caller, checked once and converted to references, slices and out-parameters.

use std::marker::PhantomData;
use std::ptr::NonNull;

use super::boundary_error::BoundaryError;
use crate::pin::Pin;
use crate::{Error, ErrorCode};

/// An out-parameter, written on success. Not a reference, because a caller may pass the same address twice.
pub(super) struct Out<'a, T>(NonNull<T>, PhantomData<&'a mut T>);

impl<T> Out<'_, T> {
    /// `None` for NULL.
    ///
    /// # Safety
    /// `address` is NULL or valid for writing a `T` during `'a`; its content is not read.
    pub(super) unsafe fn new(address: *mut T) -> Option<Self> {
        NonNull::new(address).map(|address| Self(address, PhantomData))
    }

    pub(super) fn write(self, value: T) {
        // SAFETY: not NULL, and valid for writing by the contract of `new`.
        unsafe { self.0.write(value) };
    }

    /// The address, for comparison with another.
    pub(super) fn address(&self) -> *const () {
        self.0.as_ptr().cast_const().cast()
    }
}

/// Refuses results at the same address: the second would overwrite the first, and a buffer could not be freed any more.
pub(super) fn require_distinct(addresses: &[Option<*const ()>]) -> Result<(), BoundaryError> {
    let mut given: Vec<_> = addresses.iter().flatten().collect();
    given.sort_unstable();
    if given.windows(2).any(|pair| pair[0] == pair[1]) {
        return Err(Error::new(ErrorCode::InvalidArgument, "Two results have the same address.").into());
    }
    Ok(())
}

/// The handle behind a pointer; `None` for NULL.
///
/// # Safety
/// `handle` is NULL or was given by this library and has not been freed.
pub(super) unsafe fn handle<'a, T>(handle: *const T) -> Option<&'a T> {
    // SAFETY: NULL or not yet freed, by this function's contract; handles are only shared, never borrowed mutably.
    unsafe { handle.as_ref() }
}

/// Takes a handle back, to drop it.
///
/// # Safety
/// `handle` is NULL or was given by this library, has not been freed, and is not used again.
pub(super) unsafe fn reclaim<T>(handle: *mut T) -> Option<Box<T>> {
    if handle.is_null() {
        return None;
    }
    // SAFETY: not NULL, so it came from `Box::into_raw` and is taken back once, by this function's contract.
    Some(unsafe { Box::from_raw(handle) })
}

/// The caller's bytes. The pointer is ignored when the length is 0.
///
/// # Safety
/// `data` is NULL, or `length` is 0, or `data` is valid for reading `length` bytes during `'a`.
pub(super) unsafe fn input<'a>(data: *const u8, length: usize, name: &str) -> Result<&'a [u8], BoundaryError> {
    if length == 0 {
        return Ok(&[]);
    }
    if data.is_null() {
        return Err(null(name));
    }
    if isize::try_from(length).is_err() {
        return Err(Error::new(
            ErrorCode::InvalidArgument,
            format!("The length of \"{name}\" is larger than any object."),
        )
        .into());
    }
    // SAFETY: neither NULL nor longer than an object; readable by this function's contract.
    Ok(unsafe { std::slice::from_raw_parts(data, length) })
}

/// A copy of the caller's PIN; `None` when its length is 0.
pub(super) fn pin(bytes: &[u8]) -> Result<Option<Pin>, BoundaryError> {
    if bytes.is_empty() {
        return Ok(None);
    }
    let text =
        std::str::from_utf8(bytes).map_err(|_| Error::new(ErrorCode::InvalidUtf8, "The PIN is not valid UTF-8."))?;
    Ok(Some(Pin::new(text.to_owned())))
}

/// The value of a pointer that must not be NULL.
pub(super) fn required<T>(value: Option<T>, name: &str) -> Result<T, BoundaryError> {
    value.ok_or_else(|| null(name))
}

fn null(name: &str) -> BoundaryError {
    Error::new(ErrorCode::NullArgument, format!("The pointer \"{name}\" is NULL.")).into()
}
