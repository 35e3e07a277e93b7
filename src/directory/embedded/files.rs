//! Making the store's files: for their owner only, or for the one group that shares the store.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::Path;

use super::error::io as failed;
#[cfg(unix)]
use crate::platform::group::ServiceGroup;
use crate::platform::{self, volume::network_file_system};
use crate::{Error, ErrorCode, Result};

/// Makes a directory and its parents where they are missing; only what it makes gets the private mode.
pub(super) fn create_directory(path: &Path, group: Option<&str>) -> Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    if let Some(parent) = path.parent() {
        create_directory(parent, None)?;
    }
    let mut builder = fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    match builder.create(path) {
        Ok(()) => {}
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => return Ok(()),
        Err(e) => return Err(failed(e, "create the directory", path)),
    }
    // The sticky group makes SQLite's own files belong to the service group too.
    share(path, group, 0o2770)
}

/// Makes an empty file that must not exist.
pub(super) fn create_file(path: &Path, group: Option<&str>) -> Result<()> {
    platform::files::create_private(path).map_err(|e| failed(e, "create", path))?;
    share(path, group, 0o660)
}

/// Opens a lock file, making it where it is missing; none where it neither exists nor can be made.
pub(super) fn open_lock(path: &Path, group: Option<&str>, like: &Path) -> Result<Option<File>> {
    match private_options().create_new(true).open(path) {
        Ok(file) => {
            share(path, group, 0o660)?;
            match_mode(path, like);
            return Ok(Some(file));
        }
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {}
        Err(e) if unwritable(&e) => {}
        Err(e) => return Err(failed(e, "create", path)),
    }
    // A descriptor that may only read is enough for `flock`.
    match private_options().open(path).or_else(|_| File::open(path)) {
        Ok(file) => Ok(Some(file)),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(failed(e, "open", path)),
    }
}

fn unwritable(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem
    )
}

fn private_options() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// Whoever may open the store must be able to lock it: the lock files follow the store's mode and owner.
#[cfg(unix)]
fn match_mode(path: &Path, like: &Path) {
    use std::os::unix::fs::{MetadataExt, PermissionsExt, chown};
    if let Ok(store) = fs::metadata(like) {
        let _ = chown(path, Some(store.uid()), Some(store.gid())).or_else(|_| chown(path, None, Some(store.gid())));
        let _ = fs::set_permissions(path, fs::Permissions::from_mode(store.mode() & 0o666));
    }
}

#[cfg(not(unix))]
fn match_mode(_path: &Path, _like: &Path) {}

#[cfg(unix)]
fn share(path: &Path, group: Option<&str>, mode: u32) -> Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let Some(name) = group else { return Ok(()) };
    let gid = ServiceGroup::find(name).ok().flatten().map(|g| g.gid).ok_or_else(|| {
        Error::new(
            ErrorCode::ConfigurationInvalid,
            format!("There is no group '{name}' on this computer."),
        )
    })?;
    std::os::unix::fs::chown(path, None, Some(gid))
        .and_then(|()| fs::set_permissions(path, fs::Permissions::from_mode(mode)))
        .map_err(|e| failed(e, "give to its group", path))
}

/// Windows: files inherit the access list of their directory.
#[cfg(not(unix))]
fn share(_path: &Path, _group: Option<&str>, _mode: u32) -> Result<()> {
    Ok(())
}

/// Makes a new or renamed entry of the directory durable.
pub(super) fn sync_directory(path: &Path) -> Result<()> {
    platform::files::sync_directory(path).map_err(|e| failed(e, "make durable", path))
}

/// Locks and shared memory do not work between the clients of a network file system.
pub(super) fn refuse_network(directory: &Path) -> Result<()> {
    let found = network_file_system(directory).map_err(|e| failed(e, "examine", directory))?;
    match found {
        None => Ok(()),
        Some(kind) => Err(Error::new(
            ErrorCode::ConfigurationInvalid,
            format!("'{}' is on a network file system ({kind}).", directory.display()),
        )
        .action("Put the embedded directory on a local disk, or use Active Directory for several computers.")),
    }
}
