//! Changes on servers that answer as no real one does when it is wanted.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::*;
use crate::rights::tests::{Ace, domain_sid};
use crate::scripted::{Act, Scripted};
use crate::scripted_forest::{ACCOUNT, Asked, COUNTER, Ground, TONY, guarded, heard, mailbox, named, tony};
use umpin_core::cancellation::Cancellation;
use umpin_core::directory::{Directory as _, Route};
use umpin_core::identity::Identity;

const ADD: u64 = 0;
const DELETE: u64 = 1;
const REPLACE: u64 = 2;

const OLD: &[u8] = b"UMP\x01 old";
const NEW: &[u8] = b"UMP\x01 new";
const COUNT: &[u8] = b"UMP\x01 count";
const CHECKSUM: &[u8] = b"\x01\x00 of Exchange";

fn change(controller: &Scripted, expected: Option<&[u8]>, counter: CounterChange) -> CredentialChange {
    CredentialChange {
        mailbox: TONY,
        controller: Some(named(controller)),
        record: Some(Swap {
            expected: expected.map(<[u8]>::to_vec),
            new: NEW.to_vec(),
        }),
        counter,
        message: None,
        audit: None,
        cancellation: Cancellation::default(),
        premise: None,
    }
}

fn modifies(controller: &Scripted) -> Vec<Vec<(u64, String, Vec<u8>)>> {
    let changes = heard(controller).into_iter().filter_map(|asked| match asked {
        Asked::Modify(changes) => Some(changes),
        _ => None,
    });
    changes.collect()
}

fn done(code: u32) -> Vec<Act> {
    vec![Act::Done(code, "")]
}

fn values(record: Option<&[u8]>, counter: Option<&[u8]>) -> Vec<Act> {
    vec![mailbox(TONY, "Tony Smith", record, counter), Act::Done(0, "")]
}

#[test]
fn a_reset_is_one_search_and_one_modify_on_a_warm_connection() {
    let ground = Ground::new();
    let controller = ground.controller(|asked| match asked {
        Asked::Search => tony(Some(OLD), Some(STANDARD.encode(COUNT).as_bytes())),
        _ => done(0),
    });
    let directory = ground.directory(&[&controller]);
    let reset = || {
        let identity = Identity::parse("tony").expect("an identity");
        let found = directory.find(&identity, Route::Preferred).expect("an answer").found;
        let stored = found[0].stored.clone().expect("read with the mailbox");
        assert_eq!(found[0].controller, Some(named(&controller)));
        let counter = CounterChange::Set(COUNT.to_vec());
        let change = change(&controller, stored.record.as_deref(), counter);
        assert_eq!(directory.apply(change).expect("an answer"), Applied::Committed);
    };
    reset();
    let before = controller.all().len();
    reset();
    let all = controller.all();
    assert_eq!(all.len() - before, 2, "{:?}", &all[before..]);
    let expected = vec![
        (DELETE, RECORD.to_owned(), OLD.to_vec()),
        (ADD, RECORD.to_owned(), NEW.to_vec()),
        (REPLACE, COUNTER.to_owned(), STANDARD.encode(COUNT).into_bytes()),
    ];
    assert_eq!(modifies(&controller), [expected.clone(), expected]);
    assert_eq!(controller.accepted(), 1);
}

#[test]
fn a_change_that_was_cancelled_is_not_sent() {
    let ground = Ground::new();
    let controller = ground.controller(|asked| match asked {
        Asked::Search => tony(Some(OLD), None),
        _ => done(0),
    });
    let directory = ground.directory(&[&controller]);
    let wanted = |cancellation: &Cancellation| CredentialChange {
        cancellation: cancellation.clone(),
        ..change(&controller, Some(OLD), CounterChange::Keep)
    };
    let early = Cancellation::new();
    early.cancel();
    // The connection stands, and the Modify is about to be sent.
    let last_moment = Cancellation::new();
    let stop = last_moment.clone();
    last_moment.at_commit_point(move || assert!(stop.cancel(), "nothing was sent yet"));
    for cancellation in [&early, &last_moment] {
        let error = directory.apply(wanted(cancellation)).expect_err("it was cancelled");
        assert_eq!(error.code(), ErrorCode::Cancelled);
    }
    assert_eq!(modifies(&controller), Vec::<Vec<_>>::new());
    let late = Cancellation::new();
    assert_eq!(directory.apply(wanted(&late)).expect("an answer"), Applied::Committed);
    assert!(!late.cancel(), "it was sent");
}

#[test]
fn a_first_value_that_is_refused_is_explained_by_what_is_there() {
    // Samba says the first, and the constraint is broken as well.
    for refusal in [ATTRIBUTE_OR_VALUE_EXISTS, CONSTRAINT_VIOLATION] {
        for (there, expected) in [
            (Some(OLD), Ok(Applied::Conflict)),
            (Some(CHECKSUM), Ok(Applied::Committed)),
            (None, Err(refusal)),
        ] {
            let ground = Ground::new();
            let controller = ground.controller(move |asked| match asked {
                Asked::Modify(changes) if changes.iter().any(|(_, _, value)| value == CHECKSUM) => done(0),
                Asked::Modify(_) => done(refusal),
                _ => values(there, None),
            });
            let directory = ground.directory(&[&controller]);
            let outcome = directory.apply(change(&controller, None, CounterChange::Keep));
            let told = format!("{refusal} with {there:?}: {outcome:?}");
            match expected {
                Ok(applied) => assert_eq!(outcome.ok(), Some(applied), "{told}"),
                Err(code) => {
                    let error = outcome.expect_err(&told);
                    assert_eq!(error.details()["ldapCode"], code, "{told}");
                }
            }
        }
    }
}

/// A mailbox without values as far as can be seen: another attribute is all that may be read of it.
fn unseen() -> Vec<Act> {
    let other = Ace(5, 0, 0x10, Some([2; 16]), domain_sid(ACCOUNT));
    vec![guarded(TONY, "Tony Smith", None, None, &[other]), Act::Done(0, "")]
}

#[test]
fn what_may_not_be_read_is_not_absent() {
    let ground = Ground::new();
    let controller = ground.controller(|asked| match asked {
        Asked::Modify(_) => done(ATTRIBUTE_OR_VALUE_EXISTS),
        _ => unseen(),
    });
    let directory = ground.directory(&[&controller]);
    let found = directory.find_by_object_id(TONY, Route::Preferred).expect("an answer");
    assert_eq!(found.expect("the mailbox").stored, None);
    let host = named(&controller);
    let read = directory.credential(TONY, Some(&host)).map(drop);
    let all = directory
        .credentials(&[TONY], Some(&host))
        .expect("an answer")
        .pop()
        .expect("one")
        .map(drop);
    let changed = directory
        .apply(change(&controller, None, CounterChange::Keep))
        .map(drop);
    for outcome in [read, all, changed] {
        let error = outcome.expect_err("it is not known");
        assert_eq!(error.code(), ErrorCode::AccessDenied, "{error:?}");
        for part in [RECORD, "CN=Tony Smith,OU=Sales", &host, "Read Property"] {
            assert!(error.message().contains(part), "{error:?} does not say: {part}");
        }
    }
}

#[test]
fn another_controllers_record_that_may_not_be_read_is_not_passed_over() {
    let ground = Ground::new();
    let first = ground.controller(|_| values(Some(OLD), None));
    let unseen = ground.controller(|_| unseen());
    let silent = ground.controller(|_| vec![Act::Close]);
    let elsewhere = |others: [&Scripted; 2]| {
        let directory = ground.directory(&[&first, others[0], others[1]]);
        directory.elsewhere(TONY, Some(&named(&first)))
    };
    let error = elsewhere([&silent, &unseen]).expect_err("it has one, or has none");
    assert_eq!(error.code(), ErrorCode::AccessDenied, "{error:?}");
    let there = ground.controller(|_| values(Some(NEW), None));
    let found = elsewhere([&silent, &there]).expect("one answers");
    let found: Vec<_> = found.into_iter().map(|stored| stored.record).collect();
    assert_eq!(found, [Some(NEW.to_vec())]);
}

#[test]
fn objects_that_are_gone_are_told_one_by_one() {
    let ground = Ground::new();
    let controller = ground.controller(|_| values(Some(OLD), None));
    let directory = ground.directory(&[&controller]);
    let all = directory.credentials(&[ObjectId([1; 16]), TONY], Some(&named(&controller)));
    let [gone, there] = &all.expect("an answer")[..] else {
        panic!("not two answers to two questions")
    };
    assert_eq!(
        gone.as_ref().expect_err("gone").code(),
        ErrorCode::ManagementObjectNotFound
    );
    assert_eq!(there.as_ref().expect("there").record.as_deref(), Some(OLD));
}

#[test]
fn a_foreign_value_that_others_keep_writing_is_not_fought_over() {
    let ground = Ground::new();
    let controller = ground.controller(|asked| match asked {
        Asked::Modify(_) => done(ATTRIBUTE_OR_VALUE_EXISTS),
        _ => values(Some(CHECKSUM), None),
    });
    let directory = ground.directory(&[&controller]);
    let outcome = directory.apply(change(&controller, None, CounterChange::Keep));
    assert_eq!(outcome.expect("an answer"), Applied::Conflict);
    let expected = [
        vec![(ADD, RECORD.to_owned(), NEW.to_vec())],
        vec![
            (DELETE, RECORD.to_owned(), CHECKSUM.to_vec()),
            (ADD, RECORD.to_owned(), NEW.to_vec()),
        ],
    ];
    assert_eq!(modifies(&controller), expected);
}

#[test]
fn a_lost_answer_is_made_up_for_by_what_is_there_and_nothing_is_asked_twice() {
    for (there, expected) in [
        (Some(NEW), Ok(Applied::Committed)),
        // It may yet come.
        (Some(OLD), Err(ErrorCode::OutcomeUnknown)),
        (None, Err(ErrorCode::OutcomeUnknown)),
    ] {
        let ground = Ground::new();
        let controller = ground.controller(move |asked| match asked {
            Asked::Modify(_) => vec![Act::Close],
            _ => values(there, None),
        });
        let directory = ground.directory(&[&controller]);
        let outcome = directory.apply(change(&controller, Some(OLD), CounterChange::Keep));
        let told = format!("{there:?}: {outcome:?}");
        assert_eq!(outcome.map_err(|error| error.code()), expected, "{told}");
        assert_eq!(modifies(&controller).len(), 1, "{told}");
    }
}

#[test]
fn nothing_can_be_concluded_where_nobody_answers() {
    let ground = Ground::new();
    let controller = ground.controller(|_| vec![Act::Close]);
    let directory = ground.directory(&[&controller]);
    let outcome = directory.apply(change(&controller, Some(OLD), CounterChange::Keep));
    let error = outcome.expect_err("unknown");
    assert_eq!(error.code(), ErrorCode::OutcomeUnknown, "{error:?}");
    assert_eq!(error.details()["server"], named(&controller).as_str());
}

#[test]
fn whoever_declines_a_change_is_left_for_another() {
    // Busy, unavailable, unwilling, a referral.
    for code in [51, 52, 53, 10] {
        let ground = Ground::new();
        let declining = ground.controller(move |asked| match asked {
            Asked::Search => tony(Some(OLD), None),
            _ => done(code),
        });
        let other = ground.controller(|asked| match asked {
            Asked::Search => tony(Some(OLD), None),
            _ => done(0),
        });
        let directory = ground.directory(&[&declining, &other]);
        let mut outcomes = Vec::new();
        for _ in 0..2 {
            let found = directory.find_by_object_id(TONY, Route::Preferred).expect("an answer");
            let mut change = change(&declining, Some(OLD), CounterChange::Keep);
            change.controller = found.expect("the mailbox").controller;
            outcomes.push(directory.apply(change).expect("an answer"));
        }
        assert_eq!(outcomes, [Applied::Unreached, Applied::Committed], "{code}");
        assert_eq!((modifies(&declining).len(), modifies(&other).len()), (1, 1), "{code}");
    }
}

#[test]
fn the_servers_refusals_are_told_apart() {
    for (code, expected) in [
        (NO_SUCH_OBJECT, ErrorCode::ManagementObjectNotFound),
        (INSUFFICIENT_ACCESS_RIGHTS, ErrorCode::AccessDenied),
        (65, ErrorCode::ConfigurationInvalid),
    ] {
        let ground = Ground::new();
        let controller = ground.controller(move |asked| match asked {
            Asked::Modify(_) => done(code),
            _ => values(None, None),
        });
        let directory = ground.directory(&[&controller]);
        let outcome = directory.apply(change(&controller, Some(OLD), CounterChange::Keep));
        let error = outcome.expect_err("a refusal");
        assert_eq!(error.code(), expected, "{error:?}");
        assert_eq!(error.details()["ldapCode"], code, "{error:?}");
    }
}

#[test]
fn a_stale_swap_is_a_conflict_at_once() {
    let ground = Ground::new();
    let controller = ground.controller(|_| done(NO_SUCH_ATTRIBUTE));
    let directory = ground.directory(&[&controller]);
    let outcome = directory.apply(change(&controller, Some(OLD), CounterChange::Keep));
    assert_eq!(outcome.expect("an answer"), Applied::Conflict);
    assert_eq!(heard(&controller).len(), 1, "nothing else is asked");
}

#[test]
fn nothing_to_change_is_nothing_to_ask() {
    let ground = Ground::new();
    let controller = ground.controller(|_| done(0));
    let directory = ground.directory(&[&controller]);
    let mut change = change(&controller, None, CounterChange::Keep);
    change.record = None;
    assert_eq!(directory.apply(change).expect("an answer"), Applied::Committed);
    assert_eq!(heard(&controller), []);
}
