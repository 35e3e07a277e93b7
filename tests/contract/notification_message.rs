//! The message with a new PIN: its exact bytes in every language, and what it says when.

use std::path::{Path, PathBuf};

use crate::support::message::{Case, Read, extension};
use proptest::prelude::*;
use umpin::ErrorCode;
use umpin::clock::Timestamp;
use umpin::notification::language::tags;
use umpin::notification::message::{MessageInput, Reason, compose};
use umpin::notification::{MessageSettings, language};
use umpin::pin::Pin;

fn settings() -> MessageSettings {
    let mut settings = MessageSettings::new(None, Some("helpdesk@contoso.com".to_owned()));
    settings.add_access_numbers("Redmond", vec!["+1 425 555 0100".to_owned(), "5000".to_owned()]);
    settings
}

fn full(language: &str) -> Case {
    Case {
        display_name: "Zoë \"Zo\" Nuñez".to_owned(),
        preferred_language: Some(language.to_owned()),
        extensions: vec![extension("4271", Some("redmond"))],
        reset_pin_text: "<p>The PIN <b>expires</b> after 60 days.</p>\
                         <p><a href=\"https://help.contoso.com/pin?a=1&amp;b=2\">More &amp; more</a></p>"
            .to_owned(),
        settings: settings(),
        ..Case::default()
    }
}

/// `UMPIN_BLESS=1` writes it anew, for a person to read the difference.
#[track_caller]
fn assert_golden(path: &str, content: &str) {
    let path: PathBuf = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    if std::env::var_os("UMPIN_BLESS").is_some() {
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("writable");
        std::fs::write(&path, content).expect("writable fixture");
    }
    assert_eq!(
        content,
        std::fs::read_to_string(&path).expect("fixture"),
        "{}",
        path.display()
    );
}

#[test]
fn the_messages_are_byte_for_byte_the_golden_ones() {
    for tag in tags() {
        let case = full(tag);
        case.sound();
        let message = case.content();
        assert_eq!(message, case.content(), "the same input gives the same bytes");
        assert_golden(&format!("tests/fixtures/notification/{tag}.eml"), &message);
    }
}

/// For people to read: what each language says in every circumstance.
#[test]
fn the_examples_in_the_documentation_are_what_is_sent() {
    for tag in tags() {
        let plain = full(tag).sound();
        let other = Case {
            display_name: String::new(),
            reason: Reason::TooManyFailures,
            locked_out: true,
            extensions: vec![extension("4271", Some("Redmond")), extension("4272", None)],
            settings: {
                let mut settings = MessageSettings::default();
                settings.add_access_numbers("*", vec!["5000".to_owned()]);
                settings
            },
            ..full(tag)
        }
        .sound();
        let with_subject = |read: &Read| format!("{}\n\n{}", read.subject, read.text.replace("\r\n", "\n"));
        assert_golden(
            &format!("docs/messages/{tag}.txt"),
            &format!("{}\n{}\n{}", with_subject(&plain), "-".repeat(72), with_subject(&other)),
        );
        assert_golden(&format!("docs/messages/{tag}.html"), &plain.html.replace("\r\n", "\n"));
    }
}

#[test]
fn every_circumstance_is_told() {
    let read = |must_change, locked_out, extensions: &[&str]| {
        let read = Case {
            display_name: String::new(),
            must_change,
            locked_out,
            extensions: extensions.iter().map(|number| extension(number, None)).collect(),
            ..Case::default()
        }
        .sound();
        [read.text, read.html]
    };
    for part in read(false, false, &[]) {
        assert!(part.contains("Hello,"));
        for absent in [
            "choose a PIN of your own",
            "locked",
            "extension",
            "call ",
            "too many times",
        ] {
            assert!(!part.contains(absent), "{absent}");
        }
        assert!(part.contains("please ask your help desk"));
    }
    let [text, html] = read(true, true, &["4271", "4272"]);
    for part in [&text, &html] {
        for present in ["choose a PIN of your own", "locked", "for the extensions "] {
            assert!(part.contains(present), "{present}");
        }
    }
    assert!(text.contains("extensions 4271, 4272."));
    assert!(html.contains("<bdi>4271</bdi>, <bdi>4272</bdi>."));
}

#[test]
fn a_pin_reset_by_failures_says_so_in_every_language() {
    for tag in tags() {
        let of = |reason| {
            Case {
                reason,
                preferred_language: Some(tag.to_owned()),
                ..Case::default()
            }
            .sound()
        };
        let [by_administrator, by_failures] = [Reason::Administrator, Reason::TooManyFailures].map(of);
        assert_ne!(by_administrator.text, by_failures.text, "{tag}");
        assert_ne!(by_administrator.html, by_failures.html, "{tag}");
    }
    let read = Case {
        reason: Reason::TooManyFailures,
        ..Case::default()
    }
    .sound();
    assert!(read.text.contains("too many times") && read.html.contains("too many times"));
}

#[test]
fn the_user_s_language_comes_before_the_configured_one() {
    for (preferred, configured, tag, subject) in [
        (None, None, "en", "Your new voice mail PIN"),
        (Some("de-AT, en;q=0.8"), Some("fr"), "de", "Ihre neue Voicemail-PIN"),
        (
            Some("nl"),
            Some("fr"),
            "fr",
            "Votre nouveau code PIN de messagerie vocale",
        ),
        (Some("nl"), None, "en", "Your new voice mail PIN"),
    ] {
        let read = Case {
            preferred_language: preferred.map(str::to_owned),
            settings: MessageSettings::new(configured.map(str::to_owned), None),
            ..Case::default()
        }
        .sound();
        assert_eq!(read.subject, subject);
        assert!(
            read.html.contains(&format!("<html lang=\"{tag}\" dir=\"ltr\">")),
            "{}",
            read.html
        );
        assert_eq!(language::choose(preferred, configured), tag);
    }
}

#[test]
fn access_numbers_and_the_help_desk_are_named() {
    let read = |extensions, help_desk: Option<&str>| {
        let mut settings = MessageSettings::new(None, help_desk.map(str::to_owned));
        settings.add_access_numbers("Redmond", vec!["+1 425 555 0100".to_owned(), "5000".to_owned()]);
        settings.add_access_numbers("*", vec!["6000".to_owned()]);
        let case = Case {
            extensions,
            settings,
            ..Case::default()
        };
        case.sound()
    };
    let redmond = read(vec![extension("4271", Some("REDMOND"))], Some("helpdesk@contoso.com"));
    assert!(
        redmond
            .text
            .contains("call one of these numbers: +1 425 555 0100, 5000."),
        "{}",
        redmond.text
    );
    assert!(redmond.text.contains("For help: helpdesk@contoso.com"));
    assert!(redmond.html.contains("<bdi>+1 425 555 0100</bdi>, <bdi>5000</bdi>."));
    assert!(
        redmond
            .html
            .contains("<a href=\"mailto:helpdesk@contoso.com\">helpdesk@contoso.com</a>")
    );
    let other = read(vec![extension("4271", None)], Some("Call 4000 <now> & \"ask\""));
    assert!(
        other.text.contains("To reach your voice mail, call 6000."),
        "{}",
        other.text
    );
    assert!(other.text.contains("For help: Call 4000 <now> & \"ask\""));
    assert!(
        other
            .html
            .contains("<bdi>Call 4000 &lt;now&gt; &amp; &quot;ask&quot;</bdi>"),
        "{}",
        other.html
    );
    // An address that would have to be escaped in a link is no link.
    let odd = read(Vec::new(), Some("help+desk%0a@contoso.com"));
    assert!(odd.html.contains("<bdi>help+desk%0a@contoso.com</bdi>"), "{}", odd.html);
}

#[test]
fn the_policy_s_text_is_simple_html_and_text() {
    for (source, html, text) in [
        ("Call 4000.", "Call 4000.", "Call 4000."),
        (
            "Call 4000\r\nor 4001 & ask",
            "Call 4000<br>or 4001 &amp; ask",
            "Call 4000\nor 4001 & ask",
        ),
        (
            "Call <B CLASS=x>4000</B><br>or\n4001",
            "Call <b>4000</b><br>or",
            "Call 4000\nor 4001",
        ),
        ("<p>One<p>Two", "<p>One</p><p>Two</p>", "One\n\nTwo"),
        (
            "<ul><li>One<li>Two</ul>x",
            "<ul><li>One</li><li>Two</li></ul>x",
            "- One\n- Two\n\nx",
        ),
        (
            "<ol><li>One<ul><li>Sub</ul><li>Two</ol>",
            "<ol><li>One<ul><li>Sub</li></ul></li><li>Two</li></ol>",
            "1. One\n- Sub\n\n2. Two",
        ),
        (
            "See <a href=\"https://help.contoso.com/pin?a=1&amp;b=2\" onclick=x>help</a>.",
            "See <a href=\"https://help.contoso.com/pin?a=1&amp;b=2\" rel=\"noopener noreferrer\">help</a>.",
            "See help (https://help.contoso.com/pin?a=1&b=2).",
        ),
        (
            "<a href=https://contoso.com>https://contoso.com</a> <a href='MAILTO:h@contoso.com'>h@contoso.com</a>",
            "rel=\"noopener noreferrer\">h@contoso.com</a>",
            "https://contoso.com h@contoso.com",
        ),
        (
            "<a href='javascript:alert(1)'>x</a><a href=//fabrikam.com>y</a><a href=tel:1>z</a>",
            "<a rel=\"noopener noreferrer\">x</a>",
            "xyz",
        ),
        (
            "Tom &amp; Jerry &lt;3 &#65;&#x42; &nbsp;&bogus; &",
            "Tom &amp; Jerry &lt;3 AB &nbsp;&amp;bogus; &amp;",
            "Tom & Jerry <3 AB &bogus; &",
        ),
        ("1 < 2 > 0 <- x", "1 &lt; 2 &gt; 0 &lt;- x", "1 < 2 > 0 <- x"),
        (
            "<script>alert('</b>')</script>after<style>p{}</style>",
            "after",
            "after",
        ),
        ("a<!-- <b>hidden</b> -->b", "ab", "ab"),
        ("<img src=x alt=\"a > b\" onerror=y>x", "x", "x"),
        ("<h1>Title</h1><table><tr><td>cell", "Titlecell", "Titlecell"),
        ("&lt;script&gt;x", "&lt;script&gt;x", "<script>x"),
        ("a\u{202E}b&#x202e;c", "abc", "abc"),
        ("<script>never closed", "", ""),
    ] {
        let read = Case {
            reset_pin_text: source.to_owned(),
            ..Case::default()
        }
        .sound();
        let block = read
            .html
            .split_once("<div dir=\"auto\">")
            .map(|(_, rest)| rest.split("</div>\r\n<h2").next());
        let shown = block.flatten().unwrap_or_default();
        assert!(shown.contains(html), "{source}\n{shown}");
        assert_eq!(shown.is_empty(), html.is_empty(), "{source}\n{shown}");
        let block = read.text.split_once("sign in by telephone.\r\n").expect("note").1;
        let block = block
            .split("\r\nThe PIN is for extension")
            .next()
            .expect("before")
            .trim();
        assert_eq!(block.replace("\r\n", "\n"), text, "{source}");
    }
}

#[test]
fn names_written_the_other_way_do_not_reorder_the_sentence() {
    let read = Case {
        display_name: "טוני סמית".to_owned(),
        ..Case::default()
    }
    .sound();
    assert!(
        read.text.starts_with("Hello \u{2068}טוני סמית\u{2069},\r\n"),
        "{}",
        read.text
    );
    assert!(
        read.html.contains("<p>Hello <bdi>טוני סמית</bdi>,</p>"),
        "{}",
        read.html
    );
    assert!(!Case::default().sound().text.contains('\u{2068}'));
}

#[test]
fn what_administrators_write_is_shown_and_never_interpreted() {
    let Read { text, html, .. } = Case {
        display_name: "<script>alert(1)</script> {name} &amp;".to_owned(),
        reset_pin_text: "<img src=x onerror=alert(1)>Call &lt;b&gt; <script>alert(2)</script>now".to_owned(),
        ..Case::default()
    }
    .sound();
    assert!(text.contains("Hello <script>alert(1)</script> {name} &amp;,"), "{text}");
    assert!(
        html.contains("&lt;script&gt;alert(1)&lt;/script&gt; {name} &amp;amp;"),
        "{html}"
    );
    assert!(text.contains("Call <b> now"), "{text}");
    assert!(html.contains("Call &lt;b&gt; now"), "{html}");
    assert!(!html.contains("alert(2)"), "{html}");
}

#[test]
fn internationalised_addresses_are_kept() {
    let case = Case {
        recipient: "zoë@bücher.example".to_owned(),
        ..Case::default()
    };
    assert_eq!(case.compose().expect("composed").recipient, "zoë@bücher.example");
    assert_eq!(case.sound().to[0].1, "zoë@bücher.example");
}

#[test]
fn what_cannot_be_sent_is_refused_without_the_pin() {
    let recipient = |recipient: &str| Case {
        recipient: recipient.to_owned(),
        ..Case::default()
    };
    let pin = |pin: &str| Case {
        pin: pin.to_owned(),
        ..Case::default()
    };
    for (case, code) in [
        (recipient("tony"), ErrorCode::NoNotificationAddress),
        (
            recipient("tony@contoso.com\r\nBcc: eve@fabrikam.com"),
            ErrorCode::NoNotificationAddress,
        ),
        (
            Case {
                from: "um".to_owned(),
                ..Case::default()
            },
            ErrorCode::ConfigurationInvalid,
        ),
        (pin(""), ErrorCode::NativeFault),
        (pin("0482\r\n91"), ErrorCode::NativeFault),
    ] {
        let Err(error) = case.compose() else {
            panic!("composed");
        };
        assert_eq!(error.code(), code);
        assert!(!format!("{error:?} {}", error.message()).contains("0482"));
    }
}

proptest! {
    #[test]
    fn any_time_gives_a_date(millis in any::<i64>()) {
        let pin = Pin::new("048291".to_owned());
        let input = MessageInput {
            id: crate::support::message::ID,
            created: Timestamp(millis),
            from: crate::support::message::FROM,
            recipient: "tony@contoso.com",
            display_name: "",
            preferred_language: None,
            reason: Reason::default(),
            pin: &pin,
            must_change: false,
            locked_out: false,
            extensions: &[],
            reset_pin_text: "",
            settings: &MessageSettings::default(),
        };
        prop_assert!(compose(&input).is_ok());
    }
}
