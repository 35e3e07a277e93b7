//! A clock that is set back keeps no message waiting, and no note about a change.

use std::time::Duration;

use umpin::directory::journal::IntentState;
use umpin::service::Lookup;

use super::simulation::{DC1, Event, NetworkFault, Simulation};
use super::trail::asked;
use super::verdict::{reset, send};
use super::{fixture, log};

const YEARS: Duration = Duration::from_secs(10 * 365 * 86_400);
const MINUTE: Duration = Duration::from_secs(60);

fn mailed(simulation: &Simulation) -> usize {
    let events = simulation.events();
    events
        .iter()
        .filter(|event| matches!(event, Event::Mailed { .. }))
        .count()
}

#[test]
fn a_queued_message_is_sent_after_the_clock_was_set_back() {
    for (back, same_process) in [(YEARS, true), (YEARS, false), (5 * MINUTE, false)] {
        let simulation = Simulation::new(1);
        let process = simulation.process("a");
        simulation.set_relay_down(true);
        reset(&process.service, 0).expect("a reset");
        simulation.set_relay_down(false);
        send(&process.service);
        assert_eq!(mailed(&simulation), 0, "it is put off");
        simulation.set_back(back);
        let service = if same_process {
            process.service
        } else {
            simulation.process("a").service
        };
        send(&service);
        assert_eq!(mailed(&simulation), 1, "{back:?} back, same process: {same_process}");
    }
}

#[test]
fn what_became_of_a_change_is_found_out_after_the_clock_was_set_back() {
    let simulation = Simulation::new(1);
    let service = simulation.process("a").service;
    simulation.send_by(&[NetworkFault::AnswerLost]);
    let lock = super::trail::lock(0, true);
    asked(&service, lock).map(drop).expect_err("the answer is lost");
    assert_eq!(log::notes(&simulation, "a", 0)[0].state, IntentState::InDoubt);
    simulation.set_back(YEARS);
    send(&service);
    assert_eq!(log::notes(&simulation, "a", 0), [], "the note stays undue");
    let info = service
        .pin_info(&fixture::address(0), Lookup::default())
        .expect("its state");
    assert!(info.locked_out, "{DC1}");
}
