//! Writes on both sides of a network partition: which one wins, and how the lost update is reported.

use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use super::host::{Host, LATER, info, now, reset, sign_in};
use super::records::{COUNTER, Opener, RECORD, mailboxes};
use crate::harness::{Forest, alone};

fn on(controller: &str) -> Value {
    json!({ "domainController": controller })
}

fn warnings(response: &Value) -> Vec<&str> {
    let all = response["warnings"].as_array().expect("warnings");
    all.iter().filter_map(|warning| warning["id"].as_str()).collect()
}

/// Conflicts are resolved by version, then by time in seconds: waits for the next second.
pub fn next_second() {
    let since = now().0 / 1000;
    while now().0 / 1000 == since {
        thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn a_lost_update_is_detected_audited_and_reported() {
    alone(Forest::Pair, |lab| {
        let (dc1, dc2) = (&*lab.dc1().host(), &*lab.dc2().host());
        let [lost, queued, other] = &mailboxes(lab, "lost", 3)[..] else {
            unreachable!()
        };
        let (loser, winner) = (Host::new(lab, "loser"), Host::new(lab, "winner"));
        let (losing, winning) = (loser.session(), winner.session());
        let opener = Opener::new(&loser);
        for mailbox in [lost, queued, other] {
            reset(&winning, mailbox, on(dc1), None).expect("a first PIN");
            opener.agreed(lab, mailbox);
        }

        lab.cut();
        reset(&losing, lost, on(dc1), Some("294716")).expect("a reset");
        loser.set_relay_down(true);
        let done = reset(&losing, queued, on(dc1), Some("294716")).expect("a reset");
        assert_eq!(done.response["notification"], "queued");
        loser.set_relay_down(false);
        next_second();
        for mailbox in [lost, queued] {
            reset(&winning, mailbox, on(dc2), Some("837251")).expect("a reset");
        }
        assert_eq!(opener.pins(lab.dc1(), lost).position("294716"), Some(0));
        let state = info(&losing, lost, Some(dc1)).expect("the state");
        assert_eq!(state["warnings"], json!([]), "lost before the controllers met");
        lab.heal();
        for mailbox in [lost, queued] {
            let pins = opener.agreed(lab, mailbox);
            assert_eq!(pins.position("837251"), Some(0), "the later of two resets is in force");
            assert_eq!(pins.position("294716"), None);
        }

        // The record on another controller is no evidence.
        let state = info(&losing, lost, Some(dc2)).expect("the state");
        assert_eq!(state["warnings"], json!([]));
        // A read reports the lost update and records nothing.
        let state = info(&losing, lost, Some(dc1)).expect("the state");
        assert_eq!(warnings(&state), ["ResetLost"], "{state}");
        assert_eq!(loser.audited("ResetLost").len(), 0);
        // A reset reports it too and records it once.
        let done = reset(&losing, lost, on(dc1), None).expect("a reset");
        assert_eq!(loser.audited("ResetLost").len(), 1);
        assert_eq!(
            warnings(&done.response),
            Vec::<&str>::new(),
            "told with the plan, not twice"
        );

        // The other one is detected when queued messages are sent; its message is dropped.
        assert_eq!(
            loser.send(LATER),
            [("dropped".to_owned(), "the PIN has been replaced since".to_owned())]
        );
        assert!(
            !loser.mail_of(queued).iter().any(|pin| pin == "294716"),
            "mail of a PIN that is not in force"
        );
        assert_eq!(loser.queue(), Vec::<Value>::new());
        let found = loser.audited("ResetLost");
        assert_eq!(found.len(), 2, "{found:?}");
        for item in &found {
            assert_eq!(
                (&item["succeeded"], &item["result"]["controller"]),
                (&json!(false), &json!(dc1)),
                "{item}"
            );
        }
        assert_eq!(loser.audited("NotificationDropped").len(), 1);
        // The next change reports it as well.
        let next = loser.session();
        let done = reset(&next, other, on(dc1), None).expect("a reset");
        assert_eq!(warnings(&done.response), ["ResetLost"], "{}", done.response);
        let done = reset(&loser.session(), other, on(dc1), None).expect("a reset");
        assert_eq!(warnings(&done.response), Vec::<&str>::new());

        assert_eq!(winner.audited("ResetLost").len(), 0);
    });
}

#[test]
fn failed_sign_ins_never_undo_a_reset_across_a_partition() {
    alone(Forest::Pair, |lab| {
        let (dc1, dc2) = (&*lab.dc1().host(), &*lab.dc2().host());
        let mailbox = &mailboxes(lab, "guessed", 1)[0];
        let host = Host::new(lab, "host");
        let (session, telephone) = (host.session(), Host::new(lab, "telephone"));
        let telephone = telephone.session();
        let opener = Opener::new(&host);
        reset(&session, mailbox, on(dc1), Some("294716")).expect("a first PIN");
        opener.agreed(lab, mailbox);

        lab.cut();
        reset(&session, mailbox, on(dc1), Some("837251")).expect("a reset");
        next_second();
        for _ in 0..3 {
            assert_eq!(sign_in(&telephone, mailbox, dc2, "111222"), "rejected");
        }
        assert_eq!(
            sign_in(&telephone, mailbox, dc2, "294716"),
            "changeRequired",
            "dc2 knows no other yet"
        );
        for _ in 0..3 {
            assert_eq!(sign_in(&telephone, mailbox, dc2, "111222"), "rejected");
        }
        assert_eq!(
            info(&session, mailbox, Some(dc2)).expect("the state")["failedAttempts"],
            3
        );
        lab.heal();

        assert_eq!(
            opener.agreed(lab, mailbox).position("837251"),
            Some(0),
            "the reset is in force"
        );
        for dc in [dc1, dc2] {
            let state = info(&session, mailbox, Some(dc)).expect("the state");
            assert_eq!(
                state["failedAttempts"], 0,
                "{dc}: failures under the former PIN count: {state}"
            );
            assert_eq!(sign_in(&telephone, mailbox, dc, "294716"), "rejected", "{dc}");
            assert_eq!(sign_in(&telephone, mailbox, dc, "837251"), "changeRequired", "{dc}");
        }
        assert_eq!(host.audited("ResetLost").len(), 0);
    });
}

/// Each side resets the PIN by itself after five and ten wrong ones, so that records clash as well as counters.
#[test]
fn partitioned_controllers_count_separately_and_merge() {
    alone(Forest::Pair, |lab| {
        let (dc1, dc2) = (&*lab.dc1().host(), &*lab.dc2().host());
        let mailbox = &mailboxes(lab, "guesses", 1)[0];
        let host = Host::new(lab, "host");
        let session = host.session();
        let opener = Opener::new(&host);
        reset(&session, mailbox, on(dc1), Some("294716")).expect("a first PIN");
        opener.agreed(lab, mailbox);
        let guess = |dc: &str, most: usize| {
            (0..most)
                .take_while(|_| sign_in(&session, mailbox, dc, "111222") != "locked")
                .count()
        };

        lab.cut();
        // The record that was written last is on dc1, and the counter that was written last on dc2.
        let mut guesses = guess(dc2, 12);
        next_second();
        guesses += guess(dc1, 20);
        next_second();
        guesses += guess(dc2, 20);
        for dc in [dc1, dc2] {
            let state = info(&session, mailbox, Some(dc)).expect("the state");
            assert_eq!(
                (&state["lockedOut"], &state["failedAttempts"]),
                (&json!(true), &json!(15)),
                "{dc}: {state}"
            );
        }
        lab.heal();
        opener.agreed(lab, mailbox);
        for dc in [dc1, dc2] {
            guesses += guess(dc, 20);
        }
        // The one that locks says so already, on either side.
        assert_eq!(
            guesses, 28,
            "wrong PINs that were compared before the mailbox was locked for good"
        );
        for dc in [dc1, dc2] {
            assert_eq!(
                info(&session, mailbox, Some(dc)).expect("the state")["lockedOut"],
                true,
                "{dc}"
            );
        }
    });
}

#[test]
fn a_lock_and_a_reset_across_a_partition_converge() {
    alone(Forest::Pair, |lab| {
        let (dc1, dc2) = (&*lab.dc1().host(), &*lab.dc2().host());
        let [first, second] = &mailboxes(lab, "locked", 2)[..] else {
            unreachable!()
        };
        let (one, two) = (Host::new(lab, "one"), Host::new(lab, "two"));
        let (locking, resetting) = (one.session(), two.session());
        let opener = Opener::new(&one);
        for mailbox in [first, second] {
            reset(&locking, mailbox, on(dc1), Some("294716")).expect("a first PIN");
            opener.agreed(lab, mailbox);
        }
        let lock = json!({ "domainController": dc1, "keepPin": true, "lockedOut": true });

        lab.cut();
        reset(&locking, first, lock.clone(), None).expect("a lock");
        reset(&resetting, second, on(dc2), Some("837251")).expect("a reset");
        next_second();
        reset(&resetting, first, on(dc2), Some("837251")).expect("a reset");
        reset(&locking, second, lock, None).expect("a lock");
        lab.heal();

        // Whatever a lost value was, no record is a mixture.
        let pins = opener.agreed(lab, first);
        assert_eq!((pins.position("837251"), pins.position("294716")), (Some(0), Some(1)));
        let pins = opener.agreed(lab, second);
        assert_eq!((pins.position("294716"), pins.position("837251")), (Some(0), None));
        for dc in [dc1, dc2] {
            assert_eq!(sign_in(&locking, first, dc, "837251"), "changeRequired", "{dc}");
            assert_eq!(sign_in(&locking, second, dc, "294716"), "locked", "{dc}");
        }
        lab.agree(&second.dn, RECORD);
        lab.agree(&second.dn, COUNTER);
        // The lost reset is reported; the winning one is not.
        let told = |mailbox| info(&resetting, mailbox, Some(dc2)).expect("the state");
        assert_eq!(warnings(&told(second)), ["ResetLost"]);
        assert_eq!(warnings(&told(first)), Vec::<&str>::new());
    });
}
