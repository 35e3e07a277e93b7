//! Resolves the relay's name.

use std::io;
use std::net::{SocketAddr, ToSocketAddrs as _};

use super::error::SmtpError;
use super::settings::{Relay, Tls};

/// The addresses of the relay. Without TLS, all of them must be loopback addresses.
pub(super) fn addresses(relay: &Relay) -> Result<Vec<SocketAddr>, SmtpError> {
    let found = look_up(relay).map_err(|e| SmtpError::for_relay(format!("is not known by that name: {e}")))?;
    if let Some(remote) = remote_without_tls(relay, &found) {
        return Err(SmtpError::for_relay(remote));
    }
    Ok(found)
}

/// Why the configuration would send plain text over a network; `None` if it would not, or if the name does not resolve.
pub(super) fn plain_text_violation(relay: &Relay) -> Option<String> {
    if relay.tls != Tls::None {
        return None;
    }
    remote_without_tls(relay, &look_up(relay).ok()?)
}

fn look_up(relay: &Relay) -> io::Result<Vec<SocketAddr>> {
    let found: Vec<_> = (relay.host.as_str(), relay.port).to_socket_addrs()?.collect();
    if found.is_empty() {
        return Err(io::Error::other("it has no address"));
    }
    Ok(found)
}

fn remote_without_tls(relay: &Relay, found: &[SocketAddr]) -> Option<String> {
    let remote = found
        .iter()
        .find(|address| !address.ip().to_canonical().is_loopback())?;
    (relay.tls == Tls::None).then(|| {
        format!(
            "is at {}, not on this computer, and 'notification.tls' is 'none'",
            remote.ip()
        )
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn relay(host: &str, tls: Tls) -> Relay {
        Relay {
            host: host.to_owned(),
            port: 25,
            tls,
            ca_file: None,
            login: None,
            from: "um@contoso.com".to_owned(),
            timeout: Duration::from_secs(1),
            group: None,
        }
    }

    #[test]
    fn plain_text_stays_on_this_computer() {
        for host in ["127.0.0.1", "127.1.2.3", "::1", "::ffff:127.0.0.1", "localhost"] {
            assert!(addresses(&relay(host, Tls::None)).is_ok(), "{host}");
            assert_eq!(plain_text_violation(&relay(host, Tls::None)), None);
        }
        for host in ["192.0.2.1", "0.0.0.0", "::ffff:192.0.2.1", "2001:db8::1"] {
            let failure = addresses(&relay(host, Tls::None)).unwrap_err();
            assert!(failure.message.contains("not on this computer"), "{}", failure.message);
            assert!(plain_text_violation(&relay(host, Tls::None)).is_some());
            assert!(addresses(&relay(host, Tls::StartTls)).is_ok());
            assert_eq!(plain_text_violation(&relay(host, Tls::Implicit)), None);
        }
    }
}
