//! Exports for tests only; see the feature in Cargo.toml.

use super::boundary::boundary;
use super::error_object::umpin_error;
use super::pointers::{Out, required};
use super::session::{session_ref, umpin_session};
use super::status::umpin_status_t;

/// Panics inside the boundary, as a defect would.
///
/// # Safety
/// `session` is NULL or a session not yet freed; `error` is NULL or valid for writing.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn umpin_test_panic(
    session: *const umpin_session,
    error: *mut *mut umpin_error,
) -> umpin_status_t {
    // SAFETY: `session` is NULL or not yet freed, by this function's contract.
    let session = unsafe { session_ref(session) };
    // SAFETY: `error` is NULL or valid for writing, by this function's contract.
    let error = unsafe { Out::new(error) };
    boundary(session, error, || {
        required(session, "session")?.check()?;
        panic!("a panic on purpose")
    })
}
