//! Clearing a PIN in the embedded directory.

use std::fs;

use crate::support::{Store, request, try_open};
use rusqlite::Connection;
use serde_json::{Value, json};
use umpin::ErrorCode;

const TONY: &str = "tonysmith@contoso.com";

fn clear(store: &Store, more: Value) -> Value {
    let mut fields = json!({ "v": 1, "operation": "clearPin", "identity": TONY });
    for (name, value) in more.as_object().expect("fields") {
        fields[name] = value.clone();
    }
    request(&store.session, &fields).unwrap_or_else(|error| panic!("{fields}: {error:?}"))
}

fn records(store: &Store) -> i64 {
    let file = Connection::open(store.path("directory.db")).expect("the store");
    file.query_row("SELECT count(*) FROM credential", [], |row| row.get(0))
        .expect("a count")
}

fn told(store: &Store, action: &str) -> Vec<Value> {
    let answer = request(
        &store.session,
        &json!({ "v": 1, "operation": "audit", "action": action }),
    );
    answer.expect("the audit")["items"].as_array().expect("items").clone()
}

#[test]
fn a_cleared_mailbox_is_as_one_that_never_had_a_pin() {
    let store = Store::with_people();
    let fresh = store.info(TONY);
    store
        .reset(
            json!({ "identity": TONY, "sendEmail": false, "lockedOut": true }),
            Some("739152"),
        )
        .expect("the reset");
    let looked = clear(&store, json!({ "whatIf": true }));
    assert_eq!(
        (&looked["hadRecord"], &looked["identity"]),
        (&json!(true), &json!("contoso.com/Sales/Tony Smith"))
    );
    assert_eq!(records(&store), 1, "-WhatIf changes nothing");
    assert_eq!(told(&store, "ClearPin").len(), 0, "and records nothing");

    let cleared = clear(&store, json!({}));
    assert_eq!(
        (&cleared["hadRecord"], &cleared["warnings"]),
        (&json!(true), &json!([]))
    );
    assert_eq!(records(&store), 0);
    assert_eq!(store.info(TONY), fresh);
    let audit = told(&store, "ClearPin");
    assert_eq!(audit.len(), 1, "{audit:?}");
    assert_eq!(audit[0]["cmdlet"], "Clear-UMMailboxPIN");
    assert_eq!(audit[0]["target"], "contoso.com/Sales/Tony Smith");
    assert_eq!(audit[0]["succeeded"], true);

    let again = clear(&store, json!({}));
    assert_eq!(
        (&again["hadRecord"], &again["hadCounter"]),
        (&json!(false), &json!(false))
    );
    assert_eq!(told(&store, "ClearPin").len(), 1, "there was nothing to do");
    // The history went with it: the same PIN is a new one.
    store
        .reset(json!({ "identity": TONY, "sendEmail": false }), Some("739152"))
        .expect("a first reset");
    assert!(store.pin_is(TONY, "739152"));
}

#[test]
fn a_record_that_cannot_be_read_can_be_cleared() {
    let store = Store::with_people();
    let set = || store.reset(json!({ "identity": TONY, "sendEmail": false }), Some("739152"));
    set().expect("the reset");
    let file = Connection::open(store.path("directory.db")).expect("the store");
    let rows = file
        .execute(
            "UPDATE credential SET record = CAST(substr(record, 1, length(record) - 8) || x'0000000000000000' AS BLOB)",
            [],
        )
        .expect("a change");
    assert_eq!(rows, 1);
    assert_eq!(set().map(|_| ()).expect_err("damaged").code(), ErrorCode::StoreCorrupt);
    assert_eq!(clear(&store, json!({}))["hadRecord"], true);
    set().expect("a first reset");
}

#[test]
fn messages_of_a_cleared_pin_are_dropped() {
    let mut store = Store::with_people();
    // Nobody listens there.
    let relay = json!({ "type": "smtp", "host": "127.0.0.1", "port": 1, "tls": "none", "from": "um@contoso.com" });
    fs::write(store.path("umpin.json"), json!({ "notification": relay }).to_string()).expect("a file");
    store.session =
        try_open(&json!({ "v": 1, "dataDirectory": store.directory.path(), "configFile": store.path("umpin.json") }))
            .expect("a session");
    store
        .reset(json!({ "identity": TONY }), None)
        .expect("the reset, whatever becomes of the message");
    let queued = || {
        let answer = request(
            &store.session,
            &json!({ "v": 1, "operation": "notifications", "identity": TONY }),
        );
        answer.expect("the queue")["items"].as_array().expect("items").len()
    };
    assert_eq!(queued(), 1);
    assert_eq!(clear(&store, json!({}))["messagesDropped"], 1);
    assert_eq!(queued(), 0);
    assert_eq!(told(&store, "NotificationDropped").len(), 1);
}

#[test]
fn what_names_no_mailbox_clears_nothing() {
    let store = Store::with_people();
    for (fields, code) in [
        (json!({ "identity": "nobody" }), ErrorCode::ManagementObjectNotFound),
        (
            json!({ "identity": TONY, "ignoreDefaultScope": true, "domainController": "dc1.contoso.com" }),
            ErrorCode::InvalidParameterCombination,
        ),
        (json!({ "identity": TONY, "pin": "739152" }), ErrorCode::InvalidRequest),
    ] {
        let mut all = json!({ "v": 1, "operation": "clearPin" });
        for (name, value) in fields.as_object().expect("fields") {
            all[name] = value.clone();
        }
        let error = request(&store.session, &all).expect_err("refused");
        assert_eq!(error.code(), code, "{fields}: {error:?}");
    }
}
