//! The PIN rules as the documentation states them, and what generation promises, for any policy.

use proptest::prelude::*;
use rand::SeedableRng;
use rand::rngs::StdRng;
use umpin::clock::Timestamp;
use umpin::generate::PinSpace;
use umpin::mailbox::Extension;
use umpin::pin::{MAX_PIN_LENGTH, Pin};
use umpin::policy::{Limit, PinRule, UmMailboxPolicy};
use umpin::random::system_rng;

fn policy() -> UmMailboxPolicy {
    UmMailboxPolicy::with_defaults("Default")
}

fn extensions(numbers: &[&str]) -> Vec<Extension> {
    let extension = |number: &&str| Extension {
        number: (*number).to_owned(),
        dial_plan: Some("Redmond".to_owned()),
    };
    numbers.iter().map(extension).collect()
}

fn broken(policy: &UmMailboxPolicy, pin: &str, numbers: &[&str]) -> Vec<&'static str> {
    let rules = policy.check(&Pin::new(pin.to_owned()), &extensions(numbers));
    rules.into_iter().map(PinRule::id).collect()
}

#[test]
fn pins_of_the_documentation() {
    let four = UmMailboxPolicy {
        min_pin_length: 4,
        ..policy()
    };
    for (pin, numbers, expected) in [
        // Set-UMMailboxPolicy, AllowCommonPatterns.
        ("1234", &[][..], &["Sequential"][..]),
        ("65432", &[], &["Sequential"]),
        ("456789", &[], &["Sequential"]),
        ("11111", &[], &["Repeated"]),
        ("8888888", &[], &["Repeated"]),
        ("6697", &["36697"], &["Extension"]),
        ("3669712", &["36697"], &["Extension"]),
        // Microsoft's script for test users sets one like this.
        ("12121212121212121212", &[], &[]),
        // Not said to be refused, so allowed.
        ("890123", &[], &[]),
        ("210987", &[], &[]),
        ("135790", &[], &[]),
        ("112233", &[], &[]),
        ("12345679", &[], &[]),
        ("1123456", &[], &[]),
        ("123454321", &[], &[]),
        ("0123456789", &[], &["Sequential"]),
        ("9876543210", &[], &["Sequential"]),
    ] {
        assert_eq!(broken(&four, pin, numbers), expected, "{pin} {numbers:?}");
    }
}

#[test]
fn an_extension_is_refused_as_suffix_or_whole_even_with_common_patterns() {
    let lenient = UmMailboxPolicy {
        min_pin_length: 4,
        allow_common_patterns: true,
        ..policy()
    };
    for (pin, numbers, refused) in [
        ("4271", &["4271"][..], true),
        ("94271", &["4271"], true),
        ("42719", &["4271"], true),
        ("94271", &["555", "4271"], true),
        ("4271", &["554271"], true),
        ("4271", &["42715"], false),
        ("4271", &["42 71"], true),
        ("5550100", &["+1 (425) 555-0100"], true),
        ("4271", &[""], false),
        ("4271", &[" - "], false),
        ("4271", &["user4271@contoso.com"], false),
        ("4271", &["user1@contoso.com"], false),
        ("4271", &["4"], true),
        ("4271", &["427"], true),
        ("4271", &["472"], false),
    ] {
        let expected: &[&str] = if refused { &["Extension"] } else { &[] };
        assert_eq!(broken(&lenient, pin, numbers), expected, "{pin} {numbers:?}");
    }
    assert_eq!(broken(&lenient, "1234", &[]), [""; 0]);
    assert_eq!(broken(&lenient, "1111", &[]), [""; 0]);
}

#[test]
fn every_broken_rule_is_reported_once_and_in_order() {
    let default = policy();
    for (pin, numbers, expected) in [
        ("", &["4271"][..], &["TooShort"][..]),
        ("1", &["1", "1"], &["TooShort", "Extension"]),
        ("123", &["123"], &["TooShort", "Sequential", "Extension"]),
        ("1111", &["1", "11"], &["TooShort", "Repeated", "Extension"]),
        ("12a", &["12a"], &["TooShort", "NotNumeric"]),
        ("918273x", &[], &["NotNumeric"]),
        ("٩١٨٢٧٣", &[], &["NotNumeric"]),
        (" 918273", &[], &["NotNumeric"]),
        ("+918273", &["918273"], &["NotNumeric"]),
        ("9182735918273591827359182", &[], &["TooLong"]),
        (
            "1111111111111111111111111",
            &["11"],
            &["TooLong", "Repeated", "Extension"],
        ),
        ("abcdefabcdefabcdefabcdefabcdef", &[], &["TooLong", "NotNumeric"]),
        ("918273", &["4271"], &[]),
    ] {
        assert_eq!(broken(&default, pin, numbers), expected, "{pin} {numbers:?}");
    }
}

#[test]
fn rules_have_fixed_ids_and_phrases_that_name_the_limit() {
    let ids: Vec<&str> = PinRule::ALL.iter().map(|rule| rule.id()).collect();
    assert_eq!(
        ids,
        [
            "TooShort",
            "TooLong",
            "NotNumeric",
            "Sequential",
            "Repeated",
            "Extension",
            "History"
        ]
    );
    assert!(PinRule::ALL.windows(2).all(|w| w[0] < w[1]));
    let strict = UmMailboxPolicy {
        min_pin_length: 8,
        pin_history_count: 12,
        ..policy()
    };
    assert!(PinRule::TooShort.explain(&strict).contains("8 digits"));
    assert!(PinRule::TooLong.explain(&strict).contains("24 digits"));
    assert!(PinRule::History.explain(&strict).contains("12"));
}

#[test]
fn expiry_counts_from_the_day_it_was_set() {
    let set = Timestamp(1_000);
    assert_eq!(
        policy().expires_at(set),
        Some(Timestamp(1_000 + 60 * 24 * 60 * 60 * 1_000))
    );
    let forever = UmMailboxPolicy {
        pin_lifetime_days: Limit::Unlimited,
        ..policy()
    };
    assert_eq!(forever.expires_at(set), None);
    assert_eq!(policy().expires_at(Timestamp(i64::MAX)), Some(Timestamp(i64::MAX)));
}

#[test]
fn settings_are_held_to_their_ranges() {
    type Change = fn(&mut UmMailboxPolicy);
    let refused: [(&str, Change); 18] = [
        ("Name", |p| p.name.clear()),
        ("Name", |p| p.name = "  ".to_owned()),
        ("Name", |p| p.name = "é".repeat(65)),
        ("Name", |p| p.name = "a\nb".to_owned()),
        ("MinPINLength", |p| p.min_pin_length = 3),
        ("MinPINLength", |p| p.min_pin_length = 25),
        ("PINLifetime", |p| p.pin_lifetime_days = Limit::Of(0)),
        ("PINLifetime", |p| p.pin_lifetime_days = Limit::Of(1_000)),
        ("PINHistoryCount", |p| p.pin_history_count = 0),
        ("PINHistoryCount", |p| p.pin_history_count = 21),
        ("LogonFailuresBeforePINReset", |p| {
            p.logon_failures_before_pin_reset = Limit::Of(0);
        }),
        ("LogonFailuresBeforePINReset", |p| {
            p.logon_failures_before_pin_reset = Limit::Of(999);
            p.max_logon_attempts = Limit::Unlimited;
        }),
        ("MaxLogonAttempts", |p| p.max_logon_attempts = Limit::Of(0)),
        ("MaxLogonAttempts", |p| p.max_logon_attempts = Limit::Of(1_000)),
        ("LogonFailuresBeforePINReset (15)", |p| {
            p.logon_failures_before_pin_reset = Limit::Of(15);
        }),
        ("MaxLogonAttempts (5)", |p| p.max_logon_attempts = Limit::Of(5)),
        ("ResetPINText", |p| p.reset_pin_text = "é".repeat(513)),
        ("MinPINLength", |p| p.min_pin_length = u32::MAX),
    ];
    for (setting, change) in refused {
        let mut policy = policy();
        change(&mut policy);
        let message = policy.validate().expect_err(setting);
        assert!(message.contains(setting), "{setting}: {message}");
    }
    let accepted: [Change; 6] = [
        |_| {},
        |p| p.name = "é".repeat(64),
        |p| p.reset_pin_text = "é".repeat(512),
        |p| {
            p.logon_failures_before_pin_reset = Limit::Unlimited;
            p.max_logon_attempts = Limit::Of(1);
        },
        |p| {
            p.logon_failures_before_pin_reset = Limit::Of(998);
            p.max_logon_attempts = Limit::Of(999);
        },
        |p| {
            p.min_pin_length = 24;
            p.pin_lifetime_days = Limit::Of(999);
            p.pin_history_count = 20;
            p.logon_failures_before_pin_reset = Limit::Of(1);
            p.max_logon_attempts = Limit::Unlimited;
        },
    ];
    for change in accepted {
        let mut policy = policy();
        change(&mut policy);
        assert_eq!(policy.validate(), Ok(()));
    }
}

fn any_policy() -> impl Strategy<Value = UmMailboxPolicy> {
    (4u32..=24, any::<bool>()).prop_map(|(min_pin_length, allow_common_patterns)| UmMailboxPolicy {
        min_pin_length,
        allow_common_patterns,
        ..policy()
    })
}

fn any_extensions() -> impl Strategy<Value = Vec<Extension>> {
    proptest::collection::vec("[0-9]{0,9}|[0-9]{20,30}|[+][0-9 -]{4,8}|[a-z0-9]{3}@x", 0..12).prop_map(|numbers| {
        let numbers: Vec<&str> = numbers.iter().map(String::as_str).collect();
        extensions(&numbers)
    })
}

proptest! {
    #[test]
    fn generated_pins_obey_every_rule(policy in any_policy(), extensions in any_extensions(), seed: u64) {
        let mut space = PinSpace::new(&policy, &extensions).unwrap();
        let mut rng = StdRng::seed_from_u64(seed);
        let mut seen = std::collections::HashSet::new();
        for _ in 0..8 {
            let before = space.remaining();
            let Ok(pin) = space.draw(&mut rng) else {
                prop_assert_eq!(before, 0);
                break;
            };
            prop_assert_eq!(pin.expose().len(), policy.min_pin_length as usize);
            prop_assert_eq!(policy.check(&pin, &extensions), []);
            prop_assert!(seen.insert(pin.expose().to_owned()));
            prop_assert_eq!(space.remaining(), before - 1);
        }
    }

    #[test]
    fn the_systems_generator_serves(policy in any_policy()) {
        let pin = PinSpace::new(&policy, &[]).and_then(|mut space| space.draw(&mut system_rng())).unwrap();
        prop_assert_eq!(policy.check(&pin, &[]), []);
    }

    /// Against the rules in their plainest words.
    #[test]
    fn check_agrees_with_the_definition(
        pin in "[0-9]{0,26}|0?1?2?3?4?5?6?7?8?9?|9?8?7?6?5?4?3?2?1?0?|1*|[0-9a٣]{4,8}",
        numbers in proptest::collection::vec("[0-9]{0,5}", 0..4),
        common: bool,
    ) {
        let policy = UmMailboxPolicy { allow_common_patterns: common, ..policy() };
        let numbers: Vec<&str> = numbers.iter().map(String::as_str).collect();
        let rules = policy.check(&Pin::new(pin.clone()), &extensions(&numbers));
        let numeric = pin.chars().all(|c| "0123456789".contains(c));
        let length = pin.chars().count();
        let several = numeric && length >= 2;
        prop_assert!(rules.windows(2).all(|w| w[0] < w[1]));
        prop_assert_eq!(rules.contains(&PinRule::NotNumeric), !numeric);
        prop_assert_eq!(rules.contains(&PinRule::TooShort), length < 6);
        prop_assert_eq!(rules.contains(&PinRule::TooLong), length > MAX_PIN_LENGTH);
        prop_assert_eq!(
            rules.contains(&PinRule::Sequential),
            !common && several && ("0123456789".contains(&pin) || "9876543210".contains(&pin))
        );
        prop_assert_eq!(
            rules.contains(&PinRule::Repeated),
            !common && several && pin == pin[..1].repeat(length)
        );
        prop_assert_eq!(
            rules.contains(&PinRule::Extension),
            numeric && length > 0
                && numbers.iter().any(|n| !n.is_empty() && (n.ends_with(&pin) || pin.contains(n)))
        );
        prop_assert!(!rules.contains(&PinRule::History));
    }
}
