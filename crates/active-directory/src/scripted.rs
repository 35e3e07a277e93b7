//! Speaks LDAP over TLS as a domain controller does, and misbehaves where it is told to.

#[allow(unreachable_pub, reason = "tests of the whole include the file too")]
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
pub(crate) use message::{Act, Page, Request, WRONG_PASSWORD, entry, root_dse};

use super::server::Tls;
use super::settings::{ActiveDirectorySettings, Bind};
use super::{DEFAULT_COUNTER_ATTRIBUTE, Server};
use umpin_platform::password::Password;
use umpin_platform::secret::Secret;

pub(crate) const PASSWORD: &str = "swordfish 4711!";
/// Long enough to be no accident, short enough to wait for.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(2);

/// What to answer; `None`: as usual. The number is that of the connection, from 0.
pub(crate) type Script = dyn Fn(usize, &Request) -> Option<Vec<Act>> + Send + Sync;

/// A running server; it accepts no more when dropped.
pub(crate) struct Scripted {
    pub port: u16,
    address: SocketAddr,
    heard: Arc<Mutex<Vec<(usize, Request)>>>,
    accepted: Arc<Mutex<usize>>,
    stop: Option<mpsc::Sender<()>>,
}

impl Scripted {
    pub(crate) fn start(
        signed: &Signed,
        tls: Tls,
        script: impl Fn(usize, &Request) -> Option<Vec<Act>> + Send + Sync + 'static,
    ) -> Self {
        Self::start_at("127.0.0.1:0", signed, tls, script)
    }

    pub(crate) fn start_at(
        address: &str,
        signed: &Signed,
        tls: Tls,
        script: impl Fn(usize, &Request) -> Option<Vec<Act>> + Send + Sync + 'static,
    ) -> Self {
        let config = Arc::new(server_config(signed));
        let listener = TcpListener::bind(address).expect(address);
        let address = listener.local_addr().expect("an address");
        let port = address.port();
        let (stop, stopped) = mpsc::channel::<()>();
        let server = Self {
            port,
            address,
            heard: Arc::default(),
            accepted: Arc::default(),
            stop: Some(stop),
        };
        let (heard, accepted) = (Arc::clone(&server.heard), Arc::clone(&server.accepted));
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
                let (config, script, heard) = (Arc::clone(&config), Arc::clone(&script), Arc::clone(&heard));
                thread::spawn(move || {
                    let react = |request: &Request| {
                        heard.lock().expect("a log").push((number, request.clone()));
                        script(number, request).unwrap_or_else(|| message::usual(request))
                    };
                    if tls == Tls::StartTls && !serve(&stream, &react) {
                        return;
                    }
                    let Ok(connection) = ServerConnection::new(config) else {
                        return;
                    };
                    serve(StreamOwned::new(connection, &stream), &react);
                });
            }
        });
        server
    }

    /// As `dc1.contoso.com`, or whatever the machine knows it by.
    pub(crate) fn server(&self) -> Server {
        self.named("127.0.0.1")
    }

    pub(crate) fn named(&self, host: &str) -> Server {
        Server {
            host: host.to_owned(),
            port: Some(self.port),
        }
    }

    /// How many connections were made.
    pub(crate) fn accepted(&self) -> usize {
        *self.accepted.lock().expect("a count")
    }

    /// What was asked, without what every connection begins with.
    pub(crate) fn heard(&self) -> Vec<Request> {
        self.all()
            .into_iter()
            .filter(|request| {
                !matches!(request, Request::Bind { .. } | Request::StartTls) && !request.is_about_server()
            })
            .collect()
    }

    pub(crate) fn binds(&self) -> usize {
        let all = self.all();
        all.iter()
            .filter(|request| matches!(request, Request::Bind { .. }))
            .count()
    }

    pub(crate) fn all(&self) -> Vec<Request> {
        let heard = self.heard.lock().expect("a log");
        heard.iter().map(|(_, request)| request.clone()).collect()
    }
}

impl Drop for Scripted {
    fn drop(&mut self) {
        self.stop = None;
        // To wake it.
        let _ = TcpStream::connect(self.address);
    }
}

/// A port where nobody listens.
pub(crate) fn closed() -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    Server {
        host: "127.0.0.1".to_owned(),
        port: Some(listener.local_addr().expect("an address").port()),
    }
}

/// A listener that never says anything.
pub(crate) fn silent() -> (TcpListener, Server) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = listener.local_addr().expect("an address").port();
    let server = Server {
        host: "127.0.0.1".to_owned(),
        port: Some(port),
    };
    (listener, server)
}

/// Those servers, in this order.
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

/// Answers until the client goes; says whether TLS is to begin.
fn serve(mut stream: impl Read + Write, react: &dyn Fn(&Request) -> Vec<Act>) -> bool {
    let mut buffer = Vec::new();
    while let Some(tag) = next(&mut stream, &mut buffer) {
        let Some((id, request)) = message::parse(tag) else {
            return false;
        };
        for act in react(&request) {
            match act {
                Act::Hang => {
                    // Until the client gives up.
                    let _ = stream.read(&mut [0; 1]);
                    return false;
                }
                Act::Close => return false,
                act => {
                    let bytes = message::encoded(id, &request, act);
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

/// Waits for what another thread does; what is not there by then never comes.
#[track_caller]
pub(crate) fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(20);
    while !is_so() {
        assert!(Instant::now() < end, "{what}");
        thread::sleep(Duration::from_millis(5));
    }
}
