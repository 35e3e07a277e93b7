//! Signing in with Kerberos. Its library takes what it needs from the environment, so each attempt is a process of its own.

use std::env;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};
use umpin::directory::Route;

use crate::rig::{Lab, UM, shared};
use crate::transport::{configured, found_on};

const SECTION: &str = "UMPIN_TEST_SECTION";

/// Says on which controller Tony was found, or why on none.
#[test]
#[ignore = "no test: the others run it as a process of its own"]
fn attempt() {
    let section = env::var(SECTION).expect("a section of a configuration");
    let section: Value = serde_json::from_str(&section).expect("JSON");
    let outcome = match found_on(&configured(&section), Route::Preferred) {
        Ok(controller) => json!({ "controller": controller }),
        Err(error) => json!({ "code": error.code().id(), "message": error.message() }),
    };
    println!("OUTCOME {outcome}");
}

/// What becomes of an attempt; `clock` is what the clock is to be wrong by, as faketime takes it.
fn outcome(lab: &Lab, tls: &str, variables: &[(&str, &str)], clock: Option<&str>) -> Value {
    let mut section = lab.directory(UM);
    section["tls"] = json!(tls);
    section["bind"] = json!({ "method": "kerberos" });
    let this = env::current_exe().expect("this program");
    let mut command = match clock {
        None => Command::new(this),
        Some(offset) => {
            let mut command = Command::new("faketime");
            command.args(["-f", offset]).arg(this).env("DONT_FAKE_MONOTONIC", "1");
            command
        }
    };
    let output = command
        .args(["--exact", "kerberos::attempt", "--ignored", "--nocapture"])
        .env(SECTION, section.to_string())
        .env("KRB5_CONFIG", krb5_conf("dc1.contoso.com"))
        .env("KRB5CCNAME", "MEMORY:")
        .env("KRB5_CLIENT_KTNAME", "FILE:/mnt/none.keytab")
        .envs(variables.iter().copied())
        .output()
        .expect("it starts");
    let text = String::from_utf8_lossy(&output.stdout);
    let line = text.lines().find_map(|line| line.split_once("OUTCOME "));
    let (_, outcome) = line.unwrap_or_else(|| panic!("{text}\n{}", String::from_utf8_lossy(&output.stderr)));
    serde_json::from_str(outcome).expect("JSON")
}

/// Without DNS, so that nothing but this file counts.
fn krb5_conf(kdc: &str) -> String {
    let file = Path::new("/mnt").join(format!("krb5-{}.conf", kdc.replace(':', "-")));
    let text = format!(
        "[libdefaults]\ndefault_realm = CONTOSO.COM\ndns_lookup_kdc = false\nrdns = false\n\
         dns_canonicalize_hostname = false\nudp_preference_limit = 1\nkdc_timesync = 0\n\
         [realms]\nCONTOSO.COM = {{\n kdc = {kdc}\n}}\n[domain_realm]\n.contoso.com = CONTOSO.COM\n"
    );
    fs::write(&file, text).expect("a file");
    file.display().to_string()
}

#[test]
fn a_keytab_signs_in_over_either_protection() {
    shared(|lab| {
        let keytab = format!("FILE:{}", lab.dc1().keytab(UM).display());
        for tls in ["ldaps", "startTls"] {
            let outcome = outcome(lab, tls, &[("KRB5_CLIENT_KTNAME", &keytab)], None);
            assert_eq!(outcome["controller"], lab.dc1().host(), "{tls}: {outcome}");
        }
    });
}

#[test]
fn what_is_missing_for_kerberos_is_told_apart() {
    shared(|lab| {
        let keytab = format!("FILE:{}", lab.dc1().keytab(UM).display());
        let with_keytab = ("KRB5_CLIENT_KTNAME", keytab.as_str());
        let nobody = krb5_conf("127.0.0.1:9");
        let skewed = Some("+1h").filter(|_| Command::new("faketime").arg("--version").output().is_ok());
        if skewed.is_none() {
            let complete = env::var("CI").is_ok_and(|value| value == "true");
            assert!(!complete, "faketime is missing; `.ci/run` names the Debian packages");
            let _ = writeln!(std::io::stderr(), "NOT RUN, a wrong clock: faketime is missing");
        }
        let mut attempts = vec![
            (vec![], None, "AccessDenied", "has no Kerberos ticket"),
            (
                vec![with_keytab, ("KRB5_CONFIG", nobody.as_str())],
                None,
                "DirectoryUnavailable",
                "no Kerberos server answers",
            ),
        ];
        if skewed.is_some() {
            attempts.push((vec![with_keytab], skewed, "AccessDenied", "the clocks of this computer"));
        }
        for (variables, clock, code, said) in attempts {
            let outcome = outcome(lab, "ldaps", &variables, clock);
            assert_eq!(outcome["code"], code, "{outcome}");
            assert!(
                outcome["message"]
                    .as_str()
                    .is_some_and(|message| message.contains(said)),
                "{outcome}"
            );
        }
    });
}
