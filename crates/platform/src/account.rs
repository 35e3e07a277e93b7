//! The account that this process runs as, and what the operating system lets it do.

use std::io;
use std::path::Path;

/// Its name, or number where it has none.
#[must_use]
pub fn name() -> String {
    system::name()
}

/// Whether a file could be written, or files be made in a folder, asked without writing.
///
/// # Errors
/// The operating system's reason.
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

/// Windows decides by access lists when something is written; only the attribute is asked for.
#[cfg(not(unix))]
mod system {
    use std::fs;
    use std::io;
    use std::path::Path;

    pub fn name() -> String {
        // The process's real environment there.
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
