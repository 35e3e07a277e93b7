//! Rules for all requests.

use super::VERSION;
use crate::{Error, ErrorCode, Result};

pub(super) fn invalid(message: impl Into<String>) -> Error {
    Error::new(ErrorCode::InvalidRequest, message)
}

/// Refuses alternatives without an identity, which would silently be a list of all mailboxes.
pub(super) fn require_identity(identity: Option<&str>, alternatives: &[String]) -> Result<()> {
    if identity.is_none() && !alternatives.is_empty() {
        return Err(invalid("The request has alternatives to an identity, and no identity."));
    }
    Ok(())
}

pub(super) fn check_version(v: u64) -> Result<()> {
    if v == VERSION {
        return Ok(());
    }
    Err(invalid(format!(
        "The request has version {v}; this library understands version {VERSION}."
    )))
}
