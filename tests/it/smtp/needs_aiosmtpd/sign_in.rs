//! Authentication at the relay.

use std::fs;

use serde_json::json;
use umpin::notification::Notifier as _;
use umpin::notification::smtp::{Login, SmtpNotifier, Tls};
use umpin::password::Password;

use super::certificates::Authority;
use super::harness::{PASSWORD, Sink, account, discreet, message, temporary_error};

fn notifier(sink: &Sink, authority: &Authority, password: Password) -> SmtpNotifier {
    let mut relay = sink.relay(Tls::StartTls);
    relay.ca_file = Some(authority.file());
    relay.login = Some(Login {
        user: "um".to_owned(),
        password,
    });
    SmtpNotifier::new(relay)
}

fn from_account() -> Password {
    account("um").expect("an account").password
}

#[test]
fn both_mechanisms_work_from_file_and_variable() {
    let authority = Authority::new();
    let folder = tempfile::tempdir().expect("a temporary directory");
    let file = folder.path().join("relay.password");
    umpin::platform::files::write_atomically(&file, format!("{PASSWORD}\n").as_bytes(), None).expect("a file");
    for (without, mechanism) in [(json!([]), "PLAIN"), (json!(["PLAIN"]), "LOGIN")] {
        let options = json!({ "user": "um", "password": PASSWORD, "without": without });
        let sink = Sink::trusted(&authority, options);
        for password in [from_account(), Password::File(file.clone())] {
            notifier(&sink, &authority, password)
                .deliver(&message("tony@contoso.com"))
                .expect("a delivery");
        }
        for got in sink.messages(2) {
            assert_eq!(got.mechanism.as_deref(), Some(mechanism));
        }
    }
}

#[test]
fn a_rejected_sign_in_is_reported_without_the_password() {
    let authority = Authority::new();
    let wrong = json!({ "user": "um", "password": "another" });
    let mut sink = Sink::trusted(&authority, wrong);
    let why = temporary_error(&notifier(&sink, &authority, from_account()));
    assert_eq!(
        why,
        format!(
            "The relay localhost, port {}, refused the sign-in as 'um': 535 5.7.8 Authentication credentials invalid",
            sink.port
        )
    );
    sink.answer(json!({ "AUTH": { "say": "454 4.7.0 directory is down" } }));
    let why = temporary_error(&notifier(&sink, &authority, from_account()));
    assert!(
        why.ends_with("refused the sign-in as 'um' for now: 454 4.7.0 directory is down"),
        "{why}"
    );
    for echo in [PASSWORD.to_owned(), "AHVtAHN3b3JkZmlzaCA0NzExIQ==".to_owned()] {
        sink.answer(json!({ "AUTH": { "say": format!("535 5.7.8 no account has {echo}") } }));
        let why = temporary_error(&notifier(&sink, &authority, from_account()));
        assert!(
            why.ends_with("refused the sign-in as 'um': 535") && !why.contains("AHVt"),
            "{why}"
        );
    }
    // A challenge is not a success.
    sink.answer(json!({ "AUTH": { "say": "334 " } }));
    let why = temporary_error(&notifier(&sink, &authority, from_account()));
    assert!(why.contains("sent an unexpected reply to the sign-in"), "{why}");
    assert!(!sink.reached("MAIL"));
}

#[test]
fn no_password_is_sent_without_auth() {
    let authority = Authority::new();
    let options = json!({ "user": "um", "password": PASSWORD, "without": ["PLAIN", "LOGIN"] });
    let sink = Sink::trusted(&authority, options);
    let why = temporary_error(&notifier(&sink, &authority, from_account()));
    assert!(
        why.ends_with("does not offer to sign in as 'um' with a password (PLAIN or LOGIN)"),
        "{why}"
    );
    assert!(!sink.reached("AUTH") && !sink.reached("MAIL"));
}

#[test]
fn a_missing_password_fails_the_check_and_delays_queued_messages() {
    let authority = Authority::new();
    let sink = Sink::trusted(&authority, json!({ "user": "um", "password": PASSWORD }));
    let folder = tempfile::tempdir().expect("a temporary directory");
    let file = folder.path().join("relay.password");
    let notifier = notifier(&sink, &authority, Password::File(file.clone()));
    let error = notifier.check().expect_err("there is no file");
    assert_eq!(error.code(), umpin::ErrorCode::NotificationUnavailable);
    assert!(
        error.message().contains("relay.password' cannot be read"),
        "{}",
        error.message()
    );
    temporary_error(&notifier);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        fs::write(&file, PASSWORD).expect("a file");
        fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).expect("a mode");
        let error = notifier.check().expect_err("everybody can read it").to_string();
        assert!(error.contains("mode 0644 lets everybody in"), "{error}");
        discreet(error.trim_end_matches('.').to_owned());
        let why = temporary_error(&notifier);
        assert!(why.contains("mode 0644 lets everybody in"), "{why}");
        assert_eq!(sink.connections(), 0);
        fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).expect("a mode");
        notifier.check().expect("a private file");
        notifier.deliver(&message("tony@contoso.com")).expect("a delivery");
    }
}

#[test]
fn a_changed_password_is_used_at_the_next_connection() {
    let authority = Authority::new();
    let mut sink = Sink::trusted(&authority, json!({ "user": "um", "password": PASSWORD }));
    let folder = tempfile::tempdir().expect("a temporary directory");
    let file = folder.path().join("relay.password");
    let write = |text: &str| umpin::platform::files::write_atomically(&file, text.as_bytes(), None).expect("a file");
    write("old");
    let notifier = notifier(&sink, &authority, Password::File(file.clone()));
    temporary_error(&notifier);
    write(PASSWORD);
    notifier.deliver(&message("tony@contoso.com")).expect("a delivery");
    sink.close_connections("");
    notifier.deliver(&message("tony@contoso.com")).expect("a delivery");
    sink.messages(2);
}
