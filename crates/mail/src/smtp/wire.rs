//! Bytes to and from the relay: each command and its answer within one time limit, whatever the relay does in between.
//!
//! Not lettre's own connection: that bounds each read, so that an answer in drips never ends; keeps what came in plain text
//! before STARTTLS and takes it for an answer after it; and ends each message with a small write of its own, which waits
//! 40 ms for the acknowledgement of the one before.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, StreamOwned};

use super::reply::{self, Reply};
use umpin_platform::tcp;

/// A socket whose operations end at a moment that is set for each command.
struct Timed {
    socket: TcpStream,
    deadline: Instant,
}

impl Timed {
    fn left(&self) -> io::Result<Duration> {
        let left = self.deadline.saturating_duration_since(Instant::now());
        // Less than the system's clock can wait for would mean: for ever.
        if left < Duration::from_millis(1) {
            return Err(ErrorKind::TimedOut.into());
        }
        Ok(left)
    }
}

impl Read for Timed {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.socket.set_read_timeout(Some(self.left()?))?;
        self.socket.read(buffer)
    }
}

impl Write for Timed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.socket.set_write_timeout(Some(self.left()?))?;
        self.socket.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

enum Stream {
    Plain(Timed),
    Tls(Box<StreamOwned<ClientConnection, Timed>>),
}

/// A connection, before anybody speaks SMTP on it.
pub(super) struct Wire {
    stream: Option<Stream>,
    timeout: Duration,
    /// No command goes on beyond this, however many there are.
    end: Instant,
    local: SocketAddr,
    peer: SocketAddr,
    /// What came after the last answer.
    read: Vec<u8>,
}

/// What came instead of an answer.
#[derive(Debug)]
pub(super) enum Fault {
    Io(io::Error),
    NotSmtp,
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl Wire {
    pub(super) fn connect(address: SocketAddr, limit: Duration, timeout: Duration, end: Instant) -> io::Result<Self> {
        let socket = TcpStream::connect_timeout(&address, limit)?;
        // Each write is a whole command or message, so nothing is gained by waiting for more.
        socket.set_nodelay(true)?;
        // An old system may not have all of it; what was idle is tried before it is used.
        let _ = tcp::watch(&socket);
        Ok(Self {
            local: socket.local_addr()?,
            peer: socket.peer_addr()?,
            stream: Some(Stream::Plain(Timed {
                socket,
                deadline: end.min(Instant::now() + timeout),
            })),
            timeout,
            end,
            read: Vec::new(),
        })
    }

    /// For the next message over a connection that is kept.
    pub(super) fn until(&mut self, end: Instant) {
        self.end = end;
    }

    /// How long each command may take from now on.
    pub(super) fn within(&mut self, timeout: Duration) {
        self.timeout = timeout;
    }

    pub(super) fn local(&self) -> SocketAddr {
        self.local
    }

    pub(super) fn peer(&self) -> SocketAddr {
        self.peer
    }

    pub(super) fn peer_certificate(&self) -> Option<&[u8]> {
        match &self.stream {
            Some(Stream::Tls(stream)) => stream.conn.peer_certificates()?.first().map(|der| der.as_ref()),
            _ => None,
        }
    }

    pub(super) fn is_encrypted(&self) -> bool {
        matches!(self.stream, Some(Stream::Tls(_)))
    }

    /// Everything from here on is encrypted, to the relay of this name.
    pub(super) fn encrypt(&mut self, config: Arc<ClientConfig>, name: ServerName<'static>) -> io::Result<()> {
        // What was received in plain text may come from anybody.
        if !self.read.is_empty() {
            return Err(io::Error::new(
                ErrorKind::InvalidData,
                "data came before the TLS handshake",
            ));
        }
        let Some(Stream::Plain(mut socket)) = self.stream.take() else {
            return Err(ErrorKind::NotConnected.into());
        };
        socket.deadline = self.end.min(Instant::now() + self.timeout);
        let connection = ClientConnection::new(config, name).map_err(io::Error::other)?;
        let mut stream = StreamOwned::new(connection, socket);
        while stream.conn.is_handshaking() {
            stream.conn.complete_io(&mut stream.sock)?;
        }
        self.stream = Some(Stream::Tls(Box::new(stream)));
        Ok(())
    }

    /// Sends all of it at once. The time limit holds until the answer has been read.
    pub(super) fn send(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        // An answer that nobody asked for would be taken for the answer to this.
        if !self.read.is_empty() {
            return Err(Fault::NotSmtp);
        }
        self.start();
        match self.stream.as_mut() {
            Some(Stream::Plain(socket)) => socket.write_all(bytes)?,
            Some(Stream::Tls(stream)) => {
                stream.write_all(bytes)?;
                stream.flush()?;
            }
            None => return Err(Fault::Io(ErrorKind::NotConnected.into())),
        }
        Ok(())
    }

    /// The time limit of what comes now.
    pub(super) fn start(&mut self) {
        let deadline = self.end.min(Instant::now() + self.timeout);
        match self.stream.as_mut() {
            Some(Stream::Plain(socket)) => socket.deadline = deadline,
            Some(Stream::Tls(stream)) => stream.sock.deadline = deadline,
            None => {}
        }
    }

    pub(super) fn receive(&mut self) -> Result<Reply, Fault> {
        let mut buffer = [0; 4096];
        loop {
            if let Some((reply, length)) = reply::parse(&self.read).map_err(|_| Fault::NotSmtp)? {
                self.read.drain(..length);
                return Ok(reply);
            }
            let read = match self.stream.as_mut() {
                Some(Stream::Plain(socket)) => socket.read(&mut buffer),
                Some(Stream::Tls(stream)) => stream.read(&mut buffer),
                None => Err(ErrorKind::NotConnected.into()),
            };
            match read {
                Ok(0) => return Err(Fault::Io(ErrorKind::UnexpectedEof.into())),
                Ok(length) => self.read.extend_from_slice(&buffer[..length]),
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(e) => return Err(Fault::Io(e)),
            }
        }
    }

    /// Says this and hangs up, waiting for nothing.
    pub(super) fn part(mut self, bytes: &[u8]) {
        self.timeout = Duration::from_millis(250);
        let _ = self.send(bytes);
        let socket = match self.stream.as_mut() {
            Some(Stream::Tls(stream)) => {
                stream.conn.send_close_notify();
                let _ = stream.flush();
                &stream.sock.socket
            }
            Some(Stream::Plain(socket)) => &socket.socket,
            None => return,
        };
        let _ = socket.shutdown(Shutdown::Write);
    }
}
