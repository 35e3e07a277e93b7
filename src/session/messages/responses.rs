//! Responses and errors as JSON.

use serde_json::{Value, json};

use super::VERSION;
use crate::Error;
use crate::directory::Page;
use crate::import::{Properties, Property, RowError};
use crate::mailbox::Mailbox;
use crate::service::reset::{Notification, ResetOutcome, ResetPlan};
use crate::service::{ClearOutcome, ImportOutcome, PinInfo, PinInfoItem, RemovalOutcome, Status, Warning};

pub(super) fn bytes(mut message: Value) -> Vec<u8> {
    message["v"] = VERSION.into();
    message.to_string().into_bytes()
}

/// An error as JSON.
#[must_use]
pub(in crate::session) fn error(error: &Error) -> Vec<u8> {
    bytes(error_value(error))
}

pub(super) fn error_value(error: &Error) -> Value {
    let mut diagnostics = Vec::new();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        diagnostics.push(format!("Caused by: {error}"));
        cause = error.source();
    }
    let mut value = json!({
        "v": VERSION,
        "status": error.code().status(),
        "id": error.code().id(),
        "message": error.message(),
        "recommendedAction": error.recommended_action(),
        "details": error.details(),
        "diagnostics": diagnostics,
    });
    if !error.warnings().is_empty() {
        let listed = error.warnings().iter();
        value["warnings"] = listed
            .map(|(id, message)| json!({ "id": id, "message": message }))
            .collect();
    }
    value
}

pub(super) fn warnings<'a>(warnings: impl IntoIterator<Item = &'a Warning>) -> Value {
    warnings
        .into_iter()
        .map(|warning| {
            json!({
                "id": warning.id,
                "message": warning.message,
                "recommendedAction": warning.recommended_action,
            })
        })
        .collect()
}

pub(super) fn names(mailbox: &Mailbox) -> Value {
    json!({
        "identity": mailbox.identity(),
        "guid": mailbox.guid.to_string(),
        "distinguishedName": mailbox.distinguished_name.as_ref().map(|dn| dn.as_str()),
        "displayName": mailbox.greeting_name(),
        "primarySmtpAddress": mailbox.primary_smtp_address,
    })
}

pub(super) fn extend(mut base: Value, more: Value) -> Value {
    if let (Value::Object(base), Value::Object(more)) = (&mut base, more) {
        base.extend(more);
    }
    base
}

pub(in crate::session) fn target(plan: &ResetPlan) -> Vec<u8> {
    bytes(extend(
        names(plan.mailbox()),
        json!({
            "recipient": plan.recipient(),
            "generatesPin": plan.generates_pin(),
            "keepsPin": plan.keeps_pin(),
            "pinExpired": plan.will_expire(),
            "lockedOut": plan.will_lock(),
            "warnings": warnings(plan.warnings()),
            "diagnostics": plan.diagnostics(),
        }),
    ))
}

pub(in crate::session) fn outcome(outcome: &ResetOutcome) -> Vec<u8> {
    bytes(extend(
        names(&outcome.mailbox),
        json!({
            "pinExpired": outcome.pin_expired,
            "lockedOut": outcome.locked_out,
            "pinGenerated": outcome.generated.is_some(),
            "notification": notification(outcome.notification),
            "recipient": outcome.recipient,
            "warnings": warnings(&outcome.warnings),
            "diagnostics": outcome.diagnostics,
        }),
    ))
}

pub(super) const fn notification(notification: Notification) -> &'static str {
    match notification {
        Notification::None => "none",
        Notification::Sent => "sent",
        Notification::Queued => "queued",
        Notification::Failed => "failed",
    }
}

pub(in crate::session) fn cleared(outcome: &ClearOutcome) -> Vec<u8> {
    bytes(extend(
        names(&outcome.mailbox),
        json!({
            "hadRecord": outcome.had_record,
            "hadCounter": outcome.had_counter,
            "messagesDropped": outcome.messages,
            "warnings": warnings(&outcome.warnings),
            "diagnostics": outcome.diagnostics,
        }),
    ))
}

pub(in crate::session) fn status(status: &Status) -> Vec<u8> {
    bytes(json!({
        "directory": status.directory,
        "location": status.location,
        "warnings": warnings(&status.warnings),
        "diagnostics": status.diagnostics,
    }))
}

fn info_value(info: &PinInfo) -> Value {
    json!({
        "userId": info.mailbox.user_id(),
        "userObjectId": info.mailbox.guid.to_string(),
        "identity": info.mailbox.identity(),
        "distinguishedName": info.mailbox.distinguished_name.as_ref().map(|dn| dn.as_str()),
        "primarySmtpAddress": info.mailbox.primary_smtp_address,
        "pinExpired": info.pin_expired,
        "lockedOut": info.locked_out,
        "firstTimeUser": info.first_time_user,
        "isValid": true,
        "lastSet": info.last_set.map(|at| at.0),
        "expiresOn": info.expires_at.map(|at| at.0),
        "failedAttempts": info.failed_attempts,
        "lastFailedAttempt": info.last_failure_at.map(|at| at.0),
        "lockedSince": info.locked_since.map(|at| at.0),
    })
}

pub(in crate::session) fn pin_info(info: &PinInfo) -> Vec<u8> {
    bytes(json!({ "items": [info_value(info)], "next": null, "warnings": warnings(&info.warnings) }))
}

pub(in crate::session) fn pin_infos(page: &Page<PinInfoItem>) -> Vec<u8> {
    let items: Vec<Value> = page
        .items
        .iter()
        .map(|item| match item {
            PinInfoItem::Info(info) => info_value(info),
            PinInfoItem::Failed { mailbox, error } => {
                json!({ "identity": mailbox.identity(), "error": error_value(error) })
            }
        })
        .collect();
    let listed = page.items.iter().filter_map(|item| match item {
        PinInfoItem::Info(info) => Some(info.warnings.iter()),
        PinInfoItem::Failed { .. } => None,
    });
    bytes(json!({ "items": items, "next": page.next, "warnings": warnings(listed.flatten()) }))
}

fn mailbox_value(mailbox: &Mailbox) -> Value {
    let extensions: Vec<&str> = mailbox.extensions.iter().map(|e| e.number.as_str()).collect();
    json!({
        "guid": mailbox.guid.to_string(),
        "identity": mailbox.identity(),
        "distinguishedName": mailbox.distinguished_name.as_ref().map(|dn| dn.as_str()),
        "name": mailbox.name,
        "displayName": mailbox.display_name,
        "alias": mailbox.alias,
        "samAccountName": mailbox.sam_account_name,
        "userPrincipalName": mailbox.user_principal_name,
        "primarySmtpAddress": mailbox.primary_smtp_address,
        "emailAddresses": mailbox.email_addresses,
        "legacyExchangeDN": mailbox.legacy_exchange_dn,
        "umEnabled": mailbox.um_enabled,
        "extensions": extensions,
        "umMailboxPolicy": mailbox.um_mailbox_policy,
    })
}

pub(in crate::session) fn mailbox(mailbox: &Mailbox) -> Vec<u8> {
    bytes(json!({ "items": [mailbox_value(mailbox)], "next": null }))
}

pub(in crate::session) fn mailboxes(page: &Page<Mailbox>) -> Vec<u8> {
    let items: Vec<Value> = page.items.iter().map(mailbox_value).collect();
    bytes(json!({ "items": items, "next": page.next }))
}

pub(in crate::session) fn imported(outcome: &ImportOutcome) -> Vec<u8> {
    let counts = &outcome.counts;
    let listed = |problems: &[RowError]| -> Vec<Value> {
        problems
            .iter()
            .map(|problem| json!({ "line": problem.line, "message": problem.message }))
            .collect()
    };
    let names = |properties: Properties| -> Vec<&str> { properties.iter().map(Property::name).collect() };
    let changes: Vec<Value> = counts
        .changes
        .iter()
        .map(|change| json!({ "line": change.line, "identity": change.identity, "properties": names(change.properties) }))
        .collect();
    let properties: serde_json::Map<String, Value> = counts
        .properties
        .iter()
        .map(|(property, count)| (property.name().to_owned(), (*count).into()))
        .collect();
    bytes(json!({
        "mailboxesCreated": counts.mailboxes_created,
        "mailboxesUpdated": counts.mailboxes_updated,
        "mailboxesUnchanged": counts.mailboxes_unchanged,
        "policiesCreated": counts.policies_created,
        "policiesDefaulted": counts.policies_defaulted,
        "policiesUpdated": counts.policies_updated,
        "propertiesChanged": properties,
        "changes": changes,
        "followed": listed(&counts.followed),
        "notices": listed(&outcome.notices),
        "skipped": listed(&outcome.skipped),
        "ignoredColumns": outcome.ignored_columns,
        "location": outcome.location,
    }))
}

pub(in crate::session) fn removed(outcome: &RemovalOutcome) -> Vec<u8> {
    let mailbox = &outcome.mailbox;
    bytes(json!({
        "identity": mailbox.identity(),
        "guid": mailbox.guid.to_string(),
        "userPrincipalName": mailbox.user_principal_name,
        "primarySmtpAddress": mailbox.primary_smtp_address,
        "hadRecord": outcome.had_record,
        "messagesDropped": outcome.messages,
    }))
}
