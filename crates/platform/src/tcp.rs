//! TCP options for long-lived connections: keep-alive, and a limit for unacknowledged data.

use std::io;
use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};

/// Idle time before the first keep-alive probe. Firewalls drop the state of connections that are idle for a minute or more.
const IDLE: Duration = Duration::from_secs(20);
/// Interval between unanswered probes.
const INTERVAL: Duration = Duration::from_secs(5);
/// Unanswered probes that end the connection.
const PROBES: u32 = 3;

/// `TCP_USER_TIMEOUT`: the connection ends if sent data is not acknowledged for this long. A slow peer program does not matter, because
/// its system acknowledges unread data.
#[cfg(any(target_os = "linux", target_os = "android"))]
const UNACKNOWLEDGED: Duration = Duration::from_secs(5);

/// Whether the system supports `TCP_USER_TIMEOUT`. Without it, as on Windows, a connection whose path is gone ends after about the timeout
/// of an operation only.
pub const HAS_USER_TIMEOUT: bool = cfg!(any(target_os = "linux", target_os = "android"));

/// Enables keep-alive and, where supported, `TCP_USER_TIMEOUT`.
///
/// # Errors
/// If an option cannot be set.
pub fn enable_keepalive<'s, S>(socket: &'s S) -> io::Result<()>
where
    SockRef<'s>: From<&'s S>,
{
    let socket = SockRef::from(socket);
    let keepalive = TcpKeepalive::new()
        .with_time(IDLE)
        .with_interval(INTERVAL)
        .with_retries(PROBES);
    socket.set_tcp_keepalive(&keepalive)?;
    #[cfg(any(target_os = "linux", target_os = "android"))]
    socket.set_tcp_user_timeout(Some(UNACKNOWLEDGED))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream};

    use super::*;

    #[test]
    fn keepalive_and_user_timeout_are_set() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let stream = TcpStream::connect(listener.local_addr().expect("an address")).expect("a connection");
        enable_keepalive(&stream).expect("the options");
        let socket = SockRef::from(&stream);
        assert!(socket.keepalive().expect("an option"));
        #[cfg(any(target_os = "linux", target_os = "android"))]
        {
            assert_eq!(socket.tcp_keepalive_time().expect("an option"), IDLE);
            assert_eq!(socket.tcp_keepalive_interval().expect("an option"), INTERVAL);
            assert_eq!(socket.tcp_keepalive_retries().expect("an option"), PROBES);
            assert_eq!(socket.tcp_user_timeout().expect("an option"), Some(UNACKNOWLEDGED));
        }
    }
}
