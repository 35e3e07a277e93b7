//! What the tests of the audit log share.

use std::fs;
use std::path::Path;

use rusqlite::Connection;
use serde_json::{Value, json};
use umpin::audit::{AuditBatch, AuditEntry};
use umpin::clock::Timestamp;
use umpin::directory::{Applied, CounterChange, CredentialChange, Directory, Route, Swap};
use umpin::identity::Identity;
use umpin::keys::Keys;
use umpin::session::Session;

use crate::support::{self, PEOPLE, Store, open, request, try_open};

pub const TONY: &str = "tonysmith@contoso.com";
pub const DAY: i64 = 86_400_000;

/// When the tests' entries were written.
pub const NOW: i64 = 1_700_000_000_000;

/// Every item of the log, and the last page's other fields; each page has few items, so that there are several.
pub fn read(session: &Session, fields: Value) -> (Vec<Value>, Vec<Value>, Value) {
    let (mut items, mut faults) = (Vec::new(), Vec::new());
    let mut query = json!({ "v": 1, "operation": "audit", "pageSize": 3 });
    query
        .as_object_mut()
        .unwrap()
        .extend(fields.as_object().unwrap().clone());
    loop {
        let page = request(session, &query).expect("a page of the log");
        items.extend(page["items"].as_array().unwrap().clone());
        faults.extend(page["faults"].as_array().unwrap().clone());
        if page["next"].is_null() {
            return (items, faults, page["chains"].clone());
        }
        query["after"] = page["next"].clone();
    }
}

pub fn items(session: &Session, fields: Value) -> Vec<Value> {
    read(session, fields).0
}

/// Chains by host: state, entries.
pub fn states(session: &Session, fields: Value) -> Vec<(String, String, u64)> {
    let (_, _, chains) = read(session, fields);
    let text = |chain: &Value, name: &str| chain[name].as_str().unwrap().to_owned();
    (chains.as_array().unwrap().iter())
        .map(|c| (text(c, "host"), text(c, "state"), c["entries"].as_u64().unwrap()))
        .collect()
}

/// A store with people, whose log begins with one import that changed nothing: entries 1 and 2.
pub fn people() -> Store {
    let store = Store::empty();
    let file = store.path("off.json");
    fs::write(&file, r#"{ "audit": { "enabled": false } }"#).unwrap();
    let off = try_open(&json!({ "v": 1, "dataDirectory": store.directory.path(), "configFile": file })).unwrap();
    let csv = store.path("people.csv");
    fs::write(&csv, PEOPLE).unwrap();
    request(&off, &json!({ "v": 1, "operation": "import", "path": csv })).unwrap();
    drop(off);
    store.import(PEOPLE).unwrap();
    store
}

/// Import and four resets: ten entries, seq 1 to 10.
pub fn filled() -> Store {
    let store = people();
    store.reset(json!({ "identity": TONY }), Some("580291")).unwrap();
    store
        .reset(
            json!({ "identity": "kakers", "sendEmail": false, "cmdlet": "Lock-UMMailbox" }),
            None,
        )
        .unwrap();
    store
        .reset(json!({ "identity": TONY, "lockedOut": true, "keepPin": true }), None)
        .unwrap();
    store.reset(json!({ "identity": "tsmith" }), Some("914730")).unwrap();
    store
}

/// Changes the store behind the library's back, and opens it anew.
pub fn tampered(store: &Store, sql: &str) -> Session {
    let connection = Connection::open(store.path("directory.db")).unwrap();
    connection.execute_batch(sql).unwrap();
    drop(connection);
    open(store.directory.path())
}

pub fn audit_rows(store: &Store) -> i64 {
    let connection = Connection::open(store.path("directory.db")).unwrap();
    connection
        .query_row("SELECT count(*) FROM audit", [], |r| r.get(0))
        .unwrap()
}

/// The store's files in another folder, under a key of the same content.
pub fn copy_of(store: &Store) -> Store {
    let directory = tempfile::tempdir().unwrap();
    let connection = Connection::open(store.path("directory.db")).unwrap();
    connection
        .execute(
            "VACUUM INTO ?1",
            [directory.path().join("directory.db").to_str().unwrap()],
        )
        .unwrap();
    fs::copy(store.path("umpin.key"), directory.path().join("umpin.key")).unwrap();
    let session = open(directory.path());
    Store { directory, session }
}

/// Appends to the log of the store as a host of this name, at this time.
pub fn append(data: &Path, host: &str, at: i64, count: usize, since: Option<i64>) {
    let directory = support::embedded(data);
    let keys = support::keys(data).load().unwrap();
    append_many(&directory, &keys, host, at, count, since);
}

pub fn append_many(
    directory: &dyn Directory,
    keys: &umpin::credential::keyring::KeyRing,
    host: &str,
    at: i64,
    count: usize,
    since: Option<i64>,
) {
    let mailbox = directory
        .find(&Identity::parse("jhay").unwrap(), Route::Preferred)
        .unwrap()
        .found
        .remove(0)
        .mailbox;
    let expected = directory.credential(mailbox.object_id, None).unwrap().record;
    let entry = |n: usize| {
        AuditEntry {
        operation: ((at as u128) << 64 | n as u128).to_be_bytes(),
        at: Timestamp(at),
        body: json!({ "kind": "outcome", "cmdlet": "Test", "host": host, "succeeded": n.is_multiple_of(2), "target": "x" })
            .to_string(),
    }
    };
    let trail = AuditBatch::new(host, (0..count).map(entry).collect(), keys.chain_keys());
    let change = CredentialChange {
        mailbox: mailbox.object_id,
        controller: None,
        record: Some(Swap {
            new: expected.clone().unwrap_or_else(|| vec![1; 40]),
            expected,
        }),
        counter: CounterChange::Keep,
        message: None,
        audit: Some(trail.retaining_since(since.map(Timestamp))),
        cancellation: umpin::cancellation::Cancellation::default(),
        premise: None,
    };
    assert_eq!(directory.apply(change).unwrap(), Applied::Committed);
}

pub fn export(store: &Store, name: &str, force: bool) -> Result<Value, umpin::session::SharedError> {
    let path = store.path(name);
    request(
        &store.session,
        &json!({ "v": 1, "operation": "auditExport", "path": path, "force": force }),
    )
}
