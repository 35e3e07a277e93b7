//! Checks owners and modes of files and folders: which other accounts could change or replace them.
//!
//! Nothing is checked on Windows: access follows from ACLs, which files inherit from their folder.

use std::path::Path;

use super::group::ServiceGroup;

/// The accounts whose files and folders are trusted: root, this account, the service group's members and, if this is root or there is a
/// service group, the owner of the whole store.
#[derive(Clone, Debug, Default)]
#[cfg_attr(not(unix), allow(dead_code, reason = "nothing is checked there"))]
pub struct TrustedOwners {
    group: Option<ServiceGroup>,
    /// The owner of the store's folder and of the store.
    installation: Option<u32>,
}

impl TrustedOwners {
    /// For the files beside this store, which need not exist yet.
    #[must_use]
    pub fn of(store: Option<&Path>, group: Option<ServiceGroup>) -> Self {
        let installation = store.and_then(system::owner_of_store);
        let by_others = group.is_some() || system::is_root();
        Self {
            group,
            installation: installation.filter(|_| by_others),
        }
    }

    /// The service group.
    #[must_use]
    pub fn group(&self) -> Option<&ServiceGroup> {
        self.group.as_ref()
    }

    /// Why a file or folder is not used: its owner is not trusted. Completes "… cannot be used: ".
    #[must_use]
    pub fn untrusted_owner(&self, metadata: &std::fs::Metadata) -> Option<String> {
        system::untrusted_owner(self, metadata)
    }

    /// Why a file is not used: other accounts can write to it. Completes "… cannot be used: ".
    #[must_use]
    pub fn untrusted_writers(&self, metadata: &std::fs::Metadata) -> Option<String> {
        system::writers(self, metadata).map(|who| format!("{who} can write to it"))
    }

    /// Why a file in a folder is not used: other accounts can replace it there. Completes "… cannot be used: ".
    ///
    /// In a sticky folder such as `/tmp` they cannot replace a file of a trusted owner.
    #[must_use]
    pub fn folder_allows_replacing(&self, folder: &Path) -> Option<String> {
        system::folder_allows_replacing(self, folder)
    }

    /// Why the files in a folder are not used: other accounts can create files there, such as a journal of the store, or replace them.
    /// Completes "… cannot be used: ".
    #[must_use]
    pub fn folder_allows_creating(&self, folder: &Path) -> Option<String> {
        system::folder_allows_creating(self, folder)
    }

    /// Why a folder is not used: its owner is not trusted, or other accounts can replace files in it.
    #[must_use]
    pub fn untrusted_directory(&self, folder: &Path) -> Option<String> {
        system::untrusted_directory(self, folder)
    }

    /// The ancestors of a folder in which other accounts could replace it by renaming.
    #[must_use]
    pub fn untrusted_ancestors(&self, folder: &Path) -> Vec<String> {
        system::untrusted_ancestors(self, folder)
    }

    /// Why the members of the service group cannot use a folder.
    #[must_use]
    pub fn missing_group_access(&self, folder: &Path) -> Option<String> {
        system::missing_group_access(self, folder)
    }
}

/// The owner of the store, to whom root gives the files that it creates for it. `None`: new files stay this account's.
#[must_use]
pub fn owner_for_new_files(store: &Path) -> Option<u32> {
    system::owner_of_store(store).filter(|_| system::is_root())
}

/// The owner of a file, if it is not this account.
///
/// # Errors
/// If the metadata cannot be read.
pub fn account_of(file: &Path) -> std::io::Result<Option<u32>> {
    system::account_of(file)
}

/// Makes the account the owner of an open file or folder.
///
/// # Errors
/// If the owner cannot be changed.
pub fn set_owner(file: &std::fs::File, account: Option<u32>) -> std::io::Result<()> {
    system::set_owner(file, account)
}

/// Owner and mode, to complete "The store …".
#[must_use]
pub fn describe(metadata: &std::fs::Metadata) -> String {
    system::describe(metadata)
}

/// Whether this system has owners and modes.
pub const HAS_OWNERS_AND_MODES: bool = cfg!(unix);

#[cfg(unix)]
mod system {
    use std::fs::{self, File, Metadata};
    use std::io;
    use std::os::unix::fs::{MetadataExt as _, fchown};
    use std::path::Path;

    use nix::unistd::{Gid, Group, Uid, User, geteuid};

    use super::TrustedOwners;

    const STICKY: u32 = 0o1000;
    const GROUP_WRITES: u32 = 0o020;
    const ALL_WRITE: u32 = 0o002;

    pub(super) fn is_root() -> bool {
        geteuid().is_root()
    }

    /// The common owner of store and folder; a store that does not exist yet has the owner of its folder.
    pub(super) fn owner_of_store(store: &Path) -> Option<u32> {
        let folder = fs::metadata(folder_of(store)).ok()?.uid();
        match fs::metadata(store) {
            Ok(file) => (file.uid() == folder).then_some(folder),
            Err(_) => Some(folder),
        }
    }

    pub(super) fn account_of(file: &Path) -> io::Result<Option<u32>> {
        let uid = fs::metadata(file)?.uid();
        Ok((uid != geteuid().as_raw()).then_some(uid))
    }

    pub(super) fn set_owner(file: &File, account: Option<u32>) -> io::Result<()> {
        match account {
            Some(account) if account != geteuid().as_raw() => fchown(file, Some(account), None),
            _ => Ok(()),
        }
    }

    fn is_trusted(owners: &TrustedOwners, uid: u32) -> bool {
        uid == 0
            || uid == geteuid().as_raw()
            || owners.installation == Some(uid)
            || owners.group.as_ref().is_some_and(|group| group.has_member(uid))
    }

    pub(super) fn untrusted_owner(owners: &TrustedOwners, metadata: &Metadata) -> Option<String> {
        let uid = metadata.uid();
        (!is_trusted(owners, uid)).then(|| format!("it belongs to {}", account(uid)))
    }

    pub(super) fn folder_allows_replacing(owners: &TrustedOwners, folder: &Path) -> Option<String> {
        let is_sticky =
            fs::metadata(folder).is_ok_and(|found| found.mode() & STICKY != 0 && is_trusted(owners, found.uid()));
        if is_sticky {
            None
        } else {
            folder_allows_creating(owners, folder)
        }
    }

    pub(super) fn folder_allows_creating(owners: &TrustedOwners, folder: &Path) -> Option<String> {
        let why = open(owners, &fs::metadata(folder).ok()?)?;
        Some(format!("its folder '{}' {why}", folder.display()))
    }

    pub(super) fn untrusted_directory(owners: &TrustedOwners, folder: &Path) -> Option<String> {
        let why = open(owners, &fs::metadata(folder).ok()?)?;
        Some(format!("it {why}"))
    }

    fn open(owners: &TrustedOwners, folder: &Metadata) -> Option<String> {
        if !is_trusted(owners, folder.uid()) {
            return Some(format!("belongs to {}", account(folder.uid())));
        }
        writers(owners, folder).map(|who| format!("lets {who} write"))
    }

    pub(super) fn untrusted_ancestors(owners: &TrustedOwners, folder: &Path) -> Vec<String> {
        let Ok(folder) = fs::canonicalize(folder) else {
            return Vec::new();
        };
        let mut problems = Vec::new();
        for above in folder.ancestors().skip(1) {
            let Ok(metadata) = fs::metadata(above) else { continue };
            let name = above.display();
            if !is_trusted(owners, metadata.uid()) {
                problems.push(format!("The folder '{name}' belongs to {}", account(metadata.uid())));
            } else if metadata.mode() & STICKY == 0
                && let Some(who) = writers(owners, &metadata)
            {
                problems.push(format!("The folder '{name}' lets {who} write"));
            }
        }
        problems
    }

    pub(super) fn missing_group_access(owners: &TrustedOwners, folder: &Path) -> Option<String> {
        let group = owners.group.as_ref()?;
        let metadata = fs::metadata(folder).ok()?;
        let mode = metadata.mode() & 0o7777;
        let (name, group_name) = (folder.display(), &group.name);
        if metadata.gid() != group.gid {
            return Some(format!(
                "The folder '{name}' belongs to another group than '{group_name}'"
            ));
        }
        if mode & 0o070 != 0o070 {
            return Some(format!(
                "The folder '{name}' has the mode {mode:04o}, which does not let the group '{group_name}' in"
            ));
        }
        // Otherwise a member's new files belong to the member's primary group.
        if mode & 0o2000 == 0 {
            return Some(format!("The folder '{name}' lacks the setgid bit"));
        }
        let whole = fs::canonicalize(folder).ok()?;
        let shut = whole.ancestors().skip(1).find(|above| {
            fs::metadata(above).is_ok_and(|above| {
                let passes = if above.gid() == group.gid { 0o010 } else { 0o001 };
                above.mode() & passes == 0
            })
        })?;
        Some(format!(
            "The folder '{}' does not let the group '{group_name}' pass",
            shut.display()
        ))
    }

    /// The other accounts that may write.
    pub(super) fn writers(owners: &TrustedOwners, metadata: &Metadata) -> Option<String> {
        let mode = metadata.mode() & 0o7777;
        if mode & ALL_WRITE != 0 {
            return Some(format!("everybody (mode {mode:04o})"));
        }
        let gid = metadata.gid();
        let is_ours = || {
            gid == 0 || owners.group.as_ref().is_some_and(|group| group.gid == gid) || is_private(gid, metadata.uid())
        };
        (mode & GROUP_WRITES != 0 && !is_ours()).then(|| format!("the group {} (mode {mode:04o})", group_name(gid)))
    }

    /// Whether the group is the private group of the user, as many systems create one for each user.
    fn is_private(gid: u32, uid: u32) -> bool {
        let user = User::from_uid(Uid::from_raw(uid)).ok().flatten();
        let group = Group::from_gid(Gid::from_raw(gid)).ok().flatten();
        match (user, group) {
            (Some(user), Some(group)) => {
                user.gid == group.gid && user.name == group.name && group.mem.iter().all(|member| *member == user.name)
            }
            // Neither has a name, as in a container.
            (None, None) => uid == gid,
            _ => false,
        }
    }

    pub(super) fn describe(metadata: &Metadata) -> String {
        format!(
            "belongs to {} and has the mode {:04o}",
            account(metadata.uid()),
            metadata.mode() & 0o7777
        )
    }

    fn account(uid: u32) -> String {
        match User::from_uid(Uid::from_raw(uid)) {
            Ok(Some(user)) => format!("the account '{}'", user.name),
            _ => format!("the account with the number {uid}"),
        }
    }

    fn group_name(gid: u32) -> String {
        match Group::from_gid(Gid::from_raw(gid)) {
            Ok(Some(group)) => format!("'{}'", group.name),
            _ => format!("with the number {gid}"),
        }
    }

    fn folder_of(path: &Path) -> &Path {
        match path.parent() {
            Some(parent) if parent != Path::new("") => parent,
            _ => Path::new("."),
        }
    }
}

#[cfg(not(unix))]
mod system {
    use std::fs::{File, Metadata};
    use std::path::Path;

    use super::TrustedOwners;

    pub fn is_root() -> bool {
        false
    }

    pub fn describe(_: &Metadata) -> String {
        "exists".to_owned()
    }

    pub fn owner_of_store(_: &Path) -> Option<u32> {
        None
    }

    pub fn account_of(file: &Path) -> std::io::Result<Option<u32>> {
        std::fs::metadata(file).map(|_| None)
    }

    pub fn set_owner(_: &File, _: Option<u32>) -> std::io::Result<()> {
        Ok(())
    }

    pub fn untrusted_owner(_: &TrustedOwners, _: &Metadata) -> Option<String> {
        None
    }

    pub fn writers(_: &TrustedOwners, _: &Metadata) -> Option<String> {
        None
    }

    pub fn folder_allows_creating(_: &TrustedOwners, _: &Path) -> Option<String> {
        None
    }

    pub fn folder_allows_replacing(_: &TrustedOwners, _: &Path) -> Option<String> {
        None
    }

    pub fn untrusted_directory(_: &TrustedOwners, _: &Path) -> Option<String> {
        None
    }

    pub fn untrusted_ancestors(_: &TrustedOwners, _: &Path) -> Vec<String> {
        Vec::new()
    }

    pub fn missing_group_access(_: &TrustedOwners, _: &Path) -> Option<String> {
        None
    }
}

#[cfg(all(test, unix))]
#[path = "access_tests.rs"]
mod tests;
