//! The configuration check: controllers, certificates, account, rights, the counter's attribute, clock.

use serde_json::{Value, json};

use crate::harness::{Authority, READER, Relay, UM, shared};
use crate::host::Host;

const COUNTER: &str = "extensionAttribute15";

fn checks(host: &Host, mut fields: Value) -> Vec<Value> {
    fields["operation"] = "checkConfiguration".into();
    let answer = host.request(fields).expect("what is broken is no error");
    answer["items"].as_array().expect("items").clone()
}

#[track_caller]
fn the<'a>(checks: &'a [Value], check: &str, result: &str, says: &str) -> &'a Value {
    let fits = |item: &&Value| {
        item["check"] == check
            && item["result"] == result
            && item["message"].as_str().is_some_and(|text| text.contains(says))
    };
    checks
        .iter()
        .find(fits)
        .unwrap_or_else(|| panic!("no {check} that {result} and says {says}: {checks:#?}"))
}

#[test]
fn a_healthy_forest_passes() {
    shared(|lab| {
        let mailbox = lab.mailbox("check-sound");
        let host = Host::new(lab);
        host.set_pin(&mailbox.alias, "739152");
        let found = checks(&host, json!({ "identity": mailbox.alias }));
        let dc = lab.dc1().host();
        let controller = the(&found, "domainController", "passed", "contoso.com");
        assert!(
            controller["target"].as_str().is_some_and(|name| name.contains(&dc)),
            "{controller} is not {dc}"
        );
        the(&found, "certificate", "passed", &dc);
        the(&found, "account", "passed", "signs in");
        the(&found, "directory", "passed", "msExchUMPinChecksum");
        the(&found, "readRights", "passed", COUNTER);
        the(&found, "writeRights", "passed", COUNTER);
        the(&found, "key", "passed", "opens the record of the sample");
        the(&found, "clock", "passed", "agrees");
        assert!(
            found
                .iter()
                .any(|item| item["check"] == "counterAttribute" && item["target"] == COUNTER),
            "{found:#?}"
        );
    });
}

#[test]
fn a_read_only_account_fails_the_write_check() {
    shared(|lab| {
        let mailbox = lab.mailbox("check-reader");
        let host = Host::with(lab, READER, |_| {});
        let found = checks(&host, json!({ "identity": mailbox.alias }));
        let rights = the(
            &found,
            "writeRights",
            "failed",
            "msExchUMPinChecksum and extensionAttribute15",
        );
        assert_eq!(rights["errorId"], "AccessDenied");
    });
}

#[test]
fn values_of_another_application_are_counted() {
    shared(|lab| {
        let mailbox = lab.mailbox("check-foreign");
        let administrator = lab.dc1().administrator();
        administrator.replace(&mailbox.dn, COUNTER, &[b"42"]);
        let host = Host::new(lab);
        let found = checks(&host, json!({}));
        let counter = the(&found, "counterAttribute", "failed", "another application");
        assert!(
            counter["recommendedAction"].to_string().contains("counterAttribute"),
            "{counter}"
        );
        administrator.replace(&mailbox.dn, COUNTER, &[]);
    });
}

#[test]
fn a_wrong_password_a_dead_controller_and_a_bad_certificate_are_results() {
    shared(|lab| {
        let host = Host::with(lab, UM, |configuration| {
            let password = configuration["directory"]["bind"]["passwordFile"]
                .as_str()
                .expect("a file");
            let wrong = std::path::Path::new(password).with_extension("wrong");
            umpin::platform::files::write_atomically(&wrong, b"not this one", None).expect("a file");
            configuration["directory"]["bind"]["passwordFile"] = json!(wrong);
        });
        let found = checks(&host, json!({}));
        the(&found, "account", "failed", "name or password is wrong");
        the(&found, "directory", "skipped", "");

        let expired = Relay::start_with(lab.dc1(), |host| lab.authority().sign_expired(&[host]));
        let other_forest_controller = Authority::new();
        let strange = Relay::start_with(lab.dc1(), |host| other_forest_controller.sign(&[host]));
        let good = lab.dc1().host();
        let host = Host::with(lab, UM, |configuration| {
            configuration["directory"]["domainControllers"] =
                json!([expired.host(), strange.host(), "127.0.0.1:9", good]);
        });
        let found = checks(&host, json!({}));
        the(&found, "certificate", "failed", "has expired");
        the(&found, "certificate", "failed", "not trusted");
        the(&found, "domainController", "failed", "cannot be reached");
        the(&found, "domainController", "passed", "takes the sign-in");
        the(&found, "account", "passed", "signs in");
    });
}
