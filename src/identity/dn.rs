//! Distinguished names (RFC 4514), compared parsed.

/// A parsed distinguished name that keeps its text as given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DistinguishedName {
    text: String,
}

impl DistinguishedName {
    /// Parses RFC 4514 text (spaces around separators, `\2C` and `\,`, quoted and hex forms, multi-valued RDNs).
    #[must_use]
    pub fn parse(_text: &str) -> Option<Self> {
        todo!()
    }
    /// The text as given.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }
    /// The form that is equal for equal names: unescaped, spaces squeezed, case-folded, re-escaped.
    #[must_use]
    pub fn comparable(&self) -> String {
        todo!()
    }
    /// `contoso.com/Sales/Tony Smith` (`/` in a name escaped as `\/`); `None` without a `DC=` component.
    #[must_use]
    pub fn canonical_name(&self) -> Option<String> {
        todo!()
    }
    /// The leftmost `DC=` value: the NetBIOS name by default.
    #[must_use]
    pub fn first_domain_component(&self) -> Option<String> {
        todo!()
    }
    /// Whether this name is `base` or lies below it.
    #[must_use]
    pub fn is_within(&self, _base: &Self) -> bool {
        todo!()
    }
}
