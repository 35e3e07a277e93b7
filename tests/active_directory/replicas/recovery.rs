//! Recovery of in-doubt changes: lost responses, and late modifications.

use serde_json::{Value, json};
use umpin::session::SharedError;

use super::host::{Host, LATER, reset, sign_in};
use super::records::{Opener, mailboxes, sealed};
use crate::child::{self, Told};
use crate::harness::{Forest, Lab, Mailbox, Relay, alone};

/// Results of a modification (RFC 4511, 4.1.9).
const SUCCESS: u8 = 0;
const NO_SUCH_ATTRIBUTE: u8 = 16;
const ATTRIBUTE_OR_VALUE_EXISTS: u8 = 20;

const SENT: &str = "sent";
const QUEUED: &str = "queued";
const DROPPED: &str = "dropped";

/// A host that reaches dc1 through a relay.
fn behind(lab: &Lab, relay: &Relay) -> Host {
    let controllers = json!([relay.host(), lab.dc2().host()]);
    Host::with(lab, "host", |directory| directory["domainControllers"] = controllers)
}

fn outcomes(host: &Host, ahead: i64) -> Vec<String> {
    host.send(ahead).into_iter().map(|(outcome, _)| outcome).collect()
}

/// A reset with an unknown outcome; its modification is held.
fn unknown(host: &Host, relay: &Relay, mailbox: &Mailbox, pin: &str) {
    relay.hold_next_modify();
    let error = reset(&host.session(), mailbox, json!({}), Some(pin)).map(drop);
    assert_unknown(&error.expect_err("nobody answers"));
    relay.wait_until_held();
    let [entry] = &host.queue()[..] else {
        panic!("not one message for a reset of unknown outcome")
    };
    assert_eq!(entry["state"], "unconfirmed");
}

fn assert_unknown(error: &SharedError) {
    assert_eq!(error.code().id(), "OutcomeUnknown", "{error}");
}

/// A process that is killed while its modification is held.
fn die_in_between(host: &Host, relay: &Relay, mailbox: &Mailbox) {
    relay.hold_next_modify();
    let mut process = child::resets(host, std::slice::from_ref(mailbox), 1, 1, 42);
    process.go();
    relay.wait_until_held();
    let told: Vec<Told> = process.kill();
    assert!(told.is_empty(), "{told:?} although the modification is held");
}

/// The audit entry of the only reset that was not acknowledged.
fn audited(host: &Host) -> Value {
    let mut found = host.audited("Reset");
    found.retain(|item| item["result"]["recovered"] == true);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(host.queue(), Vec::<Value>::new());
    found.remove(0)
}

#[test]
fn the_message_of_a_killed_process_is_sent_after_its_change() {
    alone(Forest::Pair, |lab| {
        let mailbox = &mailboxes(lab, "died", 1)[0];
        let relay = Relay::start(lab.dc1(), lab.authority());
        let host = behind(lab, &relay);
        die_in_between(&host, &relay, mailbox);
        assert_eq!(relay.release(), SUCCESS);
        assert_eq!(outcomes(&host, 0), Vec::<String>::new(), "its process may be at work");
        assert_eq!(outcomes(&host, LATER), [SENT]);
        let [pin] = &host.mail_of(mailbox)[..] else {
            panic!("not one message")
        };
        let opener = Opener::new(&host);
        assert_eq!(
            opener.agreed(lab, mailbox).position(pin),
            Some(0),
            "told a PIN that is not in force"
        );
        assert_eq!(audited(&host)["succeeded"], true);
    });
}

#[test]
fn a_late_modification_fails_after_recovery() {
    alone(Forest::Pair, |lab| {
        let [first, next] = &mailboxes(lab, "late", 2)[..] else {
            unreachable!()
        };
        let relay = Relay::start(lab.dc1(), lab.authority());
        let host = behind(lab, &relay);
        let opener = Opener::new(&host);
        reset(&host.session(), next, json!({}), Some("294716")).expect("a first PIN");
        opener.agreed(lab, next);
        let untold = host.mail();

        die_in_between(&host, &relay, next);
        assert_eq!(outcomes(&host, LATER), [DROPPED]);
        assert_eq!(relay.release(), NO_SUCH_ATTRIBUTE, "the late modification");
        let report = audited(&host);
        assert_eq!(
            (&report["succeeded"], &report["result"]["reason"]),
            (&json!(false), &json!("neverSet"))
        );
        let pins = opener.agreed(lab, next);
        assert_eq!((pins.position("294716"), pins.count()), (Some(0), 1));

        // Recovery wrote a value, with which the late modification conflicts.
        let other = behind(lab, &relay);
        die_in_between(&other, &relay, first);
        assert_eq!(outcomes(&other, LATER), [DROPPED]);
        assert_eq!(relay.release(), ATTRIBUTE_OR_VALUE_EXISTS, "the late modification");
        assert_eq!(audited(&other)["succeeded"], false);
        assert_eq!(opener.agreed(lab, first).count(), 0);
        assert_eq!(
            (other.mail(), host.mail()),
            (Vec::new(), untold),
            "messages of PINs that never were set"
        );
    });
}

#[test]
fn a_lost_response_is_resolved_by_one_read_or_by_recovery() {
    alone(Forest::Pair, |lab| {
        let [asked, left] = &mailboxes(lab, "answer", 2)[..] else {
            unreachable!()
        };
        let relay = Relay::start(lab.dc1(), lab.authority());
        let host = behind(lab, &relay);
        let opener = Opener::new(&host);

        // The connection is closed, but the controller can be reached.
        relay.drop_next_answer();
        reset(&host.session(), asked, json!({}), Some("294716")).expect("the record tells");
        assert_eq!(relay.wait_until_applied(), SUCCESS);
        let pins = opener.agreed(lab, asked);
        assert_eq!(
            (pins.position("294716"), pins.count()),
            (Some(0), 1),
            "the change was made twice"
        );
        assert_eq!(host.mail_of(asked), ["294716"]);

        unknown(&host, &relay, left, "294716");
        assert_eq!(relay.release(), SUCCESS);
        relay.hang();
        assert_eq!(
            outcomes(&host, LATER),
            [QUEUED],
            "another controller's word does not count"
        );
        assert_eq!(host.mail_of(left), Vec::<String>::new());
        relay.resume();
        assert_eq!(outcomes(&host, 2 * LATER), [SENT]);
        assert_eq!(host.mail_of(left), ["294716"]);
        assert_eq!(audited(&host)["succeeded"], true);
        assert_eq!(opener.agreed(lab, left).position("294716"), Some(0));
    });
}

#[test]
fn a_reset_on_another_host_supersedes_the_in_doubt_one() {
    alone(Forest::Pair, |lab| {
        let [held, landed] = &mailboxes(lab, "between", 2)[..] else {
            unreachable!()
        };
        let relay = Relay::start(lab.dc1(), lab.authority());
        let other = Host::new(lab, "other");
        let opener = Opener::new(&other);
        for (mailbox, is_late) in [(held, true), (landed, false)] {
            let host = behind(lab, &relay);
            reset(&other.session(), mailbox, json!({}), Some("294716")).expect("a first PIN");
            unknown(&host, &relay, mailbox, "583920");
            if !is_late {
                assert_eq!(relay.release(), SUCCESS);
            }
            reset(&other.session(), mailbox, json!({}), Some("837251")).expect("a reset");
            if is_late {
                assert_eq!(relay.release(), NO_SUCH_ATTRIBUTE);
            }
            assert_eq!(outcomes(&host, LATER), [DROPPED], "{}", mailbox.alias);
            assert_eq!(audited(&host)["succeeded"], !is_late, "{}", mailbox.alias);
            let pins = opener.agreed(lab, mailbox);
            assert_eq!(pins.position("837251"), Some(0), "{}", mailbox.alias);
            assert_eq!(pins.position("583920").is_some(), !is_late, "{}", mailbox.alias);
            assert_eq!(host.mail(), [], "{}: a superseded PIN was told", mailbox.alias);
            assert_eq!(other.mail_of(mailbox).len(), 2);
        }
    });
}

/// The administrator repeats the reset on the other controller before the outcome of the first attempt is known.
#[test]
fn recovery_does_not_undo_the_second_attempt() {
    alone(Forest::Pair, |lab| {
        let [held, landed] = &mailboxes(lab, "again", 2)[..] else {
            unreachable!()
        };
        let opener = Opener::new(&Host::new(lab, "other"));
        for (mailbox, is_late) in [(held, true), (landed, false)] {
            let place = &mailbox.alias;
            let relay = Relay::start(lab.dc1(), lab.authority());
            let host = behind(lab, &relay);
            reset(&host.session(), mailbox, json!({}), Some("294716")).expect("a first PIN");
            opener.agreed(lab, mailbox);
            lab.cut();
            unknown(&host, &relay, mailbox, "583920");
            if !is_late {
                assert_eq!(relay.release(), SUCCESS);
                super::partition::next_second();
            }
            relay.hang();
            reset(&host.session(), mailbox, json!({}), Some("837251")).expect("a reset on the other controller");
            assert_eq!(opener.pins(lab.dc2(), mailbox).position("837251"), Some(0), "{place}");
            relay.resume();
            super::partition::next_second();

            // Both can be reached, but have not replicated.
            let before = sealed(lab.dc1(), mailbox);
            assert_eq!(outcomes(&host, LATER), [QUEUED], "{place}");
            assert_eq!(
                sealed(lab.dc1(), mailbox),
                before,
                "{place}: a record of less knowledge was sealed anew"
            );
            lab.heal();
            let pins = opener.agreed(lab, mailbox);
            assert_eq!(
                pins.position("837251"),
                Some(0),
                "{place}: the acknowledged reset was undone"
            );
            assert_eq!(outcomes(&host, 2 * LATER), [DROPPED], "{place}");
            if is_late {
                assert_eq!(relay.release(), NO_SUCH_ATTRIBUTE, "{place}");
            }
            let pins = opener.agreed(lab, mailbox);
            assert_eq!((pins.position("837251"), pins.count()), (Some(0), 2), "{place}");
            assert_eq!(host.mail_of(mailbox), ["294716", "837251"], "{place}");
            let session = host.session();
            for dc in [lab.dc1(), lab.dc2()] {
                assert_eq!(
                    sign_in(&session, mailbox, &dc.host(), "837251"),
                    "changeRequired",
                    "{place}"
                );
            }
            audited(&host);
        }
    });
}
