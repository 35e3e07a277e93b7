//! Signing in, as a telephone system does it: outcomes, counting, automatic reset, lock-out, the user's own change.

use std::fs;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use umpin::ErrorCode;
use umpin::service::signin::SignIn;
use umpin::session::{Poll, Request, SharedError};

use super::attempt::{self, PATIENCE, pin};
use super::fixture;
use crate::support::{Store, announced_pin, request};

const TONY: &str = "tonysmith@contoso.com";
const PIN: &str = "739152";
const WRONG: &str = "111222";

fn attempt(store: &Store, fields: Value, text: &str) -> Result<Value, SharedError> {
    attempt::attempt(&store.session, fields, text)
}

fn sign_in(store: &Store, text: &str) -> Value {
    attempt::sign_in(&store.session, TONY, text).expect("an answer")
}

fn change(store: &Store, old: &str, new: &str) -> Result<Value, SharedError> {
    attempt::change(&store.session, TONY, old, new)
}

/// Without floor, because most tests here wait for many negative answers.
fn people() -> Store {
    quick(Store::with_people())
}

fn quick(mut store: Store) -> Store {
    store.session = fixture::cheap_session(store.directory.path());
    store
}

/// Tony's PIN is known and need not be changed.
fn store() -> Store {
    tonys(people())
}

fn tonys(store: Store) -> Store {
    store
        .reset(
            json!({ "identity": TONY, "pinExpired": false, "sendEmail": false }),
            Some(PIN),
        )
        .expect("the reset");
    store
}

/// The policy `Default` with these attributes instead of the defaults.
fn set_policy(store: &Store, attributes: &str) {
    let file = store.path("policy.ldf");
    let text = format!(
        "dn: CN=Default,CN=UM Mailbox Policies,CN=Contoso,CN=Configuration,DC=contoso,DC=com\n\
         objectClass: msExchUMRecipientTemplate\ncn: Default\n{attributes}\n"
    );
    fs::write(&file, text).expect("the file is written");
    request(&store.session, &json!({ "v": 1, "operation": "import", "path": file })).expect("the import");
}

#[test]
fn the_right_pin_is_accepted_and_a_wrong_one_is_counted() {
    let store = store();
    let accepted = sign_in(&store, PIN);
    assert_eq!(accepted["outcome"], "accepted");
    assert_eq!(accepted["identity"], "contoso.com/Sales/Tony Smith");
    assert!(accepted["pinExpiresOn"].is_i64(), "{accepted}");

    let rejected = sign_in(&store, WRONG);
    assert_eq!(rejected["outcome"], "rejected");
    assert_eq!(rejected["attemptsUntilReset"], 4);
    assert_eq!(rejected["attemptsUntilLock"], 14);
    assert!(
        rejected["pinExpiresOn"].is_null(),
        "who does not know the PIN learns nothing of it: {rejected}"
    );
    let info = store.info(TONY);
    assert_eq!(info["failedAttempts"], 1);
    assert!(
        info["lastFailedAttempt"].is_i64() && info["lockedSince"].is_null(),
        "{info}"
    );

    assert_eq!(sign_in(&store, PIN)["outcome"], "accepted");
    assert_eq!(store.info(TONY)["failedAttempts"], 0, "success clears the counter");
}

#[test]
fn five_wrong_pins_reset_the_pin_and_fifteen_lock_the_mailbox() {
    let store = store();
    let outcomes: Vec<String> = (0..17)
        .map(|_| attempt::outcome(&sign_in(&store, WRONG)).to_owned())
        .collect();
    for (index, outcome) in outcomes.iter().enumerate() {
        let expected = match index + 1 {
            5 | 10 => "resetByFailures",
            15.. => "locked",
            _ => "rejected",
        };
        assert_eq!(outcome, expected, "attempt {} of {outcomes:?}", index + 1);
    }
    let messages = store.messages();
    assert_eq!(messages.len(), 2, "one message for each automatic reset");
    let latest = messages.iter().map(|(_, text)| announced_pin(text));
    let current: Vec<String> = latest.filter(|pin| store.pin_is(TONY, pin)).collect();
    let [current] = current.as_slice() else {
        panic!("the PIN in force is not the one of exactly one message: {current:?}");
    };
    assert_eq!(
        sign_in(&store, current)["outcome"],
        "locked",
        "the right PIN is refused as well"
    );
    let info = store.info(TONY);
    assert_eq!(info["lockedOut"], true);
    assert_eq!(info["failedAttempts"], 15, "what is refused unseen is not counted");
    assert!(info["lockedSince"].is_i64(), "{info}");

    store
        .reset(json!({ "identity": TONY, "lockedOut": false, "keepPin": true }), None)
        .expect("the unlock");
    let info = store.info(TONY);
    assert_eq!(
        (&info["lockedOut"], &info["failedAttempts"]),
        (&json!(false), &json!(0))
    );
    assert_eq!(sign_in(&store, current)["outcome"], "changeRequired");
}

#[test]
fn an_administrators_lock_refuses_the_right_pin_and_a_reset_ends_a_lock_out() {
    let store = store();
    let lock = json!({ "identity": TONY, "lockedOut": true, "keepPin": true });
    store.reset(lock, None).expect("the lock");
    assert_eq!(sign_in(&store, PIN)["outcome"], "locked");
    store
        .reset(json!({ "identity": TONY, "pinExpired": false }), Some("482913"))
        .expect("the reset");
    assert_eq!(sign_in(&store, "482913")["outcome"], "accepted");
}

#[test]
fn an_expired_pin_opens_nothing_until_the_user_has_changed_it() {
    let store = store();
    store
        .reset(json!({ "identity": TONY, "sendEmail": false }), Some("482913"))
        .expect("the reset");
    let answer = sign_in(&store, "482913");
    assert_eq!(
        (&answer["outcome"], &answer["firstTimeUser"]),
        (&json!("changeRequired"), &json!(true))
    );

    let refused = change(&store, "482913", "1234").expect_err("too short and sequential");
    assert_eq!(refused.code(), ErrorCode::PinPolicyViolation);
    assert_eq!(refused.details()["rules"], json!(["TooShort", "Sequential"]));
    let reused = change(&store, "482913", PIN).expect_err("among the last five");
    assert_eq!(reused.details()["rules"], json!(["History"]));
    assert_eq!(
        sign_in(&store, "482913")["outcome"],
        "changeRequired",
        "a refused change changes nothing"
    );

    let changed = change(&store, "482913", "905317").expect("the change");
    assert_eq!(
        (&changed["outcome"], &changed["firstTimeUser"]),
        (&json!("accepted"), &json!(false))
    );
    assert_eq!(sign_in(&store, "905317")["outcome"], "accepted");
    assert_eq!(sign_in(&store, "482913")["outcome"], "rejected", "the old PIN is over");
    let info = store.info(TONY);
    assert_eq!(
        (&info["pinExpired"], &info["firstTimeUser"]),
        (&json!(false), &json!(false))
    );
}

#[test]
fn changing_with_a_wrong_pin_is_an_attempt_like_any_other() {
    let store = store();
    // The new PIN breaks rules: whoever does not know the old one must not learn that.
    let outcomes: Vec<Value> = (0..5)
        .map(|_| change(&store, WRONG, "1").expect("an answer")["outcome"].clone())
        .collect();
    assert_eq!(
        outcomes,
        ["rejected", "rejected", "rejected", "rejected", "resetByFailures"]
    );
    assert!(!store.pin_is(TONY, PIN), "the PIN was reset");
}

#[test]
fn a_refused_new_pin_still_clears_the_failures_because_the_old_one_was_right() {
    let store = store();
    sign_in(&store, WRONG);
    change(&store, PIN, "1").expect_err("too short");
    assert_eq!(store.info(TONY)["failedAttempts"], 0);
}

#[test]
fn extensions_name_mailboxes_too() {
    let store = store();
    let outcome = |fields: Value| attempt(&store, fields, PIN).map(|answer| answer["outcome"].clone());
    assert_eq!(outcome(json!({ "extension": "4271" })).unwrap(), "accepted");
    assert_eq!(
        outcome(json!({ "extension": "42-71" })).unwrap(),
        "accepted",
        "marks mean nothing"
    );
    let none = outcome(json!({ "extension": "271" })).expect_err("nobody has it");
    assert_eq!(none.code(), ErrorCode::ManagementObjectNotFound);
    assert!(none.message().contains("extension 271"), "{none}");
    let plan = outcome(json!({ "extension": "4271", "dialPlan": "Seattle" })).expect_err("in no such dial plan");
    assert!(plan.message().contains("dial plan Seattle"), "{plan}");
    let empty = outcome(json!({ "extension": "-" })).expect_err("no digits");
    assert_eq!(empty.code(), ErrorCode::InvalidIdentity);
}

#[test]
fn an_extension_in_two_dial_plans_needs_the_dial_plan() {
    let file = "\
dn: CN=Tony Smith,OU=Sales,DC=contoso,DC=com
objectClass: user
cn: Tony Smith
mail: tonysmith@contoso.com
msExchUMEnabledFlags: 1
proxyAddresses: eum:4271;phone-context=Seattle.contoso.com

dn: CN=Kim Akers,OU=Sales,DC=contoso,DC=com
objectClass: user
cn: Kim Akers
mail: kimakers@contoso.com
msExchUMEnabledFlags: 1
proxyAddresses: eum:4271;phone-context=Redmond.contoso.com
";
    let store = quick(Store::empty());
    let path = store.path("people.ldf");
    fs::write(&path, file).expect("the file is written");
    request(&store.session, &json!({ "v": 1, "operation": "import", "path": path })).expect("the import");
    store
        .reset(
            json!({ "identity": "Kim Akers", "pinExpired": false, "sendEmail": false }),
            Some(PIN),
        )
        .expect("the reset");
    let two = attempt(&store, json!({ "extension": "4271" }), PIN).expect_err("two have it");
    assert_eq!(two.code(), ErrorCode::ManagementObjectAmbiguous);
    let fields = json!({ "extension": "4271", "dialPlan": "redmond.CONTOSO.com" });
    let kim = attempt(&store, fields, PIN).expect("one has it");
    assert_eq!(
        (&kim["outcome"], &kim["displayName"]),
        (&json!("accepted"), &json!("Kim Akers"))
    );
}

#[test]
fn a_mailbox_that_never_had_a_pin_accepts_none_and_counts_nothing() {
    let store = people();
    for _ in 0..20 {
        assert_eq!(sign_in(&store, WRONG)["outcome"], "rejected");
    }
    let info = store.info(TONY);
    assert_eq!(
        (&info["failedAttempts"], &info["lockedOut"]),
        (&json!(0), &json!(false))
    );
}

#[test]
fn without_an_address_nobody_could_hear_of_a_new_pin_so_none_is_made() {
    let store = people();
    let kim = json!({ "identity": "kimakers" });
    let mut reset = kim.clone();
    reset["sendEmail"] = false.into();
    reset["pinExpired"] = false.into();
    store.reset(reset, Some(PIN)).expect("the reset");
    for n in 1..=14 {
        let answer = attempt(&store, kim.clone(), WRONG).expect("an answer");
        assert_eq!(answer["outcome"], "rejected", "attempt {n}");
    }
    assert!(store.pin_is("kimakers", PIN), "the PIN is kept");
    let last = attempt(&store, kim, WRONG).expect("an answer");
    assert_eq!(last["outcome"], "locked", "counting goes on");
}

#[test]
fn the_policy_that_applies_now_decides() {
    let store = store();
    for _ in 0..3 {
        sign_in(&store, WRONG);
    }
    set_policy(
        &store,
        "msExchUMPinPolicyMinPasswordLength: 6\nmsExchUMLogonFailuresBeforePINReset: 2\nmsExchUMPinPolicyNumberOfPreviousPasswordsDisallowed: 5\n\
         msExchUMPinPolicyAccountLockoutFailures: 3\n",
    );
    assert_eq!(store.info(TONY)["lockedOut"], true, "three failures are too many now");
    assert_eq!(sign_in(&store, PIN)["outcome"], "locked");
    set_policy(&store, "msExchUMPinPolicyAccountLockoutFailures: 15\n");
    assert_eq!(
        sign_in(&store, PIN)["outcome"],
        "locked",
        "a lock stays until an administrator acts"
    );
}

#[test]
fn negative_answers_wait_for_the_floor_and_positive_ones_do_not() {
    let floor = Duration::from_millis(500);
    let store = tonys(Store::with_people());
    let time = |fields: Value, text: &str| {
        let begin = Instant::now();
        let answer = attempt(&store, fields, text);
        (begin.elapsed(), answer)
    };
    let tony = || json!({ "identity": TONY });
    for (what, fields) in [
        ("wrong", tony()),
        ("unknown", json!({ "identity": "nobody" })),
        ("not enabled", json!({ "identity": "jeffhay" })),
        ("never set", json!({ "identity": "kimakers" })),
    ] {
        let (took, answer) = time(fields, WRONG);
        assert!(took >= floor, "{what}: answered after {took:?}: {answer:?}");
    }
    // Asked in steps, as PowerShell does: no earlier either.
    let begin = Instant::now();
    let body = json!({ "v": 1, "identity": TONY }).to_string();
    let pending = Request::sign_in(&store.session, body.as_bytes(), pin(WRONG)).expect("a request");
    loop {
        if let Poll::Ready(_) = pending.wait(Duration::from_millis(20)).expect("an answer") {
            break;
        }
        assert!(matches!(pending.attempt(), Ok(Poll::Pending)) || begin.elapsed() >= floor);
    }
    assert!(begin.elapsed() >= floor);
    let result = pending.attempt().expect("a result");
    assert!(matches!(result, Poll::Ready(result) if result.outcome == SignIn::Rejected));
}

#[test]
fn an_attempt_that_nobody_waits_for_is_counted_all_the_same() {
    let store = store();
    let body = json!({ "v": 1, "identity": TONY }).to_string();
    for _ in 0..3 {
        drop(Request::sign_in(&store.session, body.as_bytes(), pin(WRONG)).expect("a request"));
    }
    // The fourth is answered after those before it, give or take the order of threads; so ask until all are counted.
    let begin = Instant::now();
    while store.info(TONY)["failedAttempts"] != 3 {
        assert!(
            begin.elapsed() < PATIENCE,
            "three attempts, counted: {}",
            store.info(TONY)
        );
        std::thread::yield_now();
    }
}

#[test]
fn impossible_requests_are_refused_without_an_attempt() {
    let store = store();
    for fields in [
        json!({ "v": 1 }),
        json!({ "v": 1, "identity": TONY, "extension": "4271" }),
        json!({ "v": 1, "identity": TONY, "dialPlan": "Seattle" }),
        json!({ "v": 1, "identity": TONY, "pin": PIN }),
        json!({ "v": 2, "identity": TONY }),
    ] {
        let error = Request::sign_in(&store.session, fields.to_string().as_bytes(), pin(WRONG)).map(drop);
        assert_eq!(
            error.expect_err("impossible").code(),
            ErrorCode::InvalidRequest,
            "{fields}"
        );
    }
    let body = json!({ "v": 1, "identity": TONY }).to_string();
    let error = Request::sign_in(&store.session, body.as_bytes(), None).map(drop);
    assert_eq!(error.expect_err("no PIN").code(), ErrorCode::InvalidArgument);
    assert_eq!(store.info(TONY)["failedAttempts"], 0);
}
