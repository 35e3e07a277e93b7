//! What a host keeps of its changes, for how long, and what it does not mistake for a loss.

use std::sync::Arc;
use std::time::Duration;

use umpin::service::signin::SignIn;

use super::conflict::{healed, losses, warnings};
use super::log;
use super::simulation::{DC1, DC2, Process, Simulation};
use super::trail::sign_in;
use super::verdict::{reset, send};

const MINUTE: Duration = Duration::from_secs(60);

#[test]
fn a_reset_that_was_replaced_or_forgotten_is_not_lost() {
    // By one reset, by as many as a record remembers, and by more.
    for later in [1, 19, 20, 25] {
        let simulation = Simulation::new(1);
        reset(&simulation.process("a").service, 0).expect("a reset");
        for _ in 0..later {
            reset(&simulation.process("b").service, 0).expect("another host's reset");
        }
        assert!(
            warnings(&simulation.process("a").service, 0).is_empty(),
            "after {later} resets"
        );
        simulation.later(MINUTE * 5);
        send(&simulation.process("a").service);
        assert_eq!(losses(&simulation, "a"), 0, "after {later} resets");
        assert!(
            log::notes(&simulation, "a", 0).is_empty(),
            "there is nothing left to know"
        );
    }
}

/// One note for a mailbox that the same host resets again and again, and none after a day.
#[test]
fn notes_do_not_pile_up() {
    let simulation = Simulation::new(1);
    let service = simulation.process("a").service;
    for _ in 0..5 {
        reset(&service, 0).expect("a reset");
        assert_eq!(log::notes(&simulation, "a", 0).len(), 1);
    }
    let mut looks = 0;
    for _ in 0..3 * 24 * 60 {
        simulation.later(MINUTE);
        let before = log::notes(&simulation, "a", 0);
        send(&service);
        let after = log::notes(&simulation, "a", 0);
        looks += usize::from(before != after);
        if after.is_empty() {
            break;
        }
    }
    assert!(log::notes(&simulation, "a", 0).is_empty(), "forgotten");
    assert!((5..=7).contains(&looks), "{looks} looks in a day");
}

/// A controller that dies before it has passed the reset on takes it along. After a day the others' word counts.
#[test]
fn a_controller_that_is_gone_for_good_is_replaced_by_any_other_after_a_day() {
    for passed_on in [true, false] {
        let simulation = Simulation::new(1);
        reset(&simulation.process("b").service, 0).expect("the first PIN");
        simulation.converge();
        reset(&simulation.process("a").service, 0).expect("a reset");
        if passed_on {
            simulation.converge();
        }
        simulation.set_down(DC1, true);
        for _ in 0..23 {
            simulation.later(MINUTE * 60);
            send(&simulation.process_at("a", DC2).service);
            assert_eq!(losses(&simulation, "a"), 0, "nobody can know yet");
            assert_eq!(log::notes(&simulation, "a", 0).len(), 1);
        }
        simulation.later(MINUTE * 60 * 9);
        send(&simulation.process_at("a", DC2).service);
        assert_eq!(losses(&simulation, "a"), usize::from(!passed_on));
    }
}

/// Somebody reads the record, then another process of this host resets the PIN: the record that was read does not know it yet.
#[test]
fn a_record_that_is_older_than_the_note_is_no_loss() {
    let simulation = Simulation::new(1);
    reset(&simulation.process("a").service, 0).expect("the first PIN");
    let elsewhere = Arc::clone(&simulation);
    simulation.after_reading(move || drop(reset(&elsewhere.process("a").service, 0).expect("a reset in between")));
    assert_eq!(
        sign_in(&simulation.process("a").service, 0, "000001").outcome,
        SignIn::Rejected
    );
    assert_eq!(
        log::notes(&simulation, "a", 0).len(),
        1,
        "the reset in between happened"
    );
    assert_eq!(losses(&simulation, "a"), 0);
    assert!(warnings(&simulation.process("a").service, 0).is_empty());
}

/// Two processes find the same loss at once: one entry, one warning.
#[test]
fn a_loss_is_recorded_by_one() {
    let simulation = healed();
    let both = [simulation.process("a"), simulation.process("a")];
    let told: Vec<usize> = std::thread::scope(|scope| {
        let run = |process: &Process| {
            sign_in(&process.service, 0, "000001");
            let done = reset(&process.service, 1).expect("a reset of another mailbox");
            done.warnings.iter().filter(|warning| warning.id == "ResetLost").count()
        };
        let running = both.each_ref().map(|process| scope.spawn(move || run(process)));
        running.map(|thread| thread.join().expect("an end")).to_vec()
    });
    assert_eq!(told.iter().sum::<usize>(), 1, "{told:?}");
    assert_eq!(losses(&simulation, "a"), 1);
}
