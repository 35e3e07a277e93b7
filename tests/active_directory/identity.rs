//! Every identity form finds its mailbox and no other.

use std::collections::BTreeSet;
use std::path::Path;

use umpin::directory::embedded::{EmbeddedDirectory, EmbeddedOptions};
use umpin::directory::{Directory as _, Route};
use umpin::identity::Identity;
use umpin::import::{Format, ImportOptions, parse};
use umpin::mailbox::Mailbox;
use umpin::{Error, ErrorCode};

use crate::directory_port::{directory, find, find_one, id, names, settings};
use crate::harness::{BASE, UM, shared};

const TONY: &str = "43e08f9c-3d78-5a40-92c2-217eee132f30";

#[test]
fn every_identity_form_finds_the_mailbox_on_every_route() {
    shared(|lab| {
        let directory = directory(lab, &UM);
        let dc1 = lab.dc1().host();
        let own_guid = lab
            .dc1()
            .administrator()
            .value(&format!("CN=Tony Smith,OU=Sales,{BASE}"), "msExchMailboxGuid")
            .expect("the mailbox's own GUID");
        let own_guid = uuid::Uuid::from_slice_le(&own_guid).expect("16 bytes").to_string();
        for text in [
            TONY,
            "{43E08F9C-3D78-5A40-92C2-217EEE132F30}",
            &own_guid,
            "CN=Tony Smith,OU=Sales,DC=contoso,DC=com",
            "cn = \"tony  smith\" ; ou=sales, dc=CONTOSO, dc=com",
            r"CN=\54ony Smith,OU=Sales,DC=contoso,DC=com",
            "contoso.com/Sales/Tony Smith",
            "CONTOSO.COM/sales/tony  smith/",
            r"CONTOSO\tonysmith",
            r"contoso\TONYSMITH",
            "tonysmith@contoso.com",
            "TONYSMITH@CONTOSO.COM",
            "tony.tonysmith@contoso.com",
            "smtp:tony.tonysmith@contoso.com",
            "/o=Contoso/ou=Exchange Administrative Group/cn=Recipients/cn=tonysmith",
            "X500:/O=CONTOSO/ou=exchange administrative group/cn=recipients/cn=tonysmith",
            "tonysmith",
            "Tony Smith",
            "  tony smith\t",
        ] {
            for route in [Route::Preferred, Route::Controller(&dc1), Route::Forest] {
                let matches = find(&directory, text, route);
                let guids: Vec<String> = matches.found.iter().map(|f| f.mailbox.guid.to_string()).collect();
                assert_eq!(
                    (matches.count, guids.as_slice()),
                    (1, &[TONY.to_owned()][..]),
                    "{text} by {route:?}"
                );
            }
        }
        let found = find_one(&directory, TONY);
        assert_eq!(found.controller.as_deref(), Some(dc1.as_str()));
        assert_eq!(directory.location(), "contoso.com");
        assert_eq!(directory.kind(), "activeDirectory");
    });
}

#[test]
fn names_in_any_script_are_found_in_any_case() {
    shared(|lab| {
        let directory = directory(lab, &UM);
        for (text, name) in [
            ("Miller, Ben", "Miller, Ben"),
            (r"CN=Miller\, Ben,OU=Sales,DC=contoso,DC=com", "Miller, Ben"),
            (r"cn=miller\2c ben,ou=sales,dc=contoso,dc=com", "Miller, Ben"),
            ("contoso.com/Sales/Miller, Ben", "Miller, Ben"),
            ("zoë müller", "Zoë Müller"),
            ("ZOË MÜLLER", "Zoë Müller"),
            ("Zoe\u{308} Mu\u{308}ller", "Zoë Müller"),
            ("CN=ZOË MÜLLER,OU=SALES,DC=CONTOSO,DC=COM", "Zoë Müller"),
            (r"CN=Zo\C3\AB M\C3\BCller,OU=Sales,DC=contoso,DC=com", "Zoë Müller"),
            ("contoso.com/Sales/ZOË MÜLLER", "Zoë Müller"),
            ("SØREN ØSTERGÅRD", "Søren Østergård"),
            ("李 伟", "李 伟"),
            ("CN=李 伟,OU=Engineering,DC=contoso,DC=com", "李 伟"),
            ("contoso.com/Engineering/李 伟", "李 伟"),
        ] {
            assert_eq!(find_one(&directory, text).mailbox.name, name, "{text}");
        }
        // Servers with other folding rules find the name as written, or folded.
        for (alias, typed) in [
            ("identity-straße", "IDENTITY-straße"),
            ("identity-gasse", "Identity-gaße"),
        ] {
            let mailbox = lab.mailbox(alias);
            assert_eq!(find_one(&directory, typed).mailbox.guid, mailbox.guid, "{typed}");
        }
    });
}

#[test]
fn other_identities_do_not_find_it() {
    shared(|lab| {
        let directory = directory(lab, &UM);
        for text in [
            "*",
            "tony*",
            // Accents are significant.
            "Zoe Muller",
            "zoe müller",
            r"FABRIKAM\tonysmith",
            r"contoso.com\tonysmith",
            "contoso.com/Engineering/Tony Smith",
            "contoso.com/Sales",
            "CN=Tony Smith,OU=Engineering,DC=contoso,DC=com",
            "OU=Sales,DC=contoso,DC=com",
            "DC=contoso,DC=com",
            "CN=Tony Smith,OU=Sales,DC=fabrikam,DC=com",
            "4271",
            "00000000-0000-0000-0000-000000000000",
            // No users without mailbox, computers or groups.
            "Administrator",
            "svc-um",
            "DC1$",
            "Domain Admins",
        ] {
            for route in [Route::Preferred, Route::Forest] {
                let matches = find(&directory, text, route);
                assert_eq!(matches.count, 0, "{text} by {route:?}: {:?}", names(&matches));
            }
        }
    });
}

#[test]
fn a_mailbox_named_by_several_forms_is_one_match() {
    shared(|lab| {
        let directory = directory(lab, &UM);
        let matches = find(&directory, "helpdesk@contoso.com", Route::Preferred);
        assert_eq!(names(&matches), ["Help Desk", "Miller, Ben"]);
        assert_eq!(matches.count, 2);
    });
}

#[test]
fn all_matches_are_counted_and_eleven_returned() {
    shared(|lab| {
        let directory = directory(lab, &UM);
        let administrator = lab.dc1().administrator();
        let many = 13;
        for n in 0..many {
            let mailbox = lab.mailbox(&format!("identity-many-{n:02}"));
            administrator.replace(&mailbox.dn, "mailNickname", &[b"identity-many"]);
        }
        let matches = find(&directory, "IDENTITY-many", Route::Preferred);
        assert_eq!((matches.count, matches.found.len()), (many, 11));
        assert_eq!(matches.found[0].mailbox.name, "identity-many-00", "the order is stable");
    });
}

#[test]
fn extensions_are_found_with_separators_and_by_dial_plan() {
    shared(|lab| {
        let directory = directory(lab, &UM);
        let mailbox = lab.mailbox("identity-extension");
        let administrator = lab.dc1().administrator();
        administrator.replace(
            &mailbox.dn,
            "proxyAddresses",
            &[
                b"SMTP:identity-extension@contoso.com",
                b"EUM:+14255550100;phone-context=E164.contoso.com",
                b"eum:87654;phone-context=Branch.contoso.com",
            ],
        );
        let by = |number: &str, plan: Option<&str>| {
            let matches = directory
                .find_by_extension(number, plan, Route::Preferred)
                .unwrap_or_else(|error| panic!("{number}: {error:?}"));
            names(&matches).into_iter().map(str::to_owned).collect::<Vec<_>>()
        };
        for (number, plan, expected) in [
            ("4271", None, Some("Tony Smith")),
            ("42-71", Some("CONTOSO.contoso.com"), Some("Tony Smith")),
            ("4271", Some("Branch.contoso.com"), None),
            ("427", None, None),
            ("6399", None, Some("Molly Dempsey")),
            ("87654", Some("branch.contoso.com"), Some("identity-extension")),
            ("+1 (425) 555-0100", None, Some("identity-extension")),
            ("14255550100", Some("E164.contoso.com"), Some("identity-extension")),
            ("*", None, None),
            ("4271;phone-context=Contoso.contoso.com", None, None),
            ("", None, None),
        ] {
            assert_eq!(
                by(number, plan),
                expected.into_iter().collect::<Vec<_>>(),
                "{number} in {plan:?}"
            );
        }
    });
}

#[test]
fn an_object_is_found_by_guid_until_it_is_deleted() {
    shared(|lab| {
        let directory = directory(lab, &UM);
        let mailbox = lab.mailbox("identity-gone");
        let dc1 = lab.dc1().host();
        for route in [Route::Preferred, Route::Controller(&dc1), Route::Forest] {
            let found = directory.find_by_object_id(id(&mailbox), route).expect("an answer");
            assert_eq!(found.expect("the mailbox").mailbox.name, "identity-gone", "{route:?}");
        }
        lab.dc1().administrator().delete(&mailbox.dn);
        for route in [Route::Preferred, Route::Controller(&dc1), Route::Forest] {
            assert_eq!(
                directory.find_by_object_id(id(&mailbox), route).expect("an answer"),
                None
            );
        }
        let error = directory.credential(id(&mailbox), Some(&dc1)).expect_err("gone");
        assert_eq!(error.code(), ErrorCode::ManagementObjectNotFound, "{error:?}");
    });
}

#[test]
fn a_mailbox_equals_its_import() {
    shared(|lab| {
        let directory = directory(lab, &UM);
        let folder = tempfile::tempdir().expect("a folder");
        let embedded = EmbeddedDirectory::new(EmbeddedOptions::new(folder.path().join("directory.db")));
        let csv = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/powershell/fixtures/contoso.csv");
        let bytes = std::fs::read(csv).expect("the fixture");
        let plan = parse(&bytes, Format::Csv, &ImportOptions::default()).expect("a plan");
        embedded.import(&plan, None, false).expect("an import");
        assert!(plan.mailboxes.len() > 20);
        for row in &plan.mailboxes {
            let guid = row.mailbox.guid.expect("the fixture has GUIDs").to_string();
            let imported = embedded
                .find(&Identity::parse(&guid).unwrap(), Route::Preferred)
                .unwrap();
            let imported = comparable(imported.found[0].mailbox.clone());
            let found = find_one(&directory, &guid).mailbox;
            assert_eq!(found.object_id.0, *found.guid.as_bytes());
            assert_eq!(comparable(found), imported);
        }
    });
}

/// The mailbox without expected differences: order of addresses, dial plans and their addresses, ids of the store, DN of the policy.
fn comparable(mut mailbox: Mailbox) -> (Mailbox, BTreeSet<String>, BTreeSet<String>) {
    mailbox.object_id.0 = [0; 16];
    mailbox.um_mailbox_policy_link = None;
    let addresses = mailbox.email_addresses.drain(..);
    let addresses = addresses.filter(|address| !address.starts_with("eum:")).collect();
    let extensions = mailbox.extensions.drain(..).map(|extension| extension.number).collect();
    (mailbox, addresses, extensions)
}

#[test]
fn the_store_id_is_stable_and_imports_are_rejected() {
    shared(|lab| {
        let (one, other) = (directory(lab, &UM), directory(lab, &UM));
        assert_eq!(one.store_id().expect("an id"), other.store_id().expect("an id"));
        assert!(
            one.holds_sealed_data().expect("an answer"),
            "a key is never made silently"
        );
        let plan = umpin::import::ImportPlan::default();
        let error: Error = one.import(&plan, None, true).expect_err("no import");
        assert_eq!(error.code(), ErrorCode::ConfigurationInvalid);
    });
}

#[test]
fn an_unsuitable_schema_is_reported_first() {
    shared(|lab| {
        for (attribute, says) in [
            ("extensionAttribute16", "does not have extensionAttribute16"),
            ("employeeNumber*", "does not have employeeNumber*"),
            ("logonCount", "neither octets nor text"),
            ("otherTelephone", "several values"),
            ("msexchumpinchecksum", "cannot hold the counters as well"),
        ] {
            let mut settings = settings(lab, &UM);
            settings.counter_attribute = attribute.to_owned();
            let directory = umpin::directory::active_directory::ActiveDirectory::new(settings);
            let error = directory
                .find(&Identity::parse(TONY).unwrap(), Route::Preferred)
                .expect_err(attribute);
            assert_eq!(error.code(), ErrorCode::ConfigurationInvalid, "{error:?}");
            assert!(error.message().contains(says), "{error:?} does not say: {says}");
        }
    });
}
