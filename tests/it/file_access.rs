//! Owners and modes of store, key, pickup folder and data folder, taken together; and keys that were replaced.
#![cfg(unix)]

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::path::Path;

use crate::support::{PEOPLE, Store, open, request, reset};
use nix::unistd::{Group, Uid, User};
use serde_json::{Value, json};
use umpin::ErrorCode;
use umpin::session::{Session, SharedError};

/// An account that has no name and is a member of nothing.
const STRANGER: u32 = 3_999_998;

fn mode(path: &Path) -> u32 {
    fs::metadata(path).expect("metadata").mode() & 0o7777
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("a new mode");
}

fn status(session: &Session) -> Result<Value, SharedError> {
    request(session, &json!({ "v": 1, "operation": "status" }))
}

/// Every way in: a look, a reset, an attempt to sign in.
#[track_caller]
fn refused(store: &Store, code: ErrorCode, says: &[&str]) {
    let before = contents(store.directory.path());
    let session = open(store.directory.path());
    let tony = json!({ "v": 1, "identity": "tonysmith@contoso.com" });
    for (what, error) in [
        ("status", status(&session).err()),
        ("reset", reset(&session, tony, None).err()),
    ] {
        let error = error.unwrap_or_else(|| panic!("{what} went through: look at the checks of owner and mode"));
        assert_eq!(error.code(), code, "{what}: {error:?}");
        for text in says {
            assert!(
                error.message().contains(text),
                "{what}: {} lacks {text}",
                error.message()
            );
        }
        assert!(
            error.recommended_action().len() > 20,
            "{what}: {}",
            error.recommended_action()
        );
    }
    drop(session);
    assert_eq!(
        contents(store.directory.path()),
        before,
        "a refused command wrote something"
    );
}

fn contents(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut all: Vec<_> = ["directory.db", "umpin.key"]
        .iter()
        .filter_map(|name| Some(((*name).to_owned(), fs::read(folder.join(name)).ok()?)))
        .collect();
    all.sort();
    all
}

fn with_pin() -> Store {
    let store = Store::with_people();
    store
        .reset(json!({ "v": 1, "identity": "tonysmith@contoso.com" }), None)
        .expect("a reset");
    store
}

#[test]
fn a_folder_that_everybody_writes_in_is_refused() {
    let store = with_pin();
    for open_mode in [0o777, 0o1777, 0o703] {
        set_mode(store.directory.path(), open_mode);
        let text = format!("{open_mode:04o}");
        refused(&store, ErrorCode::StoreExposed, &["everybody", &text]);
    }
    set_mode(store.directory.path(), 0o755);
    status(&open(store.directory.path())).expect("readable names are no matter");
}

#[test]
fn a_store_that_everybody_writes_is_refused() {
    let store = with_pin();
    set_mode(&store.path("directory.db"), 0o606);
    refused(&store, ErrorCode::StoreExposed, &["directory.db", "0606"]);
}

#[test]
fn no_store_and_no_key_is_made_in_an_open_folder() {
    let store = Store::empty();
    set_mode(store.directory.path(), 0o777);
    let error = store.import(PEOPLE).expect_err("a refusal");
    assert!(
        matches!(error.code(), ErrorCode::StoreExposed | ErrorCode::KeyUnavailable),
        "{error:?}"
    );
    assert!(error.message().contains("everybody"), "{error:?}");
    for name in ["directory.db", "umpin.key", "pickup"] {
        assert!(!store.path(name).exists(), "{name} was made");
    }
}

#[test]
fn a_pickup_folder_that_others_write_in_takes_no_message() {
    let store = with_pin();
    set_mode(&store.path("pickup"), 0o777);
    let before = store.record("tonysmith@contoso.com").1;
    let tony = json!({ "v": 1, "identity": "tonysmith@contoso.com" });
    let error = store.reset(tony.clone(), None).err().expect("a refusal");
    assert_eq!(error.code(), ErrorCode::NotificationUnavailable, "{error:?}");
    assert!(
        error.message().contains("everybody") && error.message().contains("pickup"),
        "{error:?}"
    );
    assert_eq!(store.record("tonysmith@contoso.com").1, before, "nothing is changed");
    set_mode(&store.path("pickup"), 0o755);
    store.reset(tony.clone(), None).expect("mended");
}

#[test]
fn a_replaced_key_is_noticed_where_only_the_audit_tells() {
    // Imports leave audit entries and no record.
    let store = Store::with_people();
    let key = store.path("umpin.key");
    assert!(key.exists());
    let right = fs::read(&key).expect("the key");
    fs::write(&key, [7; 32]).expect("another key");
    refused(&store, ErrorCode::KeyUnavailable, &["audit log", "not configured"]);
    let session = open(store.directory.path());
    let file = store.path("again.csv");
    fs::write(&file, PEOPLE.replace("Jeff Hay,OU", "Jeff B. Hay,OU")).expect("a file");
    let error = request(&session, &json!({ "v": 1, "operation": "import", "path": file })).expect_err("a refusal");
    assert_eq!(error.code(), ErrorCode::KeyUnavailable, "{error:?}");
    fs::write(&key, right).expect("the right key");
    status(&open(store.directory.path())).expect("the right key is back");
}

/// Only root can give files away.
mod needs_root {
    use super::*;

    #[test]
    fn a_key_of_somebody_else_is_refused() {
        let store = with_pin();
        chown(store.path("umpin.key"), Some(STRANGER), None).expect("chown");
        refused(&store, ErrorCode::KeyUnavailable, &["umpin.key", "3999998"]);
        chown(store.path("umpin.key"), Some(0), None).expect("chown");
        status(&open(store.directory.path())).expect("mended, it works");
    }

    #[test]
    fn a_store_of_somebody_else_is_refused() {
        let store = with_pin();
        chown(store.path("directory.db"), Some(STRANGER), None).expect("chown");
        refused(&store, ErrorCode::StoreExposed, &["directory.db", "3999998"]);
    }

    #[test]
    fn a_pickup_folder_of_somebody_else_takes_no_message() {
        let store = with_pin();
        chown(store.path("pickup"), Some(STRANGER), None).expect("chown");
        let tony = json!({ "v": 1, "identity": "tonysmith@contoso.com" });
        let error = store.reset(tony, None).err().expect("a refusal");
        assert_eq!(error.code(), ErrorCode::NotificationUnavailable, "{error:?}");
        assert!(error.message().contains("3999998"), "{error:?}");
    }

    /// What root does in the store of a service's account leaves that account in possession.
    #[test]
    fn root_leaves_the_store_of_an_account_to_that_account() {
        let store = Store::empty();
        chown(store.directory.path(), Some(STRANGER), None).expect("chown");
        store.import(PEOPLE).expect("an import by root");
        store
            .reset(json!({ "v": 1, "identity": "tonysmith@contoso.com" }), None)
            .expect("a reset by root");
        for name in [
            "directory.db",
            "directory.db.lock",
            "directory.db.gate",
            "umpin.key",
            "pickup",
        ] {
            let owner = fs::metadata(store.path(name)).expect(name).uid();
            assert_eq!(owner, STRANGER, "{name} is not the account's");
        }
        for message in fs::read_dir(store.path("pickup")).expect("messages") {
            let message = message.expect("an entry");
            assert_eq!(
                message.metadata().expect("metadata").uid(),
                STRANGER,
                "{:?}",
                message.path()
            );
        }
        status(&open(store.directory.path())).expect("and it stays usable");
    }

    /// A group that every system has, with an account of the same name.
    fn any_group() -> Group {
        Group::from_name("daemon")
            .expect("the groups can be read")
            .expect("the group daemon")
    }

    #[test]
    fn a_service_group_gets_into_what_is_made_for_it() {
        let group = any_group();
        let folder = tempfile::tempdir().expect("a folder");
        set_mode(folder.path(), 0o755);
        let config = folder.path().join("umpin.json");
        import_and_reset(&group, &config, &folder.path().join("srv/umpin"));
        shared_as(
            &group,
            folder.path(),
            &[
                ("srv", 0o750),
                ("srv/umpin", 0o2770),
                ("srv/umpin/directory.db", 0o660),
                ("srv/umpin/directory.db.lock", 0o660),
                ("srv/umpin/umpin.key", 0o640),
                ("srv/umpin/pickup", 0o2770),
            ],
        );
        a_member_resets(&group, &config, folder.path(), &folder.path().join("srv/umpin/pickup"));
    }

    /// Made by an administrator for this, as `mktemp -d` or `umask 077; mkdir` make one, with the configuration in it.
    #[test]
    fn a_service_group_gets_into_a_new_folder_with_the_configuration() {
        let group = any_group();
        let above = tempfile::tempdir().expect("a folder");
        set_mode(above.path(), 0o755);
        let data = above.path().join("umpin");
        fs::create_dir(&data).expect("a folder");
        set_mode(&data, 0o700);
        let config = data.join("umpin.json");
        import_and_reset(&group, &config, &data);
        set_mode(&config, 0o644);
        let modes = [
            ("umpin", 0o2770),
            ("umpin/directory.db", 0o660),
            ("umpin/umpin.key", 0o640),
            ("umpin/pickup", 0o2770),
        ];
        shared_as(&group, above.path(), &modes);
        a_member_resets(&group, &config, above.path(), &data.join("pickup"));
    }

    fn import_and_reset(group: &Group, config: &Path, data: &Path) {
        fs::write(
            config,
            json!({ "serviceGroup": group.name,
            "directory": { "type": "embedded", "path": data.join("directory.db") },
            "keys": { "active": "k1", "k1": data.join("umpin.key") },
            "notification": { "type": "pickup", "directory": data.join("pickup") } })
            .to_string(),
        )
        .expect("a configuration");
        let people = config.with_file_name("people.csv");
        fs::write(&people, PEOPLE).expect("a file");
        let request_text = json!({ "v": 1, "configFile": config, "dataDirectory": "/nonexistent" }).to_string();
        let session = Session::open(request_text.as_bytes()).expect("a session");
        request(&session, &json!({ "v": 1, "operation": "import", "path": people })).expect("an import");
        reset(&session, json!({ "v": 1, "identity": "tonysmith@contoso.com" }), None).expect("a reset");
    }

    fn shared_as(group: &Group, folder: &Path, modes: &[(&str, u32)]) {
        for (name, expected) in modes {
            let path = folder.join(name);
            let found = fs::metadata(&path).expect(name);
            assert_eq!(found.gid(), group.gid.as_raw(), "the group of {name}");
            assert_eq!(mode(&path), *expected, "the mode of {name}");
        }
    }

    /// As an account that has the rights of the group and no others: `daemon` is a member of its own group on every system.
    fn a_member_resets(group: &Group, config: &Path, folder: &Path, pickup: &Path) {
        let user = User::from_name("daemon")
            .expect("the accounts can be read")
            .expect("the account daemon");
        assert_eq!(user.gid, group.gid, "the test takes daemon for a member of daemon");
        assert_ne!(user.uid, Uid::from_raw(0));
        let program = std::env::current_exe().expect("this program");
        // Where accounts other than root can run it.
        let copy = folder.join("member");
        fs::copy(program, &copy).expect("a copy");
        set_mode(&copy, 0o755);
        let output = std::process::Command::new("setpriv")
            .args(["--reuid=daemon", "--regid=daemon", "--clear-groups", "--"])
            .arg(&copy)
            .args([
                "--exact",
                "file_access::needs_root::as_a_member",
                "--ignored",
                "--nocapture",
            ])
            .env("UMPIN_TEST_CONFIG", config)
            .current_dir("/")
            .output();
        let output = output.expect("setpriv (util-linux) runs");
        let said = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && said.contains("1 passed"), "{said}");
        for message in fs::read_dir(pickup).expect("messages") {
            let path = message.expect("an entry").path();
            assert_eq!(
                fs::metadata(&path).expect("metadata").gid(),
                group.gid.as_raw(),
                "{path:?}"
            );
        }
    }

    #[test]
    #[ignore = "run by a_service_group_gets_into_what_is_made_for_it, as another account"]
    fn as_a_member() {
        let config = std::env::var("UMPIN_TEST_CONFIG").expect("run by another test");
        let request_text = json!({ "v": 1, "configFile": config, "dataDirectory": "/nonexistent" }).to_string();
        let session = Session::open(request_text.as_bytes()).expect("a session");
        status(&session).expect("the group gets in");
        reset(&session, json!({ "v": 1, "identity": "tonysmith@contoso.com" }), None).expect("a reset by a member");
    }
}
