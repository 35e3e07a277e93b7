//! The message with a new PIN: its exact bytes, and what no input can do to it.

use std::path::Path;

use proptest::prelude::*;
use umpin::ErrorCode;
use umpin::clock::Timestamp;
use umpin::mailbox::Extension;
use umpin::notification::OutgoingMessage;
use umpin::notification::message::{MessageInput, compose};
use umpin::pin::Pin;

const FROM: &str = "Unified Messaging <um@contoso.com>";
const ID: [u8; 16] = [0x5A; 16];

struct Case<'a> {
    from: &'a str,
    recipient: &'a str,
    display_name: &'a str,
    pin: &'a str,
    reset_pin_text: &'a str,
}

const PLAIN: Case<'static> = Case {
    from: FROM,
    recipient: "tony@contoso.com",
    display_name: "Tony Smith",
    pin: "048291",
    reset_pin_text: "",
};

fn try_compose(case: &Case<'_>) -> umpin::Result<OutgoingMessage> {
    compose(&MessageInput {
        id: ID,
        created: Timestamp(1_753_000_000_123),
        from: case.from,
        recipient: case.recipient,
        display_name: case.display_name,
        pin: &Pin::new(case.pin.to_owned()),
        must_change: true,
        locked_out: false,
        extensions: &[Extension {
            number: "4271".to_owned(),
            dial_plan: None,
        }],
        reset_pin_text: case.reset_pin_text,
    })
}

fn content(case: &Case<'_>) -> String {
    let message = try_compose(case).expect("composed");
    String::from_utf8(message.content.to_vec()).expect("UTF-8")
}

/// Unfolded header lines, and the body.
fn split(message: &str) -> (Vec<(String, String)>, &str) {
    let (head, body) = message.split_once("\r\n\r\n").expect("a header");
    let mut headers: Vec<(String, String)> = Vec::new();
    for line in head.split("\r\n") {
        if line.starts_with([' ', '\t']) {
            headers.last_mut().expect("not first").1.push_str(line);
        } else {
            let (name, value) = line.split_once(": ").expect("name and value");
            headers.push((name.to_owned(), value.to_owned()));
        }
    }
    (headers, body)
}

/// The decoded text and HTML parts.
fn parts(body: &str) -> [String; 2] {
    let boundary = format!("--umpin-{}", "5a".repeat(16));
    let sections: Vec<&str> = body.split(boundary.as_str()).collect();
    assert_eq!(sections.len(), 4, "two parts");
    assert_eq!(sections[3].trim(), "--");
    [sections[1], sections[2]].map(|section| {
        let (head, text) = section.split_once("\r\n\r\n").expect("a header");
        assert!(head.contains("Content-Transfer-Encoding: quoted-printable"), "{head}");
        let bytes = undo_quoted_printable(text);
        String::from_utf8(bytes).expect("UTF-8")
    })
}

fn undo_quoted_printable(text: &str) -> Vec<u8> {
    let text = text.replace("=\r\n", "");
    let mut out = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        if byte == b'=' {
            let hex = std::str::from_utf8(&after[..2]).expect("ASCII");
            out.push(u8::from_str_radix(hex, 16).expect("hexadecimal"));
            rest = &after[2..];
        } else {
            out.push(byte);
            rest = after;
        }
    }
    out
}

/// What holds for every message.
fn assert_sound(case: &Case<'_>) -> [String; 2] {
    let message = content(case);
    for line in message.split("\r\n") {
        assert!(!line.contains(['\r', '\n']), "{line:?}");
        assert!(line.len() <= 998, "{line:?}");
    }
    let (headers, body) = split(&message);
    let names: Vec<&str> = headers.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(
        names,
        [
            "Date",
            "Message-ID",
            "From",
            "To",
            "Subject",
            "Auto-Submitted",
            "X-Auto-Response-Suppress",
            "MIME-Version",
            "Content-Type"
        ]
    );
    let to = &headers[3].1;
    assert!(
        to.ends_with(&format!("<{}>", case.recipient)) || to == case.recipient,
        "{to}"
    );
    let [text, html] = parts(body);
    let alone = text.split("\r\n").filter(|line| *line == case.pin).count();
    assert_eq!(alone, 1, "{text}");
    assert!(
        message.split("\r\n").any(|line| line == case.pin),
        "readable without decoding"
    );
    assert_eq!(html.matches(case.pin).count(), 1, "{html}");
    [text, html]
}

/// `UMPIN_BLESS=1` writes it anew, for a person to read the difference.
#[test]
fn the_message_is_byte_for_byte_the_golden_one() {
    let case = Case {
        display_name: "Zoë \"Zo\" Nuñez",
        reset_pin_text: "<p>Questions? Call <b>4000</b> &amp; ask.</p><p><a href=\"https://help.contoso.com\">Help</a></p>",
        ..PLAIN
    };
    assert_sound(&case);
    let message = content(&case);
    assert_eq!(message, content(&case), "the same input gives the same bytes");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/notification/reset.eml");
    if std::env::var_os("UMPIN_BLESS").is_some() {
        std::fs::write(&path, &message).expect("writable fixture");
    }
    assert_eq!(message, std::fs::read_to_string(&path).expect("fixture"));
}

#[test]
fn every_circumstance_is_told() {
    let compose = |must_change, locked_out, extensions: &[&str]| {
        let extensions: Vec<_> = extensions
            .iter()
            .map(|number| Extension {
                number: (*number).to_owned(),
                dial_plan: None,
            })
            .collect();
        let message = compose(&MessageInput {
            id: ID,
            created: Timestamp(0),
            from: "um@contoso.com",
            recipient: "tony@contoso.com",
            display_name: "",
            pin: &Pin::new("048291".to_owned()),
            must_change,
            locked_out,
            extensions: &extensions,
            reset_pin_text: "",
        })
        .expect("composed");
        let message = String::from_utf8(message.content.to_vec()).expect("UTF-8");
        parts(split(&message).1)
    };
    for part in compose(false, false, &[]) {
        assert!(part.contains("Hello,"));
        for absent in ["choose a PIN of your own", "locked", "extension"] {
            assert!(!part.contains(absent), "{absent}");
        }
    }
    for part in compose(true, true, &["4271", "4272"]) {
        for present in ["choose a PIN of your own", "locked", "extensions 4271, 4272"] {
            assert!(part.contains(present), "{present}");
        }
    }
}

#[test]
fn what_administrators_write_is_shown_and_never_interpreted() {
    let [text, html] = assert_sound(&Case {
        display_name: "<script>alert(1)</script>",
        reset_pin_text: "<img src=x onerror=alert(1)>Call &lt;b&gt; <script>alert(2)</script>now",
        ..PLAIN
    });
    assert!(text.contains("Call <b> now"), "{text}");
    assert!(html.contains("Call &lt;b&gt; now"), "{html}");
    assert!(
        !html.contains("<script") && !html.contains("<img") && !html.contains("alert(2)"),
        "{html}"
    );
}

#[test]
fn names_cannot_add_headers_or_recipients() {
    for display_name in [
        "Tony\r\nBcc: eve@fabrikam.com",
        "Tony\nBcc: eve@fabrikam.com",
        "Tony\r\n\r\nbody",
        "eve@fabrikam.com, Tony",
        "\"Tony\" <eve@fabrikam.com>",
        "Tony\\",
        "\u{2028}Tony\u{85}Smith\u{0}",
        "=?utf-8?q?Tony=0D=0ABcc:_eve?=",
    ] {
        assert_sound(&Case { display_name, ..PLAIN });
    }
}

#[test]
fn internationalised_addresses_are_kept() {
    let message = try_compose(&Case {
        recipient: "zoë@bücher.example",
        ..PLAIN
    })
    .expect("composed");
    assert_eq!(message.recipient, "zoë@bücher.example");
    let (headers, _) = {
        let text = String::from_utf8(message.content.to_vec()).expect("UTF-8");
        let (headers, body) = split(&text);
        (headers, body.len())
    };
    assert!(headers[3].1.contains("zoë@bücher.example"), "{}", headers[3].1);
}

#[test]
fn what_cannot_be_sent_is_refused_without_the_pin() {
    for (case, code) in [
        (
            Case {
                recipient: "tony",
                ..PLAIN
            },
            ErrorCode::NoNotificationAddress,
        ),
        (
            Case {
                recipient: "tony@contoso.com\r\nBcc: eve@fabrikam.com",
                ..PLAIN
            },
            ErrorCode::NoNotificationAddress,
        ),
        (Case { from: "um", ..PLAIN }, ErrorCode::ConfigurationInvalid),
        (Case { pin: "", ..PLAIN }, ErrorCode::NativeFault),
        (
            Case {
                pin: "0482\r\n91",
                ..PLAIN
            },
            ErrorCode::NativeFault,
        ),
    ] {
        let Err(error) = try_compose(&case) else {
            panic!("composed");
        };
        assert_eq!(error.code(), code);
        assert!(!format!("{error:?} {}", error.message()).contains("0482"));
    }
}

proptest! {
    #[test]
    fn any_name_and_text_leave_the_message_sound(display_name in any::<String>(), reset_pin_text in any::<String>()) {
        assert_sound(&Case { display_name: &display_name, reset_pin_text: &reset_pin_text, ..PLAIN });
    }

    #[test]
    fn awkward_names_and_texts_leave_the_message_sound(
        display_name in "[\"\\\\<>,:;@()=?é漢\r\n\t a-c.\u{1F600}]{0,120}",
        reset_pin_text in "[<>/&;#\"' a-cé漢.\r\n=-]{0,300}",
    ) {
        assert_sound(&Case { display_name: &display_name, reset_pin_text: &reset_pin_text, ..PLAIN });
    }

    #[test]
    fn any_time_gives_a_date(millis in any::<i64>()) {
        let pin = Pin::new("048291".to_owned());
        let input = MessageInput {
            id: ID, created: Timestamp(millis), from: FROM, recipient: "tony@contoso.com", display_name: "", pin: &pin,
            must_change: false, locked_out: false, extensions: &[], reset_pin_text: "",
        };
        prop_assert!(compose(&input).is_ok());
    }
}
