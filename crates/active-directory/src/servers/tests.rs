//! Who is asked, against servers that fail as told.

mod domains;

use std::sync::Barrier;
use std::thread;

use super::*;
use crate::connection::{Answer, Depth, Search};
use crate::scripted::{
    Act, Authority, PASSWORD, Request, Scripted, Signed, TIMEOUT, WRONG_PASSWORD, bind, closed, entry, eventually,
    root_dse, settings, silent,
};
use crate::server::Tls;
use crate::settings::Bind;
use umpin_platform::files;
use umpin_platform::password::Password;

const HERE: Whom<'_> = Whom::DomainController("contoso.com");

struct Place {
    authority: Authority,
    signed: Signed,
}

impl Place {
    fn new() -> Self {
        let authority = Authority::new();
        let signed = authority.sign(&["127.0.0.1", "localhost"]);
        Self { authority, signed }
    }

    fn start(&self, script: impl Fn(usize, &Request) -> Option<Vec<Act>> + Send + Sync + 'static) -> Scripted {
        Scripted::start(&self.signed, Tls::Ldaps, script)
    }

    fn sound(&self) -> Scripted {
        self.start(|_, _| None)
    }

    fn servers(&self, servers: &[Server]) -> Servers {
        Servers::new(settings(&self.authority, servers))
    }
}

fn search(connection: &mut Connection) -> Result<Answer, Failure> {
    connection.search(&Search {
        base: "DC=contoso,DC=com",
        depth: Depth::Subtree,
        filter: "(objectClass=user)",
        attributes: &["cn"],
        size_limit: 0,
    })
}

/// Which server answered.
fn who(servers: &Servers, whom: Whom<'_>) -> Result<String, Failure> {
    servers.ask(whom, |connection| {
        search(connection).map(|_| connection.host().to_owned())
    })
}

fn name(server: &Scripted) -> String {
    server.server().to_string()
}

fn is_question(request: &Request) -> bool {
    matches!(request, Request::Search { base, attributes, .. } if !base.is_empty() && attributes == &["cn"])
}

#[test]
fn a_dead_server_is_left_for_the_next_and_told_once() {
    let place = Place::new();
    let second = place.sound();
    let dead = closed();
    let servers = place.servers(&[dead.clone(), second.server()]);
    for _ in 0..3 {
        assert_eq!(who(&servers, HERE).expect("the second"), name(&second));
    }
    let lines = servers.take_diagnostics();
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(
        lines[0].contains(&dead.to_string()) && lines[0].contains("left aside"),
        "{lines:?}"
    );
    assert_eq!(second.binds(), 1);
    assert_eq!(servers.take_diagnostics(), Vec::<String>::new());
}

#[test]
fn a_server_that_hangs_costs_one_timeout_at_whatever_step() {
    let place = Place::new();
    let (_listener, mute) = silent();
    let after_bind = place.start(|_, request| is_question(request).then(|| vec![Act::Hang]));
    let at_bind = place.start(|_, request| matches!(request, Request::Bind { .. }).then(|| vec![Act::Hang]));
    for hanging in [mute, at_bind.server(), after_bind.server()] {
        let second = place.sound();
        let servers = place.servers(&[hanging.clone(), second.server()]);
        let begun = Instant::now();
        for _ in 0..10 {
            assert_eq!(who(&servers, HERE).expect("the second"), name(&second));
        }
        // Each further one would take as long again.
        assert!(begun.elapsed() < TIMEOUT * 5, "{hanging}: {:?}", begun.elapsed());
        let lines = servers.take_diagnostics();
        assert_eq!(lines.len(), 1, "{lines:?}");
        assert!(lines[0].contains("did not answer"), "{lines:?}");
    }
    assert_eq!((at_bind.accepted(), after_bind.accepted()), (1, 1));
}

#[test]
fn many_at_once_lose_one_timeout_each_at_most() {
    let place = Place::new();
    let second = place.sound();
    for others in [&[][..], &[second.server()][..]] {
        let hanging = place.start(|_, request| matches!(request, Request::Bind { .. }).then(|| vec![Act::Hang]));
        let servers = place.servers(&[&[hanging.server()], others].concat());
        let begun = Instant::now();
        let together = Barrier::new(8);
        thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    together.wait();
                    let answer = who(&servers, HERE).ok();
                    assert_eq!(answer, others.first().map(ToString::to_string));
                });
            }
        });
        assert_eq!(hanging.accepted(), 1, "the others learn of it while they wait");
        assert!(begun.elapsed() < TIMEOUT * 4, "{:?}", begun.elapsed());
    }
}

#[test]
fn where_all_hang_the_next_question_does_not_wait_until_the_next_command() {
    let place = Place::new();
    let hanging = place.start(|_, request| is_question(request).then(|| vec![Act::Hang]));
    let servers = place.servers(&[hanging.server()]);
    let first = who(&servers, HERE).expect_err("silence");
    assert_eq!(first.kind, FailureKind::Lost);
    for _ in 0..5 {
        let again = who(&servers, HERE).expect_err("silence");
        assert_eq!(again.error.message(), first.error.message());
        let pinned = who(&servers, Whom::Server(&name(&hanging))).expect_err("silence");
        assert_eq!(pinned.error.message(), first.error.message());
        assert_eq!(
            servers.connect(&name(&hanging)).map(|_| ()).expect_err("silence").kind,
            FailureKind::Unreached
        );
    }
    assert_eq!(hanging.heard().len(), 1);
    servers.refresh();
    who(&servers, HERE).expect_err("silence");
    assert_eq!(hanging.heard().len(), 2);
}

#[test]
fn a_server_that_declines_is_left_for_the_next() {
    let place = Place::new();
    for code in [1, 10, 51, 52, 53] {
        let busy = place.start(move |_, request| is_question(request).then(|| vec![Act::Done(code, "not now")]));
        let second = place.sound();
        let servers = place.servers(&[busy.server(), second.server()]);
        for _ in 0..2 {
            assert_eq!(who(&servers, HERE).expect("the second"), name(&second), "{code}");
        }
        assert_eq!(
            busy.heard().iter().filter(|request| is_question(request)).count(),
            1,
            "{code}"
        );
        // Alone it is asked each time, for it answers at once.
        let servers = place.servers(&[busy.server()]);
        for _ in 0..2 {
            assert_eq!(who(&servers, HERE).expect_err("busy").kind, FailureKind::Declined(code));
        }
    }
}

#[test]
fn an_answer_that_would_be_the_same_elsewhere_is_taken() {
    let place = Place::new();
    for code in [32, 50] {
        let first = place.start(move |_, request| is_question(request).then(|| vec![Act::Done(code, "no")]));
        let second = place.sound();
        let servers = place.servers(&[first.server(), second.server()]);
        assert_eq!(who(&servers, HERE).expect_err("no").kind, FailureKind::Refused(code));
        assert_eq!(second.accepted(), 0);
        assert_eq!(servers.take_diagnostics(), Vec::<String>::new());
    }
}

#[test]
fn where_none_serves_the_most_telling_is_told() {
    let place = Place::new();
    let busy = place.start(|_, request| is_question(request).then(|| vec![Act::Done(51, "not now")]));
    let servers = place.servers(&[closed(), busy.server(), closed()]);
    let failure = who(&servers, HERE).expect_err("none");
    assert_eq!(failure.kind, FailureKind::Declined(51));
    let message = failure.error.message();
    assert!(
        message.contains("too busy") && message.contains("Of 3 servers none"),
        "{message}"
    );
    assert_eq!(failure.error.details()["attempts"].as_array().map(Vec::len), Some(3));
}

#[test]
fn a_read_only_controller_is_used_only_by_name() {
    let place = Place::new();
    let read_only = place.start(|_, request| {
        request.is_about_server().then(|| {
            root_dse(&[(
                "supportedCapabilities",
                &["1.2.840.113556.1.4.800", "1.2.840.113556.1.4.1920"],
            )])
        })
    });
    let second = place.sound();
    let servers = place.servers(&[read_only.server(), second.server()]);
    for _ in 0..2 {
        assert_eq!(who(&servers, HERE).expect("the second"), name(&second));
    }
    assert_eq!(read_only.heard(), []);
    assert!(servers.take_diagnostics()[0].contains("read-only"));
    let pinned = who(&servers, Whom::Server(&name(&read_only))).expect("pinned");
    assert_eq!(pinned, name(&read_only));
}

#[test]
fn a_named_server_has_no_substitute() {
    let place = Place::new();
    let second = place.sound();
    let dead = closed();
    let servers = place.servers(&[dead.clone(), second.server()]);
    let failure = who(&servers, Whom::Server(&dead.to_string())).expect_err("dead");
    assert_eq!(failure.kind, FailureKind::Unreached);
    assert!(failure.error.message().contains(&dead.to_string()));
    assert_eq!(
        servers.connect(&dead.to_string()).map(|_| ()).expect_err("dead").kind,
        FailureKind::Unreached
    );
    assert_eq!(second.accepted(), 0);
    // By its name alone it is the configured one, port and all.
    assert_eq!(
        who(&servers, Whom::Server("127.0.0.1")).expect_err("dead").kind,
        FailureKind::Unreached
    );
    for nonsense in ["", "dc 1", "dc1/x", "[::1", "fe80::1%eth0"] {
        let failure = who(&servers, Whom::Server(nonsense)).expect_err(nonsense);
        assert_eq!(failure.kind, FailureKind::Hopeless);
    }
}

#[test]
fn short_names_are_completed() {
    let place = Place::new();
    let servers = place.servers(&[Server::parse("dc1.emea.contoso.com:7").unwrap()]);
    for (typed, meant) in [
        ("dc1", "dc1.emea.contoso.com:7"),
        ("DC1.emea.contoso.com.", "dc1.emea.contoso.com:7"),
        ("dc1:8", "dc1.contoso.com:8"),
        ("dc2", "dc2.contoso.com"),
        ("dc2.fabrikam.com:636", "dc2.fabrikam.com:636"),
    ] {
        let endpoint = servers.named(typed).expect(typed);
        assert_eq!(endpoint.server.to_string(), meant, "{typed}");
    }
}

#[test]
fn a_wrong_password_is_tried_once_and_at_one_server() {
    let place = Place::new();
    let (first, second) = (place.sound(), place.sound());
    // With one, nothing is asked before, by one alone.
    for servers in [vec![first.server()], vec![second.server(), first.server()]] {
        wrong_password(&place, &servers);
    }
    assert_eq!((first.binds(), second.binds()), (1, 1));
    assert!(WRONG_PASSWORD.contains("52e"));
}

fn wrong_password(place: &Place, servers: &[Server]) {
    let mut wrong = settings(&place.authority, servers);
    wrong.bind = bind("no such password");
    let servers = Servers::new(wrong);
    let together = Barrier::new(8);
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                together.wait();
                for _ in 0..3 {
                    let failure = who(&servers, HERE).expect_err("wrong");
                    assert_eq!(failure.kind, FailureKind::Hopeless);
                    assert_eq!(failure.error.code(), ErrorCode::AccessDenied);
                    assert_eq!(failure.error.details()["windowsCode"], "52e");
                    let told = format!("{:?} {:?}", failure.error, failure.error.details());
                    assert!(!told.contains("no such password"), "{told}");
                }
            });
        }
    });
}

#[test]
fn a_corrected_password_is_used_at_once() {
    let place = Place::new();
    let server = place.sound();
    let folder = tempfile::tempdir().expect("a temporary directory");
    let file = folder.path().join("bind.password");
    files::write_atomically(&file, b"an old one", None).expect("a file");
    let mut corrected = settings(&place.authority, &[server.server()]);
    corrected.bind = Bind::Simple {
        user: "um@contoso.com".to_owned(),
        password: Password::File(file.clone()),
    };
    let servers = Servers::new(corrected);
    assert_eq!(who(&servers, HERE).expect_err("wrong").kind, FailureKind::Hopeless);
    files::write_atomically(&file, PASSWORD.as_bytes(), None).expect("a file");
    who(&servers, HERE).expect("right");
    assert_eq!(server.binds(), 2);
    std::fs::remove_file(&file).expect("removed");
    // The connection is there; no password is needed.
    who(&servers, HERE).expect("kept");
}

#[test]
fn the_emulator_of_the_pdc_comes_first() {
    let place = Place::new();
    let knowing = |_: usize, request: &Request| {
        let Request::Search { base, attributes, .. } = request else {
            return None;
        };
        let act = match attributes.first()?.as_str() {
            "fSMORoleOwner" => entry(base, &[("fSMORoleOwner", &["CN=NTDS Settings,CN=DC2,CN=Servers"])]),
            "dNSHostName" if base == "CN=DC2,CN=Servers" => entry(base, &[("dNSHostName", &["LOCALHOST"])]),
            _ => return None,
        };
        Some(vec![act, Act::Done(0, "")])
    };
    let (first, second) = (place.start(knowing), place.start(knowing));
    let servers = place.servers(&[first.server(), second.named("localhost")]);
    for _ in 0..3 {
        assert_eq!(
            who(&servers, HERE).expect("the second"),
            second.named("localhost").to_string()
        );
    }
    // Both questions about the role, once.
    assert_eq!(first.heard().len(), 2, "{:?}", first.heard());
    // Where it does not serve, the other does.
    drop(second);
    let servers = place.servers(&[first.server(), closed()]);
    assert_eq!(who(&servers, HERE).expect("the first"), name(&first));
}

#[test]
fn a_catalog_must_hold_the_catalog() {
    let place = Place::new();
    let bare = place.start(|_, request| {
        let about: &[(&str, &[&str])] = &[
            ("defaultNamingContext", &["DC=contoso,DC=com"]),
            ("isGlobalCatalogReady", &["FALSE"]),
        ];
        request
            .is_about_server()
            .then(|| vec![entry("", about), Act::Done(0, "")])
    });
    let ready = place.sound();
    let controller = place.sound();
    let mut catalogs = settings(&place.authority, &[controller.server()]);
    catalogs.global_catalogs = vec![bare.server(), ready.server()];
    let servers = Servers::new(catalogs);
    assert_eq!(who(&servers, Whom::GlobalCatalog).expect("the second"), name(&ready));
    assert!(servers.take_diagnostics()[0].contains("does not hold the global catalog"));
}

#[test]
fn a_server_is_tried_aside_after_its_pause() {
    let place = Place::new();
    let (first, second) = (place.sound(), place.sound());
    let servers = place.servers(&[first.server(), second.server()]);
    who(&servers, HERE).expect("the first");
    let endpoint = servers.named(&name(&first)).expect("a name");
    let failure = Failure::unavailable(FailureKind::Unreached, &endpoint, "was down");
    servers.health.leave(&endpoint, &failure, TIMEOUT);
    servers.pool.forget(&endpoint, Instant::now());
    assert_eq!(who(&servers, HERE).expect("the second"), name(&second));
    servers.health.end_pause(&endpoint);
    assert_eq!(
        who(&servers, HERE).expect("the second"),
        name(&second),
        "nobody waits for the first"
    );
    eventually("the first server is not asked again", || {
        who(&servers, HERE).expect("one of them") == name(&first)
    });
    assert_eq!(first.binds(), 2);
}
