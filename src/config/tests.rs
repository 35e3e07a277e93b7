use std::path::Path;

use proptest::prelude::*;

use super::*;
use crate::ErrorCode;
use crate::identity::DistinguishedName;

fn load(content: &[u8]) -> (tempfile::TempDir, crate::Result<Config>) {
    let folder = tempfile::tempdir().expect("temporary folder");
    let file = folder.path().join("umpin.json");
    std::fs::write(&file, content).expect("writable");
    let config = Config::load(&OpenRequest {
        config_file: Some(file),
        data_directory: "/var/lib/umpin".into(),
        ..OpenRequest::default()
    });
    (folder, config)
}

#[track_caller]
fn refused(content: &str) -> String {
    let (folder, config) = load(content.as_bytes());
    let error = config.expect_err(content);
    assert_eq!(error.code(), ErrorCode::ConfigurationInvalid);
    let file = folder.path().join("umpin.json").display().to_string();
    assert!(error.message().contains(&file), "{}", error.message());
    error.message().replace(&file, "FILE")
}

#[test]
fn without_a_file_there_are_defaults() {
    let config = Config::load(&OpenRequest {
        data_directory: "/data".into(),
        ..OpenRequest::default()
    })
    .expect("defaults");
    assert_eq!(
        config,
        Config {
            file: None,
            directory: DirectoryConfig::Embedded {
                path: "/data/directory.db".into(),
                timeout: Duration::from_secs(30),
            },
            keys: KeysConfig {
                active: "k1".into(),
                files: BTreeMap::from([("k1".into(), "/data/umpin.key".into())]),
            },
            notification: NotificationConfig::Pickup {
                directory: "/data/pickup".into(),
                from: "Unified Messaging <um@localhost>".into(),
            },
            notification_expiry: Duration::from_secs(72 * 3600),
            message: MessageSettings::default(),
            audit_enabled: true,
            audit_retention_days: None,
            default_scope: None,
            netbios_name: None,
            service_group: None,
        }
    );
}

#[test]
fn a_full_file_is_taken_whole() {
    let (folder, config) = load(
        br#"{ "directory": { "type": "embedded", "path": "store/directory.db", "timeoutSeconds": 5 },
             "keys": { "active": "k2", "k1": "old.key", "k2": "/etc/umpin/new.key" },
             "notification": { "type": "pickup", "directory": "out", "from": "\"Smith, UM\" <um@contoso.com>",
                               "expireAfterHours": 8760 },
             "audit": { "enabled": false },
             "defaultScope": "contoso.com/Sales", "netbiosName": "CONTOSO", "serviceGroup": "umpin" }"#,
    );
    let config = config.expect("sound");
    let DirectoryConfig::Embedded { path, timeout } = &config.directory else {
        panic!("{config:?}");
    };
    assert_eq!(path, &folder.path().join("store/directory.db"));
    assert_eq!(timeout.as_secs(), 5);
    assert_eq!(config.keys.active, "k2");
    assert_eq!(config.keys.files["k1"], folder.path().join("old.key"));
    assert_eq!(config.keys.files["k2"], Path::new("/etc/umpin/new.key"));
    assert_eq!(config.notification.from(), "\"Smith, UM\" <um@contoso.com>");
    assert_eq!(config.notification_expiry.as_secs(), 8760 * 3600);
    assert!(!config.audit_enabled);
    assert_eq!(
        config.default_scope.as_ref().map(ToString::to_string).as_deref(),
        Some("contoso.com/Sales")
    );
    assert_eq!(config.netbios_name.as_deref(), Some("CONTOSO"));
    assert_eq!(config.service_group.as_deref(), Some("umpin"));
}

#[test]
fn what_messages_say_is_read() {
    let (_folder, config) = load(
        br#"{ "notification": { "type": "pickup", "language": "de-AT", "helpDesk": " helpdesk@contoso.com ",
              "accessNumbers": { "Redmond": ["+1 425 555 0100", "5000"], "*": ["6000"] } } }"#,
    );
    let mut expected = MessageSettings::new(Some("de".into()), Some("helpdesk@contoso.com".into()));
    expected.add_access_numbers("redmond", vec!["+1 425 555 0100".into(), "5000".into()]);
    expected.add_access_numbers("*", vec!["6000".into()]);
    assert_eq!(config.expect("sound").message, expected);
}

#[test]
fn what_the_file_leaves_out_is_in_the_data_directory() {
    let (_folder, config) = load(br#"{ "audit": {} }"#);
    let config = config.expect("sound");
    let DirectoryConfig::Embedded { path, .. } = &config.directory else {
        panic!("{config:?}");
    };
    assert_eq!(path, Path::new("/var/lib/umpin/directory.db"));
    assert!(config.audit_enabled);
}

#[test]
fn files_saved_by_windows_powershell_are_read() {
    let text = r#"{ "netbiosName": "CONTOSO" }"#;
    let mut utf16 = vec![0xFF, 0xFE];
    utf16.extend(text.encode_utf16().flat_map(u16::to_le_bytes));
    for content in [format!("\u{FEFF}{text}").into_bytes(), utf16] {
        let (_folder, config) = load(&content);
        assert_eq!(config.expect("sound").netbios_name.as_deref(), Some("CONTOSO"));
    }
}

/// Where data faults are noticed is the parser's affair; that they have a line is not.
fn without_column(message: &str) -> String {
    match message.split_once(" (line 1, column ") {
        Some((before, after)) if !message.contains("JSON") => {
            let (_, after) = after.split_once(')').expect("closed");
            format!("{before}{after}")
        }
        _ => message.to_owned(),
    }
}

#[test]
fn faults_name_the_key() {
    for (content, said) in [
        (r#"{ "colour": 1 }"#, "a key that is not known, 'colour'"),
        (r#"{ "audit": { "enable": true } }"#, "not known, 'audit.enable'"),
        (
            r#"{ "audit": { "enabled": "yes" } }"#,
            "the key 'audit.enabled': expected true or false",
        ),
        (r#"{ "audit": true }"#, "the key 'audit': expected an object"),
        (r#"{ "audit": {}, "audit": {} }"#, "a key twice, 'audit'"),
        (
            r#"{ "audit": { "enabled": true, "enabled": true } }"#,
            "a key twice, 'audit.enabled'",
        ),
        (r#"{ "directory": {} }"#, "lacks the key 'directory.type'"),
        (
            r#"{ "directory": { "type": "oracle" } }"#,
            "the key 'directory.type': expected 'embedded' or 'activeDirectory'",
        ),
        (
            r#"{ "directory": { "type": "activeDirectory", "domain": "contoso.com" } }"#,
            "lacks the key 'directory.bind'",
        ),
        (
            r#"{ "directory": { "type": "embedded", "tls": "ldaps" } }"#,
            "'directory.tls', which is not valid when",
        ),
        (
            r#"{ "directory": { "type": "embedded", "path": "" } }"#,
            "'directory.path': it is empty",
        ),
        (
            r#"{ "directory": { "type": "embedded", "path": "a\u0000b" } }"#,
            "'directory.path': it contains a control character",
        ),
        (
            r#"{ "directory": { "type": "embedded", "timeoutSeconds": 0 } }"#,
            "'directory.timeoutSeconds': expected a whole number from 1 to 600",
        ),
        (
            r#"{ "directory": { "type": "embedded", "timeoutSeconds": 1.5 } }"#,
            "'directory.timeoutSeconds'",
        ),
        (r#"{ "keys": {} }"#, "lacks the key 'keys.active'"),
        (
            r#"{ "keys": { "active": "k2", "k1": "a" } }"#,
            "the key 'keys': 'active' names none of the other entries",
        ),
        (
            r#"{ "keys": { "active": "k1", "k1": "a", "k1": "b" } }"#,
            "'k1' occurs twice",
        ),
        (
            r#"{ "keys": { "active": "k1", "k1": "a", "k 2": "b" } }"#,
            "a key id is",
        ),
        (
            r#"{ "keys": { "active": "k1", "k1": "a", "k2": "a" } }"#,
            "the key 'keys.k2': it is the file of 'k1' too",
        ),
        (
            r#"{ "keys": { "active": "k1", "k1": 7 } }"#,
            "the key 'keys.k1': expected text",
        ),
        (
            r#"{ "notification": { "type": "smtp", "host": "mail.contoso.com" } }"#,
            "lacks the key 'notification.from'",
        ),
        (
            r#"{ "notification": { "type": "pickup", "port": 25 } }"#,
            "'notification.port', which is not valid when",
        ),
        (
            r#"{ "notification": { "type": "pickup", "expireAfterHours": 0 } }"#,
            "'notification.expireAfterHours': expected a whole number from 1 to 8760",
        ),
        (
            r#"{ "notification": { "type": "pickup", "expireAfterHours": 8761 } }"#,
            "'notification.expireAfterHours': expected a whole number from 1 to 8760",
        ),
        (
            r#"{ "notification": { "type": "pickup", "from": "um" } }"#,
            "'notification.from': expected one sender",
        ),
        (
            r#"{ "notification": { "type": "pickup", "language": "tlh" } }"#,
            "'notification.language': expected one of ",
        ),
        (
            r#"{ "notification": { "type": "pickup", "language": ["de"] } }"#,
            "the key 'notification.language': expected text",
        ),
        (
            r#"{ "notification": { "type": "pickup", "helpDesk": " " } }"#,
            "'notification.helpDesk': it is empty",
        ),
        (
            r#"{ "notification": { "type": "pickup", "helpDesk": "a\nb" } }"#,
            "'notification.helpDesk': it contains a control character",
        ),
        (
            r#"{ "notification": { "type": "pickup", "accessNumbers": ["5000"] } }"#,
            "the key 'notification.accessNumbers': expected an object with a list of numbers for each dial plan",
        ),
        (
            r#"{ "notification": { "type": "pickup", "accessNumbers": { "*": "5000" } } }"#,
            "the key 'notification.accessNumbers.*': expected a list",
        ),
        (
            r#"{ "notification": { "type": "pickup", "accessNumbers": { "*": [5000] } } }"#,
            "the key 'notification.accessNumbers.*[0]': expected text",
        ),
        (
            r#"{ "notification": { "type": "pickup", "accessNumbers": { "*": [] } } }"#,
            "'notification.accessNumbers.*': expected at least one number",
        ),
        (
            r#"{ "notification": { "type": "pickup", "accessNumbers": { "*": ["ask"] } } }"#,
            "'notification.accessNumbers.*': expected numbers such as",
        ),
        (
            r#"{ "notification": { "type": "pickup", "accessNumbers": { "": ["5000"] } } }"#,
            "'notification.accessNumbers': it is empty",
        ),
        (
            r#"{ "notification": { "type": "pickup", "accessNumbers": { "Main": ["1"], "MAIN": ["2"] } } }"#,
            "'notification.accessNumbers.MAIN': the dial plan occurs twice",
        ),
        (
            r#"{ "notification": { "type": "pickup", "from": "a@contoso.com, b@contoso.com" } }"#,
            "'notification.from': expected one sender",
        ),
        (
            r#"{ "defaultScope": "con toso/Sales" }"#,
            "'defaultScope': expected a container",
        ),
        (
            r#"{ "defaultScope": "garbage" }"#,
            "'defaultScope': expected a container",
        ),
        (
            r#"{ "defaultScope": "OU=Sales" }"#,
            "'defaultScope': expected a container",
        ),
        (r#"{ "netbiosName": "CONTOSO\\x" }"#, "'netbiosName': expected"),
        (r#"{ "serviceGroup": " " }"#, "'serviceGroup': it is empty"),
        (
            "{ \"audit\": {},\n }",
            "is not valid JSON (line 2, column 2): a comma before",
        ),
        ("{ } x", "is not valid JSON (line 1, column 5)"),
        (
            "{ \"audit\": {",
            "is not valid JSON (line 1, column 12): it ends in the middle of an object",
        ),
        ("[]", "is not a JSON object"),
        ("", "is empty"),
        ("\0\0", "is not text"),
    ] {
        let message = without_column(&refused(content));
        assert!(message.contains(said), "{message}\n  expected {said}");
        assert!(message.ends_with('.') && !message.ends_with(".."), "{message}");
    }
    let (_folder, config) = load(b"\xFF");
    assert!(config.is_err());
}

/// Whatever stands where, nobody is told of the parser's types.
#[test]
fn faults_are_told_in_the_words_of_people() {
    let places = [
        r#"{ "directory": @ }"#,
        r#"{ "directory": { "type": @ } }"#,
        r#"{ "directory": { "type": "embedded", "path": @ } }"#,
        r#"{ "directory": { "type": "embedded", "timeoutSeconds": @ } }"#,
        r#"{ "directory": { "type": "activeDirectory", "domainControllers": @ } }"#,
        r#"{ "directory": { "type": "activeDirectory", "bind": @ } }"#,
        r#"{ "directory": { "type": "activeDirectory", "bind": { "method": @ } } }"#,
        r#"{ "directory": { "type": "activeDirectory", "tls": @ } }"#,
        r#"{ "keys": @ }"#,
        r#"{ "keys": { "active": @ } }"#,
        r#"{ "notification": { "type": "pickup", "accessNumbers": @ } }"#,
        r#"{ "notification": { "type": "pickup", "accessNumbers": { "*": @ } } }"#,
        r#"{ "notification": { "type": "pickup", "expireAfterHours": @ } }"#,
        r#"{ "notification": { "type": "smtp", "host": "h", "from": "um@contoso.com", "port": @ } }"#,
        r#"{ "notification": { "type": "smtp", "host": "h", "from": "um@contoso.com", "tls": @ } }"#,
        r#"{ "notification": { "type": "smtp", "host": "h", "from": "um@contoso.com", "timeoutSeconds": @ } }"#,
        r#"{ "audit": { "enabled": @ } }"#,
        r#"{ "audit": { "retentionDays": @ } }"#,
        r#"{ "defaultScope": @ }"#,
        "@",
    ];
    let values = [
        "70000",
        "-1",
        "1.5",
        "1e300",
        "1e999",
        "99999999999999999999",
        "\"x\"",
        "true",
        "tru",
        "[]",
        "[1]",
        "{}",
        "{",
        "[",
        "\"",
        "x",
        "\"\\q\"",
        "",
    ];
    let parsers: Vec<&str> = "i8 i16 i32 i64 u8 u16 u32 u64 u128 usize f32 f64 EOF ident sequence map boolean string struct enum unit variant \
                              Option newtype tuple integer floating"
        .split_whitespace()
        .collect();
    let mut faults = 0;
    for place in places {
        for value in values {
            let content = place.replace('@', value);
            let (_folder, config) = load(content.as_bytes());
            let Err(error) = config else {
                continue;
            };
            faults += 1;
            let message = error.message();
            let said = message.split_once(".json' ").map_or(message, |(_, said)| said);
            let words: Vec<&str> = said.split(|c: char| !c.is_ascii_alphanumeric()).collect();
            assert!(
                !said.contains('`') && !parsers.iter().any(|word| words.contains(word)),
                "{content}: {message}"
            );
        }
    }
    assert!(faults > 300, "only {faults} were faults");
}

#[test]
fn values_are_not_repeated() {
    for content in [
        r#"{ "audit": { "enabled": "hunter2" } }"#,
        r#"{ "audit": "hunter2, expected hunter2" }"#,
        r#"{ "directory": { "type": "hunter2" } }"#,
        r#"{ "directory": { "type": "embedded", "timeoutSeconds": "hunter2" } }"#,
        r#"{ "keys": { "active": "hunter2", "k1": "a" } }"#,
        r#"{ "keys": "hunter2" }"#,
        r#"{ "notification": { "type": "pickup", "from": "hunter2" } }"#,
        r#"{ "notification": { "type": "smtp", "password": "hunter2" } }"#,
        r#"{ "notification": { "type": "pickup", "language": "hunter2" } }"#,
        r#"{ "notification": { "type": "pickup", "accessNumbers": { "*": ["hunter"] }, "helpDesk": "hunter2\n" } }"#,
        r#"{ "netbiosName": "hunter2hunter2hunter2" }"#,
        r#"{ "defaultScope": "hunter2//" , "audit": "hunter2" }"#,
        r#""hunter2""#,
        r#"{ "audit": hunter2 }"#,
    ] {
        let message = refused(content);
        assert!(!message.contains("hunter2"), "{message}");
    }
}

#[test]
fn a_missing_file_and_a_huge_one_are_named() {
    let folder = tempfile::tempdir().expect("temporary folder");
    let missing = folder.path().join("none.json");
    for file in [missing.clone(), folder.path().to_path_buf()] {
        let error = Config::load(&OpenRequest {
            config_file: Some(file.clone()),
            ..OpenRequest::default()
        })
        .expect_err("unreadable");
        assert_eq!(error.code(), ErrorCode::ConfigurationInvalid);
        assert!(error.message().contains(&file.display().to_string()));
    }
    assert!(refused(&" ".repeat(100_000)).contains("longer than"));
}

#[test]
fn scopes_contain_what_lies_below() {
    let tony = DistinguishedName::parse("CN=Tony Smith,OU=Inside,OU=Sales,DC=contoso,DC=com").expect("DN");
    for scope in [
        "contoso.com",
        "contoso.com/",
        "CONTOSO.com/sales",
        "contoso.com/Sales/",
        "contoso.com/Sales/Inside",
        "OU=Sales,DC=contoso,DC=com",
        "ou=sales, dc=contoso, dc=com",
    ] {
        assert!(Scope::parse(scope).expect(scope).contains(&tony), "{scope}");
    }
    for scope in [
        "fabrikam.com",
        "contoso.com/Sal",
        "contoso.com/Inside",
        "OU=Inside,DC=contoso,DC=com",
        "contoso.co",
    ] {
        assert!(!Scope::parse(scope).expect(scope).contains(&tony), "{scope}");
    }
    for text in [
        "",
        " ",
        "/Sales",
        "contoso.com//Sales",
        "con toso/Sales",
        "OU=,=",
        "a\nb",
        "garbage",
        "garbage/Sales",
        "OU=Sales",
        "x=y",
    ] {
        assert!(Scope::parse(text).is_none(), "{text:?}");
    }
}

proptest! {
    #[test]
    fn arbitrary_files_never_panic(content in "[{}\\[\\]\":,a-z0-9 .\u{0}é]{0,60}") {
        let (_folder, config) = load(content.as_bytes());
        if let Err(error) = config {
            prop_assert_eq!(error.code(), ErrorCode::ConfigurationInvalid);
        }
    }
}

#[path = "documented_tests.rs"]
mod documented;
