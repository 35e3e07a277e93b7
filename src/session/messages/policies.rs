//! Policies as JSON, and requests that change them.

use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};

use super::responses::bytes;
use super::rules::check_version;
use crate::Result;
use crate::cancellation::Cancellation;
use crate::directory::PolicyObject;
use crate::policy::Limit;
use crate::service::policies::{PolicyEdit, PolicyName, PolicyOutcome, PolicyRequest, PolicySettings, revision};

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct New {
    v: u64,
    name: String,
    cmdlet: Option<String>,
    #[serde(default)]
    what_if: bool,
    #[serde(default)]
    settings: Settings,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct Set {
    v: u64,
    identity: String,
    #[serde(default)]
    alternatives: Vec<String>,
    revision: Option<String>,
    cmdlet: Option<String>,
    #[serde(default)]
    what_if: bool,
    settings: Settings,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct Remove {
    v: u64,
    identity: String,
    #[serde(default)]
    alternatives: Vec<String>,
    revision: Option<String>,
    cmdlet: Option<String>,
    #[serde(default)]
    what_if: bool,
}

/// The fields have the names of the response; null is unlimited in both.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Settings {
    #[serde(rename = "minPINLength")]
    min_pin_length: Option<u32>,
    #[serde(default, deserialize_with = "limit")]
    pin_lifetime_days: Option<Limit>,
    pin_history_count: Option<u32>,
    allow_common_patterns: Option<bool>,
    #[serde(default, rename = "logonFailuresBeforePINReset", deserialize_with = "limit")]
    logon_failures_before_pin_reset: Option<Limit>,
    #[serde(default, deserialize_with = "limit")]
    max_logon_attempts: Option<Limit>,
    #[serde(rename = "resetPINText")]
    reset_pin_text: Option<String>,
}

/// The value of a field that is present; an absent field has the default `None`.
fn limit<'de, D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Option<Limit>, D::Error> {
    let number = Option::<u32>::deserialize(deserializer)?;
    Ok(Some(number.map_or(Limit::Unlimited, Limit::Of)))
}

impl From<Settings> for PolicySettings {
    fn from(given: Settings) -> Self {
        Self {
            min_pin_length: given.min_pin_length,
            pin_lifetime_days: given.pin_lifetime_days,
            pin_history_count: given.pin_history_count,
            allow_common_patterns: given.allow_common_patterns,
            logon_failures_before_pin_reset: given.logon_failures_before_pin_reset,
            max_logon_attempts: given.max_logon_attempts,
            reset_pin_text: given.reset_pin_text,
        }
    }
}

impl New {
    pub(super) fn checked(self) -> Result<PolicyRequest> {
        let edit = PolicyEdit::New {
            name: self.name,
            settings: self.settings.into(),
        };
        request(self.v, edit, self.cmdlet, self.what_if)
    }
}

impl Set {
    pub(super) fn checked(self) -> Result<PolicyRequest> {
        let edit = PolicyEdit::Set {
            policy: policy_name(self.identity, self.alternatives, self.revision),
            settings: self.settings.into(),
        };
        request(self.v, edit, self.cmdlet, self.what_if)
    }
}

impl Remove {
    pub(super) fn checked(self) -> Result<PolicyRequest> {
        let edit = PolicyEdit::Remove {
            policy: policy_name(self.identity, self.alternatives, self.revision),
        };
        request(self.v, edit, self.cmdlet, self.what_if)
    }
}

fn policy_name(identity: String, alternatives: Vec<String>, revision: Option<String>) -> PolicyName {
    PolicyName {
        identity,
        alternatives,
        revision,
    }
}

fn request(v: u64, edit: PolicyEdit, cmdlet: Option<String>, what_if: bool) -> Result<PolicyRequest> {
    check_version(v)?;
    Ok(PolicyRequest {
        edit,
        cmdlet,
        what_if,
        cancellation: Cancellation::default(),
    })
}

fn policy(policy: &PolicyObject) -> Value {
    let limit = |limit: Limit| limit.number();
    let settings = &policy.settings;
    json!({
        "guid": policy.guid.to_string(),
        "name": settings.name,
        "identity": settings.name,
        "distinguishedName": policy.distinguished_name,
        "revision": revision(policy),
        "minPINLength": settings.min_pin_length,
        "pinLifetimeDays": limit(settings.pin_lifetime_days),
        "pinHistoryCount": settings.pin_history_count,
        "allowCommonPatterns": settings.allow_common_patterns,
        "logonFailuresBeforePINReset": limit(settings.logon_failures_before_pin_reset),
        "maxLogonAttempts": limit(settings.max_logon_attempts),
        "resetPINText": settings.reset_pin_text,
    })
}

pub(in crate::session) fn policies(policies: &[PolicyObject]) -> Vec<u8> {
    let items: Vec<Value> = policies.iter().map(policy).collect();
    bytes(json!({ "items": items, "next": null }))
}

pub(in crate::session) fn policy_changed(outcome: &PolicyOutcome) -> Vec<u8> {
    bytes(json!({
        "before": outcome.before.as_ref().map(policy),
        "after": outcome.after.as_ref().map(policy),
        "changed": outcome.before != outcome.after,
    }))
}
