//! Requests: parsed strictly, so that a misspelt field is an error and not a reset of another kind.

use std::path::PathBuf;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

use super::check::CheckConfiguration;
use super::notifications::SendMessage;
use super::rules::{check_version, invalid, require_identity};
use super::{audit, key_update, policies};
use crate::cancellation::Cancellation;
use crate::config::{OpenRequest, Variables};
use crate::directory::MailboxFilter;
use crate::import::Format;
use crate::json_error::{self, JsonError};
use crate::service::audit::{AuditExport, AuditQuery};
use crate::service::key_update::KeyUpdateRequest;
use crate::service::policies::PolicyRequest;
use crate::service::reset::ResetRequest;
use crate::service::{ClearRequest, ImportRequest, Lookup, RemovalRequest};
use crate::{Error, ErrorCode, Result};

/// The default and the largest size of a page.
const PAGE_SIZE: usize = 500;
const MAX_PAGE_SIZE: usize = 10_000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Open {
    v: u64,
    config_file: Option<PathBuf>,
    data_directory: PathBuf,
    caller: Option<String>,
    run_as: Option<String>,
    application: Option<String>,
    #[serde(default)]
    other_stores: Vec<PathBuf>,
    #[serde(default)]
    variables: Variables,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct PlanRequest {
    v: u64,
    identity: String,
    #[serde(default)]
    alternatives: Vec<String>,
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
    confirm: Option<bool>,
}

/// The operations of `umpin_request_new`.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
enum RawOperation {
    Status(Empty),
    PinInfo(Query),
    Mailboxes(Query),
    Policies(Query),
    Import(Import),
    RemoveMailbox(RemoveMailbox),
    Notifications(Query),
    SendNotifications(SendMessage),
    CheckConfiguration(CheckConfiguration),
    Audit(audit::Audit),
    AuditExport(audit::Export),
    ClearPin(ClearPin),
    UpdateKey(key_update::UpdateKey),
    NewPolicy(policies::New),
    SetPolicy(policies::Set),
    RemovePolicy(policies::Remove),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Empty {
    v: u64,
}

/// The objects of a request: one, or a page of all.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub(in crate::session) struct Query {
    v: u64,
    identity: Option<String>,
    #[serde(default)]
    alternatives: Vec<String>,
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
struct ClearPin {
    v: u64,
    identity: String,
    #[serde(default)]
    alternatives: Vec<String>,
    domain_controller: Option<String>,
    #[serde(default)]
    ignore_default_scope: bool,
    #[serde(default)]
    what_if: bool,
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

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct RemoveMailbox {
    v: u64,
    identity: String,
    #[serde(default)]
    alternatives: Vec<String>,
    #[serde(default)]
    what_if: bool,
}

pub(in crate::session) enum Operation {
    Status,
    PinInfo(Query),
    Mailboxes(Query),
    Policies(Query),
    Import(ImportRequest),
    RemoveMailbox(RemovalRequest),
    Notifications(Query),
    SendNotifications(SendMessage),
    CheckConfiguration(CheckConfiguration),
    Audit(AuditQuery),
    AuditExport(AuditExport),
    ClearPin(ClearRequest),
    UpdateKey(KeyUpdateRequest),
    ChangePolicy(PolicyRequest),
}

impl Query {
    pub(in crate::session) fn identity(&self) -> Option<&str> {
        self.identity.as_deref()
    }

    pub(in crate::session) fn after(&self) -> Option<&str> {
        self.after.as_deref()
    }

    pub(in crate::session) fn page_size(&self) -> usize {
        self.page_size.unwrap_or(PAGE_SIZE)
    }

    pub(in crate::session) fn filter(&self) -> MailboxFilter {
        MailboxFilter {
            um_enabled_only: self.um_enabled_only,
        }
    }

    pub(in crate::session) fn lookup(&self) -> Lookup<'_> {
        Lookup {
            ignore_default_scope: self.ignore_default_scope,
            domain_controller: self.domain_controller.as_deref(),
            alternatives: &self.alternatives,
        }
    }
}

/// An error names the field and the expected value, or the position in the text, and never the value, which may be a password. The
/// request is parsed directly into the structure: an intermediate value would not be wiped.
pub(super) fn parse<T: DeserializeOwned>(request: &[u8]) -> Result<T> {
    let text = text(request)?;
    let mut json = serde_json::Deserializer::from_str(text);
    let read = serde_path_to_error::deserialize(&mut json).map_err(|e| {
        let json_error = JsonError::new(&e.path().to_string(), e.inner());
        refused(&json_error, e.inner())
    })?;
    json.end().map_err(|e| refused(&JsonError::new(".", &e), &e))?;
    Ok(read)
}

fn text(request: &[u8]) -> Result<&str> {
    let text = std::str::from_utf8(request)
        .map_err(|_| Error::new(ErrorCode::InvalidUtf8, "The request is not valid UTF-8."))?;
    if text.trim().is_empty() {
        return Err(invalid("The request is empty."));
    }
    // Serde would also accept an array for a structure.
    if text.trim_start().starts_with('[') {
        return Err(invalid("The request is not a JSON object."));
    }
    Ok(text)
}

fn refused(json_error: &JsonError, error: &serde_json::Error) -> Error {
    match json_error {
        // The messages of serde may repeat the value.
        JsonError::Syntax { .. } => invalid(format!(
            "The request is not well-formed JSON (line {}, column {}).",
            error.line(),
            error.column()
        )),
        json_error => refused_field(json_error),
    }
}

fn refused_field(json_error: &JsonError) -> Error {
    let reason = match json_error.field() {
        Some(field) if !is_name(field) => "has a field that is not known".to_owned(),
        _ => json_error.explain("field", ""),
    };
    invalid(format!("The request {reason}."))
}

/// Whether it can be the name of a field: another text may be a PIN, and is not repeated.
fn is_name(field: &str) -> bool {
    let digits = field.split(|c: char| !c.is_ascii_digit()).map(str::len).max();
    field.len() <= 80
        && digits < Some(4)
        && field
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'[' | b']'))
}

/// The operation that a request names, with its own fields.
fn operation(request: &[u8]) -> Result<RawOperation> {
    let mut fields = json_error::fields(text(request)?).map_err(|(json_error, error)| refused(&json_error, &error))?;
    let name = match fields.remove("operation") {
        Some(Value::String(name)) => name,
        Some(_) => {
            return Err(invalid(
                "The request has an invalid value in the field 'operation': expected text.",
            ));
        }
        None => return Err(invalid("The request lacks the field 'operation'.")),
    };
    // Parsed as the variant of that name, with its own fields.
    let variant = Map::from_iter([(name.clone(), Value::Object(fields))]);
    json_error::structure(Value::Object(variant)).map_err(|error| match error.within(&name) {
        JsonError::InvalidValue {
            field,
            expected: Some(known),
        } if field == "." => invalid(format!(
            "The request names an operation that is not known; expected {known}."
        )),
        error => refused_field(&error),
    })
}

pub(in crate::session) fn parse_open(request: &[u8]) -> Result<OpenRequest> {
    let open: Open = parse(request)?;
    check_version(open.v)?;
    if open.config_file.as_ref().is_some_and(|path| !path.is_absolute()) || !open.data_directory.is_absolute() {
        return Err(invalid("The paths configFile and dataDirectory must be absolute."));
    }
    if !open.variables.have_prefix() {
        return Err(invalid("The names of the variables must begin with UMPIN_."));
    }
    Ok(OpenRequest {
        config_file: open.config_file,
        data_directory: open.data_directory,
        caller: open.caller,
        run_as: open.run_as,
        application: open.application,
        other_stores: open.other_stores,
        variables: open.variables,
    })
}

/// The reset, and whether it is only a what-if.
pub(in crate::session) fn parse_plan(request: &[u8]) -> Result<(ResetRequest, bool)> {
    let plan: PlanRequest = parse(request)?;
    check_version(plan.v)?;
    let request = ResetRequest {
        identity: plan.identity,
        alternatives: plan.alternatives,
        cmdlet: plan.cmdlet,
        pin: None,
        pin_expired: plan.pin_expired,
        locked_out: plan.locked_out,
        notify_email: plan.notify_email,
        send_email: plan.send_email,
        domain_controller: plan.domain_controller,
        ignore_default_scope: plan.ignore_default_scope,
        keep_pin: plan.keep_pin,
        confirm: plan.confirm,
        what_if: plan.what_if,
        cancellation: Cancellation::default(),
    };
    Ok((request, plan.what_if))
}

pub(in crate::session) fn parse_request(request: &[u8]) -> Result<Operation> {
    let checked = |query: Query| {
        check_version(query.v)?;
        require_identity(query.identity.as_deref(), &query.alternatives)?;
        if !(1..=MAX_PAGE_SIZE).contains(&query.page_size()) {
            return Err(Error::new(
                ErrorCode::InvalidArgument,
                format!("The pageSize must be between 1 and {MAX_PAGE_SIZE}."),
            ));
        }
        Ok(query)
    };
    Ok(match operation(request)? {
        RawOperation::Status(empty) => {
            check_version(empty.v)?;
            Operation::Status
        }
        RawOperation::PinInfo(query) => Operation::PinInfo(checked(query)?),
        RawOperation::Mailboxes(query) => Operation::Mailboxes(checked(query)?),
        RawOperation::Policies(query) => Operation::Policies(checked(query)?),
        RawOperation::Notifications(query) => Operation::Notifications(checked(query)?),
        RawOperation::SendNotifications(message) => Operation::SendNotifications(message.checked()?),
        RawOperation::CheckConfiguration(check) => Operation::CheckConfiguration(check.checked()?),
        RawOperation::Audit(audit) => Operation::Audit(audit.check()?),
        RawOperation::AuditExport(export) => Operation::AuditExport(export.check()?),
        RawOperation::ClearPin(clear) => {
            check_version(clear.v)?;
            Operation::ClearPin(ClearRequest {
                identity: clear.identity,
                alternatives: clear.alternatives,
                domain_controller: clear.domain_controller,
                ignore_default_scope: clear.ignore_default_scope,
                what_if: clear.what_if,
                cancellation: Cancellation::default(),
            })
        }
        RawOperation::RemoveMailbox(removal) => {
            check_version(removal.v)?;
            Operation::RemoveMailbox(RemovalRequest {
                identity: removal.identity,
                alternatives: removal.alternatives,
                what_if: removal.what_if,
                cancellation: Cancellation::default(),
            })
        }
        RawOperation::UpdateKey(update) => Operation::UpdateKey(update.check()?),
        RawOperation::NewPolicy(new) => Operation::ChangePolicy(new.checked()?),
        RawOperation::SetPolicy(set) => Operation::ChangePolicy(set.checked()?),
        RawOperation::RemovePolicy(remove) => Operation::ChangePolicy(remove.checked()?),
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
                cancellation: Cancellation::default(),
            })
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told<T>(result: Result<T>) -> String {
        let Err(error) = result else { panic!("accepted") };
        assert_eq!(error.code(), ErrorCode::InvalidRequest);
        error.message().to_owned()
    }

    #[test]
    fn a_request_that_is_refused_hears_which_field_is_wrong_and_what_belongs_there() {
        for (request, said) in [
            ("", "The request is empty."),
            (" \n", "The request is empty."),
            ("[1]", "The request is not a JSON object."),
            ("1", "The request is not a JSON object."),
            (r#"{"v":1"#, "The request is not well-formed JSON (line 1, column 6)."),
            (r#"{"v":1}"#, "The request lacks the field 'operation'."),
            (
                r#"{"v":1,"operation":7}"#,
                "The request has an invalid value in the field 'operation': expected text.",
            ),
            (r#"{"operation":"status"}"#, "The request lacks the field 'v'."),
            (
                r#"{"v":1,"v":1,"operation":"status"}"#,
                "The request has a field twice, 'v'.",
            ),
            (
                r#"{"v":1,"operation":"status","surprise":1}"#,
                "The request has a field that is not known, 'surprise'.",
            ),
            (
                r#"{"v":1,"operation":"status","7391846205":1}"#,
                "The request has a field that is not known.",
            ),
            (
                r#"{"v":1,"operation":"pinInfo","pageSize":"many"}"#,
                "The request has an invalid value in the field 'pageSize': expected a whole number, 0 or more.",
            ),
            (
                r#"{"v":1,"operation":"mailboxes","umEnabledOnly":"7391846205"}"#,
                "The request has an invalid value in the field 'umEnabledOnly': expected true or false.",
            ),
            (
                r#"{"v":1,"operation":"pinInfo","identity":"x","alternatives":["a",5]}"#,
                "The request has an invalid value in the field 'alternatives[1]': expected text.",
            ),
            (r#"{"v":1,"operation":"import"}"#, "The request lacks the field 'path'."),
        ] {
            assert_eq!(told(parse_request(request.as_bytes())), said, "{request}");
        }
        let unknown = told(parse_request(br#"{"v":1,"operation":"7391846205"}"#));
        assert!(
            unknown
                .starts_with("The request names an operation that is not known; expected one of 'status', 'pinInfo'")
                && !unknown.contains("7391846205"),
            "{unknown}"
        );
    }

    #[test]
    fn so_do_a_plan_and_opening() {
        for (request, said) in [
            (
                r#"{"v":1,"identity":7391846205}"#,
                "The request has an invalid value in the field 'identity': expected text.",
            ),
            (
                r#"{"v":1,"identity":"x","pin":"7391846205"}"#,
                "The request has a field that is not known, 'pin'.",
            ),
            (
                r#"{"v":-1,"identity":"x"}"#,
                "The request has an invalid value in the field 'v': expected a whole number, 0 or more.",
            ),
            (r#"{"v":1}x"#, "The request lacks the field 'identity'."),
        ] {
            assert_eq!(told(parse_plan(request.as_bytes())), said, "{request}");
        }
        assert_eq!(
            told(parse_open(
                br#"{"v":1,"dataDirectory":"/x","variables":{"UMPIN_A":7391846205}}"#
            )),
            "The request has an invalid value in the field 'variables.UMPIN_A': expected text."
        );
        assert_eq!(
            told(parse_open(br#"{"v":1,"dataDirectory":7}"#)),
            "The request has an invalid value in the field 'dataDirectory': expected text."
        );
    }
}
