//! E-mail addresses (RFC 5322 addr-spec, internationalised by RFC 6532).

use std::fmt;

/// The longest part before the `@` (RFC 5321, 4.5.3.1.1), in bytes.
const MAX_LOCAL: usize = 64;
/// The longest address that fits a path (RFC 5321, 4.5.3.1.3), in bytes.
const MAX_ADDRESS: usize = 254;
/// The longest label of a host name, in bytes.
const MAX_LABEL: usize = 63;

/// One well-formed address.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Address {
    text: String,
    at: usize,
}

impl Address {
    /// `tony@contoso.com`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// `tony`.
    #[must_use]
    pub fn local_part(&self) -> &str {
        &self.text[..self.at]
    }

    /// `contoso.com`.
    #[must_use]
    pub fn domain(&self) -> &str {
        &self.text[self.at + 1..]
    }

    /// With the domain in its ASCII form, which every relay and mail program understands, where that makes all of it ASCII.
    pub fn to_lettre(&self) -> Option<lettre::Address> {
        if self.domain().is_ascii() || !self.local_part().is_ascii() {
            return lettre::Address::new(self.local_part(), self.domain()).ok();
        }
        let domain = idna::domain_to_ascii(self.domain()).ok()?;
        lettre::Address::new(self.local_part(), domain).ok()
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// Parses exactly one address: no display name, no list, no comment, nothing around it.
///
/// Local parts may be quoted and may, like domains, hold letters beyond ASCII. Domains are host names, of one label too
/// (`um@localhost`); address literals (`um@[192.0.2.1]`) are refused, because no directory gives them to users.
#[must_use]
pub fn parse_address(text: &str) -> Option<Address> {
    let at = text.rfind('@')?;
    let (local, domain) = (&text[..at], &text[at + 1..]);
    let is_valid = text.len() <= MAX_ADDRESS
        && local.len() <= MAX_LOCAL
        && (is_dot_atom(local) || is_quoted(local))
        // Programs decode encoded words (RFC 2047) in addresses, too, which may have other recipients.
        && !local.contains("=?")
        && is_domain(domain);
    if !is_valid {
        return None;
    }
    let address = Address {
        text: text.to_owned(),
        at,
    };
    // The library that builds the message must accept the address, too; it also checks internationalised domains.
    address.to_lettre().map(|_| address)
}

fn is_dot_atom(local: &str) -> bool {
    local.split('.').all(|atom| {
        !atom.is_empty()
            && atom
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c) || is_visible_beyond_ascii(c))
    })
}

/// Quoted, without the characters of address lists: some programs ignore the quotation marks and would find another recipient.
fn is_quoted(local: &str) -> bool {
    let inner = local.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
    inner.is_some_and(|inner| {
        !inner.is_empty()
            && inner
                .chars()
                .all(|c| (matches!(c, ' '..='~') && !"\"\\<>()[],;:@".contains(c)) || is_visible_beyond_ascii(c))
    })
}

fn is_domain(domain: &str) -> bool {
    let are_labels_valid = domain.split('.').all(|label| {
        (1..=MAX_LABEL).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || c == '-' || (!c.is_ascii() && is_visible_beyond_ascii(c)))
    });
    // `tony@10.0.0.1` is an address without its brackets.
    let last_is_number = domain
        .rsplit('.')
        .next()
        .is_some_and(|label| label.bytes().all(|b| b.is_ascii_digit()));
    are_labels_valid && !last_is_number
}

/// A character beyond ASCII that neither breaks lines nor hides or reorders what is read.
fn is_visible_beyond_ascii(c: char) -> bool {
    !c.is_ascii() && !c.is_control() && !c.is_whitespace() && !umpin_platform::text::is_invisible(c)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn one_address_is_accepted() {
        for text in [
            "tony@contoso.com",
            "tony.smith+um@mail.contoso.com",
            "o'brien@contoso.com",
            "um@localhost",
            "\"tony smith\"@contoso.com",
            "zoë@contoso.com",
            "тони@пример.испытание",
            "tony@bücher.example",
            "tony@xn--bcher-kva.example",
            "a/b=c@contoso.com",
        ] {
            let address = parse_address(text).unwrap_or_else(|| panic!("{text}"));
            assert_eq!(address.as_str(), text);
            assert_eq!(format!("{}@{}", address.local_part(), address.domain()), text);
        }
        assert!(parse_address(&format!("{}@contoso.com", "a".repeat(64))).is_some());
    }

    #[test]
    fn anything_else_is_refused() {
        for text in [
            "",
            "@",
            "tony",
            "tony@",
            "@contoso.com",
            " tony@contoso.com",
            "tony@contoso.com ",
            "tony@contoso.com\r\n",
            "tony@contoso.com\r\nBcc: x@fabrikam.com",
            "tony\0@contoso.com",
            "Tony <tony@contoso.com>",
            "<tony@contoso.com>",
            "tony@contoso.com,x@fabrikam.com",
            "tony@contoso.com;x@fabrikam.com",
            "tony@contoso.com x@fabrikam.com",
            "tony@a@contoso.com",
            "tony@contoso.com.",
            "tony@.contoso.com",
            "tony@contoso..com",
            "tony.@contoso.com",
            ".tony@contoso.com",
            "to..ny@contoso.com",
            "to ny@contoso.com",
            "tony(um)@contoso.com",
            "tony@-contoso.com",
            "tony@contoso-.com",
            "tony@con_toso.com",
            "tony@10.0.0.1",
            "tony@[10.0.0.1]",
            "SMTP:tony@contoso.com",
            "\"tony\nsmith\"@contoso.com",
            "\"\"@contoso.com",
            "\"a\"b\"@contoso.com",
            "\"a\\\"@contoso.com",
            "\"a\\b\"@contoso.com",
            "\"<eve@fabrikam.com>,\"@contoso.com",
            "\">\"@contoso.com",
            "=?utf-8?q?eve=40fabrikam.com=2C?=@contoso.com",
            "to\u{202E}ny@contoso.com",
            "to\u{2028}ny@contoso.com",
            "tony@conto\u{200B}so.com",
        ] {
            assert!(parse_address(text).is_none(), "{text:?}");
        }
        assert!(parse_address(&format!("{}@contoso.com", "a".repeat(65))).is_none());
        assert!(parse_address(&format!("tony@{}.com", "a".repeat(64))).is_none());
        let long = format!("tony@{}com", "abcdefghi.".repeat(25));
        assert!(long.len() > 254 && parse_address(&long).is_none());
    }

    proptest! {
        #[test]
        fn nothing_panics_and_nothing_accepted_breaks_a_line(text in any::<String>()) {
            if let Some(address) = parse_address(&text) {
                prop_assert!(!address.as_str().chars().any(char::is_control));
            }
        }

        #[test]
        fn accepted_addresses_stay_one_path(local in "[a-z.\"\\\\ @<>,;é\r\n]{1,12}", domain in "[a-z0-9.-]{1,12}") {
            if let Some(address) = parse_address(&format!("{local}@{domain}")) {
                prop_assert!(!address.domain().contains(['@', '<', '>', ',', ' ']));
                prop_assert!(!address.as_str().contains(['\r', '\n']));
            }
        }
    }
}
