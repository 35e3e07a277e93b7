//! Questions and changes on one connection, against a server that answers as told.

mod trust;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::*;
use crate::scripted::{Act, Authority, Page, Request, Scripted, TIMEOUT, entry, eventually, settings};
use crate::server::Tls;
use crate::servers::{Servers, Whom};
use umpin_core::ErrorCode;

const BASE: &str = "DC=contoso,DC=com";
const TONY: &str = "CN=Tony Smith,DC=contoso,DC=com";

fn people<'a>(attributes: &'a [&'a str]) -> Search<'a> {
    Search {
        base: BASE,
        depth: Depth::Subtree,
        filter: "(objectClass=user)",
        attributes,
        size_limit: 0,
    }
}

/// A server with this script, and those who ask it.
fn served(script: impl Fn(usize, &Request) -> Option<Vec<Act>> + Send + Sync + 'static) -> (Scripted, Servers) {
    let authority = Authority::new();
    let server = Scripted::start(&authority.sign(&["127.0.0.1"]), Tls::Ldaps, script);
    let servers = Servers::new(settings(&authority, &[server.server()]));
    // The authority's file is read with the first connection.
    servers.connect(&server.server().to_string()).expect("a connection");
    (server, servers)
}

fn ask(servers: &Servers, search: &Search<'_>) -> Result<Answer, Failure> {
    servers.ask(Whom::DomainController("contoso.com"), |connection| {
        connection.search(search)
    })
}

fn is_of_people(request: &Request) -> bool {
    matches!(request, Request::Search { base, .. } if base == BASE)
}

#[test]
fn entries_come_as_bytes_under_plain_names() {
    let (_server, servers) = served(|_, request| {
        is_of_people(request).then(|| {
            vec![
                Act::Reference("ldaps://contoso.com/CN=Configuration,DC=contoso,DC=com"),
                Act::Entry(
                    TONY.to_owned(),
                    vec![
                        ("objectGUID", vec![vec![0, 0xFF, 0x80]]),
                        ("userCertificate;binary", vec![vec![1], vec![2]]),
                        ("mail", vec![]),
                    ],
                ),
                Act::Done(0, ""),
            ]
        })
    });
    let answer = ask(&servers, &people(&["objectGUID", "userCertificate", "mail"])).expect("an answer");
    assert!(!answer.is_cut);
    let found = &answer.entries[0];
    assert_eq!((answer.entries.len(), found.dn.as_str()), (1, TONY));
    assert_eq!(found.first("objectguid"), Some(&[0, 0xFF, 0x80][..]));
    assert_eq!(found.values("usercertificate").collect::<Vec<_>>(), [[1], [2]]);
    assert_eq!(found.first("mail"), None);
}

#[test]
fn what_is_cut_is_told() {
    let (server, servers) =
        served(|_, request| is_of_people(request).then(|| vec![entry(TONY, &[]), Act::Done(4, "limit")]));
    let search = Search {
        size_limit: 12,
        ..people(&["cn"])
    };
    let mut connection = servers.connect(&server.server().to_string()).expect("a connection");
    let answer = connection.search_at_once(&search).expect("an answer");
    assert_eq!((answer.entries.len(), answer.is_cut), (1, true));
    assert!(matches!(&server.heard()[0], Request::Search { size_limit: 12, .. }));
}

#[test]
fn a_list_that_a_limit_cut_is_an_error() {
    for code in [3, 4, 11] {
        let (server, servers) =
            served(move |_, request| is_of_people(request).then(|| vec![entry(TONY, &[]), Act::Done(code, "limit")]));
        let mut connection = servers.connect(&server.server().to_string()).expect("a connection");
        let whole = connection.search(&people(&["cn"])).map(|_| ());
        let page = connection.search_page(&people(&["cn"]), 10, &[]).map(|_| ());
        let mut failures = vec![("search", whole), ("page", page)];
        if code != 4 {
            failures.push(("at once", connection.search_at_once(&people(&["cn"])).map(|_| ())));
        }
        for (what, outcome) in failures {
            let failure = outcome.expect_err("a part of the list is no list");
            assert_eq!(failure.kind, FailureKind::Declined(code), "{what}, {code}");
            let message = failure.error.message();
            assert!(message.contains("a limit of its own"), "{what}, {code}: {message}");
            assert!(
                failure.error.recommended_action().contains("MaxPageSize"),
                "{what}, {code}"
            );
        }
    }
}

#[test]
fn the_servers_time_limit_fits_how_long_the_client_waits() {
    for (patience, limit) in [(1, 2), (2, 3), (4, 5), (5, 4), (15, 13), (60, 54), (600, 540)] {
        assert_eq!(time_limit(Duration::from_secs(patience)), limit, "{patience} s");
    }
    let (server, servers) = served(|_, request| is_of_people(request).then(|| vec![Act::Done(3, "too slow")]));
    let failure = ask(&servers, &people(&["cn"])).expect_err("no answer in time");
    assert!(failure.error.message().contains("too slow"), "{:?}", failure.error);
    let limit = u64::try_from(time_limit(TIMEOUT)).expect("not negative");
    for request in server.all() {
        if let Request::Search { base, time_limit, .. } = request {
            assert_eq!(time_limit, limit, "{base}: the client waits for {TIMEOUT:?}");
        }
    }
}

#[test]
fn pages_follow_one_another_on_one_connection() {
    let (server, servers) = served(|_, request| match request {
        Request::Search { page: Some(page), .. } if page.cookie.is_empty() => {
            Some(vec![entry("CN=1,DC=contoso,DC=com", &[]), Act::Page(vec![0, 7])])
        }
        Request::Search { page: Some(_), .. } => {
            Some(vec![entry("CN=2,DC=contoso,DC=com", &[]), Act::Page(Vec::new())])
        }
        _ => None,
    });
    let mut connection = servers.connect(&server.server().to_string()).expect("a connection");
    let (first, cookie) = connection.search_page(&people(&["cn"]), 1, &[]).expect("a page");
    let cookie = cookie.expect("another page");
    let (second, end) = connection.search_page(&people(&["cn"]), 1, &cookie).expect("a page");
    assert_eq!((first.entries.len(), second.entries.len(), end), (1, 1, None));
    let pages: Vec<_> = server
        .heard()
        .into_iter()
        .filter_map(|request| match request {
            Request::Search { page, .. } => page,
            _ => None,
        })
        .collect();
    let page = |cookie: &[u8]| Page {
        is_critical: true,
        size: 1,
        cookie: cookie.to_vec(),
    };
    assert_eq!(pages, [page(&[]), page(&[0, 7])]);
}

#[test]
fn values_that_the_server_keeps_back_are_fetched() {
    let (_server, servers) = served(|_, request| {
        let Request::Search { base, attributes, .. } = request else {
            return None;
        };
        let names: Vec<_> = attributes.iter().map(String::as_str).collect();
        let act = match (base.as_str(), names.as_slice()) {
            (BASE, _) => entry(
                TONY,
                &[("member", &[]), ("member;range=0-1", &["a", "b"]), ("cn", &["Tony"])],
            ),
            (TONY, ["member;range=2-*"]) => entry(TONY, &[("member;range=2-3", &["c", "d"])]),
            (TONY, ["member;range=4-*"]) => entry(TONY, &[("member;range=4-*", &["e"])]),
            _ => return None,
        };
        Some(vec![act, Act::Done(0, "")])
    });
    let answer = ask(&servers, &people(&["member", "cn"])).expect("an answer");
    let found = &answer.entries[0];
    let values: Vec<_> = found.values("member").collect();
    assert_eq!(values, [b"a", b"b", b"c", b"d", b"e"]);
    assert_eq!(found.attributes.len(), 6, "{found:?}");
}

#[test]
fn a_server_that_never_gets_on_with_its_values_is_given_up() {
    let (_server, servers) = served(|_, request| match request {
        Request::Search { base, .. } if !base.is_empty() => Some(vec![
            entry(TONY, &[("member;range=0-1", &["a", "b"])]),
            Act::Done(0, ""),
        ]),
        _ => None,
    });
    let failure = ask(&servers, &people(&["member"])).expect_err("no end");
    assert_eq!(failure.kind, FailureKind::Lost, "{:?}", failure.error);
}

#[test]
fn answers_are_told_apart() {
    for (code, kind, error) in [
        (1, FailureKind::Declined(1), ErrorCode::DirectoryUnavailable),
        (10, FailureKind::Declined(10), ErrorCode::DirectoryUnavailable),
        (16, FailureKind::Refused(16), ErrorCode::DirectoryUnavailable),
        (17, FailureKind::Refused(17), ErrorCode::ConfigurationInvalid),
        (20, FailureKind::Refused(20), ErrorCode::DirectoryUnavailable),
        (32, FailureKind::Refused(32), ErrorCode::ManagementObjectNotFound),
        (50, FailureKind::Refused(50), ErrorCode::AccessDenied),
        (51, FailureKind::Declined(51), ErrorCode::DirectoryUnavailable),
        (52, FailureKind::Declined(52), ErrorCode::DirectoryUnavailable),
        (53, FailureKind::Declined(53), ErrorCode::DirectoryUnavailable),
        (99, FailureKind::Refused(99), ErrorCode::DirectoryUnavailable),
    ] {
        let (server, servers) = served(move |_, request| {
            let text = "00002098: SecErr: DSID-03150F94,\r\nproblem 4003 (INSUFF_ACCESS_RIGHTS), data 0\n\0";
            matches!(request, Request::Modify { .. }).then(|| vec![Act::Done(code, text)])
        });
        let host = server.server().to_string();
        let mut connection = servers.connect(&host).expect("a connection");
        let failure = connection
            .modify(
                TONY,
                &[Modification::Replace("description", b"x")],
                &Cancellation::default(),
            )
            .expect_err("a refusal");
        assert_eq!((failure.kind, failure.error.code()), (kind, error), "{code}");
        let details = failure.error.details();
        assert_eq!(details["server"], host, "{code}");
        assert_eq!(details["ldapCode"], code);
        assert_eq!(details["windowsCode"], "2098");
        let message = failure.error.message();
        assert!(
            message.contains(&host) && message.contains("INSUFF_ACCESS_RIGHTS"),
            "{message}"
        );
        assert!(!message.contains(char::is_control), "{message:?}");
        assert_eq!(server.heard().len(), 1);
    }
}

#[test]
fn a_change_is_sent_as_it_is_meant() {
    let (server, servers) = served(|_, _| None);
    let mut connection = servers.connect(&server.server().to_string()).expect("a connection");
    connection
        .modify(
            TONY,
            &[
                Modification::Delete("msExchUMPinChecksum", &[0, 1]),
                Modification::Add("msExchUMPinChecksum", &[0, 0xFF]),
                Modification::Replace("extensionAttribute15", b"AAE="),
            ],
            &Cancellation::default(),
        )
        .expect("changed");
    assert_eq!(
        server.heard(),
        [Request::Modify {
            dn: TONY.to_owned(),
            changes: vec![
                (1, "msExchUMPinChecksum".to_owned(), vec![0, 1]),
                (0, "msExchUMPinChecksum".to_owned(), vec![0, 0xFF]),
                (2, "extensionAttribute15".to_owned(), b"AAE=".to_vec()),
            ],
        }]
    );
}

#[test]
fn a_change_whose_answer_is_lost_is_not_repeated() {
    for last_act in [
        Act::Close,
        Act::Hang,
        Act::Raw(vec![0x30, 0x03, 0x02, 0x01]),
        Act::Raw(b"HTTP/1.1".to_vec()),
    ] {
        let act = last_act.clone();
        let (server, servers) =
            served(move |_, request| matches!(request, Request::Modify { .. }).then(|| vec![act.clone(), Act::Close]));
        let mut connection = servers.connect(&server.server().to_string()).expect("a connection");
        let failure = connection
            .modify(
                TONY,
                &[Modification::Replace("description", b"x")],
                &Cancellation::default(),
            )
            .expect_err("no answer");
        assert_eq!(failure.kind, FailureKind::Lost, "{last_act:?}: {:?}", failure.error);
        drop(connection);
        assert_eq!((server.heard().len(), server.binds()), (1, 1), "{last_act:?}");
        // The connection is not used again.
        let mut next = servers.connect(&server.server().to_string()).expect("a connection");
        assert!(next.search(&people(&["cn"])).is_ok());
        assert_eq!(server.binds(), 2);
    }
}

/// As if nobody had used it for long.
fn aged(servers: &Servers, server: &Scripted) -> Connection {
    let mut connection = servers.connect(&server.server().to_string()).expect("a connection");
    connection.line.used = connection
        .line
        .used
        .checked_sub(TRIED_WITHIN * 2)
        .expect("the computer runs for longer");
    connection
}

/// That many connections in the pool, as if nobody had used them for long.
fn aged_pool(servers: &Servers, server: &Scripted, count: usize) {
    let in_use: Vec<_> = (0..count).map(|_| aged(servers, server)).collect();
    drop(in_use);
}

/// What a firewall does that has forgotten these connections, the first ones of a server: nothing comes through, and nobody is told.
fn forgotten(count: usize, is_forgotten: &Arc<AtomicBool>) -> impl Fn(usize, &Request) -> Option<Vec<Act>> + use<> {
    let is_forgotten = Arc::clone(is_forgotten);
    move |number, _| (number < count && is_forgotten.load(Ordering::SeqCst)).then(|| vec![Act::Hang])
}

fn modify(servers: &Servers, server: &Scripted) -> Result<(), Failure> {
    let mut connection = servers.connect(&server.server().to_string())?;
    connection.modify(
        TONY,
        &[Modification::Replace("description", b"x")],
        &Cancellation::default(),
    )
}

#[test]
fn a_change_never_meets_a_connection_that_went_while_idle() {
    for last_act in [Act::Close, Act::Hang] {
        let is_idle = Arc::new(AtomicBool::new(false));
        let went = Arc::clone(&is_idle);
        let (server, servers) =
            served(move |number, _| (number == 0 && went.load(Ordering::SeqCst)).then(|| vec![last_act.clone()]));
        aged_pool(&servers, &server, 1);
        is_idle.store(true, Ordering::SeqCst);
        modify(&servers, &server).expect("changed on a new connection");
        assert_eq!((server.heard().len(), server.binds()), (1, 2));
    }
    // One that still serves is used.
    let (server, servers) = served(|_, _| None);
    aged_pool(&servers, &server, 1);
    modify(&servers, &server).expect("changed");
    assert_eq!((server.heard().len(), server.binds()), (1, 1));
}

#[test]
fn a_change_is_not_sent_where_no_new_connection_can_be_had() {
    let is_idle = Arc::new(AtomicBool::new(false));
    let went = Arc::clone(&is_idle);
    let (server, servers) = served(move |_, _| went.load(Ordering::SeqCst).then(|| vec![Act::Close]));
    aged_pool(&servers, &server, 1);
    is_idle.store(true, Ordering::SeqCst);
    let failure = modify(&servers, &server).expect_err("nobody there");
    assert_eq!(failure.kind, FailureKind::Unreached);
    assert_eq!(server.heard(), []);
}

#[test]
fn connections_that_a_firewall_has_forgotten_cost_one_trial_and_no_item() {
    const FORGOTTEN: usize = 3;
    let is_forgotten = Arc::new(AtomicBool::new(false));
    let authority = Authority::new();
    let server = Scripted::start(
        &authority.sign(&["127.0.0.1"]),
        Tls::Ldaps,
        forgotten(FORGOTTEN, &is_forgotten),
    );
    let mut patient = settings(&authority, &[server.server()]);
    // As long as it takes where the first question is put without a trial.
    patient.timeout = Duration::from_secs(15);
    let servers = Servers::new(patient);
    aged_pool(&servers, &server, FORGOTTEN);
    assert_eq!(server.accepted(), FORGOTTEN);
    is_forgotten.store(true, Ordering::SeqCst);
    let begun = Instant::now();
    ask(&servers, &people(&["cn"])).expect("the first item");
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    let begun = Instant::now();
    ask(&servers, &people(&["cn"])).expect("the next item");
    modify(&servers, &server).expect("the next change");
    assert!(begun.elapsed() < TRIAL_LIMIT, "{:?}", begun.elapsed());
    // One new connection served all of it: those of the same age were not tried one after the other.
    assert_eq!((server.accepted(), server.heard().len()), (FORGOTTEN + 1, 3));
    assert_eq!(servers.take_diagnostics(), Vec::<String>::new());
}

#[test]
fn a_forgotten_connection_does_not_fail_the_change_after_it() {
    let is_forgotten = Arc::new(AtomicBool::new(false));
    let (server, servers) = served(forgotten(1, &is_forgotten));
    aged_pool(&servers, &server, 1);
    is_forgotten.store(true, Ordering::SeqCst);
    modify(&servers, &server).expect("changed on a new connection");
    let changes = server.heard();
    assert_eq!((changes.len(), server.accepted()), (1, 2), "{changes:?}");
}

#[test]
fn a_connection_in_use_is_not_tried() {
    let (server, servers) = served(|_, _| None);
    for _ in 0..10 {
        ask(&servers, &people(&["cn"])).expect("an answer");
        modify(&servers, &server).expect("changed");
    }
    let about = server.all().iter().filter(|request| request.is_about_server()).count();
    assert_eq!((about, server.heard().len(), server.accepted()), (1, 20, 1));
}

#[test]
fn what_a_server_said_of_itself_is_asked_anew_after_a_while() {
    let (server, servers) = served(|_, _| None);
    let mut connection = servers.connect(&server.server().to_string()).expect("a connection");
    connection.line.told = connection
        .line
        .told
        .checked_sub(KNOWN_FOR)
        .expect("the computer runs for longer");
    drop(connection);
    ask(&servers, &people(&["cn"])).expect("an answer");
    let about = server.all().iter().filter(|request| request.is_about_server()).count();
    assert_eq!((about, server.accepted()), (2, 1));
}

#[test]
fn a_question_is_put_again_where_the_kept_connection_was_closed() {
    let asked = AtomicUsize::new(0);
    let (server, servers) = served(move |number, request| {
        // The server closes when the second question comes, as one that is restarted just then.
        (is_of_people(request) && number == 0 && asked.fetch_add(1, Ordering::SeqCst) == 1).then(|| vec![Act::Close])
    });
    for _ in 0..3 {
        ask(&servers, &people(&["cn"])).expect("an answer");
    }
    assert_eq!((server.heard().len(), server.binds()), (4, 2));
    assert_eq!(servers.take_diagnostics(), Vec::<String>::new());
}

#[test]
fn a_closed_connection_is_noticed_before_it_is_used() {
    let (server, servers) =
        served(|number, request| (number == 0 && is_of_people(request)).then(|| vec![Act::Done(0, ""), Act::Close]));
    let mut connection = servers.connect(&server.server().to_string()).expect("a connection");
    connection.search(&people(&["cn"])).expect("an answer");
    eventually("the connection still seems open", || !connection.is_alive());
    // The pool does not take it back.
    let endpoint = connection.endpoint.clone();
    drop(connection);
    assert!(servers.pool().kept(&endpoint).is_none());
}

#[test]
fn connections_are_kept_for_the_next_question() {
    let (server, servers) = served(|_, _| None);
    for _ in 0..20 {
        ask(&servers, &people(&["cn"])).expect("an answer");
    }
    assert_eq!((server.accepted(), server.binds()), (1, 1));
    // What the server says of itself is asked once.
    assert_eq!(
        server.all().iter().filter(|request| request.is_about_server()).count(),
        1
    );
}
