//! Old entries are removed, and the chain stays whole.

use std::fs;
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};
use umpin::ErrorCode;

use super::fixture::{DAY, NOW, TONY, append, audit_rows, filled, items, people, read, tampered};
use crate::support::{self, Store, open, request, try_open};

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
    // Entries without a gap of more than 30 days before today.
    let today = i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap();
    for days in [40, 20] {
        append(data, "beta", today - days * DAY, 1, None);
    }
    let file = store.path("umpin.json");
    fs::write(&file, r#"{ "audit": { "retentionDays": 60 } }"#).unwrap();
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

/// How many entries of the chain are left, and how many were removed.
fn kept(store: &Store, host: &str) -> (u64, u64) {
    let (_, faults, chains) = read(&store.session, json!({}));
    assert!(faults.is_empty(), "{faults:?}");
    let chain = chains.as_array().unwrap().iter().find(|chain| chain["host"] == host);
    let chain = chain.expect("the chain");
    (chain["entries"].as_u64().unwrap(), chain["removed"].as_u64().unwrap())
}

fn pauses(store: &Store) -> Vec<Value> {
    items(&store.session, json!({ "action": "RetentionPaused" }))
}

/// A log of its own in the past, so that the entries of the import do not count: they are of today.
fn daily(days: i64) -> (Store, i64) {
    let store = people();
    for day in 0..days {
        append(store.directory.path(), "alpha", NOW - (days - day) * DAY, 1, None);
    }
    (store, NOW - days * DAY)
}

#[test]
fn a_clock_that_is_ten_years_ahead_removes_nothing_and_the_log_says_so_once() {
    let store = people();
    let data = store.directory.path();
    let before = NOW - 10 * 365 * DAY;
    for day in 0..40 {
        append(data, "alpha", before - (40 - day) * DAY, 1, None);
    }
    for day in 0..29 {
        append(data, "alpha", NOW + day * DAY, 1, Some(NOW + day * DAY - 365 * DAY));
    }
    assert_eq!(kept(&store, "alpha"), (40 + 29 + 1, 0));
    let told = pauses(&store);
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(
        told[0]["result"],
        json!({ "newest": before - DAY, "since": NOW, "until": NOW + 30 * DAY })
    );

    // The clock is put right: the entries of the future are neither a reason to remove nor one to keep.
    append(data, "alpha", before + DAY, 1, Some(before - 20 * DAY));
    let (left, removed) = kept(&store, "alpha");
    assert_eq!((left, removed), (40 + 29 + 1 + 1 - 20, 20));
    append(data, "alpha", before + 60 * DAY, 1, Some(before));
    append(data, "alpha", before + 61 * DAY, 1, Some(before));
    assert_eq!(
        kept(&store, "alpha").1,
        20,
        "more than 30 days without an entry: a pause"
    );
}

#[test]
fn a_store_that_was_not_used_for_sixty_days_removes_again_after_thirty() {
    let (store, begin) = daily(40);
    let data = store.directory.path();
    let again = NOW + 60 * DAY;
    let append = |day: i64| {
        let at = again + day * DAY;
        append(data, "alpha", at, 1, Some(at - 65 * DAY));
    };
    (0..30).for_each(append);
    assert_eq!(kept(&store, "alpha"), (40 + 30 + 1, 0));
    append(30);
    let (left, removed) = kept(&store, "alpha");
    assert!(removed > 0, "{left} left: the pause did not end");
    assert_eq!(pauses(&store).len(), 1);
    assert!(begin < again);
}

#[test]
fn an_entry_of_the_future_does_not_keep_what_follows_it() {
    let store = people();
    let data = store.directory.path();
    append(data, "alpha", NOW, 1, None);
    append(data, "alpha", NOW + 3650 * DAY, 2, None);
    for day in 1..=50 {
        append(data, "alpha", NOW + day * DAY, 1, None);
    }
    append(data, "alpha", NOW + 51 * DAY, 1, Some(NOW + 10 * DAY));
    assert_eq!(kept(&store, "alpha").1, 1 + 2 + 9);
}

#[test]
fn a_reset_warns_of_a_pause_once_in_a_session() {
    let store = people();
    let data = store.directory.path();
    append(data, "alpha", DAY, 5, None);
    let file = store.path("umpin.json");
    fs::write(&file, r#"{ "audit": { "retentionDays": 60 } }"#).unwrap();
    let session = try_open(&json!({ "v": 1, "dataDirectory": data, "configFile": file })).unwrap();
    let warned = || {
        let fields = json!({ "identity": TONY, "lockedOut": false, "keepPin": true });
        let response = support::reset(&session, fields, None).unwrap().response;
        let warnings = response["warnings"].as_array().unwrap().clone();
        warnings
            .iter()
            .filter(|warning| warning["id"] == "RetentionPaused")
            .count()
    };
    assert_eq!((warned(), warned()), (1, 0));
    assert_eq!(kept(&store, "alpha"), (5, 0));
}
