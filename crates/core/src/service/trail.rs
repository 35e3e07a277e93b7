//! What goes into the audit: who did what to whom, and what came of it. Never a PIN.

use serde_json::{Map, Value, json};

use super::{Service, random_id};
use crate::audit::{AuditBatch, AuditEntry};
use crate::clock::Timestamp;
use crate::credential::keyring::KeyRing;
use crate::mailbox::Mailbox;
use crate::{ErrorCode, Result};

/// What was done; the names are part of the interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    Reset,
    Lock,
    Unlock,
    ChangePin,
    ClearPin,
    SignInFailure,
    AutomaticReset,
    LockOut,
    Import,
    RemoveMailbox,
    PolicyChange,
    NotificationExpired,
    NotificationDropped,
    ResetLost,
    UpdateKey,
}

impl Action {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Reset => "Reset",
            Self::Lock => "Lock",
            Self::Unlock => "Unlock",
            Self::ChangePin => "ChangePin",
            Self::ClearPin => "ClearPin",
            Self::SignInFailure => "SignInFailure",
            Self::AutomaticReset => "AutomaticReset",
            Self::LockOut => "LockOut",
            Self::Import => "Import",
            Self::RemoveMailbox => "RemoveMailbox",
            Self::PolicyChange => "PolicyChange",
            Self::NotificationExpired => "NotificationExpired",
            Self::NotificationDropped => "NotificationDropped",
            Self::ResetLost => "ResetLost",
            Self::UpdateKey => "UpdateKey",
        }
    }
}

/// One thing that is done, to be recorded with the change that does it, or around it.
pub(super) struct Event<'a> {
    /// Joins intent and outcome.
    pub operation: [u8; 16],
    pub action: Action,
    /// The command or function that was called.
    pub cmdlet: &'a str,
    pub target: Target<'a>,
    /// As they were given, a PIN as `*`.
    pub parameters: Map<String, Value>,
    /// What the outcome says beside whether it succeeded.
    pub result: Map<String, Value>,
}

/// What it is done to.
#[derive(Clone, Copy)]
pub(super) enum Target<'a> {
    Mailbox(&'a Mailbox),
    Policy(&'a str),
    Directory,
}

impl<'a> Event<'a> {
    /// An event with an id of its own.
    pub(super) fn new(action: Action, cmdlet: &'a str, target: Target<'a>) -> Result<Self> {
        Ok(Self {
            operation: random_id()?,
            action,
            cmdlet,
            target,
            parameters: Map::new(),
            result: Map::new(),
        })
    }

    /// Adds a parameter that was given.
    pub(super) fn parameter(&mut self, name: &str, value: Option<impl Into<Value>>) -> &mut Self {
        if let Some(value) = value {
            self.parameters.insert(name.to_owned(), value.into());
        }
        self
    }

    /// Adds a fact to the outcome.
    pub(super) fn result(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.result.insert(name.to_owned(), value.into());
        self
    }
}

/// How something ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Succeeded,
    /// Nothing was changed, because of this error.
    Failed(ErrorCode),
    /// It is not in force, and no error says why.
    Void,
    /// It cannot be known.
    Unknown,
}

/// What the audit is told of a change.
#[derive(Clone)]
pub(super) struct PendingAudit {
    /// Without entries.
    chain: AuditBatch,
    events: Vec<PendingAuditEvent>,
}

#[derive(Clone)]
struct PendingAuditEvent {
    operation: [u8; 16],
    at: Timestamp,
    intent: Value,
    result: Map<String, Value>,
}

impl PendingAudit {
    /// Intent and outcome of each event, for the transaction of the change.
    pub(super) fn whole(self) -> AuditBatch {
        let host = self.chain.host.clone();
        let entries = self.events.into_iter().flat_map(|event| {
            let outcome = outcome(&host, Outcome::Succeeded, event.result);
            [event.intent, outcome].map(|body| entry(event.operation, event.at, &body))
        });
        AuditBatch {
            entries: entries.collect(),
            ..self.chain
        }
    }

    /// The intent of an operation, to be recorded before its change is asked for.
    pub(super) fn intent(&self, operation: [u8; 16]) -> AuditBatch {
        let mut events = self.events.iter();
        let intent = events.find(|event| event.operation == operation);
        AuditBatch {
            entries: intent
                .map(|event| entry(operation, event.at, &event.intent))
                .into_iter()
                .collect(),
            ..self.chain.clone()
        }
    }

    /// All but that intent, once the change is made.
    pub(super) fn rest(self, operation: [u8; 16], at: Timestamp) -> AuditBatch {
        let mut whole = self.whole();
        let intent = whole.entries.iter().position(|entry| entry.operation == operation);
        if let Some(index) = intent {
            whole.entries.remove(index);
        }
        whole.entries.iter_mut().for_each(|entry| entry.at = at);
        whole
    }
}

fn entry(operation: [u8; 16], at: Timestamp, body: &Value) -> AuditEntry {
    AuditEntry {
        operation,
        at,
        body: body.to_string(),
    }
}

fn outcome(host: &str, outcome: Outcome, result: Map<String, Value>) -> Value {
    let mut body = json!({ "kind": "outcome", "host": host });
    match outcome {
        Outcome::Succeeded => body["succeeded"] = true.into(),
        Outcome::Void => body["succeeded"] = false.into(),
        Outcome::Failed(code) => {
            body["succeeded"] = false.into();
            body["error"] = code.id().into();
        }
        // Neither succeeded nor failed: an outcome found out later says so under the same operation.
        Outcome::Unknown => body["error"] = ErrorCode::OutcomeUnknown.id().into(),
    }
    if !result.is_empty() {
        body["result"] = result.into();
    }
    body
}

impl Service {
    /// What the audit is told of these events; `None` where auditing is switched off.
    pub(super) fn trail(&self, ring: &KeyRing, at: Timestamp, events: &[Event<'_>]) -> Option<PendingAudit> {
        let told = events.iter().map(|event| PendingAuditEvent {
            operation: event.operation,
            at,
            intent: self.intent(event),
            result: event.result.clone(),
        });
        Some(PendingAudit {
            chain: self.chain_of(ring, Vec::new())?,
            events: told.collect(),
        })
    }

    /// How an operation ended whose intent is recorded.
    pub(super) fn ended(&self, ring: &KeyRing, operation: [u8; 16], how: Outcome) -> Option<AuditBatch> {
        let body = outcome(&self.settings.caller.host, how, Map::new());
        self.chain_of(ring, vec![entry(operation, self.now(), &body)])
    }

    /// As [`Self::ended`], but found out later, by somebody else perhaps, and far from the intent: so it says what it is about.
    pub(super) fn record_late_outcome(
        &self,
        ring: &KeyRing,
        operation: [u8; 16],
        action: &str,
        target: Target<'_>,
        how: Outcome,
        result: Value,
    ) -> Option<AuditBatch> {
        let result = result.as_object().cloned().unwrap_or_default();
        let mut body = outcome(&self.settings.caller.host, how, result);
        body["action"] = action.into();
        name_target(&mut body, target);
        self.chain_of(ring, vec![entry(operation, self.now(), &body)])
    }

    /// Entries for the chain of this host; `None` where auditing is switched off.
    pub(super) fn chain_of(&self, ring: &KeyRing, entries: Vec<AuditEntry>) -> Option<AuditBatch> {
        if !self.settings.audit {
            return None;
        }
        let trail = AuditBatch::new(&self.settings.caller.host, entries, ring.chain_keys());
        Some(trail.retaining_since(self.audit_retain_since()))
    }

    /// An entry of this moment.
    pub(super) fn entry_of(&self, operation: [u8; 16], body: &Value) -> AuditEntry {
        entry(operation, self.now(), body)
    }

    fn intent(&self, event: &Event<'_>) -> Value {
        let caller = &self.settings.caller;
        let mut body = json!({
            "kind": "intent",
            "action": event.action.name(),
            "cmdlet": event.cmdlet,
            "caller": caller.user,
            "host": caller.host,
            "application": caller.application,
            "parameters": event.parameters,
        });
        if let Some(account) = &caller.run_as {
            body["runAs"] = account.as_str().into();
        }
        name_target(&mut body, event.target);
        body
    }
}

fn name_target(body: &mut Value, target: Target<'_>) {
    match target {
        Target::Mailbox(mailbox) => {
            body["target"] = mailbox.identity().into();
            body["targetGuid"] = mailbox.guid.to_string().into();
        }
        Target::Policy(name) => body["target"] = name.into(),
        Target::Directory => {}
    }
}
