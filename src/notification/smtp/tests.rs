//! The limit on a whole delivery, which no real relay's test would wait for.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::thread::{self, JoinHandle};

use super::*;
use crate::clock::Timestamp;

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

fn deliver(longest: Duration) -> (Result<(), DeliveryError>, bool) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let taken = relay(listener);
    let mut notifier = SmtpNotifier::new(Relay {
        host: "127.0.0.1".to_owned(),
        port,
        tls: Tls::None,
        ca_file: None,
        login: None,
        from: "um@contoso.com".to_owned(),
        timeout: Duration::from_secs(20),
        group: None,
    });
    notifier.longest = longest;
    let delivered = notifier.deliver(&OutgoingMessage {
        id: [7; 16],
        created: Timestamp(0),
        recipient: "tony@contoso.com".to_owned(),
        content: b"Subject: PIN\r\n\r\n1985848\r\n".to_vec().into(),
    });
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
