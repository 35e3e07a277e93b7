//! Broken records, keys, stores, configurations, import files and pickup directories: each is told by its id and its path, and
//! changes nothing.

#[cfg(target_os = "linux")]
mod needs_mount;

use std::fs;
use std::path::Path;

use crate::support;
use crate::support::faults::{
    Broken, FAULTS, Fault, KIM, OLD_PINS, OPERATIONS, Snapshot, Stops, TONY, everything_said,
};
use crate::support::{messages, open, read_record, request, reset, try_open};
use serde_json::{Value, json};
use umpin::ErrorCode;
use umpin::session::SharedError;

fn refusal(result: Result<Value, SharedError>, what: &str) -> SharedError {
    match result {
        Ok(value) => panic!("{what} should have been refused, but gave {value}"),
        Err(error) => error,
    }
}

fn assert_names(error: &SharedError, path: &Path, what: &str) {
    assert!(
        error.message().contains(&*path.to_string_lossy()),
        "{what}: the message does not name {}: {}",
        path.display(),
        error.message()
    );
}

fn check(fault: &Fault) {
    let broken = Broken::new();
    (fault.inflict)(&broken);
    let before = Snapshot::of(broken.home.path());
    for (name, operation) in OPERATIONS {
        let what = format!("{}, {name}", fault.name);
        let result = operation(&broken.session(), "7391846205");
        let silent = !matches!(*name, "whatIf" | "generate" | "set");
        if fault.stops == Stops::Mail && silent {
            assert!(result.is_ok(), "{what}: no message is needed");
            continue;
        }
        let error = refusal(result, &what);
        assert_eq!(error.code(), fault.code, "{what}: {error:?}");
        assert_names(&error, &broken.path(fault.names), &what);
        if fault.stops == Stops::Everything {
            assert_eq!(Snapshot::of(broken.home.path()), before, "{what} left something behind");
        } else {
            assert!(messages(&broken.path("pickup")).len() <= 1, "{what} delivered");
        }
    }
}

macro_rules! fault_tests {
    ($($test:ident = $range:expr;)*) => {$(
        #[test]
        fn $test() {
            FAULTS.iter().filter(|f| $range(f.code)).for_each(check);
        }
    )*};
}

// In groups, so that they run side by side.
fault_tests! {
    a_damaged_store_stops_everything = |code| code == ErrorCode::StoreCorrupt;
    an_unusable_key_stops_everything = |code| code == ErrorCode::KeyUnavailable;
    no_store_or_one_that_is_not_for_us_stops_everything =
        |code| matches!(code, ErrorCode::DirectoryUnavailable | ErrorCode::ConfigurationInvalid);
    an_unusable_pickup_directory_stops_what_mails = |code| code == ErrorCode::NotificationUnavailable;
}

#[test]
fn every_fault_has_its_test() {
    use ErrorCode::{
        ConfigurationInvalid, DirectoryUnavailable, KeyUnavailable, NotificationUnavailable, StoreCorrupt,
    };
    for fault in FAULTS {
        assert!(
            [
                StoreCorrupt,
                KeyUnavailable,
                DirectoryUnavailable,
                ConfigurationInvalid,
                NotificationUnavailable
            ]
            .contains(&fault.code),
            "{}",
            fault.name
        );
    }
}

/// Also the mailboxes that a fault does not touch: the key is gone for all of them.
#[test]
fn a_lost_key_is_never_replaced_while_anything_is_sealed() {
    for (missing, name) in [(true, "missing"), (false, "wrong")] {
        let broken = Broken::new();
        // A mailbox that never had a PIN has nothing that could fail to open.
        broken.sql("DELETE FROM credential WHERE mailbox = (SELECT id FROM mailbox WHERE name = 'Kim Akers')");
        let key = broken.path("umpin.key");
        fs::remove_file(&key).unwrap();
        if !missing {
            fs::write(&key, [7; 32]).unwrap();
            private(&key);
        }
        let before = Snapshot::of(broken.home.path());
        for fields in [
            json!({ "identity": KIM, "sendEmail": false }),
            json!({ "identity": KIM, "notifyEmail": "help@contoso.com" }),
            json!({ "identity": KIM, "keepPin": true, "lockedOut": true }),
        ] {
            let result = reset(&broken.session(), fields, None).map(|r| r.response);
            let error = refusal(result, name);
            assert_eq!(error.code(), ErrorCode::KeyUnavailable, "{name}: {error:?}");
        }
        let status = request(&broken.session(), &json!({ "v": 1, "operation": "status" }));
        assert_eq!(refusal(status, name).code(), ErrorCode::KeyUnavailable, "{name}");
        assert_eq!(Snapshot::of(broken.home.path()), before, "{name}");
    }
}

fn private(path: &Path) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
    }
    #[cfg(not(unix))]
    let _ = path;
}

#[test]
fn the_key_put_back_makes_everything_work_again() {
    let broken = Broken::new();
    fs::rename(broken.path("umpin.key"), broken.path("saved.key")).unwrap();
    let session = broken.session();
    let refused = reset(&session, json!({ "identity": TONY }), None).map(|r| r.response);
    assert_eq!(refusal(refused, "no key").code(), ErrorCode::KeyUnavailable);
    fs::rename(broken.path("saved.key"), broken.path("umpin.key")).unwrap();
    reset(&session, json!({ "identity": TONY }), None).expect("the same session finds the key again");
}

#[test]
fn a_fault_of_one_mailbox_is_no_fault_of_another() {
    let broken = Broken::new();
    broken.set_record("Tony Smith", b"");
    let session = broken.session();
    request(&session, &json!({ "v": 1, "operation": "status" })).expect("the store as such is sound");
    reset(&session, json!({ "identity": KIM, "sendEmail": false }), Some("263815")).expect("Kim's is sound");
    let all = request(&session, &json!({ "v": 1, "operation": "pinInfo" })).expect("a listing");
    let ids: Vec<&Value> = all["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|i| &i["error"]["id"])
        .collect();
    assert_eq!(ids, [&json!("StoreCorrupt"), &Value::Null]);
}

#[test]
fn no_flipped_bit_and_no_cut_of_a_record_goes_unnoticed() {
    let broken = Broken::new();
    let sound = broken.record_of("Tony Smith");
    let store = rusqlite::Connection::open(broken.path("directory.db")).unwrap();
    let session = broken.session();
    let try_record = |record: &[u8], what: &str| {
        store
            .execute(
                "UPDATE credential SET record = ?1 WHERE mailbox = (SELECT id FROM mailbox WHERE name = 'Tony Smith')",
                [record],
            )
            .unwrap();
        let info = request(&session, &json!({ "v": 1, "operation": "pinInfo", "identity": TONY }));
        let code = refusal(info, what).code();
        assert!(
            matches!(code, ErrorCode::StoreCorrupt | ErrorCode::KeyUnavailable),
            "{what}: {code:?}"
        );
    };
    for at in 0..sound.len() {
        let mut record = sound.clone();
        record[at] ^= 1 << (at % 8);
        try_record(&record, &format!("a bit flipped in byte {at}"));
        try_record(&sound[..at], &format!("cut off after {at} bytes"));
    }
    let mut longer = sound.clone();
    longer.push(0);
    try_record(&longer, "a byte too many");
}

#[test]
fn garbage_in_the_log_is_not_taken_for_changes() {
    let broken = Broken::new();
    let before = support::faults::dump(&broken.path("directory.db"));
    for garbage in [vec![0x5a; 8192], vec![0; 4152], b"x".to_vec()] {
        fs::write(broken.path("directory.db-wal"), garbage).unwrap();
        let info = request(
            &broken.session(),
            &json!({ "v": 1, "operation": "pinInfo", "identity": TONY }),
        );
        assert_eq!(
            info.expect("the store is whole without its log")["items"][0]["lockedOut"],
            false
        );
        assert_eq!(support::faults::dump(&broken.path("directory.db")), before);
    }
    fs::write(broken.path("directory.db-wal"), [0x5a; 8192]).unwrap();
    reset(&broken.session(), json!({ "identity": TONY }), Some("263815")).expect("a reset begins a log of its own");
    read_record(broken.home.path(), TONY);
}

#[test]
fn a_pickup_directory_that_breaks_after_the_check_leaves_the_message_in_the_outbox() {
    let broken = Broken::new();
    let session = broken.session();
    let plan = support::plan(&session, json!({ "identity": TONY }), Some("263815")).unwrap();
    support::target(&plan).expect("all is well yet");
    fs::rename(broken.path("pickup"), broken.path("away")).unwrap();
    fs::write(broken.path("pickup"), b"a file").unwrap();
    let response = support::commit(&plan)
        .expect("the PIN is changed all the same")
        .response;
    assert_eq!(response["notification"], "failed");
    assert_eq!(response["warnings"][0]["id"], "NotificationFailed");
    let message = response["warnings"][0]["message"].as_str().unwrap();
    assert!(message.contains(&*broken.path("pickup").to_string_lossy()), "{message}");
    assert!(!message.contains("263815"));
    let rows = support::faults::dump(&broken.path("directory.db")).unwrap();
    assert_eq!(rows["outbox"].len(), 1);
    assert!(!format!("{rows:?}").contains("263815"));
}

/// Faults of the configuration file, and what the message must name besides the file.
const CONFIGURATIONS: &[(&str, &str)] = &[
    (r#"{ "directroy": {} }"#, "directroy"),
    (
        r#"{ "directory": { "type": "embedded", "paht": "x" } }"#,
        "directory.paht",
    ),
    (
        r#"{ "directory": { "type": "embedded", "path": 7391846205 } }"#,
        "directory.path",
    ),
    (r#"{ "directory": { "type": "7391846205" } }"#, "directory.type"),
    (r#"{ "directory": "embedded" }"#, "directory"),
    (r#"{ "directory": [] }"#, "directory"),
    (
        r#"{ "directory": { "type": "embedded", "path": "" } }"#,
        "directory.path",
    ),
    (
        r#"{ "directory": { "type": "embedded", "timeoutSeconds": -1 } }"#,
        "directory.timeoutSeconds",
    ),
    (r#"{ "audit": { "enabled": "yes" } }"#, "audit.enabled"),
    (
        r#"{ "audit": { "enabled": true }, "audit": { "enabled": false } }"#,
        "audit",
    ),
    (r#"{ "keys": { "active": "k2", "k1": "umpin.key" } }"#, "active"),
    (r#"{ "keys": { "k1": "umpin.key" } }"#, "active"),
    (
        r#"{ "notification": { "type": "pickup", "from": "a@contoso.com, b@contoso.com" } }"#,
        "notification.from",
    ),
    (
        r#"{ "notification": { "type": "pickup", "password": "7391846205" } }"#,
        "notification.password",
    ),
    (r#"{ "defaultScope": "///" }"#, "defaultScope"),
    (r#"{ "defaultScope": "garbage" }"#, "defaultScope"),
    (r#"{ "serviceGroup": "no-such-group-umpin" }"#, "no-such-group-umpin"),
    (r#"{ "directory": {"#, "JSON"),
    ("", "empty"),
    ("   \n", "empty"),
    ("password=7391846205", "JSON"),
    ("[]", "object"),
    ("null", "object"),
    (r#"{} {"#, "JSON"),
    ("\u{0}\u{1}\u{2}", "not text"),
];

#[test]
fn faults_of_the_configuration_name_file_and_key_but_no_value() {
    let broken = Broken::new();
    let file = broken.path("umpin.json");
    let before = Snapshot::of(broken.home.path());
    let refused = |what: &str, names: &str| {
        let open = json!({ "v": 1, "dataDirectory": broken.home.path(), "configFile": file });
        let Err(error) = try_open(&open) else {
            panic!("{what} was accepted")
        };
        let error = SharedError::new(error);
        assert_eq!(error.code(), ErrorCode::ConfigurationInvalid, "{what}: {error:?}");
        assert_names(&error, &file, what);
        assert!(error.message().contains(names), "{what}: {}", error.message());
        assert!(!everything_said(&error).contains("7391846205"), "{what}: {error:?}");
    };
    for (text, names) in CONFIGURATIONS {
        fs::write(&file, text).unwrap();
        refused(text, names);
    }
    fs::write(&file, vec![b' '; 70_000]).unwrap();
    refused("70 kB", "64 KiB");
    fs::write(&file, b"{ \"defaultScope\": \"\xff\" }").unwrap();
    refused("not UTF-8", "UTF-8");
    fs::remove_file(&file).unwrap();
    refused("no file", "");
    fs::create_dir(&file).unwrap();
    refused("a directory", "");
    fs::remove_dir(&file).unwrap();
    #[cfg(unix)]
    {
        // Opening one for reading waits for a writer that never comes.
        nix::unistd::mkfifo(&file, nix::sys::stat::Mode::S_IRWXU).unwrap();
        refused("a pipe", "");
        fs::remove_file(&file).unwrap();
        std::os::unix::fs::symlink(&file, &file).unwrap();
        refused("a link to itself", "");
        fs::remove_file(&file).unwrap();
    }
    assert_eq!(Snapshot::of(broken.home.path()), before);
}

#[test]
fn a_configuration_with_a_byte_order_mark_is_read() {
    let broken = Broken::new();
    let file = broken.path("umpin.json");
    let text = r#"{ "directory": { "type": "embedded", "path": "directory.db" }, "keys": { "active": "k1", "k1": "umpin.key" } }"#;
    let mut utf16 = vec![0xff, 0xfe];
    utf16.extend(text.encode_utf16().flat_map(u16::to_le_bytes));
    for bytes in [text.as_bytes().to_vec(), format!("\u{feff}{text}").into_bytes(), utf16] {
        fs::write(&file, bytes).unwrap();
        let elsewhere = tempfile::tempdir().unwrap();
        let session = try_open(&json!({ "v": 1, "dataDirectory": elsewhere.path(), "configFile": file })).unwrap();
        request(&session, &json!({ "v": 1, "operation": "pinInfo", "identity": TONY })).expect("the store named");
    }
}

fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

/// Import files, whether they are refused as a whole (also with skipInvalid), and a text that the message must hold.
fn import_files() -> Vec<(&'static str, Vec<u8>, bool, &'static str)> {
    let sound = "UserPrincipalName,Name\nanna@contoso.com,Anna\n";
    vec![
        ("empty.csv", vec![], true, "empty"),
        ("blank.csv", b" \r\n\r\n".to_vec(), true, "empty"),
        (
            "binary.csv",
            [0_u8, 159, 146, 150, 0, 1, 2].repeat(50),
            true,
            "not text",
        ),
        (
            "picture.csv",
            b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR".to_vec(),
            true,
            "not text",
        ),
        ("utf16-without-mark.csv", utf16(sound), true, "not text"),
        (
            "utf16-cut.csv",
            [vec![0xff, 0xfe], utf16(sound), vec![65]].concat(),
            true,
            "UTF-16",
        ),
        (
            "latin1.csv",
            b"UserPrincipalName,Name\nanna@contoso.com,Zo\xeb\n".to_vec(),
            true,
            "line 2",
        ),
        (
            "other-columns.csv",
            b"Foo,Bar\n1,2\n".to_vec(),
            true,
            "DistinguishedName",
        ),
        (
            "missing-column.csv",
            b"Name,Alias\nAnna,anna\n".to_vec(),
            true,
            "DistinguishedName",
        ),
        (
            "twice.csv",
            b"Name,UserPrincipalName,name\nAnna,a@contoso.com,B\n".to_vec(),
            true,
            "twice",
        ),
        (
            "unterminated.csv",
            b"UserPrincipalName,Name\nanna@contoso.com,\"Anna\nkim@contoso.com,Kim\n".to_vec(),
            true,
            "never closed",
        ),
        (
            "bad-row.csv",
            format!("{sound}kim@contoso.com\n").into_bytes(),
            false,
            "line 3",
        ),
        (
            "bad-guid.csv",
            b"UserPrincipalName,Name,Guid\na@contoso.com,A,\nb@contoso.com,B,7\n".to_vec(),
            false,
            "line 3",
        ),
        ("unknown.txt", sound.as_bytes().to_vec(), true, ".csv"),
        ("none", sound.as_bytes().to_vec(), true, ".csv"),
        ("empty.ldf", vec![], true, "empty"),
        ("csv.ldf", sound.as_bytes().to_vec(), true, ""),
        (
            "base64.ldf",
            b"dn:: !!!!\nobjectClass: user\n".to_vec(),
            false,
            "line 1",
        ),
    ]
}

#[test]
fn an_import_file_that_cannot_be_used_changes_nothing() {
    let broken = Broken::new();
    let files = tempfile::tempdir().unwrap();
    let before = Snapshot::of(broken.home.path());
    let session = broken.session();
    for (name, bytes, whole, names) in import_files() {
        let path = files.path().join(name);
        fs::write(&path, bytes).unwrap();
        for (skip, dry) in [(false, false), (false, true), (true, false)] {
            if skip && !whole {
                continue;
            }
            let fields = json!({ "v": 1, "operation": "import", "path": path, "skipInvalid": skip, "whatIf": dry });
            let error = refusal(request(&session, &fields), name);
            assert_eq!(error.code(), ErrorCode::ImportInvalid, "{name}: {error:?}");
            assert_names(&error, &path, name);
            assert!(error.message().contains(names), "{name}: {}", error.message());
        }
    }
    for name in ["missing.csv", "folder.csv"] {
        let path = files.path().join(name);
        if name == "folder.csv" {
            fs::create_dir(&path).unwrap();
        }
        let error = refusal(
            request(&session, &json!({ "v": 1, "operation": "import", "path": path })),
            name,
        );
        assert_eq!(error.code(), ErrorCode::ImportInvalid, "{name}: {error:?}");
        assert_names(&error, &path, name);
    }
    assert_eq!(Snapshot::of(broken.home.path()), before);
}

#[test]
fn a_header_without_rows_imports_nothing() {
    let broken = Broken::new();
    let mailboxes = support::faults::dump(&broken.path("directory.db")).unwrap()["mailbox"].clone();
    let files = tempfile::tempdir().unwrap();
    let path = files.path().join("header.csv");
    fs::write(&path, "UserPrincipalName,Name\n").unwrap();
    let counts = request(
        &broken.session(),
        &json!({ "v": 1, "operation": "import", "path": path }),
    )
    .unwrap();
    assert_eq!(counts["mailboxesCreated"], 0);
    assert_eq!(
        support::faults::dump(&broken.path("directory.db")).unwrap()["mailbox"],
        mailboxes
    );
}

#[test]
fn one_bad_row_stops_the_import_unless_it_may_be_skipped() {
    let broken = Broken::new();
    let files = tempfile::tempdir().unwrap();
    let path = files.path().join("mixed.csv");
    let rows = "UserPrincipalName,Name,UMEnabled\n\
        anna@contoso.com,Anna,True\nbad@contoso.com,Bad,perhaps\nzoe@contoso.com,Zoe,False\n";
    fs::write(&path, rows).unwrap();
    let before = Snapshot::of(broken.home.path());
    let session = broken.session();
    let import = |skip: bool| {
        request(
            &session,
            &json!({ "v": 1, "operation": "import", "path": path, "skipInvalid": skip }),
        )
    };
    let error = refusal(import(false), "a bad row");
    assert_eq!(error.code(), ErrorCode::ImportInvalid);
    assert_eq!(error.details()["count"], 1);
    assert_eq!(error.details()["problems"][0]["line"], 3);
    assert_eq!(Snapshot::of(broken.home.path()), before);

    let counts = import(true).expect("the rest is imported");
    assert_eq!(counts["mailboxesCreated"], 2);
    assert_eq!(counts["skipped"][0]["line"], 3);
    read_record(broken.home.path(), TONY);
    let names: Vec<String> = support::faults::dump(&broken.path("directory.db")).unwrap()["mailbox"].clone();
    assert!(!names.iter().any(|row| row.contains("bad@contoso.com")));
}

#[test]
fn a_refused_first_import_makes_no_store() {
    let home = tempfile::tempdir().unwrap();
    let files = tempfile::tempdir().unwrap();
    let path = files.path().join("bad.csv");
    fs::write(&path, "UserPrincipalName,Name,Guid\na@contoso.com,A,7\n").unwrap();
    let session = open(home.path());
    let refused = request(&session, &json!({ "v": 1, "operation": "import", "path": path }));
    assert_eq!(refusal(refused, "a bad row").code(), ErrorCode::ImportInvalid);
    assert_eq!(fs::read_dir(home.path()).unwrap().count(), 0);
}

#[test]
fn the_old_pins_are_in_force_after_all_this() {
    let broken = Broken::new();
    for (identity, pin) in [(TONY, OLD_PINS[0]), (KIM, OLD_PINS[1])] {
        let again = reset(
            &broken.session(),
            json!({ "identity": identity, "sendEmail": false }),
            Some(pin),
        );
        let error = refusal(again.map(|r| r.response), identity);
        assert_eq!(error.details()["rules"], json!(["History"]));
    }
}
