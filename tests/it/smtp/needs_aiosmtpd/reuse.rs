//! Many messages over few connections.

use std::collections::HashSet;
use std::thread;

use serde_json::json;
use umpin::notification::smtp::{SmtpNotifier, Tls};
use umpin::notification::{DeliveryError, Notifier as _};

use super::certificates::Authority;
use super::harness::{PASSWORD, Sink, account, message, permanent_error};

#[test]
fn a_thousand_messages_go_over_one_connection() {
    let authority = Authority::new();
    let sink = Sink::trusted(&authority, json!({ "user": "um", "password": PASSWORD }));
    let mut relay = sink.relay(Tls::StartTls);
    relay.ca_file = Some(authority.file());
    relay.login = account("um");
    let notifier = SmtpNotifier::new(relay);
    let sent: Vec<_> = (0..1000).map(|n| message(&format!("user{n}@contoso.com"))).collect();
    for message in &sent {
        notifier.deliver(message).expect("a delivery");
    }
    let got = sink.messages(1000);
    assert_eq!(sink.connections(), 1);
    for (sent, got) in sent.iter().zip(&got) {
        assert_eq!(got.content, *sent.content);
        assert_eq!(got.recipients, [sent.recipient.as_str()]);
        assert_eq!(got.sender, "um@contoso.com");
    }
}

#[test]
fn many_threads_share_a_few_connections() {
    let sink = Sink::start(json!({ "pipelining": true }));
    let notifier = sink.plain();
    thread::scope(|scope| {
        for thread in 0..16 {
            let notifier = &notifier;
            scope.spawn(move || {
                for n in 0..25 {
                    let message = message(&format!("user{thread}-{n}@contoso.com"));
                    notifier.deliver(&message).expect("a delivery");
                }
            });
        }
    });
    let got = sink.messages(400);
    let recipients: HashSet<_> = got.iter().flat_map(|got| &got.recipients).collect();
    assert_eq!(recipients.len(), 400);
    assert!(sink.connections() <= 4, "{} connections", sink.connections());
}

#[test]
fn a_connection_closed_by_the_relay_is_replaced() {
    for pipelining in [false, true] {
        is_replaced(pipelining);
    }
}

fn is_replaced(pipelining: bool) {
    let mut sink = Sink::start(json!({ "pipelining": pipelining }));
    let notifier = sink.plain();
    for (round, last_words) in ["", "421 4.4.2 idle for too long"].into_iter().enumerate() {
        notifier.deliver(&message("tony@contoso.com")).expect("a delivery");
        sink.close_connections(last_words);
        notifier.deliver(&message("tony@contoso.com")).expect("a delivery");
        assert_eq!(sink.connections(), round + 2);
    }
    sink.messages(4);
    // Also if the relay closes it at the start of the next message or within it.
    for stage in ["MAIL", "RCPT", "DATA"] {
        for answer in [
            json!({ "say": "421 4.7.0 enough", "times": 1 }),
            json!({ "drop": true, "times": 1 }),
        ] {
            let before = sink.connections();
            sink.answer(json!({ (stage): answer }));
            notifier.deliver(&message("tony@contoso.com")).expect("a delivery");
            assert_eq!(sink.connections(), before + 1, "{stage}");
        }
    }
    sink.messages(10);
}

#[test]
fn a_failing_new_connection_is_not_retried() {
    let mut sink = Sink::start(json!({}));
    let notifier = sink.plain();
    notifier.deliver(&message("tony@contoso.com")).expect("a delivery");
    sink.answer(json!({ "MAIL": { "drop": true } }));
    assert!(matches!(
        notifier.deliver(&message("tony@contoso.com")),
        Err(DeliveryError::Temporary(_))
    ));
    assert_eq!(sink.connections(), 2);
}

#[test]
fn a_rejected_message_keeps_the_connection() {
    for pipelining in [false, true] {
        leaves_the_connection(pipelining);
    }
}

fn leaves_the_connection(pipelining: bool) {
    let mut sink = Sink::start(json!({ "pipelining": pipelining }));
    let notifier = sink.plain();
    for stage in ["MAIL", "RCPT", "DATA", "CONTENT"] {
        sink.answer(json!({ (stage): { "say": "550 5.1.1 not this one", "times": 1 } }));
        permanent_error(&notifier);
        notifier.deliver(&message("tony@contoso.com")).expect("a delivery");
    }
    assert_eq!(sink.connections(), 1);
    assert_eq!(sink.messages(5).iter().filter(|got| got.taken).count(), 4);
}
