//! Messages for errors of the local Kerberos library.

use super::result_code::CLOCKS;
use super::{ServerError, ServerErrorKind};
use crate::server::Endpoint;
use umpin_core::ErrorCode;
use umpin_platform::text::one_line;

const WRONG_KEY: &[&str] = &["preauthentication failed", "decrypt integrity check failed"];

/// The error for a failed Kerberos bind.
pub(crate) fn kerberos(endpoint: &Endpoint, text: &str) -> ServerError {
    let text = one_line(text);
    let has = |words: &[&str]| {
        let lower = text.to_ascii_lowercase();
        words.iter().any(|word| lower.contains(word))
    };
    let fatal = |why, action| (ServerErrorKind::Fatal, ErrorCode::AccessDenied, why, action);
    let not_sent = |why, action| (ServerErrorKind::NotSent, ErrorCode::DirectoryUnavailable, why, action);
    // The library begins each text with a sentence about credentials; the reason follows.
    let (kind, code, why, action) = if has(&["clock skew", "ticket not yet valid"]) {
        fatal(
            "could not be signed in to: the clocks of this computer and of the domain differ",
            CLOCKS,
        )
    } else if has(WRONG_KEY) {
        fatal(
            "could not be signed in to: the Kerberos key of the account is wrong",
            "Export the account's keytab again: its password was changed since.",
        )
    } else if has(&["cannot contact any kdc", "cannot find kdc", "cannot resolve"]) {
        not_sent(
            "could not be signed in to: no Kerberos server answers",
            "Check DNS and krb5.conf of this computer.",
        )
    } else if text.contains("Server") && has(&["not found in kerberos database"]) {
        not_sent(
            "is not known to Kerberos by this name",
            "Use the name that the server has in the domain, and check its service principal names.",
        )
    } else if has(&["revoked"]) {
        fatal(
            "could not be signed in to: the account is disabled, locked or has expired",
            "Enable or unlock the account.",
        )
    } else if has(&["not found in kerberos database"]) {
        fatal(
            "could not be signed in to: the domain does not know the account of the keytab",
            "Export the keytab of an account that exists.",
        )
    } else if has(&["ticket expired", "has expired", "credentials expired"]) {
        fatal(
            "could not be signed in to: the Kerberos ticket has expired",
            "Renew the ticket (kinit), or give the process a keytab (KRB5_CLIENT_KTNAME).",
        )
    } else if has(&[
        "no kerberos credentials",
        "no credentials",
        "credentials cache",
        "keytab",
    ]) {
        fatal(
            "could not be signed in to: this process has no Kerberos ticket",
            "Get a ticket (kinit), or give the process a keytab (KRB5_CLIENT_KTNAME).",
        )
    } else {
        (
            ServerErrorKind::NotSent,
            ErrorCode::AccessDenied,
            "could not be signed in to with Kerberos",
            "Check tickets and krb5.conf of this computer.",
        )
    };
    let mut failure = ServerError::new(kind, code, endpoint, &format!("{why} ({text})"));
    failure.error = failure.error.action(action);
    if has(WRONG_KEY) {
        // `ERROR_LOGON_FAILURE`, as a server reports a wrong password.
        failure.error = failure.error.detail("windowsCode", "52e");
    }
    failure
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::{Role, Server};

    #[test]
    fn kerberos_errors_have_a_message_and_an_action_each() {
        let endpoint = Endpoint {
            server: Server::parse("dc1.contoso.com").unwrap(),
            role: Role::Controller,
        };
        let mut explanations = std::collections::HashSet::new();
        for (text, word) in [
            ("Unspecified GSS failure. (Clock skew too great)", "clocks"),
            (
                "No Kerberos credentials available (default cache: FILE:/tmp/krb5cc_0)",
                "no Kerberos ticket",
            ),
            ("No credentials were supplied (Ticket expired)", "has expired"),
            (
                "Unspecified GSS failure. (Server ldap/x@CONTOSO.COM not found in Kerberos database)",
                "not known to Kerberos",
            ),
            (
                "No credentials were supplied (Client 'um@CONTOSO.COM' not found in Kerberos database)",
                "does not know the account",
            ),
            (
                "No credentials were supplied (Cannot contact any KDC for realm 'CONTOSO.COM')",
                "no Kerberos server answers",
            ),
            (
                "No credentials were supplied (Preauthentication failed)",
                "key of the account is wrong",
            ),
            (
                "No credentials were supplied (Client's credentials have been revoked)",
                "disabled, locked",
            ),
            ("Something else", "could not be signed in to with Kerberos"),
        ] {
            let failure = kerberos(&endpoint, text);
            let message = failure.error.message().to_owned();
            assert!(message.contains(word) && message.contains(text), "{message}");
            explanations.insert(failure.error.recommended_action().to_owned() + word);
        }
        assert_eq!(explanations.len(), 9);
    }
}
