//! TCP connections that are kept: the system notices a path that is gone, and firewalls see that one is in use.

use std::io;
use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};

/// A connection that is silent for this long is probed: firewalls forget one that is silent for a minute or more.
const IDLE: Duration = Duration::from_secs(20);
/// Between two probes that are not answered …
const INTERVAL: Duration = Duration::from_secs(5);
/// … of which so many end the connection.
const PROBES: u32 = 3;

/// What the other computer's system has not acknowledged by then does not arrive: the connection ends. A program that takes its time
/// is not concerned, for its system acknowledges what it has not read.
#[cfg(any(target_os = "linux", target_os = "android"))]
const UNACKNOWLEDGED: Duration = Duration::from_secs(5);

/// Whether the system ends a connection whose path is gone long before an operation's time is over. Windows retransmits for about
/// as long as that, and offers no safe interface to change it.
pub const ENDS_DEAD_PATHS: bool = cfg!(any(target_os = "linux", target_os = "android"));

/// Has the system watch the connection.
///
/// # Errors
/// What the system refused.
pub fn watch<'s, S>(socket: &'s S) -> io::Result<()>
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
    fn the_system_watches_a_connection() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let stream = TcpStream::connect(listener.local_addr().expect("an address")).expect("a connection");
        watch(&stream).expect("the options");
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
