//! The relay in the configuration check.

use umpin::check::{Check, CheckStatus, Subject};
use umpin::clock::{Clock as _, SystemClock};
use umpin::notification::Notifier as _;
use umpin::notification::smtp::{SmtpNotifier, Tls};

use serde_json::json;

use super::certificates::Authority;
use super::harness::{PASSWORD, Sink, account};

#[track_caller]
fn the(checks: &[Check], subject: Subject, status: CheckStatus, says: &str) {
    let found = checks
        .iter()
        .find(|check| check.subject == subject && check.status == status);
    let found = found.unwrap_or_else(|| panic!("no {subject:?} that {status:?}: {checks:#?}"));
    assert!(found.message.contains(says), "{found:?} lacks {says}");
    assert!(!found.message.contains(PASSWORD), "{found:?}");
}

fn examined(notifier: &SmtpNotifier) -> Vec<Check> {
    notifier.examine(SystemClock.now())
}

#[test]
fn the_check_connects_and_authenticates_without_a_message() {
    let authority = Authority::new();
    let sink = Sink::trusted(&authority, json!({ "user": "um", "password": PASSWORD }));
    let mut relay = sink.relay(Tls::StartTls);
    relay.ca_file = Some(authority.file());
    relay.login = account("um");
    let checks = examined(&SmtpNotifier::new(relay.clone()));
    the(
        &checks,
        Subject::MailRelay,
        CheckStatus::Passed,
        "takes the sign-in of 'um'",
    );
    the(&checks, Subject::Certificate, CheckStatus::Passed, "for localhost");
    sink.messages(0);
    relay.ca_file = None;
    let checks = examined(&SmtpNotifier::new(relay));
    the(&checks, Subject::MailRelay, CheckStatus::Failed, "not trusted");
    the(&checks, Subject::Certificate, CheckStatus::Failed, "not trusted");
}

#[test]
fn a_rejected_sign_in_and_a_relay_without_tls_are_results() {
    let authority = Authority::new();
    let sink = Sink::trusted(&authority, json!({ "user": "um", "password": "another" }));
    let mut relay = sink.relay(Tls::StartTls);
    relay.ca_file = Some(authority.file());
    relay.login = account("um");
    let checks = examined(&SmtpNotifier::new(relay));
    the(
        &checks,
        Subject::MailRelay,
        CheckStatus::Failed,
        "refused the sign-in as 'um'",
    );
    let plain = Sink::start(json!({}));
    let checks = examined(&SmtpNotifier::new(plain.relay(Tls::StartTls)));
    the(
        &checks,
        Subject::MailRelay,
        CheckStatus::Failed,
        "does not offer STARTTLS",
    );
    let checks = examined(&plain.plain());
    the(&checks, Subject::MailRelay, CheckStatus::Passed, "asks for no sign-in");
    the(&checks, Subject::Certificate, CheckStatus::Skipped, "without TLS");
}
