//! The check of the configuration on the embedded directory, as a C program asks for it: what is broken is a result.

use std::fs;
use std::path::Path;

use crate::support;
use crate::support::{Store, messages, open, request};
use serde_json::{Value, json};
use umpin::ErrorCode;
use umpin::session::Session;

const TONY: &str = "tonysmith@contoso.com";

fn checks_of(session: &Session, mut fields: Value) -> Vec<Value> {
    fields["v"] = 1.into();
    fields["operation"] = "checkConfiguration".into();
    let answer = request(session, &fields).expect("what is broken is no error");
    let items = answer["items"].as_array().expect("items").clone();
    for item in &items {
        let result = item["result"].as_str().expect("a result");
        assert!(["passed", "warning", "failed", "skipped"].contains(&result), "{item}");
        assert!(
            item["message"].as_str().is_some_and(|text| text.ends_with('.')),
            "{item}"
        );
        let acts = item["recommendedAction"]
            .as_str()
            .is_some_and(|text| text.ends_with('.'));
        assert_eq!(acts, ["warning", "failed"].contains(&result), "{item}");
    }
    let worst = if items.iter().any(|item| item["result"] == "failed") {
        "failed"
    } else if items.iter().any(|item| item["result"] == "warning") {
        "warning"
    } else {
        "passed"
    };
    assert_eq!(answer["result"], worst);
    items
}

fn checks(store: &Store, fields: Value) -> Vec<Value> {
    checks_of(&open(store.directory.path()), fields)
}

#[track_caller]
fn the<'a>(checks: &'a [Value], check: &str, result: &str, says: &str) -> &'a Value {
    let found = checks
        .iter()
        .find(|item| item["check"] == check && item["result"] == result)
        .unwrap_or_else(|| panic!("no {check} that {result}: {checks:#?}"));
    assert!(
        found["message"].as_str().expect("text").contains(says),
        "{found} lacks {says}"
    );
    found
}

/// Every file below the folder with its content.
fn contents(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let mut all = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            all.push((path.display().to_string(), Vec::new()));
            all.extend(contents(&path));
        } else if !path.to_string_lossy().ends_with("-shm") {
            all.push((path.display().to_string(), fs::read(&path).expect("a file")));
        }
    }
    all.sort();
    all
}

fn with_pin() -> Store {
    let store = Store::with_people();
    let fields = json!({ "identity": TONY, "sendEmail": false });
    store.reset(fields, Some("739152")).expect("a reset");
    store
}

#[test]
fn a_sound_store_passes_and_nothing_is_changed() {
    let store = with_pin();
    drop(open(store.directory.path()));
    let before = contents(store.directory.path());
    let checks = checks(&store, json!({}));
    for (check, says) in [
        ("configuration", "defaults"),
        ("directory", "can be read"),
        ("readRights", ""),
        ("writeRights", "may write"),
        ("key", "key can be used"),
        ("clock", "audit log"),
        ("pickupFolder", "can be written"),
        ("files", ""),
    ] {
        the(&checks, check, "passed", says);
    }
    for check in ["domainController", "certificate", "counterAttribute", "testMessage"] {
        the(&checks, check, "skipped", "");
    }
    assert!(!checks.iter().any(|item| item["result"] == "failed"), "{checks:#?}");
    assert_eq!(contents(store.directory.path()), before, "the check changed something");
}

#[test]
fn a_sample_is_tried_by_name() {
    let store = with_pin();
    let checks = checks(&store, json!({ "identity": TONY }));
    the(&checks, "key", "passed", "opens the record of the sample");
    assert_eq!(
        the(&checks, "readRights", "passed", "")["target"],
        "contoso.com/Sales/Tony Smith"
    );
    let checks = self::checks(&store, json!({ "identity": "nobody@contoso.com" }));
    assert_eq!(
        the(&checks, "readRights", "failed", "nobody@contoso.com")["errorId"],
        "ManagementObjectNotFound"
    );
}

#[test]
fn without_a_store_that_is_the_result() {
    let store = Store::empty();
    let checks = checks(&store, json!({}));
    assert_eq!(
        the(&checks, "directory", "failed", "directory.db")["errorId"],
        "DirectoryUnavailable"
    );
    the(&checks, "key", "skipped", "no key yet");
    the(&checks, "files", "skipped", "does not exist yet");
    assert!(contents(store.directory.path()).is_empty(), "the check made something");
}

#[test]
fn every_trouble_with_the_key_is_a_result() {
    let store = with_pin();
    let key = store.path("umpin.key");
    let right = fs::read(&key).expect("the key");
    fs::write(&key, [9; 32]).expect("another key");
    let found = checks(&store, json!({}));
    assert_eq!(
        the(&found, "key", "failed", "sealed under a key")["errorId"],
        "KeyUnavailable"
    );
    the(&found, "directory", "passed", "");
    fs::remove_file(&key).expect("removed");
    let found = checks(&store, json!({}));
    assert_eq!(the(&found, "key", "failed", "umpin.key")["errorId"], "KeyUnavailable");
    assert!(!key.exists(), "a key was made");
    fs::write(&key, right).expect("the key");
}

#[cfg(unix)]
#[test]
fn owners_and_modes_are_results() {
    use std::os::unix::fs::PermissionsExt as _;
    let store = with_pin();
    let set = |path: &Path, mode| fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("a mode");
    set(&store.path("umpin.key"), 0o644);
    let found = checks(&store, json!({}));
    the(&found, "files", "failed", "0644");
    the(&found, "key", "failed", "0644");
    set(&store.path("umpin.key"), 0o600);
    set(store.directory.path(), 0o777);
    let found = checks(&store, json!({}));
    assert_eq!(
        the(&found, "directory", "failed", "everybody")["errorId"],
        "StoreExposed"
    );
    the(&found, "files", "failed", "everybody");
    set(store.directory.path(), 0o700);
    set(&store.path("directory.db"), 0o644);
    the(&checks(&store, json!({})), "files", "warning", "everybody can read");
}

#[cfg(unix)]
#[test]
fn folders_above_are_warned_about() {
    use std::os::unix::fs::PermissionsExt as _;
    let above = tempfile::tempdir().expect("a folder");
    let data = above.path().join("data");
    fs::create_dir(&data).expect("a folder");
    fs::set_permissions(&data, fs::Permissions::from_mode(0o700)).expect("a mode");
    let people = above.path().join("people.csv");
    fs::write(&people, support::PEOPLE).expect("a file");
    let session = open(&data);
    request(&session, &json!({ "v": 1, "operation": "import", "path": people })).expect("an import");
    let status = || request(&session, &json!({ "v": 1, "operation": "status" })).expect("a status");
    assert_eq!(status()["warnings"], json!([]));
    fs::set_permissions(above.path(), fs::Permissions::from_mode(0o777)).expect("a mode");
    let warnings = status()["warnings"].clone();
    assert_eq!(warnings[0]["id"], "FolderExposed", "{warnings}");
    assert!(
        warnings[0]["message"]
            .to_string()
            .contains(&*above.path().to_string_lossy()),
        "{warnings}"
    );
    the(&checks_of(&session, json!({})), "files", "warning", "everybody");
}

#[test]
fn a_test_message_is_the_only_change() {
    let store = with_pin();
    let found = checks(&store, json!({ "notifyEmail": "admin@contoso.com" }));
    assert_eq!(
        the(&found, "testMessage", "passed", "handed over")["target"],
        "admin@contoso.com"
    );
    let left = messages(&store.path("pickup"));
    let [(_, message)] = left.as_slice() else {
        panic!("{left:?}");
    };
    assert!(
        message.contains("To: admin@contoso.com") && message.contains("Subject: Test message"),
        "{message}"
    );
    assert!(!message.contains("739152"), "{message}");
    the(
        &checks(&store, json!({})),
        "pickupFolder",
        "warning",
        "1 are waiting there",
    );
    for address in ["", "no address", "a@contoso.com, b@contoso.com"] {
        let fields = json!({ "v": 1, "operation": "checkConfiguration", "notifyEmail": address });
        let error = request(&store.session, &fields).expect_err(address);
        assert_eq!(error.code(), ErrorCode::InvalidNotifyEmail, "{address}");
    }
}

#[test]
fn a_relay_that_is_not_there_is_a_result() {
    let store = Store::with_people();
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    drop(listener);
    let file = store.path("umpin.json");
    let relay = json!({ "notification": { "type": "smtp", "host": "127.0.0.1", "port": port, "tls": "none", "from": "um@contoso.com" } });
    fs::write(&file, relay.to_string()).expect("a file");
    let session = support::try_open(&json!({ "v": 1, "dataDirectory": store.directory.path(), "configFile": file }));
    let session = session.expect("a session");
    let found = checks_of(&session, json!({ "notifyEmail": "admin@contoso.com" }));
    the(&found, "configuration", "passed", "without faults");
    the(&found, "mailRelay", "failed", "cannot be reached");
    the(&found, "testMessage", "failed", "cannot be reached");
}

#[test]
fn the_request_is_strict() {
    let store = Store::with_people();
    for fields in [
        json!({ "v": 1, "operation": "checkConfiguration", "sample": "x" }),
        json!({ "v": 2, "operation": "checkConfiguration" }),
        json!({ "v": 1, "operation": "checkConfiguration", "alternatives": ["x"] }),
    ] {
        let error = request(&store.session, &fields).expect_err("refused");
        assert_eq!(error.code(), ErrorCode::InvalidRequest, "{fields}");
    }
}
