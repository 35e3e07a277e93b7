//! Whatever an administrator may type for a mailbox finds that mailbox, and nothing that may be typed does harm.

use std::time::Instant;

use proptest::prelude::*;
use umpin::identity::fold::fold;
use umpin::identity::{DistinguishedName, Identity, LookupKeyKind, lookup_keys};
use umpin::mailbox::{Mailbox, ObjectId};
use uuid::Uuid;

fn tony() -> Mailbox {
    Mailbox {
        object_id: ObjectId([7; 16]),
        guid: Uuid::from_u128(0x0f1e_2d3c_4b5a_6978_8796_a5b4_c3d2_e1f0),
        distinguished_name: DistinguishedName::parse(r"CN=Smith\, Tony,OU=R/D,DC=contoso,DC=com"),
        name: "Smith, Tony".to_owned(),
        display_name: Some("Tony".to_owned()),
        alias: Some("tonys".to_owned()),
        sam_account_name: Some("TonyS".to_owned()),
        user_principal_name: Some("tony@corp.contoso.com".to_owned()),
        primary_smtp_address: Some("Tony.Smith@contoso.com".to_owned()),
        email_addresses: vec![
            "SMTP:Tony.Smith@contoso.com".to_owned(),
            "smtp:tony@fabrikam.com".to_owned(),
            "Smtp: müller@contoso.com".to_owned(),
            "eum:4271;phone-context=Redmond.contoso.com".to_owned(),
            "X500:/o=Fabrikam/cn=Recipients/cn=tony".to_owned(),
        ],
        legacy_exchange_dn: Some("/o=Contoso/ou=First/cn=Recipients/cn=tonys".to_owned()),
        um_enabled: true,
        extensions: Vec::new(),
        um_mailbox_policy: Some("Default".to_owned()),
        um_mailbox_policy_link: None,
        preferred_language: None,
    }
}

fn finds(text: &str, mailbox: &Mailbox) -> bool {
    let stored = lookup_keys(mailbox);
    let identity = Identity::parse(text).unwrap();
    identity.lookup_keys().iter().any(|key| stored.contains(key))
}

#[test]
fn every_documented_form_finds_the_mailbox() {
    for text in [
        "0F1E2D3C-4B5A-6978-8796-A5B4C3D2E1F0",
        "{0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0}",
        r"cn=smith\2C tony, ou=r/d, dc=contoso, dc=com",
        r"contoso.com/R\/D/Smith, Tony",
        r"CONTOSO.COM/r\/d/smith, tony/",
        r"CONTOSO\tonys",
        "TONY@CORP.CONTOSO.COM",
        "tony.smith@contoso.com",
        "tony@FABRIKAM.com",
        "smtp:tony@fabrikam.com",
        "MÜLLER@contoso.com",
        "mu\u{308}ller@contoso.com",
        "/O=CONTOSO/OU=FIRST/CN=RECIPIENTS/CN=TONYS",
        "x500:/o=Fabrikam/cn=Recipients/cn=tony",
        "/o=fabrikam/cn=recipients/cn=tony",
        "TONYS",
        "  smith, tony ",
    ] {
        assert!(finds(text, &tony()), "{text}");
    }
    assert!(finds(&tony().identity(), &tony()));
}

#[test]
fn nothing_else_does() {
    for text in [
        "*",
        "tony*",
        "%",
        // The display name is no identity.
        "Tony",
        "4271",
        "4271;phone-context=Redmond.contoso.com",
        "eum:4271",
        "@contoso.com",
        r"FABRIKAM\tonys",
        r"contoso\tony",
        "CN=Tony,DC=contoso,DC=com",
        "OU=R/D,DC=contoso,DC=com",
        "contoso.com/R/D/Smith, Tony",
        "contoso.com",
        "00000000-0000-0000-0000-000000000000",
    ] {
        assert!(!finds(text, &tony()), "{text}");
    }
}

#[test]
fn probes_are_sorted_unique_and_never_empty() {
    let mut mailbox = tony();
    mailbox.alias = Some(" ".to_owned());
    mailbox.email_addresses.push("smtp:".to_owned());
    mailbox.email_addresses.push("smtp:TONY.SMITH@contoso.com".to_owned());
    let keys = lookup_keys(&mailbox);
    assert!(keys.windows(2).all(|w| w[0] < w[1]));
    assert!(keys.iter().all(|p| !p.value.is_empty()));
    assert!(keys.iter().all(|p| p.kind != LookupKeyKind::Alias));
    let smtp = keys.iter().filter(|p| p.kind == LookupKeyKind::SmtpAddress);
    assert_eq!(smtp.count(), 3);
}

/// Time may grow with the text, not with its square: megabytes are parsed in what a quadratic parser needs for a moment.
#[test]
fn long_texts_are_parsed_in_linear_time() {
    let started = Instant::now();
    for unit in [
        "CN=a,", "CN=a+", "\\", "\\,", "\"", "#", "=", "a/", "\\/", ",", " ", "ﬁ", "CN=\\ ",
    ] {
        let text = format!("CN={}", unit.repeat(1_000_000 / unit.len()));
        let identity = Identity::parse(&text).unwrap();
        assert!(identity.lookup_keys().len() >= 3);
        if let Some(dn) = DistinguishedName::parse(&text) {
            let _ = (dn.canonical_name(), dn.relative_name(), dn.is_within(&dn));
        }
    }
    assert!(started.elapsed().as_secs() < 60, "{:?}", started.elapsed());
}

/// How a value may be written, chosen by random bytes: escaped by a backslash, in hex, quoted, as BER.
fn written(value: &str, choices: &[u8]) -> String {
    let mut choices = choices.iter().copied().cycle();
    let mut choose = || choices.next().unwrap_or(0);
    match choose() % 4 {
        0 => format!("\"{}\"", value.replace('\\', r"\\").replace('"', "\\\"")),
        1 if value.len() < 128 => {
            let hex: String = value.bytes().map(|b| format!("{b:02X}")).collect();
            format!("#0C{:02x}{hex}", value.len())
        }
        _ => {
            let last = value.chars().count().saturating_sub(1);
            let escape = |(place, c): (usize, char)| {
                let at_the_edge = place == 0 || place == last;
                let must = matches!(c, '"' | '+' | ',' | ';' | '<' | '>' | '\\' | '\0')
                    || c == '#' && place == 0
                    || matches!(c, ' ' | '\t' | '\r' | '\n') && at_the_edge;
                let by_backslash = c.is_ascii_punctuation() && "\"+,;<>\\#=/".contains(c);
                match choose() % 3 {
                    0 if !must => c.to_string(),
                    1 if by_backslash => format!("\\{c}"),
                    _ => c.to_string().bytes().map(|b| format!("\\{b:02x}")).collect(),
                }
            };
            value.chars().enumerate().map(escape).collect()
        }
    }
}

fn spaces(choice: u8) -> &'static str {
    ["", " ", "  ", "\t"][usize::from(choice % 4)]
}

const TYPES: [[&str; 3]; 5] = [
    ["CN", "2.5.4.3", "commonName"],
    ["OU", "OID.2.5.4.11", "organizationalUnitName"],
    ["DC", "0.9.2342.19200300.100.1.25", "domainComponent"],
    ["O", "oid.2.5.4.10", "organizationName"],
    ["UID", "0.9.2342.19200300.100.1.1", "userId"],
];

type Parts = Vec<(usize, String)>;

fn write_dn(parts: &Parts, choices: &[u8], swap_case: bool) -> String {
    let mut bytes = choices.iter().copied().cycle();
    let mut choose = || bytes.next().unwrap_or(0);
    let rdns: Vec<String> = parts
        .iter()
        .map(|(kind, value)| {
            let kind = TYPES[*kind][usize::from(choose() % 3)];
            let kind = if swap_case {
                kind.to_lowercase()
            } else {
                kind.to_owned()
            };
            let value = if swap_case {
                value.to_ascii_uppercase()
            } else {
                value.clone()
            };
            let own = [choose(), choose(), choose()];
            let (a, b, c, d) = (choose(), choose(), choose(), choose());
            format!(
                "{}{kind}{}={}{}{}",
                spaces(a),
                spaces(b),
                spaces(c),
                written(&value, &own),
                spaces(d)
            )
        })
        .collect();
    rdns.join([",", ";"][usize::from(choose() % 2)])
}

fn any_parts() -> impl Strategy<Value = Parts> {
    proptest::collection::vec((0..TYPES.len(), "[a-zß ,+=\"#\\\\/;<>é\t0-9]{1,8}|\\PC{1,6}"), 1..6)
}

proptest! {
    #[test]
    fn how_a_dn_is_written_does_not_matter(
        parts in any_parts(),
        one in proptest::collection::vec(any::<u8>(), 1..40),
        other in proptest::collection::vec(any::<u8>(), 1..40),
    ) {
        let (one, other) = (write_dn(&parts, &one, false), write_dn(&parts, &other, true));
        let parse = |text: &str| DistinguishedName::parse(text).ok_or_else(|| TestCaseError::fail(text.to_owned()));
        let (one, other) = (parse(&one)?, parse(&other)?);
        prop_assert_eq!(one.comparable(), other.comparable());
        prop_assert!(one.is_within(&other));
        // The comparable form is a name of the same object.
        prop_assert_eq!(parse(&one.comparable())?.comparable(), one.comparable());
    }

    #[test]
    fn unescaping_gives_the_value_back(parts in any_parts(), choices in proptest::collection::vec(any::<u8>(), 1..40)) {
        let text = write_dn(&parts, &choices, false);
        let dn = DistinguishedName::parse(&text).ok_or_else(|| TestCaseError::fail(text))?;
        prop_assert_eq!(dn.relative_name(), parts[0].1.as_str());
    }

    #[test]
    fn a_mailbox_is_found_by_its_dn_and_its_canonical_name(parts in any_parts(), choices in proptest::collection::vec(any::<u8>(), 1..40)) {
        let mut parts = parts;
        parts.extend([(2, "contoso".to_owned()), (2, "com".to_owned())]);
        let mailbox = Mailbox {
            distinguished_name: DistinguishedName::parse(&write_dn(&parts, &[2, 2], false)),
            ..tony()
        };
        prop_assert!(mailbox.distinguished_name.is_some());
        let stored = lookup_keys(&mailbox);
        let found_as = |text: &str, kind| {
            let identity = Identity::parse(text).unwrap();
            identity.lookup_keys().iter().any(|p| p.kind == kind && stored.contains(p))
        };
        prop_assert!(found_as(&write_dn(&parts, &choices, true), LookupKeyKind::DistinguishedName));
        // A name of the domain alone would be the domain's, not a mailbox's.
        if parts.iter().any(|(kind, _)| *kind != 2) {
            prop_assert!(found_as(&mailbox.identity(), LookupKeyKind::CanonicalName));
        }
    }

    #[test]
    fn any_text_property_finds_its_mailbox(value in "\\PC{1,20}", upper: bool) {
        prop_assume!(!value.trim().is_empty());
        let typed = if upper { value.to_ascii_uppercase() } else { value.clone() };
        let name = Mailbox { name: value.clone(), ..tony() };
        let alias = Mailbox { alias: Some(value.clone()), ..tony() };
        let account = Mailbox { sam_account_name: Some(value.clone()), ..tony() };
        for mailbox in [name, alias, account] {
            prop_assert!(finds(&typed, &mailbox));
        }
        let upn = Mailbox { user_principal_name: Some(format!("u{value}@contoso.com")), ..tony() };
        let (upn_typed, proxy_typed) = (format!("U{typed}@CONTOSO.com"), format!(" SmTp:{typed}@contoso.COM"));
        prop_assert!(finds(&upn_typed, &upn));
        let proxy = Mailbox { email_addresses: vec![format!("smtp:{value}@contoso.com")], ..tony() };
        prop_assert!(finds(&proxy_typed, &proxy));
    }

    #[test]
    fn folding_twice_changes_nothing(text in "\\PC*|[\u{300}-\u{345}α-ωᾀ-ᾼA-Z\u{1E9E}İı ]{0,12}") {
        let folded = fold(&text);
        prop_assert_eq!(fold(&folded), folded.clone());
        prop_assert_eq!(fold(&format!(" {text}\t")), folded);
    }

    #[test]
    fn any_text_is_parsed_without_panic(text in any::<String>(), marks in "[CcNn=,+;\"#\\\\<> /@{}()0-9a-f:.\u{e9}-]{0,40}") {
        for text in [text.clone(), marks.clone(), format!("CN={marks}"), format!("{text}{marks}"), format!("smtp:{text}")] {
            match Identity::parse(&text) {
                Ok(identity) => {
                    prop_assert_eq!(identity.text(), text.trim());
                    prop_assert!(identity.lookup_keys().windows(2).all(|w| w[0] < w[1]));
                    for kind in [LookupKeyKind::Alias, LookupKeyKind::SamAccountName, LookupKeyKind::Name] {
                        prop_assert!(identity.lookup_keys().iter().any(|p| p.kind == kind));
                    }
                }
                Err(_) => prop_assert!(text.trim().is_empty() || text.contains('\0')),
            }
            if let Some(dn) = DistinguishedName::parse(&text) {
                let again = DistinguishedName::parse(&dn.comparable()).map(|dn| dn.comparable());
                prop_assert_eq!(again, Some(dn.comparable()));
                let _ = (dn.canonical_name(), dn.first_domain_component(), dn.relative_name());
                prop_assert!(dn.is_within(&dn));
            }
        }
    }
}
