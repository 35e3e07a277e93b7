//! Of a server's addresses the one that takes the connection first (RFC 8305): one that is dead, as an IPv6 address without a route often
//! is, costs a quarter of a second and not the whole time for connecting.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::timeout;

use umpin_platform::tcp;

/// How long the next address waits for the one before ("Connection Attempt Delay", RFC 8305, 8).
const DELAY: Duration = Duration::from_millis(250);

/// How long after the first the last of so many addresses has its turn at the latest.
pub(crate) fn head_start(addresses: usize) -> Duration {
    DELAY * u32::try_from(addresses.saturating_sub(1)).unwrap_or(u32::MAX)
}

/// A connection to one of the addresses. They have their turns in their order, which is the system's (RFC 6724), but that the families
/// alternate; the next as soon as one has failed.
///
/// # Errors
/// The last failure, where none of them takes it. Whoever asks watches the time.
pub(crate) async fn first(addresses: Vec<SocketAddr>) -> io::Result<TcpStream> {
    let mut waiting = alternating(addresses).into_iter();
    let mut attempts = JoinSet::new();
    let mut failed = io::Error::from(io::ErrorKind::AddrNotAvailable);
    loop {
        if let Some(address) = waiting.next() {
            attempts.spawn(connect(address));
        } else if attempts.is_empty() {
            return Err(failed);
        }
        let ended = if waiting.len() == 0 {
            attempts.join_next().await
        } else {
            timeout(DELAY, attempts.join_next()).await.unwrap_or(None)
        };
        match ended {
            // The others are called off.
            Some(Ok(Ok(stream))) => return Ok(stream),
            Some(Ok(Err(e))) => failed = e,
            Some(Err(e)) => failed = io::Error::other(e),
            None => {}
        }
    }
}

async fn connect(address: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(address).await?;
    // An old system may not have all of it; what was idle is tried before it is used.
    let _ = tcp::watch(&stream);
    // Else each question waits for the server's delayed acknowledgement of the one before.
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// The family of the first address, the other, and so on (RFC 8305, 4).
fn alternating(addresses: Vec<SocketAddr>) -> Vec<SocketAddr> {
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

    fn raced(addresses: Vec<SocketAddr>) -> (io::Result<TcpStream>, Duration) {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("a runtime");
        let begun = Instant::now();
        let outcome = runtime.block_on(async { timeout(Duration::from_secs(60), first(addresses)).await });
        (outcome.expect("an outcome within a minute"), begun.elapsed())
    }

    fn open() -> (TcpListener, SocketAddr) {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let address = listener.local_addr().expect("an address");
        (listener, address)
    }

    fn closed() -> SocketAddr {
        open().1
    }

    #[test]
    fn families_alternate_and_keep_their_order() {
        let all = addresses(&["[::1]:1", "[::2]:1", "[::3]:1", "192.0.2.1:1", "192.0.2.2:1"]);
        let turns = addresses(&["[::1]:1", "192.0.2.1:1", "[::2]:1", "192.0.2.2:1", "[::3]:1"]);
        assert_eq!(alternating(all), turns);
        let all = addresses(&["192.0.2.1:1", "[::1]:1", "[::2]:1"]);
        assert_eq!(alternating(all.clone()), all);
        assert_eq!(alternating(Vec::new()), []);
    }

    #[test]
    fn an_address_that_refuses_gives_way_at_once() {
        let (_listener, good) = open();
        let refusing: Vec<SocketAddr> = (0..40).map(|_| closed()).collect();
        let (stream, took) = raced([refusing.as_slice(), &[good]].concat());
        assert_eq!(stream.expect("a connection").peer_addr().expect("an address"), good);
        assert!(took < head_start(41) / 2, "the turns were waited for: {took:?}");
        let (outcome, _) = raced(refusing);
        assert_eq!(
            outcome.expect_err("nobody listens").kind(),
            io::ErrorKind::ConnectionRefused
        );
        assert!(raced(Vec::new()).0.is_err());
    }

    /// Linux drops what would connect to a listener whose queue is full, as a firewall does.
    #[cfg(target_os = "linux")]
    #[test]
    fn an_address_that_is_silent_is_not_waited_for() {
        use socket2::{Domain, Socket, Type};

        let silent = || {
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
            let queued = std::net::TcpStream::connect(address).expect("the only place in the queue");
            (socket, queued, address)
        };
        let (one, other, (_listener, good)) = (silent(), silent(), open());
        let (stream, took) = raced(vec![one.2, other.2, good]);
        assert_eq!(stream.expect("a connection").peer_addr().expect("an address"), good);
        assert!(took >= head_start(3), "the first two were silent: {took:?}");
        assert!(
            took < Duration::from_secs(5),
            "a silent address was waited for: {took:?}"
        );
    }
}
