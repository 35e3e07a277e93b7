//! The two parts of the message: the same sentences as text and as HTML.
//!
//! Colours and fonts are the reader's own, so that it is legible in dark mode and with high contrast; nothing is loaded. The
//! PIN's digits are spaced by style alone, so that copying gives the PIN, and no mail program may take it for a telephone number.

use super::{MessageInput, Reason};
use crate::notification::address::parse_address;
use crate::notification::language::Phrases;
use crate::notification::policy_text::PolicyText;
use crate::notification::text::{escape_html, isolated};
use umpin_platform::text::one_line;

/// What goes into a sentence in place of its placeholder.
enum Insert {
    Words(String),
    /// An address that needs no escaping in a link.
    Address(String),
}

/// A phrase, and what is said with it.
struct Sentence<'a> {
    phrase: &'a str,
    inserts: Vec<Insert>,
}

impl<'a> Sentence<'a> {
    fn plain(phrase: &'a str) -> Self {
        Self {
            phrase,
            inserts: Vec::new(),
        }
    }

    fn with(phrase: &'a str, insert: Insert) -> Self {
        Self {
            phrase,
            inserts: vec![insert],
        }
    }

    /// Of a phrase for one item and one for several.
    fn counted(one: &'a str, other: &'a str, items: Vec<String>) -> Option<Self> {
        let phrase = match items.len() {
            0 => return None,
            1 => one,
            _ => other,
        };
        Some(Self {
            phrase,
            inserts: items.into_iter().map(Insert::Words).collect(),
        })
    }

    /// The phrase in `quote`d form with each insert as `show` has it, listed where there are several.
    fn render(&self, separator: &str, quote: impl Fn(&str) -> String, show: impl Fn(&Insert) -> String) -> String {
        let placeholder = self
            .phrase
            .find('{')
            .and_then(|start| Some((start, start + self.phrase[start..].find('}')? + 1)));
        let Some((start, end)) = placeholder else {
            return quote(self.phrase);
        };
        let list: Vec<_> = self.inserts.iter().map(show).collect();
        format!(
            "{}{}{}",
            quote(&self.phrase[..start]),
            list.join(&quote(separator)),
            quote(&self.phrase[end..])
        )
    }

    fn text(&self, phrases: &Phrases) -> String {
        self.render(&phrases.list_separator, str::to_owned, |insert| match insert {
            Insert::Words(words) | Insert::Address(words) => isolated(words, self.phrase),
        })
    }

    fn html(&self, phrases: &Phrases) -> String {
        self.render(&phrases.list_separator, escape_html, |insert| match insert {
            Insert::Words(words) => format!("<bdi>{}</bdi>", escape_html(words)),
            Insert::Address(address) => format!("<bdi><a href=\"mailto:{address}\">{address}</a></bdi>"),
        })
    }
}

/// A message in one language, before the PIN is put in.
pub(super) struct Template<'a> {
    language: &'a str,
    phrases: &'a Phrases,
    greeting: Sentence<'a>,
    announcement: Sentence<'a>,
    notes: Vec<Sentence<'a>>,
    policy: PolicyText,
    calling: Vec<Sentence<'a>>,
    help: [Sentence<'a>; 2],
}

impl<'a> Template<'a> {
    pub(super) fn new(input: &MessageInput<'_>, language: &'a str, phrases: &'a Phrases) -> Self {
        let name = one_line(input.display_name);
        let mut notes = Vec::new();
        if input.must_change {
            notes.push(Sentence::plain(&phrases.must_change));
        }
        if input.locked_out {
            notes.push(Sentence::plain(&phrases.locked_out));
        }
        let extensions = input.extensions.iter().map(|e| one_line(&e.number)).collect();
        let numbers = input.settings.access_numbers(input.extensions);
        let numbers = numbers.into_iter().map(one_line).collect();
        Self {
            language,
            phrases,
            greeting: if name.is_empty() {
                Sentence::plain(&phrases.greeting_without_name)
            } else {
                Sentence::with(&phrases.greeting, Insert::Words(name))
            },
            announcement: Sentence::plain(match input.reason {
                Reason::Administrator => &phrases.pin_set,
                Reason::TooManyFailures => &phrases.pin_replaced,
            }),
            notes,
            policy: PolicyText::new(input.reset_pin_text),
            calling: [
                Sentence::counted(&phrases.extension_one, &phrases.extension_other, extensions),
                Sentence::counted(&phrases.access_number_one, &phrases.access_number_other, numbers),
            ]
            .into_iter()
            .flatten()
            .collect(),
            help: [
                contact(input.settings.help_desk.as_deref()).map_or_else(
                    || Sentence::plain(&phrases.help_desk),
                    |contact| Sentence::with(&phrases.help_contact, contact),
                ),
                Sentence::plain(&phrases.keep_secret),
            ],
        }
    }

    /// The text part; the PIN's line holds nothing else.
    pub(super) fn text(&self, pin: &str) -> String {
        let say = |sentences: &[Sentence<'_>]| sentences.iter().map(|s| s.text(self.phrases)).collect::<Vec<_>>();
        let blocks = [
            say(std::slice::from_ref(&self.greeting)),
            say(std::slice::from_ref(&self.announcement)),
            vec![pin.to_owned()],
            say(&self.notes),
            self.policy.text().lines().map(str::to_owned).collect(),
            say(&self.calling),
            say(&self.help),
        ];
        let blocks: Vec<_> = blocks
            .iter()
            .filter(|lines| !lines.is_empty())
            .map(|lines| lines.join("\r\n"))
            .collect();
        format!("{}\r\n", blocks.join("\r\n\r\n"))
    }

    /// The HTML part. The PIN stands alone on a line of the source, too, so that no encoding breaks it.
    pub(super) fn html(&self, pin: &str) -> String {
        let subject = escape_html(&self.phrases.subject);
        let direction = self.phrases.direction.as_str();
        let mut lines: Vec<String> = vec![
            "<!DOCTYPE html>".to_owned(),
            format!("<html lang=\"{}\" dir=\"{direction}\">", self.language),
            "<head>".to_owned(),
            "<meta charset=\"utf-8\">".to_owned(),
            "<meta name=\"viewport\" content=\"width=device-width\">".to_owned(),
            "<meta name=\"format-detection\" content=\"telephone=no\">".to_owned(),
            "<meta name=\"color-scheme\" content=\"light dark\">".to_owned(),
            "<meta name=\"supported-color-schemes\" content=\"light dark\">".to_owned(),
            format!("<title>{subject}</title>"),
            "<style>:root { color-scheme: light dark; } a[x-apple-data-detectors] { color: inherit; text-decoration: none; }</style>".to_owned(),
            "</head>".to_owned(),
            // Again, for mail programs that drop the head and its parent.
            format!(
                "<body lang=\"{}\" dir=\"{direction}\" style=\"font-family: sans-serif; line-height: 1.5\">",
                self.language
            ),
            format!("<h1 style=\"font-size: 1.5em\">{subject}</h1>"),
        ];
        self.say_html(&mut lines, [&self.greeting, &self.announcement]);
        lines.extend([
            "<p dir=\"ltr\" style=\"font-family: monospace; font-size: 1.75em; font-weight: bold; letter-spacing: 0.2em\">"
                .to_owned(),
            pin.to_owned(),
            "</p>".to_owned(),
        ]);
        self.say_html(&mut lines, &self.notes);
        if !self.policy.html().trim().is_empty() {
            lines.push("<div dir=\"auto\">".to_owned());
            lines.extend(self.policy.html().lines().map(str::to_owned));
            lines.push("</div>".to_owned());
        }
        if !self.calling.is_empty() {
            lines.push(heading(&self.phrases.calling_heading));
            self.say_html(&mut lines, &self.calling);
        }
        lines.push(heading(&self.phrases.help_heading));
        self.say_html(&mut lines, &self.help);
        lines.extend(["</body>".to_owned(), "</html>".to_owned(), String::new()]);
        lines.join("\r\n")
    }

    fn say_html<'s>(&self, lines: &mut Vec<String>, sentences: impl IntoIterator<Item = &'s Sentence<'s>>) {
        for sentence in sentences {
            lines.push(format!("<p>{}</p>", sentence.html(self.phrases)));
        }
    }
}

fn heading(text: &str) -> String {
    format!("<h2 style=\"font-size: 1.2em\">{}</h2>", escape_html(text))
}

/// Who helps, with a link where it is an address of plain characters.
fn contact(configured: Option<&str>) -> Option<Insert> {
    let text = one_line(configured?);
    if text.is_empty() {
        return None;
    }
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '@' | '.' | '-' | '_');
    Some(if text.chars().all(plain) && parse_address(&text).is_some() {
        Insert::Address(text)
    } else {
        Insert::Words(text)
    })
}
