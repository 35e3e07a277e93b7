//! Every error with a cause in the directory, as a session reports it.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use serde_json::{Value, json};
use umpin::ErrorCode;

use crate::harness::{Forest, READER, UM, alone, shared};
use crate::host::{Host, says};
use crate::policies::add as add_policy;

const RECORD: &str = "msExchUMPinChecksum";

fn of(identity: &str) -> Value {
    json!({ "identity": identity })
}

#[test]
fn an_identity_without_match_or_with_several() {
    shared(|lab| {
        let host = Host::new(lab);
        for name in ["nobody-of-that-name", "*", "CN=Nobody,OU=Sales,DC=contoso,DC=com"] {
            let error = host.refusal(of(name), None);
            says(&error, ErrorCode::ManagementObjectNotFound, &[name, "contoso.com"]);
        }
        // The address of one mailbox and the UPN of another.
        let error = host.refusal(of("helpdesk@contoso.com"), None);
        says(
            &error,
            ErrorCode::ManagementObjectAmbiguous,
            &["helpdesk@contoso.com", "2"],
        );
        let matches = error.details()["matches"].to_string();
        assert!(
            matches.contains("Help Desk") && matches.contains("Miller, Ben"),
            "{matches}"
        );
        let error = host.refusal(of("Rob Young"), None);
        says(
            &error,
            ErrorCode::MailboxNotUmEnabled,
            &["contoso.com/Engineering/Rob Young"],
        );
        let error = host.refusal(of(""), None);
        assert_eq!(error.code(), ErrorCode::InvalidIdentity, "{error:?}");
    });
}

#[test]
fn all_violated_rules_are_reported() {
    shared(|lab| {
        let mailbox = lab.mailbox("refusal-rules");
        let administrator = lab.dc1().administrator();
        administrator.replace(
            &mailbox.dn,
            "proxyAddresses",
            &[
                b"SMTP:refusal-rules@contoso.com",
                b"eum:11111;phone-context=Contoso.contoso.com",
            ],
        );
        let loose = add_policy(
            lab,
            "refusal-loose",
            &[
                ("msExchUMPinPolicyMinPasswordLength", "4"),
                ("msExchUMPinPolicyDisallowCommonPatterns", "FALSE"),
            ],
        );
        let strict = add_policy(lab, "refusal-strict", &[("msExchUMPinPolicyMinPasswordLength", "8")]);
        let host = Host::new(lab);
        administrator.replace(&mailbox.dn, "msExchUMTemplateLink", &[loose.as_bytes()]);
        let rules = |pin: &str| {
            let error = host.refusal(of(&mailbox.alias), Some(pin));
            says(
                &error,
                ErrorCode::PinPolicyViolation,
                &["contoso.com/Tests/refusal-rules"],
            );
            error.details()["rules"].clone()
        };
        // An extension is not allowed even if common patterns are.
        assert_eq!(rules("1111"), json!(["Extension"]));
        host.set_pin(&mailbox.alias, "2222");
        administrator.replace(&mailbox.dn, "msExchUMTemplateLink", &[strict.as_bytes()]);
        assert_eq!(rules("2222"), json!(["TooShort", "Repeated", "History"]));
        assert_eq!(rules("1111"), json!(["TooShort", "Repeated", "Extension"]));
        assert_eq!(rules("1234"), json!(["TooShort", "Sequential"]));
        assert_eq!(rules("12a"), json!(["TooShort", "NotNumeric"]));
        assert_eq!(rules(&"7391".repeat(7)), json!(["TooLong"]));
    });
}

#[test]
fn invalid_addresses_and_parameter_combinations() {
    shared(|lab| {
        let mailbox = lab.mailbox("refusal-address");
        let host = Host::new(lab);
        lab.dc1().administrator().replace(&mailbox.dn, "proxyAddresses", &[]);
        lab.dc1().administrator().replace(&mailbox.dn, "mail", &[]);
        let error = host.refusal(of(&mailbox.alias), None);
        says(
            &error,
            ErrorCode::NoNotificationAddress,
            &["contoso.com/Tests/refusal-address"],
        );
        host.what_if(json!({ "identity": mailbox.alias, "sendEmail": false }), None)
            .expect("without a message");
        for (fields, code) in [
            (json!({ "notifyEmail": "a@b@c" }), ErrorCode::InvalidNotifyEmail),
            (
                json!({ "ignoreDefaultScope": true }),
                ErrorCode::InvalidParameterCombination,
            ),
            (
                json!({ "identity": mailbox.dn, "ignoreDefaultScope": true, "domainController": lab.dc1().host() }),
                ErrorCode::InvalidParameterCombination,
            ),
        ] {
            let mut all = of(&mailbox.alias);
            for (name, value) in fields.as_object().expect("fields") {
                all[name] = value.clone();
            }
            let error = host.refusal(all, None);
            assert_eq!(error.code(), code, "{fields}: {error:?}");
        }
    });
}

#[test]
fn a_mailbox_without_a_usable_policy() {
    shared(|lab| {
        let mailbox = lab.mailbox("refusal-policy");
        let host = Host::new(lab);
        let administrator = lab.dc1().administrator();
        administrator.replace(&mailbox.dn, "msExchUMTemplateLink", &[]);
        let none = host.refusal(of(&mailbox.alias), None);
        let info = host.request(json!({ "operation": "pinInfo", "identity": mailbox.alias }));
        for error in [
            &none,
            &info.expect_err("no policy"),
            &host.failed_sign_in(&mailbox.alias, "739152"),
        ] {
            says(
                error,
                ErrorCode::MailboxNotUmEnabled,
                &["contoso.com/Tests/refusal-policy", "has no UM mailbox policy"],
            );
        }
        let dn = add_policy(
            lab,
            "refusal-impossible",
            &[("msExchUMPinPolicyMinPasswordLength", "3")],
        );
        administrator.replace(&mailbox.dn, "msExchUMTemplateLink", &[dn.as_bytes()]);
        host.begin();
        let impossible = host.refusal(of(&mailbox.alias), None);
        says(
            &impossible,
            ErrorCode::StoreCorrupt,
            &[
                "refusal-impossible",
                "msExchUMPinPolicyMinPasswordLength is not 4 to 24",
            ],
        );
        for error in [none, impossible] {
            let action = error.recommended_action();
            assert!(action.contains("where it is managed"), "{action}");
        }
    });
}

#[test]
fn unreachable_controllers() {
    shared(|lab| {
        let host = Host::with(lab, UM, |configuration| {
            configuration["directory"]["domainControllers"] = json!(["dc1.contoso.com:1", "dc8.contoso.com"]);
            configuration["directory"]["timeoutSeconds"] = json!(2);
        });
        let error = host.refusal(of("tonysmith"), None);
        says(
            &error,
            ErrorCode::DirectoryUnavailable,
            &["dc1.contoso.com:1", "Of 2 servers none serves"],
        );
        let attempts = error.details()["attempts"].to_string();
        assert!(
            attempts.contains("dc1.contoso.com:1") && attempts.contains("dc8.contoso.com"),
            "{attempts}"
        );
    });
}

#[test]
fn a_wrong_key_changes_nothing() {
    // The key check reads some records, and other tests use other keys.
    alone(Forest::Single, |lab| {
        let mailbox = lab.mailbox("refusal-key");
        Host::new(lab).set_pin(&mailbox.alias, "739152");
        let other = lab.mailbox("refusal-key-fresh");
        let administrator = lab.dc1().administrator();
        let keys = tempfile::tempdir().expect("a temporary directory");
        let wrong = keys.path().join("wrong.key");
        fs::write(&wrong, [7; 32]).expect("a key");
        fs::set_permissions(&wrong, fs::Permissions::from_mode(0o600)).expect("a mode");
        let missing = keys.path().join("missing.key");
        for (key, said) in [(&wrong, "not configured"), (&missing, "does not exist")] {
            let host = Host::with(lab, UM, |configuration| configuration["keys"]["k1"] = json!(key));
            for name in [&mailbox, &other] {
                let before = administrator.read(&name.dn, &[RECORD, "replPropertyMetaData"]);
                // -WhatIf needs no key for a mailbox without record.
                let error = host.reset(of(&name.alias), None).err().expect("another key");
                says(&error, ErrorCode::KeyUnavailable, &[]);
                let text = format!("{error:?}");
                assert!(text.contains(said) || text.contains("No such file"), "{text}");
                let after = administrator.read(&name.dn, &[RECORD, "replPropertyMetaData"]);
                assert_eq!(after, before, "{} with {}", name.alias, key.display());
            }
            assert_eq!(host.messages(), Vec::<String>::new());
        }
        assert!(
            !missing.exists(),
            "no key is made for a directory that several hosts share"
        );
    });
}

#[test]
fn a_schema_without_the_required_attributes() {
    shared(|lab| {
        for (attribute, parts) in [
            ("umpinFailedSignIns", &["does not have umpinFailedSignIns"][..]),
            ("whenCreated", &["whenCreated", "neither octets nor text"]),
            ("proxyAddresses", &["proxyAddresses", "several values"]),
            ("msExchMailboxGuid", &["msExchMailboxGuid", "at most 16 bytes"]),
            ("msExchUMPinChecksum", &["cannot hold the counters as well"]),
        ] {
            let host = Host::with(lab, UM, |configuration| {
                configuration["directory"]["counterAttribute"] = json!(attribute);
            });
            let error = host.refusal(of("tonysmith"), None);
            says(&error, ErrorCode::ConfigurationInvalid, parts);
        }
    });
}

#[test]
fn a_read_only_account_can_read_and_not_reset() {
    shared(|lab| {
        let mailbox = lab.mailbox("refusal-rights");
        Host::new(lab).set_pin(&mailbox.alias, "739152");
        let host = Host::with(lab, READER, |_| {});
        assert_eq!(host.info(&mailbox.alias)["pinExpired"], false);
        host.what_if(of(&mailbox.alias), None).expect("a look");
        let record = || lab.dc1().administrator().value(&mailbox.dn, RECORD);
        let before = record();
        let error = host.reset(of(&mailbox.alias), None).err().expect("a refusal");
        says(
            &error,
            ErrorCode::AccessDenied,
            &[
                "svc-reader",
                RECORD,
                "extensionAttribute15",
                &mailbox.dn,
                "dc1.contoso.com",
            ],
        );
        assert_eq!(error.details()["ldapCode"], 50, "{:?}", error.details());
        assert_eq!(record(), before);
        assert_eq!(host.messages(), Vec::<String>::new());
        let log = host.request(json!({ "operation": "audit" })).expect("the log");
        let last = log["items"]
            .as_array()
            .and_then(|items| items.last())
            .expect("an entry");
        assert_eq!(
            (&last["succeeded"], &last["details"]["error"]),
            (&json!(false), &json!("AccessDenied")),
            "{log:#}"
        );
        // Sign-ins fail as well, because they cannot be counted.
        let error = crate::attempt::sign_in(&host.session, &mailbox.alias, "739152").expect_err("a refusal");
        says(&error, ErrorCode::AccessDenied, &["extensionAttribute15"]);
    });
}

#[test]
fn a_record_of_another_mailbox_is_rejected() {
    shared(|lab| {
        let (one, other) = (lab.mailbox("refusal-record"), lab.mailbox("refusal-record-moved"));
        let host = Host::new(lab);
        let administrator = lab.dc1().administrator();
        host.set_pin(&one.alias, "739152");
        let record = administrator.value(&one.dn, RECORD).expect("a record");
        administrator.replace(&other.dn, RECORD, &[&record]);
        let error = host.refusal(of(&other.alias), None);
        says(
            &error,
            ErrorCode::StoreCorrupt,
            &["contoso.com/Tests/refusal-record-moved", "belongs to another mailbox"],
        );
        let error = crate::attempt::sign_in(&host.session, &other.alias, "739152").expect_err("not his record");
        assert_eq!(error.code(), ErrorCode::StoreCorrupt, "{error:?}");
        // The remedy in the documentation.
        administrator.replace(&other.dn, RECORD, &[]);
        host.set_pin(&other.alias, "482913");
        assert_eq!(host.sign_in(&other.alias, "482913"), "accepted");

        // Possible without the key: restoring an older record of the mailbox, with its PIN.
        host.set_pin(&one.alias, "591726");
        administrator.replace(&one.dn, RECORD, &[&record]);
        assert_eq!(host.sign_in(&one.alias, "739152"), "accepted");
    });
}

#[test]
fn imports_are_rejected() {
    shared(|lab| {
        let host = Host::new(lab);
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/examples/sample-directory.csv");
        let error = host
            .request(json!({ "operation": "import", "path": file }))
            .expect_err("a refusal");
        says(&error, ErrorCode::ConfigurationInvalid, &["not filled by import"]);
    });
}
