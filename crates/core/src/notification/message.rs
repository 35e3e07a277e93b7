//! The message that tells a user the new PIN.
//!
//! The mail library never gets the PIN: it builds the message around a marker, which is replaced by the digits in the one buffer that
//! is wiped afterwards.

mod template;

use std::time::{Duration, SystemTime};

use lettre::Message;
use lettre::address::Envelope;
use lettre::message::header::{ContentTransferEncoding, ContentType, HeaderName, HeaderValue};
use lettre::message::{Body, Mailbox, Mailboxes, MultiPart, SinglePart};
use zeroize::Zeroizing;

use self::template::Template;
use super::address::parse_address;
use super::language::{self, Phrases};
use super::{MessageSettings, OutgoingMessage};
use crate::clock::Timestamp;
use crate::mailbox::Extension;
use crate::pin::Pin;
use crate::{Error, ErrorCode, Result};
use umpin_platform::text::one_line;

/// Why there is a new PIN.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reason {
    /// An administrator reset it.
    #[default]
    Administrator,
    /// A wrong PIN was entered too many times.
    TooManyFailures,
}

/// The input of a message. Everything but the PIN may be logged.
pub struct MessageInput<'a> {
    /// Random; becomes the `Message-ID` and the MIME boundary, so that the same input gives the same bytes.
    pub id: [u8; 16],
    /// When the PIN was set.
    pub created: Timestamp,
    /// The sender, `Unified Messaging <um@contoso.com>`, as in the configuration.
    pub from: &'a str,
    /// The one recipient's address.
    pub recipient: &'a str,
    /// The name of the user.
    pub display_name: &'a str,
    /// The user's `preferredLanguage`, `de-AT, en;q=0.8`.
    pub preferred_language: Option<&'a str>,
    /// Why there is a new PIN.
    pub reason: Reason,
    /// The new PIN.
    pub pin: &'a Pin,
    /// Whether the user must choose another PIN at the next sign-in.
    pub must_change: bool,
    /// Whether telephone access is locked although a PIN was issued (`-LockedOut $true`).
    pub locked_out: bool,
    /// The extensions that the PIN is for.
    pub extensions: &'a [Extension],
    /// The policy's `ResetPINText`: simple HTML.
    pub reset_pin_text: &'a str,
    /// The settings.
    pub settings: &'a MessageSettings,
}

/// Builds the message.
///
/// # Errors
/// `NoNotificationAddress` for an invalid recipient, `ConfigurationInvalid` for an invalid sender.
pub fn compose(input: &MessageInput<'_>) -> Result<OutgoingMessage> {
    let from = parse_sender(input.from).ok_or_else(|| {
        Error::new(
            ErrorCode::ConfigurationInvalid,
            "The sender of notifications is not an e-mail address.",
        )
    })?;
    let recipient = parse_address(input.recipient);
    let to = recipient
        .as_ref()
        .and_then(super::address::Address::to_lettre)
        .ok_or_else(|| {
            Error::new(
                ErrorCode::NoNotificationAddress,
                format!("'{}' is not an e-mail address.", one_line(input.recipient)),
            )
        })?;
    let pin = input.pin.expose().as_bytes();
    if pin.is_empty() || !pin.iter().all(u8::is_ascii_digit) {
        return Err(defect("A PIN that is not digits cannot be announced."));
    }

    let id = hex(input.id);
    // As random as the id, so that no name or policy text contains it; shorter than a line, so that no encoding breaks it.
    let marker = format!("umpin-pin-{id}");
    let language = language::choose(input.preferred_language, input.settings.language.as_deref());
    let phrases = Phrases::of(language)?;
    let template = Template::new(input, language, &phrases);
    let parts = MultiPart::alternative()
        // `=_` cannot stand in a quoted-printable body.
        .boundary(format!("=_umpin-{id}"))
        .singlepart(part(ContentType::TEXT_PLAIN, template.text(&marker))?)
        .singlepart(part(ContentType::TEXT_HTML, template.html(&marker))?);
    let envelope = Envelope::new(Some(from.email.clone()), vec![to.clone()])
        .map_err(|e| defect(&format!("The envelope could not be made: {e}.")).caused_by(e))?;
    let display_name = one_line(input.display_name);
    let message = Message::builder()
        .envelope(envelope)
        .date(date(input.created))
        .message_id(Some(format!("<{id}@{}>", from.email.domain())))
        .from(from)
        .to(Mailbox::new((!display_name.is_empty()).then_some(display_name), to))
        .subject(phrases.subject.as_str())
        // Suppresses out-of-office replies and receipts.
        .raw_header(header("Auto-Submitted", "auto-generated"))
        .raw_header(header("X-Auto-Response-Suppress", "All"))
        .multipart(parts)
        .map_err(|e| defect(&format!("The message could not be built: {e}.")).caused_by(e))?;

    Ok(OutgoingMessage {
        id: input.id,
        created: input.created,
        recipient: input.recipient.to_owned(),
        content: insert_pin(&message.formatted(), marker.as_bytes(), pin)?,
    })
}

/// Builds a test message, which announces no PIN.
///
/// # Errors
/// As [`compose`].
pub fn compose_test(
    id: [u8; 16],
    created: Timestamp,
    from: &str,
    recipient: &str,
    host: &str,
) -> Result<OutgoingMessage> {
    let sender = parse_sender(from).ok_or_else(|| {
        Error::new(
            ErrorCode::ConfigurationInvalid,
            "The sender of notifications is not an e-mail address.",
        )
    })?;
    let to = parse_address(recipient)
        .as_ref()
        .and_then(super::address::Address::to_lettre)
        .ok_or_else(|| {
            Error::new(
                ErrorCode::InvalidNotifyEmail,
                format!("'{}' is not an e-mail address.", one_line(recipient)),
            )
        })?;
    let text = format!(
        "This is a test message of Unified Messaging, sent from {}. It announces no PIN, and nothing was changed.\r\n",
        one_line(host)
    );
    let message = Message::builder()
        .date(date(created))
        .message_id(Some(format!("<{}@{}>", hex(id), sender.email.domain())))
        .from(sender)
        .to(Mailbox::new(None, to))
        .subject("Test message of Unified Messaging")
        .raw_header(header("Auto-Submitted", "auto-generated"))
        .raw_header(header("X-Auto-Response-Suppress", "All"))
        .singlepart(part(ContentType::TEXT_PLAIN, text)?)
        .map_err(|e| defect(&format!("The message could not be built: {e}.")).caused_by(e))?;
    Ok(OutgoingMessage {
        id,
        created,
        recipient: recipient.to_owned(),
        content: Zeroizing::new(message.formatted()),
    })
}

/// Parses a sender: an address, alone or after a name.
#[must_use]
pub fn parse_sender(text: &str) -> Option<Mailbox> {
    let text = text.trim();
    if text.chars().any(char::is_control) {
        return None;
    }
    let (name, address) = match text.strip_suffix('>') {
        Some(rest) => {
            let (name, address) = rest.rsplit_once('<')?;
            (unquoted(name.trim())?, address)
        }
        None => (String::new(), text),
    };
    let name = one_line(&name);
    let address = parse_address(address)?.to_lettre()?;
    let sender = Mailbox::new((!name.is_empty()).then_some(name), address);
    // The builder parses the header again, and accepts fewer quoted local parts.
    sender.to_string().parse::<Mailboxes>().ok()?;
    Some(sender)
}

/// The name without its quotation marks; an unquoted one must not have the special characters of addresses and lists.
fn unquoted(name: &str) -> Option<String> {
    if let Some(inner) = name.strip_prefix('"') {
        let inner = inner.strip_suffix('"')?;
        let mut out = String::with_capacity(inner.len());
        let mut chars = inner.chars();
        while let Some(c) = chars.next() {
            match c {
                '\\' => out.push(chars.next()?),
                '"' => return None,
                other => out.push(other),
            }
        }
        return Some(out);
    }
    (!name.contains(['"', '<', '>', '@', ',', ';', ':', '\\'])).then(|| name.to_owned())
}

/// Always quoted-printable, so that the line of digits is readable without a mail program.
fn part(kind: ContentType, text: String) -> Result<SinglePart> {
    let body = Body::new_with_encoding(text, ContentTransferEncoding::QuotedPrintable)
        .map_err(|_| defect("The message could not be encoded."))?;
    Ok(SinglePart::builder().header(kind).body(body))
}

/// Replaces the marker, once in each part, in a buffer that never grows (growing would leave a copy behind).
fn insert_pin(message: &[u8], marker: &[u8], pin: &[u8]) -> Result<Zeroizing<Vec<u8>>> {
    let mut content = Zeroizing::new(Vec::with_capacity(message.len() + 2 * pin.len()));
    let mut rest = message;
    let mut found = 0;
    while let Some(at) = rest.windows(marker.len()).position(|window| window == marker) {
        found += 1;
        if found > 2 {
            break;
        }
        content.extend_from_slice(&rest[..at]);
        content.extend_from_slice(pin);
        rest = &rest[at + marker.len()..];
    }
    if found != 2 {
        return Err(defect("The message could not be completed."));
    }
    content.extend_from_slice(rest);
    Ok(content)
}

/// The date, limited to the years that a date header can have.
fn date(created: Timestamp) -> SystemTime {
    const END_OF_YEAR_9999: u64 = 253_402_300_799;
    let seconds = u64::try_from(created.0.div_euclid(1000)).unwrap_or(0);
    SystemTime::UNIX_EPOCH + Duration::from_secs(seconds.min(END_OF_YEAR_9999))
}

fn header(name: &'static str, value: &str) -> HeaderValue {
    HeaderValue::new(HeaderName::new_from_ascii_str(name), value.to_owned())
}

fn hex(bytes: [u8; 16]) -> String {
    format!("{:032x}", u128::from_be_bytes(bytes))
}

fn defect(message: &str) -> Error {
    Error::new(ErrorCode::NativeFault, message)
}
