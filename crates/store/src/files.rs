//! Making the store's files: for their owner only, or for the one group that shares the store.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::Path;

use super::error::io as failed;
use umpin_core::{Error, ErrorCode, Result};
use umpin_platform::access::{TrustedOwners, owner_for_new_files, set_owner};
use umpin_platform::files::GroupAccess;
use umpin_platform::group::ServiceGroup;
use umpin_platform::{self, volume::network_file_system};

/// Makes a directory and its parents where they are missing; only what it makes, or was made for it, gets the private mode.
pub(super) fn create_directory(path: &Path, group: Option<&str>) -> Result<()> {
    let group = find_group(group)?;
    let group = group.as_ref().map(|group| (group, GroupAccess::Write));
    umpin_platform::files::create_private_directory(path, group).map_err(|e| failed(e, "create the directory", path))
}

/// Makes an empty file that must not exist. Made by root, it belongs to the account of the store.
pub(super) fn create_file(path: &Path, group: Option<&str>) -> Result<()> {
    let account = owner_for_new_files(path);
    let file = umpin_platform::files::create_private(path).map_err(|e| failed(e, "create", path))?;
    set_owner(&file, account).map_err(|e| failed(e, "give to its account", path))?;
    share(path, group, 0o660)
}

/// Opens a lock file, making it where it is missing. Inside: the system's reason, where it neither exists nor can be made.
pub(super) fn open_lock(path: &Path, group: Option<&str>, like: &Path) -> Result<io::Result<File>> {
    let refused = match private_options().create_new(true).open(path) {
        Ok(file) => {
            set_owner(&file, owner_for_new_files(like)).map_err(|e| failed(e, "give to its account", path))?;
            share(path, group, 0o660)?;
            match_mode(path, like);
            return Ok(Ok(file));
        }
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists || unwritable(&e) => e,
        Err(e) => return Err(failed(e, "create", path)),
    };
    // A descriptor that may only read is enough for `flock`.
    match private_options().open(path).or_else(|_| File::open(path)) {
        Ok(file) => Ok(Ok(file)),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(Err(refused)),
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
    let Some(group) = find_group(group)? else {
        return Ok(());
    };
    std::os::unix::fs::chown(path, None, Some(group.gid))
        .and_then(|()| fs::set_permissions(path, fs::Permissions::from_mode(mode)))
        .map_err(|e| failed(e, "give to its group", path))
}

fn find_group(name: Option<&str>) -> Result<Option<ServiceGroup>> {
    let Some(name) = name else { return Ok(None) };
    match ServiceGroup::find(name) {
        Ok(Some(group)) => Ok(Some(group)),
        Ok(None) => Err(Error::new(
            ErrorCode::ConfigurationInvalid,
            format!(
                "The key 'serviceGroup' of the configuration names the group '{name}', which this computer does not have."
            ),
        )),
        Err(e) => Err(Error::new(
            ErrorCode::ConfigurationInvalid,
            format!("The key 'serviceGroup' of the configuration names the group '{name}', which cannot be used: {e}."),
        )
        .caused_by(e)),
    }
}

/// What to do about a folder.
const FOLDER_ACTION: &str = "Give the folder to the account that owns the store, and let nobody else write in it (chmod 700, or 2770 with \
     serviceGroup); then check the audit log with Get-UMPinAudit.";

/// A store that others can alter or exchange is not used: they could put older records back, or a journal beside it that SQLite
/// carries out.
///
/// # Errors
/// `StoreExposed`, which names the file or folder and why.
pub(super) fn refuse_exposed(store: &Path, group: Option<&str>) -> Result<()> {
    let owners = owners(store, group);
    let found = fs::metadata(store).map_err(|e| failed(e, "open the directory", store))?;
    if let Some(why) = owners
        .untrusted_owner(&found)
        .or_else(|| owners.untrusted_writers(&found))
    {
        return Err(exposed(store, &why).action(
            "Give the file to the account that owns its folder, and let nobody else write to it; then check the audit log with \
             Get-UMPinAudit.",
        ));
    }
    // What SQLite keeps beside it is part of it.
    for suffix in ["-wal", "-shm", "-journal"] {
        let mut beside = store.to_owned().into_os_string();
        beside.push(suffix);
        if let Ok(found) = fs::metadata(&beside)
            && let Some(why) = owners
                .untrusted_owner(&found)
                .or_else(|| owners.untrusted_writers(&found))
        {
            let why = format!("of '{}' beside it, {why}", Path::new(&beside).display());
            return Err(exposed(store, &why).action(FOLDER_ACTION));
        }
    }
    refuse_open_folder(store, group)
}

/// The same for a store that is to be made.
///
/// # Errors
/// `StoreExposed`.
pub(super) fn refuse_open_folder(store: &Path, group: Option<&str>) -> Result<()> {
    match owners(store, group).folder_allows_creating(store.parent().unwrap_or(Path::new("/"))) {
        Some(why) => Err(exposed(store, &why).action(FOLDER_ACTION)),
        None => Ok(()),
    }
}

fn owners(store: &Path, group: Option<&str>) -> TrustedOwners {
    // A group that is not there is told by whoever needs it.
    TrustedOwners::of(Some(store), find_group(group).ok().flatten())
}

fn exposed(store: &Path, why: &str) -> Error {
    Error::new(
        ErrorCode::StoreExposed,
        format!("The directory '{}' cannot be used: {why}.", store.display()),
    )
    .detail("path", store.display().to_string())
}

/// Windows: files inherit the access list of their directory.
#[cfg(not(unix))]
fn share(_path: &Path, _group: Option<&str>, _mode: u32) -> Result<()> {
    Ok(())
}

/// Makes a new or renamed entry of the directory durable.
pub(super) fn sync_directory(path: &Path) -> Result<()> {
    umpin_platform::files::sync_directory(path).map_err(|e| failed(e, "make durable", path))
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
