//! The audit log of a real store: what is recorded, that tampering with the file shows, retention, export.

mod support;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use rusqlite::Connection;
use serde_json::{Value, json};
use support::{Store, open, request, try_open};
use umpin::ErrorCode;
use umpin::audit::{AuditEntry, AuditTrail};
use umpin::clock::{Clock, Timestamp};
use umpin::directory::{Applied, CounterChange, CredentialChange, Directory};
use umpin::identity::Identity;
use umpin::keys::Keys;
use umpin::session::Session;

const TONY: &str = "tonysmith@contoso.com";
const DAY: i64 = 86_400_000;

/// Every item of the log, and the last page's other fields; each page has few items, so that there are several.
fn read(session: &Session, fields: Value) -> (Vec<Value>, Vec<Value>, Value) {
    let (mut items, mut faults) = (Vec::new(), Vec::new());
    let mut query = json!({ "v": 1, "operation": "audit", "pageSize": 3 });
    query.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
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

fn items(session: &Session, fields: Value) -> Vec<Value> {
    read(session, fields).0
}

/// Chains by host: state, entries.
fn states(session: &Session, fields: Value) -> Vec<(String, String, u64)> {
    let (_, _, chains) = read(session, fields);
    let text = |chain: &Value, name: &str| chain[name].as_str().unwrap().to_owned();
    (chains.as_array().unwrap().iter())
        .map(|c| (text(c, "host"), text(c, "state"), c["entries"].as_u64().unwrap()))
        .collect()
}

/// Import and four resets: ten entries, seq 1 to 10.
fn filled() -> Store {
    let store = Store::with_people();
    store.reset(json!({ "identity": TONY }), Some("580291")).unwrap();
    store.reset(json!({ "identity": "kakers", "sendEmail": false, "cmdlet": "Lock-UMMailbox" }), None).unwrap();
    store.reset(json!({ "identity": TONY, "lockedOut": true, "keepPin": true }), None).unwrap();
    store.reset(json!({ "identity": "tsmith" }), Some("914730")).unwrap();
    store
}

/// Changes the store behind the library's back, and opens it anew.
fn tampered(store: &Store, sql: &str) -> Session {
    let connection = Connection::open(store.path("directory.db")).unwrap();
    connection.execute_batch(sql).unwrap();
    drop(connection);
    open(store.directory.path())
}

fn audit_rows(store: &Store) -> i64 {
    let connection = Connection::open(store.path("directory.db")).unwrap();
    connection.query_row("SELECT count(*) FROM audit", [], |r| r.get(0)).unwrap()
}

#[test]
fn an_operation_is_one_item_that_says_who_did_what_to_whom() {
    let store = filled();
    let session = try_open(&json!({
        "v": 1, "dataDirectory": store.directory.path(), "caller": "CONTOSO\\admin", "application": "test/1",
    }))
    .unwrap();
    support::reset(&session, json!({ "identity": "ts@contoso.com", "notifyEmail": "boss@contoso.com" }), None).unwrap();
    let all = items(&session, json!({}));
    assert_eq!(all.len(), 6);
    let last = &all[5];
    assert_eq!(last["kind"], "operation");
    assert_eq!(last["cmdlet"], "Set-UMMailboxPIN");
    assert_eq!(last["caller"], "CONTOSO\\admin");
    assert_eq!(last["application"], "test/1");
    assert_eq!(last["target"], "contoso.com/Sales/Tony Smith");
    assert_eq!(last["succeeded"], true);
    assert_eq!(last["chainState"], "intact");
    assert_eq!(last["parameters"], json!({ "Identity": "ts@contoso.com", "NotifyEmail": "boss@contoso.com" }));
    assert_eq!(all[0]["cmdlet"], "Import-UMDirectory");
    assert_eq!(all[0]["details"]["mailboxes"], 3);
    let text = serde_json::to_string(&all).unwrap();
    for pin in ["580291", "914730"] {
        assert!(!text.contains(pin));
    }
    assert_eq!(states(&session, json!({}))[0].1, "intact");
}

#[test]
fn filters_narrow_what_is_shown_and_the_chain_is_checked_all_the_same() {
    let store = filled();
    let all = items(&store.session, json!({}));
    let at = |n: usize| all[n]["at"].as_i64().unwrap();
    let guid = all[1]["targetGuid"].as_str().unwrap().to_uppercase();
    let seqs = |fields: Value| -> Vec<i64> {
        let (items, faults, chains) = read(&store.session, fields);
        assert!(faults.is_empty());
        assert_eq!(chains[0]["entries"], 10);
        items.iter().map(|item| item["seq"].as_i64().unwrap()).collect()
    };
    assert_eq!(seqs(json!({})), [1, 3, 5, 7, 9]);
    assert_eq!(seqs(json!({ "target": "TSMITH" })), [3, 7, 9]);
    assert_eq!(seqs(json!({ "target": guid })), [3, 7, 9]);
    assert_eq!(seqs(json!({ "target": format!("{{{guid}}}") })), [3, 7, 9]);
    assert_eq!(seqs(json!({ "target": "Contoso.com/sales/Kim Akers" })), [5]);
    assert_eq!(seqs(json!({ "target": "nobody" })), [0_i64; 0]);
    assert_eq!(seqs(json!({ "cmdlet": "lock-ummailbox" })), [5]);
    assert_eq!(seqs(json!({ "outcome": "succeeded", "cmdlet": "Import-UMDirectory" })), [1]);
    assert_eq!(seqs(json!({ "outcome": "failed" })), [0_i64; 0]);
    assert_eq!(seqs(json!({ "caller": "somebody else" })), [0_i64; 0]);
    assert_eq!(seqs(json!({ "since": at(4) })), [9]);
    assert_eq!(seqs(json!({ "until": at(0) - 1 })), [0_i64; 0]);
    assert_eq!(seqs(json!({ "since": at(0), "until": at(4) })).len(), 5);
}

#[test]
fn a_what_if_leaves_no_entry() {
    let store = filled();
    let plan = support::plan(&store.session, json!({ "identity": TONY, "whatIf": true }), None).unwrap();
    support::target(&plan).unwrap();
    support::validate(&plan).unwrap();
    assert_eq!(items(&store.session, json!({})).len(), 5);
}

#[test]
fn whatever_is_changed_in_the_file_is_found_at_its_place() {
    // The statement, the entry that is named, and what is said of it.
    let cases: [(&str, Option<i64>, &str); 22] = [
        ("UPDATE audit SET body = replace(body, 'kakers', 'jhay') WHERE seq = 5", Some(5), "changed"),
        ("UPDATE audit SET at = at - 1 WHERE seq = 1", Some(1), "changed"),
        ("UPDATE audit SET operation = zeroblob(16) WHERE seq = 10", Some(10), "changed"),
        ("UPDATE audit SET operation = x'00' WHERE seq = 4", Some(4), "changed"),
        ("UPDATE audit SET mac = zeroblob(33) WHERE seq = 4", Some(4), "changed"),
        ("UPDATE audit SET mac = randomblob(32) WHERE seq = 10", Some(10), "changed"),
        ("UPDATE audit SET position = 7 WHERE seq = 6", Some(6), "missing"),
        ("UPDATE audit SET position = -1 WHERE seq = 6", Some(6), "reordered"),
        ("UPDATE audit SET position = NULL, key = NULL WHERE seq = 6", Some(6), "changed"),
        ("UPDATE audit SET key = randomblob(8) WHERE seq = 6", Some(6), "unknownKey"),
        ("UPDATE audit SET host = 'other' WHERE seq = 6", Some(7), "missing"),
        ("UPDATE audit SET body = CAST(x'ff' AS TEXT) WHERE seq = 6", Some(6), "changed"),
        ("DELETE FROM audit WHERE seq = 1", Some(2), "missing"),
        ("DELETE FROM audit WHERE seq = 5", Some(6), "missing"),
        ("DELETE FROM audit WHERE seq >= 9", Some(8), "truncated"),
        ("DELETE FROM audit", None, "truncated"),
        ("UPDATE audit SET seq = -seq WHERE seq IN (5, 6); UPDATE audit SET seq = 11 + seq WHERE seq < 0", Some(6), "reordered"),
        ("INSERT INTO audit (host, operation, at, body, mac, position, key) \
          SELECT host, operation, at, body, mac, position, key FROM audit WHERE seq = 3", Some(11), "reordered"),
        ("DELETE FROM audit_chain", Some(1), "headMissing"),
        ("UPDATE audit_chain SET position = 8, last_mac = (SELECT mac FROM audit WHERE seq = 8); \
          DELETE FROM audit WHERE seq > 8", Some(8), "headAltered"),
        ("UPDATE audit_chain SET base_position = 2, base_mac = (SELECT mac FROM audit WHERE seq = 2); \
          DELETE FROM audit WHERE seq <= 2", Some(10), "headAltered"),
        ("UPDATE audit_chain SET base_at = 1", Some(10), "headAltered"),
    ];
    let store = filled();
    drop(Connection::open(store.path("directory.db")).unwrap());
    for (sql, seq, kind) in cases {
        let copy = copy_of(&store);
        let session = tampered(&copy, sql);
        let (_, faults, chains) = read(&session, json!({}));
        let host = chains[0]["host"].clone();
        let of_host: Vec<&Value> = faults.iter().filter(|f| f["details"]["host"] == host).collect();
        let [fault] = of_host[..] else {
            panic!("{sql}: {faults:?}")
        };
        assert_eq!(fault["id"], "AuditChainBroken", "{sql}");
        assert_eq!(fault["status"], 505);
        assert_eq!(fault["details"]["seq"].as_i64(), seq, "{sql}: {fault}");
        assert_eq!(fault["details"]["kind"], kind, "{sql}: {fault}");
        let named = fault["message"].as_str().unwrap().contains(host.as_str().unwrap());
        assert!(named, "{fault}");
        assert!(chains.as_array().unwrap().iter().any(|chain| chain["state"] == "broken"), "{sql}");

        // The log goes on, and going on hides nothing.
        support::reset(&session, json!({ "identity": TONY, "lockedOut": false, "keepPin": true }), None).unwrap();
        let (_, again, _) = read(&session, json!({}));
        assert!(!again.is_empty(), "{sql}: hidden by the next entry");
    }
}

/// The store's files in another folder, under a key of the same content.
fn copy_of(store: &Store) -> Store {
    let directory = tempfile::tempdir().unwrap();
    let connection = Connection::open(store.path("directory.db")).unwrap();
    connection
        .execute("VACUUM INTO ?1", [directory.path().join("directory.db").to_str().unwrap()])
        .unwrap();
    fs::copy(store.path("umpin.key"), directory.path().join("umpin.key")).unwrap();
    let session = open(directory.path());
    Store { directory, session }
}

#[test]
fn the_log_is_read_with_auditing_off_but_not_without_the_key() {
    let store = filled();
    let file = store.path("off.json");
    fs::write(&file, r#"{ "audit": { "enabled": false } }"#).unwrap();
    let off = try_open(&json!({ "v": 1, "dataDirectory": store.directory.path(), "configFile": file })).unwrap();
    support::reset(&off, json!({ "identity": TONY }), None).unwrap();
    assert_eq!(items(&off, json!({})).len(), 5);

    fs::rename(store.path("umpin.key"), store.path("elsewhere")).unwrap();
    let session = open(store.directory.path());
    let error = request(&session, &json!({ "v": 1, "operation": "audit" })).expect_err("there is no key");
    assert_eq!(error.code(), ErrorCode::KeyUnavailable);
    assert!(!store.path("umpin.key").exists());
}

#[test]
fn a_store_without_log_and_key_has_an_empty_log() {
    let store = Store::empty();
    let file = store.path("off.json");
    fs::write(&file, r#"{ "audit": { "enabled": false } }"#).unwrap();
    let off = try_open(&json!({ "v": 1, "dataDirectory": store.directory.path(), "configFile": file })).unwrap();
    let people = store.path("people.csv");
    fs::write(&people, support::PEOPLE).unwrap();
    request(&off, &json!({ "v": 1, "operation": "import", "path": people })).unwrap();
    assert!(!store.path("umpin.key").exists());
    assert_eq!(states(&off, json!({})), []);
    let none = Store::empty();
    let error = request(&none.session, &json!({ "v": 1, "operation": "audit" })).expect_err("there is no store");
    assert_eq!(error.code(), ErrorCode::DirectoryUnavailable);
}

/// Appends to the log of the store as a host of this name, at this time.
fn append(data: &Path, host: &str, at: i64, count: usize, since: Option<i64>) {
    let directory = support::embedded(data);
    let keys = support::keys(data).load().unwrap();
    append_many(&directory, &keys, host, at, count, since);
}

fn append_many(
    directory: &dyn Directory,
    keys: &umpin::credential::keyring::KeyRing,
    host: &str,
    at: i64,
    count: usize,
    since: Option<i64>,
) {
    let mailbox = directory.find(&Identity::parse("jhay").unwrap()).unwrap().mailboxes.remove(0);
    let expected = directory.credential(mailbox.object_id).unwrap().record;
    let entry = |n: usize| AuditEntry {
        operation: ((at as u128) << 64 | n as u128).to_be_bytes(),
        at: Timestamp(at),
        body: json!({ "kind": "outcome", "cmdlet": "Test", "host": host, "succeeded": n % 2 == 0, "target": "x" }).to_string(),
    };
    let trail = AuditTrail::new(host, (0..count).map(entry).collect(), keys.chain_keys());
    let change = CredentialChange {
        mailbox: mailbox.object_id,
        record: expected.clone().unwrap_or_else(|| vec![1; 40]),
        expected,
        counter: CounterChange::Keep,
        message: None,
        audit: Some(trail.retaining_since(since.map(Timestamp))),
    };
    assert_eq!(directory.apply(change).unwrap(), Applied::Committed);
}

#[test]
fn each_host_has_its_chain_and_each_broken_one_is_told() {
    let store = Store::with_people();
    for host in ["alpha", "beta", "alpha"] {
        append(store.directory.path(), host, 5, 2, None);
    }
    let hosts: BTreeSet<String> = states(&store.session, json!({})).into_iter().map(|(host, ..)| host).collect();
    assert!(hosts.contains("alpha") && hosts.contains("beta") && hosts.len() == 3);
    let session = tampered(
        &store,
        "UPDATE audit SET host = CASE host WHEN 'alpha' THEN 'beta' ELSE 'alpha' END WHERE host IN ('alpha', 'beta')",
    );
    let (_, faults, _) = read(&session, json!({}));
    let named: Vec<&str> = faults.iter().map(|f| f["details"]["host"].as_str().unwrap()).collect();
    assert_eq!(named.len(), 2, "{faults:?}");
    assert!(named.contains(&"alpha") && named.contains(&"beta"));
}

#[test]
fn entries_under_an_older_key_of_the_ring_are_checked_with_it() {
    let store = filled();
    fs::copy(store.path("umpin.key"), store.path("old.key")).unwrap();
    fs::write(store.path("new.key"), [9; 32]).unwrap();
    fs::set_permissions(store.path("new.key"), fs::metadata(store.path("old.key")).unwrap().permissions()).unwrap();
    let file = store.path("rotated.json");
    let rotated = |keys: Value| {
        fs::write(&file, json!({ "keys": keys }).to_string()).unwrap();
        try_open(&json!({ "v": 1, "dataDirectory": store.directory.path(), "configFile": file })).unwrap()
    };
    let session = rotated(json!({ "active": "k2", "k1": "old.key", "k2": "new.key" }));
    support::reset(&session, json!({ "identity": TONY }), None).unwrap();
    support::reset(&session, json!({ "identity": "kakers", "sendEmail": false }), None).unwrap();
    let (all, faults, chains) = read(&session, json!({}));
    assert_eq!((all.len(), faults.len()), (7, 0), "{faults:?}");
    assert_eq!(chains[0]["state"], "intact");

    let without = rotated(json!({ "active": "k2", "k2": "new.key" }));
    let (_, faults, _) = read(&without, json!({}));
    assert_eq!(faults[0]["details"]["kind"], "unknownKey");
    assert_eq!(faults[0]["details"]["seq"], 1);
    assert_eq!(faults.len(), 1);
}

struct SetClock(AtomicI64);

impl Clock for SetClock {
    fn now(&self) -> Timestamp {
        Timestamp(self.0.load(Ordering::Relaxed))
    }
}

#[test]
fn retention_removes_the_oldest_entries_and_the_chain_stays_whole() {
    let store = filled();
    let data = store.directory.path();
    let clock = SetClock(AtomicI64::new(1_700_000_000_000));
    let now = || clock.now().0;
    for day in 0..10 {
        append(data, "alpha", now() + day * DAY, 3, None);
    }
    append(data, "beta", now() + 2 * DAY, 2, None);
    let before = audit_rows(&store);
    append(data, "alpha", now() + 20 * DAY, 1, Some(now() + 4 * DAY));
    // Four days of alpha and the whole of beta; the other entries of this store are younger.
    assert_eq!(before - audit_rows(&store), 12 + 2 - 1);
    let (_, faults, chains) = read(&store.session, json!({}));
    assert!(faults.is_empty(), "{faults:?}");
    let chain = |host: &str| chains.as_array().unwrap().iter().find(|c| c["host"] == host).unwrap().clone();
    assert_eq!(chain("alpha")["state"], "intact");
    assert_eq!(chain("alpha")["removed"], 12);
    assert_eq!(chain("alpha")["removedUntil"], now() + 3 * DAY);
    assert_eq!((&chain("beta")["state"], &chain("beta")["entries"]), (&json!("intact"), &json!(0)));

    // What goes on after retention is bound to what was before it.
    append(data, "beta", now() + 30 * DAY, 1, None);
    assert!(read(&store.session, json!({})).1.is_empty());

    // An export knows where its chains begin.
    let file = store.path("log.jsonl");
    request(&store.session, &json!({ "v": 1, "operation": "auditExport", "path": file })).unwrap();
    let (_, faults, chains) = read(&store.session, json!({ "path": file }));
    assert!(faults.is_empty(), "{faults:?}");
    assert!(chains.as_array().unwrap().iter().all(|chain| chain["state"] == "intact"), "{chains}");

    // A base that nobody sealed.
    let session = tampered(
        &store,
        "UPDATE audit_chain SET base_position = 13, base_mac = (SELECT mac FROM audit WHERE host = 'alpha' ORDER BY seq LIMIT 1) \
         WHERE host = 'alpha'; DELETE FROM audit WHERE seq = (SELECT min(seq) FROM audit WHERE host = 'alpha')",
    );
    let (_, faults, _) = read(&session, json!({}));
    assert_eq!(faults.len(), 1);
    assert_eq!((&faults[0]["details"]["host"], &faults[0]["details"]["kind"]), (&json!("alpha"), &json!("headAltered")));
}

#[test]
fn retention_never_removes_what_was_tampered_with() {
    let store = Store::with_people();
    let data = store.directory.path();
    append(data, "alpha", 1_000, 4, None);
    tampered(&store, "UPDATE audit SET body = '{}' WHERE host = 'alpha' AND position = 3");
    append(data, "alpha", 9 * DAY, 1, Some(5 * DAY));
    let (_, faults, chains) = read(&open(data), json!({}));
    assert_eq!(faults.len(), 1, "{faults:?}");
    let alpha = chains.as_array().unwrap().iter().find(|c| c["host"] == "alpha").unwrap();
    assert_eq!((&alpha["removed"], &alpha["entries"]), (&json!(2), &json!(3)));
}

#[test]
fn retention_is_configured_in_days_and_bounded_for_each_append() {
    let store = Store::with_people();
    let data = store.directory.path();
    append(data, "alpha", DAY, 700, None);
    let file = store.path("umpin.json");
    fs::write(&file, r#"{ "audit": { "retentionDays": 30 } }"#).unwrap();
    let session = try_open(&json!({ "v": 1, "dataDirectory": data, "configFile": file })).unwrap();
    let mut counts = vec![audit_rows(&store)];
    for _ in 0..5 {
        support::reset(&session, json!({ "identity": TONY, "lockedOut": false, "keepPin": true }), None).unwrap();
        counts.push(audit_rows(&store));
    }
    let steps: Vec<i64> = counts.windows(2).map(|w| w[0] - w[1]).collect();
    assert_eq!(steps, [198, 198, 198, 98, -2]);
    assert!(read(&session, json!({})).1.is_empty());
    for days in ["0", "36501", "-1", "\"30\""] {
        fs::write(&file, format!(r#"{{ "audit": {{ "retentionDays": {days} }} }}"#)).unwrap();
        let error = try_open(&json!({ "v": 1, "dataDirectory": data, "configFile": file })).err().expect("a fault");
        assert_eq!(error.code(), ErrorCode::ConfigurationInvalid);
        assert!(error.message().contains("audit.retentionDays"), "{}", error.message());
    }
}

#[test]
fn a_store_of_version_1_keeps_its_content_and_gets_heads_with_the_next_entry() {
    let store = filled();
    let data = store.directory.path();
    // What version 1 had, with links of version 1.
    let keys = support::keys(data).load().unwrap();
    let key = keys.chain_key();
    let entries = support::embedded(data).audit_entries(0, 99).unwrap();
    let connection = Connection::open(store.path("directory.db")).unwrap();
    let mut previous = [0; 32];
    for stored in &entries {
        previous = key.link(&previous, &stored.entry);
        let update = "UPDATE audit SET mac = ?2 WHERE seq = ?1";
        connection.execute(update, (stored.seq, previous)).unwrap();
    }
    connection
        .execute_batch(
            "UPDATE extension SET number = '+1 (425) 555-01.0/0';
             DROP TABLE audit_chain; DROP INDEX extension_digits; ALTER TABLE extension DROP COLUMN digits;
             ALTER TABLE audit DROP COLUMN position; ALTER TABLE audit DROP COLUMN key; PRAGMA user_version = 1;",
        )
        .unwrap();
    let version = || -> i64 { connection.query_row("PRAGMA user_version", [], |r| r.get(0)).unwrap() };

    // Reading, and trying, changes nothing.
    let session = open(data);
    let (all, faults, chains) = read(&session, json!({}));
    assert_eq!((all.len(), faults.len()), (5, 0), "{faults:?}");
    assert_eq!((&chains[0]["state"], &chains[0]["anchored"]), (&json!("intact"), &json!(false)));
    let plan = support::plan(&session, json!({ "identity": TONY, "whatIf": true }), None).unwrap();
    support::target(&plan).unwrap();
    assert_eq!(version(), 1);
    let file = store.path("old.jsonl");
    request(&session, &json!({ "v": 1, "operation": "auditExport", "path": file })).unwrap();
    assert_eq!(version(), 1);
    let (all, faults, chains) = read(&session, json!({ "path": file }));
    assert_eq!((all.len(), faults.len(), &chains[0]["anchored"]), (5, 0, &json!(true)), "{faults:?}");

    // The first change brings it up to date.
    let (record, _) = store.record(TONY);
    support::reset(&session, json!({ "identity": "kakers", "lockedOut": true, "keepPin": true }), None).unwrap();
    assert_eq!(version(), 2);
    let (all, faults, chains) = read(&session, json!({}));
    assert_eq!((all.len(), faults.len()), (6, 0), "{faults:?}");
    assert_eq!((&chains[0]["state"], &chains[0]["anchored"]), (&json!("intact"), &json!(true)));
    assert_eq!(store.record(TONY).0.epoch, record.epoch);
    let digits: Vec<String> = connection
        .prepare("SELECT DISTINCT digits FROM extension INDEXED BY extension_digits")
        .unwrap()
        .query_map([], |r| r.get(0))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    assert_eq!(digits, ["14255550100"]);

    // From now on the end is held, and a head that is deleted is missed.
    let last = copy_of(&store);
    let (_, faults, _) = read(&tampered(&last, "DELETE FROM audit WHERE seq = 12"), json!({}));
    assert_eq!(faults[0]["details"]["kind"], "truncated");
    let anew = copy_of(&store);
    let session = tampered(&anew, "DELETE FROM audit WHERE seq = 12; DELETE FROM audit_chain");
    assert_eq!(read(&session, json!({})).1[0]["details"]["kind"], "headMissing");
    support::reset(&session, json!({ "identity": TONY, "lockedOut": false, "keepPin": true }), None).unwrap();
    assert_eq!(read(&session, json!({})).1[0]["details"]["kind"], "headMissing");
}

fn export(store: &Store, name: &str, force: bool) -> Result<Value, umpin::session::SharedError> {
    let path = store.path(name);
    request(&store.session, &json!({ "v": 1, "operation": "auditExport", "path": path, "force": force }))
}

#[test]
fn an_export_is_checked_without_the_store() {
    let store = filled();
    append(store.directory.path(), "alpha", 1, 3, None);
    let answer = export(&store, "log.jsonl", false).unwrap();
    assert_eq!((&answer["entries"], answer["faults"].as_array().unwrap().len()), (&json!(13), 0));
    let file = store.path("log.jsonl");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    }
    assert_eq!(items(&store.session, json!({ "path": file })), items(&store.session, json!({})));
    assert_eq!(items(&store.session, json!({ "path": file, "target": "tsmith" })).len(), 3);
    fs::rename(store.path("directory.db"), store.path("gone.db")).unwrap();
    let states = states(&open(store.directory.path()), json!({ "path": file }));
    assert!(states.iter().all(|(_, state, _)| state == "intact") && states.len() == 2, "{states:?}");
}

#[test]
fn an_export_that_lost_or_gained_something_says_so() {
    let store = filled();
    append(store.directory.path(), "alpha", 1, 3, None);
    export(&store, "log.jsonl", false).unwrap();
    let text = fs::read_to_string(store.path("log.jsonl")).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    assert_eq!(lines.len(), 1 + 13 + 2);
    let file = store.path("changed.jsonl");
    let check = |lines: &[String]| {
        fs::write(&file, lines.join("\n") + "\n").unwrap();
        let (_, faults, chains) = read(&store.session, json!({ "path": file }));
        let torn = chains.as_array().unwrap().iter().any(|chain| chain["state"] == "tornTail");
        (faults, torn)
    };
    let owned = |lines: &[&str]| lines.iter().map(|line| (*line).to_owned()).collect::<Vec<String>>();
    assert_eq!(check(&owned(&lines)), (Vec::new(), false));
    for n in 1..lines.len() {
        let mut without = owned(&lines);
        without.remove(n);
        let (faults, torn) = check(&without);
        assert!(faults.len() == 1 && !torn, "without line {}: {faults:?}", n + 1);
        let mut other = owned(&lines);
        other[n] = other[n].replacen("\"mac\":\"", "\"mac\":\"0", 1).replacen("0\"}", "\"}", 1);
        assert!(!check(&other).0.is_empty(), "line {} was changed", n + 1);
        let mut noise = owned(&lines);
        noise.insert(n, "{}".to_owned());
        let (faults, _) = check(&noise);
        assert_eq!(faults[0]["details"]["line"], n as u64 + 1);
    }
    // Cut off in the middle of a line: torn, wherever it is, and what is there is checked.
    for keep in [text.len() - 5, text.len() - lines[15].len() - 20] {
        fs::write(&file, &text[..keep]).unwrap();
        let (_, faults, chains) = read(&store.session, json!({ "path": file }));
        assert!(faults.is_empty(), "{faults:?}");
        assert!(chains.as_array().unwrap().iter().any(|chain| chain["state"] == "tornTail"), "{chains}");
    }
    // Cut off between lines: nothing that a copy or a crash does.
    let (faults, torn) = check(&owned(&lines[..lines.len() - 1]));
    assert!(faults.len() == 1 && !torn);
}

#[test]
fn an_export_replaces_nothing_but_an_older_export() {
    let store = filled();
    export(&store, "log.jsonl", false).unwrap();
    let refused = |name: &str, force: bool| {
        let before = fs::read(store.path(name)).ok();
        let error = export(&store, name, force).expect_err(name);
        assert_eq!(error.code(), ErrorCode::AuditFileUnusable, "{name}");
        assert_eq!(fs::read(store.path(name)).ok(), before);
        let left = fs::read_dir(store.directory.path()).unwrap();
        assert!(left.flatten().all(|e| !e.file_name().to_string_lossy().ends_with(".tmp")));
    };
    refused("log.jsonl", false);
    store.reset(json!({ "identity": TONY }), None).unwrap();
    assert_eq!(export(&store, "log.jsonl", true).unwrap()["entries"], 12);
    refused("umpin.key", true);
    refused("directory.db", true);
    refused("nowhere/log.jsonl", false);
    refused("pickup", true);

    for (name, content) in [("empty", ""), ("text", "hello\n")] {
        fs::write(store.path(name), content).unwrap();
    }
    for name in ["empty", "text", "missing", "pickup"] {
        let query = json!({ "v": 1, "operation": "audit", "path": store.path(name) });
        let error = request(&store.session, &query).expect_err(name);
        assert_eq!(error.code(), ErrorCode::AuditFileUnusable, "{name}");
    }
}

#[test]
fn requests_are_checked() {
    let store = filled();
    for fields in [
        json!({ "operation": "audit", "outcome": "Succeeded" }),
        json!({ "operation": "audit", "pages": 5 }),
        json!({ "operation": "audit", "after": "5" }),
        json!({ "operation": "audit", "path": "log.jsonl" }),
        json!({ "operation": "auditExport", "path": "log.jsonl" }),
        json!({ "operation": "auditExport" }),
        json!({ "operation": "audit", "since": "2026-01-01" }),
    ] {
        let mut fields = fields;
        fields["v"] = 1.into();
        let error = request(&store.session, &fields).expect_err("impossible");
        assert_eq!(error.code(), ErrorCode::InvalidRequest, "{fields}");
    }
    let error = request(&store.session, &json!({ "v": 1, "operation": "audit", "pageSize": 0 })).expect_err("impossible");
    assert_eq!(error.code(), ErrorCode::InvalidArgument);
}

/// A hundred thousand entries: each page is read on its own, and what goes with the cursor stays small.
#[test]
fn a_long_log_is_read_and_checked_page_by_page() {
    let store = Store::with_people();
    let data = store.directory.path();
    let directory = Arc::new(support::embedded(data));
    let keys = support::keys(data).load().unwrap();
    for n in 0..10 {
        append_many(&*directory, &keys, ["alpha", "beta"][n % 2], n as i64, 10_000, None);
    }
    let mut query = json!({ "v": 1, "operation": "audit", "pageSize": 10_000, "outcome": "failed", "cmdlet": "test" });
    let (mut found, mut pages) = (0, 0);
    let chains = loop {
        let page = request(&store.session, &query).unwrap();
        assert_eq!(page["faults"], json!([]));
        let count = page["items"].as_array().unwrap().len();
        assert!(count <= 10_000);
        found += count;
        pages += 1;
        if page["next"].is_null() {
            break page["chains"].clone();
        }
        assert!(page["next"].as_str().unwrap().len() < 2_000, "the cursor grows: {}", page["next"]);
        query["after"] = page["next"].clone();
    };
    assert_eq!(found, 50_000);
    assert!((5..20).contains(&pages), "{pages} pages");
    assert_eq!(chains.as_array().unwrap().iter().map(|c| c["entries"].as_u64().unwrap()).sum::<u64>(), 100_002);
    let exported = export(&store, "log.jsonl", false).unwrap();
    assert_eq!((&exported["entries"], &exported["faults"]), (&json!(100_002), &json!([])));
}
