use super::*;
use crate::server::{Role, Server};

fn endpoint() -> Endpoint {
    Endpoint {
        server: Server::parse("dc1.contoso.com").unwrap(),
        role: Role::Controller,
    }
}

fn bind_refused(code: u32, text: &str) -> ServerError {
    let result = LdapResult {
        rc: code,
        matched: String::new(),
        text: text.to_owned(),
        refs: Vec::new(),
        ctrls: Vec::new(),
    };
    from_result(&endpoint(), Step::Bind, &result)
}

#[test]
fn codes_of_windows_are_found() {
    for (text, code) in [
        (
            "80090308: LdapErr: DSID-0C090439, comment: AcceptSecurityContext error, data 52e, v4563\0",
            Some("52e"),
        ),
        (
            "80090308: LdapErr: DSID-0C090439, comment: AcceptSecurityContext error, data 775, v4563",
            Some("775"),
        ),
        (
            "80090346: LdapErr: DSID-0C09070F, comment: AcceptSecurityContext error, data 80090346, v4563",
            Some("80090346"),
        ),
        (
            "00002098: SecErr: DSID-03150F94, problem 4003 (INSUFF_ACCESS_RIGHTS), data 0",
            Some("2098"),
        ),
        (
            "00000057: LdapErr: DSID-0C090D87, comment: Error in attribute conversion operation, data 0, v4563",
            Some("57"),
        ),
        ("acl_modify: unable to get access", None),
        ("data ", None),
        ("data 0", None),
        ("no data here", None),
        ("", None),
    ] {
        assert_eq!(windows_code(text).as_deref(), code, "{text}");
    }
}

#[test]
fn each_reason_for_a_refused_sign_in_has_its_own_words() {
    let mut said = std::collections::HashSet::new();
    for (data, word) in [
        ("525", "does not know the account"),
        ("52e", "name or password is wrong"),
        ("530", "at this time or from this computer"),
        ("532", "password has expired"),
        ("533", "is disabled"),
        ("701", "has expired"),
        ("773", "must be changed"),
        ("775", "is locked"),
        ("80090346", "channel binding"),
        ("80090324", "clocks"),
        ("57", "refused the account"),
    ] {
        let text =
            format!("80090308: LdapErr: DSID-0C090439, comment: AcceptSecurityContext error, data {data}, v4563\0");
        let failure = bind_refused(49, &text);
        assert_eq!(
            (failure.kind, failure.error.code()),
            (ServerErrorKind::Fatal, ErrorCode::AccessDenied)
        );
        let message = failure.error.message().to_owned();
        assert!(
            message.contains(word) && message.contains("dc1.contoso.com"),
            "{message}"
        );
        assert_eq!(failure.error.details()["windowsCode"], data);
        assert_eq!(failure.error.details()["ldapCode"], 49);
        said.insert(message);
    }
    assert_eq!(said.len(), 11);
    assert!(
        bind_refused(49, "")
            .error
            .message()
            .contains("name or password is wrong")
    );
}

#[test]
fn other_answers_to_a_bind() {
    for (code, kind, error) in [
        (8, ServerErrorKind::Fatal, ErrorCode::ConfigurationInvalid),
        (7, ServerErrorKind::Fatal, ErrorCode::ConfigurationInvalid),
        (34, ServerErrorKind::Fatal, ErrorCode::AccessDenied),
        (51, ServerErrorKind::Declined(51), ErrorCode::DirectoryUnavailable),
        (52, ServerErrorKind::Declined(52), ErrorCode::DirectoryUnavailable),
    ] {
        let failure = bind_refused(code, "");
        assert_eq!((failure.kind, failure.error.code()), (kind, error), "{code}");
        let message = failure.error.message();
        assert!(message.ends_with('.') && !message.ends_with(".."), "{message}");
    }
}

#[test]
fn long_texts_of_servers_are_cut() {
    let failure = bind_refused(49, &"x\n".repeat(5000));
    assert!(failure.error.message().chars().count() < 500);
    assert!(!failure.error.message().contains('\n'));
}
