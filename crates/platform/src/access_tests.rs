use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::path::PathBuf;

use nix::unistd::{getegid, geteuid};

use super::*;

/// An account that is nobody's here and a member of nothing.
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
fn a_folder_that_others_write_in_is_open() {
    let nobody = Owners::of(None, None);
    for (mode, open) in [
        (0o700, false),
        (0o755, false),
        (0o750, false),
        (0o777, true),
        (0o1777, true),
        (0o702, true),
    ] {
        let (_above, folder) = folder(mode);
        let found = nobody.open_folder(&folder);
        assert_eq!(found.is_some(), open, "{mode:o}: {found:?}");
        let found_for_a_file = nobody.loose_folder(&folder);
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
fn what_is_above_counts_unless_it_is_sticky() {
    let (above, folder) = folder(0o700);
    let nobody = Owners::of(None, None);
    let about = |faults: &[String]| {
        faults
            .iter()
            .filter(|fault| fault.contains(&*above.path().to_string_lossy()))
            .count()
    };
    assert_eq!(about(&nobody.open_parents(&folder)), 0);
    set_mode(above.path(), 0o777);
    assert_eq!(about(&nobody.open_parents(&folder)), 1);
    set_mode(above.path(), 0o1777);
    assert_eq!(about(&nobody.open_parents(&folder)), 0);
}

#[test]
fn own_files_stay_own() {
    let (_above, folder) = folder(0o700);
    let file = fs::File::create(folder.join("a")).unwrap();
    give_to(&file, None).unwrap();
    give_to(&file, Some(geteuid().as_raw())).unwrap();
    let metadata = file.metadata().unwrap();
    assert_eq!(
        (metadata.uid(), metadata.gid()),
        (geteuid().as_raw(), getegid().as_raw())
    );
    assert_eq!(Owners::default().foreign(&metadata), None);
}

/// Only root can give files away.
mod needs_root {
    use super::*;

    #[test]
    fn the_service_group_may_write_and_others_may_not() {
        let (_above, folder) = folder(0o2770);
        chown(&folder, None, Some(STRANGER)).unwrap();
        let with = |gid| Owners::of(None, Some(group(gid)));
        assert_eq!(with(STRANGER).open_folder(&folder), None);
        let why = with(STRANGER + 1).open_folder(&folder).expect("another group");
        assert!(why.contains("the group with the number 3999999"), "{why}");
        assert!(Owners::of(None, None).open_folder(&folder).is_some());
        assert_eq!(with(STRANGER).shut_to_group(&folder), None);
        set_mode(&folder, 0o770);
        assert!(
            with(STRANGER)
                .shut_to_group(&folder)
                .expect("no setgid")
                .contains("setgid")
        );
        set_mode(&folder, 0o2700);
        assert!(with(STRANGER).shut_to_group(&folder).expect("shut").contains("2700"));
    }

    #[test]
    fn a_stranger_s_file_is_foreign_unless_the_whole_store_is_his() {
        let (_above, folder) = folder(0o700);
        let (store, key) = (folder.join("directory.db"), folder.join("umpin.key"));
        fs::write(&key, "").unwrap();
        chown(&key, Some(STRANGER), None).unwrap();
        let foreign = |path: &Path| Owners::of(Some(&store), None).foreign(&fs::metadata(path).unwrap());
        let why = foreign(&key).expect("root's store with a stranger's key");
        assert!(why.contains("number 3999999"), "{why}");
        fs::write(&store, "").unwrap();
        assert!(foreign(&key).is_some());
        assert_eq!(foreign(&store), None);
        // A stranger's folder around root's store: he can exchange it.
        chown(&folder, Some(STRANGER), None).unwrap();
        assert!(
            Owners::of(Some(&store), None)
                .open_folder(&folder)
                .expect("foreign")
                .contains("belongs")
        );
        // All of it is the account's that the service runs as.
        chown(&store, Some(STRANGER), None).unwrap();
        assert_eq!(foreign(&key), None);
        assert_eq!(Owners::of(Some(&store), None).open_folder(&folder), None);
        assert_eq!(account_for_new_files(&store), Some(STRANGER));
    }
}
