//! Pauses that grow, and the end of a message that cannot be delivered.

use std::time::Duration;

use umpin::directory::embedded::{EmbeddedDirectory, EmbeddedOptions};
use umpin::notification::outbox::EntryState;
use umpin::service::outbox::{NotificationItem, SendRequest};
use umpin::service::reset::Notification;
use umpin::service::{Lookup, Service};

use super::fixture;
use super::simulation::{DC1, Event, NetworkFault, Simulation};
use super::verdict::{check, reset, send};

const HOUR: Duration = Duration::from_secs(3600);

fn list(service: &Service) -> Vec<NotificationItem> {
    service
        .notifications(None, Lookup::default(), None, 100)
        .expect("a listing")
        .items
}

fn warnings(done: &umpin::service::reset::ResetOutcome) -> Vec<(&'static str, String)> {
    done.warnings.iter().map(|w| (w.id, w.message.clone())).collect()
}

#[test]
fn pauses_double_and_then_the_message_is_given_up_audited_told_once_and_wiped() {
    let simulation = Simulation::new(2);
    simulation.set_relay_down(true);
    let service = simulation.process("a").service;
    let done = reset(&service, 0).expect("a reset");
    assert_eq!(done.notification, Notification::Queued);
    assert_eq!(warnings(&done)[0].0, "NotificationQueued");

    let mut pauses = Vec::new();
    let mut waited = Duration::ZERO;
    loop {
        let item = list(&service).pop().expect("an entry");
        let Some(next) = item.next_attempt else { break };
        assert_eq!(item.last_error.as_deref(), Some("the relay is down"));
        let pause = next.0 - (item.queued_since.0 + i64::try_from(waited.as_millis()).expect("a time"));
        pauses.push(pause);
        // Not a moment before.
        let almost = Duration::from_millis(u64::try_from(pause - 1).expect("a pause"));
        simulation.later(almost);
        assert_eq!(send(&service), Vec::<&str>::new());
        simulation.later(Duration::from_millis(1));
        waited += almost + Duration::from_millis(1);
        let sent = send(&service);
        assert_eq!(sent, [if waited < 72 * HOUR { "queued" } else { "expired" }]);
    }
    for (attempt, pause) in pauses.iter().enumerate() {
        let base = (60_000_i64 << attempt.min(6)).min(3_600_000);
        assert!(
            (base * 3 / 4..=base * 5 / 4).contains(pause),
            "pause {attempt}: {pause} ms"
        );
    }
    assert!((72 * HOUR..74 * HOUR).contains(&waited), "given up after {waited:?}");

    let failed = list(&service);
    assert_eq!(failed[0].state, EntryState::Failed);
    assert_eq!(failed[0].last_error.as_deref(), Some("the relay is down"));
    let store = rusqlite::Connection::open(simulation.outbox_file("a")).expect("the outbox");
    let length: i64 = store
        .query_row("SELECT length(sealed) FROM outbox", [], |row| row.get(0))
        .expect("the entry");
    assert_eq!(length, 0, "what was given up is wiped");
    drop(store);
    let audit = EmbeddedDirectory::new(EmbeddedOptions::new(simulation.outbox_file("a")));
    let audited = audit.audit_entries(0, 10).expect("the audit");
    let expired = audited.iter().filter(|e| e.entry.body.contains("NotificationExpired"));
    assert_eq!(expired.count(), 1);

    // Whoever changes something next hears of it, once.
    simulation.set_relay_down(false);
    let told: Vec<bool> = (0..2)
        .map(|_| {
            simulation.later(HOUR);
            let done = reset(&service, 1).expect("a reset");
            let warnings = warnings(&done);
            warnings
                .iter()
                .any(|(id, text)| *id == "NotificationExpired" && text.contains("User 0"))
        })
        .collect();
    assert_eq!(told, [true, false]);
    assert_eq!(list(&service).len(), 1);
    // Forgotten after a month.
    simulation.later(24 * 31 * HOUR);
    assert_eq!(send(&service), Vec::<&str>::new());
    assert!(list(&service).is_empty());
    let mails = simulation
        .events()
        .iter()
        .filter(|e| matches!(e, Event::Mailed { .. }))
        .count();
    assert_eq!(mails, 2, "nothing was sent for a message that was given up");
}

/// A process died before it could send its message, and nobody ran anything for a week: it is tried before it is given up.
#[test]
fn a_message_that_was_never_tried_is_tried_however_old_it_is() {
    let mut untried = 0;
    for step in 1..30 {
        let simulation = Simulation::new(1);
        let process = simulation.process("a");
        process.dies_at(step);
        let died = process.run(|service| reset(service, 0)).is_none();
        drop(process);
        let left = list(&simulation.process("a").service);
        if left.len() != 1 || left[0].state != EntryState::Ready {
            continue;
        }
        untried += 1;
        assert_eq!(left[0].attempts, 0);
        simulation.later(24 * 7 * HOUR);
        assert_eq!(send(&simulation.process("a").service), ["sent"]);
        check(&simulation, 1, &["a"], usize::from(died), "a week later");
    }
    assert!(untried > 0, "no step left a message that was released and not sent");
}

/// The controller was away for longer than a message lives, but the PIN is in force and its message never had a chance.
#[test]
fn a_change_whose_fate_was_unknown_for_long_is_given_up_only_while_it_still_is() {
    for back_in_time in [true, false] {
        let simulation = Simulation::new(1);
        simulation.send_by(&[NetworkFault::AnswerLost]);
        assert!(reset(&simulation.process("a").service, 0).is_err());
        simulation.set_down(DC1, true);
        simulation.later(HOUR);
        assert_eq!(send(&simulation.process("a").service), ["queued"]);
        simulation.later(80 * HOUR);
        if back_in_time {
            simulation.set_down(DC1, false);
            assert_eq!(send(&simulation.process("a").service), ["sent"]);
            check(&simulation, 1, &["a"], 0, "back in time");
        } else {
            assert_eq!(send(&simulation.process("a").service), ["expired"]);
            assert_eq!(list(&simulation.process("a").service)[0].state, EntryState::Failed);
        }
    }
}

/// One mailbox, whether due or not; and nothing of anybody else's.
#[test]
fn the_messages_of_one_mailbox_need_not_be_due() {
    let simulation = Simulation::new(2);
    simulation.set_relay_down(true);
    let service = simulation.process("a").service;
    for number in [0, 1] {
        reset(&service, number).expect("a reset");
    }
    simulation.set_relay_down(false);
    assert_eq!(send(&service), Vec::<&str>::new(), "nothing is due");
    let address = fixture::address(1);
    let request = || SendRequest {
        identity: Some(&address),
        ..SendRequest::default()
    };
    let report = service.send_notifications(&request()).expect("a report");
    let outcomes: Vec<_> = report.items.iter().map(|item| (item.outcome, item.attempts)).collect();
    assert_eq!(outcomes, [("sent", 2)]);
    assert!(
        service
            .send_notifications(&request())
            .expect("a report")
            .items
            .is_empty()
    );
    assert_eq!(list(&service).len(), 1);
}
