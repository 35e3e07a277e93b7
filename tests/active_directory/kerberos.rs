//! Signing in by Kerberos, with the tickets that the process has. Each test has a process of its own: MIT Kerberos reads the environment.

use std::fs;

use serde_json::json;
use umpin::ErrorCode;

use crate::host::{Host, says};
use crate::rig::{Forest, Lab, UM, alone, alone_with};

/// Where the rig has the keytab of the account.
const KEYTAB: (&str, &str) = ("KRB5_CLIENT_KTNAME", "/mnt/dc1/svc-um.keytab");
/// Written by the test before Kerberos is first used.
const OWN_CONFIGURATION: (&str, &str) = ("KRB5_CONFIG", "/mnt/own-krb5.conf");

fn host(lab: &Lab, tls: &str) -> Host {
    Host::with(lab, UM, |configuration| {
        configuration["directory"]["tls"] = json!(tls);
        configuration["directory"]["bind"] = json!({ "method": "kerberos" });
    })
}

/// The rig's configuration of Kerberos, and this.
fn configure(more: &str) {
    let rigs = fs::read_to_string("/mnt/krb5.conf").expect("the rig's configuration");
    let own = rigs.replace("[libdefaults]\n", &format!("[libdefaults]\n{more}\n"));
    assert_ne!(own, rigs, "the rig's configuration has [libdefaults]");
    fs::write(OWN_CONFIGURATION.1, own).expect("a file");
}

#[test]
#[cfg_attr(not(feature = "gssapi"), ignore = "needs the cargo feature gssapi")]
fn the_keytab_of_the_process_signs_in_under_either_protection() {
    alone_with(Forest::Single, &[KEYTAB], |lab| {
        assert_eq!(lab.keytab().to_str(), Some(KEYTAB.1), "the rig has it elsewhere");
        let mailbox = lab.mailbox("kerberos");
        for (tls, pin) in [("ldaps", "739152"), ("startTls", "482913")] {
            let host = host(lab, tls);
            host.set_pin(&mailbox.alias, pin);
            assert_eq!(host.sign_in(&mailbox.alias, pin), "accepted", "{tls}");
            let forest = json!({ "identity": mailbox.dn, "ignoreDefaultScope": true });
            host.what_if(forest, None)
                .expect("the global catalog takes the ticket, too");
        }
    });
}

#[test]
#[cfg_attr(not(feature = "gssapi"), ignore = "needs the cargo feature gssapi")]
fn without_a_ticket_the_error_says_so() {
    alone(Forest::Single, |lab| {
        let error = host(lab, "ldaps").refusal(json!({ "identity": "tonysmith" }), None);
        says(
            &error,
            ErrorCode::AccessDenied,
            &["dc1.contoso.com", "no Kerberos ticket"],
        );
        assert!(error.recommended_action().contains("kinit"), "{error:?}");
    });
}

#[test]
#[cfg_attr(not(feature = "gssapi"), ignore = "needs the cargo feature gssapi")]
fn clocks_that_differ_are_told() {
    // The clock of this process alone is late.
    let late = [
        KEYTAB,
        OWN_CONFIGURATION,
        ("LD_PRELOAD", "/usr/$LIB/faketime/libfaketime.so.1"),
        ("FAKETIME", "-20m"),
        ("FAKETIME_DONT_FAKE_MONOTONIC", "1"),
    ];
    alone_with(Forest::Single, &late, |lab| {
        let maps = fs::read_to_string("/proc/self/maps").expect("what is loaded");
        assert!(maps.contains("libfaketime"), "install the Debian package libfaketime");
        // Else the library takes over the clock that it is told of.
        configure("kdc_timesync = 0");
        let error = host(lab, "ldaps").refusal(json!({ "identity": "tonysmith" }), None);
        says(&error, ErrorCode::AccessDenied, &["dc1.contoso.com", "clocks"]);
        assert!(error.recommended_action().contains("clock"), "{error:?}");
    });
}

#[test]
#[cfg_attr(not(feature = "gssapi"), ignore = "needs the cargo feature gssapi")]
fn a_realm_that_nobody_serves_is_told() {
    alone_with(Forest::Single, &[KEYTAB, OWN_CONFIGURATION], |lab| {
        let rigs = fs::read_to_string("/mnt/krb5.conf").expect("the rig's configuration");
        // Nobody listens there.
        let own: String = rigs.replace("kdc = 10.99.0.1", "kdc = 127.0.0.");
        assert_ne!(own, rigs, "the rig's configuration has servers");
        fs::write(OWN_CONFIGURATION.1, own).expect("a file");
        let error = host(lab, "ldaps").refusal(json!({ "identity": "tonysmith" }), None);
        says(
            &error,
            ErrorCode::DirectoryUnavailable,
            &["dc1.contoso.com", "no Kerberos server"],
        );
    });
}
