//! A PIN is in its message and nowhere else: not in errors, responses, diagnostics, files, nor on a stream of the process.

use std::fmt::Debug;
use std::fs;
use std::path::Path;
use std::process::Command;

use crate::support::faults::{Broken, FAULTS, Fault, KIM, OPERATIONS, TONY, everything_said};
use crate::support::{PEOPLE, announced_pin, answer, commit, messages, open, plan, request, reset, target, validate};
use serde_json::{Value, json};
use umpin::pin::Pin;
use umpin::session::{Request, Session, SharedError};

/// Obeys the default policy, and stands nowhere by accident.
const MARKED: &str = "7391846205";
/// A second one, for the history.
const OTHER: &str = "4826193570";

/// One that the user chooses.
const OWN: &str = "6158309274";

/// The files below `directory` in which the PIN stands, as UTF-8 or UTF-16.
fn holding(directory: &Path, pin: &str) -> Vec<String> {
    let plain = pin.as_bytes().to_vec();
    let wide: Vec<u8> = pin.encode_utf16().flat_map(u16::to_le_bytes).collect();
    let reversed: Vec<u8> = pin.bytes().rev().collect();
    let mut found = Vec::new();
    for entry in fs::read_dir(directory).expect("a directory") {
        let path = entry.expect("an entry").path();
        let kind = fs::symlink_metadata(&path).expect("metadata");
        if kind.is_dir() {
            found.extend(holding(&path, pin));
        } else if kind.is_file() {
            let bytes = fs::read(&path).expect("a file");
            let has = |needle: &[u8]| bytes.windows(needle.len()).any(|window| window == needle);
            let name = path.to_string_lossy().into_owned();
            if has(&plain) || has(&wide) || has(&reversed) || name.contains(pin) {
                found.push(name);
            }
        }
    }
    found
}

fn only_in_messages(home: &Path, pin: &str, count: usize, what: &str) {
    let found = holding(home, pin);
    assert!(found.iter().all(|name| name.ends_with(".eml")), "{what}: {found:?}");
    assert_eq!(found.len(), count, "{what}: {found:?}");
}

fn silent(said: &str, what: &str) {
    for pin in [MARKED, OTHER, OWN] {
        assert!(!said.contains(pin), "{what}: {said}");
    }
}

fn said(result: &Result<Value, SharedError>) -> String {
    match result {
        Ok(response) => response.to_string(),
        Err(error) => everything_said(error),
    }
}

#[test]
fn the_search_finds_what_it_looks_for() {
    let home = tempfile::tempdir().unwrap();
    fs::write(home.path().join("plain"), format!("x{MARKED}x")).unwrap();
    let wide: Vec<u8> = MARKED.encode_utf16().flat_map(u16::to_le_bytes).collect();
    fs::write(home.path().join("wide"), wide).unwrap();
    fs::write(home.path().join("clean"), "7391846204").unwrap();
    assert_eq!(holding(home.path(), MARKED).len(), 2);
}

#[test]
fn a_pin_that_is_set_stands_in_its_message_only() {
    let store = Broken::new();
    let home = store.home.path();
    let session = store.session();
    let set = plan(&session, json!({ "identity": TONY }), Some(MARKED)).unwrap();
    silent(&target(&set).unwrap().to_string(), "the target");
    validate(&set).unwrap();
    silent(&commit(&set).unwrap().response.to_string(), "the response");
    // With write-ahead log and shared memory, as they are while the session is open.
    only_in_messages(home, MARKED, 1, "after the reset");

    for (what, fields, pin) in [
        ("again", json!({ "identity": TONY }), Some(MARKED)),
        (
            "lock",
            json!({ "identity": TONY, "keepPin": true, "lockedOut": true }),
            None,
        ),
        (
            "keep and set",
            json!({ "identity": TONY, "keepPin": true, "lockedOut": true }),
            Some(MARKED),
        ),
        ("no mailbox", json!({ "identity": "nobody" }), Some(MARKED)),
        ("not enabled", json!({ "identity": "jeffhay" }), Some(MARKED)),
        ("no address", json!({ "identity": KIM }), Some(MARKED)),
        (
            "bad address",
            json!({ "identity": KIM, "notifyEmail": "nobody" }),
            Some(MARKED),
        ),
        (
            "scope",
            json!({ "identity": KIM, "ignoreDefaultScope": true }),
            Some(MARKED),
        ),
        (
            "too long",
            json!({ "identity": TONY }),
            Some("739184620573918462057391846205"),
        ),
        ("not numeric", json!({ "identity": TONY }), Some("7391846205x")),
        ("extension", json!({ "identity": TONY }), Some("73918462054271")),
        (
            "unknown field",
            json!({ "identity": TONY, "pin": MARKED }),
            Some(MARKED),
        ),
        (
            "wrong type",
            json!({ "identity": TONY, "lockedOut": MARKED }),
            Some(MARKED),
        ),
        ("other", json!({ "identity": TONY }), Some(OTHER)),
    ] {
        let result = reset(&session, fields, pin).map(|r| r.response);
        silent(&said(&result), what);
        let expected = matches!(what, "lock" | "other");
        assert_eq!(result.is_ok(), expected, "{what}: {}", said(&result));
    }
    for operation in ["pinInfo", "mailboxes", "policies", "status"] {
        let result = request(&session, &json!({ "v": 1, "operation": operation }));
        silent(&said(&result), operation);
    }
    only_in_messages(home, MARKED, 1, "after refusals");
    only_in_messages(home, OTHER, 1, "after the second reset");
    drop(session);
    for (_, message) in messages(&home.join("pickup")) {
        announced_pin(&message);
    }
}

#[test]
fn no_fault_brings_a_pin_to_light() {
    let inflicted = |fault: &Fault| {
        let store = Broken::new();
        (fault.inflict)(&store);
        for (name, operation) in OPERATIONS {
            let what = format!("{}, {name}", fault.name);
            silent(&said(&operation(&store.session(), MARKED)), &what);
        }
        only_in_messages(store.home.path(), MARKED, 0, fault.name);
    };
    // Side by side, because a refused sign-in takes its time.
    std::thread::scope(|scope| {
        for fault in FAULTS {
            scope.spawn(|| inflicted(fault));
        }
    });
}

#[test]
fn a_message_that_waits_in_the_outbox_is_sealed() {
    let store = Broken::new();
    let session = store.session();
    let set = plan(&session, json!({ "identity": TONY }), Some(MARKED)).unwrap();
    target(&set).unwrap();
    fs::rename(store.path("pickup"), store.path("away")).unwrap();
    fs::write(store.path("pickup"), b"a file").unwrap();
    silent(&commit(&set).unwrap().response.to_string(), "the response");
    only_in_messages(store.home.path(), MARKED, 0, "while the message waits");
}

#[test]
fn generated_pins_stand_in_their_messages_only() {
    let store = Broken::new();
    // Long enough not to stand anywhere by chance.
    store.sql("UPDATE policy SET min_pin_length = 14");
    let session = store.session();
    let mailed = reset(&session, json!({ "identity": TONY }), None).unwrap();
    let unknown = reset(&session, json!({ "identity": KIM, "sendEmail": false }), None).unwrap();
    for (reset, count) in [(mailed, 1), (unknown, 0)] {
        let pin = reset.pin.expect("a generated PIN");
        assert_eq!(pin.len(), 14);
        assert!(!reset.response.to_string().contains(&pin));
        only_in_messages(store.home.path(), &pin, count, "a generated PIN");
    }
}

/// What is in the child's environment to tell it from an ordinary test run: where its store is.
const CHILD: &str = "UMPIN_TEST_CHILD_HOME";

/// Not a test of its own: everything that can go right or wrong with a PIN, in a process whose streams are watched.
#[test]
fn in_a_child_process() {
    let Some(home) = std::env::var_os(CHILD) else {
        return;
    };
    let session = open(Path::new(&home));
    let set = |fields: Value, pin: &str| drop(reset(&session, fields, Some(pin)));
    set(json!({ "identity": TONY }), MARKED);
    set(json!({ "identity": TONY }), MARKED);
    set(json!({ "identity": TONY }), "7391846205x");
    set(json!({ "identity": KIM }), MARKED);
    set(json!({ "identity": TONY }), OTHER);
    let attempt = json!({ "v": 1, "identity": TONY }).to_string();
    let pin = |text: &str| Some(Pin::new(text.to_owned()));
    for (old, new) in [(MARKED, OTHER), (OTHER, MARKED), (OTHER, "1"), (OTHER, OWN)] {
        drop(answer(Request::sign_in(&session, attempt.as_bytes(), pin(old))));
        drop(answer(Request::change_pin(
            &session,
            attempt.as_bytes(),
            pin(old),
            pin(new),
        )));
    }
    panic_with(&session, Path::new(&home));
}

/// A panic inside an export, through the boundary that has to silence it.
#[cfg(feature = "test-hooks")]
#[allow(unsafe_code, reason = "the exports are unsafe to call")]
fn panic_with(_: &Session, home: &Path) {
    use std::ptr::null_mut;
    use umpin::ffi::*;
    let request = json!({ "v": 1, "dataDirectory": home }).to_string();
    let mut session = null_mut();
    // SAFETY: text of this length, and places for the results.
    let opened = unsafe { umpin_session_open(request.as_ptr(), request.len(), &raw mut session, null_mut()) };
    assert_eq!(opened, UMPIN_OK);
    // SAFETY: a session that was just opened.
    let status = unsafe { umpin_test_panic(session, null_mut()) };
    // SAFETY: freed once.
    unsafe { umpin_session_free(session) };
    assert_eq!(status, UMPIN_PANIC);
}

#[cfg(not(feature = "test-hooks"))]
fn panic_with(_: &Session, _: &Path) {}

#[test]
fn the_process_prints_nothing_and_leaves_no_temporary_file() {
    let store = Broken::new();
    let temporary = tempfile::tempdir().unwrap();
    let child = Command::new(std::env::current_exe().unwrap())
        .args([
            "secrets::in_a_child_process",
            "--exact",
            "--nocapture",
            "--test-threads=1",
        ])
        .env(CHILD, store.home.path())
        .env("TMPDIR", temporary.path())
        .env("RUST_BACKTRACE", "full")
        .output()
        .expect("the child runs");
    let out = String::from_utf8_lossy(&child.stdout);
    let err = String::from_utf8_lossy(&child.stderr);
    assert!(child.status.success(), "{out}{err}");
    assert!(out.contains("1 passed"), "{out}");
    silent(&out, "standard output");
    assert_eq!(err, "", "the library writes to nobody's standard error");
    assert_eq!(fs::read_dir(temporary.path()).unwrap().count(), 0);
    only_in_messages(store.home.path(), MARKED, 1, "after the child");
    only_in_messages(store.home.path(), OTHER, 1, "after the child");
    only_in_messages(store.home.path(), OWN, 0, "nobody is told the PIN that a user chose");
}

#[test]
fn an_import_file_with_a_pin_in_it_is_not_quoted() {
    let home = tempfile::tempdir().unwrap();
    let session = open(home.path());
    let files = tempfile::tempdir().unwrap();
    let file = files.path().join("people.csv");
    // A column that somebody added for the new PINs, and a row in which everything is shifted.
    let lines: Vec<&str> = PEOPLE.lines().collect();
    let [header, first, second, ..] = lines.as_slice() else {
        panic!("rows")
    };
    let text = format!("{header},Pin\n{first},{MARKED}\n{second},{MARKED},{MARKED}\n");
    fs::write(&file, text).unwrap();
    for skip in [false, true] {
        let fields = json!({ "v": 1, "operation": "import", "path": file, "skipInvalid": skip });
        let result = request(&session, &fields);
        assert_eq!(result.is_ok(), skip, "{}", said(&result));
        silent(&said(&result), "an import");
    }
    only_in_messages(home.path(), MARKED, 0, "after the import");
}

/// Types that hold a PIN or key must have no `Debug`: this does not compile if one gets it.
macro_rules! has_no_debug {
    ($($type:ty),*) => {$(
        const _: fn() = || {
            trait Ambiguous<A> {
                fn proof() {}
            }
            impl<T: ?Sized> Ambiguous<()> for T {}
            struct WithDebug;
            impl<T: ?Sized + Debug> Ambiguous<WithDebug> for T {}
            let _ = <$type as Ambiguous<_>>::proof;
        };
    )*};
}

has_no_debug!(
    umpin::pin::Pin,
    umpin::credential::kdf::PinVerifiers,
    umpin::credential::keyring::KeyRing,
    umpin::credential::master_key::MasterKey,
    umpin::service::signin::SignInRequest,
    umpin::service::signin::ChangePinRequest,
    umpin::service::signin::SignInAnswer,
    umpin::service::reset::ResetRequest,
    umpin::service::reset::ResetPlan,
    umpin::service::reset::ResetOutcome,
    umpin::session::Outcome,
    umpin::session::Plan
);
