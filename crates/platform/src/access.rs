//! Who else could alter or exchange what is used here: the owners and modes of files and folders.
//!
//! On Windows nothing of this is looked at: who may do what follows from access lists, which files take over from their folder.

use std::path::Path;

use super::group::ServiceGroup;

/// Whose files and folders are used: those of root, of this account, of the service group's members, and, by root or under a service
/// group, those of the account that the store belongs to as a whole.
#[derive(Clone, Debug, Default)]
#[cfg_attr(not(unix), allow(dead_code, reason = "nothing is looked at there"))]
pub struct Owners {
    group: Option<ServiceGroup>,
    /// The owner of the store's folder and of everything of the store in it.
    installation: Option<u32>,
}

impl Owners {
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

    /// Why a file or folder is not used: it belongs to somebody else. Completes "… cannot be used: ".
    #[must_use]
    pub fn foreign(&self, metadata: &std::fs::Metadata) -> Option<String> {
        system::foreign(self, metadata)
    }

    /// Why a file is not used: others can write to it. Completes "… cannot be used: ".
    #[must_use]
    pub fn writable(&self, metadata: &std::fs::Metadata) -> Option<String> {
        system::writers(self, metadata).map(|who| format!("{who} can write to it"))
    }

    /// Why a file in a folder is not used: others can exchange it there. Completes "… cannot be used: ".
    ///
    /// In a sticky folder, such as `/tmp`, they cannot: one of the trusted owners' stays.
    #[must_use]
    pub fn loose_folder(&self, folder: &Path) -> Option<String> {
        system::loose_folder(self, folder)
    }

    /// Why what is in a folder is not used: others can make files there that are taken for ours, such as a journal of the store, or
    /// exchange them. Completes "… cannot be used: ".
    #[must_use]
    pub fn open_folder(&self, folder: &Path) -> Option<String> {
        system::open_folder(self, folder)
    }

    /// Why a folder is not used by itself: it is somebody else's, or others can exchange what is in it.
    #[must_use]
    pub fn open_directory(&self, folder: &Path) -> Option<String> {
        system::open_directory(self, folder)
    }

    /// What is wrong above a folder: whoever can rename a folder on the way can put another in its place.
    #[must_use]
    pub fn open_parents(&self, folder: &Path) -> Vec<String> {
        system::open_parents(self, folder)
    }

    /// Why the members of the service group cannot use a folder.
    #[must_use]
    pub fn shut_to_group(&self, folder: &Path) -> Option<String> {
        system::shut_to_group(self, folder)
    }
}

/// The account to which root gives what it makes for a store: that of the store. `None`: what is made stays this account's.
#[must_use]
pub fn account_for_new_files(store: &Path) -> Option<u32> {
    system::owner_of_store(store).filter(|_| system::is_root())
}

/// The account that a file belongs to, where it is not this process's own.
///
/// # Errors
/// Those of the operating system.
pub fn account_of(file: &Path) -> std::io::Result<Option<u32>> {
    system::account_of(file)
}

/// Gives an open file or folder to that account.
///
/// # Errors
/// Those of the operating system.
pub fn give_to(file: &std::fs::File, account: Option<u32>) -> std::io::Result<()> {
    system::give_to(file, account)
}

/// Owner and mode, to complete "The store …".
#[must_use]
pub fn describe(metadata: &std::fs::Metadata) -> String {
    system::describe(metadata)
}

/// Whether owners and modes say anything on this system.
pub const TELLS: bool = cfg!(unix);

#[cfg(unix)]
mod system {
    use std::fs::{self, File, Metadata};
    use std::io;
    use std::os::unix::fs::{MetadataExt as _, fchown};
    use std::path::Path;

    use nix::unistd::{Gid, Group, Uid, User, geteuid};

    use super::Owners;

    const STICKY: u32 = 0o1000;
    const GROUP_WRITES: u32 = 0o020;
    const ALL_WRITE: u32 = 0o002;

    pub(super) fn is_root() -> bool {
        geteuid().is_root()
    }

    /// Where folder and file have the same owner; a store that is not there yet has that of its folder.
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

    pub(super) fn give_to(file: &File, account: Option<u32>) -> io::Result<()> {
        match account {
            Some(account) if account != geteuid().as_raw() => fchown(file, Some(account), None),
            _ => Ok(()),
        }
    }

    fn is_trusted(owners: &Owners, uid: u32) -> bool {
        uid == 0
            || uid == geteuid().as_raw()
            || owners.installation == Some(uid)
            || owners.group.as_ref().is_some_and(|group| group.has_member(uid))
    }

    pub(super) fn foreign(owners: &Owners, metadata: &Metadata) -> Option<String> {
        let uid = metadata.uid();
        (!is_trusted(owners, uid)).then(|| format!("it belongs to {}", account(uid)))
    }

    pub(super) fn loose_folder(owners: &Owners, folder: &Path) -> Option<String> {
        let is_sticky =
            fs::metadata(folder).is_ok_and(|found| found.mode() & STICKY != 0 && is_trusted(owners, found.uid()));
        if is_sticky { None } else { open_folder(owners, folder) }
    }

    pub(super) fn open_folder(owners: &Owners, folder: &Path) -> Option<String> {
        let why = open(owners, &fs::metadata(folder).ok()?)?;
        Some(format!("its folder '{}' {why}", folder.display()))
    }

    pub(super) fn open_directory(owners: &Owners, folder: &Path) -> Option<String> {
        let why = open(owners, &fs::metadata(folder).ok()?)?;
        Some(format!("it {why}"))
    }

    fn open(owners: &Owners, folder: &Metadata) -> Option<String> {
        if !is_trusted(owners, folder.uid()) {
            return Some(format!("belongs to {}", account(folder.uid())));
        }
        writers(owners, folder).map(|who| format!("lets {who} write"))
    }

    pub(super) fn open_parents(owners: &Owners, folder: &Path) -> Vec<String> {
        let Ok(folder) = fs::canonicalize(folder) else {
            return Vec::new();
        };
        let mut faults = Vec::new();
        for above in folder.ancestors().skip(1) {
            let Ok(metadata) = fs::metadata(above) else { continue };
            let name = above.display();
            if !is_trusted(owners, metadata.uid()) {
                faults.push(format!("The folder '{name}' belongs to {}", account(metadata.uid())));
            } else if metadata.mode() & STICKY == 0
                && let Some(who) = writers(owners, &metadata)
            {
                faults.push(format!("The folder '{name}' lets {who} write"));
            }
        }
        faults
    }

    pub(super) fn shut_to_group(owners: &Owners, folder: &Path) -> Option<String> {
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
        // Else what one member makes belongs to that member's own group.
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

    /// Who else may write there.
    pub(super) fn writers(owners: &Owners, metadata: &Metadata) -> Option<String> {
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

    /// Whether a group is its owner's alone, as many systems make one for each user.
    fn is_private(gid: u32, uid: u32) -> bool {
        let user = User::from_uid(Uid::from_raw(uid)).ok().flatten();
        let group = Group::from_gid(Gid::from_raw(gid)).ok().flatten();
        match (user, group) {
            (Some(user), Some(group)) => {
                user.gid == group.gid && user.name == group.name && group.mem.iter().all(|member| *member == user.name)
            }
            // Neither has a name here: a container.
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

    use super::Owners;

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

    pub fn give_to(_: &File, _: Option<u32>) -> std::io::Result<()> {
        Ok(())
    }

    pub fn foreign(_: &Owners, _: &Metadata) -> Option<String> {
        None
    }

    pub fn writers(_: &Owners, _: &Metadata) -> Option<String> {
        None
    }

    pub fn open_folder(_: &Owners, _: &Path) -> Option<String> {
        None
    }

    pub fn loose_folder(_: &Owners, _: &Path) -> Option<String> {
        None
    }

    pub fn open_directory(_: &Owners, _: &Path) -> Option<String> {
        None
    }

    pub fn open_parents(_: &Owners, _: &Path) -> Vec<String> {
        Vec::new()
    }

    pub fn shut_to_group(_: &Owners, _: &Path) -> Option<String> {
        None
    }
}

#[cfg(all(test, unix))]
#[path = "access_tests.rs"]
mod tests;
