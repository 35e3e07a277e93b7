//! The byte stream to the relay, with one time limit for each command and its reply.
//!
//! lettre's own connection is not used: it limits each read only, so that a reply sent byte by byte never ends; it keeps plain-text
//! input from before STARTTLS and takes it for a reply (command injection); and it ends each message with a small write, which waits
//! 40 ms for a delayed acknowledgement.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, StreamOwned};

use super::reply::{self, Reply};
use umpin_platform::tcp;

/// A socket with a deadline, which is set for each command.
struct DeadlineSocket {
    socket: TcpStream,
    deadline: Instant,
}

impl DeadlineSocket {
    fn remaining(&self) -> io::Result<Duration> {
        let remaining = self.deadline.saturating_duration_since(Instant::now());
        // A shorter timeout could be rounded to zero, which means no timeout.
        if remaining < Duration::from_millis(1) {
            return Err(ErrorKind::TimedOut.into());
        }
        Ok(remaining)
    }
}

impl Read for DeadlineSocket {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.socket.set_read_timeout(Some(self.remaining()?))?;
        self.socket.read(buffer)
    }
}

impl Write for DeadlineSocket {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.socket.set_write_timeout(Some(self.remaining()?))?;
        self.socket.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

enum Channel {
    Plain(DeadlineSocket),
    Tls(Box<StreamOwned<ClientConnection, DeadlineSocket>>),
}

/// The stream to the relay, plain or TLS.
pub(super) struct SmtpStream {
    channel: Option<Channel>,
    timeout: Duration,
    /// The deadline of the whole delivery.
    deadline: Instant,
    local: SocketAddr,
    peer: SocketAddr,
    /// Input after the last reply.
    read: Vec<u8>,
}

/// Why no reply was read.
#[derive(Debug)]
pub(super) enum StreamError {
    Io(io::Error),
    /// The input is not an SMTP reply.
    Protocol,
}

impl From<io::Error> for StreamError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl SmtpStream {
    pub(super) fn connect(
        address: SocketAddr,
        limit: Duration,
        timeout: Duration,
        deadline: Instant,
    ) -> io::Result<Self> {
        let socket = TcpStream::connect_timeout(&address, limit)?;
        // Each write is a whole command or message.
        socket.set_nodelay(true)?;
        // Best effort: old systems lack some options, and idle connections are probed before use anyway.
        let _ = tcp::enable_keepalive(&socket);
        Ok(Self {
            local: socket.local_addr()?,
            peer: socket.peer_addr()?,
            channel: Some(Channel::Plain(DeadlineSocket {
                socket,
                deadline: deadline.min(Instant::now() + timeout),
            })),
            timeout,
            deadline,
            read: Vec::new(),
        })
    }

    /// Sets the deadline of the next delivery.
    pub(super) fn set_deadline(&mut self, deadline: Instant) {
        self.deadline = deadline;
    }

    /// Sets the time limit of each command.
    pub(super) fn set_timeout(&mut self, timeout: Duration) {
        self.timeout = timeout;
    }

    pub(super) fn local(&self) -> SocketAddr {
        self.local
    }

    pub(super) fn peer(&self) -> SocketAddr {
        self.peer
    }

    pub(super) fn peer_certificate(&self) -> Option<&[u8]> {
        match &self.channel {
            Some(Channel::Tls(channel)) => channel.conn.peer_certificates()?.first().map(|der| der.as_ref()),
            _ => None,
        }
    }

    pub(super) fn is_encrypted(&self) -> bool {
        matches!(self.channel, Some(Channel::Tls(_)))
    }

    /// Negotiates TLS with the relay of this name.
    pub(super) fn negotiate_tls(&mut self, config: Arc<ClientConfig>, name: ServerName<'static>) -> io::Result<()> {
        // Buffered plain text may come from an attacker.
        if !self.read.is_empty() {
            return Err(io::Error::new(
                ErrorKind::InvalidData,
                "data came before the TLS handshake",
            ));
        }
        let Some(Channel::Plain(mut socket)) = self.channel.take() else {
            return Err(ErrorKind::NotConnected.into());
        };
        socket.deadline = self.deadline.min(Instant::now() + self.timeout);
        let connection = ClientConnection::new(config, name).map_err(io::Error::other)?;
        let mut channel = StreamOwned::new(connection, socket);
        while channel.conn.is_handshaking() {
            channel.conn.complete_io(&mut channel.sock)?;
        }
        self.channel = Some(Channel::Tls(Box::new(channel)));
        Ok(())
    }

    /// Sends the bytes. The time limit also covers the reply.
    pub(super) fn send(&mut self, bytes: &[u8]) -> Result<(), StreamError> {
        // Unsolicited input would be taken for the reply to this command.
        if !self.read.is_empty() {
            return Err(StreamError::Protocol);
        }
        self.restart_timer();
        match self.channel.as_mut() {
            Some(Channel::Plain(socket)) => socket.write_all(bytes)?,
            Some(Channel::Tls(channel)) => {
                channel.write_all(bytes)?;
                channel.flush()?;
            }
            None => return Err(StreamError::Io(ErrorKind::NotConnected.into())),
        }
        Ok(())
    }

    /// Starts the time limit of a command.
    pub(super) fn restart_timer(&mut self) {
        let deadline = self.deadline.min(Instant::now() + self.timeout);
        match self.channel.as_mut() {
            Some(Channel::Plain(socket)) => socket.deadline = deadline,
            Some(Channel::Tls(channel)) => channel.sock.deadline = deadline,
            None => {}
        }
    }

    pub(super) fn receive(&mut self) -> Result<Reply, StreamError> {
        let mut buffer = [0; 4096];
        loop {
            if let Some((reply, length)) = reply::parse(&self.read).map_err(|_| StreamError::Protocol)? {
                self.read.drain(..length);
                return Ok(reply);
            }
            let read = match self.channel.as_mut() {
                Some(Channel::Plain(socket)) => socket.read(&mut buffer),
                Some(Channel::Tls(channel)) => channel.read(&mut buffer),
                None => Err(ErrorKind::NotConnected.into()),
            };
            match read {
                Ok(0) => return Err(StreamError::Io(ErrorKind::UnexpectedEof.into())),
                Ok(length) => self.read.extend_from_slice(&buffer[..length]),
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(e) => return Err(StreamError::Io(e)),
            }
        }
    }

    /// Sends QUIT and closes without waiting for the reply.
    pub(super) fn quit(mut self, bytes: &[u8]) {
        self.timeout = Duration::from_millis(250);
        let _ = self.send(bytes);
        let socket = match self.channel.as_mut() {
            Some(Channel::Tls(channel)) => {
                channel.conn.send_close_notify();
                let _ = channel.flush();
                &channel.sock.socket
            }
            Some(Channel::Plain(socket)) => &socket.socket,
            None => return,
        };
        let _ = socket.shutdown(Shutdown::Write);
    }
}
