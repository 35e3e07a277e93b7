//! A store of version 1.

use rusqlite::Connection;
use serde_json::json;
use umpin::keys::Keys;

use crate::rig::{TONY, copy_of, filled, read, tampered};
use crate::support::{self, open, request};

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
             ALTER TABLE audit DROP COLUMN position; ALTER TABLE audit DROP COLUMN key;
             DROP INDEX outbox_mailbox; DROP INDEX outbox_untold; ALTER TABLE outbox DROP COLUMN state;
             ALTER TABLE outbox DROP COLUMN controller; ALTER TABLE outbox DROP COLUMN held;
             ALTER TABLE outbox DROP COLUMN untold; DROP TABLE change_note;
             ALTER TABLE mailbox DROP COLUMN preferred_language; PRAGMA user_version = 1;",
        )
        .unwrap();
    let version = || -> i64 { connection.query_row("PRAGMA user_version", [], |r| r.get(0)).unwrap() };

    // Reading, and trying, changes nothing.
    let session = open(data);
    let (all, faults, chains) = read(&session, json!({}));
    assert_eq!((all.len(), faults.len()), (5, 0), "{faults:?}");
    assert_eq!(
        (&chains[0]["state"], &chains[0]["anchored"]),
        (&json!("intact"), &json!(false))
    );
    let plan = support::plan(&session, json!({ "identity": TONY, "whatIf": true }), None).unwrap();
    support::target(&plan).unwrap();
    let people = store.path("import.csv");
    request(
        &session,
        &json!({ "v": 1, "operation": "import", "path": people, "whatIf": true }),
    )
    .unwrap();
    assert_eq!(version(), 1);
    let file = store.path("old.jsonl");
    request(&session, &json!({ "v": 1, "operation": "auditExport", "path": file })).unwrap();
    assert_eq!(version(), 1);
    let (all, faults, chains) = read(&session, json!({ "path": file }));
    assert_eq!(
        (all.len(), faults.len(), &chains[0]["anchored"]),
        (5, 0, &json!(true)),
        "{faults:?}"
    );

    // The first change brings it up to date.
    let (record, _) = store.record(TONY);
    support::reset(
        &session,
        json!({ "identity": "kakers", "lockedOut": true, "keepPin": true }),
        None,
    )
    .unwrap();
    assert_eq!(version(), 5);
    let (all, faults, chains) = read(&session, json!({}));
    assert_eq!((all.len(), faults.len()), (6, 0), "{faults:?}");
    assert_eq!(
        (&chains[0]["state"], &chains[0]["anchored"]),
        (&json!("intact"), &json!(true))
    );
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
    support::reset(
        &session,
        json!({ "identity": TONY, "lockedOut": false, "keepPin": true }),
        None,
    )
    .unwrap();
    assert_eq!(read(&session, json!({})).1[0]["details"]["kind"], "headMissing");
}
