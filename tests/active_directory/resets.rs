//! Resets by a session: what is written and reported; -WhatIf writes nothing.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use umpin::ErrorCode;

use crate::harness::{Administrator, BASE, POLICIES, UM, key_file, shared};
use crate::host::{Host, says};
use crate::policies::add as add_policy;
use crate::support::announced_pin;

const RECORD: &str = "msExchUMPinChecksum";
const COUNTER: &str = "extensionAttribute15";
/// Attributes that change with every change of an object.
const TRACES: [&str; 3] = ["replPropertyMetaData", "uSNChanged", "whenChanged"];

type Values = BTreeMap<String, Vec<Vec<u8>>>;

/// All values of an object with its replication metadata.
fn everything(administrator: &Administrator, dn: &str) -> Values {
    let mut wanted = vec!["*"];
    wanted.extend(TRACES);
    let mut entry = administrator.read(dn, &wanted).expect("the object");
    // Of a policy: the mailboxes that other tests make meanwhile. It is computed from those, and not written.
    entry.remove("msExchUMTemplateBL");
    entry.into_iter().collect()
}

/// Names and contents of all files, and their modes.
fn files(folder: &Path) -> BTreeMap<String, (Vec<u8>, u32)> {
    use std::os::unix::fs::MetadataExt as _;

    let mut files = BTreeMap::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        let name = path.display().to_string();
        if path.is_dir() {
            files.extend(self::files(&path));
            files.insert(name, (Vec::new(), 0));
        } else if !name.ends_with("-shm") {
            // The index of SQLite's log is not on the disk, as far as SQLite is concerned.
            let mode = path.metadata().expect("its state").mode();
            files.insert(name, (fs::read(&path).expect("a file"), mode));
        }
    }
    files
}

#[test]
fn a_generated_pin_is_mailed_and_must_be_changed() {
    shared(|lab| {
        let mailbox = lab.mailbox("reset-generated");
        let host = Host::new(lab);
        let administrator = lab.dc1().administrator();
        let before = everything(&administrator, &mailbox.dn);
        let reset = host
            .reset(json!({ "identity": mailbox.alias }), None)
            .expect("the reset");
        let answer = &reset.response;
        assert_eq!(answer["identity"], "contoso.com/Tests/reset-generated", "{answer}");
        assert_eq!(answer["guid"], mailbox.guid.to_string());
        assert_eq!(answer["notification"], "sent", "{answer}");
        assert_eq!(answer["recipient"], "reset-generated@contoso.com");
        assert_eq!(
            (&answer["pinExpired"], &answer["lockedOut"]),
            (&json!(true), &json!(false))
        );

        let pin = reset.pin.expect("a generated PIN");
        assert_eq!(pin.len(), 6);
        let [message] = &host.messages()[..] else {
            panic!("one message");
        };
        assert_eq!(announced_pin(message), pin);
        assert_eq!(host.sign_in(&mailbox.alias, &pin), "changeRequired");

        // Only the two attributes were written.
        let mut after = everything(&administrator, &mailbox.dn);
        assert!(after[RECORD][0].starts_with(b"UMP"), "{:?}", after[RECORD]);
        for attribute in [RECORD, COUNTER].iter().chain(&TRACES) {
            after.remove(*attribute);
        }
        let before: Values = before
            .into_iter()
            .filter(|(name, _)| !TRACES.contains(&name.as_str()))
            .collect();
        assert_eq!(after, before);
    });
}

#[test]
fn a_given_pin_is_set_with_lock_and_expiry() {
    shared(|lab| {
        let mailbox = lab.mailbox("reset-given");
        let host = Host::new(lab);
        let name = &mailbox.dn;
        let fresh = host.info(name);
        for (key, value) in [
            ("userId", json!("reset-given@contoso.com")),
            ("identity", json!("contoso.com/Tests/reset-given")),
            ("pinExpired", json!(true)),
            ("firstTimeUser", json!(true)),
            ("lockedOut", json!(false)),
            ("lastSet", Value::Null),
        ] {
            assert_eq!(fresh[key], value, "{fresh}");
        }

        host.set_pin(name, "739152");
        assert_eq!(host.sign_in(name, "739152"), "accepted");
        assert_eq!(host.info(name)["pinExpired"], false);
        assert_eq!(host.messages().len(), 0, "nobody is told");

        let keep = |fields: Value| {
            let mut all = json!({ "identity": name, "keepPin": true });
            all.as_object_mut()
                .expect("an object")
                .extend(fields.as_object().expect("an object").clone());
            host.reset(all, None).expect("a change without a new PIN");
        };
        keep(json!({ "lockedOut": true }));
        assert_eq!(host.info(name)["lockedOut"], true);
        assert_eq!(host.sign_in(name, "739152"), "locked");
        keep(json!({ "lockedOut": false }));
        assert_eq!(host.info(name)["lockedOut"], false);
        assert_eq!(host.sign_in(name, "739152"), "accepted");
        keep(json!({ "lockedOut": false, "pinExpired": true }));
        assert_eq!(host.sign_in(name, "739152"), "changeRequired");

        // -LockedOut without -KeepPin sets a new PIN.
        let locked = host
            .reset(json!({ "identity": name, "lockedOut": true }), None)
            .expect("the reset");
        assert_eq!(locked.response["lockedOut"], true);
        assert_eq!(host.sign_in(name, &locked.pin.expect("a PIN")), "locked");
    });
}

#[test]
fn what_if_writes_nothing() {
    shared(|lab| {
        let mailbox = lab.mailbox("reset-look");
        let keys = tempfile::tempdir().expect("a temporary directory");
        let key = keys.path().join("umpin.key");
        fs::copy(key_file(), &key).expect("the key");
        let configured = |configuration: &mut Value| configuration["keys"]["k1"] = json!(key);
        let administrator = lab.dc1().administrator();
        let policy = format!("CN=Default,{POLICIES}");
        let state = |host: &Host| {
            (
                everything(&administrator, &mailbox.dn),
                everything(&administrator, &policy),
                files(&host.path("")),
                files(keys.path()),
            )
        };
        let look = |host: &Host| {
            let fields = json!({ "identity": mailbox.alias, "notifyEmail": "other@fabrikam.com" });
            let target = host.what_if(fields.clone(), None).expect("a look");
            assert_eq!(target["recipient"], "other@fabrikam.com", "{target}");
            host.what_if(fields.clone(), Some("739152")).expect("a look");
            let short = host.what_if(fields.clone(), Some("12")).expect_err("too short");
            says(&short, ErrorCode::PinPolicyViolation, &["TooShort"]);
            host.what_if(
                json!({ "identity": mailbox.alias, "keepPin": true, "lockedOut": true }),
                None,
            )
            .expect("a look");
            host.info(&mailbox.alias);
        };

        let new = Host::with(lab, UM, configured);
        let before = state(&new);
        look(&new);
        assert!(state(&new) == before, "a host that was never used: {:?}", state(&new).2);
        assert!(!new.path("outbox.db").exists());

        let used = Host::with(lab, UM, configured);
        used.set_pin(&mailbox.alias, "482913");
        let before = state(&used);
        look(&used);
        let history = used
            .what_if(json!({ "identity": mailbox.alias }), Some("482913"))
            .expect_err("used before");
        says(&history, ErrorCode::PinPolicyViolation, &["History"]);
        let after = state(&used);
        assert_eq!(after.0, before.0, "the mailbox");
        assert_eq!(after.1, before.1, "the policy");
        assert!(after.2 == before.2, "the host's files");
        assert!(after.3 == before.3, "the key's folder");
    });
}

#[test]
fn policy_changes_apply_to_the_next_reset() {
    shared(|lab| {
        let mailbox = lab.mailbox("reset-policy");
        let host = Host::new(lab);
        let administrator = lab.dc1().administrator();
        let length = "msExchUMPinPolicyMinPasswordLength";
        let dn = add_policy(lab, "reset-policy", &[(length, "8")]);
        administrator.replace(&mailbox.dn, "msExchUMTemplateLink", &[dn.as_bytes()]);
        let generated = || {
            let reset = host.reset(json!({ "identity": mailbox.alias }), None);
            reset.expect("the reset").pin.expect("a PIN").len()
        };
        assert_eq!(generated(), 8);
        administrator.replace(&dn, length, &[b"11"]);
        assert_eq!(generated(), 8, "within one command it is read once");
        host.begin();
        assert_eq!(generated(), 11);
        let refused = host.refusal(json!({ "identity": mailbox.alias }), Some("73915284"));
        says(
            &refused,
            ErrorCode::PinPolicyViolation,
            &["TooShort", "11", "reset-policy"],
        );

        // The link to another policy is a value of the mailbox and applies at once.
        let other = format!("CN=Default,{POLICIES}");
        administrator.replace(&mailbox.dn, "msExchUMTemplateLink", &[other.as_bytes()]);
        assert_eq!(generated(), 6);

        // Expiry is computed with the current lifetime.
        assert!(!host.info(&mailbox.alias)["expiresOn"].is_null());
        administrator.replace(&dn, "msExchUMPinPolicyExpiryDays", &[b"2147483647"]);
        administrator.replace(&mailbox.dn, "msExchUMTemplateLink", &[dn.as_bytes()]);
        host.begin();
        assert_eq!(host.info(&mailbox.alias)["expiresOn"], Value::Null);
    });
}

#[test]
fn a_long_history_fits_into_the_attribute() {
    shared(|lab| {
        let mailbox = lab.mailbox("reset-history");
        let dn = add_policy(
            lab,
            "reset-history",
            &[("msExchUMPinPolicyNumberOfPreviousPasswordsDisallowed", "20")],
        );
        let administrator = lab.dc1().administrator();
        administrator.replace(&mailbox.dn, "msExchUMTemplateLink", &[dn.as_bytes()]);
        let host = Host::new(lab);
        let mut lengths = Vec::new();
        let pins: Vec<String> = (0..21).map(|n| format!("{}", 739_152 + 1009 * n)).collect();
        for pin in &pins {
            host.set_pin(&mailbox.alias, pin);
            lengths.push(administrator.value(&mailbox.dn, RECORD).expect("a record").len());
        }
        // A PIN is rejected while it is among the last twenty.
        let fields = json!({ "identity": mailbox.alias });
        for pin in &pins[1..] {
            says(
                &host.refusal(fields.clone(), Some(pin)),
                ErrorCode::PinPolicyViolation,
                &["History"],
            );
        }
        host.what_if(fields, Some(&pins[0]))
            .expect("the twenty-first is free again");

        let schema = format!("CN=Schema,CN=Configuration,{BASE}");
        let definition = administrator.search(&schema, &format!("(lDAPDisplayName={RECORD})"), &["rangeUpper"]);
        let most = definition[0]
            .1
            .get("rangeUpper")
            .map(|values| String::from_utf8_lossy(&values[0]).into_owned());
        println!("records of 1 to 21 PINs in bytes: {lengths:?}; rangeUpper of {RECORD}: {most:?}");
        assert!(lengths.is_sorted(), "{lengths:?}");
        assert_eq!(lengths[19], lengths[20], "the history grows no further");
        let most = most.map_or(usize::MAX, |text| text.parse().expect("a number"));
        assert!(lengths[20] <= most.min(1096), "{lengths:?}");
    });
}

#[test]
fn the_default_scope_applies_unless_ignored() {
    shared(|lab| {
        let inside = lab.mailbox("reset-inside");
        let tony = "CN=Tony Smith,OU=Sales,DC=contoso,DC=com";
        for scope in ["contoso.com/Tests", "OU=Tests,DC=contoso,DC=com"] {
            let host = Host::with(lab, UM, |configuration| configuration["defaultScope"] = json!(scope));
            host.reset(json!({ "identity": inside.alias, "sendEmail": false }), Some("482913"))
                .map(drop)
                .or_else(|error| {
                    // In the second round it is the current PIN.
                    says(&error, ErrorCode::PinPolicyViolation, &["History"]);
                    Ok::<_, ()>(())
                })
                .expect("inside");
            for identity in ["tonysmith", "tonysmith@contoso.com", tony] {
                let error = host.refusal(json!({ "identity": identity }), None);
                says(&error, ErrorCode::ManagementObjectNotFound, &[identity, "contoso.com"]);
            }
            let listed = host.request(json!({ "operation": "pinInfo" })).expect("a list");
            let items = listed["items"].as_array().expect("items");
            assert!(!items.is_empty(), "{listed}");
            for item in items {
                let name = item["identity"].as_str().expect("a name");
                assert!(name.starts_with("contoso.com/Tests/"), "{name} is outside of {scope}");
            }
            let found = host
                .what_if(json!({ "identity": tony, "ignoreDefaultScope": true }), None)
                .expect("the whole forest");
            assert_eq!(found["identity"], "contoso.com/Sales/Tony Smith");
        }
    });
}

#[test]
fn a_mailbox_found_in_the_global_catalog_is_written_on_a_domain_controller() {
    shared(|lab| {
        let mailbox = lab.mailbox("reset-forest");
        let host = Host::with(lab, UM, |configuration| {
            configuration["defaultScope"] = json!("contoso.com/Sales");
        });
        let fields = json!({ "identity": mailbox.dn, "ignoreDefaultScope": true, "pinExpired": false });
        let reset = host.reset(fields, Some("739152")).expect("the reset");
        let told = reset.response["diagnostics"].to_string();
        assert!(told.contains(&lab.dc1().host()), "{told}");
        let inside = Host::new(lab);
        assert_eq!(inside.sign_in(&mailbox.alias, "739152"), "accepted");
        // A named controller has no fail-over.
        let fields = json!({ "identity": mailbox.alias, "domainController": lab.dc1().host(), "sendEmail": false });
        inside.reset(fields, None).expect("the reset");
        let fields = json!({ "identity": mailbox.alias, "domainController": "dc9.contoso.com" });
        let error = inside.refusal(fields, None);
        says(&error, ErrorCode::DirectoryUnavailable, &["dc9.contoso.com"]);
    });
}

#[test]
fn an_undelivered_message_stays_queued_on_its_host() {
    shared(|lab| {
        let mailbox = lab.mailbox("reset-queue");
        // No listener on this port.
        let host = Host::with(lab, UM, |configuration| {
            configuration["notification"] = json!({
                "type": "smtp", "host": "relay.contoso.com", "port": 9, "from": "um@contoso.com", "timeoutSeconds": 2,
            });
        });
        let reset = host
            .reset(json!({ "identity": mailbox.alias }), None)
            .expect("the reset");
        assert_eq!(reset.response["notification"], "queued", "{}", reset.response);
        let queue = |host: &Host| {
            let answer = host
                .request(json!({ "operation": "notifications" }))
                .expect("the queue");
            answer["items"].as_array().expect("items").clone()
        };
        let waiting = queue(&host);
        assert_eq!(waiting.len(), 1, "{waiting:?}");
        assert_eq!(waiting[0]["state"], "queued", "{waiting:?}");
        assert_eq!(waiting[0]["identity"], "contoso.com/Tests/reset-queue");
        assert_eq!(
            queue(&Host::new(lab)),
            Vec::<Value>::new(),
            "another host has another queue"
        );
        assert_eq!(
            host.sign_in(&mailbox.alias, &reset.pin.expect("a PIN")),
            "changeRequired"
        );

        // A relay that takes it, on the same host: by a pickup directory here.
        let host = host.reconfigured(|configuration| {
            configuration["notification"] = json!({ "type": "pickup", "directory": "pickup" });
        });
        let now = json!({ "operation": "sendNotifications", "identity": mailbox.alias });
        let sent = host.request(now.clone()).expect("an answer");
        assert_eq!(sent["items"][0]["outcome"], "sent", "{sent}");
        assert_eq!(host.messages().len(), 1);
        assert_eq!(queue(&host), Vec::<Value>::new());

        // The message of a superseded PIN is not sent.
        let host = host.reconfigured(|configuration| {
            configuration["notification"] = json!({
                "type": "smtp", "host": "relay.contoso.com", "port": 9, "from": "um@contoso.com", "timeoutSeconds": 2,
            });
        });
        host.reset(json!({ "identity": mailbox.alias }), None)
            .expect("the reset");
        Host::new(lab).set_pin(&mailbox.alias, "739152");
        let host = host.reconfigured(|configuration| {
            configuration["notification"] = json!({ "type": "pickup", "directory": "pickup" });
        });
        let dropped = host.request(now).expect("an answer");
        assert_ne!(dropped["items"][0]["outcome"], "sent", "{dropped}");
        assert_eq!(host.messages().len(), 1, "{dropped}");
        assert_eq!(queue(&host), Vec::<Value>::new(), "{dropped}");
    });
}

#[test]
fn each_host_has_its_own_audit_log() {
    shared(|lab| {
        let mailbox = lab.mailbox("reset-log");
        let host = Host::new(lab);
        host.set_pin(&mailbox.alias, "739152");
        let fields = json!({ "identity": mailbox.alias, "keepPin": true, "lockedOut": true });
        host.reset(fields, None).expect("locked");
        let log = |host: &Host| {
            let answer = host.request(json!({ "operation": "audit" })).expect("the log");
            assert_eq!(answer["faults"], json!([]), "{answer}");
            answer
        };
        let answer = log(&host);
        let items = answer["items"].as_array().expect("items");
        let done: Vec<_> = items
            .iter()
            .map(|item| (&item["kind"], &item["action"], &item["succeeded"]))
            .collect();
        let yes = json!(true);
        let (operation, reset, lock) = (json!("operation"), json!("Reset"), json!("Lock"));
        assert_eq!(
            done,
            [(&operation, &reset, &yes), (&operation, &lock, &yes)],
            "{answer:#}"
        );
        assert_eq!(answer["chains"][0]["entries"], 4, "intents and outcomes: {answer:#}");
        assert!(
            items.iter().all(|item| item["target"] == "contoso.com/Tests/reset-log"),
            "{answer}"
        );
        assert!(
            items.iter().all(|item| item["caller"] == "CONTOSO\\helpdesk"),
            "{answer}"
        );
        assert!(!answer.to_string().contains("739152"));
        assert_eq!(answer["chains"][0]["state"], "intact", "{answer}");
        assert_eq!(log(&Host::new(lab))["items"], json!([]), "another host has another log");
    });
}
