//! The documented rights are sufficient and minimal.

use serde_json::json;
use umpin::ErrorCode;

use crate::harness::{Account, BASE, Lab, POLICIES, READER, UM, shared};
use crate::host::{Host, says};

const DOCUMENTATION: &str = include_str!("../../docs/active-directory.md");
const RECORD: &str = "msExchUMPinChecksum";
const COUNTER: &str = "extensionAttribute15";
const HOLDER: &str = "CN=AdminSDHolder,CN=System,DC=contoso,DC=com";
const INSUFFICIENT_ACCESS_RIGHTS: u32 = 50;

/// Runs the block of commands of the documentation that names this object, for another account than the one there and on this
/// controller's files.
fn run_documented(lab: &Lab, object: &str, account: Account) {
    let block = DOCUMENTATION
        .split("```")
        .skip(1)
        .step_by(2)
        .filter_map(|block| block.strip_prefix("sh\n"))
        .find(|block| block.contains("samba-tool dsacl set") && block.contains(object))
        .unwrap_or_else(|| panic!("docs/active-directory.md has no samba-tool lines for {object}"));
    let known = ["svc-um", "/var/lib/samba/private/sam.ldb"];
    for part in known {
        assert!(
            block.contains(part),
            "docs/active-directory.md: {part} is not in\n{block}"
        );
    }
    let database = lab.dc1().database().display().to_string();
    lab.dc1()
        .script(&block.replace(known[0], account.name).replace(known[1], &database));
}

fn sid(lab: &Lab, account: Account) -> String {
    let shown = lab
        .dc1()
        .script(&format!("samba-tool user show {} --attributes=objectSid", account.name));
    let line = shown.lines().find_map(|line| line.strip_prefix("objectSid: "));
    line.unwrap_or_else(|| panic!("{shown}")).to_owned()
}

#[test]
fn the_documented_rights_are_enough_for_resets_and_sign_ins() {
    shared(|lab| {
        let account = lab.account("rights-service");
        let amy = "amyalberts@contoso.com";
        let host = Host::with(lab, account, |_| {});
        let error = host
            .reset(json!({ "identity": amy }), None)
            .err()
            .expect("no rights yet");
        says(&error, ErrorCode::AccessDenied, &["rights-service", RECORD, COUNTER]);

        run_documented(lab, "OU=Sales,DC=contoso,DC=com", account);
        // What `dsacls /I:S /G "…:RPWP;attribute;user"` grants: to users below, and not to the unit itself.
        let granted = lab
            .dc1()
            .script("samba-tool dsacl get --objectdn=OU=Sales,DC=contoso,DC=com");
        let sid = sid(lab, account);
        let entries: Vec<&str> = granted
            .split_inclusive(')')
            .filter(|entry| entry.contains(&sid))
            .collect();
        assert_eq!(entries.len(), 2, "{entries:?} of {granted}");
        for entry in &entries {
            assert!(entry.contains("(OA;CIIO;RPWP;"), "{entry}");
            assert!(
                entry.ends_with(&format!(";bf967aba-0de6-11d0-a285-00aa003049e2;{sid})")),
                "{entry}"
            );
        }
        assert!(
            granted.contains("RPWP;3263e3b8-fd6b-4c60-87f2-34bdaa9d69eb;"),
            "the record's attribute: {granted}"
        );

        host.set_pin(amy, "739152");
        assert_eq!(host.sign_in(amy, "739152"), "accepted");
        assert_eq!(host.sign_in(amy, "482913"), "rejected");
        host.reset(json!({ "identity": amy, "keepPin": true, "lockedOut": true }), None)
            .expect("locked");
        host.reset(json!({ "identity": amy }), None).expect("a reset");
        // Elsewhere the account may only read.
        let error = host
            .reset(json!({ "identity": "Kim Akers" }), None)
            .err()
            .expect("another unit");
        says(
            &error,
            ErrorCode::AccessDenied,
            &["rights-service", "CN=Kim Akers,OU=Engineering"],
        );
    });
}

#[test]
fn the_service_account_can_write_nothing_else() {
    shared(|lab| {
        let mailbox = lab.mailbox("rights-nothing-else");
        let service = lab.dc1().connect_as(UM);
        let policy = format!("CN=Default,{POLICIES}");
        for (dn, attribute, value) in [
            (mailbox.dn.as_str(), "displayName", "Somebody else"),
            (&mailbox.dn, "msExchUMEnabledFlags", "0"),
            (&mailbox.dn, "msExchUMTemplateLink", &policy),
            (&mailbox.dn, "proxyAddresses", "SMTP:somebody.else@contoso.com"),
            (&mailbox.dn, "extensionAttribute14", "x"),
            (&mailbox.dn, "userAccountControl", "512"),
            (&policy, "msExchUMPinPolicyMinPasswordLength", "4"),
            (&format!("OU=Tests,{BASE}"), "description", "x"),
            ("CN=svc-reader,CN=Users,DC=contoso,DC=com", RECORD, "x"),
        ] {
            assert_eq!(
                service.result_of_replace(dn, attribute, value.as_bytes()),
                INSUFFICIENT_ACCESS_RIGHTS,
                "{attribute} of {dn}"
            );
        }
        // Confirms that the rejections above are due to missing rights.
        assert_eq!(service.result_of_replace(&mailbox.dn, RECORD, b"x"), 0);
        assert_eq!(service.result_of_replace(&mailbox.dn, COUNTER, b"x"), 0);
    });
}

#[test]
fn another_counter_attribute_needs_its_own_right() {
    shared(|lab| {
        let mailbox = lab.mailbox("rights-counter");
        let host = Host::with(lab, UM, |configuration| {
            configuration["directory"]["counterAttribute"] = json!("extensionAttribute14");
        });
        let error = host
            .reset(json!({ "identity": mailbox.alias }), None)
            .err()
            .expect("no right");
        says(
            &error,
            ErrorCode::AccessDenied,
            &["svc-um", "extensionAttribute14", &mailbox.dn],
        );
        assert_eq!(
            lab.dc1().administrator().value(&mailbox.dn, RECORD),
            None,
            "all of a change is made or nothing"
        );
    });
}

#[test]
fn readers_see_only_sealed_values_and_timestamps() {
    shared(|lab| {
        let mailbox = lab.mailbox("rights-reader");
        let host = Host::new(lab);
        host.set_pin(&mailbox.alias, "739152");
        host.sign_in(&mailbox.alias, "482913");
        let reader = lab.dc1().connect_as(READER);
        let seen = reader.read(&mailbox.dn, &[RECORD, COUNTER, "replPropertyMetaData"]);
        let seen = seen.expect("the mailbox");
        for attribute in [RECORD, COUNTER, "replPropertyMetaData"] {
            assert!(seen.contains_key(attribute), "{attribute}: {:?}", seen.keys());
        }
        assert!(!format!("{seen:?}").contains("739152"));
        // The length reveals the number of PINs only.
        let other = lab.mailbox("rights-reader-long");
        host.set_pin(&other.alias, "739152739152739152739152");
        let longer = reader.value(&other.dn, RECORD).expect("a record");
        assert_eq!(longer.len(), seen[RECORD][0].len());
    });
}

/// Active Directory gives protected accounts the security descriptor of AdminSDHolder once an hour, with the flag by which they inherit
/// nothing (SE_DACL_PROTECTED, MS-DTYP 2.4.6). Samba does not.
fn protect(lab: &Lab, dn: &str) {
    let administrator = lab.dc1().administrator();
    let mut descriptor = administrator
        .value(HOLDER, "nTSecurityDescriptor")
        .expect("a descriptor");
    descriptor[3] |= 0x10;
    administrator.replace(dn, "adminCount", &[b"1"]);
    administrator.replace(dn, "nTSecurityDescriptor", &[&descriptor]);
}

#[test]
fn administrators_mailboxes_need_rights_at_admin_sd_holder() {
    shared(|lab| {
        let account = lab.account("rights-holder");
        let mailbox = lab.mailbox("rights-administrator");
        let host = Host::new(lab);
        host.set_pin(&mailbox.alias, "739152");
        protect(lab, &mailbox.dn);
        let error = host
            .reset(json!({ "identity": mailbox.alias }), None)
            .err()
            .expect("no rights");
        says(&error, ErrorCode::AccessDenied, &["svc-um", RECORD, &mailbox.dn]);
        assert!(
            error.recommended_action().contains("AdminSDHolder"),
            "{}",
            error.recommended_action()
        );

        run_documented(lab, HOLDER, account);
        protect(lab, &mailbox.dn);
        let other = Host::with(lab, account, |_| {});
        other.set_pin(&mailbox.alias, "482913");
        assert_eq!(other.sign_in(&mailbox.alias, "482913"), "accepted");
        let error = host
            .reset(json!({ "identity": mailbox.alias }), None)
            .err()
            .expect("no rights");
        says(&error, ErrorCode::AccessDenied, &["svc-um"]);
    });
}
