//! The audit of a remote directory: the intent before the change, the outcome after it, whatever comes between.

use std::sync::Arc;
use std::time::Duration;

use umpin::credential::kdf::KdfContext;
use umpin::credential::record::CredentialRecord;
use umpin::directory::journal::IntentState;
use umpin::keys::Keys;
use umpin::notification::outbox::EntryState;
use umpin::pin::Pin;
use umpin::service::reset::{ResetOutcome, ResetRequest};
use umpin::service::signin::{ChangePinRequest, SignInAnswer, SignInRequest, Subscriber};
use umpin::service::{Lookup, Service};
use umpin::{ErrorCode, Result};

use super::simulation::{DC1, Event, NetworkFault, Simulation};
use super::verdict::{open, reset, send};
use super::{fixture, log};
use crate::support;

const LATER: Duration = Duration::from_secs(900);

pub fn asked(service: &Service, request: ResetRequest) -> Result<ResetOutcome> {
    let mut kdf = KdfContext::new();
    let plan = service.prepare_reset(request, &mut kdf)?;
    service.commit_reset(plan, &mut kdf)
}

pub fn lock(number: usize, locked: bool) -> ResetRequest {
    ResetRequest {
        identity: fixture::address(number),
        keep_pin: true,
        locked_out: Some(locked),
        ..ResetRequest::default()
    }
}

pub fn silent(number: usize, pin: &str) -> ResetRequest {
    ResetRequest {
        identity: fixture::address(number),
        pin: Some(Pin::new(pin.to_owned())),
        send_email: Some(false),
        ..ResetRequest::default()
    }
}

fn attempt(number: usize, pin: &str) -> SignInRequest {
    SignInRequest {
        subscriber: Subscriber::Identity(fixture::address(number)),
        alternatives: Vec::new(),
        pin: Pin::new(pin.to_owned()),
        cmdlet: None,
        domain_controller: None,
        ignore_default_scope: false,
    }
}

pub fn sign_in(service: &Service, number: usize, pin: &str) -> SignInAnswer {
    let answer = service.sign_in(attempt(number, pin), &mut KdfContext::new());
    answer.expect("an answer")
}

pub fn change(service: &Service, number: usize, old: &str, new: &str) -> Result<SignInAnswer> {
    let request = ChangePinRequest {
        attempt: attempt(number, old),
        new_pin: Pin::new(new.to_owned()),
    };
    service.change_pin(request, &mut KdfContext::new())
}

#[test]
fn the_intent_is_there_before_the_change_and_the_outcome_after_it() {
    let simulation = Simulation::new(1);
    let process = simulation.process("a");
    let during = Arc::clone(&simulation);
    simulation.meanwhile(false, move || {
        assert_eq!(log::brief(&during, "a"), ["intent Reset"]);
        assert_eq!(log::notes(&during, "a", 0)[0].state, IntentState::Prepared);
        let listed = during
            .process("a")
            .service
            .notifications(None, Lookup::default(), None, 9);
        assert_eq!(listed.expect("a listing").items[0].state, EntryState::Unconfirmed);
    });
    reset(&process.service, 0).expect("a reset");
    let entries = log::entries(&simulation, "a");
    assert_eq!(log::brief(&simulation, "a"), ["intent Reset", "done"]);
    assert_eq!(entries[0].0, entries[1].0, "one operation");
    assert_eq!(entries[0].1["caller"], "CONTOSO\\admin");
    assert_eq!(entries[0].1["parameters"]["Identity"], fixture::address(0));
    let shown = log::shown(&simulation, "a");
    assert_eq!(shown.len(), 1);
    assert_eq!((shown[0].kind.as_str(), shown[0].succeeded), ("operation", Some(true)));
}

#[test]
fn a_host_that_has_changed_nothing_has_an_empty_log() {
    let simulation = Simulation::new(1);
    assert!(log::shown(&simulation, "a").is_empty());
    assert_eq!(send(&simulation.process("a").service), Vec::<&str>::new());
    assert!(!simulation.outbox_file("a").exists(), "looking makes no file");
}

/// Refused, tried again, and made: one intent, one outcome.
#[test]
fn an_operation_has_one_intent_however_often_its_change_is_asked_for() {
    let simulation = Simulation::new(1);
    let elsewhere = Arc::clone(&simulation);
    simulation.meanwhile(false, move || {
        drop(reset(&elsewhere.process("b").service, 0).expect("another host's reset"))
    });
    reset(&simulation.process("a").service, 0).expect("a reset");
    assert_eq!(log::brief(&simulation, "a"), ["intent Reset", "done"]);
    assert_eq!(log::check(&simulation, 1, "a", "after a lost race"), 1);
}

/// Another process takes a slow host's attempt for dead and settles it; the host then tries again and succeeds. What was said of
/// the first attempt stays true.
#[test]
fn an_attempt_that_was_settled_by_another_is_told_apart_from_the_next() {
    let simulation = Simulation::new(1);
    let elsewhere = Arc::clone(&simulation);
    simulation.meanwhile(false, move || {
        elsewhere.later(LATER);
        assert_eq!(send(&elsewhere.process("a").service), ["dropped"]);
    });
    reset(&simulation.process("a").service, 0).expect("a reset");
    let expected = [
        "intent Reset",
        "Reset failed",
        "intent NotificationDropped",
        "done",
        "intent Reset",
        "done",
    ];
    assert_eq!(log::brief(&simulation, "a"), expected);
    assert_eq!(log::check(&simulation, 1, "a", "settled meanwhile"), 1);
}

#[test]
fn what_fails_after_its_intent_says_why_and_leaves_no_message() {
    // The PIN is in the history by the time that it is to be set.
    let simulation = Simulation::new(1);
    let elsewhere = Arc::clone(&simulation);
    simulation.meanwhile(false, move || {
        drop(asked(&elsewhere.process("b").service, silent(0, "580291")).expect("a reset"))
    });
    let error = asked(&simulation.process("a").service, silent(0, "580291"))
        .map(drop)
        .expect_err("a reuse");
    assert_eq!(error.code(), ErrorCode::PinPolicyViolation);
    assert_eq!(
        log::brief(&simulation, "a"),
        ["intent Reset", "PinPolicyViolation failed"]
    );

    // The controller goes away at the last moment.
    let simulation = Simulation::new(1);
    let elsewhere = Arc::clone(&simulation);
    simulation.meanwhile(false, move || elsewhere.set_down(DC1, true));
    let error = reset(&simulation.process("a").service, 0)
        .map(drop)
        .expect_err("no controller");
    assert_eq!(error.code(), ErrorCode::DirectoryUnavailable);
    assert_eq!(
        log::brief(&simulation, "a"),
        ["intent Reset", "DirectoryUnavailable failed"]
    );
    simulation.set_down(DC1, false);
    simulation.later(LATER);
    assert_eq!(send(&simulation.process("a").service), Vec::<&str>::new());
    assert_eq!(log::check(&simulation, 1, "a", "a controller that went away"), 0);
}

#[test]
fn an_unknown_outcome_is_told_and_what_is_found_out_later_as_well() {
    for (fault, found, made) in [
        (NetworkFault::AnswerLost, "Reset done", 1),
        (NetworkFault::RequestLost, "Reset failed", 0),
    ] {
        let simulation = Simulation::new(1);
        simulation.send_by(&[fault]);
        let error = reset(&simulation.process("a").service, 0)
            .map(drop)
            .expect_err("no answer");
        assert_eq!(error.code(), ErrorCode::OutcomeUnknown);
        assert_eq!(log::brief(&simulation, "a"), ["intent Reset", "OutcomeUnknown"]);
        let unknown = log::shown(&simulation, "a").remove(0);
        assert_eq!(
            (unknown.succeeded, unknown.details["error"].as_str()),
            (None, Some("OutcomeUnknown"))
        );
        simulation.later(LATER);
        send(&simulation.process("a").service);
        let log = log::brief(&simulation, "a");
        assert_eq!(log[..3], ["intent Reset", "OutcomeUnknown", found], "{log:?}");
        let known = log::shown(&simulation, "a").remove(0);
        assert_eq!(known.succeeded, Some(made == 1));
        assert!(!known.details.contains_key("error"), "{:?}", known.details);
        assert_eq!(known.target.as_deref(), Some("contoso.com/Sales/User 0"));
        assert_eq!(log::check(&simulation, 1, "a", "found out"), made);
    }
}

type Work = fn(&Service, usize) -> bool;

/// One run of a change without message, on a host and a mailbox of its own. Whether the process died.
fn dies(simulation: &Arc<Simulation>, (name, work): (&str, Work), fault: NetworkFault, death: u64) -> bool {
    let place = format!("{name}, {fault:?}, death at step {death}");
    let number = usize::try_from(death - 1).expect("a number");
    let host = &format!("a{death}");
    asked(&simulation.process("b").service, silent(number, "580291")).expect("the first PIN");
    let before = record(simulation, number);
    let process = simulation.process(host);
    simulation.send_by(&[fault]);
    process.dies_at(death);
    let died = process.run(|service| work(service, number)).is_none();
    simulation.send_by(&[]);
    drop(process);
    let changed = record(simulation, number) != before;
    simulation.later(LATER);
    send(&simulation.process(host).service);
    let told = log::brief(simulation, host);
    assert!(!changed || !told.is_empty(), "{place}: changed without record");
    if let Some(last) = told.last() {
        assert_eq!(told[0], format!("intent {name}"), "{place}");
        assert_eq!(last.ends_with("done"), changed, "{place}: {told:?}");
        assert!(!last.starts_with("intent"), "{place} has no outcome: {told:?}");
    }
    // What is still on its way may not come into force any more once it is said to have failed.
    simulation.land();
    let landed = record(simulation, number) != before;
    if let Some(last) = told.last().filter(|_| landed != changed) {
        assert!(last.ends_with("OutcomeUnknown"), "{place}: {told:?}");
    }
    if name == "Reset" || name == "ChangePin" {
        assert_eq!(landed, changed, "{place}");
        log::check(simulation, 1, host, &place);
    }
    died
}

pub fn record(simulation: &Arc<Simulation>, number: usize) -> CredentialRecord {
    let id = simulation.object_id(number);
    let ring = support::keys(simulation.home.path()).load().expect("the key");
    let sealed = simulation.stored(id, DC1).record.expect("a record");
    open(simulation, &ring, id, &sealed)
}

/// What sends no message has no entry in the outbox to find it by.
#[test]
fn changes_without_message_have_their_outcome_whatever_step_the_host_dies_at() {
    let kinds: [(&str, Work); 4] = [
        ("Lock", |service, number| asked(service, lock(number, true)).is_ok()),
        ("Unlock", |service, number| asked(service, lock(number, false)).is_ok()),
        ("Reset", |service, number| {
            asked(service, silent(number, "914730")).is_ok()
        }),
        ("ChangePin", |service, number| {
            change(service, number, "580291", "914730").is_ok()
        }),
    ];
    for kind in kinds {
        for fault in [
            NetworkFault::Prompt,
            NetworkFault::AnswerLost,
            NetworkFault::RequestLost,
            NetworkFault::Late,
        ] {
            let simulation = Simulation::new(30);
            let deaths = (1..).take_while(|death| dies(&simulation, kind, fault, *death)).count();
            assert!(deaths >= 6, "{} has but {deaths} steps", kind.0);
        }
    }
}

/// The change is made when the journal breaks: the caller hears of it, and the record is completed later.
#[test]
fn an_outcome_that_cannot_be_recorded_is_a_warning_and_completed_later() {
    let simulation = Simulation::new(1);
    let (file, aside) = (simulation.outbox_file("a"), simulation.outbox_file("aside"));
    let (from, to) = (file.clone(), aside.clone());
    simulation.meanwhile(true, move || {
        for end in ["", "-wal", "-shm"] {
            let name = |path: &std::path::Path| format!("{}{end}", path.display());
            std::fs::rename(name(&from), name(&to)).expect("a file of the journal");
        }
        std::fs::create_dir(&from).expect("something in the way");
    });
    let done = reset(&simulation.process("a").service, 0).expect("the PIN is changed");
    let ids: Vec<_> = done.warnings.iter().map(|warning| warning.id).collect();
    assert!(
        ids.contains(&"OutcomeNotRecorded") && ids.contains(&"NotificationQueued"),
        "{ids:?}"
    );
    std::fs::remove_dir(&file).expect("nothing in the way");
    for end in ["", "-wal", "-shm"] {
        let name = |path: &std::path::Path| format!("{}{end}", path.display());
        std::fs::rename(name(&aside), name(&file)).expect("a file of the journal");
    }
    assert_eq!(log::brief(&simulation, "a"), ["intent Reset"]);
    simulation.later(LATER);
    assert_eq!(send(&simulation.process("a").service), ["sent"]);
    assert_eq!(log::brief(&simulation, "a"), ["intent Reset", "Reset done"]);
    assert_eq!(log::check(&simulation, 1, "a", "completed"), 1);
    let mailed = |event: &Event| matches!(event, Event::Mailed { .. });
    assert_eq!(simulation.events().iter().filter(|event| mailed(event)).count(), 1);
}
