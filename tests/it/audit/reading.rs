//! What is recorded, and how it is read.

use std::fs;
use std::sync::Arc;

use serde_json::{Value, json};
use umpin::ErrorCode;
use umpin::audit::{AuditLog, LogCursor, LogItem};
use umpin::directory::embedded::{EmbeddedDirectory, EmbeddedOptions};
use umpin::keys::Keys;

use super::fixture::{TONY, append_many, export, filled, items, people, read, states};
use crate::support::{self, Store, open, request, try_open};

#[test]
fn an_operation_is_one_item_that_says_who_did_what_to_whom() {
    let store = filled();
    let session = try_open(&json!({
        "v": 1, "dataDirectory": store.directory.path(), "caller": "CONTOSO\\admin", "application": "test/1",
    }))
    .unwrap();
    support::reset(
        &session,
        json!({ "identity": "ts@contoso.com", "notifyEmail": "boss@contoso.com" }),
        None,
    )
    .unwrap();
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
    assert_eq!(
        last["parameters"],
        json!({ "Identity": "ts@contoso.com", "NotifyEmail": "boss@contoso.com" })
    );
    assert_eq!(all[0]["cmdlet"], "Import-UMDirectory");
    assert_eq!(all[0]["result"]["mailboxes"], 3);
    let text = serde_json::to_string(&all).unwrap();
    for pin in ["580291", "914730"] {
        assert!(!text.contains(pin));
    }
    assert_eq!(states(&session, json!({}))[0].1, "intact");
}

/// A restricted session names its connected user; the process runs under an account of the session's.
#[test]
fn the_account_that_carries_it_out_is_told_beside_the_caller() {
    let store = filled();
    let own = items(&store.session, json!({}));
    assert_eq!(own[1]["runAs"], Value::Null, "the caller's own account is named once");
    let session = try_open(&json!({
        "v": 1, "dataDirectory": store.directory.path(), "caller": "CONTOSO\\helpdesk1", "runAs": "WinRM Virtual Users\\WinRM VA_1",
    }))
    .unwrap();
    support::reset(&session, json!({ "identity": TONY, "sendEmail": false }), None).unwrap();
    let all = items(&session, json!({ "caller": "contoso\\HELPDESK1" }));
    assert_eq!(all.len(), 1);
    assert_eq!(all[0]["runAs"], "WinRM Virtual Users\\WinRM VA_1");
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
    assert_eq!(
        seqs(json!({ "outcome": "succeeded", "cmdlet": "Import-UMDirectory" })),
        [1]
    );
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
    let error =
        request(&store.session, &json!({ "v": 1, "operation": "audit", "pageSize": 0 })).expect_err("impossible");
    assert_eq!(error.code(), ErrorCode::InvalidArgument);
}

/// A hundred thousand entries: each page is read on its own, and what goes with the cursor stays small.
#[test]
fn a_long_log_is_read_and_checked_page_by_page() {
    let store = people();
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
        assert!(
            page["next"].as_str().unwrap().len() < 2_000,
            "the cursor grows: {}",
            page["next"]
        );
        query["after"] = page["next"].clone();
    };
    assert_eq!(found, 50_000);
    assert!((5..20).contains(&pages), "{pages} pages");
    assert_eq!(
        chains
            .as_array()
            .unwrap()
            .iter()
            .map(|c| c["entries"].as_u64().unwrap())
            .sum::<u64>(),
        100_002
    );
    let exported = export(&store, "log.jsonl", false).unwrap();
    assert_eq!(
        (&exported["entries"], &exported["faults"]),
        (&json!(100_002), &json!([]))
    );
}

#[test]
fn a_store_that_may_only_be_read_shows_its_log() {
    let store = filled();
    let mut options = EmbeddedOptions::new(store.path("directory.db"));
    options.read_only = true;
    let page = EmbeddedDirectory::new(options).page(LogCursor::default(), 6).unwrap();
    let entries = page.items.iter().filter(|item| matches!(item, LogItem::Entry(_)));
    assert_eq!(
        (entries.count(), page.next),
        (6, Some(LogCursor { offset: 6, line: 0 }))
    );
}
