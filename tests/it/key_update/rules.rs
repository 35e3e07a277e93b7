//! Requests, and keys that cannot be replaced.

use std::fs;
use std::sync::Arc;

use serde_json::json;
use umpin::cancellation::Cancellation;
use umpin::clock::SystemClock;
use umpin::service::key_update::KeyUpdateRequest;

use super::fixture;
use super::update::{step, update};
use crate::support::{Store, open, request};

#[test]
fn requests_are_checked() {
    let store = Store::with_people();
    for (fields, id) in [
        (json!({ "newKeyOnly": true, "resealOnly": true }), "InvalidArgument"),
        (json!({ "perSecond": 0 }), "InvalidArgument"),
        (json!({ "perSecond": 10_001 }), "InvalidArgument"),
        (json!({ "after": "x" }), "InvalidRequest"),
        (json!({ "fast": true }), "InvalidRequest"),
    ] {
        let error = step(&store.session, &fields).expect_err("refused");
        assert_eq!(format!("{:?}", error.code()), id, "{fields}");
    }
}

#[test]
fn a_store_without_anything_sealed_needs_no_new_key() {
    let store = Store::empty();
    let error = step(&store.session, &json!({})).unwrap_err();
    assert_eq!(error.code().id(), "DirectoryUnavailable", "{error}");
    assert!(!store.path("umpin.key").exists() && !store.path("directory.db").exists());
}

#[test]
fn a_step_that_was_called_off_in_time_changes_nothing() {
    let store = Store::with_people();
    store
        .reset(json!({ "identity": "kakers", "sendEmail": false }), None)
        .unwrap();
    let key = fs::read(store.path("umpin.key")).unwrap();
    let service = fixture::cheap_service(store.directory.path(), Arc::new(SystemClock));
    let cancelled = || {
        let cancellation = Cancellation::new();
        assert!(cancellation.cancel());
        cancellation
    };
    let mut request = KeyUpdateRequest {
        cancellation: cancelled(),
        ..KeyUpdateRequest::default()
    };
    let error = service.update_key(&request).unwrap_err();
    assert_eq!(error.code().id(), "Cancelled");
    assert_eq!(fs::read(store.path("umpin.key")).unwrap(), key);
    request.cancellation = Cancellation::default();
    request.after = service.update_key(&request).unwrap().next;
    let sealed = store.record("kakers").1;
    request.cancellation = cancelled();
    service.update_key(&request).unwrap_err();
    assert_eq!(store.record("kakers").1, sealed);
    assert_eq!(update(&store.session, json!({})).unwrap()["complete"], true);
}

/// A second process, or host, that lacks the new key: it says which one, and writes nothing.
#[test]
fn a_process_without_the_new_key_names_it_and_overwrites_nothing() {
    let store = Store::with_people();
    store
        .reset(json!({ "identity": "tonysmith", "sendEmail": false }), Some("580291"))
        .unwrap();
    let old = fs::read(store.path("umpin.key")).unwrap();
    let done = update(&store.session, json!({})).unwrap();
    let key = done["keyId"].as_str().unwrap();
    let sealed = store.record("tonysmith").1;

    let elsewhere = tempfile::tempdir().unwrap();
    let write =
        |path: &std::path::Path, bytes: &[u8]| umpin::platform::files::write_atomically(path, bytes, None).unwrap();
    write(&elsewhere.path().join("umpin.key"), &old);
    let config = elsewhere.path().join("umpin.json");
    let text = json!({
        "directory": { "type": "embedded", "path": store.path("directory.db") },
        "keys": { "active": "k1", "k1": "umpin.key" },
    });
    fs::write(&config, text.to_string()).unwrap();
    let asked = json!({ "v": 1, "dataDirectory": elsewhere.path(), "configFile": config });
    let session = crate::support::try_open(&asked).unwrap();
    let refused = |what: &str| {
        for identity in ["tonysmith", "kakers"] {
            let fields = json!({ "identity": identity, "sendEmail": false });
            let error = crate::support::reset(&session, fields, None).err().expect(what);
            assert_eq!(error.code().id(), "KeyUnavailable", "{what}: {error}");
            assert!(error.message().contains(key), "{what}: {error}");
        }
        let error = super::attempt::sign_in(&session, "tonysmith", "580291").expect_err(what);
        assert!(error.message().contains(key), "{what}: {error}");
    };
    refused("the new key is missing");
    // Another key under the new one's name is no key.
    let beside = elsewhere.path().join(format!("umpin.key.{key}"));
    write(&beside, &[9; 32]);
    let error = crate::support::reset(&session, json!({ "identity": "kakers", "sendEmail": false }), None)
        .err()
        .unwrap();
    assert_eq!(error.code().id(), "KeyUnavailable");
    assert!(error.message().contains(key), "{error}");
    assert_eq!(store.record("tonysmith").1, sealed);
    assert!(
        request(
            &store.session,
            &json!({ "v": 1, "operation": "pinInfo", "identity": "kakers" })
        )
        .unwrap()["items"][0]["lastSet"]
            .is_null()
    );

    // With it, in the same session, everything works: no file is renamed here.
    write(&beside, &fs::read(store.path("umpin.key")).unwrap());
    crate::support::reset(&session, json!({ "identity": "kakers", "sendEmail": false }), None).unwrap();
    let answer = super::attempt::sign_in(&session, "tonysmith", "580291").unwrap();
    assert_eq!(super::attempt::outcome(&answer), "changeRequired");
    drop(open(store.directory.path()));
}

#[cfg(unix)]
#[test]
fn the_new_key_has_the_mode_of_a_key_and_belongs_to_whom_the_old_one_belongs() {
    use std::os::unix::fs::{MetadataExt, chown};
    let store = Store::with_people();
    store
        .reset(json!({ "identity": "kakers", "sendEmail": false }), None)
        .unwrap();
    let root = nix::unistd::geteuid().is_root();
    if root {
        // As a service account has it, for which root updates the key.
        chown(store.directory.path(), Some(4242), None).unwrap();
        for entry in fs::read_dir(store.directory.path()).unwrap() {
            chown(entry.unwrap().path(), Some(4242), None).unwrap();
        }
    }
    let owner = fs::metadata(store.path("umpin.key")).unwrap().uid();
    update(&store.session, json!({})).unwrap();
    let metadata = fs::metadata(store.path("umpin.key")).unwrap();
    assert_eq!((metadata.mode() & 0o7777, metadata.uid()), (0o600, owner));
}
