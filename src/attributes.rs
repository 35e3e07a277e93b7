//! Entries of an LDAP directory, wherever they come from, and what Exchange's attributes in them mean.

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
}
