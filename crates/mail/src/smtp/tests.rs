//! What no real relay's test would wait for: the limit on a whole delivery, and connections that a firewall has forgotten.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};

use super::*;
use umpin_core::clock::Timestamp;

/// Between two answers of the relay.
const LULL: Duration = Duration::from_millis(200);

/// Takes one message, each command well within its own time.
fn relay(listener: TcpListener) -> JoinHandle<bool> {
    thread::spawn(move || {
        let (socket, _) = listener.accept().expect("a connection");
        converse(socket).unwrap_or(false)
    })
}

/// Whether the message came through to its end; an error where the other side hung up.
fn converse(mut socket: TcpStream) -> std::io::Result<bool> {
    let mut lines = BufReader::new(socket.try_clone()?).lines();
    let mut answer = |text: &str| {
        thread::sleep(LULL);
        socket.write_all(text.as_bytes())
    };
    answer("220 mail.contoso.com\r\n")?;
    let mut in_message = false;
    while let Some(line) = lines.next().transpose()? {
        match line.as_str() {
            "." => {
                answer("250 taken\r\n")?;
                return Ok(true);
            }
            _ if in_message => {}
            "DATA" => {
                in_message = true;
                answer("354 go ahead\r\n")?;
            }
            _ => answer("250 mail.contoso.com\r\n")?,
        }
    }
    Ok(false)
}

fn notifier(port: u16) -> SmtpNotifier {
    SmtpNotifier::new(Relay {
        host: "127.0.0.1".to_owned(),
        port,
        tls: Tls::None,
        ca_file: None,
        login: None,
        from: "um@contoso.com".to_owned(),
        timeout: Duration::from_secs(20),
        group: None,
    })
}

fn message() -> OutgoingMessage {
    OutgoingMessage {
        id: [7; 16],
        created: Timestamp(0),
        recipient: "tony@contoso.com".to_owned(),
        content: b"Subject: PIN\r\n\r\n1985848\r\n".to_vec().into(),
    }
}

fn deliver(longest: Duration) -> (Result<(), DeliveryError>, bool) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let taken = relay(listener);
    let mut notifier = notifier(port);
    notifier.longest = longest;
    let delivered = notifier.deliver(&message());
    drop(notifier);
    (delivered, taken.join().expect("the relay ends"))
}

/// Six answers, none of them late by itself. The lease on the outbox's entry ends sooner than their sum might: what is still
/// being handed over then would be handed over twice.
#[test]
fn a_delivery_ends_although_no_command_is_late() {
    let (delivered, taken) = deliver(LULL * 3);
    assert!(matches!(delivered, Err(DeliveryError::Temporary(_))), "{delivered:?}");
    assert!(!taken, "the relay has the message, and it will be sent once more");

    let (delivered, taken) = deliver(Duration::from_secs(20));
    assert!(
        delivered.is_ok() && taken,
        "without the limit in its way: {delivered:?}"
    );
}

/// A relay behind a firewall that forgets the first connections when it is told to: nothing comes through on them any more, and
/// nobody is told.
struct Forgetful {
    port: u16,
    accepted: AtomicUsize,
    forgets: AtomicBool,
    forgotten: usize,
}

impl Forgetful {
    fn start(forgotten: usize) -> Arc<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let relay = Arc::new(Self {
            port: listener.local_addr().expect("an address").port(),
            accepted: AtomicUsize::new(0),
            forgets: AtomicBool::new(false),
            forgotten,
        });
        let shared = Arc::clone(&relay);
        thread::spawn(move || {
            for socket in listener.incoming().map_while(Result::ok) {
                let number = shared.accepted.fetch_add(1, Ordering::SeqCst);
                let shared = Arc::clone(&shared);
                thread::spawn(move || shared.converse(number, socket));
            }
        });
        relay
    }

    fn converse(&self, number: usize, mut socket: TcpStream) -> std::io::Result<()> {
        socket.write_all(b"220 mail.contoso.com\r\n")?;
        let mut reader = BufReader::new(socket.try_clone()?);
        let mut in_message = false;
        let mut line = String::new();
        while reader.read_line(&mut line)? > 0 {
            if number < self.forgotten && self.forgets.load(Ordering::SeqCst) {
                // Until the other side gives up.
                return reader.read_to_end(&mut Vec::new()).map(drop);
            }
            let answer = match (line.trim_end(), in_message) {
                (".", true) => Some("250 taken\r\n"),
                (_, true) => None,
                ("DATA", false) => Some("354 go ahead\r\n"),
                _ => Some("250 mail.contoso.com\r\n"),
            };
            in_message = line.trim_end() == "DATA" || (in_message && answer.is_none());
            if let Some(answer) = answer {
                socket.write_all(answer.as_bytes())?;
            }
            line.clear();
        }
        Ok(())
    }
}

#[test]
fn connections_that_a_firewall_has_forgotten_cost_one_trial_and_no_message() {
    let relay = Forgetful::start(2);
    let mut notifier = notifier(relay.port);
    // As if they had been idle for long.
    notifier.tried_within = Duration::ZERO;
    let mut places = [0, 1].map(|_| notifier.pool.take(Duration::from_secs(1)).expect("a place"));
    for place in &mut places {
        let end = Instant::now() + notifier.longest;
        place.connection = notifier.open(end).ok();
        assert!(place.connection.is_some(), "the relay is not there");
    }
    drop(places);
    relay.forgets.store(true, Ordering::SeqCst);
    let begun = Instant::now();
    notifier.deliver(&message()).expect("the first message");
    // Without a trial, the timeout of a command and a message that waits for a pause of four times that.
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    let begun = Instant::now();
    notifier.deliver(&message()).expect("the next message");
    assert!(begun.elapsed() < TRIAL_LIMIT, "{:?}", begun.elapsed());
    assert_eq!(
        relay.accepted.load(Ordering::SeqCst),
        3,
        "one new connection serves both"
    );
}
