//! Owner and mode of every file and folder that the configuration names, each with what is above it.

use std::fs;
use std::path::{Path, PathBuf};

use super::Checks;
use crate::check::{Check, Subject};
use crate::service::Warning;
use umpin_platform::access::{self, TrustedOwners};
use umpin_platform::files::exposure;
use umpin_platform::group::ServiceGroup;

/// What a file is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileRole {
    /// The configuration file.
    Configuration,
    /// A key file; the active one comes first.
    Key,
    /// The store, or what this host keeps for a remote directory.
    Store,
    /// A password of a controller or relay.
    Password,
    /// Authorities to trust.
    Authorities,
    /// Where messages are left.
    PickupFolder,
}

impl FileRole {
    const fn what(self) -> &'static str {
        match self {
            Self::Configuration => "configuration file",
            Self::Key => "key file",
            Self::Store => "store",
            Self::Password => "password file",
            Self::Authorities => "file of authorities",
            Self::PickupFolder => "pickup folder",
        }
    }
}

/// A file or folder that the configuration names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UsedFile {
    /// What it is for.
    pub role: FileRole,
    /// Where it is.
    pub path: PathBuf,
}

/// What belongs together on this computer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Installation {
    /// The configuration file; none: the defaults hold.
    pub configuration: Option<PathBuf>,
    /// Everything that it names.
    pub files: Vec<UsedFile>,
    /// The service group.
    pub group: Option<String>,
}

impl Installation {
    /// The first file of that role.
    #[must_use]
    pub fn file(&self, role: FileRole) -> Option<&UsedFile> {
        self.files.iter().find(|file| file.role == role)
    }

    fn owners(&self) -> TrustedOwners {
        let group = self
            .group
            .as_deref()
            .and_then(|name| ServiceGroup::find(name).ok().flatten());
        TrustedOwners::of(self.file(FileRole::Store).map(|store| store.path.as_path()), group)
    }
}

impl Checks {
    pub(super) fn file_checks(&self) -> Vec<Check> {
        let Some(installation) = &self.installation else {
            return Vec::new();
        };
        let owners = installation.owners();
        let mut checks = Vec::new();
        if let Some(name) = &installation.group
            && owners.group().is_none()
        {
            checks.push(Check::failing(
                Subject::Files,
                name,
                format!("The group '{name}', which 'serviceGroup' names, cannot be found."),
                "Make the group, or correct 'serviceGroup' in the configuration.",
            ));
        }
        checks.extend(installation.files.iter().map(|file| check(file, &owners)));
        checks
    }

    /// What is wrong with the folders above store and keys. Commands go on: whoever owns these folders could put others in their
    /// place, and is often the one who set this up.
    pub(in crate::service) fn exposed_parents(&self) -> Vec<Warning> {
        let Some(installation) = &self.installation else {
            return Vec::new();
        };
        let owners = installation.owners();
        let mut told: Vec<String> = Vec::new();
        for file in &installation.files {
            if matches!(file.role, FileRole::Key | FileRole::Store)
                && let Some(folder) = file.path.parent()
            {
                for fault in owners.untrusted_ancestors(folder) {
                    if !told.contains(&fault) {
                        told.push(fault);
                    }
                }
            }
        }
        told.into_iter()
            .map(|fault| {
                Warning::new(
                    "FolderExposed",
                    format!("{fault}: store and key could be exchanged for others."),
                )
                .action("Let nobody else write in the folders above the store and the key.")
            })
            .collect()
    }
}

/// One file or folder; the first fault that commands would be stopped by, else what should be better.
fn check(file: &UsedFile, owners: &TrustedOwners) -> Check {
    let target = file.path.display().to_string();
    let what = file.role.what();
    let metadata = match fs::metadata(&file.path) {
        Ok(metadata) => metadata,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
            return Check::skipped(Subject::Files, target, format!("The {what} does not exist yet."));
        }
        Err(e) => {
            return Check::failing(
                Subject::Files,
                target,
                format!("The {what} cannot be looked at: {e}."),
                "Let this account look at the file and pass through its folders.",
            );
        }
    };
    if !access::HAS_OWNERS_AND_MODES {
        return Check::skipped(
            Subject::Files,
            target,
            format!(
                "Who may use the {what} is not looked at on this system: see the access list of its folder (Get-Acl)."
            ),
        );
    }
    let is_folder = file.role == FileRole::PickupFolder;
    let folder = file.path.parent().unwrap_or(Path::new("/"));
    let own_mode = if is_secret(file.role) {
        exposure(&metadata, owners.group())
    } else {
        owners.untrusted_writers(&metadata)
    };
    let is_refused = match file.role {
        FileRole::Key | FileRole::Store | FileRole::PickupFolder => true,
        FileRole::Password => own_mode.is_some(),
        FileRole::Configuration | FileRole::Authorities => false,
    };
    let around = || match file.role {
        // Others may use the folder in which it is.
        FileRole::PickupFolder => None,
        FileRole::Store => owners.folder_allows_creating(folder),
        _ => owners.folder_allows_replacing(folder),
    };
    if let Some(why) = own_mode.or_else(|| owners.untrusted_owner(&metadata)).or_else(around) {
        let message = format!("The {what} is open to others: {why}.");
        let action = action(file.role, owners);
        return if is_refused {
            Check::failing(Subject::Files, target, message, action)
        } else {
            Check::warning(Subject::Files, target, message, action)
        };
    }
    let weakness = if is_folder || file.role == FileRole::Store {
        owners.missing_group_access(if is_folder { &file.path } else { folder })
    } else {
        None
    };
    let weakness = weakness
        .or_else(|| (file.role == FileRole::Store).then(|| readable(&metadata)).flatten())
        .or_else(|| owners.untrusted_ancestors(folder).into_iter().next());
    match weakness {
        Some(why) => Check::warning(
            Subject::Files,
            target,
            format!("The {what} can be used, but: {why}."),
            action(file.role, owners),
        ),
        None => Check::passed(
            Subject::Files,
            target,
            format!("The {what} {}.", access::describe(&metadata)),
        ),
    }
}

const fn is_secret(role: FileRole) -> bool {
    matches!(role, FileRole::Key | FileRole::Password)
}

#[cfg(unix)]
fn readable(metadata: &fs::Metadata) -> Option<String> {
    use std::os::unix::fs::MetadataExt as _;
    let mode = metadata.mode() & 0o7777;
    (mode & 0o004 != 0).then(|| format!("everybody can read addresses and the audit log in it (mode {mode:04o})"))
}

#[cfg(not(unix))]
fn readable(_: &fs::Metadata) -> Option<String> {
    None
}

fn action(role: FileRole, owners: &TrustedOwners) -> String {
    let modes = match (role, owners.group().is_some()) {
        (FileRole::Key | FileRole::Password, false) => "mode 0600 for the file, 0700 for its folder",
        (FileRole::Key | FileRole::Password, true) => {
            "mode 0640 and the service group for the file, 2770 for its folder"
        }
        (FileRole::Store, false) => "mode 0600 for the file, 0700 for its folder",
        (FileRole::Store, true) => "mode 0660 and the service group for the file, 2770 for its folder",
        (FileRole::PickupFolder, false) => "mode 0700",
        (FileRole::PickupFolder, true) => "mode 2770 and the service group",
        (FileRole::Configuration | FileRole::Authorities, _) => "mode 0644 at most for the file, 0755 for its folder",
    };
    format!("Give it to the account that owns the store, or to root, and let nobody else write there: {modes}.")
}
