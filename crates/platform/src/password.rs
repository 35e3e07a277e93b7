//! Loads passwords for other servers from a file or an environment variable.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::files;
use crate::group::ServiceGroup;
use crate::secret::Secret;

/// Longer than any server accepts.
const MAX_LENGTH: usize = 1024;

/// The source of a password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Password {
    /// A private file. It is read for each connection, so that a changed password is used at once.
    File(PathBuf),
    /// An environment variable.
    Variable {
        /// Its name.
        name: String,
        /// Its value, passed by the caller; `None` if it is not set.
        value: Option<Secret>,
    },
}

/// The password, or a sentence that says why it cannot be loaded.
pub fn load(password: &Password, group: Option<&str>) -> Result<Secret, String> {
    match password {
        Password::Variable { name, value } => match value {
            Some(value) => validated(value.expose()).map_err(|why| format!("The environment variable '{name}' {why}")),
            None => Err(format!("The environment variable '{name}' is not set")),
        },
        Password::File(path) => {
            read(path, group).map_err(|why| format!("The password file '{}' {why}", path.display()))
        }
    }
}

fn read(path: &Path, group: Option<&str>) -> Result<Secret, String> {
    let unreadable = |e: std::io::Error| format!("cannot be read: {e}");
    let group = match group {
        Some(name) => ServiceGroup::find(name).map_err(|e| format!("cannot be checked for the group '{name}': {e}"))?,
        None => None,
    };
    let (file, metadata) = files::open_regular(path).map_err(unreadable)?;
    if let Some(exposure) = files::exposure(&metadata, group.as_ref()) {
        return Err(format!("is not used, because {exposure}"));
    }
    let mut bytes = Zeroizing::new(Vec::with_capacity(MAX_LENGTH + 8));
    file.take(MAX_LENGTH as u64 + 8)
        .read_to_end(&mut bytes)
        .map_err(unreadable)?;
    let text = std::str::from_utf8(&bytes).map_err(|_| "does not hold UTF-8 text".to_owned())?;
    // Editors and Windows PowerShell write a BOM and a final line break.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let text = text.strip_suffix('\n').unwrap_or(text);
    validated(text.strip_suffix('\r').unwrap_or(text))
}

fn validated(text: &str) -> Result<Secret, String> {
    if text.is_empty() {
        return Err("is empty".to_owned());
    }
    if text.len() > MAX_LENGTH {
        return Err(format!("is longer than {MAX_LENGTH} bytes"));
    }
    if text.chars().any(|c| matches!(c, '\0' | '\r' | '\n')) {
        return Err("holds more than one line".to_owned());
    }
    Ok(Secret::new(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn file(content: &[u8]) -> Result<String, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("password");
        files::write_atomically(&path, content, None).unwrap();
        load(&Password::File(path), None).map(|secret| secret.expose().to_owned())
    }

    #[test]
    fn one_line_is_the_password() {
        for content in ["um pass", "um pass\n", "um pass\r\n", "\u{feff}um pass\r\n"] {
            assert_eq!(file(content.as_bytes()).unwrap(), "um pass");
        }
        for (content, why) in [
            (&b""[..], "is empty"),
            (b"\n", "is empty"),
            (b"one-secret\ntwo\n", "more than one line"),
            (b"\xff\xfeu\0", "UTF-8"),
            (&[b'x'; 2000], "longer than"),
        ] {
            let error = file(content).unwrap_err();
            assert!(error.contains(why) && !error.contains("one-secret"), "{error}");
        }
    }

    #[test]
    fn a_variable_must_be_set() {
        let variable = |value: Option<&str>| {
            let value = value.map(|value| Secret::new(value.to_owned()));
            load(
                &Password::Variable {
                    name: "UMPIN_RELAY".to_owned(),
                    value,
                },
                None,
            )
        };
        assert_eq!(variable(Some("um-pass")).unwrap().expose(), "um-pass");
        assert_eq!(
            variable(None).unwrap_err(),
            "The environment variable 'UMPIN_RELAY' is not set"
        );
        assert!(variable(Some("")).unwrap_err().contains("is empty"));
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_others_can_read_is_refused() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("password");
        fs::write(&path, "um-pass").unwrap();
        for (mode, taken) in [(0o600, true), (0o400, true), (0o640, false), (0o604, false)] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            let loaded = load(&Password::File(path.clone()), None);
            assert_eq!(loaded.is_ok(), taken, "{mode:o}");
            if let Err(why) = loaded {
                assert!(why.contains("lets") && why.contains("password"), "{why}");
            }
        }
        let missing = load(&Password::File(folder.path().join("none")), None).unwrap_err();
        assert!(missing.contains("cannot be read"), "{missing}");
    }
}
