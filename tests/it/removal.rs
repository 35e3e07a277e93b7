//! Removing a mailbox: nothing of its PIN and its messages stays, and the audit says who did it.

use crate::support;
use crate::support::Store;
use serde_json::{Value, json};
use umpin::ErrorCode;

const PEOPLE: &str = "DistinguishedName,UserPrincipalName,PrimarySmtpAddress,UMEnabled,Extensions\n\
    \"CN=Kim,OU=Sales,DC=contoso,DC=com\",kim@contoso.com,kim@contoso.com,True,4271\n\
    \"CN=Tony,OU=Sales,DC=contoso,DC=com\",tony@contoso.com,tony@contoso.com,True,4272\n";

fn remove(store: &Store, fields: Value) -> Result<Value, umpin::session::SharedError> {
    let mut request = json!({ "v": 1, "operation": "removeMailbox" });
    for (name, value) in fields.as_object().expect("fields") {
        request[name] = value.clone();
    }
    support::request(&store.session, &request)
}

/// The records as they stand in the file or in its log.
fn bytes_of(store: &Store) -> Vec<u8> {
    let mut bytes = std::fs::read(store.path("directory.db")).expect("the store");
    bytes.extend(std::fs::read(store.path("directory.db-wal")).unwrap_or_default());
    bytes
}

fn has_pin(store: &Store, address: &str) -> bool {
    let asked = json!({ "v": 1, "operation": "removeMailbox", "identity": address, "whatIf": true });
    support::request(&store.session, &asked).expect("it is there")["hadRecord"] == true
}

#[test]
fn a_removed_mailbox_leaves_nothing_but_its_audit() {
    let store = Store::with(PEOPLE);
    for name in ["kim", "tony"] {
        store
            .reset(
                json!({ "identity": format!("{name}@contoso.com"), "sendEmail": false }),
                None,
            )
            .expect("a reset");
    }
    let (_, record) = store.record("kim@contoso.com");
    let tail = record[record.len() - 48..].to_vec();
    let holds = |bytes: &[u8]| bytes.windows(tail.len()).any(|window| window == tail);
    assert!(holds(&bytes_of(&store)));

    let would = remove(&store, json!({ "identity": "kim@contoso.com", "whatIf": true })).expect("it is there");
    assert_eq!(
        (&would["identity"], &would["hadRecord"]),
        (&json!("contoso.com/Sales/Kim"), &json!(true))
    );
    assert!(has_pin(&store, "kim@contoso.com"), "-WhatIf removes nothing");
    let removed = remove(&store, json!({ "identity": "kim@contoso.com" })).expect("it is removed");
    assert_eq!(removed, would);

    assert!(
        !holds(&bytes_of(&store)),
        "the sealed record is wiped from store and log"
    );
    let again = remove(&store, json!({ "identity": "kim@contoso.com" })).expect_err("it is gone");
    assert_eq!(again.code(), ErrorCode::ManagementObjectNotFound);
    assert!(has_pin(&store, "tony@contoso.com"), "the other one stays");

    let audit = json!({ "v": 1, "operation": "audit", "action": "RemoveMailbox" });
    let audit = support::request(&store.session, &audit).expect("the audit");
    let items = audit["items"].as_array().expect("items");
    assert_eq!(items.len(), 1, "{audit}");
    assert_eq!(
        (&items[0]["target"], &items[0]["cmdlet"], &items[0]["succeeded"]),
        (
            &json!("contoso.com/Sales/Kim"),
            &json!("Remove-UMDirectoryMailbox"),
            &json!(true)
        )
    );
    assert_eq!(audit["chains"][0]["state"], "intact", "{audit}");

    // Whoever comes with the address next has no PIN, and the address is free.
    store.import(PEOPLE).expect("an import");
    assert!(!has_pin(&store, "kim@contoso.com"));
}

#[test]
fn an_ambiguous_or_unknown_name_removes_nobody() {
    let store = Store::with(
        "Name,UserPrincipalName,PrimarySmtpAddress,UMEnabled\n\
         Yan Li,yanli@contoso.com,yanli@contoso.com,True\n\
         Yan Li,yanli2@contoso.com,yanli2@contoso.com,True\n",
    );
    for (name, code) in [
        ("Yan Li", ErrorCode::ManagementObjectAmbiguous),
        ("nobody", ErrorCode::ManagementObjectNotFound),
    ] {
        assert_eq!(
            remove(&store, json!({ "identity": name })).expect_err(name).code(),
            code
        );
    }
    remove(
        &store,
        json!({ "identity": "Yan Li", "alternatives": ["yanli2@contoso.com"] }),
    )
    .expect("only one has the address");
    assert!(
        store
            .reset(json!({ "identity": "Yan Li", "sendEmail": false }), None)
            .is_ok(),
        "one is left"
    );
}
