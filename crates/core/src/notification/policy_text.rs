//! The policy's `ResetPINText`: simple HTML by administrators, for either part of the message.

use std::collections::HashSet;
use std::sync::LazyLock;

use ammonia::{Builder, UrlRelative};

use umpin_platform::text::{is_invisible, one_line};

/// The allowed elements: formatting only.
pub(super) const ELEMENTS: &[&str] = &[
    "a", "b", "br", "div", "em", "i", "li", "ol", "p", "span", "strong", "u", "ul",
];

/// The allowed schemes of links.
pub(super) const SCHEMES: &[&str] = &["http", "https", "mailto"];

static SANITISER: LazyLock<Builder<'static>> = LazyLock::new(|| {
    let set = |items: &[&'static str]| items.iter().copied().collect::<HashSet<_>>();
    let mut builder = Builder::empty();
    builder
        .tags(set(ELEMENTS))
        // Removed with their text; the text of every other element stays.
        .clean_content_tags(set(&["script", "style", "title"]))
        .generic_attributes(HashSet::new())
        .tag_attributes([("a", set(&["href"]))].into())
        .url_schemes(set(SCHEMES))
        .url_relative(UrlRelative::Deny)
        .link_rel(Some("noopener noreferrer"));
    builder
});

/// A policy's text, sanitised.
pub(super) struct PolicyText {
    html: String,
}

impl PolicyText {
    pub(super) fn new(source: &str) -> Self {
        // In a text without elements, line breaks are meant as such.
        let source = if source.contains('<') {
            source.to_owned()
        } else {
            source.trim().replace("\r\n", "\n").replace(['\r', '\n'], "<br>")
        };
        // Twice: the removal of elements may leave others in invalid positions (`<p>` in `<p>`), which programs correct differently.
        let once = SANITISER.clean(&source).to_string();
        let html = SANITISER
            .clean(&once)
            .to_string()
            .chars()
            // Nothing that hides or reorders the words, nor what entities made of it. Text and markup stay apart: in what the
            // sanitiser wrote, no `<` and no `&` of the text is left.
            .map(|c| if c == '\t' { ' ' } else { c })
            .filter(|c| *c == '\n' || !(c.is_control() || is_invisible(*c)))
            .collect();
        Self { html }
    }

    /// HTML of nothing but [`ELEMENTS`], balanced.
    pub(super) fn html(&self) -> &str {
        &self.html
    }

    /// Its words: block ends as line breaks, the target of a link after its words, no empty line twice.
    ///
    /// Written by hand, because the input is only what the sanitiser wrote (balanced, a dozen elements, five entities). Libraries that
    /// render HTML as text wrap lines and decorate elements, which would have to be configured away.
    pub(super) fn text(&self) -> String {
        let mut out = String::with_capacity(self.html.len());
        let mut lists: Vec<List> = Vec::new();
        let mut link: Option<String> = None;
        let mut rest = self.html.as_str();
        while let Some(at) = rest.find('<') {
            push_words(&mut out, &rest[..at]);
            let Some((tag, after)) = split_tag(&rest[at + 1..]) else {
                break;
            };
            rest = after;
            let name = tag.split([' ', '>']).next().unwrap_or_default();
            match name {
                "br" | "p" | "div" => out.push('\n'),
                "/p" | "/div" => out.push_str("\n\n"),
                "ul" => lists.push(List::Bullets),
                "ol" => lists.push(List::Numbers(0)),
                "/ul" | "/ol" => {
                    lists.pop();
                    out.push_str("\n\n");
                }
                "li" => {
                    out.push('\n');
                    out.push_str(&lists.last_mut().map_or_else(|| "- ".to_owned(), List::next_mark));
                }
                "a" => link = href(tag),
                "/a" => {
                    if let Some(target) = link.take()
                        && !out.ends_with(shown(&target))
                    {
                        out.push_str(" (");
                        out.push_str(shown(&target));
                        out.push(')');
                    }
                }
                _ => {}
            }
        }
        push_words(&mut out, rest);
        tidy(&out)
    }
}

enum List {
    Bullets,
    Numbers(u32),
}

impl List {
    fn next_mark(&mut self) -> String {
        match self {
            Self::Bullets => "- ".to_owned(),
            Self::Numbers(last) => {
                *last += 1;
                format!("{last}. ")
            }
        }
    }
}

/// Line breaks between elements are rendered as spaces.
fn push_words(out: &mut String, html: &str) {
    out.push_str(&unescape(html).replace('\n', " "));
}

/// The inside of a tag and what follows it; `>` may stand within the quotation marks of an attribute.
fn split_tag(text: &str) -> Option<(&str, &str)> {
    let mut quoted = false;
    for (at, c) in text.char_indices() {
        match c {
            '"' => quoted = !quoted,
            '>' if !quoted => return Some((&text[..at], &text[at + 1..])),
            _ => {}
        }
    }
    None
}

fn href(tag: &str) -> Option<String> {
    let (_, value) = tag.split_once(" href=\"")?;
    value.split('"').next().map(|target| one_line(&unescape(target)))
}

/// A link to an address is shown as the address.
fn shown(target: &str) -> &str {
    target
        .get(..7)
        .filter(|scheme| scheme.eq_ignore_ascii_case("mailto:"))
        .map_or(target, |_| &target[7..])
}

/// What the sanitiser escapes; `&amp;` last, so that nothing is unescaped twice.
fn unescape(html: &str) -> String {
    html.replace("&nbsp;", " ")
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&amp;", "&")
}

fn tidy(text: &str) -> String {
    let mut lines: Vec<String> = Vec::new();
    for line in text.lines().map(umpin_platform::text::tidy_line) {
        if !line.is_empty() || lines.last().is_some_and(|last| !last.is_empty()) {
            lines.push(line);
        }
    }
    lines.join("\n").trim().to_owned()
}
