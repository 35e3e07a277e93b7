//! What no name, address, policy text or configuration can do to the message. It is read back by three parsers that had no
//! part in making it: `mail-parser`, Python's `email`, and for the HTML part html5ever.

use crate::support::message::{Case, Read, assert_read, hostile};
use proptest::prelude::*;
use proptest::strategy::ValueTree as _;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use umpin::ErrorCode;

proptest! {
    #![proptest_config(Config { cases: 256, ..Config::default() })]

    #[test]
    fn any_words_leave_the_message_sound(case in hostile::case()) {
        case.sound();
    }

    #[test]
    fn an_address_is_refused_or_arrives(recipient in hostile::address(), display_name in hostile::text()) {
        let case = Case { recipient, display_name, ..Case::default() };
        match case.compose() {
            Ok(message) => {
                prop_assert_eq!(&message.recipient, &case.recipient);
                case.sound();
            }
            Err(error) => prop_assert_eq!(error.code(), ErrorCode::NoNotificationAddress),
        }
    }

    #[test]
    fn a_sender_is_refused_or_stands_there(from in hostile::address(), name in hostile::text()) {
        for from in [from.clone(), format!("{name} <{from}>"), format!("\"{name}\" <{from}>")] {
            let case = Case { from, ..Case::default() };
            match case.compose() {
                Ok(_) => {
                    let read = crate::support::message::read(&case.content());
                    prop_assert_eq!(read.from.len(), 1, "{:?} from {:?}", read.from, case.from);
                    prop_assert_eq!(read.to.len(), 1);
                    prop_assert_eq!(read.headers.len(), 9);
                }
                Err(error) => prop_assert_eq!(error.code(), ErrorCode::ConfigurationInvalid),
            }
        }
    }
}

/// Parsers that recurse would leave the stack here.
#[test]
fn deep_nesting_is_taken() {
    for unit in [
        "<b>",
        "<div>",
        "<ul><li>",
        "<a href=https://contoso.com>",
        "<span><p>",
        "<table><td>",
        "<svg>",
        "&amp;",
    ] {
        let case = Case {
            reset_pin_text: unit.repeat(10_240 / unit.len()),
            ..Case::default()
        };
        case.sound();
    }
}

mod needs_python {
    use std::process::Command;

    use super::*;

    #[test]
    fn python_reads_the_same() {
        const CASES: usize = 300;
        let folder = tempfile::tempdir().expect("folder");
        let mut runner = TestRunner::new_with_rng(
            Config::default(),
            TestRng::from_seed(RngAlgorithm::ChaCha, &std::array::from_fn::<u8, 32, _>(|i| i as u8)),
        );
        let mut cases = Vec::new();
        for number in 0..CASES {
            let mut case = hostile::case().new_tree(&mut runner).expect("a case").current();
            let recipient = hostile::address().new_tree(&mut runner).expect("an address").current();
            let with_address = Case {
                recipient,
                ..case.clone()
            };
            if with_address.compose().is_ok() {
                case = with_address;
            }
            std::fs::write(folder.path().join(format!("{number}.eml")), case.content()).expect("written");
            cases.push(case);
        }
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/python/read_messages.py");
        let output = Command::new("python3")
            .arg(script)
            .arg(folder.path())
            .output()
            .expect("python3 starts: is it installed?");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let answer: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
        for (number, case) in cases.iter().enumerate() {
            let seen = &answer[number.to_string()];
            assert_eq!(seen["defects"], serde_json::json!([]), "{number}: {case:?}\n{seen}");
            let python = from_json(seen);
            assert_read(&python, &case.recipient, &case.pin);
            let rust = crate::support::message::read(&case.content());
            assert_eq!(python.subject, rust.subject);
            for (python, rust) in [(&python.to, &rust.to), (&python.from, &rust.from)] {
                assert_eq!(people(python), people(rust), "{case:?}");
            }
            assert_eq!(lines(&python.text), lines(&rust.text));
            assert_eq!(lines(&python.html), lines(&rust.html));
        }
    }

    fn people(list: &[(String, String)]) -> Vec<(String, String)> {
        list.iter()
            .map(|(name, address)| {
                (
                    crate::support::message::without_spaces(name),
                    crate::support::message::unquoted(address),
                )
            })
            .collect()
    }

    fn lines(text: &str) -> Vec<&str> {
        text.lines().collect()
    }

    fn from_json(seen: &serde_json::Value) -> Read {
        let text = |value: &serde_json::Value| value.as_str().expect("text").to_owned();
        let list = |value: &serde_json::Value| value.as_array().expect("list").iter().map(text).collect();
        let people = |value: &serde_json::Value| -> Vec<(String, String)> {
            let pairs = value.as_array().expect("list");
            pairs.iter().map(|pair| (text(&pair[0]), text(&pair[1]))).collect()
        };
        Read {
            headers: list(&seen["headers"]),
            from: people(&seen["from"]),
            to: people(&seen["to"]),
            subject: text(&seen["subject"]),
            message_id: text(&seen["messageId"]),
            has_date: seen["hasDate"] == true,
            types: list(&seen["types"]),
            text: text(&seen["text"]),
            html: text(&seen["html"]),
        }
    }
}
