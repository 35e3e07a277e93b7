//! Distinguished names (RFC 4514), compared parsed.

mod syntax;

use std::fmt::Write;

use super::canonical;
use super::fold::fold_and_squeeze;

/// The value of one attribute of a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value {
    /// Unescaped text.
    Text(String),
    /// BER that holds no text.
    Encoded(Vec<u8>),
}

impl Value {
    fn hex(bytes: &[u8]) -> String {
        let mut hex = String::with_capacity(1 + 2 * bytes.len());
        hex.push('#');
        for byte in bytes {
            // Writing to a `String` cannot fail.
            let _ = write!(hex, "{byte:02x}");
        }
        hex
    }

    fn text(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Encoded(bytes) => Self::hex(bytes),
        }
    }

    fn escaped(&self) -> String {
        match self {
            // `=` need not be escaped, but not every server knows that.
            Self::Text(text) => escape(text).replace('=', "\\="),
            Self::Encoded(bytes) => Self::hex(bytes),
        }
    }

    fn comparable(&self) -> String {
        match self {
            Self::Text(text) => escape(&fold_and_squeeze(text)),
            Self::Encoded(bytes) => Self::hex(bytes),
        }
    }
}

/// `type=value`; the type in lower case, a known OID or long name as its short name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Attribute {
    pub(super) kind: String,
    pub(super) value: Value,
}

/// One component: several attributes where they are joined by `+`, never none.
pub(super) type Rdn = Vec<Attribute>;

/// A parsed distinguished name that keeps its text as given.
///
/// `==` compares the text; names are compared by [`Self::comparable`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DistinguishedName {
    text: String,
    rdns: Vec<Rdn>,
}

impl DistinguishedName {
    /// Parses RFC 4514 text (spaces around separators, `\2C` and `\,`, quoted and hex forms, multi-valued RDNs).
    ///
    /// `None` for everything else, the empty name included: it names no object.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let text = trim(text);
        let rdns = syntax::parse(text)?;
        Some(Self {
            text: text.to_owned(),
            rdns,
        })
    }

    /// The text as given, without surrounding white space.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The form that is equal for equal names: unescaped, spaces squeezed, case-folded, re-escaped. It is a DN itself.
    #[must_use]
    pub fn comparable(&self) -> String {
        self.comparable_rdns().join(",")
    }

    /// The name in the syntax of RFC 4514 alone, its letters and spaces as given: for servers, to which quotation marks and `;`
    /// may be foreign.
    #[must_use]
    pub fn normalized(&self) -> String {
        let rdns: Vec<String> = self
            .rdns
            .iter()
            .map(|rdn| {
                let attributes: Vec<String> = rdn
                    .iter()
                    .map(|a| format!("{}={}", a.kind, a.value.escaped()))
                    .collect();
                attributes.join("+")
            })
            .collect();
        rdns.join(",")
    }

    /// The DNS name of the domain that the object is in: the `DC=` components at the end.
    #[must_use]
    pub fn domain(&self) -> Option<String> {
        let labels: Vec<&str> = self.domain_labels().collect();
        (!labels.is_empty()).then(|| labels.iter().rev().copied().collect::<Vec<_>>().join("."))
    }

    /// `contoso.com/Sales/Tony Smith`: the domain, then the other components from the top down.
    ///
    /// As Active Directory has it, `/` and `\` within a component are preceded by `\`, and a domain itself ends with `/`.
    /// `None` for a name that does not end with `DC=` components.
    #[must_use]
    pub fn canonical_name(&self) -> Option<String> {
        let path = &self.rdns[..self.rdns.len() - self.domain_labels().count()];
        let mut name = canonical::escape(&self.domain()?);
        name.push('/');
        let path: Vec<String> = path.iter().rev().map(|rdn| canonical::escape(&rdn_text(rdn))).collect();
        name.push_str(&path.join("/"));
        Some(name)
    }

    /// The leftmost `DC=` value: the NetBIOS name by default.
    #[must_use]
    pub fn first_domain_component(&self) -> Option<String> {
        self.rdns.iter().find_map(domain_component).map(str::to_owned)
    }

    /// The unescaped value of the first component: the object's own name.
    #[must_use]
    pub fn relative_name(&self) -> String {
        self.rdns.first().map(rdn_text).unwrap_or_default()
    }

    /// Whether this name is `base` or lies below it.
    #[must_use]
    pub fn is_within(&self, base: &Self) -> bool {
        self.comparable_rdns().ends_with(&base.comparable_rdns())
    }

    /// From the top down.
    fn domain_labels(&self) -> impl Iterator<Item = &str> {
        let labels = self.rdns.iter().rev().map_while(domain_component);
        labels.take_while(|label| !label.is_empty())
    }

    fn comparable_rdns(&self) -> Vec<String> {
        self.rdns
            .iter()
            .map(|rdn| {
                let mut attributes: Vec<String> = rdn
                    .iter()
                    .map(|a| format!("{}={}", a.kind, a.value.comparable()))
                    .collect();
                // The attributes of one component are a set.
                attributes.sort_unstable();
                attributes.join("+")
            })
            .collect()
    }
}

/// Without surrounding white space, but with a space at the end that is escaped.
fn trim(text: &str) -> &str {
    let text = text.trim_start();
    let trimmed = text.trim_end();
    let backslashes = trimmed.bytes().rev().take_while(|b| *b == b'\\').count();
    let escaped = if backslashes % 2 == 1 {
        text[trimmed.len()..].chars().next()
    } else {
        None
    };
    &text[..trimmed.len() + escaped.map_or(0, char::len_utf8)]
}

fn domain_component(rdn: &Rdn) -> Option<&str> {
    match rdn.as_slice() {
        [
            Attribute {
                kind,
                value: Value::Text(label),
            },
        ] if kind == "dc" => Some(label),
        _ => None,
    }
}

fn rdn_text(rdn: &Rdn) -> String {
    let values: Vec<String> = rdn.iter().map(|a| a.value.text()).collect();
    values.join("+")
}

/// Escapes what RFC 4514 section 2.4 requires.
fn escape(value: &str) -> String {
    let mut escaped = String::with_capacity(value.len());
    for (position, c) in value.char_indices() {
        match c {
            ' ' if position == 0 || position + 1 == value.len() => escaped.push_str("\\ "),
            '\0' => escaped.push_str("\\00"),
            '"' | '+' | ',' | ';' | '<' | '>' | '\\' => escaped.extend(['\\', c]),
            '#' if position == 0 => escaped.push_str("\\#"),
            _ => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dn(text: &str) -> DistinguishedName {
        DistinguishedName::parse(text).unwrap_or_else(|| panic!("refused: {text}"))
    }

    #[test]
    fn equal_names_compare_equal() {
        let plain = r"CN=Smith\, Tony,OU=Sales,DC=contoso,DC=com";
        for other in [
            r"cn=smith\2c tony,ou=SALES,dc=Contoso,dc=COM",
            r"  CN = Smith\,  Tony , OU = Sales ; DC=contoso,DC=com  ",
            r#"CN="Smith, Tony",OU="Sales",DC=contoso,DC=com"#,
            r"2.5.4.3=Smith\, Tony,2.5.4.11=Sales,OID.0.9.2342.19200300.100.1.25=contoso,domainComponent=com",
            r"CN=\53mith\2C\20Tony,OU=Sales\ ,DC=contoso,DC=com",
            r"CN=#0c0b536d6974682c20546f6e79,OU=#130553616C6573,DC=#1607636F6E746F736F,DC=com",
            r"CN=#0c810b536d6974682c20546f6e79,OU=Sales,DC=contoso,DC=com",
            r"CN=#1e160053006d006900740068002c00200054006f006e0079,OU=Sales,DC=contoso,DC=com",
        ] {
            assert_eq!(dn(other).comparable(), dn(plain).comparable(), "{other}");
        }
        assert_eq!(dn(plain).comparable(), r"cn=smith\, tony,ou=sales,dc=contoso,dc=com");
        assert_eq!(dn(r"CN=Lu\C4\8Di\C4\87").comparable(), dn("CN=LUČIĆ").comparable());
    }

    #[test]
    fn different_names_compare_different() {
        for (one, other) in [
            ("CN=a,CN=b", "CN=b,CN=a"),
            ("CN=a,CN=b", r"CN=a\,CN=b"),
            ("CN=a+OU=b", "CN=a,OU=b"),
            ("CN=a b", "CN=ab"),
            ("CN=a", "OU=a"),
            (r"CN=\#04", "CN=#0400"),
            ("CN=#0401FF", "CN=#0401FE"),
            (r"CN=a\+b", "CN=a+CN=b"),
        ] {
            assert_ne!(dn(one).comparable(), dn(other).comparable(), "{one} {other}");
        }
    }

    #[test]
    fn attributes_of_one_component_are_a_set() {
        assert_eq!(
            dn("UID=1 + CN=Tony,O=x").comparable(),
            dn("cn=tony+uid=1,o=X").comparable()
        );
    }

    #[test]
    fn other_text_is_no_dn() {
        for text in [
            "",
            " ",
            "tony",
            "Tony Smith",
            "tony@contoso.com",
            r"contoso\tony",
            "=x",
            "CN",
            "CN=a,",
            ",CN=a",
            "CN=a,,CN=b",
            "CN=a,b",
            "CN=a+",
            "C N=a",
            "1CN=a",
            "1.=a",
            "01.2=a",
            "1..2=a",
            "CN=\"a",
            "CN=\"a\"b",
            "CN=a\"b",
            "CN=a<b",
            "CN=a\\",
            r"CN=\zz",
            r"CN=\FF",
            "CN=#",
            "CN=#0",
            "CN=#0g",
            "CN=#éa",
            "/o=Contoso/cn=tony",
            "CN=a\0",
            "ÜN=a",
        ] {
            assert!(DistinguishedName::parse(text).is_none(), "{text:?}");
        }
    }

    #[test]
    fn unusual_but_valid_names_are_dns() {
        for (text, comparable) in [
            ("CN=", "cn="),
            ("CN=a=b", "cn=a=b"),
            ("CN=\"\"", "cn="),
            (r#"CN="a\"b""#, r#"cn=a\"b"#),
            (r"CN=a\20", "cn=a"),
            (r"CN=a\  ", "cn=a"),
            (r"CN=a\\  ", r"cn=a\\"),
            (r"CN=a\/b", "cn=a/b"),
            (r"CN=Tony\0ADEL:1", "cn=tony del:1"),
            (r"CN=\00", r"cn=\00"),
            ("CN=#04020102", "cn=#04020102"),
            ("CN=#0cff", "cn=#0cff"),
            ("x-1=a", "x-1=a"),
            ("1.2.3=a", "1.2.3=a"),
        ] {
            assert_eq!(dn(text).comparable(), comparable);
            assert_eq!(dn(comparable).comparable(), comparable);
        }
    }

    #[test]
    fn canonical_names_are_active_directorys() {
        for (text, canonical) in [
            (
                "CN=Tony Smith,OU=Sales,DC=contoso,DC=com",
                Some("contoso.com/Sales/Tony Smith"),
            ),
            (
                r"CN=Smith\, A/B,OU=R\\D,DC=contoso,DC=com",
                Some(r"contoso.com/R\\D/Smith, A\/B"),
            ),
            ("DC=contoso,DC=com", Some("contoso.com/")),
            ("DC=@,CN=DNS,DC=contoso,DC=com", Some("contoso.com/DNS/@")),
            ("CN=tony,O=Contoso", None),
            ("CN=tony,DC=contoso,O=x", None),
            ("CN=tony,DC=", None),
        ] {
            assert_eq!(dn(text).canonical_name().as_deref(), canonical, "{text}");
        }
    }

    #[test]
    fn parts_are_unescaped() {
        let name = dn(r"CN=Smith\, Tony,OU=Sales,DC=contoso,DC=com");
        assert_eq!(name.relative_name(), "Smith, Tony");
        assert_eq!(name.first_domain_component().as_deref(), Some("contoso"));
        assert_eq!(dn("CN=a,O=b").first_domain_component(), None);
        assert_eq!(dn("CN=#040101").relative_name(), "#040101");
        assert_eq!(dn(r" CN=a\   ").relative_name(), "a ");
        assert_eq!(dn(r" CN=a\   ").as_str(), r"CN=a\ ");
        assert_eq!(name.domain().as_deref(), Some("contoso.com"));
        assert_eq!(
            dn("DC=@,CN=DNS,DC=contoso,DC=com").domain().as_deref(),
            Some("contoso.com")
        );
        assert_eq!(dn("CN=a,O=b").domain(), None);
    }

    #[test]
    fn normalized_names_are_rfc_4514_and_the_same_names() {
        for (text, normalized) in [
            (
                r#"CN="Smith, Tony";OU = Sales ,DC=contoso"#,
                r"cn=Smith\, Tony,ou=Sales,dc=contoso",
            ),
            (r"OID.2.5.4.3=\23a\ \ ", r"cn=\#a \ "),
            (r#"CN=" Zoë  Nuñez ""#, r"cn=\ Zoë  Nuñez\ "),
            ("CN=#04020102+UID=1", "cn=#04020102+uid=1"),
            (r"CN=a=b\=c", r"cn=a\=b\=c"),
            (r"CN=\ ", r"cn=\ "),
        ] {
            assert_eq!(dn(text).normalized(), normalized, "{text}");
            assert_eq!(dn(normalized).comparable(), dn(text).comparable(), "{text}");
        }
    }

    #[test]
    fn scope_follows_components_not_text() {
        let base = dn("OU=Sales,DC=contoso,DC=com");
        for (text, within) in [
            ("ou=sales, dc=CONTOSO, dc=com", true),
            ("CN=Tony,OU=Sales,DC=contoso,DC=com", true),
            (r"CN=Tony\,OU=Sales,DC=contoso,DC=com", false),
            ("CN=Tony,OU=PreSales,DC=contoso,DC=com", false),
            ("DC=contoso,DC=com", false),
            ("OU=Sales,DC=contoso,DC=com,DC=x", false),
        ] {
            assert_eq!(dn(text).is_within(&base), within, "{text}");
        }
    }
}
