//! The rig itself: what the other tests take for granted.

use crate::rig::{BASE, DOMAIN, Forest, POLICIES, alone, shared};

#[test]
fn a_controller_has_the_people_of_the_fixture() {
    shared(|lab| {
        let administrator = lab.dc1().administrator();
        let found = administrator.search(
            BASE,
            "(mail=tonysmith@contoso.com)",
            &["objectGUID", "proxyAddresses", "msExchUMTemplateLink"],
        );
        assert_eq!(found.len(), 1, "{found:?}");
        let (dn, attributes) = &found[0];
        assert_eq!(dn, "CN=Tony Smith,OU=Sales,DC=contoso,DC=com");
        let guid = uuid::Uuid::from_slice_le(&attributes["objectGUID"][0]).unwrap();
        assert_eq!(guid.to_string(), "43e08f9c-3d78-5a40-92c2-217eee132f30");
        let policy = String::from_utf8_lossy(&attributes["msExchUMTemplateLink"][0]);
        assert_eq!(policy, format!("CN=Default,{POLICIES}"));
        let proxies: Vec<_> = attributes["proxyAddresses"]
            .iter()
            .map(|value| String::from_utf8_lossy(value))
            .collect();
        assert!(
            proxies
                .iter()
                .any(|proxy| proxy == "eum:4271;phone-context=Contoso.contoso.com"),
            "{proxies:?}"
        );
    });
}

#[test]
fn a_test_can_have_a_mailbox_of_its_own() {
    shared(|lab| {
        let mailbox = lab.mailbox("rig-own");
        let entry = lab.dc1().administrator().read(&mailbox.dn, &["mail"]).unwrap();
        assert_eq!(entry["mail"], [format!("rig-own@{DOMAIN}").into_bytes()]);
    });
}

#[test]
fn a_change_on_one_controller_is_soon_on_the_other() {
    alone(Forest::Pair, |lab| {
        let dn = "CN=Tony Smith,OU=Sales,DC=contoso,DC=com";
        for (dc, value) in [(lab.dc1(), "from the first"), (lab.dc2(), "from the second")] {
            dc.administrator().replace(dn, "description", &[value.as_bytes()]);
            assert_eq!(lab.agree(dn, "description").as_deref(), Some(value.as_bytes()));
        }
    });
}

#[test]
fn controllers_that_are_cut_off_from_each_other_take_changes_apart_and_agree_when_healed() {
    alone(Forest::Pair, |lab| {
        let dn = "CN=Tony Smith,OU=Sales,DC=contoso,DC=com";
        lab.cut();
        lab.dc1().administrator().replace(dn, "description", &[b"one"]);
        lab.dc2().administrator().replace(dn, "description", &[b"two"]);
        lab.dc2().administrator().replace(dn, "description", &[b"three"]);
        assert_eq!(
            lab.dc1().administrator().value(dn, "description").as_deref(),
            Some(&b"one"[..])
        );
        lab.heal();
        // More writes win.
        assert_eq!(lab.agree(dn, "description").as_deref(), Some(&b"three"[..]));
    });
}
