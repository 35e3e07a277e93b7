//! A pickup directory: messages are written as `.eml` files, which a mail system or an administrator collects.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use time::OffsetDateTime;
use time::macros::format_description;

use umpin_core::check::{Check, Subject};
use umpin_core::clock::Timestamp;
use umpin_core::notification::{DeliveryError, Notifier, OutgoingMessage, unavailable};
use umpin_core::{Error, Result};
use umpin_platform::access::{TrustedOwners, owner_for_new_files, set_owner};
use umpin_platform::account::may_write;
use umpin_platform::files::sync_directory;
use umpin_platform::group::ServiceGroup;

/// Delivers to a directory. Messages contain PINs, so files and directory are accessible to their owner (and one group) only; on Windows
/// they inherit the permissions of the parent folder, by default the user's profile.
#[derive(Debug)]
pub struct PickupNotifier {
    directory: PathBuf,
    from: String,
    group: Option<String>,
    store: Option<PathBuf>,
}

impl PickupNotifier {
    /// Creates nothing: the first delivery creates the directory.
    #[must_use]
    pub fn new(directory: PathBuf, from: String, group: Option<String>) -> Self {
        Self {
            directory,
            from,
            group,
            store: None,
        }
    }

    /// Names the store, whose owner may own the directory and gets the files that root creates there.
    #[must_use]
    pub fn beside(mut self, store: PathBuf) -> Self {
        self.store = Some(store);
        self
    }

    /// The file name of a message, from time and id. The same message delivered twice is one file.
    #[must_use]
    pub fn file_name(created: Timestamp, id: [u8; 16]) -> String {
        let format = format_description!("[year][month][day]T[hour][minute][second].[subsecond digits:3]Z");
        let time = OffsetDateTime::from_unix_timestamp_nanos(i128::from(created.0) * 1_000_000)
            .ok()
            .and_then(|time| time.format(format).ok())
            .unwrap_or_else(|| format!("{:020}", created.0));
        format!("{time}-{:032x}.eml", u128::from_be_bytes(id))
    }

    fn unusable(&self, what: &str) -> Error {
        unavailable(
            &format!("The pickup directory '{}' {what}", self.directory.display()),
            "Correct notification.directory in the configuration, or make that directory writable.",
        )
    }

    fn exposed(&self, why: &str) -> Error {
        unavailable(
            &format!(
                "The pickup directory '{}' cannot be used: {why}",
                self.directory.display()
            ),
            "Give the pickup directory to the account that owns the store, and let no other account write in it; a mail system's account \
             becomes a member of 'serviceGroup'.",
        )
    }

    /// Creates the directory if it is missing, but not its parent: an unmounted volume must not be taken for an empty one.
    fn ensure_directory(&self, group: Option<&ServiceGroup>) -> io::Result<()> {
        match fs::symlink_metadata(&self.directory) {
            Ok(found) if found.is_dir() => return Ok(()),
            Ok(_) => return Err(ErrorKind::NotADirectory.into()),
            Err(e) if e.kind() == ErrorKind::NotFound => {}
            Err(e) => return Err(e),
        }
        let mut builder = DirBuilder::new();
        #[cfg(unix)]
        {
            use std::os::unix::fs::DirBuilderExt as _;
            builder.mode(0o700);
        }
        match builder.create(&self.directory) {
            Ok(()) => {}
            // Another process created it and sets the permissions.
            Err(e) if e.kind() == ErrorKind::AlreadyExists => return Ok(()),
            Err(e) => return Err(e),
        }
        #[cfg(unix)]
        {
            let made = File::open(&self.directory)?;
            set_owner(&made, self.account())?;
            share(&made, group, 0o2770)?;
        }
        match self.directory.parent() {
            Some(parent) => sync_directory(parent),
            None => Ok(()),
        }
    }

    fn write(&self, message: &OutgoingMessage) -> io::Result<()> {
        let group = self.find_group()?;
        self.ensure_directory(group.as_ref())?;
        if let Some(why) = self.exposure(group.clone()) {
            return Err(io::Error::new(ErrorKind::PermissionDenied, why));
        }
        let name = Self::file_name(message.created, message.id);
        let temporary = self.temporary(&name);
        let mut file = open_locked(&temporary)?;
        let named = (|| {
            set_owner(&file, self.account())?;
            share(&file, group.as_ref(), 0o640)?;
            file.set_len(0)?;
            file.write_all(&message.content)?;
            file.sync_all()?;
            fs::rename(&temporary, self.directory.join(&name))
        })();
        if let Err(e) = named {
            // A partial message may contain the PIN.
            let _ = file.set_len(0);
            let _ = fs::remove_file(&temporary);
            return Err(e);
        }
        sync_directory(&self.directory)
    }

    fn account(&self) -> Option<u32> {
        self.store.as_deref().and_then(owner_for_new_files)
    }

    /// Why the directory is not used: other accounts could remove or replace messages.
    fn exposure(&self, group: Option<ServiceGroup>) -> Option<String> {
        TrustedOwners::of(self.store.as_deref(), group).untrusted_directory(&self.directory)
    }

    /// One temporary name per message, so that a retry overwrites what a crash left behind.
    fn temporary(&self, name: &str) -> PathBuf {
        self.directory.join(format!(".{name}.tmp"))
    }

    fn find_group(&self) -> io::Result<Option<ServiceGroup>> {
        let Some(name) = &self.group else {
            return Ok(None);
        };
        match ServiceGroup::find(name)? {
            Some(group) => Ok(Some(group)),
            None => Err(io::Error::other(format!("the group '{name}' does not exist"))),
        }
    }
}

impl Notifier for PickupNotifier {
    fn check(&self) -> Result<()> {
        let refused = |e: &io::Error| self.unusable(&format!("cannot be used: {e}"));
        let group = self.find_group().map_err(|e| refused(&e))?;
        match fs::symlink_metadata(&self.directory) {
            Ok(found) if found.is_symlink() => Err(self.unusable("is a symbolic link")),
            Ok(found) if !found.is_dir() => Err(self.unusable("is not a directory")),
            Ok(_) => {
                if let Some(why) = self.exposure(group) {
                    return Err(self.exposed(&why));
                }
                may_write(&self.directory).map_err(|e| self.unusable(&format!("cannot be written: {e}")))
            }
            Err(e) if e.kind() == ErrorKind::NotFound => {
                let parent = self.directory.parent().unwrap_or(Path::new("/"));
                match fs::metadata(parent) {
                    Ok(found) if found.is_dir() => {}
                    Ok(_) => {
                        return Err(self.unusable("cannot be made: its parent is not a directory"));
                    }
                    Err(e) => {
                        return Err(self.unusable(&format!("and its parent cannot be reached: {e}")));
                    }
                }
                may_write(parent).map_err(|e| self.unusable(&format!("does not exist and cannot be made: {e}")))
            }
            Err(e) => Err(refused(&e)),
        }
    }

    fn folder(&self) -> Option<&Path> {
        Some(&self.directory)
    }

    fn deliver(&self, message: &OutgoingMessage) -> Result<(), DeliveryError> {
        self.write(message).map_err(|e| {
            let text = format!(
                "The message could not be written to the pickup directory '{}': {e}",
                self.directory.display()
            );
            if is_permanent(&e) {
                DeliveryError::Permanent(text)
            } else {
                DeliveryError::Temporary(text)
            }
        })
    }

    fn withdraw(&self, created: Timestamp, id: [u8; 16]) {
        // Usually there is none. A file that cannot be removed is private, and its PIN is not in force.
        let _ = fs::remove_file(self.temporary(&Self::file_name(created, id)));
    }

    fn may_block(&self) -> bool {
        false
    }

    fn examine(&self, _: Timestamp) -> Vec<Check> {
        let target = self.directory.display().to_string();
        vec![match (self.check(), self.uncollected().unwrap_or(0)) {
            (Err(error), _) => Check::failed(Subject::PickupFolder, target, &error),
            (Ok(()), 0) => Check::passed(
                Subject::PickupFolder,
                target,
                "Messages can be written to the pickup folder, and none is waiting there.",
            ),
            (Ok(()), count) => Check::warning(
                Subject::PickupFolder,
                target,
                format!(
                    "Messages can be written to the pickup folder; {count} are waiting there, which no mail system has collected."
                ),
                "Let a mail system collect the pickup folder, or configure a relay ('notification.type' \"smtp\").",
            ),
        }]
    }

    fn uncollected(&self) -> Option<usize> {
        let entries = match fs::read_dir(&self.directory) {
            Ok(entries) => entries,
            Err(e) if e.kind() == ErrorKind::NotFound => return Some(0),
            Err(_) => return None,
        };
        let messages = entries.filter_map(io::Result::ok).filter(|entry| {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            !name.starts_with('.') && name.ends_with(".eml")
        });
        Some(messages.count())
    }

    fn from(&self) -> &str {
        &self.from
    }
}

/// Errors that an administrator must correct. A full disk, a busy file or a missing volume may be temporary.
fn is_permanent(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::PermissionDenied
            | ErrorKind::ReadOnlyFilesystem
            | ErrorKind::NotADirectory
            | ErrorKind::IsADirectory
            | ErrorKind::InvalidFilename
            | ErrorKind::InvalidInput
            | ErrorKind::Unsupported
    ) || is_link_loop(error)
}

#[cfg(unix)]
fn is_link_loop(error: &io::Error) -> bool {
    error.raw_os_error() == Some(libc::ELOOP)
}

#[cfg(not(unix))]
fn is_link_loop(_: &io::Error) -> bool {
    false
}

/// Opens and locks the temporary file. If another process delivered the same message while this one waited for the lock, the locked
/// file is the delivered one and must not be written: it is opened again.
fn open_locked(path: &Path) -> io::Result<File> {
    // Each retry follows a delivery that another process completed.
    const TRIES: usize = 256;
    for _ in 0..TRIES {
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(false);
        #[cfg(unix)]
        {
            use std::os::unix::fs::OpenOptionsExt as _;
            options.mode(0o600).custom_flags(libc::O_NOFOLLOW);
        }
        let file = options.open(path)?;
        match file.lock() {
            Ok(()) => {}
            // Some network file systems have no locks; names are unique per message anyway.
            Err(e) if e.kind() == ErrorKind::Unsupported => return Ok(file),
            Err(e) => return Err(e),
        }
        if is_at(&file, path) {
            return Ok(file);
        }
    }
    Err(ErrorKind::ResourceBusy.into())
}

#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    match (file.metadata(), fs::symlink_metadata(path)) {
        (Ok(held), Ok(found)) => (held.dev(), held.ino()) == (found.dev(), found.ino()),
        _ => false,
    }
}

#[cfg(not(unix))]
fn is_at(_: &File, path: &Path) -> bool {
    path.exists()
}

/// Restricts a file or directory to its owner, or to owner and group.
#[cfg(unix)]
fn share(file: &File, group: Option<&ServiceGroup>, mode_with_group: u32) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    let mode = match group {
        Some(group) => {
            std::os::unix::fs::fchown(file, None, Some(group.gid))?;
            mode_with_group
        }
        None => mode_with_group & 0o700,
    };
    file.set_permissions(fs::Permissions::from_mode(mode))
}

#[cfg(not(unix))]
fn share(_: &File, _: Option<&ServiceGroup>, _: u32) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
#[path = "pickup_tests.rs"]
mod tests;
