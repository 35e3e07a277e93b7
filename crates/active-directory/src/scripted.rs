//! A scripted LDAP server with TLS that stands in for a domain controller, faults included.

#[allow(unreachable_pub, reason = "the integration tests include the file too")]
#[path = "../../../tests/support/certificates.rs"]
mod certificates;
mod message;

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use lber::structure::StructureTag;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

pub(crate) use certificates::{Authority, Signed};
pub(crate) use message::{Action, Page, Request, WRONG_PASSWORD, entry, root_dse};

use super::server::Tls;
use super::settings::{ActiveDirectorySettings, Bind};
use super::{DEFAULT_COUNTER_ATTRIBUTE, Server};
use umpin_platform::password::Password;
use umpin_platform::secret::Secret;

pub(crate) const PASSWORD: &str = "swordfish 4711!";
/// Long enough for a loaded machine, short enough for a test.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(2);

/// The actions for a request on a connection, counted from 0; `None`: the default response.
pub(crate) type Script = dyn Fn(usize, &Request) -> Option<Vec<Action>> + Send + Sync;

/// A running server, which stops accepting when dropped.
pub(crate) struct ScriptedServer {
    pub port: u16,
    address: SocketAddr,
    requests: Arc<Mutex<Vec<(usize, Request)>>>,
    accepted: Arc<Mutex<usize>>,
    stop: Option<mpsc::Sender<()>>,
}

impl ScriptedServer {
    pub(crate) fn start(
        signed: &Signed,
        tls: Tls,
        script: impl Fn(usize, &Request) -> Option<Vec<Action>> + Send + Sync + 'static,
    ) -> Self {
        Self::start_at("127.0.0.1:0", signed, tls, script)
    }

    pub(crate) fn start_at(
        address: &str,
        signed: &Signed,
        tls: Tls,
        script: impl Fn(usize, &Request) -> Option<Vec<Action>> + Send + Sync + 'static,
    ) -> Self {
        let config = Arc::new(server_config(signed));
        let listener = TcpListener::bind(address).expect(address);
        let address = listener.local_addr().expect("an address");
        let port = address.port();
        let (stop, stopped) = mpsc::channel::<()>();
        let server = Self {
            port,
            address,
            requests: Arc::default(),
            accepted: Arc::default(),
            stop: Some(stop),
        };
        let (requests, accepted) = (Arc::clone(&server.requests), Arc::clone(&server.accepted));
        let script: Arc<Script> = Arc::new(script);
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if stopped.try_recv() == Err(mpsc::TryRecvError::Disconnected) {
                    return;
                }
                let number = {
                    let mut accepted = accepted.lock().expect("a count");
                    *accepted += 1;
                    *accepted - 1
                };
                let (config, script, requests) = (Arc::clone(&config), Arc::clone(&script), Arc::clone(&requests));
                thread::spawn(move || {
                    let respond = |request: &Request| {
                        requests.lock().expect("a log").push((number, request.clone()));
                        script(number, request).unwrap_or_else(|| message::default_response(request))
                    };
                    if tls == Tls::StartTls && !serve(&stream, &respond) {
                        return;
                    }
                    let Ok(connection) = ServerConnection::new(config) else {
                        return;
                    };
                    serve(StreamOwned::new(connection, &stream), &respond);
                });
            }
        });
        server
    }

    /// The server by its address.
    pub(crate) fn server(&self) -> Server {
        self.named("127.0.0.1")
    }

    pub(crate) fn named(&self, host: &str) -> Server {
        Server {
            host: host.to_owned(),
            port: Some(self.port),
        }
    }

    /// Number of accepted connections.
    pub(crate) fn accepted(&self) -> usize {
        *self.accepted.lock().expect("a count")
    }

    /// The requests without binds, StartTLS and rootDSE searches.
    pub(crate) fn requests(&self) -> Vec<Request> {
        self.all_requests()
            .into_iter()
            .filter(|request| {
                !matches!(request, Request::Bind { .. } | Request::StartTls) && !request.is_root_dse_search()
            })
            .collect()
    }

    pub(crate) fn binds(&self) -> usize {
        let all_requests = self.all_requests();
        all_requests
            .iter()
            .filter(|request| matches!(request, Request::Bind { .. }))
            .count()
    }

    pub(crate) fn all_requests(&self) -> Vec<Request> {
        let requests = self.requests.lock().expect("a log");
        requests.iter().map(|(_, request)| request.clone()).collect()
    }
}

impl Drop for ScriptedServer {
    fn drop(&mut self) {
        self.stop = None;
        // Wakes the accepting thread.
        let _ = TcpStream::connect(self.address);
    }
}

/// A server on a port without listener.
pub(crate) fn closed_port() -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    Server {
        host: "127.0.0.1".to_owned(),
        port: Some(listener.local_addr().expect("an address").port()),
    }
}

/// A listener that never answers.
pub(crate) fn unresponsive_listener() -> (TcpListener, Server) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let server = Server {
        host: "127.0.0.1".to_owned(),
        port: Some(port),
    };
    (listener, server)
}

/// Settings with these servers, in this order.
pub(crate) fn settings(authority: &Authority, servers: &[Server]) -> ActiveDirectorySettings {
    ActiveDirectorySettings {
        domain: "contoso.com".to_owned(),
        domain_controllers: servers.to_vec(),
        global_catalogs: Vec::new(),
        tls: Tls::Ldaps,
        ca_file: Some(authority.file()),
        bind: bind(PASSWORD),
        timeout: TIMEOUT,
        counter_attribute: DEFAULT_COUNTER_ATTRIBUTE.to_owned(),
        group: None,
    }
}

pub(crate) fn bind(password: &str) -> Bind {
    Bind::Simple {
        user: "um@contoso.com".to_owned(),
        password: Password::Variable {
            name: "UMPIN_BIND".to_owned(),
            value: Some(Secret::new(password.to_owned())),
        },
    }
}

fn server_config(signed: &Signed) -> ServerConfig {
    let certificate = CertificateDer::from_pem_slice(&fs::read(&signed.certificate).expect("a file")).expect("PEM");
    let key = PrivateKeyDer::from_pem_slice(&fs::read(&signed.key).expect("a file")).expect("PEM");
    ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .expect("a pair")
}

/// Serves the client; returns whether TLS begins.
fn serve(mut stream: impl Read + Write, respond: &dyn Fn(&Request) -> Vec<Action>) -> bool {
    let mut buffer = Vec::new();
    while let Some(tag) = next(&mut stream, &mut buffer) {
        let Some((id, request)) = message::parse(tag) else {
            return false;
        };
        for action in respond(&request) {
            match action {
                Action::Hang => {
                    // Waits until the client closes.
                    let _ = stream.read(&mut [0; 1]);
                    return false;
                }
                Action::Close => return false,
                action => {
                    let bytes = message::encoded(id, &request, action);
                    if stream.write_all(&bytes).and_then(|()| stream.flush()).is_err() {
                        return false;
                    }
                }
            }
        }
        if matches!(request, Request::StartTls) {
            return true;
        }
    }
    false
}

fn next(stream: &mut impl Read, buffer: &mut Vec<u8>) -> Option<StructureTag> {
    let mut chunk = [0; 4096];
    loop {
        if let Ok((rest, tag)) = lber::parse::parse_tag(buffer) {
            let used = buffer.len() - rest.len();
            buffer.drain(..used);
            return Some(tag);
        }
        match stream.read(&mut chunk) {
            Ok(0) | Err(_) => return None,
            Ok(length) => buffer.extend_from_slice(&chunk[..length]),
        }
    }
}

/// Polls a condition that another thread makes true, and fails after 20 seconds.
#[track_caller]
pub(crate) fn wait_until(what: &str, mut condition: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(20);
    while !condition() {
        assert!(Instant::now() < end, "{what}");
        thread::sleep(Duration::from_millis(5));
    }
}
