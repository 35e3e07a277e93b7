//! Kerberos binds with the credentials of the process. Each test has its own process, because MIT Kerberos reads the environment.

use std::fs;

use serde_json::json;
use umpin::ErrorCode;

use crate::harness::{Forest, Lab, UM, alone, alone_with};
use crate::host::{Host, says};

/// The keytab of the account.
const KEYTAB: (&str, &str) = ("KRB5_CLIENT_KTNAME", "/mnt/dc1/svc-um.keytab");
/// Written by the test before Kerberos is first used.
const OWN_CONFIGURATION: (&str, &str) = ("KRB5_CONFIG", "/mnt/own-krb5.conf");

fn host(lab: &Lab, tls: &str) -> Host {
    Host::with(lab, UM, |configuration| {
        configuration["directory"]["tls"] = json!(tls);
        configuration["directory"]["bind"] = json!({ "method": "kerberos" });
    })
}

/// Appends to the harness's configuration of Kerberos.
fn configure(more: &str) {
    let harness_config = fs::read_to_string("/mnt/krb5.conf").expect("the harness's configuration");
    let own = harness_config.replace("[libdefaults]\n", &format!("[libdefaults]\n{more}\n"));
    assert_ne!(own, harness_config, "the harness's configuration has [libdefaults]");
    fs::write(OWN_CONFIGURATION.1, own).expect("a file");
}

#[test]
#[cfg_attr(not(feature = "gssapi"), ignore = "needs the cargo feature gssapi")]
fn the_keytab_signs_in_with_ldaps_and_start_tls() {
    alone_with(Forest::Single, &[KEYTAB], |lab| {
        assert_eq!(lab.keytab().to_str(), Some(KEYTAB.1), "the harness has it elsewhere");
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
fn a_missing_ticket_is_reported() {
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
fn clock_skew_is_reported() {
    // Only the clock of this process is late.
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
        // Otherwise the library adopts the server's clock.
        configure("kdc_timesync = 0");
        let error = host(lab, "ldaps").refusal(json!({ "identity": "tonysmith" }), None);
        says(&error, ErrorCode::AccessDenied, &["dc1.contoso.com", "clocks"]);
        assert!(error.recommended_action().contains("clock"), "{error:?}");
    });
}

#[test]
#[cfg_attr(not(feature = "gssapi"), ignore = "needs the cargo feature gssapi")]
fn an_unreachable_kdc_is_reported() {
    alone_with(Forest::Single, &[KEYTAB, OWN_CONFIGURATION], |lab| {
        let harness_config = fs::read_to_string("/mnt/krb5.conf").expect("the harness's configuration");
        // No listener on this port.
        let own: String = harness_config.replace("kdc = 10.99.0.1", "kdc = 127.0.0.");
        assert_ne!(own, harness_config, "the harness's configuration has servers");
        fs::write(OWN_CONFIGURATION.1, own).expect("a file");
        let error = host(lab, "ldaps").refusal(json!({ "identity": "tonysmith" }), None);
        says(
            &error,
            ErrorCode::DirectoryUnavailable,
            &["dc1.contoso.com", "no Kerberos server"],
        );
    });
}
