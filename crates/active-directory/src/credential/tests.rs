//! Changes on scripted servers.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::*;
use crate::rights::tests::{Ace, domain_sid};
use crate::scripted::{Action, ScriptedServer};
use crate::scripted_forest::{
    ACCOUNT, COUNTER, MailboxRequest, ScriptedForest, TONY, host_of, mailbox, mailbox_requests, mailbox_with_acl, tony,
};
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

fn change(controller: &ScriptedServer, expected: Option<&[u8]>, counter: CounterChange) -> CredentialChange {
    CredentialChange {
        mailbox: TONY,
        controller: Some(host_of(controller)),
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

fn modifies(controller: &ScriptedServer) -> Vec<Vec<(u64, String, Vec<u8>)>> {
    let changes = mailbox_requests(controller)
        .into_iter()
        .filter_map(|asked| match asked {
            MailboxRequest::Modify(changes) => Some(changes),
            _ => None,
        });
    changes.collect()
}

fn done(code: u32) -> Vec<Action> {
    vec![Action::Done(code, "")]
}

fn values(record: Option<&[u8]>, counter: Option<&[u8]>) -> Vec<Action> {
    vec![mailbox(TONY, "Tony Smith", record, counter), Action::Done(0, "")]
}

#[test]
fn a_reset_is_one_search_and_one_modify_on_a_warm_connection() {
    let forest = ScriptedForest::new();
    let controller = forest.controller(|asked| match asked {
        MailboxRequest::Search => tony(Some(OLD), Some(STANDARD.encode(COUNT).as_bytes())),
        _ => done(0),
    });
    let directory = forest.directory(&[&controller]);
    let reset = || {
        let identity = Identity::parse("tony").expect("an identity");
        let found = directory.find(&identity, Route::Preferred).expect("an answer").found;
        let stored = found[0].stored.clone().expect("read with the mailbox");
        assert_eq!(found[0].controller, Some(host_of(&controller)));
        let counter = CounterChange::Set(COUNT.to_vec());
        let change = change(&controller, stored.record.as_deref(), counter);
        assert_eq!(directory.apply(change).expect("an answer"), Applied::Committed);
    };
    reset();
    let before = controller.all_requests().len();
    reset();
    let all = controller.all_requests();
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
fn a_cancelled_change_is_not_sent() {
    let forest = ScriptedForest::new();
    let controller = forest.controller(|asked| match asked {
        MailboxRequest::Search => tony(Some(OLD), None),
        _ => done(0),
    });
    let directory = forest.directory(&[&controller]);
    let wanted = |cancellation: &Cancellation| CredentialChange {
        cancellation: cancellation.clone(),
        ..change(&controller, Some(OLD), CounterChange::Keep)
    };
    let early = Cancellation::new();
    early.cancel();
    // Cancelled with an open connection, right before the Modify is sent.
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
fn a_rejected_first_value_is_explained_by_the_present_one() {
    // Samba returns the first; the constraint is violated as well.
    for refusal in [ATTRIBUTE_OR_VALUE_EXISTS, CONSTRAINT_VIOLATION] {
        for (present, expected) in [
            (Some(OLD), Ok(Applied::Conflict)),
            (Some(CHECKSUM), Ok(Applied::Committed)),
            (None, Err(refusal)),
        ] {
            let forest = ScriptedForest::new();
            let controller = forest.controller(move |asked| match asked {
                MailboxRequest::Modify(changes) if changes.iter().any(|(_, _, value)| value == CHECKSUM) => done(0),
                MailboxRequest::Modify(_) => done(refusal),
                _ => values(present, None),
            });
            let directory = forest.directory(&[&controller]);
            let outcome = directory.apply(change(&controller, None, CounterChange::Keep));
            let context = format!("{refusal} with {present:?}: {outcome:?}");
            match expected {
                Ok(applied) => assert_eq!(outcome.ok(), Some(applied), "{context}"),
                Err(code) => {
                    let error = outcome.expect_err(&context);
                    assert_eq!(error.details()["ldapCode"], code, "{context}");
                }
            }
        }
    }
}

/// A mailbox whose values the account may not read.
fn unreadable() -> Vec<Action> {
    let other = Ace(5, 0, 0x10, Some([2; 16]), domain_sid(ACCOUNT));
    vec![
        mailbox_with_acl(TONY, "Tony Smith", None, None, &[other]),
        Action::Done(0, ""),
    ]
}

#[test]
fn an_unreadable_value_is_not_absent() {
    let forest = ScriptedForest::new();
    let controller = forest.controller(|asked| match asked {
        MailboxRequest::Modify(_) => done(ATTRIBUTE_OR_VALUE_EXISTS),
        _ => unreadable(),
    });
    let directory = forest.directory(&[&controller]);
    let found = directory.find_by_object_id(TONY, Route::Preferred).expect("an answer");
    assert_eq!(found.expect("the mailbox").stored, None);
    let host = host_of(&controller);
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
        let error = outcome.expect_err("absence is not known");
        assert_eq!(error.code(), ErrorCode::AccessDenied, "{error:?}");
        for part in [RECORD, "CN=Tony Smith,OU=Sales", &host, "Read Property"] {
            assert!(error.message().contains(part), "{error:?} does not say: {part}");
        }
    }
}

#[test]
fn an_unreadable_record_on_a_replica_is_an_error() {
    let forest = ScriptedForest::new();
    let first = forest.controller(|_| values(Some(OLD), None));
    let unreadable = forest.controller(|_| unreadable());
    let unresponsive = forest.controller(|_| vec![Action::Close]);
    let elsewhere = |others: [&ScriptedServer; 2]| {
        let directory = forest.directory(&[&first, others[0], others[1]]);
        directory.elsewhere(TONY, Some(&host_of(&first)))
    };
    let error = elsewhere([&unresponsive, &unreadable]).expect_err("the record may exist");
    assert_eq!(error.code(), ErrorCode::AccessDenied, "{error:?}");
    let present = forest.controller(|_| values(Some(NEW), None));
    let found = elsewhere([&unresponsive, &present]).expect("one answers");
    let found: Vec<_> = found.into_iter().map(|stored| stored.record).collect();
    assert_eq!(found, [Some(NEW.to_vec())]);
}

#[test]
fn deleted_objects_are_reported_one_by_one() {
    let forest = ScriptedForest::new();
    let controller = forest.controller(|_| values(Some(OLD), None));
    let directory = forest.directory(&[&controller]);
    let all = directory.credentials(&[ObjectId([1; 16]), TONY], Some(&host_of(&controller)));
    let [mailbox_deleted, present] = &all.expect("an answer")[..] else {
        panic!("there must be two results for two ids")
    };
    assert_eq!(
        mailbox_deleted.as_ref().expect_err("gone").code(),
        ErrorCode::ManagementObjectNotFound
    );
    assert_eq!(present.as_ref().expect("there").record.as_deref(), Some(OLD));
}

#[test]
fn a_foreign_value_that_reappears_is_a_conflict() {
    let forest = ScriptedForest::new();
    let controller = forest.controller(|asked| match asked {
        MailboxRequest::Modify(_) => done(ATTRIBUTE_OR_VALUE_EXISTS),
        _ => values(Some(CHECKSUM), None),
    });
    let directory = forest.directory(&[&controller]);
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
fn a_lost_response_is_resolved_by_reading_and_the_modify_is_not_repeated() {
    for (present, expected) in [
        (Some(NEW), Ok(Applied::Committed)),
        // The Modify may still be in progress.
        (Some(OLD), Err(ErrorCode::OutcomeUnknown)),
        (None, Err(ErrorCode::OutcomeUnknown)),
    ] {
        let forest = ScriptedForest::new();
        let controller = forest.controller(move |asked| match asked {
            MailboxRequest::Modify(_) => vec![Action::Close],
            _ => values(present, None),
        });
        let directory = forest.directory(&[&controller]);
        let outcome = directory.apply(change(&controller, Some(OLD), CounterChange::Keep));
        let context = format!("{present:?}: {outcome:?}");
        assert_eq!(outcome.map_err(|error| error.code()), expected, "{context}");
        assert_eq!(modifies(&controller).len(), 1, "{context}");
    }
}

#[test]
fn an_unreachable_controller_leaves_the_outcome_unknown() {
    let forest = ScriptedForest::new();
    let controller = forest.controller(|_| vec![Action::Close]);
    let directory = forest.directory(&[&controller]);
    let outcome = directory.apply(change(&controller, Some(OLD), CounterChange::Keep));
    let error = outcome.expect_err("unknown");
    assert_eq!(error.code(), ErrorCode::OutcomeUnknown, "{error:?}");
    assert_eq!(error.details()["server"], host_of(&controller).as_str());
}

#[test]
fn a_declined_change_moves_to_another_controller() {
    // Busy, unavailable, unwilling, a referral.
    for code in [51, 52, 53, 10] {
        let forest = ScriptedForest::new();
        let declining = forest.controller(move |asked| match asked {
            MailboxRequest::Search => tony(Some(OLD), None),
            _ => done(code),
        });
        let other = forest.controller(|asked| match asked {
            MailboxRequest::Search => tony(Some(OLD), None),
            _ => done(0),
        });
        let directory = forest.directory(&[&declining, &other]);
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
fn rejections_map_to_error_codes() {
    for (code, expected) in [
        (NO_SUCH_OBJECT, ErrorCode::ManagementObjectNotFound),
        (INSUFFICIENT_ACCESS_RIGHTS, ErrorCode::AccessDenied),
        (65, ErrorCode::ConfigurationInvalid),
    ] {
        let forest = ScriptedForest::new();
        let controller = forest.controller(move |asked| match asked {
            MailboxRequest::Modify(_) => done(code),
            _ => values(None, None),
        });
        let directory = forest.directory(&[&controller]);
        let outcome = directory.apply(change(&controller, Some(OLD), CounterChange::Keep));
        let error = outcome.expect_err("a refusal");
        assert_eq!(error.code(), expected, "{error:?}");
        assert_eq!(error.details()["ldapCode"], code, "{error:?}");
    }
}

#[test]
fn a_stale_swap_is_a_conflict_at_once() {
    let forest = ScriptedForest::new();
    let controller = forest.controller(|_| done(NO_SUCH_ATTRIBUTE));
    let directory = forest.directory(&[&controller]);
    let outcome = directory.apply(change(&controller, Some(OLD), CounterChange::Keep));
    assert_eq!(outcome.expect("an answer"), Applied::Conflict);
    assert_eq!(mailbox_requests(&controller).len(), 1, "no further request is sent");
}

#[test]
fn an_empty_change_sends_no_request() {
    let forest = ScriptedForest::new();
    let controller = forest.controller(|_| done(0));
    let directory = forest.directory(&[&controller]);
    let mut change = change(&controller, None, CounterChange::Keep);
    change.record = None;
    assert_eq!(directory.apply(change).expect("an answer"), Applied::Committed);
    assert_eq!(mailbox_requests(&controller), []);
}
