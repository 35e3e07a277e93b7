//! Attempts through the session, as the C ABI makes them.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use umpin::Error;
use umpin::directory::Directory;
use umpin::import::{ImportPlan, PolicyRow};
use umpin::pin::Pin;
use umpin::policy::{Limit, UmMailboxPolicy};
use umpin::session::{Poll, Request, Session, SharedError};

/// Longer than any attempt takes; a test that runs into it has found a hang.
pub const PATIENCE: Duration = Duration::from_secs(60);

pub fn pin(text: &str) -> Option<Pin> {
    (!text.is_empty()).then(|| Pin::new(text.to_owned()))
}

pub fn answer(pending: Result<Request, Error>) -> Result<Value, SharedError> {
    let pending = pending.map_err(Arc::new)?;
    match pending.wait(PATIENCE)? {
        Poll::Ready(json) => Ok(serde_json::from_slice(&json).expect("a JSON response")),
        Poll::Pending => panic!("no answer within {PATIENCE:?}"),
    }
}

/// `fields` say whose mailbox.
pub fn attempt(session: &Session, mut fields: Value, text: &str) -> Result<Value, SharedError> {
    fields["v"] = 1.into();
    answer(Request::sign_in(session, fields.to_string().as_bytes(), pin(text)))
}

/// At a mailbox; a message with a new PIN is handed over before the answer.
pub fn sign_in(session: &Session, identity: &str, text: &str) -> Result<Value, SharedError> {
    attempt(session, json!({ "identity": identity, "deliver": true }), text)
}

pub fn change(session: &Session, identity: &str, old: &str, new: &str) -> Result<Value, SharedError> {
    let fields = json!({ "v": 1, "identity": identity }).to_string();
    answer(Request::change_pin(session, fields.as_bytes(), pin(old), pin(new)))
}

/// The outcome's name.
pub fn outcome(answer: &Value) -> &str {
    answer["outcome"].as_str().expect("an outcome")
}

/// Changes a policy, as an import does.
pub fn set_policy(directory: &dyn Directory, settings: UmMailboxPolicy) {
    let row = PolicyRow {
        line: 1,
        guid: None,
        distinguished_name: None,
        settings,
        described: true,
    };
    let plan = ImportPlan {
        policies: vec![row],
        ..ImportPlan::default()
    };
    directory.import(&plan, None, false).expect("an import");
}

/// The limits of the policy `Default`: failures before a reset, failures before the lock-out. `None` is Unlimited.
pub fn set_limits(directory: &dyn Directory, reset_after: Option<u32>, lock_after: Option<u32>) {
    let settings = UmMailboxPolicy {
        logon_failures_before_pin_reset: limit(reset_after),
        max_logon_attempts: limit(lock_after),
        ..UmMailboxPolicy::with_defaults("Default")
    };
    set_policy(directory, settings);
}

pub fn limit(number: Option<u32>) -> Limit {
    number.map_or(Limit::Unlimited, Limit::Of)
}
