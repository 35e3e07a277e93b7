//! What the record alone does not tell: changes that arrive after it was read, controllers that know less, PINs that are replaced.

use std::sync::Arc;
use std::time::Duration;

use umpin::ErrorCode;
use umpin::directory::embedded::{EmbeddedDirectory, EmbeddedOptions};
use umpin::notification::outbox::EntryState;
use umpin::service::Lookup;
use umpin::service::reset::Notification;

use super::simulation::{DC1, DC2, NetworkFault, Simulation};
use super::verdict::{check, reset, send};

const LATER: Duration = Duration::from_secs(900);

fn states(simulation: &Arc<Simulation>) -> Vec<EntryState> {
    let page = simulation
        .process("a")
        .service
        .notifications(None, Lookup::default(), None, 100)
        .expect("a listing");
    page.items.iter().map(|item| item.state).collect()
}

/// A reset that does not hear what became of it.
fn lose_answer(simulation: &Arc<Simulation>) {
    let error = reset(&simulation.process("a").service, 0)
        .map(drop)
        .expect_err("no answer");
    assert_eq!(error.code(), ErrorCode::OutcomeUnknown);
}

fn lose_answer_of_a_change_made(simulation: &Arc<Simulation>) {
    simulation.send_by(&[NetworkFault::AnswerLost]);
    lose_answer(simulation);
}

#[test]
fn a_reset_in_two_steps_leaves_nothing_behind() {
    let simulation = Simulation::new(2);
    let process = simulation.process("a");
    for number in [0, 1, 0] {
        let done = reset(&process.service, number).expect("a reset");
        assert_eq!(done.notification, Notification::Sent);
        assert_eq!(done.warnings, []);
    }
    check(&simulation, 2, &["a"], 0, "three resets");
}

/// The controller of the change is down. Its replica knows an older record; what it says decides nothing.
#[test]
fn only_the_controller_that_was_written_to_is_asked() {
    for landed in [true, false] {
        let simulation = Simulation::new(1);
        reset(&simulation.process("a").service, 0).expect("the first PIN");
        simulation.replicate(DC1, DC2);
        simulation.send_by(&[if landed {
            NetworkFault::AnswerLost
        } else {
            NetworkFault::RequestLost
        }]);
        lose_answer(&simulation);
        simulation.set_down(DC1, true);
        for _ in 0..3 {
            simulation.later(LATER);
            assert_eq!(send(&simulation.process("a").service), ["queued"]);
            assert_eq!(states(&simulation), [EntryState::Unconfirmed]);
            simulation.later(LATER * 4);
        }
        simulation.set_down(DC1, false);
        simulation.later(LATER);
        assert_eq!(
            send(&simulation.process("a").service),
            [if landed { "sent" } else { "dropped" }]
        );
        check(&simulation, 1, &["a"], 0, "after the outage");
    }
}

/// The change lands between the look at the record and the record's replacement: the replacement must fail, and the second look
/// find the PIN in force. And it arrives after the replacement: then it must fail itself.
#[test]
fn a_change_that_lands_after_the_look_is_either_seen_or_refused() {
    let mut outcomes = Vec::new();
    for second in [true, false] {
        for call in 1..=4 {
            let simulation = Simulation::new(1);
            if second {
                reset(&simulation.process("a").service, 0).expect("the first PIN");
            }
            simulation.send_by(&[NetworkFault::Late]);
            lose_answer(&simulation);
            simulation.later(LATER);
            assert!(simulation.is_anything_in_flight());
            simulation.land_at_call(call);
            let sent = send(&simulation.process("a").service);
            assert!(!simulation.is_anything_in_flight());
            outcomes.push(sent[0]);
            simulation.later(LATER);
            assert_eq!(send(&simulation.process("a").service), Vec::<&str>::new());
            check(
                &simulation,
                1,
                &["a"],
                0,
                &format!("second PIN {second}, lands before call {call}"),
            );
        }
    }
    // The name is looked up, the record is read, the record is replaced; then all is settled.
    assert_eq!(outcomes, ["sent", "sent", "sent", "dropped"].repeat(2));
}

/// A host that is slow, not dead, while its change is on its way: another process settles its entry. The change is then refused,
/// the host tries again with a new record, and the message of the first attempt is never sent.
#[test]
fn a_slow_change_that_was_settled_meanwhile_is_refused_and_made_anew() {
    let simulation = Simulation::new(1);
    let elsewhere = Arc::clone(&simulation);
    simulation.meanwhile(false, move || {
        elsewhere.later(LATER);
        assert_eq!(send(&elsewhere.process("a").service), ["dropped"]);
    });
    let done = reset(&simulation.process("a").service, 0).expect("a reset");
    assert_eq!(done.notification, Notification::Sent);
    check(&simulation, 1, &["a"], 0, "a slow request");
}

/// Another host is first: the refused attempt leaves nothing to find out about.
#[test]
fn a_lost_race_takes_its_message_back() {
    let simulation = Simulation::new(1);
    let elsewhere = Arc::clone(&simulation);
    simulation.meanwhile(false, move || {
        let other = reset(&elsewhere.process("b").service, 0).expect("another host's reset");
        assert_eq!(other.notification, Notification::Sent);
    });
    let done = reset(&simulation.process("a").service, 0).expect("a reset");
    assert_eq!(done.notification, Notification::Sent);
    check(&simulation, 1, &["a", "b"], 0, "a lost race");
}

/// The same while the answer is on its way: the other process finds the PIN in force and sends the message, and the slow host,
/// whose lease is over, does not send it once more.
#[test]
fn a_slow_answer_to_a_change_whose_message_was_sent_meanwhile_sends_nothing() {
    let simulation = Simulation::new(1);
    let elsewhere = Arc::clone(&simulation);
    simulation.meanwhile(true, move || {
        elsewhere.later(LATER);
        assert_eq!(send(&elsewhere.process("a").service), ["sent"]);
    });
    let done = reset(&simulation.process("a").service, 0).expect("a reset");
    assert_eq!(done.notification, Notification::Queued);
    assert_eq!(check(&simulation, 1, &["a"], 0, "a slow answer"), 0);
}

#[test]
fn a_message_whose_pin_was_replaced_is_dropped_and_the_audit_says_so() {
    let simulation = Simulation::new(1);
    lose_answer_of_a_change_made(&simulation);
    simulation.later(LATER);
    let other = reset(&simulation.process("b").service, 0).expect("another host's reset");
    assert_eq!(other.notification, Notification::Sent);
    assert_eq!(send(&simulation.process("a").service), ["dropped"]);
    let audit = EmbeddedDirectory::new(EmbeddedOptions::new(simulation.outbox_file("a")));
    let entries = audit.audit_entries(0, 100).expect("the audit");
    let bodies: Vec<&str> = entries.iter().map(|entry| entry.entry.body.as_str()).collect();
    assert!(
        bodies.iter().any(|body| body.contains("NotificationDropped"))
            && bodies.iter().any(|body| body.contains("\"reason\":\"replaced\"")),
        "{bodies:?}"
    );
    check(&simulation, 1, &["a", "b"], 0, "superseded");
}

/// One process of a host died in between; the next change of the same host finds out about it, not only the scheduled task.
#[test]
fn the_next_change_recovers_what_is_left() {
    let simulation = Simulation::new(2);
    lose_answer_of_a_change_made(&simulation);
    // While the lease lasts it is left alone: its process may be at work.
    reset(&simulation.process("a").service, 1).expect("a reset");
    assert_eq!(states(&simulation).len(), 1);
    simulation.later(LATER);
    let next = simulation.process("a");
    let done = reset(&next.service, 1).expect("a reset");
    assert!(
        done.diagnostics.iter().any(|line| line.contains("left in the outbox")),
        "{:?}",
        done.diagnostics
    );
    check(&simulation, 2, &["a"], 0, "after the next change");
}

/// No step of the outbox, no change: nobody would be told the new PIN.
#[test]
fn a_message_that_cannot_be_recorded_refuses_the_reset() {
    let simulation = Simulation::new(1);
    std::fs::create_dir(simulation.outbox_file("a")).expect("something in the way");
    let before = simulation.events().len();
    assert!(reset(&simulation.process("a").service, 0).is_err());
    assert_eq!(simulation.events().len(), before, "nothing was written");
    assert_eq!(simulation.stored(simulation.object_id(0), DC1).record, None);
}
