//! Tests of the harness: the relay that delays and drops messages.

use std::thread;
use std::time::Duration;

use crate::harness::{BASE, Operation, Relay, shared};

/// RFC 4511, 4.1.9.
const SIZE_LIMIT_EXCEEDED: u32 = 4;

#[test]
fn the_relay_counts_requests() {
    shared(|lab| {
        let mailbox = lab.mailbox("relay-counts");
        let relay = Relay::start(lab.dc1(), lab.authority());
        let administrator = relay.administrator();
        administrator.replace(&mailbox.dn, "description", &[b"seen"]);
        assert_eq!(
            administrator.value(&mailbox.dn, "description").as_deref(),
            Some(&b"seen"[..])
        );
        let counts = [Operation::BIND, Operation::SEARCH, Operation::MODIFY].map(|operation| relay.count(operation));
        assert_eq!(counts, [1, 1, 1]);
        relay.forget();
        assert_eq!(relay.count(Operation::MODIFY), 0);
    });
}

#[test]
fn a_held_modification_is_applied_after_its_client_has_disconnected() {
    shared(|lab| {
        let mailbox = lab.mailbox("relay-holds");
        let relay = Relay::start(lab.dc1(), lab.authority());
        let administrator = relay.administrator().with_timeout(Duration::from_millis(500));
        relay.hold_next_modify();
        let lost = administrator.try_replace(&mailbox.dn, "description", &[b"late"]);
        assert!(lost.is_err(), "an answer to what never arrived");
        relay.wait_until_held();
        drop(administrator);
        // Other modifications are not held.
        let other = relay.administrator();
        other.replace(&mailbox.dn, "info", &[b"at once"]);
        assert_eq!(other.value(&mailbox.dn, "description"), None);
        assert_eq!(relay.release(), 0);
        assert_eq!(other.value(&mailbox.dn, "description").as_deref(), Some(&b"late"[..]));
    });
}

#[test]
fn a_modification_with_a_dropped_response_is_applied() {
    shared(|lab| {
        let mailbox = lab.mailbox("relay-drops");
        let relay = Relay::start(lab.dc1(), lab.authority());
        let administrator = relay.administrator();
        relay.drop_next_answer();
        let lost = administrator.try_replace(&mailbox.dn, "description", &[b"made"]);
        assert!(lost.is_err(), "its answer arrived");
        assert_eq!(relay.wait_until_applied(), 0);
        let found = lab.dc1().administrator().value(&mailbox.dn, "description");
        assert_eq!(found.as_deref(), Some(&b"made"[..]));
    });
}

#[test]
fn the_relay_hangs_and_resumes() {
    shared(|lab| {
        let mailbox = lab.mailbox("relay-hangs");
        let relay = Relay::start(lab.dc1(), lab.authority());
        let administrator = relay.administrator();
        relay.hang();
        thread::scope(|scope| {
            let waiting = scope.spawn(|| administrator.try_replace(&mailbox.dn, "description", &[b"later"]));
            let dc = lab.dc1().administrator();
            assert_eq!(dc.value(&mailbox.dn, "description"), None);
            assert!(!waiting.is_finished(), "it passed");
            relay.resume();
            waiting.join().expect("no panic").expect("it passes now");
        });
    });
}

#[test]
fn a_connection_is_cut_within_a_response_and_the_next_works() {
    shared(|lab| {
        let mailbox = lab.mailbox("relay-cuts");
        let relay = Relay::start(lab.dc1(), lab.authority());
        let administrator = relay.administrator();
        relay.cut_after(5);
        let lost = administrator.try_replace(&mailbox.dn, "description", &[b"cut"]);
        assert!(lost.is_err(), "its answer arrived");
        let found = relay.administrator().value(&mailbox.dn, "description");
        assert_eq!(found.as_deref(), Some(&b"cut"[..]));
    });
}

#[test]
fn the_relay_applies_the_size_limit_of_windows() {
    shared(|lab| {
        let relay = Relay::start(lab.dc1(), lab.authority());
        let administrator = relay.administrator();
        // A container without objects of other tests.
        let base = format!("OU=Sales,{BASE}");
        let counted = |most| administrator.count(&base, "(mailNickname=*)", most);
        let (all, code) = counted(0);
        assert!(all > 4, "{all} mailboxes");
        assert_eq!(code, 0);
        relay.limit_entries(4);
        assert_eq!(counted(0), (4, SIZE_LIMIT_EXCEEDED));
        assert_eq!(counted(1000), (4, SIZE_LIMIT_EXCEEDED));
        assert_eq!(counted(3), (3, SIZE_LIMIT_EXCEEDED));
        relay.limit_entries(all);
        assert_eq!(counted(0), (all, 0));
    });
}
