use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::path::PathBuf;

use nix::unistd::{getegid, geteuid};

use super::*;

/// The uid of an account that does not exist.
const STRANGER: u32 = 3_999_999;

fn folder(mode: u32) -> (tempfile::TempDir, PathBuf) {
    let above = tempfile::tempdir().unwrap();
    let folder = above.path().join("data");
    fs::create_dir(&folder).unwrap();
    set_mode(&folder, mode);
    (above, folder)
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

fn group(gid: u32) -> ServiceGroup {
    ServiceGroup {
        name: "umpin".to_owned(),
        gid,
    }
}

#[test]
fn a_folder_that_others_can_write_to_is_reported() {
    let nobody = TrustedOwners::of(None, None);
    for (mode, open) in [
        (0o700, false),
        (0o755, false),
        (0o750, false),
        (0o777, true),
        (0o1777, true),
        (0o702, true),
    ] {
        let (_above, folder) = folder(mode);
        let found = nobody.folder_allows_creating(&folder);
        assert_eq!(found.is_some(), open, "{mode:o}: {found:?}");
        let found_for_a_file = nobody.folder_allows_replacing(&folder);
        assert_eq!(
            found_for_a_file.is_some(),
            open && mode & 0o1000 == 0,
            "{mode:o}: {found_for_a_file:?}"
        );
        if let Some(why) = found {
            assert!(why.contains("everybody") && why.contains("data"), "{why}");
        }
    }
}

#[test]
fn ancestors_are_checked_unless_sticky() {
    let (above, folder) = folder(0o700);
    let nobody = TrustedOwners::of(None, None);
    let about = |faults: &[String]| {
        faults
            .iter()
            .filter(|fault| fault.contains(&*above.path().to_string_lossy()))
            .count()
    };
    assert_eq!(about(&nobody.untrusted_ancestors(&folder)), 0);
    set_mode(above.path(), 0o777);
    assert_eq!(about(&nobody.untrusted_ancestors(&folder)), 1);
    set_mode(above.path(), 0o1777);
    assert_eq!(about(&nobody.untrusted_ancestors(&folder)), 0);
}

#[test]
fn own_files_keep_their_owner() {
    let (_above, folder) = folder(0o700);
    let file = fs::File::create(folder.join("a")).unwrap();
    set_owner(&file, None).unwrap();
    set_owner(&file, Some(geteuid().as_raw())).unwrap();
    let metadata = file.metadata().unwrap();
    assert_eq!(
        (metadata.uid(), metadata.gid()),
        (geteuid().as_raw(), getegid().as_raw())
    );
    assert_eq!(TrustedOwners::default().untrusted_owner(&metadata), None);
}

/// Only root can give files away.
mod needs_root {
    use super::*;

    #[test]
    fn the_service_group_may_write_and_others_may_not() {
        let (_above, folder) = folder(0o2770);
        chown(&folder, None, Some(STRANGER)).unwrap();
        let with = |gid| TrustedOwners::of(None, Some(group(gid)));
        assert_eq!(with(STRANGER).folder_allows_creating(&folder), None);
        let why = with(STRANGER + 1)
            .folder_allows_creating(&folder)
            .expect("another group");
        assert!(why.contains("the group with the number 3999999"), "{why}");
        assert!(TrustedOwners::of(None, None).folder_allows_creating(&folder).is_some());
        assert_eq!(with(STRANGER).missing_group_access(&folder), None);
        set_mode(&folder, 0o770);
        assert!(
            with(STRANGER)
                .missing_group_access(&folder)
                .expect("no setgid")
                .contains("setgid")
        );
        set_mode(&folder, 0o2700);
        assert!(
            with(STRANGER)
                .missing_group_access(&folder)
                .expect("shut")
                .contains("2700")
        );
    }

    #[test]
    fn a_strangers_file_is_untrusted_unless_the_stranger_owns_the_store() {
        let (_above, folder) = folder(0o700);
        let (store, key) = (folder.join("directory.db"), folder.join("umpin.key"));
        fs::write(&key, "").unwrap();
        chown(&key, Some(STRANGER), None).unwrap();
        let untrusted_owner =
            |path: &Path| TrustedOwners::of(Some(&store), None).untrusted_owner(&fs::metadata(path).unwrap());
        let why = untrusted_owner(&key).expect("root's store with a stranger's key");
        assert!(why.contains("number 3999999"), "{why}");
        fs::write(&store, "").unwrap();
        assert!(untrusted_owner(&key).is_some());
        assert_eq!(untrusted_owner(&store), None);
        // A stranger owns the folder of root's store and can replace it.
        chown(&folder, Some(STRANGER), None).unwrap();
        assert!(
            TrustedOwners::of(Some(&store), None)
                .folder_allows_creating(&folder)
                .expect("foreign")
                .contains("belongs")
        );
        // The service account owns folder and store.
        chown(&store, Some(STRANGER), None).unwrap();
        assert_eq!(untrusted_owner(&key), None);
        assert_eq!(
            TrustedOwners::of(Some(&store), None).folder_allows_creating(&folder),
            None
        );
        assert_eq!(owner_for_new_files(&store), Some(STRANGER));
    }
}
