//! Arbitrary input is found or not found: no filter syntax errors, no other mailbox.

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use umpin::directory::{Directory as _, Matches, Route};
use umpin::identity::{Identity, lookup_keys};

use crate::directory_port::{directory, find, find_one, names};
use crate::harness::{BASE, UM, shared};

/// A name, and its escaped form in a DN.
const AWKWARD: [(&str, &str); 8] = [
    (r#"O'Brien, "Rob" #1"#, r#"O'Brien\, \"Rob\" #1"#),
    ("#hash", r"\#hash"),
    ("(*)(cn=*)|&!", r"(*)(cn\=*)|&!"),
    (r"back\slash", r"back\\slash"),
    ("a/b<c>;d=e+f", r"a/b\<c\>\;d\=e\+f"),
    (" leading", r"\ leading"),
    ("two  spaces", "two  spaces"),
    ("Ünïcödé 😀", "Ünïcödé 😀"),
];

#[test]
fn names_with_special_characters_are_found() {
    shared(|lab| {
        let directory = directory(lab, &UM);
        let administrator = lab.dc1().administrator();
        for (n, (name, value)) in AWKWARD.into_iter().enumerate() {
            let alias = format!("injection-{n}");
            administrator.add(
                &format!("CN={value},OU=Tests,{BASE}"),
                &[
                    ("objectClass", &[b"user"]),
                    ("sAMAccountName", &[alias.as_bytes()]),
                    ("mailNickname", &[alias.as_bytes()]),
                ],
            );
            let dn = find_one(&directory, &alias).mailbox.distinguished_name.expect("a name");
            let canonical = dn.canonical_name().expect("of a domain");
            for text in [
                name,
                &name.to_uppercase(),
                dn.as_str(),
                &dn.normalized(),
                &dn.comparable(),
                &format!("CN={value},OU=Tests,{BASE}"),
                &canonical,
                &canonical.to_lowercase(),
            ] {
                let matches = find(&directory, text, Route::Preferred);
                let aliases: Vec<_> = matches.found.iter().map(|f| f.mailbox.alias.clone()).collect();
                assert_eq!(aliases, [Some(alias.clone())], "{text:?} for {name:?}");
            }
        }
    });
}

#[test]
fn values_of_255_characters_are_compared_in_full() {
    shared(|lab| {
        let directory = directory(lab, &UM);
        let administrator = lab.dc1().administrator();
        let mailbox = lab.mailbox("injection-long");
        let local = "l".repeat(255 - "@contoso.com".len());
        let address = format!("{local}@contoso.com");
        let legacy = format!("/o=Contoso/cn={}", "ö".repeat(241));
        administrator.replace(&mailbox.dn, "userPrincipalName", &[address.as_bytes()]);
        administrator.replace(&mailbox.dn, "legacyExchangeDN", &[legacy.as_bytes()]);
        for text in [&address, &legacy] {
            assert_eq!(text.chars().count(), 255);
            assert_eq!(find_one(&directory, text).mailbox.name, "injection-long");
            let shorter: String = text.chars().take(254).collect();
            assert_eq!(find(&directory, &shorter, Route::Preferred).count, 0);
        }
        for long in ["x", "CN=x,", "a/", "\\", "😀", "*"] {
            for length in [255, 5000, 100_000] {
                let text: String = long.chars().cycle().take(length).collect();
                assert_eq!(
                    find(&directory, &text, Route::Preferred).count,
                    0,
                    "{length} of {long:?}"
                );
            }
        }
    });
}

#[test]
fn filter_injection_finds_no_mailbox() {
    shared(|lab| {
        let directory = directory(lab, &UM);
        for text in [
            "*",
            "*)(objectClass=*",
            "tonysmith)(objectClass=*",
            "tonysmith)(|(cn=*)",
            "x)(|(sAMAccountName=tonysmith",
            "*)(uid=*))(|(uid=*",
            r"tony\2asmith",
            r"\2a",
            r"\zz",
            "tonysmith\u{7f}",
            "tonysmith%00",
            "(&(objectClass=*))",
            "!(cn=x)",
            "CN=*,OU=Sales,DC=contoso,DC=com",
            "CN=Tony Smith)(cn=*,OU=Sales,DC=contoso,DC=com",
            r"CN=\2a,OU=Sales,DC=contoso,DC=com",
            "CN=#04020102,DC=contoso,DC=com",
            "CN=#04,DC=contoso,DC=com",
            "x-1=a,1.2.3=b",
            "CN=a+SN=b,DC=contoso,DC=com",
            "CN=,DC=contoso,DC=com",
            "<GUID=43e08f9c-3d78-5a40-92c2-217eee132f30>",
            "<SID=S-1-5-32-544>",
            "contoso.com/*",
            "contoso.com/Sales/*",
            "contoso.com//Tony Smith",
            r"CONTOSO\*",
            r"CONTOSO\tonysmith)(cn=*",
            r"*\tonysmith",
            "*@contoso.com",
            "smtp:*",
            "x500:*",
            "/o=*",
            "tonysmith@contoso.com)(mail=*",
            "\r\n",
            "'; DROP TABLE mailbox; --",
        ] {
            let Ok(identity) = Identity::parse(text) else {
                continue;
            };
            for route in [Route::Preferred, Route::Forest] {
                let matches = directory
                    .find(&identity, route)
                    .unwrap_or_else(|error| panic!("{text:?} by {route:?}: {error:?}"));
                assert_eq!(matches.count, 0, "{text:?} by {route:?} finds {:?}", names(&matches));
            }
        }
    });
}

/// Whether the identity names every match by the common rule.
fn is_named(matches: &Matches, identity: &Identity) -> bool {
    matches.found.iter().all(|found| {
        let own = lookup_keys(&found.mailbox);
        identity.lookup_keys().iter().any(|probe| own.contains(probe))
    })
}

#[test]
fn arbitrary_text_never_causes_an_error() {
    shared(|lab| {
        let directory = directory(lab, &UM);
        let pieces = prop::sample::select(vec![
            "*",
            "(",
            ")",
            "\\",
            "\\2a",
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
            "\n",
            "CN=",
            "OU=Sales",
            "DC=contoso,DC=com",
            "smtp:",
            "x500:",
            "CONTOSO\\",
            "contoso.com/",
            "tonysmith",
            "Tony Smith",
            "@contoso.com",
            "Zoë",
            "\u{308}",
            "ß",
            "😀",
            "\u{7f}",
            "\u{fffd}",
            "\u{202e}",
        ]);
        let text = prop_oneof![
            4 => prop::collection::vec(pieces, 1..10).prop_map(|pieces| pieces.concat()),
            1 => proptest::arbitrary::any::<String>(),
        ];
        // Each case is a search.
        let mut runner = TestRunner::new(Config {
            cases: 500,
            failure_persistence: None,
            ..Config::default()
        });
        let outcome = runner.run(&text, |text| {
            let Ok(identity) = Identity::parse(&text) else {
                return Ok(());
            };
            let found = directory.find(&identity, Route::Preferred);
            let matches = found.map_err(|error| TestCaseError::fail(format!("{error:?}")))?;
            prop_assert!(is_named(&matches, &identity), "{:?}", names(&matches));
            Ok(())
        });
        outcome.unwrap_or_else(|error| panic!("{error}"));
    });
}
