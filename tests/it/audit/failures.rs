//! Resets that failed are in the log, so many for each account and hour; what was not to be done, or was called off, is not.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use umpin::ErrorCode;
use umpin::audit::{AuditBatch, AuditEntry, AuditLog as _, MAX_ACCOUNTS, MAX_ENTRIES, WINDOW_MILLIS};
use umpin::clock::Timestamp;
use umpin::keys::Keys as _;
use umpin::session::Session;

use super::fixture::{NOW, TONY, audit_rows, items, people, read, tampered};
use crate::support::{self, Store, plan, target, try_open, validate};

fn failed(session: &Session) -> Vec<Value> {
    items(session, json!({ "outcome": "failed" }))
}

fn fails(store: &Store, fields: Value, pin: Option<&str>, code: ErrorCode) {
    let error = store.reset(fields, pin).map(drop).expect_err("it fails");
    assert_eq!(error.code(), code, "{error:?}");
    assert!(error.warnings().is_empty(), "{:?}", error.warnings());
}

#[test]
fn every_kind_of_failure_is_found() {
    let store = people();
    fails(
        &store,
        json!({ "identity": "nobody@contoso.com" }),
        None,
        ErrorCode::ManagementObjectNotFound,
    );
    fails(
        &store,
        json!({ "identity": "jhay" }),
        None,
        ErrorCode::MailboxNotUmEnabled,
    );
    fails(
        &store,
        json!({ "identity": TONY }),
        Some("1234"),
        ErrorCode::PinPolicyViolation,
    );
    fails(
        &store,
        json!({ "identity": "kakers" }),
        None,
        ErrorCode::NoNotificationAddress,
    );
    fails(
        &store,
        json!({ "identity": TONY, "notifyEmail": "no address" }),
        None,
        ErrorCode::InvalidNotifyEmail,
    );
    fails(
        &store,
        json!({ "identity": TONY, "keepPin": true, "lockedOut": true, "cmdlet": "Lock-UMMailbox", "notifyEmail": "a@b.c" }),
        None,
        ErrorCode::InvalidParameterCombination,
    );
    fails(
        &store,
        json!({ "identity": "jhay", "keepPin": true, "lockedOut": false, "cmdlet": "Unlock-UMMailbox" }),
        None,
        ErrorCode::MailboxNotUmEnabled,
    );
    store.reset(json!({ "identity": TONY }), Some("580291")).expect("a PIN");
    fails(
        &store,
        json!({ "identity": TONY, "pinExpired": false }),
        Some("580291"),
        ErrorCode::PinPolicyViolation,
    );

    let found = failed(&store.session);
    let brief = |item: &Value| {
        let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
        [
            &item["action"],
            &item["cmdlet"],
            &item["target"],
            &item["details"]["error"],
        ]
        .map(text)
        .join(" | ")
    };
    assert_eq!(
        found.iter().map(brief).collect::<Vec<_>>(),
        [
            "Reset | Set-UMMailboxPIN | nobody@contoso.com | ManagementObjectNotFound",
            "Reset | Set-UMMailboxPIN | contoso.com/IT/Jeff Hay | MailboxNotUMEnabled",
            "Reset | Set-UMMailboxPIN | contoso.com/Sales/Tony Smith | PinPolicyViolation",
            "Reset | Set-UMMailboxPIN | contoso.com/Sales/Kim Akers | NoNotificationAddress",
            "Reset | Set-UMMailboxPIN | contoso.com/Sales/Tony Smith | InvalidNotifyEmail",
            "Lock | Lock-UMMailbox | tonysmith@contoso.com | InvalidParameterCombination",
            "Unlock | Unlock-UMMailbox | contoso.com/IT/Jeff Hay | MailboxNotUMEnabled",
            "Reset | Set-UMMailboxPIN | contoso.com/Sales/Tony Smith | PinPolicyViolation",
        ]
    );
    assert_eq!(
        found[2]["result"]["rules"],
        json!(["TooShort", "Sequential"]),
        "{}",
        found[2]
    );
    assert_eq!(found[7]["result"]["rules"], json!(["History"]), "{}", found[7]);
    assert_eq!(
        found[7]["parameters"],
        json!({ "Identity": TONY, "Pin": "*", "PinExpired": false })
    );
    for item in &found {
        let text = item.to_string();
        assert!(!text.contains("1234\"") && !text.contains("580291"), "{text}");
        assert!(item["host"].is_string() && item["caller"].is_string(), "{text}");
    }
    let of_tony = |name: &str| items(&store.session, json!({ "outcome": "failed", "target": name })).len();
    assert_eq!(
        of_tony("tsmith"),
        3,
        "those that found the mailbox, by any of its names"
    );
    assert_eq!(
        of_tony(TONY),
        4,
        "and the one that was refused before, by the name that was typed"
    );
}

#[test]
fn a_mailbox_outside_the_scope_is_a_failure_and_so_is_a_changed_target() {
    let store = people();
    let file = store.path("scope.json");
    fs::write(&file, r#"{ "defaultScope": "contoso.com/IT" }"#).expect("the configuration");
    let home = store.directory.path();
    let narrow = try_open(&json!({ "v": 1, "dataDirectory": home, "configFile": file })).expect("a session");
    let error = support::reset(&narrow, json!({ "identity": TONY }), None)
        .map(drop)
        .expect_err("out of scope");
    assert_eq!(error.code(), ErrorCode::ManagementObjectNotFound);
    assert_eq!(failed(&narrow).len(), 1);

    let asked = plan(&store.session, json!({ "identity": TONY, "confirm": true }), None).expect("a plan");
    target(&asked).expect("a target");
    let moved = support::PEOPLE.replace(
        "tonysmith@contoso.com,SMTP:tonysmith@contoso.com",
        "new@contoso.com,SMTP:new@contoso.com",
    );
    store.import(&moved).expect("another address");
    let error = support::commit(&asked).map(drop).expect_err("another recipient");
    assert_eq!(error.code(), ErrorCode::TargetChanged);
    let found = failed(&store.session);
    assert_eq!(
        found.last().expect("an entry")["details"]["error"],
        "TargetChanged",
        "{found:?}"
    );
}

#[test]
fn what_if_a_declined_question_and_a_cancelled_reset_leave_nothing() {
    let store = people();
    let rows = audit_rows(&store);
    for (identity, pin) in [("nobody", None), (TONY, Some("1234")), ("jhay", None)] {
        let trial = plan(&store.session, json!({ "identity": identity, "whatIf": true }), pin).expect("a plan");
        target(&trial).expect_err("it would fail");
    }
    store.reset(json!({ "identity": TONY }), Some("580291")).expect("a PIN");
    let trial = plan(
        &store.session,
        json!({ "identity": TONY, "whatIf": true }),
        Some("580291"),
    )
    .expect("a plan");
    target(&trial).expect("the history is looked at later");
    validate(&trial).expect_err("it is in the history");
    let declined = plan(&store.session, json!({ "identity": TONY, "confirm": true }), None).expect("a plan");
    target(&declined).expect("a target");
    validate(&declined).expect("it could be reset");
    drop(declined);
    let cancelled = plan(&store.session, json!({ "identity": TONY }), None).expect("a plan");
    target(&cancelled).expect("a target");
    cancelled.cancel();
    assert_eq!(audit_rows(&store), rows + 2, "the reset that succeeded");

    // What is asked about is validated before, and fails once.
    let asked = plan(
        &store.session,
        json!({ "identity": TONY, "confirm": true }),
        Some("580291"),
    )
    .expect("a plan");
    target(&asked).expect("the history is looked at later");
    validate(&asked).expect_err("it is in the history");
    support::commit(&asked).map(drop).expect_err("it still is");
    assert_eq!(failed(&store.session).len(), 1);
}

#[test]
fn a_pin_that_was_typed_as_a_name_is_not_recorded() {
    let store = people();
    for (fields, pin) in [
        (json!({ "identity": "739152" }), None),
        (json!({ "identity": " 73 91-52 " }), None),
        (json!({ "identity": "s3cr3t" }), Some("s3cr3t")),
        (json!({ "identity": TONY, "notifyEmail": "739152" }), None),
    ] {
        store.reset(fields, pin).map(drop).expect_err("it fails");
    }
    let found = failed(&store.session);
    assert_eq!(found.len(), 4);
    for item in &found {
        let text = item.to_string();
        assert!(
            !text.contains("739152") && !text.contains("91-52") && !text.contains("s3cr3t"),
            "{text}"
        );
    }
    assert_eq!(found[0]["parameters"]["Identity"], "*");
    assert_eq!(found[3]["parameters"]["Identity"], TONY);
}

#[test]
fn after_a_hundred_they_are_counted_whoever_opens_the_store() {
    let store = people();
    let home = store.directory.path();
    let session =
        |caller: &str| try_open(&json!({ "v": 1, "dataDirectory": home, "caller": caller })).expect("a session");
    let fail = |session: &Session| {
        let error = support::reset(session, json!({ "identity": "nobody" }), None).map(drop);
        assert_eq!(error.expect_err("it fails").code(), ErrorCode::ManagementObjectNotFound);
    };
    let rows = audit_rows(&store);
    let first = session("CONTOSO\\noisy");
    (0..110).for_each(|_| fail(&first));
    drop(first);
    // A new process, and an account by another spelling, do not begin anew.
    let second = session("contoso\\NOISY");
    (0..40).for_each(|_| fail(&second));
    assert_eq!(audit_rows(&store) - rows, 100);
    let other = session("CONTOSO\\other");
    fail(&other);
    assert_eq!(audit_rows(&store) - rows, 101, "every account has a hundred of its own");

    let found = failed(&second);
    assert_eq!(found.len(), 102);
    let rest = &found[101];
    assert_eq!(
        (&rest["action"], &rest["result"]["count"]),
        (&json!("FailuresOmitted"), &json!(50)),
        "{rest}"
    );
    assert_eq!(rest["caller"], "contoso\\noisy");
}

fn keys(home: &Path) -> umpin::credential::keyring::KeyRing {
    support::keys(home).load().expect("the key")
}

/// One failure of the account at that time.
fn fail_at(home: &Path, account: &str, at: i64) {
    let entry = AuditEntry {
        operation: umpin::random::system_bytes().expect("random bytes"),
        at: Timestamp(at),
        body: json!({ "kind": "outcome", "host": "alpha", "caller": account, "succeeded": false }).to_string(),
    };
    let trail = AuditBatch::new("alpha", vec![entry], keys(home).chain_keys());
    support::embedded(home).append_failed(account, trail).expect("recorded");
}

#[test]
fn the_count_becomes_one_entry_at_the_first_change_after_the_hour() {
    let store = people();
    let home = store.directory.path();
    (0..130).for_each(|n| fail_at(home, "noisy", NOW + n));
    let of_noisy = |action: Option<&str>| {
        let mut items = items(&store.session, json!({ "caller": "noisy" }));
        items.retain(|item| action.is_none_or(|action| item["action"] == action));
        items
    };
    assert_eq!(of_noisy(None).len(), 101);
    // Whatever is recorded next tells of them, before itself.
    super::fixture::append(home, "alpha", NOW + WINDOW_MILLIS, 1, None);
    let told = of_noisy(Some("FailuresOmitted"));
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(
        told[0]["result"],
        json!({ "count": 30, "since": NOW, "until": NOW + 129 }),
        "{}",
        told[0]
    );
    assert_eq!(told[0]["at"], NOW + WINDOW_MILLIS);
    // A new hour has a hundred of its own.
    fail_at(home, "noisy", NOW + 2 * WINDOW_MILLIS);
    assert_eq!(of_noisy(None).len(), 102);
    // A clock that was set back does not keep the account silent.
    (0..120).for_each(|_| fail_at(home, "noisy", NOW + 2 * WINDOW_MILLIS));
    fail_at(home, "noisy", NOW);
    let (_, faults, _) = read(&store.session, json!({}));
    assert!(faults.is_empty(), "{faults:?}");
    assert_eq!(of_noisy(Some("FailuresOmitted")).len(), 2);
}

#[test]
fn callers_that_are_made_up_do_not_fill_the_log() {
    let store = people();
    let home = store.directory.path();
    let rows = audit_rows(&store);
    let accounts = i64::from(MAX_ACCOUNTS) + 2 * i64::from(MAX_ENTRIES);
    (0..accounts).for_each(|n| fail_at(home, &format!("account {n}"), NOW + n));
    assert_eq!(audit_rows(&store) - rows, i64::from(MAX_ACCOUNTS + MAX_ENTRIES));
    let counted = items(&store.session, json!({ "action": "FailuresOmitted" }));
    assert_eq!(counted.len(), 1, "{counted:?}");
    assert_eq!(counted[0]["result"]["count"], MAX_ENTRIES);
    assert_eq!(counted[0]["caller"], json!(null), "they are several");
}

#[test]
fn a_failure_that_cannot_be_recorded_is_a_warning_beside_the_error() {
    let store = people();
    let session = tampered(&store, "UPDATE audit_chain SET mac = zeroblob(32)");
    let error = support::reset(&session, json!({ "identity": "nobody" }), None)
        .map(drop)
        .expect_err("it fails");
    assert_eq!(error.code(), ErrorCode::ManagementObjectNotFound);
    let ids: Vec<&str> = error.warnings().iter().map(|(id, _)| *id).collect();
    assert_eq!(ids, ["FailureNotRecorded"]);
    let told: Value = serde_json::from_slice(&umpin::session::error_json(&error)).expect("JSON");
    assert_eq!(told["warnings"][0]["id"], "FailureNotRecorded", "{told}");
    assert!(
        told["warnings"][0]["message"]
            .as_str()
            .expect("text")
            .contains("audit chain"),
        "{told}"
    );
}

#[test]
fn nothing_is_made_for_a_failure() {
    let store = Store::empty();
    let error = store
        .reset(json!({ "identity": " " }), None)
        .map(drop)
        .expect_err("no name");
    assert_eq!(error.code(), ErrorCode::InvalidIdentity);
    store
        .reset(json!({ "identity": TONY }), None)
        .map(drop)
        .expect_err("no store");
    assert_eq!(fs::read_dir(store.directory.path()).expect("the folder").count(), 0);
}
