//! Certificate verification: to which servers a password is sent.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;

use crate::connection::{Scope, Search};
use crate::scripted::{Action, Authority, Request, ScriptedServer, Signed, settings};
use crate::server::{Server, Tls};
use crate::server_error::{ServerError, ServerErrorKind};
use crate::servers::{ServerSelector, Servers};
use umpin_core::ErrorCode;

fn first_search(servers: &Servers) -> Result<usize, ServerError> {
    servers.execute(ServerSelector::DomainController("contoso.com"), |connection| {
        let answer = connection.search(&Search {
            base: "",
            scope: Scope::Base,
            filter: "(objectClass=*)",
            attributes: &["currentTime"],
            size_limit: 1,
        })?;
        Ok(answer.entries.len())
    })
}

fn outcome(signed: &Signed, trusted: &Authority, tls: Tls) -> (ScriptedServer, Result<usize, ServerError>) {
    let server = ScriptedServer::start(signed, tls, |_, _| None);
    let mut settings = settings(trusted, &[server.server()]);
    settings.tls = tls;
    let outcome = first_search(&Servers::new(settings));
    (server, outcome)
}

#[test]
fn an_invalid_certificate_is_reported_and_no_password_sent() {
    let authority = Authority::new();
    let stranger = Authority::new();
    for tls in [Tls::Ldaps, Tls::StartTls] {
        for (signed, expected) in [
            (
                authority.sign_expired(&["127.0.0.1"]),
                "has a certificate that has expired",
            ),
            (
                authority.sign_early(&["127.0.0.1"]),
                "has a certificate that is not valid yet",
            ),
            (
                authority.sign(&["dc9.contoso.com"]),
                "has a certificate for another name (dc9.contoso.com)",
            ),
            (
                stranger.sign(&["127.0.0.1"]),
                "has a certificate of an authority that is not trusted here",
            ),
        ] {
            let (server, outcome) = outcome(&signed, &authority, tls);
            let failure = outcome.expect_err(expected);
            assert_eq!(failure.kind, ServerErrorKind::NotSent);
            assert_eq!(failure.error.code(), ErrorCode::DirectoryUnavailable);
            let message = failure.error.message();
            assert!(message.contains(expected) && message.contains("127.0.0.1"), "{message}");
            assert!(failure.error.recommended_action().contains("caFile"));
            assert_eq!(server.binds(), 0, "{expected}");
        }
        let (server, outcome) = outcome(&authority.sign(&["127.0.0.1"]), &authority, tls);
        assert_eq!(outcome.expect("trusted"), 1);
        assert_eq!(server.binds(), 1);
    }
}

#[test]
fn without_tls_no_password_is_sent() {
    let authority = Authority::new();
    let signed = authority.sign(&["127.0.0.1"]);
    // The server rejects StartTLS and would accept the password.
    for code in [2, 52, 53] {
        let server = ScriptedServer::start(&signed, Tls::StartTls, move |_, request| {
            matches!(request, Request::StartTls).then(|| vec![Action::Done(code, "no certificate")])
        });
        let mut refusing = settings(&authority, &[server.server()]);
        refusing.tls = Tls::StartTls;
        let failure = first_search(&Servers::new(refusing)).expect_err("no TLS");
        assert_eq!(failure.kind, ServerErrorKind::NotSent);
        let message = failure.error.message();
        assert!(
            message.contains("does not begin TLS") && message.contains("no certificate"),
            "{message}"
        );
        assert_eq!(failure.error.details()["ldapCode"], code);
        assert_eq!(server.binds(), 0);
    }
    // The server speaks LDAP without TLS on an LDAPS port.
    let server = ScriptedServer::start(&signed, Tls::StartTls, |_, _| None);
    let failure = first_search(&Servers::new(settings(&authority, &[server.server()]))).expect_err("no TLS");
    assert_eq!(failure.kind, ServerErrorKind::NotSent, "{:?}", failure.error);
    assert_eq!(server.binds(), 0);
}

#[test]
fn a_certificate_is_verified_against_an_ipv6_address() {
    let authority = Authority::new();
    for tls in [Tls::Ldaps, Tls::StartTls] {
        for (names, expected) in [
            (&["::1"][..], None),
            (&["dc1.contoso.com", "2001:db8::1", "::1"], None),
            (&["2001:db8::1"], Some("for another name")),
            // The placeholder name that the library gets.
            (&["00000000000000000000000000000001.invalid"], Some("for another name")),
        ] {
            let server = ScriptedServer::start_at("[::1]:0", &authority.sign(names), tls, |_, _| None);
            let mut settings = settings(&authority, &[server.named("::1")]);
            settings.tls = tls;
            let answer = first_search(&Servers::new(settings));
            match expected {
                None => assert_eq!(answer.expect("trusted"), 1, "{names:?}"),
                Some(expected) => {
                    let failure = answer.expect_err(expected);
                    let message = failure.error.message();
                    let name = format!("[::1]:{}", server.port);
                    assert!(
                        message.contains(expected) && message.contains(&name),
                        "{names:?}: {message}"
                    );
                    assert_eq!(server.binds(), 0, "{names:?}");
                }
            }
        }
    }
}

/// Answers each connection with these bytes and closes it.
fn server_sending(bytes: &'static [u8]) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let _ = stream.read(&mut [0; 4096]);
            let _ = stream.write_all(bytes);
        }
    });
    Server {
        host: "127.0.0.1".to_owned(),
        port: Some(port),
    }
}

#[test]
fn a_missing_common_cipher_suite_is_distinguished_from_a_bad_certificate() {
    let authority = Authority::new();
    let offered =
        "no version or cipher suite of TLS in common with this computer, which offers TLS 1.3, and TLS 1.2 by ECDHE";
    for (what, bytes, expected) in [
        // Fatal alerts of RFC 5246, 7.2.
        ("handshake_failure", &b"\x15\x03\x03\x00\x02\x02\x28"[..], offered),
        ("protocol_version", b"\x15\x03\x01\x00\x02\x02\x46", offered),
        ("insufficient_security", b"\x15\x03\x03\x00\x02\x02\x47", offered),
        ("nothing", b"", "closed the connection at the TLS handshake"),
    ] {
        let failure = first_search(&Servers::new(settings(&authority, &[server_sending(bytes)]))).expect_err(what);
        assert_eq!(failure.kind, ServerErrorKind::NotSent, "{what}");
        let (message, action) = (failure.error.message(), failure.error.recommended_action());
        assert!(message.contains(expected), "{what}: {message}");
        for part in [
            "Windows Server 2016 or later",
            "2012 R2",
            "ECDSA certificate",
            "docs/active-directory.md",
        ] {
            assert!(action.contains(part), "{what}: {action}");
        }
    }
    let failure = first_search(&Servers::new(settings(
        &authority,
        &[server_sending(b"\x15\x03\x03\x00\x02\x02\x50")],
    )));
    let action = failure
        .expect_err("internal_error")
        .error
        .recommended_action()
        .to_owned();
    assert!(!action.contains("Windows Server"), "{action}");
}

#[test]
fn an_unreadable_ca_file_is_a_configuration_error() {
    let authority = Authority::new();
    let server = ScriptedServer::start(&authority.sign(&["127.0.0.1"]), Tls::Ldaps, |_, _| None);
    let mut settings = settings(&authority, &[server.server(), server.named("localhost")]);
    let mailbox_missing = authority.file().with_file_name("none.pem");
    settings.ca_file = Some(mailbox_missing.clone());
    let failure = first_search(&Servers::new(settings)).expect_err("no authorities");
    assert_eq!(failure.kind, ServerErrorKind::Fatal);
    assert_eq!(failure.error.code(), ErrorCode::ConfigurationInvalid);
    assert!(failure.error.message().contains(&mailbox_missing.display().to_string()));
    assert_eq!(server.accepted(), 0);
}
