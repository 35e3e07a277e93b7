//! Mapping of entries to mailboxes.

use super::*;
use crate::forest::tests::forest;

fn entry(attributes: &[(&str, &[u8])]) -> Entry {
    Entry {
        dn: "CN=Tony Smith,OU=Sales,DC=contoso,DC=com".to_owned(),
        attributes: attributes
            .iter()
            .map(|(name, value)| (name.to_ascii_lowercase(), value.to_vec()))
            .collect(),
    }
}

const GUID: [u8; 16] = [
    0x3c, 0x2d, 0x1e, 0x0f, 0x5a, 0x4b, 0x78, 0x69, 0x87, 0x96, 0xa5, 0xb4, 0xc3, 0xd2, 0xe1, 0xf0,
];

/// Tony, with more.
fn tony(more: &[(&str, &[u8])]) -> Entry {
    let mut all: Vec<(&str, &[u8])> = vec![
        ("objectClass", b"top"),
        ("objectClass", b"user"),
        ("objectGUID", &GUID),
        ("cn", b"Tony Smith"),
        ("sAMAccountName", b"tonys"),
        ("mailNickname", b"tony"),
    ];
    all.extend_from_slice(more);
    entry(&all)
}

fn parse(entry: &Entry) -> Option<MailboxEntry> {
    MailboxEntry::of(entry, "dc1.contoso.com", &forest())
}

fn names(entry: &Entry, text: &str) -> bool {
    let parse = parse(entry).expect("a mailbox");
    parse.matches_identity(&Identity::parse(text).expect("an identity"))
}

#[test]
fn attributes_are_mapped_to_properties() {
    let parse = parse(&tony(&[
        ("displayName", b"Tony"),
        ("proxyAddresses", b"smtp:ts@contoso.com"),
        ("proxyAddresses", b"SMTP:tony@contoso.com"),
        ("proxyAddresses", b"eum:4271;phone-context=Main.contoso.com"),
        ("proxyAddresses", b"smtp:not an address"),
        ("msExchUMEnabledFlags", b"-1"),
        (
            "msExchUMTemplateLink",
            b"CN=Sales Policy,CN=UM Mailbox Policies,DC=contoso,DC=com",
        ),
        ("preferredLanguage", b"de-AT"),
        ("msExchUMPinChecksum", b"UMP\x01 record"),
        ("extensionAttribute15", b"VU1QASBjb3VudGVy"),
    ]));
    let found = parse.expect("a mailbox").found;
    let mailbox = &found.mailbox;
    assert_eq!(mailbox.guid.to_string(), "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0");
    assert_eq!(mailbox.object_id.0, *mailbox.guid.as_bytes());
    assert_eq!(mailbox.identity(), "contoso.com/Sales/Tony Smith");
    assert_eq!(mailbox.primary_smtp_address.as_deref(), Some("tony@contoso.com"));
    // An invalid address is left out; the mailbox stays usable.
    assert_eq!(
        mailbox.email_addresses,
        [
            "SMTP:tony@contoso.com",
            "smtp:ts@contoso.com",
            "eum:4271;phone-context=Main.contoso.com"
        ]
    );
    assert_eq!(mailbox.extensions[0].number, "4271");
    assert!(mailbox.um_enabled);
    assert_eq!(mailbox.um_mailbox_policy.as_deref(), Some("Sales Policy"));
    assert_eq!(found.controller.as_deref(), Some("dc1.contoso.com"));
    let stored = found.stored.expect("ours");
    assert_eq!(stored.record.as_deref(), Some(&b"UMP\x01 record"[..]));
    assert_eq!(stored.counter.as_deref(), Some(&b"UMP\x01 counter"[..]));
}

#[test]
fn entries_that_are_not_mailboxes_are_ignored() {
    for (what, entry) in [
        (
            "no mail",
            entry(&[("objectClass", b"user"), ("objectGUID", &GUID), ("cn", b"x")]),
        ),
        ("a computer", tony(&[("objectClass", b"computer")])),
        ("a contact", tony(&[("objectClass", b"contact")])),
        (
            "a group",
            entry(&[
                ("objectClass", b"group"),
                ("objectGUID", &GUID),
                ("mail", b"g@contoso.com"),
            ]),
        ),
        ("nobody", entry(&[("objectClass", b"user"), ("mail", b"x@contoso.com")])),
    ] {
        assert!(parse(&entry).is_none(), "{what}");
    }
}

#[test]
fn the_netbios_name_is_read_from_the_forest() {
    let tony = tony(&[]);
    assert!(names(&tony, r"CORP\tonys"));
    // The first label may be another domain's NetBIOS name.
    assert!(!names(&tony, r"contoso\tonys"));
    let elsewhere = Entry {
        dn: "CN=Tony Smith,DC=emea,DC=fabrikam,DC=com".to_owned(),
        ..tony.clone()
    };
    assert!(!names(&elsewhere, r"CORP\tonys"));
    assert!(
        names(&elsewhere, r"emea\tonys"),
        "for an unknown domain the first label is used"
    );
}

#[test]
fn the_mailbox_guid_is_a_look_up_key() {
    let own = uuid::Uuid::from_u128(42);
    let with = tony(&[("msExchMailboxGuid", &own.to_bytes_le())]);
    assert!(names(&with, &own.to_string()));
    assert!(names(&with, "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"));
    let nil = tony(&[("msExchMailboxGuid", &[0; 16])]);
    assert!(!names(&nil, &Uuid::nil().to_string()), "no mailbox has been made yet");
}

#[test]
fn the_name_of_a_conflict_object_is_on_one_line() {
    let name = "Tony Smith\nCNF:0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0";
    let mut entry = entry(&[
        ("objectClass", b"user"),
        ("objectGUID", &GUID),
        ("cn", name.as_bytes()),
        ("name", name.as_bytes()),
        ("mailNickname", b"tony"),
    ]);
    entry.dn = r"CN=Tony Smith\0ACNF:0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0,DC=contoso,DC=com".to_owned();
    let found = parse(&entry).expect("a mailbox").found;
    assert_eq!(
        found.mailbox.name,
        "Tony Smith\u{FFFD}CNF:0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"
    );
}

#[test]
fn foreign_values_are_not_sealed_values() {
    let found = |more: &[(&str, &[u8])]| parse(&tony(more)).expect("a mailbox").found;
    let count: (&str, &[u8]) = ("extensionAttribute15", b"VU1QAQ==");
    let checksum = found(&[("msExchUMPinChecksum", b"\x01\x00UMP"), count]);
    assert_eq!(checksum.stored.expect("both are there").record, None);
    assert_eq!(
        record_attribute(&tony(&[("msExchUMPinChecksum", b"\x01")])),
        AttributeValue::Foreign(vec![1])
    );
    let record: (&str, &[u8]) = ("msExchUMPinChecksum", b"UMP\x01");
    let counter_attribute_in_use = found(&[record, ("extensionAttribute15", b"Room 12")]);
    assert_eq!(
        counter_attribute_in_use.stored, None,
        "reported when the values are read"
    );
}

#[test]
fn an_absent_value_is_not_assumed_from_the_entry() {
    let stored = |more: &[(&str, &[u8])]| parse(&tony(more)).expect("a mailbox").found.stored;
    let record: (&str, &[u8]) = ("msExchUMPinChecksum", b"UMP\x01");
    let count: (&str, &[u8]) = ("extensionAttribute15", b"VU1QAQ==");
    assert_eq!(stored(&[]), None);
    assert_eq!(stored(&[record]), None);
    assert_eq!(stored(&[count]), None);
    assert!(stored(&[record, count]).is_some());
}
