//! From the relay's name to addresses.

use std::io;
use std::net::{SocketAddr, ToSocketAddrs as _};

use super::failure::Failure;
use super::settings::{Relay, Tls};

/// The addresses of the relay; without TLS only if every one of them is this computer.
pub(super) fn addresses(relay: &Relay) -> Result<Vec<SocketAddr>, Failure> {
    let found = look_up(relay).map_err(|e| Failure::of_relay(format!("is not known by that name: {e}")))?;
    if let Some(elsewhere) = exposed(relay, &found) {
        return Err(Failure::of_relay(elsewhere));
    }
    Ok(found)
}

/// Why the configuration would send in plain text over a network, where it would; `None` too while the name does not resolve.
pub(super) fn fault(relay: &Relay) -> Option<String> {
    if relay.tls != Tls::None {
        return None;
    }
    exposed(relay, &look_up(relay).ok()?)
}

fn look_up(relay: &Relay) -> io::Result<Vec<SocketAddr>> {
    let found: Vec<_> = (relay.host.as_str(), relay.port).to_socket_addrs()?.collect();
    if found.is_empty() {
        return Err(io::Error::other("it has no address"));
    }
    Ok(found)
}

fn exposed(relay: &Relay, found: &[SocketAddr]) -> Option<String> {
    let elsewhere = found
        .iter()
        .find(|address| !address.ip().to_canonical().is_loopback())?;
    (relay.tls == Tls::None).then(|| {
        format!(
            "is at {}, not on this computer, and 'notification.tls' is 'none'",
            elsewhere.ip()
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
            assert_eq!(fault(&relay(host, Tls::None)), None);
        }
        for host in ["192.0.2.1", "0.0.0.0", "::ffff:192.0.2.1", "2001:db8::1"] {
            let failure = addresses(&relay(host, Tls::None)).unwrap_err();
            assert!(failure.what.contains("not on this computer"), "{}", failure.what);
            assert!(fault(&relay(host, Tls::None)).is_some());
            assert!(addresses(&relay(host, Tls::StartTls)).is_ok());
            assert_eq!(fault(&relay(host, Tls::Implicit)), None);
        }
    }
}
