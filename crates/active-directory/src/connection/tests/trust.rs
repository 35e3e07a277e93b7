//! Whom a password is sent to.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;

use crate::connection::{Depth, Search};
use crate::failure::{Failure, FailureKind};
use crate::scripted::{Act, Authority, Request, Scripted, Signed, settings};
use crate::server::{Server, Tls};
use crate::servers::{Servers, Whom};
use umpin_core::ErrorCode;

fn first_answer(servers: &Servers) -> Result<usize, Failure> {
    servers.ask(Whom::DomainController("contoso.com"), |connection| {
        let answer = connection.search(&Search {
            base: "",
            depth: Depth::Base,
            filter: "(objectClass=*)",
            attributes: &["currentTime"],
            size_limit: 1,
        })?;
        Ok(answer.entries.len())
    })
}

fn outcome(signed: &Signed, trusted: &Authority, tls: Tls) -> (Scripted, Result<usize, Failure>) {
    let server = Scripted::start(signed, tls, |_, _| None);
    let mut settings = settings(trusted, &[server.server()]);
    settings.tls = tls;
    let outcome = first_answer(&Servers::new(settings));
    (server, outcome)
}

#[test]
fn a_certificate_that_does_not_hold_is_told_and_no_password_sent() {
    let authority = Authority::new();
    let stranger = Authority::new();
    for tls in [Tls::Ldaps, Tls::StartTls] {
        for (signed, said) in [
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
            let failure = outcome.expect_err(said);
            assert_eq!(failure.kind, FailureKind::Unreached);
            assert_eq!(failure.error.code(), ErrorCode::DirectoryUnavailable);
            let message = failure.error.message();
            assert!(message.contains(said) && message.contains("127.0.0.1"), "{message}");
            assert!(failure.error.recommended_action().contains("caFile"));
            assert_eq!(server.binds(), 0, "{said}");
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
    // It answers StartTLS with a refusal; and it would take the password.
    for code in [2, 52, 53] {
        let server = Scripted::start(&signed, Tls::StartTls, move |_, request| {
            matches!(request, Request::StartTls).then(|| vec![Act::Done(code, "no certificate")])
        });
        let mut refusing = settings(&authority, &[server.server()]);
        refusing.tls = Tls::StartTls;
        let failure = first_answer(&Servers::new(refusing)).expect_err("no TLS");
        assert_eq!(failure.kind, FailureKind::Unreached);
        let message = failure.error.message();
        assert!(
            message.contains("does not begin TLS") && message.contains("no certificate"),
            "{message}"
        );
        assert_eq!(failure.error.details()["ldapCode"], code);
        assert_eq!(server.binds(), 0);
    }
    // It speaks LDAP without TLS where TLS is expected.
    let server = Scripted::start(&signed, Tls::StartTls, |_, _| None);
    let failure = first_answer(&Servers::new(settings(&authority, &[server.server()]))).expect_err("no TLS");
    assert_eq!(failure.kind, FailureKind::Unreached, "{:?}", failure.error);
    assert_eq!(server.binds(), 0);
}

#[test]
fn an_ipv6_address_is_what_the_certificate_must_have() {
    let authority = Authority::new();
    for tls in [Tls::Ldaps, Tls::StartTls] {
        for (names, said) in [
            (&["::1"][..], None),
            (&["dc1.contoso.com", "2001:db8::1", "::1"], None),
            (&["2001:db8::1"], Some("for another name")),
            // What the library is told in its place.
            (&["00000000000000000000000000000001.invalid"], Some("for another name")),
        ] {
            let server = Scripted::start_at("[::1]:0", &authority.sign(names), tls, |_, _| None);
            let mut settings = settings(&authority, &[server.named("::1")]);
            settings.tls = tls;
            let answer = first_answer(&Servers::new(settings));
            match said {
                None => assert_eq!(answer.expect("trusted"), 1, "{names:?}"),
                Some(said) => {
                    let failure = answer.expect_err(said);
                    let message = failure.error.message();
                    let name = format!("[::1]:{}", server.port);
                    assert!(
                        message.contains(said) && message.contains(&name),
                        "{names:?}: {message}"
                    );
                    assert_eq!(server.binds(), 0, "{names:?}");
                }
            }
        }
    }
}

/// Answers each connection by these bytes and ends it.
fn answering(bytes: &'static [u8]) -> Server {
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
fn a_server_without_a_common_cipher_suite_is_told_from_one_with_a_bad_certificate() {
    let authority = Authority::new();
    let offered =
        "no version or cipher suite of TLS in common with this computer, which offers TLS 1.3, and TLS 1.2 by ECDHE";
    for (what, bytes, said) in [
        // Fatal alerts of RFC 5246, 7.2.
        ("handshake_failure", &b"\x15\x03\x03\x00\x02\x02\x28"[..], offered),
        ("protocol_version", b"\x15\x03\x01\x00\x02\x02\x46", offered),
        ("insufficient_security", b"\x15\x03\x03\x00\x02\x02\x47", offered),
        ("nothing", b"", "closed the connection at the TLS handshake"),
    ] {
        let failure = first_answer(&Servers::new(settings(&authority, &[answering(bytes)]))).expect_err(what);
        assert_eq!(failure.kind, FailureKind::Unreached, "{what}");
        let (message, action) = (failure.error.message(), failure.error.recommended_action());
        assert!(message.contains(said), "{what}: {message}");
        for part in [
            "Windows Server 2016 or later",
            "2012 R2",
            "ECDSA certificate",
            "docs/active-directory.md",
        ] {
            assert!(action.contains(part), "{what}: {action}");
        }
    }
    let failure = first_answer(&Servers::new(settings(
        &authority,
        &[answering(b"\x15\x03\x03\x00\x02\x02\x50")],
    )));
    let action = failure
        .expect_err("internal_error")
        .error
        .recommended_action()
        .to_owned();
    assert!(!action.contains("Windows Server"), "{action}");
}

#[test]
fn authorities_that_cannot_be_read_are_a_matter_of_the_configuration() {
    let authority = Authority::new();
    let server = Scripted::start(&authority.sign(&["127.0.0.1"]), Tls::Ldaps, |_, _| None);
    let mut settings = settings(&authority, &[server.server(), server.named("localhost")]);
    let missing = authority.file().with_file_name("none.pem");
    settings.ca_file = Some(missing.clone());
    let failure = first_answer(&Servers::new(settings)).expect_err("no authorities");
    assert_eq!(failure.kind, FailureKind::Hopeless);
    assert_eq!(failure.error.code(), ErrorCode::ConfigurationInvalid);
    assert!(failure.error.message().contains(&missing.display().to_string()));
    assert_eq!(server.accepted(), 0);
}
