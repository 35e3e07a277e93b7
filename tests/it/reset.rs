//! The reset through the session, on a real store: what it changes, what it mails, what it refuses.

use crate::support;
use crate::support::{Store, announced_pin, commit, plan, target, validate};
use serde_json::{Value, json};
use umpin::ErrorCode;

const TONY: &str = "tonysmith@contoso.com";

fn code<T>(result: Result<T, umpin::session::SharedError>) -> (ErrorCode, Value) {
    match result {
        Ok(_) => panic!("the call should have failed"),
        Err(error) => (error.code(), Value::Object(error.details().clone())),
    }
}

#[test]
fn a_plain_reset_generates_mails_expires_and_unlocks() {
    let store = Store::with_people();
    store
        .reset(json!({ "identity": TONY, "lockedOut": true }), None)
        .expect("a locking reset");
    assert_eq!(store.info(TONY)["lockedOut"], true);

    let reset = store.reset(json!({ "identity": TONY }), None).expect("a plain reset");
    let pin = reset.pin.expect("a generated PIN");
    assert_eq!(pin.len(), 6, "MinPINLength of the default policy");
    assert!(store.pin_is(TONY, &pin));
    let info = store.info(TONY);
    assert_eq!(info["pinExpired"], true);
    assert_eq!(info["lockedOut"], false);
    assert_eq!(
        info["firstTimeUser"], true,
        "an administrator's reset is not the user's own change"
    );
    assert_eq!(info["userId"], TONY);

    let messages = store.messages();
    assert_eq!(messages.len(), 2, "one message a reset");
    let announced: Vec<String> = messages.iter().map(|(_, text)| announced_pin(text)).collect();
    assert!(announced.contains(&pin));
    assert_eq!(reset.response["notification"], "sent");
    assert_eq!(reset.response["recipient"], TONY);
    assert_eq!(reset.response["warnings"], json!([]));
}

#[test]
fn a_given_pin_is_set_and_held_to_the_whole_policy() {
    let store = Store::with_people();
    let reset = store
        .reset(json!({ "identity": TONY, "pinExpired": false }), Some("1985848"))
        .expect("a valid PIN");
    assert!(reset.pin.is_none(), "a given PIN is not handed back");
    assert!(store.pin_is(TONY, "1985848"));
    assert_eq!(store.info(TONY)["pinExpired"], false);

    for (pin, rules) in [
        ("12345", json!(["TooShort", "Sequential"])),
        ("777777", json!(["Repeated"])),
        ("654321", json!(["Sequential"])),
        ("98a765", json!(["NotNumeric"])),
        ("9342710", json!(["Extension"])),
        ("1985848", json!(["History"])),
        ("1111111111111111111111111", json!(["TooLong", "Repeated"])),
    ] {
        let plan = plan(&store.session, json!({ "identity": TONY }), Some(pin)).expect("a plan");
        let refused = target(&plan).and_then(|_| commit(&plan).map(|_| ()));
        let (code, details) = code(refused);
        assert_eq!(code, ErrorCode::PinPolicyViolation, "rules expected: {rules}");
        assert_eq!(details["rules"], rules);
    }
    assert!(store.pin_is(TONY, "1985848"), "refused PINs leave the old one in force");
}

#[test]
fn the_history_has_the_length_that_the_policy_says() {
    let store = Store::with_people();
    let pins = ["580291", "914730", "263815", "702946", "415093", "836127"];
    for pin in pins {
        store.reset(json!({ "identity": TONY }), Some(pin)).expect("a new PIN");
    }
    // PINHistoryCount is 5 and counts the PIN in force: the first of six is free again.
    for pin in &pins[1..] {
        let (code, details) = code(store.reset(json!({ "identity": TONY }), Some(pin)));
        assert_eq!(code, ErrorCode::PinPolicyViolation);
        assert_eq!(details["rules"], json!(["History"]));
    }
    store
        .reset(json!({ "identity": TONY }), Some(pins[0]))
        .expect("the sixth last PIN is allowed");
}

#[test]
fn validation_tells_what_commit_would() {
    let store = Store::with_people();
    store.reset(json!({ "identity": TONY }), Some("580291")).expect("a PIN");
    let before = store.record(TONY).1;
    let what_if = plan(
        &store.session,
        json!({ "identity": TONY, "whatIf": true }),
        Some("580291"),
    )
    .expect("a plan");
    let shown = target(&what_if).expect("a target");
    assert_eq!(shown["identity"], "contoso.com/Sales/Tony Smith");
    assert_eq!(shown["recipient"], TONY);
    assert_eq!(code(validate(&what_if)).0, ErrorCode::PinPolicyViolation);
    assert_eq!(
        code(commit(&what_if)).0,
        ErrorCode::InvalidRequest,
        "a what-if plan is never carried out"
    );
    assert_eq!(store.record(TONY).1, before);
    assert_eq!(store.messages().len(), 1);
}

/// One-digit extensions leave 9999 alone, and once that is in the history nothing.
#[test]
fn validation_of_a_pin_to_be_generated_looks_at_the_history_as_commit_does() {
    let people = support::PEOPLE.replace(",4271,", ",0;1;2;3;4;5;6;7;8,");
    let store = Store::with(&people);
    rusqlite::Connection::open(store.path("directory.db"))
        .and_then(|db| db.execute("UPDATE policy SET min_pin_length = 4, allow_common_patterns = 1", []))
        .expect("another policy");
    for tries in [1, 2] {
        let only = plan(&store.session, json!({ "identity": TONY, "confirm": false }), None).expect("a plan");
        target(&only).expect("a target");
        let told = validate(&only);
        if tries == 1 {
            told.expect("one PIN is left");
            assert_eq!(commit(&only).expect("a reset").pin.as_deref(), Some("9999"));
        } else {
            assert_eq!(code(told).0, ErrorCode::NoValidPin);
            assert_eq!(code(commit(&only)).0, ErrorCode::NoValidPin);
        }
    }
}

#[test]
fn a_plan_is_carried_out_once() {
    let store = Store::with_people();
    let plan = plan(&store.session, json!({ "identity": TONY }), None).expect("a plan");
    commit(&plan).expect("the first commit");
    assert_eq!(code(commit(&plan)).0, ErrorCode::AlreadyUsed);
    assert_eq!(code(validate(&plan)).0, ErrorCode::AlreadyUsed);
    assert_eq!(store.messages().len(), 1);
}

#[test]
fn keep_pin_locks_and_unlocks_without_a_new_pin() {
    let store = Store::with_people();
    store
        .reset(json!({ "identity": TONY, "pinExpired": false }), Some("580291"))
        .expect("a PIN");
    for (locked, expired) in [(true, None), (false, Some(true))] {
        let mut fields = json!({ "identity": TONY, "keepPin": true, "lockedOut": locked });
        if let Some(expired) = expired {
            fields["pinExpired"] = expired.into();
        }
        let reset = store.reset(fields, None).expect("lock or unlock");
        assert!(reset.pin.is_none());
        assert_eq!(reset.response["notification"], "none");
        assert_eq!(store.info(TONY)["lockedOut"], locked);
        assert_eq!(store.info(TONY)["pinExpired"], expired.unwrap_or(false));
        assert!(store.pin_is(TONY, "580291"));
    }
    assert_eq!(store.messages().len(), 1, "only the reset with a PIN mails");
}

#[test]
fn keep_pin_refuses_what_it_cannot_mean() {
    let store = Store::with_people();
    for (fields, pin) in [
        (json!({ "identity": TONY, "keepPin": true }), None),
        (
            json!({ "identity": TONY, "keepPin": true, "lockedOut": true }),
            Some("580291"),
        ),
        (
            json!({ "identity": TONY, "keepPin": true, "lockedOut": true, "notifyEmail": "x@contoso.com" }),
            None,
        ),
    ] {
        assert_eq!(code(store.reset(fields, pin)).0, ErrorCode::InvalidParameterCombination);
    }
}

#[test]
fn a_mailbox_that_never_had_a_pin_can_be_locked() {
    let store = Store::with_people();
    let info = store.info(TONY);
    assert_eq!(
        (&info["pinExpired"], &info["lockedOut"], &info["firstTimeUser"]),
        (&json!(true), &json!(false), &json!(true))
    );
    store
        .reset(json!({ "identity": TONY, "keepPin": true, "lockedOut": true }), None)
        .expect("a lock without a PIN");
    let info = store.info(TONY);
    assert_eq!((&info["pinExpired"], &info["lockedOut"]), (&json!(true), &json!(true)));
}

#[test]
fn the_recipient_is_decided_before_anything_changes() {
    let store = Store::with_people();
    let kim = "kakers";
    assert_eq!(
        code(store.reset(json!({ "identity": kim }), None)).0,
        ErrorCode::NoNotificationAddress
    );
    for address in [
        "not an address",
        "a@contoso.com,b@contoso.com",
        "a@contoso.com\r\nBcc: x@fabrikam.com",
        "@contoso.com",
    ] {
        let refused = store.reset(json!({ "identity": kim, "notifyEmail": address }), None);
        assert_eq!(code(refused).0, ErrorCode::InvalidNotifyEmail, "{address:?}");
    }
    assert!(store.messages().is_empty());
    store
        .reset(json!({ "identity": kim, "notifyEmail": "help@fabrikam.com" }), None)
        .expect("another recipient");
    let messages = store.messages();
    assert_eq!(messages.len(), 1);
    assert!(messages[0].1.contains("help@fabrikam.com"));
    // Blank counts as omitted; without mail no recipient is needed.
    store
        .reset(
            json!({ "identity": kim, "notifyEmail": "  ", "sendEmail": false }),
            None,
        )
        .expect("no mail, no recipient");
    let ignored = store.reset(
        json!({ "identity": kim, "notifyEmail": "x@contoso.com", "sendEmail": false }),
        None,
    );
    assert!(ignored.is_ok());
    assert_eq!(store.messages().len(), 1);
}

#[test]
fn mailboxes_that_cannot_be_reset_are_told_apart() {
    let store = Store::with_people();
    assert_eq!(
        code(store.reset(json!({ "identity": "nobody" }), None)).0,
        ErrorCode::ManagementObjectNotFound
    );
    assert_eq!(
        code(store.reset(json!({ "identity": "*" }), None)).0,
        ErrorCode::ManagementObjectNotFound
    );
    assert_eq!(
        code(store.reset(json!({ "identity": "  " }), None)).0,
        ErrorCode::InvalidIdentity
    );
    assert_eq!(
        code(store.reset(json!({ "identity": "jeffhay" }), None)).0,
        ErrorCode::MailboxNotUmEnabled
    );
    let scope = json!({ "identity": TONY, "ignoreDefaultScope": true });
    assert_eq!(code(store.reset(scope, None)).0, ErrorCode::InvalidParameterCombination);
    let dn = "cn=tony smith, ou=sales, dc=contoso, dc=com";
    let both = json!({ "identity": dn, "ignoreDefaultScope": true, "domainController": "dc1.contoso.com" });
    assert_eq!(code(store.reset(both, None)).0, ErrorCode::InvalidParameterCombination);
    assert!(
        store
            .reset(json!({ "identity": dn, "ignoreDefaultScope": true }), None)
            .is_ok()
    );
}

#[test]
fn a_value_that_two_mailboxes_have_is_ambiguous() {
    // The documented case: one user's UPN is another user's address.
    let store = Store::with(
        "Name,UserPrincipalName,PrimarySmtpAddress,UMEnabled\n\
         Tony,shared@contoso.com,tony@contoso.com,True\n\
         Kim,kim@contoso.com,shared@contoso.com,True\n",
    );
    let (code, details) = code(store.reset(json!({ "identity": "Shared@Contoso.com" }), None));
    assert_eq!(code, ErrorCode::ManagementObjectAmbiguous);
    assert_eq!(details["count"], 2);
    assert_eq!(details["matches"].as_array().map(Vec::len), Some(2));
}

#[test]
fn a_missing_store_names_the_place_looked_at() {
    let store = Store::empty();
    let refused = store.reset(json!({ "identity": TONY }), None);
    let Err(error) = refused else {
        panic!("there is no store")
    };
    assert_eq!(error.code(), ErrorCode::DirectoryUnavailable);
    let path = store.path("directory.db");
    assert!(
        error.message().contains(&*path.to_string_lossy()),
        "{}",
        error.message()
    );
    assert!(!path.exists());
    assert!(!store.path("umpin.key").exists());
}

#[test]
fn looking_leaves_a_restored_store_byte_for_byte() {
    let original = Store::with_people();
    original
        .reset(json!({ "identity": TONY }), Some("580291"))
        .expect("a PIN");
    // Such a copy has no write-ahead log.
    let store = Store::empty();
    let path = store.path("directory.db");
    rusqlite::Connection::open(original.path("directory.db"))
        .and_then(|connection| connection.execute("VACUUM INTO ?1", [path.to_string_lossy()]))
        .expect("a copy");
    std::fs::copy(original.path("umpin.key"), store.path("umpin.key")).expect("a copy of the key");
    let before = std::fs::read(&path).expect("the store");

    assert_eq!(store.info(TONY)["lockedOut"], false);
    let what_if = plan(&store.session, json!({ "identity": TONY, "whatIf": true }), None).expect("a plan");
    target(&what_if).expect("a target");
    validate(&what_if).expect("a valid reset");
    assert!(
        std::fs::read(&path).expect("the store") == before,
        "looking changed directory.db"
    );
    assert!(!store.path("directory.db-wal").exists());

    store
        .reset(json!({ "identity": TONY }), Some("914730"))
        .expect("a reset on a restored store");
    assert!(store.pin_is(TONY, "914730"));
    assert_eq!(store.info(TONY)["lockedOut"], false);
}

#[test]
fn a_key_that_disappears_is_missed_in_an_open_session_too() {
    let store = Store::with_people();
    store.reset(json!({ "identity": TONY }), Some("580291")).expect("a PIN");
    let key = store.path("umpin.key");
    let bytes = std::fs::read(&key).expect("the key");
    std::fs::remove_file(&key).expect("the key is removed");
    assert_eq!(
        code(store.reset(json!({ "identity": TONY }), None)).0,
        ErrorCode::KeyUnavailable
    );
    assert!(!key.exists(), "a lost key is never replaced by another");
    umpin::platform::files::write_atomically(&key, &bytes, None).expect("the key is put back");
    store
        .reset(json!({ "identity": TONY }), None)
        .expect("a reset with the key back");
}

#[cfg(unix)]
#[test]
fn a_key_that_others_may_read_is_refused_in_an_open_session_too() {
    use std::os::unix::fs::PermissionsExt;
    let store = Store::with_people();
    store.reset(json!({ "identity": TONY }), Some("580291")).expect("a PIN");
    let mode = |bits| {
        let permissions = std::fs::Permissions::from_mode(bits);
        std::fs::set_permissions(store.path("umpin.key"), permissions).expect("another mode");
    };
    mode(0o644);
    assert_eq!(
        code(store.reset(json!({ "identity": TONY }), None)).0,
        ErrorCode::KeyUnavailable
    );
    assert_eq!(store.messages().len(), 1, "the refused reset mailed something");
    mode(0o600);
    store
        .reset(json!({ "identity": TONY }), None)
        .expect("a reset with the mode back");
}
