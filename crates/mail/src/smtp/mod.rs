//! Delivers messages to a mail relay by SMTP (RFC 5321).
//!
//! Commands and addresses are lettre's; `stream.rs` says why its connection is not used.

mod circuit_breaker;
mod connection;
mod envelope;
mod error;
mod pool;
mod reply;
mod resolve;
mod settings;
mod stream;

use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use rustls::ClientConfig;

pub use settings::{Login, Relay, Tls};

use self::circuit_breaker::CircuitBreaker;
use self::connection::Connection;
use self::envelope::Path;
use self::error::SmtpError;
use self::pool::{Pool, PoolPermit};
use umpin_core::check::{Check, Subject};
use umpin_core::clock::Timestamp;
use umpin_core::notification::message::parse_sender;
use umpin_core::notification::{DELIVERY_LIMIT, DeliveryError, Notifier, OutgoingMessage, unavailable};
use umpin_core::{Result, certificate};
use umpin_platform::{password, tcp, tls};

/// How long a successful check is cached, so that a thousand resets run it once.
const CHECK_TTL: Duration = Duration::from_secs(60);

/// Time limit of a delivery with all its commands. It is below the outbox's limit because name resolution is not included.
const MAX_DELIVERY_TIME: Duration = Duration::from_secs(100);
const _: () = assert!(MAX_DELIVERY_TIME.as_secs() < DELIVERY_LIMIT.as_secs());

/// A connection that was idle for longer is probed before use: a firewall may have dropped its state and discard what is sent.
const PROBE_AFTER_IDLE: Duration = Duration::from_secs(5);
/// Time limit of the probe. A new connection takes little longer.
const PROBE_TIMEOUT: Duration = Duration::from_secs(2);

/// Delivers to one relay over pooled connections.
pub struct SmtpNotifier {
    relay: Relay,
    trust: OnceLock<Arc<ClientConfig>>,
    pool: Pool,
    checked_at: Mutex<Option<Instant>>,
    circuit_breaker: CircuitBreaker,
    delivery_timeout: Duration,
    probe_after_idle: Duration,
}

impl SmtpNotifier {
    /// Opens no connection yet.
    #[must_use]
    pub fn new(relay: Relay) -> Self {
        Self {
            relay,
            trust: OnceLock::new(),
            pool: Pool::default(),
            checked_at: Mutex::new(None),
            circuit_breaker: CircuitBreaker::default(),
            delivery_timeout: MAX_DELIVERY_TIME,
            probe_after_idle: PROBE_AFTER_IDLE,
        }
    }

    /// The TLS configuration; `None` without TLS. Loaded once. An error is not cached, so that a corrected file is read.
    fn trust(&self) -> Result<Option<&Arc<ClientConfig>>, String> {
        if self.relay.tls == Tls::None {
            return Ok(None);
        }
        if let Some(trust) = self.trust.get() {
            return Ok(Some(trust));
        }
        let trust = tls::client(self.relay.ca_file.as_deref())?.config;
        Ok(Some(self.trust.get_or_init(|| trust)))
    }

    fn password(&self) -> Result<Option<umpin_platform::secret::Secret>, String> {
        match &self.relay.login {
            Some(login) => password::load(&login.password, self.relay.group.as_deref()).map(Some),
            None => Ok(None),
        }
    }

    fn open(&self, end: Instant) -> Result<Connection, SendError> {
        let trust = self.trust().map_err(SendError::Local)?;
        let password = self.password().map_err(SendError::Local)?;
        Ok(Connection::open(&self.relay, trust, password.as_ref(), end)?)
    }

    fn send(
        &self,
        permit: &mut PoolPermit<'_>,
        transaction: &MailTransaction<'_>,
        end: Instant,
    ) -> Result<bool, SendError> {
        if let Some(mut idle) = permit.connection.take() {
            idle.set_deadline(end);
            if permit.idle_since.elapsed() < self.probe_after_idle || idle.is_alive(PROBE_TIMEOUT) {
                let begun = Instant::now();
                // A full command timeout is the relay's own: the system ends a connection whose path is gone earlier.
                let is_relay_timeout = |failure: &SmtpError| {
                    failure.timed_out && tcp::HAS_USER_TIMEOUT && begun.elapsed() >= self.relay.timeout
                };
                match Self::send_over(permit, idle, transaction) {
                    // The relay closed the idle connection. Nothing was handed over, so a new connection is tried.
                    Err(failure) if failure.broken && !failure.handed_over && !is_relay_timeout(&failure) => {}
                    other => return Ok(other?),
                }
            }
            permit.discard_stale();
        }
        let opened = self.open(end)?;
        Ok(Self::send_over(permit, opened, transaction)?)
    }

    /// Keeps the connection if it can be used again.
    fn send_over(
        permit: &mut PoolPermit<'_>,
        mut connection: Connection,
        transaction: &MailTransaction<'_>,
    ) -> Result<bool, SmtpError> {
        let sent = connection.deliver(
            &transaction.from,
            &transaction.to,
            transaction.content,
            transaction.is_committed,
        );
        let usable = match &sent {
            Ok(sent) => *sent,
            Err(failure) => !failure.broken && connection.reset(),
        };
        if usable {
            permit.connection = Some(connection);
        }
        sent
    }

    fn delivery_error(&self, failure: SmtpError) -> DeliveryError {
        failure.into_delivery_error(&self.relay.host, self.relay.port)
    }
}

/// A message with its envelope, and whether its content may be sent.
struct MailTransaction<'a> {
    from: Path,
    to: Path,
    content: &'a [u8],
    is_committed: &'a dyn Fn() -> bool,
}

/// Why a message was not sent: a local error, or one of the relay.
enum SendError {
    Local(String),
    Relay(SmtpError),
}

impl From<SmtpError> for SendError {
    fn from(failure: SmtpError) -> Self {
        Self::Relay(failure)
    }
}

impl Notifier for SmtpNotifier {
    /// Fails for errors that do not pass by themselves: password, certificate authorities, plain text to another computer. The relay is
    /// not contacted: if it is down, the message waits in the outbox.
    fn check(&self) -> Result<()> {
        let mut checked_at = self.checked_at.lock().unwrap_or_else(PoisonError::into_inner);
        if checked_at.is_some_and(|at| at.elapsed() < CHECK_TTL) {
            return Ok(());
        }
        let refused = |why: String| {
            unavailable(
                &why,
                "Correct the 'notification' part of the configuration, or what it names; then run the command again.",
            )
        };
        self.password().map_err(refused)?;
        self.trust().map_err(refused)?;
        if let Some(why) = resolve::plain_text_violation(&self.relay) {
            return Err(refused(format!("The relay {} {why}", self.relay.host)));
        }
        *checked_at = Some(Instant::now());
        Ok(())
    }

    fn deliver(&self, message: &OutgoingMessage) -> Result<(), DeliveryError> {
        self.deliver_once(message, &|| true).map(drop)
    }

    fn deliver_once(&self, message: &OutgoingMessage, is_committed: &dyn Fn() -> bool) -> Result<bool, DeliveryError> {
        let from = parse_sender(&self.relay.from)
            .and_then(|sender| envelope::parse_path(sender.email.as_ref()))
            .ok_or_else(|| {
                DeliveryError::Permanent("The sender of notifications is not an e-mail address".to_owned())
            })?;
        let to = envelope::parse_path(&message.recipient)
            .ok_or_else(|| DeliveryError::Permanent("The recipient is not an e-mail address".to_owned()))?;
        if let Some(failure) = self.circuit_breaker.open_error() {
            return Err(self.delivery_error(failure));
        }
        let end = Instant::now() + self.delivery_timeout;
        let Some(mut permit) = self.pool.acquire(self.relay.timeout.min(self.delivery_timeout / 2)) else {
            let busy = SmtpError::for_relay("is busy with other messages of this process");
            return Err(self.delivery_error(busy));
        };
        let start = Instant::now();
        // The circuit may have opened while this thread waited for a permit.
        if let Some(failure) = self.circuit_breaker.open_error() {
            return Err(self.delivery_error(failure));
        }
        let transaction = MailTransaction {
            from,
            to,
            content: &message.content,
            is_committed,
        };
        match self.send(&mut permit, &transaction, end) {
            Ok(sent) => {
                self.circuit_breaker.record(start.elapsed(), None);
                Ok(sent)
            }
            Err(SendError::Relay(failure)) => {
                self.circuit_breaker.record(start.elapsed(), Some(&failure));
                Err(self.delivery_error(failure))
            }
            // The message can be sent once the administrator has corrected the error.
            Err(SendError::Local(why)) => Err(DeliveryError::Temporary(why)),
        }
    }

    /// Uses a new connection, to see the relay's current certificate.
    fn examine(&self, now: Timestamp) -> Vec<Check> {
        let target = format!("{}:{}", self.relay.host, self.relay.port);
        if let Err(error) = self.check() {
            return vec![Check::failed(Subject::MailRelay, target, &error)];
        }
        let failed = |why: String| {
            Check::failing(
                Subject::MailRelay,
                &target,
                why,
                "Correct the 'notification' part of the configuration, or the relay; messages wait in the outbox until then.",
            )
        };
        match self.open(Instant::now() + self.relay.timeout) {
            Ok(connection) => {
                let signed_in = match &self.relay.login {
                    Some(login) => format!("takes the sign-in of '{}'", login.user),
                    None => "asks for no sign-in".to_owned(),
                };
                let mut checks = vec![Check::passed(
                    Subject::MailRelay,
                    &target,
                    format!("The relay can be reached and {signed_in}."),
                )];
                if self.relay.tls == Tls::None {
                    checks.push(Check::skipped(
                        Subject::Certificate,
                        &target,
                        "The relay is this computer and is used without TLS.",
                    ));
                } else {
                    checks.push(certificate::examine(connection.peer_certificate(), &target, now));
                }
                connection.close();
                checks
            }
            Err(SendError::Local(why)) => vec![failed(format!("{}.", why.trim_end_matches('.')))],
            Err(SendError::Relay(failure)) => {
                let is_certificate = failure.message.contains("certificate");
                let (DeliveryError::Temporary(why) | DeliveryError::Permanent(why)) = self.delivery_error(failure);
                let mut checks = vec![failed(format!("{}.", why.trim_end_matches('.')))];
                if is_certificate {
                    checks.push(Check {
                        subject: Subject::Certificate,
                        ..checks[0].clone()
                    });
                }
                checks
            }
        }
    }

    fn uncollected(&self) -> Option<usize> {
        None
    }

    fn from(&self) -> &str {
        &self.relay.from
    }
}

#[cfg(test)]
mod tests;
