//! Entries of an LDAP directory, read from a server or a file, and the meaning of Exchange's attributes.

pub(crate) mod addresses;
pub mod mailbox;
pub mod policy;
pub(crate) mod raw_mailbox;
pub mod value_errors;

use uuid::Uuid;

/// An entry with its values as bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Entry {
    /// The distinguished name as the directory returns it.
    pub dn: String,
    /// Pairs of a lower-case name without options and a value; the values of an attribute are adjacent.
    pub attributes: Vec<(String, Vec<u8>)>,
}

impl Entry {
    /// The values of an attribute (name in lower case).
    pub fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        self.attributes
            .iter()
            .filter(move |(known, _)| known == name)
            .map(|(_, value)| value.as_slice())
    }

    /// The first value.
    #[must_use]
    pub fn first(&self, name: &str) -> Option<&[u8]> {
        self.attributes
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_slice())
    }

    /// Whether it is of this class (RFC 4512, 2.4).
    #[must_use]
    pub fn has_class(&self, class: &str) -> bool {
        self.values("objectclass")
            .any(|value| value.eq_ignore_ascii_case(class.as_bytes()))
    }

    /// The first value of an attribute as text (name in any case); absent is empty.
    ///
    /// # Errors
    /// A sentence for a value that is not UTF-8.
    pub fn text(&self, name: &str) -> Result<String, String> {
        self.first(&name.to_ascii_lowercase())
            .map_or(Ok(String::new()), |value| utf8(value, name))
    }

    /// The GUID in `objectGUID` or a similar attribute (name in any case): 16 bytes in the directory's byte order (the first three
    /// groups little-endian), or text as some tools print it.
    ///
    /// # Errors
    /// A sentence for any other value.
    pub fn guid(&self, name: &str) -> Result<Option<Uuid>, String> {
        let Some(value) = self.first(&name.to_ascii_lowercase()) else {
            return Ok(None);
        };
        if let Ok(bytes) = <[u8; 16]>::try_from(value) {
            return Ok(Some(Uuid::from_bytes_le(bytes)));
        }
        std::str::from_utf8(value)
            .ok()
            .and_then(|text| octets_as_guid(text).or_else(|| Uuid::try_parse(text.trim()).ok()))
            .map(Some)
            .ok_or_else(|| format!("{name} is not a GUID."))
    }
}

/// The 16 bytes of an `objectGUID` as tools write them: `X'8e0b…'`, `0x8e 0x0b …`, `\8e\0b…`, `8e0b…` or in base64. `None` for the
/// notation with hyphens, whose first three groups have another byte order.
pub(crate) fn octets_as_guid(text: &str) -> Option<Uuid> {
    let text = text.trim();
    if let Ok(bytes) = base64::Engine::decode(&base64::engine::general_purpose::STANDARD, text)
        && text.len() == 24
    {
        return Uuid::from_slice_le(&bytes).ok();
    }
    let digits = match quoted_hex(text) {
        Some(digits) => digits.to_owned(),
        None => text.replace("0x", "").replace("0X", "").replace([' ', ',', '\\'], ""),
    };
    Uuid::from_slice_le(&hex(&digits)?).ok()
}

/// The digits of `X'…'`, as `csvde` writes binary values.
pub(crate) fn quoted_hex(text: &str) -> Option<&str> {
    text.trim()
        .strip_prefix(['X', 'x'])
        .and_then(|rest| rest.strip_prefix('\''))
        .and_then(|rest| rest.strip_suffix('\''))
}

/// The bytes of an even number of digits.
pub(crate) fn hex(digits: &str) -> Option<Vec<u8>> {
    let nibbles: Vec<u8> = digits
        .chars()
        .map(|c| c.to_digit(16).and_then(|digit| u8::try_from(digit).ok()))
        .collect::<Option<_>>()?;
    let (pairs, rest) = nibbles.as_chunks::<2>();
    rest.is_empty()
        .then(|| pairs.iter().map(|[high, low]| high << 4 | low).collect())
}

fn utf8(value: &[u8], name: &str) -> Result<String, String> {
    String::from_utf8(value.to_vec()).map_err(|_| format!("{name} is not UTF-8."))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_guid_is_read_in_every_notation() {
        let expected = Uuid::parse_str("6f0f0b8e-2222-4000-8000-00000000000a").ok();
        for octets in [
            "X'8e0b0f6f22220040800000000000000a'",
            "x'8E0B0F6F22220040800000000000000A'",
            "8e0b0f6f22220040800000000000000a",
            " 0x8e 0x0b 0x0f 0x6f 0x22 0x22 0x00 0x40 0x80 0x00 0x00 0x00 0x00 0x00 0x00 0x0a",
            r"\8e\0b\0f\6f\22\22\00\40\80\00\00\00\00\00\00\0a",
            "jgsPbyIiAECAAAAAAAAACg==",
        ] {
            assert_eq!(octets_as_guid(octets), expected, "{octets}");
        }
        for other in [
            "",
            "6f0f0b8e-2222-4000-8000-00000000000a",
            "X'8e0b'",
            "X'8e",
            "tony",
            "{6f0f0b8e}",
        ] {
            assert_eq!(octets_as_guid(other), None, "{other}");
        }
    }
}
