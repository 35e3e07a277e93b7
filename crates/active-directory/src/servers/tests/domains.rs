//! Controllers that hold another domain than the configured one.

use super::*;

const FABRIKAM: &[(&str, &[&str])] = &[
    ("defaultNamingContext", &["DC=fabrikam,DC=com"]),
    ("rootDomainNamingContext", &["DC=fabrikam,DC=com"]),
    ("configurationNamingContext", &["CN=Configuration,DC=fabrikam,DC=com"]),
    ("isGlobalCatalogReady", &["TRUE"]),
];
/// Another domain of the same forest.
const EMEA: &[(&str, &[&str])] = &[
    ("defaultNamingContext", &["DC=emea,DC=contoso,DC=com"]),
    ("rootDomainNamingContext", &["DC=contoso,DC=com"]),
    ("configurationNamingContext", &["CN=Configuration,DC=contoso,DC=com"]),
    ("isGlobalCatalogReady", &["TRUE"]),
];
const CONTOSO: &[(&str, &[&str])] = &[
    ("defaultNamingContext", &["DC=Contoso,DC=COM"]),
    ("rootDomainNamingContext", &["DC=contoso,DC=com"]),
    ("configurationNamingContext", &["CN=Configuration,DC=contoso,DC=com"]),
    ("isGlobalCatalogReady", &["TRUE"]),
];

type RootDse = &'static [(&'static str, &'static [&'static str])];

fn holding(place: &Place, about: RootDse) -> Scripted {
    place.start(move |_, request| {
        request
            .is_about_server()
            .then(|| vec![entry("", about), Act::Done(0, "")])
    })
}

/// Nothing but its rootDSE, and no password.
#[track_caller]
fn was_not_asked(server: &Scripted) {
    assert!(server.accepted() > 0, "it was not even looked at");
    assert_eq!((server.heard(), server.binds()), (vec![], 0), "{:?}", server.all());
}

#[test]
fn a_configured_controller_of_another_domain_is_refused_before_it_gets_the_password() {
    let place = Place::new();
    for (about, held) in [(FABRIKAM, "fabrikam.com"), (EMEA, "emea.contoso.com")] {
        let foreign = holding(&place, about);
        let servers = place.servers(&[foreign.server()]);
        for _ in 0..2 {
            let failure = who(&servers, HERE).expect_err("another domain");
            assert_eq!(failure.kind, FailureKind::Foreign);
            assert_eq!(failure.error.code(), ErrorCode::ConfigurationInvalid);
            let message = failure.error.message();
            let said = format!("{} holds the domain {held}, not contoso.com.", name(&foreign));
            assert!(message.ends_with(&said), "{message}");
            let action = failure.error.recommended_action();
            assert!(action.contains("'directory.domainControllers'"), "{action}");
        }
        let changed = servers.connect(&name(&foreign)).map(drop).expect_err("another domain");
        assert_eq!(changed.kind, FailureKind::Unreached);
        was_not_asked(&foreign);
    }
}

#[test]
fn fail_over_skips_a_controller_of_another_domain_and_says_so_once() {
    let place = Place::new();
    let foreign = holding(&place, FABRIKAM);
    let second = place.sound();
    let servers = place.servers(&[foreign.server(), second.server()]);
    for _ in 0..3 {
        assert_eq!(who(&servers, HERE).expect("the second"), name(&second));
    }
    was_not_asked(&foreign);
    let lines = servers.take_diagnostics();
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(
        lines[0].contains("holds the domain fabrikam.com, not contoso.com"),
        "{lines:?}"
    );
    // After the pause it is looked at again aside, and not said to serve.
    let endpoint = servers.named(&name(&foreign)).expect("a name");
    let looked_at = foreign.accepted();
    servers.health.end_pause(&endpoint);
    who(&servers, HERE).expect("the second");
    eventually("it is not looked at again", || foreign.accepted() > looked_at);
    was_not_asked(&foreign);
    let lines = servers.take_diagnostics();
    assert!(!lines.iter().any(|line| line.contains("serves again")), "{lines:?}");
    // Where the other one does not serve, that is what is told first.
    let servers = place.servers(&[foreign.server(), closed()]);
    let failure = who(&servers, HERE).expect_err("none is left");
    assert_eq!(failure.error.code(), ErrorCode::DirectoryUnavailable);
    let message = failure.error.message();
    assert!(message.contains("cannot be reached"), "{message}");
    assert!(
        message.contains("holds the domain fabrikam.com, not contoso.com"),
        "{message}"
    );
    was_not_asked(&foreign);
}

#[test]
fn a_server_that_becomes_a_controller_of_another_domain_is_not_asked_again() {
    let place = Place::new();
    let moved = place.start(|number, request| {
        let about = if number == 0 { CONTOSO } else { FABRIKAM };
        if request.is_about_server() {
            return Some(vec![entry("", about), Act::Done(0, "")]);
        }
        // The first connection serves once.
        (number == 0 && is_question(request)).then(|| vec![Act::Done(0, ""), Act::Close])
    });
    let servers = place.servers(&[moved.server()]);
    who(&servers, HERE).expect("an answer");
    eventually("the first connection is still used", || who(&servers, HERE).is_err());
    let asked = moved.heard().len();
    assert_eq!(
        who(&servers, HERE).expect_err("another domain").kind,
        FailureKind::Foreign
    );
    servers.connect(&name(&moved)).map(drop).expect_err("another domain");
    assert_eq!((moved.heard().len(), moved.binds()), (asked, 1));
}

#[test]
fn the_parameter_names_a_controller_of_the_configured_domain() {
    let place = Place::new();
    for about in [FABRIKAM, EMEA] {
        let (configured, foreign) = (holding(&place, CONTOSO), holding(&place, about));
        let servers = place.servers(&[configured.server()]);
        who(&servers, HERE).expect("the configured one");
        let failure = who(&servers, Whom::Server(&name(&foreign))).expect_err("another domain");
        assert_eq!(failure.kind, FailureKind::Foreign);
        assert_eq!(failure.error.code(), ErrorCode::DirectoryUnavailable);
        assert!(
            failure.error.message().contains("not contoso.com"),
            "{:?}",
            failure.error
        );
        let action = failure.error.recommended_action();
        assert!(action.contains("-IgnoreDefaultScope"), "{action}");
        was_not_asked(&foreign);
    }
}

#[test]
fn a_controller_that_dns_names_is_compared_as_well() {
    let place = Place::new();
    let foreign = holding(&place, FABRIKAM);
    let servers = place.servers(&[]);
    servers
        .places
        .learn("_ldap._tcp.dc._msdcs.contoso.com", &[foreign.server()]);
    let failure = who(&servers, HERE).expect_err("another domain");
    assert_eq!(failure.error.code(), ErrorCode::DirectoryUnavailable);
    let action = failure.error.recommended_action();
    assert!(action.contains("SRV records of contoso.com"), "{action}");
    was_not_asked(&foreign);
}

#[test]
fn a_controller_located_for_another_domain_is_compared_with_that() {
    let place = Place::new();
    let (configured, emea) = (holding(&place, CONTOSO), holding(&place, EMEA));
    let servers = place.servers(&[configured.server()]);
    who(&servers, HERE).expect("the configured one");
    servers
        .places
        .learn("_ldap._tcp.dc._msdcs.emea.contoso.com", &[emea.server()]);
    let located = who(&servers, Whom::DomainController("EMEA.contoso.com.")).expect("of that domain");
    assert_eq!(located, name(&emea));
    // There a mailbox is read again and changed.
    who(&servers, Whom::Recorded(&located)).expect("of the forest");
    servers.connect(&located).map(drop).expect("of the forest");

    let wrong = holding(&place, FABRIKAM);
    servers
        .places
        .learn("_ldap._tcp.dc._msdcs.apac.contoso.com", &[wrong.server()]);
    let failure = who(&servers, Whom::DomainController("apac.contoso.com")).expect_err("another domain");
    let message = failure.error.message();
    assert!(message.contains("fabrikam.com, not apac.contoso.com"), "{message}");
    let failure = who(&servers, Whom::Recorded(&name(&wrong))).expect_err("another forest");
    let message = failure.error.message();
    assert!(message.contains("not in the forest of contoso.com"), "{message}");
    servers.connect(&name(&wrong)).map(drop).expect_err("another forest");
    was_not_asked(&wrong);
}

#[test]
fn a_catalog_of_another_forest_is_not_asked() {
    let place = Place::new();
    let configured = holding(&place, CONTOSO);
    let (foreign, emea) = (holding(&place, FABRIKAM), holding(&place, EMEA));
    let mut catalogs = settings(&place.authority, &[configured.server()]);
    catalogs.global_catalogs = vec![foreign.server(), emea.server()];
    let servers = Servers::new(catalogs);
    assert_eq!(who(&servers, Whom::GlobalCatalog).expect("of the forest"), name(&emea));
    was_not_asked(&foreign);
    let lines = servers.take_diagnostics();
    assert!(
        lines[0].contains("fabrikam.com, which is not in the forest"),
        "{lines:?}"
    );
}

/// Its rootDSE is for everybody (MS-ADTS 5.1.1.1.2), but a policy may say otherwise.
#[test]
fn a_server_that_says_nothing_before_the_sign_in_is_compared_after_it() {
    let place = Place::new();
    for (about, is_admitted) in [(CONTOSO, true), (FABRIKAM, false)] {
        for code in [0, 1, 50, 53] {
            let bound = std::sync::atomic::AtomicBool::new(false);
            let server = place.start(move |_, request| {
                use std::sync::atomic::Ordering::SeqCst;
                if matches!(request, Request::Bind { .. }) {
                    bound.store(true, SeqCst);
                }
                let answer = || match bound.load(SeqCst) {
                    true => vec![entry("", about), Act::Done(0, "")],
                    false => vec![Act::Done(code, "not before the sign-in")],
                };
                request.is_about_server().then(answer)
            });
            let servers = place.servers(&[server.server()]);
            let answer = who(&servers, HERE);
            assert_eq!(answer.is_ok(), is_admitted, "{code}: {answer:?}");
            assert_eq!(server.heard().len(), usize::from(is_admitted), "{code}");
        }
    }
}
