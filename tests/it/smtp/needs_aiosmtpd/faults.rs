//! Faults of a relay, and the resulting delivery errors.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use umpin::notification::Notifier as _;
use umpin::notification::smtp::{SmtpNotifier, Tls};

use super::harness::{PIN, Sink, message, permanent_error, temporary_error};

#[test]
fn a_rejected_message_is_permanent_and_other_errors_are_temporary() {
    refusals(false);
}

#[test]
fn rejections_are_assigned_to_commands_when_pipelined() {
    refusals(true);
}

fn refusals(pipelining: bool) {
    let mut sink = Sink::start(json!({ "pipelining": pipelining }));
    let port = sink.port;
    let cases: &[(&str, &str, bool, &str)] = &[
        (
            "greeting",
            "554 5.3.2 no service here",
            false,
            "refused the connection: 554 5.3.2 no service here",
        ),
        (
            "greeting",
            "421 4.3.2 shutting down",
            false,
            "refused the connection for now: 421 4.3.2 shutting down",
        ),
        (
            "EHLO",
            "550 5.7.1 who are you?",
            false,
            "refused EHLO: 550 5.7.1 who are you?",
        ),
        (
            "MAIL",
            "450 4.7.1 slow down",
            false,
            "refused the sender for now: 450 4.7.1 slow down",
        ),
        (
            "MAIL",
            "550 5.7.60 not allowed to send as this sender",
            true,
            "refused the sender: 550 5.7.60 not allowed to send as this sender",
        ),
        (
            "RCPT",
            "450 4.2.0 greylisted",
            false,
            "refused the recipient for now: 450 4.2.0 greylisted",
        ),
        (
            "RCPT",
            "550 5.1.1 no such user",
            true,
            "refused the recipient: 550 5.1.1 no such user",
        ),
        (
            "RCPT",
            "421 4.7.0 too much",
            false,
            "refused the recipient for now: 421 4.7.0 too much",
        ),
        (
            "DATA",
            "451 4.3.0 no space",
            false,
            "refused DATA for now: 451 4.3.0 no space",
        ),
        (
            "DATA",
            "554 5.5.1 no valid recipients",
            true,
            "refused DATA: 554 5.5.1 no valid recipients",
        ),
        (
            "CONTENT",
            "451 4.3.0 disk full",
            false,
            "refused the message for now: 451 4.3.0 disk full",
        ),
        (
            "CONTENT",
            "552 5.3.4 too large",
            true,
            "refused the message: 552 5.3.4 too large",
        ),
        (
            "CONTENT",
            "421 4.3.0 going down",
            false,
            "refused the message for now: 421 4.3.0 going down",
        ),
    ];
    for (stage, said, is_final, expected) in cases {
        sink.answer(json!({ (*stage): { "say": said } }));
        let notifier = sink.plain();
        let why = if *is_final {
            permanent_error(&notifier)
        } else {
            temporary_error(&notifier)
        };
        assert_eq!(why, format!("The relay localhost, port {port}, {expected}"));
    }
    // No message was accepted, and the next one is delivered.
    sink.answer(json!({}));
    let refusals = sink.events("message");
    assert!(refusals.iter().all(|event| event["taken"] == false), "{refusals:?}");
    let before = refusals.len();
    sink.plain().deliver(&message("tony@contoso.com")).expect("a delivery");
    assert!(sink.messages(before + 1)[before].taken);
}

#[test]
fn no_content_is_sent_for_a_rejected_recipient() {
    let mut sink = Sink::start(json!({ "pipelining": true }));
    let notifier = sink.plain();
    sink.answer(json!({ "RCPT": { "say": "550 5.1.1 no such user" }, "DATA": { "say": "354 go on" } }));
    let why = permanent_error(&notifier);
    assert!(why.ends_with("refused the recipient: 550 5.1.1 no such user"), "{why}");
    sink.answer(json!({}));
    notifier.deliver(&message("tony@contoso.com")).expect("a delivery");
    assert_eq!(sink.messages(1).len(), 1);
    assert_eq!(sink.connections(), 2);
}

#[test]
fn a_lost_connection_is_a_temporary_error() {
    let mut sink = Sink::start(json!({}));
    for (stage, expected) in [
        ("greeting", "closed the connection without a greeting"),
        ("EHLO", "closed the connection at EHLO"),
        ("MAIL", "closed the connection at the sender"),
        ("RCPT", "closed the connection at the recipient"),
        ("DATA", "closed the connection at DATA"),
        ("CONTENT", "closed the connection before it confirmed the message"),
    ] {
        sink.answer(json!({ (stage): { "drop": true } }));
        let why = temporary_error(&sink.plain());
        assert!(why.contains(expected), "{stage}: {why}");
    }
    // The last message was handed over without a reply. It is not sent again at once.
    assert_eq!(sink.messages(1).len(), 1);
}

#[test]
fn a_handed_over_message_is_repeated_with_the_same_id_by_the_next_attempt_only() {
    let mut sink = Sink::start(json!({}));
    let notifier = sink.plain();
    notifier.deliver(&message("first@contoso.com")).expect("a delivery");
    let lost = message("tony@contoso.com");
    sink.answer(json!({ "CONTENT": { "drop": true, "times": 1 } }));
    notifier.deliver(&lost).expect_err("the reply is lost");
    assert_eq!(sink.messages(2).len(), 2);
    notifier.deliver(&lost).expect("a delivery");
    let got = sink.messages(3);
    assert_eq!(got[1].content, got[2].content);
}

#[test]
fn a_silent_relay_times_out() {
    let mut sink = Sink::start(json!({}));
    let drip = |text: &str| json!({ "drip": 0.3, "say": text });
    let endless = "2".repeat(100);
    let cases: &[(&str, Value)] = &[
        ("greeting", json!({ "stall": true })),
        ("RCPT", json!({ "stall": true })),
        ("CONTENT", json!({ "stall": true })),
        // Replies sent byte by byte do not extend the time limit.
        ("greeting", drip("220 mail.contoso.com and so on and so forth")),
        ("MAIL", drip(&endless)),
    ];
    for (stage, answer) in cases {
        sink.answer(json!({ (*stage): answer }));
        let mut relay = sink.relay(Tls::None);
        relay.timeout = Duration::from_secs(1);
        let start = Instant::now();
        let why = temporary_error(&SmtpNotifier::new(relay));
        assert!(why.contains("did not answer") && why.ends_with("within 1 s"), "{why}");
        let took = start.elapsed();
        assert!(
            took >= Duration::from_millis(900) && took < Duration::from_secs(4),
            "{took:?}"
        );
    }
}

#[test]
fn a_slow_relay_opens_the_circuit_breaker() {
    let mut sink = Sink::start(json!({ "answers": { "greeting": { "stall": true } } }));
    let mut relay = sink.relay(Tls::None);
    relay.timeout = Duration::from_secs(1);
    let notifier = SmtpNotifier::new(relay);
    let first = temporary_error(&notifier);
    let start = Instant::now();
    for _ in 0..50 {
        assert_eq!(temporary_error(&notifier), first);
    }
    assert!(start.elapsed() < Duration::from_millis(500), "{:?}", start.elapsed());
    assert_eq!(sink.connections(), 1);
    sink.answer(json!({}));
    let end = Instant::now() + Duration::from_secs(20);
    while notifier.deliver(&message("tony@contoso.com")).is_err() {
        assert!(Instant::now() < end, "it never tried again");
        std::thread::sleep(Duration::from_millis(200));
    }
}

#[test]
fn invalid_replies_are_rejected() {
    let mut sink = Sink::start(json!({}));
    let long = "x".repeat(40_000);
    for (stage, said) in [
        ("greeting", "HTTP/1.1 400 Bad Request"),
        ("EHLO", "250-mail.contoso.com\r\n251 other"),
        ("MAIL", "garbage"),
        ("RCPT", "999 ok"),
        ("MAIL", long.as_str()),
        // A positive reply other than 354.
        ("DATA", "250 no need to"),
        ("CONTENT", "\u{0}\u{1}\u{2}"),
        // Unsolicited replies.
        (
            "EHLO",
            "250-mail.contoso.com\r\n250 ok\r\n250 ok\r\n250 ok\r\n354 go\r\n250 taken",
        ),
    ] {
        sink.answer(json!({ (stage): { "say": said } }));
        let why = temporary_error(&sink.plain());
        assert!(why.contains("sent an unexpected reply"), "{stage}: {why}");
    }
}

#[test]
fn a_relay_that_repeats_the_content_is_not_quoted() {
    let mut sink = Sink::start(json!({}));
    sink.answer(
        json!({ "CONTENT": { "say": format!("550-5.7.1 refused\u{1b}[2J:\r\n550 'your PIN is {PIN}', {PIN}0.") } }),
    );
    let why = permanent_error(&sink.plain());
    assert!(
        why.ends_with("refused the message: 550 5.7.1 refused [2J: 'your PIN is …', …"),
        "{why}"
    );
}

#[test]
fn an_unreachable_relay_is_a_temporary_error() {
    let mut sink = Sink::start(json!({}));
    let mut relay = sink.relay(Tls::None);
    sink.close_connections("");
    drop(sink);
    let notifier = SmtpNotifier::new(relay.clone());
    // The check passes: the message can wait in the outbox.
    notifier.check().expect("a valid configuration");
    let why = temporary_error(&notifier);
    assert!(why.contains("cannot be reached: Connection refused"), "{why}");
    relay.host = "relay.invalid".to_owned();
    relay.tls = Tls::StartTls;
    let notifier = SmtpNotifier::new(relay);
    notifier.check().expect("a valid configuration");
    let why = temporary_error(&notifier);
    assert!(
        why.starts_with("The relay relay.invalid, port ") && why.contains("is not known by that name"),
        "{why}"
    );
}
