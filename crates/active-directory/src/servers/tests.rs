//! Server selection and fail-over with scripted servers.

mod domains;

use std::sync::Barrier;
use std::thread;

use super::*;
use crate::connection::{Scope, Search, SearchResult};
use crate::scripted::{
    Action, Authority, PASSWORD, Request, ScriptedServer, Signed, TIMEOUT, WRONG_PASSWORD, bind, closed_port, entry,
    root_dse, settings, unresponsive_listener, wait_until,
};
use crate::server::Tls;
use crate::settings::Bind;
use umpin_platform::files;
use umpin_platform::password::Password;

const PREFERRED: ServerSelector<'_> = ServerSelector::DomainController("contoso.com");

struct Fixture {
    authority: Authority,
    signed: Signed,
}

impl Fixture {
    fn new() -> Self {
        let authority = Authority::new();
        let signed = authority.sign(&["127.0.0.1", "localhost"]);
        Self { authority, signed }
    }

    fn start(&self, script: impl Fn(usize, &Request) -> Option<Vec<Action>> + Send + Sync + 'static) -> ScriptedServer {
        ScriptedServer::start(&self.signed, Tls::Ldaps, script)
    }

    fn healthy(&self) -> ScriptedServer {
        self.start(|_, _| None)
    }

    fn servers(&self, servers: &[Server]) -> Servers {
        Servers::new(settings(&self.authority, servers))
    }
}

fn search(connection: &mut Connection) -> Result<SearchResult, ServerError> {
    connection.search(&Search {
        base: "DC=contoso,DC=com",
        scope: Scope::Subtree,
        filter: "(objectClass=user)",
        attributes: &["cn"],
        size_limit: 0,
    })
}

/// The server that answered.
fn answering_server(servers: &Servers, selector: ServerSelector<'_>) -> Result<String, ServerError> {
    servers.execute(selector, |connection| {
        search(connection).map(|_| connection.host().to_owned())
    })
}

fn name(server: &ScriptedServer) -> String {
    server.server().to_string()
}

fn is_question(request: &Request) -> bool {
    matches!(request, Request::Search { base, attributes, .. } if !base.is_empty() && attributes == &["cn"])
}

#[test]
fn a_dead_server_is_skipped_and_reported_once() {
    let fixture = Fixture::new();
    let second = fixture.healthy();
    let dead = closed_port();
    let servers = fixture.servers(&[dead.clone(), second.server()]);
    for _ in 0..3 {
        assert_eq!(
            answering_server(&servers, PREFERRED).expect("the second"),
            name(&second)
        );
    }
    let lines = servers.take_diagnostics();
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(
        lines[0].contains(&dead.to_string()) && lines[0].contains("It is not used for"),
        "{lines:?}"
    );
    assert_eq!(second.binds(), 1);
    assert_eq!(servers.take_diagnostics(), Vec::<String>::new());
}

#[test]
fn a_hanging_server_costs_one_timeout_at_any_step() {
    let fixture = Fixture::new();
    let (_listener, unresponsive) = unresponsive_listener();
    let after_bind = fixture.start(|_, request| is_question(request).then(|| vec![Action::Hang]));
    let at_bind = fixture.start(|_, request| matches!(request, Request::Bind { .. }).then(|| vec![Action::Hang]));
    for hanging in [unresponsive, at_bind.server(), after_bind.server()] {
        let second = fixture.healthy();
        let servers = fixture.servers(&[hanging.clone(), second.server()]);
        let begun = Instant::now();
        for _ in 0..10 {
            assert_eq!(
                answering_server(&servers, PREFERRED).expect("the second"),
                name(&second)
            );
        }
        // Without the circuit breaker each request would take a timeout.
        assert!(begun.elapsed() < TIMEOUT * 5, "{hanging}: {:?}", begun.elapsed());
        let lines = servers.take_diagnostics();
        assert_eq!(lines.len(), 1, "{lines:?}");
        assert!(lines[0].contains("did not answer"), "{lines:?}");
    }
    assert_eq!((at_bind.accepted(), after_bind.accepted()), (1, 1));
}

#[test]
fn concurrent_requests_wait_for_one_timeout_at_most() {
    let fixture = Fixture::new();
    let second = fixture.healthy();
    for others in [&[][..], &[second.server()][..]] {
        let hanging = fixture.start(|_, request| matches!(request, Request::Bind { .. }).then(|| vec![Action::Hang]));
        let servers = fixture.servers(&[&[hanging.server()], others].concat());
        let begun = Instant::now();
        let together = Barrier::new(8);
        thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    together.wait();
                    let answer = answering_server(&servers, PREFERRED).ok();
                    assert_eq!(answer, others.first().map(ToString::to_string));
                });
            }
        });
        assert_eq!(hanging.accepted(), 1, "waiting requests share the result");
        assert!(begun.elapsed() < TIMEOUT * 4, "{:?}", begun.elapsed());
    }
}

#[test]
fn if_all_servers_hang_requests_fail_at_once_until_the_next_command() {
    let fixture = Fixture::new();
    let hanging = fixture.start(|_, request| is_question(request).then(|| vec![Action::Hang]));
    let servers = fixture.servers(&[hanging.server()]);
    let first = answering_server(&servers, PREFERRED).expect_err("a timeout");
    assert_eq!(first.kind, ServerErrorKind::NoResponse);
    for _ in 0..5 {
        let duplicate = answering_server(&servers, PREFERRED).expect_err("a timeout");
        assert_eq!(duplicate.error.message(), first.error.message());
        let pinned = answering_server(&servers, ServerSelector::Server(&name(&hanging))).expect_err("a timeout");
        assert_eq!(pinned.error.message(), first.error.message());
        assert_eq!(
            servers
                .connect(&name(&hanging))
                .map(|_| ())
                .expect_err("a timeout")
                .kind,
            ServerErrorKind::NotSent
        );
    }
    assert_eq!(hanging.requests().len(), 1);
    servers.reset_health();
    answering_server(&servers, PREFERRED).expect_err("a timeout");
    assert_eq!(hanging.requests().len(), 2);
}

#[test]
fn a_declining_server_is_skipped() {
    let fixture = Fixture::new();
    for code in [1, 10, 51, 52, 53] {
        let busy = fixture.start(move |_, request| is_question(request).then(|| vec![Action::Done(code, "not now")]));
        let second = fixture.healthy();
        let servers = fixture.servers(&[busy.server(), second.server()]);
        for _ in 0..2 {
            assert_eq!(
                answering_server(&servers, PREFERRED).expect("the second"),
                name(&second),
                "{code}"
            );
        }
        assert_eq!(
            busy.requests().iter().filter(|request| is_question(request)).count(),
            1,
            "{code}"
        );
        // The only server is asked each time: it answers at once.
        let servers = fixture.servers(&[busy.server()]);
        for _ in 0..2 {
            assert_eq!(
                answering_server(&servers, PREFERRED).expect_err("busy").kind,
                ServerErrorKind::Declined(code)
            );
        }
    }
}

#[test]
fn a_rejection_is_not_retried_on_another_server() {
    let fixture = Fixture::new();
    for code in [32, 50] {
        let first = fixture.start(move |_, request| is_question(request).then(|| vec![Action::Done(code, "no")]));
        let second = fixture.healthy();
        let servers = fixture.servers(&[first.server(), second.server()]);
        assert_eq!(
            answering_server(&servers, PREFERRED).expect_err("no").kind,
            ServerErrorKind::Rejected(code)
        );
        assert_eq!(second.accepted(), 0);
        assert_eq!(servers.take_diagnostics(), Vec::<String>::new());
    }
}

#[test]
fn if_no_server_is_up_the_most_specific_error_is_returned() {
    let fixture = Fixture::new();
    let busy = fixture.start(|_, request| is_question(request).then(|| vec![Action::Done(51, "not now")]));
    let servers = fixture.servers(&[closed_port(), busy.server(), closed_port()]);
    let failure = answering_server(&servers, PREFERRED).expect_err("none");
    assert_eq!(failure.kind, ServerErrorKind::Declined(51));
    let message = failure.error.message();
    assert!(
        message.contains("too busy") && message.contains("Of 3 servers none"),
        "{message}"
    );
    assert_eq!(failure.error.details()["attempts"].as_array().map(Vec::len), Some(3));
}

#[test]
fn a_read_only_controller_is_used_by_name_only() {
    let fixture = Fixture::new();
    let read_only = fixture.start(|_, request| {
        request.is_root_dse_search().then(|| {
            root_dse(&[(
                "supportedCapabilities",
                &["1.2.840.113556.1.4.800", "1.2.840.113556.1.4.1920"],
            )])
        })
    });
    let second = fixture.healthy();
    let servers = fixture.servers(&[read_only.server(), second.server()]);
    for _ in 0..2 {
        assert_eq!(
            answering_server(&servers, PREFERRED).expect("the second"),
            name(&second)
        );
    }
    assert_eq!(read_only.requests(), []);
    assert!(servers.take_diagnostics()[0].contains("read-only"));
    let pinned = answering_server(&servers, ServerSelector::Server(&name(&read_only))).expect("pinned");
    assert_eq!(pinned, name(&read_only));
}

#[test]
fn a_named_server_has_no_fail_over() {
    let fixture = Fixture::new();
    let second = fixture.healthy();
    let dead = closed_port();
    let servers = fixture.servers(&[dead.clone(), second.server()]);
    let failure = answering_server(&servers, ServerSelector::Server(&dead.to_string())).expect_err("dead");
    assert_eq!(failure.kind, ServerErrorKind::NotSent);
    assert!(failure.error.message().contains(&dead.to_string()));
    assert_eq!(
        servers.connect(&dead.to_string()).map(|_| ()).expect_err("dead").kind,
        ServerErrorKind::NotSent
    );
    assert_eq!(second.accepted(), 0);
    // The name alone selects the configured server with its port.
    assert_eq!(
        answering_server(&servers, ServerSelector::Server("127.0.0.1"))
            .expect_err("dead")
            .kind,
        ServerErrorKind::NotSent
    );
    for nonsense in ["", "dc 1", "dc1/x", "[::1", "fe80::1%eth0"] {
        let failure = answering_server(&servers, ServerSelector::Server(nonsense)).expect_err(nonsense);
        assert_eq!(failure.kind, ServerErrorKind::Fatal);
    }
}

#[test]
fn short_host_names_are_completed() {
    let fixture = Fixture::new();
    let servers = fixture.servers(&[Server::parse("dc1.emea.contoso.com:7").unwrap()]);
    for (typed, meant) in [
        ("dc1", "dc1.emea.contoso.com:7"),
        ("DC1.emea.contoso.com.", "dc1.emea.contoso.com:7"),
        ("dc1:8", "dc1.contoso.com:8"),
        ("dc2", "dc2.contoso.com"),
        ("dc2.fabrikam.com:636", "dc2.fabrikam.com:636"),
    ] {
        let endpoint = servers.endpoint_named(typed).expect(typed);
        assert_eq!(endpoint.server.to_string(), meant, "{typed}");
    }
}

#[test]
fn a_wrong_password_is_sent_once_to_one_server() {
    let fixture = Fixture::new();
    let (first, second) = (fixture.healthy(), fixture.healthy());
    // With a single server there is no look-up of the PDC emulator before.
    for servers in [vec![first.server()], vec![second.server(), first.server()]] {
        wrong_password(&fixture, &servers);
    }
    assert_eq!((first.binds(), second.binds()), (1, 1));
    assert!(WRONG_PASSWORD.contains("52e"));
}

fn wrong_password(fixture: &Fixture, servers: &[Server]) {
    let mut wrong = settings(&fixture.authority, servers);
    wrong.bind = bind("no such password");
    let servers = Servers::new(wrong);
    let together = Barrier::new(8);
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                together.wait();
                for _ in 0..3 {
                    let failure = answering_server(&servers, PREFERRED).expect_err("wrong");
                    assert_eq!(failure.kind, ServerErrorKind::Fatal);
                    assert_eq!(failure.error.code(), ErrorCode::AccessDenied);
                    assert_eq!(failure.error.details()["windowsCode"], "52e");
                    let text = format!("{:?} {:?}", failure.error, failure.error.details());
                    assert!(!text.contains("no such password"), "{text}");
                }
            });
        }
    });
}

#[test]
fn a_corrected_password_is_used_at_once() {
    let fixture = Fixture::new();
    let server = fixture.healthy();
    let folder = tempfile::tempdir().expect("a temporary directory");
    let file = folder.path().join("bind.password");
    files::write_atomically(&file, b"an old one", None).expect("a file");
    let mut corrected = settings(&fixture.authority, &[server.server()]);
    corrected.bind = Bind::Simple {
        user: "um@contoso.com".to_owned(),
        password: Password::File(file.clone()),
    };
    let servers = Servers::new(corrected);
    assert_eq!(
        answering_server(&servers, PREFERRED).expect_err("wrong").kind,
        ServerErrorKind::Fatal
    );
    files::write_atomically(&file, PASSWORD.as_bytes(), None).expect("a file");
    answering_server(&servers, PREFERRED).expect("right");
    assert_eq!(server.binds(), 2);
    std::fs::remove_file(&file).expect("removed");
    // The open connection needs no password.
    answering_server(&servers, PREFERRED).expect("kept");
}

#[test]
fn the_pdc_emulator_comes_first() {
    let fixture = Fixture::new();
    let knowing = |_: usize, request: &Request| {
        let Request::Search { base, attributes, .. } = request else {
            return None;
        };
        let act = match attributes.first()?.as_str() {
            "fSMORoleOwner" => entry(base, &[("fSMORoleOwner", &["CN=NTDS Settings,CN=DC2,CN=Servers"])]),
            "dNSHostName" if base == "CN=DC2,CN=Servers" => entry(base, &[("dNSHostName", &["LOCALHOST"])]),
            _ => return None,
        };
        Some(vec![act, Action::Done(0, "")])
    };
    let (first, second) = (fixture.start(knowing), fixture.start(knowing));
    let servers = fixture.servers(&[first.server(), second.named("localhost")]);
    for _ in 0..3 {
        assert_eq!(
            answering_server(&servers, PREFERRED).expect("the second"),
            second.named("localhost").to_string()
        );
    }
    // Both searches for the role, once.
    assert_eq!(first.requests().len(), 2, "{:?}", first.requests());
    // If it is down, the other one serves.
    drop(second);
    let servers = fixture.servers(&[first.server(), closed_port()]);
    assert_eq!(answering_server(&servers, PREFERRED).expect("the first"), name(&first));
}

#[test]
fn a_catalog_must_hold_the_catalog() {
    let fixture = Fixture::new();
    let bare = fixture.start(|_, request| {
        let about: &[(&str, &[&str])] = &[
            ("defaultNamingContext", &["DC=contoso,DC=com"]),
            ("isGlobalCatalogReady", &["FALSE"]),
        ];
        request
            .is_root_dse_search()
            .then(|| vec![entry("", about), Action::Done(0, "")])
    });
    let ready = fixture.healthy();
    let controller = fixture.healthy();
    let mut catalogs = settings(&fixture.authority, &[controller.server()]);
    catalogs.global_catalogs = vec![bare.server(), ready.server()];
    let servers = Servers::new(catalogs);
    assert_eq!(
        answering_server(&servers, ServerSelector::GlobalCatalog).expect("the second"),
        name(&ready)
    );
    assert!(servers.take_diagnostics()[0].contains("does not hold the global catalog"));
}

#[test]
fn a_server_is_probed_in_the_background_after_its_down_period() {
    let fixture = Fixture::new();
    let (first, second) = (fixture.healthy(), fixture.healthy());
    let servers = fixture.servers(&[first.server(), second.server()]);
    answering_server(&servers, PREFERRED).expect("the first");
    let endpoint = servers.endpoint_named(&name(&first)).expect("a name");
    let failure = ServerError::unavailable(ServerErrorKind::NotSent, &endpoint, "was down");
    servers.health.mark_down(&endpoint, &failure, TIMEOUT);
    servers.pool.discard_idle(&endpoint, Instant::now());
    assert_eq!(
        answering_server(&servers, PREFERRED).expect("the second"),
        name(&second)
    );
    servers.health.expire_down_period(&endpoint);
    assert_eq!(
        answering_server(&servers, PREFERRED).expect("the second"),
        name(&second),
        "the probe runs in the background"
    );
    wait_until("the first server is not used again", || {
        answering_server(&servers, PREFERRED).expect("one of them") == name(&first)
    });
    assert_eq!(first.binds(), 2);
}
