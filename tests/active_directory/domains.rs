//! Controllers of another domain than `domain` are not used, even if they have the same account and users.

use serde_json::{Value, json};
use umpin::ErrorCode;
use umpin::directory::Route;

use crate::harness::{Controller, Forest, Lab, UM, alone};
use crate::host::{Host, says};
use crate::transport::{directory, found_on};

const THEIR_TONY: &str = "CN=Tony Smith,OU=Sales,DC=fabrikam,DC=com";
const HELD: &str = "The domain controller dc3.fabrikam.com holds the domain fabrikam.com, not contoso.com.";

fn asking(lab: &Lab, controllers: &[&Controller]) -> Host {
    let hosts: Vec<String> = controllers.iter().map(|dc| dc.host()).collect();
    Host::with(lab, UM, |configuration| {
        configuration["directory"]["domainControllers"] = json!(hosts);
        // The other forest has an account with the same name and password.
        configuration["directory"]["bind"]["user"] = json!("svc-um@contoso.com");
    })
}

#[track_caller]
fn nothing_was_written(other_forest_controller: &Controller) {
    let tony = other_forest_controller
        .administrator()
        .read(THEIR_TONY, &["mail", "msExchUMPinChecksum", "extensionAttribute15"]);
    let tony = tony.expect("the people are the same there");
    assert_eq!(tony.keys().collect::<Vec<_>>(), ["mail"], "it was written to");
}

#[test]
fn a_controller_of_another_domain_is_not_used() {
    alone(Forest::TwoForests, |lab| {
        let (dc1, other_forest_controller) = (lab.dc1(), lab.other_forest_controller());
        assert_eq!(
            other_forest_controller
                .connect_as(UM)
                .value(THEIR_TONY, "mail")
                .as_deref(),
            Some(&b"tonysmith@contoso.com"[..]),
            "the account could sign in there and read"
        );
        let tony = || json!({ "identity": "tonysmith@contoso.com", "sendEmail": false });
        let theirs_alone = asking(lab, &[other_forest_controller]);
        let error = theirs_alone.refusal(tony(), Some("739152"));
        says(&error, ErrorCode::ConfigurationInvalid, &[HELD]);
        assert!(
            error.recommended_action().contains("'directory.domainControllers'"),
            "{error:?}"
        );
        let done = theirs_alone.reset(tony(), Some("739152"));
        assert!(done.is_err(), "a mailbox of another domain was reset");

        // It is skipped in the configuration and rejected as a parameter.
        let both = asking(lab, &[other_forest_controller, dc1]);
        both.set_pin("tonysmith@contoso.com", "739152");
        let mut named: Value = tony();
        named["domainController"] = json!(other_forest_controller.host());
        let error = both.refusal(named, Some("739153"));
        says(&error, ErrorCode::DirectoryUnavailable, &[HELD]);

        // Fail-over does not use another domain.
        let after = asking(lab, &[dc1, other_forest_controller]);
        after.info("tonysmith@contoso.com");
        dc1.kill();
        let error = after.refusal(tony(), Some("482913"));
        says(&error, ErrorCode::DirectoryUnavailable, &[&dc1.host(), HELD]);
        let done = after.reset(tony(), Some("482913"));
        assert!(done.is_err(), "fail-over changed the domain");
        nothing_was_written(other_forest_controller);
    });
}

#[test]
fn a_catalog_of_another_forest_is_not_used() {
    alone(Forest::TwoForests, |lab| {
        let directory = directory(lab, UM, |section| {
            section["globalCatalogs"] = json!([lab.other_forest_controller().host()]);
        });
        let error = found_on(&directory, Route::Forest).expect_err("another forest");
        says(
            &error,
            ErrorCode::ConfigurationInvalid,
            &[
                "dc3.fabrikam.com",
                "fabrikam.com, which is not in the forest of contoso.com",
            ],
        );
    });
}
