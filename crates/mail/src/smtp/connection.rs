//! One conversation with the relay: opened, perhaps encrypted and signed in, then used for message after message.

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

use super::envelope::{Path, stuffed};
use super::failure::{Failure, Stage};
use super::reply::Reply;
use super::resolve;
use super::settings::{Relay, Tls};
use super::wire::{Fault, Wire};
use umpin_platform::host::host_name;
use umpin_platform::secret::Secret;
use umpin_platform::tls;

/// A connection that is not there by then is not there today.
const CONNECT_LIMIT: Duration = Duration::from_secs(5);

/// What `EHLO` was answered with.
#[derive(Default)]
struct Offers {
    start_tls: bool,
    eight_bit: bool,
    utf8: bool,
    pipelining: bool,
    auth_plain: bool,
    auth_login: bool,
}

/// Ready for a message.
pub(super) struct Connection {
    wire: Wire,
    timeout: Duration,
    offers: Offers,
}

impl Connection {
    /// The next message must be through by then.
    pub(super) fn until(&mut self, end: Instant) {
        self.wire.until(end);
    }

    /// Whether the relay still answers, within this time.
    pub(super) fn is_alive(&mut self, limit: Duration) -> bool {
        self.wire.within(limit.min(self.timeout));
        let is_alive = self.reset();
        self.wire.within(self.timeout);
        is_alive
    }

    /// Connects, and does all that comes before the first message.
    pub(super) fn open(
        relay: &Relay,
        trust: Option<&Arc<ClientConfig>>,
        password: Option<&Secret>,
        end: Instant,
    ) -> Result<Self, Failure> {
        let mut connection = Self {
            wire: connect(relay, end)?,
            timeout: relay.timeout,
            offers: Offers::default(),
        };
        if relay.tls == Tls::Implicit {
            connection.encrypt(relay, trust)?;
        }
        connection.wire.start();
        connection.expect(Stage::Greeting)?;
        connection.hello()?;
        if relay.tls == Tls::StartTls {
            if !connection.offers.start_tls {
                return Err(Failure::of_relay(
                    "does not offer STARTTLS, and nothing is sent without it",
                ));
            }
            connection.say(Stage::StartTls, &Starttls)?;
            connection.encrypt(relay, trust)?;
            // What was offered in plain text may come from anybody.
            connection.hello()?;
        }
        if let (Some(login), Some(password)) = (&relay.login, password) {
            connection.sign_in(&login.user, password)?;
        }
        Ok(connection)
    }

    fn encrypt(&mut self, relay: &Relay, trust: Option<&Arc<ClientConfig>>) -> Result<(), Failure> {
        let name = ServerName::try_from(relay.host.clone());
        let (Some(trust), Ok(name)) = (trust, name) else {
            return Err(Failure::of_relay("cannot be spoken to by TLS"));
        };
        self.wire
            .encrypt(Arc::clone(trust), name)
            .map_err(|e| match tls::explain(&e) {
                Some(why) => Failure::of_relay(why.sentence),
                None => Failure::lost(Stage::Handshake, &e, self.timeout),
            })
    }

    fn hello(&mut self) -> Result<(), Failure> {
        let reply = self.say(Stage::Hello, &Ehlo::new(self.own_name()))?;
        self.offers = offers(&reply);
        Ok(())
    }

    /// This computer's name where it can stand in a command, else its address.
    fn own_name(&self) -> ClientId {
        let name = host_name();
        let sound = |label: &str| {
            (1..=63).contains(&label.len()) && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
        };
        if name.len() <= 253 && name.split('.').all(sound) {
            return ClientId::Domain(name);
        }
        match self.wire.local().ip() {
            IpAddr::V4(ip) => ClientId::Ipv4(ip),
            IpAddr::V6(ip) => ClientId::Ipv6(ip),
        }
    }

    /// Not lettre's `Auth`: it keeps the password in strings that are not wiped.
    fn sign_in(&mut self, user: &str, password: &Secret) -> Result<(), Failure> {
        // The configuration allows nothing else; a password is worth asking twice.
        if !self.wire.is_encrypted() && !self.wire.peer().ip().to_canonical().is_loopback() {
            return Err(Failure::of_relay("is not signed in to without TLS"));
        }
        let encoded = |text: &str| Zeroizing::new(STANDARD.encode(text));
        if self.offers.auth_plain {
            let token = encoded(&joined(&["\0", user, "\0", password.expose()]));
            self.confide(&["AUTH PLAIN ", &token], 235, user, password)
        } else if self.offers.auth_login {
            self.confide(&["AUTH LOGIN"], 334, user, password)?;
            self.confide(&[&encoded(user)], 334, user, password)?;
            self.confide(&[&encoded(password.expose())], 235, user, password)
        } else {
            Err(Failure::of_relay(format!(
                "does not offer to sign in as '{user}' with a password (PLAIN or LOGIN)"
            )))
        }
    }

    fn confide(&mut self, words: &[&str], expected: u16, user: &str, password: &Secret) -> Result<(), Failure> {
        let line = joined(&[&joined(words), "\r\n"]);
        self.wire
            .send(line.as_bytes())
            .map_err(|e| self.fault(Stage::SignIn, e))?;
        let reply = self.wire.receive().map_err(|e| self.fault(Stage::SignIn, e))?;
        if reply.code == expected {
            return Ok(());
        }
        if reply.is_positive() {
            return Err(Failure::nonsense(Stage::SignIn));
        }
        let for_now = if reply.is_temporary() { " for now" } else { "" };
        // A relay that repeats what it was told is not quoted.
        let sent = words.last().copied().unwrap_or_default();
        let said = Zeroizing::new(reply.lines.join(" "));
        let answer = if said.contains(password.expose()) || said.contains(sent) {
            reply.code.to_string()
        } else {
            reply.shown(password.expose().as_bytes())
        };
        Err(Failure::of_relay(format!(
            "refused the sign-in as '{user}'{for_now}: {answer}"
        )))
    }

    /// Sends one message, unless `is_certain` says, at the last moment, that it is not to be sent: then the relay waits for a
    /// content that never comes, and the connection must be given up. The content is copied once, into a buffer that is wiped; rustls encrypts from that, and the copy
    /// that the system sends from is out of reach.
    pub(super) fn deliver(
        &mut self,
        from: &Path,
        to: &Path,
        content: &[u8],
        is_certain: &dyn Fn() -> bool,
    ) -> Result<bool, Failure> {
        let stuffed = stuffed(content).ok_or_else(|| {
            Failure::of_message("was not given the message, because a line of it does not end as mail requires")
        })?;
        let ascii = content.is_ascii();
        let mut parameters = Vec::new();
        if from.needs_utf8 || to.needs_utf8 || !ascii {
            if !self.offers.utf8 {
                return Err(Failure::of_message(
                    "does not take internationalised addresses (SMTPUTF8), and one is needed here",
                ));
            }
            parameters.push(MailParameter::SmtpUtfEight);
        }
        if !ascii && self.offers.eight_bit {
            parameters.push(MailParameter::Body(MailBodyParameter::EightBitMime));
        }
        self.announce(
            &Mail::new(Some(from.address.clone()), parameters),
            &Rcpt::new(to.address.clone(), Vec::new()),
        )?;
        if !is_certain() {
            return Ok(false);
        }
        self.wire.send(&stuffed).map_err(|e| self.fault(Stage::Content, e))?;
        // From here on the relay may have taken the message although its answer is lost. Then the message is sent again, as
        // the user would otherwise be locked out; both have the same Message-ID, by which mail systems know them as one.
        let reply = self.wire.receive().map_err(|e| self.fault(Stage::Content, e))?;
        if reply.is_positive() {
            Ok(true)
        } else {
            Err(Failure::refused(Stage::Content, &reply, content))
        }
    }

    /// All that comes before the content: at once where the relay understands that, which saves two journeys there and back.
    fn announce(&mut self, mail: &Mail, rcpt: &Rcpt) -> Result<(), Failure> {
        let go = if self.offers.pipelining {
            self.wire
                .send(format!("{mail}{rcpt}{Data}").as_bytes())
                .map_err(|e| self.fault(Stage::Sender, e))?;
            self.answers()?
        } else {
            self.say(Stage::Sender, mail)?;
            self.say(Stage::Recipient, rcpt)?;
            self.say(Stage::Data, &Data)?
        };
        if go.code != 354 {
            return Err(Failure::nonsense(Stage::Data));
        }
        Ok(())
    }

    /// The answers to what was sent at once: each is read, so that the connection can be used again, and the first refusal
    /// counts.
    fn answers(&mut self) -> Result<Reply, Failure> {
        let mut refusal: Option<Failure> = None;
        let mut last = None;
        for stage in [Stage::Sender, Stage::Recipient, Stage::Data] {
            self.wire.start();
            match self.expect(stage) {
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
            (Some(refusal), last) => Err(Failure {
                // A relay that waits for the content of a message whose recipient it refused gets none.
                broken: refusal.broken || last.is_some(),
                ..refusal
            }),
            (None, None) => Err(Failure::nonsense(Stage::Data)),
        }
    }

    /// Forgets a message that was refused half-way; false where the connection is of no further use.
    pub(super) fn reset(&mut self) -> bool {
        self.say(Stage::Reset, &Rset).is_ok()
    }

    /// The certificate that the relay proved its name with, as DER.
    pub(super) fn peer_certificate(&self) -> Option<&[u8]> {
        self.wire.peer_certificate()
    }

    /// Hangs up politely.
    pub(super) fn close(self) {
        self.wire.part(Quit.to_string().as_bytes());
    }

    fn say(&mut self, stage: Stage, command: &impl Display) -> Result<Reply, Failure> {
        self.wire
            .send(command.to_string().as_bytes())
            .map_err(|e| self.fault(stage, e))?;
        self.expect(stage)
    }

    fn expect(&mut self, stage: Stage) -> Result<Reply, Failure> {
        let reply = self.wire.receive().map_err(|e| self.fault(stage, e))?;
        if reply.is_positive() {
            Ok(reply)
        } else {
            Err(Failure::refused(stage, &reply, b""))
        }
    }

    fn fault(&self, stage: Stage, fault: Fault) -> Failure {
        match fault {
            Fault::NotSmtp => Failure::nonsense(stage),
            Fault::Io(error) => match tls::explain(&error) {
                Some(why) => Failure::of_relay(why.sentence),
                None => Failure::lost(stage, &error, self.timeout),
            },
        }
    }
}

/// In one buffer of the right size from the start: one that grew would leave copies behind.
fn joined(parts: &[&str]) -> Zeroizing<String> {
    let mut text = Zeroizing::new(String::with_capacity(parts.iter().map(|part| part.len()).sum()));
    for part in parts {
        text.push_str(part);
    }
    text
}

fn connect(relay: &Relay, delivered_by: Instant) -> Result<Wire, Failure> {
    let limit = relay.timeout.min(CONNECT_LIMIT);
    let addresses = resolve::addresses(relay)?;
    let end = Instant::now() + limit;
    let mut last = None;
    for (done, address) in addresses.iter().enumerate() {
        // A dead address leaves time for the others.
        let left = end.saturating_duration_since(Instant::now());
        let share = left / u32::try_from(addresses.len() - done).unwrap_or(u32::MAX);
        if share.is_zero() {
            break;
        }
        match Wire::connect(*address, share, relay.timeout, delivered_by) {
            Ok(wire) => return Ok(wire),
            Err(e) => last = Some(e),
        }
    }
    Err(Failure::unreachable(last.as_ref()))
}

fn offers(reply: &Reply) -> Offers {
    let mut offers = Offers::default();
    for line in reply.lines.iter().skip(1) {
        // `AUTH=LOGIN` is how it was written before it was a standard, and some still write it.
        let line = line.to_ascii_uppercase().replace('=', " ");
        let mut words = line.split_ascii_whitespace();
        match words.next() {
            Some("STARTTLS") => offers.start_tls = true,
            Some("8BITMIME") => offers.eight_bit = true,
            Some("SMTPUTF8") => offers.utf8 = true,
            Some("PIPELINING") => offers.pipelining = true,
            Some("AUTH") => {
                for mechanism in words {
                    offers.auth_plain |= mechanism == "PLAIN";
                    offers.auth_login |= mechanism == "LOGIN";
                }
            }
            _ => {}
        }
    }
    offers
}
