use std::path::Path;
use std::time::Duration;

use super::*;
use crate::config::{Config, OpenRequest};
use crate::password::Password;

const FILE: &str = "/etc/umpin/umpin.json";
const SIMPLE: &str = r#", "bind": { "method": "simple", "user": "um@contoso.com", "passwordFile": "bind.password" }"#;

/// What is resolved of a `directory` object with `type` and `domain` already in it, and the path of the outbox.
fn resolved(more: &str) -> Result<(ActiveDirectorySettings, String), String> {
    let folder = tempfile::tempdir().expect("temporary folder");
    let file = folder.path().join("umpin.json");
    let text = format!(
        r#"{{ "serviceGroup": "umpin", "directory": {{ "type": "activeDirectory", "domain": "Contoso.com"{more} }} }}"#
    );
    std::fs::write(&file, text).expect("writable");
    let open = OpenRequest {
        config_file: Some(file.clone()),
        data_directory: "/data".into(),
        variables: serde_json::from_str(r#"{ "UMPIN_BIND": "um-pass" }"#).expect("variables"),
        ..OpenRequest::default()
    };
    let beside = folder.path().display().to_string();
    match Config::load(&open) {
        Ok(Config {
            directory: DirectoryConfig::ActiveDirectory { mut settings, outbox },
            ..
        }) => {
            let moved = |path: &mut std::path::PathBuf| {
                *path = Path::new(FILE).with_file_name(path.strip_prefix(&beside).expect("beside"));
            };
            settings.ca_file.iter_mut().for_each(moved);
            if let Bind::Simple {
                password: Password::File(path),
                ..
            } = &mut settings.bind
            {
                moved(path);
            }
            Ok((*settings, outbox.display().to_string().replace(&beside, "/etc/umpin")))
        }
        Ok(other) => panic!("{other:?}"),
        Err(error) => Err(error.message().replace(&file.display().to_string(), FILE)),
    }
}

fn server(text: &str) -> Server {
    Server::parse(text).expect(text)
}

#[test]
fn the_least_is_a_domain_and_an_account() {
    let (settings, outbox) = resolved(SIMPLE).expect("sound");
    assert_eq!(
        settings,
        ActiveDirectorySettings {
            domain: "contoso.com".to_owned(),
            domain_controllers: Vec::new(),
            global_catalogs: Vec::new(),
            tls: Tls::Ldaps,
            ca_file: None,
            bind: Bind::Simple {
                user: "um@contoso.com".to_owned(),
                password: Password::File("/etc/umpin/bind.password".into()),
            },
            timeout: Duration::from_secs(15),
            counter_attribute: "extensionAttribute15".to_owned(),
            group: Some("umpin".to_owned()),
        }
    );
    assert_eq!(outbox, "/data/outbox.db");
}

#[test]
fn all_of_it_is_taken() {
    let (settings, outbox) = resolved(
        r#", "domainControllers": ["DC1.contoso.com", "dc2.contoso.com:10636", "[2001:DB8::0:1]:636"], "globalCatalogs": ["gc.contoso.com."],
           "tls": "startTls", "caFile": "ca.pem", "timeoutSeconds": 600, "counterAttribute": "contoso-UmCounter",
           "outbox": "host/outbox.db", "bind": { "method": "simple", "user": "CONTOSO\\um", "passwordVariable": "UMPIN_BIND" }"#,
    )
    .expect("sound");
    assert_eq!(
        settings.domain_controllers,
        [
            server("dc1.contoso.com"),
            server("dc2.contoso.com:10636"),
            Server {
                host: "2001:db8::1".to_owned(),
                port: Some(636),
            },
        ]
    );
    assert_eq!(settings.global_catalogs, [server("gc.contoso.com")]);
    assert_eq!((settings.tls, settings.timeout.as_secs()), (Tls::StartTls, 600));
    assert_eq!(settings.ca_file.as_deref(), Some(Path::new("/etc/umpin/ca.pem")));
    assert_eq!(settings.counter_attribute, "contoso-UmCounter");
    assert_eq!(outbox, "/etc/umpin/host/outbox.db");
    assert!(!format!("{settings:?}").contains("um-pass"));
    match settings.bind {
        Bind::Simple {
            user,
            password: Password::Variable { name, value },
        } => assert_eq!(
            (user.as_str(), name.as_str(), value.expect("set").expose()),
            ("CONTOSO\\um", "UMPIN_BIND", "um-pass")
        ),
        other => panic!("{other:?}"),
    }
}

#[test]
fn kerberos_is_taken_where_it_is_built_in() {
    let bind = resolved(r#", "bind": { "method": "kerberos" }"#).map(|(settings, _)| settings.bind);
    if cfg!(feature = "gssapi") {
        assert_eq!(bind, Ok(Bind::Kerberos));
    } else {
        let message = bind.expect_err("no Kerberos");
        assert!(
            message.contains("has no Kerberos") && message.contains(FILE),
            "{message}"
        );
    }
}

#[test]
fn faults_name_the_key_and_keep_what_may_be_a_password() {
    for (more, said) in [
        ("", "lacks the key 'directory.bind'"),
        (r#", "bind": "swordfish""#, "the key 'directory.bind' (line 1, column"),
        (r#", "bind": {}"#, "lacks the key 'directory.bind.method'"),
        (r#", "bind": { "method": "ntlm" }"#, "expected 'simple' or 'kerberos'"),
        (
            r#", "bind": { "method": "simple" }"#,
            "lacks the key 'directory.bind.user'",
        ),
        (
            r#", "bind": { "method": "simple", "user": "um" }"#,
            "neither 'directory.bind.passwordFile' nor 'directory.bind.passwordVariable'",
        ),
        (
            r#", "bind": { "method": "simple", "user": "", "passwordFile": "p" }"#,
            "'directory.bind.user': it is empty",
        ),
        (
            r#", "bind": { "method": "simple", "user": "um", "passwordFile": "p", "passwordVariable": "UMPIN_P" }"#,
            "has both 'directory.bind.passwordFile' and 'directory.bind.passwordVariable'",
        ),
        (
            r#", "bind": { "method": "simple", "user": "um", "passwordVariable": "swordfish" }"#,
            "'directory.bind.passwordVariable': expected the name of an environment variable",
        ),
        (
            r#", "bind": { "method": "simple", "user": "um", "password": "swordfish" }"#,
            "not known, 'directory.bind.password'",
        ),
        (
            r#", "bind": { "method": "kerberos", "user": "um" }"#,
            "is not valid when 'directory.bind.method' is 'kerberos'",
        ),
        (
            r#", "path": "directory.db""#,
            "'directory.path', which is not valid when 'directory.type' is 'activeDirectory'",
        ),
        (r#", "tls": "none""#, "expected 'ldaps' or 'startTls'"),
        (
            r#", "domainControllers": []"#,
            "'directory.domainControllers': it is empty",
        ),
        (
            r#", "domainControllers": "dc1""#,
            "the key 'directory.domainControllers' (line 1, column",
        ),
        (
            r#", "domainControllers": ["ldaps://dc1.contoso.com"]"#,
            "'directory.domainControllers': expected host names",
        ),
        (
            r#", "domainControllers": ["um:swordfish@dc1"]"#,
            "'directory.domainControllers': expected host names",
        ),
        (
            r#", "domainControllers": ["2001:db8:1:2:3:4:5:6:636"]"#,
            "'directory.domainControllers': expected host names such as dc1.contoso.com or dc1.contoso.com:636, or addresses",
        ),
        (
            r#", "domainControllers": ["[fe80::1%eth0]:636"]"#,
            "'directory.domainControllers': a link-local address means something only together with a zone",
        ),
        (
            r#", "globalCatalogs": ["fe80::1"]"#,
            "'directory.globalCatalogs': a link-local address",
        ),
        (
            r#", "globalCatalogs": ["[2001:db8::1]", "2001:DB8:0::1"]"#,
            "'directory.globalCatalogs': a server occurs twice",
        ),
        (
            r#", "globalCatalogs": ["dc1.contoso.com", "DC1.contoso.com."]"#,
            "'directory.globalCatalogs': a server occurs twice",
        ),
    ] {
        let message = resolved(more).expect_err(more);
        assert!(message.contains(said), "{more}: {message}");
        assert!(message.contains(FILE) && !message.contains("swordfish"), "{message}");
    }
    for (more, said) in [
        (r#", "timeoutSeconds": 0"#, "expected a whole number from 1 to 600"),
        (r#", "caFile": """#, "'directory.caFile': it is empty"),
        (r#", "outbox": """#, "'directory.outbox': it is empty"),
        (
            r#", "counterAttribute": """#,
            "'directory.counterAttribute': expected the name",
        ),
        (
            r#", "counterAttribute": "a)(b=*""#,
            "'directory.counterAttribute': expected the name",
        ),
    ] {
        let message = resolved(&format!("{SIMPLE}{more}")).expect_err(more);
        assert!(message.contains(said), "{more}: {message}");
    }
    for domain in [
        "",
        "192.0.2.1",
        "2001:db8::1",
        "contoso.com:636",
        "con toso.com",
        "DC=contoso,DC=com",
    ] {
        let message = super::domain(domain).expect_err(domain);
        assert!(
            message.contains("'directory.domain': expected the DNS name"),
            "{message}"
        );
    }
}
