//! An SMTP session: opened, secured, authenticated, then used for one mail transaction after another.

use std::fmt::Display;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use lettre::transport::smtp::commands::{Data, Ehlo, Mail, Quit, Rcpt, Rset, Starttls};
use lettre::transport::smtp::extension::{ClientId, MailBodyParameter, MailParameter};
use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use zeroize::Zeroizing;

use super::envelope::{Path, dot_stuffed};
use super::error::{SmtpError, Stage};
use super::reply::Reply;
use super::resolve;
use super::settings::{Relay, Tls};
use super::stream::{SmtpStream, StreamError};
use umpin_platform::host::host_name;
use umpin_platform::secret::Secret;
use umpin_platform::tls;

/// Time limit for connecting to all addresses of the relay.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// The service extensions in the reply to `EHLO`.
#[derive(Default)]
struct EhloCapabilities {
    start_tls: bool,
    eight_bit: bool,
    utf8: bool,
    pipelining: bool,
    auth_plain: bool,
    auth_login: bool,
}

/// A session that is ready for a mail transaction.
pub(super) struct Connection {
    stream: SmtpStream,
    timeout: Duration,
    capabilities: EhloCapabilities,
}

impl Connection {
    /// Sets the deadline of the next delivery.
    pub(super) fn set_deadline(&mut self, end: Instant) {
        self.stream.set_deadline(end);
    }

    /// Whether the relay answers RSET within the limit.
    pub(super) fn is_alive(&mut self, limit: Duration) -> bool {
        self.stream.set_timeout(limit.min(self.timeout));
        let is_alive = self.reset();
        self.stream.set_timeout(self.timeout);
        is_alive
    }

    /// Connects, negotiates TLS and authenticates.
    pub(super) fn open(
        relay: &Relay,
        trust: Option<&Arc<ClientConfig>>,
        password: Option<&Secret>,
        end: Instant,
    ) -> Result<Self, SmtpError> {
        let mut connection = Self {
            stream: connect(relay, end)?,
            timeout: relay.timeout,
            capabilities: EhloCapabilities::default(),
        };
        if relay.tls == Tls::Implicit {
            connection.negotiate_tls(relay, trust)?;
        }
        connection.stream.restart_timer();
        connection.read_reply(Stage::Greeting)?;
        connection.ehlo()?;
        if relay.tls == Tls::StartTls {
            if !connection.capabilities.start_tls {
                return Err(SmtpError::for_relay(
                    "does not offer STARTTLS, and nothing is sent without it",
                ));
            }
            connection.command(Stage::StartTls, &Starttls)?;
            connection.negotiate_tls(relay, trust)?;
            // Capabilities announced in plain text are discarded (RFC 3207, 4.2).
            connection.ehlo()?;
        }
        if let (Some(login), Some(password)) = (&relay.login, password) {
            connection.authenticate(&login.user, password)?;
        }
        Ok(connection)
    }

    fn negotiate_tls(&mut self, relay: &Relay, trust: Option<&Arc<ClientConfig>>) -> Result<(), SmtpError> {
        let name = ServerName::try_from(relay.host.clone());
        let (Some(trust), Ok(name)) = (trust, name) else {
            return Err(SmtpError::for_relay("cannot be reached by TLS"));
        };
        self.stream
            .negotiate_tls(Arc::clone(trust), name)
            .map_err(|e| match tls::explain(&e) {
                Some(why) => SmtpError::for_relay(why.message),
                None => SmtpError::connection_lost(Stage::Handshake, &e, self.timeout),
            })
    }

    fn ehlo(&mut self) -> Result<(), SmtpError> {
        let reply = self.command(Stage::Hello, &Ehlo::new(self.client_id()))?;
        self.capabilities = parse_capabilities(&reply);
        Ok(())
    }

    /// This computer's name if it is a valid domain, else its address literal.
    fn client_id(&self) -> ClientId {
        let name = host_name();
        let is_valid = |label: &str| {
            (1..=63).contains(&label.len()) && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
        };
        if name.len() <= 253 && name.split('.').all(is_valid) {
            return ClientId::Domain(name);
        }
        match self.stream.local().ip() {
            IpAddr::V4(ip) => ClientId::Ipv4(ip),
            IpAddr::V6(ip) => ClientId::Ipv6(ip),
        }
    }

    /// lettre's `Auth` is not used: it keeps the password in strings that are not wiped.
    fn authenticate(&mut self, user: &str, password: &Secret) -> Result<(), SmtpError> {
        // The configuration check rules this out; checked again because a password is at stake.
        if !self.stream.is_encrypted() && !self.stream.peer().ip().to_canonical().is_loopback() {
            return Err(SmtpError::for_relay("is not signed in to without TLS"));
        }
        let encoded = |text: &str| Zeroizing::new(STANDARD.encode(text));
        if self.capabilities.auth_plain {
            let token = encoded(&concat(&["\0", user, "\0", password.expose()]));
            self.auth_exchange(&["AUTH PLAIN ", &token], 235, user, password)
        } else if self.capabilities.auth_login {
            self.auth_exchange(&["AUTH LOGIN"], 334, user, password)?;
            self.auth_exchange(&[&encoded(user)], 334, user, password)?;
            self.auth_exchange(&[&encoded(password.expose())], 235, user, password)
        } else {
            Err(SmtpError::for_relay(format!(
                "does not offer to sign in as '{user}' with a password (PLAIN or LOGIN)"
            )))
        }
    }

    fn auth_exchange(&mut self, words: &[&str], expected: u16, user: &str, password: &Secret) -> Result<(), SmtpError> {
        let line = concat(&[&concat(words), "\r\n"]);
        self.stream
            .send(line.as_bytes())
            .map_err(|e| self.error(Stage::SignIn, e))?;
        let reply = self.stream.receive().map_err(|e| self.error(Stage::SignIn, e))?;
        if reply.code == expected {
            return Ok(());
        }
        if reply.is_positive() {
            return Err(SmtpError::unexpected_reply(Stage::SignIn));
        }
        let suffix = if reply.is_temporary() { " for now" } else { "" };
        // A reply that echoes the credentials is not quoted.
        let sent = words.last().copied().unwrap_or_default();
        let text = Zeroizing::new(reply.lines.join(" "));
        let answer = if text.contains(password.expose()) || text.contains(sent) {
            reply.code.to_string()
        } else {
            reply.for_display(password.expose().as_bytes())
        };
        Err(SmtpError::for_relay(format!(
            "refused the sign-in as '{user}'{suffix}: {answer}"
        )))
    }

    /// Runs one mail transaction. If `is_committed` returns false after DATA, the content is not sent: the relay then waits for it, and
    /// the connection must be closed. The content is copied once, into a buffer that is wiped; the copies of the operating system are
    /// out of reach.
    pub(super) fn deliver(
        &mut self,
        from: &Path,
        to: &Path,
        content: &[u8],
        is_committed: &dyn Fn() -> bool,
    ) -> Result<bool, SmtpError> {
        let dot_stuffed = dot_stuffed(content).ok_or_else(|| {
            SmtpError::for_message("was not given the message, because a line of it does not end with CRLF")
        })?;
        let ascii = content.is_ascii();
        let mut parameters = Vec::new();
        if from.needs_utf8 || to.needs_utf8 || !ascii {
            if !self.capabilities.utf8 {
                return Err(SmtpError::for_message(
                    "does not take internationalised addresses (SMTPUTF8), and one is needed here",
                ));
            }
            parameters.push(MailParameter::SmtpUtfEight);
        }
        if !ascii && self.capabilities.eight_bit {
            parameters.push(MailParameter::Body(MailBodyParameter::EightBitMime));
        }
        self.send_envelope(
            &Mail::new(Some(from.address.clone()), parameters),
            &Rcpt::new(to.address.clone(), Vec::new()),
        )?;
        if !is_committed() {
            return Ok(false);
        }
        self.stream
            .send(&dot_stuffed)
            .map_err(|e| self.error(Stage::Content, e))?;
        // From here on the relay may have accepted the message even if its reply is lost. The message is sent again then, because the
        // user needs the PIN; both copies have the same Message-ID.
        let reply = self.stream.receive().map_err(|e| self.error(Stage::Content, e))?;
        if reply.is_positive() {
            Ok(true)
        } else {
            Err(SmtpError::rejected(Stage::Content, &reply, content))
        }
    }

    /// Sends MAIL, RCPT and DATA, in one write if the relay supports pipelining (RFC 2920), which saves two round trips.
    fn send_envelope(&mut self, mail: &Mail, rcpt: &Rcpt) -> Result<(), SmtpError> {
        let reply = if self.capabilities.pipelining {
            self.stream
                .send(format!("{mail}{rcpt}{Data}").as_bytes())
                .map_err(|e| self.error(Stage::Sender, e))?;
            self.read_pipelined_replies()?
        } else {
            self.command(Stage::Sender, mail)?;
            self.command(Stage::Recipient, rcpt)?;
            self.command(Stage::Data, &Data)?
        };
        if reply.code != 354 {
            return Err(SmtpError::unexpected_reply(Stage::Data));
        }
        Ok(())
    }

    /// Reads the replies to pipelined commands. All of them are read so that the connection can be used again; the first negative one
    /// is the result.
    fn read_pipelined_replies(&mut self) -> Result<Reply, SmtpError> {
        let mut refusal: Option<SmtpError> = None;
        let mut last = None;
        for stage in [Stage::Sender, Stage::Recipient, Stage::Data] {
            self.stream.restart_timer();
            match self.read_reply(stage) {
                Ok(reply) => last = Some(reply),
                Err(failure) => {
                    last = None;
                    let broken = failure.broken;
                    let first = refusal.get_or_insert(failure);
                    if broken {
                        first.broken = true;
                        break;
                    }
                }
            }
        }
        match (refusal, last) {
            (None, Some(reply)) => Ok(reply),
            (Some(refusal), last) => Err(SmtpError {
                // The relay accepted DATA after it rejected the recipient; it gets no content.
                broken: refusal.broken || last.is_some(),
                ..refusal
            }),
            (None, None) => Err(SmtpError::unexpected_reply(Stage::Data)),
        }
    }

    /// Aborts the mail transaction; false if the connection cannot be used any more.
    pub(super) fn reset(&mut self) -> bool {
        self.command(Stage::Reset, &Rset).is_ok()
    }

    /// The relay's certificate, as DER.
    pub(super) fn peer_certificate(&self) -> Option<&[u8]> {
        self.stream.peer_certificate()
    }

    /// Sends QUIT and closes.
    pub(super) fn close(self) {
        self.stream.quit(Quit.to_string().as_bytes());
    }

    fn command(&mut self, stage: Stage, command: &impl Display) -> Result<Reply, SmtpError> {
        self.stream
            .send(command.to_string().as_bytes())
            .map_err(|e| self.error(stage, e))?;
        self.read_reply(stage)
    }

    fn read_reply(&mut self, stage: Stage) -> Result<Reply, SmtpError> {
        let reply = self.stream.receive().map_err(|e| self.error(stage, e))?;
        if reply.is_positive() {
            Ok(reply)
        } else {
            Err(SmtpError::rejected(stage, &reply, b""))
        }
    }

    fn error(&self, stage: Stage, error: StreamError) -> SmtpError {
        match error {
            StreamError::Protocol => SmtpError::unexpected_reply(stage),
            StreamError::Io(error) => match tls::explain(&error) {
                Some(why) => SmtpError::for_relay(why.message),
                None => SmtpError::connection_lost(stage, &error, self.timeout),
            },
        }
    }
}

/// Concatenates into a buffer of the final size: a growing one would leave copies behind.
fn concat(parts: &[&str]) -> Zeroizing<String> {
    let mut text = Zeroizing::new(String::with_capacity(parts.iter().map(|quit| quit.len()).sum()));
    for quit in parts {
        text.push_str(quit);
    }
    text
}

fn connect(relay: &Relay, delivered_by: Instant) -> Result<SmtpStream, SmtpError> {
    let limit = relay.timeout.min(CONNECT_TIMEOUT);
    let addresses = resolve::addresses(relay)?;
    let end = Instant::now() + limit;
    let mut last = None;
    for (done, address) in addresses.iter().enumerate() {
        // A dead address must leave time for the others.
        let left = end.saturating_duration_since(Instant::now());
        let share = left / u32::try_from(addresses.len() - done).unwrap_or(u32::MAX);
        if share.is_zero() {
            break;
        }
        match SmtpStream::connect(*address, share, relay.timeout, delivered_by) {
            Ok(stream) => return Ok(stream),
            Err(e) => last = Some(e),
        }
    }
    Err(SmtpError::unreachable(last.as_ref()))
}

fn parse_capabilities(reply: &Reply) -> EhloCapabilities {
    let mut capabilities = EhloCapabilities::default();
    for line in reply.lines.iter().skip(1) {
        // Some relays still send the form from before the standard, `AUTH=LOGIN`.
        let line = line.to_ascii_uppercase().replace('=', " ");
        let mut words = line.split_ascii_whitespace();
        match words.next() {
            Some("STARTTLS") => capabilities.start_tls = true,
            Some("8BITMIME") => capabilities.eight_bit = true,
            Some("SMTPUTF8") => capabilities.utf8 = true,
            Some("PIPELINING") => capabilities.pipelining = true,
            Some("AUTH") => {
                for mechanism in words {
                    capabilities.auth_plain |= mechanism == "PLAIN";
                    capabilities.auth_login |= mechanism == "LOGIN";
                }
            }
            _ => {}
        }
    }
    capabilities
}
