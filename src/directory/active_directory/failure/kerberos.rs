//! What the Kerberos library of this computer says, in words.

use super::explain::CLOCKS;
use super::{Failure, FailureKind};
use crate::ErrorCode;
use crate::directory::active_directory::server::Endpoint;
use crate::text::one_line;

/// It could not sign in.
pub(crate) fn kerberos(endpoint: &Endpoint, text: &str) -> Failure {
    let text = one_line(text);
    let has = |words: &[&str]| {
        let lower = text.to_ascii_lowercase();
        words.iter().any(|word| lower.contains(word))
    };
    let (kind, code, why, action) = if has(&["clock skew", "ticket not yet valid"]) {
        (
            FailureKind::Hopeless,
            ErrorCode::AccessDenied,
            "could not be signed in to: the clocks of this computer and of the domain differ",
            CLOCKS,
        )
    } else if has(&["expired"]) {
        (
            FailureKind::Hopeless,
            ErrorCode::AccessDenied,
            "could not be signed in to: the Kerberos ticket has expired",
            "Renew the ticket (kinit), or give the process a keytab (KRB5_CLIENT_KTNAME).",
        )
    } else if has(&[
        "no kerberos credentials",
        "no credentials",
        "credentials cache",
        "keytab",
    ]) {
        (
            FailureKind::Hopeless,
            ErrorCode::AccessDenied,
            "could not be signed in to: this process has no Kerberos ticket",
            "Get a ticket (kinit), or give the process a keytab (KRB5_CLIENT_KTNAME).",
        )
    } else if has(&["not found in kerberos database"]) {
        (
            FailureKind::Unreached,
            ErrorCode::DirectoryUnavailable,
            "is not known to Kerberos by this name",
            "Use the name that the server has in the domain, and check its service principal names.",
        )
    } else if has(&["cannot contact any kdc", "cannot find kdc", "cannot resolve"]) {
        (
            FailureKind::Unreached,
            ErrorCode::DirectoryUnavailable,
            "could not be signed in to: no Kerberos server answers",
            "Check DNS and krb5.conf of this computer.",
        )
    } else {
        (
            FailureKind::Unreached,
            ErrorCode::AccessDenied,
            "could not be signed in to with Kerberos",
            "Check tickets and krb5.conf of this computer.",
        )
    };
    let mut failure = Failure::of(kind, code, endpoint, &format!("{why} ({text})"));
    failure.error = failure.error.action(action);
    failure
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::directory::active_directory::server::{Role, Server};

    #[test]
    fn kerberos_is_put_into_words() {
        let endpoint = Endpoint {
            server: Server::parse("dc1.contoso.com").unwrap(),
            role: Role::Controller,
        };
        let mut said = std::collections::HashSet::new();
        for (text, word) in [
            ("gss_init_sec_context: Clock skew too great", "clocks"),
            (
                "No Kerberos credentials available (default cache: FILE:/tmp/krb5cc_0)",
                "no Kerberos ticket",
            ),
            ("Ticket expired", "has expired"),
            ("Server not found in Kerberos database", "not known to Kerberos"),
            (
                "Cannot contact any KDC for realm 'CONTOSO.COM'",
                "no Kerberos server answers",
            ),
            ("Something else", "could not be signed in to with Kerberos"),
        ] {
            let failure = kerberos(&endpoint, text);
            let message = failure.error.message().to_owned();
            assert!(message.contains(word) && message.contains(text), "{message}");
            said.insert(failure.error.recommended_action().to_owned() + word);
        }
        assert_eq!(said.len(), 6);
    }
}
