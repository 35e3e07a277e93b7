//! The check of the configuration as JSON.

use serde::Deserialize;
use serde_json::{Value, json};

use super::responses::bytes;
use super::rules::{check_version, require_identity};
use crate::Result;
use crate::cancellation::Cancellation;
use crate::check::{Check, CheckStatus};
use crate::service::check::{CheckRequest, worst};

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(in crate::session) struct CheckConfiguration {
    v: u64,
    identity: Option<String>,
    #[serde(default)]
    alternatives: Vec<String>,
    notify_email: Option<String>,
}

impl CheckConfiguration {
    pub(super) fn checked(self) -> Result<Self> {
        check_version(self.v)?;
        require_identity(self.identity.as_deref(), &self.alternatives)?;
        Ok(self)
    }

    pub(in crate::session) fn request(self, cancellation: &Cancellation) -> CheckRequest {
        CheckRequest {
            sample: self.identity,
            alternatives: self.alternatives,
            notify_email: self.notify_email,
            cancellation: cancellation.clone(),
        }
    }
}

pub(in crate::session) fn checked(checks: &[Check]) -> Vec<u8> {
    let items: Vec<Value> = checks.iter().map(item).collect();
    bytes(json!({ "items": items, "result": word(worst(checks)) }))
}

fn item(check: &Check) -> Value {
    json!({
        "check": check.subject.name(),
        "result": word(check.status),
        "target": (!check.target.is_empty()).then_some(&check.target),
        "message": check.message,
        "recommendedAction": check.action,
        "errorId": check.error_id,
    })
}

const fn word(status: CheckStatus) -> &'static str {
    match status {
        CheckStatus::Passed => "passed",
        CheckStatus::Warning => "warning",
        CheckStatus::Failed => "failed",
        CheckStatus::Skipped => "skipped",
    }
}
