//! A directory with many values of Exchange, on a controller with a size limit.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::time::Instant;

use serde_json::{Value, json};
use umpin::ErrorCode;

use crate::harness::{BASE, Forest, Lab, Operation, POLICIES, Relay, UM, alone};
use crate::host::{Host, says};

const RECORD: &str = "msExchUMPinChecksum";
/// The default `MaxPageSize` of Active Directory.
const AT_ONCE: usize = 1000;

/// Users with a value in the record's attribute, in the order in which the controller gives them.
fn with_values(lab: &Lab) -> Vec<String> {
    let filter = format!("(&({RECORD}=*)(objectCategory=person)(objectClass=user))");
    let found = lab.dc1().administrator().search(BASE, &filter, &["1.1"]);
    found.into_iter().map(|(dn, _)| dn).collect()
}

#[test]
fn a_wrong_key_is_detected_behind_ten_thousand_values_of_exchange() {
    alone(Forest::Migrated(10_000), |lab| {
        let relay = Relay::start(lab.dc1(), lab.authority());
        relay.limit_entries(AT_ONCE);
        let through = |configuration: &mut Value| {
            configuration["directory"]["domainControllers"] = json!([relay.host()]);
        };
        let administrator = lab.dc1().administrator();
        let other = &lab.mailbox("migration");
        administrator.replace(&other.dn, RECORD, &[b"\x01\x00 of Exchange"]);
        // The only sealed record is beyond the size limit.
        let order = with_values(lab);
        assert_eq!(order.len(), 10_001);
        let ours = order.iter().rfind(|dn| **dn != other.dn).expect("many");
        let policy = format!("CN=Default,{POLICIES}");
        for (attribute, value) in [
            ("mailNickname", "ours"),
            ("msExchUMEnabledFlags", "1"),
            ("msExchUMTemplateLink", &policy),
        ] {
            administrator.replace(ours, attribute, &[value.as_bytes()]);
        }
        Host::new(lab).set_pin("ours", "739152");
        let place = with_values(lab).iter().position(|dn| dn == ours);
        assert!(place > Some(AT_ONCE), "the record is at {place:?}");

        let keys = tempfile::tempdir().expect("a temporary directory");
        let wrong = keys.path().join("wrong.key");
        fs::write(&wrong, [7; 32]).expect("a key");
        fs::set_permissions(&wrong, fs::Permissions::from_mode(0o600)).expect("a mode");
        let left = administrator.value(&other.dn, RECORD);
        let host = Host::with(lab, UM, |configuration| {
            through(configuration);
            configuration["keys"]["k1"] = json!(wrong);
        });
        for _ in 0..2 {
            let error = host
                .reset(json!({ "identity": other.alias }), None)
                .err()
                .expect("another key");
            says(&error, ErrorCode::KeyUnavailable, &["not configured"]);
        }
        assert_eq!(
            relay.count(Operation::MODIFY),
            0,
            "something was written under a wrong key"
        );
        assert_eq!(administrator.value(&other.dn, RECORD), left);

        // With the right key the check runs once per session, with few searches.
        let host = Host::with(lab, UM, through);
        relay.forget();
        let begun = Instant::now();
        host.begin();
        host.reset(json!({ "identity": other.alias }), None).expect("a reset");
        let (first, took) = (relay.count(Operation::SEARCH), begun.elapsed());
        let pages = 10_000 / AT_ONCE;
        assert!(first <= pages + 16, "{first} searches by the first command");
        relay.forget();
        host.begin();
        host.reset(json!({ "identity": other.alias }), None).expect("a reset");
        assert_eq!(
            relay.count(Operation::SEARCH),
            2,
            "searches by the second command: the policies and the mailbox"
        );
        println!("the first command of a session: {first} searches in {took:?}");
    });
}
