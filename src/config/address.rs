//! Addresses of servers.

use std::net::Ipv6Addr;

/// Why an address with a zone, or one that needs it, is refused.
pub(super) const ZONE: &str = "a link-local address means something only together with a zone of one computer (fe80::1%eth0), and no certificate \
                               has one; give the server's name or another address";

/// Whether it is a link-local address, which needs a zone (RFC 4007, 11), or has one.
pub(super) fn has_zone(text: &str) -> bool {
    let address = text
        .strip_prefix('[')
        .and_then(|rest| rest.split(']').next())
        .unwrap_or(text);
    let address = address.split('%').next().unwrap_or_default();
    address
        .parse::<Ipv6Addr>()
        .is_ok_and(|address| address.is_unicast_link_local() || text.contains('%'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zones_are_told_from_names() {
        for (text, told) in [
            ("fe80::1%eth0", true),
            ("[fe80::1%25eth0]:636", true),
            ("[febf::1]:636", true),
            ("2001:db8::1%2", true),
            ("[2001:db8::1]:636", false),
            ("::1", false),
            ("dc1%eth0", false),
            ("", false),
        ] {
            assert_eq!(has_zone(text), told, "{text}");
        }
    }
}
