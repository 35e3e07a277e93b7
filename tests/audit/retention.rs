//! Old entries are removed, and the chain stays whole.

use std::fs;

use serde_json::json;
use umpin::ErrorCode;

use crate::rig::{DAY, NOW, TONY, append, audit_rows, filled, people, read, tampered};
use crate::support::{self, open, request, try_open};

#[test]
fn retention_removes_the_oldest_entries_and_the_chain_stays_whole() {
    let store = filled();
    let data = store.directory.path();
    for day in 0..10 {
        append(data, "alpha", NOW + day * DAY, 3, None);
    }
    append(data, "beta", NOW + 2 * DAY, 2, None);
    let before = audit_rows(&store);
    append(data, "alpha", NOW + 20 * DAY, 1, Some(NOW + 4 * DAY));
    // Four days of alpha and the whole of beta; the other entries of this store are younger.
    assert_eq!(before - audit_rows(&store), 12 + 2 - 1);
    let (_, faults, chains) = read(&store.session, json!({}));
    assert!(faults.is_empty(), "{faults:?}");
    let chain = |host: &str| {
        chains
            .as_array()
            .unwrap()
            .iter()
            .find(|c| c["host"] == host)
            .unwrap()
            .clone()
    };
    assert_eq!(chain("alpha")["state"], "intact");
    assert_eq!(chain("alpha")["removed"], 12);
    assert_eq!(chain("alpha")["removedUntil"], NOW + 3 * DAY);
    assert_eq!(
        (&chain("beta")["state"], &chain("beta")["entries"]),
        (&json!("intact"), &json!(0))
    );

    // What goes on after retention is bound to what was before it.
    append(data, "beta", NOW + 30 * DAY, 1, None);
    assert!(read(&store.session, json!({})).1.is_empty());

    // An export knows where its chains begin.
    let file = store.path("log.jsonl");
    request(
        &store.session,
        &json!({ "v": 1, "operation": "auditExport", "path": file }),
    )
    .unwrap();
    let (_, faults, chains) = read(&store.session, json!({ "path": file }));
    assert!(faults.is_empty(), "{faults:?}");
    assert!(
        chains
            .as_array()
            .unwrap()
            .iter()
            .all(|chain| chain["state"] == "intact"),
        "{chains}"
    );

    // A base that nobody sealed.
    let session = tampered(
        &store,
        "UPDATE audit_chain SET base_position = 13, base_mac = (SELECT mac FROM audit WHERE host = 'alpha' ORDER BY seq LIMIT 1) \
         WHERE host = 'alpha'; DELETE FROM audit WHERE seq = (SELECT min(seq) FROM audit WHERE host = 'alpha')",
    );
    let (_, faults, _) = read(&session, json!({}));
    assert_eq!(faults.len(), 1);
    assert_eq!(
        (&faults[0]["details"]["host"], &faults[0]["details"]["kind"]),
        (&json!("alpha"), &json!("headAltered"))
    );
}

#[test]
fn retention_never_removes_what_was_tampered_with() {
    let store = people();
    let data = store.directory.path();
    append(data, "alpha", 1_000, 4, None);
    tampered(
        &store,
        "UPDATE audit SET body = '{}' WHERE host = 'alpha' AND position = 3",
    );
    append(data, "alpha", 9 * DAY, 1, Some(5 * DAY));
    let (_, faults, chains) = read(&open(data), json!({}));
    assert_eq!(faults.len(), 1, "{faults:?}");
    let alpha = chains
        .as_array()
        .unwrap()
        .iter()
        .find(|c| c["host"] == "alpha")
        .unwrap();
    assert_eq!((&alpha["removed"], &alpha["entries"]), (&json!(2), &json!(3)));
}

#[test]
fn retention_is_configured_in_days_and_bounded_for_each_append() {
    let store = people();
    let data = store.directory.path();
    append(data, "alpha", DAY, 700, None);
    let file = store.path("umpin.json");
    fs::write(&file, r#"{ "audit": { "retentionDays": 30 } }"#).unwrap();
    let session = try_open(&json!({ "v": 1, "dataDirectory": data, "configFile": file })).unwrap();
    let mut counts = vec![audit_rows(&store)];
    for _ in 0..5 {
        support::reset(
            &session,
            json!({ "identity": TONY, "lockedOut": false, "keepPin": true }),
            None,
        )
        .unwrap();
        counts.push(audit_rows(&store));
    }
    let steps: Vec<i64> = counts.windows(2).map(|w| w[0] - w[1]).collect();
    assert_eq!(steps, [198, 198, 198, 98, -2]);
    assert!(read(&session, json!({})).1.is_empty());
    for days in ["0", "36501", "-1", "\"30\""] {
        fs::write(&file, format!(r#"{{ "audit": {{ "retentionDays": {days} }} }}"#)).unwrap();
        let error = try_open(&json!({ "v": 1, "dataDirectory": data, "configFile": file }))
            .err()
            .expect("a fault");
        assert_eq!(error.code(), ErrorCode::ConfigurationInvalid);
        assert!(error.message().contains("audit.retentionDays"), "{}", error.message());
    }
}
