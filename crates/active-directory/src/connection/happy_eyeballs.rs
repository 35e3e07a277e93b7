//! Connects to the first address of a server that accepts (Happy Eyeballs, RFC 8305). A dead address, such as an IPv6 address without a
//! route, costs 250 ms and not the whole connection timeout.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::timeout;

use umpin_platform::tcp;

/// "Connection Attempt Delay" (RFC 8305, 8).
const CONNECTION_ATTEMPT_DELAY: Duration = Duration::from_millis(250);

/// How long after the first attempt the last of this many addresses is tried at the latest.
pub(crate) fn stagger(addresses: usize) -> Duration {
    CONNECTION_ATTEMPT_DELAY * u32::try_from(addresses.saturating_sub(1)).unwrap_or(u32::MAX)
}

/// Connects to one of the addresses. They are tried in the order of the system (RFC 6724) with alternating families; a failed attempt
/// starts the next one at once. The caller sets the time limit.
///
/// # Errors
/// The last error, if no address accepts.
pub(crate) async fn connect(addresses: Vec<SocketAddr>) -> io::Result<TcpStream> {
    let mut waiting = interleave_families(addresses).into_iter();
    let mut attempts = JoinSet::new();
    let mut failed = io::Error::from(io::ErrorKind::AddrNotAvailable);
    loop {
        if let Some(address) = waiting.next() {
            attempts.spawn(connect_one(address));
        } else if attempts.is_empty() {
            return Err(failed);
        }
        let ended = if waiting.len() == 0 {
            attempts.join_next().await
        } else {
            timeout(CONNECTION_ATTEMPT_DELAY, attempts.join_next())
                .await
                .unwrap_or(None)
        };
        match ended {
            // Dropping the set cancels the other attempts.
            Some(Ok(Ok(stream))) => return Ok(stream),
            Some(Ok(Err(e))) => failed = e,
            Some(Err(e)) => failed = io::Error::other(e),
            None => {}
        }
    }
}

async fn connect_one(address: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(address).await?;
    // Best effort: old systems lack some options, and idle connections are probed before use anyway.
    let _ = tcp::enable_keepalive(&stream);
    // Otherwise each request waits for the delayed acknowledgement of the one before.
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// Alternates the address families, starting with that of the first address (RFC 8305, 4).
fn interleave_families(addresses: Vec<SocketAddr>) -> Vec<SocketAddr> {
    let Some(is_first_ipv6) = addresses.first().map(SocketAddr::is_ipv6) else {
        return addresses;
    };
    let (own, other): (Vec<_>, Vec<_>) = addresses
        .into_iter()
        .partition(|address| address.is_ipv6() == is_first_ipv6);
    let mut ordered = Vec::with_capacity(own.len() + other.len());
    let (mut own, mut other) = (own.into_iter(), other.into_iter());
    loop {
        let turn = [own.next(), other.next()];
        if turn == [None, None] {
            return ordered;
        }
        ordered.extend(turn.into_iter().flatten());
    }
}

#[cfg(test)]
mod tests {
    use std::net::{Ipv4Addr, TcpListener};
    use std::time::Instant;

    use super::*;

    fn addresses(texts: &[&str]) -> Vec<SocketAddr> {
        texts.iter().map(|text| text.parse().expect(text)).collect()
    }

    fn attempt(addresses: Vec<SocketAddr>) -> (io::Result<TcpStream>, Duration) {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("a runtime");
        let begun = Instant::now();
        let outcome = runtime.block_on(async { timeout(Duration::from_secs(60), connect(addresses)).await });
        (outcome.expect("an outcome within a minute"), begun.elapsed())
    }

    fn open() -> (TcpListener, SocketAddr) {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let address = listener.local_addr().expect("an address");
        (listener, address)
    }

    fn closed_port() -> SocketAddr {
        open().1
    }

    #[test]
    fn families_alternate_and_keep_their_order() {
        let all = addresses(&["[::1]:1", "[::2]:1", "[::3]:1", "192.0.2.1:1", "192.0.2.2:1"]);
        let turns = addresses(&["[::1]:1", "192.0.2.1:1", "[::2]:1", "192.0.2.2:1", "[::3]:1"]);
        assert_eq!(interleave_families(all), turns);
        let all = addresses(&["192.0.2.1:1", "[::1]:1", "[::2]:1"]);
        assert_eq!(interleave_families(all.clone()), all);
        assert_eq!(interleave_families(Vec::new()), []);
    }

    #[test]
    fn a_refused_attempt_starts_the_next_at_once() {
        let (_listener, good) = open();
        let refusing: Vec<SocketAddr> = (0..40).map(|_| closed_port()).collect();
        let (stream, elapsed) = attempt([refusing.as_slice(), &[good]].concat());
        assert_eq!(stream.expect("a connection").peer_addr().expect("an address"), good);
        assert!(
            elapsed < stagger(41) / 2,
            "attempts after a refusal were delayed: {elapsed:?}"
        );
        let (outcome, _) = attempt(refusing);
        assert_eq!(
            outcome.expect_err("no listener").kind(),
            io::ErrorKind::ConnectionRefused
        );
        assert!(attempt(Vec::new()).0.is_err());
    }

    /// Linux drops connection attempts to a listener whose backlog is full, as a firewall does.
    #[cfg(target_os = "linux")]
    #[test]
    fn an_unresponsive_address_does_not_delay_the_others() {
        use socket2::{Domain, Socket, Type};

        let unresponsive = || {
            let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
            socket
                .bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into())
                .expect("a port");
            socket.listen(0).expect("a queue");
            let address = socket
                .local_addr()
                .expect("an address")
                .as_socket()
                .expect("an address");
            let queued = std::net::TcpStream::connect(address).expect("the only place in the backlog");
            (socket, queued, address)
        };
        let (one, other, (_listener, good)) = (unresponsive(), unresponsive(), open());
        let (stream, elapsed) = attempt(vec![one.2, other.2, good]);
        assert_eq!(stream.expect("a connection").peer_addr().expect("an address"), good);
        assert!(elapsed >= stagger(3), "the first two do not respond: {elapsed:?}");
        assert!(
            elapsed < Duration::from_secs(5),
            "an unresponsive address delayed the connection: {elapsed:?}"
        );
    }
}
