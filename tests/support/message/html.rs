//! The HTML part as a browser's parser sees it.

use html5ever::tendril::TendrilSink;
use html5ever::{ParseOpts, parse_document};
use markup5ever_rcdom::{Handle, NodeData, RcDom};

type Attribute = (&'static str, &'static [&'static str]);
type Element = (&'static str, &'static [Attribute]);

/// Element, attribute, and the values that it may have (none named: see below).
const TEMPLATE: &[Element] = &[
    ("html", &[("lang", &[]), ("dir", &["ltr", "rtl"])]),
    ("head", &[]),
    (
        "meta",
        &[
            ("charset", &["utf-8"]),
            (
                "name",
                &[
                    "viewport",
                    "format-detection",
                    "color-scheme",
                    "supported-color-schemes",
                ],
            ),
            ("content", &["width=device-width", "telephone=no", "light dark"]),
        ],
    ),
    ("title", &[]),
    ("style", &[]),
    (
        "body",
        &[
            ("lang", &[]),
            ("dir", &["ltr", "rtl"]),
            ("style", &["font-family: sans-serif; line-height: 1.5"]),
        ],
    ),
    ("h1", &[("style", &["font-size: 1.5em"])]),
    ("h2", &[("style", &["font-size: 1.2em"])]),
    ("p", &[("dir", &["ltr"]), ("style", &[PIN_STYLE])]),
    ("div", &[("dir", &["auto"])]),
    ("bdi", &[]),
    ("a", &[("href", &[]), ("rel", &["noopener noreferrer"])]),
    ("b", &[]),
    ("br", &[]),
    ("em", &[]),
    ("i", &[]),
    ("li", &[]),
    ("ol", &[]),
    ("span", &[]),
    ("strong", &[]),
    ("u", &[]),
    ("ul", &[]),
];

const PIN_STYLE: &str = "font-family: monospace; font-size: 1.75em; font-weight: bold; letter-spacing: 0.2em";

/// The one style sheet.
const STYLE: &str =
    ":root { color-scheme: light dark; } a[x-apple-data-detectors] { color: inherit; text-decoration: none; }";

/// Nothing that a reader does not see, or that moves what is read; the marks of isolation, which are ours, come in pairs.
#[track_caller]
pub fn assert_readable(text: &str) {
    for c in text.chars() {
        let hidden = matches!(
            c,
            '\u{200B}' | '\u{200E}' | '\u{200F}' | '\u{2028}'..='\u{202E}' | '\u{2066}' | '\u{2067}' | '\u{FEFF}'
        );
        assert!(!hidden && (!c.is_control() || "\r\n".contains(c)), "{c:?} in {text}");
    }
    for line in text.lines() {
        let open = line.chars().filter(|c| *c == '\u{2068}').count();
        assert_eq!(open, line.chars().filter(|c| *c == '\u{2069}').count(), "{line}");
    }
}

/// What a document is made of.
#[derive(Default)]
struct Seen {
    /// Text outside the style sheet.
    words: String,
    pins: Vec<String>,
    elements: Vec<String>,
}

/// Nothing but the template and simple text: no script, no style, no event, no address other than of links; the PIN once.
#[track_caller]
pub fn assert_harmless(html: &str, pin: &str) {
    let document = parse_document(RcDom::default(), ParseOpts::default()).one(html);
    assert!(
        document.errors.borrow().is_empty(),
        "{:?}\n{html}",
        document.errors.borrow()
    );
    let mut seen = Seen::default();
    // A stack of its own: nesting may be deeper than the thread's.
    let mut open: Vec<Handle> = vec![document.document.clone()];
    while let Some(node) = open.pop() {
        look(&node, &mut seen, html, pin);
        open.extend(node.children.borrow().iter().rev().cloned());
    }
    assert_eq!(seen.words.matches(pin).count(), 1, "{html}");
    assert_eq!(seen.pins.len(), 1, "{html}");
    assert_eq!(seen.pins[0].trim(), pin, "{html}");
    for once in ["html", "head", "title", "style", "body", "h1"] {
        assert_eq!(
            seen.elements.iter().filter(|name| *name == once).count(),
            1,
            "{once}: {html}"
        );
    }
    assert_readable(&seen.words);
}

fn look(node: &Handle, seen: &mut Seen, html: &str, pin: &str) {
    match &node.data {
        NodeData::Document | NodeData::Doctype { .. } => {}
        NodeData::Text { contents } => {
            let parent = node.parent.take();
            let inside = parent.as_ref().and_then(std::rc::Weak::upgrade).map(|p| name_of(&p));
            node.parent.set(parent);
            if inside.as_deref() == Some("style") {
                assert_eq!(&**contents.borrow(), STYLE, "{html}");
            } else {
                seen.words.push_str(&contents.borrow());
            }
        }
        NodeData::Element { attrs, .. } => {
            let name = name_of(node);
            let known = TEMPLATE.iter().find(|(known, _)| *known == name);
            let Some((_, attributes)) = known else {
                panic!("<{name}> in {html}");
            };
            for attribute in attrs.borrow().iter() {
                let (key, value) = (&*attribute.name.local, &*attribute.value);
                let known = attributes.iter().find(|(known, _)| *known == key);
                let Some((_, values)) = known else {
                    panic!("{name} {key}={value:?} in {html}");
                };
                assert!(!value.contains(pin));
                match key {
                    "href" => assert_link(value),
                    "lang" => assert!(value.len() >= 2 && value.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')),
                    _ => assert!(values.contains(&value), "{name} {key}={value:?} in {html}"),
                }
                if value == PIN_STYLE {
                    seen.pins.push(node.children.borrow().iter().map(text_of).collect());
                }
            }
            seen.elements.push(name);
        }
        NodeData::Comment { .. } | NodeData::ProcessingInstruction { .. } => panic!("a comment in {html}"),
    }
}

fn assert_link(target: &str) {
    let scheme = target.split_once(':').map(|(scheme, _)| scheme.to_ascii_lowercase());
    assert!(
        matches!(scheme.as_deref(), Some("http" | "https" | "mailto")),
        "{target:?}"
    );
}

fn name_of(node: &Handle) -> String {
    match &node.data {
        NodeData::Element { name, .. } => {
            assert_eq!(&*name.ns, "http://www.w3.org/1999/xhtml");
            name.local.to_string()
        }
        _ => String::new(),
    }
}

fn text_of(node: &Handle) -> String {
    match &node.data {
        NodeData::Text { contents } => contents.borrow().to_string(),
        _ => panic!("an element around the PIN"),
    }
}
