//! Messages to look at, read back by libraries that had no part in making them.

pub mod hostile;
pub mod html;

use mail_parser::{Message, MessageParser, MimeHeaders};
use umpin::clock::Timestamp;
use umpin::mailbox::Extension;
use umpin::notification::message::{MessageInput, Reason, compose};
use umpin::notification::{MessageSettings, OutgoingMessage};
use umpin::pin::Pin;

pub const FROM: &str = "Unified Messaging <um@contoso.com>";
/// As no other text of the tests has it.
pub const PIN: &str = "048291";
pub const ID: [u8; 16] = [0x5A; 16];

/// All that a message is made of.
#[derive(Clone, Debug)]
pub struct Case {
    pub from: String,
    pub recipient: String,
    pub display_name: String,
    pub preferred_language: Option<String>,
    pub reason: Reason,
    pub pin: String,
    pub must_change: bool,
    pub locked_out: bool,
    pub extensions: Vec<Extension>,
    pub reset_pin_text: String,
    pub settings: MessageSettings,
}

impl Default for Case {
    fn default() -> Self {
        Self {
            from: FROM.to_owned(),
            recipient: "tony@contoso.com".to_owned(),
            display_name: "Tony Smith".to_owned(),
            preferred_language: None,
            reason: Reason::Administrator,
            pin: PIN.to_owned(),
            must_change: true,
            locked_out: false,
            extensions: vec![extension("4271", None)],
            reset_pin_text: String::new(),
            settings: MessageSettings::default(),
        }
    }
}

pub fn extension(number: &str, dial_plan: Option<&str>) -> Extension {
    Extension {
        number: number.to_owned(),
        dial_plan: dial_plan.map(str::to_owned),
    }
}

impl Case {
    pub fn compose(&self) -> umpin::Result<OutgoingMessage> {
        compose(&MessageInput {
            id: ID,
            created: Timestamp(1_753_000_000_123),
            from: &self.from,
            recipient: &self.recipient,
            display_name: &self.display_name,
            preferred_language: self.preferred_language.as_deref(),
            reason: self.reason,
            pin: &Pin::new(self.pin.clone()),
            must_change: self.must_change,
            locked_out: self.locked_out,
            extensions: &self.extensions,
            reset_pin_text: &self.reset_pin_text,
            settings: &self.settings,
        })
    }

    pub fn content(&self) -> String {
        let message = self.compose().expect("composed");
        String::from_utf8(message.content.to_vec()).expect("UTF-8")
    }

    /// Composes, and checks what holds for every message.
    #[track_caller]
    pub fn sound(&self) -> Read {
        let content = self.content();
        assert_raw(&content, &self.pin);
        let read = read(&content);
        assert_read(&read, &self.recipient, &self.pin);
        read
    }
}

/// What a reader of the message gets.
#[derive(Debug)]
pub struct Read {
    /// Names of the header fields, in order.
    pub headers: Vec<String>,
    pub from: Vec<(String, String)>,
    pub to: Vec<(String, String)>,
    pub subject: String,
    pub message_id: String,
    pub has_date: bool,
    /// Media types: the whole, then its parts in order.
    pub types: Vec<String>,
    pub text: String,
    pub html: String,
}

const HEADERS: [&str; 9] = [
    "Date",
    "Message-ID",
    "From",
    "To",
    "Subject",
    "Auto-Submitted",
    "X-Auto-Response-Suppress",
    "MIME-Version",
    "Content-Type",
];

/// What can be seen without understanding the message.
#[track_caller]
fn assert_raw(content: &str, pin: &str) {
    assert!(content.ends_with("\r\n"));
    for line in content.split("\r\n") {
        assert!(!line.contains(['\r', '\n', '\0']), "{line:?}");
        assert!(line.len() <= 998, "{} octets: {line:?}", line.len());
    }
    let (head, body) = content.split_once("\r\n\r\n").expect("a header");
    let fields: Vec<&str> = head
        .split("\r\n")
        .filter(|line| !line.starts_with([' ', '\t']))
        .map(|line| line.split_once(':').expect("name and value").0)
        .collect();
    assert_eq!(fields, HEADERS);
    assert!(body.is_ascii(), "the body is encoded");
    assert_eq!(
        content.matches(pin).count(),
        2,
        "the PIN is in each part and nowhere else"
    );
    assert_eq!(
        content.split("\r\n").filter(|line| *line == pin).count(),
        2,
        "readable without decoding"
    );
}

/// What holds for a message, whoever has read it.
#[track_caller]
pub fn assert_read(read: &Read, recipient: &str, pin: &str) {
    assert_eq!(read.headers, HEADERS);
    assert_eq!(read.from.len(), 1, "{:?}", read.from);
    assert_eq!(read.from[0].1, "um@contoso.com");
    assert_eq!(read.to.len(), 1, "{:?}", read.to);
    assert_eq!(unquoted(&read.to[0].1), unquoted(&as_sent(recipient)));
    assert!(!read.subject.is_empty() && read.has_date);
    assert_eq!(read.message_id, format!("{}@contoso.com", "5a".repeat(16)));
    assert_eq!(read.types, ["multipart/alternative", "text/plain", "text/html"]);

    assert_eq!(read.text.matches(pin).count(), 1, "{}", read.text);
    assert_eq!(
        read.text.lines().filter(|line| *line == pin).count(),
        1,
        "{}",
        read.text
    );
    html::assert_readable(&read.text);
    // The name in the header is the one in the greeting: nothing in it was taken for an encoding, an address or a list.
    let greeting = read.text.lines().next().expect("greeting");
    assert!(
        without_spaces(greeting).contains(&without_spaces(&read.to[0].0)),
        "{greeting:?} {:?}",
        read.to
    );
    html::assert_harmless(&read.html, pin);
}

/// How an address stands in the header: its domain as A-labels (RFC 5890) where that makes all of it ASCII.
fn as_sent(address: &str) -> String {
    let (local, domain) = address.rsplit_once('@').expect("an address");
    if !local.is_ascii() || domain.is_ascii() {
        return address.to_owned();
    }
    let domain = idna::domain_to_ascii(domain).expect("a domain that was accepted");
    format!("{local}@{domain}")
}

/// Quotation marks around a local part are no part of it, and parsers differ in whether they show them.
pub fn unquoted(address: &str) -> String {
    address.replace('"', "")
}

/// Python puts a space between the encoded words of a name (bpo-35547).
pub fn without_spaces(text: &str) -> String {
    text.chars()
        .filter(|c| !c.is_whitespace() && !matches!(c, '\u{2068}' | '\u{2069}'))
        .collect()
}

pub fn read(content: &str) -> Read {
    let message = MessageParser::default().parse(content).expect("a message");
    let media = |part: &mail_parser::MessagePart<'_>| {
        let kind = part.content_type().expect("a media type");
        format!("{}/{}", kind.ctype(), kind.subtype().unwrap_or_default())
    };
    assert_eq!(message.text_body_count(), 1);
    assert_eq!(message.html_body_count(), 1);
    assert_eq!(message.attachment_count(), 0);
    Read {
        headers: message.headers_raw().map(|(name, _)| name.to_owned()).collect(),
        from: people(message.from()),
        to: people(message.to()),
        subject: message.subject().unwrap_or_default().to_owned(),
        message_id: message.message_id().unwrap_or_default().to_owned(),
        has_date: message.date().is_some(),
        types: message.parts.iter().map(media).collect(),
        text: text_of(&message, 1),
        html: text_of(&message, 2),
    }
}

fn text_of(message: &Message<'_>, part: u32) -> String {
    let part = message.part(part).expect("a part");
    assert!(!part.is_encoding_problem);
    String::from_utf8(part.contents().to_vec()).expect("UTF-8")
}

fn people(address: Option<&mail_parser::Address<'_>>) -> Vec<(String, String)> {
    address
        .map(|list| {
            list.iter()
                .map(|one| {
                    let (name, address) = (one.name().unwrap_or_default(), one.address().unwrap_or_default());
                    // How this parser reads `"tony smith"@contoso.com`.
                    if address.starts_with('@') {
                        (String::new(), format!("{name}{address}"))
                    } else {
                        (name.to_owned(), address.to_owned())
                    }
                })
                .collect()
        })
        .unwrap_or_default()
}
