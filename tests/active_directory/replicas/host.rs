//! A host of the forest with its own outbox and audit log, and the shared key.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;
use umpin::clock::Timestamp;
use umpin::config::{Config, DirectoryConfig, OpenRequest};
use umpin::directory::active_directory::ActiveDirectory;
use umpin::directory::embedded::{EmbeddedOptions, LocalOutbox};
use umpin::keys::{KeyFiles, SharedKeyFiles};
use umpin::service::{Caller, Ports, Service};
use umpin::session::{Session, SharedError};

use crate::harness::{Lab, Mailbox, UM, key_file};
use crate::stores::{self, Ahead};
use crate::support::relay::Double;
use crate::support::{self, Reset};

/// Past every lease and every pause after a failed attempt, in milliseconds.
pub const LATER: i64 = 7_200_000;
/// Timeout of a controller before fail-over.
const TIMEOUT_SECONDS: u32 = 2;

pub struct Host {
    home: TempDir,
    lab: Value,
}

impl Host {
    pub fn new(lab: &Lab, name: &str) -> Self {
        Self::with(lab, name, |_| ())
    }

    /// `change` has the section `directory` of the configuration.
    pub fn with(lab: &Lab, name: &str, change: impl FnOnce(&mut Value)) -> Self {
        let home = tempfile::Builder::new()
            .prefix(&format!("{name}-"))
            .tempdir()
            .expect("a temporary directory");
        let mut directory = lab.directory(UM);
        directory["timeoutSeconds"] = TIMEOUT_SECONDS.into();
        change(&mut directory);
        let config = json!({
            "directory": directory,
            "keys": { "active": "k1", "k1": key_file() },
        });
        fs::write(home.path().join("umpin.json"), config.to_string()).expect("a configuration");
        Self { home, lab: config }
    }

    pub fn folder(&self) -> &Path {
        self.home.path()
    }

    /// Controllers in the order of this host's configuration.
    pub fn controllers(&self) -> &Value {
        &self.lab["directory"]["domainControllers"]
    }

    pub fn session(&self) -> Session {
        self.session_at(0)
    }

    /// A session of a process whose clock is this many milliseconds ahead.
    pub fn session_at(&self, ahead: i64) -> Session {
        session(self.folder(), ahead)
    }

    pub fn set_relay_down(&self, down: bool) {
        let file = self.folder().join("down");
        if down {
            fs::write(file, "").expect("a file");
        } else {
            fs::remove_file(file).expect("it was down");
        }
    }

    /// Delivered messages, as recipient and PIN.
    pub fn mail(&self) -> Vec<(String, String)> {
        let messages = support::messages(&self.folder().join("mail"));
        messages.iter().map(|(_, text)| stores::announcement(text)).collect()
    }

    /// The PINs that were mailed to a mailbox, sorted.
    pub fn mail_of(&self, mailbox: &Mailbox) -> Vec<String> {
        let address = format!("{}@contoso.com", mailbox.alias);
        let mine = |(to, pin)| (to == address).then_some(pin);
        let mut pins: Vec<String> = self.mail().into_iter().filter_map(mine).collect();
        pins.sort_unstable();
        pins
    }

    /// The entries of the outbox.
    pub fn queue(&self) -> Vec<Value> {
        let query = json!({ "v": 1, "operation": "notifications" });
        items(support::request(&self.session(), &query).expect("a listing"))
    }

    /// The audit entries of an action; checks the chain.
    pub fn audited(&self, action: &str) -> Vec<Value> {
        let session = self.session();
        let (mut found, mut after) = (Vec::new(), Value::Null);
        loop {
            let query = json!({ "v": 1, "operation": "audit", "pageSize": 10_000, "after": after });
            let page = support::request(&session, &query).expect("a page of the audit");
            assert_eq!(page["faults"], json!([]), "the audit of {}", self.folder().display());
            let of_action = |item: &Value| item["action"] == action;
            after = page["next"].clone();
            for chain in page["chains"].as_array().expect("chains") {
                let whole = chain["state"] == "intact";
                assert!(whole || !after.is_null(), "{chain}");
            }
            found.extend(items(page).into_iter().filter(of_action));
            if after.is_null() {
                return found;
            }
        }
    }

    /// Sends queued messages until nothing changes any more: outcome and reason of each attempt.
    pub fn send(&self, ahead: i64) -> Vec<(String, String)> {
        send(&self.session_at(ahead))
    }
}

/// Sends what is due.
pub fn send(session: &Session) -> Vec<(String, String)> {
    let (mut tried, mut due) = (Vec::new(), Value::Null);
    loop {
        let query = json!({ "v": 1, "operation": "sendNotifications", "due": due });
        let report = support::request(session, &query).expect("the outbox can be read");
        due = report["next"].clone();
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        tried.extend(
            items(report)
                .iter()
                .map(|item| (text(&item["outcome"]), text(&item["reason"]))),
        );
        if due.is_null() {
            return tried;
        }
    }
}

fn items(mut page: Value) -> Vec<Value> {
    match page["items"].take() {
        Value::Array(items) => items,
        other => panic!("{other} for items"),
    }
}

/// A session with cheap key derivation, an adjustable clock and a recording notifier.
fn session(folder: &Path, ahead: i64) -> Session {
    let config = Config::load(&OpenRequest {
        config_file: Some(folder.join("umpin.json")),
        data_directory: folder.to_owned(),
        ..OpenRequest::default()
    });
    let config = config.expect("a configuration");
    let DirectoryConfig::ActiveDirectory { settings, outbox } = config.directory else {
        panic!("another directory");
    };
    let local = Arc::new(LocalOutbox::new(EmbeddedOptions::new(outbox)));
    let ports = Ports {
        directory: Arc::new(ActiveDirectory::new(*settings)),
        outbox: Arc::clone(&local) as _,
        journal: Some(Arc::clone(&local) as _),
        audit: local,
        notifier: Arc::new(Double {
            data: folder.to_owned(),
        }),
        clock: Arc::new(Ahead(ahead)),
        keys: Arc::new(SharedKeyFiles(KeyFiles {
            active: config.keys.active,
            files: config.keys.files,
            group: None,
            store: None,
        })),
    };
    let mut settings = stores::settings(stores::CHEAP);
    settings.caller = Caller {
        host: folder.file_name().expect("a name").to_string_lossy().into_owned(),
        ..settings.caller
    };
    settings.answer_floor = Duration::ZERO;
    Session::with_service(Service::new(ports, settings))
}

/// A process of its own on a host.
pub fn session_in(folder: PathBuf) -> Session {
    session(&folder, 0)
}

/// A reset as the cmdlet makes it; without `pin` one is generated.
pub fn reset(session: &Session, mailbox: &Mailbox, more: Value, pin: Option<&str>) -> Result<Reset, SharedError> {
    let mut fields = json!({ "identity": mailbox.alias });
    let more = more.as_object().expect("fields").clone();
    fields.as_object_mut().expect("fields").extend(more);
    support::reset(session, fields, pin)
}

/// What `Get-UMMailboxPIN` would show, with the warnings.
pub fn info(session: &Session, mailbox: &Mailbox, controller: Option<&str>) -> Result<Value, SharedError> {
    let query = json!({
        "v": 1, "operation": "pinInfo", "identity": mailbox.alias, "domainController": controller,
    });
    support::request(session, &query).map(|mut answer| {
        answer["items"][0]["warnings"] = answer["warnings"].take();
        answer["items"][0].take()
    })
}

/// The outcome of a telephone's attempt that asks this controller.
pub fn sign_in(session: &Session, mailbox: &Mailbox, controller: &str, pin: &str) -> String {
    let fields = json!({ "identity": mailbox.alias, "domainController": controller, "deliver": true });
    let answer = crate::attempt::attempt(session, fields, pin);
    let answer = answer.unwrap_or_else(|error| panic!("{} on {controller}: {error}", mailbox.alias));
    crate::attempt::outcome(&answer).to_owned()
}

/// The current time.
pub fn now() -> Timestamp {
    umpin::clock::Clock::now(&umpin::clock::SystemClock)
}
