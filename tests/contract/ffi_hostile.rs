//! The C functions, called as no careful program would: NULL, garbage, too late, twice, from many threads, after a fork.

#![allow(unsafe_code, reason = "the exports are unsafe to call")]
#![allow(
    clippy::undocumented_unsafe_blocks,
    reason = "one reason for all: each call passes NULL, or a handle made by this test and not freed yet"
)]

use std::ptr::{self, null, null_mut};
use std::sync::Once;

use crate::support::faults::{Broken, KIM, TONY};
use proptest::prelude::*;
use serde_json::{Value, json};
use umpin::ffi::*;

/// Longer than anything here takes, in steps as PowerShell waits.
const STEP_MS: u32 = 200;
const STEPS: usize = 300;

/// What an out-param holds before the call, to see whether it was written.
fn untouched<T>() -> *mut T {
    ptr::without_provenance_mut(0x5a5a)
}

/// The library silences panics in its process, which here is the tests' own.
fn loud() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let (mut text, mut length) = (null(), 0);
        assert_eq!(unsafe { umpin_version(&raw mut text, &raw mut length) }, UMPIN_OK);
        drop(std::panic::take_hook());
    });
}

/// A handle that is freed at the end of the test.
struct Handle<T> {
    raw: *mut T,
    free: unsafe extern "C" fn(*mut T),
}

impl<T> Drop for Handle<T> {
    fn drop(&mut self) {
        unsafe { (self.free)(self.raw) }
    }
}

/// Asserts the rules that hold for every call, and gives back the status with the error's JSON.
fn checked<T>(
    free: unsafe extern "C" fn(*mut T),
    call: impl Fn(*mut *mut T, *mut *mut umpin_error) -> umpin_status_t,
) -> Result<Handle<T>, (u32, Value)> {
    loud();
    let (mut out, mut error) = (untouched(), untouched());
    let status = call(&raw mut out, &raw mut error);
    if status == UMPIN_OK {
        assert_eq!(error, untouched(), "the error is written on failure only");
        return Ok(Handle { raw: out, free });
    }
    assert_eq!(out, untouched(), "the result is written on success only");
    if [UMPIN_PENDING, UMPIN_BATCH_EMPTY, UMPIN_CANCELLED].contains(&status) {
        assert_eq!(error, untouched());
        return Err((status, Value::Null));
    }
    let told = error_of(error);
    assert_eq!(told["status"], status);
    Err((status, told))
}

fn error_of(error: *mut umpin_error) -> Value {
    let error = Handle {
        raw: error,
        free: umpin_error_free,
    };
    let (mut data, mut length) = (null(), 0);
    assert_eq!(
        unsafe { umpin_error_json(error.raw, &raw mut data, &raw mut length) },
        UMPIN_OK
    );
    serde_json::from_slice(unsafe { std::slice::from_raw_parts(data, length) }).expect("JSON")
}

fn text_of(buffer: &Handle<umpin_buffer>) -> String {
    let (mut data, mut length) = (null(), 0);
    assert_eq!(
        unsafe { umpin_buffer_data(buffer.raw, &raw mut data, &raw mut length) },
        UMPIN_OK
    );
    let bytes = unsafe { std::slice::from_raw_parts(data, length) };
    String::from_utf8(bytes.to_vec()).expect("UTF-8")
}

fn session_from(request: &[u8]) -> Result<Handle<umpin_session>, (u32, Value)> {
    checked(umpin_session_free, |out, error| unsafe {
        umpin_session_open(request.as_ptr(), request.len(), out, error)
    })
}

fn session(store: &Broken) -> Handle<umpin_session> {
    let request = json!({ "v": 1, "dataDirectory": store.home.path() }).to_string();
    session_from(request.as_bytes()).unwrap_or_else(|e| panic!("{e:?}"))
}

fn plan(session: &Handle<umpin_session>, request: &[u8], pin: &[u8]) -> Result<Handle<umpin_plan>, (u32, Value)> {
    checked(umpin_plan_free, |out, error| unsafe {
        umpin_plan_new(
            session.raw,
            request.as_ptr(),
            request.len(),
            pin.as_ptr(),
            pin.len(),
            out,
            error,
        )
    })
}

fn tony(session: &Handle<umpin_session>) -> Handle<umpin_plan> {
    let request = json!({ "v": 1, "identity": TONY }).to_string();
    plan(session, request.as_bytes(), b"").unwrap_or_else(|e| panic!("{e:?}"))
}

fn ask(session: &Handle<umpin_session>, request: &[u8]) -> Result<Handle<umpin_request>, (u32, Value)> {
    checked(umpin_request_free, |out, error| unsafe {
        umpin_request_new(session.raw, request.as_ptr(), request.len(), out, error)
    })
}

fn sign_in(session: &Handle<umpin_session>, request: &[u8], pin: &[u8]) -> Result<Handle<umpin_request>, (u32, Value)> {
    checked(umpin_request_free, |out, error| unsafe {
        umpin_signin(
            session.raw,
            request.as_ptr(),
            request.len(),
            pin.as_ptr(),
            pin.len(),
            out,
            error,
        )
    })
}

fn until<T>(step: impl Fn() -> Result<T, (u32, Value)>) -> Result<T, (u32, Value)> {
    for _ in 0..STEPS {
        match step() {
            Err((UMPIN_PENDING, _)) => {}
            other => return other,
        }
    }
    panic!("no answer within a minute");
}

fn commit(plan: *const umpin_plan) -> Result<Handle<umpin_buffer>, (u32, Value)> {
    until(|| {
        checked(umpin_buffer_free, |out, error| unsafe {
            umpin_plan_commit(plan, STEP_MS, out, null_mut(), error)
        })
    })
}

fn wait(request: *const umpin_request) -> Result<Handle<umpin_buffer>, (u32, Value)> {
    until(|| {
        checked(umpin_buffer_free, |out, error| unsafe {
            umpin_request_wait(request, STEP_MS, out, error)
        })
    })
}

fn status_of<T>(result: Result<T, (u32, Value)>) -> u32 {
    match result {
        Ok(_) => UMPIN_OK,
        Err((status, _)) => status,
    }
}

fn batch(session: &Handle<umpin_session>) -> Handle<umpin_batch> {
    checked(umpin_batch_free, |out, error| unsafe {
        umpin_batch_new(session.raw, 2, out, error)
    })
    .unwrap_or_else(|e| panic!("{e:?}"))
}

#[test]
fn every_pointer_may_be_null() {
    loud();
    let store = Broken::new();
    let session = session(&store);
    let request = json!({ "v": 1, "identity": TONY }).to_string();
    let status = br#"{"v":1,"operation":"status"}"#;
    let (plan, batch, asked) = (
        tony(&session),
        batch(&session),
        ask(&session, status).unwrap_or_else(|e| panic!("{e:?}")),
    );
    let (r, n) = (request.as_ptr(), request.len());
    let mut buffer = untouched::<umpin_buffer>();
    let (mut data, mut length, mut index) = (untouched::<u8>().cast_const(), 7_usize, 7_u64);
    let mut number = 7_u32;
    let number = &raw mut number;
    let (data, length, index, buffer) = (&raw mut data, &raw mut length, &raw mut index, &raw mut buffer);
    let mut handles = (untouched(), untouched(), untouched(), untouched());
    let (s, p, q, b) = (
        &raw mut handles.0,
        &raw mut handles.1,
        &raw mut handles.2,
        &raw mut handles.3,
    );
    // SAFETY: NULL is what this is about; everything else is valid.
    let calls: &[(&str, &dyn Fn(*mut *mut umpin_error) -> u32)] = &[
        ("open: request", &|e| unsafe { umpin_session_open(null(), 5, s, e) }),
        ("open: session", &|e| unsafe { umpin_session_open(r, n, null_mut(), e) }),
        ("plan: session", &|e| unsafe {
            umpin_plan_new(null(), r, n, null(), 0, p, e)
        }),
        ("plan: request", &|e| unsafe {
            umpin_plan_new(session.raw, null(), 5, null(), 0, p, e)
        }),
        ("plan: pin", &|e| unsafe {
            umpin_plan_new(session.raw, r, n, null(), 6, p, e)
        }),
        ("plan: plan", &|e| unsafe {
            umpin_plan_new(session.raw, r, n, null(), 0, null_mut(), e)
        }),
        ("target: plan", &|e| unsafe { umpin_plan_target(null(), 0, buffer, e) }),
        ("target: target", &|e| unsafe {
            umpin_plan_target(plan.raw, 0, null_mut(), e)
        }),
        ("validate: plan", &|e| unsafe { umpin_plan_validate(null(), 0, e) }),
        ("commit: plan", &|e| unsafe {
            umpin_plan_commit(null(), 0, buffer, buffer, e)
        }),
        ("commit: response", &|e| unsafe {
            umpin_plan_commit(plan.raw, 0, null_mut(), buffer, e)
        }),
        ("request: session", &|e| unsafe {
            umpin_request_new(null(), r, n, q, e)
        }),
        ("request: json", &|e| unsafe {
            umpin_request_new(session.raw, null(), 5, q, e)
        }),
        ("request: request", &|e| unsafe {
            umpin_request_new(session.raw, r, n, null_mut(), e)
        }),
        ("wait: request", &|e| unsafe {
            umpin_request_wait(null(), 0, buffer, e)
        }),
        ("wait: response", &|e| unsafe {
            umpin_request_wait(asked.raw, 0, null_mut(), e)
        }),
        ("sign in: session", &|e| unsafe {
            umpin_signin(null(), r, n, r, 6, q, e)
        }),
        ("sign in: json", &|e| unsafe {
            umpin_signin(session.raw, null(), 5, r, 6, q, e)
        }),
        ("sign in: pin", &|e| unsafe {
            umpin_signin(session.raw, r, n, null(), 6, q, e)
        }),
        ("sign in: request", &|e| unsafe {
            umpin_signin(session.raw, r, n, r, 6, null_mut(), e)
        }),
        ("change: session", &|e| unsafe {
            umpin_change_pin(null(), r, n, r, 6, r, 6, q, e)
        }),
        ("change: json", &|e| unsafe {
            umpin_change_pin(session.raw, null(), 5, r, 6, r, 6, q, e)
        }),
        ("change: old PIN", &|e| unsafe {
            umpin_change_pin(session.raw, r, n, null(), 6, r, 6, q, e)
        }),
        ("change: new PIN", &|e| unsafe {
            umpin_change_pin(session.raw, r, n, r, 6, null(), 6, q, e)
        }),
        ("change: request", &|e| unsafe {
            umpin_change_pin(session.raw, r, n, r, 6, r, 6, null_mut(), e)
        }),
        ("result: request", &|e| unsafe {
            umpin_signin_result(null(), number, number, number, e)
        }),
        ("result: result", &|e| unsafe {
            umpin_signin_result(asked.raw, null_mut(), number, number, e)
        }),
        ("batch: session", &|e| unsafe { umpin_batch_new(null(), 1, b, e) }),
        ("batch: batch", &|e| unsafe {
            umpin_batch_new(session.raw, 1, null_mut(), e)
        }),
        ("submit: batch", &|e| unsafe { umpin_batch_submit(null(), plan.raw, e) }),
        ("submit: plan", &|e| unsafe { umpin_batch_submit(batch.raw, null(), e) }),
        ("collect: batch", &|e| unsafe {
            umpin_batch_collect(null(), 0, index, buffer, buffer, e)
        }),
        ("collect: index", &|e| unsafe {
            umpin_batch_collect(batch.raw, 0, null_mut(), buffer, buffer, e)
        }),
        ("collect: response", &|e| unsafe {
            umpin_batch_collect(batch.raw, 0, index, null_mut(), buffer, e)
        }),
        #[cfg(feature = "test-hooks")]
        ("test panic: session", &|e| unsafe { umpin_test_panic(null(), e) }),
    ];
    for (name, call) in calls {
        let mut error = untouched();
        assert_eq!(call(&raw mut error), UMPIN_NULL_ARGUMENT, "{name}");
        assert_eq!(error_of(error)["status"], UMPIN_NULL_ARGUMENT, "{name}");
        assert_eq!(call(null_mut()), UMPIN_NULL_ARGUMENT, "{name}, nor an error wanted");
    }
    let texts = [
        umpin_error_id,
        umpin_error_message,
        umpin_error_recommended_action,
        umpin_error_json,
    ];
    for text in texts {
        assert_eq!(unsafe { text(null(), data, length) }, UMPIN_NULL_ARGUMENT);
    }
    assert_eq!(unsafe { umpin_plan_cancel(null()) }, UMPIN_NULL_ARGUMENT);
    assert_eq!(unsafe { umpin_request_cancel(null()) }, UMPIN_NULL_ARGUMENT);
    assert_eq!(unsafe { umpin_batch_cancel(null()) }, UMPIN_NULL_ARGUMENT);
    assert_eq!(unsafe { umpin_error_status(null(), number) }, UMPIN_NULL_ARGUMENT);
    assert_eq!(unsafe { umpin_buffer_data(null(), data, length) }, UMPIN_NULL_ARGUMENT);
    assert_eq!(unsafe { umpin_version(null_mut(), length) }, UMPIN_NULL_ARGUMENT);
    assert_eq!(unsafe { umpin_version(data, null_mut()) }, UMPIN_NULL_ARGUMENT);
    assert_eq!(unsafe { *buffer }, untouched());
    assert_eq!((unsafe { *length }, unsafe { *index }, unsafe { *number }), (7, 7, 7));
    assert_eq!(unsafe { *data }, untouched::<u8>().cast_const());
    assert_eq!(handles, (untouched(), untouched(), untouched(), untouched()));
    unsafe { umpin_session_free(null_mut()) };
    unsafe { umpin_plan_free(null_mut()) };
    unsafe { umpin_request_free(null_mut()) };
    unsafe { umpin_batch_free(null_mut()) };
    unsafe { umpin_buffer_free(null_mut()) };
    unsafe { umpin_error_free(null_mut()) };
    // None of it has used anything up.
    assert_eq!(status_of(commit(plan.raw)), UMPIN_OK);
    assert_eq!(status_of(wait(asked.raw)), UMPIN_OK);
}

#[test]
fn a_pointer_of_length_0_is_not_looked_at_and_an_impossible_length_is_refused() {
    let store = Broken::new();
    let session = session(&store);
    let dangling = untouched::<u8>().cast_const();
    let request = json!({ "v": 1, "identity": TONY }).to_string();
    let (r, n) = (request.as_ptr(), request.len());
    let made = checked(umpin_plan_free, |out, error| unsafe {
        umpin_plan_new(session.raw, r, n, dangling, 0, out, error)
    });
    let response = commit(made.unwrap_or_else(|e| panic!("{e:?}")).raw).unwrap_or_else(|e| panic!("{e:?}"));
    assert!(text_of(&response).contains("\"pinGenerated\":true"));
    let opened = checked(umpin_session_free, |out, error| unsafe {
        umpin_session_open(dangling, 0, out, error)
    });
    assert_eq!(status_of(opened), UMPIN_INVALID_REQUEST);
    for length in [usize::MAX, isize::MAX as usize + 1] {
        let made = checked(umpin_plan_free, |out, error| unsafe {
            umpin_plan_new(session.raw, r, n, dangling, length, out, error)
        });
        assert_eq!(status_of(made), UMPIN_INVALID_ARGUMENT);
    }
}

/// The second result would take the first one's place: a PIN that of a response, and a buffer would never be freed.
#[test]
fn two_results_in_one_place_are_refused_before_anything_is_done() {
    let store = Broken::new();
    let session = session(&store);
    let (plan, batch) = (tony(&session), batch(&session));
    let status = br#"{"v":1,"operation":"status"}"#;
    let asked = ask(&session, status).unwrap_or_else(|e| panic!("{e:?}"));
    let mut place = 0x5a5a_5a5a_5a5a_5a5a_u64;
    let (one, words) = (&raw mut place, (&raw mut place).cast::<u32>());
    let buffers = one.cast::<*mut umpin_buffer>();
    let mut other = 7_u64;
    let (index, number) = (&raw mut other, (&raw mut other).cast::<u32>());
    let mut buffer = untouched::<umpin_buffer>();
    let buffer = &raw mut buffer;
    // Submitted, so that there is something to collect.
    let queued = tony(&session);
    let target = until(|| {
        checked(umpin_buffer_free, |out, error| unsafe {
            umpin_plan_target(queued.raw, STEP_MS, out, error)
        })
    });
    assert_eq!(status_of(target), UMPIN_OK);
    assert_eq!(
        unsafe { umpin_batch_submit(batch.raw, queued.raw, null_mut()) },
        UMPIN_OK
    );
    let calls: &[(&str, &dyn Fn(*mut *mut umpin_error) -> u32)] = &[
        ("commit", &|e| unsafe {
            umpin_plan_commit(plan.raw, STEP_MS, buffers, buffers, e)
        }),
        ("collect: response and pin", &|e| unsafe {
            umpin_batch_collect(batch.raw, STEP_MS, index, buffers, buffers, e)
        }),
        ("collect: index and response", &|e| unsafe {
            umpin_batch_collect(batch.raw, STEP_MS, one, buffers, null_mut(), e)
        }),
        ("collect: index and pin", &|e| unsafe {
            umpin_batch_collect(batch.raw, STEP_MS, one, buffer, buffers, e)
        }),
        ("result: result and until_reset", &|e| unsafe {
            umpin_signin_result(asked.raw, words, words, null_mut(), e)
        }),
        ("result: the two numbers", &|e| unsafe {
            umpin_signin_result(asked.raw, number, words, words, e)
        }),
    ];
    for (name, call) in calls {
        let mut error = untouched();
        assert_eq!(call(&raw mut error), UMPIN_INVALID_ARGUMENT, "{name}");
        assert_eq!(
            error_of(error)["message"],
            "Two results have the same address.",
            "{name}"
        );
    }
    let texts = one.cast::<*const u8>();
    assert_eq!(unsafe { umpin_version(texts, one.cast()) }, UMPIN_INVALID_ARGUMENT);
    assert_eq!(unsafe { *one }, 0x5a5a_5a5a_5a5a_5a5a, "nothing was written");
    assert_eq!((unsafe { *index }, unsafe { *buffer }), (7, untouched()));
    // Nothing was used up, either.
    assert_eq!(status_of(commit(plan.raw)), UMPIN_OK);
    let told = until(|| {
        checked(umpin_buffer_free, |out, error| unsafe {
            umpin_batch_collect(batch.raw, STEP_MS, index, out, null_mut(), error)
        })
    });
    assert_eq!(status_of(told), UMPIN_OK);
    assert_eq!(unsafe { *index }, 0);
}

/// Four for each that runs at once; a plan that is still being looked up is answered the same way, and its target tells.
#[test]
fn the_window_of_a_batch_is_four_times_its_width() {
    let store = Broken::new();
    let session = session(&store);
    let batch = batch(&session);
    let submit = |plan: &Handle<umpin_plan>| unsafe { umpin_batch_submit(batch.raw, plan.raw, null_mut()) };
    let ready = || {
        let plan = tony(&session);
        let target = until(|| {
            checked(umpin_buffer_free, |out, error| unsafe {
                umpin_plan_target(plan.raw, STEP_MS, out, error)
            })
        });
        assert_eq!(status_of(target), UMPIN_OK);
        plan
    };
    let accepted: Vec<_> = (0..8).map(|_| ready()).collect();
    for (index, plan) in accepted.iter().enumerate() {
        assert_eq!(submit(plan), UMPIN_OK, "submission {index}");
    }
    let ninth = ready();
    // Also when all of them have been carried out: what counts is what was not collected.
    for _ in 0..3 {
        assert_eq!(submit(&ninth), UMPIN_PENDING);
    }
    let mut number = 7_u64;
    let index = &raw mut number;
    let first = until(|| {
        checked(umpin_buffer_free, |out, error| unsafe {
            umpin_batch_collect(batch.raw, STEP_MS, index, out, null_mut(), error)
        })
    });
    assert_eq!((status_of(first), unsafe { *index }), (UMPIN_OK, 0));
    assert_eq!(submit(&ninth), UMPIN_OK);
}

fn nonsense() -> Vec<Vec<u8>> {
    let mut all: Vec<Vec<u8>> = [
        "",
        " ",
        "null",
        "7391846205",
        "\"7391846205\"",
        "[]",
        "{}",
        "{",
        "{\"v\":1",
        "{\"v\":1}x",
        "\u{feff}{\"v\":1}",
        r#"{"v":2,"identity":"x","dataDirectory":"/x","operation":"status"}"#,
        r#"{"v":"1","identity":"x","dataDirectory":"/x","operation":"status"}"#,
        r#"{"v":1.0,"identity":"x"}"#,
        r#"{"v":-1,"identity":"x","dataDirectory":"/x","operation":"status"}"#,
        r#"{"v":1,"v":1,"identity":"x","dataDirectory":"/x","operation":"status"}"#,
        r#"{"v":1,"identity":"x","pin":"7391846205"}"#,
        r#"{"v":1,"identity":7391846205}"#,
        r#"{"v":1,"identity":"\ud800"}"#,
        r#"{"v":1,"identity":"x","lockedOut":"7391846205"}"#,
        r#"{"v":1,"identity":"x","7391846205":true}"#,
        r#"{"v":1,"dataDirectory":"relative"}"#,
        r#"{"v":1,"dataDirectory":"/x","configFile":"umpin.json"}"#,
        r#"{"v":1,"dataDirectory":"/x","password":"7391846205"}"#,
        r#"{"v":1,"operation":"7391846205"}"#,
        r#"{"v":1,"operation":"status","identity":"7391846205"}"#,
        r#"{"v":1,"operation":"import","path":"relative.csv"}"#,
        r#"{"v":1,"operation":"import","path":"/x.csv","format":"7391846205"}"#,
        r#"{"v":1,"operation":"import"}"#,
    ]
    .iter()
    .map(|text| text.as_bytes().to_vec())
    .collect();
    all.push(b"{\"v\":1,\"identity\":\"\xff\xfe\"}".to_vec());
    all.push(b"\0\0\0\0".to_vec());
    for open in ["[", "{\"v\":", "{\"v\":1,\"identity\":["] {
        all.push(open.repeat(100_000).into_bytes());
    }
    all.push(format!("{{\"v\":1,\"unknown\":\"{}\"}}", "7391846205".repeat(800_000)).into_bytes());
    all
}

#[test]
fn nonsense_is_refused_and_never_repeated() {
    let store = Broken::new();
    let session = session(&store);
    for request in nonsense() {
        let shown = String::from_utf8_lossy(&request[..request.len().min(80)]).into_owned();
        for (entrance, refused) in [
            ("open", session_from(&request).map(drop)),
            ("plan", plan(&session, &request, b"7391846205").map(drop)),
            ("request", ask(&session, &request).map(drop)),
        ] {
            let Err((status, error)) = refused else {
                panic!("{entrance} accepted {shown}")
            };
            assert!(
                matches!(status, UMPIN_INVALID_REQUEST | UMPIN_INVALID_UTF8),
                "{entrance}, {shown}: {error}"
            );
            let said = error.to_string();
            assert!(
                !said.contains("7391846205") && said.len() < 1000,
                "{entrance}, {shown}: {error}"
            );
        }
    }
    let request = json!({ "v": 1, "identity": TONY }).to_string();
    for pin in [&b"\xff\xfe"[..], b"739184\xc3"] {
        assert_eq!(status_of(plan(&session, request.as_bytes(), pin)), UMPIN_INVALID_UTF8);
    }
    for parallelism in [0, 65, u32::MAX] {
        let made = checked(umpin_batch_free, |out, error| unsafe {
            umpin_batch_new(session.raw, parallelism, out, error)
        });
        assert_eq!(status_of(made), UMPIN_INVALID_ARGUMENT);
    }
}

#[test]
fn a_long_identity_is_looked_up_in_no_time_and_not_repeated_at_length() {
    let store = Broken::new();
    let session = session(&store);
    let begun = std::time::Instant::now();
    for unit in [
        "x",
        ",",
        "CN=a,",
        "/",
        "\\",
        "@",
        "\u{1f600}",
        "\u{df}",
        "(",
        "+",
        "CN=a+",
        "#04",
    ] {
        let identity = format!("CN=a{}", unit.repeat(300_000 / unit.len()));
        let request = json!({ "v": 1, "identity": identity }).to_string();
        let Err((status, error)) = plan(&session, request.as_bytes(), b"").and_then(|plan| commit(plan.raw)) else {
            panic!("{unit} found a mailbox")
        };
        assert!((200..300).contains(&status), "{unit}: {status}");
        assert!(
            error.to_string().len() < 20_000,
            "{unit}: the error has {} bytes",
            error.to_string().len()
        );
    }
    assert!(begun.elapsed().as_secs() < 20, "it took {:?}", begun.elapsed());
}

#[test]
fn what_is_used_up_stays_used_up() {
    let store = Broken::new();
    let (session, other) = (session(&store), session(&store));
    let plan = tony(&session);
    assert_eq!(status_of(commit(plan.raw)), UMPIN_OK);
    for _ in 0..2 {
        assert_eq!(status_of(commit(plan.raw)), UMPIN_ALREADY_USED);
    }
    let (b, foreign) = (batch(&session), batch(&other));
    let submit = |batch: &Handle<umpin_batch>, plan: &Handle<umpin_plan>| {
        let mut error = null_mut();
        let status = unsafe { umpin_batch_submit(batch.raw, plan.raw, &raw mut error) };
        unsafe { umpin_error_free(error) };
        status
    };
    assert_eq!(submit(&b, &plan), UMPIN_ALREADY_USED);
    assert_eq!(submit(&foreign, &tony(&session)), UMPIN_INVALID_ARGUMENT);
    let request = ask(&session, br#"{"v":1,"operation":"status"}"#).unwrap_or_else(|e| panic!("{e:?}"));
    assert_eq!(status_of(wait(request.raw)), UMPIN_OK);
    assert_eq!(status_of(wait(request.raw)), UMPIN_ALREADY_USED);
    let fields = json!({ "v": 1, "identity": TONY, "whatIf": true }).to_string();
    let what_if = self::plan(&session, fields.as_bytes(), b"").unwrap_or_else(|e| panic!("{e:?}"));
    for _ in 0..2 {
        assert_eq!(status_of(commit(what_if.raw)), UMPIN_INVALID_REQUEST);
    }
}

#[test]
fn one_of_many_threads_gets_the_answer() {
    let store = Broken::new();
    let session = session(&store);
    let (plan, request) = (
        tony(&session),
        ask(&session, br#"{"v":1,"operation":"policies"}"#).unwrap_or_else(|e| panic!("{e:?}")),
    );
    let (plan_at, request_at) = (plan.raw.expose_provenance(), request.raw.expose_provenance());
    let outcomes: Vec<[u32; 2]> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8)
            .map(|_| {
                scope.spawn(move || {
                    [
                        status_of(commit(ptr::with_exposed_provenance(plan_at))),
                        status_of(wait(ptr::with_exposed_provenance(request_at))),
                    ]
                })
            })
            .collect();
        threads.into_iter().map(|t| t.join().expect("no panic")).collect()
    });
    for column in 0..2 {
        let winners = outcomes.iter().filter(|o| o[column] == UMPIN_OK).count();
        let losers = outcomes.iter().filter(|o| o[column] == UMPIN_ALREADY_USED).count();
        assert_eq!((winners, losers), (1, 7), "{outcomes:?}");
    }
}

#[test]
fn a_batch_shared_by_threads_gives_each_outcome_once() {
    let store = Broken::new();
    let session = session(&store);
    let batch = batch(&session);
    let (session_at, batch_at) = (session.raw.expose_provenance(), batch.raw.expose_provenance());
    let mut seen: Vec<u64> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4)
            .map(|_| {
                scope.spawn(move || {
                    let session = std::mem::ManuallyDrop::new(Handle {
                        raw: ptr::with_exposed_provenance_mut(session_at),
                        free: umpin_session_free,
                    });
                    let batch: *const umpin_batch = ptr::with_exposed_provenance(batch_at);
                    let mut seen = Vec::new();
                    for _ in 0..3 {
                        let plan = tony(&session);
                        while unsafe { umpin_batch_submit(batch, plan.raw, null_mut()) } == UMPIN_PENDING {
                            collect(batch, &mut seen);
                        }
                    }
                    while collect(batch, &mut seen) != UMPIN_BATCH_EMPTY {}
                    seen
                })
            })
            .collect();
        threads.into_iter().flat_map(|t| t.join().expect("no panic")).collect()
    });
    seen.sort_unstable();
    assert_eq!(seen, (0..12).collect::<Vec<u64>>());
}

fn collect(batch: *const umpin_batch, seen: &mut Vec<u64>) -> u32 {
    let mut index = u64::MAX;
    let result = checked(umpin_buffer_free, |out, error| unsafe {
        umpin_batch_collect(batch, 20, (&raw const index).cast_mut(), out, null_mut(), error)
    });
    index = unsafe { (&raw const index).read_volatile() };
    match &result {
        Ok(_) => seen.push(index),
        Err((UMPIN_PENDING | UMPIN_BATCH_EMPTY, _)) => {}
        Err((status, error)) => panic!("{status}: {error}"),
    }
    status_of(result)
}

/// Eight threads cancel whatever there is, again and again, while it is looked up, submitted, carried out, waited for and over.
#[test]
fn cancelling_from_many_threads_gives_each_operation_exactly_one_end() {
    use std::sync::atomic::{AtomicBool, Ordering};

    let store = Broken::new();
    let session = session(&store);
    for _ in 0..10 {
        let (batch, alone) = (batch(&session), tony(&session));
        let request = ask(&session, br#"{"v":1,"operation":"pinInfo"}"#).unwrap_or_else(|e| panic!("{e:?}"));
        let over = AtomicBool::new(false);
        let places = (
            batch.raw.expose_provenance(),
            alone.raw.expose_provenance(),
            request.raw.expose_provenance(),
        );
        let (mut done, mut cancelled, mut accepted) = (0, 0, 0);
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    while !over.load(Ordering::Relaxed) {
                        let statuses = [
                            unsafe { umpin_plan_cancel(ptr::with_exposed_provenance(places.1)) },
                            unsafe { umpin_request_cancel(ptr::with_exposed_provenance(places.2)) },
                            unsafe { umpin_batch_cancel(ptr::with_exposed_provenance(places.0)) },
                        ];
                        assert_eq!(statuses, [UMPIN_OK; 3]);
                        std::thread::yield_now();
                    }
                });
            }
            for _ in 0..4 {
                let plan = tony(&session);
                let found = until(|| {
                    checked(umpin_buffer_free, |out, error| unsafe {
                        umpin_plan_target(plan.raw, STEP_MS, out, error)
                    })
                });
                assert_eq!(status_of(found), UMPIN_OK);
                let submitted = until(
                    || match unsafe { umpin_batch_submit(batch.raw, plan.raw, null_mut()) } {
                        UMPIN_OK => Ok(()),
                        status => Err((status, Value::Null)),
                    },
                );
                match status_of(submitted) {
                    UMPIN_OK => accepted += 1,
                    status => assert_eq!(status, UMPIN_CANCELLED, "a cancelled batch accepts nothing"),
                }
            }
            let alone = status_of(commit(alone.raw));
            let asked = status_of(wait(request.raw));
            assert!([UMPIN_OK, UMPIN_CANCELLED].contains(&alone), "the plan: {alone}");
            assert!([UMPIN_OK, UMPIN_CANCELLED].contains(&asked), "the request: {asked}");
            loop {
                let told = until(|| {
                    checked(umpin_buffer_free, |out, error| {
                        let mut index = 0;
                        unsafe { umpin_batch_collect(batch.raw, STEP_MS, &raw mut index, out, null_mut(), error) }
                    })
                });
                match status_of(told) {
                    UMPIN_OK => done += 1,
                    UMPIN_CANCELLED => cancelled += 1,
                    status => {
                        assert_eq!(status, UMPIN_BATCH_EMPTY);
                        break;
                    }
                }
            }
            over.store(true, Ordering::Relaxed);
        });
        assert_eq!(done + cancelled, accepted);
        assert_eq!(status_of(commit(alone.raw)), UMPIN_ALREADY_USED);
    }
    assert_eq!(status_of(commit(tony(&session).raw)), UMPIN_OK, "the session goes on");
}

#[test]
fn handles_may_be_freed_in_any_order_and_while_work_goes_on() {
    for order in 0..4 {
        let store = Broken::new();
        let session = session(&store);
        let begun = tony(&session);
        let fields = json!({ "v": 1, "identity": KIM, "sendEmail": false }).to_string();
        let queued = plan(&session, fields.as_bytes(), b"263815").unwrap_or_else(|e| panic!("{e:?}"));
        let batch = batch(&session);
        let request = ask(&session, br#"{"v":1,"operation":"pinInfo"}"#).unwrap_or_else(|e| panic!("{e:?}"));
        while unsafe { umpin_batch_submit(batch.raw, queued.raw, null_mut()) } == UMPIN_PENDING {
            std::thread::sleep(std::time::Duration::from_millis(1));
        }
        // Begins the reset and does not wait for it.
        let first = checked(umpin_buffer_free, |out, error| unsafe {
            umpin_plan_commit(begun.raw, 0, out, null_mut(), error)
        });
        let accepted = until(|| {
            let target = checked(umpin_buffer_free, |out, error| unsafe {
                umpin_plan_target(begun.raw, STEP_MS, out, error)
            });
            target.map(drop)
        });
        assert_eq!(status_of(accepted), UMPIN_OK);
        drop(first);
        let again = checked(umpin_buffer_free, |out, error| unsafe {
            umpin_plan_commit(begun.raw, 0, out, null_mut(), error)
        });
        drop(again);
        match order {
            0 => drop((session, begun, queued, batch, request)),
            1 => drop((begun, session, request, batch, queued)),
            2 => drop((batch, request, queued, begun, session)),
            _ => std::thread::scope(|scope| {
                let at = session.raw.expose_provenance();
                std::mem::forget(session);
                scope.spawn(move || unsafe { umpin_session_free(ptr::with_exposed_provenance_mut(at)) });
                drop((queued, begun));
                drop((request, batch));
            }),
        }
        // Each was cancelled or carried out; the store is as sound as before.
        let after = self::session(&store);
        assert_eq!(status_of(commit(tony(&after).raw)), UMPIN_OK, "order {order}");
        let fields = json!({ "v": 1, "identity": KIM, "sendEmail": false }).to_string();
        let kim = plan(&after, fields.as_bytes(), b"702946").unwrap_or_else(|e| panic!("{e:?}"));
        assert_eq!(status_of(commit(kim.raw)), UMPIN_OK, "order {order}");
    }
}

#[cfg(feature = "test-hooks")]
#[test]
fn a_panic_poisons_its_session_only_and_everything_can_still_be_freed() {
    let store = Broken::new();
    let (session, other) = (session(&store), session(&store));
    let (plan, batch) = (tony(&session), batch(&session));
    let request = ask(&session, br#"{"v":1,"operation":"status"}"#).unwrap_or_else(|e| panic!("{e:?}"));
    let hook = |expected: u32| {
        let mut error = untouched();
        let hook = std::panic::take_hook();
        std::panic::set_hook(Box::new(|_| {}));
        let status = unsafe { umpin_test_panic(session.raw, &raw mut error) };
        std::panic::set_hook(hook);
        assert_eq!(status, expected);
        let told = error_of(error);
        assert_eq!(told["id"], "NativeFault");
        assert!(!told.to_string().contains("on purpose"), "{told}");
    };
    hook(UMPIN_PANIC);
    hook(UMPIN_POISONED);
    let poisoned = [
        status_of(commit(plan.raw)),
        status_of(wait(request.raw)),
        status_of(ask(&session, br#"{"v":1,"operation":"status"}"#)),
        status_of(self::plan(&session, br#"{"v":1,"identity":"x"}"#, b"")),
        unsafe { umpin_batch_submit(batch.raw, plan.raw, null_mut()) },
        unsafe { umpin_plan_validate(plan.raw, 0, null_mut()) },
    ];
    assert_eq!(poisoned, [UMPIN_POISONED; 6]);
    drop((session, plan, batch, request));
    assert_eq!(status_of(commit(tony(&other).raw)), UMPIN_OK);
}

/// The child has one thread: every lock that another held at the fork is held for ever there.
#[cfg(unix)]
#[test]
fn a_forked_child_is_refused_and_can_free_everything() {
    // With work under way, and idle: then freeing the last handle would end the session with its threads.
    for under_way in [true, false] {
        fork_with(under_way);
    }
}

#[cfg(unix)]
fn fork_with(under_way: bool) {
    loud();
    let store = Broken::new();
    let session = session(&store);
    // Threads of every kind exist, and some are at work.
    assert_eq!(status_of(commit(tony(&session).raw)), UMPIN_OK);
    let (plan, begun, batch) = (tony(&session), tony(&session), batch(&session));
    let request = ask(&session, br#"{"v":1,"operation":"status"}"#).unwrap_or_else(|e| panic!("{e:?}"));
    drop(until(|| {
        checked(umpin_buffer_free, |out, error| unsafe {
            umpin_plan_target(begun.raw, STEP_MS, out, error)
        })
    }));
    let open = json!({ "v": 1, "dataDirectory": store.home.path() }).to_string();
    let mut out = null_mut();
    if under_way {
        unsafe { umpin_plan_commit(begun.raw, 0, &raw mut out, null_mut(), null_mut()) };
    } else {
        std::thread::sleep(std::time::Duration::from_millis(200));
    }
    match unsafe { libc::fork() } {
        -1 => panic!("no fork"),
        0 => {
            // Nothing here may panic or touch the test harness.
            unsafe { libc::alarm(5) };
            let mut error = null_mut();
            let mut out = untouched();
            let mut own = untouched();
            let refused = [
                unsafe { umpin_plan_commit(plan.raw, 5000, &raw mut out, null_mut(), &raw mut error) },
                unsafe { umpin_plan_target(plan.raw, 5000, &raw mut out, null_mut()) },
                unsafe { umpin_plan_validate(plan.raw, 5000, null_mut()) },
                unsafe { umpin_request_wait(request.raw, 5000, &raw mut out, null_mut()) },
                unsafe { umpin_batch_submit(batch.raw, plan.raw, null_mut()) },
                unsafe { umpin_plan_cancel(plan.raw) },
                unsafe { umpin_request_cancel(request.raw) },
                unsafe { umpin_batch_cancel(batch.raw) },
                unsafe { umpin_session_open(open.as_ptr(), open.len(), &raw mut own, null_mut()) },
            ];
            drop((batch, begun, request, plan));
            unsafe { umpin_error_free(error) };
            drop(session);
            let fine = refused == [UMPIN_FORKED; 9] && out == untouched() && own == untouched();
            unsafe { libc::_exit(if fine { 0 } else { 3 }) }
        }
        child => {
            let mut how = 0;
            assert_eq!(unsafe { libc::waitpid(child, &raw mut how, 0) }, child);
            assert!(libc::WIFEXITED(how), "the child hung or crashed: {how:#x}");
            assert_eq!(libc::WEXITSTATUS(how), 0);
        }
    }
    unsafe { umpin_buffer_free(out) };
    assert_eq!(status_of(commit(plan.raw)), UMPIN_OK, "the parent's session goes on");
}

/// A request that is nearly right: keys that exist, values of any kind.
fn nearly() -> impl Strategy<Value = Vec<u8>> {
    let key = prop::sample::select(vec![
        "v",
        "identity",
        "operation",
        "lockedOut",
        "pinExpired",
        "notifyEmail",
        "sendEmail",
        "keepPin",
        "whatIf",
        "pageSize",
        "after",
        "path",
        "format",
        "umEnabledOnly",
        "ignoreDefaultScope",
        "domainController",
        "caller",
        "configFile",
        "dataDirectory",
        "defaultPolicy",
        "unknown",
    ]);
    let value = prop_oneof![
        Just(json!(1)),
        Just(json!(null)),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        prop::sample::select(vec![
            "status",
            "pinInfo",
            "mailboxes",
            "policies",
            "tonysmith",
            "kakers",
            "/nowhere/x.csv"
        ])
        .prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
    ];
    prop::collection::vec((key, value), 0..5).prop_map(|fields| {
        let mut object = json!({ "v": 1 });
        for (key, value) in fields {
            object[key] = value;
        }
        object.to_string().into_bytes()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn random_requests_never_panic(request in prop_oneof![prop::collection::vec(any::<u8>(), 0..80), nearly()], pin in prop::collection::vec(any::<u8>(), 0..30)) {
        static STORE: std::sync::OnceLock<Broken> = std::sync::OnceLock::new();
        let store = STORE.get_or_init(Broken::new);
        let session = session(store);
        let mut statuses = vec![status_of(session_from(&request))];
        statuses.push(status_of(ask(&session, &request).and_then(|asked| wait(asked.raw))));
        statuses.push(status_of(plan(&session, &request, &pin).and_then(|plan| {
            until(|| checked(umpin_buffer_free, |out, error| unsafe { umpin_plan_target(plan.raw, STEP_MS, out, error) }))
        })));
        statuses.push(status_of(sign_in(&session, &request, &pin).and_then(|asked| wait(asked.raw))));
        for status in statuses {
            prop_assert!(!matches!(status, UMPIN_PANIC | UMPIN_POISONED | UMPIN_NATIVE_FAULT | UMPIN_OUTCOME_UNKNOWN), "{status}");
        }
    }
}
