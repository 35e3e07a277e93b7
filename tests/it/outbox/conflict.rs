//! Two hosts, two controllers, and a network that was cut between them: of two changes of one record one wins everywhere.

use std::sync::Arc;
use std::time::Duration;

use umpin::directory::journal::IntentState;
use umpin::service::reset::{Notification, ResetRequest};
use umpin::service::signin::SignIn;
use umpin::service::{Lookup, Service};

use super::simulation::{DC1, DC2, Event, Simulation};
use super::trail::{asked, sign_in};
use super::verdict::{reset, send};
use super::{fixture, log};

const MINUTE: Duration = Duration::from_secs(60);

/// The PINs that were mailed, in their order.
pub fn mailed(simulation: &Simulation) -> Vec<String> {
    let pin = |event| match event {
        Event::Mailed { pin, .. } => Some(pin),
        Event::Landed { .. } => None,
    };
    simulation.events().into_iter().filter_map(pin).collect()
}

/// Both hosts reset the first mailbox while the network is cut. The later reset, of host "b", wins; that of host "a" is lost.
fn lost() -> Arc<Simulation> {
    let simulation = Simulation::new(2);
    reset(&simulation.process("b").service, 0).expect("the first PIN");
    simulation.converge();
    reset(&simulation.process("a").service, 0).expect("the reset that will be lost");
    simulation.later(MINUTE);
    reset(&simulation.process_at("b", DC2).service, 0).expect("the reset that will win");
    simulation
}

pub fn healed() -> Arc<Simulation> {
    let simulation = lost();
    simulation.converge();
    simulation
}

pub fn warnings(service: &Service, number: usize) -> Vec<String> {
    let info = service
        .pin_info(&fixture::address(number), Lookup::default())
        .expect("its state");
    info.warnings.iter().map(|warning| warning.message.clone()).collect()
}

/// How often the log of a host tells of a lost reset.
pub fn losses(simulation: &Simulation, host: &str) -> usize {
    let lines = log::brief(simulation, host);
    lines.iter().filter(|line| *line == "ResetLost failed").count()
}

fn is_about_the_lost_reset(text: &str) -> bool {
    text.contains("User 0") && text.contains(DC1) && text.contains("2027-01-15 08:00:00 UTC")
}

#[test]
fn the_reset_that_lost_is_not_the_one_in_force_and_is_shown_by_asking_which_records_nothing() {
    let simulation = healed();
    let service = simulation.process("a").service;
    let before = (log::brief(&simulation, "a"), log::notes(&simulation, "a", 0));
    for _ in 0..2 {
        let told = warnings(&service, 0);
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(is_about_the_lost_reset(&told[0]), "{told:?}");
    }
    assert_eq!(
        (log::brief(&simulation, "a"), log::notes(&simulation, "a", 0)),
        before,
        "asking records nothing"
    );
    let page = service.pin_infos(Lookup::default(), None, 10).expect("a listing");
    let listed = |item| match item {
        umpin::service::PinInfoItem::Info(info) => info.warnings.len(),
        umpin::service::PinInfoItem::Failed { error, .. } => panic!("{error}"),
    };
    assert_eq!(page.items.into_iter().map(listed).sum::<usize>(), 1);
    assert!(
        warnings(&simulation.process_at("b", DC2).service, 0).is_empty(),
        "the winner lost nothing"
    );
    let pins = mailed(&simulation);
    assert_eq!(
        sign_in(&service, 0, &pins[1]).outcome,
        SignIn::Rejected,
        "the PIN that lost"
    );
    assert_eq!(
        sign_in(&service, 0, &pins[2]).outcome,
        SignIn::ChangeRequired,
        "the PIN that won"
    );
}

#[test]
fn whoever_resets_the_mailbox_next_is_told_once_and_the_audit_tells_under_the_same_operation() {
    let simulation = healed();
    let lost = log::entries(&simulation, "a")[0].0;
    let service = simulation.process("a").service;
    let request = || ResetRequest {
        identity: fixture::address(0),
        ..ResetRequest::default()
    };
    let mut kdf = umpin::credential::kdf::KdfContext::new();
    for _ in 0..2 {
        // What is only tried is told, and not recorded.
        let plan = service.prepare_reset(request(), &mut kdf).expect("a plan");
        assert_eq!(plan.warnings().len(), 1);
        assert_eq!(plan.warnings()[0].id, "ResetLost");
        assert!(
            plan.warnings()[0]
                .recommended_action
                .is_some_and(|text| text.contains("again"))
        );
        assert_eq!(losses(&simulation, "a"), 0);
    }
    let plan = service.prepare_reset(request(), &mut kdf).expect("a plan");
    let done = service.commit_reset(plan, &mut kdf).expect("a reset");
    assert_eq!(done.warnings, [], "the plan has told it");
    assert_eq!(losses(&simulation, "a"), 1);
    let entries = log::entries(&simulation, "a");
    let entry = entries
        .iter()
        .find(|(_, body)| body["action"] == "ResetLost")
        .expect("the entry");
    assert_eq!(entry.0, lost);
    assert_eq!(entry.1["result"]["controller"], DC1);
    assert_eq!(entry.1["target"], "contoso.com/Sales/User 0");
    let shown = log::shown(&simulation, "a");
    assert_eq!(
        shown
            .iter()
            .filter(|item| item.action.as_deref() == Some("ResetLost"))
            .count(),
        1
    );

    let plan = service.prepare_reset(request(), &mut kdf).expect("a plan");
    assert!(plan.warnings().is_empty(), "once: {:?}", plan.warnings());
    simulation.later(MINUTE * 10);
    let done = asked(&simulation.process("a").service, request()).expect("a reset");
    assert_eq!(done.warnings, []);
    assert_eq!(losses(&simulation, "a"), 1);
}

#[test]
fn whoever_changes_another_mailbox_is_told_after_some_minutes() {
    let simulation = healed();
    let told = |simulation: &Arc<Simulation>| -> Vec<String> {
        let done = reset(&simulation.process("a").service, 1).expect("a reset of another mailbox");
        done.warnings.iter().map(|warning| warning.message.clone()).collect()
    };
    assert!(told(&simulation).is_empty(), "not looked at yet");
    simulation.later(MINUTE * 5);
    let first = told(&simulation);
    assert!(first.len() == 1 && is_about_the_lost_reset(&first[0]), "{first:?}");
    assert_eq!(losses(&simulation, "a"), 1);
    simulation.later(MINUTE * 30);
    assert!(told(&simulation).is_empty(), "told once");
    assert_eq!(losses(&simulation, "a"), 1);
}

/// The scheduled task and the telephone find it, but nobody reads what they say.
#[test]
fn what_nobody_reads_is_kept_for_whoever_asks_or_changes_next() {
    let find: [fn(&Arc<Simulation>); 2] = [
        |simulation| {
            simulation.later(MINUTE * 5);
            assert_eq!(send(&simulation.process("a").service), Vec::<&str>::new());
        },
        |simulation| {
            assert_eq!(
                sign_in(&simulation.process("a").service, 0, "000001").outcome,
                SignIn::Rejected
            )
        },
    ];
    for find in find {
        let simulation = healed();
        find(&simulation);
        assert_eq!(losses(&simulation, "a"), 1, "found");
        assert_eq!(log::notes(&simulation, "a", 0)[0].state, IntentState::Overwritten);
        let service = simulation.process("a").service;
        assert_eq!(warnings(&service, 0).len(), 1);
        assert_eq!(warnings(&service, 0).len(), 1, "asking does not note that it was told");
        let done = reset(&service, 1).expect("a reset of another mailbox");
        assert!(
            done.warnings
                .iter()
                .any(|warning| is_about_the_lost_reset(&warning.message))
        );
        assert!(warnings(&service, 0).is_empty(), "told");
        assert_eq!(losses(&simulation, "a"), 1);
    }
}

/// The other controller has not heard of the reset; that means nothing.
#[test]
fn another_controller_proves_nothing() {
    let simulation = lost();
    let elsewhere = simulation.process_at("a", DC2).service;
    assert!(warnings(&elsewhere, 0).is_empty());
    assert_eq!(sign_in(&elsewhere, 0, "000001").outcome, SignIn::Rejected);
    let done = reset(&elsewhere, 0).expect("a reset over there");
    assert_eq!(done.warnings, []);
    assert!(
        warnings(&simulation.process("a").service, 0).is_empty(),
        "and here it is in force"
    );
    simulation.later(MINUTE * 5);
    send(&simulation.process("a").service);
    assert_eq!(losses(&simulation, "a"), 0);
    simulation.converge();
    // The one over there has won; the one here is lost.
    assert_eq!(warnings(&simulation.process("a").service, 0).len(), 1);
}

#[test]
fn a_message_of_the_reset_that_lost_is_dropped_and_audited() {
    let simulation = Simulation::new(1);
    reset(&simulation.process("b").service, 0).expect("the first PIN");
    simulation.converge();
    simulation.set_relay_down(true);
    let queued = reset(&simulation.process("a").service, 0).expect("the reset that will be lost");
    assert_eq!(queued.notification, Notification::Queued);
    simulation.set_relay_down(false);
    simulation.later(MINUTE);
    reset(&simulation.process_at("b", DC2).service, 0).expect("the reset that will win");
    simulation.converge();
    let told = mailed(&simulation).len();
    simulation.later(MINUTE * 3);
    assert_eq!(send(&simulation.process("a").service), ["dropped"]);
    let log = log::brief(&simulation, "a");
    assert_eq!(
        log,
        [
            "intent Reset",
            "done",
            "ResetLost failed",
            "intent NotificationDropped",
            "done"
        ]
    );
    assert_eq!(
        mailed(&simulation).len(),
        told,
        "nobody is told a PIN that is not in force"
    );
    assert_eq!(send(&simulation.process("a").service), Vec::<&str>::new());
}

/// The same where the message is not due when the loss is found.
#[test]
fn a_message_that_waits_is_dropped_when_the_loss_is_found() {
    let simulation = Simulation::new(1);
    reset(&simulation.process("b").service, 0).expect("the first PIN");
    simulation.converge();
    simulation.set_relay_down(true);
    reset(&simulation.process("a").service, 0).expect("the reset that will be lost");
    simulation.set_relay_down(false);
    reset(&simulation.process_at("b", DC2).service, 0).expect("the reset that will win");
    simulation.converge();
    sign_in(&simulation.process("a").service, 0, "000001");
    let listed = simulation
        .process("a")
        .service
        .notifications(None, Lookup::default(), None, 9);
    assert!(listed.expect("a listing").items.is_empty());
    let log = log::brief(&simulation, "a");
    assert!(log.iter().any(|line| line == "intent NotificationDropped"), "{log:?}");
}

/// Failed sign-ins are counted more often than a reset writes, and replication lets more writes win: so they are counted elsewhere.
#[test]
fn failed_sign_ins_on_the_other_side_leave_the_reset_in_force_and_count_nothing_under_it() {
    let simulation = Simulation::new(1);
    reset(&simulation.process("b").service, 0).expect("the first PIN");
    simulation.converge();
    let there = simulation.process_at("b", DC2).service;
    reset(&simulation.process("a").service, 0).expect("a reset here");
    simulation.later(MINUTE);
    for _ in 0..3 {
        assert_eq!(sign_in(&there, 0, "000001").outcome, SignIn::Rejected);
    }
    let failed = there
        .pin_info(&fixture::address(0), Lookup::default())
        .expect("its state");
    assert_eq!(failed.failed_attempts, 3);
    simulation.converge();
    for (host, controller) in [("a", DC1), ("b", DC2)] {
        let service = simulation.process_at(host, controller).service;
        let info = service
            .pin_info(&fixture::address(0), Lookup::default())
            .expect("its state");
        assert_eq!((info.failed_attempts, info.warnings.len()), (0, 0), "on {controller}");
        let pin = &mailed(&simulation)[1];
        assert_eq!(
            sign_in(&service, 0, pin).outcome,
            SignIn::ChangeRequired,
            "the PIN of the reset"
        );
    }
}

/// A reset by guessing on one side against an administrator's on the other: whoever loses hears of it.
#[test]
fn an_automatic_reset_that_lost_is_found_as_well() {
    let simulation = Simulation::new(1);
    reset(&simulation.process("b").service, 0).expect("the first PIN");
    simulation.converge();
    let there = simulation.process_at("b", DC2).service;
    for _ in 0..5 {
        there.deliver_pending(&mut sign_in(&there, 0, "000001"));
    }
    simulation.later(MINUTE);
    reset(&simulation.process("a").service, 0).expect("an administrator's reset");
    simulation.converge();
    assert_eq!(
        sign_in(&there, 0, &mailed(&simulation)[2]).outcome,
        SignIn::ChangeRequired
    );
    assert_eq!(losses(&simulation, "b"), 1);
    let entries = log::entries(&simulation, "b");
    let entry = entries
        .iter()
        .find(|(_, body)| body["action"] == "ResetLost")
        .expect("the entry");
    assert_eq!(entry.1["result"]["lost"], "AutomaticReset");
    assert!(warnings(&simulation.process("a").service, 0).is_empty());
}
