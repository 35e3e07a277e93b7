//! The error object; its functions are in `error.rs`.

use crate::session::{SharedError, error_json};

/// Why a call failed: status, id, message, recommended action, details. Immutable; usable from any thread. Never holds a
/// PIN, key or password.
pub struct umpin_error {
    pub(super) error: SharedError,
    pub(super) json: Vec<u8>,
}

impl umpin_error {
    pub(super) fn boxed(error: SharedError) -> Box<Self> {
        Box::new(Self {
            json: error_json(&error),
            error,
        })
    }
}
