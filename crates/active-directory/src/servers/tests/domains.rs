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

fn server_holding(fixture: &Fixture, root_dse: RootDse) -> ScriptedServer {
    fixture.start(move |_, request| {
        request
            .is_root_dse_search()
            .then(|| vec![entry("", root_dse), Action::Done(0, "")])
    })
}

/// Asserts that the server got no request but for its rootDSE, and no password.
#[track_caller]
fn assert_not_asked(server: &ScriptedServer) {
    assert!(server.accepted() > 0, "it was not contacted");
    assert_eq!(
        (server.requests(), server.binds()),
        (vec![], 0),
        "{:?}",
        server.all_requests()
    );
}

#[test]
fn a_configured_controller_of_another_domain_gets_no_password() {
    let fixture = Fixture::new();
    for (root_dse, held) in [(FABRIKAM, "fabrikam.com"), (EMEA, "emea.contoso.com")] {
        let foreign = server_holding(&fixture, root_dse);
        let servers = fixture.servers(&[foreign.server()]);
        for _ in 0..2 {
            let failure = answering_server(&servers, PREFERRED).expect_err("another domain");
            assert_eq!(failure.kind, ServerErrorKind::WrongDomain);
            assert_eq!(failure.error.code(), ErrorCode::ConfigurationInvalid);
            let message = failure.error.message();
            let expected = format!("{} holds the domain {held}, not contoso.com.", name(&foreign));
            assert!(message.ends_with(&expected), "{message}");
            let action = failure.error.recommended_action();
            assert!(action.contains("'directory.domainControllers'"), "{action}");
        }
        let changed = servers.connect(&name(&foreign)).map(drop).expect_err("another domain");
        assert_eq!(changed.kind, ServerErrorKind::NotSent);
        assert_not_asked(&foreign);
    }
}

#[test]
fn fail_over_skips_a_controller_of_another_domain_and_reports_it_once() {
    let fixture = Fixture::new();
    let foreign = server_holding(&fixture, FABRIKAM);
    let second = fixture.healthy();
    let servers = fixture.servers(&[foreign.server(), second.server()]);
    for _ in 0..3 {
        assert_eq!(
            answering_server(&servers, PREFERRED).expect("the second"),
            name(&second)
        );
    }
    assert_not_asked(&foreign);
    let lines = servers.take_diagnostics();
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(
        lines[0].contains("holds the domain fabrikam.com, not contoso.com"),
        "{lines:?}"
    );
    // After its down period it is probed in the background and stays down.
    let endpoint = servers.endpoint_named(&name(&foreign)).expect("a name");
    let contacted = foreign.accepted();
    servers.health.expire_down_period(&endpoint);
    answering_server(&servers, PREFERRED).expect("the second");
    wait_until("it is not probed again", || foreign.accepted() > contacted);
    assert_not_asked(&foreign);
    let lines = servers.take_diagnostics();
    assert!(!lines.iter().any(|line| line.contains("serves again")), "{lines:?}");
    // If the other server is down, that is reported first.
    let servers = fixture.servers(&[foreign.server(), closed_port()]);
    let failure = answering_server(&servers, PREFERRED).expect_err("none is left");
    assert_eq!(failure.error.code(), ErrorCode::DirectoryUnavailable);
    let message = failure.error.message();
    assert!(message.contains("cannot be reached"), "{message}");
    assert!(
        message.contains("holds the domain fabrikam.com, not contoso.com"),
        "{message}"
    );
    assert_not_asked(&foreign);
}

#[test]
fn a_server_that_changes_its_domain_is_not_used_again() {
    let fixture = Fixture::new();
    let moved = fixture.start(|number, request| {
        let root_dse = if number == 0 { CONTOSO } else { FABRIKAM };
        if request.is_root_dse_search() {
            return Some(vec![entry("", root_dse), Action::Done(0, "")]);
        }
        // The first connection serves one request.
        (number == 0 && is_question(request)).then(|| vec![Action::Done(0, ""), Action::Close])
    });
    let servers = fixture.servers(&[moved.server()]);
    answering_server(&servers, PREFERRED).expect("an answer");
    wait_until("the first connection is still used", || {
        answering_server(&servers, PREFERRED).is_err()
    });
    let asked = moved.requests().len();
    assert_eq!(
        answering_server(&servers, PREFERRED).expect_err("another domain").kind,
        ServerErrorKind::WrongDomain
    );
    servers.connect(&name(&moved)).map(drop).expect_err("another domain");
    assert_eq!((moved.requests().len(), moved.binds()), (asked, 1));
}

#[test]
fn the_parameter_names_a_controller_of_the_configured_domain() {
    let fixture = Fixture::new();
    for root_dse in [FABRIKAM, EMEA] {
        let (configured, foreign) = (server_holding(&fixture, CONTOSO), server_holding(&fixture, root_dse));
        let servers = fixture.servers(&[configured.server()]);
        answering_server(&servers, PREFERRED).expect("the configured one");
        let failure = answering_server(&servers, ServerSelector::Server(&name(&foreign))).expect_err("another domain");
        assert_eq!(failure.kind, ServerErrorKind::WrongDomain);
        assert_eq!(failure.error.code(), ErrorCode::DirectoryUnavailable);
        assert!(
            failure.error.message().contains("not contoso.com"),
            "{:?}",
            failure.error
        );
        let action = failure.error.recommended_action();
        assert!(action.contains("-IgnoreDefaultScope"), "{action}");
        assert_not_asked(&foreign);
    }
}

#[test]
fn a_controller_from_dns_is_checked_as_well() {
    let fixture = Fixture::new();
    let foreign = server_holding(&fixture, FABRIKAM);
    let servers = fixture.servers(&[]);
    servers
        .dc_locator
        .seed("_ldap._tcp.dc._msdcs.contoso.com", &[foreign.server()]);
    let failure = answering_server(&servers, PREFERRED).expect_err("another domain");
    assert_eq!(failure.error.code(), ErrorCode::DirectoryUnavailable);
    let action = failure.error.recommended_action();
    assert!(action.contains("SRV records of contoso.com"), "{action}");
    assert_not_asked(&foreign);
}

#[test]
fn a_controller_located_for_another_domain_is_checked_against_it() {
    let fixture = Fixture::new();
    let (configured, emea) = (server_holding(&fixture, CONTOSO), server_holding(&fixture, EMEA));
    let servers = fixture.servers(&[configured.server()]);
    answering_server(&servers, PREFERRED).expect("the configured one");
    servers
        .dc_locator
        .seed("_ldap._tcp.dc._msdcs.emea.contoso.com", &[emea.server()]);
    let located =
        answering_server(&servers, ServerSelector::DomainController("EMEA.contoso.com.")).expect("of that domain");
    assert_eq!(located, name(&emea));
    // Later reads and changes of a mailbox use the same controller.
    answering_server(&servers, ServerSelector::Recorded(&located)).expect("of the forest");
    servers.connect(&located).map(drop).expect("of the forest");

    let wrong = server_holding(&fixture, FABRIKAM);
    servers
        .dc_locator
        .seed("_ldap._tcp.dc._msdcs.apac.contoso.com", &[wrong.server()]);
    let failure =
        answering_server(&servers, ServerSelector::DomainController("apac.contoso.com")).expect_err("another domain");
    let message = failure.error.message();
    assert!(message.contains("fabrikam.com, not apac.contoso.com"), "{message}");
    let failure = answering_server(&servers, ServerSelector::Recorded(&name(&wrong))).expect_err("another forest");
    let message = failure.error.message();
    assert!(message.contains("not in the forest of contoso.com"), "{message}");
    servers.connect(&name(&wrong)).map(drop).expect_err("another forest");
    assert_not_asked(&wrong);
}

#[test]
fn a_catalog_of_another_forest_is_not_used() {
    let fixture = Fixture::new();
    let configured = server_holding(&fixture, CONTOSO);
    let (foreign, emea) = (server_holding(&fixture, FABRIKAM), server_holding(&fixture, EMEA));
    let mut catalogs = settings(&fixture.authority, &[configured.server()]);
    catalogs.global_catalogs = vec![foreign.server(), emea.server()];
    let servers = Servers::new(catalogs);
    assert_eq!(
        answering_server(&servers, ServerSelector::GlobalCatalog).expect("of the forest"),
        name(&emea)
    );
    assert_not_asked(&foreign);
    let lines = servers.take_diagnostics();
    assert!(
        lines[0].contains("fabrikam.com, which is not in the forest"),
        "{lines:?}"
    );
}

/// The rootDSE can be read anonymously (MS-ADTS 5.1.1.1.2), unless a policy forbids it.
#[test]
fn a_server_without_anonymous_root_dse_is_checked_after_the_bind() {
    let fixture = Fixture::new();
    for (root_dse, is_admitted) in [(CONTOSO, true), (FABRIKAM, false)] {
        for code in [0, 1, 50, 53] {
            let bound = std::sync::atomic::AtomicBool::new(false);
            let server = fixture.start(move |_, request| {
                use std::sync::atomic::Ordering::SeqCst;
                if matches!(request, Request::Bind { .. }) {
                    bound.store(true, SeqCst);
                }
                let answer = || match bound.load(SeqCst) {
                    true => vec![entry("", root_dse), Action::Done(0, "")],
                    false => vec![Action::Done(code, "not before the sign-in")],
                };
                request.is_root_dse_search().then(answer)
            });
            let servers = fixture.servers(&[server.server()]);
            let answer = answering_server(&servers, PREFERRED);
            assert_eq!(answer.is_ok(), is_admitted, "{code}: {answer:?}");
            assert_eq!(server.requests().len(), usize::from(is_admitted), "{code}");
        }
    }
}
