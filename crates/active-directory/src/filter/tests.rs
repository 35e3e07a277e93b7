//! What is asked parses, asks by equality alone, and asks for what was typed.

use ldap3::asn1::{ASNTag as _, PL, StructureTag};
use ldap3::parse_filter;
use proptest::prelude::*;

use super::*;

const AND: u64 = 0;
const OR: u64 = 1;
const EQUALITY: u64 = 3;
const SUBSTRINGS: u64 = 4;

fn parsed(filter: &str) -> StructureTag {
    let Ok(tag) = parse_filter(filter) else {
        panic!("not a filter: {filter}");
    };
    tag.into_structure()
}

fn parts(tag: StructureTag) -> Vec<StructureTag> {
    match tag.payload {
        PL::C(parts) => parts,
        PL::P(_) => panic!("no parts in {tag:?}"),
    }
}

fn bytes(tag: &StructureTag) -> &[u8] {
    match &tag.payload {
        PL::P(bytes) => bytes,
        PL::C(_) => panic!("no value in {tag:?}"),
    }
}

/// The alternatives behind the restriction to users, which every filter must have.
fn alternatives(filter: &str) -> Vec<StructureTag> {
    let tag = parsed(filter);
    assert_eq!(tag.id, AND, "{filter}");
    let mut all = parts(tag);
    assert_eq!(all.len(), 3, "{filter}");
    let choice = all.remove(0);
    for (part, expected) in all
        .into_iter()
        .zip([["objectCategory", "person"], ["objectClass", "user"]])
    {
        assert_eq!(part.id, EQUALITY, "{filter}");
        let sides: Vec<Vec<u8>> = parts(part).iter().map(|side| bytes(side).to_vec()).collect();
        assert_eq!(sides, expected.map(str::as_bytes), "{filter}");
    }
    assert_eq!(choice.id, OR, "{filter}");
    parts(choice)
}

/// Attribute and value of every alternative, all of which must be equalities.
fn equalities(filter: &str) -> Vec<(String, Vec<u8>)> {
    alternatives(filter)
        .into_iter()
        .map(|part| {
            assert_eq!(part.id, EQUALITY, "{filter}");
            let sides = parts(part);
            let attribute = String::from_utf8(bytes(&sides[0]).to_vec()).expect("an attribute's name");
            (attribute, bytes(&sides[1]).to_vec())
        })
        .collect()
}

fn asked(text: &str) -> Vec<(String, String)> {
    let filter = of_identity(&Identity::parse(text).expect("an identity")).expect("a filter");
    equalities(&filter)
        .into_iter()
        .map(|(attribute, value)| {
            let value = String::from_utf8(value.clone()).unwrap_or_else(|_| format!("{value:02x?}"));
            (attribute, value)
        })
        .collect()
}

fn values(text: &str, attribute: &str) -> Vec<String> {
    let of_attribute = asked(text).into_iter().filter(|(name, _)| name == attribute);
    of_attribute.map(|(_, value)| value).collect()
}

#[test]
fn each_form_asks_for_its_attribute() {
    for (text, attribute, value) in [
        (
            "cn = \"Smith, Tony\" ; DC=contoso,dc=com",
            "distinguishedName",
            r"cn=Smith\, Tony,dc=contoso,dc=com",
        ),
        ("contoso.com/Sales/Smith, Tony", "name", "Smith, Tony"),
        (r"contoso.com/Sales/A\/B", "name", "A/B"),
        (r"CONTOSO\Tony", "sAMAccountName", "Tony"),
        ("tony@contoso.com", "userPrincipalName", "tony@contoso.com"),
        ("tony@contoso.com", "proxyAddresses", "smtp:tony@contoso.com"),
        ("tony@contoso.com", "mail", "tony@contoso.com"),
        ("SMTP:tony@contoso.com", "proxyAddresses", "smtp:tony@contoso.com"),
        ("/o=Contoso/cn=tony", "legacyExchangeDN", "/o=Contoso/cn=tony"),
        ("X500:/o=Contoso/cn=tony", "legacyExchangeDN", "/o=Contoso/cn=tony"),
        ("/o=Contoso/cn=tony", "proxyAddresses", "x500:/o=Contoso/cn=tony"),
        ("Tony", "mailNickname", "Tony"),
        ("Tony", "sAMAccountName", "Tony"),
        ("Tony (Sales)*", "name", "Tony (Sales)*"),
    ] {
        let values = values(text, attribute);
        assert!(values.iter().any(|v| v == value), "{text}: {attribute}={values:?}");
    }
}

#[test]
fn a_guid_is_asked_for_by_its_bytes() {
    let filter = of_identity(&Identity::parse("{0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0}").expect("an identity"));
    let asked = equalities(&filter.expect("a filter"));
    let expected = [
        0x3c, 0x2d, 0x1e, 0x0f, 0x5a, 0x4b, 0x78, 0x69, 0x87, 0x96, 0xa5, 0xb4, 0xc3, 0xd2, 0xe1, 0xf0,
    ];
    for attribute in ["objectGUID", "msExchMailboxGuid"] {
        assert!(
            asked
                .iter()
                .any(|(name, value)| name == attribute && *value == expected),
            "{attribute} in {asked:02x?}"
        );
    }
    assert_eq!(equalities(&of_ids(&[ObjectId([7; 16])])).len(), 1);
}

#[test]
fn spellings_that_fold_differently_are_both_asked_for() {
    assert_eq!(values("Straße", "name"), ["Straße", "strasse"]);
    assert_eq!(values("ZOË", "name"), ["ZOË", "zoë"]);
    assert_eq!(values("Tony", "name"), ["Tony"]);
}

#[test]
fn what_is_too_long_for_any_value_is_not_asked_for() {
    let long = Identity::parse(&"x".repeat(LONGEST + 1)).expect("an identity");
    assert_eq!(of_identity(&long), None);
    assert!(of_identity(&Identity::parse(&"x".repeat(255)).expect("an identity")).is_some());
}

#[test]
fn an_extension_is_asked_for_with_and_without_its_dial_plan() {
    for number in ["4271", " 42-71 ", "+4271"] {
        let all = alternatives(&of_extension(number).expect("a filter"));
        let kinds: Vec<u64> = all.iter().map(|part| part.id).collect();
        assert_eq!(kinds, [SUBSTRINGS, EQUALITY, SUBSTRINGS, EQUALITY], "{number}");
    }
    for number in ["", "*", "4*", "42)(cn=71", "tony@contoso.com", "٤٢"] {
        assert_eq!(of_extension(number), None, "{number}");
    }
}

#[test]
fn listings_ask_for_mailboxes() {
    let enabled = of_mailboxes(MailboxFilter { um_enabled_only: true });
    assert!(
        enabled.contains(&format!("(msExchUMEnabledFlags:{BIT_AND}:=1)")),
        "{enabled}"
    );
    parsed(&enabled);
    let all = alternatives(&of_mailboxes(MailboxFilter::default()));
    assert_eq!(all.len(), MAILBOX_ATTRIBUTES.len());
}

/// What breaks filters and names: their own characters, halves of escapes, other alphabets.
fn hostile() -> impl Strategy<Value = String> {
    let pieces = prop::sample::select(vec![
        "*",
        "(",
        ")",
        "\\",
        "\\2a",
        "\\zz",
        "|",
        "&",
        "!",
        "=",
        ",",
        "#",
        "\"",
        ";",
        "+",
        "<",
        ">",
        "/",
        ":",
        "@",
        " ",
        "\r\n",
        "cn=",
        "dc=contoso",
        "smtp:",
        "x500:",
        "CONTOSO\\",
        "contoso.com/",
        "tony",
        "Straße",
        "ÅSA",
        "\u{30a}",
        "😀",
        "\u{7f}",
        ")(objectClass=*",
        "*)(|(cn=*",
    ]);
    prop_oneof![
        3 => prop::collection::vec(pieces, 1..12).prop_map(|pieces| pieces.concat()),
        1 => proptest::arbitrary::any::<String>(),
    ]
}

/// Whether a value, but for its case, is one of those that the identity is compared by.
fn is_of(identity: &Identity, attribute: &str, value: &[u8]) -> bool {
    let value = String::from_utf8_lossy(value);
    let value = match attribute {
        "objectGUID" | "msExchMailboxGuid" => {
            return identity.lookup_keys().iter().any(|p| p.kind == LookupKeyKind::Guid);
        }
        "distinguishedName" => DistinguishedName::parse(&value).expect("a name").comparable(),
        "proxyAddresses" => fold(after(&value, ':').expect("a prefix")),
        _ => fold(&value),
    };
    identity.lookup_keys().iter().any(|key| match key.kind {
        LookupKeyKind::CanonicalName => attribute == "name" && fold(&canonical_leaf(&key.value)) == squeezed(&value),
        LookupKeyKind::Account => after(&key.value, '\\') == Some(value.as_str()),
        _ => key.value == value,
    })
}

fn squeezed(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

proptest! {
    #[test]
    fn whatever_is_typed_is_only_ever_compared(text in hostile()) {
        let Ok(identity) = Identity::parse(&text) else { return Ok(()) };
        let Some(filter) = of_identity(&identity) else { return Ok(()) };
        for (attribute, value) in equalities(&filter) {
            prop_assert!(is_of(&identity, &attribute, &value), "{attribute}={value:02x?} in {filter}");
        }
    }

    #[test]
    fn a_name_without_marks_is_asked_for_as_it_is(text in "[A-Za-z0-9 ()*!&|#=]{1,40}") {
        let trimmed = text.trim();
        prop_assume!(!trimmed.is_empty());
        let names: Vec<String> = values(trimmed, "name");
        prop_assert!(names.iter().any(|name| name == trimmed), "{names:?}");
    }

    #[test]
    fn no_number_widens_the_question(number in hostile()) {
        if let Some(filter) = of_extension(&number) {
            for part in alternatives(&filter) {
                let sides = parts(part);
                prop_assert_eq!(bytes(&sides[0]), b"proxyAddresses");
            }
        }
    }
}
