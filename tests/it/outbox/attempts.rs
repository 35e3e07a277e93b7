//! The audit of sign-ins where the directory is elsewhere: counted first and recorded then, but no PIN changed without record.

use std::sync::Arc;
use std::time::Duration;

use umpin::service::signin::SignIn;
use umpin::service::{Lookup, Service};

use super::simulation::{DC1, Event, NetworkFault, Simulation};
use super::trail::{asked, change, lock, record, sign_in, silent};
use super::verdict::{reset, send};
use super::{fixture, log};

const LATER: Duration = Duration::from_secs(900);

#[test]
fn counted_attempts_are_recorded_after_the_count_and_what_follows_from_them_around_it() {
    let simulation = Simulation::new(1);
    let service = simulation.process("a").service;
    asked(&service, silent(0, "580291")).expect("a PIN");
    let during = Arc::clone(&simulation);
    simulation.meanwhile(false, move || {
        assert_eq!(log::brief(&during, "a").len(), 2, "not before it is counted")
    });
    for _ in 0..4 {
        assert_eq!(sign_in(&service, 0, "000001").outcome, SignIn::Rejected);
    }
    let failure = ["intent SignInFailure", "done"];
    assert_eq!(log::brief(&simulation, "a")[2..], failure.repeat(4));
    let during = Arc::clone(&simulation);
    simulation.meanwhile(false, move || {
        let log = log::brief(&during, "a");
        assert_eq!(
            log[log.len() - 1],
            "intent AutomaticReset",
            "the PIN is about to be changed"
        );
    });
    let mut answer = sign_in(&service, 0, "000001");
    assert_eq!(answer.outcome, SignIn::ResetByFailures);
    service.deliver_pending(&mut answer);
    let log = log::brief(&simulation, "a");
    assert_eq!(
        log[10..],
        ["intent AutomaticReset", "intent SignInFailure", "done", "done"]
    );
    for _ in 0..10 {
        service.deliver_pending(&mut sign_in(&service, 0, "000001"));
    }
    assert_eq!(sign_in(&service, 0, "000001").outcome, SignIn::Locked);
    let log = log::brief(&simulation, "a");
    assert_eq!(
        log[log.len() - 4..],
        ["intent SignInFailure", "done", "intent LockOut", "done"]
    );
    let before = log.len();
    asked(&service, silent(0, "580293")).expect("a reset");
    assert_eq!(sign_in(&service, 0, "580293").outcome, SignIn::ChangeRequired);
    assert_eq!(
        log::brief(&simulation, "a").len(),
        before + 2,
        "the right PIN is not recorded"
    );
    log::check(&simulation, 1, "a", "sign-ins");
}

/// The wrong PINs before the one that brings a new PIN.
fn four_failures(simulation: &Arc<Simulation>, number: usize) {
    let service = simulation.process("b").service;
    asked(&service, silent(number, "580291")).expect("a PIN");
    for _ in 0..4 {
        assert_eq!(sign_in(&service, number, "000001").outcome, SignIn::Rejected);
    }
}

#[test]
fn a_reset_by_failures_that_was_begun_has_its_end_whatever_the_attempt_comes_to() {
    // An administrator is first: the attempt counts under his PIN.
    let simulation = Simulation::new(1);
    four_failures(&simulation, 0);
    let elsewhere = Arc::clone(&simulation);
    simulation.meanwhile(false, move || {
        drop(reset(&elsewhere.process("b").service, 0).expect("an administrator's reset"))
    });
    assert_eq!(
        sign_in(&simulation.process("a").service, 0, "000001").outcome,
        SignIn::Rejected
    );
    let expected = [
        "intent AutomaticReset",
        "intent SignInFailure",
        "done",
        "WriteConflict failed",
    ];
    assert_eq!(log::brief(&simulation, "a"), expected);

    // The answer is lost, and the attempt is counted once more, under the new PIN.
    let simulation = Simulation::new(1);
    four_failures(&simulation, 0);
    simulation.send_by(&[NetworkFault::AnswerLost]);
    assert_eq!(
        sign_in(&simulation.process("a").service, 0, "000001").outcome,
        SignIn::Rejected
    );
    let log = log::brief(&simulation, "a");
    assert_eq!(
        log,
        [
            "intent AutomaticReset",
            "OutcomeUnknown",
            "intent SignInFailure",
            "done"
        ]
    );
    simulation.later(LATER);
    assert_eq!(send(&simulation.process("a").service), ["sent"]);
    assert_eq!(log::check(&simulation, 1, "a", "an unknown reset by failures"), 1);
}

#[test]
fn a_reset_by_failures_has_its_outcome_and_its_message_whatever_step_the_host_dies_at() {
    for fault in [
        NetworkFault::Prompt,
        NetworkFault::AnswerLost,
        NetworkFault::RequestLost,
        NetworkFault::Late,
    ] {
        let simulation = Simulation::new(30);
        let mut reset_at = 0;
        for death in 1.. {
            let place = format!("{fault:?}, death at step {death}");
            let number = usize::try_from(death - 1).expect("a number");
            let host = &format!("a{death}");
            four_failures(&simulation, number);
            let before = record(&simulation, number);
            let process = simulation.process(host);
            simulation.send_by(&[fault]);
            process.dies_at(death);
            let attempt = |service: &Service| service.deliver_pending(&mut sign_in(service, number, "000001"));
            let died = process.run(attempt).is_none();
            simulation.send_by(&[]);
            drop(process);
            simulation.later(LATER);
            send(&simulation.process(host).service);
            simulation.land();
            let is_reset = record(&simulation, number).current() != before.current();
            reset_at += usize::from(is_reset);
            assert_eq!(
                log::check(&simulation, 30, host, &place),
                usize::from(is_reset),
                "{place}"
            );
            let told = |event: &Event| matches!(event, Event::Mailed { to, .. } if *to == fixture::address(number));
            assert_eq!(
                simulation.events().iter().any(told),
                is_reset,
                "{place}: who has a new PIN is told it"
            );
            if !died {
                break;
            }
        }
        assert!(reset_at > 0 || fault != NetworkFault::Prompt, "{fault:?}: never reset");
    }
}

/// An attempt is counted whatever becomes of the record of it, so that a full disk gives no guesses away; but without its intent
/// no PIN is changed.
#[test]
fn a_journal_that_cannot_be_written_counts_attempts_and_changes_no_pin() {
    let simulation = Simulation::new(1);
    asked(&simulation.process("b").service, silent(0, "580291")).expect("a PIN");
    std::fs::create_dir(simulation.outbox_file("a")).expect("something in the way");
    let service = simulation.process("a").service;
    let record = simulation.stored(simulation.object_id(0), DC1).record;
    let mut counter = None;
    for _ in 0..6 {
        let answer = sign_in(&service, 0, "000001");
        assert_eq!(answer.outcome, SignIn::Rejected);
        assert!(!answer.diagnostics.is_empty(), "it says that it could not be recorded");
        let now = simulation.stored(simulation.object_id(0), DC1).counter;
        assert_ne!(now, counter, "counted");
        counter = now;
    }
    let info = service
        .pin_info(&fixture::address(0), Lookup::default())
        .expect("its state");
    assert_eq!(info.failed_attempts, 6);
    for done in [
        asked(&service, lock(0, true)).map(drop),
        asked(&service, lock(0, false)).map(drop),
        asked(&service, silent(0, "914730")).map(drop),
        reset(&service, 0).map(drop),
        change(&service, 0, "580291", "914730").map(drop),
    ] {
        let error = done.expect_err("nothing is changed without record");
        assert!(error.message().contains("so nothing was changed"), "{error}");
    }
    assert_eq!(
        simulation.stored(simulation.object_id(0), DC1).record,
        record,
        "nothing was changed"
    );
}
