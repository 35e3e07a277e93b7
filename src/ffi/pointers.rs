//! Raw pointers, checked once and turned into references, slices and places to write to.

use std::marker::PhantomData;
use std::ptr::NonNull;

use super::boundary::Failure;
use crate::pin::Pin;
use crate::{Error, ErrorCode};

/// A place for a result: written on success. No reference, because a caller may pass the same place twice.
pub(super) struct Out<'a, T>(NonNull<T>, PhantomData<&'a mut T>);

impl<T> Out<'_, T> {
    /// `None` for NULL.
    ///
    /// # Safety
    /// `place` is NULL or valid for writing a `T` during `'a`; what it holds is not read.
    pub(super) unsafe fn new(place: *mut T) -> Option<Self> {
        NonNull::new(place).map(|place| Self(place, PhantomData))
    }

    pub(super) fn write(self, value: T) {
        // SAFETY: not NULL, and valid for writing, as whoever made this vouched for.
        unsafe { self.0.write(value) };
    }

    /// Where it lies, to be compared with another.
    pub(super) fn place(&self) -> *const () {
        self.0.as_ptr().cast_const().cast()
    }
}

/// Refuses results that would be written to the same place, where the second would take the place of the first: a PIN that of a
/// response, or a buffer that nobody could free any more.
pub(super) fn apart(places: &[Option<*const ()>]) -> Result<(), Failure> {
    let mut given: Vec<_> = places.iter().flatten().collect();
    given.sort_unstable();
    if given.windows(2).any(|pair| pair[0] == pair[1]) {
        return Err(Error::new(
            ErrorCode::InvalidArgument,
            "Two results are to be written to the same place.",
        )
        .into());
    }
    Ok(())
}

/// The handle behind a pointer; `None` for NULL.
///
/// # Safety
/// `handle` is NULL or was given by this library and has not been freed.
pub(super) unsafe fn handle<'a, T>(handle: *const T) -> Option<&'a T> {
    // SAFETY: the caller vouches; handles are only ever shared, never borrowed mutably.
    unsafe { handle.as_ref() }
}

/// Takes a handle back to drop it.
///
/// # Safety
/// `handle` is NULL or was given by this library, has not been freed, and is not used again.
pub(super) unsafe fn reclaim<T>(handle: *mut T) -> Option<Box<T>> {
    if handle.is_null() {
        return None;
    }
    // SAFETY: not NULL, so it came from `Box::into_raw`, once, as the caller vouches.
    Some(unsafe { Box::from_raw(handle) })
}

/// Bytes of the caller's. The pointer is ignored when the length is 0.
///
/// # Safety
/// `data` is NULL, or `length` is 0, or `data` is valid for reading `length` bytes during `'a`.
pub(super) unsafe fn input<'a>(data: *const u8, length: usize, name: &str) -> Result<&'a [u8], Failure> {
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
    // SAFETY: neither NULL nor longer than an object; the caller vouches for the rest.
    Ok(unsafe { std::slice::from_raw_parts(data, length) })
}

/// A copy of the caller's PIN; `None` when its length is 0.
pub(super) fn pin(bytes: &[u8]) -> Result<Option<Pin>, Failure> {
    if bytes.is_empty() {
        return Ok(None);
    }
    let text =
        std::str::from_utf8(bytes).map_err(|_| Error::new(ErrorCode::InvalidUtf8, "The PIN is not valid UTF-8."))?;
    Ok(Some(Pin::new(text.to_owned())))
}

/// A required pointer that must not be NULL.
pub(super) fn required<T>(value: Option<T>, name: &str) -> Result<T, Failure> {
    value.ok_or_else(|| null(name))
}

fn null(name: &str) -> Failure {
    Error::new(ErrorCode::NullArgument, format!("The pointer \"{name}\" is NULL.")).into()
}
