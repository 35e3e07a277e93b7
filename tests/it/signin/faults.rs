//! Stores that cannot be read or written: the right PIN and a wrong one get the same answer, and nothing is counted or revealed.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use serde_json::{Value, json};
use umpin::clock::SystemClock;
use umpin::directory::{Applied, CredentialChange, Directory};
use umpin::session::{Session, SharedError};
use umpin::{Error, ErrorCode};

use super::attempt::{change, outcome, sign_in};
use super::double::Double;
use super::fixture;
use crate::support::faults::{Broken, FAULTS, OLD_PINS, Snapshot, Stops, TONY, everything_said};
use crate::support::{self, reset};

const RIGHT: &str = OLD_PINS[0];
const WRONG: &str = "111222";

type Attempt = fn(&Session) -> Result<Value, SharedError>;

const WRONG_ATTEMPTS: &[(&str, Attempt)] = &[
    ("wrong", |session| sign_in(session, TONY, WRONG)),
    ("change with a wrong PIN", |session| {
        change(session, TONY, WRONG, "905317")
    }),
];
const RIGHT_ATTEMPTS: &[(&str, Attempt)] = &[
    ("right", |session| sign_in(session, TONY, RIGHT)),
    ("change", |session| change(session, TONY, RIGHT, "905317")),
    ("change to a bad one", |session| change(session, TONY, RIGHT, "1")),
];

/// What somebody who tries hears, for comparison.
fn heard(result: Result<Value, SharedError>) -> Result<String, String> {
    match result {
        Ok(answer) => Ok(outcome(&answer).to_owned()),
        Err(error) if error.code() == ErrorCode::PinPolicyViolation => Ok("the rules".to_owned()),
        Err(error) => Err(everything_said(&error)),
    }
}

/// Every kind of attempt, each in a session of its own, is refused in the same words and changes nothing.
fn assert_refused_alike(home: &Path, what: &str) -> SharedError {
    let before = Snapshot::of(home);
    let session = fixture::cheap_session(home);
    let first = sign_in(&session, TONY, WRONG).expect_err(what);
    drop(session);
    for (name, attempt) in WRONG_ATTEMPTS.iter().chain(RIGHT_ATTEMPTS) {
        let session = fixture::cheap_session(home);
        let said = heard(attempt(&session));
        drop(session);
        assert_eq!(said, Err(everything_said(&first)), "{what}: {name}");
        assert_eq!(Snapshot::of(home), before, "{what}: {name}");
    }
    first
}

#[test]
fn whatever_is_broken_tells_the_right_pin_from_no_wrong_one() {
    for fault in FAULTS.iter().filter(|fault| fault.stops == Stops::Everything) {
        let broken = Broken::new();
        (fault.inflict)(&broken);
        let error = assert_refused_alike(broken.home.path(), fault.name);
        assert_eq!(error.code(), fault.code, "{}: {error:?}", fault.name);
    }
}

#[test]
fn a_key_that_is_lost_while_a_session_is_open_ends_the_answers() {
    let broken = Broken::new();
    let session = fixture::cheap_session(broken.home.path());
    assert_eq!(
        outcome(&sign_in(&session, TONY, RIGHT).expect("an answer")),
        "changeRequired"
    );
    fs::remove_file(broken.path("umpin.key")).expect("the key is removed");
    let before = Snapshot::of(broken.home.path());
    let right = sign_in(&session, TONY, RIGHT).expect_err("no key");
    let wrong = sign_in(&session, TONY, WRONG).expect_err("no key");
    assert_eq!(right.code(), ErrorCode::KeyUnavailable);
    assert_eq!(everything_said(&right), everything_said(&wrong));
    assert_eq!(Snapshot::of(broken.home.path()), before);
}

/// A store with `failures` wrong PINs at Tony's mailbox, all sessions closed.
fn after_failures(failures: usize) -> Broken {
    let broken = Broken::new();
    let session = fixture::cheap_session(broken.home.path());
    for _ in 0..failures {
        sign_in(&session, TONY, WRONG).expect("an answer");
    }
    drop(session);
    // Merges the log into the store.
    broken.sql("");
    broken
}

fn failed_attempts(home: &Path) -> Value {
    let question = json!({ "v": 1, "operation": "pinInfo", "identity": TONY });
    support::request(&fixture::cheap_session(home), &question).expect("the state")["items"][0]["failedAttempts"].clone()
}

type Damage = fn(Vec<u8>) -> Vec<u8>;

#[test]
fn a_damaged_counter_answers_nobody_until_an_administrator_resets() {
    let damages: &[Damage] = &[
        |_| Vec::new(),
        |counter| counter[..counter.len() - 1].to_vec(),
        |mut counter| {
            let last = counter.len() - 1;
            counter[last] ^= 1;
            counter
        },
        |mut counter| {
            counter[3] = 2;
            counter
        },
    ];
    for damage in damages {
        let broken = after_failures(3);
        let counter = damage(broken.value_of("counter", "Tony Smith"));
        broken.set_value("counter", "Tony Smith", &counter);
        let home = broken.home.path();
        let error = assert_refused_alike(home, "a damaged counter");
        assert_eq!(error.code(), ErrorCode::StoreCorrupt, "{error:?}");

        let session = fixture::cheap_session(home);
        let fields = json!({ "identity": TONY, "sendEmail": false, "pinExpired": false });
        reset(&session, fields, Some("739152")).expect("an administrator replaces what is damaged");
        assert_eq!(failed_attempts(home), 0);
        assert_eq!(
            outcome(&sign_in(&session, TONY, "739152").expect("an answer")),
            "accepted"
        );
    }
}

#[test]
fn a_counter_of_another_mailbox_is_refused() {
    let broken = after_failures(3);
    let fresh = broken.value_of("counter", "Kim Akers");
    broken.set_value("counter", "Tony Smith", &fresh);
    let error = assert_refused_alike(broken.home.path(), "another mailbox's counter");
    assert_eq!(error.code(), ErrorCode::StoreCorrupt, "{error:?}");
}

#[test]
fn a_record_in_the_counters_place_is_refused() {
    let broken = after_failures(3);
    broken.set_value("counter", "Tony Smith", &broken.record_of("Tony Smith"));
    let error = assert_refused_alike(broken.home.path(), "a record for a counter");
    assert_eq!(error.code(), ErrorCode::StoreCorrupt, "{error:?}");
}

/// What was counted before an unlock or a reset is void, whoever puts it back.
#[test]
fn a_counter_from_before_an_unlock_counts_nothing() {
    for fields in [
        json!({ "identity": TONY, "lockedOut": false, "keepPin": true }),
        json!({ "identity": TONY, "sendEmail": false }),
    ] {
        let broken = after_failures(15);
        let home = broken.home.path();
        let counted = broken.value_of("counter", "Tony Smith");
        assert_eq!(failed_attempts(home), 15);
        let session = fixture::cheap_session(home);
        reset(&session, fields, None).expect("the unlock");
        drop(session);
        broken.set_value("counter", "Tony Smith", &counted);
        assert_eq!(failed_attempts(home), 0);
        let session = fixture::cheap_session(home);
        let answer = sign_in(&session, TONY, WRONG).expect("an answer");
        assert_eq!(
            (outcome(&answer), &answer["attemptsUntilLock"]),
            ("rejected", &json!(14))
        );
    }
}

/// A directory that fails for some changes; whether it makes them all the same is up to the test.
fn attempts_at(broken: &Broken, fails: fn(&CredentialChange) -> bool, makes: bool) -> Vec<String> {
    let home = broken.home.path();
    let real = Arc::new(support::embedded(home));
    let double = Double::new(&real).on_apply(move |real, change| {
        let fail = fails(&change);
        let answer = if fail && !makes {
            Ok(Applied::Conflict)
        } else {
            real.apply(change)
        };
        if fail {
            return Err(Error::new(ErrorCode::OutcomeUnknown, "The answer was lost."));
        }
        answer
    });
    let session = Session::with_service(fixture::service(
        home,
        real,
        Arc::new(double),
        Arc::new(SystemClock),
        fixture::CHEAP,
    ));
    (0..20)
        .map(|_| heard(sign_in(&session, TONY, WRONG)).expect("an answer"))
        .collect()
}

/// An attempt whose consequence or whose audit entry cannot be written is no free one.
#[test]
fn what_cannot_be_written_beside_the_count_makes_no_attempt_free() {
    let causes: &[fn(&CredentialChange) -> bool] = &[
        |change| change.message.is_some(),
        |change| change.audit.is_some(),
        |change| change.record.is_some() || change.audit.is_some(),
    ];
    for cause in causes {
        let broken = Broken::new();
        let outcomes = attempts_at(&broken, *cause, false);
        assert_eq!(
            outcomes[..14],
            ["rejected"; 14],
            "nothing but the count could be written"
        );
        assert_eq!(outcomes[14..], ["locked"; 6]);
        assert_eq!(failed_attempts(broken.home.path()), 15);

        // Made, but the answer was lost: counted twice rather than not at all.
        let broken = Broken::new();
        let outcomes = attempts_at(&broken, *cause, true);
        let answers = outcomes.iter().take_while(|outcome| *outcome != "locked").count();
        assert!(answers < 15, "{outcomes:?}");
        assert!(
            outcomes[answers..].iter().all(|outcome| outcome == "locked"),
            "{outcomes:?}"
        );
    }
}

#[cfg(target_os = "linux")]
mod needs_mount {
    use super::*;
    use crate::support::small::Small;

    #[test]
    fn a_store_that_cannot_be_written_answers_nobody() {
        let small = Small::new("4m");
        small.copy_from(Broken::new().home.path());
        small.make_read_only();
        let error = assert_refused_alike(small.root(), "a read-only store");
        assert_eq!(error.code(), ErrorCode::AccessDenied, "{error:?}");
    }

    /// At whatever byte the space ends: where a wrong PIN cannot be counted, the right one is not accepted. Otherwise a full
    /// disk (voice messages fill it) would allow any number of guesses.
    #[test]
    fn a_disk_too_full_to_count_a_wrong_pin_accepts_none() {
        let mut counts = [0, 0];
        // The next wrong PIN is only counted, brings a new PIN, or locks.
        for failures in [0, 4, 14] {
            let store = after_failures(failures);
            let right = right_pin(&store, failures);
            for pages in 0..=24 {
                let try_with = |pin: &str| {
                    let small = Small::new("2m");
                    small.copy_from(store.home.path());
                    small.fill(pages * 4096);
                    let before = Snapshot::of(small.root());
                    let session = fixture::cheap_session(small.root());
                    let said = heard(sign_in(&session, TONY, pin));
                    drop(session);
                    if said.is_err() {
                        assert_eq!(Snapshot::of(small.root()), before, "{failures} failures, {pages} pages");
                    }
                    let place = small.root().to_string_lossy().into_owned();
                    said.map_err(|said| said.replace(&place, ""))
                };
                let (with_wrong, with_right) = (try_with(WRONG), try_with(&right));
                let place =
                    format!("{failures} failures before, {pages} free pages: {with_wrong:?} against {with_right:?}");
                assert_eq!(with_wrong.is_ok(), with_right.is_ok(), "{place}");
                if let (Err(wrong), Err(right)) = (&with_wrong, &with_right) {
                    assert_eq!(wrong, right, "{place}");
                }
                counts[usize::from(with_wrong.is_ok())] += 1;
            }
        }
        assert!(counts.iter().all(|count| *count > 5), "refused, answered: {counts:?}");
    }

    /// After failures the PIN in force may be one that was mailed.
    fn right_pin(store: &Broken, failures: usize) -> String {
        if failures < 5 {
            return RIGHT.to_owned();
        }
        let inside = fixture::Inside::of(store.home.path());
        let pins = inside.pins(TONY);
        fixture::announcements(store.home.path())
            .into_iter()
            .map(|(_, pin)| pin)
            .find(|pin| pins.position(pin) == Some(0))
            .expect("the PIN in force was mailed")
    }
}
