//! Reads on a second controller after replication.

use serde_json::json;

use super::host::{Host, info, reset, sign_in};
use super::records::{COUNTER, Opener, RECORD, mailboxes};
use crate::harness::{Forest, alone};

#[test]
fn a_reset_replicates() {
    alone(Forest::Pair, |lab| {
        let (dc1, dc2) = (&*lab.dc1().host(), &*lab.dc2().host());
        let mailbox = &mailboxes(lab, "reading", 1)[0];
        let host = Host::new(lab, "host");
        let other = Host::new(lab, "other");
        let (here, there) = (host.session(), other.session());

        for pin in ["294716", "837251"] {
            reset(&here, mailbox, json!({ "domainController": dc1 }), Some(pin)).expect("a reset");
        }
        lab.agree(&mailbox.dn, COUNTER);
        lab.agree(&mailbox.dn, RECORD);

        let state = info(&there, mailbox, Some(dc2)).expect("the state");
        assert_eq!(
            (&state["pinExpired"], &state["lockedOut"], &state["firstTimeUser"]),
            (&json!(true), &json!(false), &json!(true)),
            "{state}"
        );
        assert_eq!(
            state["lastSet"],
            info(&here, mailbox, Some(dc1)).expect("the state")["lastSet"]
        );
        assert_eq!(sign_in(&there, mailbox, dc2, "837251"), "changeRequired");
        assert_eq!(
            sign_in(&there, mailbox, dc2, "294716"),
            "rejected",
            "a replaced PIN opened"
        );

        let error = reset(&there, mailbox, json!({ "domainController": dc2 }), Some("294716"))
            .map(drop)
            .expect_err("the other controller does not know the history");
        assert_eq!(error.code().id(), "PinPolicyViolation");
        assert_eq!(error.details()["rules"], json!(["History"]));

        // The counter has replicated.
        lab.agree(&mailbox.dn, COUNTER);
        let state = info(&here, mailbox, Some(dc1)).expect("the state");
        assert_eq!(state["failedAttempts"], 1, "{state}");

        let lock = json!({ "domainController": dc1, "keepPin": true, "lockedOut": true });
        reset(&here, mailbox, lock, None).expect("a lock");
        lab.agree(&mailbox.dn, RECORD);
        assert_eq!(info(&there, mailbox, Some(dc2)).expect("the state")["lockedOut"], true);
        assert_eq!(sign_in(&there, mailbox, dc2, "837251"), "locked");

        let changed = reset(&there, mailbox, json!({ "domainController": dc2 }), None).expect("a reset");
        let pin = changed.pin.expect("a generated PIN");
        let pins = Opener::new(&host).agreed(lab, mailbox);
        assert_eq!(
            [&*pin, "837251", "294716"].map(|pin| pins.position(pin)),
            [Some(0), Some(1), Some(2)],
            "the history after three resets on two controllers"
        );
        assert_eq!(
            sign_in(&here, mailbox, dc1, &pin),
            "changeRequired",
            "the lock must be gone"
        );
    });
}
