//! Policies in the configuration partition: units, inverted flags, limits, missing and changed values.

use serde_json::json;
use umpin::ErrorCode;
use umpin::directory::{Directory as _, Route};
use umpin::policy::{Limit, UmMailboxPolicy};

use crate::directory_port::{directory, find_one};
use crate::harness::{Lab, POLICIES, UM, shared};

pub fn add(lab: &Lab, name: &str, attributes: &[(&str, &str)]) -> String {
    let dn = format!("CN={name},{POLICIES}");
    let values: Vec<(&str, [&[u8]; 1])> = attributes
        .iter()
        .map(|(attribute, value)| (*attribute, [value.as_bytes()]))
        .collect();
    let mut entry: Vec<(&str, &[&[u8]])> = vec![("objectClass", &[b"msExchUMRecipientTemplate"])];
    entry.extend(values.iter().map(|(attribute, values)| (*attribute, &values[..])));
    lab.dc1().administrator().add(&dn, &entry);
    dn
}

#[test]
fn policy_settings_are_mapped() {
    shared(|lab| {
        let directory = directory(lab, &UM);
        let read = |name: &str| {
            let policy = directory.policy(name, Route::Preferred);
            policy
                .unwrap_or_else(|error| panic!("{error:?}"))
                .unwrap_or_else(|| panic!("{name} is not there"))
        };
        add(
            lab,
            "policies-full",
            &[
                ("msExchUMPinPolicyMinPasswordLength", "9"),
                ("msExchUMPinPolicyNumberOfPreviousPasswordsDisallowed", "20"),
                ("msExchUMPinPolicyExpiryDays", "30"),
                ("msExchUMPinPolicyDisallowCommonPatterns", "FALSE"),
                ("msExchUMPinPolicyAccountLockoutFailures", "20"),
                ("msExchUMLogonFailuresBeforePINReset", "7"),
                ("msExchUMResetPINText", "Call <b>4000</b>, Zoë."),
            ],
        );
        add(
            lab,
            "policies-unlimited",
            &[
                ("msExchUMPinPolicyExpiryDays", "2147483647"),
                ("msExchUMPinPolicyDisallowCommonPatterns", "TRUE"),
                ("msExchUMPinPolicyAccountLockoutFailures", "2147483647"),
                ("msExchUMLogonFailuresBeforePINReset", "0"),
            ],
        );
        add(lab, "policies-empty", &[]);
        assert_eq!(
            read("POLICIES-full").settings,
            UmMailboxPolicy {
                name: "policies-full".to_owned(),
                min_pin_length: 9,
                pin_history_count: 20,
                pin_lifetime_days: Limit::Of(30),
                allow_common_patterns: true,
                max_logon_attempts: Limit::Of(20),
                logon_failures_before_pin_reset: Limit::Of(7),
                reset_pin_text: "Call <b>4000</b>, Zoë.".to_owned(),
            }
        );
        assert_eq!(
            read("policies-unlimited").settings,
            UmMailboxPolicy {
                pin_lifetime_days: Limit::Unlimited,
                max_logon_attempts: Limit::Unlimited,
                logon_failures_before_pin_reset: Limit::Unlimited,
                ..UmMailboxPolicy::with_defaults("policies-unlimited")
            }
        );
        assert_eq!(
            read("policies-empty").settings,
            UmMailboxPolicy::with_defaults("policies-empty")
        );
        assert_eq!(
            directory.policy("policies-none", Route::Preferred).expect("an answer"),
            None
        );
    });
}

#[test]
fn a_mailbox_has_its_linked_policy() {
    shared(|lab| {
        let directory = directory(lab, &UM);
        let dn = add(
            lab,
            r"policies\, linked",
            &[("msExchUMPinPolicyMinPasswordLength", "8")],
        );
        let mailbox = lab.mailbox("policies-link");
        lab.dc1()
            .administrator()
            .replace(&mailbox.dn, "msExchUMTemplateLink", &[dn.as_bytes()]);
        let name = find_one(&directory, &mailbox.alias).mailbox.um_mailbox_policy;
        assert_eq!(name.as_deref(), Some("policies, linked"));
        let policy = directory
            .policy("policies, linked", Route::Forest)
            .expect("an answer")
            .expect("the policy");
        assert_eq!(policy.settings.min_pin_length, 8);
        assert_eq!(policy.distinguished_name.as_deref(), Some(dn.as_str()));
    });
}

#[test]
fn a_policy_is_selected_by_link_not_by_name() {
    shared(|lab| {
        let administrator = lab.dc1().administrator();
        let container = POLICIES.replace("CN=UM Mailbox Policies", "CN=Other Policies");
        assert_ne!(container, POLICIES);
        administrator.add(&container, &[("objectClass", &[b"container"])]);
        let mine = add(lab, "policies-twin", &[("msExchUMPinPolicyMinPasswordLength", "6")]);
        let others = format!("CN=policies-twin,{container}");
        administrator.add(
            &others,
            &[
                ("objectClass", &[b"msExchUMRecipientTemplate"]),
                ("msExchUMPinPolicyMinPasswordLength", &[b"9"]),
            ],
        );
        for (link, length) in [(&mine, 6), (&others, 9)] {
            let mailbox = lab.mailbox(&format!("policies-twin-{length}"));
            administrator.replace(&mailbox.dn, "msExchUMTemplateLink", &[link.as_bytes()]);
            let directory = directory(lab, &UM);
            let found = find_one(&directory, &mailbox.alias).mailbox;
            let policy = directory.policy_of(&found, Route::Preferred).expect("an answer");
            assert_eq!(policy.expect("the policy").settings.min_pin_length, length, "{link}");
            let outcome = crate::host::Host::new(lab).what_if(json!({ "identity": mailbox.alias }), Some("739152"));
            assert_eq!(outcome.is_ok(), length == 6, "{link}: {outcome:?}");
        }
    });
}

#[test]
fn a_changed_policy_applies_to_the_next_command() {
    shared(|lab| {
        let directory = directory(lab, &UM);
        let dn = add(lab, "policies-changed", &[("msExchUMPinPolicyMinPasswordLength", "6")]);
        let length = || {
            let policy = directory
                .policy("policies-changed", Route::Preferred)
                .expect("an answer");
            policy.expect("the policy").settings.min_pin_length
        };
        assert_eq!(length(), 6);
        lab.dc1()
            .administrator()
            .replace(&dn, "msExchUMPinPolicyMinPasswordLength", &[b"10"]);
        assert_eq!(length(), 6, "within one command it is read once");
        directory.refresh();
        assert_eq!(length(), 10);
    });
}

#[test]
fn a_policy_with_invalid_settings_is_listed_and_not_used() {
    shared(|lab| {
        let directory = directory(lab, &UM);
        add(
            lab,
            "policies-impossible",
            &[
                ("msExchUMPinPolicyMinPasswordLength", "3"),
                ("msExchUMPinPolicyExpiryDays", "-1"),
            ],
        );
        let error = directory
            .policy("policies-impossible", Route::Preferred)
            .expect_err("a fault");
        assert_eq!(error.code(), ErrorCode::StoreCorrupt, "{error:?}");
        for part in [
            "policies-impossible",
            "msExchUMPinPolicyMinPasswordLength is not 4 to 24",
            "msExchUMPinPolicyExpiryDays is neither 1 to 999 nor unlimited",
        ] {
            assert!(error.message().contains(part), "{error:?} does not say: {part}");
        }
        let dc1 = lab.dc1().host();
        for route in [Route::Preferred, Route::Controller(&dc1), Route::Forest] {
            let all = directory.policies(route).expect("policies");
            let names: Vec<&str> = all.iter().map(|policy| policy.settings.name.as_str()).collect();
            assert!(
                names.contains(&"Default") && names.contains(&"policies-impossible"),
                "{names:?}"
            );
            assert!(names.is_sorted_by_key(|name| name.to_lowercase()), "{names:?}");
        }
        assert!(
            directory
                .policy("Default", Route::Preferred)
                .expect("an answer")
                .is_some()
        );
    });
}
