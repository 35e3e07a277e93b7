//! Connections to real controllers: TLS, bind, DNS, and controllers that crash, hang and restart.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use umpin::ErrorCode;
use umpin::config::{Config, DirectoryConfig, OpenRequest};
use umpin::directory::active_directory::ActiveDirectory;
use umpin::directory::{Directory as _, Route};
use umpin::identity::Identity;

use crate::harness::{Account, BASE, DISABLED, DOMAIN, EXPIRED, Forest, LOCKED, Lab, READER, STALE, UM, alone, shared};

const TONY: &str = "tonysmith@contoso.com";

/// The harness's configuration with a change.
pub fn directory(lab: &Lab, account: Account, change: impl FnOnce(&mut Value)) -> ActiveDirectory {
    let mut section = lab.directory(account);
    change(&mut section);
    let folder = tempfile::tempdir().expect("a temporary directory");
    let file = folder.path().join("umpin.json");
    std::fs::write(&file, json!({ "directory": section }).to_string()).expect("a file");
    let config = Config::load(&OpenRequest {
        config_file: Some(file),
        data_directory: folder.path().to_owned(),
        ..OpenRequest::default()
    });
    match config.expect("sound").directory {
        DirectoryConfig::ActiveDirectory { settings, .. } => ActiveDirectory::new(*settings),
        other => panic!("{other:?}"),
    }
}

/// The controller on which Tony was found.
pub fn found_on(directory: &ActiveDirectory, route: Route<'_>) -> umpin::Result<Option<String>> {
    let identity = Identity::parse(TONY).expect("an identity");
    let mut matches = directory.find(&identity, route)?;
    assert_eq!(matches.count, 1, "{matches:?}");
    Ok(matches.found.remove(0).controller)
}

#[test]
fn ldaps_and_start_tls_work_for_controllers_and_catalogs() {
    shared(|lab| {
        for tls in ["ldaps", "startTls"] {
            let directory = directory(lab, UM, |section| section["tls"] = json!(tls));
            for route in [Route::Preferred, Route::Forest, Route::Controller("DC1")] {
                let controller = found_on(&directory, route).unwrap_or_else(|e| panic!("{tls}, {route:?}: {e:?}"));
                assert_eq!(controller, Some(lab.dc1().host()), "{tls}, {route:?}");
            }
        }
    });
}

#[test]
fn controllers_and_catalogs_are_located_by_dns() {
    shared(|lab| {
        for tls in ["ldaps", "startTls"] {
            let directory = directory(lab, UM, |section| {
                section["tls"] = json!(tls);
                section.as_object_mut().expect("a section").remove("domainControllers");
            });
            for route in [Route::Preferred, Route::Forest] {
                let controller = found_on(&directory, route).unwrap_or_else(|e| panic!("{tls}, {route:?}: {e:?}"));
                assert_eq!(controller, Some(lab.dc1().host()), "{tls}, {route:?}");
            }
        }
        // A domain without DNS records.
        let directory = directory(lab, UM, |section| {
            section["domain"] = json!("nowhere.contoso.com");
            section.as_object_mut().expect("a section").remove("domainControllers");
        });
        let error = found_on(&directory, Route::Preferred).expect_err("no such domain");
        assert_eq!(error.code(), ErrorCode::DirectoryUnavailable);
        assert!(error.message().contains("nowhere.contoso.com"), "{error:?}");
    });
}

#[test]
fn each_rejected_account_has_its_own_error() {
    shared(|lab| {
        let mut told = Vec::new();
        for (account, code, said) in [
            (LOCKED, "775", "locked"),
            (EXPIRED, "701", "it has expired"),
            (DISABLED, "533", "disabled"),
            (STALE, "773", "must be changed"),
        ] {
            let error = found_on(&directory(lab, account, |_| {}), Route::Preferred).expect_err(account.name);
            assert_eq!(error.code(), ErrorCode::AccessDenied, "{error:?}");
            assert_eq!(error.details()["ldapCode"], 49, "{error:?}");
            assert_eq!(error.details()["windowsCode"], code, "{error:?}");
            assert_eq!(error.details()["server"], lab.dc1().host());
            assert!(error.message().contains(said), "{error:?}");
            assert!(!format!("{error:?}{:?}", error.details()).contains(account.password));
            told.push(error.message().to_owned());
        }
        told.dedup();
        assert_eq!(told.len(), 4, "{told:?}");
    });
}

#[test]
fn a_wrong_password_is_counted_once_by_the_server() {
    shared(|lab| {
        let mailbox = lab.mailbox("wire-wrong");
        let administrator = lab.dc1().administrator();
        // Without a threshold nothing is counted; no test reaches this one.
        administrator.replace(BASE, "lockoutThreshold", &[b"100"]);
        let directory = directory(lab, READER, |section| {
            let file = std::path::Path::new("/mnt").join("wire-wrong.password");
            std::fs::write(&file, "no such password").expect("a file");
            let mode = std::os::unix::fs::PermissionsExt::from_mode(0o600);
            std::fs::set_permissions(&file, mode).expect("a mode");
            section["bind"]["passwordFile"] = json!(file);
            section["bind"]["user"] = json!(format!("{}@{DOMAIN}", mailbox.alias));
        });
        for _ in 0..10 {
            let error = found_on(&directory, Route::Preferred).expect_err("wrong");
            assert_eq!(error.code(), ErrorCode::AccessDenied);
            assert!(error.message().contains("name or password is wrong"), "{error:?}");
        }
        let count = administrator.value(&mailbox.dn, "badPwdCount").unwrap_or_default();
        assert_eq!(String::from_utf8_lossy(&count), "1");
    });
}

#[test]
fn an_unknown_certificate_authority_is_not_trusted() {
    shared(|lab| {
        // A certificate of another CA.
        let other_forest_controller =
            rcgen::generate_simple_self_signed(["dc1.contoso.com".to_owned()]).expect("a certificate");
        let file = std::path::Path::new("/mnt").join("other-ca.pem");
        std::fs::write(&file, other_forest_controller.cert.pem()).expect("a file");
        for (tls, host, said) in [
            ("ldaps", lab.dc1().host(), "an authority that is not trusted"),
            ("startTls", lab.dc1().host(), "an authority that is not trusted"),
            ("ldaps", lab.dc1().address().to_owned(), "for another name"),
        ] {
            let directory = directory(lab, UM, |section| {
                section["tls"] = json!(tls);
                if said.contains("authority") {
                    section["caFile"] = json!(file);
                }
                section["domainControllers"] = json!([host]);
            });
            let error = found_on(&directory, Route::Preferred).expect_err(said);
            assert_eq!(error.code(), ErrorCode::DirectoryUnavailable);
            assert!(
                error.message().contains(said) && error.message().contains(&host),
                "{error:?}"
            );
        }
    });
}

/// The cipher suites of Windows Server 2012 R2 with an RSA certificate.
#[test]
fn a_controller_with_older_cipher_suites_has_its_own_error() {
    alone(Forest::Single, |lab| {
        lab.dc1().kill();
        lab.dc1()
            .start_with_tls("NORMAL:-VERS-ALL:+VERS-TLS1.2:-CIPHER-ALL:+AES-256-CBC:+AES-128-CBC");
        for tls in ["ldaps", "startTls"] {
            let directory = directory(lab, UM, |section| section["tls"] = json!(tls));
            let error = found_on(&directory, Route::Preferred).expect_err(tls);
            assert_eq!(error.code(), ErrorCode::DirectoryUnavailable, "{tls}: {error:?}");
            for part in [
                "no version or cipher suite of TLS in common",
                "AES-GCM",
                &lab.dc1().host(),
            ] {
                assert!(error.message().contains(part), "{tls}: {error:?} does not say: {part}");
            }
            for part in ["Windows Server 2016 or later", "ECDSA certificate"] {
                assert!(
                    error.recommended_action().contains(part),
                    "{tls}: {error:?} does not say: {part}"
                );
            }
        }
    });
}

#[test]
fn a_restart_of_a_controller_fails_no_request() {
    alone(Forest::Single, |lab| {
        let directory = directory(lab, UM, |section| section["timeoutSeconds"] = json!(30));
        for _ in 0..2 {
            assert_eq!(
                found_on(&directory, Route::Preferred).expect("found"),
                Some(lab.dc1().host())
            );
            lab.dc1().kill();
            lab.dc1().start();
        }
        assert!(found_on(&directory, Route::Controller("dc1.contoso.com")).is_ok());
    });
}

/// A fault of a controller, with its begin and end.
type Step<'a> = (&'a str, &'a dyn Fn(), &'a dyn Fn());

#[test]
fn requests_fail_over_to_the_other_controller() {
    alone(Forest::Pair, |lab| {
        const TIMEOUT: u64 = 3;
        let (dc1, dc2) = (lab.dc1(), lab.dc2());
        let fresh = || {
            directory(lab, UM, |section| {
                section["timeoutSeconds"] = json!(TIMEOUT);
                section["domainControllers"] = json!([dc2.host(), dc1.host()]);
            })
        };
        let by_dns = || {
            directory(lab, UM, |section| {
                section.as_object_mut().expect("a section").remove("domainControllers");
            })
        };
        for _ in 0..5 {
            assert_eq!(found_on(&by_dns(), Route::Preferred).expect("found"), Some(dc1.host()));
        }
        // dc1 holds all roles and comes first although it is named last.
        let before = fresh();
        assert_eq!(found_on(&before, Route::Preferred).expect("found"), Some(dc1.host()));
        let steps: [Step<'_>; 3] = [
            ("hangs", &|| dc1.suspend(), &|| dc1.resume()),
            ("is out of reach", &|| lab.isolate(dc1), &|| lab.reach(dc1)),
            ("is dead", &|| dc1.kill(), &|| dc1.start()),
        ];
        for (what, begin, end) in steps {
            let warm = fresh();
            assert_eq!(
                found_on(&warm, Route::Preferred).expect("found"),
                Some(dc1.host()),
                "before it {what}"
            );
            begin();
            for directory in [warm, fresh()] {
                let begun = Instant::now();
                for _ in 0..10 {
                    let controller = found_on(&directory, Route::Preferred).unwrap_or_else(|e| panic!("{what}: {e:?}"));
                    assert_eq!(controller, Some(dc2.host()), "{what}");
                }
                // One timeout; without the circuit breaker it would be ten.
                assert!(
                    begun.elapsed() < Duration::from_secs(TIMEOUT * 5),
                    "{what}: {:?}",
                    begun.elapsed()
                );
                let host = dc1.host();
                let pinned = found_on(&directory, Route::Controller(&host)).expect_err(what);
                assert_eq!(pinned.code(), ErrorCode::DirectoryUnavailable, "{what}");
                assert!(pinned.message().contains(&host), "{what}: {pinned:?}");
            }
            let controller = found_on(&by_dns(), Route::Preferred).unwrap_or_else(|e| panic!("{what}: {e:?}"));
            assert_eq!(controller, Some(dc2.host()), "by DNS, while one {what}");
            end();
            assert_eq!(
                found_on(&fresh(), Route::Preferred).expect("found"),
                Some(dc1.host()),
                "after it {what}"
            );
        }
    });
}
