//! Addresses: internationalised, unusual, and injected commands.

use serde_json::json;
use umpin::notification::smtp::{SmtpNotifier, Tls};
use umpin::notification::{DeliveryError, Notifier as _};

use super::harness::{PIN, Sink, discreet, message};

#[test]
fn international_addresses_need_smtputf8() {
    for utf8 in [true, false] {
        let sink = Sink::start(json!({ "utf8": utf8 }));
        let notifier = sink.plain();
        let mail = message("zoë@bücher.example");
        let sent = notifier.deliver(&mail);
        if utf8 {
            sent.expect("a delivery");
            let got = &sink.messages(1)[0];
            assert_eq!(got.recipients, ["zoë@bücher.example"]);
            assert!(
                got.options.iter().any(|option| option == "SMTPUTF8"),
                "{:?}",
                got.options
            );
            assert!(
                got.options.iter().any(|option| option == "BODY=8BITMIME"),
                "{:?}",
                got.options
            );
            assert_eq!(got.content, *mail.content);
        } else {
            let Err(DeliveryError::Permanent(why)) = sent else {
                panic!("{sent:?}");
            };
            assert!(discreet(why).contains("does not take internationalised addresses (SMTPUTF8)"));
            assert!(!sink.reached("MAIL"));
        }
    }
}

#[test]
fn a_domain_has_an_ascii_form_for_every_relay() {
    let sink = Sink::start(json!({ "utf8": false }));
    let mut mail = message("tony@bücher.example");
    mail.content = format!("To: tony@xn--bcher-kva.example\r\n\r\n{PIN}\r\n")
        .into_bytes()
        .into();
    let mut relay = sink.relay(Tls::None);
    relay.from = "Rufnummern Büro <um@bücher.example>".to_owned();
    SmtpNotifier::new(relay).deliver(&mail).expect("a delivery");
    let got = &sink.messages(1)[0];
    assert_eq!(got.recipients, ["tony@xn--bcher-kva.example"]);
    assert_eq!(got.sender, "um@xn--bcher-kva.example");
    assert!(got.options.is_empty(), "{:?}", got.options);
}

#[test]
fn unusual_addresses_are_delivered_unchanged() {
    let sink = Sink::start(json!({}));
    let notifier = sink.plain();
    let addresses = [
        "tony+um@contoso.com",
        "o'brien@contoso.com",
        "a/b=c@contoso.com",
        "TONY@CONTOSO.com",
        "um@localhost",
    ];
    for address in addresses {
        notifier.deliver(&message(address)).expect("a delivery");
    }
    let got: Vec<_> = sink
        .messages(addresses.len())
        .into_iter()
        .flat_map(|got| got.recipients)
        .collect();
    assert_eq!(got, addresses);
}

#[test]
fn addresses_and_messages_cannot_inject_commands() {
    let sink = Sink::start(json!({}));
    let notifier = sink.plain();
    for recipient in [
        "tony@contoso.com>\r\nRCPT TO:<x@fabrikam.com",
        "tony@contoso.com\r\nRCPT TO:<x@fabrikam.com>",
        "tony@contoso.com> SIZE=1",
        "tony@contoso.com,x@fabrikam.com",
        "tony@contoso.com\nDATA",
        "<tony@contoso.com>",
        "tony\0@contoso.com",
        "",
    ] {
        let sent = notifier.deliver(&message(recipient));
        assert!(
            matches!(sent, Err(DeliveryError::Permanent(_))),
            "{recipient:?}: {sent:?}"
        );
    }
    for from in [
        "um@contoso.com>\r\nRCPT TO:<x@fabrikam.com",
        "Um\r\nBcc: x@fabrikam.com <um@contoso.com>",
        "um@contoso.com, x@fabrikam.com",
        "",
    ] {
        let mut relay = sink.relay(Tls::None);
        relay.from = from.to_owned();
        let sent = SmtpNotifier::new(relay).deliver(&message("tony@contoso.com"));
        assert!(matches!(sent, Err(DeliveryError::Permanent(_))), "{from:?}: {sent:?}");
    }
    assert_eq!(sink.connections(), 0);
    // A line that ends in LF alone would end the message for some relays, and the rest would be commands.
    for smuggled in [
        "a\n.\nMAIL FROM:<x@fabrikam.com>\r\n",
        "a\r.\rQUIT\r\n",
        "a\r\n.\nQUIT\r\n",
    ] {
        let mut mail = message("tony@contoso.com");
        mail.content = smuggled.as_bytes().to_vec().into();
        let sent = notifier.deliver(&mail);
        assert!(
            matches!(sent, Err(DeliveryError::Permanent(_))),
            "{smuggled:?}: {sent:?}"
        );
    }
    assert!(!sink.reached("MAIL"));
    let mail = message("tony@contoso.com");
    notifier.deliver(&mail).expect("a delivery");
    assert_eq!(sink.messages(1)[0].content, *mail.content);
}
