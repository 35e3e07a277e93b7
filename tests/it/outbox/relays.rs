//! What the messages are handed to: a double, which is quick, and the relays that there really are.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use umpin::notification::Notifier;
use umpin::notification::smtp::{Relay, SmtpNotifier, Tls};

use super::server::certificates::Authority;
use super::server::harness::{PASSWORD, Sink, account};
#[cfg(unix)]
use super::server::postfix_server::Postfix;
use crate::support::relay::Double;

/// Where a real relay is, if one is to be used.
const PLACE: &str = "relay.json";

/// The way to the relay that the data directory names.
pub fn notifier(data: &Path) -> Arc<dyn Notifier> {
    let Ok(place) = fs::read(data.join(PLACE)) else {
        return Arc::new(Double { data: data.to_owned() });
    };
    let place: Value = serde_json::from_slice(&place).expect("a relay");
    Arc::new(SmtpNotifier::new(Relay {
        host: "localhost".to_owned(),
        port: place["port"]
            .as_u64()
            .and_then(|port| u16::try_from(port).ok())
            .expect("a port"),
        tls: Tls::StartTls,
        ca_file: place["caFile"].as_str().map(PathBuf::from),
        login: account("um@contoso.com"),
        from: "Unified Messaging <um@contoso.com>".to_owned(),
        timeout: Duration::from_secs(20),
        group: None,
    }))
}

/// A relay that is down at first.
pub trait Outage {
    /// Nobody listens.
    fn begin(&mut self, data: &Path);
    /// It takes messages.
    fn end(&mut self, data: &Path);
    /// All that it took, each as a file in `mail` whose name begins with the `Message-ID`.
    fn collect(&self, data: &Path);
}

fn point_to(data: &Path, port: u16, authority: &Authority) {
    let place = json!({ "port": port, "caFile": authority.file() });
    fs::write(data.join(PLACE), place.to_string()).expect("a file");
}

/// Where nobody listens.
fn nowhere() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("an address").port()
}

fn keep(data: &Path, number: usize, content: &[u8]) {
    let text = String::from_utf8_lossy(content);
    let id = text.lines().find_map(|line| line.strip_prefix("Message-ID: <"));
    let id = id.unwrap_or_else(|| panic!("no Message-ID in\n{text}"));
    let mail = data.join("mail");
    fs::create_dir_all(&mail).expect("a folder");
    fs::write(mail.join(format!("{}.{number}.eml", &id[..32])), content).expect("a file");
}

/// Down while the file `down` is there; leaves what it accepts in `mail`.
pub struct Doubled;

impl Outage for Doubled {
    fn begin(&mut self, data: &Path) {
        fs::write(data.join("down"), "").expect("a file");
    }

    fn end(&mut self, data: &Path) {
        fs::remove_file(data.join("down")).expect("it was down");
    }

    fn collect(&self, _: &Path) {}
}

/// `aiosmtpd`.
pub struct Aiosmtpd {
    authority: Authority,
    sink: Option<Sink>,
}

impl Aiosmtpd {
    pub fn new() -> Self {
        Self {
            authority: Authority::new(),
            sink: None,
        }
    }
}

impl Outage for Aiosmtpd {
    fn begin(&mut self, data: &Path) {
        point_to(data, nowhere(), &self.authority);
    }

    fn end(&mut self, data: &Path) {
        let options = json!({ "user": "um@contoso.com", "password": PASSWORD });
        let sink = Sink::trusted(&self.authority, options);
        point_to(data, sink.port, &self.authority);
        self.sink = Some(sink);
    }

    fn collect(&self, data: &Path) {
        let sink = self.sink.as_ref().expect("it runs");
        let taken = sink.messages(sink.events("message").len());
        for (number, message) in taken.iter().filter(|message| message.taken).enumerate() {
            keep(data, number, &message.content);
        }
    }
}

/// Postfix, which delivers to a Maildir.
#[cfg(unix)]
pub struct RealRelay(Postfix);

#[cfg(unix)]
impl RealRelay {
    pub fn new() -> Self {
        Self(Postfix::start())
    }
}

#[cfg(unix)]
impl Outage for RealRelay {
    fn begin(&mut self, data: &Path) {
        self.0.stop();
        point_to(data, self.0.port, &self.0.authority);
    }

    fn end(&mut self, _: &Path) {
        self.0.restart();
    }

    fn collect(&self, data: &Path) {
        let end = Instant::now() + Duration::from_secs(30);
        while self.0.is_busy() {
            assert!(Instant::now() < end, "Postfix still delivers: {}", self.0.log());
            thread::sleep(Duration::from_millis(50));
        }
        for (number, file) in self.0.delivered(1).iter().enumerate() {
            keep(data, number, &fs::read(file).expect("a message"));
        }
    }
}
