//! `passwordFile` and `passwordVariable`.

use super::value::{Paths, Reason, invalid_value};
use super::variables::{PREFIX, Variables};
use crate::password::Password;

const MAX_NAME_LENGTH: usize = 128;

/// The password of `section`, if it has one; `example` is an example of the name of its variable.
pub(super) fn password(
    section: &str,
    example: &str,
    file: Option<&str>,
    variable: Option<String>,
    paths: &Paths<'_>,
    variables: &Variables,
) -> Result<Option<Password>, Reason> {
    match (file, variable) {
        (Some(_), Some(_)) => Err(format!(
            "has both '{section}.passwordFile' and '{section}.passwordVariable'"
        )),
        (Some(path), None) => {
            let path = paths.take(&format!("{section}.passwordFile"), Some(path), "")?;
            Ok(Some(Password::File(path)))
        }
        (None, Some(name)) => {
            if !is_name(&name) {
                // The value may be the password itself, so the message does not have it.
                return Err(invalid_value(
                    &format!("{section}.passwordVariable"),
                    &format!("expected the name of an environment variable such as {example}"),
                ));
            }
            let value = variables.get(&name);
            Ok(Some(Password::Variable { name, value }))
        }
        (None, None) => Ok(None),
    }
}

fn is_name(name: &str) -> bool {
    name.len() <= MAX_NAME_LENGTH
        && name.strip_prefix(PREFIX).is_some_and(|rest| {
            !rest.is_empty()
                && rest
                    .bytes()
                    .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_')
        })
}
