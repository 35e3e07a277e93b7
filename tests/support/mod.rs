//! A store in a temporary directory, used through the session as the C ABI uses it, and looked into from below.

pub mod attempt;
pub mod certificates;
pub mod double;
pub mod embedded;
pub mod faults;
pub mod key_update;
pub mod message;
pub mod process;
pub mod relay;
#[cfg(target_os = "linux")]
pub mod small;
pub mod stores;
pub mod trace;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;
use umpin::Error;
use umpin::credential::kdf::{KdfContext, PinVerifiers};
use umpin::credential::master_key::Purpose;
use umpin::credential::record::CredentialRecord;
use umpin::credential::seal::SealContext;
use umpin::directory::embedded::{EmbeddedDirectory, EmbeddedOptions};
use umpin::directory::{Directory, Found, Route};
use umpin::identity::Identity;
use umpin::keys::{KeyFiles, Keys};
use umpin::pin::Pin;
use umpin::session::{Plan, Poll, Request, Session, SharedError};

/// Longer than any operation of a test takes; a test that runs into it has found a hang.
const PATIENCE: Duration = Duration::from_secs(60);

/// Three mailboxes that most tests need: enabled with an extension, enabled without address, not enabled.
pub const PEOPLE: &str = "\
DistinguishedName,Name,DisplayName,Alias,SamAccountName,UserPrincipalName,PrimarySmtpAddress,EmailAddresses,UMEnabled,Extensions,UMMailboxPolicy
\"CN=Tony Smith,OU=Sales,DC=contoso,DC=com\",Tony Smith,Tony Smith,tonysmith,tsmith,tony@contoso.com,tonysmith@contoso.com,SMTP:tonysmith@contoso.com;smtp:ts@contoso.com,True,4271,Default
\"CN=Kim Akers,OU=Sales,DC=contoso,DC=com\",Kim Akers,Kim Akers,kimakers,kakers,kim@contoso.com,,,True,4272,Default
\"CN=Jeff Hay,OU=IT,DC=contoso,DC=com\",Jeff Hay,Jeff Hay,jeffhay,jhay,jeff@contoso.com,jeffhay@contoso.com,,False,,
";

pub struct Store {
    pub directory: TempDir,
    pub session: Session,
}

/// What a reset gave back.
pub struct Reset {
    pub response: Value,
    pub pin: Option<String>,
}

impl Store {
    /// With [`PEOPLE`] imported.
    pub fn with_people() -> Self {
        Self::with(PEOPLE)
    }

    pub fn with(csv: &str) -> Self {
        let store = Self::empty();
        store.import(csv).expect("the import succeeds");
        store
    }

    /// Without a store file yet.
    pub fn empty() -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let session = open(directory.path());
        Self { directory, session }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub fn import(&self, csv: &str) -> Result<Value, SharedError> {
        let file = self.path("import.csv");
        fs::write(&file, csv).expect("the import file is written");
        request(&self.session, &json!({ "v": 1, "operation": "import", "path": file }))
    }

    pub fn reset(&self, fields: Value, pin: Option<&str>) -> Result<Reset, SharedError> {
        reset(&self.session, fields, pin)
    }

    /// What `Get-UMMailboxPIN` would show.
    pub fn info(&self, identity: &str) -> Value {
        let response = request(
            &self.session,
            &json!({ "v": 1, "operation": "pinInfo", "identity": identity }),
        );
        response.expect("the state can be read")["items"][0].clone()
    }

    /// The messages in the pickup directory, by file name.
    pub fn messages(&self) -> Vec<(String, String)> {
        messages(&self.path("pickup"))
    }

    /// Whether this is the PIN in force: opens the record itself.
    pub fn pin_is(&self, identity: &str, pin: &str) -> bool {
        let (record, _) = self.record(identity);
        let mut tags = PinVerifiers::new(Pin::new(pin.to_owned()));
        record
            .is_current(&mut tags, &mut KdfContext::default())
            .expect("a derivation")
    }

    /// The record as stored and opened.
    pub fn record(&self, identity: &str) -> (CredentialRecord, Vec<u8>) {
        read_record(self.directory.path(), identity)
    }
}

pub fn embedded(data: &Path) -> EmbeddedDirectory {
    EmbeddedDirectory::new(EmbeddedOptions {
        path: data.join("directory.db"),
        read_only: false,
        busy_timeout: Duration::from_secs(30),
        group: None,
    })
}

pub fn keys(data: &Path) -> KeyFiles {
    KeyFiles {
        active: "k1".to_owned(),
        files: [("k1".to_owned(), data.join("umpin.key"))].into(),
        group: None,
        store: None,
    }
}

pub fn read_record(data: &Path, identity: &str) -> (CredentialRecord, Vec<u8>) {
    let directory = embedded(data);
    let found = directory
        .find(&Identity::parse(identity).expect("an identity"), Route::Preferred)
        .expect("a look-up");
    let [Found { mailbox, .. }] = found.found.as_slice() else {
        panic!("\"{identity}\" matches {} mailboxes", found.count);
    };
    let sealed = directory
        .credential(mailbox.object_id, None)
        .expect("a look-up")
        .record
        .expect("a record");
    let context = SealContext {
        store_id: directory.store_id().expect("a store"),
        object_id: mailbox.object_id,
    };
    let ring = keys(data).load().expect("the key");
    let plain = ring.open(Purpose::Record, &context, &sealed).expect("the record opens");
    (CredentialRecord::decode(&plain).expect("the record decodes"), sealed)
}

pub fn open(data: &Path) -> Session {
    try_open(&json!({ "v": 1, "dataDirectory": data })).expect("the session opens")
}

pub fn try_open(request: &Value) -> Result<Session, Error> {
    Session::open(request.to_string().as_bytes())
}

pub fn request(session: &Session, request: &Value) -> Result<Value, SharedError> {
    answer(Request::new(session, request.to_string().as_bytes()))
}

/// Waits for the answer of a request that was started.
pub fn answer(started: Result<Request, Error>) -> Result<Value, SharedError> {
    match started.map_err(std::sync::Arc::new)?.wait(PATIENCE)? {
        Poll::Ready(json) => Ok(serde_json::from_slice(&json).expect("a JSON response")),
        Poll::Pending => panic!("no answer within {PATIENCE:?}"),
    }
}

pub fn plan(session: &Session, mut fields: Value, pin: Option<&str>) -> Result<Plan, SharedError> {
    fields["v"] = 1.into();
    Plan::new(
        session,
        fields.to_string().as_bytes(),
        pin.map(|pin| Pin::new(pin.to_owned())),
    )
    .map_err(std::sync::Arc::new)
}

pub fn target(plan: &Plan) -> Result<Value, SharedError> {
    match plan.target(PATIENCE)? {
        Poll::Ready(json) => Ok(serde_json::from_slice(&json).expect("a JSON response")),
        Poll::Pending => panic!("no target within {PATIENCE:?}"),
    }
}

pub fn commit(plan: &Plan) -> Result<Reset, SharedError> {
    match plan.commit(PATIENCE)? {
        Poll::Ready(outcome) => Ok(Reset {
            response: serde_json::from_slice(&outcome.response).expect("a JSON response"),
            pin: outcome.generated.map(|pin| pin.expose().to_owned()),
        }),
        Poll::Pending => panic!("no outcome within {PATIENCE:?}"),
    }
}

pub fn validate(plan: &Plan) -> Result<(), SharedError> {
    match plan.validate(PATIENCE)? {
        Poll::Ready(()) => Ok(()),
        Poll::Pending => panic!("no answer within {PATIENCE:?}"),
    }
}

/// A reset that nobody is asked about, as the module makes it without `-Confirm`, unless the fields say `confirm`.
pub fn reset(session: &Session, mut fields: Value, pin: Option<&str>) -> Result<Reset, SharedError> {
    let members = fields.as_object_mut().expect("a request is an object");
    members.entry("confirm").or_insert(Value::Bool(false));
    let plan = plan(session, fields, pin)?;
    target(&plan)?;
    commit(&plan)
}

/// The messages in a pickup directory, by file name; none where there is no directory.
pub fn messages(pickup: &Path) -> Vec<(String, String)> {
    let Ok(entries) = fs::read_dir(pickup) else {
        return Vec::new();
    };
    let mut messages: Vec<(String, String)> = entries
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|e| e == "eml"))
        .map(|path| {
            let name = path.file_name().expect("a name").to_string_lossy().into_owned();
            (name, fs::read_to_string(&path).expect("a message"))
        })
        .collect();
    messages.sort();
    messages
}

/// The PIN that a message announces: the only line of its text part that is nothing but digits.
pub fn announced_pin(message: &str) -> String {
    let text = message.split("Content-Type: text/html").next().unwrap_or_default();
    let lines: Vec<&str> = text
        .lines()
        .map(str::trim)
        .filter(|line| line.len() >= 4 && line.bytes().all(|b| b.is_ascii_digit()))
        .collect();
    match lines.as_slice() {
        [pin] => (*pin).to_owned(),
        lines => panic!("{} lines look like a PIN in the message:\n{message}", lines.len()),
    }
}
