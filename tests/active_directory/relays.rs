//! The rig's relay does what the tests of late and lost answers rely on.

use std::thread;
use std::time::Duration;

use crate::rig::{BASE, Operation, Relay, shared};

/// RFC 4511, 4.1.9.
const SIZE_LIMIT_EXCEEDED: u32 = 4;

#[test]
fn a_relay_counts_what_is_asked() {
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
fn a_modification_that_is_held_back_lands_although_its_asker_has_gone() {
    shared(|lab| {
        let mailbox = lab.mailbox("relay-holds");
        let relay = Relay::start(lab.dc1(), lab.authority());
        let administrator = relay.administrator().with_patience(Duration::from_millis(500));
        relay.hold_next_modify();
        let lost = administrator.try_replace(&mailbox.dn, "description", &[b"late"]);
        assert!(lost.is_err(), "an answer to what never arrived");
        relay.wait_until_held();
        drop(administrator);
        // Others are not held.
        let other = relay.administrator();
        other.replace(&mailbox.dn, "info", &[b"at once"]);
        assert_eq!(other.value(&mailbox.dn, "description"), None);
        assert_eq!(relay.release(), 0);
        assert_eq!(other.value(&mailbox.dn, "description").as_deref(), Some(&b"late"[..]));
    });
}

#[test]
fn a_modification_whose_answer_is_dropped_was_made() {
    shared(|lab| {
        let mailbox = lab.mailbox("relay-drops");
        let relay = Relay::start(lab.dc1(), lab.authority());
        let administrator = relay.administrator();
        relay.drop_next_answer();
        let lost = administrator.try_replace(&mailbox.dn, "description", &[b"made"]);
        assert!(lost.is_err(), "its answer arrived");
        assert_eq!(relay.wait_until_landed(), 0);
        let found = lab.dc1().administrator().value(&mailbox.dn, "description");
        assert_eq!(found.as_deref(), Some(&b"made"[..]));
    });
}

#[test]
fn a_relay_hangs_and_goes_on() {
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
            relay.go_on();
            waiting.join().expect("no panic").expect("it passes now");
        });
    });
}

#[test]
fn a_connection_is_cut_in_the_middle_of_an_answer_and_the_next_is_whole() {
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
fn a_relay_gives_no_more_entries_than_a_controller_of_windows() {
    shared(|lab| {
        let relay = Relay::start(lab.dc1(), lab.authority());
        let administrator = relay.administrator();
        // Where no other test makes any.
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
