//! What goes into the audit: who did what to whom, and what came of it. Never a PIN.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Map, Value, json};

use super::{Caller, Warning, random_id};
use crate::audit::{AuditBatch, AuditEntry, AuditLog};
use crate::clock::{Clock, Timestamp};
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
    NotApplied,
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
        Outcome::NotApplied => body["succeeded"] = false.into(),
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

/// Writes the audit log: who acted, on which host, and for how long entries are kept.
pub(super) struct AuditWriter {
    /// Whether changes are audited.
    pub enabled: bool,
    pub retention_days: Option<u32>,
    pub caller: Caller,
    pub log: Arc<dyn AuditLog>,
    pub clock: Arc<dyn Clock>,
    pub retention_reported: AtomicBool,
}

impl AuditWriter {
    /// What the audit is told of these events; `None` where auditing is switched off.
    pub(super) fn batch_of(&self, ring: &KeyRing, at: Timestamp, events: &[Event<'_>]) -> Option<PendingAudit> {
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
        let body = outcome(&self.caller.host, how, Map::new());
        self.chain_of(ring, vec![entry(operation, self.clock.now(), &body)])
    }

    /// As [`Self::ended`], but found out later, by somebody else perhaps, and far from the intent: so it says what it is about.
    pub(super) fn late_outcome(
        &self,
        ring: &KeyRing,
        operation: [u8; 16],
        action: &str,
        target: Target<'_>,
        how: Outcome,
        result: Value,
    ) -> Option<AuditBatch> {
        let result = result.as_object().cloned().unwrap_or_default();
        let mut body = outcome(&self.caller.host, how, result);
        body["action"] = action.into();
        name_target(&mut body, target);
        self.chain_of(ring, vec![entry(operation, self.clock.now(), &body)])
    }

    /// Entries for the chain of this host; `None` where auditing is switched off.
    pub(super) fn chain_of(&self, ring: &KeyRing, entries: Vec<AuditEntry>) -> Option<AuditBatch> {
        if !self.enabled {
            return None;
        }
        let trail = AuditBatch::new(&self.caller.host, entries, ring.chain_keys());
        Some(trail.retaining_since(self.retain_since()))
    }

    /// An entry of this moment.
    pub(super) fn entry_of(&self, operation: [u8; 16], body: &Value) -> AuditEntry {
        entry(operation, self.clock.now(), body)
    }

    /// Entries written before this may be removed.
    pub(super) fn retain_since(&self) -> Option<Timestamp> {
        let days = self.retention_days?;
        Some(self.clock.now().plus_millis(-(i64::from(days) * 86_400_000)))
    }

    /// Says, once in a session, that the removal of old entries is paused.
    pub(super) fn report_retention(&self) -> Option<Warning> {
        let since = self.retain_since().filter(|_| self.enabled)?;
        if self.retention_reported.load(Ordering::Relaxed) {
            return None;
        }
        // What cannot be read is told by whoever needs it.
        let pause = self.log.retention_pause(self.clock.now(), since).ok()??;
        self.retention_reported.store(true, Ordering::Relaxed);
        let days = (pause.since.0 - pause.newest.0) / 86_400_000;
        let text = format!(
            "Old audit entries are not removed until {}: the clock of this computer went on by {days} days between two entries, \
             from {} to {}.",
            pause.until, pause.newest, pause.since
        );
        Some(
            Warning::new("RetentionPaused", text)
                .action("Check the clock of this computer; if it is right, nothing has to be done."),
        )
    }

    fn intent(&self, event: &Event<'_>) -> Value {
        let caller = &self.caller;
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
