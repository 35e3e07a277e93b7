//! The number of LDAP requests per operation, counted by a relay.

use serde_json::json;

use crate::harness::{Mailbox, Operation, Relay, UM, shared};
use crate::host::Host;

#[test]
fn a_reset_is_one_search_and_one_change() {
    shared(|lab| {
        let relay = Relay::start(lab.dc1(), lab.authority());
        let host = Host::with(lab, UM, |configuration| {
            configuration["directory"]["domainControllers"] = json!([relay.host()]);
        });
        let mailboxes: Vec<Mailbox> = (1..=5).map(|n| lab.mailbox(&format!("traffic-{n}"))).collect();
        let reset = |mailbox: &Mailbox| {
            let fields = json!({ "identity": mailbox.alias });
            host.reset(fields, None).expect("the reset");
        };
        let counts = || {
            let counts = [Operation::BIND, Operation::SEARCH, Operation::MODIFY].map(|kind| relay.count(kind));
            relay.forget();
            counts
        };
        host.begin();
        reset(&mailboxes[0]);
        let [binds, searches, changes] = counts();
        println!("the first command of a session: {binds} binds, {searches} searches, {changes} changes");

        // Without values, three more searches check that they are not hidden.
        host.begin();
        mailboxes[1..].iter().for_each(reset);
        assert_eq!(
            counts(),
            [0, 1 + 4 * (1 + 3), 4],
            "binds, searches, changes of a pipeline of four first resets"
        );
        // Another command on open connections: one search for the policies, then a search and a change per mailbox.
        host.begin();
        mailboxes.iter().for_each(reset);
        assert_eq!(
            counts(),
            [0, 1 + 5, 5],
            "binds, searches, changes of a pipeline of five"
        );

        // A value of Exchange is replaced without a rejected change or another read.
        let exchange = lab.mailbox("traffic-exchange");
        lab.dc1()
            .administrator()
            .replace(&exchange.dn, "msExchUMPinChecksum", &[b"\x01\x00\x00 of Exchange"]);
        host.begin();
        reset(&exchange);
        assert_eq!(
            counts(),
            [0, 1 + 1 + 3, 1],
            "binds, searches, changes of a first reset over a value of Exchange's"
        );

        host.set_pin("traffic-1", "739152");
        counts();
        assert_eq!(host.sign_in("traffic-1", "739152"), "accepted");
        assert_eq!(counts(), [0, 1, 1], "binds, searches, changes of a sign-in");
        assert_eq!(host.sign_in("traffic-1", "482913"), "rejected");
        assert_eq!(counts(), [0, 1, 1], "binds, searches, changes of a wrong PIN");
        host.what_if(json!({ "identity": "traffic-1" }), None).expect("a look");
        assert_eq!(counts(), [0, 1, 0], "binds, searches, changes of a look");
        host.info("traffic-1");
        assert_eq!(counts(), [0, 1, 0], "binds, searches, changes of Get-UMMailboxPIN");
    });
}
