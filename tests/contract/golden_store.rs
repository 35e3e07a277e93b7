//! A store as version 1 of the format is written: every later version of the library must read it and go on with it.
//!
//! The fixture never changes. `cargo test --test contract golden_store -- --ignored` writes it where it does not exist yet.

use crate::support;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::json;
use umpin::audit::{AuditBatch, AuditEntry};
use umpin::clock::Timestamp;
use umpin::credential::counter::FailureCounter;
use umpin::credential::kdf::{Cost, KdfContext, KdfParams};
use umpin::credential::keyring::KeyRing;
use umpin::credential::master_key::{MasterKey, Purpose};
use umpin::credential::record::{CredentialRecord, NewPin};
use umpin::credential::seal::SealContext;
use umpin::directory::embedded::{EmbeddedDirectory, EmbeddedOptions, LocalOutbox};
use umpin::directory::journal::{ChangeFingerprint, IntentRecord, IntentState, Journal};
use umpin::directory::{Applied, CounterChange, CredentialChange, Directory, Swap};
use umpin::pin::Pin;
use umpin::random::system_rng;

const KEY: &[u8; 32] = b"golden master key, 32 bytes long";
const SET_AT: Timestamp = Timestamp(1_700_000_000_000);
/// No message of the fixture is due before this.
const NEVER: i64 = i64::MAX / 2;

fn fixture() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/store/directory.db")
}

/// The fixture in a folder of its own, with its key.
fn copy() -> tempfile::TempDir {
    let home = tempfile::tempdir().expect("a folder");
    fs::copy(fixture(), home.path().join("directory.db")).expect("the fixture is committed");
    let key = home.path().join("umpin.key");
    fs::write(&key, KEY).expect("the key");
    #[cfg(unix)]
    fs::set_permissions(&key, std::os::unix::fs::PermissionsExt::from_mode(0o600)).expect("its mode");
    home
}

/// Every object of the file, in SQL.
fn schema(path: &Path) -> Vec<String> {
    let connection = rusqlite::Connection::open(path).expect("the store");
    let mut statement = connection
        .prepare("SELECT type, name, tbl_name, coalesce(sql, '') FROM sqlite_schema ORDER BY type, name")
        .expect("the schema");
    let rows = statement.query_map([], |r| {
        let column = |n| r.get::<_, String>(n);
        Ok(format!(
            "{} {} on {}: {}",
            column(0)?,
            column(1)?,
            column(2)?,
            column(3)?
        ))
    });
    rows.expect("rows").map(|row| row.expect("a row")).collect()
}

#[test]
fn a_store_is_made_as_it_always_was() {
    let home = copy();
    let (_made, path) = crate::support::embedded::store(1);
    assert_eq!(
        schema(&path),
        schema(&home.path().join("directory.db")),
        "the tables changed: stores in the field could not be opened any more"
    );
}

#[test]
fn a_store_of_version_1_is_read_and_written() {
    let home = copy();
    let session = support::open(home.path());
    let info = |identity: &str| {
        let asked = json!({ "v": 1, "operation": "pinInfo", "identity": identity });
        support::request(&session, &asked).expect("its state")["items"][0].clone()
    };
    let user = info("user.0@contoso.com");
    assert_eq!(
        (&user["pinExpired"], &user["firstTimeUser"]),
        (&json!(true), &json!(true)),
        "{user}"
    );
    let log = support::request(&session, &json!({ "v": 1, "operation": "audit" })).expect("the log");
    assert_eq!(log["faults"], json!([]), "{log}");
    assert_eq!(
        (&log["chains"][0]["state"], &log["chains"][0]["entries"]),
        (&json!("intact"), &json!(2)),
        "{log}"
    );
    let queue = support::request(&session, &json!({ "v": 1, "operation": "notifications" })).expect("the queue");
    assert_eq!(queue["items"].as_array().map(Vec::len), Some(1), "{queue}");
    let notes = LocalOutbox::new(EmbeddedOptions::new(home.path().join("directory.db")));
    assert_eq!(notes.overwritten().expect("the notes"), [note()]);

    let refused = support::reset(&session, json!({ "identity": "user.0@contoso.com" }), Some("482913"));
    let refused = refused.err().expect("the PIN is in the history");
    assert!(refused.message().contains("History"), "{refused}");
    support::reset(&session, json!({ "identity": "user.0@contoso.com" }), Some("739160")).expect("a reset");
    let log = support::request(&session, &json!({ "v": 1, "operation": "audit" })).expect("the log");
    assert_eq!(log["faults"], json!([]), "{log}");
}

fn note() -> IntentRecord {
    IntentRecord {
        operation: [5; 16],
        action: "reset".to_owned(),
        mailbox: umpin::mailbox::ObjectId([6; 16]),
        controller: Some("dc1.contoso.com".to_owned()),
        fingerprint: ChangeFingerprint::Pin {
            id: [7; 16],
            previous: Some([8; 16]),
        },
        at: SET_AT,
        state: IntentState::Overwritten,
        due: Timestamp(NEVER),
    }
}

/// Two mailboxes, the first with the PIN 482913, its message and its audit entries; and a note of a change elsewhere.
#[test]
#[ignore = "writes the fixture"]
fn write_the_fixture() {
    assert!(!fixture().exists(), "the fixture never changes");
    let home = tempfile::tempdir().expect("a folder");
    let path = home.path().join("directory.db");
    let directory = EmbeddedDirectory::new(EmbeddedOptions::new(&path));
    let people = crate::support::embedded::plan(crate::support::embedded::rows(2));
    directory.import(&people, None, false).expect("an import");
    let mailbox = crate::support::embedded::find_one(&directory, "user.0@contoso.com").object_id;
    let ring = KeyRing::new(&MasterKey::new(KEY), &[]);
    let context = SealContext {
        store_id: directory.store_id().expect("its id"),
        object_id: mailbox,
    };
    let params = KdfParams::generate(Cost::STANDARD, &mut system_rng()).expect("a salt");
    let record = CredentialRecord::never_set([1; 16]).with_new_pin(NewPin {
        pin_id: [2; 16],
        verifier: KdfContext::new()
            .derive(&Pin::new("482913".to_owned()), &params)
            .expect("a verifier"),
        params,
        set_at: SET_AT,
        expired: true,
        locked_at: None,
        by_user: false,
        epoch: [3; 16],
    });
    let seal = |purpose, plain: &[u8]| ring.seal(purpose, &context, plain, &mut system_rng()).expect("sealed");
    let entry = |body: &str| AuditEntry {
        operation: [4; 16],
        at: SET_AT,
        body: body.to_owned(),
    };
    let entries = vec![entry(r#"{"kind":"intent"}"#), entry(r#"{"kind":"outcome"}"#)];
    let applied = directory.apply(CredentialChange {
        mailbox,
        controller: None,
        record: Some(Swap {
            expected: None,
            new: seal(Purpose::Record, &record.encode()),
        }),
        counter: CounterChange::Set(seal(Purpose::Counter, &FailureCounter::zero([3; 16]).encode())),
        message: Some(crate::support::embedded::message(2, mailbox, NEVER)),
        audit: Some(AuditBatch::new("um.contoso.com", entries, ring.chain_keys())),
        cancellation: umpin::cancellation::Cancellation::default(),
        premise: None,
    });
    assert_eq!(applied.expect("the change"), Applied::Committed);
    let notes = LocalOutbox::new(EmbeddedOptions::new(&path));
    notes.prepare(&note(), None, None).expect("a note");
    fs::create_dir_all(fixture().parent().expect("a folder")).expect("the folder");
    directory.backup(&fixture()).expect("the fixture");
}
