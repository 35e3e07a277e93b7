//! Policies of the embedded store are created, changed and removed through the session, as the C ABI does it.

use serde_json::{Value, json};
use umpin::ErrorCode;
use umpin::session::SharedError;

use crate::support::{PEOPLE, Store, request};

fn ask(store: &Store, operation: &str, fields: Value) -> Result<Value, SharedError> {
    let mut message = json!({ "v": 1, "operation": operation });
    let more = fields.as_object().expect("fields").clone();
    message.as_object_mut().expect("an object").extend(more);
    request(&store.session, &message)
}

fn policy(store: &Store, name: &str) -> Value {
    ask(store, "policies", json!({ "identity": name })).expect("the policy")["items"][0].clone()
}

fn audit(store: &Store) -> Vec<Value> {
    let log = ask(store, "audit", json!({})).expect("the log");
    assert_eq!(log["faults"], json!([]), "{log}");
    log["items"].as_array().expect("items").clone()
}

fn refused(result: Result<Value, SharedError>, code: ErrorCode) -> SharedError {
    let error = result.expect_err("it is refused");
    assert_eq!(error.code(), code, "{error:?}");
    error
}

#[test]
fn a_policy_is_changed_and_the_next_reset_obeys_it() {
    let store = Store::with_people();
    let short = || store.reset(json!({ "identity": "tonysmith@contoso.com" }), Some("7391"));
    assert_eq!(short().err().expect("too short").code(), ErrorCode::PinPolicyViolation);
    let before = audit(&store).len();
    let answer = ask(
        &store,
        "setPolicy",
        json!({ "identity": "default", "settings": { "minPINLength": 4, "pinLifetimeDays": null, "maxLogonAttempts": 9 } }),
    )
    .expect("the change");
    assert_eq!(answer["changed"], true, "{answer}");
    assert_eq!(answer["before"]["minPINLength"], 6, "{answer}");
    assert_eq!(answer["after"], policy(&store, "Default"), "{answer}");
    let now = policy(&store, "Default");
    assert_eq!(
        (
            &now["minPINLength"],
            &now["pinLifetimeDays"],
            &now["maxLogonAttempts"],
            &now["pinHistoryCount"]
        ),
        (&json!(4), &json!(null), &json!(9), &json!(5)),
        "{now}"
    );
    short().expect("the policy allows four digits now");

    let log = audit(&store);
    let entry = &log[before];
    assert_eq!(
        (
            &entry["action"],
            &entry["cmdlet"],
            &entry["target"],
            &entry["succeeded"],
            &entry["kind"]
        ),
        (
            &json!("PolicyChange"),
            &json!("Set-UMMailboxPolicy"),
            &json!("Default"),
            &json!(true),
            &json!("operation")
        ),
        "{entry}"
    );
    assert_eq!(
        entry["parameters"],
        json!({ "MinPINLength": 4, "PINLifetime": "Unlimited", "MaxLogonAttempts": 9 })
    );
    assert_eq!(entry["result"]["before"]["PINLifetime"], 60, "{entry}");
    assert_eq!(entry["result"]["after"]["PINLifetime"], "Unlimited", "{entry}");

    // As it is already: no change, and none in the log.
    let again = ask(
        &store,
        "setPolicy",
        json!({ "identity": "Default", "settings": { "minPINLength": 4 } }),
    );
    assert_eq!(again.expect("the answer")["changed"], false);
    assert_eq!(audit(&store).len(), log.len());
}

#[test]
fn a_policy_is_created_given_to_nobody_and_removed() {
    let store = Store::with_people();
    let made = ask(
        &store,
        "newPolicy",
        json!({ "name": "Executives", "cmdlet": "mine", "settings": { "minPINLength": 8 } }),
    )
    .expect("a policy");
    assert_eq!(made["before"], json!(null), "{made}");
    assert_eq!(
        (&made["after"]["minPINLength"], &made["after"]["pinHistoryCount"]),
        (&json!(8), &json!(5))
    );
    let error = refused(
        ask(&store, "newPolicy", json!({ "name": "EXECUTIVES" })),
        ErrorCode::ManagementObjectExists,
    );
    assert!(error.message().contains("Executives"), "{error}");

    let entry = audit(&store).pop().expect("an entry");
    assert_eq!(
        (&entry["cmdlet"], &entry["result"]["before"]),
        (&json!("mine"), &json!(null)),
        "{entry}"
    );

    let guid = made["after"]["guid"].clone();
    let gone = ask(&store, "removePolicy", json!({ "identity": guid })).expect("the removal");
    assert_eq!(
        (&gone["before"]["name"], &gone["after"]),
        (&json!("Executives"), &json!(null)),
        "{gone}"
    );
    refused(
        ask(&store, "policies", json!({ "identity": "Executives" })),
        ErrorCode::ManagementObjectNotFound,
    );
    refused(
        ask(&store, "removePolicy", json!({ "identity": "Executives" })),
        ErrorCode::ManagementObjectNotFound,
    );
    let entry = audit(&store).pop().expect("an entry");
    assert_eq!(
        (&entry["cmdlet"], &entry["target"]),
        (&json!("Remove-UMMailboxPolicy"), &json!("Executives"))
    );
    assert_eq!(entry["result"]["before"]["MinPINLength"], 8, "{entry}");
}

#[test]
fn a_policy_that_mailboxes_have_stays() {
    let store = Store::with(&PEOPLE.replace("4272,Default", "4272,DEFAULT"));
    for what_if in [true, false] {
        let error = refused(
            ask(
                &store,
                "removePolicy",
                json!({ "identity": "Default", "whatIf": what_if }),
            ),
            ErrorCode::ManagementObjectInUse,
        );
        assert_eq!(error.details()["count"], 2, "{error:?}");
    }
    assert_eq!(policy(&store, "Default")["name"], "Default");
}

#[test]
fn settings_out_of_range_change_nothing() {
    let store = Store::with_people();
    let (before, log) = (policy(&store, "Default"), audit(&store).len());
    for (settings, names) in [
        (json!({ "minPINLength": 3 }), "MinPINLength"),
        (json!({ "minPINLength": 25 }), "MinPINLength"),
        (json!({ "pinLifetimeDays": 0 }), "PINLifetime"),
        (json!({ "pinLifetimeDays": 1000 }), "PINLifetime"),
        (json!({ "pinHistoryCount": 0 }), "PINHistoryCount"),
        (json!({ "pinHistoryCount": 21 }), "PINHistoryCount"),
        (
            json!({ "logonFailuresBeforePINReset": 999 }),
            "LogonFailuresBeforePINReset",
        ),
        (json!({ "maxLogonAttempts": 0 }), "MaxLogonAttempts"),
        (json!({ "maxLogonAttempts": 5 }), "must be less than MaxLogonAttempts"),
        (json!({ "resetPINText": "x".repeat(513) }), "ResetPINText"),
    ] {
        let set = json!({ "identity": "Default", "settings": settings });
        let error = refused(ask(&store, "setPolicy", set), ErrorCode::InvalidPolicySetting);
        assert!(error.message().contains(names), "{names}: {error}");
        let new = json!({ "name": "New", "settings": settings });
        refused(ask(&store, "newPolicy", new), ErrorCode::InvalidPolicySetting);
    }
    for name in ["", " ", "a\u{7}b", &"x".repeat(65)] {
        refused(
            ask(&store, "newPolicy", json!({ "name": name })),
            ErrorCode::InvalidPolicySetting,
        );
    }
    for unknown in [
        json!({ "minPinLength": 8 }),
        json!({ "name": "Other" }),
        json!({ "minPINLength": "8" }),
    ] {
        let set = json!({ "identity": "Default", "settings": unknown });
        refused(ask(&store, "setPolicy", set), ErrorCode::InvalidRequest);
    }
    assert_eq!(policy(&store, "Default"), before);
    assert_eq!(audit(&store).len(), log);
}

#[test]
fn what_if_checks_and_writes_nothing() {
    let store = Store::with_people();
    let (before, log) = (policy(&store, "Default"), audit(&store).len());
    let settings = json!({ "minPINLength": 9 });
    let set = json!({ "identity": "Default", "settings": settings, "whatIf": true });
    let answer = ask(&store, "setPolicy", set).expect("it would be changed");
    assert_eq!(
        (&answer["changed"], &answer["after"]["minPINLength"]),
        (&json!(true), &json!(9))
    );
    ask(&store, "newPolicy", json!({ "name": "New", "whatIf": true })).expect("it would be made");
    ask(&store, "newPolicy", json!({ "name": "Spare" })).expect("a policy");
    ask(&store, "removePolicy", json!({ "identity": "Spare", "whatIf": true })).expect("it would be removed");
    assert_eq!(policy(&store, "Default"), before);
    assert_eq!(policy(&store, "Spare")["name"], "Spare");
    refused(
        ask(&store, "policies", json!({ "identity": "New" })),
        ErrorCode::ManagementObjectNotFound,
    );
    assert_eq!(audit(&store).len(), log + 1);
}

#[test]
fn a_change_is_made_only_from_the_revision_that_was_seen() {
    let store = Store::with_people();
    let seen = policy(&store, "Default")["revision"].clone();
    let set = |length: u32, revision: &Value| {
        let settings = json!({ "minPINLength": length });
        ask(
            &store,
            "setPolicy",
            json!({ "identity": "Default", "revision": revision, "settings": settings }),
        )
    };
    let first = set(7, &seen).expect("nobody was first");
    refused(set(8, &seen), ErrorCode::WriteConflict);
    refused(
        ask(
            &store,
            "removePolicy",
            json!({ "identity": "Default", "revision": seen }),
        ),
        ErrorCode::WriteConflict,
    );
    assert_eq!(policy(&store, "Default")["minPINLength"], 7);
    set(8, &first["after"]["revision"]).expect("that is what it is");
}

#[test]
fn changes_of_different_settings_at_once_are_all_made() {
    let store = Store::with_people();
    let settings = [
        json!({ "minPINLength": 7 }),
        json!({ "pinLifetimeDays": 30 }),
        json!({ "pinHistoryCount": 9 }),
        json!({ "allowCommonPatterns": true }),
        json!({ "logonFailuresBeforePINReset": 3 }),
        json!({ "maxLogonAttempts": 20 }),
        json!({ "resetPINText": "Call the help desk." }),
    ];
    std::thread::scope(|scope| {
        for settings in &settings {
            let store = &store;
            scope.spawn(move || {
                ask(
                    store,
                    "setPolicy",
                    json!({ "identity": "Default", "settings": settings }),
                )
                .expect("the change")
            });
        }
    });
    let now = policy(&store, "Default");
    for settings in &settings {
        for (name, value) in settings.as_object().expect("an object") {
            assert_eq!(&now[name], value, "{name} was lost: {now}");
        }
    }
    let changes = audit(&store)
        .into_iter()
        .filter(|entry| entry["cmdlet"] == "Set-UMMailboxPolicy");
    assert_eq!(changes.count(), settings.len());
}
