//! Tampering with the file of the store.

use std::collections::BTreeSet;
use std::fs;

use serde_json::{Value, json};

use super::fixture::{TONY, append, copy_of, filled, items, people, read, states, tampered};
use crate::support::{self, try_open};

#[test]
fn whatever_is_changed_in_the_file_is_found_at_its_place() {
    // The statement, the entry that is named, and what is said of it.
    let cases: [(&str, Option<i64>, &str); 21] = [
        (
            "UPDATE audit SET body = replace(body, 'kakers', 'jhay') WHERE seq = 5",
            Some(5),
            "changed",
        ),
        ("UPDATE audit SET at = at - 1 WHERE seq = 1", Some(1), "changed"),
        (
            "UPDATE audit SET operation = zeroblob(16) WHERE seq = 10",
            Some(10),
            "changed",
        ),
        ("UPDATE audit SET operation = x'00' WHERE seq = 4", Some(4), "changed"),
        ("UPDATE audit SET mac = zeroblob(33) WHERE seq = 4", Some(4), "changed"),
        (
            "UPDATE audit SET mac = randomblob(32) WHERE seq = 10",
            Some(10),
            "changed",
        ),
        ("UPDATE audit SET position = 7 WHERE seq = 6", Some(6), "missing"),
        ("UPDATE audit SET position = -1 WHERE seq = 6", Some(6), "reordered"),
        (
            "UPDATE audit SET key = randomblob(8) WHERE seq = 6",
            Some(6),
            "unknownKey",
        ),
        ("UPDATE audit SET host = 'other' WHERE seq = 6", Some(7), "missing"),
        (
            "UPDATE audit SET body = CAST(x'ff' AS TEXT) WHERE seq = 6",
            Some(6),
            "changed",
        ),
        ("DELETE FROM audit WHERE seq = 1", Some(2), "missing"),
        ("DELETE FROM audit WHERE seq = 5", Some(6), "missing"),
        ("DELETE FROM audit WHERE seq >= 9", Some(8), "truncated"),
        ("DELETE FROM audit", None, "truncated"),
        (
            "UPDATE audit SET seq = -seq WHERE seq IN (5, 6); UPDATE audit SET seq = 11 + seq WHERE seq < 0",
            Some(5),
            "reordered",
        ),
        (
            "INSERT INTO audit (host, operation, at, body, mac, position, key) \
          SELECT host, operation, at, body, mac, position, key FROM audit WHERE seq = 3",
            Some(11),
            "reordered",
        ),
        ("DELETE FROM audit_chain", Some(10), "headMissing"),
        (
            "UPDATE audit_chain SET position = 8, last_mac = (SELECT mac FROM audit WHERE seq = 8); \
          DELETE FROM audit WHERE seq > 8",
            Some(8),
            "headAltered",
        ),
        (
            "UPDATE audit_chain SET base_position = 2, base_mac = (SELECT mac FROM audit WHERE seq = 2); \
          DELETE FROM audit WHERE seq <= 2",
            Some(10),
            "headAltered",
        ),
        ("UPDATE audit_chain SET base_at = 1", Some(10), "headAltered"),
    ];
    let store = filled();
    let host = items(&store.session, json!({}))[0]["host"].clone();
    for (sql, seq, kind) in cases {
        let copy = copy_of(&store);
        let session = tampered(&copy, sql);
        let (_, faults, chains) = read(&session, json!({}));
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
        assert!(
            chains
                .as_array()
                .unwrap()
                .iter()
                .any(|chain| chain["state"] == "broken"),
            "{sql}"
        );

        // The log goes on, and going on hides nothing.
        support::reset(
            &session,
            json!({ "identity": TONY, "lockedOut": false, "keepPin": true }),
            None,
        )
        .unwrap();
        let (_, again, _) = read(&session, json!({}));
        assert!(!again.is_empty(), "{sql}: hidden by the next entry");
    }
}

#[test]
fn each_host_has_its_chain_and_each_broken_one_is_told() {
    let store = people();
    for host in ["alpha", "beta", "alpha"] {
        append(store.directory.path(), host, 5, 2, None);
    }
    let hosts: BTreeSet<String> = states(&store.session, json!({}))
        .into_iter()
        .map(|(host, ..)| host)
        .collect();
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
    fs::set_permissions(
        store.path("new.key"),
        fs::metadata(store.path("old.key")).unwrap().permissions(),
    )
    .unwrap();
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
