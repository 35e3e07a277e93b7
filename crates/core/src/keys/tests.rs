//! Key files as they are made, loaded and exchanged.

use std::fs;
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::*;

fn key_files(directory: &Path, names: &[&str]) -> KeyFiles {
    KeyFiles {
        active: names[0].to_owned(),
        files: names
            .iter()
            .map(|name| ((*name).to_owned(), directory.join(format!("{name}.key"))))
            .collect(),
        group: None,
        store: None,
    }
}

fn write_key(path: &Path, content: &[u8]) {
    let _ = fs::remove_file(path);
    files::write_atomically(path, content, None).unwrap();
}

fn refusal(keys: &KeyFiles) -> String {
    let Err(error) = keys.load() else {
        panic!("the key was accepted")
    };
    assert_eq!(error.code(), ErrorCode::KeyUnavailable, "{error:?}");
    assert!(error.message().contains(".key"), "{error:?}");
    error.message().to_owned()
}

#[test]
fn a_key_is_made_once_and_loaded_ever_after() {
    let directory = tempfile::tempdir().unwrap();
    let keys = key_files(&directory.path().join("new/deep"), &["k1"]);
    refusal(&keys);
    assert!(!keys.exists());
    let made = keys.create_active().unwrap().active();
    assert_eq!(keys.create_active().unwrap().active(), made);
    assert_eq!(keys.load().unwrap().active(), made);
    assert!(keys.exists());
    assert_eq!(fs::read(&keys.files["k1"]).unwrap().len(), 32);
}

#[test]
fn a_shared_key_is_never_made() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("umpin.key");
    let keys = SharedKeyFiles(KeyFiles {
        active: "k1".to_owned(),
        files: BTreeMap::from([("k1".to_owned(), path.clone())]),
        group: None,
        store: None,
    });
    for made in [keys.create_active(), keys.load()] {
        let error = made.err().unwrap();
        assert_eq!(error.code(), ErrorCode::KeyUnavailable);
        assert!(error.message().contains("umpin.key") && error.recommended_action().contains("32 random bytes"));
    }
    assert!(!path.exists());
    keys.0.create_active().unwrap();
    assert!(keys.load().is_ok() && keys.create_active().is_ok());
}

#[test]
fn racing_creators_end_up_with_one_key() {
    let directory = tempfile::tempdir().unwrap();
    let keys = key_files(directory.path(), &["k1"]);
    let barrier = Barrier::new(8);
    let ids: Vec<_> = std::thread::scope(|scope| {
        let racers: Vec<_> = (0..8)
            .map(|_| {
                scope.spawn(|| {
                    barrier.wait();
                    keys.create_active().unwrap().active()
                })
            })
            .collect();
        racers.into_iter().map(|r| r.join().unwrap()).collect()
    });
    assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 1);
}

#[test]
fn every_key_is_loaded_and_the_active_one_leads() {
    let directory = tempfile::tempdir().unwrap();
    let mut keys = key_files(directory.path(), &["k2", "k1", "k3"]);
    for (name, byte) in [("k1", 1), ("k2", 2), ("k3", 3)] {
        write_key(&keys.files[name], &[byte; 32]);
    }
    let ring = keys.load().unwrap();
    assert_eq!(ring.active(), MasterKey::new(&[2; 32]).id());
    assert_eq!(ring.key_ids().count(), 3);

    fs::remove_file(&keys.files["k1"]).unwrap();
    assert!(refusal(&keys).contains("k1.key"));
    keys.create_active().map(|_| ()).unwrap_err();
    assert!(!keys.files["k1"].exists(), "only the active key is ever made");

    keys.active = "k9".to_owned();
    let error = keys.load().map(|_| ()).unwrap_err();
    assert_eq!(error.code(), ErrorCode::ConfigurationInvalid);
}

#[test]
fn files_of_the_wrong_size_are_refused_and_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    let keys = key_files(directory.path(), &["k1"]);
    for length in [0, 31, 33, 4096] {
        write_key(&keys.files["k1"], &vec![7; length]);
        assert!(refusal(&keys).contains("32 bytes"), "{length}");
        keys.create_active().map(|_| ()).unwrap_err();
        assert_eq!(fs::read(&keys.files["k1"]).unwrap(), vec![7; length]);
    }
}

#[test]
fn an_unknown_group_is_a_configuration_error() {
    let directory = tempfile::tempdir().unwrap();
    let mut keys = key_files(directory.path(), &["k1"]);
    keys.group = Some("no-such-group-umpin".to_owned());
    let error = keys.create_active().map(|_| ()).unwrap_err();
    assert_eq!(error.code(), ErrorCode::ConfigurationInvalid);
    assert!(!keys.files["k1"].exists());
}

#[cfg(unix)]
#[test]
fn exposed_keys_are_refused_unless_the_configured_group_reads() {
    use std::os::unix::fs::PermissionsExt;
    let directory = tempfile::tempdir().unwrap();
    let mut keys = key_files(directory.path(), &["k1"]);
    let set = |mode| {
        fs::set_permissions(&keys.files["k1"], fs::Permissions::from_mode(mode)).unwrap();
    };
    write_key(&keys.files["k1"], &[1; 32]);
    set(0o644);
    assert!(refusal(&keys).contains("0644"));
    set(0o640);
    assert!(refusal(&keys).contains("0640"));

    let own = nix::unistd::Group::from_gid(nix::unistd::getegid());
    let own = own.unwrap().unwrap().name;
    let grouped = KeyFiles {
        group: Some(own.clone()),
        ..keys.clone()
    };
    grouped.load().unwrap();
    set(0o660);
    assert!(refusal(&grouped).contains("0660"));

    fs::remove_file(&keys.files["k1"]).unwrap();
    keys.group = Some(own);
    keys.create_active().unwrap();
    let mode = fs::metadata(&keys.files["k1"]).unwrap().permissions().mode();
    assert_eq!(mode & 0o7777, 0o640);
}

#[test]
fn a_key_that_waits_opens_and_takes_the_place_of_the_active_one() {
    let directory = tempfile::tempdir().unwrap();
    let keys = key_files(directory.path(), &["k1"]);
    let old = keys.create_active().unwrap().active();
    let new = keys.create_waiting().unwrap();
    assert_eq!(new.path, directory.path().join(format!("k1.key.{}", new.id)));
    let ring = keys.load().unwrap();
    assert_eq!(ring.key_ids().collect::<Vec<_>>(), [old, new.id]);

    // Interrupted after the first of its two steps, it goes on.
    fs::hard_link(&keys.files["k1"], beside(&keys.files["k1"], old)).unwrap();
    assert_eq!(keys.load().unwrap().active(), old);
    keys.promote(new.id).unwrap();
    keys.promote(new.id).unwrap();
    let ring = keys.load().unwrap();
    assert_eq!(ring.key_ids().collect::<Vec<_>>(), [new.id, old]);
    let files = keys.key_files().unwrap();
    let former = directory.path().join(format!("k1.key.{old}"));
    assert_eq!((files[0].is_configured, files[1].is_configured), (true, false));
    assert_eq!((&files[0].path, &files[1].path), (&keys.files["k1"], &former));

    // The old file can go.
    fs::remove_file(&former).unwrap();
    assert_eq!(keys.load().unwrap().key_ids().count(), 1);

    // A file whose name says something else is not taken for a key.
    write_key(&former, &[5; 32]);
    assert!(refusal(&keys).contains("another key"));
    fs::rename(&former, directory.path().join("k1.key.backup")).unwrap();
    keys.load().unwrap();
}

#[test]
fn whoever_reads_while_keys_are_exchanged_finds_both() {
    let directory = tempfile::tempdir().unwrap();
    let keys = key_files(directory.path(), &["k1"]);
    let first = keys.create_active().unwrap().active();
    let second = keys.create_waiting().unwrap().id;
    let done = AtomicBool::new(false);
    let loads = AtomicU64::new(0);
    std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            while !done.load(Ordering::Acquire) {
                let mut ids: Vec<_> = keys.load().unwrap().key_ids().collect();
                ids.sort();
                let mut both = [first, second];
                both.sort();
                assert_eq!(ids, both, "a key was missed while it was renamed");
                loads.fetch_add(1, Ordering::AcqRel);
            }
        });
        for id in [second, first].into_iter().cycle().take(200) {
            // The former content's name is free again once its file has got the active name.
            keys.promote(id).unwrap();
            // Keys are exchanged once in months: no load sees two exchanges.
            let before = loads.load(Ordering::Acquire);
            while loads.load(Ordering::Acquire) < before + 2 && !reader.is_finished() {
                std::thread::yield_now();
            }
        }
        done.store(true, Ordering::Release);
        reader.join().unwrap();
    });
}

#[cfg(unix)]
#[test]
fn a_dangling_link_is_an_absent_key_not_a_place_for_a_new_one() {
    let directory = tempfile::tempdir().unwrap();
    let keys = key_files(directory.path(), &["k1"]);
    let target = directory.path().join("elsewhere");
    std::os::unix::fs::symlink(&target, &keys.files["k1"]).unwrap();
    let error = keys.create_active().map(|_| ()).unwrap_err();
    assert_eq!(error.code(), ErrorCode::KeyUnavailable);
    assert!(!target.exists());
    write_key(&target, &[1; 32]);
    keys.load().unwrap();
}
