//! Sign-in with a directory that several hosts share: counter, automatic reset, lock-out, PIN change by the user.

use serde_json::{Value, json};
use umpin::ErrorCode;

use crate::attempt;
use crate::harness::{Lab, Mailbox, shared};
use crate::host::{Host, says};
use crate::policies::add as add_policy;
use crate::support::announced_pin;

const PIN: &str = "739152";
const WRONG: &str = "482913";
const RECORD: &str = "msExchUMPinChecksum";
const COUNTER: &str = "extensionAttribute15";

/// A mailbox with [`PIN`], under a policy with these limits.
fn mailbox(lab: &Lab, host: &Host, alias: &str, reset_after: &str, lock_after: &str) -> Mailbox {
    let mailbox = lab.mailbox(alias);
    let dn = add_policy(
        lab,
        alias,
        &[
            ("msExchUMLogonFailuresBeforePINReset", reset_after),
            ("msExchUMPinPolicyAccountLockoutFailures", lock_after),
        ],
    );
    let administrator = lab.dc1().administrator();
    administrator.replace(&mailbox.dn, "msExchUMTemplateLink", &[dn.as_bytes()]);
    host.set_pin(alias, PIN);
    mailbox
}

#[test]
fn hosts_share_the_counter_and_the_record_is_not_written() {
    shared(|lab| {
        let (one, other) = (Host::new(lab), Host::new(lab));
        let mailbox = mailbox(lab, &one, "sign-in-count", "0", "4");
        let administrator = lab.dc1().administrator();
        let record = administrator.value(&mailbox.dn, RECORD);
        let name = &mailbox.alias;
        assert_eq!(one.sign_in(name, WRONG), "rejected");
        assert_eq!(other.sign_in(name, WRONG), "rejected");
        assert_eq!(one.info(name)["failedAttempts"], 2);
        assert_eq!(
            administrator.value(&mailbox.dn, RECORD),
            record,
            "counting leaves the record alone"
        );
        let counter = administrator.value(&mailbox.dn, COUNTER).expect("a counter");
        assert!(counter.is_ascii(), "base64 in an attribute of text: {counter:?}");

        assert_eq!(other.sign_in(name, PIN), "accepted");
        assert_eq!(one.info(name)["failedAttempts"], 0, "the right PIN begins anew");
        for host in [&one, &other, &one] {
            assert_eq!(host.sign_in(name, WRONG), "rejected");
        }
        assert_eq!(other.sign_in(name, WRONG), "locked");
        assert_eq!(one.sign_in(name, PIN), "locked");
        assert_eq!(one.info(name)["lockedOut"], true);
        let unlock = json!({ "identity": name, "keepPin": true, "lockedOut": false });
        other.reset(unlock, None).expect("unlocked");
        assert_eq!(one.sign_in(name, PIN), "accepted");
    });
}

#[test]
fn repeated_failures_reset_and_mail_the_pin() {
    shared(|lab| {
        let host = Host::new(lab);
        let mailbox = mailbox(lab, &host, "sign-in-reset", "2", "8");
        let name = &mailbox.alias;
        assert_eq!(host.sign_in(name, WRONG), "rejected");
        assert_eq!(host.sign_in(name, WRONG), "resetByFailures");
        let [message] = &host.messages()[..] else {
            panic!("one message");
        };
        let new = announced_pin(message);
        assert_eq!(host.sign_in(name, PIN), "rejected");
        assert_eq!(host.sign_in(name, &new), "changeRequired");
        let log = host.request(json!({ "operation": "audit" })).expect("the log");
        println!("{log:#}");
        assert!(log.to_string().contains("Reset"), "{log}");
    });
}

#[test]
fn users_change_their_own_pin_under_the_policy() {
    shared(|lab| {
        let host = Host::new(lab);
        let mailbox = mailbox(lab, &host, "sign-in-change", "0", "9");
        let name = &mailbox.alias;
        host.reset(json!({ "identity": name, "sendEmail": false }), Some("264837"))
            .expect("the reset");
        assert_eq!(host.sign_in(name, "264837"), "changeRequired");
        let refused = attempt::change(&host.session, name, "264837", PIN).expect_err("used before");
        says(&refused, ErrorCode::PinPolicyViolation, &["History"]);
        assert_eq!(host.info(name)["firstTimeUser"], true);
        let changed = attempt::change(&host.session, name, "264837", "591726").expect("changed");
        assert_eq!(attempt::outcome(&changed), "accepted");
        assert_eq!(host.info(name)["firstTimeUser"], false);
        assert_eq!(host.sign_in(name, "591726"), "accepted");
        assert_eq!(host.sign_in(name, "264837"), "rejected");
    });
}

#[test]
fn callers_are_found_by_extension() {
    shared(|lab| {
        let host = Host::new(lab);
        let mailbox = mailbox(lab, &host, "sign-in-dialled", "0", "9");
        let dial = |fields: Value| attempt::attempt(&host.session, fields, PIN);
        lab.dc1().administrator().replace(
            &mailbox.dn,
            "proxyAddresses",
            &[
                b"SMTP:sign-in-dialled@contoso.com",
                b"eum:70771;phone-context=Contoso.contoso.com",
            ],
        );
        for fields in [
            json!({ "extension": "70771" }),
            json!({ "extension": "70771", "dialPlan": "contoso.CONTOSO.com" }),
        ] {
            let answer = dial(fields).expect("an answer");
            assert_eq!(answer["outcome"], "accepted", "{answer}");
            assert_eq!(answer["guid"], mailbox.guid.to_string());
        }
        let other = dial(json!({ "extension": "70771", "dialPlan": "Fabrikam" })).expect_err("another dial plan");
        says(&other, ErrorCode::ManagementObjectNotFound, &["70771"]);
    });
}
