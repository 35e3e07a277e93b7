//! `-DomainController` uses this controller only.

use serde_json::json;

use super::host::{Host, info, reset};
use super::records::{Opener, mailboxes, sealed};
use crate::harness::{Forest, alone};

#[test]
fn only_the_named_controller_is_used() {
    alone(Forest::Pair, |lab| {
        let mailbox = &mailboxes(lab, "pinned", 1)[0];
        let host = Host::new(lab, "host");
        let session = host.session();
        let opener = Opener::new(&host);
        lab.cut();

        // The first label is sufficient.
        for (name, pin) in [(&*lab.dc2().host(), "294716"), ("dc2", "837251")] {
            let done = reset(&session, mailbox, json!({ "domainController": name }), Some(pin)).expect("a reset");
            let told = done.response["diagnostics"].to_string();
            assert!(told.contains(&lab.dc2().host()), "{told}");
            assert_eq!(opener.pins(lab.dc2(), mailbox).position(pin), Some(0), "{name}");
            assert_eq!(
                sealed(lab.dc1(), mailbox),
                None,
                "dc1 was written to, or heard of it in spite of the cut"
            );
        }
        let first_there = info(&session, mailbox, Some("dc1")).expect("the state");
        assert_eq!(first_there["lastSet"], json!(null), "{first_there}");
        assert_ne!(
            info(&session, mailbox, Some("dc2")).expect("the state")["lastSet"],
            json!(null)
        );

        lab.dc1().kill();
        let before = sealed(lab.dc2(), mailbox);
        for name in ["dc1", "nobody.contoso.com"] {
            let fields = json!({ "domainController": name });
            let error = reset(&session, mailbox, fields, None)
                .map(drop)
                .expect_err("nobody answers there");
            assert_eq!(error.code().id(), "DirectoryUnavailable", "{error}");
            assert!(error.message().contains(name), "{error}");
            let error = info(&session, mailbox, Some(name)).expect_err("nobody answers there");
            assert_eq!(error.code().id(), "DirectoryUnavailable", "{error}");
        }
        assert_eq!(
            sealed(lab.dc2(), mailbox),
            before,
            "a reset on another controller than the one named"
        );
        assert_eq!(host.mail().len(), 2, "a message about a reset that was not made");
        assert_eq!(host.queue(), Vec::<serde_json::Value>::new());

        // Without the parameter there is fail-over.
        let done = reset(&session, mailbox, json!({}), None).expect("a reset on the other controller");
        let pin = done.pin.expect("a generated PIN");
        assert_eq!(opener.pins(lab.dc2(), mailbox).position(&pin), Some(0));
    });
}
