//! `domain` is what the controllers must hold: those of another forest are not asked, though they know the same account and people.

use serde_json::{Value, json};
use umpin::ErrorCode;
use umpin::directory::Route;

use crate::host::{Host, says};
use crate::rig::{Controller, Forest, Lab, UM, alone};
use crate::transport::{directory, found_on};

const THEIR_TONY: &str = "CN=Tony Smith,OU=Sales,DC=fabrikam,DC=com";
const HELD: &str = "The domain controller dc3.fabrikam.com holds the domain fabrikam.com, not contoso.com.";

fn asking(lab: &Lab, controllers: &[&Controller]) -> Host {
    let hosts: Vec<String> = controllers.iter().map(|dc| dc.host()).collect();
    Host::with(lab, UM, |configuration| {
        configuration["directory"]["domainControllers"] = json!(hosts);
        // The account of the same name and password is there, too: it could sign in.
        configuration["directory"]["bind"]["user"] = json!("svc-um@contoso.com");
    })
}

#[track_caller]
fn nothing_was_written(stranger: &Controller) {
    let tony = stranger
        .administrator()
        .read(THEIR_TONY, &["mail", "msExchUMPinChecksum", "extensionAttribute15"]);
    let tony = tony.expect("the people are the same there");
    assert_eq!(tony.keys().collect::<Vec<_>>(), ["mail"], "it was written to");
}

#[test]
fn a_controller_of_another_domain_is_neither_read_nor_written() {
    alone(Forest::WithStranger, |lab| {
        let (dc1, stranger) = (lab.dc1(), lab.stranger());
        assert_eq!(
            stranger.connect_as(UM).value(THEIR_TONY, "mail").as_deref(),
            Some(&b"tonysmith@contoso.com"[..]),
            "the account could sign in there and read"
        );
        let tony = || json!({ "identity": "tonysmith@contoso.com", "sendEmail": false });
        let theirs_alone = asking(lab, &[stranger]);
        let error = theirs_alone.refusal(tony(), Some("739152"));
        says(&error, ErrorCode::ConfigurationInvalid, &[HELD]);
        assert!(
            error.recommended_action().contains("'directory.domainControllers'"),
            "{error:?}"
        );
        let done = theirs_alone.reset(tony(), Some("739152"));
        assert!(done.is_err(), "a mailbox of another domain was reset");

        // Named first it is skipped, and named in the command it is refused.
        let both = asking(lab, &[stranger, dc1]);
        both.set_pin("tonysmith@contoso.com", "739152");
        let mut named: Value = tony();
        named["domainController"] = json!(stranger.host());
        let error = both.refusal(named, Some("739153"));
        says(&error, ErrorCode::DirectoryUnavailable, &[HELD]);

        // What is left after a failure is not another domain.
        let after = asking(lab, &[dc1, stranger]);
        after.info("tonysmith@contoso.com");
        dc1.kill();
        let error = after.refusal(tony(), Some("482913"));
        says(&error, ErrorCode::DirectoryUnavailable, &[&dc1.host(), HELD]);
        let done = after.reset(tony(), Some("482913"));
        assert!(done.is_err(), "fail-over changed the domain");
        nothing_was_written(stranger);
    });
}

#[test]
fn a_catalog_of_another_forest_is_not_asked() {
    alone(Forest::WithStranger, |lab| {
        let directory = directory(lab, UM, |section| {
            section["globalCatalogs"] = json!([lab.stranger().host()]);
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
