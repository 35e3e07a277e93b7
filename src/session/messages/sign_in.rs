//! Sign-in attempts as JSON. The PINs are passed separately.

use serde::Deserialize;
use serde_json::json;

use super::requests::parse;
use super::responses::{bytes, extend, names, notification};
use super::rules::{check_version, invalid, require_identity};
use crate::Result;
use crate::pin::Pin;
use crate::service::reset::Notification;
use crate::service::signin::{SignInAnswer, SignInRequest, Subscriber};

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct SignInMessage {
    v: u64,
    identity: Option<String>,
    #[serde(default)]
    alternatives: Vec<String>,
    extension: Option<String>,
    dial_plan: Option<String>,
    cmdlet: Option<String>,
    domain_controller: Option<String>,
    #[serde(default)]
    ignore_default_scope: bool,
    #[serde(default)]
    deliver: bool,
}

/// The attempt, and whether the message of a reset by failures is handed over before the answer.
pub(in crate::session) fn parse_sign_in(request: &[u8], pin: Pin) -> Result<(SignInRequest, bool)> {
    let message: SignInMessage = parse(request)?;
    check_version(message.v)?;
    require_identity(message.identity.as_deref(), &message.alternatives)?;
    let subscriber = match (message.identity, message.extension, message.dial_plan) {
        (Some(identity), None, None) => Subscriber::Identity(identity),
        (None, Some(number), dial_plan) => Subscriber::Extension { number, dial_plan },
        _ => {
            return Err(invalid(
                "The request needs either identity, or extension with or without dialPlan.",
            ));
        }
    };
    let request = SignInRequest {
        subscriber,
        alternatives: message.alternatives,
        pin,
        cmdlet: message.cmdlet,
        domain_controller: message.domain_controller,
        ignore_default_scope: message.ignore_default_scope,
    };
    Ok((request, message.deliver))
}

/// `handed_over` is `None` before the delivery of the message.
pub(in crate::session) fn signed_in(answer: &SignInAnswer, handed_over: Option<Notification>) -> Vec<u8> {
    let notification = match (&answer.message, handed_over) {
        (_, Some(done)) => notification(done),
        (Some(_), None) => notification(Notification::Queued),
        (None, None) => notification(Notification::None),
    };
    bytes(extend(
        names(&answer.mailbox),
        json!({
            "outcome": answer.outcome.name(),
            "attemptsUntilReset": answer.left.until_reset,
            "attemptsUntilLock": answer.left.until_lock,
            "firstTimeUser": answer.first_time_user,
            "pinExpiresOn": answer.expires_at.map(|at| at.0),
            "notification": notification,
            "diagnostics": answer.diagnostics,
        }),
    ))
}
