use std::path::Path;
use std::time::Duration;

use super::*;
use crate::config::{Config, NotificationConfig, OpenRequest};
use crate::password::Password;

const FILE: &str = "/etc/umpin/umpin.json";

/// What is resolved of a `notification` object with `type`, `host` and `from` already in it.
fn resolved(more: &str) -> Result<Relay, String> {
    let folder = tempfile::tempdir().expect("temporary folder");
    let file = folder.path().join("umpin.json");
    let text = format!(
        r#"{{ "serviceGroup": "umpin", "notification": {{ "type": "smtp", "host": "mail.contoso.com", "from": "um@contoso.com"{more} }} }}"#
    );
    std::fs::write(&file, text).expect("writable");
    let open = OpenRequest {
        config_file: Some(file.clone()),
        data_directory: "/data".into(),
        variables: serde_json::from_str(r#"{ "UMPIN_RELAY": "um-pass", "UMPIN_HOME": "/data" }"#).expect("variables"),
        ..OpenRequest::default()
    };
    let beside = folder.path().display().to_string();
    match Config::load(&open) {
        Ok(Config {
            notification: NotificationConfig::Smtp(mut relay),
            ..
        }) => {
            let moved = |path: &mut std::path::PathBuf| {
                *path = Path::new(FILE).with_file_name(path.strip_prefix(&beside).expect("beside"))
            };
            relay.ca_file.iter_mut().for_each(moved);
            if let Some(Login {
                password: Password::File(path),
                ..
            }) = &mut relay.login
            {
                moved(path);
            }
            Ok(relay)
        }
        Ok(other) => panic!("{other:?}"),
        Err(error) => Err(error.message().replace(&file.display().to_string(), FILE)),
    }
}

#[test]
fn the_least_is_a_host_and_a_sender() {
    assert_eq!(
        resolved("").expect("sound"),
        Relay {
            host: "mail.contoso.com".to_owned(),
            port: 587,
            tls: Tls::StartTls,
            ca_file: None,
            login: None,
            from: "um@contoso.com".to_owned(),
            timeout: Duration::from_secs(30),
            group: Some("umpin".to_owned()),
        }
    );
    for (tls, port) in [("startTls", 587), ("implicit", 465), ("none", 25)] {
        assert_eq!(resolved(&format!(r#", "tls": "{tls}""#)).expect("sound").port, port);
    }
}

#[test]
fn all_of_it_is_taken() {
    let relay = resolved(
        r#", "port": 2525, "tls": "implicit", "caFile": "ca.pem", "user": "um", "passwordFile": "relay.password",
           "timeoutSeconds": 100"#,
    )
    .expect("sound");
    assert_eq!(
        (relay.port, relay.tls, relay.timeout.as_secs()),
        (2525, Tls::Implicit, 100)
    );
    assert_eq!(relay.ca_file.as_deref(), Some(Path::new("/etc/umpin/ca.pem")));
    assert_eq!(
        relay.login,
        Some(Login {
            user: "um".to_owned(),
            password: Password::File("/etc/umpin/relay.password".into()),
        })
    );
}

#[test]
fn a_variable_is_taken_from_the_caller_and_never_shown() {
    let variable = |name: &str| {
        let relay = resolved(&format!(r#", "user": "um", "passwordVariable": "{name}""#)).expect("sound");
        assert!(!format!("{relay:?}").contains("um-pass"));
        match relay.login.expect("a login").password {
            Password::Variable { name, value } => (name, value.map(|value| value.expose().to_owned())),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(
        variable("UMPIN_RELAY"),
        ("UMPIN_RELAY".to_owned(), Some("um-pass".to_owned()))
    );
    // That it is not set is told when it is needed.
    assert_eq!(variable("UMPIN_OTHER"), ("UMPIN_OTHER".to_owned(), None));
}

#[test]
fn hosts_are_names_that_certificates_can_have() {
    for (text, name) in [
        ("mail.contoso.com", Some("mail.contoso.com")),
        ("localhost", Some("localhost")),
        ("bücher.example", Some("xn--bcher-kva.example")),
        ("192.0.2.1", Some("192.0.2.1")),
        ("[2001:db8::1]", Some("2001:db8::1")),
        ("2001:db8::1", Some("2001:db8::1")),
        ("[2001:db8::1]:25", None),
        ("fe80::1%eth0", None),
        ("", None),
        (" ", None),
        ("mail.contoso.com:25", None),
        ("smtp://mail.contoso.com", None),
        ("mail contoso", None),
        ("um:pass@mail.contoso.com", None),
    ] {
        assert_eq!(super::host(text).ok().as_deref(), name, "{text:?}");
    }
    for (text, said) in [
        ("mail.contoso.com:25", "'notification.port'"),
        ("fe80::1%eth0", "a zone of one computer"),
        ("[fe80::1]", "a zone of one computer"),
    ] {
        let message = super::host(text).expect_err(text);
        assert!(
            message.contains("'notification.host'") && message.contains(said),
            "{message}"
        );
    }
}

#[test]
fn faults_name_the_key_and_keep_what_may_be_a_password() {
    for (more, said) in [
        (r#", "tls": "ssl""#, "the key 'notification.tls' (line 1, column"),
        (r#", "tls": "ssl""#, "expected one of 'startTls', 'implicit', 'none'"),
        (r#", "port": 0"#, "expected a whole number from 1 to 65535"),
        (r#", "port": 99999"#, "the key 'notification.port'"),
        (r#", "port": "25""#, "the key 'notification.port'"),
        (r#", "timeoutSeconds": 0"#, "expected a whole number from 1 to 100"),
        (r#", "timeoutSeconds": 101"#, "expected a whole number from 1 to 100"),
        (
            r#", "directory": "out""#,
            "'notification.directory', which is not valid when 'notification.type' is 'smtp'",
        ),
        (
            r#", "caFile": "ca.pem", "tls": "none""#,
            "'notification.caFile', which is not valid when 'notification.tls' is 'none'",
        ),
        (r#", "caFile": """#, "'notification.caFile': it is empty"),
        (
            r#", "user": "um""#,
            "neither 'notification.passwordFile' nor 'notification.passwordVariable'",
        ),
        (r#", "passwordFile": "p""#, "lacks the key 'notification.user'"),
        (
            r#", "user": "u\nm", "passwordFile": "p""#,
            "'notification.user': it contains a control character",
        ),
        (
            r#", "user": "um", "passwordFile": "p", "passwordVariable": "UMPIN_P""#,
            "has both 'notification.passwordFile' and",
        ),
        (
            r#", "user": "um", "passwordVariable": "PATH""#,
            "'notification.passwordVariable': expected the name of",
        ),
        (
            r#", "user": "um", "passwordVariable": "UMPIN_""#,
            "'notification.passwordVariable': expected the name of",
        ),
        (
            r#", "user": "um", "passwordVariable": "swordfish""#,
            "'notification.passwordVariable': expected the name of",
        ),
        (
            r#", "password": "swordfish""#,
            "a key that is not known, 'notification.password'",
        ),
    ] {
        let message = resolved(more).expect_err(more);
        assert!(message.contains(said) && message.contains(FILE), "{more}: {message}");
        assert!(!message.contains("swordfish"), "{message}");
    }
}
