//! Identities: the text that names a mailbox in a command.

mod canonical;
pub(crate) mod dn;
pub mod fold;
mod lookup_key;
mod scope;

pub use canonical::canonical_leaf;
pub use dn::DistinguishedName;
pub use lookup_key::{LookupKey, LookupKeyKind, lookup_keys};
pub use scope::Scope;

use uuid::Uuid;

use self::fold::fold;
use crate::mailbox::Mailbox;
use crate::{Error, ErrorCode, Result};

/// A parsed identity: the text, and the lookup keys of every form it may have. A mailbox that any key matches is a match.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Identity {
    text: String,
    keys: Vec<LookupKey>,
}

impl Identity {
    /// Parses the trimmed text. Any text but an empty one or one with a NUL has at least the keys for alias, account name and name.
    /// There are no wildcards, and there is no limit of the length.
    ///
    /// # Errors
    /// `InvalidIdentity`.
    pub fn parse(text: &str) -> Result<Self> {
        Self::parse_with(text, None)
    }

    /// As [`Self::parse`]; `DOMAIN\account` with this NetBIOS name for its domain also names the account name alone.
    ///
    /// For domains whose NetBIOS name is not the first label of their DNS name.
    ///
    /// # Errors
    /// `InvalidIdentity`.
    pub fn parse_with(text: &str, netbios_name: Option<&str>) -> Result<Self> {
        let typed = text;
        let text = typed.trim();
        if text.is_empty() {
            return Err(Error::new(ErrorCode::InvalidIdentity, "The identity is empty."));
        }
        if text.contains('\0') {
            return Err(Error::new(
                ErrorCode::InvalidIdentity,
                "The identity contains a NUL character.",
            ));
        }
        let mut keys: Vec<LookupKey> = forms(typed, netbios_name)
            .into_iter()
            .filter(|key| !key.value.is_empty())
            .collect();
        keys.sort_unstable();
        keys.dedup();
        Ok(Self {
            text: text.to_owned(),
            keys,
        })
    }

    /// The trimmed text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The keys of every form the text may have, sorted, each once. One of them is among the [`lookup_keys`] of a mailbox that it
    /// names.
    #[must_use]
    pub fn lookup_keys(&self) -> &[LookupKey] {
        &self.keys
    }

    /// Whether it names this mailbox.
    #[must_use]
    pub fn matches(&self, mailbox: &Mailbox) -> bool {
        lookup_keys(mailbox).iter().any(|key| self.keys.contains(key))
    }

    /// Whether the text is a distinguished name.
    #[must_use]
    pub fn is_distinguished_name(&self) -> bool {
        self.keys.iter().any(|p| p.kind == LookupKeyKind::DistinguishedName)
    }
}

fn forms(typed: &str, netbios_name: Option<&str>) -> Vec<LookupKey> {
    // Not trimmed, because a DN may end with an escaped space.
    let dn = DistinguishedName::parse(typed);
    let text = typed.trim();
    let folded = fold(text);
    let mut keys: Vec<LookupKey> = [LookupKeyKind::Alias, LookupKeyKind::SamAccountName, LookupKeyKind::Name]
        .map(|kind| LookupKey::new(kind, folded.clone()))
        .into();
    if let Some(guid) = guid(text) {
        keys.push(LookupKey::guid(guid));
    }
    if let Some(dn) = &dn {
        keys.push(LookupKey::new(LookupKeyKind::DistinguishedName, dn.comparable()));
    }
    if text.contains('/') && !text.starts_with('/') {
        keys.push(LookupKey::new(LookupKeyKind::CanonicalName, canonical::key(text)));
    }
    if let Some((domain, account)) = domain_and_account(text).filter(|_| dn.is_none()) {
        keys.push(LookupKey::account(domain, account));
        if netbios_name.is_some_and(|name| fold(name) == fold(domain)) {
            keys.push(LookupKey::new(LookupKeyKind::SamAccountName, fold(account)));
        }
    }
    if let Some(address) = strip_prefix_ignoring_case(text, "smtp:") {
        keys.push(LookupKey::new(LookupKeyKind::SmtpAddress, fold(address)));
    } else if text.contains('@') {
        keys.push(LookupKey::new(LookupKeyKind::UserPrincipalName, folded.clone()));
        keys.push(LookupKey::new(LookupKeyKind::SmtpAddress, folded.clone()));
    }
    let legacy = strip_prefix_ignoring_case(text, "x500:").unwrap_or(text);
    if legacy.trim_start().starts_with('/') {
        keys.push(LookupKey::new(LookupKeyKind::LegacyExchangeDn, fold(legacy)));
    }
    keys
}

/// With or without hyphens, braces, parentheses (.NET's `N`, `D`, `B`, `P`) or `urn:uuid:`.
fn guid(text: &str) -> Option<Uuid> {
    let text = strip_prefix_ignoring_case(text, "urn:uuid:").unwrap_or(text);
    let enclosed = |open, close| text.strip_prefix(open)?.strip_suffix(close);
    let bare = enclosed('{', '}').or_else(|| enclosed('(', ')'));
    let bare = bare.unwrap_or(text).trim();
    // Only the two plain notations: a prefix or a brace must not occur again.
    if !bare.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-') {
        return None;
    }
    Uuid::try_parse(bare).ok()
}

/// `DOMAIN\account`: one backslash with text on both sides.
fn domain_and_account(text: &str) -> Option<(&str, &str)> {
    let (domain, account) = text.split_once('\\')?;
    let is_plain = |part: &str| !part.trim().is_empty() && !part.contains(['\\', '/']);
    (is_plain(domain) && is_plain(account)).then_some((domain, account))
}

fn strip_prefix_ignoring_case<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let (head, tail) = text.split_at_checked(prefix.len())?;
    head.eq_ignore_ascii_case(prefix).then_some(tail)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(text: &str, kind: LookupKeyKind) -> Vec<String> {
        let identity = Identity::parse(text).unwrap();
        let of_kind = identity.lookup_keys().iter().filter(|p| p.kind == kind);
        of_kind.map(|p| p.value.clone()).collect()
    }

    #[test]
    fn guids_in_every_usual_notation() {
        let plain = "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0";
        for text in [
            plain,
            "0F1E2D3C-4B5A-6978-8796-A5B4C3D2E1F0",
            "0f1e2d3c4b5a69788796a5b4c3d2e1f0",
            "{0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0}",
            "(0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0)",
            "URN:UUID:0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0",
            "  0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0\r\n",
        ] {
            assert_eq!(keys(text, LookupKeyKind::Guid), [plain], "{text}");
        }
        for text in [
            "0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f",
            "{0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0",
            "{{0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0}}",
            "0f1e2d3-c4b5a-6978-8796-a5b4c3d2e1f0",
        ] {
            assert_eq!(keys(text, LookupKeyKind::Guid), [""; 0], "{text}");
        }
    }

    #[test]
    fn forms_by_their_marks() {
        use LookupKeyKind::{Account, CanonicalName, LegacyExchangeDn, SamAccountName, SmtpAddress, UserPrincipalName};
        for (text, kind, key) in [
            (r"CONTOSO\Tony", Account, r"contoso\tony"),
            (r"CONTOSO\Tony", SamAccountName, r"contoso\tony"),
            ("Tony@Contoso.com", UserPrincipalName, "tony@contoso.com"),
            ("Tony@Contoso.com", SmtpAddress, "tony@contoso.com"),
            ("SMTP:Tony@Contoso.com", SmtpAddress, "tony@contoso.com"),
            ("/o=Contoso/cn=Tony", LegacyExchangeDn, "/o=contoso/cn=tony"),
            ("X500:/o=A/cn=Tony", LegacyExchangeDn, "/o=a/cn=tony"),
            ("Contoso.com/Sales/", CanonicalName, "contoso.com/sales"),
        ] {
            assert_eq!(keys(text, kind), [key], "{text}");
        }
        for (text, kind) in [
            ("smtp:tony@contoso.com", UserPrincipalName),
            ("tony", UserPrincipalName),
            ("tony", SmtpAddress),
            (r"a\b\c", Account),
            (r"\tony", Account),
            (r"contoso\ ", Account),
            (r"CN=Smith\, Tony,DC=contoso", Account),
            (r"contoso.com/A\/B", Account),
            ("/o=Contoso/cn=tony", CanonicalName),
            ("cn=tony", LegacyExchangeDn),
        ] {
            assert_eq!(keys(text, kind), [""; 0], "{text}");
        }
    }

    #[test]
    fn nothing_and_nul_are_no_identity() {
        for text in ["", " ", "\t\u{a0}\r\n", "to\0ny", "\0"] {
            let error = Identity::parse(text).unwrap_err();
            assert_eq!(error.code(), ErrorCode::InvalidIdentity, "{text:?}");
        }
    }

    #[test]
    fn wildcards_are_plain_characters() {
        let identity = Identity::parse("*").unwrap();
        assert!(identity.lookup_keys().iter().all(|p| p.value == "*"));
    }

    #[test]
    fn the_configured_netbios_name_stands_for_the_domain() {
        let sam = LookupKey::new(LookupKeyKind::SamAccountName, "tony".to_owned());
        let parse = |text| Identity::parse_with(text, Some("Corp")).unwrap();
        assert!(parse(r"CORP\Tony").lookup_keys().contains(&sam));
        assert!(!parse(r"OTHER\Tony").lookup_keys().contains(&sam));
        let without = Identity::parse(r"CORP\Tony").unwrap();
        assert!(!without.lookup_keys().contains(&sam));
    }

    #[test]
    fn only_dns_are_dns() {
        let is_dn = |text| Identity::parse(text).unwrap().is_distinguished_name();
        assert!(is_dn("cn=Tony,dc=contoso,dc=com"));
        assert!(is_dn("cn=Tony\\ "));
        assert!(!is_dn("Tony Smith"));
        assert!(!is_dn("contoso.com/Sales/Tony"));
    }
}
