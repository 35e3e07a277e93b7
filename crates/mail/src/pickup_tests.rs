use super::*;
use umpin_core::ErrorCode;
use zeroize::Zeroizing;

fn message(content: &[u8]) -> OutgoingMessage {
    OutgoingMessage {
        id: [0xAB; 16],
        created: Timestamp(1_753_000_000_123),
        recipient: "tony@contoso.com".to_owned(),
        content: Zeroizing::new(content.to_vec()),
    }
}

fn notifier(directory: &Path) -> PickupNotifier {
    PickupNotifier::new(directory.to_path_buf(), "um@contoso.com".to_owned(), None)
}

fn names(directory: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(directory)
        .expect("directory")
        .map(|entry| entry.expect("entry").file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

const NAME: &str = "20250720T082640.123Z-abababababababababababababababab.eml";

#[test]
fn a_message_delivered_twice_is_one_file() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let directory = folder.path().join("pickup");
    let notifier = notifier(&directory);
    assert_eq!(notifier.uncollected(), Some(0));
    notifier.check().expect("can be made");
    assert!(!directory.exists(), "check makes nothing");
    notifier
        .deliver(&message(b"a longer first version"))
        .expect("delivered");
    notifier.deliver(&message(b"second")).expect("delivered");
    assert_eq!(names(&directory), [NAME]);
    assert_eq!(fs::read(directory.join(NAME)).expect("readable"), b"second");
    assert_eq!(notifier.uncollected(), Some(1));
    notifier.check().expect("writable");
    assert_eq!(names(&directory), [NAME], "check leaves nothing");
}

#[test]
fn what_a_crash_left_is_overwritten() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let left = folder.path().join(format!(".{NAME}.tmp"));
    fs::write(&left, "a half-written message that is longer than the whole one").expect("written");
    notifier(folder.path()).deliver(&message(b"whole")).expect("delivered");
    assert_eq!(names(folder.path()), [NAME]);
    assert_eq!(fs::read(folder.path().join(NAME)).expect("readable"), b"whole");
}

#[test]
fn only_messages_count_as_uncollected() {
    let folder = tempfile::tempdir().expect("temporary folder");
    for name in ["a.eml", "b.eml", ".c.eml", ".d.eml.tmp", "notes.txt"] {
        fs::write(folder.path().join(name), "").expect("written");
    }
    assert_eq!(notifier(folder.path()).uncollected(), Some(2));
}

#[test]
fn impossible_times_still_give_a_name() {
    for millis in [i64::MIN, -1, 0, i64::MAX] {
        let name = PickupNotifier::file_name(Timestamp(millis), [0; 16]);
        assert!(
            name.ends_with("-00000000000000000000000000000000.eml") && !name.contains(['/', ':']),
            "{name}"
        );
    }
}

#[test]
fn many_deliveries_of_one_message_at_once_leave_it_whole() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let directory = folder.path().join("pickup");
    let content = vec![b'x'; 200_000];
    std::thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                for _ in 0..10 {
                    notifier(&directory).deliver(&message(&content)).expect("delivered");
                    assert_eq!(fs::read(directory.join(NAME)).expect("readable").len(), content.len());
                }
            });
        }
    });
    assert_eq!(names(&directory), [NAME]);
}

#[test]
fn what_is_no_directory_is_refused_with_its_path() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let file = folder.path().join("file");
    fs::write(&file, "").expect("written");
    for path in [file.clone(), file.join("pickup"), folder.path().join("no/such/pickup")] {
        let error = notifier(&path).check().expect_err("unusable");
        assert_eq!(error.code(), ErrorCode::NotificationUnavailable);
        assert!(
            error.message().contains(&path.display().to_string()),
            "{}",
            error.message()
        );
    }
    let refused = notifier(&file).deliver(&message(b"x"));
    assert!(matches!(refused, Err(DeliveryError::Permanent(text)) if text.contains("file")));
    // A volume that is not mounted yet may be so later.
    let absent = notifier(&folder.path().join("no/such/pickup")).deliver(&message(b"x"));
    assert!(matches!(absent, Err(DeliveryError::Temporary(_))));
}

#[cfg(unix)]
mod unix {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).expect("metadata").mode() & 0o7777
    }

    #[test]
    fn files_and_directory_are_their_owners() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let directory = folder.path().join("pickup");
        // Even over what a crash left with other rights.
        fs::create_dir(&directory).expect("made");
        fs::remove_dir(&directory).expect("removed");
        notifier(&directory).deliver(&message(b"x")).expect("delivered");
        assert_eq!(mode(&directory), 0o700);
        assert_eq!(mode(&directory.join(NAME)), 0o600);
        let left = directory.join(format!(".{NAME}.tmp"));
        fs::write(&left, "x").expect("written");
        fs::set_permissions(&left, fs::Permissions::from_mode(0o644)).expect("set");
        notifier(&directory).deliver(&message(b"x")).expect("delivered");
        assert_eq!(mode(&directory.join(NAME)), 0o600);
    }

    #[test]
    fn a_service_group_may_read_and_collect() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let gid = nix::unistd::getgid();
        let group = nix::unistd::Group::from_gid(gid)
            .expect("group database")
            .expect("own group");
        let directory = folder.path().join("pickup");
        let notifier = PickupNotifier::new(directory.clone(), String::new(), Some(group.name));
        notifier.deliver(&message(b"x")).expect("delivered");
        assert_eq!(mode(&directory), 0o2770);
        assert_eq!(mode(&directory.join(NAME)), 0o640);
        assert_eq!(
            fs::metadata(directory.join(NAME)).expect("metadata").gid(),
            gid.as_raw()
        );
    }

    #[test]
    fn an_unknown_group_is_named_and_leaves_nothing() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let directory = folder.path().join("pickup");
        let notifier = PickupNotifier::new(directory.clone(), String::new(), Some("no-such-group-umpin".to_owned()));
        let error = notifier.check().expect_err("unknown");
        assert!(error.message().contains("no-such-group-umpin"), "{}", error.message());
        assert!(notifier.deliver(&message(b"x")).is_err());
        assert!(!directory.exists());
    }

    #[test]
    fn links_are_not_followed() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let real = folder.path().join("real");
        fs::create_dir(&real).expect("made");
        let link = folder.path().join("link");
        symlink(&real, &link).expect("linked");
        assert!(
            notifier(&link)
                .check()
                .expect_err("link")
                .message()
                .contains("symbolic link")
        );
        assert!(matches!(
            notifier(&link).deliver(&message(b"x")),
            Err(DeliveryError::Permanent(_))
        ));
        assert!(names(&real).is_empty());
        // Nor is one in the place of the temporary file.
        let victim = folder.path().join("victim");
        fs::write(&victim, "precious").expect("written");
        symlink(&victim, real.join(format!(".{NAME}.tmp"))).expect("linked");
        assert!(matches!(
            notifier(&real).deliver(&message(b"x")),
            Err(DeliveryError::Permanent(_))
        ));
        assert_eq!(fs::read(&victim).expect("readable"), b"precious");
    }

    /// Runs as an account that is not root: file modes bind it. Only the thread is another account's.
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

    /// An account without a name.
    const STRANGER: u32 = 3_999_999;

    #[test]
    fn a_directory_without_rights_is_refused() {
        let folder = tempfile::tempdir().expect("temporary folder");
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o500)).expect("set");
        if nix::unistd::geteuid().is_root() {
            std::os::unix::fs::chown(folder.path(), Some(STRANGER), None).expect("given away");
        }
        without_root(|| {
            for path in [folder.path().to_path_buf(), folder.path().join("pickup")] {
                assert!(notifier(&path).check().is_err());
                assert!(matches!(
                    notifier(&path).deliver(&message(b"x")),
                    Err(DeliveryError::Permanent(_))
                ));
            }
        });
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o700)).expect("set");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_full_disk_is_temporary() {
        let full = Path::new("/dev/full");
        // The kind that a full disk gives, asked of the system itself.
        let mut file = OpenOptions::new().write(true).open(full).expect("open");
        let error = file.write_all(b"x").expect_err("full");
        assert!(!is_permanent(&error));
        assert!(is_permanent(&io::Error::from_raw_os_error(libc::EROFS)));
        assert!(is_permanent(&io::Error::from_raw_os_error(libc::ELOOP)));
        assert!(!is_permanent(&io::Error::from_raw_os_error(libc::EDQUOT)));
    }
}
