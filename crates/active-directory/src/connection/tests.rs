//! Searches and modifications on one connection to a scripted server.

mod trust;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::*;
use crate::scripted::{Action, Authority, Page, Request, ScriptedServer, TIMEOUT, entry, settings, wait_until};
use crate::server::Tls;
use crate::servers::{ServerSelector, Servers};
use umpin_core::ErrorCode;

const BASE: &str = "DC=contoso,DC=com";
const TONY: &str = "CN=Tony Smith,DC=contoso,DC=com";

fn user_search<'a>(attributes: &'a [&'a str]) -> Search<'a> {
    Search {
        base: BASE,
        scope: Scope::Subtree,
        filter: "(objectClass=user)",
        attributes,
        size_limit: 0,
    }
}

/// A server with this script, and a client of it.
fn start_server(
    script: impl Fn(usize, &Request) -> Option<Vec<Action>> + Send + Sync + 'static,
) -> (ScriptedServer, Servers) {
    let authority = Authority::new();
    let server = ScriptedServer::start(&authority.sign(&["127.0.0.1"]), Tls::Ldaps, script);
    let servers = Servers::new(settings(&authority, &[server.server()]));
    // The CA file is read with the first connection.
    servers.connect(&server.server().to_string()).expect("a connection");
    (server, servers)
}

fn search_users(servers: &Servers, search: &Search<'_>) -> Result<SearchResult, ServerError> {
    servers.execute(ServerSelector::DomainController("contoso.com"), |connection| {
        connection.search(search)
    })
}

fn is_user_search(request: &Request) -> bool {
    matches!(request, Request::Search { base, .. } if base == BASE)
}

#[test]
fn values_are_bytes_and_names_have_no_options() {
    let (_server, servers) = start_server(|_, request| {
        is_user_search(request).then(|| {
            vec![
                Action::Reference("ldaps://contoso.com/CN=Configuration,DC=contoso,DC=com"),
                Action::Entry(
                    TONY.to_owned(),
                    vec![
                        ("objectGUID", vec![vec![0, 0xFF, 0x80]]),
                        ("userCertificate;binary", vec![vec![1], vec![2]]),
                        ("mail", vec![]),
                    ],
                ),
                Action::Done(0, ""),
            ]
        })
    });
    let answer = search_users(&servers, &user_search(&["objectGUID", "userCertificate", "mail"])).expect("an answer");
    assert!(!answer.is_truncated);
    let found = &answer.entries[0];
    assert_eq!((answer.entries.len(), found.dn.as_str()), (1, TONY));
    assert_eq!(found.first("objectguid"), Some(&[0, 0xFF, 0x80][..]));
    assert_eq!(found.values("usercertificate").collect::<Vec<_>>(), [[1], [2]]);
    assert_eq!(found.first("mail"), None);
}

#[test]
fn a_truncated_result_is_marked() {
    let (server, servers) =
        start_server(|_, request| is_user_search(request).then(|| vec![entry(TONY, &[]), Action::Done(4, "limit")]));
    let search = Search {
        size_limit: 12,
        ..user_search(&["cn"])
    };
    let mut connection = servers.connect(&server.server().to_string()).expect("a connection");
    let answer = connection.search_up_to_limit(&search).expect("an answer");
    assert_eq!((answer.entries.len(), answer.is_truncated), (1, true));
    assert!(matches!(&server.requests()[0], Request::Search { size_limit: 12, .. }));
}

#[test]
fn a_list_truncated_by_a_limit_is_an_error() {
    for code in [3, 4, 11] {
        let (server, servers) = start_server(move |_, request| {
            is_user_search(request).then(|| vec![entry(TONY, &[]), Action::Done(code, "limit")])
        });
        let mut connection = servers.connect(&server.server().to_string()).expect("a connection");
        let whole = connection.search(&user_search(&["cn"])).map(|_| ());
        let page = connection.search_page(&user_search(&["cn"]), 10, &[]).map(|_| ());
        let mut failures = vec![("search", whole), ("page", page)];
        if code != 4 {
            failures.push((
                "at once",
                connection.search_up_to_limit(&user_search(&["cn"])).map(|_| ()),
            ));
        }
        for (what, outcome) in failures {
            let failure = outcome.expect_err("a truncated list is an error");
            assert_eq!(failure.kind, ServerErrorKind::Declined(code), "{what}, {code}");
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
fn the_time_limit_follows_the_client_timeout() {
    for (timeout, limit) in [(1, 2), (2, 3), (4, 5), (5, 4), (15, 13), (60, 54), (600, 540)] {
        assert_eq!(time_limit(Duration::from_secs(timeout)), limit, "{timeout} s");
    }
    let (server, servers) =
        start_server(|_, request| is_user_search(request).then(|| vec![Action::Done(3, "too slow")]));
    let failure = search_users(&servers, &user_search(&["cn"])).expect_err("no answer in time");
    assert!(failure.error.message().contains("too slow"), "{:?}", failure.error);
    let limit = u64::try_from(time_limit(TIMEOUT)).expect("not negative");
    for request in server.all_requests() {
        if let Request::Search { base, time_limit, .. } = request {
            assert_eq!(time_limit, limit, "{base}: the client waits for {TIMEOUT:?}");
        }
    }
}

#[test]
fn pages_are_read_on_one_connection() {
    let (server, servers) = start_server(|_, request| match request {
        Request::Search { page: Some(page), .. } if page.cookie.is_empty() => {
            Some(vec![entry("CN=1,DC=contoso,DC=com", &[]), Action::Page(vec![0, 7])])
        }
        Request::Search { page: Some(_), .. } => {
            Some(vec![entry("CN=2,DC=contoso,DC=com", &[]), Action::Page(Vec::new())])
        }
        _ => None,
    });
    let mut connection = servers.connect(&server.server().to_string()).expect("a connection");
    let (first, cookie) = connection.search_page(&user_search(&["cn"]), 1, &[]).expect("a page");
    let cookie = cookie.expect("another page");
    let (second, end) = connection
        .search_page(&user_search(&["cn"]), 1, &cookie)
        .expect("a page");
    assert_eq!((first.entries.len(), second.entries.len(), end), (1, 1, None));
    let pages: Vec<_> = server
        .requests()
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
fn missing_value_ranges_are_fetched() {
    let (_server, servers) = start_server(|_, request| {
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
        Some(vec![act, Action::Done(0, "")])
    });
    let answer = search_users(&servers, &user_search(&["member", "cn"])).expect("an answer");
    let found = &answer.entries[0];
    let values: Vec<_> = found.values("member").collect();
    assert_eq!(values, [b"a", b"b", b"c", b"d", b"e"]);
    assert_eq!(found.attributes.len(), 6, "{found:?}");
}

#[test]
fn ranged_retrieval_without_progress_fails() {
    let (_server, servers) = start_server(|_, request| match request {
        Request::Search { base, .. } if !base.is_empty() => Some(vec![
            entry(TONY, &[("member;range=0-1", &["a", "b"])]),
            Action::Done(0, ""),
        ]),
        _ => None,
    });
    let failure = search_users(&servers, &user_search(&["member"])).expect_err("no end");
    assert_eq!(failure.kind, ServerErrorKind::NoResponse, "{:?}", failure.error);
}

#[test]
fn result_codes_map_to_error_kinds() {
    for (code, kind, error) in [
        (1, ServerErrorKind::Declined(1), ErrorCode::DirectoryUnavailable),
        (10, ServerErrorKind::Declined(10), ErrorCode::DirectoryUnavailable),
        (16, ServerErrorKind::Rejected(16), ErrorCode::DirectoryUnavailable),
        (17, ServerErrorKind::Rejected(17), ErrorCode::ConfigurationInvalid),
        (20, ServerErrorKind::Rejected(20), ErrorCode::DirectoryUnavailable),
        (32, ServerErrorKind::Rejected(32), ErrorCode::ManagementObjectNotFound),
        (50, ServerErrorKind::Rejected(50), ErrorCode::AccessDenied),
        (51, ServerErrorKind::Declined(51), ErrorCode::DirectoryUnavailable),
        (52, ServerErrorKind::Declined(52), ErrorCode::DirectoryUnavailable),
        (53, ServerErrorKind::Declined(53), ErrorCode::DirectoryUnavailable),
        (99, ServerErrorKind::Rejected(99), ErrorCode::DirectoryUnavailable),
    ] {
        let (server, servers) = start_server(move |_, request| {
            let text = "00002098: SecErr: DSID-03150F94,\r\nproblem 4003 (INSUFF_ACCESS_RIGHTS), data 0\n\0";
            matches!(request, Request::Modify { .. }).then(|| vec![Action::Done(code, text)])
        });
        let host = server.server().to_string();
        let mut connection = servers.connect(&host).expect("a connection");
        let failure = connection
            .modify(
                TONY,
                &[Modification::Replace("description", b"x")],
                &Cancellation::default(),
            )
            .expect_err("rejected");
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
        assert_eq!(server.requests().len(), 1);
    }
}

#[test]
fn modifications_are_encoded_in_order() {
    let (server, servers) = start_server(|_, _| None);
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
        server.requests(),
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
fn a_modify_without_response_is_not_repeated() {
    for last_act in [
        Action::Close,
        Action::Hang,
        Action::Raw(vec![0x30, 0x03, 0x02, 0x01]),
        Action::Raw(b"HTTP/1.1".to_vec()),
    ] {
        let act = last_act.clone();
        let (server, servers) = start_server(move |_, request| {
            matches!(request, Request::Modify { .. }).then(|| vec![act.clone(), Action::Close])
        });
        let mut connection = servers.connect(&server.server().to_string()).expect("a connection");
        let failure = connection
            .modify(
                TONY,
                &[Modification::Replace("description", b"x")],
                &Cancellation::default(),
            )
            .expect_err("no answer");
        assert_eq!(
            failure.kind,
            ServerErrorKind::NoResponse,
            "{last_act:?}: {:?}",
            failure.error
        );
        drop(connection);
        assert_eq!((server.requests().len(), server.binds()), (1, 1), "{last_act:?}");
        // The connection is not used again.
        let mut next = servers.connect(&server.server().to_string()).expect("a connection");
        assert!(next.search(&user_search(&["cn"])).is_ok());
        assert_eq!(server.binds(), 2);
    }
}

/// A connection that seems to have been idle for long.
fn idle_connection(servers: &Servers, server: &ScriptedServer) -> Connection {
    let mut connection = servers.connect(&server.server().to_string()).expect("a connection");
    connection.raw.last_used_at = connection
        .raw
        .last_used_at
        .checked_sub(PROBE_AFTER_IDLE * 2)
        .expect("the computer runs for longer");
    connection
}

/// Fills the pool with connections that seem to have been idle for long.
fn fill_pool_with_idle(servers: &Servers, server: &ScriptedServer, count: usize) {
    let in_use: Vec<_> = (0..count).map(|_| idle_connection(servers, server)).collect();
    drop(in_use);
}

/// Discards everything on the first connections, as a firewall does that lost their state.
fn drop_packets(
    count: usize,
    is_forgotten: &Arc<AtomicBool>,
) -> impl Fn(usize, &Request) -> Option<Vec<Action>> + use<> {
    let is_forgotten = Arc::clone(is_forgotten);
    move |number, _| (number < count && is_forgotten.load(Ordering::SeqCst)).then(|| vec![Action::Hang])
}

fn modify(servers: &Servers, server: &ScriptedServer) -> Result<(), ServerError> {
    let mut connection = servers.connect(&server.server().to_string())?;
    connection.modify(
        TONY,
        &[Modification::Replace("description", b"x")],
        &Cancellation::default(),
    )
}

#[test]
fn a_modify_is_not_sent_on_a_dead_idle_connection() {
    for last_act in [Action::Close, Action::Hang] {
        let is_idle = Arc::new(AtomicBool::new(false));
        let is_closed = Arc::clone(&is_idle);
        let (server, servers) = start_server(move |number, _| {
            (number == 0 && is_closed.load(Ordering::SeqCst)).then(|| vec![last_act.clone()])
        });
        fill_pool_with_idle(&servers, &server, 1);
        is_idle.store(true, Ordering::SeqCst);
        modify(&servers, &server).expect("changed on a new connection");
        assert_eq!((server.requests().len(), server.binds()), (1, 2));
    }
    // A working connection is used.
    let (server, servers) = start_server(|_, _| None);
    fill_pool_with_idle(&servers, &server, 1);
    modify(&servers, &server).expect("changed");
    assert_eq!((server.requests().len(), server.binds()), (1, 1));
}

#[test]
fn a_modify_is_not_sent_without_a_new_connection() {
    let is_idle = Arc::new(AtomicBool::new(false));
    let is_closed = Arc::clone(&is_idle);
    let (server, servers) = start_server(move |_, _| is_closed.load(Ordering::SeqCst).then(|| vec![Action::Close]));
    fill_pool_with_idle(&servers, &server, 1);
    is_idle.store(true, Ordering::SeqCst);
    let failure = modify(&servers, &server).expect_err("nobody there");
    assert_eq!(failure.kind, ServerErrorKind::NotSent);
    assert_eq!(server.requests(), []);
}

#[test]
fn connections_dropped_by_a_firewall_cost_one_probe_and_no_item() {
    const FORGOTTEN: usize = 3;
    let is_forgotten = Arc::new(AtomicBool::new(false));
    let authority = Authority::new();
    let server = ScriptedServer::start(
        &authority.sign(&["127.0.0.1"]),
        Tls::Ldaps,
        drop_packets(FORGOTTEN, &is_forgotten),
    );
    let mut settings_with_long_timeout = settings(&authority, &[server.server()]);
    // What a request without a probe would cost.
    settings_with_long_timeout.timeout = Duration::from_secs(15);
    let servers = Servers::new(settings_with_long_timeout);
    fill_pool_with_idle(&servers, &server, FORGOTTEN);
    assert_eq!(server.accepted(), FORGOTTEN);
    is_forgotten.store(true, Ordering::SeqCst);
    let begun = Instant::now();
    search_users(&servers, &user_search(&["cn"])).expect("the first item");
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    let begun = Instant::now();
    search_users(&servers, &user_search(&["cn"])).expect("the next item");
    modify(&servers, &server).expect("the next change");
    assert!(begun.elapsed() < PROBE_TIMEOUT, "{:?}", begun.elapsed());
    // One new connection served all requests: the other dropped ones were not probed one by one.
    assert_eq!((server.accepted(), server.requests().len()), (FORGOTTEN + 1, 3));
    assert_eq!(servers.take_diagnostics(), Vec::<String>::new());
}

#[test]
fn a_dropped_connection_does_not_fail_the_next_modify() {
    let is_forgotten = Arc::new(AtomicBool::new(false));
    let (server, servers) = start_server(drop_packets(1, &is_forgotten));
    fill_pool_with_idle(&servers, &server, 1);
    is_forgotten.store(true, Ordering::SeqCst);
    modify(&servers, &server).expect("changed on a new connection");
    let changes = server.requests();
    assert_eq!((changes.len(), server.accepted()), (1, 2), "{changes:?}");
}

#[test]
fn a_recently_used_connection_is_not_probed() {
    let (server, servers) = start_server(|_, _| None);
    for _ in 0..10 {
        search_users(&servers, &user_search(&["cn"])).expect("an answer");
        modify(&servers, &server).expect("changed");
    }
    let root_dse_reads = server
        .all_requests()
        .iter()
        .filter(|request| request.is_root_dse_search())
        .count();
    assert_eq!((root_dse_reads, server.requests().len(), server.accepted()), (1, 20, 1));
}

#[test]
fn the_root_dse_is_read_again_after_its_ttl() {
    let (server, servers) = start_server(|_, _| None);
    let mut connection = servers.connect(&server.server().to_string()).expect("a connection");
    connection.raw.root_dse_read_at = connection
        .raw
        .root_dse_read_at
        .checked_sub(ROOT_DSE_TTL)
        .expect("the computer runs for longer");
    drop(connection);
    search_users(&servers, &user_search(&["cn"])).expect("an answer");
    let root_dse_reads = server
        .all_requests()
        .iter()
        .filter(|request| request.is_root_dse_search())
        .count();
    assert_eq!((root_dse_reads, server.accepted()), (2, 1));
}

#[test]
fn a_search_is_repeated_if_the_pooled_connection_was_closed() {
    let count = AtomicUsize::new(0);
    let (server, servers) = start_server(move |number, request| {
        // The server closes on the second search, as if it restarted.
        (is_user_search(request) && number == 0 && count.fetch_add(1, Ordering::SeqCst) == 1)
            .then(|| vec![Action::Close])
    });
    for _ in 0..3 {
        search_users(&servers, &user_search(&["cn"])).expect("an answer");
    }
    assert_eq!((server.requests().len(), server.binds()), (4, 2));
    assert_eq!(servers.take_diagnostics(), Vec::<String>::new());
}

#[test]
fn a_closed_connection_is_noticed_before_it_is_used() {
    let (server, servers) = start_server(|number, request| {
        (number == 0 && is_user_search(request)).then(|| vec![Action::Done(0, ""), Action::Close])
    });
    let mut connection = servers.connect(&server.server().to_string()).expect("a connection");
    connection.search(&user_search(&["cn"])).expect("an answer");
    wait_until("the connection still seems open", || !connection.is_alive());
    // It does not return to the pool.
    let endpoint = connection.endpoint.clone();
    drop(connection);
    assert!(servers.pool().take_idle(&endpoint).is_none());
}

#[test]
fn connections_are_reused() {
    let (server, servers) = start_server(|_, _| None);
    for _ in 0..20 {
        search_users(&servers, &user_search(&["cn"])).expect("an answer");
    }
    assert_eq!((server.accepted(), server.binds()), (1, 1));
    // The rootDSE is read once.
    assert_eq!(
        server
            .all_requests()
            .iter()
            .filter(|request| request.is_root_dse_search())
            .count(),
        1
    );
}
