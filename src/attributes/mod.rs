//! Entries of an LDAP directory, wherever they come from, and what Exchange's attributes in them mean.

pub(crate) mod addresses;
pub(crate) mod draft;
pub(crate) mod faults;
pub(crate) mod mailbox;
pub(crate) mod policy;

use uuid::Uuid;

/// An entry with its values as bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Entry {
    /// Distinguished name, as the directory writes it.
    pub dn: String,
    /// Lower-case name without options, and value; the values of an attribute follow one another.
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

    /// `objectGUID` or another attribute of its kind (name in any case): 16 bytes in the directory's byte order (the first three
    /// groups little-endian), or as text where a tool prints it so.
    ///
    /// # Errors
    /// A sentence for a value that is neither.
    pub fn guid(&self, name: &str) -> Result<Option<Uuid>, String> {
        let Some(value) = self.first(&name.to_ascii_lowercase()) else {
            return Ok(None);
        };
        if let Ok(bytes) = <[u8; 16]>::try_from(value) {
            return Ok(Some(Uuid::from_bytes_le(bytes)));
        }
        std::str::from_utf8(value)
            .ok()
            .and_then(|text| Uuid::try_parse(text.trim()).ok())
            .map(Some)
            .ok_or_else(|| format!("{name} is not a GUID."))
    }
}

fn utf8(value: &[u8], name: &str) -> Result<String, String> {
    String::from_utf8(value.to_vec()).map_err(|_| format!("{name} is not UTF-8."))
}
