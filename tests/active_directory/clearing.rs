//! Clearing a PIN in Active Directory.

use serde_json::{Value, json};
use umpin::ErrorCode;

use crate::harness::shared;
use crate::host::Host;

const RECORD: &str = "msExchUMPinChecksum";
const COUNTER: &str = "extensionAttribute15";
/// Like a checksum of Exchange.
const CHECKSUM: &[u8] = b"\x01\x00\x00 of Exchange";

fn clear(host: &Host, identity: &str) -> Value {
    let answer = host.request(json!({ "operation": "clearPin", "identity": identity }));
    answer.unwrap_or_else(|error| panic!("{identity}: {error:?} {:?}", error.details()))
}

fn ids(answer: &Value) -> Vec<&str> {
    let warnings = answer["warnings"].as_array().expect("warnings");
    warnings.iter().filter_map(|warning| warning["id"].as_str()).collect()
}

#[test]
fn clearing_empties_both_attributes_and_is_not_a_lost_update() {
    shared(|lab| {
        let (host, mailbox) = (Host::new(lab), lab.mailbox("clearing-both"));
        let administrator = lab.dc1().administrator();
        host.set_pin(&mailbox.alias, "739152");
        assert_eq!(host.sign_in(&mailbox.alias, "482913"), "rejected");
        let looked = host.request(json!({ "operation": "clearPin", "identity": mailbox.alias, "whatIf": true }));
        assert_eq!(looked.expect("a look")["hadCounter"], true);
        assert!(
            administrator.value(&mailbox.dn, RECORD).is_some(),
            "-WhatIf changes nothing"
        );

        let cleared = clear(&host, &mailbox.alias);
        assert_eq!(
            (&cleared["hadRecord"], &cleared["hadCounter"]),
            (&json!(true), &json!(true))
        );
        for attribute in [RECORD, COUNTER] {
            assert_eq!(administrator.value(&mailbox.dn, attribute), None, "{attribute}");
        }
        let audit = host
            .request(json!({ "operation": "audit", "action": "ClearPin" }))
            .expect("the audit");
        assert_eq!(audit["items"].as_array().expect("items").len(), 1, "{audit}");
        assert_eq!(audit["items"][0]["succeeded"], true, "{audit}");
        assert_eq!(
            audit["items"][0]["target"], "contoso.com/Tests/clearing-both",
            "{audit}"
        );

        assert_eq!(host.sign_in(&mailbox.alias, "739152"), "rejected");
        let info = host
            .request(json!({ "operation": "pinInfo", "identity": mailbox.alias }))
            .expect("a look");
        assert_eq!(ids(&info), [""; 0], "the reset is not lost, but cleared: {info}");
        assert_eq!(info["items"][0]["lastSet"], Value::Null, "{info}");
        host.set_pin(&mailbox.alias, "739152");
        assert_eq!(host.sign_in(&mailbox.alias, "739152"), "accepted");
    });
}

#[test]
fn clearing_removes_a_damaged_record_and_keeps_a_value_of_exchange() {
    shared(|lab| {
        let (host, mailbox) = (Host::new(lab), lab.mailbox("clearing-damaged"));
        let administrator = lab.dc1().administrator();
        host.set_pin(&mailbox.alias, "739152");
        let mut record = administrator.value(&mailbox.dn, RECORD).expect("a record");
        *record.last_mut().expect("a byte") ^= 1;
        administrator.replace(&mailbox.dn, RECORD, &[&record]);
        let error = host.refusal(json!({ "identity": mailbox.alias }), None);
        assert_eq!(error.code(), ErrorCode::StoreCorrupt, "{error:?}");
        assert!(error.recommended_action().contains("Clear-UMMailboxPIN"), "{error:?}");
        assert_eq!(clear(&host, &mailbox.alias)["hadRecord"], true);
        assert_eq!(administrator.value(&mailbox.dn, RECORD), None);

        administrator.replace(&mailbox.dn, RECORD, &[CHECKSUM]);
        let cleared = clear(&host, &mailbox.alias);
        assert_eq!(
            (&cleared["hadRecord"], ids(&cleared)),
            (&json!(false), vec!["ForeignValueLeft"])
        );
        assert_eq!(administrator.value(&mailbox.dn, RECORD).as_deref(), Some(CHECKSUM));
        host.set_pin(&mailbox.alias, "739152");
    });
}
