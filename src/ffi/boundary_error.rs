//! Errors between the body of an export and its boundary.

use std::sync::Arc;

use crate::Error;
use crate::session::SharedError;

/// An error on its way to the caller: plain or shared.
pub(super) struct BoundaryError(pub SharedError);

impl From<Error> for BoundaryError {
    fn from(error: Error) -> Self {
        Self(Arc::new(error))
    }
}

impl From<SharedError> for BoundaryError {
    fn from(error: SharedError) -> Self {
        Self(error)
    }
}
