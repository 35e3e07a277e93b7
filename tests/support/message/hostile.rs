//! Texts of every kind that has ever broken a header, a MIME structure or a page.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use umpin::notification::MessageSettings;
use umpin::notification::message::Reason;

use super::{Case, extension};

const FRAGMENTS: &[&str] = &[
    // Headers and lines.
    "\r\nBcc: eve@fabrikam.com\r\n",
    "\nBcc: eve@fabrikam.com",
    "\rSubject: x",
    "\r\n\r\nbody",
    "\r\n.\r\n",
    "\r\n ",
    "\u{85}To: eve@fabrikam.com",
    "\u{2028}",
    "\u{2029}",
    "\u{b}\u{c}",
    "\0",
    "\u{7f}\u{1b}[2J\u{7}\u{8}",
    // Addresses and quotation.
    "\"",
    "\\",
    "\\\"",
    "'",
    "<",
    ">",
    ",",
    ";",
    ":",
    "@",
    "(comment",
    ")",
    "\" <eve@fabrikam.com>, \"",
    "eve@fabrikam.com",
    "undisclosed: ;",
    // What looks encoded, or like a boundary.
    "=?utf-8?q?=0D=0ABcc:_eve=40fabrikam.com?=",
    "=?utf-8?b?DQpCY2M6IGV2ZUBmYWJyaWthbS5jb20=?=",
    "=?utf-8?q?x?= =?utf-8?q?y?=",
    "=?",
    "?=",
    "=0D=0A",
    "=\r\n",
    "=3D",
    "=",
    "--umpin-5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a",
    "--=_umpin-5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a",
    "\r\n--=_umpin-5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a5a--\r\n",
    "Content-Type: text/html\r\n\r\n",
    "umpin-pin-",
    // Markup.
    "<script>alert(1)</script>",
    "<script",
    "</script>",
    "<ScRiPt/x>",
    "<style>*{display:none}</style>",
    "<style>",
    "</style>",
    "<title>",
    "</title></head>",
    "</p></div></body></html>",
    "<html><body onload=alert(1)>",
    "<img src=https://fabrikam.com/x.png onerror=alert(1)>",
    "<svg onload=alert(1)><style><a title=\"</style><img src=x onerror=alert(1)>\">",
    "<math><mtext><table><mglyph><style><!--</style><img title=\"--&gt;&lt;img src=1 onerror=alert(1)&gt;\">",
    "<noscript><p title=\"</noscript><img src=x onerror=alert(1)>\">",
    "<template><b>",
    "<plaintext>",
    "<textarea>",
    "<select><option>",
    "<table><tr><td>x",
    "<form action=https://fabrikam.com><input name=pin><button>",
    "<iframe srcdoc='<script>alert(1)</script>'>",
    "<base href=//fabrikam.com/>",
    "<meta http-equiv=refresh content='0;url=https://fabrikam.com'>",
    "<link rel=stylesheet href=//fabrikam.com/x.css>",
    "<object data=x><embed src=x>",
    "<!--",
    "-->",
    "--!>",
    "<![CDATA[",
    "]]>",
    "<?php ?>",
    "<!DOCTYPE x>",
    "<a href=\"javascript:alert(1)\">",
    "<a href=' java\nscript:alert(1)'>",
    "<a href=\"https://help.contoso.com/?a=1&amp;b=>2\" onclick=x style='x' target=_top>help</a>",
    "<a href='mailto:help@contoso.com'>",
    "<a href=//fabrikam.com>",
    "<a href=data:text/html,x>",
    "</a>",
    "<p style=\"background:url(https://fabrikam.com)\" class=x id=y dir=rtl lang=xx>",
    "<p>",
    "</p>",
    "<div>",
    "<span hidden>",
    "<b><i><u>",
    "</b>",
    "<ul><li>one<li>two",
    "<ol><li>",
    "</ul>",
    "<br/>",
    "<em><strong>",
    "<x-y>",
    "<a<b>",
    "< a>",
    "<b",
    // Entities.
    "&amp;",
    "&lt;script&gt;",
    "&#60;script&#62;",
    "&#x202e;",
    "&#0;",
    "&#xD800;",
    "&#x110000;",
    "&NotEqualTilde;",
    "&",
    "&#",
    "&nbsp;",
    // Characters.
    "\u{202e}",
    "\u{2066}\u{2067}\u{2068}",
    "\u{2069}\u{2069}",
    "\u{200f}\u{200b}\u{feff}",
    "\u{d7ff}\u{e000}\u{fffd}\u{ffff}\u{10ffff}",
    "\u{301}\u{301}\u{301}",
    "é",
    "漢字",
    "😀",
    "👩\u{200d}💻",
    "שלום",
    "مرحبا",
    "ﬀ",
    // Our own placeholders.
    "{name}",
    "{numbers}",
    "{",
    "}}",
    // Harmless.
    " ",
    "\t",
    "Tony",
    "Smith",
    "Call the help desk.",
];

pub fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => vec(select(FRAGMENTS), 0..12).prop_map(|parts| parts.concat()),
        2 => any::<String>(),
        1 => (vec(select(FRAGMENTS), 1..4), any::<bool>()).prop_map(|(parts, spaced)| {
            let unit = parts.join(if spaced { " " } else { "" });
            unit.repeat(10_240 / unit.len().max(1) + 1)
        }),
        1 => "[ -~é漢\r\n]{0,600}",
    ]
}

/// Most are refused; those that are not are to arrive.
pub fn address() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("tony@contoso.com".to_owned()),
        Just("zoë@bücher.example".to_owned()),
        Just("tony@bücher.example".to_owned()),
        text(),
        text().prop_map(|local| format!("{local}@contoso.com")),
        text().prop_map(|domain| format!("tony@{domain}")),
        "[a-z0-9!#$%&'*+/=?^_`{|}~.-]{1,64}@contoso\\.com",
        "\"[ -~]{1,30}\"@contoso\\.com",
        "[a-zéß漢.]{1,20}@[a-zéß漢-]{1,10}\\.example",
    ]
}

pub fn settings() -> impl Strategy<Value = MessageSettings> {
    (
        option::of(select(vec!["de", "en", "es", "fr", "ja"])),
        option::of(text()),
        vec((text(), vec(text(), 0..4)), 0..3),
        vec(text(), 0..3),
    )
        .prop_map(|(language, help_desk, plans, any_plan)| {
            let mut settings = MessageSettings::new(language.map(str::to_owned), help_desk);
            for (dial_plan, numbers) in plans {
                settings.add_access_numbers(&dial_plan, numbers);
            }
            settings.add_access_numbers("*", any_plan);
            settings
        })
}

pub fn case() -> impl Strategy<Value = Case> {
    let circumstances = (any::<bool>(), any::<bool>(), any::<bool>());
    let people = (text(), text(), option::of(text()));
    let extensions = vec((text(), option::of(text())), 0..4);
    (people, text(), circumstances, extensions, settings()).prop_map(
        |((sender, display_name, preferred_language), reset_pin_text, circumstances, extensions, settings)| {
            let (must_change, locked_out, by_failures) = circumstances;
            let from = format!("\"{}\" <um@contoso.com>", sender.replace(['\\', '"'], "\\\""));
            Case {
                // A sender that the configuration would refuse is another test's.
                from: if umpin_accepts(&from) {
                    from
                } else {
                    super::FROM.to_owned()
                },
                display_name,
                preferred_language,
                reason: if by_failures {
                    Reason::TooManyFailures
                } else {
                    Reason::Administrator
                },
                must_change,
                locked_out,
                extensions: extensions
                    .into_iter()
                    .map(|(number, dial_plan)| extension(&number, dial_plan.as_deref()))
                    .collect(),
                reset_pin_text,
                settings,
                ..Case::default()
            }
        },
    )
}

fn umpin_accepts(from: &str) -> bool {
    let case = Case {
        from: from.to_owned(),
        ..Case::default()
    };
    case.compose().is_ok()
}
