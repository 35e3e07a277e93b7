//! What goes into the audit: who did what to whom, and what came of it. Never a PIN.

use serde_json::{Map, Value, json};

use super::{Service, random_id};
use crate::Result;
use crate::audit::{AuditEntry, AuditTrail};
use crate::clock::Timestamp;
use crate::credential::keyring::KeyRing;
use crate::mailbox::Mailbox;

/// What was done; the names are part of the interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    Reset,
    Lock,
    Unlock,
    ChangePin,
    SignInFailure,
    AutomaticReset,
    LockOut,
    Import,
    PolicyChange,
    NotificationExpired,
    NotificationDropped,
}

impl Action {
    const fn name(self) -> &'static str {
        match self {
            Self::Reset => "Reset",
            Self::Lock => "Lock",
            Self::Unlock => "Unlock",
            Self::ChangePin => "ChangePin",
            Self::SignInFailure => "SignInFailure",
            Self::AutomaticReset => "AutomaticReset",
            Self::LockOut => "LockOut",
            Self::Import => "Import",
            Self::PolicyChange => "PolicyChange",
            Self::NotificationExpired => "NotificationExpired",
            Self::NotificationDropped => "NotificationDropped",
        }
    }
}

/// One thing that is done, to be recorded with the change that does it.
pub(super) struct Event<'a> {
    /// Joins intent and outcome.
    pub operation: [u8; 16],
    pub action: Action,
    /// The command or function that was called.
    pub cmdlet: &'a str,
    pub target: Target<'a>,
    /// As they were given, a PIN as `*`.
    pub parameters: Map<String, Value>,
    /// What the outcome says beside having succeeded.
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
    pub fn new(action: Action, cmdlet: &'a str, target: Target<'a>) -> Result<Self> {
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
    pub fn parameter(&mut self, name: &str, value: Option<impl Into<Value>>) -> &mut Self {
        if let Some(value) = value {
            self.parameters.insert(name.to_owned(), value.into());
        }
        self
    }

    /// Adds a fact to the outcome.
    pub fn result(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.result.insert(name.to_owned(), value.into());
        self
    }
}

impl Service {
    /// Intent and outcome of each event, for the transaction of the change; `None` where auditing is switched off.
    pub(super) fn trail(&self, ring: &KeyRing, at: Timestamp, events: &[Event<'_>]) -> Option<AuditTrail> {
        if !self.settings.audit {
            return None;
        }
        let entries = events.iter().flat_map(|event| {
            let bodies = [self.intent(event), self.outcome(event)];
            bodies.map(|body| AuditEntry {
                operation: event.operation,
                at,
                body: body.to_string(),
            })
        });
        let trail = AuditTrail::new(&self.settings.caller.host, entries.collect(), ring.chain_keys());
        Some(trail.retaining_since(self.audit_retain_since()))
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
        match event.target {
            Target::Mailbox(mailbox) => {
                body["target"] = mailbox.identity().into();
                body["targetGuid"] = mailbox.guid.to_string().into();
            }
            Target::Policy(name) => body["target"] = name.into(),
            Target::Directory => {}
        }
        body
    }

    fn outcome(&self, event: &Event<'_>) -> Value {
        let mut body = json!({
            "kind": "outcome",
            "host": self.settings.caller.host,
            "succeeded": true,
        });
        if !event.result.is_empty() {
            body["result"] = event.result.clone().into();
        }
        body
    }
}
