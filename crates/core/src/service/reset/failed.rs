//! Resets that failed, for the audit: who asked for what, and which error it came to. Never under whatIf, and never what was
//! called off.

use super::Resets;
use serde_json::{Map, Value, json};

use super::{ResetPlan, ResetRequest};
use crate::mailbox::Mailbox;
use crate::service::audit_writer::Action;
use crate::service::random_id;
use crate::service::resolve::shortened;
use crate::{Error, ErrorCode, Result};

/// What was asked for, in case it fails.
pub(super) struct AskedReset {
    /// `None`: it is not to be recorded.
    body: Option<Value>,
}

/// As they were given, a PIN as `*`.
pub(super) fn parameters(request: &ResetRequest, has_pin: bool) -> Map<String, Value> {
    let mut given = Map::new();
    let mut add = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            given.insert(name.to_owned(), value);
        }
    };
    add("Identity", Some(request.identity.as_str().into()));
    add("Pin", has_pin.then(|| "*".into()));
    add("PinExpired", request.pin_expired.map(Value::from));
    add("LockedOut", request.locked_out.map(Value::from));
    add("NotifyEmail", request.notify_email.as_deref().map(Value::from));
    add("SendEmail", request.send_email.map(Value::from));
    add(
        "DomainController",
        request.domain_controller.as_deref().map(Value::from),
    );
    add(
        "IgnoreDefaultScope",
        request.ignore_default_scope.then_some(true).map(Value::from),
    );
    add("KeepPin", request.keep_pin.then_some(true).map(Value::from));
    given
}

/// What a reset is called in the audit.
pub(super) fn action(request: &ResetRequest) -> Action {
    match (request.keep_pin, request.locked_out.unwrap_or(false)) {
        (false, _) => Action::Reset,
        (true, true) => Action::Lock,
        (true, false) => Action::Unlock,
    }
}

impl AskedReset {
    /// The request before its PIN is taken out; the mailbox is named by [`Self::of_mailbox`] once it is found.
    pub(super) fn new(request: &ResetRequest) -> Self {
        let pin = request.pin.as_ref();
        let body = (!request.what_if).then(|| {
            let mut given = parameters(request, pin.is_some());
            for name in ["Identity", "NotifyEmail"] {
                if let Some(Value::String(text)) = given.get_mut(name) {
                    let is_pin = pin.is_some_and(|pin| pin.expose() == text.trim());
                    *text = if is_pin { "*".to_owned() } else { without_pin(text) };
                }
            }
            let target = given.get("Identity").filter(|text| *text != "*").cloned();
            let mut body = json!({
                "action": action(request).name(),
                "cmdlet": request.cmdlet.as_deref().unwrap_or("Set-UMMailboxPIN"),
                "parameters": given,
            });
            if let Some(target) = target {
                body["target"] = target;
            }
            body
        });
        Self { body }
    }

    /// Of a plan; one whose failure is recorded already is not recorded again.
    pub(super) fn of_plan(plan: &ResetPlan) -> Self {
        let mut asked = Self::new(&plan.request);
        if plan.failure_recorded {
            asked.body = None;
        }
        if let Some(body) = &mut asked.body
            && plan.given.is_some()
        {
            body["parameters"]["Pin"] = "*".into();
        }
        asked.of_mailbox(&plan.mailbox, &plan.request);
        asked
    }

    /// Names the mailbox: what was typed was a name, and no PIN.
    pub(super) fn of_mailbox(&mut self, mailbox: &Mailbox, request: &ResetRequest) {
        if let Some(body) = &mut self.body {
            body["target"] = mailbox.identity().into();
            body["targetGuid"] = mailbox.guid.to_string().into();
            body["parameters"]["Identity"] = shortened(&request.identity).into();
        }
    }
}

impl Resets {
    /// Records that the reset failed with this error, and gives the error back: with a warning where that cannot be recorded.
    pub(super) fn failed(&self, asked: AskedReset, request_is_wanted: bool, error: Error) -> Error {
        let Some(body) = asked.body.filter(|_| request_is_wanted && self.audit.enabled) else {
            return error;
        };
        if matches!(error.code(), ErrorCode::Cancelled | ErrorCode::OutcomeUnknown) {
            return error;
        }
        match self.record_failed(body, &error) {
            Ok(()) => error,
            // The error says already what keeps the entry from being written.
            Err(reason) if reason.code() == error.code() => error,
            Err(reason) => error.warning(
                "FailureNotRecorded",
                format!(
                    "The failed command could not be recorded in the audit: {}",
                    reason.message()
                ),
            ),
        }
    }

    fn record_failed(&self, mut body: Value, error: &Error) -> Result<()> {
        let Some(ring) = self.commits.keys_for_failure(error)? else {
            return Ok(());
        };
        let caller = &self.audit.caller;
        body["kind"] = "outcome".into();
        body["caller"] = caller.user.as_str().into();
        body["host"] = caller.host.as_str().into();
        body["application"] = caller.application.as_str().into();
        if let Some(account) = &caller.run_as {
            body["runAs"] = account.as_str().into();
        }
        body["succeeded"] = false.into();
        body["error"] = error.code().id().into();
        if let Some(rules) = error.details().get("rules") {
            body["result"] = json!({ "rules": rules });
        }
        let entry = self.audit.entry_of(random_id()?, &body);
        match self.audit.chain_of(&ring, vec![entry]) {
            Some(batch) => self.audit.log.append_failed(&caller.user, batch),
            None => Ok(()),
        }
    }
}

/// A text that may be a PIN, typed in the wrong place: an entry must not hold one.
fn without_pin(text: &str) -> String {
    let digits = text.trim();
    if !digits.is_empty() && digits.chars().all(|c| c.is_ascii_digit() || c == ' ' || c == '-') {
        return "*".to_owned();
    }
    shortened(text)
}
