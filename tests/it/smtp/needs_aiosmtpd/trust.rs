//! Certificate verification: which relays get the message and the password.

use serde_json::json;
use umpin::notification::Notifier as _;
use umpin::notification::smtp::{SmtpNotifier, Tls};

use super::certificates::{Authority, Signed};
use super::harness::{PASSWORD, Sink, account, message, temporary_error};

fn sink(signed: &Signed, implicit: bool) -> Sink {
    Sink::start(json!({
        "certificate": signed.certificate, "key": signed.key, "implicit": implicit, "user": "um", "password": PASSWORD,
    }))
}

fn notifier(sink: &Sink, authority: &Authority, tls: Tls) -> SmtpNotifier {
    let mut relay = sink.relay(tls);
    relay.ca_file = Some(authority.file());
    relay.login = account("um");
    SmtpNotifier::new(relay)
}

#[test]
fn a_trusted_relay_gets_the_message_encrypted() {
    let authority = Authority::new();
    for (implicit, tls) in [(false, Tls::StartTls), (true, Tls::Implicit)] {
        let sink = sink(&authority.sign(&["localhost"]), implicit);
        let notifier = notifier(&sink, &authority, tls);
        notifier.check().expect("a valid configuration");
        notifier.deliver(&message("tony@contoso.com")).expect("a delivery");
        let got = &sink.messages(1)[0];
        assert!(got.tls);
        assert_eq!(got.mechanism.as_deref(), Some("PLAIN"));
        for event in sink.events("command") {
            let first = event["stage"] == "STARTTLS" || event["stage"] == "EHLO";
            assert!(first || event["tls"] == true, "{event}");
        }
    }
}

#[test]
fn a_relay_may_be_known_by_its_address() {
    let authority = Authority::new();
    let sink = sink(&authority.sign(&["127.0.0.1"]), false);
    let mut relay = sink.relay(Tls::StartTls);
    relay.host = "127.0.0.1".to_owned();
    relay.ca_file = Some(authority.file());
    relay.login = account("um");
    SmtpNotifier::new(relay)
        .deliver(&message("tony@contoso.com"))
        .expect("a delivery");
}

#[test]
fn each_certificate_error_has_its_own_message() {
    let authority = Authority::new();
    let other = Authority::new();
    let here = ["localhost"];
    for (signed, expected) in [
        (
            authority.sign(&["mail.fabrikam.com"]),
            "has a certificate for another name (mail.fabrikam.com)",
        ),
        (authority.sign_expired(&here), "has a certificate that has expired"),
        (authority.sign_early(&here), "has a certificate that is not valid yet"),
        (
            other.sign(&here),
            "has a certificate of an authority that is not trusted here",
        ),
    ] {
        for (implicit, tls) in [(false, Tls::StartTls), (true, Tls::Implicit)] {
            let sink = sink(&signed, implicit);
            let why = temporary_error(&notifier(&sink, &authority, tls));
            assert_eq!(why, format!("The relay localhost, port {}, {expected}", sink.port));
            assert!(!sink.reached("AUTH") && !sink.reached("MAIL"), "it went on");
        }
    }
    // Without a file the system's authorities apply, which do not include this one.
    let sink = sink(&authority.sign(&here), false);
    let mut relay = sink.relay(Tls::StartTls);
    relay.login = account("um");
    let why = temporary_error(&SmtpNotifier::new(relay));
    assert!(
        why.contains("not trusted here") || why.contains("no trusted certificate authorities"),
        "{why}"
    );
}

#[test]
fn without_starttls_nothing_is_sent() {
    // The relay offers authentication in plain text.
    let sink = Sink::start(json!({ "user": "um", "password": PASSWORD }));
    let authority = Authority::new();
    let why = temporary_error(&notifier(&sink, &authority, Tls::StartTls));
    assert!(
        why.ends_with("does not offer STARTTLS, and nothing is sent without it"),
        "{why}"
    );
    let why = temporary_error(&notifier(&sink, &authority, Tls::Implicit));
    assert!(why.contains("does not speak TLS here"), "{why}");
    assert!(!sink.reached("AUTH") && !sink.reached("MAIL"));
}

#[test]
fn rejected_or_manipulated_starttls_is_an_error() {
    let authority = Authority::new();
    let mut sink = sink(&authority.sign(&["localhost"]), false);
    for (said, expected) in [
        ("454 4.7.0 not now", "refused STARTTLS for now: 454 4.7.0 not now"),
        ("502 5.5.1 what?", "refused STARTTLS: 502 5.5.1 what?"),
        // Data injected after the reply to STARTTLS would otherwise be read as a reply under TLS.
        (
            "220 go\r\n250-mail.contoso.com\r\n250 AUTH PLAIN",
            "closed the connection at the TLS handshake (data came before",
        ),
    ] {
        sink.answer(json!({ "STARTTLS": { "say": said } }));
        let why = temporary_error(&notifier(&sink, &authority, Tls::StartTls));
        assert!(why.contains(expected), "{why}");
    }
    sink.answer(json!({ "STARTTLS": { "drop": true } }));
    temporary_error(&notifier(&sink, &authority, Tls::StartTls));
    assert!(!sink.reached("AUTH") && !sink.reached("MAIL"));
}

#[cfg(unix)]
mod needs_network {
    use super::*;

    /// A non-loopback address of this computer stands for another computer.
    #[test]
    fn plain_text_never_leaves_this_computer() {
        let address = nix::ifaddrs::getifaddrs()
            .expect("interfaces")
            .filter_map(|interface| Some(interface.address?.as_sockaddr_in()?.ip()))
            .find(|ip| !ip.is_loopback())
            .expect("this computer has another address than the loopback");
        let sink = Sink::start(json!({ "user": "um", "password": PASSWORD, "address": "0.0.0.0" }));
        let mut relay = sink.relay(Tls::None);
        relay.login = account("um");
        // The relay accepts the message on that address …
        SmtpNotifier::new(relay.clone())
            .deliver(&message("tony@contoso.com"))
            .expect("a delivery");
        assert_eq!(sink.connections(), 1);
        // … and the notifier does not connect to it.
        relay.host = address.to_string();
        let notifier = SmtpNotifier::new(relay);
        let error = notifier.check().expect_err("a permanent error").to_string();
        assert!(
            error.contains(&format!("is at {address}, not on this computer")),
            "{error}"
        );
        let why = temporary_error(&notifier);
        assert!(
            why.contains("not on this computer, and 'notification.tls' is 'none'"),
            "{why}"
        );
        assert_eq!(sink.connections(), 1);
    }
}
