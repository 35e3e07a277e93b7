//! The account of this process, and its write access.

use std::io;
use std::path::Path;

/// The account's name, or its uid if it has no name.
#[must_use]
pub fn name() -> String {
    system::name()
}

/// Checks, without writing, that a file can be written or files can be created in a folder.
///
/// # Errors
/// Why it cannot.
pub fn may_write(path: &Path) -> io::Result<()> {
    system::may_write(path)
}

#[cfg(unix)]
mod system {
    use std::io;
    use std::path::Path;

    use nix::fcntl::{AT_FDCWD, AtFlags};
    use nix::unistd::{AccessFlags, User, faccessat, geteuid};

    pub(super) fn name() -> String {
        let uid = geteuid();
        match User::from_uid(uid) {
            Ok(Some(user)) => user.name,
            _ => uid.to_string(),
        }
    }

    pub(super) fn may_write(path: &Path) -> io::Result<()> {
        let mut access = AccessFlags::W_OK;
        if path.is_dir() {
            access |= AccessFlags::X_OK;
        }
        faccessat(AT_FDCWD, path, access, AtFlags::AT_EACCESS).map_err(io::Error::from)
    }
}

/// Windows evaluates ACLs on access; only the read-only attribute is checked here.
#[cfg(not(unix))]
mod system {
    use std::fs;
    use std::io;
    use std::path::Path;

    pub fn name() -> String {
        // On Windows this is the process's real environment.
        std::env::var("USERNAME").unwrap_or_else(|_| "this account".to_owned())
    }

    pub fn may_write(path: &Path) -> io::Result<()> {
        let metadata = fs::metadata(path)?;
        if metadata.is_file() && metadata.permissions().readonly() {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        Ok(())
    }
}
