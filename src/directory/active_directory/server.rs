//! One server of the directory.

use std::fmt;
use std::net::IpAddr;

use rustls::pki_types::DnsName;

use super::settings::Tls;

/// What a server is asked as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Role {
    /// It holds its domain in full.
    Controller,
    /// It holds a part of every object of the forest, and takes no changes.
    Catalog,
}

/// A server of the directory.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Server {
    /// Host name; the name that its certificate must have. Lower case, without a dot at the end.
    pub host: String,
    /// TCP port; `None`: the usual one for the role and the protection.
    pub port: Option<u16>,
}

impl Server {
    /// `dc1.contoso.com` or `dc1.contoso.com:636`: a DNS name, in any form of IDNA, or an IPv4 address.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (host, port) = match text.split_once(':') {
            Some((host, port)) => (host, Some(port.parse().ok().filter(|port| *port != 0)?)),
            None => (text, None),
        };
        let host = host.strip_suffix('.').unwrap_or(host);
        let host = idna::domain_to_ascii(host).ok()?.to_ascii_lowercase();
        let sound = match host.parse::<IpAddr>() {
            Ok(address) => address.is_ipv4(),
            // What looks like an address and is none must not become one on the way.
            Err(_) => {
                let last = host.rsplit('.').next().unwrap_or_default();
                DnsName::try_from(host.as_str()).is_ok() && !last.bytes().all(|b| b.is_ascii_digit())
            }
        };
        sound.then_some(Self { host, port })
    }

    /// Whether the host is a name of one label, or not a name at all.
    pub(super) fn is_short(&self) -> bool {
        !self.host.contains('.')
    }
}

impl fmt::Display for Server {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.port {
            None => f.write_str(&self.host),
            Some(port) => write!(f, "{}:{port}", self.host),
        }
    }
}

/// A server and what it is asked as.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Endpoint {
    pub server: Server,
    pub role: Role,
}

impl Endpoint {
    /// Where it listens (MS-ADTS 5.1.1).
    pub fn port(&self, tls: Tls) -> u16 {
        self.server.port.unwrap_or(match (self.role, tls) {
            (Role::Controller, Tls::Ldaps) => 636,
            (Role::Controller, Tls::StartTls) => 389,
            (Role::Catalog, Tls::Ldaps) => 3269,
            (Role::Catalog, Tls::StartTls) => 3268,
        })
    }
}

/// As the subject of a sentence.
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
    fn names_that_a_certificate_can_have() {
        for (text, told) in [
            ("dc1.contoso.com", Some("dc1.contoso.com")),
            ("DC1.Contoso.com.", Some("dc1.contoso.com")),
            ("dc1.contoso.com:10636", Some("dc1.contoso.com:10636")),
            ("dc1", Some("dc1")),
            ("bücher.example:636", Some("xn--bcher-kva.example:636")),
            ("192.0.2.1", Some("192.0.2.1")),
            ("192.0.2.1:636", Some("192.0.2.1:636")),
            ("2001:db8::1", None),
            ("[2001:db8::1]", None),
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
            assert_eq!(Server::parse(text).map(|s| s.to_string()).as_deref(), told, "{text:?}");
        }
    }

    #[test]
    fn ports_follow_role_and_protection() {
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
