//! Stopping: what a remote directory was not asked for, the log says has failed; and messages are sent or left, never half.

use std::sync::Arc;
use std::time::Duration;

use umpin::ErrorCode;
use umpin::cancellation::Cancellation;
use umpin::service::outbox::SendRequest;
use umpin::service::reset::ResetRequest;

use super::simulation::{Event, Simulation};
use super::trail::asked;
use super::verdict::{reset, send};
use super::{fixture, log};

/// Past every back-off of a first failure.
const LATER: Duration = Duration::from_secs(900);

fn request(number: usize, cancellation: &Cancellation) -> ResetRequest {
    ResetRequest {
        identity: fixture::address(number),
        cancellation: cancellation.clone(),
        ..ResetRequest::default()
    }
}

fn changes(simulation: &Simulation) -> usize {
    let is_change = |event: &Event| matches!(event, Event::Landed { .. });
    simulation.events().iter().filter(|event| is_change(event)).count()
}

fn mails(simulation: &Simulation) -> usize {
    simulation.events().len() - changes(simulation)
}

#[test]
fn a_reset_cancelled_before_its_change_is_sent_has_failed_and_leaves_neither_note_nor_message() {
    let simulation = Simulation::new(1);
    let (cancellation, late) = (Cancellation::new(), Cancellation::new());
    let stop = cancellation.clone();
    simulation.meanwhile(false, move || assert!(stop.cancel(), "nothing was sent yet"));
    let error = asked(&simulation.process("a").service, request(0, &cancellation)).map(drop);
    assert_eq!(error.expect_err("it was cancelled").code(), ErrorCode::Cancelled);
    assert_eq!(log::brief(&simulation, "a"), ["intent Reset", "Cancelled failed"]);
    assert!(
        log::notes(&simulation, "a", 0).is_empty(),
        "{:?}",
        log::notes(&simulation, "a", 0)
    );
    simulation.later(LATER);
    assert_eq!(send(&simulation.process("a").service), Vec::<&str>::new());
    assert_eq!((changes(&simulation), mails(&simulation)), (0, 0));

    // Sent already: it is carried out, its message with it.
    let stop = late.clone();
    simulation.meanwhile(true, move || assert!(!stop.cancel(), "it was sent"));
    asked(&simulation.process("a").service, request(0, &late)).expect("a reset");
    assert_eq!(log::brief(&simulation, "a")[2..], ["intent Reset", "done"]);
    assert_eq!((changes(&simulation), mails(&simulation)), (1, 1));
}

#[test]
fn a_reset_cancelled_before_it_is_recorded_is_nowhere() {
    let simulation = Simulation::new(1);
    let cancellation = Cancellation::new();
    cancellation.cancel();
    let error = asked(&simulation.process("a").service, request(0, &cancellation)).map(drop);
    assert_eq!(error.expect_err("it was cancelled").code(), ErrorCode::Cancelled);
    assert_eq!(log::brief(&simulation, "a"), Vec::<String>::new());
    assert_eq!((changes(&simulation), mails(&simulation)), (0, 0));
}

#[test]
fn sending_stops_after_the_message_at_hand_and_tells_what_it_sent() {
    let simulation = Simulation::new(3);
    simulation.set_relay_down(true);
    for number in 0..3 {
        reset(&simulation.process("a").service, number).expect("a reset");
    }
    simulation.set_relay_down(false);
    simulation.later(LATER);

    let cancellation = Cancellation::new();
    let early = Cancellation::new();
    early.cancel();
    let service = simulation.process("a").service;
    let sending = |cancellation: &Cancellation| {
        service.send_notifications(&SendRequest {
            cancellation: cancellation.clone(),
            ..SendRequest::default()
        })
    };
    let error = sending(&early).map(drop).expect_err("it was cancelled");
    assert_eq!(error.code(), ErrorCode::Cancelled);
    assert_eq!(mails(&simulation), 0);

    // The first message is being handled.
    let stop = cancellation.clone();
    simulation.after_reading(move || assert!(!stop.cancel(), "a message is being handled"));
    let report = sending(&cancellation).expect("what was done");
    let outcomes: Vec<_> = report.items.iter().map(|item| item.outcome).collect();
    assert_eq!(outcomes, ["sent"]);
    assert!(report.next.is_some() && !report.blocked, "there is more");
    assert_eq!(mails(&simulation), 1);
    // The others are nobody's: the next call sends them at once.
    assert_eq!(send(&Arc::clone(&simulation).process("a").service), ["sent", "sent"]);
}
