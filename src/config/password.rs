//! `passwordFile` or `passwordVariable`, wherever an account is.

use super::resolve::{Fault, Paths, wrong};
use super::variables::{PREFIX, Variables};
use crate::password::Password;

const LONGEST_NAME: usize = 128;

/// The password of `section`, where it has one; `example` is a name that its variable could have.
pub(super) fn password(
    section: &str,
    example: &str,
    file: Option<&str>,
    variable: Option<String>,
    paths: &Paths<'_>,
    variables: &Variables,
) -> Result<Option<Password>, Fault> {
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
                // What stands there instead may be the password itself.
                return Err(wrong(
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
    name.len() <= LONGEST_NAME
        && name.strip_prefix(PREFIX).is_some_and(|rest| {
            !rest.is_empty()
                && rest
                    .bytes()
                    .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_')
        })
}
