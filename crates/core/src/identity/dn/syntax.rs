//! The syntax of distinguished names: RFC 4514, and what RFC 2253 and RFC 1779 allowed before it (`;`, quotes, `OID.`).
//!
//! One pass from left to right, without recursion: whatever is handed in, the time is linear.

use super::{Attribute, Rdn, Value};

/// Short names of attribute types by OID and by long name (RFC 4519, and Microsoft's `S`, `E`, `G`).
const TYPES: &[(&str, &[&str])] = &[
    ("cn", &["2.5.4.3", "commonname"]),
    ("sn", &["2.5.4.4", "surname"]),
    ("serialnumber", &["2.5.4.5"]),
    ("c", &["2.5.4.6", "countryname"]),
    ("l", &["2.5.4.7", "localityname"]),
    ("st", &["2.5.4.8", "stateorprovincename", "s"]),
    ("street", &["2.5.4.9", "streetaddress"]),
    ("o", &["2.5.4.10", "organizationname"]),
    ("ou", &["2.5.4.11", "organizationalunitname"]),
    ("title", &["2.5.4.12", "t"]),
    ("givenname", &["2.5.4.42", "g", "gn"]),
    ("initials", &["2.5.4.43", "i"]),
    ("dc", &["0.9.2342.19200300.100.1.25", "domaincomponent"]),
    ("uid", &["0.9.2342.19200300.100.1.1", "userid"]),
    ("emailaddress", &["1.2.840.113549.1.9.1", "e", "email"]),
];

/// The components from left to right; `None` for text that is not a distinguished name, or an empty one.
pub(super) fn parse(text: &str) -> Option<Vec<Rdn>> {
    if text.contains('\0') {
        return None;
    }
    let mut rdns = Vec::new();
    let mut rdn = Rdn::new();
    let mut rest = text;
    loop {
        let (kind, after_kind) = rest.split_once('=')?;
        let kind = attribute_type(kind.trim_matches(is_space))?;
        let (value, separator, after_value) = value(after_kind.trim_start_matches(is_space))?;
        rdn.push(Attribute { kind, value });
        if separator != Some('+') {
            rdns.push(std::mem::take(&mut rdn));
        }
        if separator.is_none() {
            return Some(rdns);
        }
        rest = after_value;
    }
}

fn is_space(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\r' | '\n')
}

fn is_separator(c: char) -> bool {
    matches!(c, ',' | ';' | '+')
}

fn attribute_type(text: &str) -> Option<String> {
    let lower = text.to_ascii_lowercase();
    let lower = lower.strip_prefix("oid.").unwrap_or(&lower);
    if !is_keyword(lower) && !is_numeric_oid(lower) {
        return None;
    }
    let short = TYPES
        .iter()
        .find(|(_, others)| others.contains(&lower))
        .map_or(lower, |(short, _)| *short);
    Some(short.to_owned())
}

fn is_keyword(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
}

fn is_numeric_oid(text: &str) -> bool {
    let is_number =
        |arc: &str| !arc.is_empty() && arc.bytes().all(|b| b.is_ascii_digit()) && (arc == "0" || !arc.starts_with('0'));
    text.contains('.') && text.split('.').all(is_number)
}

/// A value, the separator that ends it and what follows; no separator at the end of the text.
fn value(text: &str) -> Option<(Value, Option<char>, &str)> {
    let (value, rest) = if let Some(quoted) = text.strip_prefix('"') {
        let (text, rest) = quoted_string(quoted)?;
        (Value::Text(text), rest)
    } else if let Some(hex) = text.strip_prefix('#') {
        let (hex, rest) = hex.split_at(hex.find(is_separator).unwrap_or(hex.len()));
        (encoded(hex.trim_end_matches(is_space))?, rest)
    } else {
        let (text, rest) = plain_string(text)?;
        (Value::Text(text), rest)
    };
    let mut rest = rest.trim_start_matches(is_space).chars();
    match rest.next() {
        None => Some((value, None, "")),
        Some(separator) if is_separator(separator) => Some((value, Some(separator), rest.as_str())),
        Some(_) => None,
    }
}

/// Up to an unescaped separator; unescaped spaces before that do not count.
fn plain_string(text: &str) -> Option<(String, &str)> {
    let mut bytes = Vec::new();
    let mut significant = 0;
    let mut chars = text.chars();
    loop {
        let rest = chars.as_str();
        match chars.next() {
            None => return utf8(bytes, significant).map(|value| (value, rest)),
            Some(c) if is_separator(c) => {
                return utf8(bytes, significant).map(|value| (value, rest));
            }
            Some('"' | '<' | '>') => return None,
            Some('\\') => {
                bytes.push(escaped(&mut chars)?);
                significant = bytes.len();
            }
            Some(c) => {
                bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
                if !is_space(c) {
                    significant = bytes.len();
                }
            }
        }
    }
}

/// Up to the closing quotation mark.
fn quoted_string(text: &str) -> Option<(String, &str)> {
    let mut bytes = Vec::new();
    let mut chars = text.chars();
    loop {
        match chars.next()? {
            '"' => {
                let length = bytes.len();
                return utf8(bytes, length).map(|value| (value, chars.as_str()));
            }
            '\\' => bytes.push(escaped(&mut chars)?),
            c => bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
}

fn utf8(mut bytes: Vec<u8>, length: usize) -> Option<String> {
    bytes.truncate(length);
    String::from_utf8(bytes).ok()
}

/// What follows a backslash: two hex digits, or one of the characters that may be escaped (`/` as ADSI does).
fn escaped(chars: &mut std::str::Chars<'_>) -> Option<u8> {
    let first = chars.next()?;
    if let Some(high) = first.to_digit(16) {
        let low = chars.next()?.to_digit(16)?;
        return u8::try_from(high * 16 + low).ok();
    }
    match first {
        ' ' | '#' | '=' | '"' | '+' | ',' | ';' | '<' | '>' | '\\' | '/' => u8::try_from(first).ok(),
        _ => None,
    }
}

/// The value behind a `#`: BER, as text where it is a string.
fn encoded(hex: &str) -> Option<Value> {
    let digits: Vec<u32> = hex.chars().map(|c| c.to_digit(16)).collect::<Option<_>>()?;
    if digits.is_empty() || !digits.len().is_multiple_of(2) {
        return None;
    }
    let bytes: Vec<u8> = digits
        .chunks_exact(2)
        .map(|pair| u8::try_from(pair[0] * 16 + pair[1]).ok())
        .collect::<Option<_>>()?;
    Some(match ber_string(&bytes) {
        Some(text) => Value::Text(text),
        None => Value::Encoded(bytes),
    })
}

/// The text of a BER string of definite length that fills the bytes exactly.
fn ber_string(bytes: &[u8]) -> Option<String> {
    let (&tag, bytes) = bytes.split_first()?;
    let (&first, bytes) = bytes.split_first()?;
    let (length, content) = if first < 0x80 {
        (usize::from(first), bytes)
    } else {
        let (length, content) = bytes.split_at_checked(usize::from(first & 0x7F))?;
        if !(1..=4).contains(&length.len()) {
            return None;
        }
        let length = length.iter().fold(0, |number, byte| number << 8 | u64::from(*byte));
        (usize::try_from(length).ok()?, content)
    };
    if content.len() != length {
        return None;
    }
    match tag {
        // UTF8String
        0x0C => String::from_utf8(content.to_vec()).ok(),
        // NumericString, PrintableString, TeletexString, IA5String, VisibleString: as far as they are ASCII
        0x12 | 0x13 | 0x14 | 0x16 | 0x1A => content
            .is_ascii()
            .then(|| content.iter().copied().map(char::from).collect()),
        // UniversalString
        0x1C if length.is_multiple_of(4) => content
            .chunks_exact(4)
            .map(|c| char::from_u32(u32::from_be_bytes([c[0], c[1], c[2], c[3]])))
            .collect(),
        // BMPString
        0x1E if length.is_multiple_of(2) => {
            let units = content.chunks_exact(2).map(|c| u16::from_be_bytes([c[0], c[1]]));
            char::decode_utf16(units).collect::<Result<_, _>>().ok()
        }
        _ => None,
    }
}
