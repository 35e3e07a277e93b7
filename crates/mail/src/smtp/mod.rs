//! Hands messages to a mail relay by SMTP.
//!
//! Commands and addresses are lettre's; the connection below them is ours, for the reasons that `wire.rs` gives.

mod connection;
mod envelope;
mod failure;
mod pool;
mod reply;
mod resolve;
mod settings;
mod wire;

use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use rustls::ClientConfig;

pub use settings::{Login, Relay, Tls};

use self::connection::Connection;
use self::envelope::Path;
use self::failure::Failure;
use self::pool::{Place, Pool};
use umpin_core::check::{Check, Subject};
use umpin_core::clock::Timestamp;
use umpin_core::notification::message::parse_sender;
use umpin_core::notification::{DELIVERY_LIMIT, DeliveryError, Notifier, OutgoingMessage, unavailable};
use umpin_core::{Result, certificate};
use umpin_platform::{password, tcp, tls};

/// A check counts for this long, so that a thousand resets pay for it once.
const CHECKED_FOR: Duration = Duration::from_secs(60);

/// A delivery with all its commands ends in this time, well within what the outbox leaves it: looking a name up comes on top.
const LONGEST_DELIVERY: Duration = Duration::from_secs(100);
const _: () = assert!(LONGEST_DELIVERY.as_secs() < DELIVERY_LIMIT.as_secs());

/// A connection that was idle for longer is tried before a message: a firewall may have forgotten it, and drops what is sent.
const TRIED_WITHIN: Duration = Duration::from_secs(5);
/// How long that trial may take; a new connection is not far.
const TRIAL_LIMIT: Duration = Duration::from_secs(2);

/// An attempt that failed after this long is followed by a pause …
const SLOW: Duration = Duration::from_secs(1);
/// … of this many times as long, so that a relay that swallows packets does not hold up a thousand resets for its timeout each.
const PAUSE_FACTOR: u32 = 4;
const LONGEST_PAUSE: Duration = Duration::from_secs(120);

/// Delivers to one relay, over connections that are kept for the next message.
pub struct SmtpNotifier {
    relay: Relay,
    trust: OnceLock<Arc<ClientConfig>>,
    pool: Pool,
    checked: Mutex<Option<Instant>>,
    pause: Mutex<Option<(Instant, Failure)>>,
    longest: Duration,
    tried_within: Duration,
}

impl SmtpNotifier {
    /// Connects to nothing yet.
    #[must_use]
    pub fn new(relay: Relay) -> Self {
        Self {
            relay,
            trust: OnceLock::new(),
            pool: Pool::default(),
            checked: Mutex::new(None),
            pause: Mutex::new(None),
            longest: LONGEST_DELIVERY,
            tried_within: TRIED_WITHIN,
        }
    }

    /// `None` where no TLS is wanted. Read once; a fault is not remembered, so that it can be mended meanwhile.
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

    fn open(&self, end: Instant) -> Result<Connection, Refusal> {
        let trust = self.trust().map_err(Refusal::Local)?;
        let password = self.password().map_err(Refusal::Local)?;
        Ok(Connection::open(&self.relay, trust, password.as_ref(), end)?)
    }

    fn send(&self, place: &mut Place<'_>, letter: &Letter<'_>, end: Instant) -> Result<bool, Refusal> {
        if let Some(mut kept) = place.connection.take() {
            kept.until(end);
            if place.since.elapsed() < self.tried_within || kept.is_alive(TRIAL_LIMIT) {
                let begun = Instant::now();
                // A silence as long as a command may take is the relay's; the system ends a connection whose path is gone
                // before.
                let is_relays =
                    |failure: &Failure| failure.silent && tcp::ENDS_DEAD_PATHS && begun.elapsed() >= self.relay.timeout;
                match Self::send_over(place, kept, letter) {
                    // The relay hung up meanwhile, or has had enough of this connection. Nothing was handed over yet, so a
                    // fresh one may try.
                    Err(failure) if failure.broken && !failure.handed_over && !is_relays(&failure) => {}
                    other => return Ok(other?),
                }
            }
            place.forget_others();
        }
        let fresh = self.open(end)?;
        Ok(Self::send_over(place, fresh, letter)?)
    }

    /// Keeps the connection where it is still of use.
    fn send_over(place: &mut Place<'_>, mut connection: Connection, letter: &Letter<'_>) -> Result<bool, Failure> {
        let sent = connection.deliver(&letter.from, &letter.to, letter.content, letter.is_certain);
        let usable = match &sent {
            Ok(sent) => *sent,
            Err(failure) => !failure.broken && connection.reset(),
        };
        if usable {
            place.connection = Some(connection);
        }
        sent
    }

    fn paused(&self) -> Option<Failure> {
        let pause = self.pause.lock().unwrap_or_else(PoisonError::into_inner);
        pause
            .as_ref()
            .filter(|(until, _)| Instant::now() < *until)
            .map(|(_, failure)| failure.clone())
    }

    fn note(&self, start: Instant, failure: Option<&Failure>) {
        let took = start.elapsed();
        let pause = failure.filter(|failure| failure.silent && took >= SLOW).map(|failure| {
            (
                Instant::now() + (took * PAUSE_FACTOR).min(LONGEST_PAUSE),
                failure.clone(),
            )
        });
        *self.pause.lock().unwrap_or_else(PoisonError::into_inner) = pause;
    }

    fn told(&self, failure: Failure) -> DeliveryError {
        failure.into_error(&self.relay.host, self.relay.port)
    }
}

/// A message and its envelope.
struct Letter<'a> {
    from: Path,
    to: Path,
    content: &'a [u8],
    is_certain: &'a dyn Fn() -> bool,
}

/// Why a message was not sent: something here, or something there.
enum Refusal {
    Local(String),
    Remote(Failure),
}

impl From<Failure> for Refusal {
    fn from(failure: Failure) -> Self {
        Self::Remote(failure)
    }
}

impl Notifier for SmtpNotifier {
    /// Fails for what waiting does not mend: password, authorities, plain text to another computer. Whether the relay is up
    /// is not asked: if it is not, the message waits in the outbox, and the reset goes on.
    fn check(&self) -> Result<()> {
        let mut checked = self.checked.lock().unwrap_or_else(PoisonError::into_inner);
        if checked.is_some_and(|at| at.elapsed() < CHECKED_FOR) {
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
        if let Some(why) = resolve::fault(&self.relay) {
            return Err(refused(format!("The relay {} {why}", self.relay.host)));
        }
        *checked = Some(Instant::now());
        Ok(())
    }

    fn deliver(&self, message: &OutgoingMessage) -> Result<(), DeliveryError> {
        self.deliver_once(message, &|| true).map(drop)
    }

    fn deliver_once(&self, message: &OutgoingMessage, is_certain: &dyn Fn() -> bool) -> Result<bool, DeliveryError> {
        let from = parse_sender(&self.relay.from)
            .and_then(|sender| envelope::path(sender.email.as_ref()))
            .ok_or_else(|| {
                DeliveryError::Permanent("The sender of notifications is not an e-mail address".to_owned())
            })?;
        let to = envelope::path(&message.recipient)
            .ok_or_else(|| DeliveryError::Permanent("The recipient is not an e-mail address".to_owned()))?;
        if let Some(failure) = self.paused() {
            return Err(self.told(failure));
        }
        let end = Instant::now() + self.longest;
        let Some(mut place) = self.pool.take(self.relay.timeout.min(self.longest / 2)) else {
            let busy = Failure::of_relay("is busy with other messages of this process");
            return Err(self.told(busy));
        };
        let start = Instant::now();
        // Another thread may have found out while this one waited for its place.
        if let Some(failure) = self.paused() {
            return Err(self.told(failure));
        }
        let letter = Letter {
            from,
            to,
            content: &message.content,
            is_certain,
        };
        match self.send(&mut place, &letter, end) {
            Ok(sent) => {
                self.note(start, None);
                Ok(sent)
            }
            Err(Refusal::Remote(failure)) => {
                self.note(start, Some(&failure));
                Err(self.told(failure))
            }
            // The administrator can mend it, and then the message can go.
            Err(Refusal::Local(why)) => Err(DeliveryError::Temporary(why)),
        }
    }

    /// Over a connection of its own, which shows the certificate that the relay has now.
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
                        "The relay is this computer, and is spoken to without TLS.",
                    ));
                } else {
                    checks.push(certificate::examine(connection.peer_certificate(), &target, now));
                }
                connection.close();
                checks
            }
            Err(Refusal::Local(why)) => vec![failed(format!("{}.", why.trim_end_matches('.')))],
            Err(Refusal::Remote(failure)) => {
                let is_certificate = failure.what.contains("certificate");
                let (DeliveryError::Temporary(why) | DeliveryError::Permanent(why)) = self.told(failure);
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
