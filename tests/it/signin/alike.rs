//! Every answer that lets nobody in costs the same and is given at the same time, whatever it is about: counted, not measured.

use std::path::Path;
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use serde_json::json;
use umpin::ErrorCode;
use umpin::clock::SystemClock;
use umpin::credential::kdf::KdfContext;
use umpin::pin::Pin;
use umpin::policy::{Limit, UmMailboxPolicy};
use umpin::service::signin::{ChangePinRequest, SignInRequest, Subscriber};
use umpin::session::{Poll, Request, Session};

use super::attempt::{self, PATIENCE, pin, set_policy};
use super::double::{Asked, Double};
use super::fixture;
use super::kinds::{self, KINDS, Kind, RIGHT, WRONG};
use crate::support;

/// Longer than any test waits: whatever is there before it is on time.
const FLOOR: Duration = Duration::from_secs(600);

/// What a caller may try.
#[derive(Clone, Copy, Debug)]
enum Call {
    SignIn(&'static str),
    /// Old and new PIN.
    Change(&'static str, &'static str),
}

/// What one attempt costs.
#[derive(Debug, PartialEq, Eq)]
struct Spent {
    derivations: u64,
    looked_up: usize,
    written: usize,
}

fn request(identity: &str, text: &str) -> SignInRequest {
    SignInRequest {
        subscriber: Subscriber::Identity(identity.to_owned()),
        alternatives: Vec::new(),
        pin: Pin::new(text.to_owned()),
        cmdlet: None,
        domain_controller: None,
        ignore_default_scope: false,
    }
}

/// What came of the call, and what it cost.
fn spent(home: &Path, identity: &str, call: Call) -> (String, Spent) {
    let real = Arc::new(support::embedded(home));
    let double = Arc::new(Double::new(&real));
    let seen = Arc::clone(&double);
    let service = fixture::service(home, real, seen, Arc::new(SystemClock), fixture::CHEAP);
    let mut kdf = KdfContext::new();
    let answer = match call {
        Call::SignIn(text) => service.sign_in(request(identity, text), &mut kdf),
        Call::Change(old, new) => {
            let request = ChangePinRequest {
                attempt: request(identity, old),
                new_pin: Pin::new(new.to_owned()),
            };
            service.change_pin(request, &mut kdf)
        }
    };
    let heard = match answer {
        Ok(answer) => answer.outcome.name().to_owned(),
        Err(error) => error.code().id().to_owned(),
    };
    let asked = double.asked();
    let count = |what: fn(&Asked) -> bool| asked.iter().filter(|asked| what(asked)).count();
    let spent = Spent {
        derivations: kdf.count(),
        looked_up: count(|asked| matches!(asked, Asked::Find | Asked::FindById(_))),
        written: count(|asked| matches!(asked, Asked::Applied(_) | Asked::DummyWrite)),
    };
    (heard, spent)
}

const EVERY_ATTEMPT: Spent = Spent {
    derivations: 2,
    looked_up: 1,
    written: 1,
};

#[test]
fn every_negative_answer_costs_the_same() {
    let home = kinds::store(1, fixture::CHEAP);
    for call in [
        Call::SignIn(WRONG),
        Call::Change(WRONG, "905317"),
        Call::Change(WRONG, "1"),
    ] {
        for kind in KINDS {
            let (heard, spent) = spent(home.path(), &kind.identity(0), call);
            assert_eq!(heard, kind.expected(), "{kind:?}, {call:?}");
            assert_eq!(spent, EVERY_ATTEMPT, "{kind:?}, {call:?}");
        }
    }
    let (heard, spent) = spent(home.path(), &Kind::Locked.identity(0), Call::SignIn(RIGHT));
    assert_eq!(
        (heard.as_str(), spent),
        ("locked", EVERY_ATTEMPT),
        "the right PIN, locked"
    );
}

#[test]
fn so_does_a_refused_new_pin_and_the_wrong_one_that_locks() {
    let home = kinds::store(1, fixture::CHEAP);
    let identity = Kind::Wrong.identity(0);
    for new in ["1", RIGHT] {
        let (heard, spent) = spent(home.path(), &identity, Call::Change(RIGHT, new));
        assert_eq!(heard, "PinPolicyViolation");
        assert_eq!(spent, EVERY_ATTEMPT, "a new PIN {new}");
    }
    let settings = UmMailboxPolicy {
        logon_failures_before_pin_reset: Limit::Unlimited,
        max_logon_attempts: Limit::Of(1),
        ..UmMailboxPolicy::with_defaults("Default")
    };
    set_policy(&support::embedded(home.path()), settings);
    let (heard, spent) = spent(home.path(), &identity, Call::SignIn(WRONG));
    assert_eq!((heard.as_str(), spent), ("locked", EVERY_ATTEMPT));
}

/// In how many floors the answers to so many calls at once are due.
fn due_after(home: &Path, calls: &[(String, &str)]) -> Vec<f64> {
    let session = kinds::session(home, fixture::CHEAP, FLOOR);
    let begin = Instant::now();
    let pending: Vec<Request> = calls
        .iter()
        .map(|(identity, text)| {
            let body = json!({ "v": 1, "identity": identity }).to_string();
            Request::sign_in(&session, body.as_bytes(), pin(text)).expect("a request")
        })
        .collect();
    let due = |request: &Request| loop {
        if let Some(due) = request.due() {
            break (due - begin).as_secs_f64() / FLOOR.as_secs_f64();
        }
        assert!(begin.elapsed() < PATIENCE, "no answer within {PATIENCE:?}");
        let early = request
            .wait(Duration::from_millis(1))
            .expect("nothing is told before it is due");
        assert!(matches!(early, Poll::Pending), "nothing is told before it is due");
    };
    // The calls come one after the other: a little later than the first.
    pending
        .iter()
        .map(|request| (due(request) * 100.0).floor() / 100.0)
        .collect()
}

#[test]
fn answers_are_due_by_the_number_of_calls_and_nothing_else() {
    let home = kinds::store(20, fixture::CHEAP);
    for lines in [1, 3, 6, 20] {
        for at_one_mailbox in [false, true] {
            let calls = |kind: Kind| -> Vec<(String, &str)> {
                let line = |line| if at_one_mailbox { 0 } else { line };
                (0..lines).map(|n| (kind.identity(line(n)), WRONG)).collect()
            };
            let expected = due_after(home.path(), &calls(Kind::Unknown));
            assert!((expected[0] - 1.0).abs() < 1e-9, "{expected:?}");
            for kind in KINDS {
                let due = due_after(home.path(), &calls(kind));
                assert_eq!(
                    due, expected,
                    "{lines} calls, {kind:?}, at one mailbox: {at_one_mailbox}"
                );
            }
        }
    }
}

/// Somebody who has a PIN of his own must not see in its answers what others call.
#[test]
fn a_positive_answer_tells_nothing_of_the_calls_before_it() {
    let home = kinds::store(20, fixture::CHEAP);
    for lines in [0, 1, 6, 19] {
        let last = |kind: Kind| {
            let mut calls: Vec<(String, &str)> = (0..lines).map(|line| (kind.identity(line), WRONG)).collect();
            calls.push((Kind::Wrong.identity(19), RIGHT));
            due_after(home.path(), &calls).pop().expect("an answer")
        };
        let expected = last(Kind::Unknown);
        if lines == 0 {
            assert!((expected - 0.25).abs() < 1e-9, "{expected}");
        }
        for kind in KINDS {
            assert!((last(kind) - expected).abs() < 1e-9, "after {lines} calls, {kind:?}");
        }
    }
}

/// Who is inside, and how many were at most.
#[derive(Default)]
struct Inside {
    state: Mutex<(usize, usize)>,
    changed: Condvar,
}

impl Inside {
    /// Stays until another comes, or long enough for one to come.
    fn visit(&self, patience: Duration) {
        let mut state = self.state.lock().expect("a lock");
        state.0 += 1;
        state.1 = state.1.max(state.0);
        self.changed.notify_all();
        let (mut state, _) = self
            .changed
            .wait_timeout_while(state, patience, |(_, most)| *most < 2)
            .expect("a lock");
        state.0 -= 1;
    }
}

/// How many writes for these two attempts are under way at the same time.
fn at_once(home: &Path, bodies: [serde_json::Value; 2], patience: Duration) -> usize {
    let inside = Arc::new(Inside::default());
    let real = Arc::new(support::embedded(home));
    let [one, other] = [Arc::clone(&inside), Arc::clone(&inside)];
    let double = Double::new(&real)
        .on_apply(move |real, change| {
            one.visit(patience);
            umpin::directory::Directory::apply(real, change)
        })
        .on_dummy_write(move |_| {
            other.visit(patience);
            Ok(())
        });
    let session = Session::with_service(fixture::service(
        home,
        real,
        Arc::new(double),
        Arc::new(SystemClock),
        fixture::CHEAP,
    ));
    let pending = bodies.map(|body| Request::sign_in(&session, body.to_string().as_bytes(), pin(WRONG)));
    for request in pending {
        // An answer or an error, as the kind is.
        let _ = attempt::answer(request);
    }
    inside.state.lock().expect("a lock").1
}

#[test]
fn attempts_at_nobody_take_turns_as_attempts_at_a_mailbox_do() {
    let home = kinds::store(2, fixture::CHEAP);
    let identity = |text: &str| json!({ "v": 1, "identity": text });
    let dial = |number: &str, plan: &str| json!({ "v": 1, "extension": number, "dialPlan": plan });
    for kind in KINDS {
        let (name, other) = (kind.identity(0), kind.identity(1));
        let same = [identity(&name), identity(&format!(" {} ", name.to_uppercase()))];
        assert_eq!(at_once(home.path(), same, Duration::from_millis(200)), 1, "{kind:?}");
        let two = [identity(&name), identity(&other)];
        assert_eq!(at_once(home.path(), two, PATIENCE), 2, "{kind:?}");
    }
    let same = [dial("4271", "Seattle"), dial("42-71", "SEATTLE")];
    assert_eq!(at_once(home.path(), same, Duration::from_millis(200)), 1);
    let two = [dial("4271", "Seattle"), dial("4271", "Redmond")];
    assert_eq!(at_once(home.path(), two, PATIENCE), 2);
}

/// Else a lost key or a full disk would tell which mailboxes exist.
#[test]
fn what_stops_an_attempt_at_a_mailbox_stops_those_at_nobody_in_the_same_words() {
    let home = kinds::store(1, fixture::CHEAP);
    let heard = |kind: Kind| {
        let real = Arc::new(support::embedded(home.path()));
        let full = || umpin::Error::new(ErrorCode::DirectoryUnavailable, "The disk is full.");
        let double = Double::new(&real)
            .on_apply(move |_, _| Err(full()))
            .on_dummy_write(move |_| Err(full()));
        let service = fixture::service(
            home.path(),
            real,
            Arc::new(double),
            Arc::new(SystemClock),
            fixture::CHEAP,
        );
        let session = Session::with_service(service);
        attempt::sign_in(&session, &kind.identity(0), WRONG).map_err(|error| error.to_string())
    };
    for kind in KINDS {
        assert_eq!(heard(kind), Err("The disk is full.".to_owned()), "{kind:?}");
    }
    std::fs::remove_file(home.path().join("umpin.key")).expect("the key");
    let session = fixture::cheap_session(home.path());
    let lost = |kind: Kind| {
        let error = attempt::sign_in(&session, &kind.identity(0), WRONG).expect_err("no key");
        (error.code(), error.to_string())
    };
    let expected = lost(Kind::Wrong);
    assert_eq!(expected.0, ErrorCode::KeyUnavailable);
    for kind in KINDS {
        assert_eq!(lost(kind), expected, "{kind:?}");
    }
}
