//! A host of the forest with its own configuration, outbox and audit log, and a session on them.

use std::fs;
use std::path::PathBuf;

use serde_json::{Value, json};
use tempfile::TempDir;
use umpin::ErrorCode;
use umpin::session::{Session, SharedError};

use crate::attempt;
use crate::harness::{Account, Lab, UM, key_file};
use crate::support::{self, Reset};

/// A host, whose files are removed on drop.
pub struct Host {
    folder: TempDir,
    configuration: Value,
    pub session: Session,
}

impl Host {
    pub fn new(lab: &Lab) -> Self {
        Self::with(lab, UM, |_| {})
    }

    /// A host with another account and a changed configuration.
    pub fn with(lab: &Lab, account: Account, change: impl FnOnce(&mut Value)) -> Self {
        let folder = tempfile::tempdir().expect("a temporary directory");
        let mut configuration = json!({
            "directory": lab.directory(account),
            "keys": { "active": "k1", "k1": key_file() },
            "notification": { "type": "pickup", "directory": "pickup" },
        });
        change(&mut configuration);
        Self::open(folder, configuration)
    }

    fn open(folder: TempDir, configuration: Value) -> Self {
        let file = folder.path().join("umpin.json");
        fs::write(&file, configuration.to_string()).expect("a file");
        let open = json!({ "v": 1, "dataDirectory": folder.path(), "configFile": file, "caller": "CONTOSO\\helpdesk" });
        Self {
            session: support::try_open(&open).expect("the session opens"),
            folder,
            configuration,
        }
    }

    /// A new session on the same host with a changed configuration.
    pub fn reconfigured(self, change: impl FnOnce(&mut Value)) -> Self {
        let Self {
            folder,
            session,
            mut configuration,
        } = self;
        drop(session);
        change(&mut configuration);
        Self::open(folder, configuration)
    }

    /// A file of this host.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn reset(&self, fields: Value, pin: Option<&str>) -> Result<Reset, SharedError> {
        support::reset(&self.session, fields, pin)
    }

    /// Begins a new command, as every cmdlet does once per pipeline.
    pub fn begin(&self) {
        self.request(json!({ "operation": "status" })).expect("the directory");
    }

    /// Sets a PIN that is not expired, without a message.
    pub fn set_pin(&self, identity: &str, pin: &str) {
        let fields = json!({ "identity": identity, "pinExpired": false, "sendEmail": false });
        self.reset(fields, Some(pin)).expect("the PIN is set");
    }

    /// A reset with -WhatIf.
    pub fn what_if(&self, mut fields: Value, pin: Option<&str>) -> Result<Value, SharedError> {
        fields["whatIf"] = json!(true);
        let plan = support::plan(&self.session, fields, pin)?;
        let target = support::target(&plan)?;
        support::validate(&plan)?;
        Ok(target)
    }

    pub fn request(&self, mut fields: Value) -> Result<Value, SharedError> {
        fields["v"] = json!(1);
        support::request(&self.session, &fields)
    }

    pub fn info(&self, identity: &str) -> Value {
        let answer = self.request(json!({ "operation": "pinInfo", "identity": identity }));
        answer.expect("an answer")["items"][0].clone()
    }

    /// The outcome of a sign-in.
    pub fn sign_in(&self, identity: &str, pin: &str) -> String {
        let answer = attempt::sign_in(&self.session, identity, pin).expect("an answer");
        attempt::outcome(&answer).to_owned()
    }

    /// The error of a sign-in.
    pub fn failed_sign_in(&self, identity: &str, pin: &str) -> SharedError {
        attempt::sign_in(&self.session, identity, pin).expect_err("no answer")
    }

    /// The delivered messages, oldest first.
    pub fn messages(&self) -> Vec<String> {
        let messages = support::messages(&self.path("pickup"));
        messages.into_iter().map(|(_, message)| message).collect()
    }

    /// The error of a reset, which -WhatIf reports as well.
    #[track_caller]
    pub fn refusal(&self, fields: Value, pin: Option<&str>) -> SharedError {
        match self.what_if(fields.clone(), pin) {
            Ok(target) => panic!("a reset of {fields} would be made: {target}"),
            Err(error) => error,
        }
    }
}

/// Asserts the code and parts of the message of an error.
#[track_caller]
pub fn says(error: &umpin::Error, code: ErrorCode, parts: &[&str]) {
    assert_eq!(error.code(), code, "{error:?} {:?}", error.details());
    for part in parts {
        assert!(
            error.message().contains(part),
            "{error:?} does not say: {part} ({:?})",
            error.details()
        );
    }
    assert!(error.recommended_action().ends_with('.'), "{error:?}");
}
