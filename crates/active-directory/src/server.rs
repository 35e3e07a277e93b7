//! One server of the directory.

use std::fmt;
use std::net::{IpAddr, Ipv6Addr};

use rustls::pki_types::DnsName;

/// The role in which a server is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// A domain controller, which holds its domain in full.
    Controller,
    /// A global catalog: a read-only partial replica of every object of the forest.
    Catalog,
}

/// How TLS is negotiated. TLS and certificate verification are mandatory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tls {
    /// Implicit TLS.
    Ldaps,
    /// StartTLS (RFC 4511, 4.14); the connection fails without it.
    StartTls,
}

/// A server of the directory.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Server {
    /// Host name or address, which the certificate must contain. Lower case, without trailing dot and without brackets.
    pub host: String,
    /// TCP port; `None`: the default one for role and TLS mode.
    pub port: Option<u16>,
}

impl Server {
    /// Parses `dc1.contoso.com` or `dc1.contoso.com:636`: a DNS name (U-labels or A-labels) or an address. An IPv6 address is in brackets
    /// (RFC 3986, 3.2.2), which are optional without a port.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (host, port) = match text.strip_prefix('[') {
            Some(rest) => match rest.split_once(']')? {
                (host, "") => (ipv6(host)?, None),
                (host, port) => (ipv6(host)?, Some(port.strip_prefix(':')?)),
            },
            None if text.matches(':').nth(1).is_some() => (ipv6(text)?, None),
            None => match text.split_once(':') {
                Some((host, port)) => (name(host)?, Some(port)),
                None => (name(text)?, None),
            },
        };
        let port = match port {
            Some(port) => Some(port.parse().ok().filter(|port| *port != 0)?),
            None => None,
        };
        Some(Self { host, port })
    }

    /// Whether the host is a single label.
    pub(super) fn is_short(&self) -> bool {
        !self.host.contains(['.', ':'])
    }
}

/// In the form of RFC 5952. Addresses with a zone are rejected: a zone has a meaning on one computer only.
fn ipv6(text: &str) -> Option<String> {
    text.parse::<Ipv6Addr>().ok().map(|address| address.to_string())
}

/// A DNS name or an IPv4 address.
fn name(text: &str) -> Option<String> {
    let host = text.strip_suffix('.').unwrap_or(text);
    let host = idna::domain_to_ascii(host).ok()?.to_ascii_lowercase();
    let is_valid = match host.parse::<IpAddr>() {
        Ok(address) => address.is_ipv4(),
        // A name with a numeric last label could be taken for an IPv4 address.
        Err(_) => {
            let last = host.rsplit('.').next().unwrap_or_default();
            DnsName::try_from(host.as_str()).is_ok() && !last.bytes().all(|b| b.is_ascii_digit())
        }
    };
    is_valid.then_some(host)
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.host.contains(':'), self.port) {
            (false, None) => f.write_str(&self.host),
            (false, Some(port)) => write!(f, "{}:{port}", self.host),
            (true, None) => write!(f, "[{}]", self.host),
            (true, Some(port)) => write!(f, "[{}]:{port}", self.host),
        }
    }
}

/// A server and its role.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Endpoint {
    pub server: Server,
    pub role: Role,
}

impl Endpoint {
    /// The port (MS-ADTS 5.1.1).
    pub(crate) fn port(&self, tls: Tls) -> u16 {
        self.server.port.unwrap_or(match (self.role, tls) {
            (Role::Controller, Tls::Ldaps) => 636,
            (Role::Controller, Tls::StartTls) => 389,
            (Role::Catalog, Tls::Ldaps) => 3269,
            (Role::Catalog, Tls::StartTls) => 3268,
        })
    }
}

/// The subject of a sentence.
impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.role {
            Role::Controller => write!(f, "The domain controller {}", self.server),
            Role::Catalog => write!(f, "The global catalog {}", self.server),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parse_accepts_dns_names_and_addresses() {
        for (text, expected) in [
            ("dc1.contoso.com", Some("dc1.contoso.com")),
            ("DC1.Contoso.com.", Some("dc1.contoso.com")),
            ("dc1.contoso.com:10636", Some("dc1.contoso.com:10636")),
            ("dc1", Some("dc1")),
            ("bücher.example:636", Some("xn--bcher-kva.example:636")),
            ("192.0.2.1", Some("192.0.2.1")),
            ("192.0.2.1:636", Some("192.0.2.1:636")),
            ("2001:db8::1", Some("[2001:db8::1]")),
            ("[2001:DB8:0:0::1]", Some("[2001:db8::1]")),
            ("[2001:db8::1]:636", Some("[2001:db8::1]:636")),
            ("::1", Some("[::1]")),
            ("[::ffff:192.0.2.1]:636", Some("[::ffff:192.0.2.1]:636")),
            // Ambiguous: the last part could be a port or a ninth group.
            ("2001:db8:1:2:3:4:5:6:636", None),
            ("[2001:db8::1]636", None),
            ("[2001:db8::1]:0", None),
            ("[2001:db8::1", None),
            ("2001:db8::1]", None),
            ("[192.0.2.1]", None),
            ("[dc1.contoso.com]", None),
            ("[fe80::1%eth0]:636", None),
            ("fe80::1%2", None),
            ("192.0.2", None),
            ("dc1:0", None),
            ("dc1:65536", None),
            ("dc1:", None),
            ("", None),
            (".", None),
            ("dc 1", None),
            ("ldaps://dc1.contoso.com", None),
            ("dc1.contoso.com/x", None),
            ("um:secret@dc1", None),
        ] {
            let server = Server::parse(text);
            assert_eq!(server.as_ref().map(Server::to_string).as_deref(), expected, "{text:?}");
            assert_eq!(
                expected.and_then(Server::parse),
                server,
                "{text:?}: the displayed form parses to the same server"
            );
        }
    }

    #[test]
    fn an_address_is_not_a_short_name() {
        for (text, is_short) in [
            ("dc1", true),
            ("dc1.contoso.com", false),
            ("192.0.2.1", false),
            ("::1", false),
        ] {
            assert_eq!(Server::parse(text).expect(text).is_short(), is_short, "{text}");
        }
    }

    #[test]
    fn default_ports_follow_role_and_tls_mode() {
        for (role, tls, port) in [
            (Role::Controller, Tls::Ldaps, 636),
            (Role::Controller, Tls::StartTls, 389),
            (Role::Catalog, Tls::Ldaps, 3269),
            (Role::Catalog, Tls::StartTls, 3268),
        ] {
            let mut endpoint = Endpoint {
                server: Server::parse("dc1.contoso.com").unwrap(),
                role,
            };
            assert_eq!(endpoint.port(tls), port);
            endpoint.server.port = Some(7);
            assert_eq!(endpoint.port(tls), 7);
        }
    }
}
