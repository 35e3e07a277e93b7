//! Messages for LDAP result codes and the Windows error codes within their text.

use ldap3::LdapResult;

use super::{ServerError, ServerErrorKind, Step, server_text};
use crate::server::Endpoint;
use umpin_core::ErrorCode;

/// The error for a result code other than success.
pub(super) fn from_result(endpoint: &Endpoint, step: Step, result: &LdapResult) -> ServerError {
    let mut failure = match step {
        Step::Bind => bind_result(endpoint, result),
        // The response to StartTLS; another server may support it.
        Step::Tls => ServerError::unavailable(
            ServerErrorKind::NotSent,
            endpoint,
            &with_server_text("does not begin TLS, and nothing is sent without it", result),
        ),
        _ => operation(endpoint, step, result),
    };
    failure.error = failure.error.detail("ldapCode", result.rc);
    let text = server_text(result);
    if !text.is_empty() {
        failure.error = failure.error.detail("ldapMessage", text);
    }
    if let Some(code) = windows_code(&result.text) {
        failure.error = failure.error.detail("windowsCode", code);
    }
    failure
}

fn operation(endpoint: &Endpoint, step: Step, result: &LdapResult) -> ServerError {
    let rc = result.rc;
    let (kind, code, why) = match rc {
        8 | 13 => return stronger_auth_required(endpoint),
        10 => (
            ServerErrorKind::Declined(rc),
            ErrorCode::DirectoryUnavailable,
            "refers to another server",
        ),
        3 | 4 | 11 => (
            ServerErrorKind::Declined(rc),
            ErrorCode::DirectoryUnavailable,
            "stopped at a limit of its own (time, size or administration) in",
        ),
        1 | 80 => (
            ServerErrorKind::Declined(rc),
            ErrorCode::DirectoryUnavailable,
            "could not complete",
        ),
        51 => (
            ServerErrorKind::Declined(rc),
            ErrorCode::DirectoryUnavailable,
            "is too busy for",
        ),
        52 => (
            ServerErrorKind::Declined(rc),
            ErrorCode::DirectoryUnavailable,
            "is not available for",
        ),
        53 => (
            ServerErrorKind::Declined(rc),
            ErrorCode::DirectoryUnavailable,
            "is not willing to do",
        ),
        50 => (
            ServerErrorKind::Rejected(rc),
            ErrorCode::AccessDenied,
            "does not give this account the right to",
        ),
        32 => (
            ServerErrorKind::Rejected(rc),
            ErrorCode::ManagementObjectNotFound,
            "does not have the object of",
        ),
        17 | 65 => (
            ServerErrorKind::Rejected(rc),
            ErrorCode::ConfigurationInvalid,
            "does not have the schema for",
        ),
        19 | 21 => (
            ServerErrorKind::Rejected(rc),
            ErrorCode::DirectoryUnavailable,
            "does not take the value of",
        ),
        _ => (
            ServerErrorKind::Rejected(rc),
            ErrorCode::DirectoryUnavailable,
            "refused",
        ),
    };
    let mut failure = ServerError::new(
        kind,
        code,
        endpoint,
        &with_server_text(&format!("{why} {}", step.what()), result),
    );
    let action = match rc {
        50 => {
            "Give the account of 'directory.bind' the rights that docs/active-directory.md names, or use one that has them."
        }
        3 | 4 | 11 => {
            "Raise the limit in the server's query policy (MaxQueryDuration, MaxPageSize, MaxResultSetSize) or, for time, \
             'directory.timeoutSeconds'."
        }
        17 | 65 => "Check that the schema of the forest has Exchange's Unified Messaging attributes.",
        _ => "Check the server, whose own code and text are in the details.",
    };
    failure.error = failure.error.action(action);
    failure
}

/// `what (LDAP 53: 00002035: LdapErr: …)`
fn with_server_text(what: &str, result: &LdapResult) -> String {
    let text = server_text(result);
    if text.is_empty() {
        format!("{what} (LDAP {})", result.rc)
    } else {
        format!("{what} (LDAP {}: {text})", result.rc)
    }
}

fn stronger_auth_required(endpoint: &Endpoint) -> ServerError {
    let mut failure = ServerError::new(
        ServerErrorKind::Fatal,
        ErrorCode::ConfigurationInvalid,
        endpoint,
        "demands a stronger way to sign in than the configured one",
    );
    failure.error = failure
        .error
        .action("Choose another 'directory.bind.method' or 'directory.tls', as the server's policy demands.");
    failure
}

/// The error for the result of a bind. Active Directory gives the reason in its text: `80090308: LdapErr: …, data 52e, v4563`.
fn bind_result(endpoint: &Endpoint, result: &LdapResult) -> ServerError {
    let code = windows_code(&result.text);
    let (why, action) = match (result.rc, code.as_deref()) {
        (7 | 8 | 13 | 48, _) => return stronger_auth_required(endpoint),
        (1 | 3 | 10 | 51 | 52 | 53 | 80, _) => return operation(endpoint, Step::Bind, result),
        (49, Some("525")) => (
            "does not know the account of 'directory.bind.user'",
            "Correct 'directory.bind.user': a UPN, DOMAIN\\account or DN.",
        ),
        (49, Some("52e") | None) => (
            "refused the account of 'directory.bind': name or password is wrong",
            "Correct 'directory.bind.user', or the password where the configuration says it is.",
        ),
        (49, Some("530" | "531")) => (
            "refused the account of 'directory.bind': it may not sign in at this time or from this computer",
            "Change the logon hours or workstations of the account.",
        ),
        (49, Some("532")) => (
            "refused the account of 'directory.bind': its password has expired",
            "Set a new password for the account, and put it where the configuration says.",
        ),
        (49, Some("533")) => (
            "refused the account of 'directory.bind': it is disabled",
            "Enable the account.",
        ),
        (49, Some("701")) => (
            "refused the account of 'directory.bind': it has expired",
            "Extend the account's term.",
        ),
        (49, Some("773")) => (
            "refused the account of 'directory.bind': its password must be changed first",
            "Set a new password for the account, and put it where the configuration says.",
        ),
        (49, Some("775")) => (
            "refused the account of 'directory.bind': it is locked after too many wrong passwords",
            "Unlock the account, and find out who used a wrong password.",
        ),
        (49, Some("80090346")) => (
            "demands channel binding, which this sign-in does not have",
            "Use 'directory.bind.method' kerberos, or relax the server's policy for LDAP channel binding.",
        ),
        (49, Some("80090324" | "80090325")) => (
            "refused the Kerberos ticket: the clocks of this computer and the server differ",
            CLOCKS,
        ),
        _ => (
            "refused the account of 'directory.bind'",
            "Check the account, with the server's own code and text in the details.",
        ),
    };
    let mut failure = ServerError::new(
        ServerErrorKind::Fatal,
        ErrorCode::AccessDenied,
        endpoint,
        &with_server_text(why, result),
    );
    failure.error = failure.error.action(action);
    failure
}

pub(super) const CLOCKS: &str = "Set the clock of this computer by the domain's time service.";

/// The hexadecimal code after `data`, or else the one at the start, without leading zeros.
fn windows_code(text: &str) -> Option<String> {
    let after_data = text
        .split("data ")
        .nth(1)
        .map(hexadecimal)
        .filter(|code| !code.is_empty());
    let at_start = || Some(hexadecimal(text)).filter(|code| code.len() >= 8);
    let code = match after_data {
        // `data 0` carries no reason; the code at the start does.
        Some(code) if code.trim_start_matches('0').is_empty() => at_start(),
        Some(code) => Some(code),
        None => at_start(),
    }?;
    let code = code.trim_start_matches('0').to_ascii_lowercase();
    (!code.is_empty()).then_some(code)
}

fn hexadecimal(text: &str) -> &str {
    let end = text.find(|c: char| !c.is_ascii_hexdigit()).unwrap_or(text.len());
    &text[..end]
}

#[cfg(test)]
mod tests;
