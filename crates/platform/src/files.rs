//! Private files, readable by their owner and at most one service group, and atomic writes.
//!
//! On Windows a new file inherits the permissions of its directory: the user's profile, including `%LOCALAPPDATA%`, admits the user, the
//! system and administrators only; a machine-wide directory gets its permissions when it is created.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::access;
use super::group::ServiceGroup;

/// The recommended action when the limit of open files is reached.
pub const OPEN_FILE_LIMIT_ACTION: &str =
    "Close files that the program has open, or raise the limit of open files (ulimit -n, LimitNOFILE).";

/// Whether an operation failed because the limit of open files is reached.
#[cfg(unix)]
#[must_use]
pub fn is_open_file_limit(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(libc::EMFILE | libc::ENFILE))
}

/// Whether an operation failed because the limit of open files is reached.
#[cfg(not(unix))]
#[must_use]
pub fn is_open_file_limit(error: &io::Error) -> bool {
    const ERROR_TOO_MANY_OPEN_FILES: i32 = 4;
    error.raw_os_error() == Some(ERROR_TOO_MANY_OPEN_FILES)
}

/// Whether the limit of open files is nearly reached, for callers that got no such error.
#[must_use]
pub fn is_open_file_limit_reached() -> bool {
    // As many as opening the store may need.
    const NEEDED: usize = 8;
    if !cfg!(unix) {
        return false;
    }
    // Not the store itself: closing it would release the locks of this process.
    let tried: Vec<io::Result<File>> = (0..NEEDED).map(|_| File::open("/dev/null")).collect();
    tried.iter().any(|file| file.as_ref().is_err_and(is_open_file_limit))
}

/// Whether a file was created.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Created {
    /// The file is new and durable.
    New,
    /// The file existed already and was not changed.
    Existing,
}

/// Creates a file that must not exist yet, readable by its owner only (and by the group after [`grant_group_read`]).
///
/// # Errors
/// `AlreadyExists` among others.
pub fn create_private(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        options.mode(0o600);
    }
    options.open(path)
}

/// Lets the members of a group read an own file.
///
/// # Errors
/// If the group cannot be set, for example because this account is not a member.
#[cfg(unix)]
pub fn grant_group_read(file: &File, group: &ServiceGroup) -> io::Result<()> {
    use std::os::unix::fs::{PermissionsExt, fchown};
    fchown(file, None, Some(group.gid))?;
    file.set_permissions(fs::Permissions::from_mode(0o640))
}

/// Lets the members of a group read an own file.
///
/// # Errors
/// None here: no [`ServiceGroup`] can be found on this system.
#[cfg(not(unix))]
pub fn grant_group_read(_file: &File, _group: &ServiceGroup) -> io::Result<()> {
    Ok(())
}

/// Why other accounts could use or change a file; `None` if its mode does not permit that.
#[cfg(unix)]
#[must_use]
pub fn exposure(metadata: &fs::Metadata, group: Option<&ServiceGroup>) -> Option<String> {
    use std::os::unix::fs::MetadataExt;
    let mode = metadata.mode() & 0o7777;
    if mode & 0o007 != 0 {
        return Some(format!("its mode {mode:04o} lets everybody in"));
    }
    match group {
        _ if mode & 0o070 == 0 => None,
        None => Some(format!("its mode {mode:04o} lets its group in")),
        Some(group) if metadata.gid() != group.gid => Some(format!(
            "its mode {mode:04o} lets its group in, which is not `{}`",
            group.name
        )),
        Some(_) if mode & 0o030 != 0 => Some(format!("its mode {mode:04o} lets its group do more than read")),
        Some(_) => None,
    }
}

/// Why other accounts could use or change a file; `None` if its mode does not permit that.
#[cfg(not(unix))]
#[must_use]
pub fn exposure(_metadata: &fs::Metadata, _group: Option<&ServiceGroup>) -> Option<String> {
    None
}

/// Opens a regular file for reading; does not block on other kinds of files.
///
/// # Errors
/// `InvalidInput` for anything but a regular file or a link to one.
pub fn open_regular(path: &Path) -> io::Result<(File, fs::Metadata)> {
    let mut options = OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt;
        // Otherwise a named pipe waits for a writer, and a terminal becomes the controlling one.
        options.custom_flags(libc::O_NONBLOCK | libc::O_NOCTTY);
    }
    let file = options.open(path)?;
    // Of the open file, not of the path, so that the checked file is the one that is read.
    let metadata = file.metadata()?;
    if metadata.is_file() {
        Ok((file, metadata))
    } else {
        Err(io::Error::new(io::ErrorKind::InvalidInput, "it is not a regular file"))
    }
}

/// The access of a group to a directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GroupAccess {
    /// Read files.
    Read,
    /// Create files too, such as those of SQLite, which get the group by the setgid bit.
    Write,
}

impl GroupAccess {
    const fn mode(self) -> u32 {
        match self {
            Self::Read => 0o2750,
            Self::Write => 0o2770,
        }
    }
}

/// Creates a private directory and its missing parents durably. The group gets access to the directory and may traverse new parents.
/// Existing directories stay as they are, except that the directory itself gets the group if it holds nothing but plain files such as the
/// configuration: it was created for this purpose.
///
/// # Errors
/// If the group cannot be set, for example because this account is not a member.
pub fn create_private_directory(path: &Path, group: Option<(&ServiceGroup, GroupAccess)>) -> io::Result<()> {
    if let Some((group, usage)) = group
        && path.is_dir()
    {
        return admit_to_new_directory(path, group, usage);
    }
    create_directories(path, group.map(|(group, usage)| (group, usage.mode())))
}

fn create_directories(path: &Path, group: Option<(&ServiceGroup, u32)>) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    let above = directory_of(path);
    create_directories(above, group.map(|(group, _)| (group, 0o750)))?;
    let mut builder = DirBuilder::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt;
        builder.mode(0o700);
    }
    match builder.create(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => {}
        made => made?,
    }
    if let Some((group, mode)) = group
        && let Err(error) = share_directory(path, group, mode)
    {
        // Left behind, it would be taken for a private directory that was created on purpose.
        let _ = fs::remove_dir(path);
        return Err(error);
    }
    // Otherwise a power cut could remove the directory with the files synced in it.
    sync_directory(above)
}

#[cfg(unix)]
fn admit_to_new_directory(path: &Path, group: &ServiceGroup, usage: GroupAccess) -> io::Result<()> {
    use std::os::unix::fs::MetadataExt;
    let found = fs::metadata(path)?;
    let account = nix::unistd::geteuid();
    let is_ours = found.uid() == account.as_raw() || account.is_root();
    let is_open = found.gid() == group.gid && found.mode() & 0o2070 == usage.mode() & 0o2070;
    if !is_ours || is_open || found.mode() & 0o1002 != 0 || !holds_plain_files_only(path)? {
        return Ok(());
    }
    // Keeps the permissions of other accounts.
    share_directory(path, group, usage.mode() | found.mode() & 0o005)
}

#[cfg(not(unix))]
fn admit_to_new_directory(_path: &Path, _group: &ServiceGroup, _usage: GroupAccess) -> io::Result<()> {
    Ok(())
}

/// A home directory, or another directory with several purposes, has folders or hidden files.
#[cfg(unix)]
fn holds_plain_files_only(path: &Path) -> io::Result<bool> {
    for entry in fs::read_dir(path)? {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if !entry.file_type()?.is_file() || name.starts_with('.') && !name.starts_with(".umpin-") {
            return Ok(false);
        }
    }
    Ok(true)
}

#[cfg(unix)]
fn share_directory(path: &Path, group: &ServiceGroup, mode: u32) -> io::Result<()> {
    use std::os::unix::fs::{PermissionsExt, fchown};
    let directory = File::open(path)?;
    fchown(&directory, None, Some(group.gid))?;
    directory.set_permissions(fs::Permissions::from_mode(mode))
}

#[cfg(not(unix))]
fn share_directory(_path: &Path, _group: &ServiceGroup, _mode: u32) -> io::Result<()> {
    Ok(())
}

/// Syncs the names in a directory. Windows has no such call; NTFS journals names itself.
///
/// # Errors
/// If the directory cannot be opened or synced.
pub fn sync_directory(path: &Path) -> io::Result<()> {
    if cfg!(unix) {
        File::open(path)?.sync_all()
    } else {
        Ok(())
    }
}

/// Creates a file with its content atomically and durably, unless the name exists. Of several processes exactly one creates it, and
/// readers see the whole content. `account` becomes its owner.
///
/// # Errors
/// If the file cannot be written or linked.
pub fn create_atomically(
    path: &Path,
    content: &[u8],
    group: Option<&ServiceGroup>,
    account: Option<u32>,
) -> io::Result<Created> {
    let temporary = Temporary::write(path, content, group, account)?;
    // Unlike a rename, a hard link never replaces anything.
    let created = match fs::hard_link(&temporary.path, path) {
        Ok(()) => Created::New,
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Created::Existing,
        Err(error) => return Err(error),
    };
    drop(temporary);
    // Also if the file existed: its creator may not have synced the directory yet.
    sync_directory(directory_of(path))?;
    Ok(created)
}

/// Replaces `path` by the complete file `new` durably, and keeps the previous file as `former`. Both contents exist at any moment; the
/// operation can be repeated after an interruption.
///
/// # Errors
/// If a link or rename fails.
pub fn replace_keeping_former(path: &Path, new: &Path, former: &Path) -> io::Result<()> {
    match fs::hard_link(path, former) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
        _ => sync_directory(directory_of(former))?,
    }
    fs::rename(new, path)?;
    sync_directory(directory_of(path))
}

/// Writes or replaces a file atomically and durably: readers see the old or the new content.
///
/// # Errors
/// If the file cannot be written or renamed.
pub fn write_atomically(path: &Path, content: &[u8], group: Option<&ServiceGroup>) -> io::Result<()> {
    let mut temporary = Temporary::write(path, content, group, None)?;
    fs::rename(&temporary.path, path)?;
    temporary.moved = true;
    sync_directory(directory_of(path))
}

/// Writes a file of any length atomically and durably. Unless `replace` is set, the name must not exist.
///
/// # Errors
/// `AlreadyExists` among others, and the errors of `write`.
pub fn write_streamed<T, E: From<io::Error>>(
    path: &Path,
    replace: bool,
    write: impl FnOnce(&mut io::BufWriter<&File>) -> Result<T, E>,
) -> Result<T, E> {
    let (mut temporary, file) = Temporary::create(path)?;
    let mut writer = io::BufWriter::with_capacity(1 << 16, &file);
    let written = write(&mut writer)?;
    writer.flush()?;
    drop(writer);
    file.sync_all()?;
    if replace {
        fs::rename(&temporary.path, path)?;
        temporary.moved = true;
    } else {
        fs::hard_link(&temporary.path, path)?;
        drop(temporary);
    }
    sync_directory(directory_of(path))?;
    Ok(written)
}

/// A temporary file beside its destination, removed on drop unless it was renamed.
struct Temporary {
    path: PathBuf,
    moved: bool,
}

impl Temporary {
    fn create(beside: &Path) -> io::Result<(Self, File)> {
        let name = format!(".umpin-{}.tmp", uuid::Uuid::new_v4().simple());
        let path = directory_of(beside).join(name);
        let file = create_private(&path)?;
        Ok((Self { path, moved: false }, file))
    }

    fn write(beside: &Path, content: &[u8], group: Option<&ServiceGroup>, account: Option<u32>) -> io::Result<Self> {
        let (temporary, mut file) = Self::create(beside)?;
        file.write_all(content)?;
        access::set_owner(&file, account)?;
        if let Some(group) = group {
            grant_group_read(&file, group)?;
        }
        file.sync_all()?;
        Ok(temporary)
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if !self.moved {
            let _ = fs::remove_file(&self.path);
        }
    }
}

fn directory_of(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if parent != Path::new("") => parent,
        _ => Path::new("."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(directory: &Path) -> Vec<String> {
        let mut names: Vec<String> = fs::read_dir(directory)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn creating_never_replaces_and_leaves_nothing_behind() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file");
        assert_eq!(create_atomically(&path, b"one", None, None).unwrap(), Created::New);
        assert_eq!(create_atomically(&path, b"two", None, None).unwrap(), Created::Existing);
        assert_eq!(fs::read(&path).unwrap(), b"one");
        assert_eq!(names(directory.path()), ["file"]);
    }

    #[test]
    fn writing_replaces_and_leaves_nothing_behind() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("file");
        write_atomically(&path, b"one", None).unwrap();
        write_atomically(&path, b"two", None).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"two");
        assert_eq!(names(directory.path()), ["file"]);

        let occupied = directory.path().join("occupied");
        fs::create_dir_all(occupied.join("x")).unwrap();
        write_atomically(&occupied, b"three", None).unwrap_err();
        assert_eq!(names(directory.path()), ["file", "occupied"]);
    }

    #[cfg(unix)]
    mod unix {
        use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};

        use super::*;

        fn mode(path: &Path) -> u32 {
            fs::metadata(path).unwrap().mode() & 0o7777
        }

        fn own_group() -> ServiceGroup {
            ServiceGroup {
                name: "own".to_owned(),
                gid: nix::unistd::getegid().as_raw(),
            }
        }

        #[test]
        fn all_files_and_directories_are_private() {
            let directory = tempfile::tempdir().unwrap();
            let path = |name: &str| directory.path().join(name);
            create_atomically(&path("a"), b"", None, None).unwrap();
            write_atomically(&path("b"), b"", None).unwrap();
            write_atomically(&path("c"), b"", Some(&own_group())).unwrap();
            create_private_directory(&path("d/e"), None).unwrap();
            assert_eq!((mode(&path("a")), mode(&path("b"))), (0o600, 0o600));
            assert_eq!(mode(&path("c")), 0o640);
            assert_eq!((mode(&path("d")), mode(&path("d/e"))), (0o700, 0o700));
            create_private_directory(&path("d/e"), None).unwrap();
        }

        #[test]
        fn a_group_gets_access_to_new_directories() {
            let directory = tempfile::tempdir().unwrap();
            let path = |name: &str| directory.path().join(name);
            fs::create_dir(path("there")).unwrap();
            fs::set_permissions(path("there"), fs::Permissions::from_mode(0o700)).unwrap();
            let writing =
                |path: &Path| create_private_directory(path, Some((&own_group(), GroupAccess::Write))).unwrap();
            writing(&path("there/d/e"));
            assert_eq!(mode(&path("there")), 0o700, "existing directories are not changed");
            assert_eq!((mode(&path("there/d")), mode(&path("there/d/e"))), (0o750, 0o2770));
            let made = |name: &str| fs::metadata(path(name)).unwrap().gid();
            assert_eq!((made("there/d"), made("there/d/e")), (own_group().gid, own_group().gid));

            // A folder that was made for it, with the configuration in it.
            for (usage, expected) in [(GroupAccess::Read, 0o2750), (GroupAccess::Write, 0o2770)] {
                let new = path(&format!("{usage:?}"));
                fs::create_dir(&new).unwrap();
                fs::set_permissions(&new, fs::Permissions::from_mode(0o700)).unwrap();
                fs::write(new.join("umpin.json"), "").unwrap();
                create_private_directory(&new, Some((&own_group(), usage))).unwrap();
                assert_eq!(mode(&new), expected);
            }
            // A home, and a folder that everybody uses.
            for (name, before) in [(".profile", 0o700), ("shared", 0o1777)] {
                let other = path(&format!("other-{before:o}"));
                fs::create_dir(&other).unwrap();
                fs::write(other.join(name), "").unwrap();
                fs::set_permissions(&other, fs::Permissions::from_mode(before)).unwrap();
                writing(&other);
                assert_eq!(mode(&other), before, "{name}");
            }
        }

        /// Runs as an account that is not root, which may not give files to any group. Only the thread is another account's.
        fn without_root(test: impl FnOnce() + Send) {
            std::thread::scope(|scope| {
                scope.spawn(|| {
                    #[cfg(target_os = "linux")]
                    if nix::unistd::geteuid().is_root() {
                        nix::unistd::setfsuid(nix::unistd::Uid::from_raw(STRANGER));
                    }
                    test();
                });
            });
        }

        /// An account and a group without a name.
        const STRANGER: u32 = 3_999_999;

        #[test]
        fn a_group_that_cannot_be_set_leaves_no_file() {
            let directory = tempfile::tempdir().unwrap();
            if nix::unistd::geteuid().is_root() {
                std::os::unix::fs::chown(directory.path(), Some(STRANGER), None).unwrap();
            }
            let strangers = ServiceGroup {
                name: "strangers".to_owned(),
                gid: STRANGER,
            };
            without_root(|| {
                create_atomically(&directory.path().join("a"), b"", Some(&strangers), None).unwrap_err();
            });
            assert!(names(directory.path()).is_empty());
        }

        #[test]
        fn exposure_follows_mode_and_group() {
            let directory = tempfile::tempdir().unwrap();
            let path = directory.path().join("a");
            fs::write(&path, b"").unwrap();
            let own = own_group();
            let other = ServiceGroup {
                name: "other".to_owned(),
                gid: own.gid + 1,
            };
            let exposed = |mode: u32, group: Option<&ServiceGroup>| {
                fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
                exposure(&fs::metadata(&path).unwrap(), group).is_some()
            };
            for safe in [0o600, 0o400, 0o700] {
                assert!(!exposed(safe, None), "{safe:o}");
                assert!(!exposed(safe, Some(&own)), "{safe:o}");
            }
            for group in [0o640, 0o440] {
                assert!(exposed(group, None), "{group:o}");
                assert!(!exposed(group, Some(&own)), "{group:o}");
                assert!(exposed(group, Some(&other)), "{group:o}");
            }
            for open in [0o604, 0o602, 0o601, 0o644, 0o660, 0o650, 0o777] {
                assert!(exposed(open, None), "{open:o}");
                assert!(exposed(open, Some(&own)), "{open:o}");
            }
        }

        #[test]
        fn only_regular_files_are_opened() {
            let directory = tempfile::tempdir().unwrap();
            let path = |name: &str| directory.path().join(name);
            fs::write(path("file"), b"x").unwrap();
            symlink(path("file"), path("link")).unwrap();
            symlink(path("nowhere"), path("dangling")).unwrap();
            nix::unistd::mkfifo(&path("pipe"), nix::sys::stat::Mode::S_IRWXU).unwrap();
            assert!(open_regular(&path("link")).is_ok());
            let kind = |name: &str| open_regular(&path(name)).unwrap_err().kind();
            assert_eq!(kind("dangling"), io::ErrorKind::NotFound);
            assert_eq!(kind("pipe"), io::ErrorKind::InvalidInput);
            assert_eq!(kind("."), io::ErrorKind::InvalidInput);
        }

        #[test]
        fn nothing_is_created_through_a_dangling_link() {
            let directory = tempfile::tempdir().unwrap();
            let link = directory.path().join("link");
            symlink(directory.path().join("nowhere"), &link).unwrap();
            assert_eq!(create_atomically(&link, b"x", None, None).unwrap(), Created::Existing);
            assert_eq!(names(directory.path()), ["link"]);
        }
    }
}
