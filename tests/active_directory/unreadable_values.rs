//! Values that the account may not read are not taken for absent.

use serde_json::{Value, json};
use umpin::ErrorCode;
use umpin::directory::{Applied, CounterChange, Directory as _};
use umpin::session::SharedError;

use crate::attempt;
use crate::credential::{change, sealed, swap};
use crate::directory_port::{self, directory, find_one, id};
use crate::harness::{Account, BASE, Forest, Lab, Mailbox, Operation, Relay, UM, alone, shared};
use crate::host::says;
use crate::replicas::host::{self as hosts, Host, LATER};
use crate::support;

const RECORD: &str = "msExchUMPinChecksum";
const COUNTER: &str = "extensionAttribute15";
/// `schemaIDGUID` of classes.
const USER: &str = "bf967aba-0de6-11d0-a285-00aa003049e2";
const CONTACT: &str = "5cb41ed0-0e4c-11d0-a286-00aa003049e2";

/// Adds an access control entry for this account and attribute.
fn set(lab: &Lab, dn: &str, account: Account, attribute: &str, entry: &str) {
    lab.dc1().script(&format!(
        "sid=$(samba-tool user show {account} --attributes=objectSid | sed -n 's/^objectSid: //p')
         guid=$(ldbsearch -H {database} -b CN=Schema,CN=Configuration,{BASE} '(lDAPDisplayName={attribute})' schemaIDGUID \
           | sed -n 's/^schemaIDGUID: //p')
         samba-tool dsacl set --objectdn='{dn}' --action=allow --sddl=\"{entry}\"",
        account = account.name,
        database = lab.dc1().database().display(),
    ));
}

/// Denies reading of an attribute that the account may write.
fn deny_reading(lab: &Lab, mailbox: &Mailbox, attribute: &str) {
    set(lab, &mailbox.dn, UM, attribute, "(OD;;RP;$guid;;$sid)");
    let seen = lab
        .dc1()
        .connect_as(UM)
        .read(&mailbox.dn, &[attribute, "cn"])
        .expect("the mailbox");
    assert!(seen.contains_key("cn") && !seen.contains_key(attribute), "{seen:?}");
    let written = lab
        .dc1()
        .connect_as(UM)
        .result_of_replace(&mailbox.dn, "description", b"x");
    assert_eq!(written, 50, "it may write something else");
}

/// Sets the `searchFlags` of an attribute.
fn mark(lab: &Lab, attribute: &str, flags: u32) {
    lab.dc1().script(&format!(
        "dn=$(ldbsearch -H {database} -b CN=Schema,CN=Configuration,{BASE} '(lDAPDisplayName={attribute})' dn | sed -n 's/^dn: //p')
         printf 'dn: %s\\nchangetype: modify\\nreplace: searchFlags\\nsearchFlags: {flags}\\n' \"$dn\" \
           | ldbmodify -H {database} --option='dsdb:schema update allowed=true'",
        database = lab.dc1().database().display(),
    ));
}

#[track_caller]
fn denied(error: &SharedError, attribute: &str, right: &str, mailbox: &Mailbox) {
    says(
        error,
        ErrorCode::AccessDenied,
        &["svc-um", attribute, &mailbox.dn, right],
    );
    let action = error.recommended_action();
    assert!(action.contains(right) && action.contains(attribute), "{action}");
    assert_eq!(
        error.details()["attributes"],
        json!([attribute]),
        "{:?}",
        error.details()
    );
}

fn sign_in(host: &Host, mailbox: &Mailbox, pin: &str) -> Result<String, SharedError> {
    let answer = attempt::sign_in(&host.session(), &mailbox.alias, pin)?;
    Ok(attempt::outcome(&answer).to_owned())
}

/// The entries of a listing for these mailboxes.
fn listed(host: &Host, mailboxes: &[&Mailbox]) -> Vec<Value> {
    let (session, mut items, mut after) = (host.session(), Vec::new(), Value::Null);
    loop {
        let query = json!({ "v": 1, "operation": "pinInfo", "after": after });
        let page = support::request(&session, &query).expect("a listing");
        items.extend(page["items"].as_array().expect("items").clone());
        after = page["next"].clone();
        if after.is_null() {
            break;
        }
    }
    let of = |mailbox: &&Mailbox| {
        let identity = format!("contoso.com/Tests/{}", mailbox.alias);
        let found = items.iter().find(|item| item["identity"] == identity);
        found
            .unwrap_or_else(|| panic!("{identity} is not among {} items", items.len()))
            .clone()
    };
    mailboxes.iter().map(of).collect()
}

#[test]
fn a_writable_unreadable_value_is_not_taken_for_absent() {
    shared(|lab| {
        let host = Host::new(lab, "unreadable");
        for (name, attribute) in [("unreadable-record", RECORD), ("unreadable-counter", COUNTER)] {
            let (there, never) = (lab.mailbox(name), lab.mailbox(&format!("{name}-never")));
            let fields = json!({ "pinExpired": false, "sendEmail": false });
            hosts::reset(&host.session(), &there, fields, Some("739152")).expect("the PIN is set");
            let before = lab.dc1().administrator().read(&there.dn, &[RECORD, COUNTER]);
            // An absent value cannot be distinguished from a hidden one and fails in the same way.
            for mailbox in [&there, &never] {
                deny_reading(lab, mailbox, attribute);
                let reset = hosts::reset(&host.session(), mailbox, json!({}), None);
                denied(
                    &reset.map(drop).expect_err("a reset"),
                    attribute,
                    "Read Property",
                    mailbox,
                );
                for pin in ["739152", "482913"] {
                    denied(
                        &sign_in(&host, mailbox, pin).expect_err("a sign-in"),
                        attribute,
                        "Read Property",
                        mailbox,
                    );
                }
                let info = hosts::info(&host.session(), mailbox, None);
                denied(&info.expect_err("an answer"), attribute, "Read Property", mailbox);
            }
            assert_eq!(lab.dc1().administrator().read(&there.dn, &[RECORD, COUNTER]), before);
            for item in listed(&host, &[&there, &never]) {
                let text = item.to_string();
                assert!(text.contains("AccessDenied") && text.contains(attribute), "{text}");
            }
        }
    });
}

#[test]
fn a_hidden_conflicting_value_is_access_denied() {
    shared(|lab| {
        let (directory, dc) = (directory(lab, &UM), lab.dc1());
        let mailbox = lab.mailbox("unreadable-obstacle");
        let first = change(&mailbox, dc, Some(swap(None, "r1")), CounterChange::Set(sealed("c1")));
        assert_eq!(directory.apply(first).expect("an answer"), Applied::Committed);
        deny_reading(lab, &mailbox, RECORD);
        assert_eq!(
            find_one(&directory, &mailbox.alias).stored,
            None,
            "not known to be absent"
        );
        let second = change(&mailbox, dc, Some(swap(None, "r2")), CounterChange::Keep);
        let error = directory.apply(second).expect_err("a value is in the way");
        says(&error, ErrorCode::AccessDenied, &["may not read", RECORD, &mailbox.dn]);
        assert_eq!(dc.administrator().value(&mailbox.dn, RECORD), Some(sealed("r1")));
    });
}

#[test]
fn unreadable_permissions_are_access_denied() {
    shared(|lab| {
        let mailbox = lab.mailbox("unreadable-permissions");
        let host = Host::new(lab, "unreadable");
        // A right on the object, not on an attribute.
        set(lab, &mailbox.dn, UM, RECORD, "(D;;RC;;;$sid)");
        let reset = hosts::reset(&host.session(), &mailbox, json!({}), None);
        says(
            &reset.map(drop).expect_err("a reset"),
            ErrorCode::AccessDenied,
            &["svc-um", RECORD, &mailbox.dn, "Read Permissions"],
        );
        assert_eq!(lab.dc1().administrator().value(&mailbox.dn, RECORD), None);
    });
}

#[test]
fn mailboxes_without_values_take_three_more_searches() {
    shared(|lab| {
        let relay = Relay::start(lab.dc1(), lab.authority());
        let mut settings = directory_port::settings(lab, &UM);
        settings.domain_controllers =
            vec![umpin::directory::active_directory::Server::parse(&relay.host()).expect("a name")];
        let directory = umpin::directory::active_directory::ActiveDirectory::new(settings);
        let mailboxes: Vec<Mailbox> = (0..30).map(|n| lab.mailbox(&format!("unreadable-page-{n}"))).collect();
        let found = find_one(&directory, &mailboxes[0].alias);
        assert_eq!(found.stored, None, "it is not known to be absent");
        relay.forget();
        let one = directory
            .credential(id(&mailboxes[0]), Some(&relay.host()))
            .expect("an answer");
        assert_eq!(one, umpin::directory::StoredCredential::default());
        assert_eq!(relay.count(Operation::SEARCH), 3);
        relay.forget();
        let ids: Vec<_> = mailboxes.iter().map(id).collect();
        let all = directory.credentials(&ids, Some(&relay.host())).expect("an answer");
        assert!(
            all.iter()
                .all(|stored| stored.as_ref().is_ok_and(|stored| *stored == one)),
            "{all:?}"
        );
        assert_eq!(relay.count(Operation::SEARCH), 3, "for thirty as for one");
    });
}

/// A message is queued because the relay is down, the PIN is in force, and then the attribute becomes confidential.
#[test]
fn a_confidential_attribute_resolves_no_pending_change() {
    alone(Forest::Single, |lab| {
        let relay = Relay::start(lab.dc1(), lab.authority());
        let through = |directory: &mut Value| {
            directory["domainControllers"] = json!([relay.host()]);
            // There is no other controller.
            directory["timeoutSeconds"] = 10.into();
        };
        let host = Host::with(lab, "confidential", through);
        let (told, lost) = (&lab.mailbox("confidential-told"), &lab.mailbox("confidential-lost"));
        // One change is committed with a queued message; another one is in doubt.
        host.set_relay_down(true);
        hosts::reset(&host.session(), told, json!({ "pinExpired": false }), Some("739152")).expect("a reset");
        relay.hold_next_modify();
        let unknown = hosts::reset(&host.session(), lost, json!({}), Some("482913"));
        assert_eq!(
            unknown.map(drop).expect_err("no answer").code(),
            ErrorCode::OutcomeUnknown
        );
        relay.wait_until_held();
        assert_eq!(relay.release(), 0);
        host.set_relay_down(false);
        assert_eq!(host.queue().len(), 2);

        mark(lab, RECORD, 128);
        let seen = lab.dc1().connect_as(UM).value(&told.dn, RECORD);
        assert_eq!(seen, None, "the attribute is not confidential yet");
        let before = lab.dc1().administrator().read(&told.dn, &[RECORD, COUNTER]);
        let nothing_is_concluded = |ahead: i64| {
            denied(
                &sign_in(&host, told, "739152").expect_err("a sign-in"),
                RECORD,
                "Control Access",
                told,
            );
            for mailbox in [told, lost] {
                let reset = hosts::reset(&host.session(), mailbox, json!({}), None).map(drop);
                denied(&reset.expect_err("a reset"), RECORD, "Control Access", mailbox);
                let info = hosts::info(&host.session(), mailbox, None).expect_err("an answer");
                denied(&info, RECORD, "Control Access", mailbox);
            }
            for item in listed(&host, &[told, lost]) {
                assert!(item.to_string().contains("AccessDenied"), "{item}");
            }
            let sent = host.send(ahead);
            assert!(!sent.is_empty(), "nothing was due");
            for (outcome, reason) in &sent {
                assert_eq!(outcome, "queued", "{reason}");
                assert!(reason.contains("Control Access"), "{reason}");
            }
            assert_eq!(host.queue().len(), 2);
            assert_eq!(host.audited("ResetLost"), Vec::<Value>::new());
            let recovered = host
                .audited("Reset")
                .into_iter()
                .filter(|item| item["result"]["recovered"] == true);
            assert_eq!(recovered.collect::<Vec<_>>(), Vec::<Value>::new());
            assert_eq!(lab.dc1().administrator().read(&told.dn, &[RECORD, COUNTER]), before);
        };
        nothing_is_concluded(LATER);
        // A right for objects of another class does not apply.
        let unit = format!("OU=Tests,{BASE}");
        set(
            lab,
            &unit,
            UM,
            RECORD,
            &format!("(OA;CIIO;RPWPCR;$guid;{CONTACT};$sid)"),
        );
        nothing_is_concluded(3 * LATER);
        // With the right, both changes are completed.
        set(lab, &unit, UM, RECORD, &format!("(OA;CIIO;RPWPCR;$guid;{USER};$sid)"));
        assert_eq!(sign_in(&host, told, "739152").expect("an answer"), "accepted");
        let mut sent: Vec<String> = host.send(6 * LATER).into_iter().map(|(outcome, _)| outcome).collect();
        sent.sort_unstable();
        assert_eq!(sent, ["sent", "sent"]);
        assert_eq!(host.mail_of(told), ["739152"]);
        assert_eq!(host.mail_of(lost), ["482913"]);
        assert_eq!(host.audited("ResetLost"), Vec::<Value>::new());
        let never = lab.mailbox("confidential-never");
        hosts::reset(&host.session(), &never, json!({}), None).expect("a first PIN");
    });
}
