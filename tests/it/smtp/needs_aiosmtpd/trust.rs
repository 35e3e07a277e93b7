//! Whom the message, and the password, are given to.

use serde_json::json;
use umpin::notification::Notifier as _;
use umpin::notification::smtp::{SmtpNotifier, Tls};

use super::certificates::{Authority, Signed};
use super::rig::{PASSWORD, Sink, account, message, put_off};

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
        notifier.check().expect("a sound configuration");
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
fn every_doubt_about_a_certificate_has_its_own_words() {
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
            let why = put_off(&notifier(&sink, &authority, tls));
            assert_eq!(why, format!("The relay localhost, port {}, {expected}", sink.port));
            assert!(!sink.saw("AUTH") && !sink.saw("MAIL"), "it went on");
        }
    }
    // Without a file, the system's authorities count, and this one is not among them.
    let sink = sink(&authority.sign(&here), false);
    let mut relay = sink.relay(Tls::StartTls);
    relay.login = account("um");
    let why = put_off(&SmtpNotifier::new(relay));
    assert!(
        why.contains("not trusted here") || why.contains("no trusted certificate authorities"),
        "{why}"
    );
}

#[test]
fn without_starttls_nothing_is_sent() {
    // It offers to take the password in plain text.
    let sink = Sink::start(json!({ "user": "um", "password": PASSWORD }));
    let authority = Authority::new();
    let why = put_off(&notifier(&sink, &authority, Tls::StartTls));
    assert!(
        why.ends_with("does not offer STARTTLS, and nothing is sent without it"),
        "{why}"
    );
    let why = put_off(&notifier(&sink, &authority, Tls::Implicit));
    assert!(why.contains("does not speak TLS here"), "{why}");
    assert!(!sink.saw("AUTH") && !sink.saw("MAIL"));
}

#[test]
fn starttls_that_is_refused_or_tampered_with() {
    let authority = Authority::new();
    let mut sink = sink(&authority.sign(&["localhost"]), false);
    for (said, expected) in [
        ("454 4.7.0 not now", "refused STARTTLS for now: 454 4.7.0 not now"),
        ("502 5.5.1 what?", "refused STARTTLS: 502 5.5.1 what?"),
        // What somebody on the way put behind the answer would otherwise be taken for the relay's own words under TLS.
        (
            "220 go\r\n250-mail.contoso.com\r\n250 AUTH PLAIN",
            "closed the connection at the TLS handshake (data came before",
        ),
    ] {
        sink.answer(json!({ "STARTTLS": { "say": said } }));
        let why = put_off(&notifier(&sink, &authority, Tls::StartTls));
        assert!(why.contains(expected), "{why}");
    }
    sink.answer(json!({ "STARTTLS": { "drop": true } }));
    put_off(&notifier(&sink, &authority, Tls::StartTls));
    assert!(!sink.saw("AUTH") && !sink.saw("MAIL"));
}

#[cfg(unix)]
mod needs_network {
    use super::*;

    /// Another address of this computer stands for another computer.
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
        // The sink does take it there …
        SmtpNotifier::new(relay.clone())
            .deliver(&message("tony@contoso.com"))
            .expect("a delivery");
        assert_eq!(sink.connections(), 1);
        // … and is not even asked here.
        relay.host = address.to_string();
        let notifier = SmtpNotifier::new(relay);
        let error = notifier.check().expect_err("waiting does not mend it").to_string();
        assert!(
            error.contains(&format!("is at {address}, not on this computer")),
            "{error}"
        );
        let why = put_off(&notifier);
        assert!(
            why.contains("not on this computer, and 'notification.tls' is 'none'"),
            "{why}"
        );
        assert_eq!(sink.connections(), 1);
    }
}
