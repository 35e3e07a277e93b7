//! The JSON of the C ABI. Requests refuse unknown fields; responses may grow. A PIN is never in either.

use std::path::PathBuf;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::config::OpenRequest;
use crate::directory::{MailboxFilter, Page, PolicyObject};
use crate::import::Format;
use crate::mailbox::Mailbox;
use crate::policy::Limit;
use crate::service::reset::{Notification, ResetOutcome, ResetPlan, ResetRequest};
use crate::service::{ImportOutcome, ImportRequest, Lookup, PinInfo, PinInfoItem, Status, Warning};
use crate::{Error, ErrorCode, Result};

/// The version of all messages.
const VERSION: u64 = 1;
/// Items of a page unless the request says otherwise, and at most.
const PAGE_SIZE: usize = 500;
const MAX_PAGE_SIZE: usize = 10_000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Open {
    v: u64,
    config_file: Option<PathBuf>,
    data_directory: PathBuf,
    caller: Option<String>,
    application: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct PlanRequest {
    v: u64,
    identity: String,
    cmdlet: Option<String>,
    pin_expired: Option<bool>,
    locked_out: Option<bool>,
    notify_email: Option<String>,
    send_email: Option<bool>,
    domain_controller: Option<String>,
    #[serde(default)]
    ignore_default_scope: bool,
    #[serde(default)]
    keep_pin: bool,
    #[serde(default)]
    what_if: bool,
}

/// The operations of `umpin_request_new`.
#[derive(Deserialize)]
#[serde(tag = "operation", rename_all = "camelCase")]
enum RawOperation {
    Status(Empty),
    PinInfo(Query),
    Mailboxes(Query),
    Policies(Query),
    Import(Import),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Empty {
    v: u64,
}

/// Which objects a request wants: one, or a page of all.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(super) struct Query {
    v: u64,
    identity: Option<String>,
    #[serde(default)]
    um_enabled_only: bool,
    page_size: Option<usize>,
    after: Option<String>,
    #[serde(default)]
    ignore_default_scope: bool,
    domain_controller: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Import {
    v: u64,
    path: PathBuf,
    format: Option<String>,
    default_policy: Option<String>,
    #[serde(default)]
    skip_invalid: bool,
    #[serde(default)]
    what_if: bool,
}

pub(super) enum Operation {
    Status,
    PinInfo(Query),
    Mailboxes(Query),
    Policies(Query),
    Import(ImportRequest),
}

impl Query {
    pub(super) fn identity(&self) -> Option<&str> {
        self.identity.as_deref()
    }

    pub(super) fn after(&self) -> Option<&str> {
        self.after.as_deref()
    }

    pub(super) fn page_size(&self) -> usize {
        self.page_size.unwrap_or(PAGE_SIZE)
    }

    pub(super) fn filter(&self) -> MailboxFilter {
        MailboxFilter {
            um_enabled_only: self.um_enabled_only,
        }
    }

    pub(super) fn lookup(&self) -> Lookup<'_> {
        Lookup {
            ignore_default_scope: self.ignore_default_scope,
            domain_controller: self.domain_controller.as_deref(),
        }
    }
}

fn invalid(message: impl Into<String>) -> Error {
    Error::new(ErrorCode::InvalidRequest, message)
}

/// A parser's error names line and column, and for our own fields the field, but not the value: it may be anything.
fn parse<'a, T: Deserialize<'a>>(request: &'a [u8]) -> Result<T> {
    let text = std::str::from_utf8(request)
        .map_err(|_| Error::new(ErrorCode::InvalidUtf8, "The request is not valid UTF-8."))?;
    serde_json::from_str(text).map_err(|e| {
        let what = match e.classify() {
            serde_json::error::Category::Data => "has unknown, missing or impossible fields",
            _ => "is not well-formed JSON",
        };
        invalid(format!(
            "The request {what} (line {}, column {}).",
            e.line(),
            e.column()
        ))
    })
}

fn check_version(v: u64) -> Result<()> {
    if v == VERSION {
        return Ok(());
    }
    Err(invalid(format!(
        "The request has version {v}; this library understands version {VERSION}."
    )))
}

pub(super) fn parse_open(request: &[u8]) -> Result<OpenRequest> {
    let open: Open = parse(request)?;
    check_version(open.v)?;
    if open.config_file.as_ref().is_some_and(|path| !path.is_absolute()) || !open.data_directory.is_absolute() {
        return Err(invalid("The paths configFile and dataDirectory must be absolute."));
    }
    Ok(OpenRequest {
        config_file: open.config_file,
        data_directory: open.data_directory,
        caller: open.caller,
        application: open.application,
    })
}

/// The reset, and whether it is only asked what it would do.
pub(super) fn parse_plan(request: &[u8]) -> Result<(ResetRequest, bool)> {
    let plan: PlanRequest = parse(request)?;
    check_version(plan.v)?;
    let request = ResetRequest {
        identity: plan.identity,
        cmdlet: plan.cmdlet,
        pin: None,
        pin_expired: plan.pin_expired,
        locked_out: plan.locked_out,
        notify_email: plan.notify_email,
        send_email: plan.send_email,
        domain_controller: plan.domain_controller,
        ignore_default_scope: plan.ignore_default_scope,
        keep_pin: plan.keep_pin,
    };
    Ok((request, plan.what_if))
}

pub(super) fn parse_request(request: &[u8]) -> Result<Operation> {
    let checked = |query: Query| {
        check_version(query.v)?;
        if !(1..=MAX_PAGE_SIZE).contains(&query.page_size()) {
            return Err(Error::new(
                ErrorCode::InvalidArgument,
                format!("The pageSize must be between 1 and {MAX_PAGE_SIZE}."),
            ));
        }
        Ok(query)
    };
    Ok(match parse(request)? {
        RawOperation::Status(empty) => {
            check_version(empty.v)?;
            Operation::Status
        }
        RawOperation::PinInfo(query) => Operation::PinInfo(checked(query)?),
        RawOperation::Mailboxes(query) => Operation::Mailboxes(checked(query)?),
        RawOperation::Policies(query) => Operation::Policies(checked(query)?),
        RawOperation::Import(import) => {
            check_version(import.v)?;
            if !import.path.is_absolute() {
                return Err(invalid("The path of the import file must be absolute."));
            }
            let format = match import.format.as_deref() {
                None => None,
                Some("csv") => Some(Format::Csv),
                Some("ldif") => Some(Format::Ldif),
                Some(_) => return Err(invalid("The format must be \"csv\" or \"ldif\".")),
            };
            Operation::Import(ImportRequest {
                path: import.path,
                format,
                default_policy: import.default_policy,
                skip_invalid: import.skip_invalid,
                what_if: import.what_if,
            })
        }
    })
}

fn bytes(mut message: Value) -> Vec<u8> {
    message["v"] = VERSION.into();
    message.to_string().into_bytes()
}

/// An error as the C ABI tells it.
#[must_use]
pub(super) fn error(error: &Error) -> Vec<u8> {
    bytes(error_value(error))
}

fn error_value(error: &Error) -> Value {
    let mut diagnostics = Vec::new();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        diagnostics.push(format!("Caused by: {error}"));
        cause = error.source();
    }
    json!({
        "v": VERSION,
        "status": error.code().status(),
        "id": error.code().id(),
        "message": error.message(),
        "recommendedAction": error.recommended_action(),
        "details": error.details(),
        "diagnostics": diagnostics,
    })
}

fn warnings(warnings: &[Warning]) -> Value {
    warnings
        .iter()
        .map(|warning| {
            json!({
                "id": warning.id,
                "message": warning.message,
                "recommendedAction": warning.recommended_action,
            })
        })
        .collect()
}

fn names(mailbox: &Mailbox) -> Value {
    json!({
        "identity": mailbox.identity(),
        "guid": mailbox.guid.to_string(),
        "distinguishedName": mailbox.distinguished_name.as_ref().map(|dn| dn.as_str()),
        "displayName": mailbox.greeting_name(),
        "primarySmtpAddress": mailbox.primary_smtp_address,
    })
}

fn extend(mut base: Value, more: Value) -> Value {
    if let (Value::Object(base), Value::Object(more)) = (&mut base, more) {
        base.extend(more);
    }
    base
}

pub(super) fn target(plan: &ResetPlan) -> Vec<u8> {
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

pub(super) fn outcome(outcome: &ResetOutcome) -> Vec<u8> {
    let notification = match outcome.notification {
        Notification::None => "none",
        Notification::Sent => "sent",
        Notification::Queued => "queued",
        Notification::Failed => "failed",
    };
    bytes(extend(
        names(&outcome.mailbox),
        json!({
            "pinExpired": outcome.pin_expired,
            "lockedOut": outcome.locked_out,
            "pinGenerated": outcome.generated.is_some(),
            "notification": notification,
            "recipient": outcome.recipient,
            "warnings": warnings(&outcome.warnings),
            "diagnostics": outcome.diagnostics,
        }),
    ))
}

pub(super) fn status(status: &Status) -> Vec<u8> {
    bytes(json!({ "directory": status.directory, "location": status.location }))
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
    })
}

pub(super) fn pin_info(info: &PinInfo) -> Vec<u8> {
    bytes(json!({ "items": [info_value(info)], "next": null }))
}

pub(super) fn pin_infos(page: &Page<PinInfoItem>) -> Vec<u8> {
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
    bytes(json!({ "items": items, "next": page.next }))
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

pub(super) fn mailbox(mailbox: &Mailbox) -> Vec<u8> {
    bytes(json!({ "items": [mailbox_value(mailbox)], "next": null }))
}

pub(super) fn mailboxes(page: &Page<Mailbox>) -> Vec<u8> {
    let items: Vec<Value> = page.items.iter().map(mailbox_value).collect();
    bytes(json!({ "items": items, "next": page.next }))
}

pub(super) fn policies(policies: &[PolicyObject]) -> Vec<u8> {
    let limit = |limit: Limit| match limit {
        Limit::Unlimited => None,
        Limit::Of(n) => Some(n),
    };
    let items: Vec<Value> = policies
        .iter()
        .map(|policy| {
            let settings = &policy.settings;
            json!({
                "guid": policy.guid.to_string(),
                "name": settings.name,
                "identity": settings.name,
                "distinguishedName": policy.distinguished_name,
                "minPINLength": settings.min_pin_length,
                "pinLifetimeDays": limit(settings.pin_lifetime_days),
                "pinHistoryCount": settings.pin_history_count,
                "allowCommonPatterns": settings.allow_common_patterns,
                "logonFailuresBeforePINReset": limit(settings.logon_failures_before_pin_reset),
                "maxLogonAttempts": limit(settings.max_logon_attempts),
                "resetPINText": settings.reset_pin_text,
            })
        })
        .collect();
    bytes(json!({ "items": items, "next": null }))
}

pub(super) fn imported(outcome: &ImportOutcome) -> Vec<u8> {
    let counts = &outcome.counts;
    let skipped: Vec<Value> = outcome
        .skipped
        .iter()
        .map(|problem| json!({ "line": problem.line, "message": problem.message }))
        .collect();
    bytes(json!({
        "mailboxesCreated": counts.mailboxes_created,
        "mailboxesUpdated": counts.mailboxes_updated,
        "mailboxesUnchanged": counts.mailboxes_unchanged,
        "policiesCreated": counts.policies_created,
        "policiesUpdated": counts.policies_updated,
        "skipped": skipped,
        "ignoredColumns": outcome.ignored_columns,
        "location": outcome.location,
    }))
}
