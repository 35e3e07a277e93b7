//! Checks of single values, and the errors about them.

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::whole::Whole;
use crate::notification::message::parse_sender;

/// The reason why a file cannot be used; completes "The configuration file … ".
pub(super) type Reason = String;

pub(super) fn invalid_value(key: &str, expected: &str) -> Reason {
    format!("has an invalid value in the key '{key}': {expected}")
}

/// Paths in the file are relative to the file; a default is in the data directory.
pub(super) struct Paths<'a> {
    pub data: &'a Path,
    pub beside: Option<&'a Path>,
}

impl Paths<'_> {
    pub fn take(&self, key: &str, given: Option<&str>, default: &str) -> Result<PathBuf, Reason> {
        let Some(given) = given else {
            return Ok(self.data.join(default));
        };
        check_plain_text(key, given)?;
        Ok(self.beside.unwrap_or(self.data).join(given))
    }
}

/// Refuses text that is blank or has control characters.
pub(super) fn check_plain_text(key: &str, value: &str) -> Result<(), Reason> {
    if value.trim().is_empty() {
        return Err(invalid_value(key, "it is empty"));
    }
    if value.chars().any(char::is_control) {
        return Err(invalid_value(key, "it contains a control character"));
    }
    Ok(())
}

/// The timeout of one operation on the directory.
pub(super) fn timeout(given: Option<Whole<1, 600>>, default: u32) -> Duration {
    Duration::from_secs(given.map_or(default, |seconds| seconds.0).into())
}

pub(super) fn refuse_foreign(section: &str, key: &str, given: bool, kind: &str) -> Result<(), Reason> {
    if given {
        return Err(format!(
            "has the key '{section}.{key}', which is not valid when '{section}.type' is '{kind}'"
        ));
    }
    Ok(())
}

pub(super) fn sender(from: String) -> Result<String, Reason> {
    if parse_sender(&from).is_none() {
        return Err(invalid_value(
            "notification.from",
            "expected one sender such as Unified Messaging <um@contoso.com>",
        ));
    }
    Ok(from.trim().to_owned())
}

/// Refuses text that is not plain or too long.
pub(super) fn check_length(key: &str, value: &str, longest: usize) -> Result<(), Reason> {
    check_plain_text(key, value)?;
    if value.chars().count() > longest {
        return Err(invalid_value(key, &format!("it is longer than {longest} characters")));
    }
    Ok(())
}
