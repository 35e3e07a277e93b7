//! The test relay (`sink.py`) as a process, and notifiers that use it.

use std::env;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use base64::Engine as _;
use serde_json::{Value, json};
use umpin::clock::{Clock as _, SystemClock};
use umpin::notification::smtp::{Login, Relay, SmtpNotifier, Tls};
use umpin::notification::{DeliveryError, Notifier as _, OutgoingMessage};
use umpin::password::Password;
use umpin::secret::Secret;

use super::certificates::Authority;

/// Time limit of each wait.
const TIMEOUT: Duration = Duration::from_secs(30);

pub const PIN: &str = "1985848";
pub const PASSWORD: &str = "swordfish 4711!";

/// A Python that has aiosmtpd: what `cargo xtask test --all` names or left behind, else the system's own.
fn python() -> PathBuf {
    let works = |python: &Path| {
        Command::new(python)
            .args(["-c", "import aiosmtpd.smtp"])
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success())
    };
    let named = env::var_os("UMPIN_TEST_PYTHON").map(PathBuf::from);
    let left = Path::new(env!("CARGO_TARGET_TMPDIR")).join("../tools/aiosmtpd/bin/python");
    [named, Some(left), Some(PathBuf::from("python3"))]
        .into_iter()
        .flatten()
        .find(|python| works(python))
        .expect("a Python with aiosmtpd, which `cargo xtask test --all` provides where there is python3 with venv")
}

/// A running test relay, which ends on drop.
pub struct Sink {
    process: Child,
    input: Mutex<ChildStdin>,
    recorded: Arc<EventLog>,
    pub port: u16,
}

#[derive(Default)]
struct EventLog {
    events: Mutex<Vec<Value>>,
    more: Condvar,
}

/// A message as the relay received it.
#[derive(Debug)]
pub struct Received {
    pub sender: String,
    pub recipients: Vec<String>,
    pub options: Vec<String>,
    pub tls: bool,
    pub mechanism: Option<String>,
    pub taken: bool,
    pub content: Vec<u8>,
}

impl Sink {
    pub fn start(options: Value) -> Self {
        let mut process = Command::new(python())
            .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/smtp/sink.py"))
            .arg(options.to_string())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the sink starts");
        let output = process.stdout.take().expect("a pipe");
        let recorded = Arc::new(EventLog::default());
        let listener = Arc::clone(&recorded);
        thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                let event = serde_json::from_str(&line).expect("an event");
                listener.events.lock().expect("events").push(event);
                listener.more.notify_all();
            }
        });
        let mut sink = Self {
            input: Mutex::new(process.stdin.take().expect("a pipe")),
            process,
            recorded,
            port: 0,
        };
        sink.port = sink.wait_for("ready", 1)[0]["port"]
            .as_u64()
            .and_then(|port| u16::try_from(port).ok())
            .expect("a port");
        sink
    }

    /// With TLS under a certificate of the authority for `localhost`, by STARTTLS.
    pub fn trusted(authority: &Authority, mut more: Value) -> Self {
        let signed = authority.sign(&["localhost"]);
        more["certificate"] = json!(signed.certificate);
        more["key"] = json!(signed.key);
        Self::start(more)
    }

    /// Sets the replies that differ from the default.
    pub fn answer(&mut self, answers: Value) {
        self.send_command(json!({ "answers": answers }));
    }

    pub fn close_connections(&mut self, last_words: &str) {
        self.send_command(json!({ "hang_up": last_words }));
    }

    fn send_command(&self, send_command: Value) {
        let mut input = self.input.lock().expect("one at a time");
        let done = self.recorded("done").len();
        writeln!(input, "{send_command}").expect("the sink listens");
        self.wait_for("done", done + 1);
    }

    /// All events so far.
    pub fn events(&self, kind: &str) -> Vec<Value> {
        // What it told before its answer to this has been heard then.
        self.send_command(json!({}));
        self.recorded(kind)
    }

    fn recorded(&self, kind: &str) -> Vec<Value> {
        let events = self.recorded.events.lock().expect("events");
        events.iter().filter(|event| event["event"] == kind).cloned().collect()
    }

    fn wait_for(&self, kind: &str, count: usize) -> Vec<Value> {
        let end = Instant::now() + TIMEOUT;
        let mut events = self.recorded.events.lock().expect("events");
        loop {
            let found: Vec<Value> = events.iter().filter(|event| event["event"] == kind).cloned().collect();
            if found.len() >= count {
                return found;
            }
            let left = end.saturating_duration_since(Instant::now());
            assert!(
                !left.is_zero(),
                "{} of {count} '{kind}' within {TIMEOUT:?}",
                found.len()
            );
            events = self.recorded.more.wait_timeout(events, left).expect("events").0;
        }
    }

    pub fn connections(&self) -> usize {
        self.events("connected").len()
    }

    /// Whether a stage was reached.
    pub fn reached(&self, stage: &str) -> bool {
        self.events("command").iter().any(|event| event["stage"] == stage)
    }

    /// Waits for this many messages, and checks that there are no more.
    pub fn messages(&self, count: usize) -> Vec<Received> {
        let found = self.wait_for("message", count);
        assert_eq!(found.len(), count);
        found.iter().map(received).collect()
    }

    /// The configuration of this relay.
    pub fn relay(&self, tls: Tls) -> Relay {
        Relay {
            host: "localhost".to_owned(),
            port: self.port,
            tls,
            ca_file: None,
            login: None,
            from: "Unified Messaging <um@contoso.com>".to_owned(),
            timeout: Duration::from_secs(5),
            group: None,
        }
    }

    /// A notifier without TLS and authentication.
    pub fn plain(&self) -> SmtpNotifier {
        SmtpNotifier::new(self.relay(Tls::None))
    }
}

impl Drop for Sink {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn received(event: &Value) -> Received {
    let texts = |value: &Value| -> Vec<String> {
        let list = value.as_array().expect("a list");
        list.iter()
            .map(|text| text.as_str().expect("text").to_owned())
            .collect()
    };
    Received {
        sender: event["sender"].as_str().expect("text").to_owned(),
        recipients: texts(&event["recipients"]),
        options: texts(&event["options"]),
        tls: event["tls"].as_bool().expect("yes or no"),
        mechanism: event["mechanism"].as_str().map(str::to_owned),
        taken: event["taken"].as_bool().expect("yes or no"),
        content: base64::engine::general_purpose::STANDARD
            .decode(event["content"].as_str().expect("text"))
            .expect("Base64"),
    }
}

pub fn account(user: &str) -> Option<Login> {
    Some(Login {
        user: user.to_owned(),
        password: Password::Variable {
            name: "UMPIN_RELAY_PASSWORD".to_owned(),
            value: Some(Secret::new(PASSWORD.to_owned())),
        },
    })
}

/// A message with a PIN, and with lines that look like SMTP commands.
pub fn message(recipient: &str) -> OutgoingMessage {
    let id: [u8; 16] = umpin::random::system_bytes().expect("randomness");
    let content = format!(
        "Message-ID: <{:032x}@contoso.com>\r\nTo: {recipient}\r\nSubject: Your PIN\r\n\r\n{PIN}\r\n.\r\n..two\r\n.QUIT\r\n",
        u128::from_be_bytes(id)
    );
    OutgoingMessage {
        id,
        created: SystemClock.now(),
        recipient: recipient.to_owned(),
        content: content.into_bytes().into(),
    }
}

/// The reason of a temporary error.
#[track_caller]
pub fn temporary_error(notifier: &SmtpNotifier) -> String {
    match notifier.deliver(&message("tony@contoso.com")) {
        Err(DeliveryError::Temporary(why)) => discreet(why),
        other => panic!("not a temporary error: {other:?}"),
    }
}

/// The reason of a permanent error.
#[track_caller]
pub fn permanent_error(notifier: &SmtpNotifier) -> String {
    match notifier.deliver(&message("tony@contoso.com")) {
        Err(DeliveryError::Permanent(why)) => discreet(why),
        other => panic!("not a permanent error: {other:?}"),
    }
}

/// Checks that an error contains no secret and can complete a sentence.
#[track_caller]
pub fn discreet(why: String) -> String {
    let encoded = base64::engine::general_purpose::STANDARD.encode(PASSWORD);
    for secret in [PIN, PASSWORD, &encoded] {
        assert!(!why.contains(secret), "the error tells a secret: {why}");
    }
    assert!(!why.chars().any(char::is_control), "{why:?}");
    assert!(why.chars().count() < 500, "{why}");
    assert!(!why.ends_with('.'), "it becomes part of a sentence: {why}");
    why
}
