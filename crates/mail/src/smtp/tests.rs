//! The time limit of a whole delivery, and connections that a firewall has dropped.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};

use super::*;
use umpin_core::clock::Timestamp;

/// Delay before each reply of the relay.
const REPLY_DELAY: Duration = Duration::from_millis(200);

/// Accepts one message, each command within its time limit.
fn relay(listener: TcpListener) -> JoinHandle<bool> {
    thread::spawn(move || {
        let (socket, _) = listener.accept().expect("a connection");
        serve(socket).unwrap_or(false)
    })
}

/// Whether the whole message was received; an error if the client closed.
fn serve(mut socket: TcpStream) -> std::io::Result<bool> {
    let mut lines = BufReader::new(socket.try_clone()?).lines();
    let mut answer = |text: &str| {
        thread::sleep(REPLY_DELAY);
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

fn deliver(delivery_timeout: Duration) -> (Result<(), DeliveryError>, bool) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let accepted = relay(listener);
    let mut notifier = notifier(port);
    notifier.delivery_timeout = delivery_timeout;
    let delivered = notifier.deliver(&message());
    drop(notifier);
    (delivered, accepted.join().expect("the relay ends"))
}

/// Six replies, none of them late by itself. The lease on the outbox entry ends before their sum might: a delivery that goes on then
/// would be made twice.
#[test]
fn a_delivery_has_a_time_limit_of_its_own() {
    let (delivered, accepted) = deliver(REPLY_DELAY * 3);
    assert!(matches!(delivered, Err(DeliveryError::Temporary(_))), "{delivered:?}");
    assert!(!accepted, "the relay has a message that will be sent again");

    let (delivered, accepted) = deliver(Duration::from_secs(20));
    assert!(delivered.is_ok() && accepted, "within the limit: {delivered:?}");
}

/// A relay behind a firewall that, on command, silently discards everything on the first connections.
struct FirewalledRelay {
    port: u16,
    accepted: AtomicUsize,
    drops_packets: AtomicBool,
    dropped: usize,
}

impl FirewalledRelay {
    fn start(dropped: usize) -> Arc<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let relay = Arc::new(Self {
            port: listener.local_addr().expect("an address").port(),
            accepted: AtomicUsize::new(0),
            drops_packets: AtomicBool::new(false),
            dropped,
        });
        let shared = Arc::clone(&relay);
        thread::spawn(move || {
            for socket in listener.incoming().map_while(Result::ok) {
                let number = shared.accepted.fetch_add(1, Ordering::SeqCst);
                let shared = Arc::clone(&shared);
                thread::spawn(move || shared.serve(number, socket));
            }
        });
        relay
    }

    fn serve(&self, number: usize, mut socket: TcpStream) -> std::io::Result<()> {
        socket.write_all(b"220 mail.contoso.com\r\n")?;
        let mut reader = BufReader::new(socket.try_clone()?);
        let mut in_message = false;
        let mut line = String::new();
        while reader.read_line(&mut line)? > 0 {
            if number < self.dropped && self.drops_packets.load(Ordering::SeqCst) {
                // Waits until the client closes.
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
fn connections_dropped_by_a_firewall_cost_one_probe_and_no_message() {
    let relay = FirewalledRelay::start(2);
    let mut notifier = notifier(relay.port);
    // Connections are probed whatever their age.
    notifier.probe_after_idle = Duration::ZERO;
    let mut permits = [0, 1].map(|_| notifier.pool.acquire(Duration::from_secs(1)).expect("a permit"));
    for permit in &mut permits {
        let end = Instant::now() + notifier.delivery_timeout;
        permit.connection = notifier.open(end).ok();
        assert!(permit.connection.is_some(), "the relay cannot be reached");
    }
    drop(permits);
    relay.drops_packets.store(true, Ordering::SeqCst);
    let begun = Instant::now();
    notifier.deliver(&message()).expect("the first message");
    // Without a probe: the timeout of a command, and an open circuit for four times as long.
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    let begun = Instant::now();
    notifier.deliver(&message()).expect("the next message");
    assert!(begun.elapsed() < PROBE_TIMEOUT, "{:?}", begun.elapsed());
    assert_eq!(
        relay.accepted.load(Ordering::SeqCst),
        3,
        "one new connection serves both"
    );
}
